"""What every tier is: it takes what was asked, and gives matches with how sure it is of them.

Hot: plain classes, no imports. The semantic and agentic tiers will come in by the same protocol.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from memtree.index.catalog import Catalog
    from memtree.index.full_text import FullText
    from memtree.index.row import Row
    from memtree.knowledge.query import Query
    from memtree.retrieve.question import Word

    class Tier(Protocol):
        """One way of finding entries. `name` is one of `memtree.knowledge.query.TIERS`."""

        name: str

        def find(self, ask: Ask) -> Finding:
            """Matches, best first; raises nothing for odd questions."""
            ...


class Ask:
    """A question with what it is asked of: the open index, and the question's analysed words."""

    __slots__ = (
        "catalog", "frequencies", "full_text", "language", "limit", "memory", "notes", "query",
        "scope", "words",
    )  # fmt: skip

    def __init__(
        self, query: Query, *, catalog: Catalog, full_text: FullText, words: list[Word],
        language: str, memory: dict[str, list[str]], frequencies: dict[str, int],
    ) -> None:  # fmt: skip
        self.query = query
        self.memory = memory
        self.frequencies = frequencies
        self.catalog = catalog
        self.full_text = full_text
        self.words = words
        self.language = language
        self.scope = query.scope
        self.limit = query.limit
        self.notes: list[str] = []


class Match:
    """One entry that a tier found; `score` compares within the tier, 0 to 1 where it is sure."""

    __slots__ = ("first", "last", "row", "score", "text", "why")

    def __init__(
        self, row: Row, score: float, *, why: str, text: str = "", first: int = 1, last: int = 1,
    ) -> None:  # fmt: skip
        self.row = row
        self.score = score
        self.why = why
        self.text = text
        self.first = first
        self.last = last


class Finding:
    """What a tier found: matches, confidence 0 to 1 in the first, whether that is sure, and why."""

    __slots__ = ("confidence", "matches", "sure", "why")

    def __init__(
        self, matches: Sequence[Match], *, confidence: float, sure: bool, why: str
    ) -> None:
        self.matches = matches
        self.confidence = confidence
        self.sure = sure
        self.why = why
