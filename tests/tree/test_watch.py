"""A watcher is believed only when it has heard everything that happened before the question."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memtree.app import Tree, init_tree
from memtree.tree.watched import FILE, address_of, ask, watcher_is_current


@contextmanager
def watching(root: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "memtree", "watch", "--json", "--tree", root]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline()  # the first refresh is done
        deadline = time.monotonic() + 20
        while not watcher_is_current(root):
            assert time.monotonic() < deadline, "the watcher never answered"
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = init_tree(str(tmp_path / "tree"))
    for number in range(30):
        put(made, f"a/b/n{number}.md", f"# N{number}\n\nfirst words {number}\n")
    made.refresh()
    return made


def put(tree: Tree, path: str, text: str) -> None:
    place = Path(tree.root) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def hits(tree: Tree, question: str) -> list[str]:
    return sorted(hit.path for hit in tree.search(question).hits)


def test_an_edit_is_searchable_the_moment_after(tree: Tree) -> None:
    with watching(tree.root):
        for turn in range(25):
            word = f"quokka{turn}x"
            put(tree, f"a/b/n{turn}.md", f"# N\n\n{word}\n")
            assert watcher_is_current(tree.root)
            engine = tree.engine()
            engine.reload()
            assert hits(tree, word) == [f"a/b/n{turn}.md"]


def test_what_editors_and_git_do_is_seen(tree: Tree) -> None:
    root = Path(tree.root)
    with watching(tree.root):
        (root / "a/b/n1.md").rename(root / "a/b/n1.md~")  # vim keeps a backup
        put(tree, "a/b/n1.md", "# N1\n\nvimword\n")
        (root / "a/b/n1.md~").unlink()
        put(tree, "outside.txt", "# Swap\n\natomicword\n")
        (root / "outside.txt").replace(root / "a/b/n2.md")  # an atomic save
        (root / "a/b/n3.md").unlink()
        shutil.copytree(root / "a/b", root / "copied/in")
        (root / "a/b/n4.md").rename(root / "moved.md")
        assert hits(tree, "vimword") == ["a/b/n1.md", "copied/in/n1.md"]
        assert hits(tree, "atomicword") == ["a/b/n2.md", "copied/in/n2.md"]
        paths = {row.path for row in tree.rows()}
        assert "moved.md" in paths
        assert "a/b/n3.md" not in paths
        shutil.rmtree(root / "copied")
        assert hits(tree, "vimword") == ["a/b/n1.md"]


def test_a_storm_of_changes_is_seen_whole(tree: Tree) -> None:
    with watching(tree.root):
        for number in range(1200):
            put(tree, f"storm/s{number % 9}/n{number}.md", f"# S{number}\n\nstorm{number}\n")
        assert len(tree.rows()) == 1230
        assert hits(tree, "storm1199") == ["storm/s2/n1199.md"]


def test_a_change_of_settings_is_seen(tree: Tree) -> None:
    with watching(tree.root):
        config = Path(tree.root) / ".memtree/config.toml"
        config.write_text('[search]\nignore = ["a/b/n1*.md"]\n', encoding="utf-8")
        assert len(tree.rows()) == 19


def test_a_second_watcher_is_refused(tree: Tree) -> None:
    with watching(tree.root):
        command = [sys.executable, "-m", "memtree", "watch", "--tree", tree.root]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 4
        assert "looks after this tree already" in done.stderr


def test_an_ended_watcher_is_not_asked(tree: Tree) -> None:
    with watching(tree.root):
        assert address_of(tree.root)
    assert not address_of(tree.root)
    put(tree, "a/b/n1.md", "# N1\n\nafterwards\n")
    assert hits(tree, "afterwards") == ["a/b/n1.md"]


def test_a_killed_watcher_is_not_believed(tree: Tree) -> None:
    with watching(tree.root) as process:
        process.kill()
        process.wait()
        assert address_of(tree.root)
        put(tree, "a/b/n1.md", "# N1\n\nafterwards\n")
        assert hits(tree, "afterwards") == ["a/b/n1.md"]
    with watching(tree.root):  # and another one may begin
        assert watcher_is_current(tree.root)


def test_a_stopped_watcher_is_not_believed(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memtree.tree.watched.PATIENCE", 0.3)
    with watching(tree.root) as process:
        process.send_signal(signal.SIGSTOP)
        try:
            put(tree, "a/b/n1.md", "# N1\n\nfrozen\n")
            assert hits(tree, "frozen") == ["a/b/n1.md"]
        finally:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "tcp:1:x", "tcp:x", "\0", "x" * 300])
def test_an_address_that_is_none_is_no_watcher(tree: Tree, address: str) -> None:
    place = Path(tree.root) / FILE
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(address, encoding="utf-8")
    assert not watcher_is_current(tree.root)
    assert hits(tree, "N1")


def test_nobody_else_may_ask_the_watcher(tree: Tree) -> None:
    with watching(tree.root):
        address = address_of(tree.root)
        assert ask(address, b"who\n").startswith(b"memtree")
        if not address.startswith("tcp:"):
            assert os.stat(os.path.dirname(address)).st_mode & 0o077 == 0
        assert os.stat(Path(tree.root) / FILE).st_mode & 0o077 == 0
