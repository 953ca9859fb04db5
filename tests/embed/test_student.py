"""A large model's student: questions by a table that learned the tree's own words."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from memtree.embed.protocol import Identity
from memtree.embed.student import GROWN, LEAST, Student
from memtree.embed.table import Table

TOPICS = {
    "boats": "ferry harbour anchor sail tide captain deck",
    "bread": "flour oven yeast loaf dough crust baker",
    "stars": "planet orbit comet telescope moon galaxy eclipse",
}


class Teacher:
    """A model that knows which topic a text is of, and nothing else; slow, as large models are."""

    foreground = False

    def __init__(self, digest: str = "d1") -> None:
        self.identity = Identity("teacher", 16, digest=digest)
        source = np.random.default_rng(1)
        self.directions = {topic: source.normal(size=16) for topic in TOPICS}
        self.asked = 0

    def question(self, text: str) -> list[float]:
        self.asked += 1
        return [float(value) for value in self._vector(text)]

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([self._vector(text) for text in texts], np.float32)

    def another(self) -> Teacher:
        return Teacher(self.identity.digest)

    def close(self) -> None:
        """Nothing to let go of."""

    def _vector(self, text: str) -> npt.NDArray[np.float64]:
        total = np.full(16, 1e-6)
        for topic, words in TOPICS.items():
            total += self.directions[topic] * sum(text.count(word) for word in words.split())
        return np.asarray(total / np.linalg.norm(total))


def texts(count: int) -> list[str]:
    source = random.Random(5)
    topics = [words.split() for words in TOPICS.values()]
    return [" ".join(source.choices(source.choice(topics), k=8)) for _ in range(count)]


@pytest.fixture
def taught(tmp_path: Path) -> Student:
    student = Student(Teacher(), str(tmp_path / "questions.bin"))
    some = texts(LEAST)
    student.learn(some, student.passages(some), passages=len(some))
    return student


def test_a_taught_student_answers_as_its_teacher_would_without_asking(taught: Student) -> None:
    teacher = taught.model
    assert isinstance(teacher, Teacher)
    for topic, words in TOPICS.items():
        vector = np.array(taught.question(f"{words.split()[0]} and {words.split()[1]}"))
        likeness = {name: float(vector @ way) for name, way in teacher.directions.items()}
        assert max(likeness, key=likeness.__getitem__) == topic
    assert teacher.asked == 0


def test_an_untaught_student_asks_its_teacher(tmp_path: Path) -> None:
    student = Student(Teacher(), str(tmp_path / "questions.bin"))
    assert student.question("a loaf of bread") == Teacher().question("a loaf of bread")


def test_words_that_the_table_lacks_are_asked_of_the_teacher(taught: Student) -> None:
    assert taught.question("你好") == Teacher().question("你好")


def test_what_was_learned_from_another_model_is_not_used(taught: Student) -> None:
    other = Student(Teacher("d2"), taught.path)
    assert other.question("harbour") == Teacher().question("harbour")
    assert other.is_due(LEAST)


def test_it_learns_when_there_is_enough_and_again_when_the_tree_has_grown(taught: Student) -> None:
    fresh = Student(Teacher(), taught.path + ".none")
    assert not fresh.is_due(LEAST - 1)
    assert fresh.is_due(LEAST)
    assert not taught.is_due(LEAST)
    assert not taught.is_due(int(GROWN * LEAST))
    assert taught.is_due(int(GROWN * LEAST) + 1)


def test_half_of_what_all_texts_share_is_in_every_vector(tmp_path: Path) -> None:
    # Texts that are all alike in much, as those of one tree are.
    teacher = Teacher()
    for topic in TOPICS:
        teacher.directions[topic] = teacher.directions[topic] + 0.5
    some = texts(LEAST)
    vectors = teacher.passages(some)
    student = Student(teacher, str(tmp_path / "questions.bin"))
    student.learn(some, vectors, passages=len(some))
    bare = Table(student.path)
    by_model, by_student, without = (
        (np.array([ask(text) for text in some[:50]]) @ vectors.T).mean()
        for ask in (teacher.question, student.question, bare.question)
    )
    bare.close()
    assert without + 0.1 < by_student < by_model


def test_sentences_of_the_passages_are_learned_as_well(tmp_path: Path) -> None:
    teacher = Teacher()
    student = Student(teacher, str(tmp_path / "questions.bin"))
    whole = [
        f"{one}. {two}." for one, two in zip(texts(LEAST), texts(2 * LEAST)[LEAST:], strict=True)
    ]
    told: list[str] = []
    student.learn(
        whole, teacher.passages(whole), passages=LEAST,
        progress=lambda stage, done, total: told.append(f"{stage} {done}/{total}"),
    )  # fmt: skip
    assert any(line.startswith("learning from sentences") for line in told)
    assert told[-1] == "learning the tree's words 0/0"
    assert student.lesson() == LEAST


def test_learning_aside_ends_in_the_same_table(taught: Student, tmp_path: Path) -> None:
    other = Student(Teacher(), str(tmp_path / "aside.bin"))
    some = texts(LEAST)
    other.learn_aside(some, other.passages(some), passages=LEAST).join(60)
    assert Path(other.path).read_bytes() == Path(taught.path).read_bytes()


def test_learning_aside_that_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    student = Student(Teacher(), str(tmp_path / "no such folder" / "questions.bin"))
    some = texts(LEAST)
    student.learn_aside(some, student.passages(some), passages=LEAST).join(60)
    assert student.lesson() == 0
    assert student.question("harbour") == Teacher().question("harbour")


def test_a_table_without_the_mean_is_no_table(taught: Student) -> None:
    raw = Path(taught.path).read_bytes()
    Path(taught.path).write_bytes(raw.replace(b"centre ", b"center ", 1))
    assert taught.question("harbour") == Teacher().question("harbour")
    assert taught.is_due(LEAST)


def test_a_damaged_table_is_no_table(taught: Student) -> None:
    os.truncate(taught.path, 5000)
    assert taught.question("harbour") == Teacher().question("harbour")
    Path(taught.path).write_bytes(b"something else")
    assert taught.question("harbour") == Teacher().question("harbour")
    assert taught.is_due(LEAST)


def test_a_table_that_was_learned_anew_is_seen_at_once(taught: Student) -> None:
    before = list(taught.question("harbour oven"))
    some = texts(2 * LEAST)[LEAST:]
    taught.learn(some, -taught.passages(some), passages=len(some))
    assert float(np.dot(before, taught.question("harbour oven"))) < 0
