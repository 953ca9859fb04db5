"""How a body is cut for the index, so that a long entry is found by one paragraph.

A passage is a run of whole lines: one section or several short ones under the heading path of the
first. A section that is too long is cut between paragraphs, a paragraph between lines, a line
between words. Every line that is not empty lies in a passage, and a passage's text is exactly its
lines.
"""

from __future__ import annotations

from itertools import accumulate

Heading = tuple[int, int, str]
"""Line (from 1 in the file), level 1 to 6, text without marks."""
Passage = tuple[str, str, int, int]
"""Heading path, text, first and last line."""
Span = tuple[int, int]
"""First and last line of something that is better not cut: a code block."""

TARGET = 1500
"""Characters a passage aims at: a screenful, some 250 words."""
SLACK = 300
"""What a section may have over the target and still stay whole."""
MAXIMUM = 4000
"""No passage is longer: what an embedding model reads ends about here."""
SEPARATOR = " > "


def cut(
    body: str, lines: list[str], first_line: int, headings: list[Heading], solid: list[Span]
) -> list[Passage]:
    """Return the passages of a body whose `lines` begin at line `first_line` of the file."""
    if len(body) > TARGET:
        return _Cutter(body, lines, first_line, solid).sections(headings)
    inside = _trim(lines, 0, len(lines))
    if inside is None:
        return []
    first, last = inside
    # A short body is one passage under its first heading, if that stands on top or is a title.
    named = headings and (headings[0][0] <= first_line + first or headings[0][1] == 1)
    text = body if last - first + 1 == len(lines) else "\n".join(lines[first : last + 1])
    return [(headings[0][2] if named else "", text, first_line + first, first_line + last)]


def _trim(lines: list[str], begin: int, end: int) -> Span | None:
    """First and last index in [begin, end) of lines that say something, or None."""
    end -= 1
    while begin <= end and (not lines[begin] or lines[begin].isspace()):
        begin += 1
    if begin > end:
        return None
    while not lines[end] or lines[end].isspace():
        end -= 1
    return begin, end


class _Cutter:
    """The knife for one long body; all positions are indices into its lines."""

    __slots__ = ("body", "first_line", "lines", "offsets", "passages", "path", "solid")

    def __init__(self, body: str, lines: list[str], first_line: int, solid: list[Span]) -> None:
        self.body = body
        self.lines = lines
        self.offsets = [0, *accumulate([len(line) + 1 for line in lines])]
        self.first_line = first_line
        self.solid = solid
        self.path = ""
        self.passages: list[Passage] = []

    def sections(self, headings: list[Heading]) -> list[Passage]:
        """Fill passages with whole sections while they fit, and cut the sections that do not."""
        offsets = self.offsets
        first_line = self.first_line
        trail: list[tuple[int, str]] = []
        begin = at = 0
        path = ""
        for line, level, text in [*headings, (first_line + len(self.lines), 0, "")]:
            edge = line - first_line
            if begin < at and offsets[edge] - offsets[begin] > TARGET:
                self.path = path
                self.section(begin, at)
                begin = at
            if begin == at:
                path = SEPARATOR.join([name for _, name in trail])
            at = edge
            if level:
                while trail and trail[-1][0] >= level:
                    trail.pop()
                trail.append((level, text))
        self.path = path
        self.section(begin, at)
        return self.passages

    def section(self, begin: int, end: int) -> None:
        """Add the lines [begin, end) as one passage, or as several when they are too long."""
        inside = _trim(self.lines, begin, end)
        if inside is None:
            return
        begin, end = inside[0], inside[1] + 1
        offsets = self.offsets
        if offsets[end] - offsets[begin] <= TARGET + SLACK:
            self.add(begin, end)
            return
        start = begin
        for low, high in self.blocks(begin, end):
            if start < low and offsets[high] - offsets[start] > TARGET:
                self.add(start, low)
                start = low
            if offsets[high] - offsets[low] > MAXIMUM:
                self.shred(low, high)
                start = high
        self.add(start, end)

    def blocks(self, begin: int, end: int) -> list[Span]:
        """Return the paragraphs in [begin, end), each with the empty lines behind it."""
        lines = self.lines
        code = {low - self.first_line: high - self.first_line + 1 for low, high in self.solid}
        blocks = []
        start = at = begin
        while at < end:
            if at in code:
                at = min(code[at], end)
            elif lines[at].strip():
                at += 1
            else:
                while at < end and not lines[at].strip():
                    at += 1
                blocks.append((start, at))
                start = at
        if start < end:
            blocks.append((start, end))
        return blocks

    def shred(self, begin: int, end: int) -> None:
        """Cut a paragraph that is too long at its lines, and a line that is too long at a word."""
        offsets = self.offsets
        start = begin
        for at in range(begin, end):
            if start < at and offsets[at + 1] - offsets[start] > TARGET:
                self.add(start, at)
                start = at
            if offsets[at + 1] - offsets[at] > MAXIMUM:
                number = self.first_line + at
                self.passages += [
                    (self.path, piece, number, number) for piece in _words(self.lines[at])
                ]
                start = at + 1
        self.add(start, end)

    def add(self, begin: int, end: int) -> None:
        """Add [begin, end), known to be short enough, without the empty lines around it."""
        inside = _trim(self.lines, begin, end)
        if inside is not None:
            first, last = inside
            text = self.body[self.offsets[first] : self.offsets[last + 1] - 1]
            self.passages.append((self.path, text, self.first_line + first, self.first_line + last))


def _words(line: str) -> list[str]:
    """Return a line in pieces of about the target's length, cut at spaces where there are some."""
    pieces = []
    at = 0
    while at < len(line):
        end = min(at + TARGET, len(line))
        if end < len(line):
            space = line.rfind(" ", at + TARGET // 2, end)
            end = space if space > 0 else end
        piece = line[at:end].strip()
        if piece:
            pieces.append(piece)
        at = end
    return pieces
