"""Questions about a simulated world, with gold answers and the contexts that these rest on.

Five types, as in MINTEval: of one target its present value (`simple`) and an earlier one
(`historical`, n updates back); of several the order (`ordering`), a number (`counting`), and what
follows from two of them (`multi-hop`).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from memtree.memories.mint.record import Question, Session
from memtree.memories.mint.world import NOBODY, PEOPLE, PLACES, THINGS, simulated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from memtree.memories.mint.world import Turn, World

KINDS = ("simple", "historical", "ordering", "counting", "multi-hop")
EACH = 4
"""Questions of each type in a session."""


def generated(count: int, updates: Sequence[int], seed: int) -> Iterator[Session]:
    """`count` sessions, the levels of `updates` in turn; the same for the same seed."""
    for number in range(count):
        level = updates[number % len(updates)]
        chance = random.Random(f"mint {seed} {number} {level}")  # noqa: S311  (to be repeated)
        world = simulated(level, chance)
        yield Session(
            id=f"s{number:03}-u{level}",
            contexts=tuple(world.contexts),
            questions=tuple(_Asking(world, level, chance).all()),
            updates=level,
        )


class _Asking:
    def __init__(self, world: World, level: int, chance: random.Random) -> None:
        self.world = world
        self.level = level
        self.chance = chance

    def all(self) -> Iterator[Question]:
        makers = (self._simple, self._historical, self._ordering, self._counting, self._hops)
        for kind, maker in zip(KINDS, makers, strict=True):
            asked: set[str] = set()
            for number in range(EACH * 8):
                question = maker(kind, number)
                if question is not None and question.text not in asked:
                    asked.add(question.text)
                    yield question
                if len(asked) == EACH:
                    break

    def _question(
        self, kind: str, text: str, answer: str, evidence: Iterable[int], *,
        back: int | None = None, candidates: Sequence[str] = (), updates: int = -1,
    ) -> Question:  # fmt: skip
        about = {
            "n_steps_back": back,
            "candidates": list(candidates),
            "updates": self.level if updates < 0 else updates,
            "evidence": sorted(set(evidence)),
        }
        return Question(text, answer, kind, about)

    def _target(self, number: int) -> tuple[str, list[Turn], bool]:
        """A person, and every third time a thing that changed hands."""
        things = [name for name in THINGS if len(self.world.turns[name]) > 1]
        is_thing = number % 3 == 2 and bool(things)
        name = self.chance.choice(things if is_thing else PEOPLE)
        return name, self.world.turns[name], is_thing

    def _simple(self, kind: str, number: int) -> Question:
        name, turns, is_thing = self._target(number)
        if is_thing:
            return self._question(
                kind, f"Who has the {name} now?", turns[-1].holder or NOBODY, [turns[-1].context],
                candidates=(*PEOPLE, NOBODY), updates=len(turns) - 1,
            )  # fmt: skip
        return self._question(
            kind, f"Where is {name} now?", turns[-1].place, [turns[-1].context], candidates=PLACES
        )

    def _historical(self, kind: str, number: int) -> Question | None:
        name, turns, is_thing = self._target(number)
        # Of a thing only who had it is asked: half of the time nobody has it, and guessing pays.
        able = [n for n in range(1, len(turns)) if turns[-1 - n].holder or not is_thing]
        if not able:
            return None
        back = self.chance.choice(able)
        turn = turns[-1 - back]
        if is_thing:
            return self._question(
                kind, f"Who had the {name} {_number(back, 'change')} of hands ago?",
                turn.holder or NOBODY, [turn.context], back=back,
                candidates=(*PEOPLE, NOBODY), updates=len(turns) - 1,
            )  # fmt: skip
        return self._question(
            kind, f"Where was {name} {_number(back, 'move')} ago?", turn.place, [turn.context],
            back=back, candidates=PLACES,
        )  # fmt: skip

    def _ordering(self, kind: str, number: int) -> Question | None:
        if number % 2:
            name = self.chance.choice(PEOPLE)
            first: dict[str, int] = {}
            for turn in self.world.turns[name]:
                first.setdefault(turn.place, turn.context)
            if len(first) < 2:
                return None
            one, other = self.chance.sample(sorted(first), 2)
            return self._question(
                kind, f"Which did {name} reach first, the {one} or the {other}?",
                min(one, other, key=first.__getitem__), [first[one], first[other]],
                candidates=(one, other),
            )  # fmt: skip
        names = self.chance.sample(PEOPLE, 3)
        last = {name: self.world.now(name).context for name in names}
        if len(set(last.values())) < len(names):
            return None
        return self._question(
            kind, f"In which order did {names[0]}, {names[1]} and {names[2]} last move, "
            "earliest first?", ", ".join(sorted(names, key=last.__getitem__)), last.values(),
            candidates=names,
        )  # fmt: skip

    def _counting(self, kind: str, number: int) -> Question:
        if number % 3 == 0:
            place = self.world.now(self.chance.choice(PEOPLE)).place
            there = [name for name in PEOPLE if self.world.now(name).place == place]
            return self._question(
                kind, f"How many people are in the {place} now?", str(len(there)),
                [self.world.now(name).context for name in there],
            )  # fmt: skip
        if number % 3 == 1:
            name = self.chance.choice(PEOPLE)
            place = self.chance.choice(self.world.turns[name]).place
            times = [turn.context for turn in self.world.turns[name] if turn.place == place]
            return self._question(
                kind, f"How many times did {name} go to the {place}?", str(len(times)), times
            )
        name = self.chance.choice(PEOPLE)
        held = [thing for thing in THINGS if self.world.now(thing).holder == name]
        return self._question(
            kind, f"How many things does {name} have now?", str(len(held)),
            [self.world.now(thing).context for thing in (held or THINGS)],
        )  # fmt: skip

    def _hops(self, kind: str, number: int) -> Question | None:
        thing = self.chance.choice(THINGS)
        if number % 2 == 0:
            turn = self.world.now(thing)
            rests = [turn.context]
            if turn.holder:
                rests.append(self.world.now(turn.holder).context)
            elif len(self.world.turns[thing]) > 1:
                # It lies where whoever had it stood: that is told elsewhere too.
                dropper = self.world.turns[thing][-2].holder
                rests.append(_before(self.world.turns[dropper], turn.context).context)
            return self._question(
                kind, f"Where is the {thing} now?", self.world.place_of(thing), rests,
                candidates=PLACES,
            )  # fmt: skip
        got = [turn for turn in self.world.turns[thing] if turn.holder]
        if not got:
            return None
        name = self.chance.choice(got).holder
        at = [turn.context for turn in got if turn.holder == name][-1]
        came = _before(self.world.turns[name], at)
        return self._question(
            kind, f"Where was {name} when the {thing} last came to {name}?", came.place,
            [at, came.context], candidates=PLACES,
        )  # fmt: skip


def _before(turns: Sequence[Turn], context: int) -> Turn:
    """The value that held when a context had been told."""
    return [turn for turn in turns if turn.context <= context][-1]


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
