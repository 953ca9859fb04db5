"""The elements of a JSON array one after another, however long the array is.

An export of all conversations is one array of hundreds of megabytes. It is decoded element by
element over a buffer that slides along; what is held is one element and its text.
"""

from __future__ import annotations

import codecs
import json
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.sources.reading import Troubles

CHUNK = 256 << 10
LIMIT = 64 << 20
"""Characters of one element: a larger one is no conversation."""
UNREADABLE = (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
"""What reading may raise, also from within a damaged or encrypted archive."""
_DECODER = json.JSONDecoder(strict=False)
_SLACK = 16
"""Characters at the end of a buffer in which an error may only mean that more is to come."""


def elements(stream: BinaryIO, troubles: Troubles, *, limit: int = LIMIT) -> Iterator[object]:
    """Yield the elements of the array that `stream` holds; any other value is its only element.

    At the first place that is no JSON the rest is given up, and `troubles` takes note.
    """
    buffer = _Buffer(stream)
    try:
        yield from _elements(buffer, limit)
    except json.JSONDecodeError as error:
        where = buffer.before + error.pos
        troubles.note("bad-json", 0, f"no JSON from character {where:,} on: {error.msg}")
    except (ValueError, RecursionError) as error:
        troubles.note("bad-json", 0, f"JSON that can't be read: {error}")
    except UNREADABLE as error:
        troubles.note("unreadable", 0, f"can't be read: {getattr(error, 'strerror', 0) or error}")


class _Buffer:
    """The text of a stream from `before` characters on."""

    __slots__ = ("_decoder", "_stream", "before", "ended", "text")

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self.text = ""
        self.before = 0
        self.ended = False

    def more(self, at: int) -> None:
        """Forget what lies before `at`, and read as much again as is left, a chunk at least."""
        self.before += at
        raw = self._stream.read(max(CHUNK, len(self.text) - at))
        self.ended = not raw
        self.text = self.text[at:] + self._decoder.decode(raw, self.ended)


def _elements(buffer: _Buffer, limit: int) -> Iterator[object]:
    at = _skip(buffer, 0, " \t\r\n")
    inside = buffer.text[at : at + 1] == "["
    at += inside
    while True:
        at = _skip(buffer, at, " \t\r\n,")
        if at >= len(buffer.text):
            if inside:
                raise json.JSONDecodeError("the array has no end", "", at)
            return
        if inside and buffer.text[at] == "]":
            return
        value, at = _element(buffer, at, limit)
        yield value
        if not inside:
            return


def _element(buffer: _Buffer, at: int, limit: int) -> tuple[object, int]:
    """Decode the element at `at`, reading as much as that takes; returns it and where it ends."""
    while True:
        text = buffer.text
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError as error:
            # In the midst of the text an error is one; at its end more may be to come.
            cut = error.pos >= len(text) - _SLACK or error.msg.startswith("Unterminated")
            if buffer.ended or not cut:
                raise
        else:
            whole = end < len(text) or not isinstance(value, (int, float))
            if whole or buffer.ended:
                return value, end
        if len(text) - at > limit:
            raise ValueError(f"an element of more than {limit >> 20} MiB")
        buffer.more(at)
        at = 0


def _skip(buffer: _Buffer, at: int, over: str) -> int:
    while True:
        text = buffer.text
        while at < len(text) and text[at] in over:
            at += 1
        if at < len(text) or buffer.ended:
            return at
        buffer.more(at)
        at = 0
