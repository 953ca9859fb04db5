"""A question in the words of the index: what is asked for, whole, in part, or as a phrase.

`"quoted words"` must stand in a row; `word*` is a beginning; everything else counts the more the
rarer it is. A word that the tokenizer cuts in several (`snake_case`, `a.dotted.name`, a path, a
word of a script without spaces) is sought whole, and in parts for less.

Hot: imports nothing but the index's own words.
"""

from __future__ import annotations

from memtree.index.full_text import BOOSTS
from memtree.index.words import GAP, identifier_parts, is_dense, spaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    import tantivy

    from memtree.index.full_text import FullText

_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」"}
# Weight of the parts of a compound when the whole is not there.
_PART = 0.35
# More than this many words is not a question but a text: the rarest count.
MAX_WORDS = 64


class Word:
    """One thing that is asked for.

    `stems` and `plain` are its analysed tokens (several for a compound); `kind` is `word`,
    `phrase` or `prefix`; `stop` marks words that carry no content.
    """

    __slots__ = ("kind", "parts", "plain", "stems", "stop", "text")

    def __init__(
        self, text: str, *, stems: list[str], plain: list[str], kind: str = "word",
        stop: bool = False, parts: list[str] | None = None,
    ) -> None:  # fmt: skip
        self.text = text
        self.stems = stems
        self.plain = plain
        self.kind = kind
        self.stop = stop
        self.parts = parts or []


def words_of(text: str, full_text: FullText, stop_words: frozenset[str]) -> list[Word]:
    """The words of a question, in order; never more than MAX_WORDS."""
    found: list[Word] = []
    for piece, quoted in _pieces(text):
        kind = "word"
        if quoted:
            kind = "phrase"
        elif len(piece) > 2 and piece[-1] == "*" and piece[-2].isalnum():
            kind, piece = "prefix", piece[:-1]  # noqa: PLW2901  (the star is no letter)
        seen = spaced(piece)
        plain = full_text.plain.analyze(seen)
        if not plain:
            continue
        stems = full_text.stems.analyze(seen)
        parts = identifier_parts(piece)
        found.append(
            Word(
                piece,
                stems=stems,
                plain=plain,
                kind=kind,
                stop=kind == "word" and len(plain) == 1 and plain[0] in stop_words,
                parts=[part for part in full_text.stems.analyze(parts) if part != GAP]
                if parts
                else None,
            )
        )
        if len(found) >= MAX_WORDS:
            break
    if found and all(word.stop for word in found):
        # "to be or not to be": nothing but stop words is asked for, so they are what is asked for.
        for word in found:
            word.stop = False
    return found


def _pieces(text: str) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    rest = text
    while rest:
        at = min(
            (place for place in (rest.find(mark) for mark in _QUOTES) if place >= 0), default=-1
        )
        end = rest.find(_QUOTES[rest[at]], at + 1) if at >= 0 else -1
        if end < 0:
            break
        found += [(word, False) for word in rest[:at].split()]
        inside = rest[at + 1 : end].strip()
        if inside:
            found.append((inside, True))
        rest = rest[end + 1 :]
    return found + [(word, False) for word in rest.split()]


def to_query(words: list[Word], full_text: FullText) -> tantivy.Query | None:
    """The index's query for the words; None when nothing is asked for."""
    wanted: list[tantivy.Query] = []
    must: list[tantivy.Query] = []
    for word in words:
        if word.stop:
            continue
        if word.kind == "phrase":
            must.append(_in_fields(full_text, word.stems))
        elif word.kind == "prefix":
            wanted.append(_beginning(full_text, word))
        elif len(word.stems) == 1:
            wanted.append(_in_fields(full_text, word.stems))
        else:
            wanted += _compound(full_text, word)
        if word.parts:
            wanted.append(_in_fields(full_text, word.parts, weight=0.7))
            wanted += [_in_fields(full_text, [part], weight=_PART) for part in word.parts]
    if must and wanted:
        return full_text.required_and_wanted(full_text.all_of(must), full_text.any_of(wanted))
    if must:
        return full_text.all_of(must)
    return full_text.any_of(wanted) if wanted else None


def _in_fields(full_text: FullText, stems: list[str], weight: float = 1.0) -> tantivy.Query:
    return full_text.any_of(
        [
            full_text.boosted(full_text.phrase(field, stems), boost * weight)
            for field, boost in BOOSTS
        ]
    )


def _compound(full_text: FullText, word: Word) -> list[tantivy.Query]:
    if is_dense(word.text):
        # Every two letters in a row: the way search engines read scripts without spaces.
        pairs = [word.stems[at : at + 2] for at in range(len(word.stems) - 1)]
        return [_in_fields(full_text, pair) for pair in pairs]
    found = [_in_fields(full_text, word.stems)]
    found += [_in_fields(full_text, [stem], weight=_PART) for stem in word.stems]
    return found


def _beginning(full_text: FullText, word: Word) -> tantivy.Query:
    found: list[tantivy.Query] = []
    *before, last = word.plain
    for field, boost in BOOSTS[:4]:
        ends = full_text.beginning_with(field, last)
        # A stem is often shorter than what was typed: "connections*" must find "connect".
        stem = word.stems[-1]
        choices = dict.fromkeys([end for end, _ in ends] + ([stem] if len(stem) > 2 else []))
        if before:
            queries = [
                full_text.phrase(field, [*word.stems[:-1], end]) for end in list(choices)[:16]
            ]
        else:
            queries = [full_text.term(field, end) for end in choices]
        if queries:
            found.append(full_text.boosted(full_text.best_of(queries, 0.1), boost))
    return full_text.any_of(found)


def has_stranger(words: list[Word], full_text: FullText) -> bool:
    """Whether the question has a word that the tree does not know: perhaps a typo."""
    return any(
        not is_known(full_text, token)
        for word in words
        if not word.stop and word.kind == "word"
        for token in word.plain
        if len(token) >= 4
    )


def is_known(full_text: FullText, token: str) -> bool:
    """Whether a plain word stands in a name or in the text of the tree."""
    if full_text.frequency("names", token):
        return True
    return any(full_text.frequency("body", stem) for stem in full_text.stems.analyze(token))


def stop_words(language: str) -> frozenset[str]:
    """Words of a language that carry no content; none for a language that we do not know."""
    found = _stop_words.get(language)
    if found is None:
        if language == "english":
            from memtree.retrieve.english import STOP_WORDS

            found = STOP_WORDS
        else:
            found = frozenset()
        _stop_words[language] = found
    return found


_stop_words: dict[str, frozenset[str]] = {}
