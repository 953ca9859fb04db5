"""How much of a tree one plan may change without a yes.

Counted are the entries that stand in the tree and that a plan would touch, each once and by the
strongest thing done to it. What only adds to an entry weighs half, what takes it away twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.knowledge.plan import Add, Annotate, Archive, Link, Merge, Move, Supersede, Update

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.knowledge.plan import Operation

LEAST = 5.0
"""So much is never a flood, however small the tree: five changed entries, or two archived."""
ADDED, CHANGED, GONE = 0.5, 1.0, 2.0


def weights(operations: Iterable[Operation]) -> dict[str, float]:
    """Entry of the tree -> how strongly a plan touches it: 0.5 added to, 1 changed, 2 gone."""
    found: dict[str, float] = {}
    for operation in operations:
        for path, weight in _touched(operation):
            found[path] = max(weight, found.get(path, 0.0))
    return found


def _touched(operation: Operation) -> Iterable[tuple[str, float]]:
    match operation:
        case Add():
            return ()
        case Update(path=path, replaces=replaces, drops=drops):
            return ((path, CHANGED if replaces or drops else ADDED),)
        case Link(path=path) | Annotate(path=path):
            return ((path, ADDED),)
        case Supersede(path=path, by=by):
            return ((path, GONE if by else CHANGED),)
        case Merge(paths=paths, into=into):
            return (*((path, GONE) for path in paths), (into, ADDED))
        case Move(path=path) | Archive(path=path):
            return ((path, GONE),)


def flooded(operations: Iterable[Operation], *, entries: int, share: float) -> str:
    """Why a plan needs a yes, as a sentence; "" when it changes no more than `share` of a tree.

    `entries` is the number of entries in the tree.
    """
    touched = weights(operations)
    total = sum(touched.values())
    if total <= max(LEAST, share * entries):
        return ""
    gone = sum(weight == GONE for weight in touched.values())
    away = f", {gone} of them taken away or moved" if gone else ""
    return (
        f"the plan would touch {len(touched)} of {entries} entries{away}; "
        f"without a yes it may change {share:.0%} of the tree"
    )
