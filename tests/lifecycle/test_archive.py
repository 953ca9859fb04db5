"""Archiving leaves a stub that is found; restoring brings the original back, byte for byte."""

from __future__ import annotations

import functools
import os
import signal
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from living_tree import NOW, START, Living

from memtree.errors import PathRefused, Refused
from memtree.lifecycle.archive import gist_of, is_stub, restore_stub, stub_of
from memtree.tree import disk, use_log
from memtree.tree.format import find_front
from memtree.tree.markdown import parse_for_index
from memtree.tree.transaction import recover

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def tree(tmp_path: Path) -> Living:
    """A tree without entries."""
    return Living(tmp_path / "tree")


FADED = ("importance: 40", f"settled: {START}")
BODY = """# Tides

Spring tides come with a full and a new moon. They are higher. See [[other]].

## Facts

- High water is at six. ^f1
- Low water is at noon. ^f2
- The harbour falls dry. ^f3
- Gulls know. ^f4
"""


def archive(tree: Living, name: str, *more: str, body: str = BODY) -> bytes:
    """An entry of which only a stub is left; returns what it was."""
    file = tree.entry(name, *FADED, *more, body=body)
    raw = file.read_bytes()
    assert tree.settle().count("archive") >= 1
    return raw


def test_the_original_goes_to_the_archive_and_a_stub_stays(tree: Living) -> None:
    raw = archive(tree, "tides", "aliases: [Springs]", "tags: [sea]", "mood: calm # mine")
    assert (tree.root / "_archive/notes/a/tides.md").read_bytes() == raw
    assert tree.read("tides") == (
        "---\ntype: fact\ntitle: About tides\nid: tides\nimportance: 7.82\n"
        f"settled: {NOW}\naliases: [Springs]\ntags: [sea]\nmood: calm # mine\nstatus: archived\n"
        'archived: "_archive/notes/a/tides.md"\n---\n# Tides\n\n'
        "> [!note] Archived by memtree on 2026-11-22\n"
        "> This is the gist. The whole entry is in `_archive/notes/a/tides.md`;\n"
        "> `memtree restore tides` brings it back.\n\n"
        "## Facts\n\n- High water is at six. ^f1\n- Low water is at noon. ^f2\n"
        "- The harbour falls dry. ^f3\n"
    )


def test_a_stub_is_found_and_what_was_archived_is_not(tree: Living) -> None:
    tree.entry("other", body="See [[tides]] and [them](tides.md).\n")
    archive(tree, "tides", "aliases: [Springs]")
    with tree.open() as opened:
        assert sorted(row.path for row in opened.rows()) == [
            "notes/a/other.md", "notes/a/tides.md",
        ]  # fmt: skip
        assert opened.resolve("springs") == "notes/a/tides.md"
        assert opened.search("high water").hits[0].path == "notes/a/tides.md"
        assert [link.resolved for link in opened.links("other").out] == ["notes/a/tides.md"] * 2
        assert [found.code for found in opened.check() if found.code == "broken-link"] == []


def test_a_stub_is_never_settled_again(tree: Living) -> None:
    archive(tree, "tides")
    tree.use("tides", "opened", "2026-11-25T00:00:00Z")
    before = tree.files()
    assert tree.settle("2036-01-01").actions == ()
    assert tree.files() == before


def test_restoring_brings_back_every_byte(tree: Living) -> None:
    raw = archive(tree, "tides")
    with tree.open() as opened:
        receipt = opened.restore("tides")
    assert {change.path: change.kind for change in receipt.changes} == {
        "notes/a/tides.md": "change", "_archive/notes/a/tides.md": "remove",
    }  # fmt: skip
    assert (tree.root / "notes/a/tides.md").read_bytes() == raw
    # Nothing of it is left in the archive, and it is not archived again at once.
    assert sorted(tree.files()) == ["_archive/.memtreeignore", "notes/a/tides.md"]
    tree.use("tides", "confirmed", "2026-11-23T00:00:00Z")
    report = tree.settle("2026-11-24")
    assert report.count("archive") == 0
    assert [kept.reason for kept in report.kept] == ["used on 2026-11-23"]


def test_restoring_is_noted_as_a_use(tree: Living) -> None:
    archive(tree, "tides")
    with tree.open() as opened:
        opened.restore("tides")
    assert [event for _, event in use_log.uses(str(tree.root))["tides"]] == ["confirmed"]


@given(
    head=st.binary(max_size=60).filter(lambda raw: b"\0" not in raw),
    body=st.binary(max_size=200).filter(lambda raw: b"\0" not in raw),
    newline=st.sampled_from([b"\n", b"\r\n"]),
    bom=st.booleans(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_whatever_the_bytes_are_they_come_back_or_nothing_was_archived(
    head: bytes,
    body: bytes,
    newline: bytes,
    bom: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines = [b"---", b"type: fact", b"id: x", b"note: " + head.split(b"\n")[0], b"---", body]
    raw = (b"\xef\xbb\xbf" if bom else b"") + newline.join(lines)
    try:
        stub = stub_of("a/x.md", raw, "_archive/a/x.md", {"importance": 30, "settled": NOW})
    except Refused:
        return
    assert is_stub(find_front(stub.decode("utf-8", "surrogateescape")).meta)
    root = tmp_path_factory.mktemp("tree")
    for path, data in (("a/x.md", stub), ("_archive/a/x.md", raw)):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_bytes(data)
    assert restore_stub(str(root), "a/x.md", at=NOW) is not None
    assert (root / "a/x.md").read_bytes() == raw
    assert not (root / "_archive/a/x.md").exists()


def test_text_that_a_person_wrote_into_a_stub_is_not_lost(tree: Living) -> None:
    archive(tree, "tides")
    file = tree.root / "notes/a/tides.md"
    file.write_text(file.read_text() + "\nMy own thoughts.\n")
    before = tree.files()
    with tree.open() as opened, pytest.raises(Refused, match="wrote into the stub") as refused:
        opened.restore("tides")
    assert refused.value.exit_code == 4
    assert tree.files() == before


def test_keys_that_a_person_changed_in_a_stub_are_carried_over(tree: Living) -> None:
    raw = archive(tree, "tides", "tags: [sea]")
    with tree.open() as opened:
        opened.set_keys("tides", {"tags": ["sea", "moon"], "owner": "Ada"})
        opened.restore("tides")
    text = tree.read("tides")
    assert text.encode() == raw.replace(b"tags: [sea]", b"tags: [sea, moon]\nowner: Ada")


def test_a_stub_that_moved_is_restored_where_it_is(tree: Living) -> None:
    raw = archive(tree, "tides", body="Plain text.\n")
    with tree.open() as opened:
        opened.move("tides", "notes/b/ebb.md")
    with tree.open() as opened:
        opened.restore("tides")
    assert (tree.root / "notes/b/ebb.md").read_bytes() == raw


def test_without_its_archive_the_history_brings_an_entry_back(tree: Living) -> None:
    raw = archive(tree, "tides")
    (tree.root / "_archive/notes/a/tides.md").unlink()
    with tree.open() as opened:
        opened.restore("tides")
    assert (tree.root / "notes/a/tides.md").read_bytes() == raw


@pytest.mark.parametrize("place", ["../outside.md", "notes/a/other.md", "/etc/hosts",
                                   "_archive/../notes/a/other.md", "_archive/.memtreeignore",
                                   ".memtree/config.toml"])  # fmt: skip
def test_a_stub_cannot_name_a_file_that_is_not_in_the_archive(tree: Living, place: str) -> None:
    tree.entry("other")
    tree.entry("bad", "status: archived", f"archived: {place}")
    before = tree.files()
    with tree.open() as opened, pytest.raises(PathRefused):
        opened.restore("bad")
    assert tree.files() == before


def test_a_taken_place_in_the_archive_is_not_overwritten(tree: Living) -> None:
    first = archive(tree, "tides")
    (tree.root / "notes/a/tides.md").unlink()
    second = archive(tree, "tides", body="Another.\n")
    assert (tree.root / "_archive/notes/a/tides.md").read_bytes() == first
    assert (tree.root / "_archive/notes/a/tides-2.md").read_bytes() == second
    with tree.open() as opened:
        opened.restore("tides")
    assert (tree.root / "notes/a/tides.md").read_bytes() == second


def test_a_persons_own_archive_folder_stays_searchable_and_theirs(tree: Living) -> None:
    tree.write("_archive/old.md", "", "Old words of mine.\n")
    tree.entry("tides", *FADED)
    report = tree.settle()
    assert report.count("archive") == 0
    assert "did not put there" in report.kept[0].reason
    with tree.open() as opened:
        assert opened.search("old words of mine").hits[0].path == "_archive/old.md"


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (("used: 2026-11-01",), "used on 2026-11-01"),
        (("verified:\n  - {by: human:ada, at: 2026-01-05}",), "verified on 2026-01-05"),
    ],
)
def test_what_somebody_needs_or_vouched_for_stays(
    tree: Living, keys: tuple[str, ...], reason: str
) -> None:
    tree.entry("tides", *FADED, *keys)
    report = tree.settle()
    assert [kept.reason for kept in report.kept] == [reason]
    assert report.count("archive") == 0
    assert not (tree.root / "_archive").exists()
    assert tree.settle("2028-01-01").count("archive") == 1


def test_what_a_core_entry_links_to_stays(tree: Living) -> None:
    tree.entry("tides", *FADED)
    tree.entry("sea", "importance: 100", "maturity: core", f"settled: {NOW}", body="[[tides]]\n")
    assert [kept.reason for kept in tree.settle().kept] == ["a core entry links to it"]


def test_what_rests_on_evidence_that_still_holds_stays(tree: Living) -> None:
    (tree.root / "pumps.py").write_text("def pump():\n    return 6\n")
    tree.entry("tides", *FADED)
    with tree.open() as opened:
        opened.anchor("tides", ["pumps.py:1-2"])
    assert [kept.reason for kept in tree.settle().kept] == ["its evidence is as it was"]
    (tree.root / "pumps.py").write_text("def pump():\n    return 7\n")
    assert tree.settle("2026-11-24").count("archive") == 1


@pytest.mark.parametrize(
    ("body", "gist"),
    [
        ("Short. And sweet.\n\nMore.\n", "Short. And sweet."),
        ("```python\nx = 1\n```\n\nThen words.\n", "Then words."),
        ("A sentence of some length stands here. " * 20, None),
        ("", ""),
        ("| a | b |\n|---|---|\n", ""),
        ("Words here.\n## Later\nMore.\n", "Words here."),
        ("- one\n- two\n- three\n- four\n", "- one\n- two\n- three"),
        ("Words.\n\n### Facts\n\n- One. ^f1\n\n# More\n\n- no fact\n", "### Facts\n\n- One. ^f1"),
    ],
)
def test_the_gist_is_how_a_text_begins(body: str, gist: str | None) -> None:
    found = gist_of(parse_for_index("a.md", body.encode()), body)
    if gist is None:
        assert 75 < len(found) <= 300
        assert found.endswith("here.")
    else:
        assert found == gist


# -- Crashes.


def _fork_and_die(work: Callable[[], object], at_step: int) -> bool:
    """Run `work` in a process that is killed after so many steps; False when it finished first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        steps = 0

        def die(_: str) -> None:
            nonlocal steps
            if steps == at_step:
                os.kill(os.getpid(), signal.SIGKILL)
            steps += 1

        disk.on_step = die
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="crashes need fork")
def test_a_crash_at_any_step_leaves_the_old_tree_or_the_new_one(tmp_path: Path) -> None:
    def grown(name: str) -> Living:
        tree = Living(tmp_path / name)
        tree.entry("tides", *FADED, body=BODY)
        tree.scored("rising", 60, "draft", "2026-11-20T00:00:00Z")
        tree.use("rising", "edited", "2026-11-21T00:00:00Z")
        tree.use("rising", "edited", "2026-11-21T01:00:00Z")
        return tree

    whole = grown("whole")
    old = whole.files()
    whole.settle()
    new = whole.files()
    assert new != old
    seen = set()
    for step in range(100):
        tree = grown(f"t{step}")
        died = _fork_and_die(functools.partial(tree.settle), step)
        recover(str(tree.root))
        assert tree.files() in (old, new)
        seen.add(tree.files() == new)
        tree.settle()
        assert tree.files() == new
        if not died:
            break
    else:
        pytest.fail("more steps than expected")
    assert seen == {True, False}
