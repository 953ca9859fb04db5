"""Whether two questions ask the same: what is asked for, of whom, and in which words.

A stored answer is given without a look at anything else, so a wrong "same" is a wrong answer, and
a missed one costs nothing: the other tiers answer. Two questions are the same when they ask for the
same kind of thing (a person, a place, a year, yes or no), when names, numbers, dates, negation and
quantities are equal, when nobody swapped who did it with whom it was done to, and when nearly all
words that carry sense are there on both sides, as the same word, another form of it, a synonym of
`memtree.memories.qa_keys.synonyms`, or (what no entry knows) a slip of the pen.

Vectors of words or sentences are not asked: "her brother" and "her sister" are neighbours there.
Measured on the pairs of `memtree.memories.qa_keys.paraphrases` with the embedder that is built in:
the rewordings that these rules miss have cosines of 0.68 to 0.95, other questions that no kind,
number or role sets apart up to 0.97 ("before the exam", "after the exam"), so no threshold would
help that does not give wrong answers.
English is known; a question in another language is the same as one in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.qa_keys.asking import AGENT, PATIENT, SPECIFIC
from memtree.memories.qa_keys.synonyms import SENSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.memories.qa_keys.asking import Asked

    Weigh = Callable[[str], float]
    """What a stem weighs."""

SURE = 0.95
"""The least share of sense, by weight, that two questions have in common to be the same.

Measured on the development questions of LoCoMo and LiHua: see the plugin's acceptance check.
"""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of their sense two questions share, 0 to 1; `why` they can't be the same, or ""."""

    share: float
    why: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether the answer to one answers the other."""
        return not self.why and self.share >= SURE


def compared(  # noqa: PLR0911  (one for each reason)
    asked: Asked, stored: Asked, weigh: Weigh, slip: Weigh | None = None
) -> Likeness:
    """How like two questions are, and why they can't be the same.

    `slip` gives more than 0 for a stem of `asked` that the tree has never seen: it may be a slip of
    the pen for a word of `stored`.
    """
    if asked.plain == stored.plain:
        return Likeness(1.0)
    why = _different(asked, stored)
    if why:
        return Likeness(0.0, why)
    mine, theirs = _alone(asked.stems, stored.stems)
    for one in list(mine):
        other = next((each for each in theirs if same_sense(one, each)), None)
        if other is None and slip is not None and slip(one) > 0:
            word = asked.forms.get(one, one)
            slips = (each for each in theirs if is_slip(word, stored.forms.get(each, each)))
            other = next(slips, None)
        if other is not None:
            mine.remove(one)
            theirs.remove(other)
    names = {*asked.said.names, *asked.said.numbers}, {*stored.said.names, *stored.said.numbers}
    odd = (names[0] & set(mine)) | (names[1] & set(theirs))
    if odd:
        return Likeness(0.0, f"only one names {min(odd)!r}")
    if mine and theirs:
        return Likeness(0.0, f"{mine[0]!r} is not {theirs[0]!r}")
    if "=do" in (*mine, *theirs):
        return Likeness(0.0, "one asks what is done")
    whole = sum(weigh(each) for each in asked.stems) + sum(weigh(each) for each in stored.stems)
    alone = sum(weigh(each) for each in (*mine, *theirs))
    share = 1 - alone / whole if whole > 0 else 0.0
    common = len(asked.stems) - len(mine)
    if common < (1 if asked.kind in SPECIFIC else 2):
        return Likeness(0.0, "they share too few words")
    return Likeness(share, "" if share >= SURE else f"only one says {(mine or theirs)[0]!r}")


def _different(asked: Asked, stored: Asked) -> str:  # noqa: PLR0911  (one for each reason)
    """A reason for which two questions can't be the same, whatever their words; "" for none."""
    if not asked.kind or not stored.kind:
        return "it is no question that is understood"
    if not _same_kind(asked, stored):
        return f"one asks for a {asked.kind}, the other for a {stored.kind}"
    if asked.tense and stored.tense and asked.tense != stored.tense:
        return f"one speaks of the {asked.tense}, the other of the {stored.tense}"
    if asked.noun and stored.noun and asked.noun != stored.noun:
        return f"one asks for the {asked.noun}, the other for the {stored.noun}"
    one, other = asked.said, stored.said
    if one.negations % 2 != other.negations % 2:
        return "one is turned round"
    if one.numbers != other.numbers or one.dates != other.dates:
        return "numbers or dates differ"
    if asked.strict != stored.strict:
        return f"only one says {min(asked.strict ^ stored.strict)!r}"
    if one.quantities != other.quantities:
        return "how much or how often differs"
    if {asked.role, stored.role} == {AGENT, PATIENT}:
        return "one asks who does it, the other to whom it is done"
    return _swapped(asked, stored)


def _same_kind(asked: Asked, stored: Asked) -> bool:
    """Whether both ask for the same kind of thing; "which city is" asks for what "what is" does."""
    kinds = {asked.kind, stored.kind}
    if len(kinds) == 1 or kinds == {"name", "person"}:
        return True
    return "thing" in kinds and "name" not in kinds and asked.is_identity and stored.is_identity


def _swapped(asked: Asked, stored: Asked) -> str:
    """Whether names of both stand in another order; "and" and "or" make no order."""
    names = (asked.said.names | stored.said.names) & set(asked.stems) & set(stored.stems)
    one = [each for each in asked.stems if each in names]
    other = [each for each in stored.stems if each in names]
    if one == other or sorted(one) != sorted(other):
        return ""
    joins = all(" and " in f" {each.plain} " or " or " in f" {each.plain} "
                for each in (asked, stored))  # fmt: skip
    by = (" by " in f" {asked.plain} ") != (" by " in f" {stored.plain} ")
    return "" if joins or by else "names stand in another order"


def _alone(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """The stems that only one side has, each as often as it does."""
    left = list(theirs)
    own = []
    for each in mine:
        if each in left:
            left.remove(each)
        else:
            own.append(each)
    return own, left


def same_sense(one: str, other: str) -> bool:
    """Whether two stems may stand for each other."""
    return bool(SENSE.get(one, frozenset((one,))) & SENSE.get(other, frozenset((other,))))


def is_slip(one: str, other: str) -> bool:
    """Whether two words of five letters or more differ by one letter, or by two that swapped."""
    if min(len(one), len(other)) < 5 or abs(len(one) - len(other)) > 1 or one == other:
        return False
    if any(letter.isdigit() for letter in one + other):
        return False
    head = 0
    while head < min(len(one), len(other)) and one[head] == other[head]:
        head += 1
    rest, their = one[head:], other[head:]
    return (
        rest[1:] == their[1:] or rest[1:] == their or rest == their[1:]
        or (rest[:2] == their[:2][::-1] and rest[2:] == their[2:])
    )  # fmt: skip
