"""From the path that a source names to the bytes of a file, and no further than it may lead.

The rule: a path with `/` from the *ground*, the top folder of the git repository that the tree lies
in, else the tree's own root. Such a path was written by anybody: an absolute one, `..`, a link on
the way, a device, the machinery of git and memtree are never opened, and no more than `MAX_BYTES`
are read. Hot: imports nothing that costs.
"""

from __future__ import annotations

import os
import stat
import unicodedata

from memtree.knowledge.anchor import GONE, OUTSIDE, UNCHECKED

MAX_BYTES = 8 * 1024 * 1024
"""Of one file; a larger one is not read. As `memtree.tree.markdown.MAX_BYTES` for entries."""
_MACHINERY = frozenset({".git", ".memtree"})
_HARMFUL = frozenset(map(chr, range(32))) | {"\x7f", "\\"}
_REPARSE_POINT = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT: links and junctions of Windows


class Unread(Exception):  # noqa: N818  (it becomes a state)
    """A file that is not read: the `state` that this is (`knowledge.anchor`), and why in words."""

    def __init__(self, state: str, why: str = "") -> None:
        super().__init__(why)
        self.state = state
        self.why = why


def ground_of(root: str) -> str:
    """Return the folder that resources start at: the repository's top, else the tree's root."""
    folder = os.path.abspath(root)
    while True:
        # In a worktree or submodule `.git` is a file.
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
        above = os.path.dirname(folder)
        if above == folder:
            return os.path.abspath(root)
        folder = above


def find(ground: str, resource: str) -> tuple[str, os.stat_result]:
    """Return where a regular file lies, with its stat; raise Unread for everything else."""
    parts = resource.split("/")
    if parts[0] == ".":
        parts = parts[1:]
    if not resource or not _HARMFUL.isdisjoint(resource) or (os.name == "nt" and ":" in resource):
        raise Unread(OUTSIDE, "it is no path that can be followed")
    if not parts or not parts[0] or os.path.isabs(resource):
        raise Unread(OUTSIDE, "it is no path from the repository or tree")
    if ".." in parts or "." in parts or "" in parts:
        raise Unread(OUTSIDE, "it is no plain path inside the repository or tree")
    if not _MACHINERY.isdisjoint(part.casefold() for part in parts):
        raise Unread(OUTSIDE, "it belongs to git or to memtree itself")
    forms = [parts]
    if not resource.isascii():
        # Made on macOS a name may be decomposed; a resource is composed.
        forms += [[unicodedata.normalize(form, part) for part in parts] for form in ("NFC", "NFD")]
    for form in forms:
        found = _walked(ground, form)
        if found is not None:
            return found
    raise Unread(GONE)


def _walked(ground: str, parts: list[str]) -> tuple[str, os.stat_result] | None:
    """Follow a path folder by folder; None when nothing is there."""
    where = ground
    info: os.stat_result | None = None
    for part in parts:
        where = os.path.join(where, part)
        try:
            info = os.lstat(where)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise Unread(UNCHECKED, _reason(error)) from None
        attributes: int = getattr(info, "st_file_attributes", 0)
        if stat.S_ISLNK(info.st_mode) or attributes & _REPARSE_POINT:
            raise Unread(OUTSIDE, "it is reached through a link, and links are not followed")
    if info is None or stat.S_ISDIR(info.st_mode):
        return None
    if not stat.S_ISREG(info.st_mode):
        raise Unread(OUTSIDE, "it is not a file but a device, pipe or socket")
    return where, info


def read(where: str, *, head: int = 0) -> bytes:
    """Read a file that `find` found, or only its first `head` bytes.

    Raises Unread when it is too large or refuses.
    """
    # What was a file a moment ago may be a link or a pipe now: neither is followed or waited for.
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        with open(os.open(where, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unread(OUTSIDE, "it is not a file")
            data = file.read(head or MAX_BYTES + 1)
    except FileNotFoundError:
        raise Unread(GONE) from None
    except OSError as error:
        raise Unread(UNCHECKED, _reason(error)) from None
    if len(data) > MAX_BYTES:
        raise Unread(UNCHECKED, f"it is larger than {MAX_BYTES >> 20} MiB")
    return data


def _reason(error: Exception) -> str:
    return f"it can't be read: {getattr(error, 'strerror', None) or error}"
