"""The nearest passages: what the quick look finds of what looking at every number would find.

    python benchmarks/nearest.py [--entries 10000] [--questions 200] [--json]

Recall of the ten and the thirty nearest against the exact ones, by the same bytes; the time of one
look; what making all vectors costs beside the full-text index (CPU
time of both in this process, from nothing), and the memory that the vectors take on disk.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from typing import TYPE_CHECKING

from measuring import Report, common_arguments, corpus_folder, make_tree
from questions import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.index.vectors import Vectors

EMBEDDING_BAR = 1.0  # of the time of full-text indexing


def recall(vectors: Vectors, asked: Sequence[Sequence[float]], count: int) -> float:
    """The share of the exact `count` nearest that the quick look gives, averaged."""
    import numpy as np

    size, total = vectors.dimension, vectors.head.count
    rows = np.frombuffer(vectors._rows, np.int8).reshape(total, size)  # noqa: SLF001
    alive = np.frombuffer(vectors._alive, np.uint8, total) > 0  # noqa: SLF001
    ids = np.array(vectors._ids)  # noqa: SLF001
    found = 0.0
    for question in asked:
        products = rows.astype(np.float32) @ np.asarray(question, np.float32)
        products[~alive] = -np.inf
        exact = set(ids[np.argpartition(-products, count)[:count]].tolist())
        quick = {passage for passage, _ in vectors.nearest(question, count)}
        found += len(exact & quick) / count
    return found / len(asked)


def look_ms(vectors: Vectors, asked: Sequence[Sequence[float]]) -> float:
    """Median milliseconds of one look for the thirty nearest, in a process that goes on asking."""
    took = []
    for question in asked:
        started = time.perf_counter()
        vectors.nearest(question, 30)
        took.append(1000 * (time.perf_counter() - started))
    return sorted(took)[len(took) // 2]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="the nearest passages: recall, time, cost")
    common_arguments(parser, entries=10_000)
    parser.add_argument("--questions", type=int, default=200)
    given = parser.parse_args()
    folder = make_tree(
        corpus_folder(
            source=given.source, corpora=given.corpora, entries=given.entries, seed=given.seed
        )
    )
    from memtree import open_tree
    from memtree.index.vectors import FOLDER, Vectors

    report = Report(benchmark="nearest", settings={"entries": given.entries, "seed": given.seed})
    tree = open_tree(folder, max_age=3600.0)
    cache = os.path.join(tree.root, ".memtree", "cache")
    started = time.process_time()
    tree.refresh(rebuild=True)
    indexing = time.process_time() - started
    shutil.rmtree(os.path.join(cache, FOLDER), ignore_errors=True)
    started = time.process_time()
    made = tree.embed()
    embedding = time.process_time() - started
    report.add("full-text index", indexing, "s CPU")
    report.add("vectors", embedding, "s CPU", note=f"{made.embedded:,} passages")
    report.add("vectors / full text", embedding / indexing, "x", bar=EMBEDDING_BAR)
    vectors = Vectors(cache)
    size = sum(entry.stat().st_size for entry in os.scandir(os.path.join(cache, FOLDER)))
    report.add("on disk", size / 1e6, "MB")
    embedder = tree.engine().embedder()
    questions = mixed(folder, given.questions, seed=given.seed)
    asked = [list(embedder.question(question.text)) for question in questions]
    asked = [vector for vector in asked if any(vector)]
    report.add("recall of the 10 nearest", recall(vectors, asked, 10), "")
    report.add("recall of the 30 nearest", recall(vectors, asked, 30), "")
    report.add("one look", look_ms(vectors, asked), "ms")
    started = time.perf_counter()
    for question in questions:
        embedder.question(question.text)
    took = 1000 * (time.perf_counter() - started) / len(questions)
    report.add("embedding a question", took, "ms")
    report.print(as_json=given.json)


if __name__ == "__main__":
    main()
