"""The life of an open tree: what is noted, written and lying on disk comes together."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memtree.app import Tree, init_tree
from memtree.errors import EntryNotFound, UsageError
from memtree.tree import use_log

NOW = "2026-11-22T12:00:00Z"


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = init_tree(str(tmp_path))
    (tmp_path / "a").mkdir()
    settled = "importance: 60\nmaturity: draft\nsettled: 2026-11-12T12:00:00Z\n"
    (tmp_path / "a/tea.md").write_text(
        f"---\ntype: fact\nid: tea1\ncreated: 2026-11-02\n{settled}---\n# Tea\n\nBlack.\n"
    )
    (tmp_path / "a/old.md").write_text("---\ntype: fact\nsuperseded_by: Tea\n---\n# Old tea\n")
    (tmp_path / "kettle.txt").write_text("Boil it.\n")
    digest = hashlib.sha256(b"Steam it.\n").hexdigest()
    (tmp_path / "a/kettle.md").write_text(
        f"---\ntype: fact\nsources:\n- resource: kettle.txt\n  digest: {digest}\n---\n# Kettle\n"
    )
    at = seconds("2026-11-20T12:00:00+00:00")
    use_log.note(made.root, "opened", ["tea1"], at)
    use_log.note(made.root, "confirmed", ["tea1"], at + 60)
    return made


def test_an_entrys_importance_is_told_as_a_sum(tree: Tree) -> None:
    told = tree.life("Tea", now=NOW)
    decayed = 60 * 0.995**10
    earned = 3 * 0.995**2 + 5 * 0.995**2
    assert told.why.importance == pytest.approx(decayed + earned, abs=0.01)
    assert sum(part.points for part in told.why.parts) == pytest.approx(told.why.importance)
    assert [part.name for part in told.why.parts] == ["start", "decay", "opened", "confirmed"]
    assert told.uses == {"confirmed": 1, "opened": 1}
    assert told.last == "2026-11-20"
    assert told.written == 60
    document = told.as_dict()
    assert document["importance"] == round(told.why.importance, 2)
    assert document["most"] == 0.15
    assert document["replaced"] is None


def test_what_replaced_an_entry_is_told_with_its_path(tree: Tree) -> None:
    told = tree.life("a/old.md", now=NOW)
    assert told.replaced == "superseded by Tea"
    assert told.by == "a/tea.md"
    assert told.why.lift == 0.0


def test_sources_are_told_with_their_states(tree: Tree) -> None:
    assert [source.state for source in tree.life("Kettle", now=NOW).sources] == ["drifted"]
    assert tree.life("Tea", now=NOW).sources == []


def test_stats_sees_uses_drifted_sources_and_what_was_replaced(tree: Tree) -> None:
    found = tree.stats(now=NOW)
    assert found.entries == 3
    assert [(one.path, one.uses) for one in found.most_used] == [("a/tea.md", 2)]
    assert {one.path: one.code for one in found.stale} == {
        "a/old.md": "superseded",
        "a/kettle.md": "drifted",
    }


def test_a_moment_that_is_none_is_refused(tree: Tree) -> None:
    with pytest.raises(UsageError, match="no time"):
        tree.stats(now="yesterday")
    with pytest.raises(UsageError, match="no time"):
        tree.life("Tea", now="")
    with pytest.raises(EntryNotFound):
        tree.life("nothing", now=NOW)


def test_what_a_consolidation_did_is_told_by_stats(tree: Tree) -> None:
    root = Path(tree.root)
    for name, scores in (
        ("up", "importance: 90\nmaturity: draft"),
        ("down", "importance: 40\nmaturity: core"),
        ("off", "importance: 36\nmaturity: draft"),
    ):
        (root / f"a/{name}.md").write_text(
            f"---\ntype: fact\nid: {name}1\n{scores}\nsettled: 2026-06-01\n---\n# {name}\n"
        )
    # "up" was at 90 once, and Tea comes to 65 by its uses.
    before = tree.stats(now=NOW)
    assert (before.due.promoted, before.due.demoted, before.due.archived) == (2, 1, 1)
    assert before.flow == ()
    tree.consolidate(now=NOW)
    found = tree.stats(now=NOW)
    assert [(one.at, one.promoted, one.demoted, one.archived) for one in found.flow] == [
        ("2026-11-22", 2, 1, 1)
    ]
    assert found.archived == 1
    assert not any((found.due.promoted, found.due.demoted, found.due.archived))
    assert found.maturity["core"] == 0
