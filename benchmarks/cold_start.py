"""What a command costs from nothing: whole processes, CPU time, as multiples of bare Python.

Everything runs interleaved, round by round: bare `python -c pass` of the very interpreter that the
console script starts, a bare stat-walk of the tree, a search for a word (another word each round,
so that no cache of answers is measured) and the other commands; first without and then with
`memtree watch` on the same tree. Each figure is a median over the rounds.

    python benchmarks/cold_start.py --memtree ENV/bin/memtree [--sizes 1000,10000,100000]
"""

from __future__ import annotations

import argparse
import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measuring import (
    STAT_WALK,
    Report,
    Watching,
    common_arguments,
    corpus_folder,
    cpu_ms,
    find_memtree,
    interleaved,
    interpreter_of,
    make_tree,
    markdown_files,
    run_or_stop,
    stop,
    wall_ms,
    warn_if_not_clean,
)
from questions import words_in_between

if TYPE_CHECKING:
    from collections.abc import Sequence

HOT_BAR = 3.0  # times bare Python
WALK_BAR = 1.2  # times the stat-walk, on top, when nothing watches
OTHER_BAR = 8.0
GROWTH_BAR = 1.5  # of a cold search with watch, from the smallest size to the largest
ADDED = "benchmark-scratch"  # the folder that `add` writes to; removed after the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Median CPU milliseconds of one round of measuring one tree."""

    bare: float
    walk: float
    search: float
    search_wall: float
    bare_wall: float
    others: dict[str, float]


def other_commands(script: str, tree: str) -> dict[str, Sequence[str]]:
    """List the commands that are about start-up; those that do real work are left out."""
    some = next(markdown_files(tree))
    return {
        "--help": (script, "--help"),
        "--version": (script, "--version"),
        "search --help": (script, "search", "--help"),
        "query": (script, "query", "where is it written down", "--json"),
        "status": (script, "status"),
        "show": (script, "show", some),
        "list": (script, "list", os.path.dirname(some)),
        "links": (script, "links", some),
        "log": (script, "log"),
        "config": (script, "config", "list"),
    }


def costs(script: str, tree: str, words: Sequence[str], *, others: bool) -> Costs:
    """Measure everything in turn; one round per word."""
    python = interpreter_of(script)
    rounds = len(words)
    cases: dict[str, list[Sequence[str]]] = {
        "bare": [(python, "-c", "pass")] * rounds,
        "walk": [(python, "-c", STAT_WALK, tree)] * rounds,
        "search": [(script, "search", word, "--json") for word in words],
    }
    if others:
        for name, argv in other_commands(script, tree).items():
            cases[name] = [argv] * rounds
    runs = interleaved(cases, cwd=tree)
    if "search" not in runs:
        stop("memtree search does not work here")
    found = sum(done.code == 0 for done in runs["search"])
    if found < rounds * 0.9:
        stop(f"only {found} of {rounds} searches found anything: this is not a fair measurement")
    bare = cpu_ms(runs["bare"])
    return Costs(
        bare=bare,
        walk=cpu_ms(runs["walk"]) - bare,
        search=cpu_ms(runs["search"]),
        search_wall=wall_ms(runs["search"]),
        bare_wall=wall_ms(runs["bare"]),
        others={
            name: cpu_ms(done)
            for name, done in runs.items()
            if name not in ("bare", "walk", "search")
        },
    )


def adding(script: str, tree: str, *, rounds: int) -> float:
    """CPU milliseconds of `add`, over bare Python's; the entries are removed again."""
    python = interpreter_of(script)
    texts = [f"The benchmark wrote line {number} here." for number in range(rounds)]
    try:
        runs = interleaved(
            {
                "bare": [(python, "-c", "pass")] * rounds,
                "add": [(script, "add", text, "--to", f"{ADDED}/notes") for text in texts],
            },
            cwd=tree,
            accept=(0,),
        )
    finally:
        shutil.rmtree(os.path.join(tree, ADDED), ignore_errors=True)
        run_or_stop((script, "index"), cwd=tree)
    return cpu_ms(runs["add"]) / cpu_ms(runs["bare"]) if "add" in runs else float("nan")


def note(report: Report, name: str, cost: Costs, *, watching: bool) -> None:
    """Turn the costs of one tree into figures with their bars."""
    bar = HOT_BAR if watching else HOT_BAR + WALK_BAR * cost.walk / cost.bare
    report.add(f"{name}: bare python", cost.bare, "ms", note=f"wall {cost.bare_wall:.1f} ms")
    report.add(f"{name}: stat-walk, over bare", cost.walk, "ms")
    report.add(
        f"{name}: search WORD --json",
        cost.search / cost.bare,
        "x",
        bar=bar,
        note=f"{cost.search:.1f} ms CPU, wall {cost.search_wall:.1f} ms",
    )
    for command, ms in cost.others.items():
        report.add(
            f"{name}: {command}", ms / cost.bare, "x", bar=OTHER_BAR, note=f"{ms:.1f} ms CPU"
        )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="what a command costs from nothing")
    common_arguments(parser, entries=10_000)
    parser.add_argument("--sizes", help="several corpora, e.g. 1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--only-search", action="store_true", help="leave the other commands out")
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    warn_if_not_clean(script)
    sizes = [int(size) for size in given.sizes.split(",")] if given.sizes else [given.entries]
    report = Report(benchmark="cold_start", settings={"sizes": sizes, "rounds": given.rounds})
    watched: dict[int, Costs] = {}
    for size in sizes:
        tree = make_tree(
            corpus_folder(source=given.source, corpora=given.corpora, entries=size, seed=given.seed)
        )
        run_or_stop((script, "index"), cwd=tree)
        words = words_in_between(tree, 2 * given.rounds, seed=given.seed)
        first, second = words[: given.rounds], words[given.rounds :]
        others = not given.only_search
        alone = costs(script, tree, first, others=others)
        note(report, f"{size:,} alone", alone, watching=False)
        if others:
            times = adding(script, tree, rounds=max(3, given.rounds // 3))
            report.add(f"{size:,} alone: add", times, "x", bar=OTHER_BAR)
        with Watching(script, tree):
            watched[size] = costs(script, tree, second, others=others)
        note(report, f"{size:,} watched", watched[size], watching=True)
    if len(sizes) > 1:
        low, high = watched[min(sizes)], watched[max(sizes)]
        report.add(
            f"search with watch, {max(sizes):,} / {min(sizes):,}",
            (high.search / high.bare) / (low.search / low.bare),
            "x",
            bar=GROWTH_BAR,
        )
    report.print(as_json=given.json)


if __name__ == "__main__":
    main()
