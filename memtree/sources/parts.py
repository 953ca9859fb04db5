"""A source in parts: as many passages as one plan is made from, sections and sessions whole.

A part never divides a passage. What belongs together (the turns of a session, the passages under a
heading) is kept in one part when it fits. The digest names what a part says: an equal part was
curated before, whatever the file is called now.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from memtree.knowledge.source import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.knowledge.source import Opened, Passage


def parts(opened: Opened, *, letters: int = 60_000) -> Iterator[Part]:
    """Yield the parts of a source, at most `letters` characters each unless a passage is longer.

    One part is held in memory at a time, and the next one's beginning. A source that says nothing
    has no parts.
    """
    groups = _groups(opened.passages, letters)
    number = 1
    group = next(groups, None)
    while group is not None:
        after = next(groups, None)
        yield Part(
            source=opened.source,
            number=number,
            passages=tuple(group),
            digest=digest_of(group),
            last=after is None,
        )
        number += 1
        group = after


def digest_of(passages: Iterable[Passage]) -> str:
    """Return the SHA-256, in lower-case hexadecimal, of what passages say, and who when."""
    digest = hashlib.sha256()
    for passage in passages:
        for field in (passage.text, passage.speaker, passage.time):
            data = field.encode("utf-8", "surrogatepass")
            digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


def _groups(passages: Iterable[Passage], letters: int) -> Iterator[list[Passage]]:
    whole: list[Passage] = []  # sections that are complete
    open_: list[Passage] = []  # the one that goes on
    size = open_size = 0
    name: str | None = None
    for passage in passages:
        belongs = passage.session or passage.heading
        if belongs != name:
            whole += open_
            size += open_size
            open_, open_size, name = [], 0, belongs
        length = len(passage.text)
        if whole and size + open_size + length > letters:
            yield whole
            whole, size = [], 0
        if open_ and open_size + length > letters:
            yield open_
            open_, open_size = [], 0
        open_.append(passage)
        open_size += length
    whole += open_
    if whole:
        yield whole
