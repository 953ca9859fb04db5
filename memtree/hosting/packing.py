"""What a model will read for a question: passages in an order, within a budget, by a packer or not.

The budget is the host's: a packer that gives more loses its last pieces, and that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.hosting.context import letters
from memtree.knowledge.query import Query
from memtree.plugins.api import Packed, Piece, Ranked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.hosting.host import Host, Player

HITS = 20
"""Entries that a packer chooses from, unless the question says another limit."""


def packed_for(
    host: Host, query: Query, players: Sequence[Player], *, tokens: int
) -> tuple[list[Piece], list[str]]:
    """The pieces for a question, and what there is to say of them."""
    asked = Query(
        query.text, scope=query.scope, limit=max(query.limit, HITS), plugins=query.plugins,
        options=query.options,
    )  # fmt: skip
    answer = host.tree.search(asked)
    hits = [
        Ranked(path=hit.path, score=hit.score, why=hit.why, lines=hit.lines,
               text=_passage(host, hit.path, hit.lines) or hit.snippet)
        for hit in answer.hits
    ]  # fmt: skip
    pieces, notes = pack(host, query, hits, players, tokens=tokens)
    return pieces, [*answer.notes, *notes]


def pack(
    host: Host, query: Query, hits: Sequence[Ranked], players: Sequence[Player], *, tokens: int
) -> tuple[list[Piece], list[str]]:
    """Hits as pieces: by the first player with a packer that answers, else in their order."""
    notes: list[str] = []
    packers = [one for one in players if one.loaded.has("pack")]
    # Who was asked to pack comes first, then who was asked by name, then who is enabled.
    packers.sort(key=lambda one: (not one.context.options.get("pack"), not one.named))
    for player in host.ready(packers):
        player.context.budget.tokens = tokens
        packed = host.ask(player, "pack", query, tuple(hits))
        notes += player.context.notes
        if isinstance(packed, Packed) and all(isinstance(one, Piece) for one in packed.pieces):
            pieces, cut = within(packed.pieces, tokens, player.context.count)
            notes.append(f"packed by {player.by}" + (f": {packed.note}" if packed.note else ""))
            if cut:
                notes.append(
                    f"{player.name} packed more than {tokens} tokens: {cut} pieces left out"
                )
            return pieces, notes
    plain = [Piece(path=hit.path, text=hit.text, lines=hit.lines) for hit in hits]
    count = players[0].context.count if players else letters
    pieces, _ = within(plain, tokens, count)
    return pieces, notes


def within(
    pieces: Sequence[Piece], tokens: int, count: Callable[[str], int]
) -> tuple[list[Piece], int]:
    """As many of the first pieces as fit, and how many do not."""
    kept: list[Piece] = []
    left = tokens
    for place, piece in enumerate(pieces):
        left -= count(piece.text) + (count(piece.label) if piece.label else 0)
        if left < 0:
            return kept, len(pieces) - place
        kept.append(piece)
    return kept, 0


def _passage(host: Host, path: str, lines: tuple[int, int]) -> str:
    """The whole passage around the lines of a hit."""
    engine = host.tree.held()
    row = engine.catalog.by_path(path)
    if row is None:
        return ""
    for found in engine.full_text.of([row.number]):
        if found.first <= lines[0] <= found.last:
            return engine.full_text.text(found)
    return ""
