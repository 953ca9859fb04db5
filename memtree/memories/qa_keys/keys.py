"""All stored questions by their words: made from the sidecar and the headings, safe to delete.

A database file in the plugin's cache, so that a command that asks one question reads a few rows of
fifty thousand. It follows the tree by `on_change`, and the sidecar by its stamp: people edit that.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from memtree.errors import StorageFailed
from memtree.memories.qa_keys import headings
from memtree.memories.qa_keys.asking import taken_apart
from memtree.memories.qa_keys.pairs import FOLDER, HEADING, LLM, Pair, name_of, read
from memtree.memories.qa_keys.synonyms import SENSE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memtree.plugins import Context, EntryRef

FILE = "keys.db"
VERSION = 2
_SOME = 50  # files that are looked at for the maker of pairs
RAREST = 4
"""Words of a question that stored ones are looked up by: one of them is in each that is the same,
unless all are slips of the pen."""
MOST = 400
"""Stored questions that one word may bring: a word of more is no key."""
LOOKED_AT = 60
"""Stored questions that are compared with the one that is asked."""
_MAKE = """
DROP TABLE IF EXISTS pair;
DROP TABLE IF EXISTS word;
DROP TABLE IF EXISTS note;
CREATE TABLE IF NOT EXISTS pair (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL, q TEXT NOT NULL, a TEXT NOT NULL,
    first INTEGER, last INTEGER, digest TEXT, by TEXT, plain TEXT);
CREATE INDEX IF NOT EXISTS pair_path ON pair (path);
CREATE INDEX IF NOT EXISTS pair_plain ON pair (plain);
CREATE TABLE IF NOT EXISTS word (word TEXT NOT NULL, pair INTEGER NOT NULL,
    PRIMARY KEY (word, pair)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS word_pair ON word (pair);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
"""


class Keys:
    """The stored questions of a tree, open."""

    def __init__(self, base: sqlite3.Connection) -> None:
        self._base = base

    def commit(self) -> None:
        """Keep what was changed."""
        self._base.commit()

    # -- asking -----------------------------------------------------------------------------

    def near(self, text: str) -> list[tuple[str, Pair]]:
        """(path, pair) of the stored questions that may be the same, most words in common first."""
        asked = taken_apart(text)
        found = dict.fromkeys(
            number for (number,) in self._base.execute(
                "SELECT id FROM pair WHERE plain = ? ORDER BY id LIMIT ?", (asked.plain, LOOKED_AT)
            )
        )  # fmt: skip
        common: dict[int, int] = {}
        for word in self._rarest(keys_of(text)):
            for (number,) in self._base.execute("SELECT pair FROM word WHERE word = ?", (word,)):
                common[number] = common.get(number, 0) + 1
        best = sorted(common, key=lambda number: (-common[number], number))
        found.update(dict.fromkeys(best[:LOOKED_AT]))
        return list(self._pairs("id IN (%s)" % ",".join("?" * len(found)), list(found)))  # noqa: UP031

    def _rarest(self, words: Iterable[str]) -> list[str]:
        counted = []
        for word in sorted(words):
            (count,) = self._base.execute(
                "SELECT count(*) FROM (SELECT 1 FROM word WHERE word = ? LIMIT ?)", (word, MOST + 1)
            ).fetchone()
            if 0 < count <= MOST:
                counted.append((count, word))
        return [word for _, word in sorted(counted)[:RAREST]]

    def _pairs(self, where: str, values: Sequence[object]) -> Iterator[tuple[str, Pair]]:
        order = {value: place for place, value in enumerate(values)}
        rows = self._base.execute(
            f"SELECT id, path, q, a, first, last, digest, by FROM pair WHERE {where}",  # noqa: S608  (no word of a question)
            values,
        ).fetchall()
        rows.sort(key=lambda row: order.get(row[0], row[0]))
        for _, path, question, answer, first, last, digest, by in rows:
            yield path, Pair(question, answer, (first, last), digest, by)

    def of(self, path: str) -> list[Pair]:
        """The pairs of one entry."""
        return [pair for _, pair in self._pairs("path = ?", [path])]

    def all(self, scope: str = "", limit: int = 1000) -> list[tuple[str, Pair]]:
        """(path, pair) below a folder, by path."""
        head = f"{scope.strip('/')}/" if scope.strip("/") else ""
        rows = self._base.execute(
            "SELECT path, q, a, first, last, digest, by FROM pair"
            " WHERE substr(path, 1, ?) = ? ORDER BY path, id LIMIT ?",
            (len(head), head, limit),
        )
        return [(path, Pair(q, a, (first, last), digest, by))
                for path, q, a, first, last, digest, by in rows]  # fmt: skip

    def counts(self) -> dict[str, int]:
        """How many pairs there are, by who made them."""
        rows = self._base.execute("SELECT by, count(*) FROM pair GROUP BY by ORDER BY by")
        return {str(by): int(count) for by, count in rows}

    # -- following --------------------------------------------------------------------------

    def note(self, name: str) -> str:
        """Something noted; "" for nothing."""
        row = self._base.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_note(self, name: str, value: str) -> None:
        """Note something."""
        self._base.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value))

    def forget(self, path: str, *, only_stored: bool = False) -> None:
        """Take an entry's pairs out; with `only_stored` its headings stay."""
        but = " AND by <> 'heading'" if only_stored else ""
        self._base.execute(
            f"DELETE FROM word WHERE pair IN (SELECT id FROM pair WHERE path = ?{but})",  # noqa: S608
            (path,),
        )
        self._base.execute(f"DELETE FROM pair WHERE path = ?{but}", (path,))  # noqa: S608

    def put(self, path: str, pairs: Iterable[Pair]) -> None:
        """Add pairs of an entry."""
        for pair in pairs:
            asked = taken_apart(pair.question)
            made = self._base.execute(
                "INSERT INTO pair (path, q, a, first, last, digest, by, plain)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (path, pair.question, pair.answer, *pair.lines, pair.digest, pair.by, asked.plain),
            )
            self._base.executemany(
                "INSERT OR IGNORE INTO word VALUES (?, ?)",
                [(word, made.lastrowid) for word in keys_of(pair.question)],
            )

    def follow_stored(
        self, ctx: Context, *, only: Sequence[EntryRef] | None = None, within: float = 0.0
    ) -> int:
        """Take the pairs of the sidecar as they are now, of all entries or of `only` some.

        With `within` seconds it stops then and goes on from there the next time: what it has not
        come to is as it was. Gives how many files are left.
        """
        if only is not None:
            for ref in only:
                self._take(ref.path, ctx, name_of(ref.id))
            self.set_note("stamp", ctx.sidecar.stamp())
            return 0
        stamp, started = ctx.sidecar.stamp(), time.monotonic()
        done = self.note("done") if self.note("reading") == stamp else ""
        waiting = [name for name in ctx.sidecar.names(FOLDER) if name > done]
        paths = {name_of(ref.id): ref.path for ref in ctx.tree.entries()}
        if not done:
            kept = {paths[name] for name in waiting if name in paths}
            rows = self._base.execute("SELECT DISTINCT path FROM pair WHERE by <> 'heading'")
            for (path,) in rows.fetchall():
                if path not in kept:
                    self.forget(path, only_stored=True)
        for number, name in enumerate(waiting):
            if within and number and time.monotonic() - started > within:
                return len(waiting) - number
            if not within and number % 100 == 0:
                ctx.progress("reading stored questions", number, len(waiting))
            if name in paths:
                self._take(paths[name], ctx, name)
            self.set_note("reading", stamp)
            self.set_note("done", name)
        self.set_note("stamp", stamp)
        return 0

    def _take(self, path: str, ctx: Context, name: str) -> None:
        """Take the pairs of one file."""
        self.forget(path, only_stored=True)
        self.put(path, read(ctx.sidecar.read(name)))

    def follow_headings(self, ctx: Context, refs: Sequence[EntryRef]) -> None:
        """Take the questions among the headings of entries."""
        for number, ref in enumerate(refs):
            if len(refs) > 200 and number % 100 == 0:
                ctx.progress("reading headings", number, len(refs))
            self._base.execute(
                "DELETE FROM word WHERE pair IN (SELECT id FROM pair WHERE path = ? AND by = ?)",
                (ref.path, HEADING),
            )
            self._base.execute("DELETE FROM pair WHERE path = ? AND by = ?", (ref.path, HEADING))
            entry = ctx.tree.get(ref.path)
            if entry is not None:
                self.put(ref.path, headings.pairs_of(entry))


def keys_of(question: str) -> set[str]:
    """What a question is looked up by: its stems and their senses."""
    found: set[str] = set()
    for each in taken_apart(question).stems:
        found |= SENSE.get(each, frozenset((each,)))
    return {each for each in found if not each.startswith("=")} or found


@contextlib.contextmanager
def opened(ctx: Context, *, stamp: str = "", within: float = 0.0) -> Iterator[Keys]:
    """The stored questions, current with the sidecar; a damaged file is made again.

    With `stamp`, that of the sidecar before the caller wrote it, the caller follows what it wrote.
    With `within` (seconds) a question does not wait for many files that changed: what is not read
    yet is said, and read when the next one is asked.
    What was changed is kept when the block ends well. Raises StorageFailed.
    """
    stamp = stamp or ctx.sidecar.stamp()
    with contextlib.ExitStack() as open_base:
        try:
            keys = _current(ctx, open_base, stamp, within)
        except sqlite3.DatabaseError:
            open_base.close()
            forget_all(ctx)
            keys = _current(ctx, open_base, stamp, within)
        try:
            yield keys
            keys.commit()
        except sqlite3.DatabaseError as error:
            raise StorageFailed(f"the stored questions can't be looked up: {error}") from error


def _current(ctx: Context, open_base: contextlib.ExitStack, stamp: str, within: float) -> Keys:
    """The keys, made for a new file, or with what the sidecar says now."""
    base = open_base.enter_context(_base(ctx))
    keys = Keys(base)
    if not keys.note("headings"):
        keys.follow_headings(ctx, ctx.tree.entries())
        keys.set_note("headings", "read")
    if keys.note("stamp") != stamp:
        left = keys.follow_stored(ctx, within=within)
        if left:
            ctx.note(f"{left} files of stored questions are still to be read")
    base.commit()
    return keys


def forget_all(ctx: Context) -> None:
    """Remove the file: it is made again when it is next asked."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(ctx.cache.folder, FILE))


_by_model: dict[str, tuple[tuple[int, int, int], bool]] = {}
"""Path of a file -> its state when it was looked into, and whether it had pairs of a model."""


def made_by_model(ctx: Context) -> bool:
    """Whether there are pairs that a model made, without bringing anything up to date."""
    path = os.path.join(ctx.cache.folder, FILE)
    with contextlib.suppress(OSError, sqlite3.DatabaseError):
        status = os.stat(path)
        state = status.st_mtime_ns, status.st_size, status.st_ino
        if path not in _by_model or _by_model[path][0] != state:
            with _base(ctx) as base:
                found = base.execute("SELECT 1 FROM pair WHERE by = ? LIMIT 1", (LLM,)).fetchone()
            _by_model.clear()  # one tree at a time
            _by_model[path] = state, found is not None
        return _by_model[path][1]
    some = ctx.sidecar.names(FOLDER)[:_SOME]
    return any(pair.by == LLM for name in some for pair in read(ctx.sidecar.read(name)))


def _make(base: sqlite3.Connection) -> None:
    """Make the tables, unless another process did meanwhile: what it put in is not dropped."""
    base.execute("BEGIN IMMEDIATE")
    if base.execute("PRAGMA user_version").fetchone() != (VERSION,):
        for statement in filter(str.strip, _MAKE.split(";")):
            base.execute(statement)
        base.execute(f"PRAGMA user_version = {VERSION}")
    base.commit()


@contextlib.contextmanager
def _base(ctx: Context) -> Iterator[sqlite3.Connection]:
    base = sqlite3.connect(os.path.join(ctx.cache.folder, FILE), timeout=10.0)
    try:
        if base.execute("PRAGMA user_version").fetchone() != (VERSION,):
            _make(base)
        yield base
    finally:
        base.close()
