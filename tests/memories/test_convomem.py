"""The plugin convomem: which mode, what a model is shown, and when nothing is answered."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.hosting.lab import ScratchLab
from memtree.memories.convomem import ConvoMem
from memtree.memories.convomem.checks import FACT, QUESTION, Reader, planned, tree_of
from memtree.memories.convomem.choosing import calls_for, choose, limits
from memtree.memories.convomem.reading import Note, standing
from memtree.memories.convomem.suite import ConvoMemSuite
from memtree.plugins.suite import Result
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZES = st.lists(st.integers(1, 500), max_size=60)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(ConvoMem, place=str(tmp_path)) as made:
        yield made


class TestContract(PluginContract):
    plugin = ConvoMem


@given(SIZES, st.integers(1, 5000), st.integers(1, 9000))
def test_more_text_never_goes_back_to_an_earlier_mode(
    sizes: list[int], full: int, blocks: int
) -> None:
    rising = ["full", "blocks", "tiers"]
    limit = limits(full, max(full, blocks), 1 << 20, 1000)
    modes = [rising.index(choose(sizes[:n], limit)[0]) for n in range(len(sizes) + 1)]
    assert modes == sorted(modes)
    assert (sum(sizes) <= full) == (rising[modes[-1]] == "full")


def test_the_defaults_are_the_papers_and_the_window_bounds_them() -> None:
    assert limits(0, 0, 1 << 20, 40).full == 42_600
    assert limits(0, 0, 1 << 20, 40).blocks == 213_000
    assert limits(0, 0, 4096, 40).full == 4096 - 800


def test_blocks_need_room_in_the_window_and_calls() -> None:
    assert choose([400] * 20, limits(10, 90_000, 4096, 40))[0] == "tiers"
    assert choose([300] * 20, limits(10, 90_000, 4096, 40))[0] == "blocks"
    assert choose([300] * 20, limits(10, 90_000, 4096, 2))[0] == "tiers"
    assert calls_for(20) == 3
    mode, why = choose([300] * 20, limits(10, 90_000, 4096, 40), "full")
    assert mode == "blocks"
    assert "too many" in why


def test_a_mode_that_is_asked_for_is_taken(lab: ScratchLab) -> None:
    for mode in ("full", "blocks", "tiers"):
        desk = lab.tree(tree_of(5), model=Reader(), options={"mode": mode})
        assert planned(ConvoMem(), desk.context).mode == mode


def test_a_mode_and_a_threshold_that_there_are_not_are_mistakes(lab: ScratchLab) -> None:
    for options in ({"mode": "all"}, {"full_tokens": "many"}):
        with pytest.raises(UsageError):
            planned(ConvoMem(), lab.tree(tree_of(2), options=options).context)


def test_an_answer_in_blocks_comes_with_its_entry_through_ask(lab: ScratchLab) -> None:
    desk = lab.tree(tree_of(12), model=Reader(), options={"mode": "blocks"})
    answer = desk.ask(QUESTION)
    assert "roof of the old mill" in (answer.answer or "")
    assert any("n000" in quote.path for quote in answer.quotes)
    assert any("mode blocks" in note for note in answer.notes)


def test_a_quote_has_to_stand_in_the_note_that_it_names() -> None:
    notes = [Note(path="a.md", title="A", text="The kettle\nis black."),
             Note(path="b.md", title="B", text="The pot is red.")]  # fmt: skip
    said = {"quotes": [{"note": 1, "quote": "The kettle is black."},
                       {"note": 2, "quote": "The kettle is black."},
                       {"note": 7, "quote": "The pot is red."}, "what",
                       {"note": True}]}  # fmt: skip
    kept, wrong = standing(said, notes)
    assert [quote.path for quote in kept] == ["a.md"]
    assert wrong == 4


KEYS = st.sampled_from(["quotes", "note", "quote"])
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
)


@given(VALUES)
def test_whatever_a_model_says_nothing_is_quoted_that_does_not_stand(value: object) -> None:
    kept, _ = standing(value, [Note(path="a.md", title="A", text="words")])
    assert all(quote.text in "A words" for quote in kept)


def test_records_of_both_forms_become_cases(tmp_path: Path) -> None:
    talk = {"messages": [{"speaker": "User", "text": "I like figs."}, {"text": "Good."}]}
    record = {"question": "What do I like?", "answer": "figs", "conversations": [talk],
              "message_evidences": [{"speaker": "User", "text": "I like figs."}]}  # fmt: skip
    (tmp_path / "one.json").write_text(json.dumps({"evidence_items": [record]}), encoding="utf-8")
    suite = ConvoMemSuite()
    (case,) = suite.cases(data=str(tmp_path), seed=0)
    assert case.gold == ("one-0-0-0",)
    assert [each.text for each in suite.documents(case.setup)] == ["I like figs.", "Good."]
    assert suite.grade(case, Result(found=("one-0-0-0",))) == {"recall": 1.0, "all": 1.0}
    locomo = tmp_path / "l" / "locomo10.json"
    locomo.parent.mkdir()
    turns = [{"speaker": "Ana", "dia_id": "D1:1", "text": "I like figs."}]
    locomo.write_text(json.dumps([{
        "conversation": {"session_1": turns, "session_1_date_time": "1 May 2023"},
        "qa": [{"question": "What?", "answer": "figs", "evidence": ["D1:1"], "category": 4},
               {"question": "Who?", "evidence": ["D1:1"], "category": 5}],
    }]), encoding="utf-8")  # fmt: skip
    first, second = ConvoMemSuite().cases(data=str(locomo), seed=0, format="locomo")
    assert (first.kind, second.kind) == ("single-hop", "abstention")
    assert len(first.gold) == 1
    with pytest.raises(UsageError):
        list(ConvoMemSuite().cases(data=str(tmp_path / "none"), seed=0))
    with pytest.raises(UsageError):
        list(ConvoMemSuite().cases(data="", seed=0, format="x"))  # type: ignore[arg-type]


def test_the_made_records_run_with_a_model_and_without(lab: ScratchLab) -> None:
    suite = ConvoMemSuite()
    cases = list(suite.cases(data="", seed=0))
    said = suite.answer(cases[2], lab.tree(tree_of(3), model=Reader("Nobody said it.")))
    assert said is not None
    assert suite.grade(cases[2], said) == {"abstains": 1.0}
    assert suite.report([]) == ["made-2: mode full: 42 tokens in 3 entries, full up to 3296"]


def test_without_a_model_what_query_calls_absent_is_abstaining() -> None:
    from memtree import bench

    report: Any = bench.run("convomem")
    every, asked, never = report["kinds"]
    assert every["n"] == 3
    assert asked["recall"] == 1.0
    assert asked["answers"] > 0
    assert never["abstains"] == 1.0
    assert report["summary"]["made-0"]["mode"] == "tiers"
    suite = ConvoMemSuite()
    first, _, last = suite.cases(data="", seed=0)
    for status, answered in (("found", 1.0), ("absent", 0.0)):
        graded = suite.grade(first, Result(status=status))
        assert graded["answers"] == answered
        assert suite.grade(last, Result(status=status)) == {"abstains": 1 - answered}


# -- how much there is --------------------------------------------------------------------------


def _small(count: int, words: int = 2) -> dict[str, str]:
    return {f"talk/2026/n{n:04}.md": f"# N{n}\n\n{f'soup{n} ' * words}\n" for n in range(count)}


def test_full_reads_every_entry_however_many_there_are(lab: ScratchLab) -> None:
    """More entries than blocks could hold are no reason to read the first ones alone."""
    reader = Reader()
    files = _small(60) | {"talk/2026/z.md": f"# Bees\n\n{FACT}\n"}
    desk = lab.tree(files, model=reader, options={"mode": "full", "calls": 2})
    step = planned(ConvoMem(), desk.context)
    assert (step.mode, step.answer) == ("full", FACT)
    assert all(f"soup{n}" in reader.prompts[0] for n in range(60))


def test_what_is_not_counted_is_not_said_to_be_all(lab: ScratchLab) -> None:
    options = {"full_tokens": 20, "blocks_tokens": 100}
    _, why, _ = ConvoMem().decided("", lab.tree(_small(60), options=options).context)
    assert "tokens in the first" in why
    assert "of 60 entries alone, blocks up to 100" in why
    for mode in ("full", "blocks"):
        desk = lab.tree(_small(60, words=60), model=Reader(), options={"mode": mode, "calls": 2})
        chosen, why, _ = ConvoMem().decided("", desk.context)
        assert chosen == "tiers"
        assert "of 60 entries alone, room is for 3296 at once, or for 2 calls" in why


class _Counting:
    """A context of which files and counted texts are known."""

    def __init__(self, inner: Any, counts: list[str]) -> None:
        self._inner = inner
        self._counts = counts

    @property
    def tree(self) -> Any:
        return _Counting(self._inner.tree, self._counts)

    @property
    def llm(self) -> Any:
        return _Counting(self._inner.llm, self._counts) if self._inner.llm is not None else None

    def __getattr__(self, name: str) -> Any:
        if name in ("get", "count"):
            self._counts.append(name)
        return getattr(self._inner, name)


def test_a_text_is_counted_once(lab: ScratchLab) -> None:
    desk = lab.tree(_small(20), model=Reader(), options={"mode": "blocks"})
    counts: list[str] = []
    decided: Any = ConvoMem().decided
    first = decided("", _Counting(desk.context, counts))
    assert counts.count("get") == counts.count("count") == 20
    counts.clear()
    again = decided("", _Counting(desk.context, counts))
    assert not counts, "from the cache, no file opened"
    assert again == first
    desk.write("talk/2026/n0003.md", "# N3\n\nanother text, and longer than it was before\n")
    decided("", _Counting(desk.context, counts))
    assert counts.count("get") == counts.count("count") == 1


def test_a_slow_model_is_not_made_to_read_everything(lab: ScratchLab) -> None:
    calls: list[str] = []

    def slow(prompt: str) -> str:
        calls.append(prompt)
        time.sleep(0.2)
        return "{}"

    desk = lab.tree(_small(60, words=60), model=slow, options={"seconds": 1})
    chosen, why, _ = ConvoMem().decided("", desk.context)
    assert chosen == "tiers"
    assert "ms a token, allowed are 1 s" in why
    assert len(calls) == 1, "one short prompt, to see"
    assert ConvoMem().decided("", desk.context)[0] == "tiers"
    assert len(calls) == 1, "its pace is known then"
    for more in ({"seconds": 0}, {"seconds": 1000}, {"seconds": 1, "mode": "blocks"}):
        desk = lab.tree(_small(60, words=60), model=slow, options=more)
        assert ConvoMem().decided("", desk.context)[0] == "blocks"
