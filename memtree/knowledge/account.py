"""Where the scores of an entry come from, in words and numbers: what `show` tells.

Pure, as `memtree.knowledge.lifecycle`, whose formulas it takes apart.
"""

from __future__ import annotations

from memtree.knowledge.lifecycle import (
    DEFAULT,
    REAL,
    clamped,
    counted,
    day_text,
    importance,
    life,
    recency_of,
    settle,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.knowledge.lifecycle import Policy, Use


class Part:
    """One part of a score: its `name`, the `words` for it, and the points it adds (or takes)."""

    __slots__ = ("name", "points", "words")

    def __init__(self, name: str, words: str, points: float) -> None:
        self.name = name
        self.words = words
        self.points = points


class Explanation:
    """Where the scores of an entry come from.

    `parts` add up to `importance` (0 to 100): `start`, `decay`, one for each kind of use, and
    `limit` when 100 cut something off. `recency` is 0 to 1 and `recency_words` says since when;
    `maturity` is what it would be settled to now, and `maturity_words` how far the next steps are.
    `life` (0 to 1) and `lift` (a share: 0.1 is 10 %) are what ranking makes of them.
    """

    __slots__ = (
        "importance", "life", "lift", "maturity", "maturity_words", "parts", "recency",
        "recency_words",
    )  # fmt: skip

    importance: float
    recency: float
    maturity: str
    life: float
    lift: float
    parts: tuple[Part, ...]
    recency_words: str
    maturity_words: str


def explain(
    value: float, grown: str, settled: float | None, uses: Iterable[Use], now: float, *,
    policy: Policy = DEFAULT, last: float | None = None, replaced: str = "",
) -> Explanation:  # fmt: skip
    """The parts of an entry's scores at `now`, in words and numbers.

    The arguments are those of `settle`; `last` is what `last_day` gave.
    """
    real = counted(uses, settled, now)
    told = Explanation()
    told.importance = importance(value, settled, real, now, policy)
    parts = list(_parts(clamped(value), settled, real, now, policy))
    left = told.importance - sum(part.points for part in parts)
    if left < -1e-6:
        parts.append(Part("limit", "importance ends at 100", left))
    told.parts = tuple(parts)
    told.recency = recency_of(last, now, policy)
    told.recency_words = _since(last, now)
    told.maturity = settle(
        value, grown, settled, real, now, policy=policy, replaced=replaced
    ).maturity  # fmt: skip
    told.maturity_words = replaced or _next_steps(told.maturity, told.importance, policy)
    told.life = life(told.importance, told.maturity, told.recency, replaced=bool(replaced))
    told.lift = policy.lift * told.life
    return told


def _parts(
    value: float, settled: float | None, uses: list[Use], now: float, policy: Policy
) -> Iterable[Part]:
    since = settled if settled is not None else uses[0][0] if uses else None
    when = f" when settled on {day_text(settled)}" if settled is not None else ", never settled"
    yield Part("start", f"{value:g}{when}", value)
    if since is not None and now > since:
        share = f"x{policy.decay:g} a day for {_days_in_words(now - since)}"
        yield Part("decay", share, value * (policy.decay ** (now - since) - 1))
    for event in REAL:
        days = [day for day, kind in uses if kind == event]
        if not days:
            continue
        earned = sum(policy.points(event) * policy.decay ** (now - day) for day in days)
        times = "once" if len(days) == 1 else f"{len(days)} times"
        words = f"{event} {times}, {policy.points(event):g} points each, decayed since"
        yield Part(event, words, earned)


def _next_steps(grown: str, importance: float, policy: Policy) -> str:
    """The nearest steps up and down, and how many points away they are."""
    steps = []
    if grown == "draft":
        steps.append(("validated at", policy.validated_at))
        if importance >= policy.archive_below:
            steps.append(("archived below", policy.archive_below))
    elif grown == "validated":
        steps += [("core at", policy.core_at), ("draft below", policy.validated_below)]
    else:
        steps.append(("validated below", policy.core_below))
    words = [f"{name} {bound:g} ({abs(bound - importance):.1f} away)" for name, bound in steps]
    if grown == "draft" and importance < policy.archive_below:
        words.append(f"below {policy.archive_below:g}: the next consolidate may archive it")
    return ", ".join(words)


def _since(last: float | None, now: float) -> str:
    if last is None:
        return "no date of a change or use is known"
    if now - last < 1:
        return f"changed or used on {day_text(last)}"
    return f"last changed or used on {day_text(last)}, {_days_in_words(now - last)} ago"


def _days_in_words(days: float) -> str:
    count = int(days) if days >= 1 else round(days, 1)
    return f"{count:g} day" if count == 1 else f"{count:g} days"
