"""A plugin fails alone: it is named with the reason, and the tree answers without it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import toys

from memtree.hosting.calls import Trouble, call
from memtree.hosting.lab import ScratchLab

BAD = {
    "KeyError": toys.fails,
    "SystemExit": toys.exits,
    "gave no list": toys.nonsense,
    "network": toys.connects,
    "start programs": toys.starts,
    "may not write the tree": toys.writes,
    "('animals": toys.removes,
}


def found(lab: ScratchLab, **options: Any) -> Any:
    return lab.tree(toys.TREE, options=options).search("cats sleep")


@pytest.mark.parametrize("reason", list(BAD))
def test_what_a_plugin_does_wrong_is_said_and_the_rest_answers(reason: str, tmp_path: Path) -> None:
    with ScratchLab(toys.retrieving(BAD[reason]), place=str(tmp_path)) as lab:
        answer = found(lab)
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]
    told = " ".join(answer.notes)
    assert "doing" in told
    assert reason in told
    assert not answer.by
    assert (tmp_path / "tree-1/animals/cats/sleep.md").read_text() == toys.TREE[
        "animals/cats/sleep.md"
    ]


@pytest.mark.parametrize("does", [toys.loops, toys.sleeps, toys.swallows])
def test_a_plugin_that_hangs_is_left_after_its_time(
    does: Callable[..., Any], tmp_path: Path
) -> None:
    with ScratchLab(toys.retrieving(does), place=str(tmp_path)) as lab:
        answer = found(lab, timeout_ms=150)
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]
    assert "longer than 150 ms" in " ".join(answer.notes)
    assert answer.ms < 5_000


def test_a_loop_ends_in_another_thread_too(tmp_path: Path) -> None:
    told: list[str] = []

    def work() -> None:
        try:
            call(toys.loops, 1, 2, plugin="doing", hook="retrieve", ms=150, root=str(tmp_path),
                 allowed=())  # fmt: skip
        except Trouble as trouble:
            told.append(trouble.reason)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert told == ["it took longer than 150 ms"]


def test_a_flood_of_hits_is_one_hit(tmp_path: Path) -> None:
    with ScratchLab(toys.retrieving(toys.floods), place=str(tmp_path)) as lab:
        answer = found(lab)
    assert len(answer.hits) == len({hit.path for hit in answer.hits}) <= 2
    assert "only the first 200" in " ".join(answer.notes)


def test_hits_that_are_no_entries_are_nothing(tmp_path: Path) -> None:
    with ScratchLab(toys.retrieving(toys.strangers), place=str(tmp_path)) as lab:
        answer = found(lab)
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]


def test_a_model_is_asked_no_more_than_the_budget_says(tmp_path: Path) -> None:
    with ScratchLab(toys.retrieving(toys.asks_a_model), place=str(tmp_path)) as lab:
        answer = lab.tree(toys.TREE, model=lambda _: "{}").query("cats sleep")
    assert "more than 8 times" in " ".join(answer.notes)


def test_a_ranking_wakes_no_model(tmp_path: Path) -> None:
    seen = []

    def look(query: Any, ctx: Any) -> Any:
        del query
        seen.append(ctx.llm)
        return []

    with ScratchLab(toys.retrieving(look), place=str(tmp_path)) as lab:
        desk = lab.tree(toys.TREE, model=lambda _: "{}")
        desk.search("cats")
        desk.query("what sleeps?")
    assert seen[0] is None
    assert seen[1] is not None


def test_the_hosts_own_work_inside_of_a_call_is_free(tmp_path: Path) -> None:
    def stores(query: Any, ctx: Any) -> Any:
        del query
        ctx.sidecar.write("a/b.jsonl", [{"x": 1}])
        ctx.cache.save_value("v", "k", [1])
        return []

    with ScratchLab(toys.retrieving(stores), place=str(tmp_path)) as lab:
        answer = found(lab)
    assert not answer.notes
    assert (tmp_path / "tree-1/.memtree/sidecar/doing/a/b.jsonl").read_text() == '{"x": 1}\n'


def test_an_interrupt_is_a_persons_and_passes(tmp_path: Path) -> None:
    def interrupted(query: Any, ctx: Any) -> Any:
        raise KeyboardInterrupt(query, ctx)

    with (
        ScratchLab(toys.retrieving(interrupted), place=str(tmp_path)) as lab,
        pytest.raises(KeyboardInterrupt),
    ):
        found(lab)


def test_what_a_plugin_misses_is_made_again_and_it_is_asked_again(tmp_path: Path) -> None:
    with ScratchLab(toys.Forgetful, place=str(tmp_path)) as lab:
        desk = lab.tree(toys.TREE)
        assert desk.search("cats sleep").by == ["forgetful"]
        Path(desk.context.cache.folder, "first.json").unlink()
        answer = desk.search("cats sleep")
    assert answer.by == ["forgetful"]
    assert not answer.notes
    plugin = desk.loaded.plugin
    assert isinstance(plugin, toys.Forgetful)
    assert plugin.told == [True, True]


def test_a_plugin_that_is_never_ready_is_left_out(tmp_path: Path) -> None:
    with ScratchLab(lambda: toys.Forgetful(learns=False), place=str(tmp_path)) as lab:
        answer = lab.tree(toys.TREE).search("cats sleep")
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]
    assert "forgetful" in " ".join(answer.notes)
    assert "not ready" in " ".join(answer.notes)


def test_what_a_plugin_prints_and_says_without_end_stands_in_no_answers_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ScratchLab(toys.retrieving(toys.chatters), place=str(tmp_path)) as lab:
        answer = found(lab)
    assert "loud" not in capsys.readouterr().out
    assert len([note for note in answer.notes if "remark" in note]) == 20
    assert "doing says more" in answer.notes
    assert all(len(hit.why) < 1_000 for hit in answer.hits)


def test_what_fails_in_the_lifecycle_is_told(tmp_path: Path) -> None:
    with ScratchLab(toys.Gloomy, place=str(tmp_path)) as lab:
        tree = lab.tree(toys.TREE).tree
        done = tree.consolidate(now="2030-01-01T00:00:00Z", dry_run=True)
    assert any("gloomy was left out (lifecycle)" in note for note in done.notes)
