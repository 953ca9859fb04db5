"""What stays of a text when there is no room for all of it: what surprises, in its order.

SirLLM (arXiv 2405.12528, section 3) keeps of a full cache the first tokens (attention sinks) and
those with the highest entropy, and multiplies each kept entropy by a decay ratio per round. Here
the same is done with text: units (sentences or words) instead of tokens of a cache, the first line
of an entry instead of the sinks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Told = Sequence[tuple[int, int, float]]

SENTENCE, TOKEN = "sentence", "token"
LEVELS = (SENTENCE, TOKEN)
# A heading, a list item or a sentence with its footnotes and block id; a line's end inside of a
# paragraph ends nothing.
_SENTENCE = re.compile(
    r"""
    [ \t]*\#[^\n]*(?:\n+|$)
    | (?:[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+)? .+? (?:
        [.!?]+["')\]*_]* (?:[ \t]*(?:\^[\w-]+|\[\^[\w-]+\]))* (?:\s+|$)
        | \n(?=[ \t]*\n)\s*
        | \n(?=[ \t]*(?:[-*+][ \t]|\d{1,3}[.)][ \t]|\#|```|\||>))
        | $
    )
    """,
    re.DOTALL | re.VERBOSE,
)
_WORD = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A slice of a text with its surprisal in nats; a sink is never weighed against others."""

    text: str
    start: int
    surprisal: float = 0.0
    sink: bool = False


def units_of(text: str, told: Told, level: str = SENTENCE) -> list[Unit]:
    """The units of a text, which together are the text; the first line's are sinks.

    `told` are (start, end, nats) of its words. A sentence is as surprising as its words are on
    average, a word as its most surprising part.
    """
    pattern = _SENTENCE if level == SENTENCE else _WORD
    first = _first_line(text)
    found: list[Unit] = []
    place = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        if start == end:
            continue
        values = []
        while place < len(told) and told[place][0] < end:
            # The name of a block or a note is rare, and says nothing.
            if level == TOKEN or text[max(0, told[place][0] - 1)] != "^":
                values.append(told[place][2])
            place += 1
        if not values:
            value = 0.0
        elif level == SENTENCE:
            value = sum(values) / len(values)
        else:
            value = max(values)
        found.append(Unit(text=match[0], start=start, surprisal=value, sink=start < first))
    return found


def _first_line(text: str) -> int:
    """Where the first line that says something ends."""
    lead = len(text) - len(text.lstrip())
    end = text.find("\n", lead)
    return len(text) if end < 0 else end + 1


def kept(units: Sequence[Unit], room: int, count: Callable[[str], int]) -> list[Unit]:
    """The units that stay, in their order, within `room` tokens; all of them if they fit.

    Sinks first, as far as there is room, then the most surprising; of equal ones the later, as the
    paper fills up with what is most recent. The sum over units counts, which is never less than
    what the text has together.
    """
    sizes = [count(unit.text) for unit in units]
    if sum(sizes) <= room:
        return list(units)
    chosen: set[int] = set()
    order = sorted(range(len(units)), key=lambda at: (-units[at].surprisal, -at))
    sinks = [at for at in range(len(units)) if units[at].sink]
    for at in [*sinks, *(each for each in order if not units[each].sink)]:
        if sizes[at] <= room:
            room -= sizes[at]
            chosen.add(at)
    return [unit for at, unit in enumerate(units) if at in chosen]


class Stream:
    """A memory of `room` tokens through which rounds of talk pass, as the paper's cache.

    After each round what is kept decays: every surprisal is multiplied by `decay` (0 to 1; 1 keeps
    all, as the paper sets it for groceries, 0.7 for daily talk, 0.9 for a game).
    """

    def __init__(self, room: int, decay: float, count: Callable[[str], int]) -> None:
        self.units: list[Unit] = []
        self._room = room
        self._decay = decay
        self._count = count

    def hear(self, units: Sequence[Unit]) -> None:
        """Take one round in; the units of the first are sinks where they say so."""
        fresh = [replace(unit, sink=unit.sink and not self.units) for unit in units]
        self.units = kept([*self.units, *fresh], self._room, self._count)
        self.units = [replace(unit, surprisal=unit.surprisal * self._decay) for unit in self.units]

    def text(self) -> str:
        """What is left of all rounds."""
        return "".join(unit.text for unit in self.units)
