"""What each plugin costs a search, and all of them together, against the same search with none.

The same questions are asked of one open tree: with no plugin, with each alone, with all, in turns.
What the first question makes (graphs, codes, vectors) is made before and timed on its own. Cold is
the whole command `memtree search WORDS`, a process that starts and ends.

    ENV/bin/python benchmarks/plugins_cost.py [--entries 10000] [--json]
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median
from typing import TYPE_CHECKING

from measuring import Report, common_arguments, corpus_folder, find_memtree, make_tree, run_or_stop
from questions import mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.app import Tree

    Ways = dict[str, tuple[str, ...]]

BAR = 2.0
NONE, ALL = "none", "all together"


def ready(tree: Tree, text: str, report: Report) -> list[str]:
    """Make every built-in plugin ready that can be used here; their names."""
    from memtree import Query
    from memtree.errors import Unavailable
    from memtree.hosting import registry

    usable: list[str] = []
    for name in registry.names():
        loaded = registry.load(name)
        if not isinstance(loaded, registry.Loaded) or not loaded.ours:
            continue
        started = time.perf_counter()
        try:
            tree.search(Query(text, plugins=(name,)))
        except Unavailable as error:
            print(f"{name}: left out: {error.message}")
            continue
        usable.append(name)
        report.add(f"{name}, made ready", time.perf_counter() - started, "s")
    return usable


def in_process(tree: Tree, texts: Sequence[str], ways: Ways) -> dict[str, list[float]]:
    """Milliseconds of each question in each way, in turns."""
    from memtree import Query

    spent: dict[str, list[float]] = {name: [] for name in ways}
    for text in texts:
        tree.search(Query(text, plugins=("none",)))  # who asks first pays for analysing the words
        for name, plugins in ways.items():
            started = time.perf_counter()
            tree.search(Query(text, plugins=plugins or ("none",)))
            spent[name].append(1000 * (time.perf_counter() - started))
    return spent


def cold(
    script: str, folder: str, texts: Sequence[str], ways: Ways, turns: int
) -> dict[str, list[float]]:
    """Milliseconds of the whole command in each way, in turns; the first turn warms the disk."""
    wanted = os.path.join(folder, ".memtree", "plugins.toml")
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, plugins in ways.items():
            enable(wanted, plugins)
            text = texts[turn % len(texts)]
            started = time.perf_counter()
            run_or_stop((script, "search", text), cwd=folder, accept=(0, 1))
            if turn:
                spent[name].append(1000 * (time.perf_counter() - started))
    enable(wanted, ())
    return spent


def tell(report: Report, spent: dict[str, list[float]], how: str) -> None:
    """The plain search in milliseconds, everything else as a ratio to it."""
    plain = median(spent[NONE])
    report.add(f"none, {how}", plain, "ms")
    for name, values in spent.items():
        if name != NONE:
            report.add(
                f"{name}, {how}", median(values) / plain, "x", bar=BAR if name == ALL else None
            )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="the cost of plugins")
    common_arguments(parser, entries=10_000)
    parser.add_argument("--questions", type=int, default=60)
    parser.add_argument("--cold", type=int, default=9, help="cold runs each")
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    folder = make_tree(
        corpus_folder(
            source=given.source, corpora=given.corpora, entries=given.entries, seed=given.seed
        )
    )
    enable(os.path.join(folder, ".memtree", "plugins.toml"), ())
    run_or_stop((script, "index"), cwd=folder)
    report = Report(
        benchmark="plugins_cost",
        settings={"entries": given.entries, "questions": given.questions},
    )
    from memtree import open_tree

    texts = [one.text for one in mixed(folder, given.questions, seed=given.seed)]
    with open_tree(folder, max_age=1e9) as tree:
        usable = ready(tree, texts[0], report)
        ways: Ways = {NONE: (), **{name: (name,) for name in usable}, ALL: tuple(usable)}
        tell(report, in_process(tree, texts, ways), "in process")
    tell(report, cold(script, folder, texts, ways, given.cold), "cold")
    report.print(as_json=given.json)


def enable(wanted: str, plugins: tuple[str, ...]) -> None:
    """Enable these plugins and no others."""
    if not plugins:
        if os.path.exists(wanted):
            os.unlink(wanted)
        return
    with open(wanted, "w", encoding="utf-8") as file:
        file.write(f"enabled = [{', '.join(map(repr, plugins))}]\n".replace("'", '"'))


if __name__ == "__main__":
    main()
