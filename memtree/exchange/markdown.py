"""Folders of markdown: plain ones, Obsidian vaults, OKF bundles, exports of other note tools.

Files come over byte for byte, under their own names and in their own folders, so that links between
them hold. A name that not every system can hold is made safe and reported. Hidden folders
(`.obsidian`, `.trash`, `.git`) stay behind, symbolic links are not followed, and attachments are
counted, not copied.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from memtree.errors import PathRefused
from memtree.exchange.report import Draft
from memtree.knowledge.path import MARKDOWN_SUFFIXES, parse_path, slug
from memtree.knowledge.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE = 64 << 20
"""Bytes of one file: a larger one is no note."""
_OTHERS = frozenset({"node_modules", "__pycache__"})


def read_folder(folder: str, *, into: str = "") -> Iterator[Draft | Problem]:
    """Turn every markdown file below `folder` into a draft, in order of their paths.

    `into` is the folder of the tree to put them in; without it, one named after `folder`.
    """
    base = into.strip("/") or _name(os.path.basename(os.path.abspath(folder)))
    attachments: dict[str, int] = {}

    def unreadable(error: OSError) -> None:
        troubles.append(_problem(error.filename, "unreadable", str(error.strerror)))

    troubles: list[Problem] = []
    for above, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not _is_left_out(above, name))
        inside = os.path.relpath(above, folder).replace(os.sep, "/")
        parts = [] if inside == "." else inside.split("/")
        for name in sorted(files):
            if name.startswith("."):
                continue
            path = os.path.join(above, name)
            if name.lower().endswith(MARKDOWN_SUFFIXES):
                yield from read_file(path, "/".join([base, *map(_name, parts)]))
            else:
                suffix = os.path.splitext(name)[1].lower() or name
                attachments[suffix] = attachments.get(suffix, 0) + 1
    yield from troubles
    if attachments:
        counted = ", ".join(f"{number} {suffix}" for suffix, number in sorted(attachments.items()))
        yield _problem(folder, "attachments", f"files that are no markdown stay behind: {counted}")


def read_file(path: str, folder: str) -> Iterator[Draft | Problem]:
    """Turn one markdown file into a draft for `folder` of the tree."""
    name = os.path.basename(path)
    stem, suffix = os.path.splitext(name)
    if os.path.islink(path):
        yield _problem(path, "symlink", "a symbolic link, not followed")
        return
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            yield _problem(path, "not-a-file", "not a regular file")
            return
        if status.st_size > MAX_FILE:
            yield _problem(path, "oversize", f"larger than {MAX_FILE >> 20} MiB")
            return
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        yield _problem(path, "unreadable", str(error.strerror))
        return
    if b"\0" in data:
        yield _problem(path, "binary", "not a text file")
        return
    safe = _name(stem)
    if safe != stem:
        yield _problem(path, "path-made-safe", f"'{name}' became '{safe}{suffix.lower()}'")
    yield Draft(folder, safe, suffix.lower(), data, "", path, 0)


def _is_left_out(above: str, name: str) -> bool:
    return name.startswith(".") or name in _OTHERS or os.path.islink(os.path.join(above, name))


def _name(name: str) -> str:
    """Keep a name that every system can hold; make a slug of another."""
    try:
        return parse_path(name + ".md")[:-3]
    except PathRefused:
        return slug(name.encode("utf-8", "replace").decode())


def _problem(path: str, code: str, message: str) -> Problem:
    path = path.encode("utf-8", "backslashreplace").decode()
    return Problem(path=path, line=0, code=code, message=message)
