"""A small world in which people go about and things change hands: the sessions of `state_tracking`.

A world is simulated, told in sentences, and asked about; the gold answers come from what was done,
never from what was told, so that a reader of the sentences can be held against them. Of the same
seed everything is the same, byte by byte.

Of a session for `updates` = U every person goes elsewhere U times after a first arrival, and things
are taken, dropped and given as it comes. One context tells of a person or thing at most once, so a
context's time says when a value became the present one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from memtree.memories.mint.record import Context

if TYPE_CHECKING:
    import random

PEOPLE = ("Mara", "Tobin", "Iris", "Jonas")
THINGS = ("lantern", "ledger", "compass")
PLACES = (
    "kitchen", "garden", "hallway", "office", "cellar", "library", "workshop", "attic", "stable",
    "pantry",
)  # fmt: skip
NOBODY = "nobody"
_GO = ("{0} went to the {1}.", "{0} moved to the {1}.", "{0} walked to the {1}.")
_TAKE = ("{0} took the {1}.", "{0} picked up the {1}.")
_DROP = ("{0} dropped the {1}.", "{0} put down the {1}.")
_GIVE = ("{0} gave the {1} to {2}.", "{0} handed the {1} to {2}.")
_IDLE = (
    "It rained for a while.", "The clock struck the hour.", "A cart passed in the street.",
    "Somebody laughed far away.", "The wind turned.", "Supper was late that day.",
)  # fmt: skip
_START = datetime(2026, 1, 5, 8, 0)  # noqa: DTZ001  (a made-up clock without a zone)


@dataclass(frozen=True, slots=True)
class Turn:
    """A value that something took: in which context (from 0), and what it was from then on.

    Of a person `place`; of a thing `holder`, "" while it lies at `place`.
    """

    context: int
    place: str = ""
    holder: str = ""


@dataclass(slots=True)
class World:
    """What was done, by person and thing, oldest first, and how it was told."""

    contexts: list[Context] = field(default_factory=list)
    turns: dict[str, list[Turn]] = field(default_factory=dict)

    def now(self, name: str) -> Turn:
        """The present value of a person or thing."""
        return self.turns[name][-1]

    def place_of(self, name: str, context: int | None = None) -> str:
        """Where a person or thing is, or was when a context had been told."""
        turn = [each for each in self.turns[name] if context is None or each.context <= context][-1]
        return self.place_of(turn.holder, context) if turn.holder else turn.place


def simulated(updates: int, chance: random.Random) -> World:
    """A world in which every person went elsewhere `updates` times."""
    return _Simulation(updates, chance).run()


class _Simulation:
    def __init__(self, updates: int, chance: random.Random) -> None:
        self.chance = chance
        self.world = World()
        self.left = dict.fromkeys(PEOPLE, updates)
        self.time = _START

    def run(self) -> World:
        for name in PEOPLE:
            place = self.chance.choice(PLACES)
            self._tell([self._went(name, place)])
        for name in THINGS:
            place = self.chance.choice(PLACES)
            self.world.turns[name] = [Turn(len(self.world.contexts), place=place)]
            self._tell([f"The {name} lay in the {place}."])
        while any(self.left.values()):
            self._tell(self._happened())
        return self.world

    def _tell(self, sentences: list[str]) -> None:
        if self.chance.random() < 0.3:
            sentences.insert(self.chance.randint(0, len(sentences)), self.chance.choice(_IDLE))
        self.world.contexts.append(Context(" ".join(sentences), self.time.isoformat()))
        self.time += timedelta(minutes=self.chance.randint(20, 600))

    def _happened(self) -> list[str]:
        """One to three events of one context, no person and no thing in two of them."""
        told: list[str] = []
        busy: set[str] = set()
        for _ in range(self.chance.randint(1, 3)):
            sentence = self._handled(busy) if self.chance.random() < 0.4 else ""
            told.append(sentence or self._moved(busy))
        return [sentence for sentence in told if sentence]

    def _moved(self, busy: set[str]) -> str:
        able = [name for name in PEOPLE if self.left[name] and name not in busy]
        if not able:
            return ""
        # Whoever has the most left is the likeliest, so that all end at about the same time.
        name = self.chance.choices(able, [self.left[each] for each in able])[0]
        here = self.world.now(name).place
        self.left[name] -= 1
        busy.add(name)
        return self._went(name, self.chance.choice([place for place in PLACES if place != here]))

    def _went(self, name: str, place: str) -> str:
        turn = Turn(len(self.world.contexts), place=place)
        self.world.turns.setdefault(name, []).append(turn)
        return self.chance.choice(_GO).format(name, place)

    def _handled(self, busy: set[str]) -> str:
        """Something taken, dropped or given; "" when nothing can be."""
        able: list[tuple[str, str, str]] = []
        for thing in THINGS:
            if thing in busy:
                continue
            turn = self.world.now(thing)
            here = self.world.place_of(thing)
            near = [name for name in PEOPLE
                    if name not in busy and self.world.now(name).place == here]  # fmt: skip
            if not turn.holder:
                able += [(thing, name, "take") for name in near]
            elif turn.holder in near:
                able += [(thing, turn.holder, "drop")]
                able += [(thing, turn.holder, name) for name in near if name != turn.holder]
        if not able:
            return ""
        thing, name, what = self.chance.choice(able)
        at = len(self.world.contexts)
        busy.update((thing, name))
        if what == "take":
            self.world.turns[thing].append(Turn(at, holder=name))
            return self.chance.choice(_TAKE).format(name, thing)
        if what == "drop":
            self.world.turns[thing].append(Turn(at, place=self.world.now(name).place))
            return self.chance.choice(_DROP).format(name, thing)
        busy.add(what)
        self.world.turns[thing].append(Turn(at, holder=what))
        return self.chance.choice(_GIVE).format(name, thing, what)
