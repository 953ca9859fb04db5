"""Topic 5: a question never changes knowledge, and works where nothing can be written."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from real_tree import RealTree, environment

READS = [
    ("search", "seat holds"), ("search", "harmnoic", "--json"), ("query", "What is the tide?", "--json"),
    ("show", "engineering/bookings/seat-holds.md"), ("show", "seat-holds", "--json"), ("list",), ("list", "--json"),
    ("tree",), ("check", "--json"), ("doctor",), ("status", "--json"), ("log",), ("diff",), ("links", "seat-holds", "--json"),
    ("export", "--to", "jsonl"), ("config", "list"), ("config", "get", "search.language"), ("index",),
    ("search", "x", "--explain", "--why-not", "engineering/bookings/seat-holds.md"), ("show", "nothing here"),
]  # fmt: skip


def _git(root: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@x", *args], cwd=root, check=True, capture_output=True
    )  # fmt: skip
    return done.stdout.decode()


@pytest.mark.slow
def test_hundreds_of_reads_change_no_byte_no_time_and_nothing_for_git(atlas: RealTree) -> None:
    _git(atlas.root, "init", "-q")
    _git(atlas.root, "add", ".")
    _git(atlas.root, "commit", "-qm", "x")
    before = atlas.files()
    folders = {
        str(p): p.stat().st_mtime_ns
        for p in atlas.root.rglob("*")
        if p.is_dir()
        and "/.git/" not in str(p)
        and "/.memtree/" not in str(p)
        and p.name != ".memtree"
    }
    for _ in range(5):
        for command in READS:
            done = atlas.run(*command)
            assert done.code in (0, 1), done
    code = (
        "from memtree import open_tree\n"
        "tree = open_tree('.')\n"
        "for n in range(300):\n"
        "    tree.search(f'seat holds {n}'); tree.query(f'tide {n}')\n"
        "for row in tree.rows(): tree.get(row.path); tree.links(row.path)\n"
        "tree.check(); tree.status(); tree.doctor()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=atlas.root,
        env=environment(None),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert atlas.files() == before
    assert {path: os.stat(path).st_mtime_ns for path in folders} == folders
    assert _git(atlas.root, "status", "--porcelain", "--untracked-files=all", "--ignored=no") == ""


@pytest.fixture
def read_only(atlas: RealTree) -> Iterator[RealTree]:
    """The tree, indexed, with every write permission taken away."""
    atlas.run("index")
    modes = {}
    for path in [atlas.root, *atlas.root.rglob("*")]:
        modes[path] = path.stat().st_mode
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield atlas
    for path, mode in modes.items():
        if path.exists():
            path.chmod(mode)


READ_ONLY_READS = [
    ("search", "seat holds", "--json"), ("search", "seat holds"), ("query", "seat holds", "--json"), ("list",), ("show", "Seat holds"),
    ("status", "--json"), ("tree",), ("links", "seat-holds", "--json"), ("check", "--json"), ("search", "seat", "--explain"),
    ("export", "--to", "jsonl"), ("log",),
]  # fmt: skip


@pytest.mark.parametrize("command", READ_ONLY_READS, ids=" ".join)
def test_an_indexed_tree_that_may_not_be_written_answers(
    read_only: RealTree, command: tuple[str, ...]
) -> None:
    done = read_only.run(*command, powerless=True)
    assert done.code in (0, 1), done
    assert done.out, done


def test_doctor_of_a_tree_that_may_not_be_written_says_so(read_only: RealTree) -> None:
    done = read_only.run("doctor", powerless=True)
    assert done.code == 1, done


@pytest.mark.parametrize(
    "command",
    [("add", "x"), ("rm", "seat-holds"), ("mv", "seat-holds", "a/b/c"), ("undo",), ("index", "--rebuild"),
     ("config", "set", "index.wait", "3"), ("watch",), ("import", "IN")],
    ids=" ".join,
)  # fmt: skip
def test_a_write_to_a_tree_that_may_not_be_written_is_refused_in_a_sentence(
    read_only: RealTree, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x.md").write_text("x\n")
    done = read_only.run(
        *[str(tmp_path / "in") if part == "IN" else part for part in command],
        powerless=True,
        timeout=30,
    )
    assert done.code in (1, 3, 4), done
    assert done.err.startswith(b"error: ") or done.code == 1, done


@pytest.mark.parametrize("command", [("search", "seat holds", "--json"), ("query", "seat holds"), ("list",), ("show", "Seat holds"), ("check",), ("doctor",), ("status",)], ids=" ".join)  # fmt: skip
def test_a_tree_without_index_that_may_not_be_written_says_so(
    read_only: RealTree, command: tuple[str, ...]
) -> None:
    (read_only.root / ".memtree").chmod(0o755)
    for name in ("cache", "state"):
        shutil.rmtree(read_only.root / ".memtree" / name, ignore_errors=True)
    (read_only.root / ".memtree").chmod(0o555)
    done = read_only.run(*command, powerless=True)
    assert done.code in (0, 1, 3, 4), done
    assert done.code == 0 or done.err.startswith(b"error: ") or command[0] == "doctor", done


@pytest.mark.parametrize("command", READ_ONLY_READS[:6], ids=" ".join)
def test_a_tree_edited_and_then_made_read_only_says_that_it_is_not_fresh(
    atlas: RealTree, command: tuple[str, ...]
) -> None:
    atlas.run("index")
    atlas.write("home/new.md", "# New\n\nnewcomer giraffe\n")
    modes = {path: path.stat().st_mode for path in [atlas.root, *atlas.root.rglob("*")]}
    for path in modes:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        done = atlas.run(*command, powerless=True)
        assert done.code in (0, 1, 3, 4), done
        if command[-1] == "--json" and command[0] in ("search", "query") and done.out:
            assert done.json["freshness"]["pending"] >= 1, done
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.mark.parametrize("has_index", [True, False], ids=["indexed", "not indexed"])
def test_a_tree_on_a_read_only_file_system_answers_or_says_why_not(
    atlas: RealTree, has_index: bool
) -> None:
    if has_index:
        atlas.run("index")
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare to mount")
    script = (
        'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" && shift && exec "$@"'
    )
    probe = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(atlas.root), "true"],
        check=False,
        capture_output=True,
    )
    if probe.returncode:
        pytest.skip("mounting is not allowed here")
    from real_tree import command

    for args in (
        ("search", "seat holds", "--json"),
        ("query", "seat holds", "--json"),
        ("list",),
        ("search", "seat", "--explain"),
        ("doctor",),
        ("add", "x"),
        ("index",),
    ):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", str(atlas.root), *command(), *args],
            check=False, capture_output=True, env=environment(None), timeout=60,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, (args, done.stderr[-1500:])
        if args[0] in ("add", "index"):
            continue
        if has_index and args[0] != "doctor":
            assert done.returncode == 0, (args, done)
        assert done.returncode in (0, 1, 3, 4), (args, done)
        assert done.stdout or done.stderr.startswith(b"error: "), (args, done)


def test_a_full_disk_under_the_cache_is_said_in_a_sentence(atlas: RealTree) -> None:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare to mount")
    from real_tree import command

    script = 'mkdir -p "$1/.memtree/cache" && mount -t tmpfs -o size=64k none "$1/.memtree/cache" && cd "$1" && shift && exec "$@"'
    probe = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", str(atlas.root), "true"],
        check=False,
        capture_output=True,
    )
    if probe.returncode:
        pytest.skip("mounting is not allowed here")
    for args in (("search", "seat holds", "--json"), ("index",), ("list",)):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", script, "sh", str(atlas.root), *command(), *args],
            check=False, capture_output=True, env=environment(None), timeout=60,
        )  # fmt: skip
        assert b"Traceback" not in done.stderr, (args, done.stderr[-1500:])
        assert done.returncode in (0, 3, 4), (args, done)
