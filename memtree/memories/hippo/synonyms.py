"""Names that are spelled almost alike, or mean the same: the synonym edges of the graph.

HippoRAG joins phrases whose vectors have a cosine of at least 0.8 (arXiv 2502.14802). Without a
model that reads, names are compared by their sets of character trigrams, with the same threshold:
Siobhan / Siobhán, railway line / railway lines. Both find every such pair, but for what `_CROWD`
says.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Pairs = tuple[Ints, Ints, npt.NDArray[np.float64]]
    Vectors = npt.NDArray[np.float32]

COSINE = 0.8
NEIGHBOURS = 100
"""Synonyms of one name, the nearest; as HippoRAG has it."""
SHORTEST = 3
"""Letters and digits of a name that may have synonyms; as HippoRAG has it."""
_BITS = 256
_BLOCK = 2_000_000  # pairs that are compared at a time
_CROWD = 400  # names that share one rare trigram: past it the trigram tells nothing


def by_spelling(keys: Sequence[str], *, least: float = COSINE) -> Pairs:
    """Pairs of keys (`triples.key_of`) whose trigram sets have a cosine of at least `least`.

    Prefix filter (Bayardo, Ma and Srikant, WWW 2007): two such sets share one of the rarest
    |A| - ceil(least^2 |A|) + 1 members of each. What shares one is first bounded by the bits in
    which two hashed sets differ, then counted. A trigram in more than 400 of these prefixes names
    no candidates.
    """
    load_numpy()
    import numpy as np

    sets, members = _trigrams(keys)
    sizes = np.diff(sets)
    frequency = np.bincount(members, minlength=int(members.max(initial=-1)) + 1)
    owners = np.repeat(np.arange(len(keys)), sizes)
    order = np.lexsort((members, frequency[members], owners))
    members = members[order]
    rank = np.arange(len(members)) - np.repeat(sets[:-1], sizes)
    prefix = sizes - np.ceil(least * least * sizes - 1e-9).astype(np.int64) + 1
    leading = rank < np.repeat(prefix, sizes)
    marks = _marks(owners, members, len(keys))
    found: set[tuple[int, int]] = set()
    for left, right in _sharing(members[leading], owners[leading]):
        fits = sizes[left] * least * least <= sizes[right]
        fits &= sizes[right] * least * least <= sizes[left]
        left, right = left[fits], right[fits]  # noqa: PLW2901
        apart = np.bitwise_count(marks[left] ^ marks[right]).sum(axis=1, dtype=np.int64)
        common = (sizes[left] + sizes[right] - apart) / 2
        near = common + 1e-9 >= least * np.sqrt(sizes[left] * sizes[right])
        found.update(zip(left[near].tolist(), right[near].tolist(), strict=True))
    pairs = sorted(found)
    alike: list[tuple[int, int, float]] = []
    for one, other in pairs:
        mine, theirs = (set(members[sets[at] : sets[at + 1]].tolist()) for at in (one, other))
        cosine = len(mine & theirs) / (len(mine) * len(theirs)) ** 0.5
        if cosine + 1e-12 >= least:
            alike.append((one, other, cosine))
    return _nearest(alike)


def _trigrams(keys: Sequence[str]) -> tuple[Ints, Ints]:
    """The sets as CSR: where each begins, and the numbers of its trigrams; () for short names."""
    import numpy as np

    numbers: dict[str, int] = {}
    starts, members = [0], []
    for key in keys:
        if sum(map(str.isalnum, key)) >= SHORTEST:
            plain = "".join(
                letter for letter in unicodedata.normalize("NFD", key)
                if not unicodedata.combining(letter)
            )  # fmt: skip
            spaced = f" {plain} "
            grams = {spaced[at : at + 3] for at in range(len(spaced) - 2)}
            members += [numbers.setdefault(gram, len(numbers)) for gram in sorted(grams)]
        starts.append(len(members))
    return np.asarray(starts, np.int64), np.asarray(members, np.int64)


def _marks(owners: Ints, members: Ints, count: int) -> npt.NDArray[np.uint64]:
    """A bitmap per set: sets differ in at least as many members as their bitmaps do in bits."""
    import numpy as np

    bits = (members * 2_654_435_761 >> 7) % _BITS
    marks = np.zeros((count, _BITS // 64), np.uint64)
    np.bitwise_or.at(
        marks, (owners, bits // 64), np.left_shift(np.uint64(1), (bits % 64).astype(np.uint64))
    )
    return marks


def _sharing(members: Ints, owners: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of owners that share a member, in blocks; the same pair may come again."""
    import numpy as np

    order = np.lexsort((owners, members))
    members, owners = members[order], owners[order]
    edges = np.flatnonzero(np.diff(members, prepend=-1, append=-1))
    begins, counts = edges[:-1], np.diff(edges)
    for size in np.unique(counts):
        if not 1 < size <= _CROWD:
            continue
        one, other = np.triu_indices(int(size), 1)
        groups = begins[counts == size]
        step = max(1, _BLOCK // len(one))
        for at in range(0, len(groups), step):
            part = groups[at : at + step, None]
            yield owners[part + one].ravel(), owners[part + other].ravel()


def by_meaning(keys: Sequence[str], vectors: Vectors, *, least: float = COSINE) -> Pairs:
    """Pairs of keys whose unit vectors have a cosine of at least `least`."""
    load_numpy()
    import numpy as np

    telling = np.asarray([sum(map(str.isalnum, key)) >= SHORTEST for key in keys], bool)
    rows = np.flatnonzero(telling)
    matrix = vectors[rows]
    alike: list[tuple[int, int, float]] = []
    step = max(1, _BLOCK * 4 // max(1, len(rows)))
    for at in range(0, len(rows), step):
        cosines = matrix[at : at + step] @ matrix[at:].T
        for one, other in zip(*np.nonzero(cosines >= least), strict=True):
            if other > one:
                alike.append(
                    (int(rows[at + one]), int(rows[at + other]), float(cosines[one, other]))
                )
    return _nearest(alike)


def _nearest(alike: list[tuple[int, int, float]]) -> Pairs:
    """The pairs, at most 100 of one name, the nearest first."""
    import numpy as np

    counts: dict[int, int] = {}
    kept = []
    for one, other, cosine in sorted(alike, key=lambda pair: (-pair[2], pair[0], pair[1])):
        if max(counts.get(one, 0), counts.get(other, 0)) < NEIGHBOURS:
            counts[one], counts[other] = counts.get(one, 0) + 1, counts.get(other, 0) + 1
            kept.append((one, other, cosine))
    if not kept:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    left, right, cosines = zip(*kept, strict=True)
    return np.asarray(left, np.int64), np.asarray(right, np.int64), np.asarray(cosines)
