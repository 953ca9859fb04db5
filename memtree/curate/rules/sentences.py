"""A text as sentences, each with the characters where it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABBREVIATED = """
mr mrs ms dr prof st vs etc eg ie e.g i.e approx no vol fig sec jr sr inc ltd co al cf dept a.m
p.m u.s bzw usw z.b ca jan feb mar apr jun jul aug sep sept oct nov dec
"""
_SHORT = frozenset(_ABBREVIATED.split())
_END = re.compile(
    r"[.!?\u2026]+[\"'\u201d\u2019)\]]*(?=\s|$)"
    r"|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d]?|\n[ \t]*\n"
)
_NOTE = re.compile(r"\[[a-z][a-z ]{2,30}: [^\[\]\n]{2,300}\]")
"""What a program notes about a message: `[shared image: a photo of a cat]`."""
LONGEST = 600
"""Characters: what has no end by then is cut between words."""


class Sentence(NamedTuple):
    """The characters from `start` to `end` of a text; `note`: a program's, in brackets."""

    start: int
    end: int
    words: str
    note: bool = False


def sentences(text: str, at: int = 0) -> list[Sentence]:
    """Return the sentences of a text in order; notes in brackets stand by themselves.

    `at`: the characters before it belong to none.
    """
    found: list[Sentence] = []
    if "[" in text:
        for note in _NOTE.finditer(text, at):
            found += _plain(text, at, note.start())
            found.append(Sentence(note.start(), note.end(), note[0], note=True))
            at = note.end()
    found += _plain(text, at, len(text))
    return found


def _plain(text: str, start: int, end: int) -> Iterator[Sentence]:
    at = start
    for match in _END.finditer(text, start, end):
        if match.end() < end and not _ends(text, at, match):
            continue
        yield from _cut(text, at, match.end())
        at = match.end()
    yield from _cut(text, at, end)


def _ends(text: str, at: int, match: re.Match[str]) -> bool:
    """Whether a full stop here ends a sentence: not behind `Dr.`, `e.g.`, `3.` or an initial."""
    if match[0][0] != ".":
        return True
    word = text[max(at, match.start() - 12) : match.start()].rpartition(" ")[2].lstrip("(\"'")
    if word.casefold() in _SHORT or (len(word) == 1 and word.isupper() and word != "I"):
        return False
    after = text[match.end() : match.end() + 3].lstrip()
    return not (after[:1].islower() or (word.isdigit() and match.start() - len(word) <= at + 1))


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    while start < end:
        while start < end and text[start].isspace():
            start += 1
        stop = end
        if end - start > LONGEST:
            space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            stop = space if space > 0 else start + LONGEST
        last = stop
        while last > start and text[last - 1].isspace():
            last -= 1
        if last > start:
            yield Sentence(start, last, " ".join(text[start:last].split()))
        start = stop
