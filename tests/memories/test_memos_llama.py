"""What the hot block saves a real model: measured with llama.cpp on a small model."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab
from memtree.llm.llama import Llama
from memtree.llm.protocol import Completion, Prompt
from memtree.memories.memos import MemOs, commands, working
from memtree.memories.memos.acceptance import note

sys.path.append(str(Path(__file__).resolve().parents[1] / "llm"))

from make_llm import CHATML, make_llm

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)
SYSTEM = "You answer from these notes."
QUESTIONS = ("Which kettle is green?", "Who bought kettle 7?")
NOTES = {
    f"team/notes/n{n}.md": note(f"Note {n}", f"Kettle {n} was sold to customer {n} in town.")
    for n in range(20)
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llm(tmp_path_factory.mktemp("memos") / "small.gguf", template=CHATML)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[WorkDesk]:
    with ScratchLab(MemOs, place=str(tmp_path)) as lab:
        desk = lab.tree(NOTES, now="2026-01-01T09:00:00Z", options={"hot_tokens": 260})
        for question in ("kettle in town", "customer of a kettle"):
            desk.pack(question, pack=True)
        yield desk


def asked(file: Path, *prompts: Prompt) -> list[Completion]:
    """The answers of a model that was just started, to one prompt after the other."""
    with Llama(str(file), threads=1) as model:
        return [model.complete(prompt, limit=12) for prompt in prompts]


def test_the_second_question_reads_a_fifth_and_gets_the_same_answer(
    desk: WorkDesk, file: Path
) -> None:
    commands.warm(desk)
    hot = working.composed(working.hot_block(desk.context, tokens=260))
    first, second = (Prompt(system=SYSTEM, shared=hot, user=question) for question in QUESTIONS)
    (cold,) = asked(file, second)
    _, warm = asked(file, first, second)
    before, after = cold.tokens_in - cold.reused, warm.tokens_in - warm.reused
    assert cold.reused == 0
    assert after <= 0.2 * before
    assert warm.text == cold.text


def test_warm_lets_the_model_read_and_the_next_question_finds_it_read(
    desk: WorkDesk, file: Path
) -> None:
    with Llama(str(file), threads=1) as model:
        desk.tree.language_model = model
        desk.tree.without_model = False
        report = commands.warm(desk)
        assert isinstance(report.value, dict)
        again = commands.warm(desk)
        assert isinstance(again.value, dict)
        assert report.value["rebuilt"]
        assert not again.value["rebuilt"]
        assert report.value["reused"] == 0
        assert again.value["reused"] >= 0.95 * again.value["read"]
        hot = working.composed(working.hot_block(desk.context, tokens=260))
        said = model.complete(Prompt(system=SYSTEM, shared=hot, user=QUESTIONS[0]), limit=4)
        assert said.reused >= 0.8 * said.tokens_in


def test_the_hot_block_is_reused_when_memtree_asks(desk: WorkDesk, file: Path) -> None:
    class Noting:
        """The model, and what it was asked."""

        def __init__(self, model: Llama) -> None:
            self.model = model
            self.name, self.actor, self.window = model.name, model.actor, model.window
            self.prompts: list[Prompt] = []
            self.said: list[Completion] = []

        def count(self, text: str) -> int:
            return self.model.count(text)

        def complete(self, prompt: Prompt, **asked: object) -> Completion:
            self.prompts.append(prompt)
            self.said.append(self.model.complete(prompt, **asked))  # type: ignore[arg-type]
            return self.said[-1]

        def close(self) -> None:
            self.model.close()

    with Llama(str(file), threads=1) as model:
        noting = Noting(model)
        desk.tree.language_model = noting
        desk.tree.without_model = False
        for question in QUESTIONS:
            desk.ask(question, pack=True)
        hot = working.hot_block(desk.context, tokens=260)
    assert len(noting.said) == 2
    second = noting.said[-1]
    assert hot
    assert hot[-1].text in noting.prompts[0].shared
    assert second.reused >= 0.3 * second.tokens_in
