"""The agentic tier without a model: what several steps find that one search does not, and the time.

    ENV/bin/python benchmarks/agentic.py [--data ../shared/data] [--sets musique,locomo] [--json]

Every question whose gold passages are known is asked twice in the folder of its own group: once as
`search` asks it, once in several steps (`memtree query --tier agentic` without a model). For each
kind of question: R@5, R@10, All@10 (all gold among the first ten), nDCG@10, milliseconds; and
`quoted`, the share of questions whose answer stands, as a text, in the quotes of either way.

`answered` counts how often there was an answer at all, `wrongly` the same for questions of the
other set, which the tree can't answer: what tier 4 says of them, and what several steps say.

LoCoMo's kinds `multi-hop` and `temporal` are asked, the others are of one step. The sets were tuned
on; the figures are of development data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.app import Tree, init_tree
from memtree.bench import measures
from memtree.knowledge.path import slug
from memtree.knowledge.query import ABSENT, FOUND, Query
from memtree.retrieve.agentic.budget import Budget, Spending
from memtree.retrieve.agentic.looking import Looking
from memtree.retrieve.agentic.several import several_steps
from memtree.retrieve.agentic.tier import Consulted
from memtree.retrieve.agentic.trace import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.knowledge.query import Answer
    from memtree.retrieve.tier import Ask

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "..", "shared", "data"))
KINDS = {"musique": None, "locomo": ("multi-hop", "temporal")}
SHOWN = {"recall@5": "R@5", "recall@10": "R@10", "all@10": "All@10", "ndcg@10": "nDCG@10"}
# Questions of the other set that each tree is asked.
STRANGE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of a set; `scope` is the folder of its group."""

    text: str
    scope: str
    kind: str
    gold: tuple[str, ...]
    answer: str


def read(data: str, name: str) -> list[Question]:
    """The questions of a set that have gold passages and are of a kind that is asked."""
    found = []
    with open(os.path.join(data, f"{name}_dev", "queries.jsonl"), encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            kinds = KINDS[name]
            if one.get("gold") and (kinds is None or one["category"] in kinds):
                found.append(
                    Question(
                        text=one["text"], scope=slug(one["group"]), kind=one["category"],
                        gold=tuple(one["gold"]), answer=str(one.get("answer") or "").casefold(),
                    )
                )  # fmt: skip
    return found


def planted(data: str, name: str, folder: str) -> Tree:
    """A tree with the documents of a set, indexed and with vectors."""
    tree = init_tree(os.path.join(folder, name))
    groups: dict[str, list[str]] = {}
    with open(os.path.join(data, f"{name}_dev", "corpus.jsonl"), encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            group = slug(one.pop("group"))
            if one.get("date"):
                one["time"] = one.pop("date")
            groups.setdefault(group, []).append(json.dumps(one, ensure_ascii=False))
    for group, lines in groups.items():
        source = os.path.join(folder, f"{name}-{group}.jsonl")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))
        tree.import_paths([source], kind="jsonl", into=group)
    tree.embed()
    tree.max_age = 3600.0
    return tree


def searched(tree: Tree, question: Question) -> tuple[list[str], Answer, float]:
    """Ids of the hits of a search, what tier 4 answers, and the milliseconds of the search."""
    before = time.perf_counter()
    ids = [hit.id for hit in tree.search(Query(question.text, scope=question.scope)).hits]
    spent = 1000 * (time.perf_counter() - before)
    return ids, tree.query(Query(question.text, scope=question.scope, tier="semantic")), spent


def stepped(tree: Tree, question: Question) -> tuple[list[str], Answer, float]:
    """The same of several steps; ids of all they gathered, also of what is called absent."""
    query = Query(question.text, scope=question.scope, tier="agentic")
    before = time.perf_counter()
    given = tree.query(query)
    spent = 1000 * (time.perf_counter() - before)
    steps = Gathering()
    tree.ask_tier(query, steps)
    return steps.ids, given, spent


class Gathering:
    """A tier that only gathers: its ids before anything is judged."""

    name = "agentic"

    def __init__(self) -> None:
        self.ids: list[str] = []

    def find(self, ask: Ask) -> Consulted:
        """Take the steps, and keep what they found."""
        trace = Trace(question=ask.query.text, by="", budget="")
        found = several_steps(Looking(ask), trace, Spending(Budget()))
        self.ids = [match.row.id for match in found.matches]
        return Consulted((), confidence=0.0, status=ABSENT, why="", trace=trace)


def table(tree: Tree, questions: Sequence[Question]) -> Iterator[dict[str, object]]:
    """A row for each kind and way."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = {}
    for question in questions:
        for way, ask in (("search", searched), ("several steps", stepped)):
            ids, given, spent = ask(tree, question)
            quoted = " ".join(quote.text for quote in given.quotes).casefold()
            row = measures(ids, question.gold)
            row["ms"] = spent
            row["quoted"] = float(bool(question.answer) and question.answer in quoted)
            row["answered"] = float(bool(given.answer))
            for kind in ("all", question.kind):
                rows.setdefault((kind, way), []).append(row)
    for (kind, way), found in sorted(rows.items()):
        out: dict[str, object] = {"kind": kind, "way": way, "questions": len(found)}
        for name, shown in {**SHOWN, "quoted": "quoted", "answered": "answered"}.items():
            out[shown] = round(100 * sum(row[name] for row in found) / len(found), 1)
        times = sorted(row["ms"] for row in found)
        out["ms p50"], out["ms max"] = round(times[len(times) // 2]), round(times[-1])
        yield out


def strange(tree: Tree, questions: Sequence[Question], scope: str) -> dict[str, object]:
    """How often questions that the tree can't answer are answered, in percent."""
    count, tier4, several = 0, 0, 0
    for question in questions[:STRANGE]:
        count += 1
        query = Query(question.text, scope=scope, tier="semantic")
        tier4 += tree.query(query).status == FOUND
        several += bool(tree.query(Query(question.text, scope=scope, tier="agentic")).answer)
    return {
        "questions": count,
        "tier 4, wrongly": round(100 * tier4 / max(1, count), 1),
        "several steps, wrongly": round(100 * several / max(1, count), 1),
    }


def main() -> int:
    """Measure and print; 2 when the data is not there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default=DATA)
    parser.add_argument("--sets", default="musique,locomo")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    names = [name for name in given.sets.split(",") if name in KINDS]
    try:
        questions = {name: read(given.data, name) for name in KINDS}
    except OSError as error:
        sys.stderr.write(f"the development data can't be read: {error}\n")
        return 2
    report: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="memtree-agentic-") as folder:
        for name in names:
            other = next(one for one in KINDS if one != name)
            with planted(given.data, name, folder) as tree:
                rows = list(table(tree, questions[name]))
                odd = strange(tree, questions[other], questions[name][0].scope)
            report[name] = {"kinds": rows, "strange": odd}
            if not given.json:
                sys.stdout.write(f"{name}\n")
                for row in [*rows, odd]:
                    cells = "  ".join(f"{key} {value}" for key, value in row.items())
                    sys.stdout.write(f"  {cells}\n")
    if given.json:
        sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
