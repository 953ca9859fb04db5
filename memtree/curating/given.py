"""What curating is given of the rooms that do not know each other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.curate.apply import Ways
from memtree.curate.outlook import TreeOutlook
from memtree.curate.telling import facts_named

if TYPE_CHECKING:
    from memtree.app import Tree
    from memtree.curate.compose import Cite
    from memtree.knowledge.plan import Operation
    from memtree.tree.links import LinkIndex
    from memtree.tree.transaction import Transaction


def look(tree: Tree) -> TreeOutlook:
    """The open tree as a curator sees it, current with its files."""
    engine = tree.engine()
    return TreeOutlook(tree.root, engine.catalog, engine.full_text)


def ways(tree: Tree, cite: Cite, *, at: str) -> Ways:
    """What applying needs of the other rooms."""
    from memtree.lifecycle import archive, supersede
    from memtree.tree.links import resolve

    def superseding(txn: Transaction, old: str, new: str, since: str) -> None:
        index = tree.link_index()
        supersede.stage(
            txn, old, new, at=at, since=since,
            resolve=lambda name: resolve(name, "", index, kind="related"),
        )  # fmt: skip

    def linking(names: set[str]) -> list[str]:
        return list(tree._linking(names))  # noqa: SLF001  (a part of the tree, like this)

    def links() -> LinkIndex:
        return tree.link_index()

    return Ways(
        cite=cite,
        links=links,
        linking=linking,
        archive=lambda txn, path, raw: archive.stage(txn, path, raw, {}, None),
        supersede=superseding,
        random=lambda: os.urandom(8),
    )


def old_facts(operation: Operation, outlook: TreeOutlook) -> tuple[tuple[str, str], ...]:
    """The block ids and words of the facts that an operation speaks of."""
    named = facts_named(operation)
    entry = outlook.entry(operation.path) if named and hasattr(operation, "path") else None
    facts = {fact.id: fact.text for fact in entry.facts} if entry is not None else {}
    return tuple((name, facts.get(name, "")) for name in named)
