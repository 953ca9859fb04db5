"""What tier 5 may use: a model or the reason why there is none, a budget, a recorded trace."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.llm.protocol import Completion
from memtree.retrieve.agentic.budget import Budget
from memtree.retrieve.agentic.trace import outputs_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.llm.protocol import LanguageModel, Prompt, Schema

NO_MODEL = "no language model is set"


@dataclass(slots=True, kw_only=True)
class Means:
    """`wanted` says that the settings name a model; `reason` why there is none to use.

    `replayed` is the document of a trace whose outputs take the place of a model.
    """

    model: LanguageModel | None = None
    wanted: bool = False
    reason: str = NO_MODEL
    budget: Budget = field(default_factory=Budget)
    replayed: Mapping[str, object] | None = None


class Spent(Exception):  # noqa: N818  (a state: the recorded outputs are at their end)
    """A recorded trace has no further output."""


class Recorded:
    """A model that says again what a trace has, in order, at the cost that it had then."""

    def __init__(self, document: Mapping[str, object]) -> None:
        steps = document.get("steps")
        if not isinstance(steps, list) or not isinstance(document.get("question"), str):
            raise UsageError(
                "that is no trace of a question", hint="memtree query QUESTION --trace FILE"
            )
        self.name = str(document.get("by", "")) or "a recorded model"
        self.actor = self.name
        self.window = 1 << 30
        self._outputs = [output for _, output in outputs_of(document)]
        self._tokens = [
            int(step["tokens"]) if isinstance(step.get("tokens"), int) else 0
            for step in steps
            if isinstance(step, dict) and isinstance(step.get("prompt"), str)
        ]
        self._at = 0

    def __len__(self) -> int:
        """How often the model was asked then."""
        return len(self._outputs)

    def count(self, text: str) -> int:
        """Nothing: what was read then is not read again."""
        del text
        return 0

    def complete(
        self, prompt: Prompt, *, limit: int, schema: Schema | None = None, seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:  # fmt: skip
        """The next recorded output. Raises Spent."""
        del prompt, limit, schema, seed, temperature
        if self._at >= len(self._outputs):
            raise Spent
        self._at += 1
        text = self._outputs[self._at - 1]
        return Completion(text=text, tokens_in=self._tokens[self._at - 1])

    def close(self) -> None:
        """Nothing is held."""
