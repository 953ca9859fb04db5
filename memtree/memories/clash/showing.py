"""Both sides of a disagreement where a question meets one of them: among hits, and in a prompt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.memories.clash.scanning import standing
from memtree.memories.clash.sides import disputes, label, note, touches
from memtree.plugins import Packed, Piece, Ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.claims.statements import Statement
    from memtree.knowledge.query import Query
    from memtree.memories.clash.sides import Dispute
    from memtree.plugins import Context

SHOW, NEWEST, ASK, OFF = "show", "newest", "ask", "off"
WAYS = (SHOW, NEWEST, ASK, OFF)
"""What the option `conflicts` may say."""
LOOKED = 10
"""Hits whose disagreements are looked at."""
RIVALS = 5
"""Rivals that are pulled in for one question."""
_SHORTEST = 4  # letters: less of a claim says nothing


def way_of(ctx: Context) -> str:
    """How disagreements are shown for this question. Raises UsageError for an unknown word."""
    wanted = str(ctx.options.get("conflicts", SHOW)).casefold()
    if wanted not in WAYS:
        raise UsageError(f"'{wanted}' is no way to show conflicts", hint=", ".join(WAYS))
    return wanted


def met(ctx: Context, query: Query, hits: Sequence[Ranked]) -> list[Dispute]:
    """The disagreements that a question meets in its first hits."""
    paths = frozenset(hit.path for hit in hits[:LOOKED])
    # A third that disagrees with a rival belongs to the matter too.
    together = standing(ctx, paths)
    texts = [hit.text for hit in hits[:LOOKED]]
    return [each for each in disputes(together)
            if any(each.side(path) >= 0 for path in paths)
            and touches(each, query.text, texts)]  # fmt: skip


def shown(ctx: Context, query: Query, hits: Sequence[Ranked]) -> Sequence[Ranked]:
    """Hits with their rivals: both sides in view, each with a note, the newest marked."""
    way = way_of(ctx)
    found = met(ctx, query, hits) if way != OFF else []
    kept = list(hits)
    for dispute in found[:RIVALS]:
        kept = _with_rivals(ctx, kept, dispute)
        if way == NEWEST and dispute.newest >= 0:
            kept = _newest_only(ctx, kept, dispute)
        else:
            kept = [_noted(hit, dispute) for hit in kept]
            if way == ASK:
                ctx.note(
                    "the tree disagrees with itself here; which holds? memtree conflicts resolve"
                    f" {dispute.mark} --newest, --accept or --supersede SIDE"
                )
    return kept


def packed(ctx: Context, query: Query, hits: Sequence[Ranked]) -> Packed | None:
    """Both sides of each disagreement first, alike in weight, dated; then the other hits.

    None where nothing disagrees: then whoever else packs may. Which side comes first is left to
    `ctx.random`; entries that repeat a side are counted in its label and not quoted again.
    """
    way = way_of(ctx)
    found = met(ctx, query, hits) if way != OFF else []
    if not found:
        return None
    count = ctx.count
    room = ctx.budget.tokens
    pieces: list[Piece] = []
    for dispute in found:
        order = list(range(len(dispute.sides)))
        ctx.random.shuffle(order)
        if way == NEWEST and dispute.newest >= 0:
            order = [dispute.newest]
        share = max(8, room // 2 // len(order))
        both = [_piece(ctx, dispute, at, share, count) for at in order]
        cost = sum(_cost(each, count) for each in both)
        if cost > room:
            break  # one side alone would be worse than none
        pieces += both
        room -= cost
    if not pieces:
        return None
    spoken = {each.path for dispute in found for side in dispute.sides for each in side}
    for hit in hits:
        piece = Piece(path=hit.path, text=hit.text, lines=hit.lines)
        if hit.path not in spoken and (cost := _cost(piece, count)) <= room:
            pieces.append(piece)
            room -= cost
    return Packed(pieces=tuple(pieces), note=f"disagreements: {len(found)}, each side once, dated")


def lines_of(ctx: Context, each: Statement) -> tuple[int, int]:
    """The line of an entry's file in which a claim begins, twice; (0, 0) when it is not found."""
    view = ctx.tree.get(each.path)
    if view is None:
        return (0, 0)
    mark = f"^{each.fact}"
    for number, line in enumerate(view.body.splitlines()):
        if line.rstrip().endswith(mark) if each.fact else each.text[:40] in line:
            return (view.first + number, view.first + number)
    return (view.first, view.first)


def _with_rivals(ctx: Context, hits: list[Ranked], dispute: Dispute) -> list[Ranked]:
    """Hits with the best-known voice of each side that is not among them, behind the first side."""
    there = {dispute.side(hit.path) for hit in hits}
    first = next(at for at, hit in enumerate(hits) if dispute.side(hit.path) >= 0)
    added = []
    for at, side in enumerate(dispute.sides):
        if at not in there:
            each = side[0]
            added.append(
                Ranked(path=each.path, score=hits[first].score * 0.999, text=each.text,
                       lines=lines_of(ctx, each), why=f"disagrees with {hits[first].path}")
            )  # fmt: skip
    return [*hits[: first + 1], *added, *hits[first + 1 :]]


def _newest_only(ctx: Context, hits: list[Ranked], dispute: Dispute) -> list[Ranked]:
    """Hits without those of older sides; what was left out is said."""
    kept, left = [], []
    best = max(hit.score for hit in hits if dispute.side(hit.path) >= 0)
    place = next(at for at, hit in enumerate(hits) if dispute.side(hit.path) >= 0)
    for hit in hits:
        side = dispute.side(hit.path)
        if side >= 0 and side != dispute.newest:
            left.append(hit.path)
        elif side == dispute.newest and hit.score < best:
            kept.append(replace(_noted(hit, dispute), score=best))
        else:
            kept.append(_noted(hit, dispute))
    top = [hit for hit in kept if dispute.side(hit.path) == dispute.newest]
    rest = [hit for hit in kept if dispute.side(hit.path) != dispute.newest]
    if left:
        ctx.note(f"older, and left out: {', '.join(dict.fromkeys(left))} [{dispute.mark}]")
    return [*rest[:place], *top, *rest[place:]]


def _noted(hit: Ranked, dispute: Dispute) -> Ranked:
    if dispute.side(hit.path) < 0:
        return hit
    said = note(dispute, hit.path)
    return replace(hit, note=f"{hit.note}; {said}" if hit.note and said not in hit.note else said)


def _piece(
    ctx: Context, dispute: Dispute, at: int, tokens: int, count: Callable[[str], int]
) -> Piece:
    """A side's newest claim, no longer than its share."""
    each = dispute.sides[at][0]
    text = each.text
    while count(text) > tokens and len(text) > _SHORTEST:
        text = text[: len(text) * 3 // 4].rstrip()
    text = text if text == each.text else f"{text}…"
    return Piece(path=each.path, text=text, lines=lines_of(ctx, each), label=label(dispute, at))


def _cost(piece: Piece, count: Callable[[str], int]) -> int:
    return count(piece.text) + (count(piece.label) if piece.label else 0)
