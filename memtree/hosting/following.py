"""What a plugin derives follows the tree: what changed since it last looked, told to `on_change`.

People edit files with anything, so nobody tells us of a change: what a plugin has seen (path and
digest of every entry) is compared with the catalog, and only when the catalog has changed since.
It is noted after `on_change` came back; whoever dies before is told the same again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.hosting.views import ref_of
from memtree.plugins.api import ChangeSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.hosting.host import Host, Player
    from memtree.plugins.api import EntryRef

HEAD, SEEN = "head", "seen"


def follow(host: Host, player: Player, *, full: bool = False) -> ChangeSet:
    """Tell a player what changed, if anything did; gives what it was told."""
    catalog = host.tree.held().catalog
    cache = player.context.cache
    manifest = player.loaded.manifest
    mark = [catalog.birth.hex(), catalog.number("generation"), catalog.pending()]
    version = manifest.version
    known = host.followed.get(manifest.name)
    if not full and known is not None and known == (mark, version, cache.signature(HEAD)):
        return ChangeSet()  # this process read it before, and it is the same file
    if not full and cache.load_value(HEAD, version) == mark:
        host.followed[manifest.name] = mark, version, cache.signature(HEAD)
        return ChangeSet()
    before = None if full else cache.load_value(SEEN, version)
    now = [ref_of(row) for row in catalog.all_rows() if row.fts or not catalog.pending()]
    changes = changes_since(before, now)
    if changes:
        host.ask(player, "on_change", changes)
        if player.is_out:
            return changes
    cache.save_value(SEEN, version, {ref.path: [ref.id, ref.digest[:32]] for ref in now})
    cache.save_value(HEAD, version, mark)
    return changes


def changes_since(before: object, now: Sequence[EntryRef]) -> ChangeSet:
    """What is different from what was seen: path -> [id, digest]; all of it when that is nothing.

    An entry that moved without a change is removed and added.
    """
    from memtree.plugins.api import EntryRef

    if not isinstance(before, dict):
        return ChangeSet(added=tuple(now), full=True)
    there = {ref.path for ref in now}
    added, changed = [], []
    for ref in now:
        known = before.get(ref.path)
        if known is None:
            added.append(ref)
        elif known != [ref.id, ref.digest[:32]]:
            changed.append(ref)
    removed = [
        EntryRef(path=path, id=str(known[0]), digest=str(known[1]))
        for path, known in before.items()
        if path not in there
    ]
    return ChangeSet(added=tuple(added), changed=tuple(changed), removed=tuple(removed))
