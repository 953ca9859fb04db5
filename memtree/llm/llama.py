"""A language model in a GGUF file, run by llama.cpp in a process of its own.

What a model reads: its chat template, if its file brings one, with `system` as the system message
and `shared`, a blank line and `user` as the user's; otherwise the three, each followed by a blank
line. Whatever a source says stays text: only the template may write control tokens.

What one prompt begins with like the one before it (`system`, `shared`) is not computed again. With
a schema every answer follows it, unless it is cut off at the limit. Temperature 0 takes the most
likely token each time. The same seed gives the same answer on the same machine.
"""

from __future__ import annotations

import time
from math import isfinite
from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable
from memtree.llama.head import read_head
from memtree.llama.process import WORKER, Process, plain
from memtree.llm.fit import check_fit
from memtree.llm.protocol import Completion

if TYPE_CHECKING:
    from typing import Self

    from memtree.llm.protocol import Prompt, Schema

WINDOW = 4096
_CONTEXT = 2048  # of a model whose file says nothing


class Llama:
    """The model of a file. Not for several threads at once; one process for each.

    `window` is how many tokens prompt and answer may have together, less if the model was made for
    less. `timeout` is how many seconds an answer may take, `patience` how many loading may take.
    `threads` of one model; more spin while they wait. `name` is for people, the file's own if "".
    """

    __slots__ = ("_kept", "_process", "name", "path", "window")

    def __init__(
        self,
        path: str,
        *,
        name: str = "",
        window: int = WINDOW,
        threads: int = 2,
        timeout: float = 300,
        patience: float = 300,
        worker: str = WORKER,
    ) -> None:
        """Read the file's head. Raises ModelUnavailable if it is no model that writes."""
        head = read_head(path)
        if not head.writes:
            raise ModelUnavailable(
                f"{path!r} is no language model: it is {head.kind!r}, which writes nothing",
                hint="name a model that answers in text; one that embeds goes into embed.model",
            )
        self.path = path
        self.name = name or _one_line(head.name)
        self.window = min(window, head.context or _CONTEXT)
        self._process = Process(
            path,
            {"use": "generate", "window": self.window, "threads": threads},
            timeout=timeout,
            patience=patience,
            worker=worker,
        )
        self._kept: tuple[Schema, str] | None = None

    @property
    def actor(self) -> str:
        """`llama/NAME`."""
        return f"llama/{self.name}"

    def load(self) -> str:
        """Load the model now; says how prompts are laid out, by its `template` or `plain`.

        Raises ModelUnavailable.
        """
        self._process.ask({"count": ""})
        return str(self._process.loaded.get("layout", "plain"))

    def count(self, text: str) -> int:
        """Tokens of a text, exact; the first count waits until the model is loaded.

        Raises ModelUnavailable.
        """
        if not text:
            return 0
        answer = self._process.ask({"count": plain(text)})
        return _whole_number(answer, "tokens")

    def logprobs(self, text: str) -> list[tuple[str, float]]:
        """The tokens of a text, each with ln P(token | what stands before it), at most 0.

        Joined, their texts are the text, but for a space that some models put before it. What of a
        letter's bytes is no letter yet is "". Raises ModelUnavailable, UsageError when the text is
        longer than the window.
        """
        if not text:
            return []
        check_fit(self.name, tokens=self.count(text), limit=1, window=self.window)
        answer = self._process.ask({"logprobs": plain(text)})
        texts, logs = answer.get("texts"), answer.get("logs")
        if not (isinstance(texts, list) and isinstance(logs, list) and len(texts) == len(logs)):
            raise ModelUnavailable("llama.cpp answered without 'logs'", hint="try another model")
        if not all(isinstance(log, float) and isfinite(log) for log in logs):
            raise ModelUnavailable(f"{self.name!r} gives words no probability")
        return [(str(word), float(log)) for word, log in zip(texts, logs, strict=True)]

    def complete(
        self,
        prompt: Prompt,
        *,
        limit: int,
        schema: Schema | None = None,
        seed: int = 0,
        temperature: float = 0.0,
    ) -> Completion:
        """The answer, see `LanguageModel.complete`.

        Raises ModelUnavailable, UsageError when it does not fit, and ValueError for a schema
        outside the subset of `memtree.llm.subset`. Ctrl-C ends the process and is passed on.
        """
        check_fit(self.name, tokens=0, limit=limit, window=self.window)
        begin = time.perf_counter()
        answer = self._process.ask(
            {
                "system": plain(prompt.system),
                "shared": plain(prompt.shared),
                "user": plain(prompt.user),
                "limit": limit,
                "grammar": None if schema is None else self._grammar(schema),
                "seed": seed,
                "temperature": max(temperature, 0.0),
            }
        )
        if "long" in answer:
            tokens = _whole_number(answer, "long")
            check_fit(self.name, tokens=tokens, limit=limit, window=self.window)
        if "refused" in answer:
            raise ValueError(f"{answer['refused']}")
        return Completion(
            text=str(answer["text"]),
            whole=answer["whole"] is True,
            tokens_in=_whole_number(answer, "in"),
            tokens_out=_whole_number(answer, "out"),
            reused=_whole_number(answer, "reused"),
            ms=(time.perf_counter() - begin) * 1000,
        )

    def close(self) -> None:
        """End the process; may be called twice."""
        self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _grammar(self, schema: Schema) -> str:
        """The schema's grammar; that of the last schema is kept."""
        from memtree.llm.grammar import grammar_of

        if self._kept is None or self._kept[0] is not schema:
            self._kept = (schema, grammar_of(schema))
        return self._kept[1]


def _whole_number(answer: dict[str, object], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int):
        raise ModelUnavailable(f"llama.cpp answered without {name!r}", hint="try another model")
    return value


def _one_line(name: str) -> str:
    """A file's own name for its model, as one printable line."""
    shown = "".join(letter if letter.isprintable() else " " for letter in name[:80])
    return " ".join(shown.split()) or "model"
