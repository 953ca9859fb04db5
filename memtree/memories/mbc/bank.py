"""The bank: a code for every passage, and what the codes stand for. Arrays, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, overload

from memtree.errors import UsageError
from memtree.numeric.codes import (
    DEAD,
    DECAY,
    Codebook,
    ProductQuantiser,
    perplexity,
    train_codebook,
    train_product,
)  # fmt: skip
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[np.generic]
    Ints = npt.NDArray[np.int64]
    Vectors = npt.NDArray[np.float32]
    Place = tuple[str, tuple[int, int]]

SHARE = 0.045
"""Bytes of a code for each byte of its vector in float32, where nobody says another number. With
4 bits a part the codebooks are small, and with all of them a tree of 2,000 passages stays below
5 %; measured in benchmarks/mbc.py."""
FAITHFUL = 512
"""The paper's number of codes."""
ENOUGH = 1000
"""Codes that were learnt from fewer vectors are learnt anew when there are twice as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a bank looks like: `codes` of one codebook, or `parts` of `bits`. 0: by the vectors."""

    codes: int = 0
    parts: int = 0
    bits: int = 4

    def __str__(self) -> str:
        if self.codes:
            return f"one codebook of {self.codes}"
        return f"{self.parts or 'some'} parts of {self.bits} bits"

    def for_dimension(self, dimension: int) -> Form:
        """The same with the parts that a dimension asks for. Raises UsageError for what can't be.

        A code has two bytes, and a part at least one number.
        """
        if self.codes:
            if not 2 <= self.codes <= 65_536:
                raise UsageError(f"{self.codes} codes are too few or too many: 2 to 65536")
            return self
        if self.bits not in (4, 8):
            raise UsageError(f"{self.bits} bits a part can't be had: 4 or 8")
        parts = self.parts or max(1, round(4 * dimension * SHARE * 8 / self.bits))
        if not 1 <= parts <= dimension:
            raise UsageError(f"vectors of {dimension} numbers can't be cut into {parts} parts")
        return replace(self, parts=parts)


class Places(Sequence["Place"]):
    """The places of a stored bank: made when they are asked for, since a question asks for few."""

    __slots__ = ("_entries", "_lines", "_names")

    def __init__(self, names: Sequence[str], entries: Array, lines: Array) -> None:
        self._names = names
        self._entries = entries
        self._lines = lines

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, row: int) -> Place: ...
    @overload
    def __getitem__(self, row: slice) -> list[Place]: ...
    def __getitem__(self, row: int | slice) -> Place | list[Place]:
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(len(self)))]
        first, last = self._lines[row].tolist()
        return self._names[int(self._entries[row])], (first, last)


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Codes row by row: `rows[i]` is of the passage at `places[i]`, its path and lines.

    `rows` is uint8 of shape (n, bytes) for product quantisation, uint16 of shape (n,) for one
    codebook. `learnt` is the number of vectors that the codes were learnt from.
    """  # no slots: what questions ask for again is kept beside the fields

    places: Sequence[Place]
    rows: Array
    coder: ProductQuantiser | Codebook
    dimension: int
    learnt: int

    @property
    def form(self) -> Form:
        """What it looks like."""
        if isinstance(self.coder, Codebook):
            return Form(codes=len(self.coder.codes))
        return Form(parts=self.coder.parts, bits=self.coder.bits)

    @property
    def needs_learning(self) -> bool:
        """Whether the codes were learnt from too few, and there are many more now."""
        return self.learnt < ENOUGH and len(self.places) >= 2 * max(1, self.learnt)

    def scores(self, question: Vectors) -> Vectors:
        """The cosine of a question's vector (d,) with what each row stands for, float32, (n,)."""
        made = self.coder.scores(question, self._codes)  # type: ignore[arg-type]
        found: Vectors = made / self._reach
        return found

    @cached_property
    def _codes(self) -> Array:
        """The rows as the coder takes them."""
        np = load_numpy()
        if isinstance(self.coder, Codebook):
            return self.rows.astype(np.int64)
        # A question goes through them part by part: by columns it reads what lies together.
        columns: Array = np.asfortranarray(self.rows.astype(np.uint8, copy=False))
        return columns

    @cached_property
    def _reach(self) -> Vectors:
        """The length of what each row stands for, never zero."""
        np = load_numpy()
        if isinstance(self.coder, Codebook):
            reach: Vectors = np.linalg.norm(self.coder.codes, axis=1)[self.rows]
        else:
            reach = self.coder.lengths(self._codes)  # type: ignore[arg-type]
        never_zero: Vectors = np.maximum(reach, np.float32(1e-6))
        return never_zero

    def without(self, paths: Collection[str]) -> Bank:
        """The bank without the rows of these entries."""
        kept = [row for row, (path, _) in enumerate(self.places) if path not in paths]
        if len(kept) == len(self.places):
            return self
        return replace(self, places=[self.places[row] for row in kept], rows=self.rows[kept])

    def with_more(self, places: Sequence[Place], vectors: Vectors, *, seed: int) -> Bank:
        """The bank with more rows; those that it has are not touched.

        Of one codebook, codes that no row uses and that are dead may be overwritten by new vectors:
        the paper's online reset, without its cost for what is stored.
        """
        np = load_numpy()
        if not places:
            return self
        if isinstance(self.coder, Codebook):
            coder = Codebook(codes=self.coder.codes.copy(), usage=self.coder.usage.copy())
            count = len(coder.codes)
            size = np.bincount(coder.encode(vectors), minlength=count)
            coder.usage = DECAY * coder.usage + (1 - DECAY) * size
            held = np.bincount(self.rows.astype(np.int64), minlength=count) + size
            dead = np.flatnonzero((coder.usage < DEAD) & (held == 0))
            coder.overwrite(dead, vectors, seed=seed)
            added = coder.encode(vectors).astype(np.uint16)
            return replace(
                self, places=[*self.places, *places], coder=coder,
                rows=np.concatenate([self.rows, added]),
            )  # fmt: skip
        added = self.coder.encode(vectors)
        return replace(
            self, places=[*self.places, *places], rows=np.concatenate([self.rows, added])
        )

    def size(self) -> Size:
        """Bytes and use of the codes."""
        np = load_numpy()
        full = 4 * self.dimension * len(self.places)
        if isinstance(self.coder, Codebook):
            codes = self.rows.astype(np.int64)
            count = len(self.coder.codes)
            used = len(np.unique(codes))
            return Size(full=full, rows=int(self.rows.nbytes), books=2 * self.coder.codes.size,
                        perplexity=perplexity(codes, count), codes=count,
                        dead=count - used)  # fmt: skip
        places = _unpacked(self.rows.astype(np.uint8, copy=False), self.coder)
        count = 2**self.coder.bits
        use = [perplexity(places[:, part], count) for part in range(self.coder.parts)]
        used = sum(len(np.unique(places[:, part])) for part in range(self.coder.parts))
        return Size(full=full, rows=int(self.rows.nbytes), books=self.coder.size,
                    perplexity=float(np.mean(use)), codes=count,
                    dead=count * self.coder.parts - used)  # fmt: skip

    # -- on disk ----------------------------------------------------------------------------

    def arrays(self) -> dict[str, Array]:
        """What is stored."""
        np = load_numpy()
        names = list(dict.fromkeys(path for path, _ in self.places))
        number = {path: place for place, path in enumerate(names)}
        made: dict[str, Array] = {
            "paths": np.frombuffer("\n".join(names).encode("utf-8", "surrogatepass"), np.uint8),
            "entries": np.array([number[path] for path, _ in self.places], np.int32),
            "lines": np.array([lines for _, lines in self.places], np.int32).reshape(-1, 2),
            "rows": self.rows,
            "numbers": np.array([self.dimension, self.learnt], np.int64),
        }
        if isinstance(self.coder, Codebook):
            return {**made, "codebook": self.coder.codes.astype(np.float16),
                    "usage": self.coder.usage}  # fmt: skip
        return {**made, "books": self.coder.books,
                "coder": np.array([self.coder.bits, self.coder.seed], np.int64)}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Bytes: of the vectors in float32, of the rows, of the codebooks; and how codes are used.

    `perplexity` is of one part, of `codes` at most; `dead` codes are used by no row.
    """

    full: int
    rows: int
    books: int
    perplexity: float
    codes: int
    dead: int

    @property
    def share(self) -> float:
        """All bytes of the compressed vectors, codebooks too, by those of the vectors."""
        return (self.rows + self.books) / self.full if self.full else 0.0


def learnt(places: Sequence[Place], vectors: Vectors, form: Form, *, seed: int = 0) -> Bank | None:
    """A bank of these passages, its codes learnt from them; None where there is none."""
    np = load_numpy()
    if not places:
        return None
    dimension = int(vectors.shape[1])
    form = form.for_dimension(dimension)
    if form.codes:
        book = train_codebook(vectors, count=form.codes, seed=seed)
        # What is stored in half precision is what is encoded with.
        book.codes = book.codes.astype(np.float16).astype(np.float32)
        return Bank(places=list(places), rows=book.encode(vectors).astype(np.uint16), coder=book,
                    dimension=dimension, learnt=len(places))  # fmt: skip
    coder = train_product(vectors, parts=form.parts, bits=form.bits, seed=seed)
    return Bank(places=list(places), rows=coder.encode(vectors), coder=coder, dimension=dimension,
                learnt=len(places))  # fmt: skip


def read(arrays: Mapping[str, Array]) -> Bank:
    """A bank from what `Bank.arrays` gave. Raises KeyError and ValueError for what it is not."""
    np = load_numpy()
    names = arrays["paths"].astype(np.uint8).tobytes().decode("utf-8", "surrogatepass").split("\n")
    entries, lines = arrays["entries"].astype(np.int64), arrays["lines"].astype(np.int64)
    if not len(entries) == len(lines) == len(arrays["rows"]) or lines.shape[1:] != (2,):
        raise ValueError("the parts of a bank differ in length")
    if len(entries) and not 0 <= int(entries.min()) <= int(entries.max()) < len(names):
        raise ValueError("a row of a bank is of no entry")
    places = Places(names, entries, lines)
    dimension, count = arrays["numbers"].tolist()
    coder: ProductQuantiser | Codebook
    if "codebook" in arrays:
        coder = Codebook(codes=arrays["codebook"].astype(np.float32),
                         usage=arrays["usage"].astype(np.float64))  # fmt: skip
    else:
        bits, seed = arrays["coder"].tolist()
        coder = ProductQuantiser(books=arrays["books"].astype(np.float16), dimension=dimension,
                                 bits=bits, seed=seed)  # fmt: skip
    return Bank(places=places, rows=arrays["rows"], coder=coder, dimension=dimension, learnt=count)


def _unpacked(rows: npt.NDArray[np.uint8], coder: ProductQuantiser) -> Ints:
    """The centroid of each part of each row, (n, parts)."""
    np = load_numpy()
    if coder.bits == 8:
        wide: Ints = rows.astype(np.int64)
        return wide
    both = np.stack([rows & 15, rows >> 4], axis=2).reshape(len(rows), -1)[:, : coder.parts]
    found: Ints = both.astype(np.int64)
    return found
