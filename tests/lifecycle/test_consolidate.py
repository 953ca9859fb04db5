"""Settling a tree: what rises, what sinks, what is left alone, and that all of it is one change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from living_tree import NOW, START, Living

from memtree.errors import Refused, UsageError
from memtree.knowledge.lifecycle import Policy
from memtree.lifecycle.consolidate import consolidate
from memtree.lifecycle.decide import Judges
from memtree.tree import use_log

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.lifecycle.consolidate import Consolidation


@pytest.fixture
def tree(tmp_path: Path) -> Living:
    """A tree without entries."""
    return Living(tmp_path / "tree")


SOURCE = ("sources:", f"  - {{resource: x.py, digest: {'0' * 64}}}")


def done(report: Consolidation) -> dict[str, str]:
    return {
        action.path.removeprefix("notes/a/").removesuffix(".md"): action.kind
        for action in report.actions
    }


def test_what_was_used_rises_and_the_rest_sinks(tree: Living) -> None:
    tree.scored("used", 60, "draft", "2026-11-12T12:00:00Z")
    tree.scored("idle", 60, "draft", "2026-11-12T12:00:00Z")
    tree.use("used", "edited", "2026-11-20T00:00:00Z")
    tree.use("used", "cited", "2026-11-21T00:00:00Z")
    tree.use("used", "shown", "2026-11-21T00:00:00Z")
    report = tree.settle()
    assert done(report) == {"idle": "settle", "used": "promote"}
    assert tree.read("idle") == (
        "---\ntype: fact\ntitle: About idle\nid: idle\nimportance: 57.07\nmaturity: draft\n"
        f"settled: {NOW}\n---\nSome text.\n"
    )
    assert tree.read("used") == (
        "---\ntype: fact\ntitle: About used\nid: used\nimportance: 64.98\nmaturity: validated\n"
        f"settled: {NOW}\nused: 2026-11-21T00:00:00Z\n---\nSome text.\n"
    )
    action = next(one for one in report.actions if one.path.endswith("used.md"))
    assert (action.importance, action.uses) == ((60, 64.98), 2)


def test_settling_again_at_the_same_moment_changes_nothing(tree: Living) -> None:
    for number in range(8):
        tree.scored(f"e{number}", 12 * number + 5, ("draft", "validated", "core")[number % 3])
        tree.use(f"e{number}", "opened", f"2026-0{number + 1}-01T00:00:00Z")
    tree.entry("new")
    tree.use("new", "opened", "2026-10-01T00:00:00Z")
    first = tree.settle()
    assert first.transaction
    after = tree.files()
    again = tree.settle()
    assert (again.actions, again.transaction) == ((), "")
    assert tree.files() == after
    # Neither does the loss of the log, now that it is settled.
    shutil.rmtree(tree.root / ".memtree" / "state")
    assert tree.settle().actions == ()


def test_settling_in_between_makes_no_difference(tmp_path: Path) -> None:
    once, often = Living(tmp_path / "once"), Living(tmp_path / "often")
    for each in (once, often):
        each.scored("a", 84, "validated", "2026-08-01T00:00:00Z")
        each.scored("b", 61, "draft", "2026-08-01T00:00:00Z")
        for at in ("2026-08-02", "2026-08-03", "2026-09-01", "2026-10-15"):
            each.use("a", "edited", f"{at}T10:00:00Z")
            each.use("b", "opened", f"{at}T10:00:00Z")
    for month in (8, 9, 10, 11):
        for day in (1, 3, 12, 21):
            often.settle(f"2026-{month:02d}-{day:02d}T09:30:00Z")
    for each in (once, often):
        # Long enough after the last one that it is material, and so written, in both.
        each.settle("2026-12-20")
    for name in "ab":
        [values, others] = [
            dict(line.split(": ", 1) for line in each.read(name).splitlines() if ": " in line)
            for each in (once, often)
        ]
        assert values["maturity"] == others["maturity"]
        assert float(values["importance"]) == pytest.approx(float(others["importance"]), abs=0.1)


def test_what_nobody_scored_or_used_is_left_alone(tree: Living) -> None:
    tree.entry("added", "created: 2020-01-01")
    tree.write("vault/plain.md", "", "# A note of a person\n")
    tree.write("vault/front.md", "tags: [x]\ncreated: 2019-05-05", "Text.\n")
    tree.write("vault/index.md", "type: x\nid: i\nimportance: 10\nsettled: 2020-01-01", "Text.\n")
    before = tree.files()
    assert tree.settle("2036-01-01").actions == ()
    assert tree.files() == before


def test_a_persons_own_file_is_not_written_because_it_was_read(tree: Living) -> None:
    tree.write("vault/plain.md", "", "# A note of a person\n")
    tree.use("vault/plain.md", "opened", "2026-11-01T00:00:00Z")
    before = tree.files()
    assert tree.settle().actions == ()
    assert tree.files() == before
    assert "vault/plain.md" in use_log.uses(str(tree.root))


def test_scores_that_a_person_gave_are_settled_without_an_id_and_never_archived(
    tree: Living,
) -> None:
    tree.write("vault/scored.md", f"importance: 90\nsettled: {START}", "Text.\n")
    tree.write("vault/low.md", f"importance: 36\nsettled: {START}", "Text.\n")
    report = tree.settle()
    assert done(report) == {"vault/scored": "settle", "vault/low": "settle"}
    assert not (tree.root / "_archive").exists()
    assert tree.settle("2027-11-22").count("archive") == 0


def test_every_byte_but_the_scores_stays(tree: Living) -> None:
    raw = (
        "\ufeff---\r\ntype: fact # a remark\r\nid: 'odd'\r\n\r\n# another\r\nimportance: 80 # high"
        "\r\nmystery: {a: 1}\r\nmaturity: core\r\nsettled: 2026-11-01\r\n---\r\n"
        "# Odd\r\n\r\nText  \r\nno end"
    ).encode()
    file = tree.write("notes/a/odd.md", "")
    file.write_bytes(raw)
    tree.settle()
    assert file.read_bytes() == raw.replace(b"80 # high", b"71.83 # high").replace(
        b"2026-11-01\r\n---", NOW.encode() + b"\r\n---"
    )


def test_what_is_replaced_is_demoted_at_once(tree: Living) -> None:
    fresh = "2026-11-22T11:00:00Z"
    tree.scored("core", 95, "core", fresh)
    for name, key in (
        ("old", "superseded_by: core"), ("over", "valid_to: 2026-11-21"),
        ("gone", "status: deprecated"), ("still", "valid_to: 2026-11-22"),
    ):  # fmt: skip
        tree.entry(name, "importance: 90", "maturity: core", f"settled: {fresh}", key)
    report = tree.settle()
    assert done(report) == {"old": "demote", "over": "demote", "gone": "demote"}
    reasons = {action.path[8:-3]: action.reasons for action in report.actions}
    assert reasons["old"] == ("core to draft: superseded by core",)
    assert reasons["over"] == ("core to draft: valid until 2026-11-21",)
    assert tree.settle().actions == ()


def test_what_was_replaced_after_it_was_settled_is_demoted_all_the_same(tree: Living) -> None:
    tree.scored("core", 95, "core", NOW)
    file = tree.root / "notes/a/core.md"
    file.write_text(file.read_text().replace("id: core", "id: core\nsuperseded_by: x"))
    assert done(tree.settle()) == {"core": "demote"}


def test_core_knowledge_is_demoted_before_it_may_leave(tree: Living) -> None:
    tree.scored("core", 90, "core", "2024-01-01T00:00:00Z")
    assert done(tree.settle()) == {"core": "demote"}
    assert tree.settle().actions == ()
    assert done(tree.settle("2026-11-23")) == {"core": "archive"}


def test_a_dry_run_says_the_same_and_changes_nothing(tree: Living) -> None:
    tree.scored("faded", 40, "draft")
    tree.scored("core", 90, "core")
    before = tree.files()
    planned = tree.settle(dry_run=True)
    assert planned.dry_run
    assert not planned.transaction
    assert tree.files() == before
    assert done(planned) == done(tree.settle())


def test_a_file_that_changed_meanwhile_is_left_and_named(tree: Living) -> None:
    tree.scored("a", 80, "draft", "2026-11-20T00:00:00Z")
    tree.scored("b", 80, "draft", "2026-11-20T00:00:00Z")
    with tree.open() as opened:
        rows = opened.rows()
        file = tree.root / "notes/a/a.md"
        file.write_text(file.read_text() + "A person's line.\n")
        mine = file.read_bytes()
        report = consolidate(str(tree.root), rows, uses={}, policy=Policy(), now=NOW)
    assert report.left == (("notes/a/a.md", "it changed meanwhile"),)
    assert done(report) == {"b": "promote"}
    assert file.read_bytes() == mine


def test_a_file_that_is_saved_while_the_rest_is_decided_keeps_what_was_saved(tree: Living) -> None:
    tree.scored("a", 80, "core", "2026-11-01T00:00:00Z")
    tree.entry("b", "importance: 40", f"settled: {START}", *SOURCE)
    file = tree.root / "notes/a/a.md"

    def save(_: str) -> str:
        file.write_text(file.read_text() + "A person's line.\n")
        return "fresh"

    with tree.open() as opened:
        report = consolidate(
            str(tree.root), opened.rows(), uses={}, policy=Policy(), now=NOW,
            judges=Judges(freshness=save),
        )  # fmt: skip
    assert report.left == (("notes/a/a.md", "it changed meanwhile"),)
    assert done(report) == {"b": "settle"}
    assert file.read_text().endswith("A person's line.\n")
    assert "settled: 2026-11-01" in file.read_text()
    assert done(tree.settle()) == {"a": "settle"}


def test_a_front_matter_that_cannot_be_changed_safely_is_left_and_named(tree: Living) -> None:
    odd = f"importance: &a 80\nnote: *a\nsettled: {START}\nmaturity: core\nid: odd\ntype: fact"
    file = tree.write("notes/a/odd.md", odd)
    tree.scored("fine", 60, "validated", "2026-11-01T00:00:00Z")
    before = file.read_bytes()
    report = tree.settle()
    assert done(report) == {"fine": "settle"}
    assert [path for path, _ in report.left] == ["notes/a/odd.md"]
    assert file.read_bytes() == before


def test_the_command_says_refuses_and_obeys(tree: Living) -> None:
    for number in range(24):
        tree.scored(f"e{number:02d}", 40, "draft")

    def memtree(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "memtree", *words], cwd=tree.root, capture_output=True,
            text=True, check=False,
        )  # fmt: skip

    refused = memtree("consolidate", "--now", NOW)
    assert refused.returncode == 4
    assert "24 of 24 entries would be archived at once" in refused.stderr
    assert "--yes" in refused.stderr
    made = memtree("consolidate", "--now", NOW, "--yes", "--json")
    assert made.returncode == 0
    told = json.loads(made.stdout)
    assert (told["entries"], len(told["actions"]), told["dry_run"]) == (24, 24, False)
    assert told["actions"][0] == {
        "kind": "archive", "path": "notes/a/e00.md", "title": "About e00",
        "importance": [40.0, 7.82], "maturity": ["draft", "draft"], "uses": 0,
        "reasons": ["importance 40 to 7.82", "a draft below 35"],
        "place": "_archive/notes/a/e00.md",
    }  # fmt: skip
    assert memtree("show", "e03").returncode == 0
    assert [event for _, event in use_log.uses(str(tree.root))["e03"]] == ["opened"]
    assert memtree("search", "about").returncode == 0
    assert use_log.uses(str(tree.root)).keys() == {"e03"}


def test_all_of_it_is_one_change_that_undo_takes_back(tree: Living) -> None:
    for number in range(5):
        tree.scored(f"e{number}", 40, "draft")
    tree.use("e1", "edited", "2026-11-20T00:00:00Z")
    before = tree.files()
    report = tree.settle()
    assert report.count("archive") == 4
    with tree.open() as opened:
        assert [receipt.command for receipt in opened.history()] == ["consolidate"]
        opened.undo()
    assert tree.files() == before
    # The uses are still there: settling again ends where it ended.
    again = tree.settle()
    assert done(again) == done(report)


def test_too_much_at_once_needs_a_yes(tree: Living) -> None:
    for number in range(30):
        tree.scored(f"e{number:02d}", 40, "draft")
    before = tree.files()
    with pytest.raises(Refused, match="30 of 30 entries") as refused:
        tree.settle()
    assert refused.value.exit_code == 4
    assert tree.files() == before
    assert tree.settle(dry_run=True).notes == (
        "30 of 30 entries would be archived at once: that needs --yes",
    )
    assert tree.settle(yes=True).count("archive") == 30


def test_two_clones_settle_to_the_same_bytes(tree: Living, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@x", *words],
            cwd=tree.root, check=True, capture_output=True,
        )  # fmt: skip

    for number in range(12):
        tree.scored(f"e{number}", 8 * number + 4, ("draft", "validated", "core")[number % 3])
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    clones = []
    for name in ("one", "other"):
        git("clone", "-q", ".", str(tmp_path / name))
        clone = Living.__new__(Living)
        clone.root = tmp_path / name
        clones.append(clone)
    for path in (tmp_path / "other").rglob("*.md"):
        os.utime(path, (1, 1))
    reports = [clone.settle() for clone in clones]
    assert clones[0].files() == clones[1].files()
    assert done(reports[0]) == done(reports[1])
    assert reports[0].actions


def test_reading_and_noting_uses_never_dirties_git(tree: Living) -> None:
    tree.scored("a", 60, "draft")

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-c", "user.name=n", "-c", "user.email=e@x", *words],
            cwd=tree.root, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "x")
    with tree.open() as opened:
        for _ in range(100):
            answer = opened.search("some text")
            use_log.note_shown(str(tree.root), answer.hits, 1.7e9)
            opened.note_use("opened", ["notes/a/a.md"])
    assert git("status", "--porcelain") == ""
    assert len(use_log.uses(str(tree.root))["a"]) == 100


def test_settled_uses_leave_the_log_after_a_month(tree: Living) -> None:
    tree.scored("a", 60, "draft")
    tree.use("a", "opened", "2026-03-01T00:00:00Z")
    tree.use("a", "opened", "2026-11-20T00:00:00Z")
    tree.use("gone", "opened", "2026-11-20T00:00:00Z")
    tree.use("lost", "opened", "2020-01-01T00:00:00Z")
    tree.settle()
    left = use_log.uses(str(tree.root))
    assert {key: len(found) for key, found in left.items()} == {"a": 1, "gone": 1}
    assert len(use_log.uses(str(tree.root), folded=True)["a"]) == 2


def test_what_a_person_should_look_at_is_listed(tree: Living) -> None:
    same = "The very same sentence stands in both of these entries, word for word, as it is.\n"
    tree.entry("one", body=same)
    tree.entry("two", body=same)
    tree.entry("stale", "stale_after: 2026-01-01")
    tree.entry("yes", "related:\n  - {rel: contradicts, to: no}")
    tree.entry("no")
    tree.entry("moot", "superseded_by: no", "related:\n  - {rel: contradicts, to: no}")
    codes = [(found.path[8:-3], found.code) for found in tree.settle().findings]
    assert codes == [("stale", "stale"), ("two", "duplicate-body"), ("yes", "contradiction")]


@pytest.mark.parametrize("now", ["yesterday", "2026-13-01", ""])
def test_a_moment_that_is_none_is_wrong_usage(tree: Living, now: str) -> None:
    tree.entry("a")
    if now:
        with pytest.raises(UsageError):
            tree.settle(now)
    else:
        assert tree.settle(now or NOW).actions == ()


def test_a_use_follows_an_entry_that_moves_and_a_lost_log_costs_only_that_warmth(
    tree: Living,
) -> None:
    tree.scored("a", 60, "draft", "2026-11-20T00:00:00Z")
    tree.use("a", "edited", "2026-11-21T00:00:00Z")
    with tree.open() as opened:
        opened.move("a", "notes/b/moved.md")
    moved = tree.settle(dry_run=True).actions
    assert [(one.path, one.uses) for one in moved] == [("notes/b/moved.md", 1)]
    shutil.rmtree(tree.root / ".memtree" / "state")
    assert tree.settle().actions == ()
    [left] = [path for path in tree.files() if path.endswith("moved.md")]
    assert b"importance: 60\n" in tree.files()[left]
