"""Questions with an answer and without one, asked of trees of 1 to 17,000 passages.

With an answer: the development sets in their own scope, known-item questions over real markdown,
examples/atlas, and small trees imported from random subsets. Without one: the same questions asked
of other scopes, of small trees that lack their gold (half of these trees hold the passages nearest
to the question instead), and everyday questions that the example does not answer
(benchmarks/certainty.jsonl). Every question goes through the real engine, and what the evidence
measured on the way is kept.
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Self

from certainty_trees import ATLAS, CURRENT, SETS, copied, everyday, planted, read_set
from measuring import default_source, markdown_files
from questions import known_items

from memtree.app import Tree, init_tree
from memtree.knowledge.query import Query
from memtree.retrieve.engine import MODEL_FREE
from memtree.retrieve.evidence import evidence as _evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from certainty_trees import Asked, Document

    from memtree.retrieve.candidate import Question, Scored
    from memtree.retrieve.evidence import Evidence

# Passages in a small tree -> how many such trees of each kind.
SIZES = {1: 24, 5: 12, 20: 6, 100: 3}
SEED = 5
# The tiers that weigh evidence, with the module that calls it.
WEIGHING = {"fulltext": "full_text", "semantic": "semantic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What a tier measured and made of it, asked alone, and whether its first hit is gold."""

    measures: Mapping[str, float]
    present: float
    confidence: float
    against: bool
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One question to one tree: whether it has an answer there, and what the engine said.

    `by_tier` has what each tier that weighs evidence found alone; `tier`, `found`, `confidence`
    and `hit` (the first hit is gold) are those of the climb.
    """

    set: str
    size: int
    text: str
    answerable: bool
    by_tier: Mapping[str, Weighed]
    tier: str
    found: bool
    confidence: float
    hit: bool

    @property
    def fold(self) -> int:
        """0 to 255, the same for the same question wherever it is asked."""
        return hashlib.sha256(self.text.encode()).digest()[0]

    @property
    def for_fit(self) -> bool:
        """Whether the question is of the half that is fitted on."""
        return self.fold % 2 == 0

    @property
    def adversarial(self) -> bool:
        """Whether it asks for what was never said, in the words of what was."""
        return "adversarial" in self.set


@dataclass(slots=True)
class Collector:
    """Asks questions, and keeps what the evidence measured on the way."""

    rows: list[Judged] = field(default_factory=list)
    _seen: list[Evidence] = field(default_factory=list)
    _tiers: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Listen to the evidence of the tiers."""
        for tier, module in WEIGHING.items():
            if tier in MODEL_FREE:
                self._tiers.append(tier)
                vars(import_module(f"memtree.retrieve.{module}"))["evidence"] = self._listen
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        for tier in self._tiers:
            vars(sys.modules[f"memtree.retrieve.{WEIGHING[tier]}"])["evidence"] = _evidence

    def _listen(self, question: Question, ranked: Sequence[Scored]) -> Evidence:
        found = _evidence(question, ranked)
        self._seen.append(found)
        return found

    def ask(
        self, tree: Tree, name: str, size: int, text: str, *, scope: str = "",
        gold: Iterable[str] = (),
    ) -> list[str]:  # fmt: skip
        """Ask each tier alone and then the climb; returns ids of the first ten hits of words."""
        wanted = frozenset(gold)
        by_tier: dict[str, Weighed] = {}
        ids: list[str] = []
        for tier in self._tiers:
            self._seen.clear()
            hits = tree.search(Query(text, scope=scope, tier=tier)).hits
            ids = ids or [hit.id for hit in hits]
            if self._seen and self._seen[-1].measures:
                seen = self._seen[-1]
                by_tier[tier] = Weighed(
                    measures=seen.measures, present=seen.present, confidence=seen.confidence,
                    against=bool(seen.against),
                    first=bool(hits and {hits[0].id, hits[0].path} & wanted),
                )  # fmt: skip
        answer = tree.query(Query(text, scope=scope))
        first = answer.hits[0] if answer.hits else None
        self.rows.append(
            Judged(
                set=name, size=size, text=text, answerable=bool(wanted), by_tier=by_tier,
                tier=answer.tier, found=answer.status == "found", confidence=answer.confidence,
                hit=first is not None and bool({first.id, first.path} & wanted),
            )
        )  # fmt: skip
        return ids


def whole_sets(collector: Collector, data: str, random: Random) -> dict[str, list[str]]:
    """Ask each set its own questions and those of others; question id -> nearest wrong ids."""
    near: dict[str, list[str]] = {}
    read = {name: read_set(os.path.join(data, f"{name}_dev")) for name in SETS}
    for name, (documents, asked) in read.items():
        sizes: dict[str, int] = defaultdict(int)
        for document in documents:
            sizes[str(document.get("group") or "").lower()] += 1
        with planted(documents) as tree:
            for question in asked:
                _own_question(collector, tree, name, question, sizes, near=near, random=random)
            for _, foreign in (rows for key, rows in read.items() if key != name):
                fair = [question for question in foreign if not question.adversarial]
                for question in random.sample(fair, min(40, len(fair))):
                    scope = random.choice(list(sizes))
                    size = sizes[scope]
                    collector.ask(tree, f"{name} foreign", size, question.text, scope=scope)
    return near


def _own_question(
    collector: Collector, tree: Tree, name: str, question: Asked, sizes: Mapping[str, int], *,
    near: dict[str, list[str]], random: Random,
) -> None:  # fmt: skip
    """Ask a question in its own group, and some of them in another."""
    scope = question.scope
    size = sizes[scope]
    if question.adversarial:
        collector.ask(tree, f"{name} adversarial", size, question.text, scope=scope)
        return
    hits = collector.ask(tree, name, size, question.text, scope=scope, gold=question.gold)
    near[question.id] = [hit for hit in hits if hit not in question.gold]
    others = [group for group in sizes if group != scope]
    if others and random.random() < 0.4:
        other = random.choice(others)
        collector.ask(tree, f"{name} other", sizes[other], question.text, scope=other)


def small_trees(
    collector: Collector, data: str, random: Random, near: Mapping[str, list[str]]
) -> None:
    """Trees of 1 to 100 documents: some with the gold, some with what only looks like it."""
    for name in ("musique", "lihua", "locomo"):
        documents, asked = read_set(os.path.join(data, f"{name}_dev"))
        by_id = {str(document["id"]): document for document in documents}
        for size, trees in SIZES.items():
            fair = [q for q in asked if not q.adversarial and len(q.gold) <= max(1, size // 2)]
            for number in range(trees if fair else 0):
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
    ids = list(chosen)[:size]
    with planted([by_id[key] for key in ids], flat=True) as tree:
        for question in asked:
            if question.gold.issubset(ids):
                collector.ask(tree, f"{name} small", size, question.text, gold=question.gold)
        for question in lacking:
            if question.gold.isdisjoint(ids):
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
                tree.max_age = CURRENT
                for item in inside:
                    collector.ask(tree, "markdown", size, item.text, gold=item.gold)
                for item in lacking:
                    collector.ask(tree, "markdown", size, item.text)


def whole_folder(
    collector: Collector, name: str, folder: str, questions: Iterable[tuple[str, Iterable[str]]]
) -> None:
    """Ask a copy of a folder of markdown."""
    with copied(folder) as tree:
        size = tree.refresh().indexed
        for text, gold in questions:
            collector.ask(tree, name, size, text, gold=gold)


def collect(data: str, corpora: str) -> list[Judged]:
    """Ask everything there is; minutes. What is not there (data, corpora) is left out."""
    random = Random(SEED)
    with Collector() as collector:
        whole_folder(collector, "atlas", ATLAS, everyday())
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
