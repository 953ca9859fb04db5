"""Claims from what was said: the telling sentences of each message, under the speaker's name.

What a message gives depends on it and, for an answer that says little by itself, on the question
right before it; never on what else was read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from memtree.curate.rules.claims import Found, agreed, evidence
from memtree.curate.rules.kinds import kind_of
from memtree.curate.rules.sentences import sentences
from memtree.curate.rules.weight import LEAST, MORE, points_back, telling_words, weight
from memtree.knowledge.plan import Claim
from memtree.sources.dates import mentions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.curate.rules.sentences import Sentence
    from memtree.knowledge.plan import Evidence
    from memtree.knowledge.source import Passage, Source

LONGEST = 400
"""Characters that one claim of a conversation has at most, unless one sentence is longer."""
ASKED = 100
"""Characters of a question that is told with its answer."""
PLAIN, ANSWER = 10.0, -1.0
"""Below the first an answer is told with its question, below the second it is none."""
NOTED, SHOWN = 1.0, 5.0
"""What a program's note in brackets weighs, and when the words before it point at it."""
_SHOWS = re.compile(
    r"\b(?:look(?:y| at| what)?|here(?:['\u2019]s| is| are)|check (?:it |this |these |them )?out"
    r"|pics?|photos?|pictures?|snapshots?|this (?:is|was|one)|these (?:are|were)"
    r"|(?:made|drew|painted|took|built|got"
    r"|cooked|baked|found) (?:this|these|it|one)|see (?:this|these|for yourself))\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?\uff1f][\"'\u201d\u2019)\]]*$")
_OPENING = re.compile(
    r"^(?:(?:oh|wow|whoa|yeah|yes|yep|yup|aw+|haha+|hey|hi|hello|ok(?:ay)?|well|so|cool|great|nice"
    r"|awesome|thanks|thank you|sure|right|totally|definitely|absolutely|exactly|man|gosh|btw"
    r"|by the way|actually|anyway|guess what|also|and|but)"
    r"(?: +(?:[A-Z][a-z]+|there|so much|a lot|man|dude))?(?:[,!.]+| [-\u2013\u2014])\s+)+"
)


class _Kept(NamedTuple):
    sentence: Sentence
    words: str
    kind: str
    when: str
    weight: float


def message_claims(
    passage: Passage,
    at: int,
    source: Source,
    names: frozenset[str],
    before: Passage | None = None,
) -> Iterator[Found]:
    """Yield the claims of a message; `names` are those of the people who talk, in small letters.

    `before` is the message that was said right before by somebody else, if it is known.
    """
    rows = list(_weighed(passage, names))
    run: list[_Kept] = []
    asked = _question(before, names) if before is not None and rows else None
    for kept in _telling(rows, answers=asked is not None):
        if run and not _together(run, kept):
            yield _claim(run, passage, at, source)
            run = []
        if asked is not None and before is not None and kept is rows[0] and kept.weight < PLAIN:
            # Says little without what was asked.
            quote = evidence(source, before, asked, asked)
            yield _claim([kept], passage, at, source, asked=asked.words, quote=quote)
            continue
        run.append(kept)
    if run:
        yield _claim(run, passage, at, source)


def _question(before: Passage, names: frozenset[str]) -> Sentence | None:
    """The question with which a message ends, if it is short and says what it is about."""
    rows = sentences(before.text)
    while rows and rows[-1].note:
        rows.pop()
    if not rows or not _ASKS.search(rows[-1].words) or len(rows[-1].words) > ASKED:
        return None
    telling = [word for word in telling_words(rows[-1].words) if word not in names]
    return rows[-1] if telling else None


def _telling(rows: Sequence[_Kept], *, answers: bool) -> Iterator[_Kept]:
    """Yield the sentences that tell something, without what only opens them.

    The one that tells most stands for the message if it tells enough; others have to tell more.
    """
    most = max((row.weight for row in rows), default=0.0)
    if answers and rows and (most < LEAST or rows[0].weight == most) and rows[0].weight >= ANSWER:
        yield rows[0]
        rows = rows[1:]
        most = max(most, LEAST)
    if most < LEAST:
        return
    held: _Kept | None = None
    for row in rows:
        if row.weight < (LEAST if row.weight == most else MORE):
            held = row
            continue
        if held is not None and points_back(row.words) and not held.sentence.note:
            yield held  # what "it" is stands there
        yield row
        held = None


def _weighed(passage: Passage, names: frozenset[str]) -> Iterator[_Kept]:
    """Yield the sentences that are no questions, without their opening, and what they weigh."""
    for sentence in sentences(passage.text):
        words = sentence.words
        if _ASKS.search(words):
            continue
        opening = None if sentence.note else _OPENING.match(words)
        if opening:
            words = words[opening.end() :]
        words = words[:1].upper() + words[1:] if words[:1].isascii() else words
        named = mentions(words, passage.time)
        when = next((each.value for each in named if each.value), "")
        kind = kind_of(words, when=when, personal=True)
        heavy = (
            _note(passage, sentence)
            if sentence.note
            else weight(words, names, day=bool(named), kind=kind)
        )
        yield _Kept(sentence, words, kind, when, heavy)


def _note(passage: Passage, note: Sentence) -> float:
    before = passage.text[max(0, note.start - 160) : note.start]
    return SHOWN if _SHOWS.search(before) else NOTED


def _together(run: Sequence[_Kept], kept: _Kept) -> bool:
    """Whether a sentence belongs to the claim before it: not when it speaks of another day."""
    if kept.when and any(each.when and each.when != kept.when for each in run):
        return False
    return sum(len(each.words) + 1 for each in run) + len(kept.words) <= LONGEST


def _claim(
    run: Sequence[_Kept],
    passage: Passage,
    at: int,
    source: Source,
    *,
    asked: str = "",
    quote: Evidence | None = None,
) -> Found:
    words = " ".join(each.words for each in run)
    who = f'{passage.speaker}, asked "{asked}"' if asked else passage.speaker
    best = max(run, key=lambda each: each.weight)
    when = next((each.when for each in run if each.when), "")
    quotes = [quote] if quote is not None else []
    first = last = run[0].sentence
    for each in run[1:]:
        if passage.text[last.end : each.sentence.start].strip():
            quotes.append(evidence(source, passage, first, last))
            first = each.sentence
        last = each.sentence
    quotes.append(evidence(source, passage, first, last))
    claim = Claim(
        text=f"{who}: {words}" if passage.speaker else words,
        evidence=tuple(quotes),
        subject=passage.speaker,
        kind=best.kind,
        when=agreed(when, passage.text, passage.time),
        speaker=passage.speaker,
        said=passage.time,
    )
    return Found(claim, at, sum(each.weight for each in run))
