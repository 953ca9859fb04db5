"""Points of importance for what is unusual, small and bounded, decaying until an entry is used."""

from __future__ import annotations

from datetime import date
from math import floor, tanh
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtree.plugins.api import Signals

_EPOCH = date(1970, 1, 1).toordinal()


def points(
    mean: float, average: float, signals: Signals, time: str, *, weight: float, decay: float,
    tick_days: float,
) -> float:  # fmt: skip
    """What to add to an entry's importance today, between -weight and +weight.

    Its bonus is weight * tanh(mean / average - 1) where that is above 0, times `decay` for every
    `tick_days` since its last use (its `time` before the first). Importance that is settled has the
    bonus of that day in it, so that only the difference is added: the sum never runs away.
    """
    if average <= 0:
        return 0.0
    bonus = weight * max(0.0, tanh(mean / average - 1))
    now = bonus * decay ** _ticks(signals, time, signals.today, tick_days)
    if signals.settled is None:
        return now
    return now - bonus * decay ** _ticks(signals, time, signals.settled, tick_days)


def _ticks(signals: Signals, time: str, day: float, tick_days: float) -> int:
    """Whole ticks between the last use before a day and that day."""
    known = [used for used, _ in signals.uses if used <= day]
    born = _day(time)
    if born is not None and born <= day:
        known.append(born)
    return min(10_000, floor((day - max(known)) / tick_days)) if known else 0


def _day(time: str) -> float | None:
    try:
        return float(date.fromisoformat(time[:10]).toordinal() - _EPOCH)
    except ValueError:
        return None
