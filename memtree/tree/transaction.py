r"""Changes to the files of a tree: all of them or none, whatever happens meanwhile.

    with begin(root, command="add", at=now) as txn:
        data, seen = txn.read("notes/a.md")
        txn.write("notes/a.md", data + b"more\n", seen)
        txn.write("notes/b.md", b"new\n", ABSENT)
    txn.receipt.changes

Inside the block nothing is written: changes are staged in memory while the writer lock is held.
Leaving the block checks that every file is still what the writer believed, and commits; leaving
it by an exception leaves the tree untouched. `memtree.tree.journal` says how a crash is survived,
`memtree.tree.history` how a transaction is undone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

from memtree.errors import EntryChanged, PathRefused, Refused, StorageFailed
from memtree.tree.commit import Planned, changed_meanwhile, commit, next_id
from memtree.tree.lock import WriterLock, journal_pending, wait_quiet
from memtree.tree.place import Places, fold, plain
from memtree.tree.receipt import (
    ABSENT,
    ANY,
    Change,
    Fingerprint,
    Kind,
    Receipt,
    Recovery,
    fingerprint,
)
from memtree.tree.recovery import recover, recover_locked

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "ABSENT",
    "ANY",
    "Change",
    "Fingerprint",
    "Receipt",
    "Recovery",
    "Transaction",
    "begin",
    "fingerprint",
    "journal_pending",
    "recover",
    "wait_quiet",
]


class _Staged:
    """What shall become of one file: `data` None removes it; `base` None checks nothing."""

    __slots__ = ("base", "data", "mode")

    def __init__(self, data: bytes | None, base: Fingerprint | None, mode: int | None) -> None:
        self.data = data
        self.base = base
        self.mode = mode


def begin(
    root: str, *, command: str, at: str, by: str = "human", wait_s: float = 10.0
) -> Transaction:
    """Return a transaction on the tree at `root`, to be entered with `with`.

    `at` is an ISO 8601 time and `by` the actor; both go to the history. Entering takes the writer
    lock, waiting at most `wait_s` seconds (`Locked`), and settles a crashed transaction first
    (`Transaction.recovered`). Leaving raises `EntryChanged` when a file is no longer what the
    writer expected, `PathRefused` when a path leads out of the tree or through a link,
    `StorageFailed` when the disk is full, read-only or refuses; in each case nothing is changed.
    """
    return Transaction(root, command=command, at=at, by=by, wait_s=wait_s)


class Transaction:
    """Staged changes under the writer lock; made by `begin`, and used once.

    Attributes: `command` (what the history will say), `id` (sorts in the order of commits, unique
    in the tree; set on entering) and `recovered` (what was done about a crash before this
    transaction, or None). With `verbatim` a decomposed name means itself, even when it is absent
    and its composed twin is not: `undo` sets it, whose names come from a transaction.
    """

    __slots__ = (
        "_at",
        "_by",
        "_gone",
        "_lock",
        "_places",
        "_receipt",
        "_root",
        "_seen",
        "_staged",
        "command",
        "id",
        "recovered",
        "verbatim",
    )

    def __init__(self, root: str, *, command: str, at: str, by: str, wait_s: float) -> None:
        self._root = os.path.abspath(root)
        self.command = command
        self._at = at
        self._by = by
        self._lock = WriterLock(self._root, command=command, wait_s=wait_s)
        self._places = Places(self._root)
        self._staged: dict[str, _Staged] = {}
        self._seen: dict[str, Fingerprint] = {}
        self._gone: dict[str, str] = {}  # folded path -> path, of removed files
        self._receipt: Receipt | None = None
        self.id = ""
        self.recovered: Recovery | None = None
        self.verbatim = False

    def __enter__(self) -> Self:
        self._lock.__enter__()
        try:
            self.recovered = recover_locked(self._root)
            self.id = next_id(self._root)
        except BaseException:
            self._lock.__exit__()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._lock.__exit__()

    @property
    def receipt(self) -> Receipt:
        """What was committed. Raises RuntimeError before the block was left."""
        if self._receipt is None:
            raise RuntimeError("the transaction is not committed")
        return self._receipt

    def read(self, path: str) -> tuple[bytes, Fingerprint]:
        """Return the content of a file as this transaction sees it, and its fingerprint.

        Raises FileNotFoundError when it is absent, PathRefused when it is a link or a folder.
        A file that was read is expected unchanged when it is written, even with `ANY`.
        """
        path = self._plain(path)
        data = self._content(path)
        if data is None:
            raise FileNotFoundError(path)
        seen = fingerprint(data)
        if path not in self._staged:
            self._seen[path] = seen
        return data, seen

    def exists(self, path: str) -> bool:
        """Say whether a file is there, as this transaction sees it."""
        path = self._plain(path)
        staged = self._staged.get(path)
        return self._present(path) if staged is None else staged.data is not None

    def write(
        self, path: str, data: bytes, expected: Fingerprint | None, *, mode: int | None = None
    ) -> None:
        """Stage `data` as the content of a file; folders are made as needed.

        `expected` is the fingerprint that was read, `ABSENT` for a new file, or `ANY`. Raises
        EntryChanged when something else stands there. The permissions of a file are kept; a new
        one gets `mode` (permission bits), or the usual ones.
        """
        path = self._plain(path)
        base = self._check(path, expected)
        staged = self._staged.get(path)
        if mode is None and staged is not None:
            mode = staged.mode
        self._staged[path] = _Staged(bytes(data), base, mode)

    def remove(self, path: str, expected: Fingerprint | None) -> None:
        """Stage the removal of a file, and of folders that become empty by it.

        Raises FileNotFoundError when it is absent already, EntryChanged as `write` does.
        """
        path = self._plain(path)
        if not self.exists(path):
            raise FileNotFoundError(path)
        self._staged[path] = _Staged(None, self._check(path, expected), None)
        self._gone[fold(path)] = path

    def move(self, source: str, target: str, expected: Fingerprint | None) -> None:
        """Stage the move of a file to a path where nothing is; names may differ in case only.

        Raises FileNotFoundError without a source, EntryChanged when the source is not as
        `expected` or something stands at the target.
        """
        source, target = self._plain(source), self._plain(target)
        data, _ = self.read(source)
        staged = self._staged.get(source)
        if staged is not None:
            mode = staged.mode
        else:
            info = self._places.info(source)
            mode = None if info is None else info.st_mode & 0o7777
        self.remove(source, expected)
        try:
            self.write(target, data, ABSENT, mode=mode)
        except Refused:
            if staged is None:
                del self._staged[source]
            else:
                self._staged[source] = staged
            raise

    def _plain(self, path: str) -> str:
        """Return the checked path: composed, but for a file whose composed twin exists too."""
        whole = plain(path)
        if whole == path or self.verbatim:
            return path
        try:
            exact = os.lstat(os.path.join(self._root, *path.split("/")))
            other = os.lstat(self._places.file(whole))
        except OSError:
            return path if path in self._staged else whole
        return whole if os.path.samestat(exact, other) else path

    def _content(self, path: str) -> bytes | None:
        staged = self._staged.get(path)
        if staged is not None:
            return staged.data
        loaded = self._places.load(path)
        return None if loaded is None else loaded[0]

    def _present(self, path: str) -> bool:
        info = self._places.info(path)
        return info is not None and self._twin(path, info) is None

    def _check(self, path: str, expected: Fingerprint | None) -> Fingerprint | None:
        """Check what a writer expects; return what the disk must still hold at the commit."""
        staged = self._staged.get(path)
        if staged is not None:
            now = ABSENT if staged.data is None else fingerprint(staged.data)
            if expected not in {ANY, now}:
                raise _changed(path, expected, now)
            return staged.base
        if expected is ANY:
            self._places.info(path)  # refuses links and folders at once
            return self._seen.get(path)
        if expected == ABSENT:
            now = b"?" if self._present(path) else ABSENT
        else:
            data = self._content(path)
            now = ABSENT if data is None else fingerprint(data)
        if now != expected:
            raise _changed(path, expected, now)
        return expected

    def _twin(self, path: str, info: os.stat_result) -> str | None:
        """Return the removed path that is the same file as `path`, which differs in case only."""
        other = self._gone.get(fold(path)) if self._gone else None
        removed = self._staged.get(other) if other is not None else None
        if other is None or other == path or removed is None or removed.data is not None:
            return None
        there = self._places.info(other)
        return other if there is not None and os.path.samestat(there, info) else None

    def _commit(self) -> None:
        root = self._root
        self._places = Places(root)  # Folders may have turned into links since the staging.
        plan = self._plan()
        receipt = Receipt(
            id=self.id,
            at=self._at,
            command=self.command,
            by=self._by,
            changes=tuple(planned.change for planned in plan),
        )
        if plan:
            commit(root, receipt, plan, self._places)
        self._receipt = receipt

    def _plan(self) -> list[Planned]:
        """Verify every staged change against the disk: removals first, both by path."""
        plan: list[Planned] = []
        in_order = sorted(
            self._staged.items(), key=lambda each: (each[1].data is not None, each[0])
        )
        for path, staged in in_order:
            loaded = self._places.load(path)
            old, info = loaded if loaded is not None else (None, None)
            twin = None
            if info is not None and staged.base == ABSENT:
                twin = self._twin(path, info)
            before = ABSENT if old is None or twin is not None else fingerprint(old)
            if staged.base is not None and before != staged.base:
                raise _changed(path, staged.base, before)
            after = ABSENT if staged.data is None else fingerprint(staged.data)
            if before == after:
                continue
            kind: Kind
            if staged.data is None:
                kind = "remove"
            elif before == ABSENT:
                kind = "add"
            else:
                kind = "change"
                self._refuse_read_only(path)
            plan.append(
                Planned(
                    Change(kind=kind, path=path, before=before, after=after),
                    data=staged.data,
                    old=None if before == ABSENT else old,
                    info=info,
                    mode=staged.mode,
                )
            )
        _refuse_clashes(plan)
        return plan

    def _refuse_read_only(self, path: str) -> None:
        """Refuse to replace a file that its owner protected: a rename would not notice."""
        if not os.access(self._places.file(path), os.W_OK):
            raise StorageFailed(f"'{path}' is read-only", hint="nothing was changed")


def _refuse_clashes(plan: list[Planned]) -> None:
    """Refuse a file that another one needs as its folder."""
    files = {planned.change.path for planned in plan if planned.data is not None}
    for path in files:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in files:
                raise PathRefused(f"'{folder}' is a file, not a folder", hint="nothing was changed")
            folder = folder.rpartition("/")[0]


def _changed(path: str, expected: Fingerprint, now: Fingerprint) -> EntryChanged:
    if expected == ABSENT:
        return EntryChanged(f"'{path}' exists already", hint="nothing was changed")
    if now == ABSENT:
        return EntryChanged(f"'{path}' is gone", hint="nothing was changed")
    return changed_meanwhile(path)
