"""When two claims are one: the same telling words, the same numbers, the same days.

Case, punctuation and endings make no difference, nor does the order of words unless there are
several names or numbers in them; a negation, a quantity, a name, a day or who says it does. The
key does not depend on what else was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.claims.wording import wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.curate.rules.claims import Found
    from memtree.knowledge.plan import Claim

Key = tuple[object, ...]


def key_of(text: str) -> Key:
    """What is equal for two statements that say the same."""
    said = wording(text)
    if not said.content:
        return (" ".join(text.casefold().split()),)
    # With two names or two numbers it is their order that says who did it to whom.
    told_apart = len(said.names) > 1 or len(said.numbers) > 1
    return (
        said.content if told_apart else tuple(sorted(said.content)),
        said.negations % 2,
        tuple(sorted(said.quantities)),
        tuple(sorted(said.dates)),
    )


def whole(claim: Claim) -> str:
    """A claim as its bullet will say it: with the day that it speaks of."""
    return f"{claim.text} ({claim.when})" if claim.when else claim.text


def without_doubles(found: Iterable[Found]) -> list[Found]:
    """One of each that say the same, in order: the longest, the earliest, then the smallest."""
    best: dict[Key, Found] = {}
    place: dict[Key, int] = {}
    for at, each in enumerate(found):
        key = key_of(whole(each.claim))
        known = best.get(key)
        place.setdefault(key, at)
        if known is None or _rank(each.claim) < _rank(known.claim):
            best[key] = each
    return [best[key] for key in sorted(place, key=lambda key: place[key])]


def _rank(claim: Claim) -> tuple[int, str, str]:
    return (-len(claim.text), claim.said or "9", claim.text)
