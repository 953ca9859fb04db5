"""What every language model is: a prompt in, text out that follows a schema.

A model is untrusted: it may say anything, so whoever asks checks what it says. It has no tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    Schema = Mapping[str, object]
    """A JSON schema in the subset that `memtree.llm.grammar` understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What a model reads: the rules (`system`), what calls share (`shared`), and this call's own.

    `system` and `shared` come first and are the same from call to call, so that their state is
    computed once. Text of people or sources belongs into `shared` and `user`, never into `system`.
    """

    system: str
    user: str
    shared: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model said. `whole` is False when it was cut off at the limit of tokens.

    `tokens_in` counts the whole prompt, `reused` how many of them were still in memory; `ms` is
    wall time.
    """

    text: str
    whole: bool = True
    tokens_in: int = 0
    tokens_out: int = 0
    reused: int = 0
    ms: float = 0.0


class LanguageModel(Protocol):
    """One model. Not for several threads at once."""

    @property
    def name(self) -> str:
        """For people: the file's or the server's name of the model."""
        ...

    @property
    def actor(self) -> str:
        """For `generated.by`: `llama/NAME` or `openai/NAME`."""
        ...

    @property
    def window(self) -> int:
        """Tokens of prompt and answer together."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text: exact for a local model, never too few for an endpoint's estimate."""
        ...

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Schema | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        """Answer within `limit` tokens; with a schema, in JSON that follows it if it is whole.

        Raises ModelUnavailable when the model can't be used, UsageError when the prompt and the
        limit do not fit into the window.
        """
        ...

    def close(self) -> None:
        """Let go of files and processes; may be called twice."""
        ...
