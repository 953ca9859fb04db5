from __future__ import annotations

import json

import pytest

from memtree.llm.contract import EXAMPLE, LanguageModelContract
from memtree.llm.protocol import Completion, LanguageModel, Prompt
from memtree.llm.scripted import Recording, Replay, ScriptedModel, Unscripted, prompt_digest

ONE, OTHER = Prompt(system="s", user="one"), Prompt(system="s", user="other")


class TestScriptedModel(LanguageModelContract):
    def opened(self) -> LanguageModel:
        return ScriptedModel(lambda _: EXAMPLE)


class TestRecording(LanguageModelContract):
    def opened(self) -> LanguageModel:
        return Recording(ScriptedModel([EXAMPLE] * 9))


def test_answers_come_in_their_order_and_what_was_asked_is_kept() -> None:
    model = ScriptedModel(["a", Completion(text="b", whole=False)])
    assert model.complete(ONE, limit=5, seed=3).text == "a"
    assert not model.complete(OTHER, limit=6).whole
    assert model.prompts == [ONE, OTHER]
    assert [(asked.limit, asked.seed) for asked in model.asked] == [(5, 3), (6, 0)]
    assert model.actor == "scripted/script"
    model.close()
    assert model.closed


def test_a_prompt_that_nobody_scripted_fails_and_shows_itself() -> None:
    model = ScriptedModel(["a"])
    model.complete(ONE, limit=5)
    with pytest.raises(Unscripted, match=r"call 2 .* 1 answers.*other") as caught:
        model.complete(OTHER, limit=5)
    assert isinstance(caught.value, AssertionError)


def test_a_function_may_answer_by_the_prompt() -> None:
    model = ScriptedModel(lambda prompt: prompt.user.upper())
    assert model.complete(ONE, limit=5).text == "ONE"


def test_a_recording_is_replayed_in_any_order_and_the_same_prompt_in_its_own() -> None:
    recording = Recording(ScriptedModel(["1", "2", Completion(text="3", whole=False)]))
    for prompt in (ONE, OTHER, ONE):
        recording.complete(prompt, limit=5)
    replay = Replay(json.loads(json.dumps(recording.trace)))
    said = [replay.complete(prompt, limit=5) for prompt in (OTHER, ONE, ONE)]
    assert [(one.text, one.whole) for one in said] == [("2", True), ("1", True), ("3", False)]
    with pytest.raises(Unscripted, match="no answer"):
        replay.complete(ONE, limit=5)


def test_a_digest_tells_the_parts_of_a_prompt_apart() -> None:
    prompts = [
        Prompt(system="ab", user="c"), Prompt(system="a", user="bc"), Prompt(system="abc", user=""),
        Prompt(system="ab", shared="c", user=""), Prompt(system="ab", user="c\ud800"),
    ]  # fmt: skip
    assert len({prompt_digest(prompt) for prompt in prompts}) == len(prompts)
    assert prompt_digest(prompts[0]) == prompt_digest(Prompt(system="ab", user="c"))
