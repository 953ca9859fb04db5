"""Reading entries for one question or command: each file once, at one moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, UsageError
from memtree.knowledge.lifecycle import day_number
from memtree.memories.memos.cube import PUBLIC, VISIBILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.plugins import Context, EntryRef
    from memtree.plugins.context import EntryView

_WORD = re.compile(r"\w+")


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


def views(ctx: Context, scope: str = "") -> Iterator[tuple[EntryRef, EntryView]]:
    """All entries below a folder that can be read, by path."""
    refs = ctx.tree.entries(scope)
    for number, ref in enumerate(refs):
        if number % 500 == 499:
            ctx.progress("reading entries", number + 1, len(refs))
        view = ctx.tree.get(ref.path)
        if view is not None:
            yield ref, view


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: NFKC, no case, no punctuation."""
    from unicodedata import normalize

    return _WORD.findall(normalize("NFKC", text).casefold())
