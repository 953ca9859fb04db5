"""BERT's arithmetic in numpy: from numbers of pieces to vectors.

float32 throughout. Most of the time goes into matrix products, which numpy hands to a tuned
library; what stands between them is written in place, on pieces that fit a processor's cache.
"""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memtree.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from memtree.embed.protocol import Vectors

    Array = npt.NDArray[np.float32]

_EPSILON = np.float32(1e-12)  # of layer normalisation: `layer_norm_eps` of the published model
_FAR = np.float32(-1e9)  # the score of a place that is not there
_ROWS = 128  # rows of the widest layer that are worked on at once: 800 KB
_LONGEST_HEADER = 1 << 24  # bytes


class _Layer(NamedTuple):
    """Weights of one layer: matrices (in, out), and biases, and pairs of scale and shift."""

    attention: tuple[Array, Array]
    joined: tuple[Array, Array]
    first_norm: tuple[Array, Array]
    wide: tuple[Array, Array]
    narrow: tuple[Array, Array]
    last_norm: tuple[Array, Array]


class Bert:
    """The weights of a safetensors file; `dimension` is the length of a vector."""

    def __init__(self, path: str, *, heads: int) -> None:
        """Load the file (90 MB: 0.1 s). Raises ModelUnavailable."""
        try:
            named = _tensors(path)
            self._arrange(named)
        except (
            OSError, ValueError, KeyError, TypeError, AttributeError, struct.error,
        ) as error:  # fmt: skip
            raise ModelUnavailable(
                f"{path!r} holds no weights of BERT: {error}", hint="copy the published file again"
            ) from error
        self.dimension = int(self._words.shape[1])
        self._heads = heads
        if self.dimension % heads:
            raise ModelUnavailable(f"{path!r}: width {self.dimension} has no {heads} heads")

    def _arrange(self, named: Mapping[str, Array]) -> None:
        self._words = named["embeddings.word_embeddings.weight"]
        self._places = (
            named["embeddings.position_embeddings.weight"]
            + named["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _pair(named, "embeddings.LayerNorm")
        self._layers: list[_Layer] = []
        while f"encoder.layer.{len(self._layers)}.output.dense.weight" in named:
            at = f"encoder.layer.{len(self._layers)}."
            three = [
                _matrix(named, f"{at}attention.self.{part}") for part in ("query", "key", "value")
            ]
            self._layers.append(
                _Layer(
                    (np.hstack([one[0] for one in three]), np.hstack([one[1] for one in three])),
                    _matrix(named, at + "attention.output.dense"),
                    _pair(named, at + "attention.output.LayerNorm"),
                    _matrix(named, at + "intermediate.dense"),
                    _matrix(named, at + "output.dense"),
                    _pair(named, at + "output.LayerNorm"),
                )
            )

    def vectors(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """Unit vectors, shape (texts, dimension), of texts as numbers of pieces, none empty."""
        length = max(map(len, texts))
        numbers = np.zeros((len(texts), length), np.int64)
        there = np.zeros((len(texts), length), np.float32)
        for row, text in enumerate(texts):
            numbers[row, : len(text)] = text
            there[row, : len(text)] = 1
        states = self._states(numbers, there)
        sums = np.einsum("btd,bt->bd", states, there)
        lengths = np.sqrt(np.einsum("bd,bd->b", sums, sums))
        return np.asarray(sums / np.maximum(lengths, np.float32(1e-12))[:, None], np.float32)

    def _states(self, numbers: npt.NDArray[np.int64], there: Array) -> Array:
        """The last hidden states, shape (texts, places, dimension)."""
        texts, length = numbers.shape
        states = (self._words[numbers] + self._places[:length]).reshape(-1, self.dimension)
        _normalise(states, self._norm)
        hidden = ((1 - there) * _FAR)[:, None, None, :]
        for layer in self._layers:
            mixed = self._attend(states, layer, hidden, (texts, length))
            mixed += states
            _normalise(mixed, layer.first_norm)
            states = _feed(mixed, layer)
            states += mixed
            _normalise(states, layer.last_norm)
        return np.reshape(states, (texts, length, self.dimension))

    def _attend(self, states: Array, layer: _Layer, hidden: Array, shape: tuple[int, int]) -> Array:
        """What each place takes from the others, shape (texts * places, dimension)."""
        width = self.dimension // self._heads
        mixed = states @ layer.attention[0]
        mixed += layer.attention[1]
        parts = mixed.reshape(*shape, 3, self._heads, width)
        query, key, value = (parts[:, :, part].transpose(0, 2, 1, 3) for part in range(3))
        scores = (query * np.float32(width**-0.5)) @ key.transpose(0, 1, 3, 2)
        scores += hidden
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(-1, keepdims=True)
        gathered = (scores @ value).transpose(0, 2, 1, 3).reshape(-1, self.dimension)
        out = gathered @ layer.joined[0]
        out += layer.joined[1]
        return np.asarray(out)


def _feed(states: Array, layer: _Layer) -> Array:
    """The two dense layers with the bend between them, a few rows at a time."""
    out = np.empty_like(states)
    for begin in range(0, len(states), _ROWS):
        wide = states[begin : begin + _ROWS] @ layer.wide[0]
        wide += layer.wide[1]
        _bend(wide)
        np.matmul(wide, layer.narrow[0], out=out[begin : begin + _ROWS])
    out += layer.narrow[1]
    return out


def _bend(x: Array) -> None:
    """GELU in place: x * (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016).

    erf by Abramowitz and Stegun 7.1.26, error below 1.5e-7, which is float32's own.
    """
    a = np.abs(x)
    a *= np.float32(0.7071067811865476)
    t = a * np.float32(0.3275911)
    t += np.float32(1)
    np.reciprocal(t, out=t)
    p = t * np.float32(1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        p += np.float32(term)
        p *= t
    a *= a
    np.negative(a, out=a)
    np.exp(a, out=a)
    p *= a  # 1 - erf of |x| / sqrt 2
    # For x >= 0 it is x - x p / 2, for x < 0 it is x p / 2: max(x, 0) - |x| p / 2.
    np.abs(x, out=a)
    p *= a
    p *= np.float32(0.5)
    np.maximum(x, np.float32(0), out=x)
    x -= p


def _normalise(rows: Array, pair: tuple[Array, Array]) -> None:
    """Layer normalisation in place (Ba et al. 2016)."""
    rows -= rows.mean(-1, keepdims=True)
    variance = np.einsum("ij,ij->i", rows, rows)[:, None] / np.float32(rows.shape[1])
    rows /= np.sqrt(variance + _EPSILON)
    rows *= pair[0]
    rows += pair[1]


def _matrix(named: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    return np.ascontiguousarray(named[name + ".weight"].T), named[name + ".bias"]


def _pair(named: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    return named[name + ".weight"], named[name + ".bias"]


def _tensors(path: str) -> dict[str, Array]:
    """The float32 tensors of a safetensors file: a length, a JSON header, raw little-endian data.

    Raises ValueError, KeyError or OSError for files that are something else.
    """
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        if size > _LONGEST_HEADER:
            raise ValueError("no safetensors file")
        header = json.loads(file.read(size))
    data = np.memmap(path, np.uint8, "r", offset=8 + size)
    named: dict[str, Array] = {}
    for name, about in header.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        begin, end = about["data_offsets"]
        # A copy of its own: aligned, and the file may go.
        named[name] = data[begin:end].copy().view("<f4").astype(np.float32).reshape(about["shape"])
    return named
