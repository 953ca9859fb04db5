"""Triples that nobody has to make: the tree's own relations, and names beside each other.

Both are read from entries as they are and remembered by the entry's digest, in the cache alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.hippo.triples import Triple, triple_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.plugins import Context, EntryRef

_VERSION = "1"


def linked(
    ctx: Context, refs: Sequence[EntryRef], titles: Mapping[str, str]
) -> dict[str, list[Triple]]:
    """The links and relations from each entry to others, as triples of their titles."""

    def read(ref: EntryRef) -> list[list[object]]:
        links = ctx.tree.relations(ref.path)
        return [list(pair) for pair in dict.fromkeys((link.to, link.rel) for link in links)]

    found: dict[str, list[Triple]] = {}
    for path, pairs in _remembered(ctx, "links", refs, read).items():
        made = [
            triple_of(titles[path], rel or "links to", titles.get(str(to), "")) for to, rel in pairs
        ]
        found[path] = [
            Triple(each.subject, each.predicate, each.object, by="rule") for each in made if each
        ]
    return found


def neighbours(ctx: Context, refs: Sequence[EntryRef]) -> dict[str, list[Triple]]:
    """The names that stand beside each other in each of these entries."""
    from memtree.memories.hippo.cooccurrence import triples_of

    telling: dict[str, bool] = {}

    def is_telling(name: str) -> bool:
        if name not in telling:
            telling[name] = bool(ctx.search.telling(name))
        return telling[name]

    def read(ref: EntryRef) -> list[list[object]]:
        entry = ctx.tree.get(ref.path)
        made = triples_of(entry, is_telling=is_telling) if entry is not None else []
        return [[each.subject, each.predicate, each.object, each.lines[0]] for each in made]

    return {
        path: [
            Triple(str(s), str(p), str(o), (at, at) if isinstance(at, int) else (0, 0), "rule")
            for s, p, o, at in rows
        ]
        for path, rows in _remembered(ctx, "neighbours", refs, read).items()
    }


def _remembered(
    ctx: Context, name: str, refs: Sequence[EntryRef],
    read: Callable[[EntryRef], list[list[object]]],
) -> dict[str, list[list[object]]]:  # fmt: skip
    """What `read` gives for each entry; it is asked only for those that are new or changed."""
    stored = ctx.cache.load_value(name, _VERSION)
    known = stored if isinstance(stored, dict) else {}
    found: dict[str, list[list[object]]] = {}
    fresh = 0
    for number, ref in enumerate(refs):
        before = known.get(ref.path)
        if before and before[0] == ref.digest:
            found[ref.path] = before[1]
            continue
        fresh += 1
        found[ref.path] = read(ref)
        ctx.progress(f"reading {name}", number + 1, len(refs))
    if fresh or len(known) != len(refs):
        value = {ref.path: [ref.digest, found[ref.path]] for ref in refs}
        ctx.cache.save_value(name, _VERSION, value)
    return found
