"""Questions about conversations, brought into LMEB's form.

From a folder with `corpus.jsonl` and `queries.jsonl` (as `memtree bench retrieval` takes it) or
from `locomo10.json` as it was published (arXiv 2402.17753). A group becomes a scene, a category a
task. What is said of a document besides its text stays in its line: LMEB leaves that unread.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

from memtree.errors import StorageFailed, UsageError
from memtree.memories.lmeb.files import (
    CANDIDATES,
    CORPUS,
    QRELS,
    QUERIES,
    Collection,
    Task,
    Text,
    field_of,
    type_of,
)
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LOCOMO = "LoCoMo"
CATEGORIES = {1: "multi_hop", 2: "temporal_reasoning", 3: "open_domain", 4: "single_hop",
              5: "adversarial"}  # fmt: skip
"""The numbers of LoCoMo's categories by LMEB's names of the tasks."""
_NAMES = {"temporal": "temporal_reasoning"}
_TURN = re.compile(r"D\d+:\d+")
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_WHEN = re.compile(r"(\d+):(\d\d)\s*([ap]m)\s+on\s+(\d+)\s+(\w+),?\s+(\d{4})", re.IGNORECASE)


def is_plain(folder: str) -> bool:
    """Whether a folder is in the form that is converted, and not in LMEB's."""
    return all(os.path.isfile(os.path.join(folder, name)) for name in (CORPUS, QUERIES)) and not (
        os.path.isfile(os.path.join(folder, QRELS))
    )


def converted(source: str, *, dates: bool = False) -> Collection:
    """The tasks of a folder or of `locomo10.json`, as values.

    With `dates` a document's title is its date. Raises UsageError for what is neither.
    """
    if os.path.isdir(source):
        name = os.path.basename(os.path.abspath(source))
        documents = list(read_records(os.path.join(source, CORPUS)))
        questions = list(read_records(os.path.join(source, QUERIES)))
        label = LOCOMO if name.casefold().startswith("locomo") else name
    elif source.endswith(".json"):
        documents, questions = _published(source)
        label = LOCOMO
    else:
        raise UsageError(
            f"'{source}' is neither a folder nor a .json file",
            hint=f"a folder with {CORPUS} and {QUERIES}, or locomo10.json",
        )
    corpus = [_text(item, source, dates=dates) for item in documents]
    scenes: dict[str, list[str]] = {}
    for item, text in zip(documents, corpus, strict=True):
        scenes.setdefault(scene_id(str(item.get("group") or "")), []).append(text.id)
    return Collection(
        tasks=list(_tasks(questions, label, scenes, source)), corpora={source: corpus}
    )


def scene_id(group: str) -> str:
    """A scene's id: two parts between `_`, so that a query's id leads to it."""
    return "scene_" + (re.sub(r"[\s_/]+", "-", group).strip("-") or "all")


def write(collection: Collection, out: str) -> tuple[int, int]:
    """Write a collection of one corpus in LMEB's form; gives documents and queries.

    Raises StorageFailed, and UsageError when something is in the way.
    """
    if os.path.exists(out) and (not os.path.isdir(out) or os.listdir(out)):
        raise UsageError(f"'{out}' is there already", hint="name a new or an empty folder")
    (corpus,) = collection.corpora.values()
    home = os.path.join(out, collection.tasks[0].set) if collection.tasks else out
    try:
        os.makedirs(home, exist_ok=True)
        _write(os.path.join(home, CORPUS), (_line(text) for text in corpus))
        scenes = collection.tasks[0].scenes if collection.tasks else {}
        _write(
            os.path.join(home, CANDIDATES),
            ({"scene_id": name, "candidate_doc_ids": list(ids)} for name, ids in scenes.items()),
        )
        for task in collection.tasks:
            place = os.path.join(home, task.name)
            os.makedirs(place, exist_ok=True)
            _write(
                os.path.join(place, QUERIES),
                ({"id": query, "text": text} for query, text in task.queries),
            )
            with open(os.path.join(place, QRELS), "w", encoding="utf-8", newline="\n") as file:
                file.writelines(
                    f"{query}\t{document}\t{grade:g}\n"
                    for query, grades in task.grades.items()
                    for document, grade in grades.items()
                )
    except OSError as error:
        raise StorageFailed(f"'{out}' can't be written: {error.strerror or error}") from error
    return len(corpus), sum(len(task.queries) for task in collection.tasks)


def _tasks(
    questions: Sequence[Mapping[str, object]], label: str, scenes: Mapping[str, Sequence[str]],
    source: str,
) -> Iterable[Task]:  # fmt: skip
    by_name: dict[str, list[Mapping[str, object]]] = {}
    for question in questions:
        category = re.sub(r"[\s/-]+", "_", str(question.get("category") or "").strip())
        by_name.setdefault(_NAMES.get(category, category), []).append(question)
    for name, some in by_name.items():
        queries, grades = [], {}
        for question in some:
            gold = question.get("gold")
            if not isinstance(gold, list) or not gold:
                continue  # nothing was judged: no retriever can be measured by it
            group = str(question.get("group") or "")
            scene = scene_id(group)
            given = field_of(question, "id", source).removeprefix(f"{group}/")
            query = f"{scene}_{given}"
            queries.append((query, field_of(question, "text", source)))
            grades[query] = {str(each): 1.0 for each in gold}
        if queries:
            yield Task(
                set=label, type=type_of(label), name=name, corpus=source, queries=queries,
                grades=grades, scenes=scenes,
            )  # fmt: skip


def _text(item: Mapping[str, object], source: str, *, dates: bool) -> Text:
    speaker = str(item.get("speaker") or "")
    said = field_of(item, "text", source)
    when = str(item.get("date") or item.get("time") or "")
    return Text(
        id=field_of(item, "id", source),
        title=str(item.get("title") or (when if dates else "")),
        text=f"{speaker}: {said}" if speaker else said,
        speaker=speaker,
        time=when,
        session=str(item.get("session") or ""),
    )


def _line(text: Text) -> dict[str, object]:
    line: dict[str, object] = {"id": text.id, "title": text.title, "text": text.text}
    more = {"speaker": text.speaker, "time": text.time, "session": text.session}
    return line | {name: value for name, value in more.items() if value}


def _write(path: str, items: Iterable[Mapping[str, object]]) -> None:
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


# -- locomo10.json ------------------------------------------------------------------------------


def _published(path: str) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The turns and the questions of LoCoMo's own file."""
    try:
        with open(path, encoding="utf-8") as file:
            samples = json.load(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"'{path}' can't be read: {error}") from error
    if not isinstance(samples, list):
        raise UsageError(f"'{path}' is no list of conversations", hint="locomo10.json is one")
    documents: list[dict[str, object]] = []
    questions: list[dict[str, object]] = []
    for number, sample in enumerate(samples):
        if not isinstance(sample, dict) or not isinstance(sample.get("conversation"), dict):
            raise UsageError(f"'{path}': conversation {number + 1} has no turns")
        group = str(sample.get("sample_id") or f"conv-{number}")
        turns = list(_turns(group, sample["conversation"]))
        documents += turns
        known = {turn["id"] for turn in turns}
        for index, question in enumerate(sample.get("qa") or ()):
            evidence = json.dumps(question.get("evidence") or [])
            gold = [f"{group}/{turn}" for turn in dict.fromkeys(_TURN.findall(evidence))]
            category = question.get("category")
            questions.append(
                {
                    "id": f"{group}/q{index}", "group": group, "text": question.get("question"),
                    "category": CATEGORIES.get(category, str(category)),
                    "gold": [each for each in gold if each in known],
                }
            )  # fmt: skip
    return documents, questions


def _turns(group: str, conversation: Mapping[str, object]) -> Iterable[dict[str, object]]:
    for session in range(1, 1 + len(conversation)):
        turns = conversation.get(f"session_{session}")
        when = _iso(str(conversation.get(f"session_{session}_date_time") or ""))
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict) and str(turn.get("text") or "").strip():
                yield {
                    "id": f"{group}/{turn.get('dia_id')}", "group": group, "session": session,
                    "speaker": str(turn.get("speaker") or ""), "date": when,
                    "text": str(turn["text"]),
                }  # fmt: skip


def _iso(text: str) -> str:
    """`1:56 pm on 8 May, 2023` as ISO 8601; "" for anything else."""
    found = _WHEN.search(text)
    if found is None or found[5].casefold() not in _MONTHS:
        return ""
    hour = int(found[1]) % 12 + (12 if found[3].casefold() == "pm" else 0)
    month = _MONTHS.index(found[5].casefold()) + 1
    return f"{found[6]}-{month:02}-{int(found[4]):02}T{hour:02}:{found[2]}"
