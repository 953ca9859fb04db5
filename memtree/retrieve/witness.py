"""Whether the files that a hit rests on still say what they said, and what that costs it.

Only the hits that a person looks at are examined, and only entries that have anchors: a tree
without any pays nothing. An entry whose evidence drifted or went keeps its place in the answer but
loses part of the lift of its life, never more than that: text evidence decides, as always. Who
asked for an entry by its name gets it first, drifted or not. Hot.
"""

from __future__ import annotations

from memtree.knowledge.standing import Standing
from memtree.retrieve.matches import bounded, unbounded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.index.row import Row
    from memtree.knowledge.query import Hit
    from memtree.retrieve.vitality import Vitality

SHOWN = 10
"""Hits whose sources are looked at."""
LOST = {"drifted": 0.5, "gone": 1.0}
"""Taken off the life (0 to 1) of an entry; a life of 1 is worth the whole lift."""
_BY_NAME = ("exact", "fuzzy")


def witnessed(
    root: str, hits: list[Hit], rows: Mapping[str, Row], vitality: Vitality, now: float
) -> list[Hit]:
    """Give the first hits their `evidence`, and move those that lost it behind their equals.

    `hits` are best first, `rows` the catalog's rows by path, `now` is days since 1970.
    """
    ordered = list(hits)
    for at in range(min(len(hits), SHOWN) - 1, -1, -1):
        hit = ordered[at]
        row = rows.get(hit.path)
        if row is None or not row.standing or not Standing(row.standing).anchors:
            continue
        from memtree.tree.anchors import evidence_of

        hit.evidence = evidence_of(root, hit.path)
        lost = LOST.get(hit.evidence.state, 0.0) if hit.evidence else 0.0
        if lost and hit.score > 0 and hit.tier not in _BY_NAME:
            _demote(ordered, at, vitality.of(row, now).life, lost, vitality.policy.lift)
    return ordered


def _demote(hits: list[Hit], at: int, life: float, lost: float, lift: float) -> None:
    """Take the lift back that was given for the life that is lost, and let others pass."""
    hit = hits[at]
    before = hit.score
    share = (1 + lift * max(0.0, life - lost)) / (1 + lift * life)
    # What is shown is bounded to 0 to 1; the lift was given before that.
    hit.score = bounded(unbounded(hit.score) * share)
    # What stood behind it although its score was higher was put there on purpose.
    while at + 1 < len(hits) and hit.score < hits[at + 1].score <= before:
        hits[at] = hits[at + 1]
        at += 1
    hits[at] = hit
