"""Reading one entry from its file."""

from __future__ import annotations

import os

from memtree.errors import EntryNotFound, PathRefused, Refused
from memtree.knowledge.entry import Entry
from memtree.knowledge.path import EntryPath
from memtree.tree.format import read_document
from memtree.tree.markdown import parse_for_index
from memtree.tree.receipt import fingerprint


def refuse_leaving(path: str, root: str = "") -> None:
    """Raise PathRefused for a path that plainly leaves the tree: absolute, or with `..` in it.

    With the `root`, also for one that is there but behind a symbolic link, or is machinery.
    """
    parts = path.replace("\\", "/").split("/")
    if ".." in parts or os.path.isabs(path) or not parts[0]:
        raise PathRefused(f"{path!r} is not a path inside the tree", hint="nothing was read")
    if not root or "\0" in path:
        return
    if len(parts) > 1 and parts[0].casefold() in {".git", ".memtree"}:
        raise PathRefused(f"{path!r} is no entry but machinery", hint="nothing was read")
    place = root
    for part in parts:
        place = os.path.join(place, part)
        if os.path.islink(place):
            raise PathRefused(
                f"{path!r} is reached through a symbolic link, which is never followed",
                hint="nothing was read",
            )


def read_entry_bytes(root: str, path: str) -> bytes:
    """The bytes of the entry at `path` (from the catalog: relative, with `/`).

    Raises EntryNotFound, PathRefused for a link that leads elsewhere, Refused when the file can't
    be read.
    """
    refuse_leaving(path)
    place = os.path.join(root, *path.split("/"))
    real = os.path.realpath(place)
    if real != place and real != os.path.join(os.path.realpath(root), *path.split("/")):
        raise PathRefused(f"'{path}' is reached through a symbolic link, which is never followed")
    try:
        with open(place, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise EntryNotFound(f"no entry at '{path}'") from None
    except OSError as error:
        raise Refused(f"'{path}' can't be read: {error.strerror}") from error


def read_entry(root: str, path: str) -> Entry:
    """The entry at `path`, with its front matter, body and fingerprint. Raises as above."""
    raw = read_entry_bytes(root, path)
    parsed = parse_for_index(path, raw)
    document = read_document(raw, path)
    importance = document.meta.get("importance")
    return Entry(
        path=EntryPath(path),
        id=parsed.id,
        type=parsed.type,
        title=parsed.title,
        description=parsed.description,
        tags=tuple(parsed.tags),
        aliases=tuple(parsed.aliases),
        importance=float(importance) if isinstance(importance, (int, float)) else 50.0,
        maturity=str(document.meta.get("maturity") or "draft"),
        meta=document.meta,
        body=document.body,
        fingerprint=fingerprint(raw),
        lines=parsed.n_lines,
        problems=parsed.problems,
    )
