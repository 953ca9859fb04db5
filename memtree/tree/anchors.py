"""Whether the files that a claim rests on still say what they said: evidence anchors, checked.

What is looked at are the files as they lie there now, not a commit; `memtree.tree.reach` says which
may be looked at. Nothing here writes. `templates/entry.md` specifies the digest.

Hot: `evidence_of` is asked at query time; hashlib is loaded when there is an anchor to check.
"""

from __future__ import annotations

import os
import time
import unicodedata

from memtree.errors import PathRefused, UsageError
from memtree.knowledge.anchor import (
    DRIFTED,
    FRESH,
    GONE,
    MOVED,
    UNCHECKED,
    Anchor,
    Evidence,
    SourceState,
    anchors_of,
    has_scheme,
    lines_of,
    span,
)
from memtree.tree.reach import MAX_BYTES, Unread, find, ground_of, read
from memtree.tree.sources import anchors_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from memtree.knowledge.anchor import Lines

MAX_TOTAL = 2 * MAX_BYTES
"""Of the files of all anchors of one entry, so that a hostile entry can't slow a question down."""
MAX_SOURCES = 64
"""Anchors of one entry that are looked at; far above what a claim rests on."""
_MOVE_TRIES = 10_000
_MOVE_BYTES = 4 * 1024 * 1024
"""How far a text that moved is looked for, nearest places first; the anchors of an entry share it.
Measured: 1 ms for a text that is nowhere in 1,000 lines, 13 ms in 5,000, and no more than 30 ms."""
_SETTLED_NS = 2_000_000_000
"""A younger file may change once more within its time stamp (2 s on FAT): not remembered."""
_REMEMBERED = 4096
_HEAD = 4 * 65536 + 16
"""Bytes of an entry that can hold its front matter: 65,536 characters and the marks."""

# (file, lines, digest, how many share the looking) -> (signature of the file, state, lines now)
_seen: dict[tuple[str, Lines | None, str, int], tuple[object, str, Lines | None]] = {}
# entry file -> (signature, its anchors)
_entries: dict[str, tuple[object, list[Anchor]]] = {}


# -- asking -----------------------------------------------------------------------------------


def freshness(root: str, path: str) -> str:
    """Say how the anchors of the entry at `path` stand: `fresh`, `drifted`, `gone`, or "".

    "" is for an entry without anchors that can be checked. A text that moved is fresh.
    """
    found = evidence_of(root, path)
    return found.state if found else ""


def evidence_of(root: str, path: str) -> Evidence | None:
    """Return the anchors of the entry at `path` with their states; None when it has none.

    Never raises: an entry that can't be read has none.
    """
    try:
        where, info = find(root, path)
        signature = _signature(info)
        known = _entries.get(where)
        if known is None or known[0] != signature:
            anchors = anchors_in(read(where, head=_HEAD))
            known = signature, anchors
            if _is_settled(info):
                if len(_entries) >= _REMEMBERED:
                    _entries.clear()
                _entries[where] = known
    except Unread:
        return None
    anchors = [anchor for anchor in known[1] if anchor.digest]
    return Evidence(look(root, anchors)) if anchors else None


def states(root: str, meta: Mapping[str, object]) -> list[SourceState]:
    """Return every source of a front matter with its state, in their order. Never raises."""
    return look(root, anchors_of(meta))


def look(root: str, anchors: Sequence[Anchor]) -> list[SourceState]:
    """Return the state of each anchor of one entry, by the files as they are now."""
    ground = ground_of(root)
    looking = _Look(sum(1 for anchor in anchors if anchor.digest))
    return [
        looking.at(ground, anchor)
        if number < MAX_SOURCES
        else SourceState(anchor, UNCHECKED, why=f"the entry has more than {MAX_SOURCES} sources")
        for number, anchor in enumerate(anchors)
    ]


# -- making -----------------------------------------------------------------------------------


def anchor(
    root: str,
    resource: str,
    lines: Lines | None,
    *,
    at: str = "",
    taken: Collection[str] = (),
) -> dict[str, object]:
    """Make the source mapping for lines of a file as they are now.

    `resource` is relative to the ground, `lines` are the first and last from 1 (None: the whole
    file), `at` is the ISO 8601 time that is kept with the digest, `taken` are ids that other
    sources of the entry have. Raises UsageError when there is no such file or line, or nothing but
    white space there, and PathRefused for a file that no anchor may lead to.
    """
    try:
        where, _ = find(ground_of(root), resource)
        pieces = pieces_of(read(where))
    except Unread as unread:
        if unread.state == GONE:
            raise UsageError(
                f"there is no file '{resource}'", hint=f"paths start at {ground_of(root)}"
            ) from None
        raise PathRefused(
            f"'{resource}' can't be a source: {unread.why}", hint="nothing was changed"
        ) from None
    return {
        "id": free_id(resource, taken),
        "resource": resource,
        **retaken(pieces, resource, lines),
        **({"at": at} if at else {}),
    }


def retaken(pieces: Sequence[bytes], resource: str, lines: Lines | None) -> dict[str, object]:
    """Return `lines` and `digest` for what stands in a file now. Raises UsageError."""
    first, last = lines or (1, len(pieces))
    if last > len(pieces):
        raise UsageError(
            f"'{resource}' has no line {last}: it ends with line {len(pieces)}",
            hint="name the lines that are meant: FILE:FROM-TO",
        )
    chosen = normal(pieces[first - 1 : last])
    if not any(chosen):
        raise UsageError(f"there is nothing but white space in {resource}:{span((first, last))}")
    named: dict[str, object] = {"lines": span(lines)} if lines else {}
    return {**named, "digest": digest_of(chosen)}


def contents(root: str, resource: str) -> list[bytes] | None:
    """Return the lines of a file that an anchor may lead to; None when it can't be read."""
    try:
        return pieces_of(read(find(ground_of(root), resource)[0]))
    except Unread:
        return None


def meant(root: str, typed: str, *, start: str) -> tuple[str, Lines | None]:
    """Read `FILE`, `FILE:10` or `FILE:10-24` as a person types it: (resource, lines).

    FILE is absolute, or relative to `start`, or (when nothing is there) to the ground. Links on the
    way are followed here, once, so that what is stored leads through none. Raises UsageError for no
    file name, PathRefused when the file lies outside of the ground.
    """
    name, colon, tail = typed.rpartition(":")
    lines = lines_of(tail) if colon and tail else None
    if lines is None:
        name = typed
    if not name.strip():
        raise UsageError("name a file, and lines if they are meant: FILE:FROM-TO")
    ground = ground_of(root)
    where = os.path.join(start, os.path.expanduser(name))
    if not os.path.lexists(where):
        where = os.path.join(ground, name)
    try:
        inside = os.path.relpath(os.path.realpath(where), os.path.realpath(ground))
    except ValueError:  # another drive, or a name that none can have
        inside = ".."
    resource = inside.replace(os.sep, "/")
    if resource == ".." or resource.startswith("../"):
        raise PathRefused(
            f"'{name}' lies outside of what this tree can rest on",
            hint=f"a source lies in {ground}, or is a URL",
        )
    return unicodedata.normalize("NFC", resource), lines


# -- the digest -------------------------------------------------------------------------------


def pieces_of(data: bytes) -> list[bytes]:
    r"""Divide a file into lines at `\n`; a byte order mark and a missing last end don't count."""
    pieces = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    return pieces


def normal(pieces: Sequence[bytes]) -> list[bytes]:
    r"""Take spaces, tabs and `\r` off the end of each line."""
    text = b"\n".join([*pieces, b""])
    # Most files have none, and are spared a step for each line.
    if not (b" \n" in text or b"\t\n" in text or b"\r\n" in text):
        return list(pieces)
    return [piece.rstrip(b" \t\r") for piece in pieces]


def digest_of(lines: Sequence[bytes]) -> str:
    r"""Return the SHA-256, in lower-case hexadecimal, of lines that each end with `\n`."""
    from hashlib import sha256

    return sha256(b"\n".join([*lines, b""])).hexdigest()


# -- looking ----------------------------------------------------------------------------------


class _Look:
    """One look at the files of one entry: each is read once, and all of them within bounds."""

    __slots__ = ("_files", "_left", "_share")

    def __init__(self, anchors: int) -> None:
        self._left = MAX_TOTAL
        self._share = max(1, min(anchors, MAX_SOURCES))
        self._files: dict[str, list[bytes]] = {}

    def at(self, ground: str, anchor: Anchor) -> SourceState:
        if not anchor.digest or has_scheme(anchor.resource):
            return SourceState(anchor, UNCHECKED)
        if anchor.bad:
            return SourceState(anchor, UNCHECKED, why=anchor.bad)
        try:
            where, info = find(ground, anchor.resource)
            state, now = self._state(where, info, anchor)
        except Unread as unread:
            return SourceState(anchor, unread.state, why=unread.why)
        return SourceState(anchor, state, now=now)

    def _state(self, where: str, info: os.stat_result, anchor: Anchor) -> tuple[str, Lines | None]:
        if info.st_size > MAX_BYTES:
            raise Unread(UNCHECKED, f"it is larger than {MAX_BYTES >> 20} MiB")
        # Counted also where the answer is known: the same files give the same states.
        self._left -= info.st_size
        if self._left < 0:
            raise Unread(UNCHECKED, f"the entry's sources are over {MAX_TOTAL >> 20} MiB")
        key = where, anchor.lines, anchor.digest, self._share
        known = _seen.get(key)
        if known is not None and known[0] == _signature(info):
            return known[1], known[2]
        pieces = self._files.get(where)
        if pieces is None:
            pieces = self._files[where] = pieces_of(read(where))
        state, now = self._compared(pieces, anchor)
        if _is_settled(info):
            if len(_seen) >= _REMEMBERED:
                _seen.clear()
            _seen[key] = _signature(info), state, now
        return state, now

    def _compared(self, pieces: list[bytes], anchor: Anchor) -> tuple[str, Lines | None]:
        first, last = anchor.lines or (1, max(1, len(pieces)))
        there = pieces[first - 1 : last]
        if len(there) == last - first + 1 and digest_of(normal(there)) == anchor.digest:
            return FRESH, None
        now = _elsewhere(pieces, first, last - first + 1, anchor.digest, self._share)
        return (MOVED, now) if anchor.lines and now else (DRIFTED, None)


def _elsewhere(
    pieces: list[bytes], first: int, count: int, digest: str, share: int
) -> Lines | None:
    """Find where `count` lines with that digest stand, the place nearest to `first` first."""
    from hashlib import sha256

    latest = len(pieces) - count + 1  # the last line, from 1, where they could begin
    tries, left = _MOVE_TRIES // share, _MOVE_BYTES // share
    if latest < 1 or count > tries:
        return None
    near = min(first, latest)
    # As far as it is looked, in one buffer to be cut from.
    below = max(1, near - tries)
    lines = normal(pieces[below - 1 : near + tries + count])
    buffer = memoryview(b"\n".join([*lines, b""]))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    wanted = bytes.fromhex(digest)
    for distance in range(min(latest, tries)):
        for begin in (near - distance, near + distance)[: 1 + (distance > 0)]:
            if not 1 <= begin <= latest:
                continue
            start, end = starts[begin - below], starts[begin - below + count]
            tries -= 1
            left -= end - start
            if tries < 0 or left < 0:
                return None
            if sha256(buffer[start:end]).digest() == wanted:
                return begin, begin + count - 1
    return None


def _signature(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_mtime_ns, info.st_size, info.st_ino


def _is_settled(info: os.stat_result) -> bool:
    return time.time_ns() - info.st_mtime_ns > _SETTLED_NS


def free_id(resource: str, taken: Collection[str]) -> str:
    """Name a source by its file, as a footnote can: `http`, or `http-2`."""
    from memtree.knowledge.path import slug

    stem = slug(resource.rpartition("/")[2].partition(".")[0] or resource)
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name
