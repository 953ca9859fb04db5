"""MINTEval: a generator that repeats itself, a metric, a reader, and what a tree remembers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.hosting.lab import ScratchLab
from memtree.memories.mint import Mint, metric, questions, reader, record, stores
from memtree.memories.mint.record import Context
from memtree.memories.mint.suite import Minted
from memtree.plugins.suite import Result
from memtree.testing import PluginContract


class TestContract(PluginContract):
    plugin = Mint


@pytest.mark.parametrize(
    ("said", "final"),
    [
        ("The answer is \\boxed{the kitchen}.", "the kitchen"),
        ("\\boxed{one} and then \\boxed{two}", "two"),
        ("\\boxed{f{x}{y}} rest", "f{x}{y}"),
        ("<think>\\boxed{no}</think> \\boxed{yes}", "yes"),
        ("still at it </think> garden", "garden"),
        ("<think>never ends \\boxed{lost}", ""),
        ("\\boxed{open", "open"),
        ("plain words ", "plain words"),
    ],
)
def test_the_last_box_is_the_answer_and_thoughts_are_not(said: str, final: str) -> None:
    assert metric.final(said) == final


def test_articles_case_commas_and_punctuation_do_not_count() -> None:
    assert metric.exact("\\boxed{The Kitchen, and a Garden!}", "kitchen garden") == 1.0
    assert metric.exact("Mara,Tobin", "Mara, Tobin") == 1.0
    assert metric.exact("10", "1") == 0.0
    assert metric.token_f1("Mara Tobin Iris", "Mara Jonas") == pytest.approx(2 / 5)
    assert metric.token_f1("", "the") == 1.0


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_grade_is_between_none_and_all(answer: str, gold: str) -> None:
    assert 0.0 <= metric.token_f1(answer, gold) <= 1.0
    assert metric.exact(f"\\boxed{{{metric.normalised(gold)}}}", gold) == 1.0


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_the_reader_of_the_sentences_agrees_with_the_world_that_told_them(
    seed: int, updates: int
) -> None:
    for session in questions.generated(1, [updates], seed):
        lines = reader.told(session.contexts)
        for question in session.questions:
            reading = reader.answer(question.text, lines)
            assert metric.exact(reading.answer, question.answer) == 1.0, question
            assert set(reader.rests_on(reading, session.contexts)) == set(question.evidence or ())
        for name in ("Mara", "Tobin", "Iris", "Jonas"):
            assert len(lines[name]) == updates + 1


def test_one_seed_gives_one_sequence_of_bytes() -> None:
    def made(seed: int) -> bytes:
        return record.as_bytes(questions.generated(4, [5, 20], seed))

    assert made(3) == made(3) != made(4)


def test_a_session_survives_its_form(tmp_path: Path) -> None:
    sessions = list(questions.generated(2, [3], 1))
    (tmp_path / "state_tracking.jsonl").write_bytes(record.as_bytes(sessions))
    (tmp_path / "wiki_revisions.jsonl").write_text("no record")
    assert list(record.read(str(tmp_path), "state_tracking")) == sessions


def test_records_with_json_inside_of_texts_are_read(tmp_path: Path) -> None:
    item = {
        "id": 7,
        "contexts": json.dumps([{"content": "Rev 1: it is red.", "timestamp": "2020"}]),
        "questions": [
            {"question": "Which colour?", "answer": ["red"], "question_type": "simple",
             "metadata": '{"n_steps_back": null, "candidates": ["red"]}'}
        ],
        "metadata": "{}",
    }  # fmt: skip
    (tmp_path / "wiki_revisions.json").write_text(json.dumps([item]))
    (session,) = record.read(str(tmp_path), "wiki_revisions")
    assert session.contexts == (Context("Rev 1: it is red.", "2020"),)
    assert (session.questions[0].answer, session.questions[0].back) == ("red", None)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.jsonl", "{"), ("a.json", '[{"id": 1}]'), ("a.parquet", "PAR1"), ("a.txt", "words")],
)
def test_data_that_is_none_is_said_in_words(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError):
        list(record.read(str(tmp_path), "state_tracking"))


@pytest.mark.parametrize("updates", ["", "a", "0", "5,,6", "5000"])
def test_levels_that_are_no_numbers_are_refused(updates: str) -> None:
    with pytest.raises(UsageError):
        list(Minted().cases(data="", seed=1, updates=updates))


def test_only_state_tracking_is_made_up() -> None:
    with pytest.raises(UsageError, match="only state_tracking"):
        list(Minted().cases(data="", seed=1, split="github_commits"))


def test_a_tree_of_superseded_facts_remembers_all_that_was_told(tmp_path: Path) -> None:
    (session,) = questions.generated(1, [6], 11)
    with ScratchLab(Mint, place=str(tmp_path)) as lab:
        desk = lab.tree({}, embedder="none")
        names = [f"c{number}" for number in range(len(session.contexts))]
        for operations in stores.curated(session.contexts, names):
            done = desk.apply(operations) if operations else None
            assert done is None or not done.rejected
        lines, _ = stores.remembered(desk.context.tree)
        assert lines == reader.told(session.contexts)
        assert "## Superseded" in desk.read(stores.path_of("Mara"))
        assert desk.context.tree.history(stores.path_of("Mara"))


def test_records_of_free_text_are_searched_and_read_by_a_model_if_any(tmp_path: Path) -> None:
    item = {
        "id": "w",
        "contexts": [
            {"content": f"Revision {n}: the mayor of Ulm is Person{n}.", "timestamp": f"202{n}"}
            for n in range(4)
        ],
        "questions": [
            {"question": "Who is the mayor of Ulm?", "answer": "Person3",
             "question_type": "single", "metadata": "{}"}
        ],
    }  # fmt: skip
    data = tmp_path / "wiki_revisions.jsonl"
    data.write_text(json.dumps(item) + "\n")
    graded = []
    for model in (None, lambda _: "<think>2?</think>\\boxed{Person3}"):
        suite = Minted()
        (case,) = suite.cases(data=str(tmp_path), seed=0, split="wiki_revisions")
        assert case.gold == ("c00003",)
        with ScratchLab(Mint) as lab:
            desk = lab.tree({}, embedder="none", model=model)
            suite.prepare(case.setup, desk)
            graded.append(suite.grade(case, suite.answer(case, desk)))
    assert "em" not in graded[0]
    assert graded[0]["recall@10"] == 1.0
    assert graded[1]["em"] == 1.0


def test_an_answer_of_other_hands_is_graded_by_itself() -> None:
    suite = Minted()
    case = next(iter(suite.cases(data="", seed=1, generate=1, updates="2")))
    graded = suite.grade(case, Result(answer=case.answer, found=case.gold))
    assert graded == {"em": 1.0, "f1": 1.0, "recall@1": 1.0, "recall@5": 1.0, "recall@10": 1.0}


def test_the_plugin_proves_itself(tmp_path: Path) -> None:
    with ScratchLab(Mint, place=str(tmp_path)) as lab:
        checks = list(Mint().selftest(lab))
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == 5


def test_importing_the_plugin_loads_nothing_heavy() -> None:
    import subprocess

    code = "import sys, memtree.memories.mint; print('json' in sys.modules, 'numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


def test_free_text_without_a_model_is_said_to_be_searched_and_not_read(tmp_path: Path) -> None:
    from memtree import bench

    record = {
        "id": "w", "contexts": [{"content": f"The mayor is Person{n}."} for n in range(3)],
        "questions": [{"question": "Who is the mayor?", "answer": "Person2"}],
    }  # fmt: skip
    (tmp_path / "wiki_revisions.json").write_text(json.dumps([record]), encoding="utf-8")
    for store, way in (("versioned", "full-text search"), ("search", "memtree search")):
        report: Any = bench.run(
            "mint", data=str(tmp_path), options={"split": "wiki_revisions", "store": store}
        )
        (line,) = report["lines"]
        assert line.startswith(f"free text: recall@k is of the contexts that {way} finds; no lang")
        assert "em" not in report["kinds"][0]
        assert report["kinds"][0]["recall@5"] == 1.0
        assert ("bm25 recall@5" in report["kinds"][0]) == (store == "search")


def test_the_operations_that_built_the_trees_are_in_the_report() -> None:
    from memtree import bench

    told: list[str] = []
    report: Any = bench.run(
        "mint", options={"generate": 1, "updates": "4"},
        progress=lambda what, *_: told.append(what),
    )  # fmt: skip
    assert report["operations"]["add"] == 7, "four people, three things"
    assert report["operations"]["supersede"] >= 16, "each person moved four times"
    assert report["tokens"] > 0
    assert "curating s000-u4" in told
    assert report["summary"]["em"]["historical"] == {"u=4": 1.0}


def test_exact_match_is_told_by_type_and_updates() -> None:
    rows = [{"kind": "all", "em": 0.5}, {"kind": "simple u=5", "em": 1.0},
            {"kind": "simple u=20", "em": 0.25}, {"kind": "multi-hop u=5", "em": 0.0},
            {"kind": "question", "recall@1": 1.0}]  # fmt: skip
    suite = Minted()
    assert suite.summary(rows) == {
        "em": {"simple": {"u=5": 1.0, "u=20": 0.25}, "multi-hop": {"u=5": 0.0}}
    }
    assert list(suite.report(rows))[:3] == [
        "em              u=5    u=20", "simple        1.000   0.250", "multi-hop     0.000       -",
    ]  # fmt: skip
    assert not suite.report(rows[-1:]), "nothing to compare"
