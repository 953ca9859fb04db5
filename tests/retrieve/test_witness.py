"""Hits whose sources drifted fall behind their equals, and no further."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.app import Tree, init_tree
from memtree.knowledge.query import Hit
from memtree.retrieve.matches import bounded, unbounded
from memtree.retrieve.vitality import Vitality
from memtree.retrieve.witness import SHOWN, witnessed

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.index.row import Row

FRESH, DRIFTED, GONE, PLAIN = "net/http/fresh.md", "net/http/drifted.md", "net/http/gone.md", "p.md"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root: Path = tmp_path_factory.mktemp("witness")
    tree = init_tree(str(root))
    for name in ("fresh", "drifted", "gone"):
        (root / f"{name}.py").write_text("RETRIES = 3\n")
        tree.add("It is three.", to=f"net/http/{name}.md", sources=[f"{name}.py:1"])
    (root / PLAIN).write_text("It is three.\n")
    (root / "drifted.py").write_text("RETRIES = 5\n")
    (root / "gone.py").unlink()
    return tree


@pytest.fixture(scope="module")
def rows(tree: Tree) -> dict[str, Row]:
    return {row.path: row for row in tree.rows()}


def _hits(*found: tuple[str, float], tier: str = "fulltext") -> list[Hit]:
    return [Hit(id=path, path=path, title=path, score=score, tier=tier) for path, score in found]


def _asked(tree: Tree, rows: dict[str, Row], hits: list[Hit]) -> list[Hit]:
    now = time.time() / 86_400
    return witnessed(tree.root, hits, rows, Vitality(tree.root, {}), now)


def test_hits_are_told_how_their_sources_stand(tree: Tree, rows: dict[str, Row]) -> None:
    found = _asked(tree, rows, _hits((DRIFTED, 0.9), (GONE, 0.8), (FRESH, 0.7), (PLAIN, 0.6)))
    states = {hit.path: hit.evidence.state if hit.evidence else None for hit in found}
    assert states == {DRIFTED: "drifted", GONE: "gone", FRESH: "fresh", PLAIN: None}


def test_with_equal_text_what_drifted_comes_after_what_holds(
    tree: Tree, rows: dict[str, Row]
) -> None:
    found = _asked(tree, rows, _hits((GONE, 0.8), (DRIFTED, 0.8), (FRESH, 0.8), (PLAIN, 0.7)))
    assert [hit.path for hit in found[:3]] == [FRESH, DRIFTED, GONE]


def test_who_asks_by_name_gets_what_is_named(tree: Tree, rows: dict[str, Row]) -> None:
    named = _hits((GONE, 0.95), tier="exact")
    found = _asked(tree, rows, [*named, *_hits((FRESH, 0.95))])
    assert [(hit.path, hit.score) for hit in found] == [(GONE, 0.95), (FRESH, 0.95)]
    assert found[0].evidence is not None


@given(st.lists(st.floats(0.51, 0.99), min_size=2, max_size=14), st.data())
def test_clearly_better_text_is_never_overtaken_and_nothing_is_hidden(
    tree: Tree, rows: dict[str, Row], scores: list[float], data: st.DataObject
) -> None:
    paths = data.draw(
        st.lists(
            st.sampled_from([FRESH, DRIFTED, GONE, PLAIN]),
            min_size=len(scores),
            max_size=len(scores),
        )
    )
    hits = _hits(*zip(paths, sorted(scores, reverse=True), strict=True))
    before = {id(hit): hit.score for hit in hits}
    found = _asked(tree, rows, hits)
    assert {id(hit) for hit in found} == set(before)
    for at, hit in enumerate(found):
        least = bounded(unbounded(before[id(hit)]) / 1.15)
        assert least - 1e-9 <= hit.score <= before[id(hit)]
        for later in found[at + 1 :]:
            assert unbounded(before[id(later)]) <= unbounded(before[id(hit)]) * 1.15 + 1e-6
    assert all(hit.evidence is None for hit in hits[SHOWN:])


def test_a_tree_without_anchors_loads_nothing_for_it(
    tree: Tree, rows: dict[str, Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "memtree.tree.anchors", None)
    assert [hit.path for hit in _asked(tree, rows, _hits((PLAIN, 0.6)))] == [PLAIN]
