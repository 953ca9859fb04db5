"""Where a plugin's commands and self-tests work: an open tree with that plugin, and scratch trees.

Protocols, like `memtree.plugins.context`; the host's classes stand in `memtree.hosting`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Answer
    from memtree.plugins.api import Event, Piece, Ranking
    from memtree.plugins.context import Context

    Command = Callable[..., "Report"]
    """A function whose first parameter is a `Desk`. Positional parameters become arguments,
    keyword-only ones options; `Annotated[int, "what it does"]` gives the help text; the docstring
    is the help of the command. --json and --tree are added by the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a command has to say: lines for people, a value for --json, an exit code.

    Exit codes: 0 done, 1 findings or nothing, 3 unavailable.
    """

    lines: Sequence[str] = ()
    value: object = None
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What became of proposed operations: applied, rejected with the guard's reason, or neither.

    `applied` and `rejected` are (kind, path, reason); `diff` shows every change; `transaction` is
    "" for a dry run.
    """

    applied: Sequence[tuple[str, str, str]] = ()
    rejected: Sequence[tuple[str, str, str]] = ()
    diff: str = ""
    transaction: str = ""
    notes: Sequence[str] = field(default_factory=tuple)


class Desk(Protocol):
    """An open tree with one plugin at work: what commands and self-tests have."""

    @property
    def context(self) -> Context:
        """The plugin's context, current with the tree."""
        ...

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> Swept:
        """Guard operations and carry them out as one transaction."""
        ...

    def propose(self, event: Event, *, dry_run: bool = False) -> Swept:
        """Ask the plugin (and no other) for operations, guard them, carry them out."""
        ...

    def search(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree search --with` this plugin; `options` are its own, for this question."""
        ...

    def query(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree query --with` this plugin."""
        ...

    def ask(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree ask --with` this plugin."""
        ...

    def pack(
        self, text: str, *, tokens: int = 2000, scope: str = "", **options: object
    ) -> Sequence[Piece]:
        """What a model would read for a question, packed by this plugin."""
        ...

    def follow(self) -> None:
        """Bring what is derived up to the tree (on_change), now."""
        ...

    def retrieve(
        self, text: str, *, limit: int = 10, scope: str = "", **options: object
    ) -> Ranking:
        """What the plugin's retriever alone finds, unfused."""
        ...

    def restore(self, files: Mapping[str, bytes], *, dry_run: bool = False) -> Swept:
        """Put files back byte for byte, as one transaction; guards may keep what is there."""
        ...

    def raw(self, path: str) -> bytes:
        """The bytes of a file of the tree, also below the archive. Raises EntryNotFound."""
        ...

    # -- for self-tests and imports ---------------------------------------------------------

    def write(self, path: str, text: str) -> None:
        """Write an entry's file, as a person's editor would."""
        ...

    def remove(self, path: str) -> None:
        """Remove an entry's file, as a person would."""
        ...

    def read(self, path: str) -> str:
        """The text of an entry's file."""
        ...

    def consolidate(self, now: str, *, dry_run: bool = False) -> Mapping[str, str]:
        """Settle the tree at a time; what became of which path (`archive`, `demote`, ...)."""
        ...


class Lab(Protocol):
    """What a self-test has: scratch trees, scripted models, and data if a person gave some."""

    data: str
    """The folder of `memtree plugins verify NAME --data DIR`, else ""."""

    def tree(
        self,
        files: Mapping[str, str],
        *,
        model: Sequence[str] | Callable[[str], str] | None = None,
        embedder: str = "builtin",
        options: Mapping[str, object] | None = None,
        now: str = "",
        capabilities: Sequence[str] = ("json", "raw"),
    ) -> Desk:
        """A tree of these files with the plugin enabled alone.

        `model` scripts a language model: answers in order, or a function of the whole prompt.
        `embedder` is a value of the setting `embed.model` (`none` for no vectors).
        """
        ...

    def documents(self, folder: str) -> Iterator[tuple[str, str, str]]:
        """(id, path, text) of a data set's `corpus.jsonl`, as entries to pass to `tree`."""
        ...

    def skip(self, name: str, reason: str) -> None:
        """A check that can't be measured here: said, and never counted as passed."""
        ...
