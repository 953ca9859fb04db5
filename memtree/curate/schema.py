"""What a model may say about one group of lines, as a JSON schema made for this one call.

A small model succeeds when there is little to get wrong. So it points at numbered lines, and
chooses from what exists: known entries and their facts go by short handles (`e1`, `e1.2`), folders
by name, kinds by the words of `memtree.knowledge.plan`. What is free is short. Nothing in it could
remove, move or name a file: that is not in the language. Only `type`, `properties`, `required`,
`items`, `enum`, `const`, `anyOf` and bounds are used, which every grammar converter knows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.knowledge.plan import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from memtree.curate.protocol import KnownEntry
    from memtree.knowledge.source import Part, Passage

ADD, UPDATE, REPLACE, SUPERSEDE = "add", "update", "replace", "supersede"
OPERATIONS = (ADD, UPDATE, REPLACE, SUPERSEDE)
"""What a model may be asked for, in the order in which it is explained to it."""

ELSEWHERE = "new"
"""The place that is none of the folders shown."""

MAX_OPERATIONS = 12
QUOTE, TEXT, ABOUT, TITLE, FOLDER, WHEN = 240, 240, 48, 64, 48, 21
"""Most characters of each free field."""
LINE_LETTERS = 400
"""Longer lines are shown as several."""

_SENTENCE = re.compile(r"[.!?…。！？]+[\"'”’)\]]*(?=\s)|\n", re.UNICODE)  # noqa: RUF001
_ROWS = re.compile(r"\n")
_UNSHOWN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it is shown: its number in this call (from 1), and what it is a piece of.

    `text` has no line break and no invisible character; `lines` is where it stands in `source`
    (from 1).
    """

    number: int
    text: str
    passage: Passage
    source: str
    lines: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A known entry that may be spoken of, by its handle; `facts` are block ids by theirs.

    `gist` is the passage that was found of it, for entries without facts.
    """

    handle: str
    entry: KnownEntry
    facts: Mapping[str, str]
    gist: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """All that one call is about: the lines, and what may be chosen."""

    lines: tuple[Line, ...]
    choices: tuple[Choice, ...] = ()
    folders: tuple[str, ...] = ()
    operations: tuple[str, ...] = (ADD, UPDATE, SUPERSEDE)


def numbered(parts: Iterable[Part], *, start: int = 1) -> tuple[Line, ...]:
    """Every passage of the parts as numbered lines: sentences of prose, rows of code."""
    lines: list[Line] = []
    for part in parts:
        for passage in part.passages:
            for begin, end in _spans(passage):
                shown = one_line(passage.text[begin:end])
                if shown:
                    lines.append(
                        Line(
                            number=start + len(lines),
                            text=shown,
                            passage=passage,
                            source=part.source.name,
                            lines=rows_of(passage, begin, end),
                        )
                    )
    return tuple(lines)


def rows_of(passage: Passage, begin: int, end: int) -> tuple[int, int]:
    """The lines of the source on which the characters from `begin` to `end` stand."""
    first, last = passage.lines
    if passage.text.count("\n") != last - first:  # a message that was one line of a JSON file
        return passage.lines
    begin += len(passage.text[begin:end]) - len(passage.text[begin:end].lstrip())
    top = first + passage.text.count("\n", 0, begin)
    return (top, top + passage.text[begin:end].rstrip().count("\n"))


def one_line(text: str) -> str:
    """Without line breaks and without characters that can't be seen or that reorder others."""
    return " ".join(_UNSHOWN.sub(" ", text).split())


def _spans(passage: Passage) -> Iterator[tuple[int, int]]:
    """Where its lines begin and end; the wrapped lines of a paragraph are taken together."""
    text = passage.text
    rows = passage.kind in ("code", "commit")
    cut = _ROWS if rows else _SENTENCE
    begin = 0
    for match in cut.finditer(text):
        if match.group() == "\n" and not rows and not _ends_here(text, match.start(), passage):
            continue
        yield from _short(text, begin, match.end())
        begin = match.end()
    yield from _short(text, begin, len(text))


def _ends_here(text: str, at: int, passage: Passage) -> bool:
    """Whether a line break is more than a wrapped line: in messages, and before blank or marks."""
    following = text[at + 1 : at + 3].lstrip(" \t")
    return passage.kind == "message" or not following or following[0] in "\n-*+|>#"


def _short(text: str, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The span itself, or pieces of it of at most LINE_LETTERS characters, cut between words."""
    while end - begin > LINE_LETTERS:
        cut = text.rfind(" ", begin + LINE_LETTERS // 2, begin + LINE_LETTERS)
        cut = begin + LINE_LETTERS if cut < 0 else cut
        yield begin, cut
        begin = cut
    yield begin, end


def answer_schema(menu: Menu) -> dict[str, object]:
    """The schema of the answer: `{"operations": [...]}`, one statement to an operation."""
    kinds = [
        _operation(menu, do, target)
        for do, targets in (
            (ADD, _places(menu)),
            (UPDATE, _entries(menu)),
            (REPLACE, _facts(menu)),
            (SUPERSEDE, _facts(menu)),
        )
        if do in menu.operations
        for target in targets
    ]
    if not kinds or not menu.lines:
        return _object({"operations": {"type": "array", "items": _string(1), "maxItems": 0}})
    items: dict[str, object] = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    most = min(MAX_OPERATIONS, 2 * len(menu.lines))
    return _object({"operations": {"type": "array", "items": items, "maxItems": most}})


Targets = list[dict[str, object]]


def _operation(menu: Menu, do: str, target: Mapping[str, object]) -> dict[str, object]:
    """One operation: where it stands, what it does, what it says. It points before it speaks."""
    first, last = menu.lines[0].number, menu.lines[-1].number
    return _object(
        {
            "line": {"type": "integer", "minimum": first, "maximum": last},
            "quote": _string(QUOTE, 3),
            "do": {"const": do},
            **target,
            "kind": {"enum": list(KINDS)},
            "about": _string(ABOUT),
            "text": _string(TEXT, 3),
        },
        optional={"when": _string(WHEN)},
    )


def _places(menu: Menu) -> Targets:
    title = {"title": _string(TITLE, 1)}
    new: Targets = [{"place": {"const": ELSEWHERE}, "folder": _string(FOLDER, 1), **title}]
    if menu.folders:
        new.insert(0, {"place": {"enum": list(menu.folders)}, **title})
    return new


def _entries(menu: Menu) -> Targets:
    handles = [choice.handle for choice in menu.choices]
    return [{"entry": {"enum": handles}}] if handles else []


def _facts(menu: Menu) -> Targets:
    handles = [handle for choice in menu.choices for handle in choice.facts]
    return [{"fact": {"enum": handles}}] if handles else []


def _string(most: int, least: int = 0) -> dict[str, object]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _object(
    required: Mapping[str, object], *, optional: Mapping[str, object] | None = None
) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def pick_folders(paths: Sequence[str], near: Sequence[str], *, most: int = 12) -> tuple[str, ...]:
    """Folders that new entries may go to: those of the entries nearby, then the fullest others.

    Two or three deep, as new entries are written (`domain/topic`, `domain/topic/subtopic`).
    """
    found: dict[str, int] = {}
    for path in paths:
        folder = path.rpartition("/")[0]
        if folder.count("/") in (1, 2) and not folder.startswith(("_", ".")):
            found[folder] = found.get(folder, 0) + 1
    nearby = dict.fromkeys(path.rpartition("/")[0] for path in near)
    chosen = [folder for folder in nearby if folder in found]
    rest = sorted(found.keys() - set(chosen), key=lambda folder: (-found[folder], folder))
    return tuple(folder for folder in chosen + rest if _plain(folder))[:most]


def _plain(folder: str) -> bool:
    """A name that a person chose may hold anything; what would break a line is not shown."""
    return len(folder) <= 120 and one_line(folder) == folder and folder != ELSEWHERE
