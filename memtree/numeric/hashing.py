"""Locality-sensitive hashing of directions: near vectors fall into the same bucket, often.

    planes = hyperplanes(256, buckets=16, tables=4, seed=0)
    tables = tabled(planes.codes(vectors), planes.buckets)
    rows = tables.rows(planes.probes(question, 3))

A table's code is F(x) = argmax([xR; -xR]) with R random, dimension by buckets/2: the cross-polytope
hash of Andoni, Indyk, Laarhoven, Razenshteyn & Schmidt (arXiv 1509.02897), with a Gaussian matrix
for the rotation, as Think-in-Memory uses it (arXiv 2311.08719). The best bucket of one table misses
more than it finds, so a question looks into several buckets (probes) of several tables, and what
reads with it should have another way besides. The same seed gives the same tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Codes = npt.NDArray[np.int32]
    Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hyperplanes:
    """The random directions of all tables: float32, shape (tables, dimension, buckets / 2)."""

    directions: Floats

    @property
    def tables(self) -> int:
        """How many tables there are."""
        return int(self.directions.shape[0])

    @property
    def buckets(self) -> int:
        """How many buckets each table has."""
        return 2 * int(self.directions.shape[2])

    def codes(self, vectors: Floats) -> Codes:
        """The bucket of each vector in each table: int32, shape (tables, len(vectors)).

        Raises ValueError for vectors of another dimension.
        """
        np = load_numpy()
        given = np.asarray(vectors, np.float32)
        if given.ndim != 2 or given.shape[1] != self.directions.shape[1]:
            raise ValueError(f"vectors of {self.directions.shape[1]} numbers are hashed here")
        found: Codes = np.empty((self.tables, len(given)), np.int32)
        for table, matrix in enumerate(self.directions):
            found[table] = _best(given @ matrix)
        return found

    def probes(self, vector: Floats, count: int = 1) -> Codes:
        """The likeliest buckets of one vector, best first: int32, shape (tables, count).

        `count` is cut to the number of buckets. Raises ValueError for another dimension.
        """
        np = load_numpy()
        given = np.asarray(vector, np.float32)
        if given.shape != (self.directions.shape[1],):
            raise ValueError(f"a vector of {self.directions.shape[1]} numbers is hashed here")
        along = np.einsum("d,tdh->th", given, self.directions)
        both = np.concatenate([along, -along], axis=1)

        order = np.argsort(-both, axis=1, kind="stable")[:, : max(1, count)]
        found: Codes = order.astype(np.int32)
        return found


def hyperplanes(
    dimension: int, *, buckets: int = 16, tables: int = 4, seed: int = 0
) -> Hyperplanes:
    """Random directions for vectors of `dimension` numbers.

    Raises ValueError for an odd number of buckets, or where there is nothing to hash.
    """
    if dimension < 1 or tables < 1 or buckets < 2 or buckets % 2:
        raise ValueError("hashing wants a dimension, a table, and an even number of buckets")
    np = load_numpy()
    random = np.random.default_rng(seed)
    shape = (tables, dimension, buckets // 2)
    return Hyperplanes(directions=random.standard_normal(shape, dtype=np.float32))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tables:
    """Which rows lie in which bucket: `order` (tables, n) sorted by code, `starts` into it."""

    order: Rows
    starts: Rows

    def bucket(self, table: int, code: int) -> Rows:
        """The rows of one bucket, ascending."""
        return self.order[table, self.starts[table, code] : self.starts[table, code + 1]]

    def rows(self, probes: Codes) -> Rows:
        """The rows that lie in any of these buckets (tables, count), each once, ascending."""
        np = load_numpy()
        found = [self.bucket(table, int(code)) for table, codes in enumerate(probes)
                 for code in codes]  # fmt: skip
        joined: Rows = np.unique(np.concatenate(found)) if found else np.zeros(0, np.int64)
        return joined


def tabled(codes: Codes, buckets: int) -> Tables:
    """Tables of codes, shape (tables, n), each below `buckets`. Raises ValueError for others."""
    np = load_numpy()
    given = np.asarray(codes)
    if given.ndim != 2 or (given.size and (given.min() < 0 or given.max() >= buckets)):
        raise ValueError(f"codes are below {buckets}, one row a table")
    order = np.argsort(given, axis=1, kind="stable").astype(np.int64)
    bounds = np.arange(buckets + 1)
    starts = [np.searchsorted(row[sort], bounds) for row, sort in zip(given, order, strict=True)]
    return Tables(order=order, starts=np.asarray(starts, np.int64).reshape(len(given), buckets + 1))


def _best(along: Floats) -> Codes:
    """The place of the largest of [x; -x] in each row."""
    np = load_numpy()
    half = along.shape[1]
    place = np.argmax(np.abs(along), axis=1)
    negative = along[np.arange(len(along)), place] < 0
    best: Codes = (place + half * negative).astype(np.int32)
    return best
