"""Headings that are questions, and what stands below them: pairs that a person wrote already.

    ## How do I reset the router?

    Hold the button for ten seconds.

The answer is the first paragraph, list or piece of code below. Nothing is made up: a heading
without a question mark, or with nothing below it, gives no pair.
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
_NUMBER = re.compile(r"^[ \t]*(\d{1,9}[.)])[ \t]+")
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
    """The first passage from a line on, and its lines; "" before the next heading.

    A paragraph; of a list all items, since half of the steps is no answer; with "Do this:" what
    comes behind it. What is too long ends in "…".
    """
    first = place = _passed(lines, start, fences=True)
    said, last = "", first
    while place < len(lines):
        text, end = _block(lines, place)
        item = bool(_ITEM.match(lines[place]))
        if not text or (said and not item and not said.endswith(":")):
            break
        joined = _joined(said, text, lines[place])
        if len(joined) > LONGEST_ANSWER - 2:
            return (f"{said} …" if said else ""), first, last
        said, last = joined, end - 1
        if not item and not said.endswith(":"):
            break
        place = _passed(lines, end, fences=said.endswith(":"))
    return said, first, last


def _passed(lines: list[str], place: int, *, fences: bool) -> int:
    """The next line that says something."""
    while place < len(lines) and (
        not lines[place].strip() or (fences and _FENCE.match(lines[place]))
    ):
        place += 1
    return place


def _block(lines: list[str], first: int) -> tuple[str, int]:
    """The paragraph or item that begins at a line, and the line behind it; "" for none."""
    place = first
    while place < len(lines) and lines[place].strip() and not _FENCE.match(lines[place]):
        if _ANY_HEADING.match(lines[place]) or (place > first and _ITEM.match(lines[place])):
            break
        place += 1
    text = " ".join(lines[first:place])
    return clean(shown(_ITEM.sub("", text)), 4 * LONGEST_ANSWER), place


def _joined(said: str, text: str, line: str) -> str:
    """What was said with one more item; a numbered one keeps its number, to tell the steps."""
    number = _NUMBER.match(line)
    one = f"{number[1]} {text}" if number is not None else text
    if not said:
        return one
    ends = said.endswith((".", "!", "?", ":", ";", ",", "。")) or line.lstrip().startswith(">")
    return f"{said} {one}" if ends or number is not None else f"{said}; {one}"
