"""The development sets as trees, the way `memtree bench retrieval` imports them.

A set becomes a tree with one folder for each of its groups; a question is asked in the folder of
its group. The sets lie next to the checkout and never in it (`--data`).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measuring import HERE

from memtree.app import Tree, init_tree, open_tree
from memtree.hosting.bench_data import by_group, raw
from memtree.knowledge.path import slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SETS = ("locomo", "musique", "lihua", "cranfield")
ATLAS = os.path.join(HERE, "..", "examples", "atlas")
# Nobody writes to these trees while they are asked: the files are looked at once.
CURRENT = 3600.0

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a development set; `gold` are ids of documents, never empty."""

    id: str
    group: str
    text: str
    category: str
    gold: frozenset[str]
    answer: str = ""

    @property
    def adversarial(self) -> bool:
        """Whether it asks for what nobody said."""
        return self.category == "adversarial"

    @property
    def scope(self) -> str:
        """The folder it is asked in."""
        return slug(self.group) if self.group else ""


def default_data() -> str:
    """The folder of development sets next to the checkout."""
    return os.path.join(HERE, "..", "..", "shared", "data")


def read_set(folder: str) -> tuple[list[Document], list[Asked]]:
    """Read `corpus.jsonl` and `queries.jsonl`; raises UsageError when they are not there."""
    _, documents, rows = raw(folder)
    return documents, [
        Asked(
            id=str(row["id"]),
            group=str(row.get("group") or ""),
            text=str(row["text"]),
            category=str(row.get("category") or ""),
            gold=frozenset(map(str, gold)),
            answer=str(row.get("answer") or ""),
        )
        for row in rows
        if isinstance(gold := row.get("gold"), list) and gold
    ]


def plant(place: str, documents: Iterable[Document], *, flat: bool = False) -> Tree:
    """Import documents into a new tree below `place`; `flat` puts all groups into its root."""
    tree = init_tree(os.path.join(place, "tree"))
    lines = [{**line, "group": ""} if flat else line for line in documents]
    for group, members in by_group(lines).items():
        source = os.path.join(place, f"{slug(group) if group else 'all'}.jsonl")
        with open(source, "w", encoding="utf-8") as opened:
            opened.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in members)
        tree.import_paths([source], kind="jsonl", into=slug(group) if group else "")
    tree.refresh()
    tree.max_age = CURRENT
    return tree


@contextmanager
def planted(documents: Sequence[Document], *, flat: bool = False) -> Iterator[Tree]:
    """A tree of these documents for the length of a `with` block."""
    with (
        tempfile.TemporaryDirectory(prefix="memtree-sets-") as place,
        plant(place, documents, flat=flat) as tree,
    ):
        yield tree


@contextmanager
def copied(folder: str) -> Iterator[Tree]:
    """A copy of a folder of markdown as a tree, for the length of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="memtree-copy-") as place:
        copy = shutil.copytree(
            folder, os.path.join(place, "tree"), ignore=shutil.ignore_patterns(".memtree")
        )
        os.makedirs(os.path.join(copy, ".memtree"))
        with open_tree(copy, max_age=CURRENT) as tree:
            tree.refresh()
            yield tree


def everyday() -> list[tuple[str, frozenset[str]]]:
    """Questions to the example and their gold paths; empty for what it does not answer."""
    found: list[tuple[str, frozenset[str]]] = []
    for path in (
        os.path.join(ATLAS, "..", "questions.jsonl"),
        os.path.join(HERE, "certainty.jsonl"),
    ):
        with open(path, encoding="utf-8") as opened:
            rows = [json.loads(line) for line in opened]
        found += [(row["query"], frozenset(row["gold"])) for row in rows]
    return found
