"""MINTEval as a benchmark of memtree: sessions, the stores that remember them, and their grades.

What a store remembers of a session is read by the same reader, so that a difference between two of
them is one of what they keep. In the tree of a setup every context stands whole below `raw/`, and
for sessions of `state_tracking` the curator's facts below `state/`. Compared are

    oracle       everything that was told, in order: shows that reader and gold agree
    overwrite    the present values alone
    versioned    the tree's facts, with those that were superseded
    bm25         the ten contexts that full-text search finds for the question
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from memtree.errors import UsageError
from memtree.memories.mint import stores
from memtree.memories.mint.metric import exact, normalised, token_f1
from memtree.memories.mint.questions import generated
from memtree.memories.mint.reader import Reading, answer, latest, rests_on, told
from memtree.memories.mint.record import read
from memtree.plugins.suite import Case, Document, Result, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.memories.mint.record import Question, Session
    from memtree.plugins.desk import Desk

Split = Literal["state_tracking", "multi_turn_dialogue", "wiki_revisions", "github_commits"]
Store = Literal["versioned", "bm25", "search"]

TRACKED = "state_tracking"
READ = 10
"""Contexts that a reader is given."""
CUTS = (1, 5, 10)
PER_TOKEN = 4
"""Characters of a token, about, where no model counts them."""
_BATCH = 25
_SYSTEM = (
    "You answer a question from what was said in a session, given in the order of time. What is "
    "later holds. Give nothing but the answer, in \\boxed{}."
)


class Minted:
    """How well a memory answers about what was updated again and again.

    Makes sessions in which people move and things change hands, and asks about the present, the
    past, order, numbers, and what takes several steps; or takes MINTEval's records with --data. A
    row is a type of question at a number of updates. --with takes part in --store search.
    """

    name = "mint"

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._store = "versioned"
        self._reader = ""
        self._beside: dict[str, dict[str, float]] = {}

    def cases(
        self,
        *,
        data: str,
        seed: int,
        split: Annotated[Split, "Which of the four splits."] = "state_tracking",
        generate: Annotated[int, "How many sessions, without --data."] = 20,
        updates: Annotated[str, "Updates of each person in them, in turn."] = "5,20,50",
        store: Annotated[Store, "What answers: facts, words alone, memtree search."] = "versioned",
    ) -> Iterator[Case]:
        """The questions of generated sessions, or of the records in a folder.

        `generate` sessions, the levels of `updates` in turn. `store` says what answers: the facts
        of the versioned tree, full-text search alone, or `memtree search` with the plugins of the
        run. Raises UsageError.
        """
        if data:
            sessions = read(data, split)
        elif split != TRACKED:
            raise UsageError(
                f"only {TRACKED} can be generated", hint=f"give the records of {split} with --data"
            )
        else:
            sessions = generated(
                _positive(generate),
                numbers_of(updates, 1, 1000, option="--updates", like="5,20,50"),
                seed,
            )
        self._store = store
        self._sessions.clear()
        for session in sessions:
            self._sessions[session.id] = session
            for number, question in enumerate(session.questions):
                yield self._case(session, number, question)

    def _case(self, session: Session, number: int, question: Question) -> Case:
        evidence = _evidence(session, question)
        back = question.back
        level = f"u={session.updates}" if session.updates else f"n={back}" if back else ""
        return Case(
            id=f"{session.id}/{number}",
            setup=session.id,
            query=question.text,
            kind=f"{question.kind} {level}".strip(),
            gold=tuple(_names(session)[at] for at in evidence),
            answer=question.answer,
            meta={"scope": stores.RAW, "number": number},
        )

    def documents(self, setup: str) -> Sequence[Document]:
        """The contexts of a session."""
        session = self._sessions[setup]
        return [
            Document(id=name, text=each.text, time=each.time, path=f"{stores.RAW}/{name}.md")
            for name, each in zip(_names(session), session.contexts, strict=True)
        ]

    def prepare(self, setup: str, desk: Desk) -> None:
        """Write the contexts as they are, and let the curator make facts of them."""
        for document in self.documents(setup):
            time = f'time: "{document.time}"\n' if _plain(document.time) else ""
            desk.write(document.path, f"---\nid: {document.id}\n{time}---\n{document.text}\n")
        session = self._sessions[setup]
        if not is_tracked(session):
            return
        context, total = desk.context, len(session.contexts)
        waiting: list[Operation] = []
        for number, operations in enumerate(stores.curated(session.contexts, _names(session))):
            waiting += operations
            if len(waiting) >= _BATCH:
                context.progress(f"curating {setup}", number, total)
                desk.apply(waiting)
                waiting = []
        if waiting:
            desk.apply(waiting)

    # -- answering --------------------------------------------------------------------------

    def answer(self, case: Case, desk: Desk) -> Result:
        """What the chosen store says; the others are asked besides, for the columns."""
        session = self._sessions[case.setup]
        found = self._found(case, desk, plain=True)
        beside = {f"bm25 recall@{cut}": _recall(found[:cut], case.gold) for cut in CUTS}
        # Of free text the tree keeps no facts: words alone are what is measured already.
        if not case.gold or not (is_tracked(session) or self._store == "search"):
            beside = {}
        self._beside[case.id] = beside
        if not is_tracked(session):
            return self._read(case, session, desk, found)
        whole = told(session.contexts)
        by_words = self._by_rules(case, session, found)
        for name, reading in (
            ("oracle", answer(case.query, whole)),
            ("overwrite", answer(case.query, latest(whole))),
            ("bm25", by_words),
        ):
            beside[name] = exact(reading.answer, case.answer)
        if self._store == "versioned":
            reading, letters = self._versioned(case, desk)
            names = _names(session)
            rests = [names[at] for at in rests_on(reading, session.contexts)]
            return Result(
                found=rests, answer=reading.answer, status=_status(reading.answer),
                tokens=letters // PER_TOKEN,
            )  # fmt: skip
        if self._store == "search":
            found = self._found(case, desk, plain=False)
            by_words = self._by_rules(case, session, found)
        return Result(
            found=found, answer=by_words.answer, status=_status(by_words.answer),
            tokens=sum(len(text) for _, text in _chosen(session, found)) // PER_TOKEN,
        )  # fmt: skip

    def _found(self, case: Case, desk: Desk, *, plain: bool) -> list[str]:
        """Contexts for a question: by full-text search alone, or as `memtree search` finds them."""
        if plain:
            hits = desk.context.search.full_text(case.query, limit=READ, scope=stores.RAW)
            return [hit.path.rpartition("/")[2].removesuffix(".md") for hit in hits]
        return [hit.id for hit in desk.search(case.query, limit=READ, scope=stores.RAW).hits]

    def _by_rules(self, case: Case, session: Session, found: Sequence[str]) -> Reading:
        at = sorted(number for number, _ in _chosen(session, found))
        return answer(case.query, told(session.contexts[number] for number in at))

    def _versioned(self, case: Case, desk: Desk) -> tuple[Reading, int]:
        lines, letters = stores.remembered(desk.context.tree)
        return answer(case.query, lines), letters

    def _read(self, case: Case, session: Session, desk: Desk, found: list[str]) -> Result:
        """A language model reads what was found; without one only what was found counts."""
        if self._store == "search":
            found = self._found(case, desk, plain=False)
        context = desk.context
        model = context.llm
        self._reader = model.name if model is not None else ""
        chosen = sorted(_chosen(session, found))
        if model is None:
            return Result(found=found, status="not read")
        room = (model.window - 700) * PER_TOKEN // max(1, len(chosen)) * 3 // 4
        told_ = "\n\n".join(
            f"[{session.contexts[at].time}] {text[: max(200, room)]}" for at, text in chosen
        )
        said = model.text(
            _SYSTEM, f"{told_}\n\nQuestion: {case.query}\nAnswer in \\boxed{{}}.", limit=256
        )
        return Result(found=found, answer=said, status=_status(said), tokens=model.read)

    # -- grading ----------------------------------------------------------------------------

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """Exact match, token F1, recall of the gold contexts among the first k, and the peers."""
        measured: dict[str, float] = {}
        if result.status != "not read":
            measured["em"] = exact(result.answer, case.answer)
            measured["f1"] = token_f1(result.answer, case.answer)
        if case.gold:
            measured |= {f"recall@{cut}": _recall(result.found[:cut], case.gold) for cut in CUTS}
        return measured | self._beside.pop(case.id, {})

    def summary(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Exact match of each type of question, by the number of updates."""
        return {"em": _by_type(rows)}

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        """Exact match by type and updates, and what the columns are."""
        lines = _matrix(_by_type(rows))
        tracked = [is_tracked(session) for session in self._sessions.values()]
        if any(tracked):
            what = f"em, f1 and recall@k are of the store '{self._store}'"
            told_ = "oracle, overwrite and bm25 are the exact match of these, by one reader"
            lines.append(f"{what}; {told_}")
        if not all(tracked):
            way = "memtree search" if self._store == "search" else "full-text search"
            read_ = f"em and f1 of what {self._reader} read there" if self._reader else (
                "no language model read them, so there is no em")  # fmt: skip
            lines.append(f"free text: recall@k is of the contexts that {way} finds; {read_}")
        return lines


def _by_type(rows: Sequence[Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """Type of question -> level of updates -> exact match, of rows that have one."""
    found: dict[str, dict[str, object]] = {}
    for row in rows:
        kind, _, level = str(row["kind"]).rpartition(" ")
        if kind and level[:2] in ("u=", "n=") and "em" in row:
            found.setdefault(kind, {})[level] = row["em"]
    return found


def _matrix(em: Mapping[str, Mapping[str, object]]) -> list[str]:
    """The same as lines, where there are several levels to compare."""
    levels = list(dict.fromkeys(level for row in em.values() for level in row))
    if len(levels) < 2:
        return []
    width = max(map(len, em)) + 2
    lines = [f"{'em':<{width}}" + "".join(f"{level:>8}" for level in levels)]
    for kind, row in em.items():
        cells = [f"{row[level]:>8.3f}" if level in row else f"{'-':>8}" for level in levels]
        lines.append(f"{kind:<{width}}" + "".join(cells))
    return [*lines, ""]


def is_tracked(session: Session) -> bool:
    """Whether a session is one of the generator's, which the rule reader understands."""
    return session.updates > 0


def _names(session: Session) -> list[str]:
    """What the contexts are called: ids of documents, one session a tree."""
    return [f"c{number:05}" for number in range(len(session.contexts))]


def _evidence(session: Session, question: Question) -> tuple[int, ...]:
    """The contexts that carry the gold: as the data says, else those in which its words stand."""
    if question.evidence is not None:
        return tuple(at for at in question.evidence if at < len(session.contexts))
    wanted = normalised(question.answer)
    if len(wanted) < 3:
        return ()
    return tuple(
        number for number, context in enumerate(session.contexts)
        if f" {wanted} " in f" {normalised(context.text)} "
    )  # fmt: skip


def _chosen(session: Session, found: Sequence[str]) -> list[tuple[int, str]]:
    numbers = {int(name[1:]) for name in found[:READ] if name[1:].isdigit()}
    return [(at, session.contexts[at].text) for at in numbers if at < len(session.contexts)]


def _recall(found: Sequence[str], gold: Sequence[str]) -> float:
    return len(set(found) & set(gold)) / len(set(gold)) if gold else 0.0


def _status(text: str) -> str:
    return "found" if text.strip() else "absent"


def _plain(time: str) -> bool:
    return bool(time) and len(time) < 40 and '"' not in time and "\\" not in time


def _positive(number: int) -> int:
    if not 1 <= number <= 10_000:
        raise UsageError("--generate is a number of sessions from 1 to 10000")
    return number
