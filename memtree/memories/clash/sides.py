"""Disagreements as a reader meets them: whose sides there are, which is the newest, in what words.

A model that reads both sides of a clash prefers what it knew before, what it reads first or last
and what it reads more often (Xie et al., arXiv 2305.13300, section 4). So each side speaks once, in
a like number of words, with its date, and which comes first is left to chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.claims.statements import newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.claims.pairing import Clash
    from memtree.claims.statements import Statement

UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class Dispute:
    """One matter about which claims disagree: its sides, each with the claims that take it.

    In each side the newest comes first. `newest` is the place of the side that was said last, -1
    when nobody knows. `mark` names the first of the disagreements.
    """

    mark: str
    sides: tuple[tuple[Statement, ...], ...]
    newest: int

    def side(self, path: str) -> int:
        """On which side an entry stands, -1 for none."""
        return next((at for at, side in enumerate(self.sides)
                     if any(each.path == path for each in side)), -1)  # fmt: skip


def disputes(clashes: Sequence[tuple[str, Clash]]) -> list[Dispute]:
    """Disagreements that hang together, as one: claims that don't contradict share a side."""
    against: dict[Statement, set[Statement]] = {}
    marks: dict[Statement, str] = {}
    for mark, clash in clashes:
        against.setdefault(clash.one, set()).add(clash.other)
        against.setdefault(clash.other, set()).add(clash.one)
        marks.setdefault(clash.one, mark)
    found = []
    left = dict.fromkeys(against)
    while left:
        first = next(iter(left))
        members: dict[Statement, None] = {}
        waiting = [first]
        while waiting:
            each = waiting.pop()
            if each in left:
                del left[each]
                members[each] = None
                waiting += sorted(against[each], key=lambda other: (other.path, other.text))
        found.append(_dispute(list(members), against, marks))
    return found


def touches(dispute: Dispute, question: str, texts: Iterable[str]) -> bool:
    """Whether a question, or a passage that was found for it, speaks of what is disputed."""
    from memtree.claims.wording import wording

    asked = set(wording(question).content)
    passages = [" ".join(text.split()) for text in texts]
    for side in dispute.sides:
        for each in side:
            if any(each.text in passage for passage in passages):
                return True
            content = set(wording(each.text).content)
            if len(asked & content) >= min(2, len(asked), len(content)) > 0:
                return True
    return False


def label(dispute: Dispute, at: int) -> str:
    """What is said before a side: its date, and whether it is the newest."""
    side = dispute.sides[at]
    day = side[0].at[:10] or UNDATED
    said = f"{day}, newest of {len(dispute.sides)} that disagree" if at == dispute.newest \
        else f"{day}, disagrees"  # fmt: skip
    return f"{said}, {len(side)} entries say so" if len(side) > 1 else said


def note(dispute: Dispute, path: str) -> str:
    """What a person reads with the hit of an entry: with whom it disagrees, and who is newest."""
    at = dispute.side(path)
    mine = dispute.sides[at][0]
    rival = next(side[0] for place, side in enumerate(dispute.sides) if place != at)
    if 0 <= dispute.newest != at:
        rival = dispute.sides[dispute.newest][0]
    other = f"{rival.name} ({rival.at[:10] or UNDATED}): {_short(rival.text)}"
    if dispute.newest < 0:
        return f"disagrees with {other}; it is not known which is newer [{dispute.mark}]"
    if dispute.newest == at:
        return f"newest ({mine.at[:10] or UNDATED}); disagrees with {other} [{dispute.mark}]"
    return f"older ({mine.at[:10] or UNDATED}); disagrees with {other} [{dispute.mark}]"


def _dispute(
    members: list[Statement], against: dict[Statement, set[Statement]], marks: dict[Statement, str]
) -> Dispute:
    sides: list[list[Statement]] = []
    for each in members:
        for side in sides:
            if against[each].isdisjoint(side):
                side.append(each)
                break
        else:
            sides.append([each])
    for side in sides:
        side.sort(key=lambda each: (each.at, each.path), reverse=True)
    mark = next(marks[each] for each in members if each in marks)
    return Dispute(mark, tuple(tuple(side) for side in sides), _newest(sides))


def _newest(sides: Sequence[Sequence[Statement]]) -> int:
    """The side whose newest claim is newer than that of every other; -1 when that is not known."""
    for at, side in enumerate(sides):
        others = [other for place, other in enumerate(sides) if place != at]
        if all(any(newer(mine, other[0]) is mine for mine in side[:1]) for other in others):
            return at
    return -1


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:119]}…"
