"""What every language model has to hold: a suite that a test class inherits, ours and a plugin's.

    class TestMine(LanguageModelContract):
        def opened(self) -> LanguageModel:
            return Mine(...)

A model that says what it was told to (a script, a server made for tests) says `EXAMPLE`. Any runner
that collects `test_` methods will do; nothing here imports one.
"""

# ruff: noqa: D102  (a test's name is its sentence)

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.llm.conform import conforms
from memtree.llm.fit import FRAME
from memtree.llm.protocol import Prompt

if TYPE_CHECKING:
    from memtree.llm.protocol import LanguageModel, Schema

SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["fact", "event", "Überblick"]},
        "lines": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": 12},
            "minItems": 1,
            "maxItems": 2,
        },
        "text": {"type": "string", "maxLength": 8},
    },
    "required": ["kind", "lines", "text"],
    "additionalProperties": False,
}
EXAMPLE = '{"kind":"fact","lines":[3],"text":"a kettle"}'
"""An answer that follows `SCHEMA`."""
PROMPT = Prompt(system="Say one thing.", shared="1: The kettle boils.", user="What boils?")
ODD = (
    "",
    " \t\r\n",
    "nul\x00in the middle",
    "half of a pair \ud83d alone",
    "\u200b\ufeff\u00ad\u202e",
    "木造の家 \U0001f44d\U0001f3fd",
    "<|im_end|></s><s>[INST]{{ user }}{% raw %}",
)


class LanguageModelContract:
    """Inherit, and say how to open one. `limit` is enough for an answer that follows `SCHEMA`."""

    limit: int = 120

    def opened(self) -> LanguageModel:
        """A new one over the same model each time."""
        raise NotImplementedError

    def test_a_model_says_who_it_is_in_one_line(self) -> None:
        model = self.opened()
        for said in (model.name, model.actor):
            _hold(said.isprintable() and said.strip() == said != "", f"one line, not {said!r}")
        _hold(model.actor.endswith(f"/{model.name}"), f"WAY/NAME, not {model.actor!r}")
        _hold(model.window > self.limit, "a window has room for an answer")
        model.close()

    def test_no_text_has_no_tokens_and_any_text_has_some(self) -> None:
        model = self.opened()
        _hold(model.count("") == 0, "nothing is no token")
        for text in ("a", "kettle", *ODD[1:]):
            _hold(model.count(text) > 0, f"no tokens: {text!a}")
        few, many = model.count("The kettle boils. "), model.count("The kettle boils. " * 50)
        _hold(few < many <= 50 * few + 50, f"more text has more tokens: {few}, {many}")
        model.close()

    def test_with_a_schema_a_whole_answer_follows_it(self) -> None:
        model = self.opened()
        for seed in range(3):
            said = model.complete(
                PROMPT, limit=self.limit, schema=SCHEMA, seed=seed, temperature=1.0
            )
            _hold(said.whole, f"cut off within {self.limit} tokens: {said.text!a}")
            _hold(conforms(json.loads(said.text), SCHEMA) == [], f"follows: {said.text!a}")
        model.close()

    def test_an_answer_says_what_it_took(self) -> None:
        model = self.opened()
        said = model.complete(PROMPT, limit=self.limit, schema=SCHEMA)
        known = sum(map(model.count, (PROMPT.system, PROMPT.shared, PROMPT.user)))
        _hold(0 < said.tokens_out <= self.limit, f"within the limit, not {said.tokens_out}")
        _hold(said.tokens_in <= known + FRAME, f"{said.tokens_in} of {known} counted")
        _hold(0 <= said.reused <= said.tokens_in, f"reused {said.reused} of {said.tokens_in}")
        _hold(said.ms >= 0, "time passes")
        model.close()

    def test_an_answer_that_is_cut_off_says_so(self) -> None:
        model = self.opened()
        said = model.complete(PROMPT, limit=2, schema=SCHEMA)
        _hold(not said.whole, f"not whole: {said.text!a}")
        _hold(said.tokens_out <= 2, f"within the limit, not {said.tokens_out}")
        model.close()

    def test_the_same_seed_gives_the_same_answer(self) -> None:
        model, other = self.opened(), self.opened()
        for temperature in (0.0, 1.0):
            said = {
                one.complete(
                    PROMPT, limit=self.limit, schema=SCHEMA, seed=7, temperature=temperature
                ).text
                for one in (model, other)
            }
            _hold(len(said) == 1, f"one answer, not {said!a}")
        model.close()
        other.close()

    def test_odd_texts_are_texts(self) -> None:
        model = self.opened()
        for text in ODD:
            prompt = Prompt(system="Say one thing.", shared=text, user=text)
            said = model.complete(prompt, limit=self.limit, schema=SCHEMA)
            _hold(said.whole, f"an answer to {text!a}: {said.text!a}")
        model.close()

    def test_what_does_not_fit_is_refused_before_it_is_asked(self) -> None:
        model = self.opened()
        long = Prompt(system="Say one thing.", user="The kettle boils. " * model.window)
        for prompt, limit in ((long, self.limit), (PROMPT, model.window + 1), (PROMPT, 0)):
            code = 0
            try:
                model.complete(prompt, limit=limit)
            except UsageError as error:
                code = error.exit_code
            _hold(code == 2, f"{limit} tokens for an answer to {len(prompt.user)} letters")
        said = model.complete(PROMPT, limit=self.limit, schema=SCHEMA)
        _hold(said.whole, "what fits is answered afterwards")
        model.close()

    def test_closing_twice_is_closing(self) -> None:
        model = self.opened()
        model.complete(PROMPT, limit=self.limit, schema=SCHEMA)
        model.close()
        model.close()


def _hold(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)
