"""Which of many claims may contradict each other: every pair with enough words in common, fast.

An exact set-similarity join with prefix filtering (Chaudhuri, Ganti and Kaushik, ICDE 2006;
Bayardo, Ma and Srikant, WWW 2007): two sets whose Jaccard coefficient is at least t share a word
among the rarest len - ceil(t * len) + 1 of each, so only claims under the same rare words meet.
What then meets is compared by `memtree.claims.contradictions`, which has the last word; opposites
("rise", "fall") are one word here, so that no pair that it would find is lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

from memtree.claims.contradictions import CLOSE, conflict, takes_one, turns
from memtree.claims.lexicon import OPPOSITES, TURNING
from memtree.claims.wording import stem, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.claims.statements import Statement
    from memtree.claims.wording import Wording

_HEADS = ("un", "in", "im", "ir", "dis", "non")
EXPLICIT = 4
"""Telling words that two claims share from which on they say themselves what they are about."""
_UNCLEAR = frozenset(
    ("he", "she", "it", "they", "him", "her", "them", "this", "that", "these", "those", "you",
     "there", "here", "his", "its", "their", "your")
)  # fmt: skip
"""Words for something that was named elsewhere: who begins with one does not say what it is of."""
_COMMON_ENDINGS = ("s", "ing", "ly", "ed")
TURNED, NUMBER, DATE, QUANTITY, VALUE, OPPOSITE = 1, 2, 4, 8, 16, 32


@dataclass(frozen=True, slots=True)
class Shape:
    """What a claim is joined by: its telling words, and in what it could contradict another.

    `terms` are stems without numbers, opposites as one; `marks` a sum of `TURNED` (a negation) and
    of what another claim may have otherwise: `NUMBER`, `DATE`, `QUANTITY`, `VALUE`, `OPPOSITE`.
    """

    terms: frozenset[str]
    marks: int


@dataclass(frozen=True, slots=True)
class Clash:
    """Two claims that can't both hold, in what (`polarity`, `number`, ...), and in which words."""

    one: Statement
    other: Statement
    kind: str
    words: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """In a phrase, for people."""
        return f"another {self.kind}" + (f": {' / '.join(self.words)}" if self.words else "")


def rivals(
    statements: Sequence[Statement],
    changed: Callable[[Statement], bool] | None = None,
    *,
    shapes: Sequence[Shape] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Clash]:
    """All pairs of claims that can't both hold; with `changed`, those in which one of the two is.

    Two claims of one text are no pair, nor are claims that are not about the same thing. `shapes`
    are those of the claims, where they are known already.
    """
    known = shapes if shapes is not None else [shape_of(each.text) for each in statements]
    prefixes = _prefixes(known)
    postings: dict[str, list[int]] = {}
    for at, prefix in enumerate(prefixes):
        for term in prefix:
            postings.setdefault(term, []).append(at)
    asked = [changed is None or changed(each) for each in statements]
    marks = [each.marks for each in known]
    for at, one in enumerate(statements):
        if progress is not None and at % 1000 == 0:
            progress(at, len(statements))
        if not asked[at]:
            continue
        own, other_kinds = marks[at], marks[at] & ~TURNED
        met = {
            other for term in prefixes[at] for other in postings[term]
            # A pair of two that are asked comes once, from the earlier of them.
            if (other > at or not asked[other])
            and ((own ^ marks[other]) & TURNED or other_kinds & marks[other])
        }  # fmt: skip
        for other in sorted(met):
            if other != at and _close(known[at].terms, known[other].terms):
                found = between(one, statements[other])
                if found is not None:
                    yield found


def _prefixes(shapes: Sequence[Shape]) -> list[list[str]]:
    """The rarest words of each claim, under which it has to be looked up."""
    counts = Counter(term for each in shapes for term in each.terms)
    found = []
    for each in shapes:
        ordered = sorted(each.terms, key=lambda term: (counts[term], term))
        found.append(ordered[: len(ordered) - ceil(CLOSE * len(ordered)) + 1] if ordered else [])
    return found


def _close(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether the Jaccard coefficient of two sets is high enough for a contradiction."""
    if min(len(one), len(other)) < CLOSE * max(len(one), len(other)):
        return False
    common = len(one & other)
    return common >= CLOSE * (len(one) + len(other) - common)


def between(one: Statement, other: Statement) -> Clash | None:
    """How two claims contradict each other; None when both can hold.

    In two entries, claims with one word in common ("No problem", "Any problem") say too little.
    """
    if one.text == other.text or not same_subject(one, other):
        return None
    if one.path != other.path:
        common = shape_of(one.text).terms & shape_of(other.text).terms
        if len(common) < 2:
            return None
    found = conflict(one.text, other.text, event=one.event and other.event)
    return Clash(one, other, found.kind, found.words) if found is not None else None


def same_subject(one: Statement, other: Statement) -> bool:
    """Whether two claims are about the same thing, as far as words can tell.

    They say so themselves when they share a name or several telling words. "The timeout is 30
    seconds" does not: what it is about stands in the titles of its entries, and then neither may
    have a word of its own that no claim has. "It was sold in 2003" needs one title.
    """
    if one.path == other.path:
        return True
    a, b = wording(one.text), wording(other.text)
    common = (set(a.content) & set(b.content)) - a.numbers
    mine, theirs = _subject(one.title), _subject(other.title)
    if _unclear(a) or _unclear(b):
        return bool(mine) and mine == theirs
    if len(common) >= EXPLICIT or common & (_named(a) | _named(b)):
        return True
    said = set(a.content) | set(b.content)
    return not (mine - theirs - said and theirs - mine - said)


@lru_cache(maxsize=65536)
def shape_of(text: str) -> Shape:
    """The shape of a claim."""
    said = wording(text)
    marks = (
        TURNED * turns(said) | NUMBER * bool(said.numbers) | DATE * bool(said.dates)
        | QUANTITY * bool(said.quantities) | VALUE * takes_one(said)
        | OPPOSITE * any(_has_opposite(word.text.casefold(), word.stem) for word in said.words)
    )  # fmt: skip
    telling = set(said.content) - said.numbers - TURNING
    return Shape(frozenset(map(_same, telling)), marks)


def _unclear(said: Wording) -> bool:
    """Whether a claim begins with a word for something that was named elsewhere."""
    return bool(said.words) and said.words[0].text.casefold() in _UNCLEAR


def _named(said: Wording) -> frozenset[str]:
    """The names of a claim; a first word is one unless it looks like a common word."""
    first = said.words[0] if said.words else None
    if first is None or not first.named or first.text.casefold().endswith(_COMMON_ENDINGS):
        return said.names
    return said.names | {first.stem}


@lru_cache(maxsize=4096)
def _subject(title: str) -> frozenset[str]:
    said = wording(title)
    return frozenset(said.content) - said.numbers


def _has_opposite(word: str, stemmed: str) -> bool:
    """Whether another claim could have the opposite of a word, or it is one ("unsafe")."""
    return word in OPPOSITES or stemmed in _classes() or word.startswith(_HEADS)


def _same(term: str) -> str:
    """One word for a word and its opposites."""
    classes = _classes()
    known = classes.get(term)
    if known is not None:
        return known
    for head in _HEADS:
        bare = term.removeprefix(head)
        if bare != term and len(bare) > 3:
            return classes.get(stem(bare), stem(bare))
    return term


@lru_cache(maxsize=1)
def _classes() -> dict[str, str]:
    """Every stem that has an opposite, and one stem for it and all that hang together with it."""
    found: dict[str, str] = {}
    for word in OPPOSITES:
        if stem(word) in found:
            continue
        waiting, seen = [word], set()
        while waiting:
            each = waiting.pop()
            if each not in seen:
                seen.add(each)
                waiting += OPPOSITES.get(each, ())
                waiting += [other for other in OPPOSITES if stem(other) == stem(each)]
        least = min(stem(each) for each in seen)
        found |= {stem(each): least for each in seen}
    return found
