"""Needles: one note among many holds the answer, at ten places and in five lengths.

The notes are invented and alike, so that nothing but the place tells them apart. What a model finds
at which place says which order of passages fits it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.edges.ordering import EDGES, RANK, to_edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memtree.plugins.context import ModelView

PLACES = 10
SIZES = (10, 20, 40, 60, 80)
"""Notes in a prompt: some 150 to 1,200 tokens."""
REPLY = 24
"""Tokens that an answer may have."""
LEAST = 0.02
"""By how much another order has to be expected to win: less is chance."""
_SYSTEM = "You answer from numbered notes. Reply with one word, the cargo that is asked for."
_SHIPS = ("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
_PORTS = ("Arbroath", "Bergen", "Cadiz", "Dover", "Esbjerg", "Faro", "Genoa", "Hull", "Ibiza")
_CARGO = ("barley", "copper", "dates", "flax", "glass", "honey", "indigo", "jute", "lumber", "wine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needle:
    """One prompt: `notes` in order, the question, its answer, and the tenth where it stands."""

    notes: tuple[str, ...]
    question: str
    answer: str
    place: int
    size: int

    @property
    def text(self) -> str:
        """The notes as a model reads them, numbered, and the question."""
        lines = [f"[{number}] {note}" for number, note in enumerate(self.notes, 1)]
        return "\n".join(lines) + f"\n\n{self.question}"


def needles(seed: int = 0) -> Iterator[Needle]:
    """A needle for each place (0 to 9) in each size; the same for the same seed."""
    chance = random.Random(f"needles {seed}")  # noqa: S311  (to be repeated, not to be secret)
    for size in SIZES:
        for place in range(PLACES):
            names = [(ship, port) for ship in _SHIPS for port in _PORTS]
            chosen = chance.sample(names, size)
            cargo = [chance.choice(_CARGO) for _ in chosen]
            at = place * size // PLACES
            # No other note carries the same, so that a guess is no find.
            cargo = [each if n == at or each != cargo[at] else "ballast"
                     for n, each in enumerate(cargo)]  # fmt: skip
            notes = tuple(
                f"At noon the ship {ship} of {port} was loaded with {load}."
                for (ship, port), load in zip(chosen, cargo, strict=True)
            )
            ship, port = chosen[at]
            yield Needle(
                notes=notes, question=f"What was loaded on the ship {ship} of {port}?",
                answer=cargo[at], place=place, size=size,
            )  # fmt: skip


def fits(model: ModelView, needle: Needle) -> bool:
    """Whether a needle and an answer fit into the window of a model."""
    return model.count(_SYSTEM) + model.count(needle.text) + REPLY + 64 <= model.window


def finds(model: ModelView, needle: Needle) -> bool:
    """Whether a model names what the needle holds."""
    said = model.text(_SYSTEM, needle.text, limit=REPLY)
    return needle.answer in re.findall(r"\w+", said.casefold())


def winner(accuracy: Mapping[int, float]) -> tuple[str, dict[str, float]]:
    """The order that fits a model best, and what to expect of each, 0 to 1.

    The hit of rank i holds the answer with a weight of 1/i, so an order is worth the accuracy of
    the places where it puts the ranks, so weighted. The weights are ours, and those of no paper.
    Another order than that of the ranks has to be better by `LEAST`.
    """
    places = sorted(accuracy)
    total = sum(1 / rank for rank in range(1, len(places) + 1))
    expected: dict[str, float] = {}
    for name, ranks in ((RANK, places), (EDGES, to_edges(places))):
        # `ranks` read as: at place p stands the hit of that rank.
        worth = sum(
            accuracy[place] / (places.index(rank) + 1)
            for place, rank in zip(places, ranks, strict=True)
        )
        expected[name] = round(worth / total, 4) if total else 0.0
    best = EDGES if expected[EDGES] - expected[RANK] >= LEAST else RANK
    return best, expected
