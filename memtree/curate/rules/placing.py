"""Where claims go: by subject and heading, by speaker and day, a handful to an entry.

What the tree has already comes first: an entry with the name of a section or a subject takes what
is said of it, and a document whose words stand in one folder goes there. A place depends on the
claims of its own section or session alone, so the same source finds the same places again.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from memtree.curate.rules.weight import telling_words
from memtree.knowledge.path import slug
from memtree.knowledge.source import LOG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.curate.rules.claims import Found
    from memtree.knowledge.source import Part, Passage, Source

SAID, WRITTEN = 4, 12
"""Claims of one entry, of a conversation and of a document: what is shown, what reads well."""
LETTERS = 1300
"""Characters of an entry's claims: one passage of the index."""
_UNTITLED = re.compile(
    r"[\d'\u2019]|^(?:after|since|until|because|also|next|last|much|done|doing)$"
)
_BREATH = re.compile(r"(?<=[.!?;])\s|,\s|\s[-\u2013\u2014]\s|\s\(")
TITLE = 48
"""Characters of a claim in a title."""
FEW = 3
"""Claims of a text without title or file that are placed one by one."""
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_ROLES = "user assistant human ai bot model system chatgpt claude you me tool"
ROLES = frozenset(_ROLES.split())
"""Speakers who are no people with a name."""


class Group(NamedTuple):
    """Claims that make one entry, its path without `.md`, and its title.

    What was said together bears its time, speaker and session; "" where it was not said.
    """

    path: str
    title: str
    found: list[Found]
    time: str = ""
    speaker: str = ""
    session: str = ""


def conversation_groups(part: Part, found: Sequence[Found]) -> Iterator[Group]:
    """Yield groups of what one speaker said on one day, in the order in which it was said."""
    names = frozenset(p.speaker.casefold() for p in part.passages if p.speaker)

    def scene(each: Found) -> tuple[str, str, str]:
        passage = part.passages[each.at]
        return passage.time[:10], passage.session, passage.speaker

    def place(each: Found) -> tuple[tuple[str, str, str], int, tuple[int, int], int]:
        passage = part.passages[each.at]
        return scene(each), passage.turn, passage.lines, each.at

    for (day, session, speaker), row in groupby(sorted(found, key=place), key=scene):
        for number, chunk in enumerate(_chunks(list(row), SAID), 1):
            topic = _topic(chunk, names)
            who = speaker if speaker and speaker.casefold() not in ROLES else ""
            folder = f"people/{slug(who)}" if who else f"conversations/{_name(part.source)}"
            date = day or (slug(session, limit=30) if session else "")
            stem = "-".join(piece for piece in (date, *topic) if piece) or f"part-{number}"
            shown = ", ".join(piece for piece in (who or speaker, spoken(day)) if piece)
            words = _opening(chunk)
            title = f"{shown}: {words}" if shown and words else shown or words
            time = part.passages[chunk[0].at].time
            yield Group(
                f"{folder}/{slug(stem)}",
                title or _title(part.source),
                chunk,
                time,
                speaker,
                session,
            )


def document_groups(part: Part, found: Sequence[Found]) -> Iterator[Group]:
    """Yield groups of what stands under one heading; small sections join the one above them."""
    source = part.source
    sections: dict[tuple[str, ...], list[Found]] = {}
    for each in found:
        passage = part.passages[each.at]
        trail = _trail(passage, source)
        sections.setdefault(trail, []).append(each)
    for trail, rows in _joined(sections).items():
        name = trail[-1] if trail else _title(source)
        if _nameless(source) and not trail and len(found) <= FEW:
            yield from _by_subject(rows)
            continue
        chunks = list(_chunks(rows, WRITTEN))
        for number, chunk in enumerate(chunks, 1):
            stem, title = name, name
            if len(chunks) > 1:
                topic = _topic(chunk, frozenset(telling_words(name)))
                stem = " ".join([name, *topic])
                title = f"{name}: {_opening(chunk)}"
            if number > 1 and stem == name:
                stem = f"{name} {part.number}-{number}"
            yield Group("/".join([*_folders(source, trail), slug(stem)]), title, chunk)


def _by_subject(rows: Sequence[Found]) -> Iterator[Group]:
    """Yield groups of a few words without title or file: each goes to what it is about."""
    subjects: dict[str, list[Found]] = {}
    for each in rows:
        subjects.setdefault(each.claim.subject, []).append(each)
    for subject, own in subjects.items():
        title = subject[:1].upper() + subject[1:] if subject else _opening(own)
        stem = subject or " ".join(_topic(own, frozenset())) or title
        yield Group(f"notes/topics/{slug(stem)}", title, own)


def _nameless(source: Source) -> bool:
    return not (source.title or source.path)


def _trail(passage: Passage, source: Source) -> tuple[str, ...]:
    """The headings over a passage, without the document's own title."""
    if passage.kind == "commit":
        return (spoken(passage.time[:7]) or "Changes",)
    trail = tuple(piece for piece in passage.heading.split(" > ") if piece)
    return trail[1:] if trail and trail[0] == source.title else trail


def _joined(sections: dict[tuple[str, ...], list[Found]]) -> dict[tuple[str, ...], list[Found]]:
    """Sections with one claim go to the section above them."""
    out: dict[tuple[str, ...], list[Found]] = {}
    for trail, rows in sections.items():
        to = trail
        while len(to) > 1 and len(rows) < 2 and len(sections) > 1:
            to = to[:-1]
            if to in sections or to in out:
                break
        out.setdefault(to, []).extend(rows)
    return {trail: sorted(rows, key=lambda each: each.at) for trail, rows in out.items()}


def _folders(source: Source, trail: tuple[str, ...]) -> list[str]:
    """Domain and topic, and a subtopic for a section of a section."""
    above = (
        os.path.basename(os.path.dirname(source.name))
        if not source.path.startswith(source.name) or not os.path.isabs(source.name)
        else ""
    )
    domain = slug(above) if above not in ("", ".", "..") else "notes"
    folders = [domain, _name(source)]
    if len(trail) > 1:
        folders.append(slug(trail[0]))
    return folders


def _name(source: Source) -> str:
    return slug(_title(source))


def _title(source: Source) -> str:
    if source.title:
        return source.title
    if source.kind == LOG:
        return "Changes"
    name = source.name.partition("#")[0]
    if name in ("-", "text", ""):
        return "Notes"
    return os.path.splitext(os.path.basename(name))[0].replace("_", " ").replace("-", " ")


def _chunks(rows: Sequence[Found], most: int) -> Iterator[list[Found]]:
    """Yield runs of about equal length, none longer than an entry should be."""
    letters = sum(len(each.claim.text) for each in rows)
    number = max(-(-len(rows) // most), -(-letters // LETTERS))
    size = -(-len(rows) // max(number, 1))
    for at in range(0, len(rows), max(size, 1)):
        yield list(rows[at : at + size])


def _topic(rows: Sequence[Found], without: frozenset[str], most: int = 3) -> list[str]:
    """The words that tell most about some claims: the frequent ones first."""
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for each in sorted(rows, key=lambda one: (-one.weight, one.at)):
        text = each.claim.text.removeprefix(f"{each.claim.speaker}: ")
        for word in dict.fromkeys(telling_words(text)):
            if word not in without and len(word) > 3 and not _UNTITLED.search(word):
                counts[word] += 1
                first.setdefault(word, len(first))
    return sorted(counts, key=lambda word: (-counts[word], first[word]))[:most]


def _opening(rows: Sequence[Found]) -> str:
    """The first words of the claim that tells most, up to where it breathes."""
    best = max(rows, key=lambda one: (one.weight, -one.at))
    text = best.claim.text.removeprefix(f"{best.claim.speaker}: ")
    text = _BREATH.split(text, maxsplit=1)[0].strip(" .!?\"'")
    if len(text) <= TITLE:
        return text
    cut = text.rfind(" ", TITLE // 2, TITLE)
    return (text[:cut] if cut > 0 else text[:TITLE]).rstrip(" ,;:-") + "…"


def spoken(day: str) -> str:
    """A day or month as a person writes it: 8 May 2023; "" for none."""
    year, _, rest = day.partition("-")
    month, _, number = rest.partition("-")
    if not (year.isdigit() and month.isdigit() and 1 <= int(month) <= 12):
        return ""
    name = f"{_MONTHS[int(month) - 1]} {year}"
    return f"{int(number)} {name}" if number.isdigit() else name
