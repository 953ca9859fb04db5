"""From a question to entries: facts, recognition, seeds, personalised PageRank (HippoRAG 2).

Pure functions of a `Network` and scores; the constants are those of arXiv 2502.14802 and of its
program (OSU-NLP-Group/HippoRAG), checked again where the comment says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.numeric.pagerank import forward_push

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.hippo.network import Network

    Floats = npt.NDArray[np.float64]

FACTS = 5
"""Facts that are linked to a question (linking_top_k). With 20, MuSiQue's Recall@5 falls by 9."""
PHRASES = 5
"""Phrases that the walk starts from."""
PASSAGES = 0.05
"""What an entry's own fit weighs among the seeds (passage_node_weight)."""
DAMPING = 0.5
RELATIVE = 0.6
"""Without a model a fact is kept if it scores so much of the best one."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A fact that a question is linked to: its raw score, and where it lies from 0 to 1."""

    fact: int
    raw: float
    score: float


def linked(scores: Floats, *, limit: int = FACTS) -> list[Linked]:
    """The facts that fit best, their scores min-max normalised over all facts."""
    import numpy as np

    fitting = np.flatnonzero(scores > 0)
    if not len(fitting):
        return []
    found = scores[fitting]
    low, high = float(scores.min()), float(found.max())
    wide = high - low
    if limit < len(found):
        least = np.partition(found, len(found) - limit)[len(found) - limit]
        fitting, found = fitting[found >= least], found[found >= least]
    best = np.argsort(-found, kind="stable")[:limit]
    return [
        Linked(int(fitting[at]), float(found[at]), (float(found[at]) - low) / wide if wide else 1.0)
        for at in best
    ]


def relative(facts: Sequence[Linked], *, share: float = RELATIVE) -> list[Linked]:
    """The facts that score at least this share of the best: recognition without a model."""
    return [each for each in facts if each.raw >= share * facts[0].raw]


def seeds(network: Network, facts: Sequence[Linked], *, limit: int = PHRASES) -> dict[int, float]:
    """Phrase -> weight: the score of its facts over the entries that hold it, averaged."""
    sums: dict[int, list[float]] = {}
    for each in facts:
        for phrase in (int(network.subjects[each.fact]), int(network.objects[each.fact])):
            weight = each.score / max(1, int(network.held[phrase]))
            sums.setdefault(phrase, []).append(weight)
    means = {phrase: sum(found) / len(found) for phrase, found in sums.items()}
    return dict(sorted(means.items(), key=lambda pair: (-pair[1], pair[0]))[:limit])


def normalised(scores: Mapping[int, float], *, complete: bool = False) -> dict[int, float]:
    """Scores from 0 to 1. Unless they are `complete`, what is not named scores 0."""
    if not scores:
        return {}
    low = min(scores.values()) if complete else 0.0
    wide = max(scores.values()) - low
    return {key: (score - low) / wide if wide > 0 else 1.0 for key, score in scores.items()}


def walked(
    network: Network,
    phrases: Mapping[int, float],
    passages: Mapping[int, float],
    *,
    damping: float = DAMPING,
    weight: float = PASSAGES,
) -> Floats:
    """The mass of each node after a walk from these phrases, and from entries by their fit.

    `passages` are entries with their fit from 0 to 1, `weight` is what these weigh beside the
    phrases. Shape (phrases + entries,), sum at most 1 (what lies far off is left out); all zero
    where there is nothing to start from.
    """
    import numpy as np

    reset = np.zeros(network.graph.nodes)
    for phrase, share in phrases.items():
        reset[phrase] += share
    for entry, fit in passages.items():
        reset[len(network.names) + entry] += weight * fit
    if reset.sum() <= 0:
        return reset
    return forward_push(network.graph, reset, damping=damping)


def ranked(network: Network, mass: Floats) -> npt.NDArray[np.int64]:
    """All entries with mass, the most first."""
    import numpy as np

    of_entries = mass[len(network.names) :]
    some = np.flatnonzero(of_entries > 0)
    return some[np.argsort(-of_entries[some], kind="stable")]
