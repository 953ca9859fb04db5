"""Bytes on disk: new files, fsync, renames, and what the system says when it refuses.

Every durable step of a transaction calls `step` with its name, so that the tests can end the
process exactly there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TYPE_CHECKING

from memtree.errors import StorageFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_NEW = (
    os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
_WINDOWS = os.name == "nt"

_MANY = 64
"""From this many files on, fsync runs in threads: waiting together, they share disk flushes."""

_SYNC_THREADS = 8

on_step: Callable[[str], None] | None = None
"""Set by tests of crashes only: called with the name of each step just after it happened."""


def step(name: str) -> None:
    """Mark that the step `name` of a commit has just happened."""
    if on_step is not None:
        on_step(name)


def write_new(
    path: str, *chunks: bytes, like: os.stat_result | None = None, mode: int | None = None
) -> None:
    """Create `path` with the bytes of `chunks`, not synced.

    `like` is the file that it will replace, whose permissions (and, for root, owner) it takes
    over; `mode` gives permissions alone. Raises OSError; the caller removes what is left behind.
    """
    fd = os.open(path, _NEW, 0o666)
    try:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(fd, view) :]
        if _WINDOWS:
            return
        if like is not None:
            mode = like.st_mode & 0o7777
            if like.st_uid != os.geteuid():
                # Root edits a person's tree: the file stays theirs. Others may not give away.
                with contextlib.suppress(OSError):
                    os.fchown(fd, like.st_uid, like.st_gid)
        if mode is not None:
            os.fchmod(fd, mode)
    finally:
        os.close(fd)


def sync_file(path: str) -> None:
    """Force the bytes of a file to the disk."""
    # Windows flushes only through a handle that may write.
    fd = os.open(path, (os.O_RDWR if _WINDOWS else os.O_RDONLY) | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_files(paths: Sequence[str]) -> None:
    """Force many files to the disk; the first error is raised after all were tried."""
    if len(paths) <= _MANY:
        for path in paths:
            sync_file(path)
        return
    import threading

    errors: list[OSError] = []

    def work(some: Sequence[str]) -> None:
        try:
            for path in some:
                sync_file(path)
        except OSError as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=(paths[n::_SYNC_THREADS],)) for n in range(_SYNC_THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def sync_barrier(path: str) -> None:
    """Force a file to the disk and, on macOS, everything before it through the drive's cache."""
    fd = os.open(path, (os.O_RDWR if _WINDOWS else os.O_RDONLY) | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(fd)
        if hasattr(os, "uname") and os.uname().sysname == "Darwin":
            import fcntl

            # fsync of macOS leaves the bytes in the drive; 51 is F_FULLFSYNC of <fcntl.h>.
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, 51)
    finally:
        os.close(fd)


def sync_folders(folders: Iterable[str]) -> None:
    """Force the names in these folders to the disk; folders that are gone are passed over."""
    if _WINDOWS:  # Windows has no such call; its file system journals names itself.
        return
    for folder in sorted(folders):
        try:
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            os.fsync(fd)
        except OSError as error:
            # Some network and FUSE file systems cannot sync a folder; there is nothing more to do.
            if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
                raise
        finally:
            os.close(fd)


def replace(source: str, target: str) -> None:
    """Rename over `target`, patient with Windows programs that hold it open for a moment."""
    for pause in (0.01, 0.03, 0.1, 0.3) if _WINDOWS else ():
        try:
            os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(source, target)


def unlink_if_there(path: str) -> None:
    """Remove a file; its absence is fine, any other refusal raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_empty(folders: Iterable[str]) -> list[str]:
    """Remove those of the folders that are empty, deepest first; return the removed ones."""
    removed = []
    for folder in sorted(folders, key=len, reverse=True):
        with contextlib.suppress(OSError):
            os.rmdir(folder)
            removed.append(folder)
    return removed


def refusal(error: OSError, root: str, *, doing: str) -> StorageFailed:
    """Say in one sentence why the disk refused; `doing` is "write" or the like."""
    name = error.filename if isinstance(error.filename, str) else ""
    at = f" in '{os.path.relpath(os.path.dirname(name) or name, root)}'" if name else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFailed(
            f"cannot {doing}: the disk is full",
            hint="nothing was changed; free some space and try again",
        )
    if doing in {"read", "look"} and error.errno in {errno.EACCES, errno.EPERM}:
        what = f" '{os.path.relpath(name, root)}'" if name else ""
        return StorageFailed(
            f"cannot read{what}: no permission to read it",
            hint="nothing was changed; check the permissions of the file and its folders",
        )
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return StorageFailed(
            f"cannot {doing}{at}: no permission to write there",
            hint="nothing was changed; check the permissions of the folder",
        )
    return StorageFailed(
        f"cannot {doing}{at}: {error.strerror or error}", hint="nothing was changed"
    )
