"""Which of many claims may contradict each other: every pair with enough words in common, fast.

An exact set-similarity join with prefix filtering (Chaudhuri, Ganti and Kaushik, ICDE 2006;
Bayardo, Ma and Srikant, WWW 2007): two sets whose Jaccard coefficient is at least t share a word
among the rarest len - ceil(t * len) + 1 of each, so only claims under the same rare words meet.
Taken from small to large, fewer words have to be kept, and the place of the first word that two
share says how large the other may be (Xiao, Wang, Lin, Yu and Wang, WWW 2008).
What then meets is compared by `memtree.claims.contradictions`, which has the last word; opposites
("rise", "fall") are one word here, so that no pair that it would find is lost.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING
from zlib import crc32

from memtree.claims.contradictions import CLOSE, conflict, subject_number, takes_one, turns
from memtree.claims.lexicon import OPPOSITES, TURNING
from memtree.claims.wording import stem, wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.claims.statements import Statement
    from memtree.claims.wording import Wording

_HEADS = ("un", "in", "im", "ir", "dis", "non")
SHARED = CLOSE / (1 + CLOSE)
"""The share of the words of two sets, counted apart, that is common at a Jaccard of `CLOSE`."""
FEW = 40
"""Claims that are compared with every other one sooner than all are sorted for it."""
EXPLICIT = 4
"""Telling words that two claims share from which on they say themselves what they are about."""
_UNCLEAR = frozenset(
    ("he", "she", "it", "they", "him", "her", "them", "this", "that", "these", "those", "you",
     "there", "here", "his", "its", "their", "your")
)  # fmt: skip
"""Words for something that was named elsewhere: who begins with one does not say what it is of."""
_VALUES = ("number", "date")
_COMMON_ENDINGS = ("s", "ing", "ly", "ed")
TURNED, NUMBER, DATE, QUANTITY, VALUE, OPPOSITE = 1, 2, 4, 8, 16, 32
_KINDS, _NUMBERED = NUMBER | DATE | QUANTITY | VALUE | OPPOSITE, 6


@dataclass(frozen=True, slots=True)
class Shape:
    """What a claim is joined by: its telling words, and in what it could contradict another.

    `terms` are stems without numbers, opposites as one; `marks` a sum of `TURNED` (a negation) and
    of what another claim may have otherwise: `NUMBER`, `DATE`, `QUANTITY`, `VALUE`, `OPPOSITE`. The
    bits above tell the number of its subject ("Server 3"), 0 for none: another is another thing.
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
    asked = [changed is None or changed(each) for each in statements]
    terms = [each.terms for each in known]
    marks = [each.marks for each in known]
    for done, (at, met) in enumerate(meetings(terms, asked)):
        if progress is not None and done % 1000 == 0:
            progress(done, len(statements))
        own, other_kinds, mine = marks[at], marks[at] & _KINDS, terms[at]
        subjects = (0, own >> _NUMBERED)
        for other in met:
            if (
                ((own ^ marks[other]) & TURNED or other_kinds & marks[other])
                and (not subjects[1] or marks[other] >> _NUMBERED in subjects)
                and len(mine & terms[other]) >= _least(len(mine) + len(terms[other]))
            ):  # fmt: skip
                one, two = (at, other) if asked[at] and not asked[other] else sorted((at, other))
                found = between(statements[one], statements[two])
                if found is not None:
                    yield found


def meetings(
    terms: Sequence[frozenset[str]], asked: Sequence[bool], *, few: int = FEW
) -> Iterator[tuple[int, list[int]]]:
    """For each set of words the others that may be close to it, among them all that are.

    Each pair comes once, and only if one of the two is asked.
    """
    if sum(asked) <= few:
        for at, own in enumerate(terms):
            if asked[at] and own:
                yield at, [other for other in range(len(terms))
                           if terms[other] and (other > at or not asked[other])]  # fmt: skip
        return
    counts = Counter(term for each in terms for term in each)
    order = sorted((at for at, each in enumerate(terms) if each), key=lambda at: len(terms[at]))
    sizes = [len(terms[at]) for at in order]
    # Claims by their place in this order, the smaller first: so a slice is a range of sizes.
    postings: dict[str, list[int]] = {}
    for place, at in enumerate(order):
        size = sizes[place]
        ranked = sorted(terms[at], key=lambda term: (counts[term], term))
        smallest = bisect_left(sizes, CLOSE * size)
        met: set[int] = set()
        for before, term in enumerate(ranked[: size - ceil(CLOSE * size) + 1]):
            # Who shares this as the first can share no more than what comes after it.
            largest = bisect_right(sizes, (size - before) / SHARED - size + 1e-9)
            there = postings.get(term, ())
            met.update(there[bisect_left(there, smallest) : bisect_left(there, largest)])
        yield at, [order[other] for other in sorted(met) if asked[at] or asked[order[other]]]
        for term in ranked[: size - _least(2 * size) + 1]:  # enough for whoever is no smaller
            postings.setdefault(term, []).append(place)


def _least(size: int) -> int:
    """How many words two sets of so many words in all must share, to be close."""
    return ceil(SHARED * size - 1e-9)


def between(one: Statement, other: Statement) -> Clash | None:
    """How two claims contradict each other; None when both can hold.

    In two entries, claims with one word in common ("No problem", "Any problem") say too little,
    unless both titles name the same thing: then "The deadline is 3 May" has another date than
    "The deadline is 7 May".
    """
    if one.text == other.text or not same_subject(one, other):
        return None
    common = shape_of(one.text).terms & shape_of(other.text).terms
    is_short = one.path != other.path and len(common) < 2
    if is_short and not _named_alike(one, other, common):
        return None
    found = conflict(one.text, other.text, event=one.event and other.event)
    if found is not None and is_short and found.kind not in _VALUES:
        return None
    return Clash(one, other, found.kind, found.words) if found is not None else None


def _named_alike(one: Statement, other: Statement, said: frozenset[str]) -> bool:
    """Whether two titles name the same thing, and say more than the claims do."""
    mine = _subject(one.title)
    return mine == _subject(other.title) and bool({_same(word) for word in mine} - said)


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
    number = subject_number(said)
    if number:
        marks |= (1 + crc32(number.encode("utf-8", "replace")) % 0xFFFF) << _NUMBERED
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
