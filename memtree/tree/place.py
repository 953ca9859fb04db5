"""Where an entry path lies on disk, and that nothing on the way leads out of the tree.

A path of the tree is relative, uses `/` and is in Unicode normal form NFC. On disk a name may be
decomposed (made on macOS, carried to Linux): then the file that is there is found. Symbolic links
and junctions are never followed, neither as a folder on the way nor as the file itself.
"""

from __future__ import annotations

import errno
import os
import stat
import unicodedata

from memtree.errors import PathRefused
from memtree.tree.disk import refusal
from memtree.tree.receipt import ABSENT, Fingerprint, fingerprint

_REPARSE_POINT = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: links and junctions of Windows
_HARMFUL = frozenset(map(chr, range(32))) | {"\x7f", "\\"}
_OWN_TRACKED = ("config.toml", ".gitignore", "sidecar")
"""What a transaction may write inside `.memtree/`: the tracked files, never state or cache."""


def plain(path: str) -> str:
    """Return `path` in NFC; raise PathRefused when it could leave the tree."""
    if not path.isascii():
        path = unicodedata.normalize("NFC", path)
    if not path or not _HARMFUL.isdisjoint(path):
        raise _refused(path, "is not a path inside the tree")
    parts = path.split("/")
    if "" in parts or "." in parts or ".." in parts or (os.name == "nt" and ":" in path):
        raise _refused(path, "is not a path inside the tree")
    folded = [part.casefold() for part in parts]
    if ".git" in folded:
        raise _refused(path, "belongs to git")
    if folded[0] == ".memtree" and (len(parts) < 2 or parts[1] not in _OWN_TRACKED):
        raise _refused(path, "belongs to memtree itself")
    return path


def fold(path: str) -> str:
    """Return the key under which file systems that ignore case or normal form hold `path`."""
    return unicodedata.normalize("NFC", path).casefold()


class Places:
    """Paths of one tree on disk; remembers folders, so use one per transaction and phase."""

    __slots__ = ("_decomposed", "_folders", "root")

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders = {"": root}
        self._decomposed: dict[str, dict[str, str]] = {}

    def folder(self, path: str) -> str:
        """Return the absolute path of a folder, which need not exist; refuse links and files."""
        known = self._folders.get(path)
        if known is not None:
            return known
        parent, _, name = path.rpartition("/")
        if name in {".", ".."}:
            raise _refused(path, "is not a path inside the tree")
        where = self._child(self.folder(parent), name)
        info = self._stat(where, path)
        if info is not None:
            if _is_link(info):
                raise _refused(path, "is a link, and memtree does not follow links")
            if not stat.S_ISDIR(info.st_mode):
                raise _refused(path, "is a file, not a folder")
        self._folders[path] = where
        return where

    def file(self, path: str) -> str:
        """Return the absolute path of a file, which need not exist; refuse links on the way."""
        parent, _, name = path.rpartition("/")
        if name in {"", ".", ".."}:
            raise _refused(path, "is not a path inside the tree")
        return self._child(self.folder(parent), name)

    def info(self, path: str) -> os.stat_result | None:
        """Return the stat of a regular file, None when nothing is there; refuse all else."""
        info = self._stat(self.file(path), path)
        if info is None:
            return None
        if _is_link(info):
            raise _refused(path, "is a link, and memtree does not write through links")
        if not stat.S_ISREG(info.st_mode):
            raise _refused(path, "is not a file")
        return info

    def load(self, path: str) -> tuple[bytes, os.stat_result] | None:
        """Read a regular file, with its stat from before the reading; None when it is absent."""
        info = self.info(path)
        if info is None:
            return None
        try:
            with open(self.file(path), "rb", buffering=0) as file:
                return file.readall(), info
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal(error, self.root, doing="read") from error

    def fingerprint(self, path: str) -> Fingerprint | None:
        """Return the fingerprint on disk; None when something else than a file stands there."""
        try:
            loaded = self.load(path)
        except PathRefused:
            return None
        return ABSENT if loaded is None else fingerprint(loaded[0])

    def _stat(self, where: str, path: str) -> os.stat_result | None:
        try:
            return os.lstat(where)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise _refused(path, "is too long a name for this disk") from error
            raise refusal(error, self.root, doing="look") from error

    def _child(self, folder: str, name: str) -> str:
        where = os.path.join(folder, name)
        if name.isascii() or os.path.lexists(where):
            return where
        known = self._decomposed.get(folder)
        if known is None:
            try:
                names = os.listdir(folder)
            except (FileNotFoundError, NotADirectoryError):
                names = []
            known = {
                whole: each
                for each in names
                if not each.isascii() and (whole := unicodedata.normalize("NFC", each)) != each
            }
            self._decomposed[folder] = known
        return os.path.join(folder, known.get(name, name))


def signature(info: os.stat_result | None) -> tuple[int, int, int] | None:
    """Return what changes when a file is edited or replaced, without reading it."""
    return None if info is None else (info.st_mtime_ns, info.st_size, info.st_ino)


def _is_link(info: os.stat_result) -> bool:
    attributes: int = getattr(info, "st_file_attributes", 0)
    return stat.S_ISLNK(info.st_mode) or bool(attributes & _REPARSE_POINT)


def _refused(path: str, why: str) -> PathRefused:
    shown = f"'{path}'" if _HARMFUL.isdisjoint(path) else ascii(path)
    return PathRefused(f"{shown} {why}", hint="nothing was changed")
