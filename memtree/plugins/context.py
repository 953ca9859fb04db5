"""What the host gives a plugin: the tree to look at, search, models, stores, time, chance, budget.

These are protocols: the host's classes stand in `memtree.hosting`. All paths are relative to the
tree, with `/`. All lists are best first where they are ranked. Nothing here writes knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    import numpy as np
    import numpy.typing as npt

    from memtree.plugins.api import EntryRef, Piece, Ranked, Ranking

    Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One entry, read from its file: `body` without front matter, `first` the line of its first."""

    path: str
    id: str
    title: str
    type: str
    tags: tuple[str, ...]
    meta: Mapping[str, object]
    body: str
    first: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A link between two entries of the tree; `rel` is "" for a plain link."""

    path: str
    to: str
    rel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An earlier state of an entry: when (ISO 8601), which transaction, and its whole text.

    `text` is None where the entry was not there.
    """

    at: str
    by: str
    text: str | None


class TreeView(Protocol):
    """The tree, read-only, and the same throughout one call."""

    def entries(self, scope: str = "") -> Sequence[EntryRef]:
        """All entries below a folder, by path; "" for the whole tree."""
        ...

    def folder(self, scope: str) -> str:
        """A folder as it is written in paths. Raises EntryNotFound where no entry lies below it."""
        ...

    def ref(self, path: str) -> EntryRef | None:
        """One entry by its path, from the catalog; None when there is none."""
        ...

    def get(self, path: str) -> EntryView | None:
        """One entry with its text, read from its file; None when there is none."""
        ...

    def find(self, name: str) -> str | None:
        """The path of the one entry with this path, id, title or alias; None for none or many."""
        ...

    def passages(self, path: str) -> Sequence[Piece]:
        """The passages of an entry as the index has them, in order, with their lines."""
        ...

    def relations(self, path: str) -> Sequence[Relation]:
        """Links and relations that lead from an entry to others."""
        ...

    def backlinks(self, path: str) -> Sequence[Relation]:
        """Links and relations that lead to an entry."""
        ...

    def history(self, path: str) -> Sequence[Version]:
        """Earlier states of an entry that memtree's own history or git still has, newest first."""
        ...

    def facts(self, path: str) -> Sequence[tuple[str, str, bool]]:
        """The bullets under `## Facts`: block id ("" if none), words, whether it still stands."""
        ...


class Searching(Protocol):
    """Model-free search. Scores are raw (BM25), so that a plugin can weigh them."""

    def full_text(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """Entries by their best passage."""
        ...

    def passages(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """Passages; several of one entry are several hits."""
        ...

    def exact(self, name: str) -> Sequence[str]:
        """Paths of the entries called so: title, alias, id or path, case and form ignored."""
        ...

    def ranked(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """What `memtree search` gives without plugins: words and meaning."""
        ...

    def tier(self, name: str, text: str, *, limit: int = 10, scope: str = "") -> Ranking:
        """What one tier alone finds (`exact`, `fuzzy`, `fulltext`, `semantic`, `agentic`)."""
        ...

    def stems(self, text: str) -> tuple[str, ...]:
        """The words of a text as the index compares them, in order."""
        ...

    def telling(self, text: str) -> tuple[str, ...]:
        """Those of them that are no stop words."""
        ...

    def idf(self, stem: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)) over the passages of the tree."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Vectors that the index keeps: a unit row per passage, `places` their (path, lines)."""

    places: Sequence[tuple[str, tuple[int, int]]]
    matrix: Vectors


class EmbedderView(Protocol):
    """The embedder of this tree's settings."""

    @property
    def id(self) -> str:
        """Which vectors these are; changes whenever they may not be compared any more."""
        ...

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""
        ...

    @property
    def lexical(self) -> bool:
        """Whether it is the built-in table of word vectors, no model that reads sentences."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dimension), unit rows (zeros where nothing is known)."""
        ...

    def question(self, text: str) -> Vectors:
        """float32, shape (dimension,)."""
        ...

    def stored(self) -> Stored:
        """What the index has of all passages, made where it was missing. Raises NoVectors."""
        ...


class ModelView(Protocol):
    """A language model: untrusted, without tools. Every call is counted and traced."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def window(self) -> int:
        """Tokens of prompt and answer together."""
        ...

    @property
    def capabilities(self) -> frozenset[str]:
        """Of `json`, `raw`, `logprobs`, `kv`, `lora`, `think`."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def text(self, system: str, user: str, *, shared: str = "", limit: int = 256) -> str:
        """Free text. Raises ModelUnavailable, BudgetSpent, UsageError for what does not fit."""
        ...

    def json(
        self, system: str, user: str, schema: Mapping[str, object], *, shared: str = "",
        limit: int = 512,
    ) -> object:  # fmt: skip
        """A value that follows a schema of `memtree.llm.grammar`; None when it was cut off."""
        ...

    def logprobs(self, text: str) -> Sequence[tuple[str, float]]:
        """The tokens of a text, each with ln P(token | what stands before); needs `logprobs`."""
        ...

    @property
    def calls(self) -> int:
        """How often it was asked, through this context."""
        ...

    @property
    def reused(self) -> int:
        """How many tokens of the last prompt were still in the model's memory."""
        ...

    @property
    def read(self) -> int:
        """How many tokens the last prompt had."""
        ...


class Sidecar(Protocol):
    """Durable text that the plugin owns: JSON lines, one record a line, tracked with the tree.

    Names are like `triples/01J8.jsonl`; they never leave the plugin's folder. Written whole, sorted
    as given, so that people can read, correct and merge them.
    """

    def names(self, folder: str = "") -> Sequence[str]:
        """The files below a folder, in order."""
        ...

    def read(self, name: str) -> list[dict[str, object]]:
        """The records of a file; [] when there is none. Lines that are no JSON are left out."""
        ...

    def write(self, name: str, records: Sequence[Mapping[str, object]]) -> None:
        """Replace a file, whole or not at all; no records removes it."""
        ...

    def stamp(self) -> str:
        """Changes when any file does: for what is derived from them."""
        ...


class Cache(Protocol):
    """What can be made again: arrays and JSON values under a key; safe to delete."""

    @property
    def folder(self) -> str:
        """An existing folder of the plugin's own."""
        ...

    def load(self, name: str, key: str) -> dict[str, npt.NDArray[np.generic]] | None:
        """The arrays stored under a name, if they were stored with this key."""
        ...

    def save(self, name: str, key: str, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Store arrays, whole or not at all."""
        ...

    def load_value(self, name: str, key: str) -> object:
        """The JSON value stored under a name with this key, else None."""
        ...

    def save_value(self, name: str, key: str, value: object) -> None:
        """Store a JSON value, whole or not at all."""
        ...


class BudgetSpent(Exception):  # noqa: N818  (a state, not a fault)
    """A plugin asked for more than it was given."""


class NotReady(Exception):  # noqa: N818  (as above)
    """What a plugin derives is gone, damaged, or not of the kind that is asked for now.

    Raised in a hook: the host calls `on_change` with all entries, under the limit of that hook and
    not of a question, and asks again, once. So what takes long is made where there is time.
    """


@dataclass(slots=True, kw_only=True)
class Budget:
    """What one call may spend: milliseconds, tokens of a packed prompt, calls of a model."""

    ms: float = 2000.0
    tokens: int = 2000
    calls: int = 8


class Context(Protocol):
    """Everything that a hook may use, made anew for each question, command or change."""

    name: str

    @property
    def tree(self) -> TreeView:
        """The tree, read-only."""
        ...

    @property
    def search(self) -> Searching:
        """Model-free search."""
        ...

    @property
    def sidecar(self) -> Sidecar:
        """Durable text of the plugin's own."""
        ...

    @property
    def cache(self) -> Cache:
        """What can be made again."""
        ...

    now: str
    """The time, ISO 8601 in UTC; the same throughout one call."""
    budget: Budget

    @property
    def random(self) -> Random:
        """Seeded by the plugin's name and option `seed`: the same question, the same answer."""
        ...

    @property
    def options(self) -> Mapping[str, object]:
        """The manifest's options, a person's over them, the question's over these.

        Each is of the type of the manifest's default; where that is None, of any.
        """
        ...

    def number(self, name: str, low: float, high: float, *, default: float | None = None) -> float:
        """An option that is a number from `low` to `high`; `default` where it is None.

        Raises UsageError for any other.
        """
        ...

    def count(self, text: str) -> int:
        """Tokens of a text: as the language model counts them, else four letters each."""
        ...

    session: dict[str, object]
    """Kept from hook to hook of one question, then forgotten."""

    @property
    def embedder(self) -> EmbedderView | None:
        """The tree's embedder; None when the settings name none."""
        ...

    @property
    def llm(self) -> ModelView | None:
        """The person's language model; None where none is set, or where none may be woken."""
        ...

    def note(self, text: str) -> None:
        """Say something to people, with the answer."""
        ...

    def trace(self, **what: object) -> None:
        """Record a step for --explain."""
        ...

    def progress(self, what: str, done: int, total: int) -> None:
        """How far long work is; shown on a terminal, silent in a pipe."""
        ...
