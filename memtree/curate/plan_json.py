"""A plan as JSON: its objects read as operations, and operations written as such objects.

A field that the plan's language does not have refuses its operation, because a misspelled `drops`
must not be passed over. A claim that fails is taken out alone, and said.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, assert_never

from memtree.curate.heard import Fields
from memtree.curate.parse import TYPES, find_quote, spoken
from memtree.errors import PathRefused
from memtree.knowledge.path import parse_path
from memtree.knowledge.plan import (
    KINDS,
    Add,
    Annotate,
    Archive,
    Claim,
    Drop,
    Evidence,
    Link,
    Merge,
    Move,
    Replace,
    Supersede,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.curate.schema import Line
    from memtree.knowledge.plan import Operation

TEXT, QUOTE, SHORT, NAME, WHEN = 1000, 2000, 200, 60, 21
"""Most characters of each field; a path is bounded by what a path may be."""
FEW, MANY = 20, 50
"""Most items of a list of words, and of one of claims or facts."""
COMMON = ("op", "reason", "confidence")


class PlanReader:
    """Operations from objects, for one source in numbered lines."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines
        self.kinds: dict[str, tuple[tuple[str, ...], Callable[[Fields], Operation | None]]] = {
            "add": (("path", "title", "claims", "type", "tags", "description"), self._add),
            "update": (("path", "claims", "replaces", "drops"), self._update),
            "supersede": (("path", "fact", "claim", "by", "since"), self._supersede),
            "merge": (("paths", "into"), self._merge),
            "move": (("path", "to"), self._move),
            "archive": (("path",), self._archive),
            "link": (("path", "to", "rel"), self._link),
        }

    def operation(self, fields: Fields) -> Operation | None:
        """The operation that the fields say; None when it is refused, and why in the fields."""
        name = fields.choice("op", list(self.kinds))
        if not name:
            return None
        names, read = self.kinds[name]
        fields.only((*COMMON, *names))
        fields.text("reason", most=SHORT)
        confidence(fields)
        return None if fields.refusals else read(fields)

    def _add(self, fields: Fields) -> Operation | None:
        path, title = a_path(fields, "path"), fields.text("title", most=SHORT, least=1)
        kind = fields.text("type", most=NAME)
        description = fields.text("description", most=SHORT)
        tags = tuple(tag for tag in words(fields, "tags") if tag)
        if fields.refusals:
            return None
        claims = self._claims(fields)
        if not claims:
            fields.refuse("bad-field", "`claims` must hold at least one claim that has evidence")
            return None
        made = Add(
            reason=fields.text("reason", most=SHORT),
            confidence=confidence(fields),
            path=path,
            title=title,
            claims=claims,
            type=kind or TYPES.get(claims[0].kind, claims[0].kind),
            tags=tags,
            description=description,
        )
        return spoken(made, self.lines)

    def _update(self, fields: Fields) -> Operation | None:
        path = a_path(fields, "path")
        if fields.refusals:
            return None
        claims = self._claims(fields)
        replaces, drops = [], []
        for inner in inside(fields, "replaces", only=("fact", "claim")):
            fact = inner.text("fact", most=NAME, least=1)
            claim = next(self._claim_under(inner), None)
            if claim is not None and not inner.refusals:
                replaces.append(Replace(fact=fact, claim=claim))
        for inner in inside(fields, "drops", only=("fact", "reason")):
            fact = inner.text("fact", most=NAME, least=1)
            reason = inner.text("reason", most=SHORT, least=1)
            if not inner.refusals:
                drops.append(Drop(fact=fact, reason=reason))
        if not (claims or replaces or drops):
            fields.refuse("bad-field", "nothing is left of `claims`, `replaces` and `drops`")
            return None
        return Update(
            reason=fields.text("reason", most=SHORT),
            confidence=confidence(fields),
            path=path,
            claims=claims,
            replaces=tuple(replaces),
            drops=tuple(drops),
        )

    def _supersede(self, fields: Fields) -> Operation | None:
        path, fact = a_path(fields, "path"), fields.text("fact", most=NAME)
        by = a_path(fields, "by") if "by" in fields.item else ""
        since = fields.day("since")
        claim = next(self._claim_under(fields), None) if "claim" in fields.item else None
        if not fields.refusals and bool(fact) != (claim is not None):
            fields.refuse("bad-field", "`fact` and `claim` belong together")
        if not fields.refusals and bool(fact) == bool(by):
            fields.refuse("bad-field", "give either `fact` and `claim`, or `by`")
        if fields.refusals:
            return None
        reason, sure = fields.text("reason", most=SHORT), confidence(fields)
        return Supersede(
            reason=reason, confidence=sure, path=path, fact=fact, claim=claim, by=by, since=since
        )

    def _merge(self, fields: Fields) -> Operation | None:
        into = a_path(fields, "into")
        paths = [
            a_path(Fields({"path": path}, f"{fields.where}, paths", into=fields.refusals), "path")
            for path in words(fields, "paths")
        ]
        if not paths:
            fields.refuse("bad-field", "`paths` must hold at least one path")
        reason, sure = fields.text("reason", most=SHORT), confidence(fields)
        made = Merge(reason=reason, confidence=sure, paths=tuple(paths), into=into)
        return None if fields.refusals else made

    def _move(self, fields: Fields) -> Operation | None:
        path, to = a_path(fields, "path"), a_path(fields, "to")
        reason, sure = fields.text("reason", most=SHORT), confidence(fields)
        made = Move(reason=reason, confidence=sure, path=path, to=to)
        return None if fields.refusals else made

    def _archive(self, fields: Fields) -> Operation | None:
        path = a_path(fields, "path")
        reason, sure = fields.text("reason", most=SHORT), confidence(fields)
        return None if fields.refusals else Archive(reason=reason, confidence=sure, path=path)

    def _link(self, fields: Fields) -> Operation | None:
        path, to = a_path(fields, "path"), a_path(fields, "to")
        rel = fields.text("rel", most=NAME) or "related"
        reason, sure = fields.text("reason", most=SHORT), confidence(fields)
        made = Link(reason=reason, confidence=sure, path=path, to=to, rel=rel)
        return None if fields.refusals else made

    # --- claims

    def _claims(self, fields: Fields) -> tuple[Claim, ...]:
        found: list[Claim] = []
        for inner in inside(fields, "claims", only=CLAIM):
            claim = self._claim(inner)
            if claim is not None and claim not in found:
                found.append(claim)
        return tuple(found)

    def _claim_under(self, fields: Fields) -> Iterator[Claim]:
        """The claim in the field `claim`: one, or none when it is refused."""
        value = fields.item.get("claim")
        where = f"{fields.where}, claim"
        inner = Fields(value if isinstance(value, dict) else {}, where, into=fields.refusals)
        inner.only(CLAIM)
        claim = self._claim(inner)
        if claim is not None:
            yield claim

    def _claim(self, fields: Fields) -> Claim | None:
        before = len(fields.refusals)
        text = fields.text("text", most=TEXT, least=3)
        kind = fields.choice("kind", KINDS) if "kind" in fields.item else "fact"
        subject = fields.text("about", most=SHORT)
        found = [self._evidence(inner) for inner in inside(fields, "evidence", only=EVIDENCE)]
        told = [line_and_evidence for line_and_evidence in found if line_and_evidence]
        if not told and len(fields.refusals) == before:
            fields.refuse("no-evidence", "`evidence` must be a list of {line, quote}")
        if len(fields.refusals) > before:
            return None
        passages = [line.passage for line, _ in told]
        given = " ".join(f"{passage.heading} {passage.text}" for passage in passages)
        return Claim(
            text=text,
            evidence=tuple(evidence for _, evidence in told),
            subject=subject,
            kind=kind,
            when=fields.when(given, passages[0].time),
            speaker=passages[0].speaker,
            said=passages[0].time,
        )

    def _evidence(self, fields: Fields) -> tuple[Line, Evidence] | None:
        before = len(fields.refusals)
        quote = fields.text("quote", most=QUOTE, least=3)
        number = fields.whole("line", 0, len(self.lines)) if "line" in fields.item else 0
        if len(fields.refusals) > before:
            return None
        found = find_quote(quote, self.lines, number)
        if found is None:
            message = "`quote` must be words copied from the source, unchanged"
            fields.refuse("no-evidence", message, quote)
            return None
        line, rows = found
        return line, Evidence(source=line.source, quote=quote, lines=rows)


CLAIM = ("text", "kind", "evidence", "about", "when")
EVIDENCE = ("line", "quote")


def a_path(fields: Fields, name: str) -> str:
    """The path of an entry, in NFC; "" when it is refused."""
    value = fields.item.get(name)
    if not isinstance(value, str):
        fields.refuse("bad-field", f"`{name}` must be a path like area/topic/name", value)
        return ""
    try:
        parse_path(value)
    except (PathRefused, UnicodeError) as error:
        fields.refuse("bad-path", f"`{name}`: {error}", value)
        return ""
    return unicodedata.normalize("NFC", value)


def confidence(fields: Fields) -> float:
    """The number in `confidence`, 0.5 when there is none."""
    value = fields.item.get("confidence", 0.5)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    fields.refuse("bad-field", "`confidence` must be a number from 0 to 1", value)
    return 0.0


def words(fields: Fields, name: str) -> list[str]:
    """The texts of a list, which may be missing."""
    value = fields.item.get(name, [])
    if isinstance(value, list) and len(value) <= FEW:
        texts = [Fields({name: one}, fields.where, into=fields.refusals) for one in value]
        return [text.text(name, most=TEXT, least=1) for text in texts]
    fields.refuse("bad-field", f"`{name}` must be a list of at most {FEW} texts", value)
    return []


def inside(fields: Fields, name: str, *, only: tuple[str, ...]) -> Iterator[Fields]:
    """The objects of a list, which may be missing, each to be read; what is wrong is said."""
    value = fields.item.get(name, [])
    if not isinstance(value, list) or len(value) > MANY:
        fields.refuse("bad-field", f"`{name}` must be a list of at most {MANY} objects", value)
        return
    for number, item in enumerate(value, start=1):
        where = f"{fields.where}, {name} {number}"
        if not isinstance(item, dict):
            fields.refuse("bad-field", f"{name} {number} must be an object", item)
            continue
        inner = Fields(item, where)
        inner.only(only)
        if not inner.refusals:
            yield inner
        fields.refusals += inner.refusals


# --- the way back


def written(operation: Operation, lines: Sequence[Line]) -> dict[str, object]:
    """An operation as an object of a plan: reading it gives the same operation."""
    said: dict[str, object]
    match operation:
        case Add():
            said = {"op": "add", "path": operation.path, "title": operation.title}
            said |= {"type": operation.type, "tags": list(operation.tags)}
            said |= {"description": operation.description}
            said["claims"] = [_claim(claim, lines) for claim in operation.claims]
        case Update():
            said = {"op": "update", "path": operation.path}
            said["claims"] = [_claim(claim, lines) for claim in operation.claims]
            said["replaces"] = [
                {"fact": swap.fact, "claim": _claim(swap.claim, lines)}
                for swap in operation.replaces
            ]
            said["drops"] = [{"fact": drop.fact, "reason": drop.reason} for drop in operation.drops]
        case Supersede():
            said = {"op": "supersede", "path": operation.path, "fact": operation.fact}
            said |= {"claim": _claim(operation.claim, lines)} if operation.claim else {}
            said |= {"by": operation.by} if operation.by else {}
            said |= {"since": operation.since}
        case Merge():
            said = {"op": "merge", "paths": list(operation.paths), "into": operation.into}
        case Move():
            said = {"op": "move", "path": operation.path, "to": operation.to}
        case Archive():
            said = {"op": "archive", "path": operation.path}
        case Link():
            said = {"op": "link", "path": operation.path}
            said |= {"to": operation.to, "rel": operation.rel}
        case Annotate():
            said = {"op": "annotate", "path": operation.path, "keys": dict(operation.keys)}
        case _:
            assert_never(operation)
    return said | {"reason": operation.reason, "confidence": operation.confidence}


def _claim(claim: Claim, lines: Sequence[Line]) -> dict[str, object]:
    evidence = []
    for piece in claim.evidence:
        number = next((line.number for line in lines if _within(piece, line)), 0)
        evidence.append({"line": number, "quote": piece.quote})
    said: dict[str, object] = {"text": claim.text, "kind": claim.kind, "evidence": evidence}
    return said | {"about": claim.subject, "when": claim.when}


def _within(piece: Evidence, line: Line) -> bool:
    first, last = line.lines
    return line.source == piece.source and first <= piece.lines[0] <= last
