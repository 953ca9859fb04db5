"""From a question to entries: the asymmetric distance to every code, the best passage of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.numerics import load_numpy
from memtree.plugins import NotReady, Ranked, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from memtree.knowledge.query import Query
    from memtree.memories.mbc.bank import Bank
    from memtree.plugins import Context

ROWS = 8
"""So many rows are put in order for each entry that is asked for, before all others are."""


def found(query: Query, ctx: Context) -> Ranking:
    """The entries within the scope whose best passage is nearest, best first."""
    from memtree.memories.mbc.keeping import is_empty, question, stored

    bank = stored(ctx)
    if bank is None and not is_empty(ctx):
        raise NotReady
    vector = question(ctx, query.text) if bank is not None else None
    if bank is None or vector is None:
        return Ranking(hits=())
    return Ranking(
        hits=best(bank, vector, limit=query.limit, scope=query.scope.strip("/")),
        why=f"{len(bank.places)} passages, {bank.form}",
    )


def best(
    bank: Bank, vector: npt.NDArray[np.float32], *, limit: int, scope: str = ""
) -> list[Ranked]:
    """At most `limit` entries; of equal ones those that come first in the bank."""
    scores = bank.scores(vector)
    hits: dict[str, Ranked] = {}
    for row in nearest_first(scores, limit * ROWS):
        path, lines = bank.places[row]
        if path in hits or (scope and not path.startswith(scope + "/")):
            continue
        if len(hits) == limit:
            break
        score = float(scores[row])
        hits[path] = Ranked(path=path, score=score, lines=lines, why=f"vectors {score:.2f}")
    return list(hits.values())


def nearest_first(scores: npt.NDArray[np.float32], first: int) -> Iterator[int]:
    """All rows, the best first and equal ones in their order; most often few are asked for."""
    np = load_numpy()
    if first < len(scores):
        least = np.partition(scores, len(scores) - first)[len(scores) - first]
        near = np.flatnonzero(scores >= least)
        yield from near[np.argsort(-scores[near], kind="stable")].tolist()
        far = np.flatnonzero(scores < least)
        yield from far[np.argsort(-scores[far], kind="stable")].tolist()
    else:
        yield from np.argsort(-scores, kind="stable").tolist()
