"""SHA-256 of model files: a file that was not touched keeps its digest, from process to process.

What was taken is noted in the user's cache folder (`memtree/digests`: a line per file), not in the
tree: a tree that came from somebody else can't vouch for files. A file is known by its path, size,
times of change, inode and device. Its content can't be changed without the kernel setting the
second time, which no program can set back; on Windows the times are those of writing and creation.
Small files are not worth a note; files that changed within the last seconds could change again
within one tick of the file system's clock.
"""

from __future__ import annotations

import os
import sys
import time

from memtree.errors import ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    Key = tuple[str, int, int, int, int, int]

WORTH = 100_000  # bytes: below, importing hashlib costs more than the digest
_SETTLED = 2.0  # seconds: the coarsest clock of a file system in use (FAT)
_MOST = 64  # files that are remembered, the last ones

_known: dict[Key, str] = {}


def sha256(path: str) -> str:
    """The file's SHA-256 in hexadecimal. Raises ModelUnavailable if it can't be read."""
    try:
        with open(path, "rb") as file:
            before = os.fstat(file.fileno())
            key = _key(path, before)
            found = _known.get(key) or (_noted(key) if before.st_size >= WORTH else "")
            if not found:
                import hashlib

                found = hashlib.file_digest(file, "sha256").hexdigest()
                now = time.time()
                changed = max(before.st_mtime, before.st_ctime)
                # What was written meanwhile is neither the old file nor the new one.
                if key != _key(path, os.fstat(file.fileno())):
                    return found
                if before.st_size >= WORTH and changed < now - _SETTLED:
                    _note(key, found)
    except OSError as error:
        raise ModelUnavailable(
            f"the model file {path!r} can't be read: {error.strerror or error}",
            hint="check the path, and that it is a file you may read",
        ) from error
    _known[key] = found
    return found


def folder() -> str:
    """Where memtree may note things about this machine; "" when the system names no place."""
    home = os.path.expanduser("~")
    if given := os.environ.get("XDG_CACHE_HOME"):
        base = given
    elif sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.path.join(home, ".cache")
    return os.path.join(base, "memtree") if os.path.isabs(base) else ""


def _key(path: str, status: os.stat_result) -> Key:
    return (
        os.path.abspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns,
        status.st_ino, status.st_dev,
    )  # fmt: skip


def _line(key: Key) -> str:
    """What a note says of a file, after its digest and a blank; the path last."""
    return " ".join(map(str, (*key[1:], key[0])))


def _notes() -> list[str]:
    place = folder()
    if not place:
        return []
    try:
        with open(os.path.join(place, "digests"), encoding="utf-8", newline="\n") as file:
            return file.read(1 << 20).splitlines()
    except (OSError, ValueError):
        return []


def _noted(key: Key) -> str:
    """The digest that was noted for a file, or ""."""
    wanted = _line(key)
    for line in _notes():
        digest, _, of = line.partition(" ")
        if of == wanted and len(digest) == 64:
            return digest
    return ""


def _note(key: Key, digest: str) -> None:
    """Note a digest; where nothing can be written, it is taken again by the next process."""
    path, place = key[0], folder()
    if not place or not path.isprintable():
        return
    others = [line for line in _notes() if not line.endswith(f" {path}")]
    part = os.path.join(place, f"digests.{os.getpid()}.part")
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        with open(part, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join([*others[1 - _MOST :], f"{digest} {_line(key)}", ""]))
        os.replace(part, os.path.join(place, "digests"))
    except OSError:
        if os.path.exists(part):
            os.remove(part)
