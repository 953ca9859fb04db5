"""What it costs that an edited file is searchable in the very next command.

Each round changes one file from outside (as an editor would) and searches for the word that was
written; its CPU time is compared with a search on the unchanged tree in the same round. The next
command must find the edited file, else the round counts as missed and the benchmark says so.

    python benchmarks/edit_visible.py --memtree ENV/bin/memtree [--entries 10000] [--json]
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import argparse
import json
import os
from random import Random

from corpus import invented_name
from measuring import (
    Report,
    Run,
    common_arguments,
    corpus_folder,
    cpu_ms,
    find_memtree,
    make_tree,
    markdown_files,
    run_or_stop,
    wall_ms,
    warn_if_not_clean,
)
from questions import words_in_between

EXTRA_BAR_MS = 250.0


def measure(
    script: str, tree: str, *, rounds: int, seed: int
) -> tuple[list[Run], list[Run], list[Run], int]:
    """Search the quiet tree, after an edit, and once more after that; count what was missed."""
    random = Random(f"{seed}:edits")
    paths = list(markdown_files(tree))
    words = words_in_between(tree, 2 * rounds, seed=seed)
    quiet: list[Run] = []
    edited: list[Run] = []
    after: list[Run] = []
    missed = 0
    for number in range(rounds):
        quiet.append(run_or_stop((script, "search", words[2 * number], "--json"), cwd=tree))
        path = random.choice(paths)
        full = os.path.join(tree, path)
        word = "q" + invented_name(10**9 + number, seed) + "q"
        with open(full, "rb") as opened:
            before = opened.read()
        with open(full, "ab") as opened:
            opened.write(f"\n\nOne more line about {word}.\n".encode())
        try:
            done = run_or_stop((script, "search", word, "--json"), cwd=tree, accept=(0, 1))
            edited.append(done)
            hits = [hit["path"] for hit in json.loads(done.out)["hits"]]
            missed += path not in hits[:1]
        finally:
            with open(full, "wb") as opened:
                opened.write(before)
        run_or_stop((script, "search", "anything", "--json"), cwd=tree, accept=(0, 1))
        after.append(run_or_stop((script, "search", words[2 * number + 1], "--json"), cwd=tree))
    return quiet, edited, after, missed


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="an edited file in the very next search")
    common_arguments(parser, entries=10_000)
    parser.add_argument("--rounds", type=int, default=11)
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    warn_if_not_clean(script)
    tree = make_tree(
        corpus_folder(
            source=given.source, corpora=given.corpora, entries=given.entries, seed=given.seed
        )
    )
    run_or_stop((script, "index"), cwd=tree)
    quiet, edited, after, missed = measure(script, tree, rounds=given.rounds, seed=given.seed)
    report = Report(
        benchmark="edit_visible", settings={"entries": given.entries, "rounds": given.rounds}
    )
    report.add("search, nothing edited, CPU", cpu_ms(quiet), "ms")
    report.add("search after one edit, CPU", cpu_ms(edited), "ms")
    extra = cpu_ms(edited) - cpu_ms(quiet)
    report.add("extra for the edit, CPU", extra, "ms", bar=EXTRA_BAR_MS)
    report.add("extra for the edit, wall", wall_ms(edited) - wall_ms(quiet), "ms")
    report.add("search once it is settled, CPU", cpu_ms(after), "ms")
    report.add("edits not found at the top", missed, "", bar=0)
    report.print(as_json=given.json)


if __name__ == "__main__":
    main()
