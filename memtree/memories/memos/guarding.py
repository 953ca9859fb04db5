"""The guard: what is frozen is not modified, what is over is not added to, nothing private leaks.

Frozen means that the file keeps its bytes. So not only operations on the entry itself are refused,
but also those that would rewrite a link inside of it (moving or merging what it links to). The one
exception is thawing: an annotation that takes the lock away and says nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.knowledge.plan import (
    Add,
    Annotate,
    Archive,
    Link,
    Merge,
    Move,
    Supersede,
    Update,
)
from memtree.memories.memos.cube import (
    KEY,
    MERGED_TO,
    PUBLIC,
    VISIBILITIES,
    Cube,
    read_cube,
    said,
)
from memtree.memories.memos.looking import day_of, view_of
from memtree.plugins import REJECT, Ruling

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.plugins import Context

THAW = "memtree cube thaw"


def rulings(operations: Sequence[Operation], ctx: Context) -> list[Ruling]:
    """A rejection, with its reason, for every operation that may not be done."""
    day = day_of(ctx)
    lost = _leading_nowhere(operations, ctx)
    found = []
    for operation in operations:
        reason = next(_objections(operation, ctx, day), "")
        if not reason and isinstance(operation, Archive | Annotate) and operation.path in lost:
            reason = f"'{lost[operation.path]}', which it would become a part of, is not made"
        if reason:
            found.append(Ruling(operation=operation, ruling=REJECT, reason=reason))
    return found


def _leading_nowhere(operations: Sequence[Operation], ctx: Context) -> dict[str, str]:
    """Entries that would be merged into one that is not there, as another guard turned it down."""
    made = {operation.path for operation in operations if isinstance(operation, Add)}
    found = {}
    for operation in operations:
        if isinstance(operation, Annotate) and isinstance(mine := operation.keys.get(KEY), dict):
            into = str(mine.get(MERGED_TO) or "")
            if into and into not in made and view_of(ctx, into) is None:
                found[operation.path] = into
    return found


def _objections(operation: Operation, ctx: Context, day: float) -> Iterator[str]:
    """What speaks against an operation, in words."""
    for path, writes in _touched(operation):
        view = view_of(ctx, path)
        if view is None:
            continue
        cube = read_cube(view.meta)
        if cube.frozen and not _thaws(operation, view.meta):
            yield f"'{view.path}' is frozen, and may not be modified ({THAW} {view.id})"
        if writes and cube.expired(day):
            yield f"'{view.path}' is over: {cube.shown(day)} (memtree cube ttl renews it)"
    if isinstance(operation, Merge | Move):
        yield from _relinked(operation, ctx)
    if isinstance(operation, Merge):
        yield from _leaking(operation, ctx)


def _touched(operation: Operation) -> list[tuple[str, bool]]:
    """The entries whose files an operation changes, and whether it adds to what they say."""
    match operation:
        case Add() | Update():
            return [(operation.path, True)]
        case Merge():
            return [(operation.into, True), *((path, False) for path in operation.paths)]
        case Supersede():
            return [(operation.path, bool(operation.fact)), *([(operation.by, True)]
                                                              if operation.by else [])]  # fmt: skip
        case Link():
            return [(operation.path, True)]
        case Move() | Archive() | Annotate():
            return [(operation.path, False)]


def _thaws(operation: Operation, meta: Mapping[str, object]) -> bool:
    """Whether an operation takes the lock away and touches nothing else."""
    if not isinstance(operation, Annotate) or set(operation.keys) != {KEY}:
        return False
    wanted = {KEY: operation.keys[KEY]}
    before, after = said(meta), said(wanted)
    before.pop("frozen", None)
    lock = after.pop("frozen", None)
    return not read_cube({KEY: {"frozen": lock}}).frozen and before == after


def _relinked(operation: Merge | Move, ctx: Context) -> Iterator[str]:
    """Frozen entries whose links would be rewritten."""
    for path in operation.paths if isinstance(operation, Merge) else (operation.path,):
        view = view_of(ctx, path)
        for link in ctx.tree.backlinks(view.path) if view is not None else ():
            other = view_of(ctx, link.path)
            if other is not None and read_cube(other.meta).frozen:
                yield f"'{other.path}' is frozen, and its link to '{link.to}' would be rewritten"


def _leaking(operation: Merge, ctx: Context) -> Iterator[str]:
    """What is less visible than the entry that it would become a part of."""
    into = _cube(operation.into, ctx)
    for path in operation.paths:
        cube = _cube(path, ctx)
        if VISIBILITIES.index(cube.visibility) > VISIBILITIES.index(into.visibility):
            yield f"'{path}' is {cube.visibility}, and '{operation.into}' is {into.visibility}"


def _cube(path: str, ctx: Context) -> Cube:
    view = view_of(ctx, path)
    return read_cube(view.meta) if view is not None else Cube(visibility=PUBLIC)
