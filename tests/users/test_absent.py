"""Topic 8: what a tree doesn't hold it says so, from five entries to ten thousand.

The bounds are what holds with margin; the measured rates are printed (`-s`).
"""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from real_tree import ATLAS, REPOSITORY, RealTree, new_tree

from memtree import open_tree

STRANGE = [
    "What is the boiling point of mercury?", "Who painted the Night Watch?", "How do I renew my passport in Portugal?", "When did the Berlin wall fall?", "Which vaccine is given at twelve months?",
    "What is the capital gains tax rate in Norway?", "How many moons does Saturn have?", "Who won the 1998 football world cup?", "What does the enzyme lactase do?", "How is parmesan cheese aged?",
    "What is the plot of Macbeth?", "How do I tune a violin?", "Which chess opening begins with e4 c5?", "What is the half-life of carbon-14?", "How tall is Kilimanjaro?", "What is the best fertiliser for tomatoes?",
    "Who wrote the Brothers Karamazov?", "How does a diesel engine ignite fuel?", "What is the exchange rate of the yen?", "How do bees make honey?", "What causes hay fever?", "How do I knit a scarf?",
    "What is the speed of sound in water?", "When was Mozart born?", "How do I replace a bicycle chain?", "What is quantum entanglement?", "Which planet has the great red spot?", "How is glass made?",
    "What is the recipe for ratatouille?", "How do volcanoes erupt?", "What is the treaty of Westphalia?", "How do I train a puppy?", "What is the population of Nairobi?", "Who discovered penicillin?",
    "What are the rules of cricket?", "How does a sewing machine work?", "What is a sonnet?", "How many bones are in the human hand?", "What is the currency of Thailand?", "How do magnets work?",
]  # fmt: skip
FIVE = {
    "ops/db/backups.md": "# Database backups\n\nPostgres is dumped every night at 02:00 to the bucket backups-eu. Restores are rehearsed on the first Monday of the month.\n",
    "ops/web/deploy.md": "# Deploying the web site\n\nMerge to main, wait for CI, then press Promote. Rollback: press Promote on the previous build.\n",
    "team/people/oncall.md": "# On call\n\nMira is on call in odd weeks, Jonas in even weeks. The pager number is in the safe.\n",
    "home/kitchen/bread.md": "# Sourdough bread\n\n500 g flour, 350 g water, 10 g salt, 100 g starter. Bake at 240 degrees for 40 minutes.\n",
    "home/garden/roses.md": "# Roses\n\nPrune in February, above an outward bud. Feed with compost in April.\n",
}  # fmt: skip
FIVE_ASKED = {
    "When is Postgres dumped?": "ops/db/backups.md", "how do I roll back the web site": "ops/web/deploy.md", "who is on call in even weeks?": "team/people/oncall.md", "how much water goes into the bread?": "home/kitchen/bread.md",
    "when should roses be pruned?": "home/garden/roses.md", "where is the pager number?": "team/people/oncall.md", "How long do I bake sourdough?": "home/kitchen/bread.md", "database backups": "ops/db/backups.md",
    "which bucket holds the backups?": "ops/db/backups.md", "what do I feed roses?": "home/garden/roses.md",
}  # fmt: skip


def _dataset(name: str) -> list[str]:
    """Forty questions about another corpus, where one is at hand."""
    place = os.environ.get("MEMTREE_DATA")
    if not place or not (Path(place) / name / "queries.jsonl").exists():
        return []
    with (Path(place) / name / "queries.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    chosen = random.Random(11).sample(rows, min(40, len(rows)))
    return [str(row.get("query") or row.get("text") or row.get("question")) for row in chosen]


def _rate(
    root: Path, questions: list[str], status: str
) -> tuple[float, list[tuple[str, str, float]]]:
    wrong: list[tuple[str, str, float]] = []
    with open_tree(str(root)) as tree:
        for question in questions:
            answer = tree.query(question)
            if answer.status == status:
                wrong.append(
                    (question, answer.hits[0].path if answer.hits else "", answer.confidence)
                )
    return len(wrong) / len(questions), wrong


def _report(what: str, rate: float, wrong: list[Any]) -> None:
    sys.stderr.write(
        f"\n{what}: {rate:.0%} "
        + "; ".join(f"{q[:50]} -> {p} {c:.2f}" for q, p, c in wrong[:6])
        + "\n"
    )


def test_a_tree_of_five_entries_knows_what_it_does_not_hold(tmp_path: Path) -> None:
    tree = new_tree(tmp_path / "five")
    for path, text in FIVE.items():
        tree.write(path, text)
    rate, wrong = _rate(tree.root, STRANGE, "found")
    _report("five, strange questions answered", rate, wrong)
    missed, which = _rate(tree.root, list(FIVE_ASKED), "absent")
    _report("five, own questions absent", missed, which)
    for name in ("musique_dev", "locomo_dev"):
        if asked := _dataset(name):
            _report(f"five, {name} answered", *_rate(tree.root, asked, "found"))
    assert rate <= 0.2
    assert missed <= 0.2


def test_the_example_tree_knows_what_it_does_not_hold(atlas: RealTree) -> None:
    rate, wrong = _rate(atlas.root, STRANGE, "found")
    _report("atlas, strange questions answered", rate, wrong)
    rows = [
        json.loads(line)
        for line in (REPOSITORY / "examples/questions.jsonl").read_text().splitlines()
    ]
    own = [row["query"] for row in rows if row.get("gold")]
    none = [row["query"] for row in rows if not row.get("gold")]
    missed, which = _rate(atlas.root, own, "absent")
    _report("atlas, own questions absent", missed, which)
    if none:
        _report("atlas, its own absent questions answered", *_rate(atlas.root, none, "found"))
    for name in ("musique_dev", "locomo_dev", "lihua_dev", "cranfield_dev"):
        if asked := _dataset(name):
            _report(f"atlas, {name} answered", *_rate(atlas.root, asked, "found"))
    assert rate <= 0.4
    assert missed <= 0.1


def _grown(tmp_path: Path, size: int) -> RealTree:
    """The example tree among `size` files of the corpus that MEMTREE_CORPUS names."""
    place = os.environ.get("MEMTREE_CORPUS")
    if not place:
        pytest.skip("MEMTREE_CORPUS names no folder of markdown")
    tree = tmp_path / "grown"
    shutil.copytree(ATLAS, tree)
    files = sorted(Path(place).rglob("*.md"))
    for number, file in enumerate(random.Random(1).sample(files, min(size, len(files)))):
        target = tree / "corpus" / f"d{number % 50}" / f"{number}-{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return new_tree(tree)


@pytest.mark.slow
@pytest.mark.parametrize("size", [75, 4000, 10_000])
def test_a_tree_of_any_size_knows_what_it_does_not_hold(tmp_path: Path, size: int) -> None:
    tree = _grown(tmp_path, size)
    rate, wrong = _rate(tree.root, STRANGE, "found")
    _report(f"{size}, strange questions answered", rate, wrong)
    rows = [
        json.loads(line)
        for line in (REPOSITORY / "examples/questions.jsonl").read_text().splitlines()
    ]
    missed, which = _rate(tree.root, [row["query"] for row in rows if row.get("gold")], "absent")
    _report(f"{size}, own questions absent", missed, which)
    for name in ("musique_dev", "locomo_dev"):
        if asked := _dataset(name):
            _report(f"{size}, {name} answered", *_rate(tree.root, asked, "found"))
    assert rate <= 0.35
    assert missed <= 0.2
