"""BERT's WordPiece (uncased): from text to the pieces that its models know.

The rules are those of the published tokenizer (Devlin et al. 2018, as in the `tokenizers` library):
control characters go, ideographs stand alone, accents and case are taken off, punctuation stands
alone, and each word is cut greedily from the left into the longest pieces of the vocabulary; a word
that can't be cut to its end, or is longer than 100 letters, is one unknown.

A vocabulary is a callable, so that a dictionary serves as well as a search in a mapped file.

Hot: imports `unicodedata`, and only for text that is not ASCII.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Longest = Callable[[str], tuple[int, int]]
    """The longest piece that a text begins with: its number and length, or (-1, 0).

    Pieces that go on inside a word begin with `##`, and so does the text that asks for them.
    """

LONGEST_WORD = 100  # letters; the published tokenizer's bound
_REMEMBERED = 100_000  # words; a few dozen MB at most

_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# ASCII: control characters vanish, spaces are spaces, punctuation stands alone.
_ASCII: dict[int, str | None] = {
    **dict.fromkeys((*range(9), *range(11, 13), *range(14, 32), 127)),
    **{ord(sign): f" {sign} " for sign in _PUNCTUATION},
}


def words(text: str) -> list[str]:
    """The text's words and signs in order: lower case, without accents."""
    if text.isascii():
        return text.translate(_ASCII).lower().split()
    import unicodedata

    category = unicodedata.category
    kept: list[str] = []
    for letter in text:
        code = ord(letter)
        if code < 128:
            kept.append(letter if code >= 32 and code != 127 else " " if letter in "\t\n\r" else "")
        elif letter == "\ufffd" or category(letter) in {"Cc", "Cf", "Co", "Cs"}:
            continue
        elif _is_ideograph(code):
            kept += (" ", letter, " ")
        else:
            kept.append(" " if letter.isspace() else letter)
    # A capital sigma at the end of a word would become the other small one.
    plain = unicodedata.normalize("NFD", "".join(kept)).replace("\u03a3", "\u03c3")
    out: list[str] = []
    for letter in plain:
        if letter.isascii():
            out.append(f" {letter} " if letter in _PUNCTUATION else letter)
            continue
        kind = category(letter)
        if kind != "Mn":
            out.append(f" {letter} " if kind[0] == "P" else letter)
    return "".join(out).lower().split()


def _is_ideograph(code: int) -> bool:
    """Whether a code point is Han; the ranges are the published tokenizer's."""
    return code >= 0x3400 and (
        code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x2A6DF
        or 0x2A700 <= code <= 0x2B73F
        or 0x2B740 <= code <= 0x2B81F
        or 0x2B920 <= code <= 0x2CEAF
        or 0x2F800 <= code <= 0x2FA1F
    )


def longest_in(vocabulary: Mapping[str, int]) -> Longest:
    """A vocabulary in a dictionary, as a callable."""
    most = max(map(len, vocabulary), default=0)

    def longest(text: str) -> tuple[int, int]:
        least = 2 if text.startswith("##") else 0
        for length in range(min(len(text), most), least, -1):
            number = vocabulary.get(text[:length], -1)
            if number >= 0:
                return number, length
        return -1, 0

    return longest


class WordPiece:
    """Cuts words into pieces, and remembers how."""

    __slots__ = ("_longest", "_remembered")

    def __init__(self, longest: Longest) -> None:
        self._longest = longest
        self._remembered: dict[str, tuple[int, ...]] = {}

    def pieces(self, word: str) -> tuple[int, ...]:
        """The numbers of a word's pieces; none if the word is unknown."""
        found = self._remembered.get(word)
        if found is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            found = self._remembered[word] = self.cut(word)
        return found

    def numbers(self, text: str, *, unknown: int, limit: int) -> list[int]:
        """The numbers of a text's pieces in order, at most `limit`; `unknown` for what is not."""
        out: list[int] = []
        for word in words(text):
            out += self.pieces(word) or (unknown,)
            if len(out) >= limit:
                return out[:limit]
        return out

    def cut(self, word: str) -> tuple[int, ...]:
        """The same without remembering."""
        if len(word) > LONGEST_WORD:
            return ()
        number, at = self._longest(word)
        if number < 0:
            return ()
        out = [number]
        while at < len(word):
            number, length = self._longest("##" + word[at:])
            if number < 0:
                return ()
            out.append(number)
            at += length - 2
        return tuple(out)
