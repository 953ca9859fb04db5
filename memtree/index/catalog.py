"""The catalog: one row per entry, and what the exact and fuzzy tiers look up. A SQLite file.

It is a cache: delete it and the next command rebuilds it. It also is the ledger of the full-text
index: `fts = 0` marks a row whose passages are not in there yet (pending), and `doomed` holds the
numbers whose passages must still go. Both survive a crash: nothing is dropped, no ghost stays.

On the hot path of a search: imports SQLite and marshal only.
"""

from __future__ import annotations

import marshal
import os

try:
    # The public module adds converters of dates that nothing here uses, for 2 ms of every start.
    import _sqlite3 as sqlite3
except ImportError:  # another Python may keep it elsewhere
    import sqlite3  # type: ignore[no-redef]

from memtree.index.row import COLUMNS, Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Catalog", "Damaged", "DatabaseError", "OperationalError", "sqlite3"]

FILE = "catalog.db"
DatabaseError = sqlite3.DatabaseError
OperationalError = sqlite3.OperationalError

_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE entry (
  number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, id TEXT NOT NULL, title TEXT NOT NULL,
  type TEXT NOT NULL, description TEXT NOT NULL, tags TEXT NOT NULL, importance REAL NOT NULL,
  maturity TEXT NOT NULL, created TEXT NOT NULL, used TEXT NOT NULL, speaker TEXT NOT NULL,
  time TEXT NOT NULL, session TEXT NOT NULL, turn INTEGER NOT NULL, lines INTEGER NOT NULL,
  size INTEGER NOT NULL, digest BLOB NOT NULL, fts INTEGER NOT NULL, titled INTEGER NOT NULL,
  standing TEXT NOT NULL, generation INTEGER NOT NULL);
CREATE INDEX entry_generation ON entry (generation, number);
CREATE INDEX entry_pending ON entry (number) WHERE fts = 0;
CREATE INDEX entry_session ON entry (session, turn) WHERE session <> '';
CREATE TABLE key (key TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL,
  PRIMARY KEY (key, number, kind)) WITHOUT ROWID;
CREATE INDEX key_number ON key (number);
CREATE TABLE link (number INTEGER NOT NULL, target TEXT NOT NULL, kind TEXT NOT NULL,
  line INTEGER NOT NULL, rel TEXT NOT NULL, stem TEXT NOT NULL);
CREATE INDEX link_number ON link (number);
CREATE INDEX link_stem ON link (stem);
CREATE TABLE problem (path TEXT NOT NULL, line INTEGER NOT NULL, code TEXT NOT NULL,
  message TEXT NOT NULL);
CREATE INDEX problem_path ON problem (path);
CREATE TABLE doomed (number INTEGER PRIMARY KEY);
CREATE TABLE gone (number INTEGER PRIMARY KEY, generation INTEGER NOT NULL);
CREATE INDEX gone_generation ON gone (generation);
"""

# An index made by another version of this file is rebuilt, never misread.
# Raised with every change of the schema; a test compares its checksum.
VERSION = 4


# How marshal begins a list, a tuple and two kinds of sets, with and without its mark for sharing.
_LISTS = frozenset(bytes([ord(kind) | flag]) for kind in "[(<>" for flag in (0, 0x80))


class Damaged(Exception):  # noqa: N818  (a state, caught and answered by a rebuild)
    """The catalog can't be used as it is: missing, of another version, or broken."""


class Catalog:
    """An open catalog. One per process is enough; not for use across threads."""

    def __init__(self, folder: str, *, create: bool = False) -> None:
        self.folder = folder
        path = os.path.join(folder, FILE)
        try:
            if create:
                os.makedirs(folder, exist_ok=True)
                self.db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
                self._prepare()
            else:
                if not os.path.exists(path):
                    raise Damaged("there is no catalog yet")
                self.db = self._opened(path)
            self._identity = _identity(path)
            version = self.number("version")
        except (sqlite3.DatabaseError, ValueError, EOFError, TypeError) as error:
            raise Damaged(f"the catalog can't be read: {error}") from error
        if version != VERSION:
            self.db.close()
            raise Damaged("the catalog is of another version")

    def _opened(self, path: str) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        try:
            db.execute("SELECT 1 FROM meta").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if "readonly" not in str(error) and "unable to open" not in str(error):
                raise
            # A disk that can't be written has nobody who writes: what is there holds.
            quoted = path.replace("?", "%3f").replace("#", "%23")
            address = f"file:{quoted}?mode=ro&immutable=1"
            db = sqlite3.connect(address, uri=True, isolation_level=None)
        return db

    def _prepare(self) -> None:
        # A crash of the machine may cost the cache, never knowledge: no fsync per commit.
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = OFF")
        found = self.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if not found:
            self.db.executescript("BEGIN;" + _SCHEMA + "COMMIT;")
            self.put("version", VERSION)
            # Numbers of entries begin anew with every catalog: what names them names it too.
            self.put("birth", os.urandom(8))

    @property
    def birth(self) -> bytes:
        """Tells this catalog from one that a rebuild put in its place."""
        found = self.value("birth")
        return found if isinstance(found, bytes) else b""

    def is_replaced(self) -> bool:
        """Whether a rebuild has put another file in the place of the one that is open here."""
        return _identity(os.path.join(self.folder, FILE)) != self._identity

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    # -- small facts ------------------------------------------------------------------------

    def value(self, name: str) -> object:
        """A fact about the index, or None."""
        found = self.db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if found is None:
            return None
        raw = found[0]
        # A list that says it is longer than its bytes is made in full before that is found out.
        if raw[:1] in _LISTS and int.from_bytes(raw[1:5], "little") > len(raw):
            raise ValueError("a list without its items")
        return marshal.loads(raw)  # noqa: S302  (our own cache)

    def number(self, name: str) -> int:
        """A fact that is a number; 0 when it is not there."""
        # Not read when it is too long for a number: whoever made it meant to make us work.
        found = self.db.execute(
            "SELECT value FROM meta WHERE name = ? AND length(value) < 32", (name,)
        ).fetchone()
        value = None if found is None else marshal.loads(found[0])  # noqa: S302  (our own cache)
        return value if isinstance(value, int) else 0

    def put(self, name: str, value: object) -> None:
        """Set a fact: numbers, text, bytes, tuples and dicts of these."""
        self.db.execute(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            (name, marshal.dumps(value, 4)),  # type: ignore[arg-type]
        )

    def count(self) -> int:
        """How many entries there are (noted by every refresh: counting rows reads them all)."""
        return self.number("entries")

    def recount(self) -> None:
        """Note how many entries there are."""
        self.put("entries", self.db.execute("SELECT count(*) FROM entry").fetchone()[0])

    def pending(self) -> int:
        """How many changes the full-text index does not hold yet."""
        waiting, doomed = self.db.execute(
            "SELECT (SELECT count(*) FROM entry WHERE fts = 0), (SELECT count(*) FROM doomed)"
        ).fetchone()
        return int(waiting) + int(doomed)

    # -- rows -------------------------------------------------------------------------------

    def rows(self, numbers: Iterable[int]) -> dict[int, Row]:
        """The rows of these numbers, those that exist."""
        wanted = sorted(set(numbers))
        found: dict[int, Row] = {}
        for start in range(0, len(wanted), 500):  # SQLite bounds the variables of a statement
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            for values in self.db.execute(
                f"SELECT {COLUMNS} FROM entry WHERE number IN ({marks})",  # noqa: S608
                part,
            ):
                row = Row(values)
                found[row.number] = row
        return found

    def all_rows(self, scope: str = "") -> Iterator[Row]:
        """Every row below a folder, in the order of their paths."""
        if scope:
            found = self.db.execute(
                f"SELECT {COLUMNS} FROM entry WHERE path > ? AND path < ? ORDER BY path",  # noqa: S608
                (scope + "/", scope + "0"),  # "0" follows "/" in every ordering of bytes
            )
        else:
            found = self.db.execute(f"SELECT {COLUMNS} FROM entry ORDER BY path")  # noqa: S608
        for values in found:
            yield Row(values)

    def unnamed(self) -> int:
        """How many files could not be taken in because their names are no text here."""
        return self.number("unnamed")

    def has_folder(self, scope: str) -> bool:
        """Whether any entry lies below a folder."""
        found = self.db.execute(
            "SELECT 1 FROM entry WHERE path > ? AND path < ? LIMIT 1", (scope + "/", scope + "0")
        )
        return found.fetchone() is not None

    def by_path(self, path: str) -> Row | None:
        """The row of one path, or None."""
        found = self.db.execute(
            f"SELECT {COLUMNS} FROM entry WHERE path = ?",  # noqa: S608
            (path,),
        ).fetchone()
        return None if found is None else Row(found)

    def by_key(self, key: str, scope: str = "", limit: int = 50) -> list[tuple[Row, str]]:
        """Entries that answer to a key (see `index.keys`), with the kind of the key."""
        columns = ", ".join("e." + column for column in COLUMNS.split(", "))
        sql = (
            f"SELECT k.kind, {columns}"  # noqa: S608  (names of this file)
            " FROM key k JOIN entry e ON e.number = k.number WHERE k.key = ? AND k.kind <> 'name'"
        )
        parameters: list[object] = [key]
        if scope:
            sql += " AND e.path > ? AND e.path < ?"
            parameters += [scope + "/", scope + "0"]
        found = self.db.execute(sql + " ORDER BY e.path LIMIT ?", (*parameters, limit))
        return [(Row(values[1:]), values[0]) for values in found]

    def named(self, keys: Iterable[str]) -> dict[int, tuple[str, str, str, tuple[str, ...]]]:
        """Number -> (path, id, title, aliases) of entries with one of these keys, of any kind."""
        numbers: set[int] = set()
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            numbers.update(
                number
                for (number,) in self.db.execute(
                    f"SELECT number FROM key WHERE key IN ({marks})",  # noqa: S608
                    part,
                )
            )
        aliases: dict[int, list[str]] = {}
        for number, key, kind in self.keys_of(numbers):
            if kind == "alias":
                aliases.setdefault(number, []).append(key)
        return {
            number: (row.path, row.id, row.title, tuple(aliases.get(number, ())))
            for number, row in self.rows(numbers).items()
        }

    def summary(self) -> dict[str, object]:
        """Count entries, folders, bytes and maturities, in one pass of SQLite's own."""
        entries, size, indexed = self.db.execute(
            "SELECT count(*), coalesce(sum(size), 0), coalesce(sum(fts), 0) FROM entry"
        ).fetchone()
        (folders,) = self.db.execute(
            "SELECT count(DISTINCT rtrim(path, replace(path, '/', ''))) FROM entry"
        ).fetchone()
        maturity = dict(
            self.db.execute("SELECT maturity, count(*) FROM entry GROUP BY maturity").fetchall()
        )
        (problems,) = self.db.execute("SELECT count(*) FROM problem").fetchone()
        return {
            "entries": entries, "folders": folders, "bytes": size, "maturity": maturity,
            "indexed": indexed, "pending": self.pending(), "problems": problems,
        }  # fmt: skip

    def keys_of(self, numbers: Iterable[int]) -> list[tuple[int, str, str]]:
        """(number, key, kind) of every key of these entries."""
        found: list[tuple[int, str, str]] = []
        wanted = sorted(set(numbers))
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            found += self.db.execute(
                f"SELECT number, key, kind FROM key WHERE number IN ({marks})",  # noqa: S608
                part,
            ).fetchall()
        return found

    def called(self, keys: Iterable[str], limit: int = 200) -> list[tuple[int, str]]:
        """(number, key) of the entries that have one of these keys as title, alias or path."""
        found: list[tuple[int, str]] = []
        wanted = sorted(set(keys))
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            found += self.db.execute(
                f"SELECT number, key FROM key WHERE key IN ({marks}) "  # noqa: S608
                "AND kind IN ('title', 'alias', 'path') LIMIT ?",
                (*part, limit),
            ).fetchall()
        return found

    def turns(self, wanted: set[tuple[str, int]]) -> list[int]:
        """The entries that are these (session, turn)s; some hundreds at most."""
        sessions: dict[str, list[int]] = {}
        for session, turn in wanted:
            if session:
                sessions.setdefault(session, []).append(turn)
        found: list[int] = []
        for session, turns in sorted(sessions.items()):
            # One statement a session: SQLite uses no index for pairs of values.
            marks = ",".join("?" * len(turns))
            found += [
                number
                for (number,) in self.db.execute(
                    f"SELECT number FROM entry WHERE session = ? AND turn IN ({marks}) "  # noqa: S608
                    "AND session <> ''",
                    (session, *turns),
                )
            ]
        return found

    def read_since(self, mark: tuple[int, int], limit: int) -> list[Row]:
        """Rows after a mark of (generation, number), in that order, `limit` at most."""
        found: list[Row] = []
        # Two statements: SQLite uses the index for one comparison of a pair only.
        for where, values in (
            ("generation = ? AND number > ? ORDER BY number", mark),
            ("generation > ? ORDER BY generation, number", mark[:1]),
        ):
            sql = f"SELECT {COLUMNS} FROM entry WHERE {where} LIMIT ?"  # noqa: S608
            found += [Row(row) for row in self.db.execute(sql, (*values, limit - len(found)))]
        return found

    def count_since(self, mark: tuple[int, int]) -> int:
        """How many rows come after a mark of (generation, number)."""
        generation, number = mark
        first = "SELECT count(*) FROM entry WHERE generation = ? AND number > ?"
        later = "SELECT count(*) FROM entry WHERE generation > ?"
        return int(
            self.db.execute(first, (generation, number)).fetchone()[0]
            + self.db.execute(later, (generation,)).fetchone()[0]
        )

    def gone_since(self, generation: int) -> list[int]:
        """Numbers of the entries that were taken out by a refresh after `generation`."""
        found = self.db.execute("SELECT number FROM gone WHERE generation > ?", (generation,))
        return [number for (number,) in found]

    def numbers_below(self, scope: str) -> set[int]:
        """The numbers of all entries below a folder."""
        found = self.db.execute(
            "SELECT number FROM entry WHERE path > ? AND path < ?", (scope + "/", scope + "0")
        )
        return {number for (number,) in found}

    def links_from(self, number: int) -> list[tuple[str, str, int, str]]:
        """(target, kind, line, rel) of the links in one entry, in the order of its lines."""
        return self.db.execute(
            "SELECT target, kind, line, rel FROM link WHERE number = ? ORDER BY line, rowid",
            (number,),
        ).fetchall()

    def links_like(self, stems: Sequence[str]) -> list[tuple[int, str, str, int, str]]:
        """(number, target, kind, line, rel) of links whose last part may name one of `stems`."""
        marks = ",".join("?" * len(stems))
        return self.db.execute(
            f"SELECT number, target, kind, line, rel FROM link WHERE stem IN ({marks})",  # noqa: S608
            list(stems),
        ).fetchall()

    def names(self) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
        """(path, id, title, aliases) of every entry: what links may name."""
        aliases: dict[int, list[str]] = {}
        for number, key in self.db.execute("SELECT number, key FROM key WHERE kind = 'alias'"):
            aliases.setdefault(number, []).append(key)
        found = self.db.execute("SELECT number, path, id, title FROM entry ORDER BY path")
        for number, path, identity, title in found:
            yield path, identity, title, tuple(aliases.get(number, ()))

    def problems(self) -> list[tuple[str, int, str, str]]:
        """(path, line, code, message) of everything that reading found."""
        return self.db.execute(
            "SELECT path, line, code, message FROM problem ORDER BY path, line, code"
        ).fetchall()


def _identity(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return (0, 0)
    return (status.st_dev, status.st_ino)
