"""What a curator is, and what it and the checks may know of the tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.knowledge.plan import Proposal
    from memtree.knowledge.source import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A bullet under `## Facts`: its block id ("" if it has none), words, and line in the file.

    `text` is without bullet, footnotes and block id; `sources` are the footnotes' ids; `stands` is
    False for one that was superseded.
    """

    id: str
    text: str
    line: int
    sources: tuple[str, ...] = ()
    stands: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownEntry:
    """An entry of the tree as a curator sees it; `fingerprint` is of the bytes that were read."""

    path: str
    id: str
    title: str
    type: str
    meta: Mapping[str, object]
    body: str
    facts: tuple[Fact, ...]
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A passage of the tree that speaks of something: where, what, and the lexical score."""

    path: str
    title: str
    text: str
    lines: tuple[int, int]
    score: float


class Outlook(Protocol):
    """The tree, to be looked at. Current with everything that was applied before."""

    def recall(self, text: str, *, limit: int = 8) -> Sequence[Known]:
        """The passages that share the most telling words with a text, best first; 1 to 3 ms."""
        ...

    def entry(self, path: str) -> KnownEntry | None:
        """The entry at a path, read from its file; None when there is none."""
        ...

    def named(self, name: str) -> Sequence[str]:
        """Paths of the entries with this title, alias, id or path, case and form ignored."""
        ...

    def paths(self, folder: str = "") -> Sequence[str]:
        """All entries below a folder, in order; "" for the whole tree."""
        ...

    def count(self) -> int:
        """How many entries the tree holds."""
        ...


class Curator(Protocol):
    """Whoever proposes operations from text. Proposing is all it does."""

    @property
    def name(self) -> str:
        """`rules`, `llama`, `openai` or `host`: said in every result."""
        ...

    @property
    def actor(self) -> str:
        """Who made it, for `generated.by`: `memtree-rules/1`, `llama/MODEL`."""
        ...

    def propose(self, part: Part, outlook: Outlook) -> Proposal:
        """Operations for one part of a source; never writes, never raises for what the text says.

        Raises ModelUnavailable when a model can't be used.
        """
        ...

    def close(self) -> None:
        """Let go of models; may be called twice."""
        ...
