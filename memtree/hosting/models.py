"""The embedder and the language model as a plugin sees them: counted, bounded, traced."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, cast

from memtree.errors import Unavailable, UsageError
from memtree.hosting.calls import outside
from memtree.index.full_text import PASSAGES
from memtree.index.vectors import NoVectors, Vectors
from memtree.plugins.context import BudgetSpent, Stored
from memtree.retrieve.engine import CACHE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.app import Tree
    from memtree.embed.protocol import Embedder
    from memtree.llm.protocol import LanguageModel, Prompt
    from memtree.plugins.context import Budget

    Matrix = npt.NDArray[np.float32]

BUILTIN = "builtin"


class EmbedderLook:
    """The embedder that the settings of a tree name."""

    def __init__(self, tree: Tree, embedder: Embedder) -> None:
        self._tree = tree
        self._embedder = embedder

    @property
    def id(self) -> str:
        """Which vectors these are."""
        return self._embedder.identity.text()

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""
        return self._embedder.identity.dimension

    @property
    def lexical(self) -> bool:
        """Whether it is the built-in table of word vectors."""
        return (self._tree.config.text("embed.model").strip() or BUILTIN) == BUILTIN

    def embed(self, texts: Sequence[str]) -> Matrix:
        """float32, shape (len(texts), dimension), unit rows."""
        with outside():
            return self._embedder.passages(texts)

    def question(self, text: str) -> Matrix:
        """float32, shape (dimension,)."""
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        with outside():
            return np.asarray(self._embedder.question(text), np.float32)

    def stored(self) -> Stored:
        """What the index has of all passages. Raises NoVectors."""
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        with outside():
            engine = self._tree.held()
            engine.meaning()
            vectors = Vectors(os.path.join(self._tree.root, CACHE))
            passages, matrix = vectors.matrix()
            rows = engine.catalog.rows({passage // PASSAGES for passage in passages})
            lines = {
                found.passage: (found.first, found.last)
                for found in engine.full_text.search(
                    engine.full_text.everything(), max(1, engine.full_text.passages)
                )
            }
        kept = [
            place for place, passage in enumerate(passages)
            if passage in lines and passage // PASSAGES in rows
        ]  # fmt: skip
        places = [
            (rows[passages[place] // PASSAGES].path, lines[passages[place]]) for place in kept
        ]
        if len(kept) < len(passages):
            matrix = matrix[np.asarray(kept, np.int64)]
        return Stored(places=places, matrix=matrix)


def embedder_of(tree: Tree) -> EmbedderLook | None:
    """The tree's embedder; None when the settings name none, or one that can't be used."""
    with outside():
        try:
            return EmbedderLook(tree, tree.held().embedder())
        except NoVectors:
            return None


class ModelLook:
    """A language model, with what one call may spend."""

    def __init__(
        self, model: LanguageModel, budget: Budget, trace: Callable[..., None],
        capabilities: frozenset[str] | None = None,
    ) -> None:  # fmt: skip
        self._model = model
        self._most = budget.calls  # what a plugin makes of its budget later does not count
        self._trace = trace
        self.capabilities = capabilities_of(model) if capabilities is None else capabilities
        self.calls = 0
        self.read = 0
        self.reused = 0

    @property
    def name(self) -> str:
        """For people."""
        return self._model.name

    @property
    def window(self) -> int:
        """Tokens of prompt and answer together."""
        return self._model.window

    def count(self, text: str) -> int:
        """Tokens of a text."""
        with outside():
            return self._model.count(text)

    def text(self, system: str, user: str, *, shared: str = "", limit: int = 256) -> str:
        """Free text."""
        from memtree.llm.protocol import Prompt

        return self._asked(Prompt(system=system, user=user, shared=shared), limit, None)[0]

    def json(
        self, system: str, user: str, schema: Mapping[str, object], *, shared: str = "",
        limit: int = 512,
    ) -> object:  # fmt: skip
        """A value that follows a schema; None when it was cut off or is no JSON after all."""
        from memtree.llm.conform import conforms
        from memtree.llm.protocol import Prompt

        prompt = Prompt(system=system, user=user, shared=shared)
        text, whole = self._asked(prompt, limit, schema)
        try:
            value = json.loads(text) if whole else None
        except (ValueError, RecursionError):
            return None
        return None if value is None or conforms(value, schema) else cast("object", value)

    def logprobs(self, text: str) -> Sequence[tuple[str, float]]:
        """The tokens of a text, each with its log probability. Raises Unavailable."""
        told = getattr(self._model, "logprobs", None)
        if told is None or "logprobs" not in self.capabilities:
            raise Unavailable(f"{self.name} does not tell the probability of words")
        self._count()
        with outside():
            return cast("Sequence[tuple[str, float]]", told(text))

    def _asked(
        self, prompt: Prompt, limit: int, schema: Mapping[str, object] | None
    ) -> tuple[str, bool]:
        if limit < 1:
            raise UsageError("an answer of no tokens says nothing")
        self._count()
        with outside():
            said = self._model.complete(prompt, limit=limit, schema=schema)
        self.read, self.reused = said.tokens_in, said.reused
        self._trace(model=self.name, tokens_in=said.tokens_in, tokens_out=said.tokens_out)
        return said.text, said.whole

    def _count(self) -> None:
        if self.calls >= self._most:
            raise BudgetSpent(f"it asked the language model more than {self._most} times")
        self.calls += 1


def capabilities_of(model: LanguageModel) -> frozenset[str]:
    """What a model can do for a plugin."""
    found = {"json", "raw"}
    if callable(getattr(model, "logprobs", None)):
        found.add("logprobs")
    if model.actor.startswith("llama/"):
        found.add("kv")  # the state of what prompts share stays in memory
    return frozenset(found)
