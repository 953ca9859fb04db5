"""How far confidence and "absent" can be believed, from 1 entry to 10,000; and the fit behind it.

Every question goes through the real engine. With an answer: the development sets in their own
scope, known-item questions over real markdown, examples/atlas, and small trees imported from random
subsets. Without one: the same questions asked of other scopes, of small trees that lack their gold
(half of these trees hold the passages nearest to the question instead), and everyday questions that
the example does not answer (benchmarks/certainty.jsonl). Questions are split in two by a hash of
their text; `--fit` prints the weights fitted on one half, all figures are of the other.

    ENV/bin/python benchmarks/calibrate.py [--data ../shared/data] [--fit] [--json]

The calibration error is weighted so that each set and size counts alike, with four questions that
have an answer for one that has none.
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from math import exp
from random import Random
from typing import TYPE_CHECKING, Self

from measuring import HERE, default_corpora, default_source, markdown_files
from questions import known_items

from memtree.app import Tree, init_tree, open_tree
from memtree.knowledge.path import slug
from memtree.knowledge.query import Query
from memtree.retrieve import full_text
from memtree.retrieve.evidence import evidence as _evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.retrieve.candidate import Question, Scored
    from memtree.retrieve.evidence import Evidence

SETS = ("locomo", "musique", "lihua", "cranfield")
SIZES = {1: 24, 5: 12, 20: 6, 100: 3}
ATLAS = os.path.join(HERE, "..", "examples")
# What one set of one size weighs in a fit, however many questions it has.
SHARE = 60.0

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a development set."""

    id: str
    group: str
    text: str
    gold: frozenset[str]
    adversarial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One question to one tree: whether it has an answer there, and what the engine said.

    `first` is whether the first hit of full text is gold, with `present` and `right` what the
    evidence measured there; `found`, `confidence` and `hit` are those of the whole climb.
    """

    set: str
    size: int
    text: str
    answerable: bool
    present: tuple[float, ...]
    right: tuple[float, ...]
    likely: float
    first: bool
    found: bool
    confidence: float
    hit: bool

    @property
    def for_fit(self) -> bool:
        """Whether the question is of the half that is fitted on."""
        return hashlib.sha256(self.text.encode()).digest()[0] % 2 == 0


class Collector:
    """Asks questions, and keeps what the evidence measured on the way."""

    def __init__(self) -> None:
        self.rows: list[Judged] = []
        self._seen: list[Evidence] = []
        self._judge = _evidence

    def __enter__(self) -> Self:
        """Listen to the evidence of the full-text tier."""
        vars(full_text)["evidence"] = self._listen
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        vars(full_text)["evidence"] = self._judge

    def _listen(self, question: Question, ranked: Sequence[Scored]) -> Evidence:
        found = self._judge(question, ranked)
        self._seen.append(found)
        return found

    def ask(
        self, tree: Tree, name: str, size: int, text: str, *, scope: str = "",
        gold: Iterable[str] = (),
    ) -> list[str]:  # fmt: skip
        """Ask once by full text and once by the climb; returns the ids of the first ten hits."""
        wanted = frozenset(gold)
        self._seen.clear()
        hits = tree.search(Query(text, scope=scope, tier="fulltext")).hits
        seen = self._seen[-1] if self._seen else None
        answer = tree.query(Query(text, scope=scope))
        firsts = [bool(one and {one[0].id, one[0].path} & wanted) for one in (hits, answer.hits)]
        self.rows.append(
            Judged(
                set=name, size=size, text=text, answerable=bool(wanted),
                present=seen.measures[0] if seen else (), right=seen.measures[1] if seen else (),
                likely=seen.present if seen else 0.0, first=firsts[0],
                found=answer.status == "found", confidence=answer.confidence, hit=firsts[1],
            )
        )  # fmt: skip
        return [hit.id for hit in hits]


def read_set(folder: str) -> tuple[list[Document], list[Asked]]:
    """Read `corpus.jsonl` and `queries.jsonl`."""
    with open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8") as opened:
        documents: list[Document] = [json.loads(line) for line in opened]
    with open(os.path.join(folder, "queries.jsonl"), encoding="utf-8") as opened:
        rows = [json.loads(line) for line in opened]
    asked = [
        Asked(
            id=row["id"], group=row["group"], text=row["text"], gold=frozenset(row["gold"]),
            adversarial=row["category"] == "adversarial",
        )
        for row in rows
        if row["gold"]
    ]  # fmt: skip
    return documents, asked


def plant(place: str, groups: Mapping[str, Sequence[Document]]) -> Tree:
    """Import documents into a new tree, one folder for each group."""
    tree = init_tree(os.path.join(place, "tree"))
    for group, documents in groups.items():
        source = os.path.join(place, f"{group or 'all'}.jsonl")
        with open(source, "w", encoding="utf-8") as opened:
            for document in documents:
                line = {k: v for k, v in document.items() if k not in ("group", "date")}
                if document.get("date"):
                    line["time"] = document["date"]
                opened.write(json.dumps(line) + "\n")
        tree.import_paths([source], kind="jsonl", into=group)
    tree.refresh()
    tree.max_age = 3600.0
    return tree


def whole_sets(collector: Collector, data: str, random: Random) -> dict[str, list[str]]:
    """Ask each set its own questions and those of others; question id -> nearest wrong ids."""
    near: dict[str, list[str]] = {}
    read = {name: read_set(os.path.join(data, f"{name}_dev")) for name in SETS}
    for name, (documents, asked) in read.items():
        groups: dict[str, list[Document]] = defaultdict(list)
        for document in documents:
            groups[slug(str(document["group"]))].append(document)
        with tempfile.TemporaryDirectory() as place, plant(place, groups) as tree:
            for question in asked:
                scope = slug(question.group)
                size = len(groups[scope])
                if question.adversarial:
                    collector.ask(tree, f"{name} adversarial", size, question.text, scope=scope)
                    continue
                hits = collector.ask(
                    tree, name, size, question.text, scope=scope, gold=question.gold
                )
                near[question.id] = [hit for hit in hits if hit not in question.gold]
                others = [group for group in groups if group != scope]
                if others and random.random() < 0.4:
                    other = random.choice(others)
                    collector.ask(
                        tree, f"{name} other", len(groups[other]), question.text, scope=other
                    )
            for _, foreign in (rows for key, rows in read.items() if key != name):
                fair = [question for question in foreign if not question.adversarial]
                for question in random.sample(fair, min(40, len(fair))):
                    scope = random.choice(list(groups))
                    size = len(groups[scope])
                    collector.ask(tree, f"{name} foreign", size, question.text, scope=scope)
    return near


def small_trees(
    collector: Collector, data: str, random: Random, near: Mapping[str, list[str]]
) -> None:
    """Trees of 1 to 100 documents: some with the gold, some with what only looks like it."""
    for name in ("musique", "lihua", "locomo"):
        documents, asked = read_set(os.path.join(data, f"{name}_dev"))
        by_id = {str(document["id"]): document for document in documents}
        for size, trees in SIZES.items():
            fair = [q for q in asked if not q.adversarial and len(q.gold) <= max(1, size // 2)]
            if not fair:
                continue
            for number in range(trees):
                _small_tree(
                    collector, name, size, asked=fair, by_id=by_id, random=random,
                    near=near if number % 2 else {},
                )  # fmt: skip


def _small_tree(
    collector: Collector, name: str, size: int, *, asked: list[Asked],
    by_id: Mapping[str, Document], random: Random, near: Mapping[str, list[str]],
) -> None:  # fmt: skip
    shuffled = random.sample(asked, len(asked))
    lacking = shuffled[: 1 if near and size == 1 else 6]
    chosen: dict[str, None] = {}
    for question in shuffled[6 : 6 + max(1, size // 5)]:
        if len(chosen) + len(question.gold) <= size and not (near and size == 1):
            chosen.update(dict.fromkeys(sorted(question.gold)))
    for question in lacking:
        for hit in near.get(question.id, [])[: max(1, size // 10)]:
            if len(chosen) < size:
                chosen[hit] = None
    chosen.update(dict.fromkeys(random.sample(sorted(by_id), size)))
    ids = set(list(chosen)[:size])
    with (
        tempfile.TemporaryDirectory() as place,
        plant(place, {"": [by_id[key] for key in ids]}) as tree,
    ):
        for question in asked:
            if question.gold <= ids:
                collector.ask(tree, f"{name} small", size, question.text, gold=question.gold)
        for question in lacking:
            if not question.gold & ids:
                label = f"{name} small, near" if near else f"{name} small"
                collector.ask(tree, label, size, question.text)


def markdown_trees(collector: Collector, source: str, random: Random) -> None:
    """Known-item questions to small trees of real files, with their file in it and without."""
    items = known_items(source, 400)
    everything = list(markdown_files(source))
    for size, trees in {**SIZES, 1000: 1}.items():
        for _ in range(trees):
            shuffled = random.sample(items, len(items))
            lacking, inside = shuffled[:8], shuffled[8 : 8 + max(1, min(40, size // 2))]
            never = {path for item in lacking for path in item.gold}
            paths = {path for item in inside for path in item.gold}
            while len(paths) < size:
                paths |= {random.choice(everything)} - never
            with tempfile.TemporaryDirectory() as place, init_tree(place) as tree:
                for path in sorted(paths):
                    target = os.path.join(place, path)
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(os.path.join(source, path), target)
                tree.refresh()
                tree.max_age = 3600.0
                for item in inside:
                    collector.ask(tree, "markdown", size, item.text, gold=item.gold)
                for item in lacking:
                    collector.ask(tree, "markdown", size, item.text)


def everyday() -> list[tuple[str, list[str]]]:
    """The questions of the example and of certainty.jsonl, with their gold."""
    found: list[tuple[str, list[str]]] = []
    for path in (os.path.join(ATLAS, "questions.jsonl"), os.path.join(HERE, "certainty.jsonl")):
        with open(path, encoding="utf-8") as opened:
            rows = [json.loads(line) for line in opened]
        found += [(row["query"], row["gold"]) for row in rows]
    return found


def whole_folder(
    collector: Collector, name: str, folder: str, questions: Iterable[tuple[str, Iterable[str]]]
) -> None:
    """Ask a copy of a folder of markdown."""
    with tempfile.TemporaryDirectory() as place:
        copy = shutil.copytree(
            folder, os.path.join(place, "tree"), ignore=shutil.ignore_patterns(".memtree")
        )
        os.makedirs(os.path.join(copy, ".memtree"))
        with open_tree(copy, max_age=3600.0) as tree:
            size = tree.refresh().indexed
            for text, gold in questions:
                collector.ask(tree, name, size, text, gold=gold)


def collect(data: str, corpora: str) -> list[Judged]:
    """Ask everything there is; minutes."""
    random = Random(5)
    with Collector() as collector:
        whole_folder(collector, "atlas", os.path.join(ATLAS, "atlas"), everyday())
        if os.path.isdir(data):
            near = whole_sets(collector, data, random)
            small_trees(collector, data, random, near)
        source = os.path.join(data, "markdown") if os.path.isdir(data) else default_source()
        if os.path.isdir(source):
            markdown_trees(collector, source, random)
        grown = os.path.join(corpora, "md-10000-1")
        if os.path.isdir(grown):
            known = [(item.text, item.gold) for item in known_items(grown, 150)]
            strange = [(text, ()) for text, _ in everyday()]
            whole_folder(collector, "grown", grown, [*known, *strange])
    return collector.rows


def weighted(rows: Sequence[Judged]) -> list[float]:
    """Weights with which sets and sizes count alike, large ones somewhat more than tiny ones."""
    count: dict[tuple[str, int, bool], int] = defaultdict(int)
    keys = [(row.set, _size(row.size), row.answerable) for row in rows]
    for key in keys:
        count[key] += 1
    return [min(3.0, SHARE / count[key]) for key in keys]


def _size(size: int) -> int:
    return size if size in SIZES else 0


def balanced(rows: Sequence[Judged], odds: float) -> list[float]:
    """The same, with `odds` questions that have an answer for one that has none."""
    weights = weighted(rows)
    yes = sum(weight for weight, row in zip(weights, rows, strict=True) if row.answerable)
    no = sum(weights) - yes
    return [
        weight * (odds / yes if row.answerable else 1 / max(no, 1e-9)) * len(rows)
        for weight, row in zip(weights, rows, strict=True)
    ]


def fitted(rows: Sequence[Judged]) -> dict[str, list[float]]:
    """Weights for `PRESENT` and `RIGHT` of memtree.retrieve.evidence."""
    fair = [row for row in rows if row.for_fit and row.present and "adversarial" not in row.set]
    present = fit(
        [row.present for row in fair], [row.answerable for row in fair], balanced(fair, 1.0)
    )
    sure = [row for row in fair if row.likely >= 0.5]
    right = fit([row.right for row in sure], [row.first for row in sure], _kept(fair, sure, 4.0))
    return {"PRESENT": present, "RIGHT": right}


def _kept(rows: Sequence[Judged], kept: Sequence[Judged], odds: float) -> list[float]:
    """The weights of some rows, as they are among all."""
    weight = {id(row): value for row, value in zip(rows, balanced(rows, odds), strict=True)}
    return [weight[id(row)] for row in kept]


def report(rows: Sequence[Judged]) -> dict[str, object]:
    """What the engine as it stands does on the half that nothing was fitted on."""
    held = [row for row in rows if not row.for_fit and "adversarial" not in row.set]
    tables: dict[tuple[str, int], list[Judged]] = defaultdict(list)
    for row in rows:
        if not row.for_fit:
            tables[row.set, _size(row.size)].append(row)
    sets = [
        {"set": name, "size": size or found[0].size, **_rates(found)}
        for (name, size), found in sorted(tables.items())
    ]  # fmt: skip
    answered = [row for row in held if row.found]
    weights = _kept(held, answered, 4.0)
    bins: dict[int, list[tuple[Judged, float]]] = defaultdict(list)
    for row, weight in zip(answered, weights, strict=True):
        bins[min(9, int(row.confidence * 10))].append((row, weight))
    reliability = []
    error = 0.0
    for low, found in sorted(bins.items()):
        total = sum(weight for _, weight in found)
        mean = sum(row.confidence * weight for row, weight in found) / total
        right = sum(row.hit * weight for row, weight in found) / total
        error += abs(mean - right) * total / sum(weights)
        reliability.append(
            {"from": low / 10, "answers": len(found), "confidence": mean, "right": right}
        )
    measured = [row for row in held if row.present]
    area = auroc([row.likely for row in measured], [row.answerable for row in measured])
    return {"sets": sets, "reliability": reliability, "ece": error, "auroc": area, **_rates(held)}


def _rates(rows: Sequence[Judged]) -> dict[str, float | int]:
    yes = [row for row in rows if row.answerable]
    no = [row for row in rows if not row.answerable]
    answered = [row for row in yes if row.found]
    return {
        "with_answer": len(yes),
        "false_absent": 1 - len(answered) / max(1, len(yes)) if yes else 0.0,
        "right_of_found": sum(row.hit for row in answered) / max(1, len(answered)),
        "without": len(no),
        "false_answer": sum(row.found for row in no) / max(1, len(no)),
    }


def show(out: dict[str, object]) -> None:
    """Print the tables."""
    sets = out["sets"]
    reliability = out["reliability"]
    assert isinstance(sets, list)
    assert isinstance(reliability, list)
    print(f"{'set':24}{'size':>7}{'asked':>7}{'false absent':>14}{'right':>7}", end="")
    print(f"{'strange':>9}{'false answer':>14}")
    for row in sets:
        yes, no = row["with_answer"], row["without"]
        print(f"{row['set']:24}{row['size']:7}{yes or '':>7}", end="")
        print(
            f"{row['false_absent']:>14.0%}{row['right_of_found']:>7.0%}" if yes else " " * 21,
            end="",
        )
        print(f"{no:>9}{row['false_answer']:>14.0%}" if no else "")
    print("\nanswers given with confidence   n   mean  right")
    for row in reliability:
        low = row["from"]
        print(f"{low:>22.1f} to {low + 0.1:.1f}{row['answers']:6}", end="")
        print(f"{row['confidence']:7.2f}{row['right']:7.2f}")
    print(f"\nexpected calibration error {out['ece']:.3f}   AUROC of present {out['auroc']:.3f}")


def fit(
    rows: Sequence[Sequence[float]], hits: Sequence[bool], weights: Sequence[float],
    *, ridge: float = 1.0, steps: int = 30,
) -> list[float]:  # fmt: skip
    """Fit by Newton's method; the first column is the constant, which the ridge spares."""
    size = len(rows[0])
    found = [0.0] * size
    for _ in range(steps):
        slope = [-ridge * value * (place > 0) for place, value in enumerate(found)]
        curve = [[ridge * (a == b) for b in range(size)] for a in range(size)]
        for row, hit, weight in zip(rows, hits, weights, strict=True):
            likely = logistic(sum(a * b for a, b in zip(found, row, strict=True)))
            off, bend = weight * (hit - likely), weight * likely * (1 - likely)
            for a in range(size):
                slope[a] += off * row[a]
                for b in range(size):
                    curve[a][b] += bend * row[a] * row[b]
        step = _solve(curve, slope)
        found = [a + b for a, b in zip(found, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return found


def logistic(value: float) -> float:
    """The logistic function, safe at both ends."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for other in range(size):
            share = rows[other][at] / rows[at][at] if other != at else 0.0
            if share:
                rows[other] = [a - share * b for a, b in zip(rows[other], rows[at], strict=True)]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def auroc(scores: Sequence[float], hits: Sequence[bool]) -> float:
    """How often a hit scores above a miss; ties count half. 0.5 when one of them lacks."""
    order = sorted(range(len(scores)), key=lambda at: scores[at])
    above = ranks = at = 0.0
    position = 0
    yes = sum(hits)
    while position < len(order):
        end = position
        while end < len(order) and scores[order[end]] == scores[order[position]]:
            end += 1
        at = (position + end - 1) / 2 + 1
        ranks += at * sum(hits[place] for place in order[position:end])
        position = end
    above = ranks - yes * (yes + 1) / 2
    return above / (yes * (len(hits) - yes)) if 0 < yes < len(hits) else 0.5


def main() -> None:
    """Collect, report, and fit when asked to."""
    parser = argparse.ArgumentParser(description="Calibration of confidence and of absent.")
    parser.add_argument("--data", default=os.path.join(HERE, "..", "..", "shared", "data"))
    parser.add_argument("--corpora", default=default_corpora(), help="where corpora are kept")
    parser.add_argument("--fit", action="store_true", help="print newly fitted weights, too")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    rows = collect(given.data, given.corpora)
    out = report(rows)
    if given.fit:
        out["fit"] = fitted(rows)
    if given.json:
        print(json.dumps(out))
        return
    show(out)
    if given.fit:
        for name, values in fitted(rows).items():
            print(f"{name} = ({', '.join(f'{value:.2f}' for value in values)})")


if __name__ == "__main__":
    main()
