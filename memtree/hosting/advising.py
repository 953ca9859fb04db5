"""What plugins have to say of an entry's life, put together: importance summed, the strictest wins.

`frozen` is stricter than `archived`: nothing is written to what is frozen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.hosting.views import ref_of
from memtree.knowledge.lifecycle import MATURITIES, last_day, recency_of
from memtree.knowledge.standing import Standing
from memtree.plugins.api import Delta, Signals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.hosting.host import Host, Player
    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Use

STATES = ("", "archived", "frozen")
MOST = 100.0
"""Points that one plugin may add or take."""


class Advice:
    """What all players want together of an entry's life, by its row, its uses and the day."""

    def __init__(self, host: Host, players: Sequence[Player], notes: Sequence[str]) -> None:
        self._host = host
        self._notes = notes
        self._players = players
        self._ready = list(host.ready([one for one in players if one.loaded.has("lifecycle")]))

    def __call__(self, row: Row, uses: Sequence[Use], today: float) -> Delta | None:
        """All their deltas as one; None where nobody has any."""
        ref = ref_of(row)
        standing = Standing(row.standing)
        last = last_day(row.created, standing.used, uses, today)
        signals = Signals(
            importance=row.importance, maturity=row.maturity, recency=recency_of(last, today),
            today=today, settled=_day(standing.settled), uses=tuple(uses),
        )  # fmt: skip
        given = [self._host.ask(player, "lifecycle", ref, signals) for player in self._ready]
        deltas = [one for one in given if isinstance(one, Delta)]
        return together(deltas) if deltas else None

    @property
    def notes(self) -> list[str]:
        """What there is to say of those that were asked, and of those that could not be."""
        own = [note for player in self._players for note in player.context.notes]
        return list(dict.fromkeys([*self._notes, *own]))


def together(deltas: Sequence[Delta]) -> Delta:
    """One delta out of several."""
    bounds = [one.maturity for one in deltas if one.maturity in MATURITIES]
    return Delta(
        importance=sum(max(-MOST, min(MOST, one.importance)) for one in deltas),
        maturity=min(bounds, key=MATURITIES.index) if bounds else "",
        state=max((one.state for one in deltas if one.state in STATES), key=STATES.index,
                  default=""),
        why="; ".join(dict.fromkeys(one.why for one in deltas if one.why)),
    )  # fmt: skip


def _day(text: str) -> float | None:
    from memtree.knowledge.lifecycle import day_number

    return day_number(text)
