"""From what was ranked to what is shown: matches with a bounded score, and why each is there.

Hot: imports nothing but its own floor.
"""

from __future__ import annotations

from memtree.knowledge.standing import Standing
from memtree.retrieve.tier import Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.retrieve.candidate import Scored
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.tier import Ask

# Entries behind the last that is shown that may still come before it.
LOOKED_AT = 10


def matches_of(ask: Ask, work: Gathering, ranked: Sequence[Scored]) -> list[Match]:
    """The first `limit` entries: those that were weighed, then those that were only found."""
    asked = {stem: word.text for word in ask.words if not word.stop for stem in word.stems}
    lively = _by_life(ask, work, ranked)
    matches = [_match(work, scored, asked) for scored in lively[: ask.limit]]
    seen = {match.row.number for match in matches}
    floor = matches[-1].score if matches else 0.5
    for item in work.offered:
        if len(matches) >= ask.limit:
            break
        row = work.row(item.entry)
        if row is not None and row.fts and item.entry not in seen:
            seen.add(item.entry)
            # Behind those that were weighed, in the order of the index.
            floor *= 0.98
            text = ask.full_text.text(item)
            why = "has some of the words"
            matches.append(Match(row, floor, why=why, text=text, first=item.first, last=item.last))
    return matches


def _by_meaning(scored: Scored) -> bool:
    """Whether no word of the question brought it here, in any form."""
    return scored.candidate.meaning is not None and not scored.counts


def _by_life(ask: Ask, work: Gathering, ranked: Sequence[Scored]) -> Sequence[Scored]:
    """The order with the bounded lift of importance, maturity and recency.

    Only what the text leaves close changes places, so only the first are looked at.
    """
    first = ranked[: ask.limit + LOOKED_AT]
    for scored in first:
        alive = ask.vitality.of(work.rows[scored.candidate.entry], ask.now)  # type: ignore[index]
        scored.score = ask.vitality.lifted(scored.score, alive)
    return _successors_first(work, sorted(first, key=lambda one: -one.score))


def _successors_first(work: Gathering, ordered: list[Scored]) -> list[Scored]:
    """What was superseded comes after what took its place, when both were found."""
    rows = [work.rows[one.candidate.entry] for one in ordered]  # type: ignore[index]
    if not any(row.standing for row in rows):
        return ordered
    places: dict[str, Scored] = {}
    for row, one in zip(rows, ordered, strict=True):
        for name in (row.id, row.path, row.path.rpartition(".")[0], row.title):
            places.setdefault(name.casefold(), one)
    for row, one in zip(rows, tuple(ordered), strict=True):
        by = Standing(row.standing).superseded_by if row.standing else ""
        new = places.get(by.strip("[]").casefold()) if by else None
        if new is not None and new is not one and ordered.index(new) > ordered.index(one):
            ordered.remove(one)
            ordered.insert(ordered.index(new) + 1, one)
            one.score = min(one.score, new.score)
    return ordered


def _match(work: Gathering, scored: Scored, asked: dict[str, str]) -> Match:
    item, text = work.found[scored.candidate.key]
    return Match(
        work.rows[item.entry], bounded(scored.score), why=said(scored, asked), text=text,
        first=item.first, last=item.last, by_meaning=_by_meaning(scored),
    )  # fmt: skip


def bounded(score: float) -> float:
    """Any score as a number between 0 and 1, in the same order."""
    return 0.5 + 0.5 * score / (1.0 + abs(score))


def unbounded(score: float) -> float:
    """The score that `bounded` was given."""
    part = 2.0 * score - 1.0
    return part / max(1e-9, 1.0 - abs(part))


_SAID = {
    "session": "what stands around it",
    "speaker": "its speaker is named",
    "date": "the date fits",
    "when": "it tells when",
    "amount": "it tells how much",
    "answers": "it answers a question",
    "near": "the turns around it fit",
    "walk": "another hit leads to it",
}


def said(scored: Scored, asked: dict[str, str]) -> str:
    """What raised a hit: which words it has (`asked` maps stems to them), then what else."""
    words = [word for stem, word in asked.items() if scored.counts.get(stem, 0.0) > 0]
    parts = sorted(
        ((value, name) for name, value in scored.parts.items() if value >= _WORTH_SAYING),
        reverse=True,
    )
    more = [
        _SAID[name]
        for _, name in parts
        if name in _SAID and (name != "session" or scored.candidate.session)
    ]
    meaning = scored.candidate.meaning
    if meaning is not None and (meaning >= _NEAR or not (words or more)):
        more.insert(0, f"near in meaning ({meaning:.2f})")
    return "; ".join([f"has {', '.join(words[:6])}"] * bool(words) + more[:2])


_WORTH_SAYING = 0.1
_NEAR = 0.5
