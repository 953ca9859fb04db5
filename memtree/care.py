"""How the tree and its machinery are: what `memtree status` and `memtree doctor` say."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError, StorageFailed
from memtree.index.catalog import FILE as CATALOG
from memtree.index.catalog import Catalog, Damaged
from memtree.index.vectors import left_to_do
from memtree.retrieve.engine import CACHE

if TYPE_CHECKING:
    from memtree.app import Tree


class DoctorRow:
    """One thing that was examined: its name, whether it is well, what was seen, what to do."""

    __slots__ = ("detail", "hint", "name", "ok")

    def __init__(self, name: str, *, ok: bool, detail: str, hint: str = "") -> None:
        self.name = name
        self.ok = ok
        self.detail = detail
        self.hint = hint


def status(tree: Tree) -> dict[str, object]:
    """The tree at a glance: how much there is, how fresh the index is, what wants attention."""
    from memtree.curate.review import Queue
    from memtree.tree import git
    from memtree.tree.history import transactions
    from memtree.tree.watched import watcher_is_current

    engine = tree.engine()
    last = transactions(tree.root, 1)
    return {
        "root": tree.root,
        **engine.catalog.summary(),
        "pending": engine.catalog.pending() + engine.behind,
        "passages": engine.full_text.passages,
        "watched": watcher_is_current(tree.root),
        "git": git.repository_of(tree.root) is not None,
        "last_change": last[0].at if last else None,
        "reviews": Queue(tree.root).count(),
        "language": engine.language,
    }


def doctor(tree: Tree) -> list[DoctorRow]:
    """Examine the machinery, each part by using it."""
    return [
        _settings(tree),
        _index(tree),
        _current(tree),
        _vectors(tree),
        _language_model(tree),
        _plugins(tree),
        _writing(tree),
        _journal(tree),
        _watcher(tree),
        _history(tree),
        _git(tree),
    ]


def _settings(tree: Tree) -> DoctorRow:
    warnings = tree.config.warnings
    if warnings:
        return DoctorRow(
            "settings", ok=False, detail="; ".join(warnings), hint="memtree config list"
        )
    return DoctorRow("settings", ok=True, detail="config.toml is understood")


def _plugins(tree: Tree) -> DoctorRow:
    well, ailing = tree.plugin_health()
    if ailing:
        return DoctorRow("plugins", ok=False, detail="; ".join(ailing), hint="memtree plugins list")
    return DoctorRow("plugins", ok=True, detail=", ".join(well) or "none is enabled here")


def _index(tree: Tree) -> DoctorRow:
    folder = os.path.join(tree.root, CACHE)
    if not os.path.exists(os.path.join(folder, CATALOG)):
        return DoctorRow("index", ok=True, detail="not built yet: the next question builds it")
    try:
        catalog = Catalog(folder)
        try:
            found = catalog.db.execute("PRAGMA quick_check").fetchone()
        finally:
            catalog.close()
    except Damaged as error:
        return DoctorRow("index", ok=False, detail=str(error), hint="memtree index --rebuild")
    if found != ("ok",):
        return DoctorRow(
            "index", ok=False, detail=f"the catalog is damaged: {found}",
            hint="memtree index --rebuild",
        )  # fmt: skip
    engine = tree.engine()
    return DoctorRow(
        "index", ok=True,
        detail=f"{engine.catalog.count()} entries, {engine.full_text.passages} passages "
        f"in {engine.full_text.segments} segments",
    )  # fmt: skip


def _current(tree: Tree) -> DoctorRow:
    try:
        report = tree.refresh()
    except StorageFailed as error:
        return DoctorRow("freshness", ok=False, detail=error.message, hint=error.hint)
    if report.pending:
        return DoctorRow(
            "freshness", ok=False, detail=f"{report.pending} changes are not indexed yet",
            hint="another process may be indexing; then: memtree index",
        )  # fmt: skip
    unreadable = [problem for problem in report.problems if problem.code == "unreadable"]
    if unreadable:
        return DoctorRow(
            "freshness", ok=False,
            detail=f"{len(unreadable)} places can't be read, first '{unreadable[0].path}'",
            hint="what was known about them is kept; give yourself permission to read them",
        )  # fmt: skip
    return DoctorRow("freshness", ok=True, detail="the index holds what is on disk")


def _vectors(tree: Tree) -> DoctorRow:
    from memtree.embed.student import Student
    from memtree.index.vectors import NoVectors

    engine = tree.engine()
    try:
        embedder = engine.embedder()
        # A student would answer in its model's place.
        student = embedder if isinstance(embedder, Student) else None
        model = student.model if student else embedder
        answered = any(model.question("a question to the model"))
    except (NoVectors, MemtreeError) as error:
        wanted = tree.config.text("embed.model")
        return DoctorRow(
            "vectors", ok=wanted == "none", detail=str(error),
            hint="memtree config set embed.model builtin",
        )  # fmt: skip
    if not answered:
        return DoctorRow(
            "vectors", ok=False, detail="the model answers with nothing",
            hint="memtree config set embed.model builtin",
        )  # fmt: skip
    identity = embedder.identity
    detail = f"{identity.name}, {identity.dimension} numbers a passage"
    left = left_to_do(os.path.join(tree.root, CACHE), engine.catalog, identity.text())
    if left and not embedder.foreground:
        return DoctorRow(
            "vectors", ok=False, detail=f"{detail}; {left} entries have none yet",
            hint="memtree index makes them, memtree watch does so in the background",
        )  # fmt: skip
    if student and student.lesson():
        detail += f"; questions by a table learned from {student.lesson():,} passages"
    made = "made when a question first needs them" if left else "every entry has them"
    return DoctorRow("vectors", ok=True, detail=f"{detail}; {made}")


def _language_model(tree: Tree) -> DoctorRow:
    """Whether the model that is set could be used; it is not loaded, and no server is asked."""
    from memtree.llm.choose import choose

    name = "language model"
    if tree.config.text("llm.model").strip() in ("", "none"):
        return DoctorRow(name, ok=True, detail="none is set: rules curate, and no tier needs one")
    try:
        model = choose(tree.config)
    except MemtreeError as error:
        return DoctorRow(name, ok=False, detail=error.message, hint=error.hint)
    model.close()
    return DoctorRow(name, ok=True, detail=f"{model.actor}, tried by: memtree models test")


def _writing(tree: Tree) -> DoctorRow:
    from memtree.tree.lock import WriterLock

    try:
        with WriterLock(tree.root, command="doctor", wait_s=2.0):
            pass
    except MemtreeError as error:
        return DoctorRow("writing", ok=False, detail=error.message, hint=error.hint)
    return DoctorRow("writing", ok=True, detail="the lock is free and the tree can be written")


def _journal(tree: Tree) -> DoctorRow:
    from memtree.tree.lock import journal_pending, wait_quiet

    if journal_pending(tree.root) and not wait_quiet(tree.root, 2.0):
        return DoctorRow(
            "transactions", ok=False, detail="a transaction was interrupted and can't be finished",
            hint="make the tree writable; the next command finishes it",
        )  # fmt: skip
    return DoctorRow("transactions", ok=True, detail="none is half done")


def _watcher(tree: Tree) -> DoctorRow:
    from memtree.tree.watched import address_of, ask

    address = address_of(tree.root)
    if not address:
        return DoctorRow(
            "watch", ok=True, detail="not running: the files are walked before a question"
        )
    if ask(address, b"who\n"):
        if ask(address, b"sync\n").startswith(b"current"):
            return DoctorRow("watch", ok=True, detail="running, and current")
        return DoctorRow(
            "watch", ok=False, detail="running, but it can't see every change",
            hint="raise fs.inotify.max_user_watches, or stop it: questions walk the files then",
        )  # fmt: skip
    return DoctorRow("watch", ok=True, detail="not running any more (it left its address behind)")


def _history(tree: Tree) -> DoctorRow:
    from memtree.tree.history import transactions

    count = len(transactions(tree.root, 100_000))
    return DoctorRow("history", ok=True, detail=f"{count} transactions can be undone")


def _git(tree: Tree) -> DoctorRow:
    from memtree.tree import git

    if git.repository_of(tree.root) is None:
        return DoctorRow("git", ok=True, detail="the tree is not in a repository")
    if not git.is_available():
        return DoctorRow(
            "git", ok=False, detail="the tree is in a repository, but there is no git program",
            hint="install git, or go without --rev",
        )  # fmt: skip
    return DoctorRow("git", ok=True, detail="the tree is in a repository")
