"""Models that say what they were told to: for tests, and to see again what a real one said.

    model = ScriptedModel(['{"operations":[]}'])
    replay = Replay(json.loads(trace))     # of a Recording around a real model

A prompt that nobody scripted fails loudly: a test that asks more than it expects is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.llm.fit import check_fit
from memtree.llm.protocol import Completion, LanguageModel, Prompt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.llm.protocol import Schema

_LETTERS = 4  # of a scripted model's token


class Unscripted(AssertionError):  # noqa: N818  (says what happened)
    """A prompt came that no answer was written for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call: the prompt and what was asked of the answer."""

    prompt: Prompt
    limit: int
    schema: Schema | None
    seed: int
    temperature: float


Answer = str | Completion


class ScriptedModel:
    """Gives the answers in their order, or asks a function of the prompt for each.

    Nothing checks an answer: a scripted model may lie, as any may. A token is four characters; an
    answer longer than the limit is cut, and not whole. `asked` holds every call, `prompts` their
    prompts. An answer may be a `Completion`, which is given as it is.
    """

    def __init__(
        self,
        answers: Sequence[Answer] | Callable[[Prompt], Answer],
        *,
        name: str = "script",
        window: int = 4096,
    ) -> None:
        self.name = name
        self.window = window
        self.asked: list[Asked] = []
        self.closed = False
        self._answers = answers

    @property
    def actor(self) -> str:
        """`scripted/NAME`."""
        return f"scripted/{self.name}"

    @property
    def prompts(self) -> list[Prompt]:
        """What was asked so far."""
        return [asked.prompt for asked in self.asked]

    def count(self, text: str) -> int:
        """A token for every four characters, begun ones too."""
        return -(-len(text) // _LETTERS)

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Schema | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        """The next answer. Raises Unscripted when there is none, UsageError as every model."""
        tokens = sum(map(self.count, (prompt.system, prompt.shared, prompt.user)))
        check_fit(self.name, tokens=tokens, limit=limit, window=self.window)
        self.asked.append(
            Asked(prompt=prompt, limit=limit, schema=schema, seed=seed, temperature=temperature)
        )
        answer = self._next(prompt)
        if isinstance(answer, Completion):
            return answer
        text = answer[: _LETTERS * limit]
        return Completion(
            text=text,
            whole=len(text) == len(answer),
            tokens_in=tokens,
            tokens_out=self.count(text),
        )

    def close(self) -> None:
        """Nothing is held; a test may ask for `closed`."""
        self.closed = True

    def _next(self, prompt: Prompt) -> Answer:
        if callable(self._answers):
            return self._answers(prompt)
        at = len(self.asked)
        if at > len(self._answers):
            raise Unscripted(
                f"call {at} of {self.name!r}, which has {len(self._answers)} answers, asks:"
                f" {_beginning(prompt)}"
            )
        return self._answers[at - 1]


class Telling(ScriptedModel):
    """A scripted model that also tells how likely words are: what a function gives for a text."""

    def __init__(
        self,
        answers: Sequence[Answer] | Callable[[Prompt], Answer],
        likely: Callable[[str], Sequence[tuple[str, float]]],
        *,
        name: str = "script",
        window: int = 4096,
    ) -> None:
        super().__init__(answers, name=name, window=window)
        self._likely = likely

    def logprobs(self, text: str) -> list[tuple[str, float]]:
        """The tokens of a text, each with ln P(token | what stands before it)."""
        return list(self._likely(text))


class Replay(ScriptedModel):
    """What a model said once, from a trace: `[{"prompt_digest", "text"}, ...]`.

    A prompt is known by its digest; the same prompt asked again gets the next answer that was given
    to it. `whole` is kept if the trace says it.
    """

    def __init__(
        self,
        trace: Iterable[Mapping[str, object]],
        *,
        name: str = "replay",
        window: int = 1 << 20,
    ) -> None:
        super().__init__(self._said, name=name, window=window)
        self._left: dict[str, list[Completion]] = {}
        for said in trace:
            completion = Completion(text=str(said["text"]), whole=bool(said.get("whole", True)))
            self._left.setdefault(str(said["prompt_digest"]), []).append(completion)

    def _said(self, prompt: Prompt) -> Completion:
        digest = prompt_digest(prompt)
        if not self._left.get(digest):
            raise Unscripted(f"the trace has no answer to {digest}: {_beginning(prompt)}")
        return self._left[digest].pop(0)


class Recording:
    """Any model, and a trace of what it says, in the form that `Replay` reads."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self.trace: list[dict[str, object]] = []

    @property
    def name(self) -> str:
        """That of the model."""
        return self._model.name

    @property
    def actor(self) -> str:
        """That of the model."""
        return self._model.actor

    @property
    def window(self) -> int:
        """That of the model."""
        return self._model.window

    def count(self, text: str) -> int:
        """As the model counts."""
        return self._model.count(text)

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Schema | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        """As the model answers; what it says is noted, what it raises is not."""
        said = self._model.complete(
            prompt, limit=limit, schema=schema, seed=seed, temperature=temperature
        )
        self.trace.append(
            {"prompt_digest": prompt_digest(prompt), "text": said.text, "whole": said.whole}
        )
        return said

    def close(self) -> None:
        """Close the model."""
        self._model.close()


def prompt_digest(prompt: Prompt) -> str:
    """What a prompt is known by: 16 hexadecimal digits of the SHA-256 of its parts."""
    parts = (prompt.system, prompt.shared, prompt.user)
    raw = b"".join(
        len(part).to_bytes(8, "little") + part.encode("utf-8", "surrogatepass") for part in parts
    )
    return sha256(raw).hexdigest()[:16]


def _beginning(prompt: Prompt) -> str:
    return ascii(prompt.user[-300:] if len(prompt.user) > 300 else prompt.user)
