"""What a crash left behind, settled: the tree is wholly the new one or wholly the old one.

The next writer does this before anything else, and so does a reader that meets a journal without
a living writer. Both directions look at what stands on disk instead of remembering how far they
came, so they may be interrupted and repeated at will. A file that is neither as before nor as
after was edited by a person after the crash: the person's text stays, and what the transaction
would have written is kept under `state/rescued/`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import Refused
from memtree.tree import disk
from memtree.tree.journal import (
    TEMPORARY_PREFIX,
    TEMPORARY_SUFFIX,
    Item,
    Journal,
    close_journal,
    discard_staging,
    folders_of,
    inside,
    own_folders,
    read_journal,
    read_staging,
    settle_folders,
    temporary_name,
    waiting_at,
)
from memtree.tree.lock import WriterLock, journal_pending, state_path
from memtree.tree.place import Places, fold
from memtree.tree.receipt import ABSENT, Recovery

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRY_AGAIN = "an interrupted transaction waits in .memtree/state; the next command tries again"


def roll_forward(root: str, journal: Journal) -> Recovery | None:
    """Finish an interrupted journal; None when a content that it needs is gone.

    Raises OSError when the disk refuses.
    """
    places = Places(root)
    found = {item.path: places.fingerprint(item.path) for item in journal.items}
    waiting = {
        item.path: where
        for item in journal.items
        if (where := waiting_at(places, item)) is not None
    }
    twins = _twins(journal)
    kept: list[str] = []
    rescued: list[str] = []
    if any(
        item.temporary and item.path not in waiting and found[item.path] == item.change.before
        for item in journal.items
    ):
        return None
    for item in journal.items:
        change, now = item.change, found[item.path]
        twin = twins.get(item.path)
        if not item.temporary:
            renamed = twin is not None and twin.temporary and twin.path not in waiting
            if now == ABSENT or renamed:
                continue
            if now == change.before:
                os.unlink(places.file(item.path))
                disk.step("recover-removed")
            else:
                kept.append(item.path)
        elif item.path in waiting:
            mine = {change.before, change.after} | ({twin.change.before} if twin else set())
            if now in mine:
                folder = item.path.rpartition("/")[0]
                os.makedirs(places.folder(folder), exist_ok=True)
                disk.replace(waiting[item.path], places.file(item.path))
            else:
                kept.append(item.path)
                rescued.append(_rescue(root, journal.receipt.id, item.path, item.temporary))
            disk.step("recover-renamed")
        elif now != change.after:
            kept.append(item.path)
    for folder in folders_of(journal, places):
        # An earlier attempt to take it all back may have died between writing and renaming.
        disk.unlink_if_there(os.path.join(folder, temporary_name(journal.receipt.id, "back")))
    settle_folders(journal, places)
    disk.remove_empty(own_folders(Places(root), journal.folders))
    return Recovery(
        id=journal.receipt.id,
        command=journal.receipt.command,
        outcome="finished",
        kept=tuple(kept),
        rescued=tuple(rescued),
    )


def roll_back(root: str, journal: Journal, *, rescue: bool = False) -> Recovery:
    """Bring the old state back and end the journal. Raises OSError when the disk refuses.

    Only what still stands as the transaction left it is touched; what a person has changed since
    is kept. With `rescue` the new contents that had not reached their places are kept aside: after
    a crash nobody knows any more that they are missing.
    """
    places = Places(root)
    kept: list[str] = []
    rescued: list[str] = []
    # Added names go first: on a disk that ignores case they may hide a removed one.
    for item in sorted(journal.items, key=lambda item: item.change.before != ABSENT):
        change = item.change
        waiting = waiting_at(places, item)
        if waiting is not None:
            if rescue:
                rescued.append(_rescue(root, journal.receipt.id, item.path, item.temporary))
            else:
                os.unlink(waiting)
            disk.step("back-unstaged")
            continue
        now = places.fingerprint(item.path)
        if now == change.before:
            continue
        if now != change.after:
            kept.append(item.path)
            continue
        old = journal.before(item)
        if old is None:
            os.unlink(places.file(item.path))
        else:
            target = places.file(item.path)
            folder = os.path.dirname(target)
            os.makedirs(folder, exist_ok=True)
            temporary = os.path.join(folder, temporary_name(journal.receipt.id, "back"))
            disk.unlink_if_there(temporary)
            disk.write_new(temporary, old, mode=item.mode)
            disk.sync_file(temporary)
            disk.replace(temporary, target)
        disk.step("back-restored")
    disk.remove_empty(own_folders(Places(root), journal.folders))
    disk.sync_folders(folders_of(journal, places))
    os.unlink(journal.file)
    disk.unlink_if_there(state_path(root, "staging"))
    return Recovery(
        id=journal.receipt.id,
        command=journal.receipt.command,
        outcome="taken-back",
        kept=tuple(kept),
        rescued=tuple(rescued),
    )


def recover(root: str, *, wait_s: float = 10.0) -> Recovery | None:
    """Settle what a crash left behind, and say what was done; None when there was nothing.

    Waits for a writer at work, so raises `Locked` after `wait_s` seconds; `StorageFailed` when
    the disk refuses, then the next call tries again.
    """
    if not journal_pending(root) and not os.path.lexists(state_path(root, "staging")):
        return None
    with WriterLock(root, command="recover", wait_s=wait_s):
        return recover_locked(root)


def recover_locked(root: str) -> Recovery | None:
    """Do the work of `recover` for a caller who holds the writer lock."""
    path = state_path(root, "journal")
    try:
        if not journal_pending(root):
            if os.path.lexists(state_path(root, "staging")):
                return _discard(root)
            return None
        try:
            journal = read_journal(path)
        except ValueError:
            return _set_aside(root)
        try:
            recovery = roll_forward(root, journal)
        except (OSError, Refused):
            recovery = None
        if recovery is None:
            return roll_back(root, journal, rescue=True)
        close_journal(root, journal)
    except OSError as error:
        failed = disk.refusal(error, root, doing="finish an interrupted transaction")
        failed.hint = _TRY_AGAIN
        raise failed from error
    except Refused as error:
        error.hint = _TRY_AGAIN
        raise
    return recovery


def _discard(root: str) -> Recovery:
    try:
        txn, temporaries, folders = read_staging(root)
    except ValueError:
        txn, temporaries, folders = "", list(_stray_temporaries(root)), []
    discard_staging(root, temporaries, folders)
    return Recovery(id=txn, command="", outcome="discarded")


def _set_aside(root: str) -> Recovery:
    """Move a journal that the disk damaged, and the contents that wait for it, out of the way."""
    name = f"damaged-{os.urandom(4).hex()}"
    rescued = [_rescue(root, name, "journal", ".memtree/state/journal")]
    rescued += [_rescue(root, name, path, path) for path in _stray_temporaries(root)]
    disk.unlink_if_there(state_path(root, "staging"))
    return Recovery(id="", command="", outcome="damaged", rescued=tuple(rescued))


def _stray_temporaries(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".memtree"}]
        for name in files:
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX):
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def _rescue(root: str, txn: str, path: str, temporary: str) -> str:
    """Keep a content that found no place; return where."""
    target = os.path.join(state_path(root, "rescued"), txn, *path.split("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        disk.replace(inside(root, temporary), target)
    except OSError:
        # Another file system may be mounted on a folder of the tree.
        import shutil

        shutil.copyfile(inside(root, temporary), target, follow_symlinks=False)
        os.unlink(inside(root, temporary))
    return target


def _twins(journal: Journal) -> dict[str, Item]:
    """Pair a removed with an added path that differ in case or normal form only.

    On a disk that ignores case they are one file: what stands at one of them says nothing about
    the other.
    """
    groups: dict[str, list[Item]] = {}
    for item in journal.items:
        groups.setdefault(fold(item.path), []).append(item)
    return {
        item.path: next(other for other in group if bool(other.temporary) != bool(item.temporary))
        for group in groups.values()
        if len({bool(item.temporary) for item in group}) == 2
        for item in group
    }
