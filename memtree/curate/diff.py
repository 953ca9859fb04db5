"""A plan as a person reads it: what would be said where, for what reason, on what evidence.

Lines with a style each; who prints them cleans them and gives them colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.curate.compose import one_line
from memtree.curate.telling import APPLIED, HELD, NOTHING, REFUSED, kind_of
from memtree.knowledge.anchor import span
from memtree.knowledge.plan import Add, Annotate, Archive, Link, Merge, Move, Supersede, Update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.curate.telling import Told
    from memtree.knowledge.plan import Claim, Operation, Refusal

    Line = tuple[str, str]
    """Style and text."""

HEAD, PLUS, MINUS, NOTE, WARN, BAD = "head", "plus", "minus", "note", "warn", "bad"
"""The styles: an operation, what it says, what no longer holds, why, what waits or is refused."""
_SIGNS = {"add": "+", "update": "~", "supersede": "~", "merge": ">", "move": ">", "archive": "-",
          "link": "~"}  # fmt: skip
_LONGEST_QUOTE = 100
KNOWN = "duplicate"
"""The code of what is known already: it is counted, and bores a reader."""


def lines_of(told: Told) -> Iterator[Line]:
    """The lines that tell of one operation."""
    op = told.operation
    kind = kind_of(op)
    where = told.path or _path(op)
    sure = f"{op.confidence:.2f}"
    if told.outcome == NOTHING:
        return
    if told.outcome == HELD:
        style, sign = WARN, "*"
        what = f"held {told.review}: {kind}" if told.review else f"would wait: {kind}"
    elif told.outcome == REFUSED:
        style, sign, what = BAD, "!", f"refused: {kind}"
    else:
        style, sign, what = HEAD, _SIGNS[kind], kind
    yield style, f"{sign} {what} {where}  ({sure})"
    yield from _body(op, dict(told.old))
    yield NOTE, f"    why: {one_line(op.reason) or 'no reason was given'}"
    if told.risks:
        yield WARN, f"    held for: {', '.join(told.risks)}"
    for refusal in told.refusals:
        if refusal.code != KNOWN:
            yield from refused(refusal)


def refused(refusal: Refusal, indent: str = "    ") -> Iterator[Line]:
    """The line that tells why something was refused."""
    said = f": {_short(refusal.said)}" if refusal.said else ""
    yield BAD, f"{indent}! {refusal.code}: {one_line(refusal.message)}{said}"


def _path(op: Operation) -> str:
    return op.into if isinstance(op, Merge) else op.path


def _body(op: Operation, old: dict[str, str]) -> Iterator[Line]:  # noqa: C901, PLR0912  (a kind has a case)
    match op:
        case Add():
            if op.title:
                yield NOTE, f"    {one_line(op.title)} [{one_line(op.type)}]"
            for claim in op.claims:
                yield PLUS, _claim(claim)
        case Update():
            for drop in op.drops:
                yield MINUS, _fact(drop.fact, old)
                yield NOTE, f"      dropped: {one_line(drop.reason)}"
            for replace in op.replaces:
                yield MINUS, _fact(replace.fact, old)
                yield PLUS, _claim(replace.claim)
            for claim in op.claims:
                yield PLUS, _claim(claim)
        case Supersede():
            if op.fact:
                until = f" (until {op.since})" if op.since else ""
                yield MINUS, _fact(op.fact, old) + until
                if op.claim is not None:
                    yield PLUS, _claim(op.claim)
            else:
                since = f" since {op.since}" if op.since else ""
                yield PLUS, f"  + {op.by} takes its place{since}"
        case Merge():
            for path in op.paths:
                yield MINUS, f"  - {path}"
        case Move():
            yield PLUS, f"  + {op.to}"
        case Link():
            yield PLUS, f"  + {op.rel}: {op.to}"
        case Annotate():
            for key, value in op.keys.items():
                yield (PLUS, f"  + {key}: {value}") if value is not None else (MINUS, f"  - {key}")
        case Archive():
            yield MINUS, "  - a stub stays; memtree restore brings it back"


def _fact(identity: str, old: dict[str, str]) -> str:
    name = identity.removeprefix("^")
    return f"  - {one_line(old.get(name, ''))} ^{name}"


def _claim(claim: Claim) -> str:
    when = f" ({claim.when})" if claim.when and claim.when not in claim.text else ""
    said = f" {claim.speaker}," if claim.speaker else ""
    places = ", ".join(dict.fromkeys(_place(each.source, each.lines) for each in claim.evidence))
    return f"  + {one_line(claim.text)}{when}  <{said.strip()}{' ' * bool(said)}{places}>"


def _place(source: str, lines: tuple[int, int]) -> str:
    name = "stdin" if source == "-" else one_line(source)
    return f"{name}:{span(lines)}" if lines[0] else name


def _short(text: str) -> str:
    text = one_line(text)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"


__all__ = ["APPLIED", "BAD", "HEAD", "MINUS", "NOTE", "PLUS", "WARN", "lines_of", "refused"]
