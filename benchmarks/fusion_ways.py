"""Ways of making one order of two: by ranks, by weights, by weights that are learned. Pure.

A *list* here maps what was found to its score, higher is better. `benchmarks/fusion.py` measures
these against what `memtree.retrieve.ranking` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

FEATURES = ("words", "cosine", "both", "1/rank words", "1/rank cosine", "has words", "raw cosine")
SMOOTH = 10.0


def by_score(scores: Mapping[str, float]) -> list[str]:
    """What was found, best first; equals stay in the order in which they came."""
    return sorted(scores, key=lambda one: -scores[one])


def reciprocal(lists: Sequence[Sequence[str]], k: float) -> dict[str, float]:
    """Reciprocal-rank fusion: the sum of 1 / (k + rank) (Cormack, Clarke & Büttcher 2009)."""
    out: dict[str, float] = {}
    for one in lists:
        for rank, item in enumerate(one, 1):
            out[item] = out.get(item, 0.0) + 1 / (k + rank)
    return out


def stretched(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores from 0 for the worst to 1 for the best of this question; all 1 when all are equal."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {item: (value - low) / (high - low) for item, value in scores.items()}


def weighted(
    one: Mapping[str, float], other: Mapping[str, float], share: float
) -> dict[str, float]:
    """(1 - share) of the first and `share` of the second, stretched; what a list lacks has 0."""
    first, second = stretched(one), stretched(other)
    return {
        item: (1 - share) * first.get(item, 0.0) + share * second.get(item, 0.0)
        for item in dict.fromkeys([*first, *second])
    }


def features(words: Mapping[str, float], cosines: Mapping[str, float]) -> dict[str, list[float]]:
    """What a learned fusion sees of each thing found, in the order of `FEATURES`."""
    first, second = stretched(words), stretched(cosines)
    rank_words = {item: rank for rank, item in enumerate(by_score(words), 1)}
    rank_cosine = {item: rank for rank, item in enumerate(by_score(cosines), 1)}
    return {
        item: [
            first.get(item, 0.0),
            second.get(item, 0.0),
            first.get(item, 0.0) * second.get(item, 0.0),
            1 / (SMOOTH + rank_words[item]) if item in rank_words else 0.0,
            1 / (SMOOTH + rank_cosine[item]) if item in rank_cosine else 0.0,
            float(item in words),
            cosines.get(item, 0.0),
        ]
        for item in dict.fromkeys([*words, *cosines])
    }


def learn(rows: Floats, right: Floats, *, steps: int = 25, ridge: float = 1.0) -> Floats:
    """Weights of a logistic regression by Newton's method, the constant first.

    `rows` (n, features), `right` (n,) of 0 and 1. `ridge` keeps features that say the same apart;
    the constant is free.
    """
    table = np.hstack([np.ones((len(rows), 1)), rows])
    penalty = ridge * np.eye(table.shape[1])
    penalty[0, 0] = 1e-6
    weights = np.zeros(table.shape[1])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (right - chance) - penalty @ weights
        bend = (table * (chance * (1 - chance))[:, None]).T @ table + penalty
        change = np.linalg.solve(bend, slope)
        weights += change
        if float(np.abs(change).max()) < 1e-6:
            break
    return weights


def interval(differences: Sequence[float], *, draws: int = 2000, seed: int = 1) -> list[float]:
    """Mean of paired differences with its bootstrap 95 % interval: [mean, low, high]."""
    values = np.asarray(differences, float)
    if not len(values):
        return [0.0, 0.0, 0.0]
    picked = np.random.default_rng(seed).integers(0, len(values), (draws, len(values)))
    low, high = np.percentile(values[picked].mean(axis=1), (2.5, 97.5))
    return [float(values.mean()), float(low), float(high)]
