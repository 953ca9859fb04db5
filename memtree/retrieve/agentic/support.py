"""Whether what is said stands in what is cited: names, numbers, dates, negation, most other words.

A model's sentence is shown only if the cited passages say it. What counts is one piece of each
passage (a sentence, an item, a row), the one that holds most of it, with its heading, the title,
the speaker and the date of its entry, and the piece before it where it begins with a pronoun. Every
number and every name must stand there; so must quoted words, in a row; negation must agree, and so
must words of opposite sense; of the content words at least `MOST` must be there. So what two
sentences say of two things is not mixed. Who did what to whom inside of one sentence is not
understood: what merely swaps two names of it passes. Text that speaks to a model supports nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.index.words import date_words
from memtree.retrieve.guard import telling
from memtree.retrieve.question import stop_words
from memtree.retrieve.sentences import pieces
from memtree.safety.injection import HARD, grade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.index.full_text import FullText
    from memtree.retrieve.tier import Match

# The share of a sentence's content words that has to stand in what it cites.
MOST = 0.75


def _set(words: str) -> list[str]:
    return words.split()


# Numbers that are written as words as often as in digits.
_COUNTS = _set(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen twenty"
)
_DIGITS = {word: str(number) for number, word in enumerate(_COUNTS) if number != 1}
_OPPOSITES = (
    "enabled disabled|enable disable|allow deny|allow forbid|allowed forbidden|allowed denied|"
    "on off|before after|increase decrease|increased decreased|rise fall|rose fell|true false|"
    "accept reject|accepted rejected|always never|more less|most least|above below|over under|"
    "first last|won lost|win lose|open closed|start stop|started stopped|begin end|began ended|"
    "up down|pass fail|passed failed|with without|maximum minimum|max min|safe unsafe|old new|"
    "valid invalid|include exclude|includes excludes|public private|required optional|"
    "can cannot|must may|likes dislikes|like dislike|loves hates|love hate|north south|east west|"
    "early late|earlier later|buy sell|bought sold|push pull|left right|male female|"
    "better worse|best worst|larger smaller|older younger|higher lower|high low|even odd"
)
_OTHER: dict[str, set[str]] = {}
for _pair in _OPPOSITES.split("|"):
    _one, _two = _pair.split()
    _OTHER.setdefault(_one, set()).add(_two)
    _OTHER.setdefault(_two, set()).add(_one)
_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*", re.UNICODE)  # noqa: RUF001
_QUOTED = re.compile(r"[\"“«„]([^\"”»“]{2,200})[\"”»“]")
_THOUSANDS = re.compile(r"(?<=\d)[,\u202f\u00a0'](?=\d{3}\b)")
_BUT = re.compile(r";\s|\s(?:but|however|although)\s", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A piece of a passage: its words, where it stands, and the heading or table head above it."""

    text: str
    path: str
    lines: tuple[int, int]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What the cited pieces make of a sentence.

    `share` of its content words stands there, 0 to 1; `problem` says why it does not hold, "" when
    it does; `lines` are the pieces that hold it, best first.
    """

    share: float
    problem: str = ""
    lines: Sequence[Line] = ()


def speaks_to_a_model(text: str) -> bool:
    """Whether a text gives orders to whoever reads it for a model: those support nothing."""
    return grade(text) == HARD


def lines_of(match: Match) -> list[Line]:
    """The pieces of a passage that can be cited, those that speak to a model left out."""
    found: list[Line] = []
    for piece in pieces(match.text):
        text = match.text[piece.start : piece.end]
        if not speaks_to_a_model(text):
            lines = (match.first + piece.line, match.first + piece.last)
            found.append(Line(text=text, path=match.row.path, lines=lines, about=piece.about))
    return found


def supported(sentence: str, cited: Sequence[Match], full_text: FullText, language: str) -> Support:
    """Compare a sentence with the passages that it cites: with one piece of each, and its names."""
    if speaks_to_a_model(sentence):
        return Support(share=0.0, problem="it speaks to a model")
    said = _Said(_undated(sentence, cited), full_text, language)
    if not said.content:
        return Support(share=0.0, problem="it says nothing that could be checked")
    best: list[Line] = []
    held: set[str] = set()
    text = ""
    for match in cited:
        lines = lines_of(match)
        has = [_stems(line.text, full_text) & said.content for line in lines]
        most = max(range(len(lines)), key=lambda at: len(has[at]), default=-1)
        if most < 0 or not has[most] - held:
            continue
        line = lines[most]
        row = match.row
        beside = [row.title, row.speaker, line.about]
        if most and line.text.split()[0].lower() in _PRONOUNS:
            beside.append(lines[most - 1].text)  # whom it speaks of stands before it
        text = " ".join([text, *beside, line.text])
        held |= has[most]
        best.append(line)
    there = _stems(text, full_text)
    share = len(said.content & there) / len(said.content)
    problem = _missing(said, there, text) if best else "what it cites does not say it"
    if not problem and share < MOST:
        gone = [said.words[stem] for stem in said.words if stem in said.content - there]
        problem = f"not in what it cites: {', '.join(gone[:4])}"
    if not problem:
        best.sort(key=lambda line: -len(_stems(line.text, full_text) & said.content))
        problem = _turned(said, best[0], full_text) or _apart(best, cited, full_text, language)
    return Support(share=share, problem=problem, lines=() if problem else best)


# A sentence that begins so speaks of what the one before it named.
_PRONOUNS = frozenset(_set("he she it they this that these those his her its their there"))


def _undated(sentence: str, cited: Sequence[Match]) -> str:
    """The sentence without the dates of what it cites.

    Those hold, as dates and as nothing else: a note of the 7th makes 7 no count of anything.
    """
    for match in cited:
        day, _, rest = date_words(match.row.time).partition(" ")
        month, _, year = rest.partition(" ")
        if year:
            forms = [f"{day} {month} {year}", f"{month} {day},? {year}", match.row.time[:10]]
            forms += [f"{month} {year}", f"{day} {month}", f"{month} {day}"]
            pattern = "|".join(rf"\b{form}\b" for form in forms)
            sentence = re.sub(pattern, " ", sentence, flags=re.IGNORECASE)
    return sentence


class _Said:
    """A sentence taken apart."""

    def __init__(self, sentence: str, full_text: FullText, language: str) -> None:
        common = stop_words(language)
        self.text = sentence
        self.plain = [word.lower() for word in _WORD.findall(_one_number(sentence))]
        self.words: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.numbers = telling(full_text.plain.analyze(_one_number(sentence)))[0]
        for place, word in enumerate(_WORD.findall(_one_number(sentence))):
            stems = full_text.stems.analyze(word)
            for stem in stems:
                if word.lower() in common or stem in common:
                    continue
                self.words.setdefault(stem, word)
                if word[:1].isupper() and (place or word.lower() not in _OPENERS):
                    self.names.setdefault(stem, word)
        self.content = frozenset(stem for stem in self.words if stem not in common)


# A capital at the beginning of a sentence makes no name of these.
_OPENERS = frozenset(
    _set(
        "yes according based currently today yesterday previously later earlier since although"
        " while however therefore both neither either every all most many some several few another"
        " people someone everyone"
    )
)


def _one_number(text: str) -> str:
    """The text with 2,913,123 as 2913123."""
    return _THOUSANDS.sub("", text)


def _stems(text: str, full_text: FullText) -> frozenset[str]:
    from memtree.index.words import spaced

    found = set(full_text.stems.analyze(spaced(_one_number(text))))
    return frozenset(found | {_DIGITS[word] for word in found if word in _DIGITS})


def _missing(said: _Said, there: frozenset[str], text: str) -> str:
    """The number, name or quote that the cited text does not have, in words; "" for none."""
    for number in sorted(said.numbers):
        if number not in there:
            return f"the number {number} is not in what it cites"
    for stem, name in said.names.items():
        if stem not in there:
            return f"the name {name} is not in what it cites"
    plain = " ".join(text.casefold().split())
    for quoted in _QUOTED.findall(said.text):
        if " ".join(quoted.casefold().split()).strip(" .,;") not in plain:
            return "the quoted words are not in what it cites"
    return ""


def _turned(said: _Said, line: Line, full_text: FullText) -> str:
    """Whether the sentence turns round what its best piece says, in words; "" when not."""
    parts = [part for part in _BUT.split(line.text) if part.strip()] or [line.text]
    part = max(parts, key=lambda part: len(_stems(part, full_text) & said.content))
    mine, theirs = _negations(said.text, full_text), _negations(part, full_text)
    if mine != theirs:
        return "it turns round what it cites" if mine ^ theirs else ""
    here = {word.lower() for word in _WORD.findall(part)}
    for word in said.plain:
        if word not in here and _OTHER.get(word, set()) & here:
            return f"it says {word} where what it cites says the opposite"
    return ""


def _negations(text: str, full_text: FullText) -> frozenset[str]:
    found = telling(full_text.plain.analyze(text))[1]
    return frozenset("not" for _ in found)


def _apart(best: Sequence[Line], cited: Sequence[Match], full_text: FullText, language: str) -> str:
    """Whether pieces of entries that have nothing to do with each other were put together."""
    paths = dict.fromkeys(line.path for line in best)
    if len(paths) < 2:
        return ""
    common = stop_words(language)
    bags: list[set[str]] = []
    for path in paths:
        text = " ".join(f"{m.row.title} {m.text}" for m in cited if m.row.path == path)
        bags.append({stem for stem in _stems(text, full_text) if stem not in common})
    linked = bags.pop(0)
    while bags:
        near = next((bag for bag in bags if len(bag & linked) > 1), None)
        if near is None:
            return "it puts together entries that have nothing in common"
        linked |= near
        bags = [bag for bag in bags if bag is not near]
    return ""


def cleaned(text: str, most: int) -> str:
    """What a model wrote as one line of printable text, `most` characters at most."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * most])
    return " ".join(kept.split())[:most]
