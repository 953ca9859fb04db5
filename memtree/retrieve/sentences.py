"""A passage in the pieces that can be quoted: sentences, list items, table rows, lines of code.

A piece is a run of characters of the passage, never a joined or cleaned one, so that a quote is
exactly what stands in the file. Marks that only say what a line is (bullets, quote marks, block
ids) stay outside. Hot: string searches only.
"""

from __future__ import annotations

from memtree.retrieve.snippet import unmarked

# A longer piece is cut where it breathes; an item up to `ITEM` is one fact.
LONG = 320
ITEM = 220
# Before its dot a sentence goes on.
_SHORT = (
    " mr mrs ms dr prof st sr jr vs etc eg ie e.g i.e fig no inc ltd co al approx ca dept mt jan"
    " feb mar apr jun jul aug sep sept oct nov dec u.s u.k a.m p.m "
)
_ENDS = ".!?"
_DENSE_ENDS = "。！？"  # noqa: RUF001  (the marks of scripts without spaces)
_CLOSING = "\"')]*_”’»」』）"  # noqa: RUF001  (what may follow the mark and belongs to it)
_BREATHS = ("; ", ", ", "；", "，", "、", "\n", " ")  # noqa: RUF001  (the same)
_BULLETS = ("- ", "* ", "+ ")
_NAME = 32  # characters of a name before a colon


class Piece:
    """A run of `text[start:end]`, and what says what it is about.

    `line` counts from 0 in the passage, `last` is the line of its last character. `about` is the
    heading, the head of the table or the speaker it stands under. `kind` is `text`, `item`, `row`
    or `code`.
    """

    __slots__ = ("about", "end", "kind", "last", "line", "start")

    def __init__(
        self, start: int, end: int, *, line: int, last: int, kind: str, about: str
    ) -> None:
        self.start = start
        self.end = end
        self.line = line
        self.last = last
        self.kind = kind
        self.about = about


def pieces(text: str) -> list[Piece]:
    """Every piece of a passage, in order; a heading is no piece but what others are about."""
    return _Reader(text).pieces()


class _Reader:
    """One pass over the lines of a passage."""

    __slots__ = ("fence", "found", "head", "heading", "kind", "start", "text", "who")

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Piece] = []
        self.fence = ""
        self.heading = ""
        self.head = ""  # of a table
        self.who = ""
        self.kind = "text"
        self.start = -1  # of the block that is open

    def pieces(self) -> list[Piece]:
        at = 0
        text = self.text
        for line in text.split("\n"):
            self._line(line, at)
            at += len(line) + 1
        self._close(len(text))
        self._number()
        return self.found

    def _line(self, line: str, at: int) -> None:
        bare = line.strip(" \t\ufeff")
        mark = bare[:3]
        if self.fence:
            if mark == self.fence:
                self.fence = ""
            elif bare:
                self._add(at, at + len(line), "code")
        elif mark in ("```", "~~~"):
            self._close(at)
            self.fence = mark
        elif not bare or bare.startswith("<!--"):
            self._close(at)
            self.head = self.who = ""
        elif bare[0] == "#" and bare.lstrip("#")[:1] in ("", " "):
            self._close(at)
            self.heading = bare.strip("# ")
            self.head = self.who = ""
        elif not bare.strip("=-*_ "):
            self._underline(bare, at)
        elif bare[0] == "|":
            self._row(line, bare, at)
        else:
            self._prose(line, bare, at)

    def _underline(self, bare: str, at: int) -> None:
        """A rule, or the line that makes a heading of the one above it."""
        above = self.text[self.start : at].strip() if self.start >= 0 else ""
        if above and "\n" not in above and bare[0] in "=-" and self.kind == "text":
            self.heading = above
            self.start = -1
        self._close(at)

    def _row(self, line: str, bare: str, at: int) -> None:
        self._close(at)
        if not bare.strip("|:- "):
            # What stands above the rule of a table names its columns.
            if self.found and self.found[-1].kind == "row":
                head = self.found.pop()
                self.head = self.text[head.start : head.end]
            return
        self._add(at, at + len(line), "row")

    def _prose(self, line: str, bare: str, at: int) -> None:
        begin = at + len(line) - len(line.lstrip())
        skip = _marker(bare)
        if skip:
            self._close(at)
            self.kind = "item"
            self.who = ""
            self.start = begin + skip
            return
        name = _name(bare)
        if name:
            self._close(at)
            self.who = name
        if self.start < 0:
            self.kind = "text"
            self.start = begin

    def _close(self, end: int) -> None:
        """End the block that is open, and take its sentences."""
        start, self.start = self.start, -1
        if start < 0:
            return
        if self.kind == "item" and end - start <= ITEM:
            self._add(start, end, "item")
            return
        for stop in _stops(self.text, start, end):
            self._add(start, stop, self.kind)
            start = stop

    def _add(self, start: int, end: int, kind: str) -> None:
        text = self.text
        while start < end and (text[start].isspace() or text[start] in ">\ufeff"):
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if kind in ("item", "text"):
            end = unmarked(text, start, end)
        while end - start > LONG:
            cut = _breath(text, start)
            self._keep(start, cut, kind)
            start = cut
            while start < end and text[start].isspace():
                start += 1
        self._keep(start, end, kind)

    def _keep(self, start: int, end: int, kind: str) -> None:
        while end > start and self.text[end - 1].isspace():
            end -= 1
        if any(letter.isalnum() for letter in self.text[start:end]):
            about = " ".join(part for part in (self.heading, self.head, self.who) if part)
            self.found.append(Piece(start, end, line=0, last=0, kind=kind, about=about))

    def _number(self) -> None:
        """Lines, counted once along the text."""
        line = at = 0
        for piece in self.found:
            line += self.text.count("\n", at, piece.start)
            at = piece.start
            piece.line = line
            piece.last = line + self.text.count("\n", at, piece.end)


def _marker(bare: str) -> int:
    """How many characters of a line only say that it is an item of a list, boxes included."""
    if bare[:2] in _BULLETS:
        skip = 2
    else:
        digits = len(bare) - len(bare.lstrip("0123456789"))
        if not 0 < digits < 4 or bare[digits : digits + 2] not in (". ", ") "):
            return 0
        skip = digits + 2
    if bare[skip : skip + 4].lower() in ("[ ] ", "[x] "):
        skip += 4
    return skip


def _name(bare: str) -> str:
    """What a line of a conversation, or a field, begins with: `Alice: ...`, `Port: 5432`."""
    at = bare.find(": ", 1, _NAME)
    if at < 0:
        return ""
    name = bare[:at].strip("*_ ")
    if name[:1].isupper() and name.count(" ") < 4 and not any(mark in name for mark in ".,;!?"):
        return name
    return ""


def _stops(text: str, start: int, end: int) -> list[int]:
    """Where the sentences of text[start:end] end, the last at `end`."""
    marks = [mark for mark in _ENDS if text.find(mark, start, end) >= 0]
    if not text.isascii():
        marks += [mark for mark in _DENSE_ENDS if text.find(mark, start, end) >= 0]
    places: list[int] = []
    for mark in marks:
        at = text.find(mark, start, end)
        while at >= 0:
            places.append(at)
            at = text.find(mark, at + 1, end)
    places.sort()
    stops: list[int] = []
    for at in places:
        stop = at + 1
        while stop < end and text[stop] in _CLOSING:
            stop += 1
        if stop >= end or _is_end(text, at, stop, start, end):
            stops.append(min(stop, end))
    if not stops or stops[-1] < end:
        stops.append(end)
    return stops


def _is_end(text: str, at: int, stop: int, start: int, end: int) -> bool:
    """Whether the mark at `at` ends a sentence; what follows begins at `stop`."""
    if text[at] in _DENSE_ENDS:
        return text[stop] not in _DENSE_ENDS
    if not text[stop].isspace():
        return False
    if text[at] != ".":
        return True
    begin = max(text.rfind(" ", start, at), text.rfind("\n", start, at), start - 1) + 1
    word = text[begin:at].strip("(\"'*_").lower()
    if len(word) <= 1 and (not word.isdigit() or begin == start):
        return False  # an initial, a number before its item
    if f" {word} " in _SHORT:
        return False
    after = text[stop : min(stop + 4, end)].lstrip()
    return not after[:1].islower()


def _breath(text: str, start: int) -> int:
    """Where to cut a piece that is too long: behind a mark or space, else anywhere."""
    for mark in _BREATHS:
        at = text.rfind(mark, start + LONG // 2, start + LONG)
        if at >= 0:
            return at + len(mark)
    return start + LONG
