"""Taking files into the index: rows into the catalog, passages into the full text.

One `Intake` is one refresh at work. It is told what changed; what the order of its steps protects
from is said in `memtree.index.refresh`.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import time
from typing import TYPE_CHECKING

from memtree.index.documents import documents_of, keys_of, row_of
from memtree.index.full_text import FullText, Writer, WriterBusy
from memtree.index.keys import stem_of
from memtree.index.row import COLUMNS, Row
from memtree.tree.markdown import parse_for_index
from memtree.tree.scan import UNSURE, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memtree.index.catalog import Catalog
    from memtree.tree.markdown import Parsed

    # Stage, done, of how many.
    Progress = Callable[[str, int, int], None]

# A rebuild uses both cores; below this many changes one thread is quicker.
BULK = 400
# Beyond this many segments a search pays for them: merge while we hold the writer anyway.
SEGMENTS = 10


@contextlib.contextmanager
def uncollected(bulk: bool) -> Iterator[None]:
    """Let Python's collector rest: a rebuild makes no cycles, and looking for them costs 15 %."""
    collects = gc.isenabled()
    if bulk:
        gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Intake:
    """One refresh in progress: the open catalog, the open index, and what was done so far."""

    def __init__(
        self, root: str, catalog: Catalog, full_text: FullText, progress: Progress | None,
        wait_s: float,
    ) -> None:  # fmt: skip
        self.root = root
        self.catalog = catalog
        self.full_text = full_text
        self.progress = progress
        self.wait_s = wait_s
        self.writer: Writer | None = None
        self.done: list[tuple[int, bytes]] = []
        self.changed = 0
        self.removed = 0
        self.touched = False
        self.bulk = False
        self.fresh = False

    def plan(self, changed: list[str], removed: list[str]) -> None:
        """Look at how much there is to do, before the writer is opened."""
        self.bulk = len(changed) >= BULK
        self.fresh = self.catalog.count() == 0 and not removed

    # -- rows -------------------------------------------------------------------------------

    def take_out(self, paths: list[str]) -> None:
        """Forget entries whose files are gone."""
        db = self.catalog.db
        generation = self.catalog.number("generation") + 1
        for path in paths:
            row = self.catalog.by_path(path)
            db.execute("DELETE FROM problem WHERE path = ?", (path,))
            if row is None:
                continue
            self._drop_lookups(row.number)
            db.execute("DELETE FROM entry WHERE number = ?", (row.number,))
            db.execute("INSERT OR IGNORE INTO doomed VALUES (?)", (row.number,))
            db.execute("INSERT OR REPLACE INTO gone VALUES (?, ?)", (row.number, generation))
            self.removed += 1
            self.touched = True

    def take_in(self, paths: list[str], now: Snapshot) -> None:
        """Read what changed, write its rows, and hand its passages to the index."""
        db = self.catalog.db
        waiting = {
            path for (path,) in db.execute("SELECT path FROM entry WHERE fts = 0").fetchall()
        }
        todo = list(paths)
        known = set(paths)
        todo += sorted(waiting - known)
        (highest,) = db.execute("SELECT coalesce(max(number), 0) FROM entry").fetchone()
        number = max(self.catalog.number("last_number"), highest)
        generation = self.catalog.number("generation") + 1
        base = self.root + os.sep
        total = len(todo)
        rows: list[tuple[object, ...]] = []
        keys: list[tuple[str, int, str]] = []
        links: list[tuple[int, str, str, int, str, str]] = []
        problems: list[tuple[str, int, str, str]] = []
        for index, path in enumerate(todo):
            if self.progress is not None and index % 64 == 0:
                self.progress("indexing", index, total)
            try:
                with open(base + path, "rb") as file:
                    raw = file.read()
            except OSError as error:
                self._unreadable(path, error, now)
                continue
            digest = hashlib.sha256(raw).digest()
            old = None if self.fresh else self.catalog.by_path(path)
            if old is not None and old.digest == digest and old.fts:
                continue
            parsed = parse_for_index(path, raw)
            if old is None:
                number += 1
                own = number
            else:
                own = old.number
                self._drop_lookups(own)
                db.execute("DELETE FROM problem WHERE path = ?", (path,))
            row = row_of(parsed, own, digest, len(raw), generation)
            row.fts = 0 if parsed.passages or old is not None else 1
            rows.append(row.values())
            keys += [(key, own, kind) for key, kind in keys_of(parsed)]
            links += [
                (own, target, kind, line, rel, stem_of(target))
                for target, kind, line, rel in parsed.links
            ]
            problems += [
                (item.path, item.line, item.code, item.message) for item in parsed.problems
            ]
            self._hand_over(row, parsed, is_known=old is not None)
            self.changed += 1
            self.touched = True
            if len(rows) >= 2000:
                self._store(rows, keys, links, problems)
        self._store(rows, keys, links, problems)
        self.catalog.put("last_number", number)
        if self.progress is not None and total:
            self.progress("indexing", total, total)

    def _store(
        self, rows: list[tuple[object, ...]], keys: list[tuple[str, int, str]],
        links: list[tuple[int, str, str, int, str, str]],
        problems: list[tuple[str, int, str, str]],
    ) -> None:  # fmt: skip
        db = self.catalog.db
        marks = ",".join("?" * len(COLUMNS.split(",")))
        db.executemany(f"INSERT OR REPLACE INTO entry VALUES ({marks})", rows)  # noqa: S608
        db.executemany("INSERT OR IGNORE INTO key VALUES (?, ?, ?)", keys)
        db.executemany("INSERT INTO link VALUES (?, ?, ?, ?, ?, ?)", links)
        db.executemany("INSERT INTO problem VALUES (?, ?, ?, ?)", problems)
        for part in (rows, keys, links, problems):
            part.clear()

    def _drop_lookups(self, number: int) -> None:
        self.catalog.db.execute("DELETE FROM key WHERE number = ?", (number,))
        self.catalog.db.execute("DELETE FROM link WHERE number = ?", (number,))

    def _unreadable(self, path: str, error: OSError, now: Snapshot) -> None:
        """Keep what is known about a file that can't be read, and say so."""
        if isinstance(error, FileNotFoundError):
            return  # gone since the walk: the next walk sees it
        db = self.catalog.db
        db.execute("DELETE FROM problem WHERE path = ? AND code = 'unreadable'", (path,))
        db.execute(
            "INSERT INTO problem VALUES (?, 0, 'unreadable', ?)",
            (path, f"the file can't be read: {error.strerror}"),
        )
        if not isinstance(error, PermissionError):
            folder, _, name = path.rpartition("/")
            now.listing[folder][name] = UNSURE  # an error of the moment: try again next time
        self.touched = True

    def note_oddities(self, now: Snapshot) -> None:
        """Links, names and folders that the walk could not use are findings too."""
        db = self.catalog.db
        self.catalog.put("unnamed", sum(1 for _, code, _ in now.odd if code == "bad-name"))
        db.execute("DELETE FROM problem WHERE line < 0")
        db.executemany(
            "INSERT INTO problem VALUES (?, -1, ?, ?)",
            [(path, code, why) for path, code, why in now.odd],
        )

    # -- passages ---------------------------------------------------------------------------

    def _hand_over(self, row: Row, parsed: Parsed, *, is_known: bool) -> None:
        writer = self._open()
        if writer is None:
            return
        if is_known:
            writer.forget((row.number,))
        for fields in documents_of(row, parsed):
            writer.add(**fields)
        if row.fts == 0:
            self.done.append((row.number, row.digest))

    def _open(self) -> Writer | None:
        if self.writer is None and self.wait_s >= 0:
            deadline = time.monotonic() + self.wait_s
            pause = 0.005
            while True:
                try:
                    self.writer = Writer(self.full_text, bulk=self.bulk)
                    break
                except WriterBusy:
                    if time.monotonic() >= deadline:
                        self.wait_s = -1.0  # what we hold back now is pending
                        return None
                    time.sleep(pause)
                    pause = min(pause * 1.5, 0.1)
            if self.fresh:
                self.writer.clear()
            doomed = [number for (number,) in self.catalog.db.execute("SELECT number FROM doomed")]
            self.writer.forget(doomed)
            self.done += [(number, b"") for number in doomed]
        return self.writer

    def abandon(self) -> None:
        """Let go of the writer without a commit."""
        self.writer = None

    def finish(self) -> None:
        """Commit the passages, then take the marks away."""
        db = self.catalog.db
        if self.writer is None and db.execute("SELECT 1 FROM doomed LIMIT 1").fetchone():
            self._open()
        if self.writer is None:
            return
        if self.progress is not None and self.bulk:
            self.progress("committing", 0, 0)
        settle = self.bulk or self.full_text.segments > SEGMENTS
        self.writer.commit(settle=settle)
        self.writer = None
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "UPDATE entry SET fts = 1 WHERE number = ? AND digest = ?",
            [item for item in self.done if item[1]],
        )
        db.executemany(
            "DELETE FROM doomed WHERE number = ?", [item[:1] for item in self.done if not item[1]]
        )
        db.execute("COMMIT")
