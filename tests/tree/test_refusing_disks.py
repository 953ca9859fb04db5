"""Disks that are full, read-only or refuse midway: one sentence, nothing lost, nothing left."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memtree.errors import MemtreeError, StorageFailed
from memtree.tree import disk
from memtree.tree.lock import journal_pending
from memtree.tree.transaction import ABSENT, ANY, begin, recover

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")

AT = "2026-01-02T03:04:05Z"


def snapshot(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
        if ".memtree" not in path.relative_to(root).parts
    }


@contextlib.contextmanager
def mounted(*arguments: str) -> Iterator[None]:
    """Mount something for the time of a test, or skip it where that is not allowed."""
    target = arguments[-1]
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", target], check=True)


def needs_root() -> None:
    if os.geteuid() != 0 or not sys.platform.startswith("linux"):
        pytest.skip("mounting needs root on Linux")


def edit(root: Path) -> None:
    with begin(str(root), command="edit", at=AT) as txn:
        txn.write("a.md", b"A" * 9000, ANY)
        txn.write("new/deep/b.md", b"B" * 9000, ABSENT)
        txn.remove("gone/c.md", ANY)
        txn.move("d.md", "e.md", ANY)


def old_tree(root: Path) -> dict[str, bytes | None]:
    (root / "gone").mkdir()
    for name in ("a.md", "gone/c.md", "d.md"):
        (root / name).write_bytes(f"old {name}".encode() * 700)
    with begin(str(root), command="first", at=AT) as txn:
        txn.write("first.md", b"first", ABSENT)
    return snapshot(root)


def assert_untouched(root: Path, old: dict[str, bytes | None]) -> None:
    assert snapshot(root) == old
    assert not list(root.rglob("*.tmp"))
    assert not journal_pending(str(root))
    assert sorted(os.listdir(root / ".memtree/state")) == ["history", "lock"]


def in_a_child(work: Callable[[], object]) -> None:
    """Run `work` in a forked process, which may give up its rights; fail when it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_full_disk_changes_nothing_however_little_is_free(tmp_path: Path) -> None:
    needs_root()
    failures: set[tuple[str, int]] = set()
    with mounted("-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path)):
        old = old_tree(tmp_path)
        ballast = tmp_path / ".memtree/state/ballast"
        for free_pages in range(40):
            with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)
            os.truncate(ballast, max(0, ballast.stat().st_size - free_pages * 4096))
            try:
                edit(tmp_path)
                break
            except StorageFailed as error:
                failures.add((error.message, error.exit_code))
            finally:
                ballast.unlink()
            assert_untouched(tmp_path, old)
        assert free_pages > 5
        assert failures == {("cannot write: the disk is full", 4)}
        assert (tmp_path / "e.md").exists()
        assert (tmp_path / "a.md").read_bytes() == b"A" * 9000


def test_a_file_size_limit_is_a_full_disk(tmp_path: Path) -> None:
    import resource

    old = old_tree(tmp_path)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        with pytest.raises(StorageFailed, match="disk is full"):
            edit(tmp_path)

    in_a_child(limited)
    assert_untouched(tmp_path, old)


@pytest.mark.parametrize("folder", ["gone", "new", "."])
def test_a_read_only_folder_changes_nothing(tmp_path: Path, folder: str) -> None:
    needs_root()
    (tmp_path / "new").mkdir()
    old = old_tree(tmp_path)
    place = str(tmp_path / folder)
    with mounted("--bind", place, place):
        subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)
        with pytest.raises(StorageFailed) as raised:
            edit(tmp_path)
        assert "cannot " in raised.value.message
    assert_untouched(tmp_path, old)


def test_folders_and_files_of_someone_else_change_nothing() -> None:
    needs_root()
    with tempfile.TemporaryDirectory(prefix="memtree-test-") as name:
        root = Path(name)
        old = old_tree(root)
        nobody = 65534
        for path in (root, *root.rglob("*")):
            os.chown(path, nobody, nobody)

        def refuse(path: str, mode: int) -> None:
            os.chmod(root / path, mode)
            os.setuid(nobody)
            with pytest.raises(StorageFailed):
                edit(root)

        in_a_child(lambda: refuse("gone", 0o555))
        assert_untouched(root, old)
        os.chmod(root / "gone", 0o700)
        in_a_child(lambda: refuse("a.md", 0o444))
        assert_untouched(root, old)
        os.chmod(root / "a.md", 0o644)

        def allowed() -> None:
            os.setuid(nobody)
            edit(root)

        in_a_child(allowed)
        assert (root / "e.md").stat().st_uid == nobody
        # Root edits a person's file, and it stays theirs.
        with begin(str(root), command="root", at=AT) as txn:
            txn.write("e.md", b"by root", ANY)
        assert (root / "e.md").stat().st_uid == nobody


def test_a_rename_that_fails_midway_takes_everything_back(tmp_path: Path) -> None:
    """A file that is itself a mount, as containers do it, cannot be replaced or removed."""
    needs_root()
    outside = tmp_path / "outside.md"
    outside.write_bytes(b"mounted")
    root = tmp_path / "tree"
    root.mkdir()
    old_tree(root)
    (root / "z.md").write_bytes(b"z")
    steps: list[str] = []

    def change() -> None:
        with begin(str(root), command="edit", at=AT) as txn:
            txn.write("a.md", b"new", ANY)
            txn.write("added/b.md", b"new", ABSENT)
            txn.remove("gone/c.md", ANY)
            txn.write("z.md", b"new", ANY)

    with mounted("--bind", str(outside), str(root / "z.md")):
        old = snapshot(root)
        disk.on_step = steps.append
        try:
            with pytest.raises(StorageFailed) as raised:
                change()
        finally:
            disk.on_step = None
        assert_untouched(root, old)
    assert raised.value.message.startswith("cannot write")
    assert steps.count("renamed") == 2
    assert steps.count("back-restored") == 3


def test_what_can_be_neither_finished_nor_taken_back_waits_for_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_root()
    root = tmp_path / "tree"
    root.mkdir()
    old_tree(root)
    place = str(root / "gone")

    def lock_up(name: str) -> None:
        if name == "removed":
            monkeypatch.setattr(disk, "on_step", None)
            subprocess.run(["mount", "--bind", place, place], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True)

    def change() -> None:
        with begin(str(root), command="edit", at=AT) as txn:
            txn.remove("gone/c.md", ANY)
            txn.write("gone/x.md", b"x", ABSENT)

    monkeypatch.setattr(disk, "on_step", lock_up)
    with mounted("--bind", str(tmp_path), str(tmp_path)):
        pass  # or this test is skipped
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(subprocess.run, ["umount", place], check=True)
        with pytest.raises(StorageFailed, match="neither finished nor taken back"):
            change()
        assert journal_pending(str(root))
        with pytest.raises(MemtreeError, match="cannot finish an interrupted"):
            recover(str(root))
    recovery = recover(str(root))
    assert recovery is not None
    assert recovery.outcome == "finished"
    assert os.listdir(root / "gone") == ["x.md"]
    assert not list(root.rglob("*.tmp"))
