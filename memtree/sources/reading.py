"""Bytes to numbered lines, whatever the bytes are, in memory that does not grow with the source.

A line ends at a line feed, as an evidence anchor counts them; the carriage return before it is no
part of its text. What is no UTF-8, and NUL, becomes U+FFFD and is reported once per source.
"""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO

from memtree.knowledge.problem import Problem
from memtree.knowledge.source import Passage

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = 64 << 10
"""Bytes at the beginning of a source that tell what it is."""
MAX_LINE = 256 << 10
"""Bytes of a line that are read at once: a longer one comes in pieces with the same number."""
MAX_LETTERS = 8_000
"""Characters of one passage: a longer run is cut between lines, a longer line between words."""
BOM = b"\xef\xbb\xbf"
Line = tuple[int, str]
"""Number (from 1) and text without its end."""


class Troubles:
    """What could not be understood in one source: each code once, with a count."""

    __slots__ = ("_counts", "_found", "_name")

    def __init__(self, name: str) -> None:
        self._name = name
        self._found: dict[str, tuple[int, str]] = {}
        self._counts: dict[str, int] = {}

    def note(self, code: str, line: int, message: str) -> None:
        """Take note of something; only the first of its code is told in full."""
        self._found.setdefault(code, (line, message))
        self._counts[code] = self._counts.get(code, 0) + 1

    def drain(self) -> Iterator[Problem]:
        """Yield what was noted so far, and forget it."""
        found, self._found = self._found, {}
        counts, self._counts = self._counts, {}
        for code, (line, message) in found.items():
            more = counts[code] - 1
            text = f"{message} (and {more:,} more like this)" if more else message
            yield problem(self._name, line, code, text)


def problem(name: str, line: int, code: str, message: str) -> Problem:
    """Make a problem whose name can be printed and stored, whatever the file is called."""
    return Problem(path=printable(name), line=line, code=code, message=message)


def printable(name: str) -> str:
    """Return the name of a file as it can be written down, whatever its bytes are."""
    return name.encode("utf-8", "backslashreplace").decode()


class _Chain(io.RawIOBase):
    """What was read already, then the rest of the stream."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        room = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data: bytes | memoryview = self._head[: len(room)]
        if data:
            self._head = self._head[len(data) :]
        else:
            data = self._rest.read(len(room)) or b""
        room[: len(data)] = data
        return len(data)


def beginning(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Read the head of a stream; returns it, and a stream that still begins with it.

    Works for pipes, which can't be wound back.
    """
    head = b""
    while len(head) < HEAD:
        more = stream.read(HEAD - len(head))
        if not more:
            break
        head += more
    return head, io.BufferedReader(_Chain(head, stream), 1 << 16)


def numbered(stream: BinaryIO, troubles: Troubles) -> Iterator[Line]:
    """Yield the lines of a stream with their numbers; a very long one in pieces."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    lenient = codecs.getincrementaldecoder("utf-8")("replace")
    number = 1
    first = True
    while raw := stream.readline(MAX_LINE):
        if first:
            raw = raw.removeprefix(BOM)
            first = False
        ends = raw.endswith(b"\n")
        state = decoder.getstate()
        try:
            text = decoder.decode(raw, ends)
        except UnicodeDecodeError:
            lenient.setstate(state)
            text = lenient.decode(raw, final=True)
            decoder.reset()
            troubles.note("bad-utf8", number, "bytes that are no UTF-8 were read as U+FFFD")
        if "\0" in text:
            text = text.replace("\0", "\ufffd")
            troubles.note("nul", number, "NUL characters were read as U+FFFD")
        yield number, text.rstrip("\r\n") if ends else text
        number += ends
    if decoder.getstate()[0]:
        troubles.note("bad-utf8", number, "bytes that are no UTF-8 were read as U+FFFD")
        yield number, "\ufffd"


class Run:
    """Lines that belong together, until they are flushed as one passage or, if long, several."""

    __slots__ = ("_lines", "_size")

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    @property
    def full(self) -> bool:
        """Whether it should be flushed before more comes."""
        return self._size >= MAX_LETTERS

    @property
    def lines(self) -> list[Line]:
        """What is in it."""
        return self._lines

    def add(self, number: int, text: str) -> None:
        """Take one more line."""
        self._lines.append((number, text))
        self._size += len(text) + 1

    def flush(self, **facts: object) -> Iterator[Passage]:
        """Yield what is in it as passages with these fields, and empty it."""
        lines, self._lines, self._size = self._lines, [], 0
        for text, span in pieces(lines):
            yield Passage(text=text, lines=span, **facts)  # type: ignore[arg-type]


def pieces(lines: list[Line]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Divide lines into texts of at most `MAX_LETTERS`, with their first and last line.

    Empty lines at both ends of a text are left out.
    """
    begin = size = 0
    for at, (number, line) in enumerate(lines):
        if len(line) > MAX_LETTERS:
            yield from _whole(lines[begin:at])
            yield from ((piece, (number, number)) for piece in _words(line))
            begin, size = at + 1, 0
        elif size + len(line) > MAX_LETTERS:
            yield from _whole(lines[begin:at])
            begin, size = at, len(line) + 1
        else:
            size += len(line) + 1
    yield from _whole(lines[begin:])


def _whole(lines: list[Line]) -> Iterator[tuple[str, tuple[int, int]]]:
    first, end = 0, len(lines)
    while first < end and not lines[first][1].strip():
        first += 1
    while end > first and not lines[end - 1][1].strip():
        end -= 1
    if first < end:
        text = "\n".join([line for _, line in lines[first:end]])
        yield text, (lines[first][0], lines[end - 1][0])


def _words(line: str) -> Iterator[str]:
    at = 0
    while at < len(line):
        end = min(at + MAX_LETTERS, len(line))
        if end < len(line):
            space = line.rfind(" ", at + MAX_LETTERS // 2, end)
            end = space if space > 0 else end
        piece = line[at:end].strip()
        if piece:
            yield piece
        at = end
