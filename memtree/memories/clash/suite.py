"""`memtree bench conflictqa`: how many contradictions are found, and whom a model believes.

Without a model: the claims of the set become entries of one tree, which is scanned; measured are
recall (of pairs that contradict each other) and false alarms (of pairs that do not, the hardest:
those that share the most words).

With `--probes N` a language model is asked N questions as in Xie et al. (arXiv 2305.13300): its
closed-book answer, kept if it gives the same again when shown its own evidence (section 3); then it
reads counter-evidence alone, both in either order, two pieces against one either way, and
counter-evidence among what is irrelevant (section 4). Measured is the memorisation ratio
M_R = f_m / (f_m + f_c): how often it stays with its memory among all answers that follow either.
The paper also has evidence checked by a model of entailment; here its own second answer decides.

Data: JSON lines with `question`, `claim`, `counter`, `evidence`, `counter_evidence`, or the form of
ConflictQA (`memory_answer`, `counter_answer`, `parametric_memory`, `counter_memory`).
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from memtree.claims.wording import wording
from memtree.errors import Unavailable, UsageError
from memtree.memories.clash.elicit import agree, answer_from, elicit
from memtree.memories.clash.scanning import update
from memtree.plugins import Case, Document, Result
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.memories.clash.elicit import Elicited
    from memtree.plugins import Desk

CLAIMS, MEMORY = "claims", "memory"
CONTRADICTING, UNRELATED, ALIKE = "contradicting", "unrelated", "compatible"
COUNTER, FIRST, LAST = "counter alone", "both, memory first", "both, memory last"
MORE, FEWER = "two for memory, one counter", "one for memory, two counter"
ASIDE = "counter among the irrelevant"
PROBES = (COUNTER, FIRST, LAST, MORE, FEWER, ASIDE)
"""The ways in which a question is asked of a model: section 4 of the paper."""
NEAREST = 5
"""So many of the most similar other claims of each are compared as unrelated pairs."""
_NAMES = (
    ("claim", "memory_answer"), ("counter", "counter_answer"), ("evidence", "parametric_memory"),
    ("counter_evidence", "counter_memory"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A question, two answers that contradict each other, and what speaks for each."""

    question: str
    claim: str
    counter: str
    evidence: str
    counter_evidence: str
    holds: bool = False
    """The two do not contradict each other: a trap."""


class ConflictQa:
    """Which contradictions between claims are found, and which are found where none is.

    A row is a kind of pair: claims that contradict each other, claims that say the same, and the
    nearest unrelated ones. With a language model --probes adds questions: whether it follows the
    notes or its own memory. --data is a folder of ConflictQA's files; without it, pairs of its own.
    """

    name = "conflictqa"
    totals = False

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._found: tuple[object, frozenset[frozenset[str]]] | None = None
        self._known: dict[int, Elicited | None] = {}

    def cases(self, *, data: str, seed: int,
        probes: Annotated[int, "Questions for the model, of so many pairs."] = 0,
    ) -> Iterator[Case]:  # fmt: skip
        """Pairs of claims; with `probes`, questions for a language model too."""
        self._rows = rows_of(data)
        for at, row in enumerate(self._rows):
            kind = ALIKE if row.holds else CONTRADICTING
            yield _pair(f"pair-{at}", kind, f"m{at}", f"c{at}", row.question)
        for at, other in nearest(self._rows):
            yield _pair(f"near-{at}-{other}", UNRELATED, f"m{at}", f"m{other}", "")
        chosen = [at for at, row in enumerate(self._rows) if not row.holds]
        random.Random(seed).shuffle(chosen)  # noqa: S311  (to be repeated, not to be secret)
        for at in chosen[: max(0, probes)]:
            for number, kind in enumerate(PROBES):
                yield Case(id=f"probe-{at}-{number}", setup=MEMORY, query=self._rows[at].question,
                           kind=kind, meta={"row": at})  # fmt: skip

    def documents(self, setup: str) -> Sequence[Document]:
        """Each claim as an entry of its own, under the question as title."""
        found = []
        for at, row in enumerate(self._rows):
            texts = (row.claim, row.counter) if setup == CLAIMS \
                else (row.evidence, row.counter_evidence)  # fmt: skip
            for side, text in zip(("m", "c"), texts, strict=True):
                title = row.question or f"Matter {at}"
                found.append(Document(id=f"{side}{at}", text=text, title=title))
        return found

    def answer(self, case: Case, desk: Desk) -> Result:
        """Whether the scan of the tree found a pair; what a model says to a probe."""
        if case.setup == CLAIMS:
            pair = frozenset(map(str, (case.meta["one"], case.meta["other"])))
            return Result(status="found" if pair in self._scanned(desk) else "not found")
        return self._probed(case, desk)

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """`recall`, `false alarm`, or `M_R` with `answered` and `memory`."""
        if case.kind == CONTRADICTING:
            return {"recall": float(result.status == "found")}
        if case.kind in (UNRELATED, ALIKE):
            return {"false alarm": float(result.status == "found")}
        told = {"memory known": float(result.status != "no memory")}
        if result.status == "no memory":
            return told
        followed = {"memory": 1.0, "counter": 0.0}.get(result.status)
        told["followed one"] = float(followed is not None)
        return told if followed is None else {**told, "M_R": followed}

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        """The memorisation ratio with its n, for each way of asking."""
        lines = []
        for row in rows:
            if "M_R" in row:
                known = _number(row, "n") * _number(row, "memory known")
                n = round(known * _number(row, "followed one"))
                lines.append(f"M_R {_number(row, 'M_R'):.3f} (n = {n}) {row['kind']}")
        probed = any(row.get("kind") in PROBES for row in rows)
        if not probed:
            lines.append("M_R not measured: it takes a language model (--probes N)")
        elif not lines:
            lines.append("M_R not measurable: the model knew no answer by itself, n = 0")
        return lines

    def _scanned(self, desk: Desk) -> frozenset[frozenset[str]]:
        """The pairs of ids that the scan of a tree finds; scanned once."""
        ctx = desk.context
        if self._found is None or self._found[0] != ctx.cache.folder:
            pairs = {frozenset((each.one.by, each.other.by)) for each in update(ctx).clashes}
            self._found = (ctx.cache.folder, frozenset(pairs))
        return self._found[1]

    def _probed(self, case: Case, desk: Desk) -> Result:
        model = desk.context.llm
        if model is None:
            raise Unavailable(
                "the memorisation ratio takes a language model, and there is none",
                hint="memtree models list; without --probes, claims are measured by rules",
            )
        at = int(str(case.meta["row"]))
        row = self._rows[at]
        if at not in self._known:
            self._known[at] = elicit(model, row.question)
        known = self._known[at]
        side = followed(known.answer, row) if known is not None and known.consistent else ""
        if known is None or not side:
            return Result(status="no memory", answer=known.answer if known else "")
        own = known.evidence or (row.evidence if side == "claim" else row.counter_evidence)
        against = row.counter_evidence if side == "claim" else row.evidence
        more, fewer = (row.claim, row.counter) if side == "claim" else (row.counter, row.claim)
        others = [self._rows[(at + step) % len(self._rows)].evidence for step in (1, 2)]
        notes = {
            COUNTER: [against], FIRST: [own, against], LAST: [against, own],
            MORE: [own, against, more], FEWER: [against, own, fewer],
            ASIDE: [others[0], against, others[1]],
        }[case.kind]  # fmt: skip
        answer = answer_from(model, row.question, notes)
        now = followed(answer, row)
        status = "neither" if not now else "memory" if now == side else "counter"
        return Result(status=status, answer=answer)


def followed(answer: str, row: Row) -> str:
    """Which of the two answers of a question an answer gives: `claim`, `counter`, or "" for none.

    The rules of `elicit.agree`; an answer that fits both or contradicts both fits none.
    """
    to_claim, to_counter = agree(answer, row.claim), agree(answer, row.counter)
    if to_claim and not to_counter:
        return "claim"
    if to_counter and not to_claim:
        return "counter"
    if to_claim is False and to_counter is None:
        return "counter"
    if to_counter is False and to_claim is None:
        return "claim"
    return ""


def nearest(rows: Sequence[Row]) -> Iterator[tuple[int, int]]:
    """The pairs of claims of different rows that share the most telling words, each once."""
    contents = [frozenset(wording(row.claim).content) for row in rows]
    seen = set()
    for at, mine in enumerate(contents):
        scored = sorted(
            ((-len(mine & theirs), other) for other, theirs in enumerate(contents) if other != at),
        )[:NEAREST]  # fmt: skip
        for score, other in scored:
            pair = (min(at, other), max(at, other))
            if score and pair not in seen and rows[at].claim != rows[other].claim:
                seen.add(pair)
                yield pair


def rows_of(data: str) -> list[Row]:
    """The rows of a file or a folder of JSON lines; without data the pairs that ship.

    Raises UsageError for data that can't be read.
    """
    if not data:
        from memtree.memories.clash.pairs40 import COMPATIBLE, CONTRADICTING

        made = [(pair, False) for pair in CONTRADICTING] + [(pair, True) for pair in COMPATIBLE]
        return [Row(f"Is it so? {one}", one, other, one, other, holds)
                for (one, other), holds in made]  # fmt: skip
    names = [data]
    if os.path.isdir(data):
        names = sorted(os.path.join(data, name) for name in os.listdir(data)
                       if name.endswith((".jsonl", ".json")))  # fmt: skip
    found = []
    for name in names:
        found += [row for row in map(_row, read_records(name)) if row is not None]
    if not found:
        raise UsageError(
            f"'{data}' holds no pairs of claims", hint="memtree bench conflictqa --help"
        )
    return found


def _row(line: object) -> Row | None:
    if not isinstance(line, dict):
        return None
    told = [str(line.get(name) or line.get(other) or "").strip() for name, other in _NAMES]
    claim, counter, evidence, against = told
    if not claim or not counter:
        return None
    question = str(line.get("question") or "")
    return Row(question, claim, counter, evidence or claim, against or counter)


def _pair(name: str, kind: str, one: str, other: str, question: str) -> Case:
    return Case(id=name, setup=CLAIMS, query=question or name, kind=kind,
                meta={"one": one, "other": other})  # fmt: skip


def _number(row: Mapping[str, object], name: str) -> float:
    value = row.get(name, 0.0)
    return float(value) if isinstance(value, int | float) else 0.0
