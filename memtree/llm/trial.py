"""A small form for a model to fill in: whether it works here, and how fast."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.llm.conform import conforms
from memtree.llm.protocol import Prompt

if TYPE_CHECKING:
    from memtree.llm.protocol import LanguageModel

LIMIT = 400
"""Tokens of an answer: more than the form has room for, even in single bytes."""
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["fact", "question"]},
        "words": {"type": "string", "minLength": 1, "maxLength": 60},
    },
    "required": ["kind", "words"],
}
_PROMPT = Prompt(
    system="Fill in the form about the line that you are given. Answer in JSON.",
    shared="`kind` says whether the line states a fact or asks a question."
    " `words` repeats its first words.",
    user="Line: The ferry leaves at nine.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How it went. `first_ms` includes loading; `speed` is tokens written a second, later.

    `fits` says whether the second answer was whole and as the form wants it, `problem` why not.
    """

    model: str
    actor: str
    window: int
    first_ms: float
    again_ms: float
    tokens_in: int
    tokens_out: int
    reused: int
    speed: float
    fits: bool
    problem: str


def tried(model: LanguageModel) -> Trial:
    """Let a model fill in the form, twice. Raises ModelUnavailable."""
    first = model.complete(_PROMPT, limit=LIMIT, schema=SCHEMA)
    again = model.complete(_PROMPT, limit=LIMIT, schema=SCHEMA)
    problem = ""
    if not again.whole:
        problem = "the answer was cut off"
    else:
        try:
            problem = "; ".join(conforms(json.loads(again.text), SCHEMA))
        except ValueError:
            problem = "the answer is not JSON"
    return Trial(
        model=model.name,
        actor=model.actor,
        window=model.window,
        first_ms=first.ms,
        again_ms=again.ms,
        tokens_in=again.tokens_in,
        tokens_out=again.tokens_out,
        reused=again.reused,
        speed=1000 * again.tokens_out / again.ms if again.ms else 0.0,
        fits=not problem,
        problem=problem,
    )
