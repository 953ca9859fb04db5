"""Tier 5: several steps, with a model or without one; the last that is asked, and only if wanted.

With a model its sentences are the answer, each checked against what it cites. Without one the
evidence of `several` is quoted, and the answer is labelled `degraded`: it was not what was asked
for. A model that is set and can't be used is said in words, and what the steps found still shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import MemtreeError
from memtree.knowledge.query import ABSENT, DEGRADED, FOUND
from memtree.retrieve.agentic.budget import Spending
from memtree.retrieve.agentic.looking import Looking
from memtree.retrieve.agentic.loop import Loop
from memtree.retrieve.agentic.means import Recorded, Spent
from memtree.retrieve.agentic.several import several_steps
from memtree.retrieve.agentic.support import speaks_to_a_model
from memtree.retrieve.agentic.trace import Trace, changed_since
from memtree.retrieve.extract import extract
from memtree.retrieve.tier import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.knowledge.query import Answer, Quote
    from memtree.retrieve.agentic.evidence import Evidence
    from memtree.retrieve.agentic.means import Means
    from memtree.retrieve.agentic.several import Collected
    from memtree.retrieve.agentic.verified import Verified
    from memtree.retrieve.tier import Ask, Match

    Gather = Callable[[Looking, Trace, Spending], Collected]

# Passages that the model reads first.
FIRST = 5
MULTI_STEP = ("agentic", "multi-step", "no model")


class Consulted(Finding):
    """What tier 5 found, and how: `status`, the answer in words, its quotes, by whom, the trace.

    `cited` are the paths of entries whose lines were verified to hold the answer.
    """

    __slots__ = ("answer", "by", "cited", "notes", "quotes", "status", "trace")

    def __init__(
        self, matches: Sequence[Match], *, confidence: float, status: str, why: str, trace: Trace,
        answer: str | None = None, quotes: Sequence[Quote] = (), by: Sequence[str] = (),
        cited: Sequence[str] = (), notes: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(matches, confidence=confidence, sure=status == FOUND, why=why)
        self.status = status
        self.answer = answer
        self.quotes = quotes
        self.by = by
        self.cited = cited
        self.notes = notes
        self.trace = trace

    def told(self, answer: Answer) -> Answer:
        """The answer of a climb that ended here, with what this tier says of it."""
        answer.status = self.status
        answer.tier = AgenticTier.name
        answer.answer, answer.quotes = self.answer, self.quotes
        answer.by, answer.cited = self.by, self.cited
        answer.notes = [*answer.notes, *self.notes]
        answer.trace = self.trace.as_dict()
        return answer


class AgenticTier:
    """Several steps to an answer; `means` say with what."""

    name = "agentic"

    def __init__(
        self, means: Means, gather: Gather = several_steps, look: Callable[[Ask], Looking] = Looking
    ) -> None:
        self.means = means
        # How it sees the tree.
        self.look = look
        # What looks around before a model is asked, or without one.
        self.gather = gather

    def find(self, ask: Ask) -> Consulted:
        """Ask the model that there is, else take the steps without one."""
        found = self._found(ask)
        trace = found.trace
        for path in dict.fromkeys(path for step in trace.steps for path in step.found):
            trace.entries[path] = _digest(ask, path)
        if self.means.replayed is not None:
            found.notes = [*found.notes, _compared(ask, self.means.replayed)]
        return found

    def _found(self, ask: Ask) -> Consulted:
        means = self.means
        looking = self.look(ask)
        recorded = Recorded(means.replayed) if means.replayed is not None else None
        # What was found without a model is found without one again.
        model = means.model if recorded is None else recorded if len(recorded) else None
        trace = Trace(
            question=ask.query.text, by=model.actor if model else "multi-step",
            budget=str(means.budget),
        )  # fmt: skip
        # What is looked up before the model is asked, or without one, costs no step of it.
        free = Spending(means.budget)
        if model is None:
            gathered = self.gather(looking, trace, free)
            return self._without(ask, gathered, trace)
        gathered = self.gather(looking, Trace(question="", by="", budget=""), free)
        spending = Spending(means.budget)
        then = means.replayed.get("handles") if means.replayed is not None else None
        handles = then if isinstance(then, dict) else None
        loop = Loop(looking, model, trace, spending, handles)
        try:
            outcome = loop.run(gathered.matches[:FIRST])
        except Spent:
            outcome = loop.ended(str(means.replayed and means.replayed.get("stopped")))
        except MemtreeError as error:
            trace.handles = loop.evidence.places
            self.means.reason = f"{error.message} ({error.hint})" if error.hint else error.message
            trace.stopped = self.means.reason
            return self._without(ask, gathered, trace)
        trace.handles = loop.evidence.places
        return answered(
            gathered, loop.evidence, outcome.verified, trace, dropped=outcome.dropped,
            cut=outcome.cut, by=("agentic", model.actor),
        )  # fmt: skip

    def _without(self, ask: Ask, gathered: Collected, trace: Trace) -> Consulted:
        """Quote what the steps found, or say that it is missing."""
        gathered.matches = [one for one in gathered.matches if not speaks_to_a_model(one.text)]
        # How much of the question the evidence holds tells nothing about whether it answers: of
        # questions that tier 4 gives up as many are covered that have no answer as that have one.
        quotes = extract(ask, gathered.matches) if gathered.sure and gathered.matches else []
        notes = []
        status = DEGRADED if quotes or self.means.wanted else ABSENT
        if self.means.wanted:
            notes.append(f"the language model was not used: {self.means.reason}")
        elif quotes:
            notes.append("several steps without a language model; llm.model names one")
        share = f"the evidence holds {gathered.coverage:.0%} of what is asked for, by rarity"
        return Consulted(
            gathered.matches if quotes or self.means.wanted else (),
            confidence=min(gathered.confidence, gathered.coverage) if quotes else 0.0,
            status=status,
            why=f"steps without a model: {len(trace.steps)}; {share}; {trace.stopped}",
            trace=trace,
            answer="\n".join(map(str, quotes)) or None,
            quotes=quotes,
            by=MULTI_STEP,
            notes=notes,
        )


def _digest(ask: Ask, path: str) -> str:
    row = ask.catalog.by_path(path)
    return row.digest.hex()[:16] if row is not None else ""


def _compared(ask: Ask, document: Mapping[str, object]) -> str:
    """Whether the tree is still what it was when a trace was recorded, in words."""
    entries = document.get("entries")
    paths = list(entries) if isinstance(entries, dict) else []
    other = changed_since(document, {path: _digest(ask, path) for path in paths})
    if not other:
        return f"replayed: the {len(paths)} entries that were found are unchanged"
    names = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
    return f"replayed: the tree has changed since, {len(other)} of {len(paths)} entries: {names}"


def answered(
    gathered: Collected, evidence: Evidence, verified: Verified, trace: Trace, *,
    dropped: Sequence[str], cut: str, by: Sequence[str], tell: bool = False,
) -> Consulted:  # fmt: skip
    """What is left of an answer, with the entries that hold it first; every loss is said.

    `cut` says what ended the steps before there was an answer, "" when nothing did. `tell` says
    what was dropped and why, to whoever wrote it; other readers are told how much.
    """
    notes = []
    if dropped:
        count = "1 sentence was" if len(dropped) == 1 else f"{len(dropped)} sentences were"
        told = ": " + "; ".join(dropped) if tell else " (--explain shows them)"
        notes.append(f"{count} dropped, because the entries that were cited do not say so{told}")
    if evidence.quarantined:
        names = ", ".join(evidence.quarantined[:3])
        notes.append(f"left unread, because it gives orders to a model: {names}")
    by_path: dict[str, Match] = {}
    for match in evidence.by_handle.values():
        by_path.setdefault(match.row.path, match)
    status = FOUND if verified.text else DEGRADED if cut else ABSENT
    matches: list[Match] = []
    if status != ABSENT:
        first = [by_path[path] for path in verified.cited]
        rest = [match for match in gathered.matches if match.row.path not in verified.cited]
        rest = [match for match in rest if not speaks_to_a_model(match.text)]
        matches = [*first, *rest]
        for place, match in enumerate(matches):
            match.score = 0.95 * 0.97**place
            if match in first:
                match.why = "cited"
    if status == DEGRADED:
        notes.append(f"there is no answer: {cut}")
    return Consulted(
        matches,
        confidence=verified.confidence,
        status=status,
        why=f"steps: {len(trace.steps)}, {sum(step.tokens for step in trace.steps)} tokens: "
        + trace.stopped,
        trace=trace,
        answer=verified.text or None,
        quotes=verified.quotes,
        by=by,
        cited=verified.cited,
        notes=notes,
    )
