"""How alive an entry is: pure functions of what its file says, its uses, and a moment.

DESIGN section 3: store facts, compute scores. The file says what importance and maturity were when
they were last settled; the log says what was done with the entry since; everything else is
computed here. Days are floats since 1970-01-01 (UTC), as `day_number` gives them; a use is a pair
(day, event). Nothing depends on a file's modification time or on a clock: two clones of a tree, at
the same `now`, give the same scores. Hot: imports math alone.

Importance falls by a share a day and rises with each real use, never above 100. Maturity follows it
with hysteresis, and is taken along the whole way from `settled` to now, not only at its end; so how
often a tree was settled in between makes no difference.
"""

from __future__ import annotations

from math import exp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Use = tuple[float, str]
    """(day, event): what was done with an entry, and when."""

EVENTS = ("shown", "opened", "cited", "confirmed", "edited")
REAL = ("opened", "cited", "confirmed", "edited")  # being shown is the ranking's doing, not a use
MATURITIES = ("draft", "validated", "core")
START = 50.0  # the importance of an entry that says nothing about it
MATERIAL = 1.0  # points: a smaller change of importance is not worth a line in git
DIGITS = 2  # of importance as written: less would add up when a tree is settled every day
DAYS = 30.0  # after so many days recency has fallen to 1/e
# More than a year: what comes back with the seasons is still there. With a month, a simulated year
# lost more by what lay in the archive than the rest of the lifecycle won.
REST = 400.0
# What makes an entry alive: shares of importance, recency and maturity, 1 together.
# Set by simulation (benchmarks/lifecycle.py --tune): a little better than any even split.
IMPORTANCE_SHARE = 0.4
RECENCY_SHARE = 0.5
MATURITY_SHARE = 0.1


class Policy:
    """The numbers of a tree's lifecycle; the defaults are those of DESIGN section 3.

    `opened`, `cited`, `confirmed` and `edited` are points for a use, 0 or more. `decay` is what is
    left of importance after a day, above 0 and at most 1. `recency_days` is above 0. What was used
    within `rest_days` is not archived. A maturity is reached at `..._at` and lost below
    `..._below`, which is lower: the gap keeps it from flapping. `lift` is by what share the most
    alive entry may gain on the least alive, 0 to 1.
    """

    __slots__ = (
        "archive_below", "cited", "confirmed", "core_at", "core_below", "decay", "edited", "lift",
        "opened", "recency_days", "rest_days", "validated_at", "validated_below",
    )  # fmt: skip

    shown = 0.0  # no setting: the shown would be shown again, and the rich get richer

    def __init__(
        self, *, opened: float = 3.0, cited: float = 3.0, confirmed: float = 5.0,
        edited: float = 5.0, decay: float = 0.995, recency_days: float = DAYS,
        rest_days: float = REST,
        validated_at: float = 65.0, core_at: float = 85.0, core_below: float = 60.0,
        validated_below: float = 35.0, archive_below: float = 35.0, lift: float = 0.15,
    ) -> None:  # fmt: skip
        self.opened = opened
        self.cited = cited
        self.confirmed = confirmed
        self.edited = edited
        self.decay = decay
        self.recency_days = recency_days
        self.rest_days = rest_days
        self.validated_at = validated_at
        self.core_at = core_at
        self.core_below = core_below
        self.validated_below = validated_below
        self.archive_below = archive_below
        self.lift = lift

    def points(self, event: str) -> float:
        """What a use earns at once; 0 for `shown` and for events that are not known."""
        return float(getattr(self, event)) if event in REAL else 0.0


DEFAULT = Policy()


def importance(
    value: float, settled: float | None, uses: Iterable[Use], now: float, policy: Policy = DEFAULT
) -> float:
    """Importance at `now`, 0 to 100, of an entry that had `value` on the day `settled`.

    Uses count when they came after `settled` and not after `now`. An entry that was never settled
    (None) keeps its value until its first use: without a date nothing decays.
    """
    day = settled
    value = clamped(value)
    for at, event in counted(uses, settled, now):
        if day is not None:
            value *= policy.decay ** (at - day)
        value = min(100.0, value + policy.points(event))
        day = at
    return value if day is None else value * policy.decay ** max(0.0, now - day)


def maturity(
    current: str, importance: float, *, replaced: bool = False, policy: Policy = DEFAULT
) -> str:
    """The maturity of an entry that is `current` and has this importance.

    It rises to validated at 65 and to core at 85, and falls from core below 60 and from validated
    below 35 (defaults). What is replaced or contradicted is a draft at once. Applying it twice is
    applying it once.
    """
    if replaced or current not in MATURITIES:
        current = "draft"
    if replaced:
        return current
    if current == "draft" and importance >= policy.validated_at:
        current = "validated"
    if current == "validated" and importance >= policy.core_at:
        return "core"
    if current == "core" and importance < policy.core_below:
        current = "validated"
    if current == "validated" and importance < policy.validated_below:
        current = "draft"
    return current


def recency_of(last: float | None, now: float, policy: Policy = DEFAULT) -> float:
    """From 1 (alive today) towards 0, since the day `last`; 0 without a date."""
    return 0.0 if last is None else exp(-max(0.0, now - last) / policy.recency_days)


def last_day(written: str, used: str, uses: Iterable[Use], now: float) -> float | None:
    """The later of the last meaningful change and the last real use, as a day; None without any.

    `written` is `generated.at` or `created`, `used` the last real use as settled (ISO 8601, or "").
    """
    days = [day for day in (day_number(written), day_number(used)) if day is not None]
    days += [day for day, event in uses if event in REAL and day <= now]
    return max(days) if days else None


def life(importance: float, maturity: str, recency: float, *, replaced: bool = False) -> float:
    """How alive an entry is, 0 to 1; rises with each of the three. What is replaced has the least.

    `importance` is 0 to 100, `recency` 0 to 1.
    """
    if replaced:
        return 0.0
    grown = MATURITIES.index(maturity) / 2 if maturity in MATURITIES else 0.0
    return (
        IMPORTANCE_SHARE * clamped(importance) / 100
        + RECENCY_SHARE * min(1.0, max(0.0, recency))
        + MATURITY_SHARE * grown
    )


def lifted(score: float, life: float, policy: Policy = DEFAULT) -> float:
    """A text score with the lift of life: at most `policy.lift` of it between least and most alive.

    A score that is better by more than that share is therefore never overtaken.
    """
    return score + abs(score) * policy.lift * life


class Settled:
    """What settling makes of one entry.

    `importance` is rounded as it will be written. `material` says whether importance (by a point
    or more) or maturity changed, so that it is worth writing; `archive` whether a draft fell
    below the bound; `used` is the day of the last real use that counted, or None; `reasons` say
    why, a phrase each. `due` says that it is archived whatever speaks for it: its time is over.
    """

    __slots__ = ("archive", "due", "importance", "material", "maturity", "reasons", "used")

    def __init__(
        self, importance: float, maturity: str, *, material: bool, archive: bool,
        used: float | None, reasons: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.importance = importance
        self.maturity = maturity
        self.material = material
        self.archive = archive
        self.used = used
        self.reasons = reasons
        self.due = False


def adjusted(
    made: Settled | None, importance: float, grown: str, *, points: float, bound: str,
    archive: bool, why: str,
) -> Settled:  # fmt: skip
    """A decision with `points` of importance added, maturity at most `bound`, perhaps archived.

    `importance` and `grown` are what the entry has where nothing was decided (`made` is None).
    """
    used, reasons = (made.used, made.reasons) if made is not None else (None, ())
    before = made.importance if made is not None else importance
    value = round(clamped(before + points), DIGITS)
    ripe = made.maturity if made is not None else grown
    if bound in MATURITIES and MATURITIES.index(bound) < MATURITIES.index(ripe):
        ripe = bound
    is_more = abs(value - importance) >= MATERIAL or ripe != grown
    found = Settled(
        value, ripe, material=is_more or (made is not None and made.material),
        archive=archive or (made is not None and made.archive), used=used,
        reasons=(*reasons, why) if why else reasons,
    )  # fmt: skip
    found.due = archive
    return found


def settle(
    value: float, grown: str, settled: float | None, uses: Iterable[Use], now: float, *,
    policy: Policy = DEFAULT, replaced: str = "",
) -> Settled:  # fmt: skip
    """Decide about one entry that had importance `value` and maturity `grown` on day `settled`.

    `replaced` says in words what speaks against it ("superseded by ..."), "" when nothing does.
    Settling again at the same `now` changes nothing; settling in between changes nothing but what
    rounding does, as long as nothing is replaced in between. Before `settled` nothing changes.
    """
    if settled is not None and now < settled:
        return Settled(value, grown, material=False, archive=False, used=None, reasons=())
    real = counted(uses, settled, now)
    new = round(importance(value, settled, real, now, policy), DIGITS)
    ripe = _ripened(value, grown, settled, real, policy)
    ripe = maturity(ripe, new, replaced=bool(replaced), policy=policy)
    changed = abs(new - value) >= MATERIAL
    archive = ripe == "draft" and new < policy.archive_below
    reasons = [f"importance {value:g} to {new:g}"] if changed else []
    if ripe != grown:
        reasons.append(f"{grown} to {ripe}" + (f": {replaced}" if replaced else ""))
    if archive:
        reasons.append(f"a draft below {policy.archive_below:g}")
    return Settled(
        new, ripe, material=changed or ripe != grown, archive=archive,
        used=real[-1][0] if real else None, reasons=tuple(reasons),
    )  # fmt: skip


def _ripened(
    value: float, grown: str, settled: float | None, uses: list[Use], policy: Policy
) -> str:
    """Maturity along the way: it may fall before each use and rise after it."""
    grown = maturity(grown, clamped(value), policy=policy)
    day = settled
    for at, event in uses:
        if day is not None:
            value *= policy.decay ** (at - day)
            grown = maturity(grown, value, policy=policy)
        value = min(100.0, value + policy.points(event))
        grown = maturity(grown, value, policy=policy)
        day = at
    return grown


def counted(uses: Iterable[Use], settled: float | None, now: float) -> list[Use]:
    """The real uses after `settled` and not after `now`, oldest first."""
    return sorted(
        use
        for use in uses
        if use[1] in REAL and use[0] <= now and (settled is None or use[0] > settled)
    )


def clamped(value: float) -> float:
    """An importance within its bounds, 0 to 100."""
    return min(100.0, max(0.0, value))


def recency(used: str, now: float) -> float:
    """From 1 (now) towards 0; `used` is ISO 8601, `now` seconds since 1970 (UTC). 0 without a date.

    The time of day and the zone count little against thirty days: a date is taken as UTC.
    """
    return recency_of(day_number(used), now / 86_400)


def day_number(text: str) -> float | None:
    """Days since 1970-01-01 of an ISO date with or without a time; None when it is none."""
    year, month, day = text[:4], text[5:7], text[8:10]
    if not (year.isdecimal() and month.isdecimal() and day.isdecimal()):
        return None
    if not (text[4:5] == text[7:8] == "-" and text[:10].isascii()):
        return None
    number = _days(int(year), int(month), int(day))
    hour, minute, second = text[11:13], text[14:16], text[17:19]
    if hour.isdecimal() and minute.isdecimal():
        seconds = int(hour) * 3600 + int(minute) * 60
        if text[16:17] == ":" and second.isdecimal():
            seconds += int(second)
            if text[19:20] == "." and text[20:23].isdecimal():
                return number + (seconds + int(text[20:23]) / 1000) / 86_400
        return number + seconds / 86_400
    return float(number)


def day_text(day: float) -> str:
    """The ISO date of a day: the other way round, without the time."""
    # Civil from days, Howard Hinnant's algorithm.
    shifted = int(day // 1) + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    number = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{number:02d}"


def _days(year: int, month: int, day: int) -> int:
    # Days from civil, Howard Hinnant's algorithm: years begin in March, so leap days come last.
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
