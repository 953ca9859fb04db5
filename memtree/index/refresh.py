"""The index follows the files: what changed since last time is read again, nothing else.

The order of writes makes every crash harmless. First the catalog takes the new rows, marked as
waiting (`fts = 0`), in one transaction together with the snapshot of what was on disk; then the
full-text index commits; then the marks are taken away. A process that dies in between leaves marks
that the next refresh works off, and adding a passage again replaces it. A refresh after any series
of edits therefore ends where a rebuild ends (tests/index/test_refresh.py says so with hypothesis).

What must not happen, because users of other tools lived through it: a folder that can't be read is
not a deletion; a writer that is busy is a `pending` count in the answer and not a silent loss.
"""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

from memtree.errors import PathRefused
from memtree.index.alone import alone, cannot_write
from memtree.index.catalog import (
    FILE,
    VERSION,
    Catalog,
    Damaged,
    DatabaseError,
    OperationalError,
)
from memtree.index.full_text import FOLDER, SCHEMA, FullText, Unusable
from memtree.index.intake import Intake, uncollected
from memtree.knowledge.problem import Problem
from memtree.tree.ignore import judge_for
from memtree.tree.scan import UNSURE, Snapshot, entries, walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.index.intake import Progress


class RefreshReport:
    """What a refresh did. `pending` counts changes that the full-text index does not hold yet.

    `behind` of them are known only from a walk, because another process was indexing.
    """

    __slots__ = (
        "behind", "changed", "generation", "indexed", "ms", "pending", "problems", "rebuilt",
        "removed",
    )  # fmt: skip

    def __init__(
        self, *, indexed: int, changed: int, removed: int, pending: int,
        problems: tuple[Problem, ...], ms: float, rebuilt: str, generation: int,
        behind: int = 0,
    ) -> None:  # fmt: skip
        self.indexed = indexed
        self.changed = changed
        self.removed = removed
        self.pending = pending
        self.problems = problems
        self.ms = ms
        self.rebuilt = rebuilt
        self.generation = generation
        self.behind = behind


def refresh(
    root: str,
    cache: str,
    *,
    language: str,
    ignore: Sequence[str] = (),
    config: tuple[int, int] = (0, 0),
    facts: Mapping[str, object] | None = None,
    rebuild: bool = False,
    wait_s: float = 10.0,
    progress: Progress | None = None,
    now_ns: int | None = None,
) -> RefreshReport:
    """Bring the index under `cache` up to the files under `root`.

    `config` is the signature of the settings' file, kept so that a search can tell without reading
    it whether `language` and `ignore` still hold; `facts` are settings that a search needs without
    reading it: plain values. `wait_s` bounds the waiting for another process.
    Raises nothing for trouble in the files: it is in the report.
    """
    started = time.perf_counter()
    reason = "asked for" if rebuild else ""
    _must_be_usable(root, cache)
    with alone(cache, wait_s) as is_alone:
        if not is_alone:
            return _left_as_it_is(root, cache, tuple(ignore), started)
        try:
            return _tried(
                root, cache, language=language, ignore=tuple(ignore), config=config, facts=facts,
                wait_s=wait_s,
                progress=progress, now_ns=now_ns or time.time_ns(), started=started, reason=reason,
            )  # fmt: skip
        except OperationalError as error:
            if "locked" not in str(error):
                raise
            return _left_as_it_is(root, cache, tuple(ignore), started)


def _tried(
    root: str, cache: str, *, language: str, ignore: tuple[str, ...],
    config: tuple[int, int], facts: Mapping[str, object] | None, wait_s: float,
    progress: Progress | None, now_ns: int, started: float, reason: str,
) -> RefreshReport:  # fmt: skip
    for attempt in range(2):
        try:
            if reason:
                _wipe(cache)
            return _refresh(
                root, cache, language=language, ignore=ignore, config=config, facts=facts,
                wait_s=wait_s,
                progress=progress, now_ns=now_ns, started=started, reason=reason,
            )  # fmt: skip
        except (
            Damaged, Unusable, DatabaseError, ValueError, EOFError, TypeError, AttributeError,
            LookupError,
        ) as error:  # fmt: skip
            if "readonly" in str(error) or "disk is full" in str(error):
                raise cannot_write(str(error)) from error
            if attempt or (isinstance(error, OperationalError) and "locked" in str(error)):
                raise
            reason = f"the index could not be used ({error})"
        except OSError as error:
            raise cannot_write(error.strerror or str(error)) from error
    raise AssertionError("unreachable")


def _must_be_usable(root: str, cache: str) -> None:
    """Refuse what would write outside the tree. Raises PathRefused."""
    for folder in (os.path.dirname(cache), cache, os.path.join(cache, FOLDER)):
        if os.path.islink(folder):
            raise PathRefused(
                f"'{os.path.relpath(folder, root)}' is a symbolic link, which is never followed",
                hint="remove it: the index is rebuilt from the files",
            )


def _left_as_it_is(root: str, cache: str, ignore: tuple[str, ...], started: float) -> RefreshReport:
    """Say how much is not indexed, when another process indexes for longer than we may wait."""
    try:
        catalog = Catalog(cache)
    except Damaged:
        now = walk(root, Snapshot({}), judge_for(root, ignore), now_ns=0)
        return RefreshReport(
            indexed=0, changed=0, removed=0, pending=len(entries(now)), problems=(),
            ms=1000 * (time.perf_counter() - started), rebuilt="", generation=0,
            behind=len(entries(now)),
        )  # fmt: skip
    try:
        known = _snapshot_of(catalog)
        changed, removed = _differences(known, walk(root, known, judge_for(root, ignore), now_ns=0))
        behind = len(changed) + len(removed)
        return RefreshReport(
            indexed=catalog.count(), changed=0, removed=0, pending=catalog.pending() + behind,
            problems=(), ms=1000 * (time.perf_counter() - started), rebuilt="",
            generation=catalog.number("generation"), behind=behind,
        )  # fmt: skip
    finally:
        catalog.close()


def behind(root: str, cache: str, ignore: tuple[str, ...] = ()) -> int:
    """How many changes on disk the index does not hold, for a tree that can't be indexed now."""
    return _left_as_it_is(root, cache, ignore, 0.0).behind


def _refresh(
    root: str, cache: str, *, language: str, ignore: tuple[str, ...],
    config: tuple[int, int], facts: Mapping[str, object] | None, wait_s: float,
    progress: Progress | None, now_ns: int, started: float, reason: str,
) -> RefreshReport:  # fmt: skip
    exists = os.path.exists(os.path.join(cache, FILE))
    catalog = Catalog(cache, create=True)
    try:
        settings = (VERSION, SCHEMA, language)
        if exists and catalog.value("settings") not in (None, settings):
            raise Damaged("the settings of the index changed")
        if exists and not os.path.isdir(os.path.join(cache, FOLDER)) and catalog.count():
            raise Damaged("the full-text index is gone")
        full_text = FullText(cache, language=language, create=True)
        catalog.db.execute(f"PRAGMA busy_timeout = {int(wait_s * 1000)}")
        intake = Intake(root, catalog, full_text, progress, wait_s)
        catalog.db.execute("BEGIN IMMEDIATE")
        try:
            known = _snapshot_of(catalog)
            now = walk(root, known, judge_for(root, ignore), now_ns=now_ns)
            changed, removed = _differences(known, now)
            intake.plan(changed, removed)
            intake.take_out(removed)
            with uncollected(intake.bulk):
                intake.take_in(changed, now)
            catalog.put("settings", settings)
            catalog.put("config", config)
            intake.note_oddities(now)
            if intake.touched or now.dump() != known.dump():
                catalog.put("snapshot", now.dump())
            if intake.touched or catalog.value("facts") != dict(facts or {}):
                catalog.put("facts", dict(facts or {}))
                catalog.recount()
                catalog.put("generation", catalog.number("generation") + 1)
            catalog.db.execute("COMMIT")
        except BaseException:
            intake.abandon()
            if catalog.db.in_transaction:
                catalog.db.execute("ROLLBACK")
            raise
        intake.finish()
        # The file itself then holds everything, also for those who may not write beside it.
        catalog.db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        return _report(intake, started, reason)
    finally:
        catalog.close()


def _wipe(cache: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        try:
            os.remove(os.path.join(cache, FILE + suffix))
        except FileNotFoundError:
            continue
    shutil.rmtree(os.path.join(cache, FOLDER), ignore_errors=True)


def _snapshot_of(catalog: Catalog) -> Snapshot:
    data = catalog.value("snapshot")
    return Snapshot.load(data) if isinstance(data, bytes) else Snapshot({})


def _differences(known: Snapshot, now: Snapshot) -> tuple[list[str], list[str]]:
    before, after = entries(known), entries(now)
    changed = [
        path for path, number in after.items() if number == UNSURE or before.get(path) != number
    ]
    return changed, [path for path in before if path not in after]


def _report(intake: Intake, started: float, reason: str) -> RefreshReport:
    catalog = intake.catalog
    return RefreshReport(
        indexed=catalog.count(),
        changed=intake.changed,
        removed=intake.removed,
        pending=catalog.pending(),
        problems=tuple(
            Problem(path=path, line=max(line, 0), code=code, message=message)
            for path, line, code, message in catalog.problems()
        ),
        ms=1000 * (time.perf_counter() - started),
        rebuilt=reason,
        generation=catalog.number("generation"),
    )
