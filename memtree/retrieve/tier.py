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
    from memtree.knowledge.query import Answer, Hit, Query, TierReport
    from memtree.retrieve.agentic.looking import Looking
    from memtree.retrieve.engine import Engine
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

    class Company(Protocol):
        """Whoever takes part in a question beside the tiers; `memtree.hosting` knows them."""

        def has_more(self, tier: str) -> bool:
            """Whether somebody who was asked for by name waits for a later tier."""
            ...

        def beside(
            self, tier: str, engine: Engine, ask: Ask, finding: Finding | None,
            reports: list[TierReport],
        ) -> Finding | None:  # fmt: skip
            """What the tier and those beside it found together; None for nothing at all."""
            ...

        def width(self, limit: int) -> int:
            """How many matches a tier is asked for where `limit` are shown."""
            ...

        @property
        def refines(self) -> bool:
            """Whether hits may be taken out or added at the end."""
            ...

        def taken(self, path: str) -> str:
            """Who took an entry out of the hits; "" for nobody."""
            ...

        def look(self, ask: Ask) -> Looking:
            """The tree as tier 5 sees it, without what is taken out."""
            ...

        def shown(
            self, findings: list[tuple[str, Finding]], chosen: tuple[str, Finding] | None
        ) -> list[tuple[str, Finding]]:
            """What is shown, in order, of all that was found."""
            ...

        def refined(self, engine: Engine, ask: Ask, hits: list[Hit]) -> list[Hit]:
            """The hits as they leave them."""
            ...

        def told(self, answer: Answer) -> Answer:
            """The answer, with who took part."""
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

    def sought(self) -> dict[str, float]:
        """The stems that a snippet is chosen by, each with its weight."""
        return {stem: 1.0 for word in self.words if not word.stop for stem in word.stems}


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


def with_text(full_text: FullText, match: Match) -> Match:
    """A match with its passage, looked up where the tier did not give it."""
    found = None if match.text else full_text.at(match.row.number, match.first)
    if found is not None:
        match.text, match.first, match.last = full_text.text(found), found.first, found.last
    return match


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


def left_of(chosen: tuple[str, Finding] | None, hits: list[Hit]) -> tuple[str, Finding] | None:
    """What a sure tier found, without what plugins left out; not sure without its first."""
    if chosen is None or not chosen[1].matches or chosen[0] == "agentic":
        return chosen
    left = {hit.path for hit in hits}
    if chosen[1].matches[0].row.path not in left:
        return None
    chosen[1].matches = [match for match in chosen[1].matches if match.row.path in left]
    return chosen
