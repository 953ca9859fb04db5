"""Vectors of passages: read. One byte a number, and one bit a number for the first look.

A question's vector is compared with every passage by the signs alone (Hamming distance of 1-bit
codes), and the nearest few hundred again with the bytes. `memtree.index.embedding` writes the
files; this module only reads what `head` vouches for, so a process that dies while writing leaves
nothing half read.

Files in `cache/vectors/`, little-endian, one record per passage, all in the same order:
`ids` int64 (entry * PASSAGES + ordinal), `rows` int8[dimension], `codes` one bit a number, `alive`
one byte (0: replaced or gone), `hashes` 8 bytes (of the text that was embedded). The first `sorted`
records are in the order of their ids, so that a passage is found by bisection; the rest is short.
`rows` hold a number x of a unit vector as round(x * step), cut at 127.

Without numpy a look at 25,000 passages of 256 numbers takes 5 ms and the second one 3 ms; importing
numpy takes 80. So it is imported for large trees and by processes that go on asking.

Hot: imports mmap and marshal.
"""

from __future__ import annotations

import marshal
import os
import sys
from math import sqrt
from mmap import ACCESS_READ, mmap
from operator import mul

from memtree.index.full_text import PASSAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from memtree.index.catalog import Catalog

FOLDER = "vectors"
HEAD = "head"
QUESTIONS = "questions.bin"  # a table for questions to a large model, memtree.embed.student
# Raised with every change of the files: vectors of another version are made again.
VERSION = 1
PARTS = ("ids", "rows", "codes", "alive", "hashes")
# Numbers of a unit vector lie mostly below 5 / sqrt(dimension): what is beyond is cut.
_SIGMAS = 5.0
# The nearest by signs (so many, or this part of all) are compared by half of their numbers, and the
# nearest of those by all: ten of the ten nearest come back in 95 of 100 cases, for 11 ms in plain
# Python at 26,000 passages. `benchmarks/nearest.py` compares with looking at every number.
BY_HALF, PART = 1000, 64
BY_ALL = 150
# From here on numpy pays for its import even in a process that asks once.
MANY = 120_000
# A process that has asked so often goes on asking.
OFTEN = 3


# Greater than the number of any entry: everything of a generation is in.
END = 1 << 62


class NoVectors(Exception):  # noqa: N818  (a state: they are made, or the answer says so)
    """There are no vectors, or not of this version; the text says which."""


class NotWanted(NoVectors):
    """The settings want none."""


class Head:
    """What is vouched for: `count` records, made by `identity` up to `mark` of catalog `birth`.

    `mark` is (generation, number) of the last row of the catalog that is in; `gone` the generation
    up to which removals are. `epoch` names the files.
    """

    __slots__ = (
        "birth", "count", "dead", "dimension", "epoch", "gone", "identity", "mark", "sorted",
    )  # fmt: skip

    def __init__(self, identity: str, dimension: int, birth: bytes, epoch: int = 0) -> None:
        self.identity = identity
        self.dimension = dimension
        self.birth = birth
        self.epoch = epoch
        self.count = 0
        self.sorted = 0
        self.dead = 0
        self.mark = (0, 0)
        self.gone = 0

    @property
    def is_done(self) -> bool:
        """Whether everything was in when generation `gone` was."""
        return self.mark == (self.gone, END)

    def dump(self) -> bytes:
        """The head as its file holds it."""
        return marshal.dumps(
            (
                VERSION, self.identity, self.dimension, self.birth, self.epoch, self.count,
                self.sorted, self.dead, self.mark, self.gone,
            ),
            4,
        )  # fmt: skip


def read_head(folder: str) -> Head:
    """The head of the vectors under a cache folder. Raises NoVectors."""
    try:
        with open(os.path.join(folder, FOLDER, HEAD), "rb") as file:
            values = marshal.loads(file.read())  # noqa: S302  (our own cache)
        if values[0] != VERSION:
            raise NoVectors("the vectors are of another version")
        head = Head(str(values[1]), int(values[2]), bytes(values[3]), int(values[4]))
        head.count, head.sorted, head.dead, head.mark, head.gone = values[5:]
    except FileNotFoundError:
        raise NoVectors("no passage has a vector yet") from None
    except (OSError, ValueError, EOFError, TypeError, IndexError) as error:
        raise NoVectors(f"the vectors can't be read: {error}") from error
    return head


def head_signature(folder: str) -> tuple[int, int]:
    """Changes whenever the head does: one stat; zeros when there is none."""
    try:
        status = os.stat(os.path.join(folder, FOLDER, HEAD))
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def left_to_do(folder: str, catalog: Catalog, identity: str) -> int:
    """How many entries have no vectors by this model, or old ones."""
    try:
        head = read_head(folder)
    except NoVectors:
        return catalog.count()
    if head.identity != identity or head.birth != catalog.birth:
        return catalog.count()
    if head.gone == catalog.number("generation") and head.is_done:
        return 0
    return catalog.count_since(head.mark)


def step_of(dimension: int) -> float:
    """By how much the numbers of a unit vector are multiplied to be bytes."""
    return 127 * sqrt(dimension) / _SIGMAS


class Vectors:
    """The vectors of a tree, open for reading. Raises NoVectors when they can't be."""

    def __init__(self, folder: str) -> None:
        self.head = read_head(folder)
        self.dimension = self.head.dimension
        self._asked = 0
        self._columns: list[Any] | None = None
        self._fence: tuple[object, list[int]] | None = None
        self._files = [self._open(folder, part) for part in PARTS[:4]]
        self._ids = memoryview(self._files[0])[: 8 * self.head.count].cast("q")
        self._rows = memoryview(self._files[1])[: self.dimension * self.head.count].cast("b")
        self._codes = self._files[2]
        self._alive = self._files[3]
        self._tail = {
            passage: place
            for place, passage in enumerate(self._ids[self.head.sorted :], self.head.sorted)
        }

    def _open(self, folder: str, part: str) -> mmap | bytes:
        size = self.head.count * size_of(part, self.dimension)
        try:
            with open(path_of(folder, part, self.head.epoch), "rb") as file:
                if os.fstat(file.fileno()).st_size < size:
                    raise NoVectors("the vectors are cut short")
                return mmap(file.fileno(), 0, access=ACCESS_READ) if size else b""
        except (OSError, ValueError) as error:
            raise NoVectors(f"the vectors can't be read: {error}") from error

    def __len__(self) -> int:
        return self.head.count - self.head.dead

    # -- comparing --------------------------------------------------------------------------

    def similarities(self, question: Sequence[float], passages: Iterable[int]) -> dict[int, float]:
        """Cosine, -1 to 1, of the question and each of these passages that has a vector."""
        places = {}
        for passage in passages:
            place = self._place(passage)
            if place >= 0:
                places[passage] = place
        found = self._compare(question, list(places.values()))
        return dict(zip(places, found, strict=True))

    def nearest(
        self, question: Sequence[float], limit: int, *, within: set[int] | None = None,
        fence: object = None,
    ) -> list[tuple[int, float]]:  # fmt: skip
        """(passage, cosine) of the nearest, best first; `within` are the entries that count.

        `fence` tells one `within` from another, to remember where its passages are.
        """
        self._asked += 1
        places = self._within(within, fence)
        count = self.head.count if places is None else len(places)
        near = self._near(question, max(BY_HALF, count // PART, 4 * limit), places)
        alive = [place for place in near if self._alive[place]]
        last = max(BY_ALL, 4 * limit)
        if len(alive) > last:
            # What is learned here has its strongest numbers first; elsewhere half is half.
            alive = _best(self._compare(question[: self.dimension // 2], alive), alive, last)
        values = self._compare(question, alive)
        found = dict(zip(alive, values, strict=True))
        return [(self._ids[place], found[place]) for place in _best(values, alive, limit)]

    def has(self, passage: int) -> bool:
        """Whether a passage has a vector."""
        return self._place(passage) >= 0

    def row(self, passage: int) -> list[float]:
        """The vector of a passage that has one, as its bytes tell it."""
        size, place = self.dimension, self._place(passage)
        step = step_of(size)
        return [value / step for value in self._rows[size * place : size * place + size]]

    def matrix(self) -> tuple[list[int], Any]:
        """All passages that have a vector, and these as float32 rows of unit length."""
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        alive = np.flatnonzero(np.frombuffer(self._alive, np.uint8)[: self.head.count])
        table = np.frombuffer(self._rows, np.int8).reshape(-1, self.dimension)[alive]
        rows = table.astype(np.float32)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.frombuffer(self._ids, np.int64)[alive].tolist(), rows / np.maximum(norms, 1e-9)

    def _place(self, passage: int) -> int:
        """Where a passage stands, -1 when it has no vector."""
        place = self._tail.get(passage)
        if place is None:
            low, high = 0, self.head.sorted
            while low < high:
                middle = (low + high) // 2
                if self._ids[middle] < passage:
                    low = middle + 1
                else:
                    high = middle
            if low >= self.head.sorted or self._ids[low] != passage:
                return -1
            place = low
        return place if self._alive[place] else -1

    def _within(self, within: set[int] | None, fence: object) -> list[int] | None:
        if within is None:
            return None
        if self._fence is None or self._fence[0] != fence or fence is None:
            places = [
                place for place, passage in enumerate(self._ids) if passage // PASSAGES in within
            ]
            self._fence = fence, places
        return self._fence[1]

    def _near(
        self, question: Sequence[float], wanted: int, places: list[int] | None
    ) -> Sequence[int]:
        """The places of at least `wanted` passages (or all) whose signs differ least."""
        count = self.head.count if places is None else len(places)
        if count <= wanted:
            return range(count) if places is None else places
        size = self.dimension // 8
        if self._uses_numpy(count):
            return self._near_by_numpy(question, wanted, places)
        read = int.from_bytes
        code = read(signs(question), "little")
        data = self._codes[: size * self.head.count]
        starts = (
            range(0, size * count, size) if places is None else [size * place for place in places]
        )
        away = [(read(data[at : at + size], "little") ^ code).bit_count() for at in starts]
        counts = [0] * (self.dimension + 1)
        for value in away:
            counts[value] += 1
        most = _reaching(counts, wanted)
        chosen = [at for at, value in enumerate(away) if value <= most]
        return chosen if places is None else [places[at] for at in chosen]

    def _near_by_numpy(
        self, question: Sequence[float], wanted: int, places: list[int] | None
    ) -> Sequence[int]:
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        if self._columns is None:
            wide = np.uint64 if self.dimension % 64 == 0 else np.uint8
            codes = np.frombuffer(
                self._codes, wide, self.head.count * self.dimension // 8 // wide().itemsize
            )
            # Column by column: adding up four bytes of every row takes numpy three times as long.
            self._columns = list(np.ascontiguousarray(codes.reshape(self.head.count, -1).T))
        asked = np.frombuffer(signs(question), self._columns[0].dtype)
        away = np.zeros(self.head.count if places is None else len(places), np.uint16)
        for column, part in zip(self._columns, asked, strict=True):
            away += np.bitwise_count((column if places is None else column[places]) ^ part)
        most = _reaching(np.bincount(away, minlength=self.dimension + 1).tolist(), wanted)
        chosen = np.flatnonzero(away <= most).tolist()
        return chosen if places is None else [places[at] for at in chosen]

    def _compare(self, question: Sequence[float], places: Sequence[int]) -> list[float]:
        """The products of the question, or of its first numbers, with what stands at `places`."""
        size, used = self.dimension, len(question)
        step = step_of(size)
        if len(places) > 32 and "numpy" in sys.modules:
            import numpy as np

            table = np.frombuffer(self._rows, np.int8).reshape(-1, size)
            asked = np.asarray(question, np.float32)
            found: list[float] = (table[places, :used].astype(np.float32) @ asked / step).tolist()
            return found
        rows = self._rows
        return [
            sum(map(mul, question, rows[size * place : size * place + used])) / step
            for place in places
        ]

    def _uses_numpy(self, count: int) -> bool:
        return "numpy" in sys.modules or count > MANY or (self._asked > OFTEN and count > 2000)


def _best(values: Sequence[float], places: Sequence[int], count: int) -> list[int]:
    """The `count` places with the greatest values, best first; of equals the first."""
    order = sorted(range(len(places)), key=values.__getitem__, reverse=True)
    return [places[at] for at in order[:count]]


def _reaching(counts: Sequence[int], wanted: int) -> int:
    """The smallest distance within which `wanted` lie."""
    total = 0
    for distance, number in enumerate(counts):
        total += number
        if total >= wanted:
            return distance
    return len(counts)


def signs(vector: Sequence[float]) -> bytes:
    """One bit for each number of a vector: set when it is above zero. Lowest bit first."""
    code = 0
    for place, value in enumerate(vector):
        if value > 0:
            code |= 1 << place
    return code.to_bytes((len(vector) + 7) // 8, "little")


def size_of(part: str, dimension: int) -> int:
    """Bytes of a record in one of the files."""
    return {"rows": dimension, "codes": dimension // 8, "alive": 1}.get(part, 8)


def path_of(folder: str, part: str, epoch: int) -> str:
    """Where one of the files lies."""
    return os.path.join(folder, FOLDER, f"{part}.{epoch}")
