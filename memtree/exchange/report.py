"""What importers hand over, and what an import says it did: the values of this room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from memtree.tree.receipt import ABSENT

if TYPE_CHECKING:
    from memtree.knowledge.problem import Problem


class Draft(NamedTuple):
    """An entry as an importer wants it: `folder/stem + suffix`, and the whole file.

    `id` is "" for a file that keeps whatever it says; `line` counts from 1 in the `origin`, 0 for
    a whole file.
    """

    folder: str
    stem: str
    suffix: str
    data: bytes
    id: str
    origin: str
    line: int


class Verdict(NamedTuple):
    """What becomes of a draft: `added`, `changed`, `unchanged` or `skipped`, where, and a remark.

    `expected` is the fingerprint of what stands at `path` before it is written.
    """

    kind: str
    path: str
    expected: bytes = ABSENT
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did, in entries, and what it could not understand.

    A problem's `path` is the source file and its `line` the line in it. `receipts` are the ids of
    the transactions, oldest first; `dry_run` says that nothing was written.
    """

    added: int = 0
    unchanged: int = 0
    changed: int = 0
    skipped: int = 0
    problems: tuple[Problem, ...] = ()
    receipts: tuple[str, ...] = ()
    dry_run: bool = False
