"""Needles: one note among many holds the answer, at ten places and in five lengths.

The notes are invented and alike, so that nothing but the place tells them apart. What a model finds
at which place says which order of passages fits it.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from math import sqrt
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
SURE = 1.96
"""Standard errors by which another order has to be better: with fewer it is chance in 5 of 100."""
_SYSTEM = "You answer from numbered notes. Reply with one word, the cargo that is asked for."
_SHIPS = ("Alder", "Birch", "Cedar", "Dogwood", "Elder", "Fir", "Gorse", "Hazel", "Ivy", "Juniper")
_PORTS = ("Arbroath", "Bergen", "Cadiz", "Dover", "Esbjerg", "Faro", "Genoa", "Hull", "Ibiza")
_OTHER = "ballast"
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
            cargo = [each if n == at or each != cargo[at] else _OTHER
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
    """Whether a model names what the needle holds and no other cargo: a list is no find."""
    said = model.text(_SYSTEM, needle.text, limit=REPLY)
    named = {*re.findall(r"\w+", said.casefold())} & {*_CARGO, _OTHER}
    return named == {needle.answer}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The order that fits a model, what to expect of each (0 to 1), and how sure that is.

    `ahead` is by how much `edges` is better than `rank`, give or take `margin` (95 %).
    """

    order: str
    expected: Mapping[str, float]
    ahead: float
    margin: float

    @property
    def said(self) -> str:
        """The verdict in words."""
        told = f"edges is ahead by {self.ahead:+.3f} (95 %: give or take {self.margin:.3f})"
        return told if abs(self.ahead) > self.margin else f"{told}, which is chance"


def winner(accuracy: Mapping[int, float], asked: Mapping[int, int]) -> Verdict:
    """Which order fits a model, by what it found at each place and how often it was asked there.

    The hit of rank i holds the answer with a weight of 1/i, so an order is worth the accuracy of
    the places where it puts the ranks, so weighted. The weights are ours, and those of no paper.
    Edges has to be better beyond chance: the margin is `SURE` times the standard error of the
    difference, each place a binomial with (found + 1) / (asked + 2) (Laplace's rule, for all or
    nothing found in five is no certainty).
    """
    places = sorted(accuracy)
    total = sum(1 / rank for rank in range(1, len(places) + 1))
    ranked = {place: 1 / (at + 1) / total for at, place in enumerate(places)}
    # At place p of the order edges stands the hit of the rank that `to_edges` puts there.
    placed = {place: ranked[other] for place, other in zip(places, to_edges(places), strict=True)}
    expected = {
        name: round(sum(weight * accuracy[place] for place, weight in shares.items()), 4)
        for name, shares in ((RANK, ranked), (EDGES, placed))
    }
    variance = 0.0
    for place in places:
        count = max(1, asked.get(place, 1))
        share = (accuracy[place] * count + 1) / (count + 2)
        variance += (placed[place] - ranked[place]) ** 2 * share * (1 - share) / count
    ahead, margin = expected[EDGES] - expected[RANK], SURE * sqrt(variance)
    return Verdict(order=EDGES if ahead > margin else RANK, expected=expected,
                   ahead=round(ahead, 4), margin=round(margin, 4))  # fmt: skip
