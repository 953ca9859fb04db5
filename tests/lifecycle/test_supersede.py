"""One entry takes the place of another: both say so, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from living_tree import Living

from memtree.errors import EntryNotFound, Refused, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Living:
    """A tree without entries."""
    return Living(tmp_path / "tree")


def test_both_files_say_so(tree: Living) -> None:
    tree.entry("old", "maturity: core # solid", "importance: 90")
    tree.entry("new")
    with tree.open() as opened:
        made = opened.supersede("old", "About new", since="2026-03-01")
        assert len(opened.history()) == 1
    assert (made.old, made.new, made.since) == ("notes/a/old.md", "notes/a/new.md", "2026-03-01")
    assert tree.read("old") == (
        "---\ntype: fact\ntitle: About old\nid: old\nmaturity: draft # solid\nimportance: 90\n"
        "status: deprecated\nsuperseded_by: new\nvalid_to: 2026-03-01\n---\nSome text.\n"
    )
    assert tree.read("new") == (
        "---\ntype: fact\ntitle: About new\nid: new\nsupersedes: old\nvalid_from: 2026-03-01\n"
        "---\nSome text.\n"
    )
    with tree.open() as opened:
        opened.undo()
    assert "superseded" not in tree.read("old")
    assert "supersedes" not in tree.read("new")


def test_saying_it_twice_changes_nothing(tree: Living) -> None:
    tree.entry("old")
    tree.entry("new")
    with tree.open() as opened:
        opened.supersede("old", "new")
    before = tree.files()
    with tree.open() as opened:
        assert opened.supersede("old", "new").receipt.changes == ()
    assert tree.files() == before


def test_one_may_take_the_place_of_several(tree: Living) -> None:
    for name in ("one", "two", "new"):
        tree.entry(name)
    with tree.open() as opened:
        opened.supersede("one", "new", since="2026-01-01")
    with tree.open() as opened:
        opened.supersede("two", "new")
    assert "supersedes: [one, two]" in tree.read("new") or "- two\n" in tree.read("new")
    assert "valid_from: 2026-01-01" in tree.read("new")


def test_dates_that_stand_there_stay(tree: Living) -> None:
    tree.entry("old", "valid_to: 2025-12-31")
    tree.entry("new", "valid_from: 2026-01-01")
    with tree.open() as opened:
        opened.supersede("old", "new")
    assert "valid_to: 2025-12-31" in tree.read("old")
    assert "valid_from: 2026-01-01" in tree.read("new")


def test_entries_without_an_id_are_named_by_their_paths(tree: Living) -> None:
    tree.write("a/old.md", "", "Old.\n")
    tree.write("a/new.md", "", "New.\n")
    with tree.open() as opened:
        opened.supersede("a/old.md", "a/new.md")
    assert "superseded_by: a/new.md" in (tree.root / "a/old.md").read_text()
    assert "supersedes: a/old.md" in (tree.root / "a/new.md").read_text()


def test_nothing_supersedes_itself_or_its_successors(tree: Living) -> None:
    for name in ("a", "b", "c", "d"):
        tree.entry(name)
    for old, new in (("a", "b"), ("b", "c")):
        with tree.open() as opened:
            opened.supersede(old, new)
    before = tree.files()
    for old, new in (("a", "a"), ("b", "a"), ("c", "a"), ("c", "b"), ("a", "d")):
        with tree.open() as opened, pytest.raises(Refused) as refused:
            opened.supersede(old, new)
        assert refused.value.exit_code == 4
    assert tree.files() == before


def test_what_is_not_there_or_no_date_changes_nothing(tree: Living) -> None:
    tree.entry("a")
    tree.entry("b")
    before = tree.files()
    with tree.open() as opened:
        with pytest.raises(EntryNotFound):
            opened.supersede("a", "nowhere at all")
        with pytest.raises(UsageError):
            opened.supersede("a", "b", since="yesterday")
    assert tree.files() == before
