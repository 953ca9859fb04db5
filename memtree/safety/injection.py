"""Text that addresses whoever reads it: orders to a model or a tool inside of a source.

This is the second line of defence. The first is that text is data: no operation, path or rule is
ever taken from a source, and the checks of a plan hold when nothing is noticed here. So what is
found is graded rather than certain: HARD is put aside for a person, MILD is a reason to look.

Before matching, a text is folded (Unicode form, case, accents, look-alike letters, letters in the
place of digits, hidden characters), and what is packed in base64, percent signs or entities is
unpacked. Orders are known in a dozen languages; see `memtree.safety.orders`.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from functools import lru_cache

from memtree.safety.hidden import smuggled, unhidden
from memtree.safety.orders import read_orders

NONE, MILD, HARD = 0, 1, 2
"""Nothing; worth a look; addressed to the reader beyond reasonable doubt."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,8000}={0,2}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){6,}|(?:[A-Za-z0-9.]{0,12}%20){3,}[A-Za-z0-9.]*")
_ENTITY = re.compile(r"(?:&#(?:\d{2,6}|x[0-9a-fA-F]{2,5});){4,}")
_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}){6,}")
_SPACED = re.compile(r"(?:(?<=\s)|^)(?:[^\W\d_][ .\-_*|]){4,}[^\W\d_](?=\s|$|[.,!?:])")
_LETTERS = re.compile(r"(?:(?<=\s)|^)(?:[^\W\d_][ .\-_*|])+[^\W\d_](?=\s|$|[.,!?:])")
_LEET = re.compile(r"(?=[a-z@$]*\d)(?=\d*[a-z@$])[a-z013457@$]{4,}")
_LEET_LETTERS = str.maketrans("013457@$", "oieastas")
# A word of an order, at least one of which is written with digits where an order is.
_DISGUISED = frozenset(
    [
        "ignore", "disregard", "forget", "override", "bypass", "previous", "prior", "above",
        "instructions", "instruction", "prompt", "rules", "system", "developer", "assistant",
        "archive", "delete", "erase", "memory", "everything", "mode", "reveal", "secret",
    ]
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
# Letters of other alphabets that look like Latin ones (Unicode confusables, the common part).
_LOOKALIKE = str.maketrans(
    "асеорхуіјѕԁһԛԝӏвкмнтґαβγεηικνορτυχω",
    "aceopxyijsdhqwlbkmhtrabyenikvoptuxw",
)
_Order = tuple[int, tuple[tuple[str, ...], ...], re.Pattern[str]]
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s*<?https?://[^)\s]{0,400}?[?&/](?:data|d|q|leak|secret|token|memory|"
    r"memories|content|prompt|chat|history|payload|info|exfil|log|msg|context|conversation|notes)="
    r"(?P<value>[^)\s>]{0,400})|<img[^>\n]{0,200}src=[\"']?https?://[^\"'>\s]{0,200}[?&](?:data|d|q|"
    r"leak|secret|token|memory|content|prompt|chat|history|payload)=(?P<value2>[^\"'>\s]{0,300})"
)
_TEMPLATE = re.compile(
    r"[{}<>\[\]$]|%7B|%3C|%5B|HERE|SECRET|INSERT|\b(?:summary|conversation|history|memory|notes)\b"
)


def grade(text: str) -> int:
    """How surely a text addresses whoever reads it: NONE, MILD or HARD."""
    if len(text) < 8 or text.isspace():
        return NONE
    return _grade(text) if len(text) <= 20_000 else _long(text)


def _long(text: str) -> int:
    """A long text in pieces that overlap, so that no order hides at an edge."""
    worst = NONE
    for start in range(0, len(text), 19_000):
        worst = max(worst, _grade(text[start : start + 20_000]))
        if worst == HARD:
            break
    return worst


@lru_cache(maxsize=4096)
def _grade(text: str) -> int:
    worst = _plain(text)
    if worst == HARD:
        return HARD
    image = _IMAGE.search(text) if "http" in text else None
    if image is not None:
        value = image["value"] or image["value2"] or ""
        worst = max(worst, HARD if _TEMPLATE.search(value) else MILD)
    for inner in _unpacked(text):
        if _plain(inner):
            return HARD  # whoever hides an order means it
    return worst


def _plain(text: str) -> int:
    folded = fold(text)
    worst = _match(folded)
    if worst == HARD:
        return HARD
    for variant in _variants(text, folded):
        worst = max(worst, _match(variant))
    return worst


def _match(folded: str) -> int:
    orders, words = _orders()
    there = [word for word in words if word in folded]
    worst = NONE
    for number in sorted({number for word in there for number in words[word]}):
        level, needs, pattern = orders[number]
        if level <= worst or not all(any(word in folded for word in need) for need in needs):
            continue
        if pattern.search(folded):
            worst = level
    return worst


@lru_cache(maxsize=1)
def _orders() -> tuple[tuple[_Order, ...], dict[str, tuple[int, ...]]]:
    """Every order, and the words to look for first, each with the orders that it calls for."""
    levels = {"HARD": HARD, "MILD": MILD}
    orders: list[_Order] = []
    words: dict[str, tuple[int, ...]] = {}
    for number, (level, needs, pattern) in enumerate(read_orders()):
        first, *others = [tuple(_bare(word) for word in need) for need in needs]
        orders.append((levels[level], tuple(others), re.compile(_bare(pattern))))
        for word in first:
            words[word] = (*words.get(word, ()), number)
    return tuple(orders), words


def fold(text: str) -> str:
    """The text as orders are looked for in it: seen letters, small, without accents."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(_bare(unhidden(unicodedata.normalize("NFKC", text)).casefold()).split())


def _bare(text: str) -> str:
    if text.isascii():
        return text
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text) if not 0x300 <= ord(letter) <= 0x36F
    )


def _variants(text: str, folded: str) -> list[str]:
    """The text as it may be meant: look-alike letters, digits for letters, letters spaced out."""
    found = []
    if not folded.isascii():
        latin = _WORD.sub(lambda word: _latin(word[0]), folded)
        if latin != folded:
            found.append(latin)
    if any(letter in folded for letter in "013457@$"):
        turned = {word.translate(_LEET_LETTERS) for word in _LEET.findall(folded)}
        if not turned.isdisjoint(_DISGUISED):
            found.append(_LEET.sub(lambda word: word[0].translate(_LEET_LETTERS), folded))
    if _SPACED.search(text):
        joined = _LETTERS.sub(
            lambda run: re.sub(r"[\W_]", "", run[0]), re.sub(r" {2,}", "\t", text)
        )
        found.append(fold(joined))
    return found


def _latin(word: str) -> str:
    """A word that mixes alphabets in the letters that they look like."""
    if word.isascii():
        return word
    turned = word.translate(_LOOKALIKE)
    return turned if turned.isascii() else word


def _unpacked(text: str) -> list[str]:
    """What a text holds in base64, percent signs, entities, escapes or invisible letters."""
    found = [smuggled(text)] if not text.isascii() else []
    if "%" in text:
        from urllib.parse import unquote

        found += [unquote(run[0], errors="replace") for run in _PERCENT.finditer(text)]
    if "&#" in text:
        from html import unescape

        found += [unescape(run[0]) for run in _ENTITY.finditer(text)]
    if "\\u" in text or "\\x" in text:
        found += [
            re.sub(r"\\[ux]([0-9a-fA-F]{2,4})", lambda code: chr(int(code[1], 16)), run[0])
            for run in _ESCAPES.finditer(text)
        ]
    for number, run in enumerate(_BASE64.finditer(text)):
        if number == 64:
            break
        plain = _decoded(run[0])
        if plain:
            found.append(plain)
    return [each for each in found if len(each) >= 8]


def _decoded(run: str) -> str:
    """What base64 stands for when it is text, "" otherwise."""
    packed = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    if len(packed) % 4 == 1 or (packed.isalpha() and packed.islower()):
        return ""
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
        text = raw.decode("utf-8")
    except (binascii.Error, ValueError):
        return ""
    seen = sum(letter.isalnum() or letter.isspace() for letter in text)
    return text if seen >= 0.75 * len(text) and " " in text else ""
