"""The last transactions: what they changed, what stood there before, and how to undo them.

The history lies in `state/history/`, one file a transaction (the journal that committed it), and
is bounded: see `HISTORY_TRANSACTIONS` and `HISTORY_BYTES`. It keeps the contents before each
change. The contents after it are those of the next change of the same file, or what stands there.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from memtree.errors import EntryChanged, EntryNotFound, UsageError
from memtree.tree.journal import Item, Journal, read_journal
from memtree.tree.lock import refuse_links, state_path
from memtree.tree.place import Places, plain
from memtree.tree.receipt import ABSENT, Receipt, fingerprint
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Iterator


def transactions(root: str, limit: int = 20) -> list[Receipt]:
    """Return up to `limit` transactions, newest first; files that the disk broke are left out."""
    found: list[Receipt] = []
    for journal in _journals(root):
        if len(found) >= limit:
            break
        found.append(journal.receipt)
    return found


def load(root: str, txn: str) -> Receipt:
    """Return one transaction by its id, the start of its id, or its number ("17").

    Raises EntryNotFound when the history does not hold it, UsageError when several answer.
    """
    return _journal(root, txn).receipt


def content_before(root: str, txn: str, path: str) -> bytes | None:
    """Return what a file held before a transaction; None when it was absent.

    Raises EntryNotFound when the transaction is unknown or did not touch the file.
    """
    journal = _journal(root, txn)
    return journal.before(_item(journal, path))


def content_after(root: str, txn: str, path: str) -> bytes | None:
    """Return what a file held after a transaction; None when it was absent.

    Raises EntryNotFound as `content_before` does, and when a person has overwritten the content
    since, for then no copy is left.
    """
    journal = _journal(root, txn)
    item = _item(journal, path)
    after = item.change.after
    if after == ABSENT:
        return None
    for later in _journals(root):
        if later.receipt.id <= journal.receipt.id:
            break
        for each in later.items:
            if each.change.before == after:
                return later.before(each)
    loaded = Places(root).load(item.path)
    if loaded is not None and fingerprint(loaded[0]) == after:
        return loaded[0]
    raise EntryNotFound(
        f"what '{path}' held after {journal.receipt.id} is no longer known",
        hint="it was edited since by something else than memtree",
    )


def removed(root: str) -> Iterator[tuple[str, bytes]]:
    """Yield every file that a kept transaction removed, with its content: the newest first."""
    for journal in _journals(root):
        for item in journal.items:
            if item.change.kind == "remove":
                data = journal.before(item)
                if data is not None:
                    yield item.path, data


def undo(
    root: str, txn: str | None = None, *, at: str, by: str = "human", wait_s: float = 10.0
) -> Receipt:
    """Revert a transaction, by default the newest, by another one; undoing that is redo.

    Raises EntryChanged when a file is no longer as the transaction left it, EntryNotFound when
    there is nothing to undo, and what `begin` raises.
    """
    with begin(root, command=f"undo {txn or ''}".rstrip(), at=at, by=by, wait_s=wait_s) as undoing:
        journal = _newest(root) if txn is None else _journal(root, txn)
        undoing.command = f"undo {journal.receipt.id}"
        undoing.verbatim = True
        for item in journal.items:
            change = item.change
            try:
                if change.before == ABSENT:
                    undoing.remove(item.path, change.after)
                    continue
                old = journal.before(item)
                undoing.write(item.path, old or b"", change.after, mode=item.mode)
            except (EntryChanged, FileNotFoundError) as error:
                raise EntryChanged(
                    f"'{item.path}' changed since '{journal.receipt.command}' "
                    f"({journal.receipt.id})",
                    hint="nothing was changed; undo what came later first, or edit the file",
                ) from error
    return undoing.receipt


def _item(journal: Journal, path: str) -> Item:
    # A decomposed name is in a journal as itself only when its composed twin existed too.
    for name in (path, plain(path)):
        for item in journal.items:
            if item.path == name:
                return item
    raise EntryNotFound(f"transaction {journal.receipt.id} did not touch '{path}'")


def _newest(root: str) -> Journal:
    for journal in _journals(root):
        return journal
    raise EntryNotFound("there is nothing to undo")


def _journal(root: str, txn: str) -> Journal:
    names = [name for name in _names(root) if name.startswith(txn)] if txn else []
    if not names and txn.isdigit():
        names = [name for name in _names(root) if name.startswith(f"{int(txn):07d}-")]
    if len(names) > 1:
        raise UsageError(f"several transactions begin with '{txn}'", hint="give the whole id")
    if not names:
        raise EntryNotFound(
            f"no transaction '{txn}' in the history", hint="'memtree log' lists those that are kept"
        )
    try:
        return read_journal(os.path.join(state_path(root, "history"), names[0]))
    except (OSError, ValueError) as error:
        raise EntryNotFound(f"transaction '{txn}' can no longer be read: {error}") from error


def _journals(root: str) -> Iterator[Journal]:
    for name in _names(root):
        # Another process may be forgetting the oldest ones; a damaged one hides no others.
        with contextlib.suppress(OSError, ValueError):
            yield read_journal(os.path.join(state_path(root, "history"), name))


def _names(root: str) -> list[str]:
    """Return the file names of the history, newest first."""
    refuse_links(root)
    try:
        names = os.listdir(state_path(root, "history"))
    except FileNotFoundError:
        return []
    return sorted((name for name in names if name.endswith(".txn")), reverse=True)
