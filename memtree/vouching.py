"""The part of an open tree that vouches: what an entry rests on, and who confirmed it when.

Anchoring writes down which lines of which file a claim rests on; verifying, that somebody looked
and it still holds. The day it was checked is kept beside the day it was written, and being read
changes neither. What is looked at and asked about is what is written: the entry is named by its
fingerprint, the file by the digest of the lines that were shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from memtree.errors import Refused, UsageError
from memtree.knowledge.anchor import DRIFTED, MOVED, anchor_of, has_scheme, is_source
from memtree.tree.anchors import anchor as make_anchor
from memtree.tree.anchors import contents, free_id, look, meant, retaken, states
from memtree.tree.format import edit_front_matter, find_front
from memtree.tree.markdown import parse_for_index
from memtree.tree.read import read_entry_bytes
from memtree.tree.receipt import fingerprint
from memtree.tree.transaction import begin
from memtree.tree.use_log import key_for, note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.knowledge.anchor import SourceState
    from memtree.tree.receipt import Receipt

    Ask = Callable[[str, SourceState, Sequence[str]], bool]

MAX_NAME = 200
"""Characters of an actor's name."""
_SHOWN = 3
"""Lines of a text that somebody is asked about: enough to recognise it."""


class Anchored(NamedTuple):
    """What was anchored: the entry, the sources as they were written, and the transaction."""

    path: str
    sources: tuple[dict[str, object], ...]
    receipt: Receipt


class Vouch(NamedTuple):
    """One verified entry: its sources as they stand now, and the places that were taken anew."""

    path: str
    sources: tuple[SourceState, ...]
    retaken: tuple[str, ...]


class Verified(NamedTuple):
    """What was verified, by whom, when, and the transaction."""

    by: str
    at: str
    entries: tuple[Vouch, ...]
    receipt: Receipt


def sources_for(
    root: str, typed: Sequence[str], *, at: str, start: str, text: str = ""
) -> list[dict[str, object]]:
    """Make the sources that `typed` names, for an entry whose text is `text`.

    Each is a URL, which is kept as it is, or `FILE`, `FILE:10`, `FILE:10-24`, of which the digest
    is taken now. `start` is where relative paths begin. Raises UsageError, PathRefused.
    """
    there = _listed(find_front(text).meta, "sources")
    taken = {str(each["id"]) for each in there if _is_source(each) and "id" in each}
    made: list[dict[str, object]] = []
    for each in typed:
        if has_scheme(each) and "://" in each:
            source: dict[str, object] = {"id": free_id(each, taken), "resource": each.strip()}
        else:
            resource, lines = meant(root, each, start=start)
            source = make_anchor(root, resource, lines, at=at, taken=taken)
        taken.add(str(source["id"]))
        made.append(source)
    return made


def anchor(
    root: str, path: str, typed: Sequence[str], *, at: str, start: str, wait_s: float = 10.0
) -> Anchored:
    """Add what `typed` names to the sources of an entry, or take it anew where it is one already.

    Raises UsageError and PathRefused for what can't be a source, EntryNotFound, EntryChanged,
    Refused when the entry's `sources` are no list.
    """
    text, seen = _text(root, path)
    listed = [*_listed(find_front(text).meta, "sources", path)]
    written = []
    for source in sources_for(root, typed, at=at, start=start, text=text):
        place = anchor_of(source).place
        known = [n for n, old in enumerate(listed) if _is_source(old) and _place(old) == place]
        if known:
            source = _renewed(listed[known[0]], source)  # noqa: PLW2901
            listed[known[0]] = source
        else:
            listed.append(source)
        written.append(source)
    new = edit_front_matter(text, {"sources": listed})
    with begin(root, command="anchor", at=at, wait_s=wait_s) as txn:
        txn.write(path, new.encode("utf-8", "surrogateescape"), seen)
    return Anchored(path, tuple(written), txn.receipt)


def verify(
    root: str, paths: Sequence[str], *, by: str, at: str, take: Ask, wait_s: float = 10.0
) -> Verified:
    """Write down that `by` looked at these entries at `at` and they hold; one transaction.

    Each actor stands in `verified` once, with the last time. For every source that moved or
    drifted, `take(path, state, lines there now)` is asked whether what stands there now is what
    the entry rests on from here on. Nothing else changes; a `confirmed` use is noted. Raises
    EntryNotFound, EntryChanged, UsageError for a name that is none, Refused when `verified` is
    written in another way.
    """
    by = actor(by)
    vouches, writes, keys = [], [], []
    for path in dict.fromkeys(paths):
        text, seen = _text(root, path)
        meta = find_front(text).meta
        keys.append(key_for(parse_for_index(path, text.encode("utf-8", "replace")).id, path))
        changes: dict[str, object | None] = {"verified": _confirmed(meta, path, by, at)}
        anew = _taken_anew(root, path, meta, at, take)
        if anew:
            changes["sources"] = [
                anew.get(number, source)
                for number, source in enumerate(_listed(meta, "sources", path))
            ]
        new = edit_front_matter(text, changes)
        writes.append((path, new, seen))
        after = states(root, find_front(new).meta)
        places = tuple(anchor_of(source).place for source in anew.values())
        vouches.append(Vouch(path, tuple(after), places))
    with begin(root, command="verify", at=at, by=by, wait_s=wait_s) as txn:
        for path, new, seen in writes:
            txn.write(path, new.encode("utf-8", "surrogateescape"), seen)
    note(root, "confirmed", keys, datetime.fromisoformat(at).timestamp())
    return Verified(by, at, tuple(vouches), txn.receipt)


def actor(name: str) -> str:
    """Return a name as the format writes actors: `human:NAME` unless it says what it is.

    Raises UsageError for a name that is empty, too long or not one line.
    """
    name = " ".join(name.split())
    kind, colon, rest = name.partition(":")
    whole = name if (colon and kind and rest) or "/" in name else f"human:{name}"
    if not name or not name.isprintable() or len(name) > MAX_NAME or name.endswith(":"):
        raise UsageError(f"{name!r} is no name to vouch with", hint="--by NAME, or process:NAME")
    return whole


def _confirmed(meta: Mapping[str, object], path: str, by: str, at: str) -> list[object]:
    given = meta.get("verified")
    listed = [given] if isinstance(given, dict) else [*_listed(meta, "verified", path)]
    mine = [n for n, each in enumerate(listed) if isinstance(each, dict) and each.get("by") == by]
    if not mine:
        return [*listed, {"by": by, "at": at}]
    listed[mine[-1]] = {**_mapping(listed[mine[-1]]), "at": at}
    return [each for number, each in enumerate(listed) if number not in mine[:-1]]


def _taken_anew(
    root: str, path: str, meta: Mapping[str, object], at: str, take: Ask
) -> dict[int, dict[str, object]]:
    """The sources that rest on what stands there now, by their number in the list."""
    anew = {}
    for number, source in enumerate(_listed(meta, "sources")):
        if not _is_source(source):
            continue
        state = look(root, [anchor_of(source)])[0]
        if state.state not in (MOVED, DRIFTED):
            continue
        pieces = contents(root, state.anchor.resource)
        if pieces is None:
            continue
        lines = state.now or state.anchor.lines
        try:
            fresh = retaken(pieces, state.anchor.resource, lines)
        except UsageError:
            continue  # the lines are not there any more: which others are meant is not ours to say
        first, last = lines or (1, len(pieces))
        shown = [
            piece.decode("utf-8", "replace").rstrip()
            for piece in pieces[first - 1 : min(last, first - 1 + _SHOWN)]
        ]
        if take(path, state, shown):
            anew[number] = {**source, **fresh, "at": at}
    return anew


def _text(root: str, path: str) -> tuple[str, bytes]:
    raw = read_entry_bytes(root, path)
    if b"\0" in raw:
        raise Refused(f"'{path}' is not a text file", hint="nothing was changed")
    # Bytes that are no UTF-8 pass through as surrogates, and come back as they were.
    return raw.decode("utf-8", "surrogateescape"), fingerprint(raw)


def _listed(meta: Mapping[str, object], key: str, path: str = "") -> list[object]:
    """The items under a key; with a `path`, Refused for a value that is no list."""
    value = meta.get(key)
    if isinstance(value, list):
        return value
    if value is not None and path:
        raise Refused(f"`{key}` of '{path}' is no list", hint="edit it by hand: memtree edit")
    return []


def _is_source(value: object) -> TypeGuard[dict[str, object]]:
    return is_source(value)


def _mapping(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, dict) else {}


def _place(source: Mapping[str, object]) -> str:
    return anchor_of(source).place


def _renewed(old: object, new: dict[str, object]) -> dict[str, object]:
    """A source that was there, with today's digest; unchanged when it has that already."""
    kept = _mapping(old)
    if new.get("digest") in (None, kept.get("digest")):
        return kept
    return {**kept, "digest": new["digest"], "at": new["at"]}
