"""Plain BM25: the row that every other retriever has to beat.

Okapi BM25 as Robertson & Zaragoza (2009, section 3.2) write it, with the idf of Lucene, which is
never negative: ln(1 + (N - n + 0.5) / (n + 0.5)). Words are runs of letters and digits in lower
case; no stemming, no stop words, so that a figure means the same everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from math import log
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt

    Scores = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.intp]

K1, B = 1.2, 0.75
_WORD = re.compile(r"\w+")


def words(text: str) -> list[str]:
    """The words of a text, as they are compared."""
    return _WORD.findall(text.casefold())


class Bm25:
    """An index of some texts, in memory; `k1` >= 0 and `b` of 0 to 1.

    `split` gives the words of a text, others than plain ones if it likes.
    """

    def __init__(
        self,
        texts: Sequence[str],
        *,
        k1: float = K1,
        b: float = B,
        split: Callable[[str], Sequence[str]] = words,
    ) -> None:
        np = load_numpy()
        self._split = split
        counts = [Counter(split(text)) for text in texts]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float64)
        mean = float(lengths.mean()) if len(texts) else 0.0
        norm = k1 * (1 - b + b * lengths / (mean or 1.0))
        postings: dict[str, list[tuple[int, int]]] = {}
        for number, count in enumerate(counts):
            for word, times in count.items():
                postings.setdefault(word, []).append((number, times))
        self.size = len(texts)
        self._postings: dict[str, tuple[Numbers, Scores]] = {}
        for word, places in postings.items():
            where = np.array([number for number, _ in places], dtype=np.intp)
            often = np.array([times for _, times in places], dtype=np.float64)
            idf = log(1 + (self.size - len(places) + 0.5) / (len(places) + 0.5))
            self._postings[word] = where, idf * often * (k1 + 1) / (often + norm[where])

    def scores(self, query: str) -> Scores:
        """The score of every text, shape (n,), 0 and above; a word said twice counts twice."""
        np = load_numpy()
        total: Scores = np.zeros(self.size)
        for word, times in Counter(self._split(query)).items():
            found = self._postings.get(word)
            if found is not None:
                total[found[0]] += times * found[1]
        return total

    def rank(self, query: str, *, among: Numbers | None = None, limit: int = 50) -> list[int]:
        """The numbers of the best texts, best first; with equal scores the earlier one."""
        np = load_numpy()
        scores = self.scores(query)
        numbers = np.arange(self.size) if among is None else among
        order = np.argsort(-scores[numbers], kind="stable")[:limit]
        return [int(number) for number in numbers[order]]
