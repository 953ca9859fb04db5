"""Transactions on real files: what they do, and what they refuse."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from memtree.errors import EntryChanged, PathRefused, StorageFailed
from memtree.tree import disk
from memtree.tree.receipt import Change
from memtree.tree.transaction import (
    ABSENT,
    ANY,
    Transaction,
    begin,
    fingerprint,
    journal_pending,
    recover,
)

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-01-02T03:04:05Z"


def snapshot(root: Path) -> dict[str, bytes | None]:
    """Return every file (its bytes) and folder (None) of a tree, state/ left out."""
    return {
        path.relative_to(root).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
        if ".memtree" not in path.relative_to(root).parts
    }


def start(root: Path, command: str = "test") -> Transaction:
    return begin(str(root), command=command, at=AT)


def test_a_transaction_adds_changes_removes_and_moves_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"a")
    (tmp_path / "b.md").write_bytes(b"b")
    (tmp_path / "old").mkdir()
    (tmp_path / "old/c.md").write_bytes(b"c")
    with start(tmp_path, "all") as txn:
        _, seen = txn.read("a.md")
        txn.write("a.md", b"A\r\n", seen)
        txn.remove("b.md", fingerprint(b"b"))
        txn.move("old/c.md", "new/deep/c.md", ANY)
        txn.write("x/y/z.md", b"", ABSENT)
        assert snapshot(tmp_path)["a.md"] == b"a"
    assert snapshot(tmp_path) == {
        "a.md": b"A\r\n",
        "new": None,
        "new/deep": None,
        "new/deep/c.md": b"c",
        "x": None,
        "x/y": None,
        "x/y/z.md": b"",
    }
    assert txn.receipt.changes == (
        Change(kind="remove", path="b.md", before=fingerprint(b"b"), after=ABSENT),
        Change(kind="remove", path="old/c.md", before=fingerprint(b"c"), after=ABSENT),
        Change(kind="change", path="a.md", before=fingerprint(b"a"), after=fingerprint(b"A\r\n")),
        Change(kind="add", path="new/deep/c.md", before=ABSENT, after=fingerprint(b"c")),
        Change(kind="add", path="x/y/z.md", before=ABSENT, after=fingerprint(b"")),
    )
    assert (txn.receipt.command, txn.receipt.at, txn.receipt.by) == ("all", AT, "human")
    state = sorted(os.listdir(tmp_path / ".memtree/state"))
    assert state == ["history", "lock"]
    assert not journal_pending(str(tmp_path))


def test_an_exception_in_the_block_leaves_the_tree_untouched(tmp_path: Path) -> None:
    def fail() -> None:
        with start(tmp_path) as txn:
            txn.write("a/b.md", b"x", ABSENT)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert snapshot(tmp_path) == {}
    with start(tmp_path) as txn:  # the lock is free again
        txn.write("a.md", b"x", ABSENT)


def test_a_transaction_reads_what_it_has_staged(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"1")
    with start(tmp_path) as txn:
        txn.write("a.md", b"2", fingerprint(b"1"))
        assert txn.read("a.md") == (b"2", fingerprint(b"2"))
        txn.write("a.md", b"3", fingerprint(b"2"))
        txn.move("a.md", "b.md", fingerprint(b"3"))
        assert not txn.exists("a.md")
        with pytest.raises(FileNotFoundError):
            txn.read("a.md")
        txn.write("a.md", b"4", ABSENT)
        txn.write("c.md", b"5", ABSENT)
        txn.remove("c.md", ANY)
        with pytest.raises(FileNotFoundError):
            txn.remove("c.md", ANY)
    assert snapshot(tmp_path) == {"a.md": b"4", "b.md": b"3"}
    assert [change.kind for change in txn.receipt.changes] == ["change", "add"]


def test_two_files_can_be_swapped(tmp_path: Path) -> None:
    with start(tmp_path) as txn:
        txn.write("a.md", b"a", ABSENT)
        txn.write("b.md", b"b", ABSENT)
    with start(tmp_path) as txn:
        txn.move("a.md", "spare.md", ANY)
        txn.move("b.md", "a.md", ANY)
        txn.move("spare.md", "b.md", ANY)
    assert snapshot(tmp_path) == {"a.md": b"b", "b.md": b"a"}


def test_writing_what_stands_there_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"same")
    before = (tmp_path / "a.md").stat()
    with start(tmp_path) as txn:
        txn.write("a.md", b"same", ANY)
    assert txn.receipt.changes == ()
    assert (tmp_path / "a.md").stat().st_ino == before.st_ino
    assert not (tmp_path / ".memtree/state/history").exists()


def test_a_write_that_expects_something_else_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"theirs")
    with start(tmp_path) as txn:
        with pytest.raises(EntryChanged, match=r"'a\.md' exists already"):
            txn.write("a.md", b"x", ABSENT)
        with pytest.raises(EntryChanged, match="changed since it was read"):
            txn.write("a.md", b"x", fingerprint(b"mine"))
        with pytest.raises(EntryChanged, match="is gone"):
            txn.write("b.md", b"x", fingerprint(b"mine"))
        with pytest.raises(EntryChanged):
            txn.remove("a.md", fingerprint(b"mine"))
        txn.write("c.md", b"c", ABSENT)
        with pytest.raises(EntryChanged):
            txn.move("c.md", "a.md", ANY)
    assert snapshot(tmp_path)["a.md"] == b"theirs"


def test_a_person_who_edits_before_the_commit_wins(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"1")

    def edit_meanwhile() -> None:
        with start(tmp_path) as txn:
            data, _ = txn.read("a.md")
            txn.write("new/b.md", b"b", ABSENT)
            txn.write("a.md", data + b"2", ANY)
            (tmp_path / "a.md").write_bytes(b"the person's")

    with pytest.raises(EntryChanged, match=r"'a\.md' changed"):
        edit_meanwhile()
    assert snapshot(tmp_path) == {"a.md": b"the person's"}


@pytest.mark.parametrize("when", ["temporaries-synced", "journal-written", "commit-synced"])
@pytest.mark.parametrize("victim", ["a.md", "gone.md", "z.md"])
def test_a_person_who_edits_during_the_commit_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, victim: str
) -> None:
    for name in ("a.md", "gone.md", "z.md"):
        (tmp_path / name).write_bytes(b"old")

    def edit(name: str) -> None:
        if name == when:
            (tmp_path / victim).write_bytes(b"the person's")

    def change() -> None:
        with start(tmp_path) as txn:
            txn.write("a.md", b"new", ANY)
            txn.remove("gone.md", ANY)
            txn.write("added/b.md", b"new", ABSENT)
            txn.write("z.md", b"new", ANY)

    monkeypatch.setattr(disk, "on_step", edit)
    with pytest.raises(EntryChanged):
        change()
    expected = dict.fromkeys(("a.md", "gone.md", "z.md"), b"old") | {victim: b"the person's"}
    assert snapshot(tmp_path) == expected
    assert sorted(os.listdir(tmp_path / ".memtree/state")) == ["history", "lock"]


def test_an_interrupt_after_the_commit_point_still_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(name: str) -> None:
        if name == "renamed":
            monkeypatch.setattr(disk, "on_step", None)
            raise KeyboardInterrupt

    def add() -> None:
        with start(tmp_path) as txn:
            txn.write("a.md", b"a", ABSENT)
            txn.write("b.md", b"b", ABSENT)

    monkeypatch.setattr(disk, "on_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        add()
    assert snapshot(tmp_path) == {"a.md": b"a", "b.md": b"b"}
    assert not journal_pending(str(tmp_path))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../out.md",
        "a/../../out.md",
        "a//b.md",
        "./a.md",
        "a\\b.md",
        "a\0b.md",
        "a\nb.md",
        ".git/config",
        "sub/.GIT/hooks/x",
        ".memtree/state/journal",
        ".memtree/cache/x",
        ".memtree",
    ],
)
def test_a_path_that_leaves_the_tree_is_refused(tmp_path: Path, path: str) -> None:
    with start(tmp_path) as txn:
        with pytest.raises(PathRefused):
            txn.write(path, b"x", ANY)
        with pytest.raises(PathRefused):
            txn.read(path)
        with pytest.raises(PathRefused):
            txn.remove(path, ANY)
        txn.write("a.md", b"a", ABSENT)
        with pytest.raises(PathRefused):
            txn.move("a.md", path, ANY)


def test_a_name_that_the_disk_cannot_hold_is_refused(tmp_path: Path) -> None:
    with start(tmp_path) as txn, pytest.raises(PathRefused, match="too long"):
        txn.write("x" * 300 + ".md", b"x", ABSENT)


def test_the_tracked_files_of_memtree_itself_may_be_written(tmp_path: Path) -> None:
    with start(tmp_path) as txn:
        txn.write(".memtree/sidecar/plugin/x.json", b"{}", ABSENT)
    with start(tmp_path) as txn:
        txn.remove(".memtree/sidecar/plugin/x.json", ANY)
    assert (tmp_path / ".memtree/sidecar/plugin").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.md").write_bytes(b"secret")
    root = tmp_path / "tree"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file.md").symlink_to(outside / "secret.md")
    (root / "dangling.md").symlink_to(outside / "nothing.md")
    with start(root) as txn:
        txn.write("a.md", b"a", ABSENT)
        for path in ("folder/secret.md", "folder/new.md", "folder/deep/new.md", "file.md"):
            with pytest.raises(PathRefused, match="link"):
                txn.write(path, b"x", ANY)
            with pytest.raises(PathRefused, match="link"):
                txn.remove(path, ANY)
            with pytest.raises(PathRefused, match="link"):
                txn.move("a.md", path, ANY)
        with pytest.raises(PathRefused):
            txn.write("dangling.md", b"x", ABSENT)
    assert snapshot(outside) == {"secret.md": b"secret"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_folder_that_turns_into_a_link_before_the_commit_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    (root / "folder").mkdir(parents=True)
    outside.mkdir()

    def swap() -> None:
        with start(root) as txn:
            txn.write("folder/a.md", b"a", ABSENT)
            (root / "folder").rmdir()
            (root / "folder").symlink_to(outside)

    with pytest.raises(PathRefused, match="link"):
        swap()
    assert os.listdir(outside) == []


def test_a_file_is_no_folder_and_a_folder_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"a")
    (tmp_path / "d.md").mkdir()

    def clash() -> None:
        with start(tmp_path) as txn:
            txn.write("n", b"x", ABSENT)
            txn.write("n/m.md", b"x", ABSENT)

    with start(tmp_path) as txn:
        with pytest.raises(PathRefused, match="is a file"):
            txn.write("a.md/b.md", b"x", ABSENT)
        with pytest.raises(PathRefused, match="not a file"):
            txn.write("d.md", b"x", ANY)
    with pytest.raises(PathRefused, match="is a file"):
        clash()
    assert snapshot(tmp_path) == {"a.md": b"a", "d.md": None}


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_are_kept_by_overwriting_and_by_moving(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"1")
    (tmp_path / "a.md").chmod(0o640)
    (tmp_path / "b.md").write_bytes(b"1")
    (tmp_path / "b.md").chmod(0o755)
    with start(tmp_path) as txn:
        txn.write("a.md", b"2", ANY)
        txn.move("b.md", "c.md", ANY)
    assert stat.S_IMODE((tmp_path / "a.md").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "c.md").stat().st_mode) == 0o755


def test_only_folders_that_a_removal_emptied_disappear(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/x.md").write_bytes(b"x")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/y.md").write_bytes(b"y")
    (tmp_path / "c/picture.png").write_bytes(b"p")
    with start(tmp_path) as txn:
        txn.remove("a/b/x.md", ANY)
        txn.remove("c/y.md", ANY)
    assert snapshot(tmp_path) == {"empty": None, "c": None, "c/picture.png": b"p"}


def test_a_decomposed_name_on_disk_is_found_by_its_composed_path(tmp_path: Path) -> None:
    (tmp_path / "Cafe\u0301").mkdir()
    (tmp_path / "Cafe\u0301/u\u0308ber.md").write_bytes(b"1")
    with start(tmp_path) as txn:
        data, seen = txn.read("Caf\u00e9/\u00fcber.md")
        txn.write("Caf\u00e9/\u00fcber.md", data + b"2", seen)
        with pytest.raises(EntryChanged):
            txn.write("Cafe\u0301/u\u0308ber.md", b"x", seen + b"?")
    assert [path.read_bytes() for path in tmp_path.glob("*/*.md")] == [b"12"]


def test_a_rename_that_differs_in_case_only_works(tmp_path: Path) -> None:
    (tmp_path / "Docs").mkdir()
    (tmp_path / "Docs/Note.md").write_bytes(b"n")
    with start(tmp_path) as txn:
        txn.move("Docs/Note.md", "Docs/note.md", ANY)
    assert os.listdir(tmp_path / "Docs") == ["note.md"]
    with start(tmp_path) as txn:
        txn.move("Docs/note.md", "docs/NOTE.md", ANY)
    assert [path.read_bytes() for path in tmp_path.glob("*/*.md")] == [b"n"]


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_file_that_its_owner_made_read_only_is_not_replaced(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("permissions do not bind root")
    (tmp_path / "a.md").write_bytes(b"1")
    (tmp_path / "a.md").chmod(0o444)

    def change() -> None:
        with start(tmp_path) as txn:
            txn.write("a.md", b"2", ANY)

    with pytest.raises(StorageFailed, match="read-only"):
        change()


def test_many_files_are_one_quick_transaction(tmp_path: Path) -> None:
    with start(tmp_path) as txn:
        for number in range(300):
            txn.write(f"d{number % 7}/{number}.md", b"%d" % number, ABSENT)
    assert len(txn.receipt.changes) == 300
    assert (tmp_path / "d5/299.md").read_bytes() == b"299"
    assert not [name for name in snapshot(tmp_path) if name.endswith(".tmp")]


def test_ids_sort_in_the_order_of_commits(tmp_path: Path) -> None:
    ids = []
    for number in range(5):
        with start(tmp_path) as txn:
            txn.write("a.md", b"%d" % number, ANY)
        ids.append(txn.id)
    assert ids == sorted(set(ids))


def test_the_receipt_exists_only_after_the_commit(tmp_path: Path) -> None:
    with start(tmp_path) as txn, pytest.raises(RuntimeError):
        _ = txn.receipt
    assert txn.receipt.changes == ()


def test_the_pending_question_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import os, sys; before = set(sys.modules)\n"
        "from memtree.tree.lock import journal_pending, wait_quiet\n"
        f"assert not journal_pending({str(tmp_path)!r}) and wait_quiet({str(tmp_path)!r})\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    loaded = {name for name in done.stdout.split() if not name.startswith("memtree")}
    assert loaded <= {"__future__"}, loaded
    assert not (tmp_path / ".memtree").exists()


def test_recovering_a_quiet_tree_does_nothing(tmp_path: Path) -> None:
    assert recover(str(tmp_path)) is None
    assert os.listdir(tmp_path) == []
