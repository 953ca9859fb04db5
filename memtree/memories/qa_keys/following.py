"""What the tree's changes do to pairs: of an edited entry dropped, of a moved one taken along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.qa_keys.keys import forget_all, opened
from memtree.memories.qa_keys.pairs import FOLDER, LLM, name_of, still

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.plugins import ChangeSet, Context, EntryRef


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the sidecar and the keys up to the tree; told the same twice it does nothing more."""
    before = ctx.sidecar.stamp()
    names = set(ctx.sidecar.names(FOLDER))
    if changes.full:
        _orphans(ctx, names)
    elif changes.removed:
        _removed(changes, ctx, names)
    touched = [*changes.added, *changes.changed]
    for ref in touched if names else ():
        name = name_of(ref.id)
        if name in names:
            records = ctx.sidecar.read(name)
            left = still(records, ref.digest)
            if left != records:
                ctx.sidecar.write(name, left)
    if changes.full:
        forget_all(ctx)
    with opened(ctx, stamp=before) as keys:
        if changes.full:
            return
        for ref in changes.removed:
            keys.forget(ref.path)
        keys.follow_headings(ctx, touched)
        keys.follow_stored(ctx, only=touched)


def stored(ctx: Context, ref: EntryRef, records: Sequence[Mapping[str, object]]) -> None:
    """Write an entry's file and take over what it says."""
    before = ctx.sidecar.stamp()
    ctx.sidecar.write(name_of(ref.id), records)
    with opened(ctx, stamp=before) as keys:
        keys.follow_stored(ctx, only=[ref])


def _removed(changes: ChangeSet, ctx: Context, names: set[str]) -> None:
    """Pairs of entries that are gone go; those of an entry that moved without a change follow."""
    living = {name_of(ref.id) for ref in ctx.tree.entries()}
    moved = {ref.digest[:32]: ref.id for ref in changes.added}
    for ref in changes.removed:
        name = name_of(ref.id)
        if name in living or name not in names:
            continue
        heir = moved.get(ref.digest[:32])
        if heir is not None and name_of(heir) not in names:
            ctx.sidecar.write(name_of(heir), ctx.sidecar.read(name))
            names.add(name_of(heir))
        ctx.sidecar.write(name, [])


def _orphans(ctx: Context, names: set[str]) -> None:
    """Files of no entry: they follow an entry with the same bytes, else a model's go."""
    refs = ctx.tree.entries()
    orphans = names - {name_of(ref.id) for ref in refs}
    heirs = {ref.digest: name_of(ref.id) for ref in refs} if orphans else {}
    for name in sorted(orphans):
        records = ctx.sidecar.read(name)
        heir = next((heirs[one] for each in records
                     if (one := str(each.get("digest"))) in heirs), "")  # fmt: skip
        if heir and heir not in names:
            ctx.sidecar.write(heir, records)
            names.add(heir)
        if heir or all(each.get("by") == LLM for each in records):
            ctx.sidecar.write(name, [])
            names.discard(name)
