"""How far a word is from another: the one door to rapidfuzz, loaded for the first stranger."""

from __future__ import annotations

from rapidfuzz.distance import OSA, Indel


def distance(one: str, other: str) -> int:
    """Slips of the keys between two words; a swap of neighbours is one (optimal alignment)."""
    return int(OSA.distance(one, other))


def strokes(one: str, other: str) -> int:
    """Letters put in or left out between two words; a replaced letter is two."""
    return int(Indel.distance(one, other))
