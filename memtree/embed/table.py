"""The static table: one row per piece of a word, and a text is the weighted sum of its pieces.

It is always there: no model to load, no library needed for a question. The file is mapped, not
read; a piece is found by binary search in its sorted tokens, so that opening builds nothing.

The file: 4096 bytes of header, UTF-8 lines `key value`, the first `memtree-table 1`, NUL to the
end; then, each at a multiple of 64 and little-endian,

    at.offsets  uint32[tokens + 1]       where each token begins in the blob
    at.blob     the tokens, sorted by their UTF-8 bytes; pieces inside words begin with ##
    at.scales   float32[tokens]
    at.rows     int8[tokens, dimension]

    vector(text) = unit(sum over its distinct tokens of f(times) * scale * row)

with f(n) = n where `tf` is linear and 1 + ln n where it is log. A word that no pieces cover counts
nothing: all such words would share one row, and two texts with an emoji each are not alike.

Hot: imports `os`, `mmap` and `math`; numpy only for many passages, through `memtree.embed.bulk`.
"""

from __future__ import annotations

import mmap
import os
import sys
from math import isfinite, log, sqrt

from memtree.embed.protocol import Identity
from memtree.embed.wordpiece import WordPiece, words
from memtree.errors import ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.embed.bulk import Bulk
    from memtree.embed.protocol import Vectors

MAGIC = "memtree-table 1"
HEADER = 4096
BUILTIN = os.path.join(os.path.dirname(__file__), "table.bin")
FEW = 24  # passages that cost less without numpy than importing it does (150 words each: 2 ms)


class Table:
    """An open table. Several threads may ask questions; `passages` is for one at a time."""

    __slots__ = (
        "_blob", "_bulk", "_file", "_header", "_identity", "_offsets", "_rows", "_scales",
        "_views", "_wordpiece", "dimension", "foreground", "logarithmic", "path",
        "tokens",
    )  # fmt: skip

    def __init__(self, path: str = BUILTIN) -> None:
        """Map the file. Raises ModelUnavailable if it is missing, damaged or something else."""
        self.path = path
        self.foreground = True
        try:
            with open(path, "rb") as file:
                self._file = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                f"the embedding table {path!r} can't be opened: {_reason(error)}",
                hint="install memtree again, or set embed.model to another model or to none",
            ) from error
        self._views: list[memoryview[int] | memoryview[float]] = []
        self._bulk: Bulk | None = None
        self._identity: Identity | None = None
        try:
            self._parse()
        except (KeyError, ValueError, UnicodeDecodeError) as error:
            self.close()
            raise ModelUnavailable(
                f"{path!r} is no embedding table, or a damaged one: {_reason(error)}",
                hint="install memtree again, or set embed.model to another model or to none",
            ) from error
        self._wordpiece = WordPiece(self._longest)

    def _parse(self) -> None:
        lines = self._file[:HEADER].rstrip(b"\0").decode().splitlines()
        if not lines or lines[0] != MAGIC:
            raise ValueError(f"it does not begin with {MAGIC!r}")
        self._header = header = dict(line.partition(" ")[::2] for line in lines[1:])
        tokens = self.tokens = int(header["tokens"])
        dimension = self.dimension = int(header["dimension"])
        if header["tf"] not in {"linear", "log"} or tokens < 1 or dimension < 1:
            raise ValueError("its header makes no sense")
        self.logarithmic = header["tf"] == "log"
        self._offsets = self._integers(int(header["at.offsets"]), tokens + 1)
        self._scales = self._floats(int(header["at.scales"]), tokens)
        raw = self._bytes(int(header["at.rows"]), tokens * dimension)
        self._rows = raw.cast("b")
        self._views.append(self._rows)
        self._blob = int(header["at.blob"])
        if self._blob < HEADER or self._blob + self._offsets[tokens] > len(self._file):
            raise ValueError("it is cut short")

    def _bytes(self, at: int, size: int) -> memoryview:
        """A stretch of the file; raises ValueError if that is not all there."""
        if at < HEADER or at % 4 or at + size > len(self._file):
            raise ValueError("it is cut short")
        whole = memoryview(self._file)
        view = whole[at : at + size]
        self._views += (whole, view)
        return view

    def _integers(self, at: int, count: int) -> Sequence[int]:
        raw = self._bytes(at, 4 * count)
        if sys.byteorder == "big":
            from array import array

            return array("I", _swapped(raw))
        view = raw.cast("I")
        self._views.append(view)
        return view

    def _floats(self, at: int, count: int) -> Sequence[float]:
        raw = self._bytes(at, 4 * count)
        if sys.byteorder == "big":
            from array import array

            return array("f", _swapped(raw))
        view = raw.cast("f")
        self._views.append(view)
        return view

    @property
    def identity(self) -> Identity:
        """Which table; the digest is the header's, or the file's if that has none."""
        if self._identity is None:
            digest = self._header.get("digest", "")
            if not digest:
                from memtree.embed.digest import sha256

                digest = sha256(self.path)
            self._identity = Identity(
                self._header.get("name", "table"), self.dimension, digest=digest, pooling="sum"
            )
        return self._identity

    def question(self, text: str) -> list[float]:
        """The vector of a text, in plain Python: 0.1 to 0.4 ms for a question."""
        pieces = self._wordpiece.pieces
        times: dict[int, int] = {}
        for word in words(text):
            for number in pieces(word):
                times[number] = times.get(number, 0) + 1
        dimension, rows = self.dimension, self._rows
        total = [0.0] * dimension
        for number, count in times.items():
            weight = self._scales[number]
            if weight:
                if count > 1:
                    weight *= 1 + log(count) if self.logarithmic else count
                row = rows[number * dimension : (number + 1) * dimension]
                total = [sum_ + weight * value for sum_, value in zip(total, row, strict=True)]
        return _unit(total)

    def passages_plain(self, texts: Sequence[str]) -> list[list[float]]:
        """Vectors of a few passages without numpy: up to `FEW` that is the faster way."""
        return [self.question(text) for text in texts]

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, float32 (texts, dimension): about 20,000 a second."""
        return self.read(texts)[0]

    def read(self, texts: Sequence[str]) -> tuple[Vectors, Vectors]:
        """The vectors, and for each text the `known_share` of it, float32 (texts,)."""
        if self._bulk is None:
            from memtree.numerics import load_numpy

            load_numpy()
            from memtree.embed.bulk import Bulk

            self._bulk = Bulk(self)
        return self._bulk.read(texts)

    def known_share(self, text: str) -> float:
        """How much of a text's letters and digits the table understands, 0 to 1; 0 for none.

        Words of its vocabulary count in full, and pieces of words from four letters on for half:
        English prose has nearly 1, another language in Latin letters about half, a script that the
        vocabulary only spells, or random characters, nearly 0. See `letters`.
        """
        known = total = 0.0
        for word in words(text):
            part, whole = self.letters(word, self._wordpiece.pieces(word))
            known += part
            total += whole
        return known / total if total else 0.0

    def letters(self, word: str, pieces: Sequence[int]) -> tuple[float, int]:
        """How many letters of a word are understood, and how many it has."""
        if not word.isalnum():
            if len(word) == 1:
                return 0.0, 0
            count = sum(map(str.isalnum, word))
        else:
            count = len(word)
        if len(pieces) == 1:
            # A letter or an ideograph alone says something only in the Latin alphabet.
            known = self._scales[pieces[0]] and (count > 1 or word.isascii())
            return (float(count) if known else 0.0), count
        known = 0.0
        for at, number in enumerate(pieces):
            length = len(self.token(number).decode("utf-8", "replace")) - (2 if at else 0)
            if length > 3 and self._scales[number]:
                known += length / 2
        return known, count

    def token(self, number: int) -> bytes:
        """A token of the vocabulary, UTF-8."""
        at = self._blob
        return self._file[at + self._offsets[number] : at + self._offsets[number + 1]]

    def vocabulary(self) -> dict[str, int]:
        """All tokens with their numbers: 12 ms, worth it when many words are to be cut."""
        tokens, offsets = self._file[self._blob :], self._offsets
        return {
            tokens[offsets[number] : offsets[number + 1]].decode("utf-8", "replace"): number
            for number in range(self.tokens)
        }

    def arrays(self) -> tuple[object, object]:
        """The scales and the rows as buffers, for numpy."""
        return self._scales, self._rows

    def _longest(self, text: str) -> tuple[int, int]:
        """The longest token that a text begins with: its number and its length in letters.

        A token that the text begins with is not greater than the text; and any token between the
        two begins with it as well. So the greatest token that is not greater than the text either
        is the answer, or says how many bytes the answer has at most.
        """
        raw = text.encode("utf-8", "surrogatepass")
        least = 3 if raw.startswith(b"##") else 1
        file, blob, offsets = self._file, self._blob, self._offsets
        high = self.tokens
        while len(raw) >= least:
            low = 0
            while low < high:
                middle = (low + high) >> 1
                if file[blob + offsets[middle] : blob + offsets[middle + 1]] <= raw:
                    low = middle + 1
                else:
                    high = middle
            if not low:
                break
            token = file[blob + offsets[low - 1] : blob + offsets[low]]
            shared = _shared(token, raw)
            if shared == len(token) and shared >= least:
                return low - 1, len(raw[:shared].decode("utf-8", "surrogatepass"))
            raw = raw[: min(shared, len(raw) - 1)]
        return -1, 0

    def close(self) -> None:
        """Unmap the file; may be called twice."""
        self._bulk = None
        for view in reversed(self._views):
            view.release()
        self._views = []
        try:
            self._file.close()
        except BufferError:  # an interruption left a row in use: the mapping goes with it
            self._bulk = None


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    length = min(len(one), len(other))
    for at in range(length):
        if one[at] != other[at]:
            return at
    return length


def _swapped(raw: memoryview) -> bytes:
    """Four-byte numbers with their bytes in the other order."""
    out = bytearray(len(raw))
    for at in range(4):
        out[at::4] = raw[3 - at :: 4]
    return bytes(out)


def _unit(vector: list[float]) -> list[float]:
    """The vector at length one; zeros stay zeros, and so does what a damaged file made infinite."""
    length = sqrt(sum([value * value for value in vector]))
    if not length or not isfinite(length):
        return [0.0] * len(vector)
    return [value / length for value in vector]


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"no {error.args[0]} in it" if isinstance(error, KeyError) else str(error)
