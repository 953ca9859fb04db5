"""Which files are not part of the tree: `.gitignore`, `.memtreeignore` and a few known folders.

The rules are git's own, read by pathspec. This module is loaded only when something changed: a hot
search compares with what was judged before.
"""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pathspec

from memtree.tree.scan import RULE_FILES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.tree.scan import Judge

# Never knowledge, in any tree: other people's code and what tools leave behind.
ALWAYS = frozenset({"node_modules", "__pycache__", "site-packages"})
# What memtree archived, when this file is in it; without it `_archive` is a folder like any other,
# for many people have one. Other tools that know `.memtreeignore` leave it out by its text.
ARCHIVE = "_archive"
ARCHIVE_MARK = f"{ARCHIVE}/.memtreeignore"
_MAX_LINE = 1_000
_MAX_STARS = 3  # six in one name take minutes for a name of 255 letters


def judge_for(root: str, extra: tuple[str, ...] = ()) -> Judge:
    """A judge of relative paths under `root`; `extra` are patterns from the tree's settings."""
    specs: dict[str, list[tuple[str, pathspec.GitIgnoreSpec]]] = {}
    settings = _compiled(extra) if extra else None

    def specs_for(folder: str) -> list[tuple[str, pathspec.GitIgnoreSpec]]:
        known = specs.get(folder)
        if known is not None:
            return known
        above = [] if not folder else specs_for(folder.rpartition("/")[0])
        own = list(above)
        for name in RULE_FILES:
            lines = _lines(os.path.join(root, folder, name))
            if lines:
                own.append((folder + "/" if folder else "", _compiled(lines)))
        specs[folder] = own
        return own

    def judge(path: str, is_folder: bool) -> bool:
        folder, _, name = path.rpartition("/")
        if is_folder and (name in ALWAYS or (path == ARCHIVE and has_archive(root))):
            return True
        subject = path + "/" if is_folder else path
        if settings is not None and settings.match_file(subject):
            return True
        # As in git, the rule file nearest to the file has the last word.
        verdict: bool | None = None
        for prefix, spec in specs_for(folder):
            result = spec.check_file(subject[len(prefix) :]).include
            if result is not None:
                verdict = result
        return bool(verdict)

    return judge


def has_archive(root: str) -> bool:
    """Whether the folder `_archive` at the top of the tree is memtree's."""
    return os.path.isfile(os.path.join(root, *ARCHIVE_MARK.split("/")))


def _lines(path: str) -> list[str]:
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return []  # to open a pipe would wait for its writer; git follows no link here either
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20).splitlines()
    except OSError:
        return []


def is_pattern(line: str) -> bool:
    """Whether `line` is a pattern that is quick to match: wildcards cost time as their power."""
    parts = line.split("/")
    if len(line) > _MAX_LINE or parts.count("**") > _MAX_STARS:
        return False
    if any(part.count("*") > _MAX_STARS for part in parts):
        return False
    try:
        pathspec.GitIgnoreSpec.from_lines([line])
    except (ValueError, TypeError, OverflowError, RecursionError, re.error):
        return False
    return True


def _compiled(lines: Sequence[str]) -> pathspec.GitIgnoreSpec:
    # git ignores what it can't read, and so do we.
    return pathspec.GitIgnoreSpec.from_lines([line for line in lines if is_pattern(line)])
