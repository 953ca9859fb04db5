"""Hits into a budget: of passages that don't fit, the least surprising sentences go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.memories.sir.keeping import Unit, kept, units_of
from memtree.plugins.api import Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.plugins.api import Ranked

    Told = Sequence[tuple[int, int, float]]
    Count = Callable[[str], int]


def whole(hits: Sequence[Ranked]) -> list[Piece]:
    """Hits as pieces, as they are."""
    return [Piece(path=hit.path, text=hit.text, lines=hit.lines) for hit in hits]


def size_of(pieces: Sequence[Piece], count: Count) -> int:
    """Tokens of pieces as the host counts them."""
    return sum(count(piece.text) for piece in pieces)


def compressed(
    hits: Sequence[Ranked], told: Sequence[Told], *, room: int, level: str, count: Count
) -> list[Piece]:
    """Pieces of at most `room` tokens together; what is kept stands in its order.

    `told` are the surprisals of each hit's text. What is left of a hit becomes a piece for each run
    of lines, so that lines stay those of the file. Nothing changes if all fits.
    """
    if size_of(whole(hits), count) <= room:
        return whole(hits)
    all_units: list[Unit] = []
    owner: list[int] = []
    for number, (hit, values) in enumerate(zip(hits, told, strict=True)):
        for unit in units_of(hit.text, values, level):
            all_units.append(replace(unit, start=unit.start))
            owner.append(number)
    place = {id(unit): number for unit, number in zip(all_units, owner, strict=True)}
    left = kept(all_units, room, count)
    while True:
        pieces = [
            piece
            for number, hit in enumerate(hits)
            for piece in _pieces(hit, [unit for unit in left if place[id(unit)] == number])
        ]
        if not left or size_of(pieces, count) <= room:
            return pieces
        # A model's tokens of a text may be more than those of its parts, by a few.
        least = min(range(len(left)), key=lambda at: (left[at].sink, left[at].surprisal, at))
        del left[least]


def _pieces(hit: Ranked, units: Sequence[Unit]) -> list[Piece]:
    """What is left of one hit, a piece for each run of lines."""
    runs: list[tuple[int, int, str]] = []
    for unit in units:
        first = hit.text.count("\n", 0, unit.start)
        last = first + unit.text.rstrip("\n").count("\n")
        if runs and first <= runs[-1][1] + 1:
            begin, _, text = runs[-1]
            runs[-1] = (begin, max(last, runs[-1][1]), text + unit.text)
        else:
            runs.append((first, last, unit.text))
    base = hit.lines[0]
    return [
        Piece(path=hit.path, text=text.rstrip("\n"),
              lines=(base + first, base + last) if base else (0, 0))
        for first, last, text in runs
        if text.strip()
    ]  # fmt: skip
