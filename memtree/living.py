"""The part of an open tree that keeps it alive: uses, settling, superseding, archive and back.

Functions that take the open tree, as `care` and `connections` do; `memtree.lifecycle` decides and
writes, here it gets what the other rooms know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError, UsageError
from memtree.knowledge.lifecycle import Policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memtree.app import Tree
    from memtree.config import Config
    from memtree.knowledge.problem import Problem
    from memtree.lifecycle.consolidate import Consolidation
    from memtree.lifecycle.supersede import Superseded
    from memtree.tree.check import Checked
    from memtree.tree.receipt import Receipt

# The findings of `check` that are about the life of knowledge, and our own.
CODES = frozenset(
    {"duplicate-body", "duplicate-title", "stale", "expired", "drifted-source", "gone-source"}
)
CONTRADICTION = "contradiction"
_CONTRADICTS = frozenset({"contradicts", "contradicted-by", "contradicted_by"})


def policy_of(config: Config) -> Policy:
    """The numbers of the lifecycle that the settings of a tree say."""
    return Policy(
        opened=config.number("lifecycle.opened"),
        cited=config.number("lifecycle.cited"),
        confirmed=config.number("lifecycle.confirmed"),
        edited=config.number("lifecycle.edited"),
        decay=config.number("lifecycle.decay"),
        recency_days=config.number("lifecycle.recency_days"),
        rest_days=config.number("lifecycle.rest_days"),
        archive_below=config.number("lifecycle.archive_below"),
        lift=config.number("lifecycle.lift"),
    )


def moment(text: str) -> str:
    """An ISO 8601 date or time as a time in UTC to the second; raises UsageError.

    A date is its first moment, a time without an offset is UTC.
    """
    from datetime import UTC, datetime

    try:
        read = datetime.fromisoformat(text.strip())
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is no time", hint="write it like 2026-11-22 or 2026-11-22T18:30:00Z"
        ) from None
    return f"{read.replace(tzinfo=None, microsecond=0).isoformat()}Z"


def consolidate(tree: Tree, *, now: str, dry_run: bool = False, yes: bool = False) -> Consolidation:
    """Settle the whole tree at `now` (ISO 8601): see `memtree.lifecycle.consolidate`.

    Raises UsageError for a time that is none, Refused when too much would be archived at once, and
    what a transaction raises.
    """
    from memtree.lifecycle.consolidate import consolidate
    from memtree.lifecycle.decide import Judges
    from memtree.tree.use_log import uses

    now = moment(now)
    rows = tree.rows()
    advice = tree.opinions(now)
    done = consolidate(
        tree.root, rows, uses=uses(tree.root), policy=policy_of(tree.config), now=now,
        judges=Judges(
            freshness=_freshness(tree), is_held=_Held(tree), opinion=advice
        ),
        dry_run=dry_run, yes=yes,
        findings=findings(tree, [row.path for row in rows], now=now),
        wait_s=tree.config.number("write.wait"),
    )  # fmt: skip
    return done if advice is None else replace(done, notes=(*done.notes, *advice.notes))


def findings(tree: Tree, paths: Iterable[str], *, now: str) -> list[Problem]:
    """What a person should look at: duplicates, contradictions, what is stale or lost its base."""
    from memtree.tree.check import findings, read_entries

    checked = read_entries(tree.root, paths, index=tree.link_index())
    found = [problem for problem in findings(checked, now=now) if problem.code in CODES]
    found += _contradictions(checked)
    return sorted(found, key=lambda problem: (problem.path, problem.line, problem.code))


def supersede(tree: Tree, old: str, new: str, *, at: str, since: str = "") -> Superseded:
    """Put the entry called `new` in the place of the one called `old`. Raises as the room does."""
    from memtree.lifecycle.supersede import supersede
    from memtree.tree.links import resolve

    index = tree.link_index()
    return supersede(
        tree.root, tree.resolve(old), tree.resolve(new), at=at, since=since,
        resolve=lambda name: resolve(name, "", index, kind="related"),
        wait_s=tree.config.number("write.wait"),
    )  # fmt: skip


def note_use(tree: Tree, event: str, paths: Sequence[str]) -> bool:
    """Note a real use of the entries at `paths`, now. Silent where nothing can be written."""
    import time

    from memtree.tree.use_log import key_for, note

    try:
        catalog = tree.engine().catalog
    except MemtreeError:
        return False  # no index, and none can be made: no reason to fail what was done
    rows = [catalog.by_path(path) for path in dict.fromkeys(paths)]
    keys = [key_for(row.id, row.path) for row in rows if row is not None]
    return note(tree.root, event, keys, time.time())


def restore_stub(tree: Tree, path: str, *, at: str) -> Receipt | None:
    """Bring back what was archived from `path`; None when there is no stub.

    Bringing back confirms: the entry is not archived again before the days of recency are over.
    """
    from memtree.lifecycle.archive import restore_stub

    receipt = restore_stub(tree.root, path, at=at, wait_s=tree.config.number("write.wait"))
    if receipt is not None:
        note_use(tree, "confirmed", [path])
    return receipt


def _freshness(tree: Tree) -> Callable[[str], str]:
    from memtree.tree.anchors import freshness

    return lambda path: freshness(tree.root, path)


class _Held:
    """Whether a core entry links to a path; asked of few, so it looks only when it is asked."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._held: set[str] | None = None

    def __call__(self, path: str) -> bool:
        if self._held is None:
            from memtree.tree.links import resolve

            index = self._tree.link_index()
            catalog = self._tree.engine().catalog
            self._held = set()
            for row in catalog.all_rows():
                if row.maturity != "core":
                    continue
                for target, kind, _, _ in catalog.links_from(row.number):
                    found = resolve(target, row.path, index, kind=kind)
                    if found is not None and found != row.path:
                        self._held.add(found)
        return path in self._held


def _contradictions(checked: Checked) -> list[Problem]:
    """Entries that say themselves that they contradict another one, while both stand."""
    from memtree.knowledge.problem import Problem
    from memtree.tree.links import resolve

    found = []
    for path, parsed in checked.parsed.items():
        if _is_over(parsed.meta):
            continue
        for target, kind, line, rel in parsed.links:
            if rel.casefold() not in _CONTRADICTS:
                continue
            other = resolve(target, path, checked.index, kind=kind)
            there = checked.parsed.get(other) if other else None
            if other and there is not None and not _is_over(there.meta):
                message = f"contradicts '{other}', and neither supersedes the other"
                found.append(Problem(path=path, line=line, code=CONTRADICTION, message=message))
    return found


def _is_over(meta: dict[str, object]) -> bool:
    return bool(meta.get("superseded_by")) or meta.get("status") in ("deprecated", "archived")
