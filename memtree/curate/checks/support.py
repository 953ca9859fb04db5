"""Whether a claim says no more than its quotes say.

A quote that stands in the source proves nothing about a claim that says something else. So every
number, date, name, negation and strong quantity of the claim must come from what it rests on, and
so must most of its other words: `THRESHOLD` is measured by `benchmarks/support.py`. Words may also
come from the heading above the quote, who said it, and the source's title; names from the passage
that the quote was taken from and the one before, because people say "she".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.claims.dates import fits, relative_spans, span_of
from memtree.claims.lexicon import (
    FUNCTION,
    HEDGES,
    NEGATIONS,
    NUMBERS,
    OPPOSITES,
    SOFT,
    STRONG,
    TURNING,
)
from memtree.claims.wording import pieces, stem, wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.claims.wording import Wording
    from memtree.curate.checks.evidence import Ground, Standing
    from memtree.knowledge.plan import Claim

THRESHOLD = 0.7
"""The least share of a claim's telling words that must come from what it rests on."""

_CLAUSES = re.compile(
    r"[.;!?\n。；！？:]+(?:\s|$)|,\s+(?:but|and|so|which|who|while|although|he|she|it|they|we|i|you|there|making)\b|\s[-–—]+\s"  # noqa: RUF001
    r"|\b(?:but|because|although|though|while|whereas|however|aber|sondern|mais|pero)\b",
    re.IGNORECASE,
)
_NO = re.compile(r"(?im)(?:^|(?<=[.!?]\s))\s*(?:no|nope|nah|nein|non)\s*[,.!]+\s")
_COMMON = frozenset(
    [
        "user",
        "users",
        "people",
        "person",
        "someone",
        "everyone",
        "speaker",
        "author",
        "team",
        "nobody",
        "note",
        "notes",
    ]
)
_DOUBTS = frozenset(["may", "could", "if", "whether", "plan", "plans", "thinking", "considering"])
_ASKED = frozenset(
    [
        "ask",
        "asks",
        "asked",
        "question",
        "questions",
        "wonder",
        "wondered",
        "wonders",
        "whether",
    ]
)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a claim has that its quotes have not: which kind, and the words."""

    kind: str
    words: tuple[str, ...]

    def message(self) -> str:
        """What to do better, for whoever proposed the claim."""
        shown = ", ".join(f"'{word[:40]}'" for word in self.words[:6])
        return _MESSAGES[self.kind].format(shown)


_MESSAGES = {
    "number": "the quotes do not give {}: state only numbers that stand in the quote",
    "date": "the quotes do not give the date {}: leave it out, or quote the words that say when",
    "name": "the quotes do not name {}: use the source's words, or quote the line that names it",
    "negation": "the quote and the claim disagree about {}: keep every 'not' as the source has it",
    "quantity": "the quotes do not say {}: do not make it stronger than the source does",
    "hedge": "the source is not sure ({}): keep that word",
    "opposite": "the source says the opposite of {}",
    "question": "the quote only asks; quote the answer",
    "words": "the quotes do not say {}: keep to the source's words",
}


def lacks(claim: Claim, standing: tuple[Standing, ...], ground: Ground) -> tuple[Lack, ...]:
    """What the claim says beyond its quotes; empty when it is supported."""
    text = _unattributed(claim.text, standing, ground)
    said = wording(text)
    quotes = "\n".join(found.text for found in standing)
    base = _Base(quotes, standing, ground)
    found = [
        Lack("number", tuple(sorted(n for n in said.numbers if not base.has_number(n)))),
        Lack("date", _dates(claim, said, base)),
        Lack("name", tuple(_names(said, base))),
        Lack("quantity", tuple(sorted((said.quantities & STRONG) - base.wording.quantities))),
        Lack("opposite", tuple(_opposites(said, base))),
        Lack("hedge", _hedges(said, base)),
        Lack("negation", _turned(text, quotes)),
        Lack("question", _asking(said, standing)),
        Lack("words", _uncovered(said, base)),
    ]
    return tuple(lack for lack in found if lack.words)


def _unattributed(text: str, standing: tuple[Standing, ...], ground: Ground) -> str:
    """The claim without the name in front of whoever said it: that is no part of what was said."""
    for at in {found.first for found in standing}:
        speaker = ground.part.passages[at].speaker
        if speaker and text.startswith(f"{speaker}: "):
            return text[len(speaker) + 2 :]
    return text


class _Base:
    """What a claim may draw from."""

    __slots__ = ("nearby", "numbers", "spans", "stems", "wording", "words")

    def __init__(self, quotes: str, standing: tuple[Standing, ...], ground: Ground) -> None:
        passages = ground.part.passages
        source = ground.part.source
        at = sorted({n for s in standing for n in range(s.first, s.last + 1)})
        own = [passages[n] for n in at]
        frame = [source.title, *(p.heading for p in own), *(p.speaker for p in own)]
        self.wording = wording(quotes)
        self.words = {w.text.casefold() for w in self.wording.words}
        framed = wording("\n".join(text for text in frame if text))
        self.stems = _stems(self.wording) | _stems(framed)
        self.numbers = set(self.wording.numbers | framed.numbers)
        around = sorted({m for n in at for m in (n - 1, n) if m >= 0})
        near = [passages[n].text for n in around]
        self.nearby = _stems(wording("\n".join([*near, *ground.speakers])))
        times = [stamp for p in own for stamp in (p.time,) if stamp] or [source.time]
        texts = "\n".join(p.text for p in own)
        spans = [*self.wording.dates, *framed.dates]
        self.spans = (*spans, *relative_spans(texts, [t for t in times if t]))
        for span in self.wording.dates | framed.dates:
            self.numbers |= {str(number) for number in _figures(span)}

    def has(self, word: str, *, near: bool = False) -> bool:
        """Whether a stem stands in the quotes or the frame, in a form close enough."""
        return _known(word, self.stems) or (near and _known(word, self.nearby))

    def has_number(self, number: str) -> bool:
        return number in self.numbers or all(
            piece in self.numbers or piece in self.stems for piece in re.findall(r"[^\W_]+", number)
        )


def _figures(span: tuple[int, int]) -> Iterable[int]:
    from datetime import date

    if span[0] < 0:
        return divmod(-span[0], 100)
    day = date.fromordinal(span[0])
    return (day.year, day.month, day.day) if span[0] == span[1] else (day.year, day.month)


def _stems(said: Wording) -> set[str]:
    found = {word.stem for word in said.words} | set(said.content)
    for word in said.words:
        found.update(pieces(word.text))
    return found


def _known(word: str, stems: set[str]) -> bool:
    """Whether a stem is there, whole, in parts, or in a form that shares most of its letters."""
    if word in stems:
        return True
    parts = pieces(word)
    if parts:
        return all(_known(part, stems) for part in parts)
    if len(word) < 5 or not word.isalpha():
        return False
    head = word[: max(5, len(word) - 3)] if word.isascii() else word[: max(4, len(word) - 2)]
    return any(
        other.startswith(head) and abs(len(other) - len(word)) <= 4 and other.isalpha()
        for other in stems
    )


def _names(said: Wording, base: _Base) -> Iterable[str]:
    for word in said.words:
        if not word.named or base.has(word.stem, near=True):
            continue
        folded = word.text.casefold()
        if folded in SOFT or folded in FUNCTION or folded in NUMBERS or folded in NEGATIONS:
            continue
        if word.initial and folded in _COMMON:
            continue
        yield word.text


def _dates(claim: Claim, said: Wording, base: _Base) -> tuple[str, ...]:
    wanted = list(said.dates)
    if claim.when:
        span = span_of(claim.when)
        if span is None:
            return (claim.when,)
        wanted.append(span)
    return tuple(
        _shown(span) for span in wanted if not any(fits(span, given) or _wider(span, given)
                                                   for given in base.spans)
    )  # fmt: skip


def _wider(span: tuple[int, int], given: tuple[int, int]) -> bool:
    """A claim may be vaguer than the source: the year of a day that it gives."""
    return 0 < span[0] <= given[0] and given[1] <= span[1] and span[1] - span[0] <= 366


def _shown(span: tuple[int, int]) -> str:
    from datetime import date

    if span[0] < 0:
        month, day = divmod(-span[0], 100)
        return f"{month:02}-{day:02}"
    first, last = (date.fromordinal(day).isoformat() for day in span)
    return first if first == last else f"{first}/{last}"


def _opposites(said: Wording, base: _Base) -> Iterable[str]:
    for word in said.words:
        folded = word.text.casefold()
        if base.has(word.stem):
            continue
        for opposite in OPPOSITES.get(folded, ()) or OPPOSITES.get(word.stem, ()):
            if opposite in base.words or stem(opposite) in {stem(w) for w in base.words}:
                yield word.text


def _hedges(said: Wording, base: _Base) -> tuple[str, ...]:
    """Words of doubt right before what the claim says, when the claim has none at all."""
    mine = {word.text.casefold() for word in said.words}
    if mine & (HEDGES | _DOUBTS):
        return ()
    words = base.wording.words
    claimed = set(said.content)
    return tuple(
        word.text
        for at, word in enumerate(words)
        if word.text.casefold() in HEDGES and any(w.stem in claimed for w in words[at + 1 : at + 5])
    )


def _turned(claim: str, quotes: str) -> tuple[str, ...]:
    """The words about which claim and quote differ in being turned round."""
    mine = [wording(clause) for clause in clauses(claim)]
    theirs = [wording(clause) for clause in clauses(quotes)]
    whole = wording(quotes)
    for clause in mine:
        stems = set(clause.content)
        scored = [(len(stems & set(other.content)), other) for other in theirs]
        best = max((score for score, _ in scored), default=0)
        if not best:
            if clause.negations % 2 and not whole.negations and not _turning(whole):
                return tuple(word.text for word in clause.words if _is_not(word.text))[:2]
            continue
        closest = [other for score, other in scored if score == best]
        if not any(_agree(clause, other) for other in closest):
            return tuple(word for word in clause.content if word in closest[0].content)[:3]
    return ()


def clauses(text: str) -> list[str]:
    """A text in the pieces that can be turned round each for itself."""
    text = _NO.sub(" ", text)
    return [piece for piece in _CLAUSES.split(text) if piece and piece.strip()]


def _agree(one: Wording, other: Wording) -> bool:
    if one.negations % 2 == other.negations % 2:
        return True
    return _turning(one) != _turning(other)


def _turning(said: Wording) -> bool:
    words = {word.text.casefold() for word in said.words}
    return bool(words & TURNING) or any(
        word[:2] in ("un", "in", "im", "ir") and word[2:] in OPPOSITES for word in words
    )


def _is_not(word: str) -> bool:
    return word.casefold() in NEGATIONS


def _asking(said: Wording, standing: tuple[Standing, ...]) -> tuple[str, ...]:
    if not all(found.asks for found in standing):
        return ()
    # A quote of several sentences says what it says before it asks.
    if any(re.search(r"[.!](?:\s|$)", found.text) for found in standing):
        return ()
    if {word.text.casefold() for word in said.words} & _ASKED:
        return ()
    return ("?",)


def _uncovered(said: Wording, base: _Base) -> tuple[str, ...]:
    """The telling words that come from nowhere, when they are too many."""
    wanted = list(dict.fromkeys(said.content))
    if not wanted:
        return ()
    missing = [word for word in wanted if not base.has(word)]
    share = 1 - len(missing) / len(wanted)
    if share >= THRESHOLD or (len(missing) == 1 and len(wanted) >= 3):
        return ()
    return tuple(missing)
