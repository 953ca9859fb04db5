"""Recency as a pure function of a date and a moment. Hot: imports math alone.

The rest of the lifecycle (importance, maturity, decay) joins it here; the formula is DESIGN section
3: recency = exp(-days / 30) since the last meaningful change, never since a file's modification,
which a clone or a checkout would change.
"""

from __future__ import annotations

from math import exp

DAYS = 30.0  # after so many days recency has fallen to 1/e


def recency(used: str, now: float) -> float:
    """From 1 (now) towards 0; `used` is ISO 8601, `now` seconds since 1970 (UTC). 0 without a date.

    The time of day and the zone count little against thirty days: a date is taken as UTC.
    """
    days = day_number(used)
    if days is None:
        return 0.0
    return exp(-max(0.0, now / 86_400 - days) / DAYS)


def day_number(text: str) -> float | None:
    """Days since 1970-01-01 of an ISO date with or without a time; None when it is none."""
    year, month, day = text[:4], text[5:7], text[8:10]
    if not (year.isdigit() and month.isdigit() and day.isdigit() and text[4:5] == text[7:8] == "-"):
        return None
    number = _days(int(year), int(month), int(day))
    hour, minute = text[11:13], text[14:16]
    if hour.isdigit() and minute.isdigit():
        number += int(hour) / 24 + int(minute) / 1440
    return number


def _days(year: int, month: int, day: int) -> float:
    # Days from civil, Howard Hinnant's algorithm: years begin in March, so leap days come last.
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
