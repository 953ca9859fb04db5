"""`memtree bench convomem`: whether evidence is found, and what nobody said is left unanswered.

Without a model nobody writes an answer; what is asked is then whether memtree's own query says that
the answer is not in the tree. `answers` stands beside `abstains`, so that saying nothing at all is
no way to do well.

Two forms of data: ConvoMem's (JSON files of records with `question`, `answer`,
`message_evidences` and `conversations`, in lists or under `evidence_items`), whose files are not
shipped, and LoCoMo's `locomo10.json`. A message is a document; without data a few are made.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from memtree.errors import UsageError
from memtree.plugins.records import read_records
from memtree.plugins.suite import Case, Document, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.plugins.desk import Desk

Form = Literal["convomem", "locomo"]
FORMATS = get_args(Form)
_ABSTAIN = "abstention"
_TOLD = 10  # setups whose mode is told
_LOCOMO = {1: "multi-hop", 2: "time", 3: "open", 4: "single-hop", 5: _ABSTAIN}


class ConvoMemSuite:
    """What is found of conversations, and whether what nobody said is left unanswered (ConvoMem).

    With a model that reads what the planner chooses; without one by `memtree query`, which says
    what is absent. `answers` is the share of the other questions that get an answer.
    """

    name = "convomem"

    def __init__(self) -> None:
        self._documents: dict[str, list[Document]] = {}
        self._modes: dict[str, tuple[str, str]] = {}

    def cases(
        self, *, data: str, seed: int,
        format: Annotated[Form, "which form the data has"] = "convomem",  # noqa: A002  (an option)
    ) -> Iterator[Case]:  # fmt: skip
        """The questions of a folder or file. Raises UsageError for data of another form."""
        del seed
        self._modes.clear()
        if format not in FORMATS:
            raise UsageError(f"{format!r} is no form of data", hint="one of " + ", ".join(FORMATS))
        if not data:
            yield from self._records("made", _made())
            return
        count = 0
        for case in self._of(data, format):
            count += 1
            yield case
        if not count:
            raise UsageError(f"'{data}' holds no questions in the form {format}",
                             hint="--format convomem or locomo")  # fmt: skip

    def _of(self, data: str, form: str) -> Iterator[Case]:
        if form == "locomo" and os.path.isfile(os.path.join(data, "corpus.jsonl")):
            yield from self._retrieval(data)
            return
        for name, value in _files(data):
            if form == "locomo":
                yield from self._locomo(name, value)
            else:
                yield from self._records(name, value)

    def _retrieval(self, data: str) -> Iterator[Case]:
        """LoCoMo as `corpus.jsonl` and `queries.jsonl`: a setup for each group."""
        for line in read_records(os.path.join(data, "corpus.jsonl")):
            group = _text(line, "group") or "all"
            self._documents.setdefault(group, []).append(
                Document(id=_text(line, "id"), text=_text(line, "text"), title=_text(line, "title"),
                         speaker=_text(line, "speaker"), time=_text(line, "date"),
                         session=_text(line, "session"))
            )  # fmt: skip
        questions = sorted(read_records(os.path.join(data, "queries.jsonl")),
                           key=lambda line: _text(line, "group"))  # fmt: skip
        for line in questions:
            gold = line.get("gold")
            kind = _text(line, "category") or "none"
            yield Case(
                id=_text(line, "id"), setup=_text(line, "group") or "all",
                query=_text(line, "text"), kind=_ABSTAIN if kind == "adversarial" else kind,
                gold=tuple(map(str, gold)) if isinstance(gold, list) else (),
                answer=_text(line, "answer"),
            )  # fmt: skip

    def documents(self, setup: str) -> Sequence[Document]:
        """The messages of one record."""
        return self._documents[setup]

    def answer(self, case: Case, desk: Desk) -> Result | None:
        """With a model by the planner; without one what search finds, and what query says of it."""
        from memtree.memories.convomem import ConvoMem

        if case.setup not in self._modes:
            self._modes[case.setup] = ConvoMem().decided("", desk.context)[:2]
        started = time.perf_counter()
        if desk.context.llm is not None:
            said = desk.ask(case.query, limit=case.limit)
            ms = 1000 * (time.perf_counter() - started)
            status = "found" if (said.answer or "").strip() else "absent"
        else:
            said = desk.search(case.query, limit=case.limit)
            ms = 1000 * (time.perf_counter() - started)  # what is absent is asked beside
            status = desk.query(case.query, limit=1, mode="tiers").status
        return Result(found=tuple(dict.fromkeys(hit.id for hit in said.hits)),
                      answer=said.answer or "", status=status, ms=ms)  # fmt: skip

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """Recall of the evidence; what has no answer is right only if none is given."""
        silent = result.status == "absent" or not (result.status or result.answer.strip())
        if case.kind == _ABSTAIN:
            return {"abstains": float(silent)}
        answers = {"answers": float(not silent)} if result.status else {}
        if not case.gold:
            return answers
        found = set(result.found)
        share = sum(each in found for each in case.gold) / len(case.gold)
        return {"recall": share, "all": float(share == 1), **answers}

    def summary(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """How many setups the switch would read in which mode, and why in each."""
        del rows
        return {setup: {"mode": mode, "why": why} for setup, (mode, why) in self._modes.items()}

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        """What the switch decided."""
        del rows
        lines = [f"{setup}: mode {mode}: {why}"
                 for setup, (mode, why) in list(self._modes.items())[:_TOLD]]  # fmt: skip
        more = len(self._modes) - len(lines)
        return [*lines, f"and {more} more (--json has them)"] if more > 0 else lines

    def _records(self, name: str, value: object) -> Iterator[Case]:
        """Records in ConvoMem's form, each with conversations of its own."""
        for number, record in enumerate(_listed(value)):
            if not (_text(record, "question") and _list(record, "conversations")):
                continue  # no record of this form
            setup = f"{name}-{number}"
            documents: list[Document] = []
            for at, talk in enumerate(_list(record, "conversations")):
                for place, message in enumerate(_list(talk, "messages")):
                    speaker, text = _text(message, "speaker"), _text(message, "text")
                    documents.append(
                        Document(id=f"{setup}-{at}-{place}", text=text, speaker=speaker,
                                 session=f"{at}", title=f"{speaker} in conversation {at}")
                    )  # fmt: skip
            said = {_text(one, "text") for one in _list(record, "message_evidences")}
            gold = tuple(each.id for each in documents if each.text in said)
            kind = _text(record, "category") or (f"{len(said)} evidence" if said else _ABSTAIN)
            if "abstention" in kind.lower() or "abstention" in name.lower():
                kind = _ABSTAIN
            self._documents[setup] = documents
            yield Case(id=setup, setup=setup, query=_text(record, "question"), kind=kind,
                       gold=gold, answer=_text(record, "answer"))  # fmt: skip

    def _locomo(self, name: str, value: object) -> Iterator[Case]:
        for number, record in enumerate(_listed(value)):
            setup = f"{name}-{number}"
            talk = record.get("conversation")
            documents: list[Document] = []
            said: dict[str, object] = talk if isinstance(talk, dict) else {}
            for session, turns in said.items():
                for turn in turns if isinstance(turns, list) else []:
                    if not isinstance(turn, dict):
                        continue
                    when = _text(said, f"{session}_date_time")
                    speaker = _text(turn, "speaker")
                    documents.append(
                        Document(id=f"{setup}-{_text(turn, 'dia_id')}", session=session,
                                 text=_text(turn, "text"), speaker=speaker,
                                 title=f"{speaker}, {when}".strip(", "))
                    )  # fmt: skip
            self._documents[setup] = documents
            known = {each.id for each in documents}
            for at, question in enumerate(_list(record, "qa")):
                named = question.get("evidence")
                listed = named if isinstance(named, list) else []
                gold = [f"{setup}-{each}" for each in listed]
                number_of = question.get("category")
                kind = _LOCOMO.get(number_of, "other") if isinstance(number_of, int) else "other"
                yield Case(id=f"{setup}-q{at}", setup=setup, query=_text(question, "question"),
                           kind=kind, gold=tuple(each for each in gold if each in known),
                           answer=_text(question, "answer"))  # fmt: skip


def _files(data: str) -> Iterator[tuple[str, object]]:
    """The JSON files of a folder (with those below), or one file. Raises UsageError."""
    paths = [data]
    if os.path.isdir(data):
        paths = sorted(os.path.join(where, name) for where, _, names in os.walk(data)
                       for name in names if name.endswith(".json"))  # fmt: skip
    if not paths:
        raise UsageError(f"'{data}' has no JSON files", hint="--data DIR, with --format")
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                yield os.path.relpath(path, data).removesuffix(".json"), json.load(file)
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"'{path}' can't be read: {error}") from error


def _listed(value: object) -> list[dict[str, object]]:
    if isinstance(value, dict):
        value = value.get("evidence_items", [value])
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict)]


def _list(record: Mapping[str, object], name: str) -> list[dict[str, object]]:
    value = record.get(name)
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict)]


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def _made() -> list[dict[str, object]]:
    """Records to see it run: one of each, where what is asked was said once or never."""
    facts = (("My sister Ana keeps bees in Oslo.", "What does Ana keep?", "bees"),
             ("The dentist is on the third.", "When is the dentist?", "the third"))  # fmt: skip
    talk = ["The weather was fine today.", "I had soup for lunch.", "The bus came late again."]
    records: list[dict[str, object]] = []
    for fact, question, answer in facts:
        messages = [{"speaker": "User", "text": each} for each in (*talk, fact)]
        records.append({"question": question, "answer": answer,
                        "message_evidences": [{"speaker": "User", "text": fact}],
                        "conversations": [{"messages": messages}]})  # fmt: skip
    only = [{"speaker": "User", "text": each} for each in talk]
    records.append({"question": "Which instrument does Bo play?", "answer": "",
                    "category": _ABSTAIN, "message_evidences": [],
                    "conversations": [{"messages": only}]})  # fmt: skip
    return records
