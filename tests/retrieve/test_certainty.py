"""When a tree may say that it knows: from one entry on, and never for the wrong number or word."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.app import Tree, init_tree, open_tree
from memtree.knowledge.query import Query
from memtree.retrieve import calibration, english
from memtree.retrieve.candidate import Candidate, Question
from memtree.retrieve.correct import is_slip
from memtree.retrieve.evidence import Evidence, Meant, evidence
from memtree.retrieve.ranking import rank
from memtree.retrieve.slips import distance, strokes

HERE = Path(__file__).resolve()
REPOSITORY = HERE.parents[2]
SEAT = (
    "# Seats\n\nAn unpaid seat is held for fifteen minutes. The clock starts on the payment page.\n"
)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tree]:
    place = tmp_path_factory.mktemp("certainty") / "atlas"
    shutil.copytree(
        REPOSITORY / "examples" / "atlas", place, ignore=shutil.ignore_patterns(".memtree")
    )
    os.makedirs(place / ".memtree")
    with open_tree(str(place)) as tree:
        yield tree


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Tree]:
    with init_tree(str(tmp_path / "tree")) as tree:
        (tmp_path / "tree" / "seats.md").write_text(SEAT, encoding="utf-8")
        yield tree


@pytest.mark.parametrize(
    "question",
    [
        "how do I feed a cat",
        "how do I reset my password",
        "what is our holiday policy",
        "is redis clustered",
        "where is the printer",
        "who cleans the boats",
        "how much does a ticket cost",
        "which wine goes with fish",
        "who repairs the roof",
        "PostgreSQL 14 upgrade",
        "error code HL-3001",
    ],
)
def test_what_the_example_does_not_answer_is_absent(atlas: Tree, question: str) -> None:
    answer = atlas.query(question)
    assert answer.status == "absent", (answer.confidence, answer.hits[0].path, answer.notes)


def test_every_question_of_the_example_is_answered_or_not_as_it_says(atlas: Tree) -> None:
    lines = (REPOSITORY / "examples" / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    wrong = []
    for line in lines:
        row = json.loads(line)
        answer = atlas.query(row["query"])
        if [hit.path for hit in answer.hits[:1]] != row["gold"][:1]:
            wrong.append((row["query"], answer.status))
    assert not wrong


def test_few_everyday_questions_are_answered_wrongly_or_not_at_all(atlas: Tree) -> None:
    path = REPOSITORY / "benchmarks" / "certainty.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    strange = [row for row in rows if not row["gold"]]
    own = [row for row in rows if row["gold"]]
    answered = [row["query"] for row in strange if atlas.query(row["query"]).status == "found"]
    missed = [row["query"] for row in own if atlas.query(row["query"]).status == "absent"]
    assert len(answered) <= 0.08 * len(strange), answered
    assert len(missed) <= 0.15 * len(own), missed


@pytest.mark.parametrize(
    "question",
    [
        "how long is a cabin held",
        "is a seat held for thirty minutes",
        "is a seat held for 30 minutes",
        "who painted the clock",
        "what is the boiling point of mercury",
    ],
)
def test_one_entry_is_not_sure_of_what_it_does_not_say(one: Tree, question: str) -> None:
    assert one.query(question).status == "absent"


@pytest.mark.parametrize(
    "question",
    [
        "how long is an unpaid seat held",
        "is a seat held for fifteen minutes",
        "when does the clock start",
        "unpaid seat",
        "fifteen minutes",
    ],
)
def test_one_entry_is_sure_of_what_it_says(one: Tree, question: str) -> None:
    answer = one.query(question)
    assert answer.status == "found"
    assert answer.hits[0].path == "seats.md"


def test_a_misspelt_word_is_sure_when_all_else_agrees(one: Tree) -> None:
    answer = one.query(Query("when is an unpaid seat helt for fiftene mniutes on the payment page"))
    assert answer.notes
    assert one.query("unpaid seat on the paymnet page").status == "found"
    assert one.query("paymnet of the cabin").status == "absent"


@pytest.mark.parametrize(
    ("typed", "meant", "slip"),
    [
        ("wine", "wind", False),
        ("roof", "root", False),
        ("ship", "shop", False),
        ("party", "part", False),
        ("county", "count", False),
        ("place", "plane", False),
        ("waht", "what", True),
        ("falkon", "falcon", True),
        ("harmnoic", "harmonic", True),
        ("producton", "production", True),
        ("pasword", "password", True),
        ("praising", "passing", False),
    ],
)
def test_short_words_are_slips_only_by_a_swap(typed: str, meant: str, *, slip: bool) -> None:
    assert is_slip(typed, meant, distance, strokes) is slip


# -- evidence alone: words that no language knows, so that only the rules speak -------------------

HELD = [f"held{letter}" for letter in "abcdef"]
UNKNOWN = [f"strange{letter}" for letter in "abcdef"]
FILLER = [Candidate(f"f{n}", f"f{n}", ["filler", f"word{n}x"]) for n in range(5)]


def judged(
    asked: list[str], held: list[str], size: int, *, gap: int = 0, meaning: float | None = None
) -> Evidence:
    """What a tree of `size` passages proves when one of them holds the words `held`."""
    body = [word for held_word in held for word in [held_word, *["between"] * gap]]
    notes = [Candidate("note", "note", body), *FILLER]
    notes[0].meaning = meaning
    question = Question(
        ["what", *asked],
        words=["what", *asked],
        stops=[True, *[False] * len(asked)],
        frequency=lambda stem: int(stem in HELD),
        documents=size,
        average_length=20.0,
        english=english,
    )
    return evidence(question, rank(question, notes))


SIZES = st.sampled_from([1, 5, 20, 100, 1_000, 10_000, 100_000])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5), st.integers(0, 3), SIZES)
def test_more_of_the_question_in_a_passage_never_makes_it_less_present(
    held: int, unknown: int, size: int
) -> None:
    asked = HELD + UNKNOWN[:unknown]
    less, more = judged(asked, HELD[:held], size), judged(asked, HELD[: held + 1], size)
    assert more.present >= less.present
    assert more.together >= less.together


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(0, 5), SIZES)
def test_a_word_that_the_tree_lacks_never_makes_it_more_present(
    held: int, unknown: int, size: int
) -> None:
    words = HELD[:held]
    less = judged(words + UNKNOWN[: unknown + 1], words, size)
    more = judged(words + UNKNOWN[:unknown], words, size)
    assert less.present <= more.present


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_half_of_the_words_unknown_is_absent_in_a_tree_of_any_size(size: int) -> None:
    assert judged([HELD[0], UNKNOWN[0]], HELD[:1], size).present < 0.5
    assert judged(HELD[:2] + UNKNOWN[:2], HELD[:2], size).present < 0.5
    assert judged(HELD[:4], HELD[:4], size).present > 0.5


def test_words_far_from_each_other_prove_less() -> None:
    near, far = judged(HELD[:4], HELD[:4], 100), judged(HELD[:4], HELD[:4], 100, gap=30)
    assert far.present < near.present
    assert far.coverage == near.coverage


def test_a_corrected_word_proves_nothing_by_itself() -> None:
    meant: list[str] = [Meant(HELD[0])]
    assert judged(meant, HELD[:1], 20).present < 0.5
    assert judged([*meant, UNKNOWN[0]], HELD[:1], 20).present < 0.5
    assert judged([*meant, *HELD[1:4]], HELD[:4], 20).present > 0.5


def test_a_number_that_no_passage_has_is_against_it() -> None:
    assert judged([*HELD[:4], "15"], [*HELD[:4], "16"], 20).against == "a number differs"
    assert judged([*HELD[:4], "15"], [*HELD[:4], "15"], 20).against == ""
    assert judged([*HELD[:4], "thirti"], HELD[:4], 20).present < 0.5


# -- the weights ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meaning"),
    [("PRESENT", None), ("RIGHT", None), ("PRESENT_MEANT", 0.5), ("RIGHT_MEANT", 0.5)],
)
def test_every_weight_is_of_something_that_is_measured(name: str, meaning: float | None) -> None:
    weights: dict[str, float] = getattr(calibration, name)
    measures = judged(HELD[:3], HELD[:2], 100, meaning=meaning).measures
    assert weights.keys() <= measures.keys()
    assert "constant" in weights
    assert all(isinstance(weight, float) for weight in weights.values())


def test_the_weights_are_a_module_of_literals() -> None:
    source = Path(str(calibration.__file__)).read_text("utf-8")
    for node in ast.parse(source).body[1:]:
        assert isinstance(node, ast.Assign)
        assert isinstance(ast.literal_eval(node.value), dict)


def test_the_weights_say_where_they_come_from() -> None:
    said = calibration.__doc__ or ""
    for word in ("calibrate.py --write", "memtree", "questions", "AUROC", "calibration error"):
        assert word in said


def test_what_is_fitted_is_what_is_loaded() -> None:
    code = (
        "import json; from certainty_fit import MODELS;"
        "print(json.dumps({model.name: model.measures for model in MODELS}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY / "benchmarks",
        capture_output=True,
        encoding="utf-8",
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    fitted = {name: set(measures) for name, measures in json.loads(done.stdout).items()}
    loaded = {name: set(vars(calibration)[name]) for name in fitted}
    assert fitted == loaded


def test_meaning_is_weighed_only_where_a_passage_has_a_vector() -> None:
    without, with_ = judged(HELD[:4], HELD[:2], 100), judged(HELD[:4], HELD[:2], 100, meaning=0.9)
    assert "height" not in without.measures
    assert with_.measures["height"] == 0.9
