from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from memtree.errors import Unavailable
from memtree.tree import git

if TYPE_CHECKING:
    from pathlib import Path

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
ENV = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def _git(folder: Path, *arguments: str, at: str = "2026-01-02T03:04:05Z") -> None:
    subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**ENV, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at},
        check=True,
        capture_output=True,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree in the folder `memory/` of a repository, with a note that was changed and moved."""
    _git(tmp_path, "init", "-q", "-b", "main")
    root = tmp_path / "memory"
    (root / "a").mkdir(parents=True)
    (root / "a" / "n\u00f6te.md").write_text("one\ntwo\nthree\nfour\n", encoding="utf-8")
    (tmp_path / "outside.md").write_text("not of the tree\n", encoding="utf-8")
    _git(tmp_path, "add", "-A")
    _git(tmp_path, "commit", "-qm", "first")
    (root / "a" / "n\u00f6te.md").write_text("one\ntwo\nthree\nfive\n", encoding="utf-8")
    _git(tmp_path, "mv", "memory/a/n\u00f6te.md", "memory/a/moved.md")
    _git(tmp_path, "commit", "-qam", "second: \u00fc", at="2026-02-03T04:05:06Z")
    return root


@needs_git
def test_the_log_follows_an_entry_through_its_names(tree: Path) -> None:
    commits = git.log(str(tree), "a/moved.md")
    assert [(c.subject, c.path) for c in commits] == [
        ("second: \u00fc", "a/moved.md"),
        ("first", "a/n\u00f6te.md"),
    ]
    assert commits[0].author == "Ada"
    assert commits[0].at.startswith("2026-02-03T04:05:06")
    assert len(git.log(str(tree), limit=1)) == 1


@needs_git
def test_an_entry_is_shown_at_a_revision_or_a_date(tree: Path) -> None:
    assert git.show(str(tree), "HEAD~1", "a/n\u00f6te.md") == b"one\ntwo\nthree\nfour\n"
    assert git.show(str(tree), "2026-01-15", "a/n\u00f6te.md") == b"one\ntwo\nthree\nfour\n"
    assert git.show(str(tree), "HEAD", "a/n\u00f6te.md") is None
    assert git.paths_at(str(tree), "HEAD~1") == ["a/n\u00f6te.md"]


@needs_git
def test_a_diff_has_paths_of_the_tree(tree: Path) -> None:
    (tree / "a" / "moved.md").write_text("one\n2\nthree\nfive\n", encoding="utf-8")
    text = git.diff(str(tree), "HEAD", "a/moved.md")
    assert "--- a/a/moved.md" in text
    assert "+2" in text
    assert git.diff(str(tree), "HEAD", "a/other.md") == ""


@needs_git
@pytest.mark.parametrize("rev", ["no-such-thing", "--output=x", "", "-h", "HEAD:outside.md"])
def test_a_revision_that_does_not_exist_is_one_sentence(tree: Path, rev: str) -> None:
    with pytest.raises(Unavailable, match="no revision"):
        git.resolve(str(tree), rev)
    assert not (tree / "x").exists()


@needs_git
def test_a_repository_cannot_start_programs_through_us(tree: Path) -> None:
    for key in ("core.fsmonitor", "core.pager", "diff.external"):
        _git(tree, "config", key, "touch owned; false")
    (tree / "a" / "moved.md").write_text("changed\n", encoding="utf-8")
    git.log(str(tree))
    assert "+changed" in git.diff(str(tree), "HEAD")
    assert not list(tree.parent.rglob("owned"))


def test_without_a_repository_or_git_there_is_no_history_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git.log(str(tmp_path)) == []
    assert not git.is_repo(str(tmp_path))
    with pytest.raises(Unavailable):
        git.resolve(str(tmp_path), "HEAD")
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    assert git.log(str(tmp_path)) == []
    assert not git.is_repo(str(tmp_path))
