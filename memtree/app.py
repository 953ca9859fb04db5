"""The one place where things are wired together: an open tree, and what can be done with it.

The command line is a thin shell over `Tree`; so is any program that says
`from memtree import open_tree`. Nothing is loaded before it is needed: a tree that only answers
questions never loads what writes.
"""

from __future__ import annotations

import os
import time

from memtree.asking import Asking
from memtree.consulting import Consulting
from memtree.curating import Curating
from memtree.errors import EntryNotFound
from memtree.hosting import Hosting
from memtree.index.row import Row
from memtree.tree.locate import locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from memtree.care import DoctorRow
    from memtree.connections import Links
    from memtree.exchange.report import ImportReport
    from memtree.knowledge.anchor import SourceState
    from memtree.knowledge.entry import Entry
    from memtree.knowledge.problem import Problem
    from memtree.lifecycle.consolidate import Consolidation
    from memtree.lifecycle.figures import Stats
    from memtree.lifecycle.supersede import Superseded
    from memtree.lifecycle.telling import Told
    from memtree.tree.links import LinkIndex
    from memtree.tree.receipt import Receipt
    from memtree.tree.store import Moved, Written
    from memtree.vouching import Anchored, Ask, Verified

    Progress = Callable[[str, int, int], None]

__all__ = ["Row", "Tree", "init_tree", "open_tree"]


def open_tree(path: str | None = None, *, max_age: float = 0.0) -> Tree:
    """Open the tree at `path`, or the one that the working directory belongs to.

    `max_age` is how many seconds old a look at the files may be before a question makes a new one:
    0 looks before every question (a walk, not a read), as the command line does. Raises
    TreeNotFound.
    """
    return Tree(locate(path), max_age=max_age)


def init_tree(directory: str | None = None, template: str = "blank") -> Tree:
    """Make a tree in `directory` (None: here, or in `memory/` of a code repository).

    Nothing that exists is changed. The language of the notes that are there already is recognised
    and written into the new settings. Raises UsageError, Refused, PathRefused, StorageFailed, and
    TreeNotFound when the working directory is needed and gone.
    """
    from memtree.tree import locate as places

    start = places.working_directory(directory, hint="name a folder: memtree init /WHERE/IT/IS")
    made = places.init_tree(directory, start=start, template=template)
    return Tree(made.root)


class Tree(Hosting, Curating, Consulting, Asking):
    """An open tree. Not for use by several threads at once; open one each."""

    # -- looking ----------------------------------------------------------------------------

    def resolve(self, ref: str) -> str:
        """The path of the entry called `ref`: a path, an id, a title or an alias.

        Raises EntryNotFound, with the nearest name as a hint.
        """
        from memtree.retrieve.naming import resolve

        return resolve(self.engine(), ref)

    def raw(self, path: str) -> bytes:
        """The bytes of an entry, by its path."""
        from memtree.tree.read import read_entry_bytes

        return read_entry_bytes(self.root, path)

    def get(self, ref: str) -> Entry:
        """An entry, read from its file."""
        from memtree.tree.read import read_entry

        return read_entry(self.root, self.resolve(ref))

    def rows(self, scope: str = "") -> list[Row]:
        """What the catalog knows of every entry below a folder, in the order of their paths."""
        return list(self.engine().catalog.all_rows(_scope(scope)))

    def link_index(self) -> LinkIndex:
        """Where every name of the tree leads."""
        from memtree.tree.links import LinkIndex

        catalog = self.engine().catalog
        generation = catalog.number("generation")
        if self._links is None or self._links[0] != generation:
            self._links = generation, LinkIndex(catalog.names())
        return self._links[1]

    def links(self, ref: str) -> Links:
        """What an entry links to, and what links to it."""
        from memtree.connections import links_of

        return links_of(self, self.resolve(ref))

    def check(self, *, scope: str = "", fix: bool = False) -> list[Problem]:
        """Findings about the knowledge; `fix` repairs what is safe, in one transaction."""
        from memtree.knowledge.problem import Problem
        from memtree.tree.check import check

        known = [
            Problem(path=path, line=max(0, line), code=code, message=message)
            for path, line, code, message in self.engine().problems()
        ]
        return check(
            self.root, [row.path for row in self.rows(scope)], index=self.link_index(),
            known=known, at=_now(), fix=fix,
        )  # fmt: skip

    def status(self) -> dict[str, object]:
        """The tree at a glance."""
        from memtree.care import status

        return status(self)

    def stats(self, *, now: str | None = None) -> Stats:
        """The tree's life in figures, now or at an ISO time. Raises UsageError for none."""
        from memtree.vitals import stats

        return stats(self, _day(now))

    def life(self, ref: str, *, now: str | None = None) -> Told:
        """Where the scores of an entry come from, now or at an ISO time. Raises UsageError."""
        from memtree.vitals import life

        return life(self, self.resolve(ref), _day(now))

    def doctor(self) -> list[DoctorRow]:
        """The machinery: index, locks, watcher, git, settings."""
        from memtree.care import doctor

        return doctor(self)

    # -- changing ---------------------------------------------------------------------------

    def add(
        self, text: str, *, to: str | None = None, title: str | None = None,
        tags: Sequence[str] = (), type: str | None = None,  # noqa: A002  (the format's word)
        sources: Sequence[str] = (), start: str = "",
    ) -> Written:  # fmt: skip
        """Write one new entry; no other is touched. `sources` as `anchor` takes them."""
        from memtree.tree.store import add

        at = _now()
        if sources:
            from memtree.vouching import sources_for

            made = sources_for(self.root, sources, at=at, start=start or self.root, text=text)
        else:
            made = []
        return add(
            self.root, text, to=to, title=title, tags=tags, type=type, sources=made, at=at,
            random_bytes=os.urandom(8), wait_s=self._patience(),
        )  # fmt: skip

    def anchor(self, ref: str, sources: Sequence[str], *, start: str = "") -> Anchored:
        """Add sources to an entry: `FILE:10-24` with the digest that it has now, or a URL.

        FILE is relative to `start`, else to the tree, else to the repository that it lies in.
        """
        from memtree.vouching import anchor

        return anchor(
            self.root, self.resolve(ref), sources, at=_now(), start=start or self.root,
            wait_s=self._patience(),
        )  # fmt: skip

    def verify(self, refs: Sequence[str], *, by: str, take: Ask | None = None) -> Verified:
        """Write down that `by` confirmed these entries today, and note it as a use.

        `take(path, state, lines)` decides whether a source that changed is taken as it is now.
        """
        from memtree.vouching import verify

        return verify(
            self.root, [self.resolve(ref) for ref in refs], by=by, at=_now(),
            take=take or (lambda *_: False), wait_s=self._patience(),
        )  # fmt: skip

    def sources(self, ref: str) -> list[SourceState]:
        """What an entry rests on, and whether that is still so."""
        from memtree.tree.anchors import states

        return states(self.root, self.get(ref).meta)

    def write(self, path: str, data: bytes, *, expected: bytes | None) -> Receipt:
        """Replace the bytes of an entry; raises EntryChanged when it is not as `expected`."""
        from memtree.tree.store import write_raw

        return write_raw(
            self.root, path, data, expected=expected, at=_now(), wait_s=self._patience()
        )

    def set_keys(self, ref: str, changes: Mapping[str, object | None]) -> Receipt:
        """Set front matter keys; None deletes one; every other byte stays."""
        from memtree.tree.store import edit_keys

        return edit_keys(self.root, self.resolve(ref), changes, at=_now(), wait_s=self._patience())

    def move(self, source: str, target: str) -> Moved:
        """Move an entry or a folder; every link to it is rewritten."""
        from memtree.tree.store import move

        try:
            path = self.resolve(source)
        except EntryNotFound:
            path = _scope(source)  # a folder
        return move(
            self.root, path, target, index=self.link_index(), at=_now(), linking=self._linking,
            wait_s=self._patience(),
        )  # fmt: skip

    def remove(self, refs: Sequence[str]) -> Receipt:
        """Remove entries, all or none; `undo` brings them back."""
        from memtree.tree.store import remove

        paths = [self.resolve(ref) for ref in refs]
        return remove(self.root, paths, at=_now(), wait_s=self._patience())

    # -- living -----------------------------------------------------------------------------

    def consolidate(
        self, *, now: str | None = None, dry_run: bool = False, yes: bool = False
    ) -> Consolidation:
        """Settle importance and maturity of all entries, and archive what faded.

        `now` is an ISO 8601 time, by default this moment. `yes` lets more than a quarter of the
        tree be archived at once.
        """
        from memtree.living import consolidate

        return consolidate(self, now=now or _now(), dry_run=dry_run, yes=yes)

    def supersede(self, old: str, new: str, *, since: str = "") -> Superseded:
        """Put one entry in the place of another, from the date `since` (today)."""
        from memtree.living import supersede

        return supersede(self, old, new, at=_now(), since=since)

    def note_use(self, event: str, paths: Sequence[str]) -> bool:
        """Note that entries were `opened`, `cited`, `confirmed` or `edited`; never fails."""
        from memtree.living import note_use

        return note_use(self, event, paths)

    def _linking(self, names: set[str]) -> Iterable[str]:
        from memtree.connections import holding_links_to

        return holding_links_to(self, names)

    def _patience(self) -> float:
        return self.config.number("write.wait")

    # -- history ----------------------------------------------------------------------------

    def history(self, limit: int = 20) -> list[Receipt]:
        """The transactions, newest first."""
        from memtree.tree.history import transactions

        return transactions(self.root, limit)

    def undo(self, txn: str | None = None) -> Receipt:
        """Take back the last transaction, or a named one; itself a transaction."""
        from memtree.tree.history import undo

        return undo(self.root, txn, at=_now(), wait_s=self._patience())

    def diff(
        self, txn: str | None = None, *, rev: str | None = None, path: str | None = None
    ) -> str:
        """What a transaction changed (default: the last), or what changed since a git revision."""
        from memtree.tree.compare import diff

        return diff(self.root, txn, rev=rev, path=path)

    def restore(self, ref: str, *, rev: str | None = None) -> Receipt:
        """Bring an entry back from the archive, as it was before its last change, or at a revision.

        `rev` is a git revision or the id of a transaction.
        """
        from memtree.living import restore_stub
        from memtree.tree.compare import restore

        try:
            path = self.resolve(ref)
            receipt = None if rev is not None else restore_stub(self, path, at=_now())
        except EntryNotFound:
            path, receipt = ref, None
        if receipt is not None:
            return receipt
        return restore(self.root, path, rev=rev, at=_now(), wait_s=self._patience())

    # -- in and out -------------------------------------------------------------------------

    def import_paths(
        self, paths: Sequence[str], *, kind: str = "auto", into: str = "", dry_run: bool = False,
        progress: Progress | None = None,
    ) -> ImportReport:  # fmt: skip
        """Bring knowledge in; a second run of the same changes nothing."""
        from memtree.exchange import import_paths

        known = {row.id: row.path for row in self.rows() if row.id}
        return import_paths(
            self.root, paths, kind=kind, into=into, dry_run=dry_run, at=_now(),
            known_ids=known, progress=progress, wait_s=self._patience(),
        )  # fmt: skip

    def export(
        self,
        kind: str,
        *,
        scope: str = "",
        to: str | None = None,
        left_out: Callable[[str], None] | None = None,
    ) -> Iterator[bytes]:
        """Take knowledge out: as bytes for jsonl and json, into a folder for the others.

        `left_out` is called with the path of each entry that can't be read.
        """
        from memtree.exchange import export

        return export(
            self.root, [row.path for row in self.rows(scope)], kind, scope=_scope(scope), to=to,
            left_out=left_out,
        )  # fmt: skip


def _scope(text: str) -> str:
    from memtree.knowledge.path import parse_scope

    return parse_scope(text)


def _day(now: str | None) -> float:
    """Days since 1970: of an ISO time, else of now to the millisecond, as uses are noted."""
    from memtree.knowledge.lifecycle import day_number
    from memtree.living import moment

    return time.time() / 86_400 if now is None else day_number(moment(now)) or 0.0


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
