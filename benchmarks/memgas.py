"""Whether memgas helps with a model that reads sentences: sessions of a data set, three ways.

    python benchmarks/memgas.py ../shared/data/locomo_dev --embedder minilm:FOLDER

R@3 by the vectors of whole sessions, by memgas, and by plain search with the same model. Without
--embedder the built-in table, on which it refuses to work unless it is forced.
"""

from __future__ import annotations

import argparse
import tempfile
import time

from memtree.hosting.lab import ScratchLab
from memtree.memories.memgas import MemGas
from memtree.memories.memgas.comparing import compared


def main() -> None:
    """Print one line a data set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", help="corpus.jsonl and queries.jsonl in each")
    parser.add_argument("--embedder", default="builtin", help="a value of embed.model")
    given = parser.parse_args()
    for folder in given.folders:
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as place, ScratchLab(MemGas, place, folder) as lab:
            check = compared(lab, given.embedder)
        print(f"{check.name}, {given.embedder.partition(':')[0]}: {check.measured} "
              f"({time.perf_counter() - started:.0f} s)")  # fmt: skip


if __name__ == "__main__":
    main()
