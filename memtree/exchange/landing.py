"""How what was read lands in the tree: in batches, never over anything, the same twice.

Importers yield drafts; `land` decides for each whether it is there already (the same id, or the
same bytes in the same place), and writes the others. An entry that an earlier import wrote and
nobody touched since is updated; one that a person touched is left and reported. Stopping an import
loses at most the batch in work: run it again, and it goes on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import PathRefused
from memtree.exchange.report import Draft, ImportReport, Verdict
from memtree.knowledge.path import parse_path
from memtree.knowledge.problem import Problem
from memtree.tree.format import find_front
from memtree.tree.place import Places, fold
from memtree.tree.receipt import ABSENT, fingerprint
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BATCH_ENTRIES = 500
"""Entries per transaction: one is undone at a time, and a crash costs one at most."""
BATCH_BYTES = 8 << 20
"""The journal holds a batch in memory and on disk."""
COMMAND = "import"


def land(
    root: str,
    drafts: Iterable[Draft | Problem],
    *,
    at: str,
    by: str = "human",
    known_ids: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    wait_s: float = 10.0,
) -> ImportReport:
    """Write the drafts into the tree at `root`; problems among them are skipped lines.

    `known_ids` maps the ids of the tree to their paths, so that entries that moved are known
    again. `progress` is called with "import", the number of drafts seen and 0 (the
    total is not known), a batch at a time. Raises
    EntryChanged, Locked and StorageFailed; earlier batches are then in place.
    """
    ground = _Ground(root, known_ids or {})
    problems: list[Problem] = []
    counts = {"added": 0, "unchanged": 0, "changed": 0, "skipped": 0}
    batch = _Batch(root, at=at, by=by, dry_run=dry_run, wait_s=wait_s)
    seen = 0
    for seen, draft in enumerate(drafts, 1):
        if isinstance(draft, Problem):
            problems.append(draft)
            counts["skipped"] += draft.code not in _REMARKS
            continue
        verdict = ground.judge(draft)
        counts[verdict.kind] += 1
        if verdict.problem is not None:
            problems.append(verdict.problem)
        if verdict.kind in {"added", "changed"} and batch.add(verdict, draft.data) and progress:
            progress("import", seen, 0)
    batch.commit()
    if progress is not None:
        progress("import", seen, 0)
    return ImportReport(
        added=counts["added"],
        unchanged=counts["unchanged"],
        changed=counts["changed"],
        skipped=counts["skipped"],
        problems=tuple(problems),
        receipts=tuple(batch.receipts),
        dry_run=dry_run,
    )


_REMARKS = frozenset({"replaced-character", "time-not-iso", "path-made-safe", "attachments"})
"""Codes of problems that come beside a draft, not in place of one."""


class _Batch:
    """Writes waiting for their transaction."""

    __slots__ = ("_at", "_by", "_dry_run", "_root", "_size", "_wait_s", "_writes", "receipts")

    def __init__(self, root: str, *, at: str, by: str, dry_run: bool, wait_s: float) -> None:
        self._root = root
        self._at = at
        self._by = by
        self._dry_run = dry_run
        self._wait_s = wait_s
        self._size = 0
        self._writes: list[tuple[str, bytes, bytes]] = []
        self.receipts: list[str] = []

    def add(self, verdict: Verdict, data: bytes) -> bool:
        """Add one write; whether the batch was full and is committed."""
        self._writes.append((verdict.path, data, verdict.expected))
        self._size += len(data)
        if len(self._writes) < BATCH_ENTRIES and self._size < BATCH_BYTES:
            return False
        self.commit()
        return True

    def commit(self) -> None:
        """Write everything that waits, in one transaction."""
        if self._writes and not self._dry_run:
            with begin(
                self._root, command=COMMAND, at=self._at, by=self._by, wait_s=self._wait_s
            ) as txn:
                for path, data, expected in self._writes:
                    txn.write(path, data, expected)
            self.receipts.append(txn.receipt.id)
        self._writes.clear()
        self._size = 0


class _Ground:
    """What is in the tree where drafts want to land, read once per folder."""

    __slots__ = (
        "_bodies",
        "_claimed",
        "_folders",
        "_ids",
        "_imported",
        "_inside",
        "_known",
        "_next",
        "_places",
        "_refused",
        "_root",
    )

    def __init__(self, root: str, known: Mapping[str, str]) -> None:
        self._root = root
        self._known = known
        self._places = Places(root)
        self._folders: dict[str, dict[str, str]] = {}  # folder -> folded name -> path
        self._refused: dict[str, str] = {}  # folder that takes no entries -> why
        self._inside: set[str] = set()  # folded folders that drafts of this run go into
        self._ids: dict[str, list[str]] = {}  # id -> paths in the folders read, or claimed here
        self._claimed: set[str] = set()  # paths that a draft of this run has taken
        self._bodies: dict[str, bytes] = {}  # claimed path -> digest of what landed there
        self._next: dict[str, int] = {}  # folder/stem -> first number not tried yet
        self._imported: dict[str, set[bytes]] | None = None

    def judge(self, draft: Draft) -> Verdict:
        """Decide what becomes of a draft, and take its place for it."""
        names = self._names(draft.folder)
        known = self._by_id(draft) if draft.id else None
        if known is not None:
            return known
        refused = self._refused.get(draft.folder)
        if refused is not None:
            return Verdict("skipped", "", problem=_report(draft, "path-refused", refused))
        key = fold(f"{draft.folder}/{draft.stem}{draft.suffix}")
        number = self._next.get(key, 1)
        verdict: Verdict | None = None
        while verdict is None:
            stem = draft.stem if number == 1 else f"{draft.stem}-{number}"
            number += 1
            path = names.get(fold(stem + draft.suffix))
            if path is None and fold(f"{draft.folder}/{stem}{draft.suffix}") in self._inside:
                continue
            if path is None:
                verdict = self._new(draft, stem, names)
            elif path not in self._claimed:
                verdict = self._already(path, draft)
        self._next[key] = number
        return verdict

    def _by_id(self, draft: Draft) -> Verdict | None:
        """Find the entry with the draft's id and judge; None when the draft is new."""
        paths = list(self._ids.get(draft.id, ()))
        known = self._known.get(draft.id)
        if known is not None and known not in paths:
            paths.append(known)
        for path in paths:
            if self._holds(path, draft):
                self._claim(path, draft)
                return Verdict("unchanged", path)
        for path in paths:
            # In another place it is another entry: two sources that both count from 1.
            if path not in self._claimed and path.rpartition("/")[0] == draft.folder:
                updated = self._update(path, draft)
                if updated is None:
                    self._claim(path, draft)
                    message = f"'{path}' has this id and another text; it is left as it is"
                    updated = Verdict("skipped", path, problem=_report(draft, "kept", message))
                return updated
        return None

    def _already(self, path: str, draft: Draft) -> Verdict | None:
        """Judge a draft whose place is taken; None when another entry has it."""
        if self._holds(path, draft):
            self._claim(path, draft)
            return Verdict("unchanged", path)
        return None if draft.id else self._update(path, draft)

    def _new(self, draft: Draft, stem: str, names: dict[str, str]) -> Verdict:
        try:
            path = parse_path(f"{draft.folder}/{stem}{draft.suffix}")
        except PathRefused as error:
            return Verdict("skipped", "", problem=_report(draft, "path-refused", error.message))
        names[fold(stem + draft.suffix)] = path
        problem = None
        if draft.id and draft.id in self._ids:
            other = self._ids[draft.id][0]
            message = f"'{other}' has the id '{draft.id}' and another text; both are kept"
            problem = _report(draft, "id-collision", message)
        elif stem != draft.stem and not draft.id:
            message = f"another entry is at '{draft.folder}/{draft.stem}'; this one is '{path}'"
            problem = _report(draft, "renamed", message)
        self._claim(path, draft)
        return Verdict("added", path, problem=problem)

    def _holds(self, path: str, draft: Draft) -> bool:
        """Whether the entry at `path` says what the draft says: the same bytes, or id and body."""
        landed = self._bodies.get(path)
        if landed is not None:
            return bool(draft.id) and landed == _body_digest(draft.data)
        data = self._read(path)
        if data is None or data == draft.data:
            return data is not None
        if not draft.id:
            return False
        front = find_front(data.decode("utf-8", "surrogateescape"))
        if str(front.meta.get("id", "")) != draft.id:
            return False
        return _body_digest(data) == _body_digest(draft.data)

    def _update(self, path: str, draft: Draft) -> Verdict | None:
        """Change what an earlier import wrote; None when the entry is not the import's own."""
        if self._imported is None:
            self._imported = _imported(self._root)
        own = self._imported.get(path)
        if own is None:
            return None
        data = self._read(path)
        seen = ABSENT if data is None else fingerprint(data)
        self._claim(path, draft)
        if seen in own:
            return Verdict("changed", path, seen)
        message = f"'{path}' was edited since it was imported; it is left as it is"
        return Verdict("skipped", path, problem=_report(draft, "kept", message))

    def _claim(self, path: str, draft: Draft) -> None:
        self._claimed.add(path)
        if draft.id:
            self._bodies[path] = _body_digest(draft.data)
            paths = self._ids.setdefault(draft.id, [])
            if path not in paths:
                paths.append(path)

    def _read(self, path: str) -> bytes | None:
        try:
            loaded = self._places.load(path)
        except (OSError, PathRefused):
            return None
        return None if loaded is None else loaded[0]

    def _names(self, folder: str) -> dict[str, str]:
        names = self._folders.get(folder)
        if names is not None:
            return names
        names = self._folders[folder] = {}
        above = folder
        while above:
            if above in self._claimed:
                self._refused[folder] = f"'{above}' is a file, not a folder"
                return names
            self._inside.add(fold(above))
            above = above.rpartition("/")[0]
        try:
            with os.scandir(self._places.folder(folder)) as entries:
                taken = [entry.name for entry in entries]
        except PathRefused as error:
            self._refused[folder] = error.message
            return names
        except OSError:
            return names
        for name in taken:
            path = f"{folder}/{name}"
            names[fold(name)] = path
            if name.endswith(".md"):
                self._note_id(path)
        return names

    def _note_id(self, path: str) -> None:
        data = self._read(path)
        if data is None or b"\nid:" not in data[:65536]:
            return
        front = find_front(data[:65536].decode("utf-8", "replace"))
        identity = front.meta.get("id")
        if identity is not None:
            self._ids.setdefault(str(identity), []).append(path)


def _imported(root: str) -> dict[str, set[bytes]]:
    """Find what imports wrote, as far as the history goes: path to fingerprints."""
    from memtree.tree.history import transactions

    found: dict[str, set[bytes]] = {}
    for receipt in transactions(root, 1_000_000):
        if receipt.command == COMMAND:
            for change in receipt.changes:
                found.setdefault(change.path, set()).add(change.after)
    return found


def _body_digest(data: bytes) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    body = text[find_front(text).body :].replace("\r\n", "\n").strip()
    return fingerprint(body.encode("utf-8", "surrogateescape"))


def _report(draft: Draft, code: str, message: str) -> Problem:
    return Problem(path=draft.origin, line=draft.line, code=code, message=message)
