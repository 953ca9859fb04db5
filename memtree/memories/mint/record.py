"""A session of the benchmark: contexts in the order of time, and questions asked after the last.

The form is that of MINTEval's data (arXiv 2605.18565), as JSON or JSON lines:

    {"id": ..., "contexts": [{"content": ..., "timestamp": ...}],
     "questions": [{"question", "answer", "question_type", "metadata": "<JSON>"}], "metadata": ...}

Of a question's metadata this reads `n_steps_back` (how many updates before the present value, null
for the present one) and `candidates`; generated ones also say `updates` (how often what is asked of
was updated) and `evidence` (the contexts that the answer rests on, from 0).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

SUFFIXES = (".jsonl", ".json")
SPLITS = ("state_tracking", "multi_turn_dialogue", "wiki_revisions", "github_commits")
_HINT = "give a folder of MINTEval's records as .json or .jsonl files"


@dataclass(frozen=True, slots=True)
class Context:
    """A part of a session: `time` is ISO 8601, or whatever the data has there."""

    text: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked after the last context."""

    text: str
    answer: str
    kind: str
    about: Mapping[str, object] = field(default_factory=dict)

    @property
    def back(self) -> int | None:
        """How many updates before the present value; None where the present one is asked for."""
        value = self.about.get("n_steps_back")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def evidence(self) -> tuple[int, ...] | None:
        """Numbers of the contexts that the answer rests on, from 0; None where nobody says."""
        value = self.about.get("evidence")
        if not isinstance(value, list):
            return None
        return tuple(each for each in value if isinstance(each, int) and each >= 0)


@dataclass(frozen=True, slots=True)
class Session:
    """One record. `updates` is the level that it was generated for, 0 for real data."""

    id: str
    contexts: tuple[Context, ...]
    questions: tuple[Question, ...]
    updates: int = 0


def line_of(session: Session) -> str:
    """A session as a line of JSON, without its end."""
    record = {
        "id": session.id,
        "contexts": [{"content": each.text, "timestamp": each.time} for each in session.contexts],
        "questions": [
            {
                "question": each.text,
                "answer": each.answer,
                "question_type": each.kind,
                "metadata": json.dumps(dict(each.about), ensure_ascii=False),
            }
            for each in session.questions
        ],
        "metadata": {"updates": session.updates},
    }
    return json.dumps(record, ensure_ascii=False)


def as_bytes(sessions: Iterable[Session]) -> bytes:
    """Sessions as JSON lines in UTF-8."""
    return "".join(f"{line_of(each)}\n" for each in sessions).encode()


def read(folder: str, split: str) -> Iterator[Session]:
    """The sessions of a folder (or file) of records.

    Files whose path names the split, if any do; else all. Raises UsageError for a folder without
    records, and for what is none.
    """
    files = _files(folder)
    named = [path for path in files if split in os.path.relpath(path, folder)]
    others = [path for path in files if not any(s in os.path.basename(path) for s in SPLITS)]
    chosen = named or others or ([folder] if os.path.isfile(folder) else [])
    if not chosen:
        raise UsageError(f"there are no records of the split {split} in '{folder}'", hint=_HINT)
    seen: set[str] = set()
    for path in chosen:
        for number, item in enumerate(_items(path), 1):
            session = _session(item, path, number)
            if session.id in seen:
                raise UsageError(f"'{path}' has two records with the id {session.id!r}")
            seen.add(session.id)
            yield session


def _files(folder: str) -> list[str]:
    if not os.path.isdir(folder):
        if not os.path.isfile(folder):
            raise UsageError(f"'{folder}' is no folder", hint=_HINT)
        return []
    found, parquet = [], False
    for place, _, names in os.walk(folder):
        found += [os.path.join(place, name) for name in names if name.endswith(SUFFIXES)]
        parquet = parquet or any(name.endswith(".parquet") for name in names)
    if not found:
        hint = _HINT
        if parquet:
            hint = (
                "parquet is not read here: convert it, for one with "
                "pandas.read_parquet(FILE).to_json(OUT, orient='records', lines=True)"
            )
        raise UsageError(f"'{folder}' holds no .json or .jsonl files", hint=hint)
    return sorted(found)


def _items(path: str) -> Iterator[object]:
    if path.endswith(".jsonl"):
        yield from read_records(path)
        return
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"'{path}' can't be read: {error}", hint=_HINT) from error
    yield from value if isinstance(value, list) else [value]


def _session(item: object, path: str, number: int) -> Session:
    contexts = _part(item, "contexts")
    questions = _part(item, "questions")
    if not isinstance(item, dict) or contexts is None or questions is None:
        raise UsageError(f"record {number} of '{path}' is none of MINTEval's", hint=_HINT)
    about = _parsed(item.get("metadata"))
    updates = about.get("updates") if isinstance(about, dict) else 0
    return Session(
        id=str(item.get("id", number)),
        contexts=tuple(_context(each) for each in contexts),
        questions=tuple(_question(each, path, number) for each in questions),
        updates=updates if isinstance(updates, int) else 0,
    )


def _part(item: object, name: str) -> list[object] | None:
    value = _parsed(item.get(name)) if isinstance(item, dict) else None
    return value if isinstance(value, list) else None


def _parsed(value: object) -> object:
    """A value that may be JSON inside a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _context(item: object) -> Context:
    if isinstance(item, dict):
        content = item.get("content", "")
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        return Context(text, str(item.get("timestamp") or ""))
    return Context(str(item))


def _question(item: object, path: str, number: int) -> Question:
    if not isinstance(item, dict) or "question" not in item or "answer" not in item:
        raise UsageError(f"a question of record {number} of '{path}' has no answer", hint=_HINT)
    about = _parsed(item.get("metadata"))
    answer = item["answer"]
    return Question(
        str(item["question"]),
        ", ".join(map(str, answer)) if isinstance(answer, list) else str(answer),
        str(item.get("question_type") or "question"),
        about if isinstance(about, dict) else {},
    )
