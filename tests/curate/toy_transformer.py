"""A very small llama, taught in numpy: forward, backward, Adam, and its GGUF file.

The arithmetic is llama.cpp's for the architecture `llama`: RMS norm, rotary positions over
neighbouring pairs (2i, 2i+1), SiLU gates. Its tokens are all bytes and some whole words, so that
whatever a prompt holds can be read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.floating[Any]]
    Ints = npt.NDArray[np.int64]
    Kept = tuple[Any, ...]
    """What the way back needs of the way there."""

UNKNOWN, BEGIN, END, BYTES, SPACE = 0, 1, 2, 3, 259
EPSILON = 1e-5
BASE = 10000.0


class Words:
    """From text to tokens as llama.cpp does it: whole words, the longest first, then bytes."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(dict.fromkeys(words))
        self.size = SPACE + 1 + len(self.words)
        longest = sorted(self.words, key=lambda word: -len(word))
        self._ordered = [(word, SPACE + 1 + self.words.index(word)) for word in longest]

    def encode(self, text: str) -> list[int]:
        pieces: list[str | int] = [text]
        for word, token in self._ordered:
            cut: list[str | int] = []
            for piece in pieces:
                if isinstance(piece, int) or word not in piece:
                    cut.append(piece)
                    continue
                for at, between in enumerate(piece.split(word)):
                    cut += [token, between] if at else [between]
            pieces = [piece for piece in cut if piece != ""]
        tokens: list[int] = []
        for piece in pieces:
            if isinstance(piece, int):
                tokens.append(piece)
            else:
                tokens += [SPACE if byte == 32 else BYTES + byte for byte in piece.encode()]
        return tokens


class Transformer:
    """Two layers or so. `weights` go by their GGUF names, in numpy's order [out, in]."""

    def __init__(self, size: int, *, width: int, heads: int, wide: int, layers: int, seed: int):
        self.width, self.heads, self.wide, self.layers, self.size = width, heads, wide, layers, size
        generator = np.random.default_rng(seed)

        def matrix(rows: int, columns: int) -> Array:
            numbers: Array = generator.standard_normal((rows, columns)).astype(np.float32)
            return numbers / np.float32(np.sqrt(columns))

        ones = np.ones(width, np.float32)
        self.weights: dict[str, Array] = {
            "token_embd": matrix(size, width),
            "output_norm": ones.copy(),
            "output": matrix(size, width),
        }
        for layer in range(layers):
            at = f"blk.{layer}."
            self.weights |= {at + "attn_norm": ones.copy(), at + "ffn_norm": ones.copy()}
            for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
                self.weights[at + name] = matrix(width, width)
            self.weights[at + "ffn_gate"] = matrix(wide, width)
            self.weights[at + "ffn_up"] = matrix(wide, width)
            self.weights[at + "ffn_down"] = matrix(width, wide)

    def loss(self, tokens: Ints, counted: Array) -> tuple[float, dict[str, Array]]:
        """Mean cross-entropy of each next token where `counted` is 1, and the gradients.

        `tokens` has shape (batch, time + 1), `counted` (batch, time).
        """
        weights, grads = self.weights, {}
        given, wanted = tokens[:, :-1], tokens[:, 1:]
        batch, time = given.shape
        turn = _turns(time, self.width // self.heads)
        x = weights["token_embd"][given].reshape(-1, self.width)
        kept = []
        for layer in range(self.layers):
            x, attention = self._attend(x, f"blk.{layer}.", batch, turn)
            x, gate = self._gate(x, f"blk.{layer}.")
            kept.append((attention, gate))
        y, normed = _norm(x, weights["output_norm"])
        logits = y @ weights["output"].T
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        odds /= odds.sum(axis=1, keepdims=True)
        rows = np.arange(len(odds))
        share = (counted / counted.sum()).reshape(-1)
        loss = float(-(np.log(odds[rows, wanted.reshape(-1)] + 1e-9) * share).sum())
        odds[rows, wanted.reshape(-1)] -= 1
        odds *= share[:, None]
        grads["output"] = odds.T @ y
        dx, grads["output_norm"] = _norm_back(
            odds @ weights["output"], normed, weights["output_norm"]
        )
        for layer in reversed(range(self.layers)):
            attention, gate = kept[layer]
            dx = self._gate_back(dx, f"blk.{layer}.", gate, grads)
            dx = self._attend_back(dx, f"blk.{layer}.", attention, grads, batch=batch, turn=turn)
        grads["token_embd"] = np.zeros_like(weights["token_embd"])
        np.add.at(grads["token_embd"], given.reshape(-1), dx)
        return loss, grads

    def _split(self, x: Array, batch: int) -> Array:
        return x.reshape(batch, -1, self.heads, self.width // self.heads).transpose(0, 2, 1, 3)

    def _joined(self, x: Array) -> Array:
        return x.transpose(0, 2, 1, 3).reshape(-1, self.width)

    def _attend(
        self, x: Array, at: str, batch: int, turn: tuple[Array, Array]
    ) -> tuple[Array, Kept]:
        weights = self.weights
        y, normed = _norm(x, weights[at + "attn_norm"])
        query, key, value = (
            self._split(y @ weights[at + name].T, batch) for name in ("attn_q", "attn_k", "attn_v")
        )
        query, key = _rotate(query, turn), _rotate(key, turn)
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(query.shape[-1]))
        time = scores.shape[-1]
        scores += np.triu(np.full((time, time), -1e9, np.float32), 1)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = self._joined(scores @ value)
        return x + seen @ weights[at + "attn_output"].T, (
            y,
            normed,
            query,
            key,
            value,
            scores,
            seen,
        )

    def _attend_back(
        self, dx: Array, at: str, kept: Kept, grads: dict[str, Array], *, batch: int,
        turn: tuple[Array, Array],
    ) -> Array:  # fmt: skip
        weights = self.weights
        y, normed, query, key, value, scores, seen = kept
        grads[at + "attn_output"] = dx.T @ seen
        dseen = self._split(dx @ weights[at + "attn_output"], batch)
        dvalue = scores.transpose(0, 1, 3, 2) @ dseen
        dscores = dseen @ value.transpose(0, 1, 3, 2)
        dscores = scores * (dscores - (dscores * scores).sum(axis=-1, keepdims=True))
        dscores /= np.float32(np.sqrt(query.shape[-1]))
        back = (turn[0], -turn[1])
        dquery = _rotate(dscores @ key, back)
        dkey = _rotate(dscores.transpose(0, 1, 3, 2) @ query, back)
        dy = np.zeros_like(y)
        for name, part in (("attn_q", dquery), ("attn_k", dkey), ("attn_v", dvalue)):
            flat = self._joined(part)
            grads[at + name] = flat.T @ y
            dy += flat @ weights[at + name]
        more, grads[at + "attn_norm"] = _norm_back(dy, normed, weights[at + "attn_norm"])
        return dx + more

    def _gate(self, x: Array, at: str) -> tuple[Array, Kept]:
        weights = self.weights
        y, normed = _norm(x, weights[at + "ffn_norm"])
        gate, up = y @ weights[at + "ffn_gate"].T, y @ weights[at + "ffn_up"].T
        open_ = 1 / (1 + np.exp(-gate))
        inner = gate * open_ * up
        return x + inner @ weights[at + "ffn_down"].T, (y, normed, gate, up, open_, inner)

    def _gate_back(self, dx: Array, at: str, kept: Kept, grads: dict[str, Array]) -> Array:
        weights = self.weights
        y, normed, gate, up, open_, inner = kept
        grads[at + "ffn_down"] = dx.T @ inner
        dinner = dx @ weights[at + "ffn_down"]
        dup = dinner * gate * open_
        dgate = dinner * up * open_ * (1 + gate * (1 - open_))
        grads[at + "ffn_up"], grads[at + "ffn_gate"] = dup.T @ y, dgate.T @ y
        dy = dup @ weights[at + "ffn_up"] + dgate @ weights[at + "ffn_gate"]
        more, grads[at + "ffn_norm"] = _norm_back(dy, normed, weights[at + "ffn_norm"])
        return dx + more


def _norm(x: Array, weight: Array) -> tuple[Array, tuple[Array, Array]]:
    scale = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + np.float32(EPSILON))
    plain = x * scale
    return plain * weight, (plain, scale)


def _norm_back(dy: Array, kept: tuple[Array, Array], weight: Array) -> tuple[Array, Array]:
    plain, scale = kept
    dplain = dy * weight
    dx = scale * (dplain - plain * (dplain * plain).mean(axis=1, keepdims=True))
    return dx, (dy * plain).sum(axis=0)


def _turns(time: int, size: int) -> tuple[Array, Array]:
    rate = BASE ** (-np.arange(0, size, 2) / size)
    angle = np.arange(time)[:, None] * rate
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


def _rotate(x: Array, turn: tuple[Array, Array]) -> Array:
    cos, sin = turn
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = np.empty_like(x)
    turned[..., 0::2] = even * cos - odd * sin
    turned[..., 1::2] = even * sin + odd * cos
    return turned


def teach(
    model: Transformer, examples: Sequence[tuple[list[int], int]], *, steps: int, batch: int = 32,
    rate: float = 4e-3, seed: int = 0,
) -> float:  # fmt: skip
    """Adam over examples: tokens, and where the answer begins. Returns the last loss (nats)."""
    generator = np.random.default_rng(seed)
    first = {name: np.zeros_like(weight) for name, weight in model.weights.items()}
    second = {name: np.zeros_like(weight) for name, weight in model.weights.items()}
    loss = 0.0
    for step in range(1, steps + 1):
        chosen = [examples[at] for at in generator.integers(0, len(examples), batch)]
        longest = max(len(tokens) for tokens, _ in chosen)
        tokens = np.full((batch, longest), END, np.int64)
        counted = np.zeros((batch, longest - 1), np.float32)
        for row, (known, answer) in enumerate(chosen):
            tokens[row, : len(known)] = known
            counted[row, answer - 1 : len(known) - 1] = 1
        loss, grads = model.loss(tokens, counted)
        now = rate * min(1, step / 50) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        norm = np.sqrt(sum(float((grad * grad).sum()) for grad in grads.values()))
        for name, grad in grads.items():
            grad = grad * min(1.0, 1 / (norm + 1e-6))  # noqa: PLW2901
            first[name] = 0.9 * first[name] + 0.1 * grad
            second[name] = 0.98 * second[name] + 0.02 * grad * grad
            mean = first[name] / (1 - 0.9**step)
            spread = np.sqrt(second[name] / (1 - 0.98**step)) + 1e-8
            model.weights[name] -= (now * mean / spread).astype(np.float32)
    return loss


def save(model: Transformer, words: Words, path: Path, *, context: int) -> Path:
    """The model as a GGUF file of 32-bit floats (the format: ggml's docs/gguf.md)."""
    sys.path.append(str(Path(__file__).parents[1] / "embed"))
    from make_gguf import BOOL, F32, I32, STRING, U32, Key, Tensor, write_gguf

    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    kinds = [2, 3, 3, *[6] * 256, 1, *[4] * len(words.words)]
    tokens += words.words
    keys: list[Key] = [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, "toy"),
        ("llama.context_length", U32, context),
        ("llama.embedding_length", U32, model.width),
        ("llama.block_count", U32, model.layers),
        ("llama.feed_forward_length", U32, model.wide),
        ("llama.attention.head_count", U32, model.heads),
        ("llama.attention.head_count_kv", U32, model.heads),
        ("llama.attention.layer_norm_rms_epsilon", F32, EPSILON),
        ("llama.rope.dimension_count", U32, model.width // model.heads),
        ("llama.rope.freq_base", F32, BASE),
        ("llama.vocab_size", U32, len(tokens)),
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.scores", F32, [0.0] * len(tokens)),
        ("tokenizer.ggml.token_type", I32, kinds),
        ("tokenizer.ggml.bos_token_id", U32, BEGIN),
        ("tokenizer.ggml.eos_token_id", U32, END),
        ("tokenizer.ggml.unknown_token_id", U32, UNKNOWN),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_space_prefix", BOOL, False),
    ]
    tensors: dict[str, Tensor] = {
        f"{name}.weight": (weight.shape[::-1], weight.ravel().tolist())
        for name, weight in model.weights.items()
    }
    return write_gguf(path, keys, tensors)
