"""What the plugin hippo finds on multi-hop questions, and what it costs in a large tree.

With `--data`, a data set with stored triples (MuSiQue): BM25, the plain search, and the plugin
alone and in the search, first with the graph of neighbouring names, then with the triples. R@k is
the share of supporting entries among the first k, all@5 the share of questions with all of them
among the first 5.

With `--entries N`, a tree of N real and recombined notes: the first graph, the graph after an edit,
loading it, and a question with and without the plugin.

    ENV/bin/python benchmarks/hippo.py --data ../shared/data/musique_dev [--embedder MODEL]
    ENV/bin/python benchmarks/hippo.py --entries 10000 [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import time
from statistics import median
from typing import TYPE_CHECKING

from measuring import corpus_folder, default_corpora, default_source, markdown_files
from questions import mixed

from memtree.hosting.lab import ScratchLab
from memtree.knowledge.query import Query
from memtree.memories.hippo import Hippo, graph
from memtree.memories.hippo.acceptance import measured
from memtree.memories.hippo.commands import import_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.hosting.desk import WorkDesk

LIMIT = 10  # as `memtree search` has it; the first 5 of these count


def musique(data: str, embedder: str) -> dict[str, dict[str, float]]:
    """Way -> R@2, R@5, all@5 in percent and milliseconds of a question."""
    with open(os.path.join(data, "queries.jsonl"), encoding="utf-8") as file:
        asked = [json.loads(line) for line in file if line.strip()]
    rows: dict[str, dict[str, float]] = {}
    with ScratchLab(Hippo) as lab:
        documents = list(lab.documents(data))
        ids = {path: key for key, path, _ in documents}
        desk = lab.tree({path: text for _, path, text in documents}, embedder=embedder)
        plain = desk.tree

        def found(name: str, ask: Callable[[str], Sequence[str]]) -> None:
            ask("warm up")
            rows[name] = measured(asked, lambda text: [ids[path] for path in ask(text)[:5]])

        def ways(name: str) -> None:
            found(f"hippo alone, {name}", lambda text: paths(desk.retrieve(text).hits))
            found(f"search --with hippo, {name}", lambda text: paths(desk.search(text).hits))

        plain.max_age = 3600.0
        search = desk.context.search
        found("BM25", lambda text: paths(search.full_text(text, limit=LIMIT)))
        found("search", lambda text: paths(plain.search(Query(text, limit=LIMIT)).hits))
        desk.follow()
        ways("neighbouring names")
        import_(desk, os.path.join(data, "triples.jsonl"), by="llm")
        ways("triples")
        found(
            "hippo alone, triples, passages by BM25",
            lambda text: paths(desk.retrieve(text, passages="words").hits),
        )
    return rows


def paths(hits: Sequence[object]) -> list[str]:
    """The paths of hits, in their order."""
    return [str(getattr(hit, "path", "")) for hit in hits]


def costs(entries: int, source: str, corpora: str) -> dict[str, float]:
    """Figure -> seconds (`_s`), milliseconds (`_ms`) or counts, in a tree of so many entries."""
    folder = corpus_folder(source=source, corpora=corpora, entries=entries, seed=1)
    files = {}
    for path in markdown_files(folder):
        with open(os.path.join(folder, path), encoding="utf-8", errors="replace") as file:
            files[path] = file.read()
    texts = [question.text for question in mixed(folder, 60, seed=1)]
    with ScratchLab(Hippo) as lab:
        desk = lab.tree(files)
        for text in texts[:5]:
            desk.tree.search(Query(text))  # indexes, and makes the vectors
        rows = {"first_graph_s": _seconds(desk.follow)}
        path = next(iter(files))
        desk.write(path, f"{files[path]}\nQueen Berengaria visited Navarre.\n")
        desk.tree.search(Query(texts[0]))
        rows["after_an_edit_s"] = _seconds(desk.follow)
        rows["whole_graph_again_s"] = _seconds(lambda: graph.rebuild(desk.context))
        graph._open.clear()  # noqa: SLF001  (as a new process finds it)
        rows["load_ms"] = 1000 * _seconds(lambda: graph.held(desk.context))
        desk.tree.max_age = 3600.0
        rows |= _asked(desk, texts)
        network = graph.held(desk.context).network
        rows["phrases"], rows["facts"] = len(network.names), network.facts
        rows["edges"] = network.graph.edges
        cache = desk.context.cache.folder
        rows["cache_mb"] = sum(entry.stat().st_size for entry in os.scandir(cache)) / 1e6
    return rows


def _asked(desk: WorkDesk, texts: Sequence[str]) -> dict[str, float]:
    """The median milliseconds of a question, by way."""
    ways: dict[str, Callable[[str], object]] = {
        "search_ms": lambda text: desk.tree.search(Query(text)),
        "alone_ms": desk.retrieve,
        "with_ms": desk.search,
    }
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for text in texts:
        for name, ask in ways.items():
            spent[name].append(1000 * _seconds(lambda ask=ask, text=text: ask(text)))  # type: ignore[misc]
    return {name: median(values) for name, values in spent.items()}


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="the plugin hippo: what it finds, what it costs")
    parser.add_argument("--data", help="a folder with corpus, queries and triples")
    parser.add_argument("--embedder", default="builtin", help="as the setting embed.model")
    parser.add_argument("--entries", type=int, default=0, help="size of the tree to time")
    parser.add_argument("--source", default=default_source(), help="folder of real markdown")
    parser.add_argument("--corpora", default=default_corpora(), help="where corpora are kept")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    found: dict[str, object] = {}
    if given.data:
        rows = musique(given.data, given.embedder)
        found["musique"] = rows
        if not given.json:
            print("| way | R@2 | R@5 | all@5 | ms |\n|---|---|---|---|---|")
            for name, row in rows.items():
                figures = " | ".join(f"{row[key]:.1f}" for key in ("r2", "r5", "all", "ms"))
                print(f"| {name} | {figures} |")
    if given.entries:
        cost = costs(given.entries, given.source, given.corpora)
        found["costs"] = {"entries": given.entries, **cost}
        if not given.json:
            for name, value in cost.items():
                print(f"{name:22} {value:,.2f}")
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
