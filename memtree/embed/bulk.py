"""Many passages through the static table at once, with numpy.

A distinct word is cut into its tokens once; after that an occurrence costs one look into a
dictionary. The rest is arithmetic on whole blocks: a block's texts share most of their tokens, so
that a small dense matrix of counts times the rows of those tokens beats adding row by row.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from memtree.embed.wordpiece import WordPiece, longest_in, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from memtree.embed.protocol import Vectors
    from memtree.embed.table import Table

_BATCH = 512  # texts that are read before arithmetic begins
# A product of 16 texts, 64 tokens and 256 dimensions is the largest that OpenBLAS keeps on one
# thread (interface/gemm.c: 262,144 multiplications). On a busy machine its threads spin: five times
# the processor time for the whole.
_BLOCK, _WIDTH = 16, 64
_REMEMBERED = 400_000  # words; some 60 MB

_SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_CONTROLS = bytes((*range(9), *range(11, 13), *range(14, 32), 127))
# ASCII with upper case made lower and signs made spaces; signs are counted by themselves.
_WORDS = bytes(
    32 if chr(byte) in _SIGNS else byte + 32 if 65 <= byte <= 90 else byte for byte in range(256)
)
# Where `str.split` would split although the tokenizer takes the character for nothing.
_FALSE_SPACES = "\x0b\x0c\x1c\x1d\x1e\x1f\x85"


class _Remembered(dict[str, int]):
    """Number of each fragment met: an ASCII word, or whatever stands between two spaces."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.cut = WordPiece(longest_in(table.vocabulary())).cut
        self.tokens = array("i")
        self.ends = array("i", [0])
        self.known = array("f")
        self.letters = array("f")

    def __missing__(self, fragment: str) -> int:
        known, letters = 0.0, 0
        for word in (fragment,) if fragment.isascii() else words(fragment):
            pieces = self.cut(word)
            self.tokens.extend(pieces)
            part, whole = self.table.letters(word, pieces)
            known += part
            letters += whole
        self.known.append(known)
        self.letters.append(letters)
        number = self[fragment] = len(self.ends) - 1
        self.ends.append(len(self.tokens))
        return number


class Bulk:
    """The table as numpy sees it, and the words it has met."""

    def __init__(self, table: Table) -> None:
        scales, rows = table.arrays()
        shape = (table.tokens, table.dimension)
        self._table = table
        self._rows = np.asarray(rows, np.int8).reshape(shape)
        self._scales = np.nan_to_num(np.asarray(scales, np.float32), posinf=0, neginf=0)
        self._remembered = _Remembered(table)
        self._signs = self._weighty()
        self._column = np.zeros(table.tokens, np.int32)

    def _weighty(self) -> list[str]:
        """The signs that move a vector at all."""
        return [
            sign
            for sign in _SIGNS
            if any(self._scales[number] for number in self._remembered.cut(sign))
        ]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """Vectors, float32 (texts, dimension), and the known share of each text, (texts,)."""
        vectors = np.zeros((len(texts), self._table.dimension), np.float32)
        shares = np.zeros(len(texts), np.float32)
        for begin in range(0, len(texts), _BATCH):
            end = min(begin + _BATCH, len(texts))
            if len(self._remembered) > _REMEMBERED:
                self._remembered = _Remembered(self._table)
            fragments, ends = self._fragments(texts[begin:end])
            self._share(fragments, ends, shares[begin:end])
            self._sum(fragments, ends, vectors[begin:end])
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        vectors /= np.where(lengths > 0, lengths, 1)[:, None]
        return vectors, shares

    def _fragments(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.int32], list[int]]:
        """The numbers of all fragments of the texts, and where each text ends among them."""
        numbers: list[int] = []
        ends = [0]
        number_of = self._remembered.__getitem__
        for text in texts:
            plain, odd = (text, ()) if text.isascii() else _parted(text)
            raw = plain.encode()
            numbers.extend(map(number_of, raw.translate(_WORDS, _CONTROLS).decode().split()))
            numbers.extend(map(number_of, odd))
            for sign in self._signs:
                times = plain.count(sign)
                if times:
                    numbers += [number_of(sign)] * times
            ends.append(len(numbers))
        return np.array(numbers, np.int32), ends

    def _share(self, fragments: npt.NDArray[np.int32], ends: list[int], into: Vectors) -> None:
        owner = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        count = len(into)
        known = np.frombuffer(self._remembered.known.tobytes(), np.float32)[fragments]
        letters = np.frombuffer(self._remembered.letters.tobytes(), np.float32)[fragments]
        total = np.bincount(owner, letters, count)
        into[:] = np.bincount(owner, known, count) / np.where(total > 0, total, 1)

    def _sum(self, fragments: npt.NDArray[np.int32], ends: list[int], into: Vectors) -> None:
        """Add up the rows of each text's tokens, a block of texts at a time."""
        limits = np.frombuffer(self._remembered.ends.tobytes(), np.int32)
        tokens = np.frombuffer(self._remembered.tokens.tobytes(), np.int32)
        for begin in range(0, len(into), _BLOCK):
            end = min(begin + _BLOCK, len(into))
            part = fragments[ends[begin] : ends[end]]
            lengths = limits[part + 1] - limits[part]
            owner = np.repeat(np.arange(end - begin), np.diff(ends[begin : end + 1]))
            # Where each fragment's tokens lie, fragment after fragment.
            shift = limits[part] - (np.cumsum(lengths) - lengths)
            these = tokens[np.repeat(shift, lengths) + np.arange(lengths.sum())]
            if len(these):
                into[begin:end] = self._block(these, np.repeat(owner, lengths), end - begin)

    def _block(
        self, tokens: npt.NDArray[np.int32], owner: npt.NDArray[np.intp], texts: int
    ) -> Vectors:
        """The sums of one block: counts (texts, distinct tokens) times rows."""
        met = np.zeros(self._table.tokens, bool)
        met[tokens] = True
        distinct = np.flatnonzero(met)
        count = len(distinct)
        width = -(-count // _WIDTH) * _WIDTH
        self._column[distinct] = np.arange(count, dtype=np.int32)
        cells = owner * width + self._column[tokens]
        counts = np.bincount(cells, minlength=texts * width).reshape(texts, width)
        times = counts.astype(np.float32)
        if self._table.logarithmic:
            many = counts > 1
            times[many] = 1 + np.log(times[many])
        times[:, :count] *= self._scales[distinct]
        rows = np.zeros((width, self._table.dimension), np.float32)
        rows[:count] = self._rows[distinct]
        left = times.reshape(texts, -1, _WIDTH).transpose(1, 0, 2)
        return np.asarray((left @ rows.reshape(-1, _WIDTH, self._table.dimension)).sum(0))


def _parted(text: str) -> tuple[str, list[str]]:
    """The words of a text that are ASCII, spaced, and those that are not."""
    for sign in _FALSE_SPACES:
        if sign in text:
            text = text.replace(sign, "")
    plain: list[str] = []
    odd: list[str] = []
    for fragment in text.split():
        (plain if fragment.isascii() else odd).append(fragment)
    return " ".join(plain), odd
