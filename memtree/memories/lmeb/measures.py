"""The measures of LMEB, of one query: nDCG@10 and capped recall.

A benchmark for embedders scores every document, so a ranking is never empty; here a retriever may
find fewer than k, and what it did not find counts as missed.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CUTS = (1, 5, 10, 25, 50)
"""The k of R_cap@k (arXiv 2603.12572)."""


def ndcg(found: Sequence[str], grades: Mapping[str, float], *, cut: int = 10) -> float | None:
    """Normalised discounted cumulative gain with linear gains, as trec_eval has it; 0 to 1.

    `grades` are the judgements of this query; None when none of them is above 0.
    """
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:cut]
    if not best:
        return None
    ideal = sum(grade / log2(rank + 1) for rank, grade in enumerate(best, 1))
    gained = sum(
        max(0.0, grades.get(item, 0.0)) / log2(rank + 1) for rank, item in enumerate(found[:cut], 1)
    )
    return gained / ideal


def capped_recall(found: Sequence[str], grades: Mapping[str, float], cut: int) -> float | None:
    """R_cap@k: hits among the first k by min(relevant, k), 0 to 1; None for nothing relevant."""
    relevant = {item for item, grade in grades.items() if grade > 0}
    if not relevant:
        return None
    return sum(1 for item in found[:cut] if item in relevant) / min(len(relevant), cut)


def measured(found: Sequence[str], grades: Mapping[str, float]) -> dict[str, float]:
    """All measures that apply, by their names in LMEB's tables."""
    made = {"ndcg@10": ndcg(found, grades)}
    made |= {f"r_cap@{cut}": capped_recall(found, grades, cut) for cut in CUTS}
    return {name: value for name, value in made.items() if value is not None}
