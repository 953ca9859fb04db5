"""From text to what the full-text index can hold: scripts without spaces, identifiers.

Tantivy's own tokenizer splits at everything that is not a letter or digit. That finds `snake_case`,
`dotted.names`, `--flags` and paths in parts and, as phrases, whole. Three things it cannot do are
done here, on the way in and on the way to a question alike:

* Scripts without spaces (Han, Kana, Hangul, Thai, Lao, Khmer, Myanmar) are spaced letter by letter,
  so that a word in them is a phrase of letters.
* `camelCase` is also given in parts.
* `C++`, `C#` and `.NET`, where the sign is the name, get a word of their own.

Hot: `re` is loaded only when text calls for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

# The shape of a text, byte by byte: "A" upper case, "a" lower case or digit, " " no part of a word.
# Finding `aA` in it is a memory search, thirty times the speed of a pattern over the text.
_SHAPE = bytes(
    0x41 if 0x41 <= byte <= 0x5A else 0x61 if 0x61 <= byte <= 0x7A or 0x30 <= byte <= 0x39 else 0x20
    for byte in range(256)
)

# Each pattern is compiled when first met: importing `re` costs a hot search 5 ms.
_patterns: dict[str, re.Pattern[str]] = {}
_split: dict[bytes, str] = {}

# Code points of scripts that are written without spaces between words: Thai, Lao, Myanmar, Khmer,
# Kana, Bopomofo, Han with its extensions, Hangul.
_DENSE = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3100-\u312f\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f]"
)
GAP = "zqgapqz"
_PART = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"
# Names in which the sign carries the meaning, and the word that stands for each.
_SIGNED = ((b"c++", "cplusplus"), (b"c#", "csharp"), (b"f#", "fsharp"), (b".net", "dotnet"))


def _pattern(source: str) -> re.Pattern[str]:
    found = _patterns.get(source)
    if found is None:
        import re

        found = _patterns[source] = re.compile(source)
    return found


# Lead bytes of UTF-8 that begin no letter of a dense script: ASCII, Latin to Hebrew and Arabic,
# general punctuation (E2), full-width forms and variants of emoji (EF), and continuations.
_INNOCENT = bytes(
    byte for byte in range(256) if not (byte in (0xE0, 0xE1, 0xF0) or 0xE3 <= byte <= 0xEE)
)


def is_dense(text: str) -> bool:
    """Whether the text holds a letter of a script without spaces."""
    if text.isascii():
        return False
    raw = text.encode("utf-8", "replace")
    left = raw.translate(None, _INNOCENT)
    # Curly quotes and dashes are everywhere, and so are emoji (F0 9F): they are not worth `re`.
    if not left or (not left.strip(b"\xf0") and len(left) == raw.count(b"\xf0\x9f")):
        return b"\xef" in raw and any(bytes((0xEF, low)) in raw for low in range(0xA4, 0xAC))
    return _pattern(_DENSE).search(text) is not None


def spaced(text: str) -> str:
    """The text as the tokenizer should see it: composed, and letter by letter where it is dense."""
    if text.isascii():
        return text
    import unicodedata

    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if not is_dense(text):
        return text
    return _pattern(_DENSE).sub(r" \g<0> ", text)


def identifier_parts(text: str) -> str:
    """The parts of every camelCase word, and a word for `C++`, `C#` and `.NET`; "" when none.

    Each identifier counts once, in the order of first appearance; `gap` words between them keep a
    phrase from running over two identifiers.
    """
    raw = text.encode("utf-8", "replace")
    shape = raw.translate(_SHAPE)
    words: dict[bytes, None] = {}
    for boundary in (b"aA", b"AAa"):
        at = shape.find(boundary)
        while at >= 0:
            end = shape.find(b" ", at)
            if end < 0:
                end = len(shape)
            words[raw[shape.rfind(b" ", 0, at) + 1 : end]] = None
            at = shape.find(boundary, end)
    found = [parts for parts in map(_parts, words) if parts]
    folded = raw.lower()
    for name, word in _SIGNED:
        at = folded.find(name)
        while at >= 0:
            end = at + len(name)
            if (at == 0 or shape[at - 1] == 0x20) and (end == len(shape) or shape[end] == 0x20):
                found.append(word)
                break
            at = folded.find(name, end)
    return f" {GAP} ".join(found)


def _parts(word: bytes) -> str:
    # Identifiers repeat from file to file: remembering them is five times the speed.
    known = _split.get(word)
    if known is None:
        parts = _pattern(_PART).findall(word.decode()) if len(word) <= 80 else ()  # no base64
        # "APIs" is a plural, not an identifier.
        known = " ".join(parts) if len(parts) > 1 and parts[-1] != "Is" else ""
        if len(_split) > 50_000:
            _split.clear()
        _split[word] = known
    return known


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def date_words(time: str) -> str:
    """A date as people write it, "8 May 2023"; "" when the text begins with none."""
    date = time[:10].split("-")
    if len(date) == 3 and all(part.isdigit() for part in date) and 1 <= int(date[1]) <= 12:
        return f"{int(date[2])} {MONTHS[int(date[1]) - 1]} {date[0]}"
    return ""
