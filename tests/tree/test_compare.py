"""Bringing back: by the name that a person remembers, also when the entry is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memtree.errors import EntryNotFound, MemtreeError, PathRefused
from memtree.tree.compare import restore
from memtree.tree.history import transactions
from memtree.tree.store import add, remove

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-05-06T07:08:09Z"
TEXT = "---\nid: seat-1\naliases: [Holding seats]\n---\nFifteen minutes."


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / ".memtree").mkdir()
    add(str(tmp_path), TEXT, to="a/b", title="Seat  Holds", at=AT, random_bytes=bytes(8))
    remove(str(tmp_path), ["a/b/seat-holds.md"], at=AT)
    return str(tmp_path)


@pytest.mark.parametrize(
    "name", ["a/b/seat-holds.md", "a/b/seat-holds", "seat holds", "SEAT-1", "holding seats"]
)
@pytest.mark.parametrize("rev", [None, "2"])
def test_a_removed_entry_is_restored_by_any_of_its_names(
    root: str, tmp_path: Path, name: str, rev: str | None
) -> None:
    receipt = restore(root, name, rev=rev, at=AT, wait_s=1.0)
    assert [change.path for change in receipt.changes] == ["a/b/seat-holds.md"]
    assert (tmp_path / "a/b/seat-holds.md").read_text().endswith("Fifteen minutes.")


def test_of_two_removed_entries_with_a_name_the_later_one_is_meant(
    root: str, tmp_path: Path
) -> None:
    add(root, "Twenty.", to="c/d", title="Seat holds", at=AT, random_bytes=bytes(8))
    remove(root, ["c/d/seat-holds.md"], at=AT)
    restore(root, "Seat holds", rev=None, at=AT, wait_s=1.0)
    assert (tmp_path / "c/d/seat-holds.md").exists()
    assert not (tmp_path / "a/b/seat-holds.md").exists()


@pytest.mark.parametrize(
    ("name", "error"),
    [("nothing of the kind", EntryNotFound), ("../outside.md", PathRefused), ("", PathRefused)],
)
def test_what_was_never_there_is_not_restored(
    root: str, name: str, error: type[MemtreeError]
) -> None:
    before = len(transactions(root))
    with pytest.raises(error):
        restore(root, name, rev=None, at=AT, wait_s=1.0)
    assert len(transactions(root)) == before
