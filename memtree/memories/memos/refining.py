"""What an answer may hold: nothing that is over or hidden, and what was merged by its new place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.memories.memos.cube import MERGED_TO, read_cube
from memtree.memories.memos.looking import day_of, governed, seen_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.knowledge.query import Query
    from memtree.plugins import Context, Ranked


def refined(query: Query, hits: Sequence[Ranked], ctx: Context) -> list[Ranked]:
    """The hits that may be shown, in their order; of an entry there may be several passages.

    A stub whose content went into another entry gives its place to that entry. What is dropped is
    counted in a note, without a name: a title may be what should not be seen. For other eyes than
    the owner's every file is asked, not the list of those that govern anything: it may be behind.
    """
    day, visibility = day_of(ctx), seen_by(ctx)
    known = None if visibility else governed(ctx)
    own = {hit.path: hit for hit in reversed(hits)}
    standing = {
        path: _standing(path, ctx, day, visibility)
        for path in own
        if known is None or path in known
    }
    found: dict[int, Ranked] = {}
    for hit in hits:
        reason, target = standing.get(hit.path, ("", ""))
        if reason or (target and not _in_scope(target, query.scope)):
            continue
        here = hit
        if target:
            why = f"{hit.path} was merged into it"
            here = own.setdefault(target, replace(hit, path=target, text="", lines=(0, 0), why=why))
        found.setdefault(id(here), here)
    if gone := sum(bool(reason) for reason, _ in standing.values()):
        ctx.note(f"memos: {gone} {'entry' if gone == 1 else 'entries'} left out: over or hidden")
    return list(found.values())


def _standing(path: str, ctx: Context, day: float, visibility: str) -> tuple[str, str]:
    """Why an entry may not be shown, and which one stands in its place: "" and "" mostly."""
    view = ctx.tree.get(path)
    if view is None:
        return "", ""
    cube = read_cube(view.meta)
    reason = cube.shown(day, visibility)
    if reason or not cube.stub:
        return reason, ""
    for link in ctx.tree.relations(path):
        other = ctx.tree.get(link.to) if link.rel == MERGED_TO else None
        if other is not None:
            return read_cube(other.meta).shown(day, visibility), link.to
    return "", ""


def _in_scope(path: str, scope: str) -> bool:
    scope = scope.strip("/")
    return not scope or path.startswith(f"{scope}/")
