"""What every tier is: it takes what was asked, and gives matches with how sure it is of them.

Hot: plain classes, no imports. The agentic tier will come in by the same protocol.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from memtree.index.catalog import Catalog
    from memtree.index.full_text import FullText
    from memtree.index.row import Row
    from memtree.knowledge.query import Query
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.meaning import Meaning
    from memtree.retrieve.question import Word
    from memtree.retrieve.vitality import Vitality

    class Tier(Protocol):
        """One way of finding entries. `name` is one of `memtree.knowledge.query.TIERS`."""

        name: str

        def find(self, ask: Ask) -> Finding:
            """Matches, best first; raises nothing for odd questions."""
            ...


class Behind(Exception):  # noqa: N818  (a state: whoever may write brings it up to date)
    """The vectors are not those of the index, and this process was not given a way to make them."""


class Ask:
    """A question with what it is asked of: the open index, and the question's analysed words."""

    __slots__ = (
        "catalog", "frequencies", "full_text", "gathered", "language", "limit", "meaning",
        "memory", "notes", "now", "query", "scope", "vitality", "words",
    )  # fmt: skip

    def __init__(
        self, query: Query, *, catalog: Catalog, full_text: FullText, words: list[Word],
        language: str, memory: dict[str, list[str]], frequencies: dict[str, int],
        meaning: Callable[[], Meaning], vitality: Vitality, now: float,
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
        # What the words found: tier 3 looks, tier 4 goes on from there.
        self.gathered: Gathering | None = None
        # Opens the vectors of the tree; raises NoVectors with the reason when there are none.
        self.meaning = meaning
        # How alive entries are; `now` is days since 1970.
        self.vitality = vitality
        self.now = now


class Match:
    """One entry that a tier found; `score` compares within the tier, 0 to 1 where it is sure."""

    __slots__ = ("by_meaning", "first", "last", "row", "score", "text", "why")

    def __init__(
        self, row: Row, score: float, *, why: str, text: str = "", first: int = 1, last: int = 1,
        by_meaning: bool = False,
    ) -> None:  # fmt: skip
        self.row = row
        self.score = score
        self.why = why
        self.text = text
        self.first = first
        self.last = last
        # Its words would not have brought it here.
        self.by_meaning = by_meaning


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
