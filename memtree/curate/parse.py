"""From what a model said to operations and refusals: tolerant of wrapping, strict on meaning.

Fences and prose around the JSON do no harm, and of an answer that was cut off the whole operations
before the cut are kept. What an operation says is another matter: every field is what the schema
asks for, handles are ones that were shown, and the quote stands in the lines that were shown. What
fails becomes a `Refusal` that names the operation, the field and what was expected, so that a model
can do better; it is counted, never repaired by guessing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.curate import schema
from memtree.curate.heard import Fields, hear, shown, unheard
from memtree.curate.schema import ADD, ELSEWHERE, REPLACE, UPDATE, rows_of
from memtree.errors import PathRefused
from memtree.knowledge.path import parse_scope, slug
from memtree.knowledge.plan import (
    KINDS,
    Add,
    Claim,
    Evidence,
    Refusal,
    Replace,
    Supersede,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.curate.schema import Choice, Line, Menu
    from memtree.knowledge.plan import Operation

MAX_ITEMS = 64
"""Operations of one answer that are looked at; the schema allows fewer."""
SURE = 0.7
"""The confidence of every operation of a model: its own number would say nothing."""

TYPES = {"definition": "concept"}
"""The type of an entry whose claims are of a kind; others are called as their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What an answer comes to."""

    operations: tuple[Operation, ...] = ()
    refusals: tuple[Refusal, ...] = ()


# --- what stands in the source


def find_quote(
    quote: str, lines: Sequence[Line], number: int
) -> tuple[Line, tuple[int, int]] | None:
    """The line that a quote belongs to, first the one pointed at, and its lines in the source.

    Case, white space and punctuation may differ; letters and digits may not.
    """
    bare = skeleton(quote)
    if len(bare) < (3 if bare.isascii() else 2):
        return None
    pointed = [line for line in lines if line.number == number]
    pattern = re.compile(r"\s+".join(map(re.escape, quote.split())), re.IGNORECASE)
    seen: set[int] = set()
    for line in (*pointed, *lines):
        if id(line.passage) in seen:
            continue
        seen.add(id(line.passage))
        match = pattern.search(line.passage.text)
        if match is not None:
            return line, rows_of(line.passage, *match.span())
        if bare in skeleton(line.passage.text):
            own = line in pointed and bare in skeleton(line.text)
            return line, line.lines if own else line.passage.lines
    return None


def skeleton(text: str) -> str:
    """Letters and digits alone, compatibility forms and case folded."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


# --- the answer of a model


def parse(text: str, menu: Menu, *, whole: bool = True, confidence: float = SURE) -> Parsed:
    """Operations from an answer to `schema.answer_schema(menu)`; never raises for what it says.

    `whole` is False when the model was cut off at its limit of tokens.
    """
    heard = hear(text, verb="do")
    heard = heard if whole else replace(heard, cut=True)
    refusals = unheard(heard, verb="do")
    gathered = _Gathered(menu, confidence)
    for number, item in enumerate(heard.items[:MAX_ITEMS], start=1):
        where = f"operation {number}"
        if not isinstance(item, dict):
            message = f"{where}: must be an object with the fields of the schema"
            refusals.append(Refusal(code="bad-field", message=message, said=shown(item)))
            continue
        fields = Fields(item, where)
        gathered.take(fields)
        refusals += fields.refusals
    if len(heard.items) > MAX_ITEMS:
        rest = len(heard.items) - MAX_ITEMS
        message = f"{rest} more operations were not read: at most {schema.MAX_OPERATIONS} are asked"
        refusals.append(Refusal(code="too-many", message=message))
    return Parsed(operations=gathered.operations(), refusals=tuple(refusals))


class _Gathered:
    """The statements of one answer, those for one entry together; each is taken once."""

    def __init__(self, menu: Menu, confidence: float) -> None:
        self.menu = menu
        self.confidence = confidence
        self.said: set[str] = set()
        self.ended: set[str] = set()
        self.made: dict[tuple[str, str], Add | Update | Supersede] = {}
        self.shown = " ".join(line.text for line in menu.lines)

    def operations(self) -> tuple[Operation, ...]:
        return tuple(
            spoken(made, self.menu.lines) if isinstance(made, Add) else made
            for made in self.made.values()
        )

    def take(self, fields: Fields) -> None:
        """Read one operation; nothing of it is kept when anything in it is wrong but `when`."""
        offered = [name for name in schema.OPERATIONS if name in self.menu.operations]
        do = fields.choice("do", offered)
        claim = self._claim(fields)
        if not do or claim is None:
            return
        before = len(fields.refusals)
        key = skeleton(claim.text)
        if key in self.said:
            fields.refuse("repeated", "says again what another operation said", claim.text)
        elif do == ADD:
            self._add(fields, claim, before)
        elif do == UPDATE:
            self._update(fields, claim)
        else:
            self._change(fields, claim, do)
        if len(fields.refusals) == before:
            self.said.add(key)

    def _claim(self, fields: Fields) -> Claim | None:
        lines = self.menu.lines
        number = fields.whole("line", lines[0].number, lines[-1].number) if lines else 0
        quote = fields.text("quote", most=schema.QUOTE, least=3)
        kind = fields.choice("kind", KINDS)
        text = fields.text("text", most=schema.TEXT, least=3)
        about = fields.text("about", most=schema.ABOUT, cut=True)
        found = find_quote(quote, lines, number) if quote else None
        if quote and found is None:
            message = f"`quote` must be words copied from line {number}, unchanged"
            fields.refuse("no-evidence", message, quote)
        if fields.refusals or found is None:
            return None
        line, rows = found
        passage = line.passage
        return Claim(
            text=text,
            evidence=(Evidence(source=line.source, quote=quote, lines=rows),),
            subject=about if shares_words(about, f"{self.shown} {passage.heading}") else "",
            kind=kind,
            when=fields.when(f"{passage.heading} {passage.text}", passage.time),
            speaker=passage.speaker,
            said=passage.time,
        )

    def _add(self, fields: Fields, claim: Claim, before: int) -> None:
        place = fields.choice("place", (*self.menu.folders, ELSEWHERE))
        folder = new_folder(fields) if place == ELSEWHERE else place
        title = fields.text("title", most=schema.TITLE, least=1, cut=True)
        if len(fields.refusals) > before:
            return
        if not shares_words(title, f"{self.shown} {claim.evidence[0].quote}"):
            title = claim.subject or claim.text[: schema.TITLE].rpartition(" ")[0] or claim.text
        path = f"{folder}/{slug(title)}"
        made = self.made.get((ADD, path))
        if isinstance(made, Add):
            self.made[ADD, path] = replace(made, claims=(*made.claims, claim))
            return
        self.made[ADD, path] = Add(
            reason="not known yet",
            confidence=self.confidence,
            path=path,
            title=title,
            claims=(claim,),
            type=TYPES.get(claim.kind, claim.kind),
        )

    def _update(self, fields: Fields, claim: Claim) -> None:
        handles = {choice.handle: choice for choice in self.menu.choices}
        handle = fields.choice("entry", list(handles))
        if handle:
            made = self._updated(handles[handle])
            self.made[UPDATE, made.path] = replace(made, claims=(*made.claims, claim))

    def _updated(self, choice: Choice) -> Update:
        made = self.made.get((UPDATE, choice.entry.path))
        if isinstance(made, Update):
            return made
        reason = f"more about {shown(choice.entry.title)}"
        return Update(reason=reason, confidence=self.confidence, path=choice.entry.path)

    def _change(self, fields: Fields, claim: Claim, do: str) -> None:
        owners = {handle: choice for choice in self.menu.choices for handle in choice.facts}
        handle = fields.choice("fact", list(owners))
        if not handle:
            return
        if handle in self.ended:
            fields.refuse("repeated", f"{handle} was changed by another operation", claim.text)
            return
        self.ended.add(handle)
        choice, fact = owners[handle], owners[handle].facts[handle]
        if do == REPLACE:
            made = self._updated(choice)
            swap = Replace(fact=fact, claim=claim)
            self.made[UPDATE, made.path] = replace(made, replaces=(*made.replaces, swap))
            return
        self.made[do, f"{choice.entry.path}^{fact}"] = Supersede(
            reason="the source says otherwise",
            confidence=self.confidence,
            path=choice.entry.path,
            fact=fact,
            claim=claim,
            since=claim.when.partition("/")[0] or claim.said[:10],
        )


def spoken(add: Add, lines: Sequence[Line]) -> Add:
    """With the time, the speaker and the session that all its claims have in common."""
    starts = {(claim.evidence[0].source, claim.evidence[0].lines[0]) for claim in add.claims}
    sessions = {
        line.passage.session
        for line in lines
        if any(
            line.source == source and line.lines[0] <= row <= line.lines[1]
            for source, row in starts
        )
    }
    return replace(
        add,
        time=_common({claim.said for claim in add.claims}),
        speaker=_common({claim.speaker for claim in add.claims}),
        session=_common(sessions),
    )


def _common(found: set[str]) -> str:
    return next(iter(found)) if len(found) == 1 else ""


def join(operations: Iterable[Operation]) -> Parsed:
    """Operations of several answers as one: what goes to one entry together, each thing once."""
    joined: dict[tuple[str, str, str], Operation] = {}
    refusals: list[Refusal] = []
    said: set[str] = set()
    for operation in operations:
        fresh = _fresh(operation, said, refusals)
        if fresh is None:
            continue
        path, fact = getattr(fresh, "path", ""), getattr(fresh, "fact", "")
        key = (type(fresh).__name__, path, fact)
        before = joined.get(key)
        if isinstance(before, Add) and isinstance(fresh, Add):
            fresh = replace(
                before,
                claims=before.claims + fresh.claims,
                time=_common({before.time, fresh.time}),
                speaker=_common({before.speaker, fresh.speaker}),
                session=_common({before.session, fresh.session}),
            )
        elif isinstance(before, Update) and isinstance(fresh, Update):
            facts = {swap.fact for swap in before.replaces}
            swaps = tuple(swap for swap in fresh.replaces if swap.fact not in facts)
            claims = before.claims + fresh.claims
            fresh = replace(before, claims=claims, replaces=before.replaces + swaps)
        elif before is not None:
            message = f"{path} ^{fact} was changed by another operation"
            refusals.append(Refusal(code="repeated", message=message))
            continue
        joined[key] = fresh
    return Parsed(operations=tuple(joined.values()), refusals=tuple(refusals))


def _fresh(operation: Operation, said: set[str], refusals: list[Refusal]) -> Operation | None:
    """The operation without claims that were made before; None when nothing is left."""
    if not isinstance(operation, (Add, Update)):
        return operation
    claims = []
    for claim in operation.claims:
        key = skeleton(claim.text)
        if key in said:
            message = "says again what was said of other lines"
            refusals.append(Refusal(code="repeated", message=message, said=shown(claim.text)))
        else:
            claims.append(claim)
        said.add(key)
    if not claims and not (isinstance(operation, Update) and operation.replaces):
        return None
    return replace(operation, claims=tuple(claims))


def new_folder(fields: Fields) -> str:
    """The folder that a model made up, as names on disk: two or three deep."""
    said = fields.text("folder", most=schema.FOLDER, least=1)
    if not said:
        return ""
    try:
        pieces = parse_scope(said.strip()).split("/")
    except PathRefused as error:
        fields.refuse("bad-path", f"`folder` must be like area/topic: {error.message}", said)
        return ""
    if said.startswith("_") or not pieces[0] or len(pieces) > 3:
        fields.refuse("bad-path", "`folder` must be two or three plain names: area/topic", said)
        return ""
    return "/".join(
        slug(piece, limit=40) for piece in (pieces if pieces[1:] else [*pieces, "notes"])
    )


def shares_words(name: str, shown_text: str) -> bool:
    """Whether half the words of a name stand in what was shown: names are no place to invent."""
    words, there = _stems(name), _stems(shown_text)
    return bool(words) and 2 * len(words & there) >= len(words)


def _stems(text: str) -> set[str]:
    """The beginnings of the words that tell something: long ones, acronyms, other scripts'."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text))
    telling = [word for word in words if len(word) > 3 or not word.isascii() or word.isupper()]
    return {word.casefold()[:4] for word in telling}
