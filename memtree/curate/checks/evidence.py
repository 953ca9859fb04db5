"""Whether a quote really stands in the source, and on which lines.

A model copies with small slips: other quotation marks, a lost asterisk, another line break. So both
sides are compared folded (Unicode NFKC, case, white space, quotes and dashes, markdown emphasis and
links), and what is kept as evidence is the source's own words.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.claims.lexicon import FUNCTION
from memtree.curate.checks.bounds import line
from memtree.knowledge.plan import Evidence, Refusal

if TYPE_CHECKING:
    from memtree.knowledge.plan import Claim
    from memtree.knowledge.source import Part, Passage

MAX_QUOTE = 2000
"""A longer quote is no evidence for one statement."""
MAX_QUOTES = 8

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛ʼ`´′", "'"),  # noqa: RUF001
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),  # noqa: RUF001
    }
)
_LINK = re.compile(
    r"!?\[([^\]\n]*)\]\([^()\s]*(?:\s+\"[^\"\n]*\")?\)|\[\[(?:[^\]|\n]*\|)?([^\]\n]*)\]\]"
)
_EMPHASIS = frozenset("*_~`#>|\\")
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_ELLIPSIS = re.compile(r"\s*(?:\[?\.\.\.\]?|\[?…\]?)\s*")
_LEAD = re.compile(r"^(?:[-*+>#•]+\s+|\d{1,3}[.)]\s+)+")
_EDGES = " \t\n\"'.,;:!?()[]-。，、！？"  # noqa: RUF001
_CLOSING = ".!?。！？*_\"')”’"  # noqa: RUF001
_END = re.compile(r"[.!?。！？](?=[\s\"')\]*_”’]|$)|\n")  # noqa: RUF001
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a quote stands: in which passages (by index), its own words there, and the lines.

    `asks` says that the sentence in which it ends is a question.
    """

    first: int
    last: int
    text: str
    lines: tuple[int, int]
    asks: bool = False


class Ground:
    """The passages of a part, folded once, to look quotes up in."""

    __slots__ = ("_folded", "_offsets", "_starts", "_whole", "part", "speakers")

    def __init__(self, part: Part) -> None:
        self.part = part
        self.speakers = sorted({passage.speaker for passage in part.passages if passage.speaker})
        folded = [fold(passage.text) for passage in part.passages]
        self._folded = [text for text, _ in folded]
        self._offsets = [offsets for _, offsets in folded]
        # Passages that follow each other may share one quote; what two people say may not.
        self._starts: list[int] = []
        whole: list[str] = []
        length = 0
        for passage, text in zip(part.passages, self._folded, strict=True):
            self._starts.append(length)
            whole.append(text + ("\0" if passage.kind == "message" else " "))
            length += len(whole[-1])
        self._whole = "".join(whole)

    def find(self, quote: str, near: tuple[int, int] = (0, 0)) -> Standing | None:
        """Where a quote stands, nearest to the given lines; None when it stands nowhere."""
        wanted = [fold(_LEAD.sub("", piece.strip()))[0].strip(_EDGES)
                  for piece in _ELLIPSIS.split(quote[:MAX_QUOTE])]  # fmt: skip
        wanted = [piece for piece in wanted if piece]
        if not wanted or sum(map(len, wanted)) < 2 * len(wanted):
            return None
        found = self._all(wanted)
        if not found:
            found = self._all(self._unattributed(wanted))
        if not found:
            return None
        return min(found, key=lambda each: abs(each.lines[0] - near[0]) if near[0] else 0)

    def _all(self, wanted: list[str]) -> list[Standing]:
        """Every place where the pieces follow each other, each piece whole words."""
        found: list[Standing] = []
        at = -1
        while wanted and len(found) < 64:
            at = self._whole.find(wanted[0], at + 1)
            if at < 0:
                break
            end = self._follow(wanted, at)
            if end:
                found.append(self._standing(at, end))
        return found

    def _follow(self, wanted: list[str], at: int) -> int:
        """Where the last piece ends, if the pieces follow each other from here; else 0."""
        whole = self._whole
        end = at
        for number, piece in enumerate(wanted):
            start = at if number == 0 else whole.find(piece, end)
            if start < 0 or start - end > 400 or "\0" in whole[end:start]:
                return 0
            end = start + len(piece)
            if _inside_word(whole, start) or _inside_word(whole, end):
                return 0
        return 0 if "\0" in whole[at:end] else end

    def _unattributed(self, wanted: list[str]) -> list[str]:
        """The pieces without the speaker's name in front, as transcripts show it."""
        for passage in self.part.passages:
            name = fold(passage.speaker)[0] if passage.speaker else ""
            if name and wanted[0].startswith((name + ":", name + " :")):
                rest = wanted[0][len(name) :].lstrip(" :").strip(_EDGES)
                return [rest, *wanted[1:]] if rest else wanted[1:]
        return []

    def _standing(self, at: int, end: int) -> Standing:
        first = bisect_right(self._starts, at) - 1
        last = bisect_right(self._starts, end - 1) - 1
        begin = self._original(first, at - self._starts[first])
        until = self._original(last, end - 1 - self._starts[last]) + 1
        passages = self.part.passages
        top, bottom = passages[first], passages[last]
        while until < len(bottom.text) and bottom.text[until] in _CLOSING:
            until += 1
        if first == last:
            text = top.text[begin:until]
            lines = rows(top, begin, until)
        else:
            middle = [passage.text for passage in passages[first + 1 : last]]
            text = "\n".join([top.text[begin:], *middle, bottom.text[:until]])
            lines = (rows(top, begin, len(top.text))[0], rows(bottom, 0, until)[1])
        ending = _END.search(bottom.text, max(until - 1, 0))
        asks = ending is not None and ending[0] in "?？"  # noqa: RUF001
        return Standing(first, last, text, lines, asks)

    def _original(self, passage: int, folded: int) -> int:
        offsets = self._offsets[passage]
        return offsets[min(folded, len(offsets) - 1)] if offsets else 0


def rows(passage: Passage, begin: int, end: int) -> tuple[int, int]:
    """The lines of the source on which the characters from `begin` to `end` stand."""
    first, last = passage.lines
    if passage.text.count("\n") != last - first:  # a message that was one line of a file
        return passage.lines
    top = first + passage.text.count("\n", 0, begin)
    return (top, top + passage.text[begin:end].rstrip().count("\n"))


def fold(text: str) -> tuple[str, list[int]]:
    """The text as quotes are compared, and for each of its characters the index in the original."""
    unlinked, places = _unlinked(text)
    letters: list[str] = []
    offsets: list[int] = []
    for place, letter in zip(places, unlinked, strict=True):
        if letter in _EMPHASIS or letter in _INVISIBLE:
            continue
        if letter.isascii():
            plain = letter.lower()
        else:
            plain = unicodedata.normalize("NFKC", letter.translate(_SAME)).casefold()
        for each in plain:
            if each.isspace():
                if letters and letters[-1] != " ":
                    letters.append(" ")
                    offsets.append(place)
            else:
                letters.append(each)
                offsets.append(place)
    folded = "".join(letters)
    composed = unicodedata.normalize("NFC", folded)
    if len(composed) == len(folded):
        return composed, offsets
    return _composed(folded, offsets)


def _unlinked(text: str) -> tuple[str, list[int]]:
    """The text with links as their words, and where each character stood."""
    places = list(range(len(text)))
    if "](" not in text and "[[" not in text:
        return text, places
    for match in reversed(list(_LINK.finditer(text))):
        group = 1 if match.group(1) is not None else 2
        kept = places[match.start(group) : match.end(group)]
        places[match.start() : match.end()] = kept
    return "".join(text[place] for place in places), places


def _composed(folded: str, offsets: list[int]) -> tuple[str, list[int]]:
    """Compose marks with their letters, one cluster at a time, keeping the places."""
    letters: list[str] = []
    places: list[int] = []
    start = 0
    for end in range(1, len(folded) + 1):
        if end < len(folded) and unicodedata.combining(folded[end]):
            continue
        cluster = unicodedata.normalize("NFC", folded[start:end])
        letters.append(cluster)
        places += [offsets[start]] * len(cluster)
        start = end
    return "".join(letters), places


def _inside_word(text: str, at: int) -> bool:
    """Whether a cut here would part a word of a script with spaces."""
    if not 0 < at < len(text):
        return False
    return _joins(text[at - 1]) and _joins(text[at])


def _joins(letter: str) -> bool:
    return letter.isalnum() and not ("\u0e00" <= letter <= "\u0eff" or letter >= "\u1000")


def says_something(quote: str) -> bool:
    """Whether a quote is long enough to mean something: a number or a word that carries sense."""
    words = _WORD.findall(quote)
    telling = [word for word in words if word.casefold() not in FUNCTION]
    return (len(words) >= 2 and bool(telling)) or sum(map(len, telling)) >= 4


def grounded(
    claim: Claim, ground: Ground
) -> tuple[Claim, tuple[Standing, ...], tuple[Refusal, ...]]:
    """The claim with the quotes that stand in the source, where they stand, and what was refused.

    Lines are found or corrected, quotes become the source's own words, and `source` its name. A
    claim without a quote that stands comes back with no evidence.
    """
    kept: list[Evidence] = []
    standing: list[Standing] = []
    refusals: list[Refusal] = []
    for evidence in claim.evidence[:MAX_QUOTES]:
        found = ground.find(evidence.quote, evidence.lines)
        if found is None:
            message = "this quote does not stand in the source: copy it word for word"
            refusals.append(
                Refusal(code="no-evidence", message=message, said=line(evidence.quote, 80))
            )
        elif not says_something(found.text):
            message = "this quote is too short to show anything: quote the whole sentence"
            refusals.append(
                Refusal(code="no-evidence", message=message, said=line(evidence.quote, 80))
            )
        elif all((found.lines, found.text) != (each.lines, each.text) for each in standing):
            standing.append(found)
            name = ground.part.source.name
            kept.append(Evidence(source=name, quote=found.text, lines=found.lines))
    if not claim.evidence:
        message = "quote the words of the source that say this"
        refusals.append(Refusal(code="no-evidence", message=message, said=line(claim.text, 80)))
    return replace(claim, evidence=tuple(kept)), tuple(standing), tuple(refusals)
