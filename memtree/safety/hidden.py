"""Characters that hide text or reorder it: what a person who reads does not see.

Zero-width characters, marks of direction, the invisible "tag" letters, variation selectors in rows:
each can carry orders to a model past a person's eyes ("Trojan Source", CVE-2021-42574; "ASCII
smuggling" with Unicode tags, 2024). Those that writing needs stay: joiners inside words of Arabic,
Indic and other scripts, marks of direction beside such letters, selectors and joiners of emoji.
"""

from __future__ import annotations

import re

_CONTROL = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_ZERO = "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e"
_ZERO += "\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
_BIDI = "\u061c\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_OTHER = "\u2028\u2029\ufff9-\ufffb\ud800-\udfff"
_ANY = re.compile(f"[{_CONTROL}{_ZERO}{_BIDI}{_TAGS}{_SELECTORS}{_OTHER}]")
_RUN = re.compile(f"[{_CONTROL}{_ZERO}{_BIDI}{_TAGS}{_SELECTORS}{_OTHER}]+")
_NEEDED = re.compile(
    # Joiners between letters that join, and in emoji; a soft hyphen inside a word; a selector
    # behind a sign; marks of direction beside letters that run from right to left.
    "(?<=[\u0590-\u08ff\u0900-\u0dff\u0e00-\u109f\u1780-\u18af\u200d])[\u200c\u200d]"
    "|(?<=[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f\U0001f3fb-\U0001f3ff])\u200d"
    "|(?<=[^\\W\\d_])\u00ad(?=[^\\W\\d_])"
    "|(?<=[^\\s\ufe00-\ufe0f])[\ufe00-\ufe0f](?![\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    "|(?<=[\u3400-\u9fff])[\U000e0100-\U000e01ef]"
    "|(?<=[\u0590-\u08ff])[\u200e\u200f\u061c]|[\u200e\u200f\u061c](?=[\u0590-\u08ff])"
    "|^\ufeff"
    "|(?<=\U0001f3f4)[\U000e0020-\U000e007e]+\U000e007f"
)
_TAG_TEXT = re.compile("[\U000e0020-\U000e007e]{3,}")


def has_hidden(text: str) -> bool:
    """Whether a text holds characters that hide or reorder it and that writing does not need."""
    return _ANY.search(text) is not None and bool(hidden(text))


def hidden(text: str) -> list[tuple[int, str]]:
    """Where hidden characters stand, and which (`U+200B`); one for each run of them."""
    if _ANY.search(text) is None:
        return []
    needed = {at for match in _NEEDED.finditer(text) for at in range(*match.span())}
    found = []
    for match in _RUN.finditer(text):
        bad = [at for at in range(*match.span()) if at not in needed]
        if bad:
            found.append((bad[0], f"U+{ord(text[bad[0]]):04X}"))
    return found


def unhidden(text: str) -> str:
    """The text without characters that hide or reorder; those that writing needs stay."""
    if _ANY.search(text) is None:
        return text
    needed = {at for match in _NEEDED.finditer(text) for at in range(*match.span())}
    return _ANY.sub(lambda match: match[0] if match.start() in needed else _instead(match[0]), text)


def _instead(letter: str) -> str:
    return " " if letter in "\u2028\u2029\x1c\x1d\x1e\x1f" else ""


def smuggled(text: str) -> str:
    """What a run of invisible tag letters says, in letters that can be seen; "" when none does."""
    found = _TAG_TEXT.findall(text)
    return " ".join("".join(chr(ord(each) - 0xE0000) for each in run) for run in found)
