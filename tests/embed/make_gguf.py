"""Tiny GGUF models for the tests, written with the standard library: the facts of ggml's format.

One is a llama with byte tokens, which says nothing of pooling; the other is the BERT of
`make_bert`, whose vectors are known from its formula.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

from make_bert import DIMENSION, HEADS, LAYERS, PLACES, TOKENS, WIDE, tensors

U32, I32, F32, BOOL, STRING, LIST = 4, 5, 6, 7, 8, 9
Key = tuple[str, int, object]
Tensor = tuple[tuple[int, ...], Sequence[float]]
"""Shape with columns first, as ggml has it, and the numbers."""


def write_gguf(path: Path, keys: Sequence[Key], weights: Mapping[str, Tensor]) -> Path:
    """Write keys `(name, type, value)` (a list of values for a list) and float32 tensors."""
    head = b"GGUF" + struct.pack("<IQQ", 3, len(weights), len(keys))
    for name, kind, value in keys:
        head += _string(name)
        if isinstance(value, list):
            head += struct.pack("<IIQ", LIST, kind, len(value))
            head += b"".join(_value(kind, one) for one in value)
        else:
            head += struct.pack("<I", kind) + _value(kind, value)
    data = b""
    for name, (shape, numbers) in weights.items():
        head += _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        data += struct.pack(f"<{len(numbers)}f", *numbers)
        data += bytes(-len(data) % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + data)
    return path


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(kind: int, value: object) -> bytes:
    if kind == STRING:
        return _string(str(value))
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def make_llama(path: Path, *, seed: int = 1, extra: Sequence[Key] = ()) -> Path:
    """A llama of two layers whose tokens are bytes."""
    generator = random.Random(seed)
    width, heads, keys_values, wide = 32, 4, 2, 64
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    kinds = [2, 3, 3, *[6] * 256, 1]
    keys: list[Key] = [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, "tiny llama"),
        ("llama.context_length", U32, 256),
        ("llama.embedding_length", U32, width),
        ("llama.block_count", U32, 2),
        ("llama.feed_forward_length", U32, wide),
        ("llama.attention.head_count", U32, heads),
        ("llama.attention.head_count_kv", U32, keys_values),
        ("llama.attention.layer_norm_rms_epsilon", F32, 1e-5),
        ("llama.rope.dimension_count", U32, width // heads),
        ("llama.vocab_size", U32, len(tokens)),
        *extra,
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.scores", F32, [0.0] * len(tokens)),
        ("tokenizer.ggml.token_type", I32, kinds),
        ("tokenizer.ggml.bos_token_id", U32, 1),
        ("tokenizer.ggml.eos_token_id", U32, 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_space_prefix", BOOL, False),
    ]
    ones = ((width,), [1.0] * width)

    def matrix(columns: int, rows: int) -> Tensor:
        return (columns, rows), [generator.gauss(0, 0.2) for _ in range(columns * rows)]

    weights = {
        "token_embd.weight": matrix(width, len(tokens)),
        "output_norm.weight": ones,
        "output.weight": matrix(width, len(tokens)),
    }
    small = width * keys_values // heads
    for layer in range(2):
        at = f"blk.{layer}."
        weights |= {at + "attn_norm.weight": ones, at + "ffn_norm.weight": ones}
        for name, columns, rows in (
            ("attn_q", width, width), ("attn_k", width, small), ("attn_v", width, small),
            ("attn_output", width, width), ("ffn_gate", width, wide), ("ffn_up", width, wide),
            ("ffn_down", wide, width),
        ):  # fmt: skip
            weights[f"{at}{name}.weight"] = matrix(columns, rows)
    return write_gguf(path, keys, weights)


def make_bert_gguf(path: Path, folder: Path) -> Path:
    """The BERT that `make_bert` wrote to a folder, pooled by the mean as its file says."""
    marks = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    # llama.cpp marks where a word begins, BERT where it goes on.
    tokens = [
        token if token in marks else token[2:] if token.startswith("##") else "\u2581" + token
        for token in TOKENS
    ]
    keys: list[Key] = [
        ("general.architecture", STRING, "bert"),
        ("general.name", STRING, "tiny bert"),
        ("bert.block_count", U32, LAYERS),
        ("bert.context_length", U32, PLACES),
        ("bert.embedding_length", U32, DIMENSION),
        ("bert.feed_forward_length", U32, WIDE),
        ("bert.attention.head_count", U32, HEADS),
        ("bert.attention.layer_norm_epsilon", F32, 1e-12),
        ("bert.attention.causal", BOOL, False),
        ("tokenizer.ggml.model", STRING, "bert"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.token_type", I32, [3 if token in marks else 1 for token in TOKENS]),
        ("tokenizer.ggml.token_type_count", U32, 2),
        ("tokenizer.ggml.padding_token_id", U32, 0),
        ("tokenizer.ggml.unknown_token_id", U32, 1),
        ("tokenizer.ggml.bos_token_id", U32, 2),
        ("tokenizer.ggml.cls_token_id", U32, 2),
        ("tokenizer.ggml.eos_token_id", U32, 3),
        ("tokenizer.ggml.seperator_token_id", U32, 3),
        ("tokenizer.ggml.mask_token_id", U32, 4),
        ("bert.pooling_type", U32, 1),
    ]
    names = {
        "embeddings.word_embeddings": "token_embd",
        "embeddings.position_embeddings": "position_embd",
        "embeddings.token_type_embeddings": "token_types",
        "embeddings.LayerNorm": "token_embd_norm",
    }
    for layer in range(LAYERS):
        names |= {
            f"encoder.layer.{layer}.{theirs}": f"blk.{layer}.{ours}"
            for theirs, ours in {
                "attention.self.query": "attn_q",
                "attention.self.key": "attn_k",
                "attention.self.value": "attn_v",
                "attention.output.dense": "attn_output",
                "attention.output.LayerNorm": "attn_output_norm",
                "intermediate.dense": "ffn_up",
                "output.dense": "ffn_down",
                "output.LayerNorm": "layer_output_norm",
            }.items()
        }
    weights: dict[str, Tensor] = {}
    for name, values in tensors(folder).items():
        stem, _, part = name.rpartition(".")
        weights[f"{names[stem]}.{part}"] = (values.shape[::-1], values.ravel().tolist())
    return write_gguf(path, keys, weights)
