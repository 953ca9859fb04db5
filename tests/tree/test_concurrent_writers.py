"""Several processes write one tree at once: nothing is lost, and waiting is bounded."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from memtree.errors import Locked
from memtree.tree.history import transactions
from memtree.tree.transaction import ABSENT, begin

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-01-02T03:04:05Z"

WRITER = """
import sys
from memtree.tree.transaction import ABSENT, begin
root, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in range(count):
    with begin(root, command=f"writer {name}", at="2026-01-02T03:04:05Z", wait_s=60) as txn:
        data, seen = txn.read("counter.md")
        txn.write("counter.md", b"%d" % (int(data) + 1), seen)
        txn.write(f"{name}/{number}.md", name.encode(), ABSENT)
"""

HOLDER = """
import sys, time
from memtree.tree.lock import WriterLock
with WriterLock(sys.argv[1], command="import notes", wait_s=1):
    print("held", flush=True)
    time.sleep(60)
"""


def python(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, env=environment
    )


@pytest.mark.parametrize(("writers", "each"), [(2, 40), (8, 12)])
def test_writers_at_once_lose_nothing(tmp_path: Path, writers: int, each: int) -> None:
    (tmp_path / "counter.md").write_bytes(b"0")
    children = [python(WRITER, str(tmp_path), f"w{n}", str(each)) for n in range(writers)]
    for child in children:
        child.communicate(timeout=90)
    assert [child.returncode for child in children] == [0] * writers
    assert (tmp_path / "counter.md").read_bytes() == b"%d" % (writers * each)
    for n in range(writers):
        names = {path.name for path in (tmp_path / f"w{n}").iterdir()}
        assert names == {f"{number}.md" for number in range(each)}
    history = transactions(str(tmp_path), limit=1000)
    assert len({txn.id for txn in history}) == writers * each
    counted = [change for txn in history for change in txn.changes if change.path == "counter.md"]
    # Each transaction starts from what the one before it left.
    assert all(new.before == old.after for new, old in itertools.pairwise(counted))


def test_threads_at_once_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "counter.md").write_bytes(b"0")

    def work() -> None:
        for _ in range(10):
            with begin(str(tmp_path), command="count", at=AT, wait_s=60) as txn:
                data, seen = txn.read("counter.md")
                txn.write("counter.md", b"%d" % (int(data) + 1), seen)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "counter.md").read_bytes() == b"40"


def test_waiting_is_bounded_and_the_message_names_the_holder(tmp_path: Path) -> None:
    child = python(HOLDER, str(tmp_path))
    try:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == b"held"
        started = time.monotonic()
        with pytest.raises(Locked, match=rf"process {child.pid}, 'import notes'") as raised:
            begin(str(tmp_path), command="add", at=AT, wait_s=0.2).__enter__()
        assert 0.2 <= time.monotonic() - started < 3
        assert raised.value.exit_code == 4
    finally:
        child.kill()
        child.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_lock_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    child = python(HOLDER, str(tmp_path))
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with begin(str(tmp_path), command="add", at=AT, wait_s=0.0) as txn:
        txn.write("a.md", b"a", ABSENT)
