"""Which words of a snippet to light up for a question: the same word, its forms, its CJK runs.

This only colours what the index found; it decides nothing. So it may be simple: words are compared
without case and accents, and count as forms of each other when they share all but a short ending.
"""

from __future__ import annotations

import re
from unicodedata import combining, east_asian_width, normalize

# A version or a time is one word: 3.14 is not lit by 3.15.
_WORD = re.compile(r"\d+(?:[.:]\d+)+|\w+")
# Words of a question that would light up half of every snippet. Closed-class English words; other
# languages lose nothing by having theirs lit.
_COMMON = frozenset(
    {
        "a", "an", "and", "are", "as", "at", "be", "by", "can",
        "did", "do", "does", "for", "from", "had", "has", "have", "how",
        "i", "in", "is", "it", "its", "of", "on", "or", "our",
        "should", "that", "the", "their", "there", "this", "to", "was", "we",
        "were", "what", "when", "where", "which", "who", "why", "will", "with",
        "you", "your",
    }
)  # fmt: skip
# A shared beginning this long, with at most so many letters after it, is the same word inflected.
_STEM, _ENDING = 4, 3


def spans(text: str, question: str) -> list[tuple[int, int]]:
    """Where in `text` words of `question` stand: (start, end) pairs, ascending, not touching."""
    asked = [_plain(word) for word in _WORD.findall(question)]
    wanted = [word for word in asked if word not in _COMMON] or asked
    if not wanted:
        return []
    found = [match.span() for match in _WORD.finditer(text) if _wanted(match.group(), wanted)]
    found += _runs(text, [word for word in wanted if _is_wide(word)])
    return _merged(found)


def _wanted(word: str, wanted: list[str]) -> bool:
    plain = _plain(word)
    return any(_same(plain, other) for other in wanted)


def _same(word: str, other: str) -> bool:
    if word == other:
        return True
    short, long = sorted((word, other), key=len)
    if len(short) < _STEM or short[0] != long[0] or any(c.isdigit() for c in word + other):
        return False
    shared = 0
    for one, two in zip(short, long, strict=False):
        if one != two:
            break
        shared += 1
    return shared >= max(_STEM, len(short) - 2) and len(long) - shared <= _ENDING


def _runs(text: str, wanted: list[str]) -> list[tuple[int, int]]:
    """Scripts without spaces: the longest stretches of the question, down to two characters."""
    found = []
    for word in wanted:
        at = 0
        while at < len(word) - 1:
            for end in range(len(word), at + 1, -1):
                start = text.find(word[at:end])
                if start >= 0:
                    while start >= 0:
                        found.append((start, start + end - at))
                        start = text.find(word[at:end], start + 1)
                    at = end - 1
                    break
            at += 1
    return found


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    if _is_wide(word):  # the marks of kana are letters of their own, not accents
        return word.casefold()
    return "".join(c for c in normalize("NFKD", word.casefold()) if not combining(c))


def _is_wide(word: str) -> bool:
    return any(east_asian_width(character) in "WF" for character in word)
