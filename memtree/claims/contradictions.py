"""Whether two statements can't both hold: same thing, other polarity, number, date or entity.

Compared are claims about the same subject in nearly the same words. Measured by
`benchmarks/contradictions.py`; what is found is shown to a person, so a miss costs more trust than
a false alarm costs time, but unrelated claims must never be held up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from memtree.claims.dates import CALENDAR, fits, span_of
from memtree.claims.lexicon import CHANGES, FUNCTION, NEGATIONS, OPPOSITES, TURNING, UNITS
from memtree.claims.wording import stem, wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.claims.wording import Wording

CLOSE = 0.5
"""The least share of common telling words (of both statements') for another polarity to count."""
CLOSER = 0.6
"""The same for another number, date or entity."""
CLOSEST = 0.7
"""The same where each of the two has telling words of its own: they may be about two things."""

_OPPOSED = {frozenset(pair) for pair in (("all", "few"), ("all", "some"), ("must", "may"),
                                         ("only", "all"), ("most", "few"))}  # fmt: skip
_FUNCTIONAL = frozenset(
    [
        "is",
        "was",
        "are",
        "were",
        "default",
        "defaults",
        "lives",
        "live",
        "lived",
        "works",
        "work",
        "located",
        "based",
        "called",
        "named",
        "owns",
        "owner",
        "deadline",
        "due",
        "born",
        "equals",
        "costs",
        "cost",
        "takes",
        "runs",
        "version",
        "timeout",
        "limit",
        "port",
        "maximum",
        "minimum",
        "max",
        "min",
        "set",
        "sets",
        "configured",
        "scheduled",
        "starts",
        "ends",
        "expires",
        "weighs",
        "measures",
        "capital",
        "president",
        "ceo",
        "lead",
        "leads",
        "manager",
        "favourite",
        "favorite",
        "birthday",
        "address",
        "phone",
        "email",
        "moved",
    ]
)

_DECIMAL = re.compile(r"\d+(?:\.\d+)?")
_UNIT_STEMS = frozenset(map(stem, UNITS))
_NEGATIVE = frozenset(map(stem, NEGATIONS))
_PARTICLES = frozenset(map(stem, ("in", "out", "on", "off", "up", "down", "over", "under")))
_BOUNDS = frozenset(map(stem, ("over", "under", "up", "down")))
_STATES = frozenset(
    ("is", "are", "was", "were", "be", "been", "stays", "stayed", "remains", "remained", "turned",
     "switched", "kept", "left")
)  # fmt: skip
_VAGUE = frozenset(map(stem, ("possible", "true", "anyone", "someone", "anything", "something",
                              "make", "able")))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conflict:
    """In what two statements differ: `polarity`, `quantity`, `number`, `date` or `entity`."""

    kind: str
    words: tuple[str, ...] = ()


def conflict(one: str, other: str, *, event: bool = False) -> Conflict | None:
    """In what two statements about the same thing can't both hold; None when they can.

    Of an `event` another number, date or entity is another event.
    """
    a, b = wording(one), wording(other)
    first, second = _telling(a), _telling(b)
    common = first & second
    if not common or _other_numbered(a, b):
        return None
    differ = (first | second) - common
    opposed = _opposed(a, b)
    if len(common) < 3 and opposed and _PARTICLES.issuperset(opposed):
        tells = all(any(_tells(said, particle) for particle in opposed) for said in (a, b))
        opposed = opposed if tells else ()  # "checking in", "check it out"
    # "never" against "always" turns a statement round once, not twice.
    turned = turns(a) != turns(b) and _NEGATIVE.isdisjoint(opposed)
    if a.key == b.key and not opposed and not turned:
        return None
    differ -= set(opposed)
    if differ <= _UNIT_STEMS and _measures(a).keys() & _measures(b).keys():
        differ = frozenset()  # "30 seconds", "30 minutes": no other thing, another measure
    share = len(common) / (len(common) + len(differ))
    if share < CLOSEST and _own(first & differ, second) and _own(second & differ, first):
        free = turned or opposed or event or share < CLOSE
        return None if free else _other_entity(a, b)
    if turned != bool(opposed) and share >= CLOSE and not (turned and _turned_by_word(a, b)):
        return Conflict("polarity", opposed)
    if turned or opposed or share < CLOSER or event:
        return None
    return _other_value(a, b, share)


def _other_value(a: Wording, b: Wording, share: float) -> Conflict | None:
    """Another quantity, number, date or entity in what are the same words else."""
    pairs = {frozenset((x, y)) for x in a.quantities - b.quantities for y in b.quantities}
    if share >= 0.8 and not pairs.isdisjoint(_OPPOSED):
        return Conflict("quantity", tuple(sorted(a.quantities ^ b.quantities)))
    mine, theirs = _compared_numbers(a, b)
    if mine - theirs and theirs - mine and not _other_times(a, b):
        return Conflict("number", tuple(sorted(_told(each, a, b) for each in mine ^ theirs)))
    if mine != theirs:
        return _other_entity(a, b)
    if a.dates and b.dates and not any(fits(x, y) or fits(y, x) for x in a.dates for y in b.dates):
        return Conflict("date")
    return _other_entity(a, b)


def _compared_numbers(a: Wording, b: Wording) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers of both; where they measure in other units or as much, in the smallest unit."""
    mine, theirs = _measures(a), _measures(b)
    kinds = [
        kind for kind in mine.keys() & theirs.keys()
        if {unit for _, _, unit in mine[kind]} != {unit for _, _, unit in theirs[kind]}
        or {value for _, value, _ in mine[kind]} == {value for _, value, _ in theirs[kind]}
    ]  # fmt: skip
    numbers = [a.numbers, b.numbers]
    for at, measures in enumerate((mine, theirs)):
        for kind in kinds:
            numbers[at] -= {number for number, _, _ in measures[kind]}
            numbers[at] |= {value for _, value, _ in measures[kind]}
    return numbers[0], numbers[1]


def _told(value: str, *statements: Wording) -> str:
    """A compared number as it was said: "90 minutes", not so many thousandths of a second."""
    for said in statements:
        for measures in _measures(said).values():
            for number, each, unit in measures:
                if each == value:
                    return f"{number} {unit}"
    return value


def _measures(said: Wording) -> dict[str, list[tuple[str, str, str]]]:
    """Numbers with a unit behind them, by kind: the number, its value, the unit."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for word, after in pairwise(said.words) if said.numbers else ():
        unit = after.text.casefold()
        kind, factor = UNITS.get(unit, ("", 0.0))
        if kind and word.stem in said.numbers and _DECIMAL.fullmatch(word.stem):
            value = f"{round(float(word.stem) * factor, 3)} {kind}"
            found.setdefault(kind, []).append((word.stem, value, unit))
    return found


def _other_numbered(a: Wording, b: Wording) -> bool:
    """Whether the subjects of two statements are numbered otherwise: "Chapter 3", "Chapter 4"."""
    mine, theirs = subject_number(a), subject_number(b)
    return bool(mine and theirs) and mine != theirs


def subject_number(said: Wording) -> str:
    """The number behind the first telling word, if the statement says something of it."""
    words = said.words
    at = 1 if words and words[0].text.casefold() in FUNCTION else 0
    if at + 2 >= len(words) or words[at + 1].stem not in said.numbers:
        return ""
    head, number, rest = words[at], words[at + 1].stem, words[at + 2 :]
    telling = [word for word in rest if word.stem in said.content and word.stem not in said.numbers]
    if head.stem not in said.content or len(telling) < 2 or rest[0].text.casefold() in UNITS:
        return ""  # "Timeout 30 seconds": the number is what is said
    return number


def _other_times(a: Wording, b: Wording) -> bool:
    """Whether two statements with other numbers are of other times: then both may hold."""
    mine, theirs = _calendar(a), _calendar(b)
    if mine and theirs and mine.isdisjoint(theirs):
        return True
    mine, theirs = _years(a), _years(b)
    if a.numbers - mine == b.numbers - theirs:
        return False  # it is only the year that differs
    if mine and theirs:
        return mine.isdisjoint(theirs)
    return bool(a.dates and b.dates) and a.dates.isdisjoint(b.dates)


def _years(said: Wording) -> frozenset[str]:
    return frozenset(n for n in said.numbers if len(n) == 4 and n[:2] in ("19", "20"))


def _calendar(said: Wording) -> frozenset[str]:
    """The months and days of the week that a statement names; "may" is none."""
    return frozenset(w.stem for w in said.words if w.named and w.text.casefold() in CALENDAR)


def _telling(said: Wording) -> frozenset[str]:
    return frozenset(said.content) - said.numbers - TURNING


def turns(said: Wording) -> bool:
    """Whether a statement is turned round; "neither ... nor" does it once."""
    words = {word.text.casefold() for word in said.words}
    return (said.negations - (words >= {"neither", "nor"})) % 2 == 1


def _own(words: Iterable[str], others: Iterable[str]) -> set[str]:
    """Those that say something else: no other form of a word of the others, and not "possible"."""
    return {
        word
        for word in words
        if word not in _VAGUE
        and not any(
            min(len(word), len(other)) > 2 and (other.startswith(word) or word.startswith(other))
            for other in others
        )
    }


@lru_cache(maxsize=1)
def _opposites() -> dict[str, frozenset[str]]:
    """The opposites of a word by its stem."""
    found: dict[str, frozenset[str]] = {}
    for word, opposites in OPPOSITES.items():
        found[stem(word)] = found.get(stem(word), frozenset()) | opposites
    return found


def _opposed(a: Wording, b: Wording) -> tuple[str, ...]:
    """A word of one and its opposite in the other, as stems; () when there is no such pair."""
    mine = {word.text.casefold(): word.stem for word in a.words}
    theirs = {word.text.casefold(): word.stem for word in b.words}
    stems = set(theirs.values())
    for word, stemmed in mine.items():
        if stemmed in stems:
            continue
        for opposite in OPPOSITES.get(word, ()) or _opposites().get(stemmed, ()):
            turned = stem(opposite)
            if (opposite in theirs or turned in stems) and turned not in mine.values():
                return (stemmed, turned)
    return _prefixed(mine, theirs) or _prefixed(theirs, mine)


def _tells(said: Wording, particle: str) -> bool:
    """Whether a particle says how something is ("is off"), or bounds a number ("under 30")."""
    words = said.words
    for at, word in enumerate(words):
        if word.stem != particle:
            continue
        if at + 1 == len(words):
            return at > 0 and words[at - 1].text.casefold() in _STATES
        if particle in _BOUNDS and words[at + 1].stem in said.numbers:
            return True
    return False


def _prefixed(plain: dict[str, str], other: dict[str, str]) -> tuple[str, ...]:
    """A word of one and the same with "un-" or the like in the other, as stems."""
    for word, stemmed in other.items():
        for head in ("un", "in", "im", "ir", "dis", "non"):
            bare = word.removeprefix(head)
            if bare != word and len(bare) > 3 and bare in plain and word not in plain:
                return (plain[bare], stemmed)
    return ()


def _turned_by_word(a: Wording, b: Wording) -> bool:
    """Whether the one without "not" says the same with another word: "lacks", "is unavailable"."""
    plain = b if turns(a) else a
    other = b if plain is a else a
    mine = {word.stem for word in plain.words if word.text.casefold() in TURNING}
    return bool(mine - {word.stem for word in other.words})


def _other_entity(a: Wording, b: Wording) -> Conflict | None:
    """Another word in the same slot of a sentence that has one: "lives in", "the default is"."""
    words = [w.text.casefold() for w in a.words]
    if not _FUNCTIONAL & set(words) or not _FUNCTIONAL & {w.text.casefold() for w in b.words}:
        return None
    one, two = _slots(a), _slots(b)
    head = 0
    while head < min(len(one), len(two)) and one[head] == two[head]:
        head += 1
    tail = 0
    while tail < min(len(one), len(two)) - head and one[-1 - tail] == two[-1 - tail]:
        tail += 1
    mine, theirs = one[head : len(one) - tail], two[head : len(two) - tail]
    # What differs is one thing at the end, behind a verb that takes one thing.
    if not mine or not theirs or len(mine) > 3 or len(theirs) > 3 or tail > 1 or head < 2:
        return None
    if not _FUNCTIONAL & {w.text.casefold() for w in a.words if w.stem in set(one[:head])}:
        return None
    names = {w.stem for w in (*a.words, *b.words) if w.named}
    if not (set(mine) & names and set(theirs) & names):
        return None
    return Conflict("entity", (mine[0], theirs[0]))


def _slots(said: Wording) -> list[str]:
    return [
        word.stem
        for word in said.words
        if word.text.casefold() not in FUNCTION or word.text.casefold() in _FUNCTIONAL
    ]


def takes_one(said: Wording) -> bool:
    """Whether a statement has a word that takes one thing: "is", "lives", "owns"."""
    return any(word.text.casefold() in _FUNCTIONAL for word in said.words)


def says_change(text: str) -> bool:
    """Whether a text says that something is other than it was: "now", "instead", "no longer"."""
    return any(word.text.casefold() in CHANGES for word in wording(text).words)


def is_newer(said: str, than: str) -> bool:
    """Whether one ISO 8601 time is not before another; False when either is unknown."""
    one, other = span_of(said), span_of(than)
    return one is not None and other is not None and one[0] >= other[0]
