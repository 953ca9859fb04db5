"""The one lock that writers share, and the cheap question whether a transaction is unfinished.

Loaded by the hot search path: nothing here imports more than `os` and `time` until it has to.
Readers take no lock. They ask `journal_pending` (one stat); only when a writer died or is about
to finish do they call `wait_quiet`.

The lock belongs to the operating system (`flock`, or `msvcrt.locking` on Windows), so it ends
with the process that holds it, however that ends. The text in the file only serves messages.
"""

from __future__ import annotations

import os
import sys
import time

from memtree.errors import Locked, StorageFailed

_LOCKED_BYTE = 1 << 30
"""Windows locks are mandatory: the locked byte lies far behind the text that others read."""


def state_path(root: str, name: str) -> str:
    """Return the absolute path of the file `name` in the state folder of the tree at `root`."""
    return os.path.join(root, ".memtree", "state", name)


def refuse_links(root: str) -> None:
    """Raise StorageFailed when a folder of the state is a link: a clone could bring one along."""
    for name in ("", "history", "rescued"):
        path = os.path.join(root, ".memtree", "state", name).rstrip(os.sep)
        if _is_link(path):
            shown = os.path.relpath(path, root).replace(os.sep, "/")
            raise StorageFailed(
                f"'{shown}' is a link, and memtree does not keep its state behind links",
                hint="nothing was changed; remove the link",
            )


def _is_link(path: str) -> bool:
    try:
        info = os.lstat(path)
    except OSError:
        return False
    # S_ISLNK without its module; 0x400 marks links and junctions of Windows.
    attributes: int = getattr(info, "st_file_attributes", 0)
    return info.st_mode & 0o170000 == 0o120000 or bool(attributes & 0x400)


def journal_pending(root: str) -> bool:
    """Say whether a transaction is past its commit point and not finished: one `stat`."""
    try:
        os.stat(state_path(root, "journal"))
    except OSError:
        return False
    return True


def wait_quiet(root: str, wait_s: float = 1.0) -> bool:
    """Wait until no transaction is half visible, for a reader; return whether that was reached.

    Without a journal this is one `stat`. With one, either its writer is at work, and a short wait
    (at most `wait_s` seconds) sees it finish, or the writer died, and its transaction is finished
    here. A tree that cannot be written keeps its journal and gives False.
    """
    deadline = time.monotonic() + wait_s
    pause = 0.001
    while journal_pending(root):
        try:
            lock = WriterLock(root, command="recover", wait_s=0.0)
            with lock:
                if journal_pending(root):
                    from memtree.tree.recovery import recover_locked

                    recover_locked(root)
        except Locked:
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
        except StorageFailed:
            return False
    return True


class WriterLock:
    """The writer lock of one tree, as a context manager.

    Entering waits at most `wait_s` seconds and raises `Locked`, naming the holder, when that is
    not enough; `StorageFailed` when the state folder cannot be written. Not reentrant, but safe
    between threads: each instance opens the file for itself.
    """

    __slots__ = ("_command", "_fd", "_path", "_root", "_wait_s")

    def __init__(self, root: str, *, command: str, wait_s: float) -> None:
        self._root = root
        self._path = state_path(root, "lock")
        self._command = command
        self._wait_s = wait_s
        self._fd = -1

    def __enter__(self) -> WriterLock:  # noqa: PYI034 - typing is not imported on the hot path
        refuse_links(self._root)
        deadline = time.monotonic() + self._wait_s
        pause = 0.001
        while not self._try():
            left = deadline - time.monotonic()
            if left <= 0:
                raise Locked(
                    f"another process is writing to this tree{_holder(self._path)}",
                    hint=f"waited {self._wait_s:g} s; try again when it has finished",
                )
            # Writers that wake in step would collide for ever: the process number spreads them.
            time.sleep(min(pause * (0.75 + os.getpid() % 8 / 16), left))
            pause = min(pause * 1.6, 0.05)
        return self

    def __exit__(self, *_: object) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _try(self) -> bool:
        """Take the lock if it is free."""
        try:
            fd = _open(self._path)
        except OSError as error:
            raise StorageFailed(
                f"cannot lock the tree: {error.strerror or error}",
                hint=f"'{self._path}' must be writable",
            ) from error
        try:
            taken = _take(fd) and _same_file(fd, self._path)
        except OSError as error:
            os.close(fd)
            raise StorageFailed(
                f"this file system cannot lock files: {error.strerror or error}",
                hint="keep the tree on a disk that supports file locks",
            ) from error
        if not taken:
            os.close(fd)
            return False
        self._fd = fd
        _sign(fd, self._command)
        return True


def _open(path: str) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o666)


def _take(fd: int) -> bool:
    """Take the operating system's lock without waiting; False when someone else holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(fd, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _same_file(fd: int, path: str) -> bool:
    """Say whether `path` is still the open file: a deleted lock file would let two writers in."""
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    opened = os.fstat(fd)
    return (now.st_dev, now.st_ino) == (opened.st_dev, opened.st_ino)


def _sign(fd: int, command: str) -> None:
    """Write who holds the lock. Only for messages, so a full disk is no reason to stop."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        line = f"{os.getpid()} {command[:200]}\n".encode(errors="replace")
        os.write(fd, line)
        os.ftruncate(fd, len(line))
    except OSError:
        return


def _holder(path: str) -> str:
    """Return " (process 12, 'add')" for a message, or nothing when the file does not say."""
    try:
        with open(path, "rb") as file:
            text = file.read(300).decode(errors="replace")
    except OSError:
        return ""
    pid, _, command = text.partition("\n")[0].partition(" ")
    return f" (process {pid}, '{command}')" if pid.isdigit() else ""
