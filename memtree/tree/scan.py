"""What is on disk right now, as cheaply as one can know: a walk, never a read.

A `Snapshot` maps every folder to its markdown files, and every file to one number made of its
modification time, change time, size and inode. Two walks are equal when nothing changed, and that
comparison runs in C, so a search can afford it before every question. The promises:

* A folder that cannot be read keeps what was known about it: it is never taken for deleted.
* Symbolic links are never followed; they are reported.
* A file that changed within the clock's own granularity is not trusted: it gets the number 0,
  which never matches, so that the next walk looks at its bytes again (git calls such a file racily
  clean). A clock that jumps can therefore not hide an edit: change time and inode move with it.

This module is on the hot path of a search: it may import nothing that costs.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    # Folder (relative, "" is the root) -> file name -> signature.
    Listing = dict[str, dict[str, int]]
    # Judges a relative path (and whether it is a folder): True when it is to be ignored.
    Judge = Callable[[str, bool], bool]

SUFFIXES = (".md", ".markdown")
RULE_FILES = (".gitignore", ".memtreeignore")
IGNORED = -1  # the signature of a file that the ignore rules hide
UNSURE = 0  # the signature of a file that must be looked at again
# ext4, xfs and btrfs stamp files with the kernel's tick (1-10 ms); FAT with two seconds, and such
# stamps have no fraction.
TICK_NS = 50_000_000
COARSE_NS = 2_000_000_000


class Snapshot:
    """One walk: what was there (`listing`), what rules hide, and what could not be read."""

    __slots__ = ("ignored", "listing", "odd", "unreadable")

    def __init__(
        self,
        listing: Listing,
        *,
        ignored: frozenset[str] = frozenset(),
        unreadable: frozenset[str] = frozenset(),
        odd: tuple[tuple[str, str, str], ...] = (),
    ) -> None:
        self.listing = listing
        self.ignored = ignored
        self.unreadable = unreadable
        self.odd = odd  # (path, code, message): links, names that are not text, files out of reach

    def dump(self) -> bytes:
        """The bytes that `load` reads."""
        import marshal

        return marshal.dumps(
            (self.listing, sorted(self.ignored), sorted(self.unreadable), list(self.odd)), 4
        )

    @staticmethod
    def load(data: bytes) -> Snapshot:
        """A snapshot from `dump`; raises ValueError, EOFError or TypeError when it is damaged."""
        import marshal

        listing, ignored, unreadable, odd = marshal.loads(data)  # noqa: S302  (our own cache)
        return Snapshot(
            listing,
            ignored=frozenset(ignored),
            unreadable=frozenset(unreadable),
            odd=tuple(tuple(item) for item in odd),
        )


def signature(status: os.stat_result, *, now_ns: int = 0) -> int:
    """One number for a file's state; `UNSURE` when it changed too near `now_ns` to be trusted."""
    modified, changed = status.st_mtime_ns, status.st_ctime_ns
    if now_ns:
        newest = max(modified, changed)
        grain = TICK_NS if changed % 1_000_000_000 else COARSE_NS
        if now_ns - newest < grain and newest - now_ns < COARSE_NS:
            return UNSURE
    return hash((modified, changed, status.st_size, status.st_ino)) or 1


def is_unchanged(root: str, known: Snapshot) -> bool:  # noqa: C901  (as `walk`)
    """Whether a walk finds exactly what `known` holds: the question before every question."""
    listing, ignored, unreadable = known.listing, known.ignored, known.unreadable
    seen = 0
    stack = [""]
    base = root + os.sep
    while stack:
        folder = stack.pop()
        expected = listing.get(folder)
        if expected is None:
            return False
        seen += 1
        prefix = folder + "/" if folder else ""
        found: dict[str, int] = {}
        try:
            with os.scandir(base + folder) as entries:
                for entry in entries:
                    name = entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if name[0] != "." and (prefix + name) not in ignored:
                            stack.append(prefix + name)
                    elif name in expected:
                        if expected[name] == IGNORED:
                            found[name] = IGNORED
                        elif not entry.is_symlink():
                            status = entry.stat(follow_symlinks=False)
                            found[name] = (
                                hash(
                                    (
                                        status.st_mtime_ns,
                                        status.st_ctime_ns,
                                        status.st_size,
                                        status.st_ino,
                                    )
                                )
                                or 1
                            )
                    elif _counts(name) and _is_text(name) and entry.is_file(follow_symlinks=False):
                        return False
        except OSError:
            if folder not in unreadable:
                return False
            stack = [item for item in stack if not _below(item, folder)]
            seen += sum(1 for item in listing if _below(item, folder))
            continue
        if folder in unreadable or found != expected:
            return False
    return seen == len(listing)


def walk(  # noqa: C901, PLR0912, PLR0915  (one loop, run for every file: calls would double its time)
    root: str, known: Snapshot, judge: Judge, *, now_ns: int
) -> Snapshot:
    """Everything that is there now; folders that cannot be read keep what `known` holds."""
    listing: Listing = {}
    ignored: set[str] = set()
    unreadable: set[str] = set()
    odd: list[tuple[str, str, str]] = []
    stack = [""]
    base = root + os.sep
    while stack:
        folder = stack.pop()
        prefix = folder + "/" if folder else ""
        found: dict[str, int] = {}
        below: list[str] = []
        try:
            with os.scandir(base + folder) as entries:
                for entry in entries:
                    name = entry.name
                    path = prefix + name
                    if entry.is_dir(follow_symlinks=False):
                        if name[0] == ".":
                            continue
                        if not _is_text(name):
                            odd.append((_printable(path), "bad-name", "a name that is not text"))
                        elif judge(path, True):  # noqa: FBT003  (a callback by position)
                            ignored.add(path)
                        else:
                            below.append(path)
                        continue
                    if not _counts(name):
                        if name[0] != "." and _is_text(name) and entry.is_symlink():
                            _note_linked_folder(entry, path, odd)
                        continue
                    if not _is_text(name):
                        odd.append((_printable(path), "bad-name", "a name that is not text"))
                        continue
                    if entry.is_symlink():
                        odd.append((path, "symlink", "a symbolic link, not followed"))
                        continue
                    if name not in RULE_FILES and judge(path, False):  # noqa: FBT003  (as above)
                        found[name] = IGNORED
                        continue
                    try:
                        status = entry.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    if status.st_mode & 0o170000 != 0o100000:
                        odd.append((path, "not-a-file", "neither a file nor a folder"))
                        continue
                    found[name] = signature(status, now_ns=now_ns)
        except OSError as error:
            unreadable.add(folder)
            odd.append((folder or ".", "unreadable", f"the folder can't be read: {error.strerror}"))
            for item, files in known.listing.items():
                if item == folder or _below(item, folder):
                    listing[item] = files
            ignored.update(item for item in known.ignored if _below(item, folder))
            unreadable.update(item for item in known.unreadable if _below(item, folder))
            listing.setdefault(folder, {})
            continue
        listing[folder] = found
        stack.extend(below)
    return Snapshot(
        listing,
        ignored=frozenset(ignored),
        unreadable=frozenset(unreadable),
        odd=tuple(odd),
    )


def entries(snapshot: Snapshot) -> dict[str, int]:
    """Path to signature of every entry in a snapshot: no rule files, nothing that is ignored."""
    return {
        (folder + "/" + name if folder else name): number
        for folder, files in snapshot.listing.items()
        for name, number in files.items()
        if number != IGNORED and name not in RULE_FILES
    }


def rules_of(snapshot: Snapshot) -> dict[str, int]:
    """Path to signature of every ignore file: when one changes, every judgement is made anew."""
    return {
        (folder + "/" + name if folder else name): number
        for folder, files in snapshot.listing.items()
        for name, number in files.items()
        if name in RULE_FILES
    }


def _counts(name: str) -> bool:
    if name[0] == ".":
        return name in RULE_FILES
    return name.lower().endswith(SUFFIXES)


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder + "/") if folder else path != ""


def _is_text(name: str) -> bool:
    # A name that is not UTF-8 arrives with surrogates; no index and no terminal can hold it.
    if name.isascii():
        return True
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()


def _note_linked_folder(
    entry: os.DirEntry[str], path: str, odd: list[tuple[str, str, str]]
) -> None:
    try:
        leads_to_folder = entry.is_dir()
    except OSError:
        leads_to_folder = False
    if leads_to_folder:
        odd.append((path, "symlink", "a symbolic link to a folder, not followed"))
