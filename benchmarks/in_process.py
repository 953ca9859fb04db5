"""How long one search takes inside a process that keeps the tree open.

A few hundred different questions of all kinds (titles, words of all frequencies, sentences, quoted
phrases, misspelled titles), each asked once, after a short warm-up with other questions; first with
`memtree watch` on the tree, then (fewer) without it, where each search walks the tree for changes.
The exact tier is timed alone on the titles.

    ENV/bin/python benchmarks/in_process.py [--entries 100000] [--json]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from typing import TYPE_CHECKING

from measuring import (
    Report,
    Watching,
    common_arguments,
    corpus_folder,
    find_memtree,
    make_tree,
    run_or_stop,
)
from questions import Question, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.app import Tree

# Tier 4 may cost 15 ms over the words alone.
P50_BAR_MS, WORDS_BAR_MS, P99_BAR_MS, EXACT_BAR_MS = 25.0, 10.0, 50.0, 1.0


def timed(
    tree: Tree,
    questions: Sequence[Question],
    *,
    tier: str | None = None,
    max_tier: str | None = None,
) -> tuple[list[float], list[float]]:
    """Return the wall and CPU milliseconds of each search, in the order of the questions."""
    from memtree import Query

    wall: list[float] = []
    cpu: list[float] = []
    for question in questions:
        query = Query(question.text, tier=tier, max_tier=max_tier)
        started, started_cpu = time.perf_counter(), time.process_time()
        tree.search(query)
        wall.append((time.perf_counter() - started) * 1000)
        cpu.append((time.process_time() - started_cpu) * 1000)
    return wall, cpu


def share(values: Sequence[float], part: float) -> float:
    """Find the value below which `part` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="one search inside a running process")
    common_arguments(parser, entries=100_000)
    parser.add_argument("--questions", type=int, default=420)
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    folder = make_tree(
        corpus_folder(
            source=given.source, corpora=given.corpora, entries=given.entries, seed=given.seed
        )
    )
    run_or_stop((script, "index"), cwd=folder)
    asked = mixed(folder, given.questions, seed=given.seed)
    warm = mixed(folder, 35, seed=given.seed + 1)
    walked = mixed(folder, 70, seed=given.seed + 2)
    report = Report(
        benchmark="in_process",
        settings={"entries": given.entries, "questions": given.questions},
    )
    from memtree import open_tree

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Watching(script, folder):
        started = time.perf_counter()
        # A program that asks in a row looks at the files once in a while, not before each question.
        tree = open_tree(folder, max_age=3600.0)
        report.add("open_tree", (time.perf_counter() - started) * 1000, "ms")
        report.add("first search", timed(tree, warm[:1])[0][0], "ms")
        timed(tree, warm)
        took, cpu = timed(tree, asked)
        note = f"CPU {share(cpu, 0.5):.2f} ms"
        report.add("search, p50", share(took, 0.5), "ms", bar=P50_BAR_MS, note=note)
        report.add("search, p90", share(took, 0.9), "ms")
        note = f"CPU {share(cpu, 0.99):.2f} ms"
        report.add("search, p99", share(took, 0.99), "ms", bar=P99_BAR_MS, note=note)
        report.add("search, slowest", max(took), "ms", note=_slowest(asked, took))
        for kind in sorted({question.kind for question in asked}):
            of_kind = [ms for q, ms in zip(asked, took, strict=True) if q.kind == kind]
            report.add(f"search, p50, {kind}", share(of_kind, 0.5), "ms")
        words, cpu = timed(tree, asked, max_tier="fulltext")
        note = f"CPU {share(cpu, 0.5):.2f} ms"
        report.add("words alone, p50", share(words, 0.5), "ms", bar=WORDS_BAR_MS, note=note)
        report.add("words alone, p99", share(words, 0.99), "ms")
        titles = [question for question in asked if question.kind == "title"]
        exact, cpu = timed(tree, titles, tier="exact")
        note = f"CPU {share(cpu, 0.5):.2f} ms"
        report.add("exact tier, p50", share(exact, 0.5), "ms", bar=EXACT_BAR_MS, note=note)
        report.add("exact tier, p99", share(exact, 0.99), "ms")
        tree.max_age = 0.0
        looking, _ = timed(tree, titles, tier="exact")
        report.add("exact tier, p50, asking the watcher first", share(looking, 0.5), "ms")
    alone, _ = timed(tree, walked)
    report.add("search without watch, p50", share(alone, 0.5), "ms")
    report.add("search without watch, p99", share(alone, 0.99), "ms")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report.add("memory grown by", (peak - before) * unit / 1e6, "MB")
    report.print(as_json=given.json)


def _slowest(asked: Sequence[Question], took: Sequence[float]) -> str:
    worst = max(range(len(took)), key=took.__getitem__)
    return f"{asked[worst].kind}: {asked[worst].text[:60]}"


if __name__ == "__main__":
    main()
