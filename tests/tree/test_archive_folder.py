"""`_archive` is left out when it is memtree's, and a folder like any other when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.tree.ignore import ARCHIVE_MARK, has_archive, judge_for
from memtree.tree.scan import Snapshot, entries, is_unchanged, walk

if TYPE_CHECKING:
    from pathlib import Path

OLD = 4_000_000_000_000_000_000  # nanoseconds: every file is long settled by then


def look(root: Path, known: Snapshot | None = None) -> Snapshot:
    return walk(str(root), known or Snapshot({}), judge_for(str(root)), now_ns=OLD)


def grown(root: Path) -> None:
    for path in ("a.md", "_archive/a.md", "_archive/deep/b.md", "deep/_archive/c.md"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


def test_a_persons_archive_is_a_folder_like_any_other(tmp_path: Path) -> None:
    grown(tmp_path)
    assert not has_archive(str(tmp_path))
    assert len(entries(look(tmp_path))) == 4


def test_ours_is_not_looked_into(tmp_path: Path) -> None:
    grown(tmp_path)
    (tmp_path / ARCHIVE_MARK).write_text("*\n")
    seen = look(tmp_path)
    assert sorted(entries(seen)) == ["a.md", "deep/_archive/c.md"]
    assert sorted(seen.listing) == ["", "deep", "deep/_archive"]
    (tmp_path / "_archive/deep/b.md").write_text("changed, and nobody needs to know")
    (tmp_path / "_archive/new.md").write_text("x")
    assert is_unchanged(str(tmp_path), seen)


def test_an_archive_that_begins_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    before = look(tmp_path)
    (tmp_path / "_archive").mkdir()
    (tmp_path / ARCHIVE_MARK).write_text("*\n")
    (tmp_path / "_archive/a.md").write_text("x")
    assert not is_unchanged(str(tmp_path), before)
    after = look(tmp_path, before)
    assert sorted(entries(after)) == ["a.md"]
    assert is_unchanged(str(tmp_path), after)
