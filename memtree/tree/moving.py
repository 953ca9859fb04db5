"""Moving an entry or a folder, with every link to it: one transaction."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from memtree.errors import EntryNotFound, Refused
from memtree.knowledge.path import MARKDOWN_SUFFIXES, parse_path, parse_scope
from memtree.tree.format import find_front
from memtree.tree.place import fold
from memtree.tree.receipt import ANY
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memtree.knowledge.problem import Problem
    from memtree.tree.links import LinkIndex
    from memtree.tree.receipt import Receipt


class Moved(NamedTuple):
    """A move: old path to new path, the transaction, and links that could not be rewritten."""

    paths: dict[str, str]
    receipt: Receipt
    problems: tuple[Problem, ...]


def move(
    root: str,
    source: str,
    target: str,
    *,
    index: LinkIndex,
    at: str,
    linking: Callable[[set[str]], Iterable[str]] | None = None,
    by: str = "human",
    wait_s: float = 10.0,
) -> Moved:
    """Move an entry or a folder, and rewrite every link so that it leads where it led.

    `source` is an entry path or a folder; a `target` that is a folder (or ends with `/`) takes the
    entry under its own name. `index` knows every entry before the move; `linking` lists the
    entries that hold a link to one of some names (see `relink.names_touched`): without it every
    entry is read. Only the bytes of link targets change. Raises EntryNotFound, PathRefused,
    Refused when something stands at the target.
    """
    from memtree.tree.relink import Moves, names_touched, relink

    moved, assets = _plan_move(root, source, target, index)
    after = index.after(moved)
    moves = Moves(
        moved,
        before=index,
        after=after,
        assets=assets,
        is_file=lambda path: os.path.isfile(os.path.join(root, *path.split("/"))),
    )
    linked = index.paths if linking is None else linking(names_touched(moved | assets))
    problems: list[Problem] = []
    with begin(root, command="mv", at=at, by=by, wait_s=wait_s) as txn:
        # Texts first: a link is judged by what stood where before anything moved.
        texts: dict[str, bytes] = {}
        for path in dict.fromkeys((*moved, *linked)):
            try:
                raw, _ = txn.read(path)
            except (FileNotFoundError, Refused):
                if path in moved:
                    raise
                continue  # the index is older than the tree; a link there is found by `check`
            if b"[" not in raw and b"related" not in raw and b"supersede" not in raw:
                continue
            text = raw.decode("utf-8", "surrogateescape")
            new, unlinkable = relink(text, find_front(text).body, path, moves)
            problems += unlinkable
            if new != text:
                texts[path] = new.encode("utf-8", "surrogateescape")
        for old, new_path in (*moved.items(), *assets.items()):
            _, seen = txn.read(old)
            txn.move(old, new_path, seen)
        for path, data in texts.items():
            txn.write(moved.get(path, path), data, ANY)
    return Moved(moved, txn.receipt, tuple(problems))


def _plan_move(
    root: str, source: str, target: str, index: LinkIndex
) -> tuple[dict[str, str], dict[str, str]]:
    """List what moves where: entries, and the other files of a moved folder."""
    moved: dict[str, str]
    assets: dict[str, str]
    source = source.rstrip("/")
    into_folder = target.endswith("/") or os.path.isdir(_on_disk(root, target))
    if source in index.paths:
        name = source.rpartition("/")[2]
        if into_folder:
            scope = parse_scope(target)
            target = f"{scope}/{name}" if scope else name
        new = parse_path(target)
        if not target.lower().endswith(MARKDOWN_SUFFIXES) and source.endswith(".markdown"):
            new = parse_path(target + ".markdown")
        moved, assets = {source: new}, {}
    else:
        folder = parse_scope(source)
        below = [path for path in index.paths if path.startswith(folder + "/")]
        if not folder or not below:
            raise EntryNotFound(f"no entry and no folder with entries at '{source}'")
        goal = parse_scope(target)
        if into_folder and goal.casefold() != folder.casefold():
            goal = f"{goal}/{folder.rpartition('/')[2]}" if goal else folder.rpartition("/")[2]
        if not goal or (goal + "/").startswith(folder + "/"):
            raise Refused(
                f"'{source}' can't be moved into itself" if goal else "name the new folder"
            )
        moved = {path: goal + path[len(folder) :] for path in below}
        assets = {
            path: goal + path[len(folder) :]
            for path in _files_below(root, folder)
            if path not in index.paths
        }
    names = _Names(root)
    for old, new_path in (*moved.items(), *assets.items()):
        names.check(source, new_path)
        there = _on_disk(root, new_path)
        if os.path.lexists(there) and not _same_file(there, _on_disk(root, old)):
            raise Refused(
                f"something is at '{new_path}' already",
                hint="move it away first, or choose another name",
            )
        if old == new_path:
            raise Refused(f"'{source}' is there already")
    return moved, assets


class _Names:
    """The names in the folders of a tree, each folder read once."""

    __slots__ = ("_folders", "_root")

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders: dict[str, dict[str, list[str]]] = {}

    def check(self, source: str, target: str) -> None:
        """Raise Refused when a part of `target` is there in other letters, not being `source`.

        On a disk that ignores case the two would be one.
        """
        folder = ""
        for name in target.split("/"):
            path = f"{folder}/{name}" if folder else name
            there = self._names(folder).get(fold(name), [])
            other = f"{folder}/{there[0]}" if there and folder else "".join(there[:1])
            if there and name not in there and other != source:
                raise Refused(
                    f"'{other}' is there already, and differs from '{path}' only in case",
                    hint="choose another name"
                    if path == target
                    else f"write it as it is there, or rename it: memtree mv '{other}' '{path}'",
                )
            folder = path

    def _names(self, folder: str) -> dict[str, list[str]]:
        known = self._folders.get(folder)
        if known is None:
            try:
                names = os.listdir(_on_disk(self._root, folder))
            except OSError:
                names = []
            known = self._folders[folder] = {}
            for name in names:
                known.setdefault(fold(name), []).append(unicodedata.normalize("NFC", name))
        return known


def _files_below(root: str, folder: str) -> list[str]:
    out = []
    for above, folders, files in os.walk(_on_disk(root, folder)):
        folders[:] = sorted(f for f in folders if not os.path.islink(os.path.join(above, f)))
        inside = os.path.relpath(above, root).replace(os.sep, "/")
        out += [
            f"{inside}/{name}"
            for name in sorted(files)
            if not os.path.islink(os.path.join(above, name))
        ]
    return out


def _on_disk(root: str, path: str) -> str:
    return os.path.join(root, *path.strip("/").split("/"))


def _same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
