"""Asking a running `memtree watch` whether the index is current.

The watcher listens on a local socket whose address stands in `state/watch`. It answers only after
it has seen every event that the operating system reported before the question: it writes a small
file and waits until it hears of that one (the cookie of Watchman). So an edit that came before the
question is never missed, and a watcher that died, hangs or belongs to another tree counts as none.

Hot: imports `_socket`, and only when there is a watcher.
"""

from __future__ import annotations

import os
import stat
import sys

FILE = os.path.join(".memtree", "state", "watch")
PATIENCE = 2.0  # seconds: beyond that, walking the files is quicker
_HEX = frozenset("0123456789abcdef")


def address_of(root: str) -> str:
    """The address of the watcher of this tree, "" when there is none."""
    try:
        with open(os.path.join(root, FILE), encoding="utf-8") as file:
            return file.read(512).strip()
    except (OSError, UnicodeDecodeError):
        return ""


def watcher_is_current(root: str) -> bool:
    """True when a watcher says that the index holds everything that is on disk."""
    address = address_of(root)
    return bool(address) and ask(address, b"sync\n").startswith(b"current")


def ask(address: str, question: bytes) -> bytes:
    """One line there, one line back; b"" when nobody answers in time."""
    import _socket

    connection = None
    try:
        if sys.platform == "win32":
            _, port, token = address.split(":", 2)
            target: object = ("127.0.0.1", int(port))
            if not (1 <= int(port) <= 65535 and _HEX.issuperset(token) and len(token) == 32):
                return b""
            connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
            question = token.encode() + b" " + question
        else:
            if not _is_ours(address):
                return b""
            target = address
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.settimeout(PATIENCE)
        connection.connect(target)
        connection.send(question)
        return connection.recv(256)
    except (OSError, ValueError, AttributeError, OverflowError, TypeError):
        return b""
    finally:
        if connection is not None:
            connection.close()


def _is_ours(path: str) -> bool:
    """Whether a socket is this user's, in a folder that nobody else may enter."""
    status = os.lstat(path)
    folder = os.lstat(os.path.dirname(path))
    return (
        stat.S_ISSOCK(status.st_mode)
        and stat.S_ISDIR(folder.st_mode)
        and status.st_uid == folder.st_uid == os.getuid()
        and not folder.st_mode & 0o077
    )
