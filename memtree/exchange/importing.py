"""The door for knowledge that comes in: what a path holds, and which reader it takes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from memtree.errors import Refused, Unavailable, UsageError
from memtree.exchange.landing import land
from memtree.knowledge.path import MARKDOWN_SUFFIXES, parse_scope
from memtree.tree.place import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from memtree.exchange.report import Draft, ImportReport
    from memtree.knowledge.problem import Problem

KINDS = ("auto", "markdown", "obsidian", "okf", "jsonl", "chatgpt", "claude")
_CHATS = "chats"  # an export of either, as its content tells
_LATER = frozenset({"mem0", "basic-memory"})
_JSONL_SUFFIXES = (".jsonl", ".ndjson", ".jsonlines")


def import_paths(
    root: str,
    paths: Sequence[str],
    *,
    at: str,
    kind: str = "auto",
    into: str = "",
    by: str = "human",
    known_ids: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
    wait_s: float = 10.0,
) -> ImportReport:
    """Bring files and folders into the tree at `root`; `-` is standard input.

    `kind` is one of `KINDS`; `into` is a folder of the tree. `at` is an ISO 8601 time for the
    history; `known_ids` and `progress` are `landing.land`'s. A second run changes nothing. Raises
    UsageError for a path that is not there or a kind that does not fit, PathRefused for `into`.
    """
    if kind in _LATER:
        raise Unavailable(
            f"importing '{kind}' comes in a later version of memtree",
            hint="kinds: " + ", ".join(KINDS),
        )
    if kind not in KINDS:
        raise UsageError(f"there is no import kind '{kind}'", hint="kinds: " + ", ".join(KINDS))
    into = parse_scope(into)
    if into:
        Places(root).folder(into)  # a link is refused here, and not line by line
    chosen = [(path, _kind_of(path, kind)) for path in paths]
    for path, _ in chosen:
        if path != "-" and _contains(os.path.abspath(path), root):
            raise Refused(
                f"'{path}' holds the tree itself",
                hint="notes inside the tree are entries already: memtree index",
            )
    return land(
        root,
        _drafts(chosen, into),
        at=at,
        by=by,
        known_ids=known_ids,
        dry_run=dry_run,
        progress=progress,
        wait_s=wait_s,
    )


def _drafts(chosen: Sequence[tuple[str, str]], into: str) -> Iterator[Draft | Problem]:
    from memtree.exchange import jsonl, markdown

    for path, kind in chosen:
        if kind in {_CHATS, "chatgpt", "claude"}:
            from memtree.exchange import chats  # it brings zipfile, which takes a while

            maker = "auto" if kind == _CHATS else kind
            if path == "-":
                yield from chats.read_stream("-", sys.stdin.buffer, kind=maker, into=into)
            else:
                yield from chats.read_path(path, kind=maker, into=into)
        elif kind == "jsonl":
            if path == "-":
                yield from jsonl.read_lines("-", sys.stdin.buffer, into=into)
            else:
                with open(path, "rb") as file:
                    yield from jsonl.read_lines(path, file, into=into)
        elif os.path.isdir(path):
            yield from markdown.read_folder(path, into=into)
        else:
            yield from markdown.read_file(path, into or "notes/imported")


def _kind_of(path: str, kind: str) -> str:
    """Settle on a reader for `path`. Raises UsageError when there is none."""
    if path == "-":
        if kind not in {"auto", "jsonl", "chatgpt", "claude"}:
            raise UsageError("standard input is read as JSONL", hint="name a file or a folder")
        return "jsonl" if kind == "auto" else kind
    if not os.path.exists(path):
        raise UsageError(f"there is nothing at '{path}' to import")
    if os.path.isdir(path):
        if kind == "jsonl":
            raise UsageError(f"'{path}' is a folder, and JSONL is a file")
        return _told(path) or "markdown" if kind == "auto" else kind
    if not os.path.isfile(path):  # opening a pipe waits for its writer, perhaps for ever
        raise UsageError(
            f"'{path}' is neither a file nor a folder",
            hint="for JSONL from a pipe: memtree import - < PIPE",
        )
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        raise Unavailable(f"'{path}' can't be read: {error.strerror}") from error
    if kind != "auto":
        return kind
    told = _told(path)
    if not told:
        raise UsageError(
            f"what '{path}' holds can't be told from its name or its beginning",
            hint="say it: --from jsonl, markdown, chatgpt or claude",
        )
    return told


def _told(path: str) -> str:
    """Tell the kind of a file or folder from its name, else from its beginning; "" if neither."""
    name = path.lower()
    if name.endswith(_JSONL_SUFFIXES):
        return "jsonl"
    if name.endswith(MARKDOWN_SUFFIXES):
        return "markdown"
    from memtree.exchange.chats import is_export

    return _CHATS if is_export(path) else ""


def _contains(path: str, root: str) -> bool:
    """Whether a folder to import is the tree, holds it or lies in it."""
    if not os.path.isdir(path):
        return False
    path, root = os.path.realpath(path), os.path.realpath(root)
    return path == root or path.startswith(root + os.sep)
