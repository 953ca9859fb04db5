"""How likely a text is for a model in llama.cpp: ln P of each of its tokens."""

from __future__ import annotations

import importlib.util
from math import exp, log
from pathlib import Path

import pytest
from make_llm import TOKENS, make_llm

from memtree.errors import UsageError
from memtree.llm.llama import Llama
from memtree.llm.protocol import Prompt

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llm(tmp_path_factory.mktemp("llm") / "plain.gguf")


def test_every_token_has_a_log_probability_and_their_texts_are_the_text(plain: Path) -> None:
    text = "The kettle is black. Der Kessel: \u0434\u0430 \U0001fad6!"
    with Llama(str(plain), threads=1) as model:
        told = model.logprobs(text)
        assert len(told) == model.count(text)
        assert "".join(word for word, _ in told).strip() == text
        assert all(value <= 0 for _, value in told)
        assert told == model.logprobs(text)
        assert model.logprobs("") == []


def test_the_probabilities_of_all_next_tokens_are_one_together(plain: Path) -> None:
    with Llama(str(plain), threads=1) as model:
        # The probability of each letter that may follow: those that one token writes.
        total = sum(
            exp(model.logprobs(f"ab{letter}")[-1][1]) for letter in TOKENS if len(letter) == 1
        )
        assert 0 < total <= 1 + 1e-6
        mean = -sum(value for _, value in model.logprobs("a kettle")) / 8
        assert mean < 3 * log(len(TOKENS))


def test_what_stands_before_does_not_change_with_what_follows(plain: Path) -> None:
    with Llama(str(plain), threads=1) as model:
        short, longer = model.logprobs("The kettle"), model.logprobs("The kettle is black " * 60)
        assert len(longer) > 1000  # in more than one batch
        for (word, value), (other, same) in zip(short, longer, strict=False):
            assert word == other
            assert value == pytest.approx(same, abs=1e-3)


def test_answers_before_and_after_are_the_same(plain: Path) -> None:
    prompt = Prompt(system="Answer.", shared="Notes about kettles.", user="Which kettle?")
    with Llama(str(plain), threads=1) as model:
        before = model.complete(prompt, limit=12).text
        model.logprobs("Something else altogether.")
        after = model.complete(prompt, limit=12)
        assert after.text == before
        assert model.complete(prompt, limit=12).reused > 0


def test_a_text_longer_than_the_window_is_an_error_in_words(plain: Path) -> None:
    with Llama(str(plain), threads=1, window=256) as model, pytest.raises(UsageError):
        model.logprobs("kettle " * 200)
