"""Tier 2: the same names with typos, other word order, words left out.

Candidates come from the index (a fuzzy term query over names), so that a tree of 100,000 entries
costs what a small one does; rapidfuzz then measures the few that came. Sure only when the telling
words agree: see `memtree.retrieve.guard`.
"""

from __future__ import annotations

from memtree.index.words import spaced
from memtree.retrieve.guard import agrees, is_typo
from memtree.retrieve.question import is_known
from memtree.retrieve.tier import Finding, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.index.row import Row
    from memtree.retrieve.tier import Ask

CANDIDATES = 60
# Share of the name's weight that the question must cover to be sure, and to be shown at all.
SURE, SHOWN = 0.75, 0.5
# A word that is not in any name weighs this much in "how much of the question is covered".
_KINDS = {"title": 1.0, "alias": 1.0, "question": 1.0, "path": 0.9, "id": 0.9}


class FuzzyTier:
    """Close names."""

    name = "fuzzy"

    def find(self, ask: Ask) -> Finding:
        """Measure the names that share words, or nearly share them, with the question."""
        asked = [token for word in ask.words if not word.stop for token in word.plain]
        if not asked or len(asked) > 16:
            return Finding((), confidence=0.0, sure=False, why="too long for a name")
        rows = self._candidates(ask, asked)
        if not rows:
            return Finding((), confidence=0.0, sure=False, why="no name is near the question")
        return self._judge(ask, self._measured(ask, asked, rows))

    def _measured(
        self, ask: Ask, asked: list[str], rows: dict[int, Row]
    ) -> list[tuple[tuple[float, bool, str], Row]]:
        """Each entry with its nearest name: how near, whether it is safe, and which, best first."""
        everything = [token for word in ask.words for token in word.plain]
        best: dict[int, tuple[float, bool, str]] = {}
        measure = Measure(ask)
        for number, key, kind in ask.catalog.keys_of(rows):
            if kind in ("id", "name"):
                continue
            name = ask.full_text.plain.analyze(
                spaced(key.rpartition("/")[2] if kind == "path" else key)
            )
            if kind == "path" and name and name[-1] in ("md", "markdown"):
                name = name[:-1]
            score, whole = measure.nearness(asked, name)
            score *= _KINDS.get(kind, 0.9)
            safe = whole and agrees(everything, name)
            known = best.get(number)
            if known is None or (score, safe) > known[:2]:
                best[number] = score, safe, f"near its {kind} '{key}'"
        return sorted(
            ((value, rows[number]) for number, value in best.items() if value[0] >= SHOWN),
            key=lambda item: (-item[0][0], item[1].path),
        )

    def _judge(self, ask: Ask, ranked: list[tuple[tuple[float, bool, str], Row]]) -> Finding:
        if not ranked:
            return Finding((), confidence=0.0, sure=False, why="no name is near the question")
        (score, safe, why), _ = ranked[0]
        matches = [Match(row, value[0], why=value[2]) for value, row in ranked[: ask.limit]]
        rival = ranked[1][0][0] if len(ranked) > 1 else 0.0
        if not safe:
            return Finding(
                matches, confidence=0.0, sure=False,
                why="near names, but a telling word differs",
            )  # fmt: skip
        if score < SURE:
            return Finding(matches, confidence=score / 2, sure=False, why="names are only similar")
        if rival > score - 0.05:
            return Finding(matches, confidence=0.5, sure=False, why="several names are as near")
        return Finding(matches, confidence=min(0.97, score), sure=True, why=why)

    def _candidates(self, ask: Ask, asked: list[str]) -> dict[int, Row]:
        full_text = ask.full_text
        queries = []
        for token in dict.fromkeys(asked):
            if full_text.frequency("names", token):
                queries.append(full_text.term("names", token))
            elif len(token) >= 4:
                distance = 2 if len(token) >= 7 else 1
                # A fuzzy query scores a constant: lift it to the worth of a rare word.
                queries.append(full_text.boosted(full_text.fuzzy("names", token, distance), 6.0))
        if not queries:
            return {}
        query = full_text.within(full_text.any_of(queries), ask.scope)
        numbers = [found.entry for found in full_text.search(query, CANDIDATES)]
        return ask.catalog.rows(numbers)


class Measure:
    """How near a question is to a name, word by word, rare words weighing more."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._weights: dict[str, float] = {}
        self._stems: dict[str, list[str]] = {}

    def nearness(self, asked: list[str], name: list[str]) -> tuple[float, bool]:
        """0 to 1, and whether every word of the question found its partner in the name."""
        if not name:
            return 0.0, False
        free = list(name)
        got = wanted = slips = 0.0
        whole = True
        for token in asked:
            partner, likeness = self._partner(token, free)
            if partner is None:
                whole = False
                wanted += self._weight(token)
                continue
            free.remove(partner)
            weight = self._weight(partner)
            wanted += weight
            got += weight * likeness
            slips += likeness < 1.0
        left = sum(self._weight(token) for token in free if not self._is_stop(token))
        return got / (wanted + left) if wanted + left else 0.0, whole

    def _partner(self, token: str, free: list[str]) -> tuple[str | None, float]:
        if token in free:
            return token, 1.0
        stem = self._stem(token)
        for other in free:
            if self._stem(other) == stem:
                return other, 0.98
        if is_known(self._ask.full_text, token):
            return None, 0.0  # a word of this tree is no typo of another
        # Loaded for the first word that the tree does not know: most questions have none.
        from memtree.retrieve.slips import distance, strokes

        best: tuple[str | None, float] = (None, 0.0)
        for other in free:
            if is_typo(token, other, distance, strokes):
                likeness = 1.0 - 0.5 * distance(token, other) / max(len(token), len(other))
                if likeness > best[1]:
                    best = other, likeness
        return best

    def _stem(self, token: str) -> list[str]:
        found = self._stems.get(token)
        if found is None:
            found = self._stems[token] = self._ask.full_text.stems.analyze(token)
        return found

    def _is_stop(self, token: str) -> bool:
        from memtree.retrieve.question import stop_words

        return token in stop_words(self._ask.language)

    def _weight(self, token: str) -> float:
        # Inverse document frequency over names, bounded: a word in every name weighs little.
        found = self._weights.get(token)
        if found is None:
            from math import log

            total = max(1, self._ask.full_text.passages)
            frequency = self._ask.full_text.frequency("names", token)
            found = log(1.0 + total / (frequency + 0.5))
            if self._is_stop(token):
                found *= 0.1
            self._weights[token] = found
        return found
