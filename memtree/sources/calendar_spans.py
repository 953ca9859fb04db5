"""Days, weeks, months, seasons as ISO 8601, and how to count from one to another. Pure.

Weeks begin on Monday (ISO 8601). A span of days is written `first/last`. Seasons are those of the
northern half of the Earth, by whole months, as meteorologists count them.
"""

from __future__ import annotations

from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
FEASTS = {
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "new year's eve": (12, 31),
    "new year's day": (1, 1),
    "halloween": (10, 31),
    "valentine's day": (2, 14),
}
"""Feasts that fall on the same day every year."""


def moved(day: date, days: int) -> date | None:
    """Return the day so many days later; None outside of the calendar."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return None


def iso(day: date | None) -> str:
    """Return a day in ISO 8601, "" for none."""
    return day.isoformat() if day is not None else ""


def span(first: date | None, last: date | None) -> str:
    """Return `first/last`, "" when either is outside of the calendar."""
    return f"{first}/{last}" if first is not None and last is not None else ""


def week(day: date, weeks: int = 0) -> str:
    """Return the week of a day, or the one so many weeks later."""
    monday = moved(day, 7 * weeks - day.weekday())
    return span(monday, moved(monday, 6)) if monday else ""


def weekend(day: date, weeks: int = 0) -> str:
    """Return Saturday and Sunday of the week of a day, or of so many weeks later."""
    saturday = moved(day, 7 * weeks - day.weekday() + 5)
    return span(saturday, moved(saturday, 1)) if saturday else ""


def month(day: date, months: int = 0) -> str:
    """Return the month of a day, or of so many months later, as YYYY-MM; "" out of range."""
    whole = day.year * 12 + day.month - 1 + months
    return named_month(whole // 12, whole % 12 + 1)


def year(day: date, years: int = 0) -> str:
    """Return the year of a day, or of so many years later, as YYYY; "" out of range."""
    number = day.year + years
    return f"{number:04}" if 1 <= number <= 9999 else ""


def named_month(number: int, of: int) -> str:
    """Return a month of a year as YYYY-MM, "" when there is none."""
    return f"{number:04}-{of:02}" if 1 <= number <= 9999 and 1 <= of <= 12 else ""


def named_day(number: int, of: int, day: int) -> str:
    """Return a day of a month of a year, "" when there is none."""
    try:
        return date(number, of, day).isoformat()
    except ValueError:
        return ""


def season(number: int, name: str) -> str:
    """Return a season as a span of days; winter is named after the year in which it begins."""
    first = _SEASONS[name.lower()]
    try:
        begin = date(number, first, 1)
        after = date(number + (first == 12), first + 3 if first < 12 else 3, 1)
    except ValueError:
        return ""
    return span(begin, moved(after, -1))


def weekday(day: date, name: int, *, past: bool) -> str:
    """Return the next day with this weekday (0 is Monday), or the last one; never the day itself.

    >>> weekday(date(2023, 7, 15), 4, past=True)
    '2023-07-14'
    """
    away = (day.weekday() - name) % 7 or 7 if past else -((name - day.weekday()) % 7 or 7)
    return iso(moved(day, -away))
