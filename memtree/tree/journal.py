"""The journal of a transaction: its commit point, and how an interrupted one is settled.

A transaction first writes every new content to a hidden temporary file beside its target and the
names of these files to `state/staging`. Then it writes `state/journal`: a line of JSON that names
every change with the fingerprints before and after, followed by the old contents. The rename of
that file to its name is the commit point. From then on the tree is taken to the new state by
renames and removals alone, by the same process or, after a crash, by the next one
(`memtree.tree.recovery`). Where that is impossible the old contents bring back the old state. At
the end the journal becomes the history of the transaction, `state/history/<id>.txn`.
"""

from __future__ import annotations

import contextlib
import os
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memtree.errors import EntryChanged, PathRefused
from memtree.tree import disk
from memtree.tree.lock import state_path
from memtree.tree.place import Places, plain, signature
from memtree.tree.receipt import ABSENT, Change, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

TEMPORARY_PREFIX = ".memtree-"
TEMPORARY_SUFFIX = ".tmp"
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One change in a journal: where its new content waits and where its old content lies.

    `temporary` is a path relative to the root, empty for a removal. `mode` are the permission
    bits of the file before, None when it was absent. `size` is the length of the old content in
    bytes, which starts `offset` bytes behind the header line.
    """

    change: Change
    temporary: str
    mode: int | None
    offset: int
    size: int

    @property
    def path(self) -> str:
        """The path of the changed file."""
        return self.change.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal or a history file: the header parsed, the old contents left on disk."""

    file: str
    receipt: Receipt
    items: tuple[Item, ...]
    folders: tuple[str, ...]
    blobs_at: int

    def before(self, item: Item) -> bytes | None:
        """Return the content of a file before the transaction, None when it was absent."""
        if item.change.before == ABSENT:
            return None
        with _open_regular(self.file) as file:
            file.seek(self.blobs_at + item.offset)
            return file.read(item.size)


def write_journal(
    path: str,
    receipt: Receipt,
    items: Sequence[Item],
    folders: Sequence[str],
    blobs: Sequence[bytes],
) -> None:
    """Write a journal to `path` and force it to the disk. `folders` are those created for it."""
    import json

    header = {
        "memtree": _VERSION,
        "id": receipt.id,
        "at": receipt.at,
        "command": receipt.command,
        "by": receipt.by,
        "folders": list(folders),
        "length": sum(map(len, blobs)),
        "changes": [
            [
                item.change.kind,
                item.change.path,
                item.change.before.hex(),
                item.change.after.hex(),
                item.temporary,
                item.mode,
                item.offset,
                item.size,
            ]
            for item in items
        ],
    }
    line = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    disk.write_new(path, line, *blobs)
    disk.sync_barrier(path)


def read_journal(path: str) -> Journal:
    """Read a journal or history file; raise ValueError when it is damaged or not ours.

    The file may have come with a clone, so nothing in it is believed: a path that no transaction
    could have written makes it a damaged one.
    """
    import json

    with _open_regular(path) as file:
        line = file.readline()
        length = os.fstat(file.fileno()).st_size - len(line)
    try:
        header: dict[str, Any] = json.loads(line)
        whole = header["memtree"] == _VERSION and header["length"] == length
        items = tuple(
            Item(
                change=Change(
                    kind=kind,
                    path=changed,
                    before=bytes.fromhex(before),
                    after=bytes.fromhex(after),
                ),
                temporary=temporary,
                mode=mode,
                offset=offset,
                size=size,
            )
            for kind, changed, before, after, temporary, mode, offset, size in header["changes"]
        )
        receipt = Receipt(
            id=header["id"],
            at=header["at"],
            command=header["command"],
            by=header["by"],
            changes=tuple(item.change for item in items),
        )
        folders = tuple(header["folders"])
        _check_names(receipt.id, [item.temporary for item in items if item.temporary], folders)
        _check_items(receipt, items, length)
    except (KeyError, TypeError, ValueError, RecursionError, PathRefused) as error:
        raise ValueError(f"damaged journal: {error}") from error
    if not whole:
        raise ValueError("damaged journal: not whole")
    return Journal(file=path, receipt=receipt, items=items, folders=folders, blobs_at=len(line))


def apply_journal(root: str, journal: Journal, places: Places, seen: Mapping[str, object]) -> None:
    """Carry out a journal that this process has just committed.

    `seen` holds the `signature` of every target when it was verified. Raises EntryChanged when a
    person was faster, OSError when the disk refuses; then a roll-back is due.
    """
    for item in journal.items:
        if signature(places.info(item.path)) != seen[item.path]:
            raise EntryChanged(f"'{item.path}' changed meanwhile", hint="nothing was changed")
        target = places.file(item.path)
        if item.temporary:
            disk.replace(inside(root, item.temporary), target)
            disk.step("renamed")
        else:
            os.unlink(target)
            disk.step("removed")
    settle_folders(journal, places)


def close_journal(root: str, journal: Journal) -> None:
    """Turn the journal of a finished transaction into its history."""
    history = state_path(root, "history")
    os.makedirs(history, exist_ok=True)
    disk.replace(journal.file, os.path.join(history, f"{journal.receipt.id}.txn"))
    disk.step("recorded")
    disk.unlink_if_there(state_path(root, "staging"))
    disk.step("unstaged")


def discard_staging(root: str, temporaries: Sequence[str], folders: Sequence[str]) -> None:
    """Remove the leftovers of a transaction before its commit point. Raises OSError."""
    places = Places(root)
    for temporary in temporaries:
        with contextlib.suppress(NotADirectoryError, PathRefused):
            disk.unlink_if_there(places.file(temporary))
    disk.remove_empty(own_folders(places, folders))
    disk.unlink_if_there(state_path(root, "journal.new"))
    disk.unlink_if_there(state_path(root, "staging"))


def read_staging(root: str) -> tuple[str, list[str], list[str]]:
    """Return the id, temporary files and new folders of a transaction that did not commit.

    Raises ValueError when the list is damaged, or names what no transaction could have made.
    """
    import json

    try:
        with _open_regular(state_path(root, "staging")) as file:
            staging = json.loads(file.read())
        txn, temporaries, folders = staging["id"], staging["temporaries"], staging["folders"]
        _check_names(txn, temporaries, folders)
    except (KeyError, TypeError, ValueError, RecursionError, PathRefused) as error:
        raise ValueError(f"damaged list: {error}") from error
    return txn, temporaries, folders


def write_staging(root: str, txn: str, temporaries: Sequence[str], folders: Sequence[str]) -> None:
    """Note what a transaction is about to create, so that a crash leaves nothing behind.

    Not synced: a list that lost power on its way to the disk is there but unreadable, and then
    the tree is searched for temporary files instead.
    """
    import json

    text = json.dumps({"id": txn, "temporaries": temporaries, "folders": folders})
    path = state_path(root, "staging")
    disk.unlink_if_there(path)
    disk.write_new(path, text.encode())


def temporary_name(txn: str, number: object) -> str:
    """Return the name of a temporary file of the transaction `txn`; hidden, so never indexed."""
    return f"{TEMPORARY_PREFIX}{txn}-{number}{TEMPORARY_SUFFIX}"


def settle_folders(journal: Journal, places: Places) -> None:
    """Remove folders that the removals emptied, and force all touched folders to the disk."""
    touched = folders_of(journal, places) | {
        os.path.dirname(folder) for folder in own_folders(places, journal.folders)
    }
    emptied: set[str] = set()
    for item in journal.items:
        folder = item.path.rpartition("/")[0]
        while not item.temporary and folder and not folder.startswith(".memtree"):
            with contextlib.suppress(PathRefused):
                emptied.add(places.folder(folder))
            folder = folder.rpartition("/")[0]
    removed = disk.remove_empty(emptied)
    disk.step("folders-removed")
    disk.sync_folders(touched | set(map(os.path.dirname, removed)))
    disk.step("folders-synced")


def folders_of(journal: Journal, places: Places) -> set[str]:
    """Return the absolute folders of all changes, without those that a link has taken since."""
    folders = set()
    for item in journal.items:
        with contextlib.suppress(PathRefused):
            folders.add(os.path.dirname(places.file(item.path)))
    return folders


def own_folders(places: Places, folders: Sequence[str]) -> Iterator[str]:
    """Yield the absolute paths of new folders, without those that a link or file has taken."""
    for folder in folders:
        with contextlib.suppress(PathRefused):
            yield places.folder(folder)


def waiting_at(places: Places, item: Item) -> str | None:
    """Return where the new content of a change waits; None when it does not."""
    if not item.temporary:
        return None
    try:
        where = places.file(item.temporary)
    except PathRefused:
        return None
    return where if os.path.lexists(where) else None


def inside(root: str, path: str) -> str:
    """Return the absolute path of a path on disk that is relative to the root."""
    return os.path.join(root, path)


def _open_regular(path: str) -> BinaryIO:
    """Open a file of the state; raise ValueError for a link, a pipe, a device or a folder."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise ValueError("not a file")
    return open(path, "rb")


def _check_names(txn: object, temporaries: Sequence[object], folders: Sequence[object]) -> None:
    """Raise ValueError or PathRefused for names that a transaction `txn` would not have made."""
    import re

    if not isinstance(txn, str) or not re.fullmatch(r"[0-9]{7,12}-[0-9a-f]{4}", txn):
        raise ValueError("no id of a transaction")
    if not isinstance(temporaries, list) or not isinstance(folders, (list, tuple)):
        raise TypeError("not a list")
    shape = re.compile(re.escape(TEMPORARY_PREFIX + txn) + r"-[0-9]+" + re.escape(TEMPORARY_SUFFIX))
    for temporary in temporaries:
        if not isinstance(temporary, str):
            raise TypeError("not a path")
        folder, _, name = temporary.rpartition("/")
        if not shape.fullmatch(name):
            raise ValueError("not a temporary file of this transaction")
        if folder != ".memtree":
            plain(temporary)
    for folder in folders:
        if not isinstance(folder, str):
            raise TypeError("not a path")
        plain(folder)


def _check_items(receipt: Receipt, items: Sequence[Item], length: int) -> None:
    """Raise ValueError or PathRefused for changes that no transaction would have made."""
    if not all(isinstance(text, str) for text in (receipt.at, receipt.command, receipt.by)):
        raise TypeError("not a text")
    for item in items:
        change = item.change
        if change.kind not in {"add", "change", "remove"}:
            raise ValueError("no kind of a change")
        if bool(item.temporary) == (change.after == ABSENT):
            raise ValueError("a change without its content")
        if item.mode is not None and not 0 <= item.mode <= 0o7777:
            raise ValueError("no permission bits")
        if item.offset < 0 or item.size < 0 or item.offset + item.size > length:
            raise ValueError("a content beyond the end")
        target = plain(item.path).rpartition("/")[0]
        beside = unicodedata.normalize("NFC", item.temporary).rpartition("/")[0]
        if item.temporary and beside != target:
            raise ValueError("a temporary file elsewhere than its target")
