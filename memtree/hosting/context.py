"""What the host gives a plugin for one question, command or change; made when it is first used."""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError, UsageError
from memtree.hosting.stores import CacheStore, SidecarStore
from memtree.hosting.views import SearchLook, TreeLook
from memtree.plugins.context import Budget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from memtree.app import Tree
    from memtree.hosting.models import EmbedderLook, ModelLook
    from memtree.plugins.api import Manifest

    Progress = Callable[[str, int, int], None]


NOTES = 20
"""Remarks of one plugin about one question; more would hide the answer."""
LETTERS = 4
"""Letters of a token, where no model is there that counts."""


def letters(text: str) -> int:
    """Tokens of a text where no model counts them."""
    return -(-len(text) // LETTERS)


class HostContext:
    """`memtree.plugins.context.Context` over an open tree.

    `wake` says whether a language model may be woken: rankings never wake one.
    """

    def __init__(
        self, tree: Tree, manifest: Manifest, *, now: str, options: Mapping[str, object],
        wake: bool = False, progress: Progress | None = None,
        capabilities: frozenset[str] | None = None,
    ) -> None:  # fmt: skip
        self.name = manifest.name
        self.now = now
        self.options = {**manifest.options, **options}
        self.tree = TreeLook(tree)
        self.search = SearchLook(tree)
        self.sidecar = SidecarStore(tree.root, manifest.name)
        self.cache = CacheStore(tree.root, manifest.name)
        # How often it may ask a model is an option, so that people see it and can say otherwise.
        calls = self.options.get("calls")
        self.budget = Budget(calls=int(calls)) if isinstance(calls, int | float) else Budget()
        self.session: dict[str, object] = {}
        self.notes: list[str] = []
        self.steps: list[dict[str, object]] = []
        self._tree = tree
        self._wake = wake
        self._progress = progress
        self._capabilities = capabilities
        self._embedder: list[EmbedderLook | None] = []
        self._llm: list[ModelLook | None] = []

    @property
    def embedder(self) -> EmbedderLook | None:
        """The tree's embedder, or None."""
        if not self._embedder:
            from memtree.hosting.models import embedder_of

            self._embedder.append(embedder_of(self._tree))
        return self._embedder[0]

    @cached_property
    def random(self) -> Random:
        """Chance that is the same for the same question."""
        return Random(f"{self.name} {self.options.get('seed', 0)}")  # noqa: S311  (to be repeated, not to be secret)

    @property
    def llm(self) -> ModelLook | None:
        """The person's language model, or None: not set, not usable, or not to be woken."""
        if not self._llm:
            self._llm.append(self._model())
        return self._llm[0]

    def _model(self) -> ModelLook | None:
        if not self._wake:
            return None
        try:
            model = self._tree.model_or_none()
        except MemtreeError as error:
            self.note(f"the language model was not used: {error.message}")
            return None
        if model is None:
            return None
        from memtree.hosting.models import ModelLook

        return ModelLook(model, self.budget, self.trace, self._capabilities)

    def number(self, name: str, low: float, high: float, *, default: float | None = None) -> float:
        """An option that is a number from `low` to `high`."""
        value = self.options.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) \
                or not low <= value <= high:  # fmt: skip
            raise UsageError(
                f"{self.name}.{name} is a number from {low:g} to {high:g}, not {value!r}"
            )
        return float(value)

    def count(self, text: str) -> int:
        """Tokens of a text."""
        if not text:
            return 0
        return letters(text) if self.llm is None else self.llm.count(text)

    def note(self, text: str) -> None:
        """Say something to people, with the answer."""
        line = " ".join(text.split())[:400]
        if line and line not in self.notes and len(self.notes) <= NOTES:
            self.notes.append(line if len(self.notes) < NOTES else f"{self.name} says more")

    def trace(self, **what: object) -> None:
        """Record a step for --explain."""
        self.steps.append(dict(what))

    def progress(self, what: str, done: int, total: int) -> None:
        """How far long work is."""
        if self._progress is not None:
            self._progress(what, done, total)
