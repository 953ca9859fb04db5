"""The commit of a verified transaction, step by step; `disk.step` names them all.

1. Everything that needs room on the disk comes first, so that a full disk is met before the commit
   point: folders, new contents in temporary files beside their targets, the journal.
2. The rename of the journal is the commit point.
3. Removals, then renames of the temporary files over their targets; then the emptied folders.
4. The journal becomes history.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from memtree.errors import EntryChanged, PathRefused, Refused, StorageFailed
from memtree.tree import disk, journal
from memtree.tree.lock import state_path
from memtree.tree.place import Places, fold, signature
from memtree.tree.recovery import recover_locked, roll_back

if TYPE_CHECKING:
    from memtree.tree.receipt import Change, Receipt

HISTORY_TRANSACTIONS = 500
"""How many transactions the history keeps."""

HISTORY_BYTES = 256 * 2**20
"""How many bytes the history keeps; the newest transaction stays even when it alone is larger."""


class Planned:
    """A staged change, verified against the disk.

    `data` is the new content (None: removal), `old` the content it replaces, `info` the stat of
    what stood there when it was verified, `mode` permission bits for a new file (None: as usual),
    `temporary` where the new content waits, relative to the root.
    """

    __slots__ = ("change", "data", "info", "mode", "old", "temporary")

    def __init__(
        self,
        change: Change,
        *,
        data: bytes | None,
        old: bytes | None,
        info: os.stat_result | None,
        mode: int | None,
    ) -> None:
        self.change = change
        self.data = data
        self.old = old
        self.info = info
        self.mode = mode
        self.temporary = ""


def commit(root: str, receipt: Receipt, plan: list[Planned], places: Places) -> None:
    """Commit a plan under the writer lock: all of it, or an error and nothing of it.

    Raises EntryChanged when a person was faster, StorageFailed when the disk refuses.
    """
    temporaries: list[str] = []
    folders: list[str] = []
    try:
        _prepare(receipt.id, plan, places, temporaries, folders)
        committed = _write_journal(receipt, plan, places, folders)
    except BaseException as error:
        _clean(root, temporaries, folders)
        if isinstance(error, OSError):
            raise disk.refusal(error, root, doing="write") from error
        raise
    _apply(committed, plan, places)


def next_id(root: str) -> str:
    """Return an id after all others: a count of seven digits, and four that tell clones apart."""
    last = 0
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(state_path(root, "history")):
            if name[:7].isdigit():
                last = max(last, int(name[:7]))
    return f"{last + 1:07d}-{os.urandom(2).hex()}"


def changed_meanwhile(path: str) -> EntryChanged:
    """Return the error for a file that a person edited in the meantime."""
    return EntryChanged(
        f"'{path}' changed since it was read", hint="nothing was changed; read it and try again"
    )


def _prepare(
    txn: str, plan: list[Planned], places: Places, temporaries: list[str], folders: list[str]
) -> None:
    """Write every new content beside its target; fill in what a clean-up would remove."""
    root = places.root
    needed: dict[str, None] = {}
    targets: list[tuple[Planned, str]] = []
    for planned in plan:
        folder = places.folder(planned.change.path.rpartition("/")[0])
        if planned.data is None:
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), f"{folder}/")
            continue
        name = journal.temporary_name(txn, len(targets))
        targets.append((planned, os.path.join(folder, name)))
        missing = []
        while folder not in needed and not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        needed.update(dict.fromkeys(reversed(missing)))
    listed = [_relative(root, temporary) for _, temporary in targets]
    new_folders = [_relative(root, folder) for folder in needed]
    journal.write_staging(root, txn, listed, new_folders)
    disk.step("staging-listed")
    folders += new_folders
    for folder in needed:
        os.makedirs(folder, exist_ok=True)  # "Docs" may have made "docs" on this disk
        disk.step("folder-created")
    temporaries += listed
    for (planned, temporary), name in zip(targets, listed, strict=True):
        planned.temporary = name
        kept = planned.info if planned.old is not None else None
        disk.write_new(temporary, planned.data or b"", like=kept, mode=planned.mode)
        disk.step("temporary-written")
    _refuse_same_names([(planned.change.path, temporary) for planned, temporary in targets])
    disk.sync_files([temporary for _, temporary in targets])
    disk.step("temporaries-synced")


def _refuse_same_names(targets: list[tuple[str, str]]) -> None:
    """Refuse two new contents whose names this disk holds for one, as when it ignores case."""
    seen: dict[str, str] = {}
    for path, temporary in targets:
        other = seen.setdefault(fold(path), path)
        folder, name = os.path.split(temporary)
        if other != path and os.path.lexists(os.path.join(folder, name.upper())):
            raise PathRefused(
                f"'{path}' and '{other}' are one file on this disk", hint="nothing was changed"
            )


def _write_journal(
    receipt: Receipt, plan: list[Planned], places: Places, folders: list[str]
) -> journal.Journal:
    """Write the journal; its rename is the commit point."""
    root = places.root
    items, blobs, offset = [], [], 0
    for planned in plan:
        old = planned.old or b""
        items.append(
            journal.Item(
                change=planned.change,
                temporary=planned.temporary,
                mode=planned.info.st_mode & 0o7777 if planned.info is not None else None,
                offset=offset,
                size=len(old),
            )
        )
        blobs.append(old)
        offset += len(old)
    os.makedirs(state_path(root, "history"), exist_ok=True)
    waiting, path = state_path(root, "journal.new"), state_path(root, "journal")
    disk.unlink_if_there(waiting)
    journal.write_journal(waiting, receipt, items, folders, blobs)
    disk.step("journal-written")
    for planned in plan:
        # All the syncing above took its time, and an editor does not ask for the lock.
        now = signature(places.info(planned.change.path))
        if now != signature(planned.info):
            raise changed_meanwhile(planned.change.path)
    disk.replace(waiting, path)
    disk.step("committed")
    disk.sync_folders([os.path.dirname(path)])
    disk.step("commit-synced")
    return journal.read_journal(path)


def _apply(committed: journal.Journal, plan: list[Planned], places: Places) -> None:
    """Take the tree to the new state, or wholly back to the old one."""
    root = places.root
    # A name that differs from a removed one in case only is free once that one is removed.
    seen = {
        planned.change.path: None if planned.old is None else signature(planned.info)
        for planned in plan
    }
    try:
        journal.apply_journal(root, committed, places, seen)
    except (OSError, Refused) as error:
        try:
            roll_back(root, committed)
        except (OSError, Refused) as again:
            raise StorageFailed(
                f"the transaction could be neither finished nor taken back: {again}",
                hint="the next command tries again; nothing is lost",
            ) from error
        if isinstance(error, OSError):
            raise disk.refusal(error, root, doing="write") from error
        raise
    except BaseException:
        # An interrupt after the commit point: the transaction stands, so it is finished.
        recover_locked(root)
        raise
    # From here on the tree is new. What fails now is done by the next command.
    with contextlib.suppress(OSError):
        journal.close_journal(root, committed)
        _prune(root)


def _clean(root: str, temporaries: list[str], folders: list[str]) -> None:
    """Remove the leftovers of a failed commit; what resists is left to the next command."""
    with contextlib.suppress(OSError):
        disk.unlink_if_there(state_path(root, "journal"))
        journal.discard_staging(root, temporaries, folders)


def _prune(root: str) -> None:
    """Forget the oldest transactions beyond the bounds."""
    with os.scandir(state_path(root, "history")) as found:
        files = sorted(((each.name, each) for each in found), reverse=True)
        total = 0
        for count, (_, each) in enumerate(files):
            total += each.stat().st_size
            if count >= HISTORY_TRANSACTIONS or (count and total > HISTORY_BYTES):
                os.unlink(each.path)


def _relative(root: str, path: str) -> str:
    return path[len(root) :].lstrip(os.sep).replace(os.sep, "/")
