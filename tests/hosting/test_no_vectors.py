"""Without vectors a plugin is fused with what the words found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import toys

from memtree.hosting.lab import ScratchLab
from memtree.plugins import Ranked


def test_a_retriever_counts_without_an_embedder_too(tmp_path: Path) -> None:
    files = {f"a/b/{n}.md": f"# Note {n}\n\nThe harbour light number {n}.\n" for n in range(6)}

    def last(query: Any, ctx: Any) -> Any:
        del query, ctx
        return [Ranked(path="a/b/5.md", score=1.0), Ranked(path="a/b/4.md", score=0.5)]

    with ScratchLab(toys.retrieving(last), place=str(tmp_path)) as lab:
        desk = lab.tree(files, embedder="none", options={"weight": 3.0})
        hits = [hit.path for hit in desk.search("harbour light number").hits]
    assert hits[:2] == ["a/b/5.md", "a/b/4.md"]
    assert sorted(hits) == sorted(files)
