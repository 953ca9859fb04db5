"""The index follows the files, whatever happens to them, and ends where a rebuild ends."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtree.app import Tree, init_tree
from memtree.index.catalog import FILE as CATALOG
from memtree.index.full_text import FOLDER, FullText, Writer
from memtree.knowledge.query import Query
from memtree.retrieve.engine import CACHE


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return init_tree(str(tmp_path / "tree"))


def put(tree: Tree, path: str, text: str) -> Path:
    place = Path(tree.root) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    return place


def state(tree: Tree) -> object:
    """Everything that a search can see, without the numbers that depend on history."""
    engine = tree.engine()
    catalog = engine.catalog
    rows = list(catalog.all_rows())
    path_of = {row.number: row.path for row in rows}
    keys = sorted((path_of[n], key, kind) for n, key, kind in catalog.keys_of(path_of))
    links = sorted(
        (row.path, target, kind, line, rel)
        for row in rows
        for target, kind, line, rel in catalog.links_from(row.number)
    )
    found = engine.full_text.search(engine.full_text.everything(), 100_000)
    passages = sorted(
        (path_of[item.entry], item.passage & 0xFFFF, item.first, item.last,
         engine.full_text.text(item))
        for item in found
    )  # fmt: skip
    facts = [(row.path, row.id, row.title, row.tags, row.digest, row.fts) for row in rows]
    return facts, keys, links, passages, sorted(catalog.problems()), catalog.pending()


def rebuilt(tree: Tree) -> object:
    copy = Tree(tree.root)
    copy.refresh(rebuild=True)
    return state(copy)


def test_an_edit_reindexes_one_entry(tree: Tree) -> None:
    for number in range(20):
        put(tree, f"a/b/note-{number}.md", f"# Note {number}\n\nabout thing{number}\n")
    assert tree.refresh().changed == 20
    put(tree, "a/b/note-7.md", "# Note 7\n\nabout zebras\n")
    report = tree.refresh()
    assert (report.changed, report.removed, report.pending) == (1, 0, 0)
    assert [hit.path for hit in tree.search("zebras").hits] == ["a/b/note-7.md"]
    assert not tree.search(Query("thing7", tier="fulltext")).hits
    assert tree.refresh().changed == 0


def test_an_edit_that_keeps_size_and_modification_time_is_seen(tree: Tree) -> None:
    place = put(tree, "a/b/c.md", "the colour is green\n")
    before = place.stat()
    tree.refresh()
    place.write_text("the colour is black\n", encoding="utf-8")
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert tree.search("black").hits
    assert not tree.search(Query("green", tier="fulltext")).hits


@pytest.mark.parametrize("jump", [-10 * 365 * 86400, 10 * 365 * 86400])
def test_a_clock_that_jumps_hides_no_edit(tree: Tree, jump: int) -> None:
    place = put(tree, "a/b/c.md", "first words\n")
    tree.refresh()
    place.write_text("other words entirely\n", encoding="utf-8")
    moment = time.time() + jump
    os.utime(place, (moment, moment))
    assert tree.search("entirely").hits
    assert state(tree) == rebuilt(tree)


def test_touched_files_are_not_indexed_again(tree: Tree) -> None:
    place = put(tree, "a/b/c.md", "words\n")
    tree.refresh()
    os.utime(place, (1, 1))
    report = tree.refresh()
    assert (report.changed, report.removed) == (0, 0)


def test_a_deleted_cache_costs_nothing_but_time(tree: Tree) -> None:
    put(tree, "a/b/c.md", "# Kept\n\nzebra\n")
    tree.refresh()
    before = state(tree)
    tree.close()
    shutil.rmtree(Path(tree.root) / CACHE)
    assert state(tree) == before


@pytest.mark.parametrize("victim", [CATALOG, "meta.json", "segment"])
def test_a_damaged_cache_is_rebuilt(tree: Tree, victim: str) -> None:
    put(tree, "a/b/c.md", "# Kept\n\nzebra\n")
    tree.refresh()
    before = state(tree)
    tree.close()
    folder = Path(tree.root) / CACHE
    if victim == CATALOG:
        for suffix in ("-wal", "-shm"):
            (folder / (CATALOG + suffix)).unlink(missing_ok=True)
        (folder / CATALOG).write_bytes(b"not a database at all" * 100)
    elif victim == "meta.json":
        (folder / FOLDER / "meta.json").write_text("{")
    else:
        for part in (folder / FOLDER).glob("*.store"):
            part.unlink()
    assert state(tree) == before


def test_half_of_the_cache_gone_is_noticed(tree: Tree) -> None:
    put(tree, "a/b/c.md", "# Kept\n\nzebra\n")
    tree.refresh()
    tree.close()
    shutil.rmtree(Path(tree.root) / CACHE / FOLDER)
    assert tree.search("zebra").hits


def test_a_branch_switch_of_thousands_of_files_converges(tree: Tree) -> None:
    for number in range(1500):
        put(tree, f"a/t{number % 7}/n{number}.md", f"# N{number}\n\nold branch {number}\n")
    tree.refresh()
    for number in range(0, 1500, 2):
        (Path(tree.root) / f"a/t{number % 7}/n{number}.md").unlink()
    for number in range(1, 1500, 2):
        put(tree, f"a/t{number % 7}/n{number}.md", f"# N{number}\n\nnew branch {number}\n")
    for number in range(1500, 2000):
        put(tree, f"b/n{number}.md", f"# N{number}\n\nnew branch {number}\n")
    report = tree.refresh()
    assert (report.changed, report.removed, report.indexed) == (1250, 750, 1250)
    assert state(tree) == rebuilt(tree)


def test_a_busy_writer_makes_changes_pending_and_never_lost(tree: Tree) -> None:
    put(tree, "a/b/one.md", "# One\n\nalpha\n")
    tree.refresh()
    engine = tree.engine()
    other = FullText(str(Path(tree.root) / CACHE), language=engine.language)
    writer = Writer(other, bulk=False)
    put(tree, "a/b/two.md", "# Second Title\n\nbeta\n")
    report = tree.refresh(wait_s=0.1)
    assert report.pending == 1
    answer = engine.search(Query("second title"))
    assert answer.pending == 1
    assert [hit.path for hit in answer.hits] == ["a/b/two.md"]  # by its name, all the same
    writer.commit(settle=True)
    assert tree.refresh().pending == 0
    assert [hit.path for hit in tree.search("beta").hits] == ["a/b/two.md"]


def test_an_answer_from_an_old_passage_is_not_given(tree: Tree) -> None:
    put(tree, "a/b/one.md", "# One\n\nalpha\n")
    tree.refresh()
    other = FullText(str(Path(tree.root) / CACHE), language=tree.engine().language)
    writer = Writer(other, bulk=False)
    put(tree, "a/b/one.md", "# One\n\nomega\n")
    assert tree.refresh(wait_s=0.1).pending == 1
    assert not tree.engine().search(Query("alpha", tier="fulltext")).hits
    writer.commit(settle=True)


def test_a_second_process_can_search_while_one_writes(tree: Tree) -> None:
    put(tree, "a/b/one.md", "# One\n\nalpha\n")
    tree.refresh()
    other = FullText(str(Path(tree.root) / CACHE), language=tree.engine().language)
    writer = Writer(other, bulk=False)
    command = [sys.executable, "-m", "memtree", "search", "alpha", "--json", "--tree", tree.root]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert '"a/b/one.md"' in done.stdout
    writer.commit(settle=True)


def test_a_refresh_killed_at_any_commit_is_finished_by_the_next(tree: Tree) -> None:
    put(tree, "a/b/one.md", "# One\n\nalpha\n")
    tree.refresh()
    tree.close()
    script = (
        "import os, sys\n"
        "from memtree.app import Tree\n"
        "from memtree.index import full_text, intake\n"
        "point = sys.argv[2]\n"
        "die = lambda *a, **k: os._exit(9)\n"
        "if point == 'before': full_text.Writer.commit = die\n"
        "if point == 'after': full_text.FullText.reload = die\n"
        "if point == 'store': intake.Intake.note_oddities = die\n"
        "Tree(sys.argv[1]).refresh()\n"
    )
    for turn, point in enumerate(("before", "after", "store")):
        put(tree, "a/b/one.md", f"# One\n\nbeta{turn}\n")
        put(tree, f"a/b/new{turn}.md", f"# New\n\ngamma{turn}\n")
        (Path(tree.root) / f"a/b/new{turn - 1}.md").unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-c", script, tree.root, point], timeout=60, check=False
        )
        assert done.returncode == 9
        assert state(tree) == rebuilt(tree)
        assert len(tree.search(Query(f"beta{turn}", tier="fulltext")).hits) == 1
        tree.close()


NAMES = ["a/x.md", "a/y.md", "a/b/z.md", "c/ü.md", "c/知識.md", "d/e/f/g.md"]
WORDS = ["alpha", "beta [[y]]", "---\nid: i1\ntags: [t]\n---\ngamma", "# T\n\ndelta #tag", ""]
STEP = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(WORDS)),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just("")),
    st.tuples(st.just("move"), st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.tuples(st.just("refresh"), st.just(""), st.just("")),
    st.tuples(st.just("forget"), st.just(""), st.just("")),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=1, max_size=12))
def test_refreshing_equals_rebuilding_after_any_sequence_of_edits(
    steps: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tree = init_tree(str(tmp_path_factory.mktemp("t") / "tree"))
    for kind, one, other in steps:
        place = Path(tree.root) / one
        if kind == "write":
            put(tree, one, other)
        elif kind == "remove":
            place.unlink(missing_ok=True)
        elif kind == "move" and place.is_file():
            target = Path(tree.root) / other
            target.parent.mkdir(parents=True, exist_ok=True)
            place.replace(target)
        elif kind == "refresh":
            tree.refresh()
        elif kind == "forget":
            tree.close()
            shutil.rmtree(Path(tree.root) / CACHE, ignore_errors=True)
    assert state(tree) == rebuilt(tree)
    tree.close()


def test_the_catalog_is_one_that_others_can_read(tree: Tree) -> None:
    put(tree, "a/b/c.md", "---\nid: abc\n---\n# Title\n")
    tree.refresh()
    with sqlite3.connect(Path(tree.root) / CACHE / CATALOG) as db:
        assert db.execute("SELECT path, id, title FROM entry").fetchall() == [
            ("a/b/c.md", "abc", "Title")
        ]
    db.close()
