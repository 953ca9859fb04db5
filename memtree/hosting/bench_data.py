"""Somebody's own questions about their own documents: read, planted in a tree, and asked.

The form is that of `memtree bench retrieval`: `corpus.jsonl` (id, group, text, and what is known
besides), `queries.jsonl` (id, group, text, category, gold, answer), and `task.json` with the name.
A question is asked of its own group only, which is a folder of the tree.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.hosting.bench_asking import troubles
from memtree.hosting.bench_measures import by_kind, measures
from memtree.hosting.desk import desk_of
from memtree.knowledge.path import slug
from memtree.knowledge.query import Query
from memtree.plugins.api import DEGRADED
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.app import Tree

    Progress = Callable[[str, int, int], None]

LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with gold documents."""

    id: str
    text: str
    scope: str
    category: str
    gold: tuple[str, ...]

    def query(self, plugins: Sequence[str] = ()) -> Query:
        """The question as it is asked; `plugins` take part."""
        return Query(self.text, scope=self.scope, limit=LIMIT, plugins=tuple(plugins))


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What a data folder holds; `questions` are those with gold."""

    name: str
    folder: str
    documents: list[dict[str, object]]
    questions: list[Question]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A question that was asked: its measures, milliseconds, and plugins that were left out."""

    question: Question
    measures: dict[str, float]
    ms: float
    troubles: tuple[str, ...] = ()


def read(folder: str) -> Data:
    """The data of a folder. Raises UsageError when it holds no such files, or nothing to ask."""
    task, documents, rows = raw(folder)
    questions = []
    for item in rows:
        gold = item.get("gold")
        if not isinstance(gold, list) or not gold:
            continue
        group = str(item.get("group") or "")
        questions.append(
            Question(
                id=str(item.get("id", "")), text=str(item.get("text", "")),
                scope=slug(group) if group else "", category=str(item.get("category") or "none"),
                gold=tuple(str(each) for each in gold),
            )
        )  # fmt: skip
    if not questions:
        raise UsageError(
            f"no question in '{os.path.join(folder, 'queries.jsonl')}' has gold documents",
            hint='a question is {"text": ..., "gold": [ids of documents]}',
        )
    name = str(task.get("name") or os.path.basename(os.path.abspath(folder)))
    return Data(name=name, folder=folder, documents=documents, questions=questions)


def raw(
    folder: str,
) -> tuple[dict[str, object], list[dict[str, object]], list[dict[str, object]]]:
    """What task.json, corpus.jsonl and queries.jsonl say. Raises UsageError; task.json may lack."""
    documents, rows = _lines(folder, "corpus.jsonl"), _lines(folder, "queries.jsonl")
    task: dict[str, object] = {}
    with (
        contextlib.suppress(OSError, ValueError),
        open(os.path.join(folder, "task.json"), encoding="utf-8") as file,
    ):
        loaded = json.load(file)
        task = loaded if isinstance(loaded, dict) else {}
    return task, documents, rows


def plant(tree: Tree, data: Data, place: str, *, progress: Progress | None = None) -> int:
    """Import the documents, each group into a folder; gives how many have no text.

    `place` is a folder for what is written on the way.
    """
    skipped = done = 0
    for group, lines in by_group(data.documents).items():
        if progress is not None:
            progress("importing documents", done, len(data.documents))
        done += len(lines)
        source = os.path.join(place, f"{slug(group) if group else 'all'}.jsonl")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        report = tree.import_paths([source], kind="jsonl", into=slug(group) if group else "")
        skipped += report.skipped
    return skipped


def by_group(documents: Sequence[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    """The lines to import, by group; a date becomes the time of its entry."""
    found: dict[str, list[dict[str, object]]] = {}
    for document in documents:
        line = {key: value for key, value in document.items() if key not in ("group", "date")}
        if document.get("date"):
            line["time"] = document["date"]
        found.setdefault(str(document.get("group") or ""), []).append(line)
    return found


def need(tree: Tree, plugins: Sequence[str]) -> list[str]:
    """What is to be said of plugins that are named. Raises Unavailable for one of no use."""
    players, notes = tree.host.players(plugins, alone=True)
    notes += [
        f"{player.name} is {player.status}" for player in players if player.status.state == DEGRADED
    ]
    return notes


def adopt(tree: Tree, plugins: Sequence[str], folder: str) -> list[str]:
    """Let plugins take what a data folder holds for them (`adopt(desk, folder)`); said in words."""
    notes = []
    for name in plugins:
        desk = desk_of(tree, [name])
        take = getattr(desk.loaded.plugin, "adopt", None)
        if take is not None:
            notes.append(str(take(desk, os.path.abspath(folder)) or ""))
    return [note for note in notes if note]


def ask(tree: Tree, question: Question, plugins: Sequence[str] = ()) -> Scored:
    """Ask one question."""
    query = question.query(plugins)
    started = time.perf_counter()
    answer = tree.search(query)
    ms = 1000 * (time.perf_counter() - started)
    found = measures([hit.id for hit in answer.hits], question.gold, complete=(5, 10))
    return Scored(question=question, measures=found, ms=ms, troubles=tuple(troubles(answer)))


def strangers(data: Data) -> list[str]:
    """What is to be said of gold that names no document: nobody can find it."""
    known = {str(document.get("id", "")) for document in data.documents}
    lost = [item for each in data.questions for item in each.gold if item not in known]
    if not lost:
        return []
    return [f"{len(lost)} gold ids name no document of the corpus, {lost[0]!r} for one"]


def left_out(scored: Sequence[Scored]) -> list[str]:
    """Which plugins were left out of how many questions, and why, each reason once."""
    counts = Counter(trouble for each in scored for trouble in each.troubles)
    return [
        f"{trouble} ({number} of {len(scored)} questions)" for trouble, number in counts.items()
    ]


def asked(
    tree: Tree, data: Data, plugins: Sequence[str] = (), *, progress: Progress | None = None
) -> Iterator[Scored]:
    """Ask all questions in turn."""
    for number, question in enumerate(data.questions, 1):
        yield ask(tree, question, plugins)
        if progress is not None:
            progress("asking", number, len(data.questions))


def categories(scored: Sequence[Scored]) -> list[dict[str, object]]:
    """One row of means for each category, all of them first; without all@5, as it always was."""
    rows = by_kind(
        sorted(((each.question.category, each.ms, each.measures) for each in scored),
               key=lambda row: row[0]),
        label="category", count="questions", total=True,
    )  # fmt: skip
    return [
        {name: value for name, value in row.items() if name not in ("all@5", "ms")} for row in rows
    ]


def _lines(folder: str, name: str) -> list[dict[str, object]]:
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        raise UsageError(
            f"there is no {name} in '{folder}'",
            hint="the folder holds corpus.jsonl, queries.jsonl and task.json",
        )
    return list(read_records(path))
