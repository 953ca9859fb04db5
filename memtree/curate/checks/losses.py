"""What a replacement leaves out: numbers, names, negations, or most of what a fact said."""

from __future__ import annotations

from memtree.claims.lexicon import STRONG
from memtree.claims.wording import wording

KEPT = 0.7
"""The least share of a fact's telling words that its replacement has to keep."""


def loses(old: str, new: str) -> bool:
    """Whether a replacement says less than the fact did, or something else.

    Everything that must never be glossed over has to be there still, and most of the rest.
    """
    before, after = wording(old), wording(new)
    words = {word.stem for word in after.words} | set(after.content)
    kept = sum(word in words for word in before.content)
    return (
        not before.numbers <= after.numbers
        or not before.names <= words
        or not before.dates <= after.dates
        or bool((before.quantities - after.quantities) & STRONG)
        or before.negations % 2 != after.negations % 2
        or kept < KEPT * len(before.content)
    )
