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
    from collections.abc import Callable, Sequence

    from memtree.hosting.host import Host, Player
    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Use

    Opinion = Callable[[Row, Sequence[Use], float], Delta | None]

STATES = ("", "archived", "frozen")
MOST = 100.0
"""Points that one plugin may add or take."""


def opinions(host: Host, players: Sequence[Player]) -> Opinion:
    """A function of a row, its uses and the day: what all players want together."""
    ready = list(host.ready([one for one in players if one.loaded.has("lifecycle")]))

    def opinion(row: Row, uses: Sequence[Use], today: float) -> Delta | None:
        ref = ref_of(row)
        standing = Standing(row.standing)
        last = last_day(row.created, standing.used, uses, today)
        signals = Signals(
            importance=row.importance, maturity=row.maturity, recency=recency_of(last, today),
            today=today, settled=_day(standing.settled), uses=tuple(uses),
        )  # fmt: skip
        given = [host.ask(player, "lifecycle", ref, signals) for player in ready]
        deltas = [one for one in given if isinstance(one, Delta)]
        return together(deltas) if deltas else None

    return opinion


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
