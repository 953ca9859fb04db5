"""A small random BERT for the tests: the layout of all-MiniLM-L6-v2, and its formula once more.

The formula is written for reading: one text at a time, in float64, loops where the product has
tensors, and the error function of the standard library.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

DIMENSION, HEADS, LAYERS, WIDE, PLACES = 24, 3, 2, 48, 300
WORDS = [
    "the", "a", "kettle", "water", "boil", "story", "long", "def", "none", "third", "floor",
    "mountains", "told", "slowly", "about", "all", "at", "on", "up", "in", "lower", "temperature",
    "degrees", "ninety", "six",
]  # fmt: skip
TOKENS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS,
    *"bcdefghijklmnopqrstuvwxyz.,-:()!?>", *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"),
    "\u6728", "\u5bb6",
]  # fmt: skip

Tensor = npt.NDArray[np.float64]


def make_bert(folder: Path, *, seed: int = 1) -> dict[str, str]:
    """Write `vocab.txt` and `model.safetensors`; returns their SHA-256 by name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(TOKENS) + "\n", "utf-8", newline="\n")
    generator = random.Random(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(TOKENS), DIMENSION),
        "embeddings.position_embeddings.weight": (PLACES, DIMENSION),
        "embeddings.token_type_embeddings.weight": (2, DIMENSION),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        norms += [at + "attention.output.LayerNorm", at + "output.LayerNorm"]
        matrices: dict[str, tuple[int, int]] = {
            **dict.fromkeys(
                ("attention.self.query", "attention.self.key", "attention.self.value"),
                (DIMENSION, DIMENSION),
            ),
            "attention.output.dense": (DIMENSION, DIMENSION),
            "intermediate.dense": (WIDE, DIMENSION),
            "output.dense": (DIMENSION, WIDE),
        }
        for name, (out, into) in matrices.items():
            shapes |= {f"{at}{name}.weight": (out, into), f"{at}{name}.bias": (out,)}
    for name in norms:
        shapes |= {f"{name}.weight": (DIMENSION,), f"{name}.bias": (DIMENSION,)}
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    # The published file has its places as integers: they must not disturb.
    data = struct.pack(f"<{PLACES}q", *range(PLACES))
    header["embeddings.position_ids"] = {
        "dtype": "I64", "shape": [1, PLACES], "data_offsets": [0, len(data)],
    }  # fmt: skip
    for name, shape in shapes.items():
        count = math.prod(shape)
        raw = struct.pack(f"<{count}f", *(generator.gauss(0, 0.5) for _ in range(count)))
        header[name] = {
            "dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)],
        }  # fmt: skip
        data += raw
    head = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    return {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("model.safetensors", "vocab.txt")
    }


def tensors(folder: Path) -> dict[str, Tensor]:
    """All float32 tensors of the file."""
    raw = (folder / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    named = {}
    for name, about in json.loads(raw[8 : 8 + size]).items():
        if name != "__metadata__" and about["dtype"] == "F32":
            begin, end = (8 + size + at for at in about["data_offsets"])
            values = struct.unpack(f"<{(end - begin) // 4}f", raw[begin:end])
            named[name] = np.array(values).reshape(about["shape"])
    return named


def formula(w: dict[str, Tensor], numbers: list[int]) -> Tensor:
    """The unit vector of a text given as the numbers of its pieces, marks included."""

    def dense(name: str, x: Tensor) -> Tensor:
        return np.asarray(w[f"{name}.weight"] @ x + w[f"{name}.bias"])

    def norm(name: str, x: Tensor) -> Tensor:
        x = (x - x.mean()) / math.sqrt(float(((x - x.mean()) ** 2).mean()) + 1e-12)
        return np.asarray(x * w[f"{name}.weight"] + w[f"{name}.bias"])

    word, place, kind = (
        w[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
    )
    states = [
        norm("embeddings.LayerNorm", word[number] + place[at] + kind[0])
        for at, number in enumerate(numbers)
    ]
    size = DIMENSION // HEADS
    for layer in range(LAYERS):
        a = f"encoder.layer.{layer}."
        query, key, value = (
            [dense(f"{a}attention.self.{part}", x) for x in states]
            for part in ("query", "key", "value")
        )
        after = []
        for at, x in enumerate(states):
            gathered = np.zeros(DIMENSION)
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                scores = [float(query[at][part] @ other[part]) / math.sqrt(size) for other in key]
                weights = [math.exp(score - max(scores)) for score in scores]
                for weight, other in zip(weights, value, strict=True):
                    gathered[part] += weight / sum(weights) * other[part]
            mixed = dense(f"{a}attention.output.dense", gathered)
            mixed = norm(f"{a}attention.output.LayerNorm", mixed + x)
            wide = dense(f"{a}intermediate.dense", mixed)
            bent = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in wide])
            after.append(norm(f"{a}output.LayerNorm", dense(f"{a}output.dense", bent) + mixed))
        states = after
    mean = np.mean(states, axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
