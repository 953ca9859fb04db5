"""Whether an entry says a statement, and whether a statement answers a question: by their words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.claims.wording import stem, wording
from memtree.memories.tim.relations import sentences

if TYPE_CHECKING:
    from memtree.plugins import EntryView

_POLAR = frozenset(("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can"))
_MUCH = frozenset(map(stem, ("many", "much", "often", "long", "old")))
_READ = 50_000  # characters of an entry
_TIMES = (
    "january|february|april|june|july|august|september|october|november|december|"
    "(?:mon|tues|wednes|thurs|fri|satur|sun)days?|noon|midnight|"
    "mornings?|afternoons?|evenings?|weekends?|summer|autumn|winter"
)  # "yesterday" is none: a thought is read on another day
_ALSO = "may|march|spring|fall"  # times only where a word before says so
_TIME = re.compile(
    rf"(?i)\b(?:{_TIMES}|(?:in|since|until|by|last|next|early|late|this) (?:{_ALSO}))\b"
)
_PLACE = re.compile(
    r"(?i)\b(?:in|at|on|near|to|from|under|behind|inside|beside|above|below)\b"
    rf"(?! (?:the )?(?:early |late )?(?:\d|(?:{_TIMES}|{_ALSO})\b))"
)
"""A word of place; "in April" and "in 2021" are times."""


def says(entry: EntryView, statement: str) -> bool:
    """Whether a sentence of an entry, with its title, says a statement: all words, turned alike."""
    mine = wording(statement)
    title = set(wording(entry.title).content)
    for sentence in sentences(entry.body[:_READ]):
        theirs = wording(sentence)
        if set(mine.content) <= {*theirs.content, *title} \
                and mine.negations % 2 == theirs.negations % 2:  # fmt: skip
            return True
    return False


def answers(statement: str, question: str) -> bool:
    """Whether a statement out of an answer is the answer to its question.

    It has every word of the question that carries sense, and what is asked for: a place, a time,
    a number.
    """
    said, asked = wording(statement), wording(question)
    wanted, there = set(asked.content) - _MUCH, set(said.content)
    if not wanted or not wanted <= there or not asked.numbers <= said.numbers:
        return False
    if question.casefold().split()[0] in _POLAR:
        return True  # yes, or no
    folded = f" {question.casefold()} "
    timed = bool(said.dates) or (" when " in folded and _told_when(statement, question))
    if (wanted == there and not timed) or asked.negations % 2 != said.negations % 2:
        return False
    if " where " in folded and not _PLACE.search(statement):
        return False
    if " when " in folded and not (timed or said.numbers):
        return False
    return " how many " not in folded or bool(said.numbers)


def _told_when(statement: str, question: str) -> bool:
    """Whether a statement names a time that is no date ("on Monday"), and the question does not."""
    asked = question.casefold()
    return any(found.group().casefold() not in asked for found in _TIME.finditer(statement))
