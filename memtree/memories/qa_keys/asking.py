"""A question taken apart: what is asked for, which words carry its sense, who does it to whom.

Pure rules for English: a question in another language has no kind, and only its words count.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from memtree.claims.wording import stem, wording
from memtree.memories.qa_keys.synonyms import GENERIC, KINDS

if TYPE_CHECKING:
    from memtree.claims.wording import Wording


def _words(text: str) -> list[str]:
    return text.split()


LONGEST = 300
"""Characters of a question that is compared; longer ones are texts."""
_SPACES = re.compile(r"[\W_]+")
_AUXILIARY = frozenset(_words("do does did"))
_BE = frozenset(_words("is are was were be been being am 's"))
_HAVE = frozenset(_words("have has had"))
_MODAL = frozenset(_words("can could will would shall should may might must"))
_POLAR = _AUXILIARY | _BE | _HAVE | _MODAL
_NAMED = frozenset(_words("name names called named"))
_COSTS = frozenset(map(stem, _words("cost costs price")))
_LASTS = frozenset(map(stem, _words("take takes took last lasts lasted")))
_DETERMINERS = frozenset(
    _words(
        """
        the a an his her its their my your our this that these those
        """
    )
)
_HOW = {
    "many": "number", "much": "number", "old": "age", "long": "length", "often": "frequency",
    "frequently": "frequency", "far": "distance", "tall": "height", "high": "height",
    "big": "size", "large": "size", "fast": "speed", "quickly": "speed", "deep": "depth",
    "heavy": "weight", "soon": "length", "late": "time", "early": "time",
}  # fmt: skip
_ASKING = {
    "who": ("person", ""), "whom": ("person", ""), "whose": ("owner", ""), "where": ("place", ""),
    "when": ("time", ""), "why": ("reason", ""), "how": ("manner", ""), "what": ("thing", ""),
    "which": ("thing", ""),
}  # fmt: skip
SPECIFIC = frozenset(_HOW.values()) - {"number", "time"} | {"price"}
"""Kinds that say by themselves what is asked of the one thing that is named."""
_STRICT = frozenset(
    _words(
        """
        from out off while if because since until against down over under above below
        """
    )
)
"""Small words that may not be glossed over."""
_PAST = frozenset(_words("did was were had has have"))
_PRESENT = frozenset(_words("do does is are am"))
_FUTURE = frozenset(_words("will shall"))
_LEAD = re.compile(
    r"(?i)^(?:please|hey|ok|so|and|(?:do|does|can|could|would) (?:you|anyone|somebody) "
    r"(?:please )?(?:know|remember|recall|(?:tell|show|remind|give) (?:me|us))|"
    r"(?:tell|remind|show) (?:me|us)|i(?:'d| would) like to know|i(?:'m| am)? wonder(?:ing)?)[,:]? "
)
_IDIOMS = (
    (re.compile(r"(?i)\b(what|who|where|when|how|why)['\u2019]?s\b(?= )"), r"\1 is"),
    (re.compile(r"(?i)\bin charge of\b"), "responsible for"),
    (re.compile(r"(?i)\b(?:does|do|did) (.{1,60}?) do for a living\b"), r"is the job of \1"),
    (re.compile(r"(?i)\b(?:take|takes|took) place\b"), "happen"),
)  # fmt: skip
AGENT, PATIENT, NEITHER = "agent", "patient", ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken apart.

    `kind` is what it asks for (`person`, `place`, `time`, `number`, ..., "" for no question that is
    understood), `noun` the word that says it more closely ("city"), `stems` what carries sense, in
    order, `light` the helping verbs among them that do more than help, `role` whether it asks for
    who does it or for whom it is done to, `tense` (`past`, `present`, `future`, "" where only the
    verb says it), `is_identity` whether it asks what something is, `forms` stem -> the word, and
    `plain` its words.
    """

    kind: str
    noun: str
    stems: tuple[str, ...]
    light: frozenset[str]
    role: str
    tense: str
    is_identity: bool
    strict: frozenset[str]
    forms: dict[str, str]
    plain: str
    said: Wording


def plain(text: str) -> str:
    """The words of a question, case folded, without accents, spaced."""
    return _SPACES.sub(" ", unaccented(text[: 2 * LONGEST]).casefold()).strip()


def unaccented(text: str) -> str:
    """Latin letters without their marks: who asks in haste leaves them out ("zoe" for "Zoë").

    Other scripts keep theirs: there another mark is often another letter.
    """
    if text.isascii():
        return text
    bases = ((letter, unicodedata.normalize("NFD", letter)[:1])
             for letter in unicodedata.normalize("NFC", text))  # fmt: skip
    return "".join(base if base.isascii() else letter for letter, base in bases)


@lru_cache(maxsize=4096)
def taken_apart(text: str) -> Asked:
    """Take a question apart."""
    words = plain(text)
    text = unaccented(" ".join(text.split())[:LONGEST])
    while (led := _LEAD.sub("", text)) != text:
        text = led
    for idiom, instead in _IDIOMS:
        text = idiom.sub(instead, text)
    said = wording(text)
    tokens = [word.text.casefold() for word in said.words]
    at, word = _asking(tokens)
    kind, noun, dropped = _kind(tokens, at, word)
    light = _light(tokens)
    stems = _stems(said, dropped)
    if kind in ("thing", "manner") and not _NAMED.isdisjoint(tokens):
        kind = "name"
    if kind in ("thing", "number") and not _COSTS.isdisjoint(stems):
        kind, stems = "price", tuple(each for each in stems if each not in _COSTS)
    elif kind == "length":
        stems = tuple(each for each in stems if each not in _LASTS)
    return Asked(
        kind=kind, noun=noun, stems=(*stems, *sorted(light)), light=light,
        role=_role(tokens, at, kind), tense=_tense(tokens),
        is_identity=_is_identity(tokens, at, word), strict=_STRICT & set(tokens),
        forms={each.stem: each.text.casefold() for each in said.words}, plain=words, said=said,
    )  # fmt: skip


def _asking(tokens: list[str]) -> tuple[int, str]:
    """Where the word stands that asks, and the word; "polar" for yes or no; (-1, "") for none."""
    if tokens and tokens[0] in _POLAR:
        return 0, "polar"
    for number, token in enumerate(tokens):
        if token in _ASKING:
            return number, token
        if token == "whether":  # noqa: S105  (a word)
            return number, "polar"
    return -1, ""


def _kind(  # noqa: PLR0911  (one for each way of asking)
    tokens: list[str], at: int, word: str
) -> tuple[str, str, frozenset[int]]:
    """What is asked for, its noun, and the tokens that said so."""
    if at < 0:
        return "", "", frozenset()
    if word == "polar":
        return "polar", "", frozenset((at,))
    kind, noun = _ASKING[word]
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    if word == "how":
        if after in _HOW:
            return _HOW[after], "", frozenset((at, at + 1))
        come = after == "come"
        return ("reason" if come else kind), "", frozenset((at, at + 1) if come else (at,))
    if word == "what" and after in ("caused", "causes"):
        return "reason", "", frozenset((at, at + 1))
    if word in ("what", "which"):
        return _what(tokens, at, kind, noun)
    return kind, noun, frozenset((at,))


def _what(tokens: list[str], at: int, kind: str, noun: str) -> tuple[str, str, frozenset[int]]:
    """The noun that says what is asked for: "which city", "what is the year of", "what time"."""
    place = at + 1
    if place < len(tokens) and tokens[place] in KINDS:
        kind, noun = KINDS[tokens[place]]
        return kind, noun, frozenset((at, place))
    while place < len(tokens) and tokens[place] in _BE | _DETERMINERS:
        place += 1
    if (
        at + 1 < place < len(tokens) - 1
        and tokens[place] in KINDS
        and tokens[place + 1] in ("of", "when", "in", "at", "for", "on", "that", "where", "why",
                                  "who")
    ):  # fmt: skip
        kind, noun = KINDS[tokens[place]]
        return kind, noun, frozenset((at, place))
    if tokens[-1] in KINDS and at + 1 < len(tokens) - 1 and tokens[at + 1] in _BE:
        kind, noun = KINDS[tokens[-1]]
        return kind, noun, frozenset((at, len(tokens) - 1))
    return kind, noun, frozenset((at,))


def _light(tokens: list[str]) -> frozenset[str]:
    """The words do and have where they are the verb, and no help of one."""
    found = set()
    for number, token in enumerate(tokens):
        helped = any(each in _AUXILIARY | _MODAL for each in tokens[:number])
        if token in ("do", "doing", "done") and (helped or token != "do"):  # noqa: S105
            found.add("=do")
        elif token in _HAVE and helped:
            found.add("=have")
    return frozenset(found)


def _stems(said: Wording, dropped: frozenset[int]) -> tuple[str, ...]:
    """What carries sense, in order, without the words that say what is asked for."""
    gone = [said.words[number].stem for number in dropped]
    found = []
    for each in said.content:
        if each in gone:
            gone.remove(each)
        elif each not in GENERIC:
            found.append(each)
    return tuple(found)


def _role(tokens: list[str], at: int, kind: str) -> str:
    """Whether who or what does it is asked for, or to whom it is done; NEITHER where it is open."""
    if kind not in ("person", "thing") or at < 0:
        return NEITHER
    if "whom" in tokens and "by" not in tokens:
        return PATIENT
    rest = tokens[at + 1 :]
    if any(each in _AUXILIARY for each in rest):
        return PATIENT
    if "by" in rest[:-1]:
        return PATIENT if any(each in _BE for each in rest) else NEITHER
    if rest and rest[0] not in _BE | _HAVE | _MODAL and tokens[at] == "who":
        return AGENT
    return NEITHER


def _tense(tokens: list[str]) -> str:
    """The tense that a helping verb says; "" where none does."""
    for token in tokens:
        for tense, words in (("past", _PAST), ("future", _FUTURE), ("present", _PRESENT)):
            if token in words:
                return tense
    return ""


def _is_identity(tokens: list[str], at: int, word: str) -> bool:
    """Whether it is asked what something is: "what is", "which city is", "who is"."""
    if at < 0 or word not in ("what", "which", "who"):
        return False
    after = tokens[at + 1 : at + 3]
    be = next((place for place, token in enumerate(after) if token in _BE), -1)
    return be == 0 or (be == 1 and word != "who" and after[0] in KINDS)
