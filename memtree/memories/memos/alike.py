"""Which entries say nearly the same: found by their words, without a model.

Two texts are near-duplicates when their sets of words overlap by Jaccard's measure in at least 0.8,
most of the words stand in the same order, and whatever must never be glossed over (numbers, dates,
names, negations, quantities) is the same in both. So "staging" is never taken for "production",
and what contradicts is left to a judge.

Pairs are found by prefix filtering (Bayardo, Ma & Srikant, Scaling Up All Pairs Similarity Search,
WWW 2007; with longer prefixes Wang, Li & Feng, SIGMOD 2012): of two sets that have k words in
common, the first n - k + l of the one's n words, rarest first, share l with those of the other. It
misses none, and compares few.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain
from math import ceil
from typing import TYPE_CHECKING

from memtree.claims.lexicon import FUNCTION
from memtree.claims.wording import stem, wording
from memtree.memories.memos.looking import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

JACCARD = 0.8
"""The seed's bound for candidates (cosine >= 0.8 in MemOS), taken for words too."""
ORDER = 0.75
"""The least share of words in one order (difflib's ratio over words)."""
SHARED = 3
"""Words that the prefixes of two texts have to share: more make prefixes longer, pairs fewer."""
SPEAKS = 30
"""Different words from which a text speaks for itself, whatever folder it lies in."""
LETTERS = 20_000  # of one text that are compared word by word


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two entries that may say the same, by path; `score` 0 to 1, `by` what found them.

    `sure` is whether their words alone say so, and no judge is needed.
    """

    one: str
    other: str
    score: float
    by: str
    sure: bool = False


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Common words by all words; 0 when there are none."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def pairs(texts: Mapping[str, str], *, bound: float = JACCARD) -> list[Pair]:
    """All pairs of texts (by path) whose words overlap by `bound` (above 0, at most 1).

    The most alike first, ties by path. `sure` as the module says.
    """
    lists = {path: words_of(text[:LETTERS]) for path, text in texts.items()}
    sets = {path: frozenset(words) for path, words in lists.items() if words}
    found = []
    for one, other in _candidates(sets, bound):
        score = jaccard(sets[one], sets[other])
        if score >= bound:
            sure = same_sense(texts[one], texts[other], lists[one], lists[other])
            by = "the same words" if lists[one] == lists[other] else f"words alike by {score:.2f}"
            found.append(Pair(one=one, other=other, score=score, by=by, sure=sure))
    return sorted(found, key=lambda pair: (-pair.score, pair.one, pair.other))


def same_sense(one: str, other: str, mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether texts that share their words say the same: nothing that turns the sense differs."""
    if list(mine) == list(theirs):
        return True
    if SequenceMatcher(None, mine, theirs, autojunk=False).ratio() < ORDER:
        return False
    if _figures(mine) != _figures(theirs):
        return False  # `5 of 6` is not `6 of 6`: each as often as in the other
    a, b = wording(one[:LETTERS]), wording(other[:LETTERS])
    return (
        a.numbers == b.numbers
        and a.dates == b.dates
        and a.names == b.names
        and a.negations == b.negations
        and a.quantities == b.quantities
    )


def same_subject(one: tuple[str, str], other: tuple[str, str], text: str) -> bool:
    """Whether entries with the same text speak of the same thing, by their (folder, title).

    `The deadline is Friday.` says something else in another project. So a word of one title that
    the other has not must stand in the text; a folder's too, unless the text is long enough to
    speak for itself.
    """
    words = set(words_of(text))
    there = {stem(word) for word in words}
    for mine, theirs, speaks in (
        (one[1], other[1], False), (one[0], other[0], len(words) >= SPEAKS),
    ):  # fmt: skip
        differ = {stem(word) for word in words_of(mine)} ^ {stem(word) for word in words_of(theirs)}
        if not speaks and not differ - FUNCTION <= there:
            return False
    return True


def _figures(words: Sequence[str]) -> Counter[str]:
    return Counter(word for word in words if any(letter.isdigit() for letter in word))


def _candidates(sets: Mapping[str, frozenset[str]], bound: float) -> Iterator[tuple[str, str]]:
    """Pairs that share enough words of their prefixes and are not too different in size."""
    common = Counter(word for words in sets.values() for word in words)
    holding: dict[str, list[str]] = {}
    for path in sorted(sets, key=lambda path: (len(sets[path]), path)):
        least = _least(bound * len(sets[path]))
        words = sorted(sets[path], key=lambda word: (common[word], word))
        prefix = words[: len(words) - least + SHARED]
        shared = Counter(chain.from_iterable(holding.get(word, ()) for word in prefix))
        for other, many in shared.items():
            if many >= min(SHARED, least) and len(sets[other]) >= least:
                yield (other, path) if other < path else (path, other)
        for word in prefix:
            holding.setdefault(word, []).append(path)


def _least(number: float) -> int:
    """The least whole number that is not below, but for what arithmetic adds."""
    return ceil(number - 1e-9)
