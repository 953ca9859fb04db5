"""Where the scores of one entry come from: all that is known of its life, for `memtree show`.

The sums and the words for them are `memtree.knowledge.lifecycle.explain`'s; here they meet the
entry's row, the log of uses and the sources.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memtree.knowledge.account import explain
from memtree.knowledge.lifecycle import REAL, day_number, day_text, last_day
from memtree.knowledge.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.index.row import Row
    from memtree.knowledge.account import Explanation
    from memtree.knowledge.anchor import SourceState
    from memtree.knowledge.lifecycle import Policy, Use


class Told:
    """The life of one entry at a moment.

    `why` holds the sums: `importance` (0 to 100) and its `parts`, `recency` and `life` (0 to 1),
    `maturity` as it would be settled now, and words. `most` is the most that ranking may add to a
    text score, as a share; `why.lift` of it is added. `written` and `grown` are importance and
    maturity as the file has them, `settled` the day of that, "" when never. `uses` counts the real
    uses that are known by kind, folded ones included; `last` is the day of the latest, "" without
    one. `is_stale` says whether `stale_after` has passed. `replaced` says what speaks against the
    entry, "" when nothing does; `by` is the path of what stands in its place, as far as it is
    known. `sources` are as `memtree.tree.anchors` found them.
    """

    __slots__ = (
        "by", "grown", "is_stale", "last", "most", "replaced", "settled", "sources", "stale_after",
        "uses", "valid_from", "valid_to", "why", "written",
    )  # fmt: skip

    why: Explanation
    most: float
    written: float
    grown: str
    settled: str
    uses: Mapping[str, int]
    last: str
    replaced: str
    by: str
    valid_from: str
    valid_to: str
    stale_after: str
    is_stale: bool
    sources: Sequence[SourceState]

    def as_dict(self) -> dict[str, object]:
        """The object `life` of `memtree show --json`; numbers are rounded for people."""
        why = self.why
        return {
            "importance": round(why.importance, 2),
            "maturity": why.maturity,
            "recency": round(why.recency, 4),
            "life": round(why.life, 4),
            "lift": round(why.lift, 4),
            "most": self.most,
            "parts": [
                {"name": part.name, "words": part.words, "points": round(part.points, 2)}
                for part in why.parts
            ],
            "maturity_words": why.maturity_words,
            "recency_words": why.recency_words,
            "settled": self.settled or None,
            "uses": dict(self.uses),
            "last_used": self.last or None,
            "replaced": self.replaced or None,
            "replaced_by": self.by or None,
            "valid_from": self.valid_from or None,
            "valid_to": self.valid_to or None,
            "stale_after": self.stale_after or None,
            "is_stale": self.is_stale,
            "sources": [source.as_dict() for source in self.sources],
        }


def has_passed(text: str, now: float) -> bool:
    """Whether the day `now` is past an ISO time; a date alone holds until its end."""
    day = day_number(text) if text else None
    return day is not None and now >= day + (len(text) <= 10)


def told(
    row: Row, *, now: float, policy: Policy, uses: Iterable[Use], past: Iterable[Use],
    replaced: str = "", by: str = "", sources: Sequence[SourceState] = (),
) -> Told:  # fmt: skip
    """The life of the entry in `row` at the day `now`.

    `uses` are its events that are not in the file yet, `past` all that are known. `replaced` says
    in words what speaks against it, `by` is the path of what stands in its place.
    """
    standing = Standing(row.standing)
    uses = list(uses)
    real = [use for use in past if use[1] in REAL and use[0] <= now]
    known = last_day("", standing.used, real, now)
    life = Told()
    life.why = explain(
        row.importance, row.maturity, day_number(standing.settled), uses, now, policy=policy,
        last=last_day(row.used, standing.used, uses, now), replaced=replaced,
    )  # fmt: skip
    life.most = policy.lift
    life.written = row.importance
    life.grown = row.maturity
    life.settled = standing.settled
    life.uses = dict(sorted(Counter(event for _, event in real).items()))
    life.last = "" if known is None else day_text(known)
    life.replaced = replaced
    life.by = by
    life.valid_from = standing.valid_from
    life.valid_to = standing.valid_to
    life.stale_after = standing.stale_after
    life.is_stale = has_passed(standing.stale_after, now)
    life.sources = sources
    return life
