"""A statement taken apart: what two wordings must share to say the same.

The words that carry the sense are told from those that only hold a sentence together, and the
words that may never be glossed over (numbers, names, negations, dates, quantities) from the rest.
English is known best; other languages lose tolerance, not safety: an unknown form is another word.
Pure functions, no disk and no clock.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from memtree.claims.dates import dates_in
from memtree.claims.lexicon import (
    FORMS,
    FUNCTION,
    NEGATIONS,
    NOT,
    NUMBERS,
    QUANTITIES,
    SIDES,
    SOFT,
)

if TYPE_CHECKING:
    from memtree.claims.dates import Span

_DENSE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
)
_TOKEN = re.compile(
    rf"[{_DENSE}]|(?:(?![{_DENSE}])[^\W_])+(?:[.,:/@+_’'&-](?:(?![{_DENSE}])[^\W_])+)*[+#]*"  # noqa: RUF001
)
_INNER = re.compile(r"[^\W_]+")
_CONTRACTION = re.compile(r"(?i)n['’]t\b|\b(can)not\b")  # noqa: RUF001
_NOT_ONLY = re.compile(r"(?i)\bnot (?:only|just|merely|least|to mention)\b")
_POSSESSIVE = re.compile(r"['’](?:s|re|ve|ll|d|m)?$", re.IGNORECASE)  # noqa: RUF001
_ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")
_THOUSANDS = re.compile(r"^\d{1,3}(?:[,’']\d{3})+(?:\.\d+)?$")  # noqa: RUF001
_BREAK = re.compile(r"[.!?。！？]['\"”’)\]]*\s+$|^$|\n\s*$|[:]\s+$|[-*#>]\s+$")  # noqa: RUF001
_ENDINGS = (
    "ization", "isation", "ations", "ation", "ingly", "edly", "ments", "ment", "ness", "ers",
    "ings", "ing", "ed", "er", "ly", "ions", "ion", "es",
)  # fmt: skip
_VOWEL = re.compile(r"[aeiouy]")


@dataclass(frozen=True, slots=True)
class Word:
    """A token: as it stands, its stem, and whether it looks like a name (or may, at a start)."""

    text: str
    stem: str
    named: bool
    initial: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """A statement taken apart.

    `content` are the stems that carry the sense, in order; `numbers` canonical ("1000", "3.14",
    "http2"); `names` stems of words that look like names; `negations` how often it is turned round;
    `quantities` words like "all" and "only"; `dates` spans of days.
    """

    words: tuple[Word, ...]
    content: tuple[str, ...]
    numbers: frozenset[str]
    names: frozenset[str]
    negations: int
    quantities: frozenset[str]
    dates: frozenset[Span]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two wordings that say the same in other forms of the same words."""
        sides = SIDES.intersection([word.text.casefold() for word in self.words])
        return (self.content, self.numbers, self.negations % 2, self.quantities, self.dates, sides)


@lru_cache(maxsize=8192)
def wording(text: str) -> Wording:
    """Take a statement apart; dates, numbers and negations are found before words are told."""
    text = unicodedata.normalize("NFKC", text)
    dates, rest = dates_in(text)
    rest = _NOT_ONLY.sub(" ", rest)
    rest = _CONTRACTION.sub(lambda found: f"{found.group(1) or ''} not", rest)
    words: list[Word] = []
    content: list[str] = []
    numbers: set[str] = set()
    names: set[str] = set()
    quantities: set[str] = set()
    negations = 0
    for token in _TOKEN.finditer(rest):
        plain = token.group()
        if not plain.isalpha():
            plain = _POSSESSIVE.sub("", plain)
        folded = plain.casefold()
        initial = _is_initial(rest, token.start())
        number = number_of(folded)
        # A word without capitals is quickly told: most are.
        named = not (plain.isalpha() and plain.islower()) and looks_like_name(
            plain, initial=initial
        )
        stemmed = stem(folded)
        words.append(Word(plain, number or stemmed, named and not number, initial))
        if folded in NEGATIONS:
            negations += 1
            if folded not in NOT:
                content.append(folded)
        elif number:
            numbers.add(number)
            content.append(number)
        elif folded in QUANTITIES:
            quantities.add(QUANTITIES[folded])
        elif folded not in FUNCTION and folded not in SOFT:
            content.append(stemmed)
            if named and not initial:
                names.add(stemmed)
    return Wording(
        tuple(words),
        tuple(content),
        frozenset(numbers),
        frozenset(names),
        negations,
        frozenset(quantities),
        frozenset(dates),
    )


def _is_initial(text: str, start: int) -> bool:
    """Whether a sentence, a line or an item begins there."""
    if start > 1 and text[start - 1] == " " and text[start - 2].isalnum():
        return False  # a word and a space
    return _BREAK.search(text[max(0, start - 4) : start]) is not None


def number_of(folded: str) -> str:
    """The canonical number that a folded token is, "" when it holds no digit and is no numeral.

    "1,000" is "1000", "3rd" is "3", "v3.14" is "3.14", "seven" is "7"; "http2" stays.
    """
    if folded in NUMBERS:
        return NUMBERS[folded]
    if folded.isalpha() or not any(letter.isdigit() for letter in folded):
        return ""
    ordinal = _ORDINAL.match(folded)
    if ordinal:
        folded = ordinal.group(1)
    if _THOUSANDS.match(folded):
        folded = folded.replace(",", "").replace("'", "").replace("’", "")  # noqa: RUF001
    if folded[0] == "v" and folded[1:2].isdigit():
        folded = folded[1:]
    if folded.isdecimal():
        return str(int(folded)) if len(folded) < 40 else folded
    return folded.rstrip(".,:/-")


def looks_like_name(token: str, *, initial: bool) -> bool:
    """Whether a token is written like a name: capitals, camelCase, dots or underscores inside."""
    if len(token) == 1:
        return False
    if token[0].isupper():
        return not (initial and token.casefold() in FUNCTION) and token not in ("I", "OK")
    return any(letter.isupper() for letter in token[1:]) or bool(re.search(r"\w[._/@]\w", token))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its English endings, irregular forms folded; other scripts stay whole."""
    if word in FORMS:
        return FORMS[word]
    if not word.isascii():
        return "".join(
            letter
            for letter in unicodedata.normalize("NFD", word)
            if unicodedata.category(letter) != "Mn"
        )
    if len(word) < 4 or not word.isalpha():
        return word
    base = _ending(word)
    return FORMS.get(base, base)


def _ending(word: str) -> str:
    """Porter's first steps, and the endings that make nouns and adverbs of verbs."""
    for ending, instead in (("sses", "ss"), ("ies", "y"), ("ied", "y"), ("ss", "ss"), ("us", "us")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            word = word[: -len(ending)] + instead
            break
    else:
        word = word.removesuffix("s")
    for ending in _ENDINGS:
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and _VOWEL.search(base):
            word = base
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1] + ("i" if word[-1] == "y" else "")
    return word


def pieces(token: str) -> tuple[str, ...]:
    """The words inside a compound token: `http-client`, `a/b`, `snake_case`; itself otherwise."""
    found = tuple(stem(piece) for piece in _INNER.findall(token.casefold()))
    return found if len(found) > 1 else ()
