"""Plain text and markdown as passages: paragraphs, list items, code, with their headings.

Markdown is followed line by line, as far as passages need it: front matter and comments are left
out, a list item is a passage of its own, and a code block is one, whatever it holds. A short item
that has items below it stands in their heading trail, for that is what it is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.sources.reading import Line, Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.knowledge.source import Passage

SEPARATOR = " > "
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)(?:\[[ xX]\][ \t]+)?")
_FENCE = re.compile(r"[ \t]*(?:>[ \t]*)*(?:(`{3,})[^`]*$|(~{3,}))")
_MARKS = re.compile(r"!?\[\[(?:[^\]|]*\|)?([^\]|]*)\]\]|!?\[([^\]]*)\]\([^)]*\)|\*\*|__|`+")
_BLOCK_ID = re.compile(r"[ \t]\^[A-Za-z0-9\-]+$")
_LONGEST_HEADING = 200
_LONGEST_FRONT = 64 << 10
_LONGEST_PARENT = 80
"""Characters of a list item that may stand as a heading over the items below it."""


def text_passages(lines: Iterable[Line]) -> Iterator[Passage]:
    """Yield the paragraphs of a plain text: lines between empty ones, as they stand."""
    run = Run()
    for number, line in lines:
        if line.strip():
            if run.full:
                yield from run.flush()
            run.add(number, line)
        elif run:
            yield from run.flush()
    yield from run.flush()


def markdown_passages(lines: Iterable[Line]) -> Iterator[Passage]:
    """Yield the passages of a markdown body whose front matter is still in it."""
    reader = _Markdown(iter(lines))
    yield from reader.passages()


class _Lines:
    """Lines of which one can be given back."""

    __slots__ = ("_given", "_lines")

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._given: list[Line] = []

    def __iter__(self) -> Iterator[Line]:
        return self

    def __next__(self) -> Line:
        return self._given.pop() if self._given else next(self._lines)

    def back(self, number: int, line: str) -> None:
        """Let this line come next."""
        self._given.append((number, line))


class _Markdown:
    """The lines of a markdown file, and what is open at the present one."""

    __slots__ = ("_items", "_kind", "_lines", "_run", "_trail")

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = _Lines(_body(lines))
        self._run = Run()
        self._kind = "prose"
        self._trail: list[tuple[int, str]] = []
        self._items: list[tuple[int, str]] = []  # (indent, words) of the items around this place

    def passages(self) -> Iterator[Passage]:
        """Yield everything, in order."""
        blank = True
        for number, line in self._lines:
            bare = line.strip()
            if not bare:
                if self._kind == "prose":
                    yield from self._flush()
                elif self._run:
                    self._run.add(number, line)
                blank = True
                continue
            fence = _FENCE.match(line) if "```" in line or "~~~" in line else None
            if fence:
                yield from self._flush()
                if line[0] not in " \t":
                    self._end_list()
                yield from self._code(number, line, fence[1] or fence[2])
                blank = True
                continue
            elif bare.startswith("<!--"):
                yield from self._flush()
                self._comment(bare)
                blank = True
                continue
            elif line[:4].isspace() and line[0] in " \t" and blank and not self._items:
                yield from self._indented(number, line)
            else:
                yield from self._text(number, line, blank=blank)
            blank = False
        yield from self._flush()

    def _text(self, number: int, line: str, *, blank: bool) -> Iterator[Passage]:
        heading = _ATX.match(line)
        underline = _SETEXT.match(line) if self._run and self._kind == "prose" else None
        item = _ITEM.match(line)
        if heading:
            yield from self._flush()
            self._heading(len(heading[1]), heading[2] or "")
        elif underline and not blank and len(self._run.lines) <= 3:
            words = " ".join(text.strip() for _, text in self._run.lines)
            list(self._run.flush())
            self._heading(1 if "=" in line else 2, words)
        elif _RULE.match(line):
            yield from self._flush()
            self._end_list()
        elif item:
            yield from self._flush()
            self._item(number, line, item)
        else:
            if blank and line[0] not in " \t":
                yield from self._flush()  # the left edge ends a list
                self._end_list()
            if self._run.full:
                yield from self._flush(stay=True)
            self._run.add(number, line)

    def _item(self, number: int, line: str, item: re.Match[str]) -> None:
        indent = len(item[1].expandtabs(4))
        while self._items and self._items[-1][0] >= indent:
            self._items.pop()
        self._items.append((indent, line[item.end() :].strip()))
        self._kind = "item"
        self._run.add(number, line)

    def _flush(self, *, stay: bool = False) -> Iterator[Passage]:
        kind = self._kind
        above = self._items[:-1] if kind == "item" else []
        yield from self._run.flush(kind=kind, heading=self._path(above))
        if not stay and not self._items:
            self._kind = "prose"

    def _path(self, items: list[tuple[int, str]]) -> str:
        parents = [_plain(words) for _, words in items if len(words) <= _LONGEST_PARENT]
        words = [name for _, name in self._trail] + [name.rstrip(":") for name in parents]
        return SEPARATOR.join(word for word in words if word)

    def _heading(self, level: int, words: str) -> None:
        while self._trail and self._trail[-1][0] >= level:
            self._trail.pop()
        self._trail.append((level, _plain(words)))
        self._end_list()

    def _end_list(self) -> None:
        self._items.clear()
        self._kind = "prose"

    def _code(self, number: int, line: str, fence: str) -> Iterator[Passage]:
        heading = self._path(self._items)
        self._run.add(number, line)
        for number, line in self._lines:  # noqa: PLR1704  (the rest of the same block)
            if self._run.full:
                yield from self._run.flush(kind="code", heading=heading)
            self._run.add(number, line)
            if fence in line and not line.strip("> \t" + fence[0]):
                break
        yield from self._run.flush(kind="code", heading=heading)

    def _indented(self, number: int, line: str) -> Iterator[Passage]:
        heading = self._path([])
        yield from self._flush()
        self._run.add(number, line)
        for number, line in self._lines:  # noqa: PLR1704  (as above)
            if line.strip() and not line.startswith(("    ", "\t")):
                yield from self._run.flush(kind="code", heading=heading)
                self._lines.back(number, line)
                return
            if self._run.full:
                yield from self._run.flush(kind="code", heading=heading)
            self._run.add(number, line)
        yield from self._run.flush(kind="code", heading=heading)

    def _comment(self, bare: str) -> None:
        if "-->" in bare:
            return
        for _, line in self._lines:
            if "-->" in line:
                return


def _body(lines: Iterator[Line]) -> Iterator[Line]:
    """Yield the lines behind the front matter."""
    held: list[Line] = []
    size = 0
    for number, line in lines:
        held.append((number, line))
        size += len(line) + 1
        if number == 1 and line.rstrip() == "---" and size < _LONGEST_FRONT:
            continue
        if held[0][1].rstrip() != "---" or size > _LONGEST_FRONT:
            break
        if line.rstrip() in {"---", "..."}:
            held = [] if _is_front(held) else held
            break
    # A rule over prose is no front matter: it is text after all.
    yield from held
    yield from lines


def _is_front(held: list[Line]) -> bool:
    """Whether lines between two rules are keys and values."""
    inside = [line for _, line in held[1:-1] if line.strip() and not line.lstrip().startswith("#")]
    return not inside or bool(re.match(r"[\w\"'][^:]*:(?:\s|$)", inside[0]))


def _plain(words: str) -> str:
    text = _MARKS.sub(lambda match: match[1] or match[2] or "", words[:_LONGEST_HEADING])
    return _BLOCK_ID.sub("", text).strip()
