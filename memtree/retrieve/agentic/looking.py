"""The tree as tier 5 sees it: sub-questions through tier 4, entries by path, what leads onward.

Every look goes the way that a person's search goes, within the same folder; nothing is written.
"""

from __future__ import annotations

from memtree.index.keys import key_of, link_key
from memtree.index.words import spaced
from memtree.knowledge.query import Query
from memtree.retrieve.question import stop_words, words_of
from memtree.retrieve.semantic import SemanticTier
from memtree.retrieve.tier import Ask, Match
from memtree.retrieve.vitality import Vitality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.index.full_text import Found
    from memtree.retrieve.tier import Finding

# A page of links links to everything, which says nothing.
LINKS = 40
# Passages of one entry that are read.
PASSAGES = 64


class Looking:
    """Looks into the tree that `ask` asks, in its scope.

    By the text alone: how alive entries are orders what people see. So the same tree gives the same
    evidence today, tomorrow, and after an entry was used.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._vitality = Vitality("", {"lift": 0.0})
        self._stems: dict[str, tuple[str, ...]] = {}

    def search(self, text: str, limit: int = 10) -> Finding:
        """What words and meaning find for a question of our own."""
        return SemanticTier().find(self.asked(text, limit))

    def asked(self, text: str, limit: int = 10) -> Ask:
        """A question of our own, of the same index."""
        ask = self.ask
        words = words_of(text, ask.full_text, stop_words(ask.language))
        return Ask(
            Query(text, scope=ask.scope, limit=limit), catalog=ask.catalog,
            full_text=ask.full_text, words=words, language=ask.language, memory=ask.memory,
            frequencies=ask.frequencies, meaning=ask.meaning, vitality=self._vitality, now=ask.now,
        )  # fmt: skip

    def stems(self, text: str) -> tuple[str, ...]:
        """The words of a text as the index has them, in order."""
        known = self._stems.get(text)
        if known is None:
            known = tuple(self.ask.full_text.stems.analyze(spaced(text)))
            if len(text) < 100:
                self._stems[text] = known
        return known

    def frequency(self, stem: str) -> int:
        """In how many passages of the tree a stem stands."""
        full_text = self.ask.full_text
        return max(full_text.frequency(name, stem) for name in ("body", "title"))

    def read(self, path: str) -> list[Match]:
        """Every passage of the entry at a path within the scope, in order; [] for no entry."""
        row = self.ask.catalog.by_path(path)
        scope = self.ask.scope
        if row is None or (scope and not path.startswith(scope + "/")):
            return []
        full_text = self.ask.full_text
        first = row.number << 16
        found = full_text.search(full_text.these([first + n for n in range(PASSAGES)]), PASSAGES)
        found.sort(key=lambda item: item.passage)
        return [
            Match(row, 1.0, why="read", text=full_text.text(item), first=item.first, last=item.last)
            for item in found
        ]

    def linked(self, path: str) -> list[Match]:
        """The first passage of each entry that the one at `path` links to or names as related."""
        row = self.ask.catalog.by_path(path)
        if row is None:
            return []
        links = self.ask.catalog.links_from(row.number)[:LINKS]
        keys = [link_key(target) for target, kind, _, _ in links if kind != "embed"]
        return self._first_passages(
            [number for number, _ in self.ask.catalog.called(keys) if number != row.number]
        )

    def named(self, name: str) -> list[Match]:
        """The first passage of each entry that is called so."""
        return self._first_passages([n for n, _ in self.ask.catalog.called([key_of(name)])])

    def _first_passages(self, numbers: Sequence[int]) -> list[Match]:
        wanted = list(dict.fromkeys(numbers))[:LINKS]
        if not wanted:
            return []
        full_text = self.ask.full_text
        query = full_text.these([number << 16 for number in wanted])
        found = full_text.search(full_text.within(query, self.ask.scope), len(wanted))
        rows = self.ask.catalog.rows([item.entry for item in found])
        order = {number: place for place, number in enumerate(wanted)}
        found.sort(key=lambda item: order.get(item.entry, 0))
        return [self._match(rows[item.entry], item) for item in found if item.entry in rows]

    def _match(self, row: object, item: Found) -> Match:
        text = self.ask.full_text.text(item)
        return Match(row, 1.0, why="linked", text=text, first=item.first, last=item.last)  # type: ignore[arg-type]
