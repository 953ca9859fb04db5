from __future__ import annotations

import io
import json
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from memtree.knowledge.source import Opened
from memtree.sources import open_sources, parts
from memtree.sources.json_stream import elements
from memtree.sources.reading import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BYTES = 5 << 20


class Endless(io.RawIOBase):
    """A pipe: what it says is made while it is read, and can't be wound back."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._held = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        room = memoryview(buffer)  # type: ignore[arg-type]
        self._held = self._held or next(self._pieces, b"")
        data, self._held = self._held[: len(room)], self._held[len(room) :]
        room[: len(data)] = data
        return len(data)


def repeated(begin: bytes, piece: Callable[[int], bytes], end: bytes) -> Iterator[bytes]:
    yield begin
    size = number = 0
    while size < BYTES:
        number += 1
        data = piece(number)
        size += len(data)
        yield data
    yield end


def conversation(number: int) -> bytes:
    rows = [{"sender": "human", "text": f"Message {n} " + "word " * 50} for n in range(20)]
    item = {"uuid": str(number), "name": "A talk", "chat_messages": rows}
    return (b"," if number > 1 else b"") + json.dumps(item).encode()


@pytest.mark.parametrize(
    ("begin", "piece", "end"),
    [
        (b"", lambda n: b"a line of a log that has no empty lines, number %d\n" % n * 50, b""),
        (b"", lambda n: b"one line without an end %d " % n * 50, b""),
        (b"# A\n```\n", lambda n: b"code that is never closed %d\n" % n * 50, b""),
        (b"", lambda n: b"Ann: Hi %d\nBob: It is a long day.\n" % n * 50, b""),
        (b"", lambda n: b'{"text": "Hi", "speaker": "A", "session": 1, "x": "%d"}\n' % n * 50, b""),
        (b"[", conversation, b"]"),
    ],
    ids=["log", "one line", "markdown", "transcript", "jsonl", "export"],
)
def test_memory_is_flat_in_the_size_of_a_source(
    begin: bytes, piece: Callable[[int], bytes], end: bytes
) -> None:
    stream = io.BufferedReader(Endless(repeated(begin, piece, end)))
    tracemalloc.start()
    letters = 0
    for opened in open_sources(["-"], stdin=stream):
        if isinstance(opened, Opened):
            letters += sum(part.letters() for part in parts(opened))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert letters > BYTES / 40
    assert peak < 3 << 20


def test_an_element_that_never_ends_is_given_up() -> None:
    stream = io.BufferedReader(Endless(repeated(b'[1, {"a": "', lambda _: b"x" * 65536, b"")))
    troubles = Troubles("-")
    assert list(elements(stream, troubles, limit=1 << 20)) == [1]
    assert "more than 1 MiB" in next(troubles.drain()).message
