"""What the walk sees, and what it makes of things that are odd."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from memtree.app import Tree, init_tree
from memtree.tree.ignore import judge_for
from memtree.tree.scan import Snapshot, entries, is_unchanged, walk


def look(root: Path, known: Snapshot | None = None, now_ns: int = 0) -> Snapshot:
    return walk(str(root), known or Snapshot({}), judge_for(str(root)), now_ns=now_ns)


def put(root: Path, path: str, text: str = "x\n") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return place


def test_markdown_at_any_depth_is_found_and_nothing_else(tmp_path: Path) -> None:
    deep = "/".join("d" * 5 for _ in range(40)) + "/deep.md"
    for path in ("a.md", "b/c.MD", "b/d.markdown", deep, "名/前.md"):
        put(tmp_path, path)
    for path in ("a.txt", ".hidden.md", ".obsidian/x.md", "node_modules/p/readme.md", "md"):
        put(tmp_path, path)
    assert set(entries(look(tmp_path))) == {"a.md", "b/c.MD", "b/d.markdown", deep, "名/前.md"}


def test_a_walk_that_finds_the_same_says_so(tmp_path: Path) -> None:
    place = put(tmp_path, "a/b.md")
    snapshot = Snapshot.load(look(tmp_path).dump())
    assert is_unchanged(str(tmp_path), snapshot)
    place.write_text("other", encoding="utf-8")
    assert not is_unchanged(str(tmp_path), snapshot)


@pytest.mark.parametrize("change", ["add", "remove", "rename", "folder", "unfolder", "rule"])
def test_every_kind_of_change_is_noticed(tmp_path: Path, change: str) -> None:
    place = put(tmp_path, "a/b.md")
    put(tmp_path, "gone/c.md")
    snapshot = look(tmp_path)
    assert is_unchanged(str(tmp_path), snapshot)
    if change == "add":
        put(tmp_path, "a/new.md")
    elif change == "remove":
        place.unlink()
    elif change == "rename":
        place.rename(tmp_path / "a/B2.md")
    elif change == "folder":
        (tmp_path / "empty").mkdir()
    elif change == "unfolder":
        (tmp_path / "gone/c.md").unlink()
        (tmp_path / "gone").rmdir()
    else:
        put(tmp_path, ".gitignore", "a/\n")
    assert not is_unchanged(str(tmp_path), snapshot)


def test_files_that_are_no_knowledge_change_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a/b.md")
    put(tmp_path, ".git/HEAD")
    snapshot = look(tmp_path)
    put(tmp_path, "a/picture.png")
    put(tmp_path, ".git/index")
    put(tmp_path, "a/.b.md.swp")
    assert is_unchanged(str(tmp_path), snapshot)


def test_a_file_changed_this_instant_is_not_trusted(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    snapshot = look(tmp_path, now_ns=time.time_ns())
    assert entries(snapshot) == {"a.md": 0}
    assert not is_unchanged(str(tmp_path), snapshot)
    later = look(tmp_path, now_ns=time.time_ns() + 10_000_000_000)
    assert entries(later)["a.md"] != 0


def test_ignore_files_work_as_in_git(tmp_path: Path) -> None:
    put(tmp_path, ".gitignore", "drafts/\n*.tmp.md\n!keep.tmp.md\n")
    put(tmp_path, "deep/.memtreeignore", "/private.md\n")
    for path in ("a.md", "drafts/x.md", "b.tmp.md", "keep.tmp.md", "deep/private.md",
                 "deep/sub/private.md"):  # fmt: skip
        put(tmp_path, path)
    snapshot = look(tmp_path)
    assert set(entries(snapshot)) == {"a.md", "keep.tmp.md", "deep/sub/private.md"}
    assert is_unchanged(str(tmp_path), snapshot)
    put(tmp_path, "drafts/y.md")
    assert is_unchanged(str(tmp_path), snapshot)


def test_links_are_never_followed_and_are_reported(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    put(outside, "secret.md", "secret")
    root = tmp_path / "tree"
    put(root, "a.md")
    (root / "link.md").symlink_to(outside / "secret.md")
    (root / "folder").symlink_to(outside)
    (root / "round").symlink_to(root)
    snapshot = look(root)
    assert set(entries(snapshot)) == {"a.md"}
    assert {(path, code) for path, code, _ in snapshot.odd} == {
        ("link.md", "symlink"),
        ("folder", "symlink"),
        ("round", "symlink"),
    }
    assert is_unchanged(str(root), snapshot)


def test_a_name_that_is_no_text_is_reported_and_the_rest_answers(tmp_path: Path) -> None:
    put(tmp_path, "a.md")
    try:
        with open(os.fsencode(str(tmp_path)) + b"/\xff\xfe.md", "wb"):
            pass
    except OSError:
        pytest.skip("this file system only takes text")
    snapshot = look(tmp_path)
    assert set(entries(snapshot)) == {"a.md"}
    assert [code for _, code, _ in snapshot.odd] == ["bad-name"]
    assert is_unchanged(str(tmp_path), snapshot)


def test_a_pipe_named_like_a_note_does_not_hang(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(tmp_path / "pipe.md")
    assert [code for _, code, _ in look(tmp_path).odd] == ["not-a-file"]


def _as_nobody(action: str, root: str) -> int:
    """Run one action without the rights of root, in a child."""
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        code = 1
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            tree = Tree(root)
            report = tree.refresh()
            codes = [problem.code for problem in report.problems]
            if action == "kept":
                hits = [hit.path for hit in tree.search("zebra").hits]
                code = 0 if hits == ["shut/b/c.md"] and "unreadable" in codes else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(sys.platform == "win32", reason="permissions differ")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("victim", ["shut", "shut/b/c.md"])
def test_what_cannot_be_read_is_never_taken_for_deleted(tmp_path: Path, victim: str) -> None:
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and str(parent) not in ("/", "/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    tree = init_tree(str(tmp_path / "tree"))
    put(Path(tree.root), "shut/b/c.md", "# Zebra\n\nstripes\n")
    put(Path(tree.root), "open/d.md")
    tree.refresh()
    tree.close()
    for folder, folders, files in os.walk(tree.root):
        for name in (*folders, *files):
            os.chmod(os.path.join(folder, name), 0o777)  # noqa: S103  (nobody writes the cache)
    os.chmod(tree.root, 0o777)  # noqa: S103
    os.chmod(os.path.join(tree.root, victim), 0)
    try:
        assert _as_nobody("kept", tree.root) == 0
    finally:
        os.chmod(os.path.join(tree.root, victim), 0o755)  # noqa: S103
    assert [hit.path for hit in Tree(tree.root).search("zebra").hits] == ["shut/b/c.md"]
