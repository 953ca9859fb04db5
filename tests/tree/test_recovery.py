"""Crashes at every step and at random instants: the old tree or the new one, never a mixture."""

from __future__ import annotations

import functools
import os
import random
import shutil
import signal
import time
import warnings
from typing import TYPE_CHECKING, Protocol

import pytest

from memtree.tree import disk
from memtree.tree.history import transactions, undo
from memtree.tree.lock import WriterLock, journal_pending, wait_quiet
from memtree.tree.transaction import ABSENT, ANY, Recovery, Transaction, begin, recover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="crashes need fork")

AT = "2026-01-02T03:04:05Z"
BEFORE_THE_COMMIT = {
    "staging-listed",
    "folder-created",
    "temporary-written",
    "temporaries-synced",
    "journal-written",
}


class Edit(Protocol):
    __name__: str

    def __call__(self, txn: Transaction, /) -> None: ...


def snapshot(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
        if ".memtree" not in path.relative_to(root).parts
    }


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a child process and return its number; the child ends with exit code 0."""
    with warnings.catch_warnings():
        # Python 3.12 warns of forking with threads; the child here touches files only.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def run_and_die(work: Callable[[], object], at_step: int) -> str:
    """Run `work` in a process that dies right after a step; return the step's name, or ""."""
    reader, writer = os.pipe()

    def child() -> None:
        count = 0

        def die(name: str) -> None:
            nonlocal count
            if count == at_step:
                os.write(writer, name.encode())
                os._exit(9)
            count += 1

        disk.on_step = die
        work()

    pid = fork(child)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    name = os.read(reader, 100).decode()
    os.close(reader)
    assert os.waitstatus_to_exitcode(status) == (9 if name else 0)
    return name


def old_tree(root: Path) -> None:
    (root / "keep/sub").mkdir(parents=True)
    (root / "gone").mkdir()
    for name in ("a.md", "b.md", "keep/c.md", "keep/sub/d.md", "gone/e.md"):
        (root / name).write_bytes(f"old {name}".encode())
    (root / "keep/c.md").chmod(0o640)


def add(txn: Transaction) -> None:
    txn.write("x.md", b"new x", ABSENT)
    txn.write("new/deep/y.md", b"new y", ABSENT)
    txn.write("keep/z.md", b"", ABSENT)


def change(txn: Transaction) -> None:
    for name in ("a.md", "keep/c.md", "gone/e.md"):
        txn.write(name, b"new " + name.encode(), ANY)


def remove(txn: Transaction) -> None:
    for name in ("a.md", "keep/sub/d.md", "gone/e.md"):
        txn.remove(name, ANY)


def move(txn: Transaction) -> None:
    txn.move("gone/e.md", "other/e.md", ANY)
    txn.move("keep/c.md", "KEEP.md", ANY)
    data, _ = txn.read("a.md")
    txn.write("a.md", data + b" with a new link", ANY)
    txn.remove("b.md", ANY)
    txn.write("b2.md", b"new", ABSENT)


EDITS = [add, change, remove, move]


def commit(root: Path, edit: Edit) -> None:
    with begin(str(root), command=edit.__name__, at=AT) as txn:
        edit(txn)


def trees(
    tmp_path: Path, edit: Edit
) -> tuple[Path, dict[str, bytes | None], dict[str, bytes | None]]:
    """Return a folder for the trial, and what the old and the new tree look like."""
    root = tmp_path / "model"
    old_tree(root)
    old = snapshot(root)
    commit(root, edit)
    return tmp_path / "tree", old, snapshot(root)


def assert_settled(root: Path) -> None:
    state = root / ".memtree/state"
    assert not journal_pending(str(root))
    assert not {"staging", "journal.new"} & set(os.listdir(state))
    assert not list(root.rglob("*.tmp"))
    assert recover(str(root)) is None


@pytest.mark.parametrize("edit", EDITS)
def test_a_crash_at_any_step_leaves_the_old_or_the_new_tree(tmp_path: Path, edit: Edit) -> None:
    root, old, new = trees(tmp_path, edit)
    seen = []
    for at_step in range(100):
        shutil.rmtree(root, ignore_errors=True)
        old_tree(root)
        name = run_and_die(lambda: commit(root, edit), at_step)
        if not name:
            break
        seen.append(name)
        recover(str(root))
        assert snapshot(root) == (old if name in BEFORE_THE_COMMIT else new), name
        assert_settled(root)
        if name not in BEFORE_THE_COMMIT:
            assert [txn.command for txn in transactions(str(root))] == [edit.__name__]
            undo(str(root), at=AT)
            assert snapshot(root) == old
            assert (root / "keep/c.md").stat().st_mode & 0o777 == 0o640
    assert snapshot(root) == new
    expected = {"staging-listed", "journal-written", "committed", "commit-synced", "recorded"}
    assert expected <= set(seen)
    assert {"renamed", "removed"} & set(seen)


@pytest.mark.parametrize("edit", EDITS)
def test_a_crash_during_the_recovery_is_recovered(tmp_path: Path, edit: Edit) -> None:
    root, _, new = trees(tmp_path, edit)
    for at_step in range(100):
        if at_step:
            shutil.rmtree(root)
        old_tree(root)

        def commit_and_die() -> None:
            def die(step: str) -> None:
                if step in {"renamed", "removed"}:
                    os._exit(9)

            disk.on_step = die
            commit(root, edit)

        os.waitpid(fork(commit_and_die), 0)
        assert journal_pending(str(root))
        name = run_and_die(lambda: recover(str(root)), at_step)
        if not name:
            break
        recover(str(root))
        assert snapshot(root) == new, name
        assert_settled(root)
    assert at_step > 3
    assert snapshot(root) == new


@pytest.mark.parametrize("edit", [add, change, move])
def test_a_commit_whose_new_contents_are_lost_is_taken_back(tmp_path: Path, edit: Edit) -> None:
    """As when someone runs `git clean` after the crash, before the next command."""
    root, old, _ = trees(tmp_path, edit)
    for at_step in range(100):
        shutil.rmtree(root, ignore_errors=True)
        old_tree(root)
        name = run_and_die(lambda: commit(root, edit), at_step)
        lost = sorted(root.rglob(".memtree-*.tmp"))
        if not name or (name == "folders-removed"):
            break
        if name in BEFORE_THE_COMMIT or not lost:
            continue
        lost[0].unlink()
        die_again = run_and_die(lambda: recover(str(root)), at_step % 3)
        recovery = recover(str(root))
        assert snapshot(root) == old, (name, die_again)
        assert recovery is None or recovery.outcome == "taken-back"
        assert_settled(root)
    assert name == "folders-removed"


def crash_after_the_commit(root: Path, edit: Edit) -> None:
    def die(name: str) -> None:
        if name == "commit-synced":
            os._exit(9)

    def work() -> None:
        disk.on_step = die
        commit(root, edit)

    os.waitpid(fork(work), 0)
    assert journal_pending(str(root))


def test_what_a_person_edits_after_the_crash_is_kept_and_the_rest_rescued(tmp_path: Path) -> None:
    old_tree(tmp_path)

    def edit(txn: Transaction) -> None:
        change(txn)
        txn.remove("b.md", ANY)
        txn.write("x.md", b"new x", ABSENT)

    crash_after_the_commit(tmp_path, edit)
    (tmp_path / "a.md").write_bytes(b"the person's a")
    (tmp_path / "b.md").write_bytes(b"the person's b")
    (tmp_path / "x.md").write_bytes(b"the person's x")
    recovery = recover(str(tmp_path))
    assert recovery is not None
    assert (recovery.outcome, recovery.command) == ("finished", "edit")
    assert set(recovery.kept) == {"a.md", "b.md", "x.md"}
    rescued = tmp_path / ".memtree/state/rescued" / recovery.id
    assert set(recovery.rescued) == {str(rescued / "a.md"), str(rescued / "x.md")}
    assert (rescued / "a.md").read_bytes() == b"new a.md"
    assert (rescued / "x.md").read_bytes() == b"new x"
    assert snapshot(tmp_path) == {
        "a.md": b"the person's a",
        "b.md": b"the person's b",
        "x.md": b"the person's x",
        "keep": None,
        "keep/c.md": b"new keep/c.md",
        "keep/sub": None,
        "keep/sub/d.md": b"old keep/sub/d.md",
        "gone": None,
        "gone/e.md": b"new gone/e.md",
    }
    assert_settled(tmp_path)


def test_a_folder_that_turned_into_a_link_after_the_crash_is_not_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    old_tree(root)
    shutil.copytree(root / "gone", outside)
    crash_after_the_commit(root, remove)
    shutil.rmtree(root / "gone")
    (root / "gone").symlink_to(outside)
    recovery = recover(str(root))
    assert recovery is not None
    assert recovery.kept == ("gone/e.md",)
    assert (outside / "e.md").read_bytes() == b"old gone/e.md"
    assert not (root / "a.md").exists()


def test_the_next_transaction_recovers_first_and_says_so(tmp_path: Path) -> None:
    old_tree(tmp_path)
    crash_after_the_commit(tmp_path, add)
    with begin(str(tmp_path), command="next", at=AT) as txn:
        assert txn.read("x.md")[0] == b"new x"
        txn.write("x.md", b"newer x", ANY)
    assert isinstance(txn.recovered, Recovery)
    assert txn.recovered.command == "add"
    assert [each.command for each in transactions(str(tmp_path))] == ["next", "add"]


def test_a_reader_finishes_what_a_dead_writer_left(tmp_path: Path) -> None:
    old_tree(tmp_path)
    crash_after_the_commit(tmp_path, add)
    assert wait_quiet(str(tmp_path), 0.0)
    assert (tmp_path / "x.md").read_bytes() == b"new x"
    assert_settled(tmp_path)


def test_a_reader_waits_briefly_for_a_living_writer(tmp_path: Path) -> None:
    old_tree(tmp_path)
    crash_after_the_commit(tmp_path, add)
    with WriterLock(str(tmp_path), command="busy", wait_s=1.0):
        started = time.monotonic()
        assert not wait_quiet(str(tmp_path), 0.05)
        assert 0.05 <= time.monotonic() - started < 2
    assert wait_quiet(str(tmp_path), 0.05)


def test_a_staging_list_that_lost_power_is_made_up_for_by_a_search(tmp_path: Path) -> None:
    old_tree(tmp_path)
    run_and_die(lambda: commit(tmp_path, add), 5)
    assert list(tmp_path.rglob(".memtree-*.tmp"))
    (tmp_path / ".memtree/state/staging").write_bytes(b"")
    recovery = recover(str(tmp_path))
    assert recovery is not None
    assert recovery.outcome == "discarded"
    assert_settled(tmp_path)


def test_a_damaged_journal_is_set_aside_with_all_that_waited_for_it(tmp_path: Path) -> None:
    old_tree(tmp_path)
    old = snapshot(tmp_path)
    crash_after_the_commit(tmp_path, change)
    path = tmp_path / ".memtree/state/journal"
    path.write_bytes(path.read_bytes()[:-3])
    recovery = recover(str(tmp_path))
    assert recovery is not None
    assert recovery.outcome == "damaged"
    assert len(recovery.rescued) == 4
    assert all(os.path.isfile(name) for name in recovery.rescued)
    assert snapshot(tmp_path) == old
    assert not journal_pending(str(tmp_path))


FILES = ("one.md", "two/two.md", "two/deep/three.md", "four.md")
RUNS = 250


def write_generations(root: Path, ready: int) -> None:
    """Commit for ever: four files that always agree, and one folder a generation."""
    generation = int((root / FILES[0]).read_bytes())
    while True:
        with begin(str(root), command="generation", at=AT) as txn:
            following = generation + 1
            for name in FILES:
                txn.write(name, b"%d" % following, ANY)
            txn.move(f"at/{generation}/is.md", f"at/{following}/is.md", ANY)
        generation = following
        os.write(ready, b"%d\n" % generation)


def generation_of(root: Path) -> int:
    """Return the generation that all files agree on."""
    values = {(root / name).read_bytes() for name in FILES}
    assert len(values) == 1, values
    generation = int(values.pop())
    assert sorted(os.listdir(root / "at")) == [str(generation)]
    assert os.listdir(root / f"at/{generation}") == ["is.md"]
    return generation


def test_a_kill_at_a_random_instant_never_leaves_a_mixture(tmp_path: Path) -> None:
    with begin(str(tmp_path), command="first", at=AT) as txn:
        for name in FILES:
            txn.write(name, b"0", ABSENT)
        txn.write("at/0/is.md", b"", ABSENT)
    instants = random.Random(20260102)
    outcomes: list[str] = []
    for _ in range(RUNS):
        reader, writer = os.pipe()
        pid = fork(functools.partial(write_generations, tmp_path, writer))
        os.close(writer)
        first = os.read(reader, 1)  # the child is at work
        time.sleep(instants.random() * 0.012)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with open(reader, "rb") as pipe:
            acknowledged = int((first + pipe.read()).split()[-1])
        recovery = recover(str(tmp_path))
        outcomes.append(recovery.outcome if recovery else "quiet")
        assert acknowledged <= generation_of(tmp_path) <= acknowledged + 1
        assert_settled(tmp_path)
    assert outcomes.count("discarded") > 10
    assert outcomes.count("finished") > 10
