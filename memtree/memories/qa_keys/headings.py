"""Headings that are questions, and what stands below them: pairs that a person wrote already.

    ## How do I reset the router?

    Hold the button for ten seconds.

The answer is the first paragraph, item or code line below. Nothing is made up: a heading without a
question mark, or with nothing below it, gives no pair.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.memories.qa_keys.pairs import (
    HEADING,
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    MOST,
    Pair,
    clean,
    shown,
    words_of,
)

if TYPE_CHECKING:
    from memtree.plugins import EntryView

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_ANY_HEADING = re.compile(r"^ {0,3}#{1,6}(?:[ \t]|$)")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_ITEM = re.compile(r"^[ \t]*(?:[-*+>]|\d{1,9}[.)])[ \t]+")
_ENDINGS = "?？؟"  # noqa: RUF001  (other scripts' question marks)


def question_of(line: str) -> str:
    """The question that a heading is; "" for none."""
    found = _HEADING.match(line) if len(line) <= 2 * LONGEST_QUESTION else None
    if found is None:
        return ""
    text = clean(shown(found[2]), LONGEST_QUESTION)
    return text if text.endswith(tuple(_ENDINGS)) and len(words_of(text).split()) > 1 else ""


def pairs_of(entry: EntryView) -> list[Pair]:
    """The questions among an entry's headings, with the first passage below each."""
    if not any(mark in entry.body for mark in _ENDINGS):
        return []
    lines = entry.body.split("\n")
    found: list[Pair] = []
    fenced = False
    for number, line in enumerate(lines):
        if _FENCE.match(line):
            fenced = not fenced
        question = "" if fenced else question_of(line)
        if not question or len(found) == MOST:
            continue
        answer, first, last = _below(lines, number + 1)
        if answer:
            place = (entry.first + first, entry.first + last)
            found.append(Pair(question, answer, place, entry.digest, HEADING))
    return found


def _below(lines: list[str], start: int) -> tuple[str, int, int]:
    """The first paragraph or item from a line on, and its lines; "" before the next heading."""
    first = start
    while first < len(lines) and (not lines[first].strip() or _FENCE.match(lines[first])):
        first += 1
    taken: list[str] = []
    place = first
    while place < len(lines) and lines[place].strip() and not _FENCE.match(lines[place]):
        if _ANY_HEADING.match(lines[place]) or (taken and _ITEM.match(lines[place])):
            break
        taken.append(lines[place])
        place += 1
    text = clean(shown(_ITEM.sub("", " ".join(taken))), LONGEST_ANSWER)
    return text, first, max(first, place - 1)
