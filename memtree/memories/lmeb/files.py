"""The files of LMEB, read into values: corpora, tasks, scenes, judgements.

A set is a folder. A task is a folder with `queries.jsonl` ({id, text}) and `qrels.tsv` (query id,
document id, grade; no header). Its `corpus.jsonl` ({id, title, text}) and `candidates.jsonl`
({scene_id, candidate_doc_ids}) lie beside them or further up, as the sets of LMEB have them. The
scene of a query is its whole id if there is one called so, else the first two parts of it between
`_`; only the scene's documents count. Without candidates all do.

Corpus lines may say more, for retrievers that know how to use it: `speaker`, `time`, `session`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

QUERIES, QRELS, CORPUS, CANDIDATES = (
    "queries.jsonl", "qrels.tsv", "corpus.jsonl", "candidates.jsonl",
)  # fmt: skip
TYPES = {
    "episodic": ("epbench", "knowmebench"),
    "dialogue": (
        "locomo", "longmemeval", "realtalk", "tmd", "membench", "convomem",
    ),
    "semantic": (
        "qasper", "novelqa", "peerqa", "covidqa", "esgreports", "mldr", "loogle", "lmeb_scifact",
        "scifact",
    ),
    "procedural": (
        "gorilla", "toolbench", "reme", "proced_mem_bench", "memgovern", "deepplanning",
    ),
}  # fmt: skip
"""The four types of memory and their 22 sets (arXiv 2603.12572), in small letters."""
OTHER = "other"
_DEEPEST = 4
"""Folders below the data folder in which tasks are looked for: type, set, domain, task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A document of a corpus."""

    id: str
    text: str
    title: str = ""
    speaker: str = ""
    time: str = ""
    session: str = ""

    @property
    def whole(self) -> str:
        """Title and text, as LMEB puts them together."""
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Queries over a corpus: `grades` of documents by query, `scenes` the documents that count."""

    set: str
    type: str
    name: str
    corpus: str
    """Names the corpus: its file, or what it was converted from."""
    queries: Sequence[tuple[str, str]]
    grades: Mapping[str, Mapping[str, float]]
    scenes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """`LoCoMo/single_hop`, or the set alone if it has one task only."""
        return f"{self.set}/{self.name}" if self.name else self.set

    @property
    def called(self) -> frozenset[str]:
        """What `--tasks` may call it, in small letters."""
        names = (self.set, self.type, self.name, self.label)
        return frozenset(name.casefold() for name in names if name)

    def scene(self, query: str) -> str | None:
        """The scene of a query; None when every document counts."""
        if query in self.scenes:
            return query
        short = "_".join(query.split("_")[:2])
        return short if short in self.scenes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What a data folder holds."""

    tasks: Sequence[Task]
    corpora: Mapping[str, Sequence[Text]]


def read(folder: str, wanted: Sequence[str] = ()) -> Collection:
    """The tasks below a folder whose set, type or label is in `wanted`, or all.

    Raises UsageError when there are none, or a file can't be read.
    """
    if not os.path.isdir(folder):
        raise UsageError(f"there is no folder '{folder}'", hint="--data DIR names LMEB's files")
    folder = os.path.abspath(folder)
    tasks: list[Task] = []
    corpora: dict[str, Sequence[Text]] = {}
    places = sorted(_places(folder, _DEEPEST))
    small = {each.casefold().strip("/") for each in wanted}
    for place in places:
        corpus = _upwards(place, folder, CORPUS)
        if corpus is None:
            raise UsageError(f"there is no {CORPUS} for '{place}'", hint="nor in a folder above it")
        home = os.path.dirname(corpus)
        named = _set_of(place, folder, home)
        task = os.path.relpath(place, named).replace(os.sep, "/")
        label = os.path.basename(named)
        kind = type_of(label, os.path.relpath(named, os.path.dirname(folder)))
        task = "" if task == "." else task
        if small and not {label.casefold(), kind, task, f"{label}/{task}".casefold()} & small:
            continue
        if corpus not in corpora:
            corpora[corpus] = [_text(item, corpus) for item in read_records(corpus)]
        tasks.append(
            Task(
                set=label, type=kind, name=task, corpus=corpus, queries=_queries(place),
                grades=_grades(os.path.join(place, QRELS)), scenes=_scenes(place, folder),
            )
        )  # fmt: skip
    if not tasks:
        known = ", ".join(sorted({os.path.basename(place) for place in places})[:12])
        raise UsageError(
            f"'{folder}' holds no task of LMEB" + (f" called {', '.join(wanted)}" if known else ""),
            hint=f"it has {known}" if known else f"a task has {QUERIES} and {QRELS}",
        )
    return Collection(tasks=tasks, corpora=corpora)


def instructions(said: str, tasks: Sequence[Task]) -> dict[str, str]:
    """The instruction of each task, by its label.

    `said` is one sentence for all, or a file of {set: {task: sentence}} in JSON, as LMEB has it; a
    task that the file does not know has none. Raises UsageError.
    """
    if not said.endswith(".json"):
        return {task.label: said for task in tasks} if said else {}
    try:
        with open(said, encoding="utf-8") as file:
            table = json.load(file)
        known = {
            name.casefold(): {task.casefold(): str(text) for task, text in some.items()}
            for name, some in table.items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"'{said}' is no table of instructions: {error}") from error
    found: dict[str, str] = {}
    for task in tasks:
        some = known.get(task.set.casefold(), {})
        # A set of one task is called as it likes there, and has no name of its own here.
        text = some.get(task.name.casefold()) if task.name else next(iter(some.values()), None)
        if text:
            found[task.label] = text
    return found


def type_of(name: str, place: str = "") -> str:
    """The type of a set, by its name or by the folders that it lies in; `other` for none."""
    parts = place.casefold().replace(os.sep, "/").split("/")
    for kind, names in TYPES.items():
        if name.casefold() in names or kind in parts:
            return kind
    return OTHER


def field_of(item: Mapping[str, object], name: str, path: str) -> str:
    """A value that has to be there, as text. Raises UsageError."""
    value = item.get(name)
    if value is None or isinstance(value, (dict, list)):
        raise UsageError(f"a line of '{path}' has no {name!r}")
    return str(value)


def _places(folder: str, depth: int) -> Iterator[str]:
    """The folders that are tasks."""
    with os.scandir(folder) as entries:
        found = {entry.name: entry for entry in entries}
    if QUERIES in found and QRELS in found:
        yield folder
    if depth:
        for name in sorted(found):
            if found[name].is_dir(follow_symlinks=False) and not name.startswith("."):
                yield from _places(found[name].path, depth - 1)


def _upwards(place: str, top: str, name: str) -> str | None:
    """A file in a folder or above it, no higher than `top`."""
    while True:
        path = os.path.join(place, name)
        if os.path.isfile(path):
            return path
        if place == top:
            return None
        place = os.path.dirname(place)


def _set_of(place: str, top: str, home: str) -> str:
    """The folder of a task's set: one with a name of LMEB, else the one with the corpus."""
    known = {name for names in TYPES.values() for name in names}
    here = place
    while True:
        if os.path.basename(here).casefold() in known:
            return here
        if here == top:
            return home
        here = os.path.dirname(here)


def _text(item: Mapping[str, object], path: str) -> Text:
    more = {
        name: str(item[name])
        for name in ("title", "speaker", "time", "session")
        if item.get(name) not in (None, "") and not isinstance(item[name], (dict, list))
    }
    return Text(id=field_of(item, "id", path), text=field_of(item, "text", path), **more)


def _queries(place: str) -> list[tuple[str, str]]:
    path = os.path.join(place, QUERIES)
    return [
        (field_of(item, "id", path), field_of(item, "text", path)) for item in read_records(path)
    ]


def _grades(path: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    number = 0
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                query, document, grade = line.rstrip("\r\n").split("\t")
                if number == 1 and not _is_number(grade):
                    continue  # a header, which LMEB has not and others have
                found.setdefault(query, {})[document] = float(grade)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"'{path}' can't be read (line {number}): {error}",
            hint="query id, document id and grade, with tabs between them",
        ) from error
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _scenes(place: str, top: str) -> dict[str, list[str]]:
    path = _upwards(place, top, CANDIDATES)
    found: dict[str, list[str]] = {}
    for item in read_records(path) if path else ():
        ids = item.get("candidate_doc_ids")
        if isinstance(ids, list):
            found[field_of(item, "scene_id", str(path))] = [str(each) for each in ids]
    return found
