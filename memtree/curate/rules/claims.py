"""What a rule keeps of a passage: its own words, with where they stand."""

from __future__ import annotations

from typing import NamedTuple

from memtree.claims.dates import dates_in, fits, relative_spans, span_of
from memtree.knowledge.plan import Claim, Evidence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.curate.rules.sentences import Sentence
    from memtree.knowledge.source import Passage, Source


class Found(NamedTuple):
    """A claim, which passage of its part it is of, and how much it tells."""

    claim: Claim
    at: int
    weight: float


def evidence(source: Source, passage: Passage, first: Sentence, last: Sentence) -> Evidence:
    """The span of a passage from one sentence to another, with the lines on which it stands."""
    text = passage.text
    top, bottom = passage.lines
    if text.count("\n") == bottom - top:  # else a message that was one line of a file
        top += text.count("\n", 0, first.start)
        bottom = top + text.count("\n", first.start, last.end)
    return Evidence(source=source.name, quote=text[first.start : last.end], lines=(top, bottom))


def agreed(when: str, text: str, said: str) -> str:
    """Return the day that a text speaks of if the checks count the same from its words, else ""."""
    span = span_of(when) if when else None
    if span is None:
        return ""
    given = (*dates_in(text)[0], *relative_spans(text, [said] if said else []))
    return when if any(fits(span, each) or fits(each, span) for each in given) else ""
