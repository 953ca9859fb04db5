"""What the host does with what plugins give: who takes part, fusing, guards, lives, packing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import Unavailable
from memtree.hosting.advising import together
from memtree.hosting.company import fused
from memtree.hosting.lab import ScratchLab
from memtree.index.row import COLUMNS, Row
from memtree.knowledge.query import Query
from memtree.plugins import Delta, Ranked, Ranking, Sweep
from memtree.retrieve.tier import Finding, Match


def lab(tmp_path: Path, plugin: Any = toys.Toy) -> ScratchLab:
    return ScratchLab(plugin, place=str(tmp_path))


def match(path: str, score: float = 1.0) -> Match:
    row = Row([0, path, *[""] * (len(COLUMNS.split(", ")) - 2)])
    return Match(row, score, why=path)


def paths(finding: Finding) -> list[str]:
    return [one.row.path for one in finding.matches]


# -- fusing -------------------------------------------------------------------------------------


def test_lists_are_fused_by_reciprocal_rank() -> None:
    own = Finding([match("a"), match("b"), match("c")], confidence=0.5, sure=False, why="")
    both = fused(own, [(1.0, [match("c"), match("d")])], None, 10)
    # c: 1/63 + 1/61, a: 1/61, b: 1/62, d: 1/62
    assert paths(both) == ["c", "a", "b", "d"]
    assert [one.score for one in both.matches] == sorted(
        (one.score for one in both.matches), reverse=True
    )


def test_what_is_sure_stays_first() -> None:
    own = Finding([match("a"), match("b")], confidence=1.0, sure=True, why="")
    both = fused(own, [(5.0, [match("b")])], None, 10)
    assert paths(both)[0] == "a"
    assert both.sure
    best = Ranking(hits=[Ranked(path="z", score=1)], sure=True, confidence=0.8), [match("z")]
    unsure = Finding([match("a")], confidence=0.2, sure=False, why="")
    assert paths(fused(unsure, [(1.0, best[1])], best, 10))[0] == "z"


@given(
    st.lists(st.lists(st.sampled_from("abcdefg"), unique=True), min_size=1, max_size=4),
    st.integers(1, 8),
)
def test_fusing_loses_and_doubles_nothing(lists: list[list[str]], limit: int) -> None:
    own = Finding([match(path) for path in lists[0]], confidence=0.3, sure=False, why="")
    others = [(1.0, [match(path) for path in one]) for one in lists[1:] if one]
    if not any(lists):
        return
    both = paths(fused(own, others, None, limit))
    every = {path for one in lists for path in one}
    assert len(both) == len(set(both)) == min(limit, len(every))
    assert set(both) <= every


# -- taking part --------------------------------------------------------------------------------


def test_a_plugin_joins_a_search_and_is_named(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        answer = there.tree(toys.TREE).search("cats sleep")
    assert {hit.path for hit in answer.hits} == {"animals/cats/sleep.md", "animals/birds/song.md"}
    assert answer.by == ["toy"]
    assert any("toy: it is the toy's" in hit.why for hit in answer.hits)


def test_one_that_is_sure_ends_the_climb_with_its_answer(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        answer = there.tree(toys.TREE, options={"sure": True}).query("when is music heard outside?")
    assert answer.status == "found"
    assert answer.answer == "At dawn (animals/birds/song.md)"


def test_hits_outside_of_the_folder_that_is_asked_do_not_come(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        answer = there.tree(toys.TREE).search("cats sleep", scope="animals/cats")
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]


def test_what_is_asked_for_by_name_and_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    with lab(tmp_path, toys.Needy) as there:
        with pytest.raises(Unavailable, match="needs a language model, and none is set"):
            there.tree(toys.TREE).search("cats")
        with pytest.raises(Unavailable, match="with logprobs"):
            there.tree(toys.TREE, model=lambda _: "{}").query("cats")


def test_changes_are_told_once_and_exactly(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE)
        toy: Any = desk.loaded.plugin
        desk.search("cats")
        desk.search("dogs")
        assert [(len(one.added), one.full) for one in toy.changes] == [(3, True)]
        desk.write("animals/cats/sleep.md", "# Cats\n\nCats sleep all night.\n")
        desk.remove("animals/dogs/run.md")
        desk.write("animals/fish/swim.md", "# Fish\n\nFish swim.\n")
        desk.search("cats")
        last = toy.changes[-1]
        assert [one.path for one in last.changed] == ["animals/cats/sleep.md"]
        assert [one.path for one in last.removed] == ["animals/dogs/run.md"]
        assert [one.path for one in last.added] == ["animals/fish/swim.md"]


# -- proposing and guarding ---------------------------------------------------------------------


def test_what_is_proposed_is_one_transaction_that_undo_takes_back(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE)
        dry = desk.propose(Sweep(), dry_run=True)
        assert "A toy was here." in dry.diff
        assert not dry.transaction
        done = desk.propose(Sweep())
        text = desk.read("notes/toys/new.md")
        assert done.applied == [("add", "notes/toys/new.md", "Sweep")]
        assert "by: plugin/toy" in text
        assert "from:\n  - a\n  - b\n" in text
        desk.tree.undo()
        assert desk.context.tree.get("notes/toys/new.md") is None


def test_any_guard_can_refuse_and_nothing_is_written(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE, options={"forbid": True})
        done = desk.propose(Sweep())
        assert done.rejected == [("add", "notes/toys/new", "toy: not today")]
        assert not done.applied
        assert desk.context.tree.get("notes/toys/new.md") is None


def test_a_guard_that_fails_lets_nothing_through(tmp_path: Path) -> None:
    class Broken(toys.Toy):
        manifest = toys.manifest("broken")

        def guard(self, operations: Any, ctx: Any) -> Any:
            raise ValueError(operations, ctx)

    with lab(tmp_path, Broken) as there:
        done = there.tree(toys.TREE).propose(Sweep())
    assert not done.applied
    assert "could not say" in done.rejected[0][2]


def test_guards_see_what_is_curated(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE, options={"forbid": True})
        report = desk.tree.curate(["The harbour master of Oslo is Ana Berg."])
    assert report.tally["refused"]
    assert not report.tally.get("add")


def test_files_come_back_byte_for_byte(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE)
        odd = b"\xef\xbb\xbf# Odd\r\n\r\nbytes \xff\xfe\r\n"
        done = desk.restore({"odd/files/one.md": odd, "animals/cats/sleep.md": b"# Cats\n"})
        assert [path for _, path, _ in done.applied] == [
            "animals/cats/sleep.md",
            "odd/files/one.md",
        ]
        assert desk.raw("odd/files/one.md") == odd
        desk.tree.undo()
        assert desk.read("animals/cats/sleep.md") == toys.TREE["animals/cats/sleep.md"]


# -- lives --------------------------------------------------------------------------------------


def test_the_strictest_state_and_the_lowest_maturity_win_and_points_add_up() -> None:
    both = together(
        [
            Delta(importance=5.0, maturity="core", why="a"),
            Delta(importance=-500.0, maturity="draft", state="archived", why="b"),
            Delta(state="frozen", why="a"),
            Delta(state="odd"),
        ]
    )
    assert both == Delta(importance=-95.0, maturity="draft", state="frozen", why="a; b")


def test_what_is_frozen_is_not_settled_and_what_is_due_goes_to_the_archive(tmp_path: Path) -> None:
    head = "---\ntype: fact\nid: {}\nimportance: 60\nsettled: 2026-01-01T00:00:00Z\n---\n"
    files = {path: head.format(path[8:11]) + text for path, text in toys.TREE.items()}
    with lab(tmp_path) as there:
        desk = there.tree(files)
        desk.context  # noqa: B018  (the index is made)
        done = desk.consolidate("2026-02-01T00:00:00Z")
        assert done["animals/dogs/run.md"] == "archive"
        assert "animals/cats/sleep.md" not in done
        assert desk.read("animals/cats/sleep.md") == files["animals/cats/sleep.md"]
        assert done["animals/birds/song.md"] == "settle"


# -- packing and asking -------------------------------------------------------------------------


def test_a_pack_keeps_the_budget_of_the_host(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE)
        whole = desk.pack("cats dogs birds", tokens=1000)
        assert len(whole) == 3
        less = desk.pack("cats dogs birds", tokens=12)
        assert sum(-(-len(one.text) // 4) for one in less) <= 12
        assert less == whole[: len(less)]


def test_a_model_answers_from_a_pack_and_its_sentences_are_checked(tmp_path: Path) -> None:
    def model(prompt: str) -> str:
        assert prompt.index("Notes:") < prompt.index("Question:")
        handle = "E1" if "E1: Cats" in prompt else "E2" if "E2: Cats" in prompt else "E3"
        return (
            f'{{"sentences":[{{"text":"Cats sleep all day.","cites":["{handle}"]}},'
            f'{{"text":"Cats own the moon.","cites":["{handle}"]}}]}}'
        )

    with lab(tmp_path) as there:
        answer = there.tree(toys.TREE, model=model).ask("what do cats do all day?")
    assert answer.status == "found"
    assert answer.answer == "Cats sleep all day. (animals/cats/sleep.md:3)"
    assert "1 sentence was dropped" in " ".join(answer.notes)
    assert "toy" in answer.by


def test_asking_without_a_model_says_so(tmp_path: Path) -> None:
    with lab(tmp_path) as there:
        answer = there.tree(toys.TREE).ask("what do cats do all day?")
    assert answer.tier == "agentic"
    assert "no model" in answer.by


def test_who_is_asked_to_pack_packs(tmp_path: Path) -> None:
    from memtree.hosting.host import Player
    from memtree.hosting.packing import pack
    from memtree.knowledge.query import Query

    with lab(tmp_path) as there:
        desk = there.tree(toys.TREE)
        players = []
        for name, options in (("first", {}), ("second", {"pack": True})):

            class Named(toys.Toy):
                manifest = toys.manifest(name)

            loaded = ScratchLab(Named, place=str(tmp_path)).loaded
            context = desk.tree.host.context(loaded, options)
            status = desk.tree.host.status(loaded, context)
            players.append(Player(loaded, status, context, named=True))
        hits = [Ranked(path="animals/cats/sleep.md", score=1.0, text="Cats sleep.", lines=(3, 3))]
        _, notes = pack(desk.tree.host, Query("cats"), hits, players, tokens=100)
    assert notes == ["packed by second: last first"]


def test_who_took_an_entry_out_is_said_to_whoever_asks_why_it_did_not_come(tmp_path: Path) -> None:
    with lab(tmp_path, toys.Strict) as made:
        tree = made.tree(toys.TREE).tree
        asked = Query("sleep all day", why_not="animals/cats/sleep.md", plugins=("strict",))
        answer = tree.search(asked)
    assert not answer.hits
    assert "the plugin strict took it out" in str(answer.why_not)
    assert "behind what is shown" not in str(answer.why_not)
    state = {"name": "strict", "state": "active", "mode": "full", "reason": ""}
    assert answer.as_dict()["plugins"] == [state]
