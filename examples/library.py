"""memtree as a library: open a tree, search it, ask it, look at one entry and its links.

    python examples/library.py [FOLDER]

Without a folder it works on a copy of the tree that lies next to this script, so that the index
which memtree builds does not appear in your checkout.
"""

# ruff: noqa: INP001, T201  (a script, and it prints)
from __future__ import annotations

import os
import shutil
import sys
import tempfile

from memtree import Query, open_tree

HERE = os.path.dirname(os.path.abspath(__file__))


def show(folder: str) -> None:
    """Print what a few calls answer."""
    tree = open_tree(folder)

    # search ranks: always the best few, however good they are.
    for hit in tree.search(Query("how to roll back a release", limit=3)).hits:
        print(f"{hit.path}:{hit.lines[0]}  {hit.title}")

    # query climbs from the cheapest tier and stops at the first that is sure.
    answer = tree.query(Query("harmnoic constituents"))
    print(f"{answer.status} by the {answer.tier} tier: {answer.hits[0].path}")

    # A question about something that is not there is answered, too.
    print(tree.query(Query("how do I descale the coffee machine")).status)

    # An entry is its file; `links` knows both directions.
    entry = tree.get("Seat holds")
    print(f"{entry.title} ({entry.type}, {entry.maturity}), tags: {', '.join(entry.tags)}")
    for row in tree.links(entry.path).out:
        print(f"  {row.kind} link to {row.resolved or row.target}")


def main() -> None:
    """Use the given folder, or a copy of the example."""
    if len(sys.argv) > 1:
        show(sys.argv[1])
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = os.path.join(scratch, "atlas")
        shutil.copytree(os.path.join(HERE, "atlas"), folder)
        show(folder)


if __name__ == "__main__":
    main()
