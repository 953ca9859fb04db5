"""What is to be written against what the tree says already, about the same thing.

An operation whose claim contradicts a standing one is rejected, with the rival named; or, by the
option `guard`, let through without that claim, which is kept to be decided (`hold`); or turned into
a replacement of the older claim where it says that things have changed (`supersede`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.claims.contradictions import is_newer, says_change
from memtree.claims.pairing import between
from memtree.claims.statements import Statement, newer
from memtree.claims.wording import wording
from memtree.errors import UsageError
from memtree.knowledge.plan import Add, Claim, Supersede, Update
from memtree.memories.clash.book import read_page
from memtree.plugins import REJECT, REPLACE, Ruling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.claims.pairing import Clash
    from memtree.knowledge.plan import Operation
    from memtree.plugins import Context

REJECTS, HOLDS, SUPERSEDES, OFF = "reject", "hold", "supersede", "off"
WAYS = (REJECTS, HOLDS, SUPERSEDES, OFF)
"""What the option `guard` may say."""
HELD = "held.jsonl"
NEIGHBOURS = 8
"""Entries of the tree that a new claim is compared with: those that share its words best."""
_KEPT = 1_000  # held claims


@dataclass(frozen=True, slots=True)
class Against:
    """A new claim, and the standing one that it contradicts."""

    claim: Claim
    clash: Clash

    @property
    def rival(self) -> Statement:
        """The one that stands."""
        return self.clash.other

    @property
    def reason(self) -> str:
        """For whoever proposed it."""
        return (
            f"'{self.claim.text[:120]}' contradicts {self.rival.name}"
            f" ({self.rival.at[:10] or 'undated'}): '{self.rival.text[:120]}'"
            f" ({self.clash.reason})"
        )


def rulings(operations: Sequence[Operation], ctx: Context) -> list[Ruling]:
    """A ruling for each operation that says what the tree contradicts; none for the others."""
    way = str(ctx.options.get("guard", REJECTS)).casefold()
    if way not in WAYS:
        raise UsageError(f"'{way}' is nothing that the guard can do", hint=", ".join(WAYS))
    if way == OFF:
        return []
    found = []
    for operation in operations:
        against = list(contradicted(operation, ctx))
        if against:
            found.append(_ruling(operation, against, way, ctx))
    return found


def contradicted(operation: Operation, ctx: Context) -> Iterator[Against]:
    """The claims of an operation that standing ones of the tree contradict.

    What the operation itself replaces or drops is no rival, and a claim that the tree makes already
    is not new.
    """
    taken = _taken(operation)
    title = operation.title if isinstance(operation, Add) else ""
    for claim in _claims(operation):
        path = getattr(operation, "path", "")
        stated = Statement(
            path=path, by=path, text=claim.text, title=title or claim.subject,
            at=claim.said or getattr(operation, "time", ""), event=claim.kind == "event",
        )  # fmt: skip
        standing = [
            each for each in _neighbours(ctx, claim, path)
            if each.stands(ctx.now) and (each.path, each.fact) not in taken
            and (each.path, "") not in taken
        ]  # fmt: skip
        key = wording(claim.text).key
        if any(wording(each.text).key == key for each in standing):
            continue
        if not stated.title:
            stated = replace(stated, title=_title(ctx, path))
        for each in standing:
            clash = between(stated, each)
            if clash is not None:
                yield Against(claim, clash)
                break


def held(ctx: Context) -> list[dict[str, object]]:
    """The claims that were kept back: {path, claim, against, says, reason, at}."""
    return ctx.sidecar.read(HELD)[:_KEPT]


def _ruling(operation: Operation, against: list[Against], way: str, ctx: Context) -> Ruling:
    first = against[0]
    better = _instead(operation, first) if len(_claims(operation)) == 1 else None
    if way == SUPERSEDES and better is not None:
        return Ruling(operation=operation, ruling=REPLACE, instead=better, reason=first.reason)
    if way == HOLDS:
        _hold(ctx, operation, against)
        if rest := _without(operation, [each.claim for each in against]):
            ctx.note(f"held: {first.reason}")
            return Ruling(operation=operation, ruling=REPLACE, instead=rest, reason=first.reason)
        return Ruling(operation=operation, ruling=REJECT, reason=f"held: {first.reason}")
    more = f" (and {len(against) - 1} more)" if len(against) > 1 else ""
    return Ruling(operation=operation, ruling=REJECT, reason=first.reason + more)


def _instead(operation: Operation, against: Against) -> Operation | None:
    """The claim in the place of the older one, if it says so or is dated later."""
    rival, claim = against.rival, against.claim
    said = against.clash.one
    told = says_change(claim.text) and (not rival.at or not said.at or is_newer(said.at, rival.at))
    if not rival.fact or not (told or newer(said, rival) is said):
        return None
    return Supersede(
        reason=f"newer than {rival.name}: {operation.reason}"[:400], path=rival.path,
        confidence=operation.confidence, fact=rival.fact, claim=claim, since=said.at[:10],
    )  # fmt: skip


def _without(operation: Operation, claims: Sequence[Claim]) -> Operation | None:
    """An operation without some of its claims; None when nothing would be left of it."""
    if isinstance(operation, Add):
        kept = tuple(each for each in operation.claims if each not in claims)
        return replace(operation, claims=kept) if kept or operation.prose else None
    if isinstance(operation, Update):
        kept = tuple(each for each in operation.claims if each not in claims)
        changes = tuple(each for each in operation.replaces if each.claim not in claims)
        if kept or changes or operation.drops:
            return replace(operation, claims=kept, replaces=changes)
    return None


def _hold(ctx: Context, operation: Operation, against: Sequence[Against]) -> None:
    """Keep claims for a person to decide; the same one is kept once."""
    kept = held(ctx)
    known = {(each.get("path"), each.get("claim")) for each in kept}
    path = str(getattr(operation, "path", ""))
    for each in against:
        if (path, each.claim.text) not in known:
            kept.append({
                "path": path, "claim": each.claim.text, "against": each.rival.key,
                "says": each.rival.text, "reason": each.clash.reason, "at": ctx.now,
            })  # fmt: skip
    ctx.sidecar.write(HELD, kept[-_KEPT:])


def _claims(operation: Operation) -> tuple[Claim, ...]:
    if isinstance(operation, Add):
        return operation.claims
    if isinstance(operation, Update):
        return (*operation.claims, *(each.claim for each in operation.replaces))
    if isinstance(operation, Supersede) and operation.claim is not None:
        return (operation.claim,)
    return ()


def _taken(operation: Operation) -> set[tuple[str, str]]:
    """The (path, fact) that an operation takes away; fact "" for a whole entry."""
    if isinstance(operation, Supersede):
        return {(operation.path, operation.fact)}
    if isinstance(operation, Update):
        gone = {each.fact for each in operation.replaces}
        gone |= {each.fact for each in operation.drops}
        return {(operation.path, fact) for fact in gone}
    return set()


def _neighbours(ctx: Context, claim: Claim, path: str) -> list[Statement]:
    """The claims of the entries that share a claim's words, and of the one that it goes to."""
    paths = [path, *(hit.path for hit in ctx.search.full_text(claim.text, limit=NEIGHBOURS))]
    found: list[Statement] = []
    for each in dict.fromkeys(paths):
        page = read_page(ctx, each) if each else None
        found += page.statements if page else ()
    return found


def _title(ctx: Context, path: str) -> str:
    ref = ctx.tree.ref(path) or ctx.tree.ref(f"{path}.md")
    return ref.title if ref is not None else ""
