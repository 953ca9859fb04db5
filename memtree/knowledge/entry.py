"""One entry of the tree as a value: what a file says, and the fingerprint of the bytes it said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.knowledge.path import EntryPath
    from memtree.knowledge.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A markdown file of the tree, read.

    `meta` is the whole front matter, unknown keys included; the named fields are what memtree
    understands of it. `importance` is 0 to 100. `maturity` is `draft`, `validated` or `core`.
    `fingerprint` is the SHA-256 digest of the file's bytes: a write names it to show that it
    knows what it replaces. `lines` counts the lines of the whole file.
    """

    path: EntryPath
    id: str
    type: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    importance: float = 50.0
    maturity: str = "draft"
    meta: Mapping[str, object] = field(default_factory=dict)
    body: str = ""
    fingerprint: bytes = b""
    lines: int = 0
    problems: tuple[Problem, ...] = ()
