"""Hits into a budget: of passages that don't fit, the least surprising sentences go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.memories.sir.keeping import Unit, units_of
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
    hits: Sequence[Ranked], told: Sequence[Told], *, room: int, level: str, count: Count,
    fade: float = 1.0,
) -> list[Piece]:  # fmt: skip
    """Pieces of at most `room` tokens together; what is kept stands in its order.

    `told` are the surprisals of each hit's text, best hit first; from rank to rank they count
    `fade` times less, as the paper lets what was heard longer ago decay. What is left of a hit
    becomes a piece for each run of lines, so that lines stay those of the file. Nothing changes if
    all fits.
    """
    if size_of(whole(hits), count) <= room:
        return whole(hits)
    units: list[tuple[int, Unit]] = []
    for rank, (hit, values) in enumerate(zip(hits, told, strict=True)):
        units += [(rank, replace(unit, surprisal=unit.surprisal * fade**rank))
                  for unit in units_of(hit.text, values, level)]  # fmt: skip
    left = _chosen(units, room, count)
    while True:
        pieces = [
            piece
            for number, hit in enumerate(hits)
            for piece in _pieces(hit, [unit for rank, unit in left if rank == number])
        ]
        if not left or size_of(pieces, count) <= room:
            return pieces
        # A model's tokens of a text may be more than those of its parts, by a few.
        least = min(range(len(left)), key=lambda at: (left[at][1].sink, left[at][1].surprisal, at))
        del left[least]


def _chosen(units: Sequence[tuple[int, Unit]], room: int, count: Count) -> list[tuple[int, Unit]]:
    """What stays: the most surprising, each hit's first line with the first that is kept of it.

    So a hit of which nothing else stays takes no room for its title, unless there is some left.
    """
    sizes = [count(unit.text) for _, unit in units]
    sinks: dict[int, list[int]] = {}
    for at, (rank, unit) in enumerate(units):
        if unit.sink:
            sinks.setdefault(rank, []).append(at)
    chosen: set[int] = set()
    order = sorted(range(len(units)), key=lambda at: (-units[at][1].surprisal, -at))
    first = [at for at in order if not units[at][1].sink]
    for at in (*first, *(each for of_one in sinks.values() for each in of_one)):
        new = [each for each in (*sinks.get(units[at][0], ()), at) if each not in chosen]
        if sum(sizes[each] for each in new) > room and units[at][1].sink:
            new = [at]
        if at not in chosen and sum(sizes[each] for each in new) <= room:
            room -= sum(sizes[each] for each in new)
            chosen.update(new)
    return [each for at, each in enumerate(units) if at in chosen]


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
        Piece(path=hit.path, text=text.rstrip(),
              lines=(base + first, base + last) if base else (0, 0))
        for first, last, text in runs
        if text.strip()
    ]  # fmt: skip
