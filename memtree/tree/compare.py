"""What changed, and bringing it back: from memtree's own history, or from git's."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, MemtreeError, Unavailable
from memtree.tree import git, history
from memtree.tree.markdown import parse_for_index
from memtree.tree.place import fold
from memtree.tree.read import refuse_leaving
from memtree.tree.receipt import ABSENT, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.tree.markdown import Parsed
    from memtree.tree.receipt import Receipt


def diff(root: str, txn: str | None, *, rev: str | None, path: str | None) -> str:
    """A unified diff: of a transaction (None: the newest), or since a git revision.

    "" when nothing differs or there is no history yet. Raises EntryNotFound for an unknown
    transaction, Unavailable for an unknown revision.
    """
    if rev is not None:
        if not git.is_repo(root):
            raise Unavailable(
                "this tree is not in a git repository, so it has no revisions",
                hint="memtree log lists the changes that memtree made",
            )
        return git.diff(root, rev, path or "")
    if txn is None:
        newest = history.transactions(root, 1)
        if not newest:
            return ""
        txn = newest[0].id
    receipt = history.load(root, txn)
    return "".join(
        _change(root, receipt.id, change.path)
        for change in receipt.changes
        if path is None or change.path == path
    )


def _change(root: str, txn: str, path: str) -> str:
    before = history.content_before(root, txn, path)
    try:
        after = history.content_after(root, txn, path)
    except EntryNotFound as error:
        return f"--- {path}\n# {error.message}\n"
    return unified(path, before, after)


def unified(path: str, before: bytes | None, after: bytes | None) -> str:
    """The difference of two contents of one file, as `diff -u` writes it; None is no file."""
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return f"Binary files a/{path} and b/{path} differ\n"
    lines = difflib.unified_diff(
        old,
        new,
        f"a/{path}" if before is not None else "/dev/null",
        f"b/{path}" if after is not None else "/dev/null",
    )
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )


def restore(root: str, path: str, *, rev: str | None, at: str, wait_s: float) -> Receipt:
    """Bring a file back as it was before its last change, or at a transaction or git revision.

    `path` may also be the id, title or alias of an entry that memtree removed. Raises EntryNotFound
    when no such content is known, Unavailable for an unknown revision.
    """
    refuse_leaving(path, root)
    path = _meant(root, path)
    data = _before_last_change(root, path) if rev is None else _at(root, path, rev)
    from memtree.tree.transaction import begin

    with begin(root, command="restore", at=at, by="human", wait_s=wait_s) as txn:
        try:
            expected = txn.read(path)[1]
        except FileNotFoundError:
            expected = ABSENT
        if expected != fingerprint(data):
            txn.write(path, data, expected)
    return txn.receipt


def _meant(root: str, ref: str) -> str:
    """Find the path of the entry called `ref`, on disk or removed; `ref` itself when none is."""
    if os.path.lexists(os.path.join(root, *ref.split("/"))):
        return ref
    wanted = fold(" ".join(ref.split()))
    for path, data in history.removed(root):
        if ref in (path, os.path.splitext(path)[0]):
            return path
        entry = parse_for_index(path, data)
        if wanted in {fold(" ".join(name.split())) for name in _names(entry)}:
            return path
    return ref


def _names(entry: Parsed) -> Iterator[str]:
    yield from (name for name in (entry.id, entry.title, *entry.aliases) if name)


def _before_last_change(root: str, path: str) -> bytes:
    for receipt in history.transactions(root, 100_000):
        for change in receipt.changes:
            if change.path == path and change.before != ABSENT:
                data = history.content_before(root, receipt.id, path)
                if data is not None:
                    return data
    if git.is_repo(root):
        for commit in git.log(root, path, limit=1):
            data = git.show(root, commit.rev, commit.path or path)
            if data is not None:
                return data
    raise EntryNotFound(
        f"no earlier content of '{path}' is known",
        hint="memtree log lists what was changed; with git, name a revision: --rev REV",
    )


def _at(root: str, path: str, rev: str) -> bytes:
    try:
        receipt = history.load(root, rev)
    except MemtreeError:
        receipt = None
    if receipt is not None:
        data = history.content_before(root, receipt.id, path)
        if data is not None:
            return data
        raise EntryNotFound(f"'{path}' did not exist before {receipt.id}")
    if not git.is_repo(root):
        raise Unavailable(
            f"'{rev}' is no transaction of this tree, and it is not in a git repository",
            hint="memtree log lists the transactions",
        )
    data = git.show(root, git.resolve(root, rev), path)
    if data is None:
        raise EntryNotFound(f"'{path}' is not in revision '{rev}'")
    return data


def _lines(data: bytes | None) -> list[str] | None:
    if data is None:
        return []
    if b"\0" in data[:8000]:
        return None
    return data.decode("utf-8", "replace").splitlines(keepends=True)
