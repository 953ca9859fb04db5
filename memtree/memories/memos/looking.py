"""Reading entries for one question or command: each file once, at one moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, UsageError
from memtree.knowledge.lifecycle import day_number
from memtree.memories.memos.cube import KEY, PUBLIC, VISIBILITIES, read_cube

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from memtree.plugins import ChangeSet, Context, EntryRef
    from memtree.plugins.context import EntryView

_WORD = re.compile(r"\w+")
GOVERNED, _FORM = "governed", "1"


def day_of(ctx: Context) -> float:
    """The moment that counts, in days: the option `as_of` (ISO 8601), else now.

    An `as_of` that is no time is said and not followed: a filter that gave up over it would let
    everything through.
    """
    asked = str(ctx.options.get("as_of") or "")
    day = day_number(asked) if asked else None
    if asked and day is None:
        ctx.note("memos: as_of is no time; now counts (write it like 2026-11-22)")
    return day_at(ctx.now) if day is None else day


def seen_by(ctx: Context) -> str:
    """Whose eyes an answer is for: the option `visibility`; what it does not know is the public."""
    asked = str(ctx.options.get("visibility") or "").strip().casefold()
    if asked and asked not in VISIBILITIES:
        ctx.note(f"memos: visibility is one of {', '.join(VISIBILITIES)}; taken as {PUBLIC}")
        return PUBLIC
    return asked


def day_at(text: str) -> float:
    """A time (ISO 8601) in days since 1970. Raises UsageError."""
    day = day_number(text)
    if day is None:
        raise UsageError(
            f"'{text}' is no time", hint="write it like 2026-11-22 or 2026-11-22T18:30:00Z"
        )
    return day


def view_of(ctx: Context, path: str) -> EntryView | None:
    """The entry at a path, as operations may write it: with or without its suffix."""
    return ctx.tree.get(path) or (None if path.endswith(".md") else ctx.tree.get(f"{path}.md"))


def named(ctx: Context, name: str) -> EntryView:
    """The entry that a person means by path, id, title or alias. Raises EntryNotFound."""
    path = ctx.tree.find(name)
    view = ctx.tree.get(path) if path else None
    if view is None:
        raise EntryNotFound(
            f"no one entry is called '{name}'", hint="memtree list shows all; give its path"
        )
    return view


def views(
    ctx: Context, scope: str = "", *, also: Collection[str] | None = None
) -> Iterator[tuple[EntryRef, EntryView]]:
    """All entries below a folder that can be read, by path.

    With `also`, of those only the ones that govern anything and these: the others stay closed.
    """
    refs = ctx.tree.entries(scope)
    known = None if also is None else governed(ctx)
    if known is not None and also is not None:
        refs = [ref for ref in refs if ref.path in known or ref.path in also]
    for number, ref in enumerate(refs):
        if number % 500 == 499:
            ctx.progress("reading entries", number + 1, len(refs))
        view = ctx.tree.get(ref.path)
        if view is not None:
            yield ref, view


def governs(view: EntryView) -> bool:
    """Whether an entry says anything of its life as a cube, or lies in the archive."""
    return KEY in view.meta or read_cube(view.meta).stub


def register(ctx: Context, changes: ChangeSet, there: set[str]) -> None:
    """Keep which entries govern anything: `there` are those among the ones that changed.

    So a question opens the files of these alone: in a tree with few cubes, next to none. What is
    no longer followed and still in the catalog (it waits to be indexed) may be anything.
    """
    before = frozenset[str]() if changes.full else governed(ctx)
    if before is None:
        return  # never kept, or lost: then every file is opened
    gone = {ref.path for ref in changes.removed}
    waiting = {path for path in gone if ctx.tree.ref(path) is not None}
    looked_at = {ref.path for ref in (*changes.added, *changes.changed)}
    now = (before - looked_at - gone) | there | waiting
    ctx.session[GOVERNED] = now
    if changes.full or now != before:
        ctx.cache.save_value(GOVERNED, _FORM, sorted(now))


def governed(ctx: Context) -> frozenset[str] | None:
    """The paths of the entries that govern anything; None when that is not known."""
    known = ctx.session.get(GOVERNED)
    if not isinstance(known, frozenset):
        value = ctx.cache.load_value(GOVERNED, _FORM)
        if not isinstance(value, list):
            return None
        known = ctx.session[GOVERNED] = frozenset(map(str, value))
    return known


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: NFKC, no case, no punctuation."""
    from unicodedata import normalize

    return _WORD.findall(normalize("NFKC", text).casefold())
