"""`bench conflictqa`: recall, false alarms, and the memorisation ratio with its n."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from memtree.errors import Unavailable, UsageError
from memtree.hosting.lab import ScratchLab
from memtree.memories.clash import Clash
from memtree.memories.clash.elicit import agree, elicit
from memtree.memories.clash.suite import ConflictQa, Row, followed, nearest, rows_of
from memtree.plugins import Result

if TYPE_CHECKING:
    from pathlib import Path

LINE = {
    "question": "Can pears float?", "claim": "Pears can float in water.",
    "counter": "Pears cannot float in water.", "evidence": "Pears are light.",
    "counter_evidence": "Pears are heavy.",
}  # fmt: skip
ROW = Row(
    question="Can pears float?", claim="Pears can float in water.",
    counter="Pears cannot float in water.", evidence="Pears are light.",
    counter_evidence="Pears are heavy.",
)  # fmt: skip
OTHER_FORM = {
    "question": "Can pears float?", "memory_answer": "Pears can float in water.",
    "counter_answer": "Pears cannot float in water.", "parametric_memory": "Pears are light.",
    "counter_memory": "Pears are heavy.", "popularity": 3,
}  # fmt: skip


def test_both_forms_of_the_data_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(LINE) + "\n")
    (tmp_path / "b.json").write_text(json.dumps(OTHER_FORM) + "\n{}\n")
    first, second = rows_of(str(tmp_path))
    assert first == second == ROW
    assert rows_of(str(tmp_path / "a.jsonl")) == [first]


def test_data_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n')
    with pytest.raises(UsageError):
        rows_of(str(tmp_path))
    (tmp_path / "b.jsonl").write_text("no json\n")
    with pytest.raises(UsageError):
        rows_of(str(tmp_path))
    with pytest.raises(UsageError):
        rows_of(str(tmp_path / "nowhere.jsonl"))


def test_each_nearest_pair_comes_once() -> None:
    pairs = list(nearest(rows_of("")))
    assert len(pairs) == len(set(pairs))
    assert all(one < other for one, other in pairs)


def test_grades_are_of_what_was_asked() -> None:
    suite = ConflictQa()
    cases = {case.kind: case for case in suite.cases(data="", seed=0, probes=1)}
    found, not_found = Result(status="found"), Result(status="not found")
    assert suite.grade(cases["contradicting"], found) == {"recall": 1.0}
    assert suite.grade(cases["unrelated"], not_found) == {"false alarm": 0.0}
    assert suite.grade(cases["compatible"], found) == {"false alarm": 1.0}
    probe = cases["both, memory first"]
    assert suite.grade(probe, Result(status="memory"))["M_R"] == 1.0
    assert suite.grade(probe, Result(status="counter"))["M_R"] == 0.0
    assert "M_R" not in suite.grade(probe, Result(status="neither"))
    assert suite.grade(probe, Result(status="no memory")) == {"memory known": 0.0}


def test_the_ratio_is_told_with_its_n_or_why_there_is_none() -> None:
    suite = ConflictQa()
    rows = [{"kind": "both, memory first", "n": 10, "memory known": 0.8, "followed one": 0.5,
             "M_R": 0.75}]  # fmt: skip
    assert suite.report(rows) == ["M_R 0.750 (n = 4) both, memory first"]
    assert "language model" in suite.report([{"kind": "contradicting", "n": 3}])[0]
    assert "n = 0" in suite.report([{"kind": "counter alone", "n": 3, "memory known": 0.0}])[0]


def test_probes_without_a_model_are_refused(tmp_path: Path) -> None:
    suite = ConflictQa()
    probe = next(case for case in suite.cases(data="", seed=0, probes=1) if case.setup == "memory")
    with ScratchLab(Clash, place=str(tmp_path)) as lab, pytest.raises(Unavailable):
        suite.answer(probe, lab.tree({"a.md": "Text."}))


def test_a_question_is_asked_in_every_way_of_the_paper(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({**LINE, "evidence": f"Pears are light {n}."}) + "\n" for n in range(3))
    )
    suite = ConflictQa()
    cases = [case for case in suite.cases(data=str(tmp_path / "a.jsonl"), seed=0, probes=1)
             if case.setup == "memory"]  # fmt: skip
    read: dict[str, list[str]] = {}

    def model(prompt: str) -> str:
        if "1. " in prompt:
            notes = prompt.split("1. ", 1)[1].split("\n\n", 1)[0]
            read[asked[-1]] = [line.split(". ", 1)[-1] for line in notes.split("\n")]
        elif "Note: " not in prompt:
            return json.dumps({"answer": LINE["claim"], "evidence": "I saw one."})
        return json.dumps({"answer": LINE["claim"]})

    asked: list[str] = []
    with ScratchLab(Clash, place=str(tmp_path / "lab")) as lab:
        desk = lab.tree({"a.md": "Text."}, model=model)
        for case in cases:
            asked.append(case.kind)
            assert suite.answer(case, desk).status == "memory"
    mine, against, claim = "I saw one.", LINE["counter_evidence"], LINE["claim"]
    assert read["counter alone"] == [against]
    assert read["both, memory first"] == [mine, against]
    assert read["both, memory last"] == [against, mine]
    assert read["two for memory, one counter"] == [mine, against, claim]
    assert read["one for memory, two counter"] == [against, mine, LINE["counter"]]
    before, middle, after = read["counter among the irrelevant"]
    assert middle == against
    assert {before, after} <= {f"Pears are light {n}." for n in range(3)}


def test_a_memory_that_does_not_survive_its_own_evidence_is_no_memory(tmp_path: Path) -> None:
    answers = ["Pears can float in water.", "Pears cannot float in water."]
    said = [json.dumps({"answer": each, "evidence": "x"}) for each in answers]
    with ScratchLab(Clash, place=str(tmp_path)) as lab:
        model = lab.tree({"a.md": "Text."}, model=said).context.llm
        assert model is not None
        known = elicit(model, "Can pears float?")
    assert known is not None
    assert not known.consistent


@pytest.mark.parametrize(("answer", "side"), [
    ("Pears can float in water.", "claim"), ("Pears can't float in water.", "counter"),
    ("Pears are fruit.", ""), ("", ""),
])  # fmt: skip
def test_an_answer_follows_one_side_or_none(answer: str, side: str) -> None:
    assert followed(answer, ROW) == side


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Yes, it does.", "Yes.", True), ("Yes.", "No, never.", False),
    ("It takes 3 days.", "It takes 5 days.", False), ("Paris.", "London is large.", None),
    ("The capital is Paris.", "The capital of France is Paris.", True),
])  # fmt: skip
def test_answers_agree_disagree_or_can_not_be_told(one: str, other: str, same: bool | None) -> None:
    assert agree(one, other) is same
