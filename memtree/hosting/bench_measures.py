"""What a benchmark counts: measures of one ranking, and tables of their means by kind of question.

Measures, of ids that were found, best first, and ids that should be (the gold): recall@k is the
share of gold ids among the first k; all@k is 1 when all of them are; nDCG@10 has binary gains
(Järvelin & Kekäläinen 2002); MRR is 1/rank of the first gold id, 0 when none was found.
"""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

CUTS = (1, 5, 10)
ALL = "all"
"""The row of all questions together."""


def measures(
    found: Sequence[str], gold: Sequence[str], *, complete: Sequence[int] = (10,)
) -> dict[str, float]:
    """The measures of one question; `complete` are the k of all@k. ValueError without gold."""
    wanted = set(gold)
    if not wanted:
        raise ValueError("a question without gold can't be measured")
    ranks = [rank for rank, item in enumerate(found, 1) if item in wanted]
    out = {f"recall@{cut}": sum(1 for rank in ranks if rank <= cut) / len(wanted) for cut in CUTS}
    for cut in complete:
        out[f"all@{cut}"] = float(sum(1 for rank in ranks if rank <= cut) == len(wanted))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(10, len(wanted)) + 1))
    out["ndcg@10"] = sum(1 / log2(rank + 1) for rank in ranks if rank <= 10) / ideal
    out["mrr"] = 1 / ranks[0] if ranks else 0.0
    return out


def by_kind(
    rows: Iterable[tuple[str, float, Mapping[str, float]]], *, label: str, count: str, total: bool
) -> list[dict[str, object]]:
    """One row for each kind of (kind, milliseconds, measures), in the order of their coming.

    `label` and `count` name the first two columns. A mean is of the questions that have the
    measure. With `total` a row of all comes first, and kinds only if there are several.
    """
    kinds: dict[str, list[tuple[float, Mapping[str, float]]]] = {}
    every: list[tuple[float, Mapping[str, float]]] = []
    for kind, ms, found in rows:
        kinds.setdefault(kind, []).append((ms, found))
        every.append((ms, found))
    table = [_row(ALL, every, label, count)] if total else []
    if not total or len(kinds) > 1:
        table += [_row(kind, kinds[kind], label, count) for kind in kinds]
    return table


def _row(
    name: str, rows: Sequence[tuple[float, Mapping[str, float]]], label: str, count: str
) -> dict[str, object]:
    row: dict[str, object] = {label: name, count: len(rows)}
    for measure in dict.fromkeys(measure for _, found in rows for measure in found):
        values = [found[measure] for _, found in rows if measure in found]
        row[measure] = round(sum(values) / len(values), 4)
    row["ms"] = round(sum(ms for ms, _ in rows) / max(1, len(rows)), 3)
    return row
