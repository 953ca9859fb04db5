"""Topic 3: an answer is never from before an edit, and never silently so."""

# ruff: noqa: E501  (tables of cases read better on one line each)

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from real_tree import RealTree, environment

from memtree import open_tree


@contextmanager
def watching(tree: RealTree) -> Iterator[subprocess.Popen[bytes]]:
    process = tree.start("watch", "--json")
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.terminate()
        process.wait(10)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def _hold_the_catalog(tree: RealTree) -> sqlite3.Connection:
    """What a process that indexes for a long time looks like to others."""
    db = sqlite3.connect(tree.root / ".memtree/cache/catalog.db", isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    return db


def test_an_empty_answer_while_something_waits_says_so(tree: RealTree) -> None:
    tree.run("config", "set", "index.wait", "0.2")
    tree.write("a/old.md", "old hippo\n")
    assert tree.found("hippo")
    tree.write("a/new.md", "new giraffe\n")
    db = _hold_the_catalog(tree)
    try:
        for verb in ("search", "query"):
            done = tree.run(verb, "giraffe", "--json")
            assert done.json["freshness"]["pending"] >= 1, done
            told = tree.run(verb, "giraffe")
            assert b"not indexed" in told.out + told.err, told
            partial = tree.run(verb, "hippo", "--json")
            assert partial.json["hits"]
            assert partial.json["freshness"]["pending"] >= 1, partial
        (tree.root / "x.txt").write_text("hippo\ngiraffe\n")
        batch = tree.run("search", "--batch", "x.txt", "--json")
        for line in batch.out.splitlines():
            assert json.loads(line)["freshness"]["pending"] >= 1, batch
        status = tree.run("status", "--json")
        assert status.json["pending"] >= 1, status
        listed = tree.run("list")
        assert b"new.md" in listed.out or listed.err, "list leaves a file out without a word"
    finally:
        db.close()
    assert tree.found("giraffe") == ["a/new.md"]


def test_a_deleted_file_is_not_shown_as_found_while_another_process_indexes(tree: RealTree) -> None:
    tree.run("config", "set", "index.wait", "0.2")
    tree.write("a/old.md", "old hippo\n")
    tree.write("a/other.md", "other\n")
    assert tree.found("hippo")
    os.remove(tree.root / "a/old.md")
    db = _hold_the_catalog(tree)
    try:
        done = tree.run("search", "hippo", "--json")
        answer = done.json
        assert not answer["hits"] or answer["freshness"]["pending"] >= 1, done
    finally:
        db.close()


def test_deletes_leave_no_ghosts_anywhere(tree: RealTree) -> None:
    tree.write(
        "a/gone.md",
        "---\ntitle: Gone Giraffe\nid: gonegiraffe\naliases: [long neck]\nquestions: [Who is tall?]\ntags: [spotted]\n---\nsavanna body\n",
    )
    tree.write("a/dup.md", "---\nid: gonegiraffe\ntitle: [\n---\nx\n")
    tree.write("a/stays.md", "see [[gone]] and [[Gone Giraffe]]\n")
    questions = [
        "gonegiraffe",
        "Gone Giraffe",
        "long neck",
        "Who is tall?",
        "savanna",
        "spotted",
        "a/gone.md",
        "gone girafe",
        "savan*",
        '"savanna body"',
    ]
    for question in questions:
        assert "a/gone.md" in tree.found(question), question
    os.remove(tree.root / "a/gone.md")
    os.remove(tree.root / "a/dup.md")
    for question in questions:
        for verb in ("search", "query"):
            assert "a/gone.md" not in tree.found(question, verb=verb), question
        for tier in ("exact", "fuzzy", "fulltext"):
            assert "a/gone.md" not in tree.found(question, "--tier", tier), (question, tier)
    links = tree.run("links", "a/stays.md", "--json").json
    assert "a/gone.md" not in json.dumps([row["resolved"] for row in links["out"]])
    assert (
        {item["path"] for item in json.loads(tree.run("check", "--json").out)["problems"]}
        <= {"a/stays.md"}
        if isinstance(json.loads(tree.run("check", "--json").out), dict)
        else True
    )
    codes = tree.codes()
    assert set(codes) == {"a/stays.md"}, codes
    assert tree.run("show", "gonegiraffe").code == 1
    assert b"gone" not in tree.run("list").out
    assert b"savanna" not in tree.run("export", "--to", "jsonl").out
    assert tree.run("status", "--json").json["entries"] == 1


def test_findings_of_a_file_go_when_the_file_is_mended(tree: RealTree) -> None:
    tree.write("a/bad.md", "---\ntitle: [\n---\nx\n")
    assert "a/bad.md" in tree.codes()
    tree.write("a/bad.md", "---\ntitle: fine\n---\nx\n")
    assert "a/bad.md" not in tree.codes()


@pytest.mark.slow
def test_a_storm_of_renames_ends_where_a_rebuild_ends(tree: RealTree) -> None:
    chance = random.Random(7)
    words = [f"word{n}" for n in range(40)]
    for number in range(200):
        tree.write(
            f"d{number % 9}/n{number}.md", " ".join(chance.sample(words, 4)) + f" own{number}\n"
        )
    with open_tree(str(tree.root)) as library:
        for _ in range(12):
            for _ in range(60):
                files = list(tree.root.rglob("*.md"))
                source, target = chance.choice(files), chance.choice(files)
                if chance.random() < 0.7:
                    target = target.parent / f"n{chance.randrange(300)}.md"
                os.replace(source, target)
            library.search("word1")
        live = {row.path: row.digest for row in library.rows()}
        answers = {word: {hit.path for hit in library.search(word).hits} for word in words}
    on_disk = {p.relative_to(tree.root).as_posix() for p in tree.root.rglob("*.md")}
    assert set(live) == on_disk
    tree.run("index", "--rebuild")
    with open_tree(str(tree.root)) as fresh:
        assert {row.path: row.digest for row in fresh.rows()} == live
        from memtree.knowledge.query import Query

        for word in words:
            rebuilt = {hit.path for hit in fresh.search(Query(word, limit=300)).hits}
            assert answers[word] <= rebuilt


@pytest.mark.slow
def test_checking_out_branches_of_three_thousand_files_is_followed(tree: RealTree) -> None:
    def git(*args: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@x", *args],
            cwd=tree.root,
            check=True,
            capture_output=True,
        )

    git("init", "-q", "-b", "main")
    for number in range(3000):
        tree.write(
            f"d{number % 30}/n{number}.md", f"# Note {number}\n\nmain giraffe item{number}\n"
        )
    git("add", ".")
    git("commit", "-qm", "main")
    git("checkout", "-qb", "other")
    for number in range(3000):
        path = tree.root / f"d{number % 30}/n{number}.md"
        if number % 3 == 0:
            path.unlink()
        elif number % 3 == 1:
            path.write_text(f"# Note {number}\n\nside giraffe item{number}\n")
    git("add", "-A")
    git("commit", "-qm", "other")
    for turn in range(3):
        for branch, word, count in (("main", "main", 3000), ("other", "side", 2000)):
            git("checkout", "-q", branch)
            answer = tree.run(
                "search", "--json", "--tier", "fulltext", f"{word} item1", "--limit", "3"
            ).json
            assert answer["freshness"] == {"indexed": count, "pending": 0}, (turn, branch)
            assert answer["hits"][0]["path"] == "d1/n1.md", (turn, branch)
            assert word in answer["hits"][0]["snippet"]
            assert (tree.found("item3")[:1] == ["d3/n3.md"]) == (branch == "main")
    status = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all"],
        cwd=tree.root,
        check=True,
        capture_output=True,
    )
    assert status.stdout == b""


@pytest.mark.slow
def test_an_edit_while_watching_is_found_by_the_very_next_search_every_time(
    tree: RealTree, tmp_path: Path
) -> None:
    tree.write("a/seed.md", "seed\n")
    chance = random.Random(3)
    outside = tmp_path / "outside"
    with watching(tree):
        for turn in range(24):
            word = f"uniqueword{turn}x"
            how = turn % 8
            if how == 0:
                tree.write(f"a/n{turn}.md", f"{word}\n")
                expected = f"a/n{turn}.md"
            elif how == 1:
                tree.write("a/seed.md", f"{word}\n")
                expected = "a/seed.md"
            elif how == 2:
                tree.write(f"new{turn}/deep/er/n.md", f"{word}\n")
                expected = f"new{turn}/deep/er/n.md"
            elif how == 3:
                temporary = tree.write("a/.tmp", f"{word}\n")
                os.replace(temporary, tree.root / "a/seed.md")
                expected = "a/seed.md"
            elif how == 4:
                shutil.rmtree(outside, ignore_errors=True)
                (outside / "in").mkdir(parents=True)
                (outside / "in/n.md").write_text(f"{word}\n")
                os.rename(outside, tree.root / f"moved{turn}")
                expected = f"moved{turn}/in/n.md"
            elif how == 5:  # a file in the folder that was moved in a turn ago
                tree.write(f"moved{turn - 1}/in/again.md", f"{word}\n")
                expected = f"moved{turn - 1}/in/again.md"
            elif how == 6:
                os.rename(tree.root / f"moved{turn - 2}", tree.root / f"renamed{turn}")
                tree.write(f"renamed{turn}/in/third.md", f"{word}\n")
                expected = f"renamed{turn}/in/third.md"
            else:
                os.remove(tree.root / f"renamed{turn - 1}/in/third.md")
                assert tree.found(f"uniqueword{turn - 1}x", "--tier", "fulltext") == [], turn
                continue
            assert tree.found(word)[:1] == [expected], (turn, how)
            if chance.random() < 0.1:
                time.sleep(0.4)


@pytest.mark.slow
def test_deleting_the_cache_while_watching_costs_nothing_but_time(tree: RealTree) -> None:
    for number in range(50):
        tree.write(f"a/n{number}.md", f"hippo item{number}\n")
    with watching(tree) as process:
        for turn in range(8):
            while (tree.root / ".memtree/cache").exists():
                # The watcher may be writing there this very moment.
                shutil.rmtree(tree.root / ".memtree/cache", ignore_errors=True)
            if turn % 2:
                tree.write(f"a/late{turn}.md", f"latecomer{turn}\n")
                assert tree.found(f"latecomer{turn}") == [f"a/late{turn}.md"]
            else:
                time.sleep(0.2 * (turn % 4))
                assert tree.found("item7") == ["a/n7.md"]
            assert len(tree.found("hippo", "--limit", "100")) == 50
        assert process.poll() is None


@pytest.mark.slow
def test_a_rebuild_while_watching_loses_no_edit(tree: RealTree) -> None:
    for number in range(50):
        tree.write(f"a/n{number}.md", f"hippo item{number}\n")
    with watching(tree) as process:
        for turn in range(6):
            tree.write("a/n1.md", f"hippo version{turn}\n")
            assert tree.run("index", "--rebuild", "--json").code == 0
            assert tree.found(f"version{turn}") == ["a/n1.md"]
            tree.write("a/n2.md", f"hippo second{turn}\n")
            assert tree.found(f"second{turn}") == ["a/n2.md"]
        assert process.poll() is None


def test_a_watcher_that_was_killed_is_no_watcher(tree: RealTree) -> None:
    tree.write("a/n.md", "hippo\n")
    process = tree.start("watch", "--json")
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()
    tree.write("a/m.md", "giraffe\n")
    assert tree.found("giraffe") == ["a/m.md"]
    assert tree.run("doctor").code == 0


def test_a_watcher_that_is_stopped_does_not_make_a_search_stale(tree: RealTree) -> None:
    import signal

    tree.write("a/n.md", "hippo\n")
    with watching(tree) as process:
        process.send_signal(signal.SIGSTOP)
        try:
            tree.write("a/m.md", "giraffe\n")
            assert tree.found("giraffe") == ["a/m.md"]
        finally:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("seconds", [-86400 * 400, -5, 0, 5, 86400 * 400])
def test_files_from_another_time_are_followed(tree: RealTree, seconds: int) -> None:
    file = tree.write("a/n.md", "word00001\n")
    when = time.time() + seconds
    os.utime(file, (when, when))
    assert tree.found("word00001")
    for turn in range(2, 12):
        file.write_text(f"word{turn:05}\n")  # the same size, the same time
        os.utime(file, (when, when))
        assert tree.found(f"word{turn:05}") == ["a/n.md"]


def test_a_faked_clock_that_jumps_back_hides_no_edit(tree: RealTree) -> None:
    code = (
        "import time, sys\n"
        "shift = int(sys.argv[1]) * 10**9\n"
        "real = time.time_ns\n"
        "time.time_ns = lambda: real() + shift\n"
        "from memtree._fast import run\n"
        "sys.exit(run(sys.argv[2:]))\n"
    )
    import sys

    for turn, shift in enumerate((0, -100000, 100000, -3, 3, 0)):
        tree.write("a/n.md", f"word{turn:05}\n")
        done = subprocess.run(
            [sys.executable, "-c", code, str(shift), "search", "--json", f"word{turn:05}"],
            cwd=tree.root, env=environment(None), capture_output=True, check=False,
        )  # fmt: skip
        assert [hit["path"] for hit in json.loads(done.stdout)["hits"]] == ["a/n.md"], (turn, done)


def test_an_open_library_follows_what_another_process_rebuilt(tree: RealTree) -> None:
    tree.write("a/one.md", "---\ntitle: One\n---\nhippo [[Two]]\n")
    tree.write("a/deux.md", "---\ntitle: Two\n---\nx\n")
    with open_tree(str(tree.root)) as library:
        assert library.search("hippo").hits
        assert library.links("a/one.md").out[0].resolved == "a/deux.md"
        for turn in range(4):
            tree.write("a/deux.md", f"---\ntitle: Other {turn}\n---\nx\n")
            tree.write(f"a/three{turn}.md", f"---\ntitle: Two\n---\ngiraffe{turn}\n")
            if turn:
                os.remove(tree.root / f"a/three{turn - 1}.md")
            assert tree.run("index", "--rebuild").code == 0
            assert [hit.path for hit in library.search(f"giraffe{turn}").hits] == [
                f"a/three{turn}.md"
            ]
            assert library.links("a/one.md").out[0].resolved == f"a/three{turn}.md", turn
            codes = {(item.path, item.code) for item in library.check()}
            assert ("a/one.md", "broken-link") not in codes


def test_an_open_library_follows_edits_of_the_settings(tree: RealTree) -> None:
    tree.write("a/one.md", "hippo\n")
    tree.write("b/two.md", "hippo\n")
    with open_tree(str(tree.root)) as library:
        assert len(library.search("hippo").hits) == 2
        tree.run("config", "set", "search.ignore", "b/")
        assert [hit.path for hit in library.search("hippo").hits] == ["a/one.md"]
        (tree.root / ".gitignore").write_text("a/\n")
        assert library.search("hippo").hits == []
        (tree.root / ".gitignore").unlink()
        tree.run("config", "set", "search.ignore", "")
        assert len(library.search("hippo").hits) == 2


def test_a_note_under_a_new_ignore_file_deep_in_the_tree_leaves_and_comes_back(
    tree: RealTree,
) -> None:
    tree.write("a/b/one.md", "hippo\n")
    tree.write("a/b/two.md", "hippo\n")
    assert len(tree.found("hippo")) == 2
    tree.write("a/b/.memtreeignore", "two.md\n")
    assert tree.found("hippo") == ["a/b/one.md"]
    tree.write("a/b/.memtreeignore", "one.md\n")
    assert tree.found("hippo") == ["a/b/two.md"]
    (tree.root / "a/b/.memtreeignore").unlink()
    assert len(tree.found("hippo")) == 2
