"""Sentences that hold a relation: whom they are about, in which relation, to what.

    Ana no longer lives in Oslo.  ->  head "Ana", relation "live in", tail "Oslo", turned

A thought is such a sentence (Think-in-Memory, section 3.1). Known are English sentences that begin
with a name or a noun and go on with one of a few verbs. Of what somebody has chosen already (a
model's thought, a sentence about the one that was asked about) any verb behind a name will do, of
any language that writes names large ("Tom painted the fence"). What else a text says stays there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.claims.wording import stem

if TYPE_CHECKING:
    from collections.abc import Iterator


def _words(text: str) -> list[str]:
    return text.split()


LONGEST = 240
"""Characters of a thought."""
_HEAD_WORDS = 6
_KNOWN = frozenset(
    _words(
        """
        is are was were has have had uses use used using lives live lived works work worked
        likes like liked prefers prefer preferred owns own owned needs need needed runs run ran
        depends depend belongs belong moved moves studies studied speaks speak plays play played
        manages manage managed leads lead led reports report wants want wanted wrote writes
        supports support requires require contains contain costs cost listens listen starts
        started ends ended
        """
    )
)
_PREPOSITIONS = frozenset(_words("in at for on to as with of from by"))
_PRONOUNS = frozenset(
    _words(
        """
        he she it they i we you this that these those there here who what which where when why
        how his her its their my our your if but and or so then as although because while also
        """
    )
)
_OURS = frozenset(_words("our my your"))
_BETWEEN = frozenset(
    _words(
        """
        no longer not never also now still does do did doesn't don't didn't always often usually
        has have been currently
        """
    )
)
_DETERMINERS = frozenset(_words("the a an our my your"))
_POSSESSIVE = ("'s", "’s", "s'", "s’")  # noqa: RUF001
_WORD = re.compile(r"\S+")
_ENDS = re.compile(
    r"(?<=[.!?。])(?<!\b[A-Za-z]\.)(?<!\b(?:Dr|Mr|Ms|St|No|vs)\.)(?<!\bMrs\.)\s+|\n+"
)
"""Where a sentence ends; "U.S. Route 52" and "Dr. Wolf" are one: half a sentence is no thought."""
_EDGES = "\"'“”‘’(),;:*_`"  # noqa: RUF001
_CITED = re.compile(r"[ \t]*\([^()\n]{1,300}?\.(?:md|markdown)(?::\d+(?:-\d+)?)?\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Relation:
    """A statement taken apart; `head` as a key that equal heads share, `text` the sentence."""

    head: str
    relation: str
    tail: str
    name: str
    text: str

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for two sentences that say the same of the same."""
        return self.head, self.relation, self.tail


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text on one line each; headings, and places that an answer names, go."""
    for piece in _ENDS.split(_CITED.sub("", text)):
        line = " ".join(piece.split()).lstrip("-*+> ").strip()
        if line and not line.startswith("#"):
            yield line


def relation_of(sentence: str, *, any_verb: bool = False) -> Relation | None:
    """A sentence taken apart; None for one of no known form.

    With `any_verb` a name with any word behind it, too: that may be no verb ("Ana yesterday"), so
    it is for sentences of which it is known that they state something.
    """
    text = "".join(letter if letter.isprintable() else " " for letter in sentence).strip()
    if not 3 < len(text) <= LONGEST or text.endswith(("?", ":")):
        return None
    words = [word.group().strip(_EDGES) for word in _WORD.finditer(text)]
    folded = [word.casefold().rstrip(".!") for word in words]
    if folded[0] in _PRONOUNS - _OURS or not words[0][:1].isalnum():
        return None
    for place in range(1, min(len(words) - 1, _HEAD_WORDS + 4)):
        if folded[place] not in _KNOWN or (folded[place] in _BETWEEN and _helps(folded, place)):
            continue
        end = place
        while end > 1 and folded[end - 1] in _BETWEEN:
            end -= 1
        return _made(text, words, folded, end, place)
    return _named(text, words, folded) if any_verb else None


def _named(text: str, words: list[str], folded: list[str]) -> Relation | None:
    """A name, and the word behind it as the relation; None where that may be more of the name."""
    end = 1 if folded[0] in _DETERMINERS else 0
    first = end
    while end < len(words) and (words[end][:1].isupper() or words[end][:1].isdigit()):
        end += 1
    place = end
    while place < len(folded) and folded[place] in _BETWEEN:
        place += 1
    if end == first or place >= len(folded) - 1 or words[end - 1].endswith(_POSSESSIVE):
        return None
    verb = folded[place]
    if len(verb) < 2 or not verb.isalpha() or verb in _PREPOSITIONS | _PRONOUNS | _DETERMINERS:
        return None
    return _made(text, words, folded, end, place)


def _helps(folded: list[str], place: int) -> bool:
    """Whether "has" or "have" only helps the verb behind it."""
    after = folded[place + 1 : place + 3]
    return "been" in after or any(word in _KNOWN and word not in _BETWEEN for word in after[:1])


def _made(text: str, words: list[str], folded: list[str], end: int, place: int) -> Relation | None:
    if end > _HEAD_WORDS or any(word in _PRONOUNS - _OURS for word in folded[:end]):
        return None
    relation = [_base(folded[place])]
    rest = place + 1
    while rest < len(folded) and folded[rest] in ("not", "no", "longer", "never"):
        rest += 1
    if rest < len(folded) and folded[rest] in _PREPOSITIONS:
        relation.append(folded[rest])
        rest += 1
    tail = " ".join(folded[rest:])
    head = head_of(" ".join(words[:end]))
    if not head or not tail:
        return None
    turned = {"not", "never", "longer", "doesn't", "don't", "didn't"} & set(folded[end:rest])
    said = " ".join([*(["not"] if turned else []), *relation])
    return Relation(head, said, tail, " ".join(words[:end]), text)


def _base(verb: str) -> str:
    if verb in ("has", "had"):
        return "have"
    return "be" if verb in ("is", "are", "was", "were") else stem(verb)


def head_of(name: str) -> str:
    """What two names of one head have in common: case, articles and signs don't count."""
    words = re.findall(r"[^\W_]+", name.casefold())
    return " ".join(word for word in words if word not in _DETERMINERS)
