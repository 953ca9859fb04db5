"""What the climb does: which tier answers, how well, how fast, and what it loses.

    ENV/bin/python benchmarks/climb.py [--data ../shared/data] [--sets locomo,musique] [--json]

Every question of a set is asked twice: once by the climb (`query`), and once by everything
(`search`). A table for each set says which share each tier answered, in how many of these answers
the first hit is gold (`first`) and any hit is (`shown`), how sure the tier was, and the
milliseconds of a question that ended there. `climb` and `all tiers` compare the two ways on the
questions that the climb answered, which is what stopping early costs; `absent` answers are counted
apart and are losses of their own.

Without an answer in the tree are: LoCoMo's adversarial questions (they ask for what was never said,
in the words of what was), questions about another conversation, questions of another set, and
nonsense. For each kind: how often the climb answered anyway, and the AUROC of the ranking's
confidence against the questions of the set that have an answer.

The sets were tuned on; the figures are of development data. Exit code 0 means that it could
measure.
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from certainty_fit import auroc, reliability
from certainty_trees import ATLAS, SETS, copied, default_data, everyday, planted, read_set

from memtree.knowledge.query import TIERS, Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from certainty_trees import Asked

    from memtree.app import Tree
    from memtree.knowledge.query import Answer

EXAMPLE = "atlas"
# What climbing may lose, in points (issue: certainty).
BAR = 2.0
# Of each kind of question without an answer, so many at most.
STRANGE = 150
SEED = 7
# Questions with an answer for one without, where both are weighed together: as people ask.
USUAL = 4.0
NONSENSE = (
    "zorblat quimfen", "how do I florp the wex", "blue ideas sleep furiously why",
    "asdf qwer zxcv", "what is the gromulator's third snevil", "lorem ipsum dolor sit amet",
    "when did the trundlefax wumble", "who vexed the plim", "0000 9999 4242", "xyzzy plugh",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """One question asked both ways. `tier` is "" for absent; `kind` "" for a fair question."""

    set: str
    kind: str
    tier: str
    ms: float
    confidence: float
    first: bool
    shown: bool
    ms_all: float
    confidence_all: float
    first_all: bool
    shown_all: bool


class Climber:
    """Asks one tree, and keeps what came of it."""

    def __init__(self, tree: Tree, name: str, max_tier: str | None) -> None:
        self.tree = tree
        self.name = name
        self.max_tier = max_tier
        self.rows: list[Climbed] = []

    def ask(self, text: str, *, scope: str = "", gold: Iterable[str] = (), kind: str = "") -> None:
        """Ask by the climb, and by all tiers."""
        wanted = frozenset(gold)
        query = Query(text, scope=scope, max_tier=self.max_tier)
        started = time.perf_counter()
        climbed = self.tree.query(query)
        between = time.perf_counter()
        ranked = self.tree.search(query)
        ended = time.perf_counter()
        first, shown = _golden(climbed, wanted)
        first_all, shown_all = _golden(ranked, wanted)
        self.rows.append(
            Climbed(
                set=self.name, kind=kind, tier=climbed.tier if climbed.status == "found" else "",
                ms=1000 * (between - started), confidence=climbed.confidence, first=first,
                shown=shown, ms_all=1000 * (ended - between), confidence_all=ranked.confidence,
                first_all=first_all, shown_all=shown_all,
            )
        )  # fmt: skip


def _golden(answer: Answer, wanted: frozenset[str]) -> tuple[bool, bool]:
    """Whether the first hit is gold, and whether any is."""
    gold = [bool({hit.id, hit.path} & wanted) for hit in answer.hits]
    return any(gold[:1]), any(gold)


def climb_set(
    tree: Tree, name: str, questions: Sequence[Asked], foreign: Sequence[Asked],
    *, max_tier: str | None,
) -> list[Climbed]:  # fmt: skip
    """Ask a set its questions, and what it can't answer."""
    random = Random(SEED)
    climber = Climber(tree, name, max_tier)
    scopes = sorted({question.scope for question in questions})
    fair = [question for question in questions if not question.adversarial]
    hard = [question for question in questions if question.adversarial]
    climber.ask(fair[0].text, scope=fair[0].scope)  # opens everything
    climber.rows.clear()
    for question in fair:
        climber.ask(question.text, scope=question.scope, gold=question.gold)
    for question in hard:
        climber.ask(question.text, scope=question.scope, kind="adversarial")
    if len(scopes) > 1:
        for question in random.sample(fair, min(STRANGE, len(fair))):
            other = random.choice([scope for scope in scopes if scope != question.scope])
            climber.ask(question.text, scope=other, kind="other group")
    for question in random.sample(foreign, min(STRANGE, len(foreign))):
        climber.ask(question.text, scope=random.choice(scopes), kind="other set")
    for text in NONSENSE:
        climber.ask(text, scope=random.choice(scopes), kind="nonsense")
    return climber.rows


def climb_example(tree: Tree, *, max_tier: str | None) -> list[Climbed]:
    """Ask the example what it answers and what it does not."""
    climber = Climber(tree, EXAMPLE, max_tier)
    climber.ask("which ferry is late")  # opens everything
    climber.rows.clear()
    for text, gold in everyday():
        climber.ask(text, gold=gold, kind="" if gold else "everyday")
    for text in NONSENSE:
        climber.ask(text, kind="nonsense")
    return climber.rows


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def tiers_of(rows: Sequence[Climbed]) -> list[dict[str, object]]:
    """A row for each tier that ended a climb, and for absent."""
    out: list[dict[str, object]] = []
    for tier in (*TIERS, ""):
        mine = [row for row in rows if row.tier == tier]
        if mine:
            out.append(
                {
                    "tier": tier or "absent",
                    "share": len(mine) / len(rows),
                    "first": _mean([row.first for row in mine]),
                    "shown": _mean([row.shown for row in mine]),
                    "first_all": _mean([row.first_all for row in mine]),
                    "shown_all": _mean([row.shown_all for row in mine]),
                    "confidence": _mean([row.confidence for row in mine]),
                    "ms": _mean([row.ms for row in mine]),
                }
            )
    return out


def costs(rows: Sequence[Climbed]) -> dict[str, float]:
    """What stopping early costs, in points; with absent answers as misses in `..._with_absent`."""
    answered = [row for row in rows if row.tier]
    out: dict[str, float] = {"answered": len(answered) / max(1, len(rows))}
    for name, some in (("", answered), ("_with_absent", rows)):
        for what in ("first", "shown"):
            climbed = _mean([getattr(row, what) for row in some])
            ranked = _mean([getattr(row, f"{what}_all") for row in some])
            out[f"{what}{name}"] = 100 * climbed
            out[f"{what}_all{name}"] = 100 * ranked
            out[f"loses_{what}{name}"] = 100 * (ranked - climbed)
    out["ms"] = _mean([row.ms for row in rows])
    out["ms_all"] = _mean([row.ms_all for row in rows])
    return out


def strange_of(rows: Sequence[Climbed]) -> list[dict[str, object]]:
    """A row for each kind of question without an answer."""
    fair = [row for row in rows if not row.kind]
    kinds: dict[str, list[Climbed]] = defaultdict(list)
    for row in rows:
        if row.kind:
            kinds[row.kind].append(row)
    return [
        {
            "kind": kind,
            "questions": len(found),
            "answered": _mean([bool(row.tier) for row in found]),
            "auroc": auroc(
                [row.confidence_all for row in (*fair, *found)],
                [True] * len(fair) + [False] * len(found),
            ),
        }
        for kind, found in kinds.items()
    ]


def reliable(rows: Sequence[Climbed]) -> list[dict[str, object]]:
    """Reliability of each tier over all sets, each set counting alike, 4 fair to 1 strange."""
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    for row in rows:
        counts[row.set, not row.kind] += 1
    out: list[dict[str, object]] = []
    for tier in ("all", *TIERS):
        mine = [
            row
            for row in rows
            if row.tier and tier in ("all", row.tier) and row.kind != "adversarial"
        ]
        if not mine:
            continue
        weights = [(1.0 if row.kind else USUAL) / counts[row.set, not row.kind] for row in mine]
        error, table = reliability(
            [row.confidence for row in mine], [row.first for row in mine], weights
        )
        out.append({"tier": tier, "answers": len(mine), "ece": error, "table": table})
    return out


def show(name: str, rows: Sequence[Climbed]) -> None:
    """Print a set."""
    fair = [row for row in rows if not row.kind]
    print(f"\n{name}: {len(fair)} questions with an answer")
    print(f"  {'tier':10}{'answers':>8}{'first':>7}{'shown':>7}{'sure':>7}{'ms':>8}", end="")
    print("   all tiers: first  shown")
    for row in tiers_of(fair):
        print(f"  {row['tier']:10}{row['share']:>8.1%}{row['first']:>7.1%}", end="")
        print(f"{row['shown']:>7.1%}{row['confidence']:>7.2f}{row['ms']:>8.2f}", end="")
        print(f"{row['first_all']:>19.1%}{row['shown_all']:>7.1%}")
    cost = costs(fair)
    for label, end in (("of what it answers", ""), ("with absent as missed", "_with_absent")):
        verdict = ""
        if not end:
            worst = max(cost["loses_first"], cost["loses_shown"])
            verdict = "  pass" if worst <= BAR else f"  FAIL (at most {BAR:g})"
        print(f"  {label}: climbing loses", end="")
        print(f" {cost['loses_first' + end]:.1f} points in the first,", end="")
        print(f" {cost['loses_shown' + end]:.1f} in those shown{verdict}")
    print(f"  {cost['ms']:.2f} ms a question by the climb, {cost['ms_all']:.2f} by all tiers")
    for row in strange_of(rows):
        print(f"  without an answer, {row['kind']:12}{row['questions']:>5} asked,", end="")
        print(f" {row['answered']:>6.1%} answered, AUROC {row['auroc']:.3f}")


def show_reliable(rows: Sequence[Climbed]) -> None:
    """Print how far the confidence of each tier can be believed."""
    print("\nconfidence, all sets (each alike, four fair questions to one without an answer)")
    for found in reliable(rows):
        print(f"  {found['tier']}: {found['answers']} answers,", end="")
        print(f" expected calibration error {found['ece']:.3f}")
        table = found["table"]
        assert isinstance(table, list)
        for row in table:
            print(f"    {row['from']:.1f} to {row['from'] + 0.1:.1f}{row['answers']:7}", end="")
            print(f"  said {row['confidence']:.2f}  right {row['right']:.2f}")


def measure(data: str, names: Sequence[str], max_tier: str | None) -> dict[str, list[Climbed]]:
    """Climb in each of the sets."""
    found: dict[str, list[Climbed]] = {}
    read = {name: read_set(os.path.join(data, f"{name}_dev")) for name in names if name != EXAMPLE}
    for name in names:
        with ExitStack() as stack:
            if name == EXAMPLE:
                tree = stack.enter_context(copied(ATLAS))
                found[name] = climb_example(tree, max_tier=max_tier)
                continue
            documents, questions = read[name]
            foreign = [
                question
                for other, (_, asked) in read.items()
                for question in asked
                if other != name and not question.adversarial
            ]
            tree = stack.enter_context(planted(documents))
            found[name] = climb_set(tree, name, questions, foreign, max_tier=max_tier)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What the climb does, tier by tier.")
    parser.add_argument("--data", default=default_data())
    parser.add_argument("--sets", default=",".join((*SETS, EXAMPLE)), help="with commas between")
    parser.add_argument("--max-tier", choices=TIERS, help="climb, and search, no further")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    found = measure(given.data, given.sets.split(","), given.max_tier)
    everything = [row for rows in found.values() for row in rows]
    if given.json:
        sets = {}
        for name, rows in found.items():
            fair = [row for row in rows if not row.kind]
            sets[name] = {
                "questions": len(fair),
                "tiers": tiers_of(fair),
                "climb": costs(fair),
                "absent": strange_of(rows),
            }
        print(json.dumps({"sets": sets, "reliability": reliable(everything), "bar": BAR}))
        return
    for name, rows in found.items():
        show(name, rows)
    show_reliable(everything)


if __name__ == "__main__":
    main()
