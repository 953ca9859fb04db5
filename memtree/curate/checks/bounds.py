"""What a model may say at most: lengths, counts, and numbers that are numbers.

Text of a model is one line each, without control characters, without marks that reorder or hide
what is read, and without anything that markdown would take for a comment. What was cut is counted.
"""

from __future__ import annotations

import math
import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

from memtree.claims.dates import span_of
from memtree.knowledge.path import slug
from memtree.knowledge.plan import KINDS, Add, Evidence, Link, Refusal, Supersede, Update
from memtree.safety.hidden import unhidden
from memtree.safety.secrets import redact

if TYPE_CHECKING:
    from memtree.knowledge.plan import Claim, Operation

MAX_OPERATIONS = 512
"""Of one part; a part has a few thousand characters."""
MAX_CLAIMS = 512
"""Of one operation."""
TEXT, TITLE, REASON, SHORT, TAGS = 1000, 160, 400, 80, 12
"""Most characters of a claim, a title, a reason, other short text; most tags."""

_BLOCK_ID = re.compile(r"(?:\s+\^[A-Za-z0-9-]+)+\s*$")
_MARKUP = re.compile(r"<!--|-->|<!\[CDATA\[|\[\^[^\]]*\]")
_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
_LEAD = re.compile(r"^(?:\s*(?:[-*+>#|]+|\d{1,3}[.)])\s+)+")


def line(text: object, limit: int) -> str:
    """One line of at most `limit` characters that shows all that it holds, secrets taken out."""
    plain = unhidden(_ESCAPE.sub("", str(text)[: 4 * limit + 1000]))
    plain, _ = redact(plain)
    return " ".join(plain.split())[:limit].rstrip()


def statement(text: object) -> str:
    """A claim's words: a line that begins and ends with words, not with marks of a list."""
    plain = _MARKUP.sub(" ", line(text, TEXT + 1))
    return _LEAD.sub("", _BLOCK_ID.sub("", plain)).strip()


def sure(value: object) -> tuple[float, Refusal | None]:
    """A confidence from 0 to 1, and what was wrong with the one that was given."""
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
    if math.isnan(number):
        return 0.0, Refusal(code="bad-confidence", message="confidence is a number from 0 to 1")
    if not 0.0 <= number <= 1.0:
        kept = min(max(float(number), 0.0), 1.0)
        return kept, Refusal(code="bad-confidence", message="confidence is a number from 0 to 1")
    return float(number), None


def bounded(claim: Claim) -> tuple[Claim | None, Refusal | None]:
    """The claim within its bounds; None when nothing or too much is said."""
    text = statement(claim.text)
    if not text:
        message = "this claim says nothing"
        return None, Refusal(code="empty", message=message, said=str(claim.text)[:40])
    if len(text) > TEXT:
        message = f"a claim has at most {TEXT} characters: one statement each"
        return None, Refusal(code="too-long", message=message, said=text[:80])
    when = line(claim.when, 50)
    kept = replace(
        claim,
        text=text,
        subject=line(claim.subject, SHORT),
        kind=claim.kind if claim.kind in KINDS else "fact",
        when=when if span_of(when) is not None else "",
        speaker=line(claim.speaker, SHORT),
        said=line(claim.said, 50) if span_of(str(claim.said)) is not None else "",
        evidence=tuple(_evidence(each) for each in claim.evidence[:64]),
    )
    if when and not kept.when:
        message = "`when` is a date: 2024, 2024-05, 2024-05-07 or a/b; it was left out"
        return kept, Refusal(code="bad-date", message=message, said=when[:40])
    return kept, None


def _evidence(given: Evidence) -> Evidence:
    lines = given.lines
    good = (
        isinstance(lines, tuple)
        and len(lines) == 2
        and all(isinstance(each, int) and 0 <= each < 2**31 for each in lines)
    )
    return Evidence(
        source=line(given.source, 1000),
        quote=str(given.quote)[:4000],
        lines=lines if good else (0, 0),
    )


def trimmed(operation: Operation) -> tuple[Operation, tuple[Refusal, ...]]:
    """The operation with its own words within bounds; claims are bounded one by one, later."""
    confidence, wrong = sure(operation.confidence)
    refusals = [wrong] if wrong is not None else []
    kept = replace(operation, reason=line(operation.reason, REASON), confidence=confidence)
    if isinstance(kept, Add):
        tags = dict.fromkeys(slug(line(tag, SHORT), limit=40) for tag in kept.tags[:TAGS] if tag)
        kept = replace(
            kept,
            title=statement(kept.title)[:TITLE],
            type=line(kept.type, 40) or "fact",
            tags=tuple(tags),
            description=statement(kept.description)[:TEXT],
        )
    elif isinstance(kept, Link):
        kept = replace(kept, rel=slug(line(kept.rel, SHORT) or "related", limit=40))
    elif isinstance(kept, Supersede):
        since = line(kept.since, 50)
        kept = replace(kept, since=since if span_of(since) is not None else "")
    if isinstance(kept, (Add, Update)) and len(kept.claims) > MAX_CLAIMS:
        message = f"an operation has at most {MAX_CLAIMS} claims"
        refusals.append(Refusal(code="too-many", message=message, said=str(len(kept.claims))))
        kept = replace(kept, claims=kept.claims[:MAX_CLAIMS])
    return kept, tuple(refusals)


def harmless(operation: Operation) -> Operation:
    """The operation as it may be shown and kept in a report: each text a line, no secrets."""
    changes: dict[str, Any] = {}
    for field in fields(operation):
        changes[field.name] = _harmless(getattr(operation, field.name))
    return replace(operation, **changes)


def _harmless(value: object) -> object:
    if isinstance(value, str):
        return line(value, TEXT)
    if isinstance(value, tuple):
        return tuple(_harmless(each) for each in value[:MAX_CLAIMS])
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _harmless(getattr(value, f.name)) for f in fields(value)})
    return value
