"""The life of an open tree and of its entries: what `memtree stats` and `memtree show` tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, UsageError
from memtree.knowledge.standing import Standing, replaced_because
from memtree.lifecycle.flow import ARCHIVED, flow_of
from memtree.lifecycle.stats import stats_of
from memtree.lifecycle.telling import told
from memtree.retrieve.naming import resolve
from memtree.tree import anchors, use_log

if TYPE_CHECKING:
    from memtree.app import Tree
    from memtree.lifecycle.figures import Stats
    from memtree.lifecycle.telling import Told


def stats(tree: Tree, now: float) -> Stats:
    """The tree's life in figures at `now`, in days since 1970.

    Opens the files of entries that have sources to check, and no others.
    """
    engine = tree.engine()
    rows = list(engine.catalog.all_rows())
    drifted = {
        row.path: state
        for row in rows
        if row.standing
        and Standing(row.standing).anchors
        and (state := anchors.freshness(tree.root, row.path)) in ("drifted", "gone")
    }
    states = {row.path: row.maturity for row in rows}
    states |= {
        row.path: ARCHIVED
        for row in rows
        if row.standing and Standing(row.standing).status == ARCHIVED
    }
    return stats_of(
        rows, now=now, policy=engine.vitality.policy, uses=use_log.uses(tree.root),
        past=use_log.uses(tree.root, folded=True), drifted=drifted,
        flow=flow_of(tree.root, states),
    )  # fmt: skip


def life(tree: Tree, path: str, now: float) -> Told:
    """Where the scores of the entry at `path` come from at `now`, in days since 1970.

    Raises EntryNotFound.
    """
    engine = tree.engine()
    row = engine.catalog.by_path(path)
    if row is None:
        raise EntryNotFound(f"no entry at '{path}'")
    key = use_log.key_for(row.id, row.path)
    standing = Standing(row.standing)
    by = standing.superseded_by
    try:
        by = resolve(engine, by) if by else ""
    except (EntryNotFound, UsageError):
        by = ""  # `check` says that it leads nowhere
    return told(
        row, now=now, policy=engine.vitality.policy,
        uses=use_log.uses(tree.root).get(key, ()),
        past=use_log.uses(tree.root, folded=True).get(key, ()),
        replaced=replaced_because(standing, now), by=by,
        sources=anchors.states(tree.root, tree.get(path).meta),
    )  # fmt: skip
