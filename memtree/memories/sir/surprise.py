"""How surprising words are where they stand: bigrams with interpolation, learned from the tree.

    P(w | v) = A * c(v, w) / c(v) + B * c(w) / N + (1 - A - B) / (V + 1)

(Jelinek-Mercer interpolation; Jelinek and Mercer 1980.) Surprisal is -ln P, in nats. It is what
there is without a language model; with one that tells probabilities those are used instead.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAIR, SINGLE = 0.5, 0.49
"""The weights A and B."""
MOST_WORDS = 400_000
"""Words that are learned from; a sample of a tree is enough to know what is common."""
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
_START = "\n"


def words_of(text: str) -> list[tuple[str, int, int]]:
    """Words and marks, folded, with their places (start, end) in the text."""
    return [(found[0].casefold(), found.start(), found.end()) for found in _WORD.finditer(text)]


class Bigrams:
    """Counts of words and of pairs of words."""

    def __init__(self) -> None:
        self.single: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.total = 0

    def learn(self, text: str) -> None:
        """Count a text, line by line."""
        for line in text.splitlines():
            before = _START
            for word, _, _ in words_of(line):
                self.single[word] += 1
                self.pairs[before, word] += 1
                self.total += 1
                before = word
            self.single[_START] += 1

    def surprisal(self, before: str, word: str) -> float:
        """-ln P(word | before) in nats, above 0."""
        known = self.single.get(before, 0)
        pair = self.pairs.get((before, word), 0) / known if known else 0.0
        single = self.single.get(word, 0) / self.total if self.total else 0.0
        rest = (1 - PAIR - SINGLE) / (len(self.single) + 1)
        return -log(min(1.0, PAIR * pair + SINGLE * single + rest))

    def of(self, text: str) -> list[tuple[int, int, float]]:
        """(start, end, nats) of each word of a text; a line begins anew."""
        told: list[tuple[int, int, float]] = []
        at = 0
        for line in text.splitlines(keepends=True):
            before = _START
            for word, start, end in words_of(line):
                told.append((at + start, at + end, self.surprisal(before, word)))
                before = word
            at += len(line)
        return told

    def saved(self) -> dict[str, object]:
        """As JSON holds it."""
        words = {word: number for number, word in enumerate(self.single)}
        pairs = [[words[a], words[b], count] for (a, b), count in self.pairs.items()]
        return {"words": list(words), "counts": list(self.single.values()), "pairs": pairs,
                "total": self.total}  # fmt: skip

    @classmethod
    def loaded(cls, value: Mapping[str, object]) -> Bigrams:
        """What was saved. Raises ValueError, KeyError, TypeError or IndexError for what is none."""
        made = cls()
        words, counts, pairs = value["words"], value["counts"], value["pairs"]
        if not (isinstance(words, list) and isinstance(counts, list) and isinstance(pairs, list)):
            raise TypeError("no counts")
        made.single = Counter({str(w): int(c) for w, c in zip(words, counts, strict=True)})
        made.pairs = Counter({(words[a], words[b]): int(count) for a, b, count in pairs})
        made.total = int(str(value["total"]))
        return made


def learned(texts: Iterable[str]) -> Bigrams:
    """Counts of the first texts, up to `MOST_WORDS`."""
    made = Bigrams()
    for text in texts:
        made.learn(text)
        if made.total > MOST_WORDS:
            break
    return made


def aligned(text: str, tokens: Sequence[tuple[str, float]]) -> list[tuple[int, int, float]]:
    """A model's tokens with ln P as (start, end, nats) in the text; what is not found is left out.

    Tokens follow one another; one that is no whole letters (bytes of one) has no place.
    """
    told = []
    at = 0
    for word, value in tokens:
        bare = word.strip()
        if not bare:
            continue
        found = text.find(bare, at, at + len(bare) + 64)
        if found >= 0:
            at = found + len(bare)
            told.append((found, at, max(0.0, -value)))
    return told
