"""How long the first index takes, beside reading and hashing the same files and beside SQLite FTS5.

Bars: at most 5 x the CPU time of reading and hashing (and 2 x the FTS5 build), at most 300 MB.
All three are whole processes of the same interpreter on the same files, in turn, rounds repeated.

    python benchmarks/first_index.py --memtree ENV/bin/memtree [--entries 10000] [--json]
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile

from measuring import (
    HERE,
    Report,
    Run,
    common_arguments,
    corpus_folder,
    cpu_ms,
    find_memtree,
    interpreter_of,
    make_tree,
    run_or_stop,
    wall_ms,
    warn_if_not_clean,
)

READ_AND_HASH = """
import hashlib, os, sys
for at, folders, names in os.walk(sys.argv[1]):
    folders[:] = [name for name in folders if name[0] != "."]
    for name in names:
        if name.endswith(".md"):
            with open(os.path.join(at, name), "rb") as opened:
                hashlib.sha256(opened.read()).digest()
"""


def measure(script: str, tree: str, *, rounds: int) -> dict[str, list[Run]]:
    """Run the three in turn; each first index starts from a deleted `.memtree`."""
    python = interpreter_of(script)
    runs: dict[str, list[Run]] = {"bare": [], "hash": [], "fts5": [], "memtree": []}
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(rounds):
            runs["bare"].append(run_or_stop((python, "-c", "pass")))
            runs["hash"].append(run_or_stop((python, "-c", READ_AND_HASH, tree)))
            database = os.path.join(scratch, f"{number}.db")
            build = (python, os.path.join(HERE, "fts5.py"), "build", tree, database)
            runs["fts5"].append(run_or_stop(build))
            os.remove(database)
            shutil.rmtree(os.path.join(tree, ".memtree"), ignore_errors=True)
            make_tree(tree)
            # The full text alone: `nearest.py` compares the vectors with it.
            run_or_stop((script, "config", "set", "embed.model", "none"), cwd=tree)
            runs["memtree"].append(run_or_stop((script, "index"), cwd=tree))
    return runs


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="time and memory of the first index")
    common_arguments(parser, entries=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    warn_if_not_clean(script)
    tree = corpus_folder(
        source=given.source, corpora=given.corpora, entries=given.entries, seed=given.seed
    )
    runs = measure(script, tree, rounds=given.rounds)
    report = Report(
        benchmark="first_index", settings={"entries": given.entries, "rounds": given.rounds}
    )
    bare = cpu_ms(runs["bare"])
    hashed, fts5, ours = (cpu_ms(runs[name]) - bare for name in ("hash", "fts5", "memtree"))
    report.add("bare python, CPU", bare, "ms", note="taken off the CPU times below")
    report.add("read and hash, CPU", hashed, "ms", note=f"wall {wall_ms(runs['hash']):.0f} ms")
    report.add("FTS5 build, CPU", fts5, "ms", note=f"wall {wall_ms(runs['fts5']):.0f} ms")
    report.add("memtree index, CPU", ours, "ms", note=f"wall {wall_ms(runs['memtree']):.0f} ms")
    report.add("memtree / read and hash, CPU", ours / hashed, "x", bar=5)
    report.add(
        "memtree / read and hash, wall", wall_ms(runs["memtree"]) / wall_ms(runs["hash"]), "x"
    )
    report.add("memtree / FTS5 build, CPU", ours / fts5, "x", bar=2)
    report.add("memtree / FTS5 build, wall", wall_ms(runs["memtree"]) / wall_ms(runs["fts5"]), "x")
    report.add("memtree index, peak", max(r.peak_mb for r in runs["memtree"]), "MB", bar=300)
    report.print(as_json=given.json)


if __name__ == "__main__":
    main()
