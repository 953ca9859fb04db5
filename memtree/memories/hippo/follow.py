"""What the tree's changes do to triples: removed entries take theirs along, moved ones keep them.

Nothing is extracted here, since a question may be waiting: an edited entry keeps the triples whose
words still stand in it until `memtree hippo build` reads it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.hippo.triples import name_of

if TYPE_CHECKING:
    from memtree.plugins import ChangeSet, Context


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the sidecar up to the tree, and the graph up to both."""
    from memtree.memories.hippo.graph import note_tree, postpone, rebuild

    if changes.removed:
        living = {name_of(ref.id) for ref in ctx.tree.entries()}
        moved = {ref.digest[:32]: ref.id for ref in changes.added}
        for ref in changes.removed:
            name = name_of(ref.id)
            if name in living:
                continue  # it has another path and the same id
            records = ctx.sidecar.read(name)
            heir = moved.get(ref.digest[:32])
            if records and heir is not None and not ctx.sidecar.read(name_of(heir)):
                ctx.sidecar.write(name_of(heir), records)
            ctx.sidecar.write(name, [])
    note_tree(ctx)
    paths = [ref.path for ref in (*changes.added, *changes.changed, *changes.removed)]
    if changes.full or not postpone(ctx, paths):
        rebuild(ctx)


def orphans(ctx: Context) -> list[str]:
    """Files of the sidecar that belong to no entry of the tree."""
    living = {name_of(ref.id) for ref in ctx.tree.entries()}
    return [name for name in ctx.sidecar.names("triples") if name not in living]
