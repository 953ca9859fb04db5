"""Topic 4: many processes on one tree: no traceback, nothing lost."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_tree import RealTree, environment, new_tree

from memtree import open_tree

WORKER = """
import subprocess, sys, json
number, rounds = int(sys.argv[1]), int(sys.argv[2])
command = [sys.executable, "-c", "import sys; from memtree._fast import main; sys.exit(main())"]
for turn in range(rounds):
    word = f"worker{number}turn{turn}"
    done = subprocess.run([*command, "add", f"The {word} saw a hippo.", "--to", f"zoo/pen{turn % 3}", "--json"], capture_output=True)
    if done.returncode != 0 or b"Traceback" in done.stderr:
        print("ADD", done.returncode, done.stderr.decode()[-1500:]); continue
    path = json.loads(done.stdout)["path"]
    done = subprocess.run([*command, "search", word, "--json"], capture_output=True)
    if b"Traceback" in done.stderr or not done.stdout:
        print("SEARCH", done.returncode, done.stderr.decode()[-1500:]); continue
    answer = json.loads(done.stdout)
    if path not in [hit["path"] for hit in answer["hits"]] and not answer["freshness"]["pending"]:
        print("LOST", word, path, answer["freshness"])
"""


def _start(code: str, *args: str, cwd: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *args], cwd=cwd, env=environment(None),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _end(processes: list[subprocess.Popen[bytes]], timeout: float = 300) -> str:
    return "".join(process.communicate(timeout=timeout)[0].decode() for process in processes)


@pytest.mark.slow
def test_eight_processes_that_add_and_search_lose_nothing(tree: RealTree) -> None:
    said = _end([_start(WORKER, str(n), "8", cwd=tree.root) for n in range(8)])
    assert said == "", said
    for number in range(8):
        for turn in range(8):
            word = f"worker{number}turn{turn}"
            assert len(tree.found(word, "--tier", "fulltext")) == 1, word
    assert len(list((tree.root / "zoo").rglob("*.md"))) == 64
    assert tree.run("check").code == 0


SEARCHER = """
import subprocess, sys, json
command = [sys.executable, "-c", "import sys; from memtree._fast import main; sys.exit(main())"]
for turn in range(int(sys.argv[1])):
    verb = ["search", "query", "search"][turn % 3]
    done = subprocess.run([*command, verb, "hippo", "--json", "--limit", "100"], capture_output=True)
    if b"Traceback" in done.stderr or not done.stdout or done.returncode not in (0, 1):
        print("CRASH", done.returncode, done.stderr.decode()[-1800:]); continue
    answer = json.loads(done.stdout)
    if len(answer["hits"]) != 40 and verb == "search" and not answer["freshness"]["pending"]:
        print("PARTIAL without a word", len(answer["hits"]), answer["freshness"])
"""
REBUILDER = """
import subprocess, sys, json
command = [sys.executable, "-c", "import sys; from memtree._fast import main; sys.exit(main())"]
for turn in range(int(sys.argv[1])):
    done = subprocess.run([*command, "index", "--rebuild", "--json"], capture_output=True)
    if b"Traceback" in done.stderr or done.returncode not in (0, 3):
        print("REBUILD", done.returncode, done.stderr.decode()[-1800:])
"""


def _forty(tree: RealTree) -> None:
    for number in range(40):
        tree.write(f"a/n{number}.md", f"# Note {number}\n\nhippo item{number}\n")


@pytest.mark.slow
def test_searches_beside_a_loop_of_rebuilds_never_crash_and_never_lie(tree: RealTree) -> None:
    _forty(tree)
    tree.run("index")
    processes = [_start(REBUILDER, "25", cwd=tree.root)]
    processes += [_start(SEARCHER, "30", cwd=tree.root) for _ in range(3)]
    assert _end(processes) == ""
    assert len(tree.found("hippo", "--limit", "100")) == 40


@pytest.mark.slow
def test_two_loops_of_rebuilds_end_in_a_whole_index(tree: RealTree) -> None:
    _forty(tree)
    processes = [_start(REBUILDER, "20", cwd=tree.root) for _ in range(3)]
    assert _end(processes) == ""
    assert len(tree.found("hippo", "--limit", "100")) == 40


@pytest.mark.slow
def test_eight_first_searches_of_a_new_tree_at_once_all_answer(tmp_path: Path) -> None:
    said = []
    for turn in range(6):
        tree = new_tree(tmp_path / f"tree{turn}")
        _forty(tree)
        said.append(_end([_start(SEARCHER, "1", cwd=tree.root) for _ in range(8)]))
        assert len(tree.found("hippo", "--limit", "100")) == 40
    assert "".join(said) == ""


@pytest.mark.slow
def test_a_library_reads_on_while_others_rebuild_and_edit(tree: RealTree) -> None:
    _forty(tree)
    with open_tree(str(tree.root)) as library:
        assert len(library.search("hippo").hits) == 10
        rebuilder = _start(REBUILDER, "12", cwd=tree.root)
        turn = 0
        try:
            while rebuilder.poll() is None:
                turn += 1
                tree.write("a/n1.md", f"hippo turnword{turn}\n")
                answer = library.search(f"turnword{turn}")
                assert answer.pending or [hit.path for hit in answer.hits][:1] == ["a/n1.md"], turn
                library.status()
                library.check()
                time.sleep(0.01)
        finally:
            said = _end([rebuilder])
        assert said == ""
        assert library.search(f"turnword{turn}").hits


@pytest.mark.slow
def test_writers_of_every_kind_at_once_lose_nothing(tree: RealTree) -> None:
    _forty(tree)
    tree.write("a/hub.md", "".join(f"- [[n{n}]]\n" for n in range(40)))
    code = """
import subprocess, sys, json
number = int(sys.argv[1])
command = [sys.executable, "-c", "import sys; from memtree._fast import main; sys.exit(main())"]
for turn in range(5):
    target = f"a/n{number * 5 + turn}.md"
    done = subprocess.run([*command, "mv", target, f"moved/by{number}/n{number * 5 + turn}.md", "--json"], capture_output=True)
    if done.returncode != 0:
        print("MV", target, done.returncode, done.stderr.decode()[-1500:])
"""
    said = _end([_start(code, str(n), cwd=tree.root) for n in range(8)])
    # Another's move may rewrite the hub between our reading and writing: that is said with 4.
    assert "Traceback" not in said, said
    files = {path.name for path in tree.root.rglob("n*.md")}
    assert files == {f"n{n}.md" for n in range(40)}
    broken = [code for codes in tree.codes().values() for code in codes if "broken" in code]
    assert broken == []
    assert said == "", said


def test_two_watchers_are_one_too_many(tree: RealTree) -> None:
    first = tree.start("watch", "--json")
    try:
        assert first.stdout is not None
        first.stdout.readline()
        second = tree.run("watch", timeout=20)
        assert second.code == 4, second
    finally:
        first.terminate()
        first.communicate()


def test_a_json_document_a_line_comes_from_watch(tree: RealTree) -> None:
    process = tree.start("watch", "--json")
    assert process.stdout is not None
    try:
        assert isinstance(json.loads(process.stdout.readline()), dict)
    finally:
        process.terminate()
        process.communicate()
