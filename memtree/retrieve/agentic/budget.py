"""What one question may cost in tier 5: steps, tokens, time. Spent before it is gone, never after.

`8 steps, 6000 tokens, 60 s` in any order, any part of it; `0.2 s`, `200ms` and `2 min`
are times, a number alone is tokens.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_PART = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)", re.IGNORECASE)
_MS = {"ms": 1.0, "s": 1000.0, "sec": 1000.0, "second": 1000.0, "min": 60_000.0, "minute": 60_000.0}
FEW = 64
"""A number alone is tokens from here on; a smaller one was meant for something else."""
_HINT = 'like "8 steps, 6000 tokens, 60 s", or any part of it'


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Bounds of one question: calls of the model or searches, tokens in and out, milliseconds."""

    steps: int = 8
    tokens: int = 6000
    ms: float = 60_000.0

    def __str__(self) -> str:
        """As it is written in a setting."""
        return f"{self.steps} steps, {self.tokens} tokens, {self.ms / 1000:g} s"


def parse_budget(text: str, base: Budget | None = None) -> Budget:
    """The budget that `text` says; what it leaves open is that of `base` (else the default).

    Raises UsageError for what is no budget, for a part that is said twice, and for nothing at all.
    """
    found: dict[str, float] = {}
    rest = text.strip()
    if rest.isascii() and rest.isdigit() and int(rest) >= FEW:
        rest += " tokens"  # a bare number: what packers and models call a budget
    while rest:
        part = _PART.match(rest)
        name = _name(part.group(2)) if part else ""
        if part is None or not name or name in found:
            raise UsageError(f"'{text}' is no budget", hint=_HINT)
        value = float(part.group(1)) * (_MS[_singular(part.group(2))] if name == "ms" else 1.0)
        if value <= 0 or (name != "ms" and value != int(value)):
            raise UsageError(f"'{part.group(0)}' is no part of a budget", hint=_HINT)
        found[name] = value
        rest = rest[part.end() :].lstrip(" \t,;").removeprefix("and ").lstrip()
    if not found:
        raise UsageError("an empty budget allows nothing", hint=_HINT)
    base = base or Budget()
    return replace(
        base,
        steps=int(found.get("steps", base.steps)),
        tokens=int(found.get("tokens", base.tokens)),
        ms=found.get("ms", base.ms),
    )


def _singular(unit: str) -> str:
    unit = unit.lower()
    return unit if unit in _MS else unit.removesuffix("s")


def _name(unit: str) -> str:
    one = _singular(unit)
    return "ms" if one in _MS else f"{one}s" if one in ("step", "token") else ""


class Spending:
    """A budget being spent. `clock` gives seconds."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.perf_counter) -> None:
        self.budget = budget
        self.steps = 0
        self.tokens = 0
        self._clock = clock
        self._began = clock()

    @property
    def ms(self) -> float:
        """Milliseconds since this began."""
        return 1000 * (self._clock() - self._began)

    @property
    def tokens_left(self) -> int:
        """Tokens that may still be spent."""
        return max(0, self.budget.tokens - self.tokens)

    def over(self) -> str:
        """Which part is spent, in words; "" while all of it lasts."""
        if self.steps >= self.budget.steps:
            return f"the budget of {self.budget.steps} steps is spent"
        if self.tokens >= self.budget.tokens:
            return f"the budget of {self.budget.tokens} tokens is spent"
        if self.ms >= self.budget.ms:
            return f"the budget of {self.budget.ms / 1000:g} s is spent"
        return ""
