"""Times as chats and logs write them, as ISO 8601: `5/8/23, 1:56 PM`, `[2023-05-08 13:56]`, ....

Which of `5/8` is the month can't be known from one line. `Order` finds out from the beginning of a
chat: by a number above 12, else by which reading never goes back in time, else by AM and PM, which
are written where the month comes first.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MONTHS = {
    name: at
    for at, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
"""The first three letters of a month to its number."""
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
CLOCK = r"\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[.,]\d+)?(?:[\s\u202f\u00a0]*[ap]\.?m\.?)?"
NUMERIC = r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))"
WORDED = (
    rf"(?:(?:{_DAY},?\s+)?(?:\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{MONTH},?\s+\d{{4}}"
    rf"|{MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}))"
)
ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
STAMP = (
    rf"(?:(?:{NUMERIC}|{WORDED})(?:,?\s*(?:T|at|,)?\s*{CLOCK}{ZONE})?"
    rf"|{CLOCK}(?:\s*(?:,|on)\s*(?:{NUMERIC}|{WORDED}))?)"
)
"""A date, a clock, or both in either order."""

_CLOCK = re.compile(
    r"(?<![\d/.-])(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?![\d/-])(?:[.,]\d+)?(?:[\s\u202f\u00a0]*([ap])\.?m)?",
    re.IGNORECASE,
)
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_SLASHED = re.compile(r"(?<!\d)(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?!\d)")
_WORDED = re.compile(
    rf"(?<!\d)(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?({MONTH}),?\s+(\d{{4}})"
    rf"|\b({MONTH})\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})",
    re.IGNORECASE,
)
_ZONE = re.compile(r"(?<=\d)\s?(Z|UTC|GMT|[+-]\d{2}:?\d{2})$")


class Order:
    """Whether `5/8` means May or August here."""

    __slots__ = ("month_first",)

    def __init__(self, stamps: Iterable[str] = ()) -> None:
        found = [(match, text) for text in stamps if (match := _SLASHED.search(text))]
        pairs = [(int(m[1]), int(m[3]), int(m[4]) % 100) for m, _ in found]
        self.month_first = False
        if any(first > 12 for first, _, _ in pairs):
            return
        if any(second > 12 for _, second, _ in pairs):
            self.month_first = True
            return
        # Backwards steps under either reading: a chat is written in order.
        american = [(year, first, second) for first, second, year in pairs]
        european = [(year, second, first) for first, second, year in pairs]
        back = [_steps_back(dates) for dates in (american, european)]
        if back[0] != back[1]:
            self.month_first = back[0] < back[1]
        else:
            self.month_first = any(
                match[2] == "/" and re.search(r"\d\s?[ap]\.?m", text, re.IGNORECASE)
                for match, text in found
            )


def _steps_back(dates: list[tuple[int, int, int]]) -> int:
    return sum(one > next_ for one, next_ in pairwise(dates))


def read_stamp(text: str, order: Order, day: str = "") -> str:
    """Return a stamp as ISO 8601, of the precision that it has; "" for what is none.

    `day` is the date (ISO 8601) that a clock alone belongs to.
    """
    text = text.strip()[:80]
    when = day_of(text, order) or day[:10]
    rest = _ISO.sub(" ", _SLASHED.sub(" ", text))
    rest = rest.replace("T", " ") if when else rest
    clock = _CLOCK.search(rest)
    if not when or clock is None:
        return when
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        if not 1 <= hour <= 12:
            return when
        hour = hour % 12 + 12 * (clock[4].lower() == "p")
    if hour > 23 or minute > 59 or second > 59:
        return when
    zone = _ZONE.search(text)
    written = f"{when}T{hour:02}:{minute:02}" + (f":{second:02}" if clock[3] else "")
    return written + (_zone(zone[1]) if zone else "")


def day_of(text: str, order: Order | None = None) -> str:
    """Return the first whole date in a text as YYYY-MM-DD, or ""."""
    if found := _ISO.search(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _WORDED.search(text):
        if found[1]:
            return _date(int(found[3]), MONTHS[found[2][:3].lower()], int(found[1]))
        return _date(int(found[6]), MONTHS[found[4][:3].lower()], int(found[5]))
    if order is not None and (found := _SLASHED.search(text)):
        first, second = int(found[1]), int(found[3])
        year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
        month, day = (first, second) if order.month_first else (second, first)
        return _date(year, month, day)
    return ""


def _date(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _zone(text: str) -> str:
    if text in {"Z", "UTC", "GMT"}:
        return "Z"
    return text if ":" in text else f"{text[:3]}:{text[3:]}"


def iso_of(value: object) -> str:
    """Return a time of a JSON record as ISO 8601: as given, or seconds since 1970 in UTC; or ""."""
    if isinstance(value, str):
        text = value.strip()[:40]
        try:
            datetime.fromisoformat(text)
        except ValueError:
            try:
                value = float(text)
            except ValueError:
                return day_of(text)
        else:
            return text
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1e8 < value < 1e14:
        return ""
    seconds = value / 1000 if value > 1e11 else value
    whole = datetime.fromtimestamp(int(seconds), UTC)
    return whole.isoformat().replace("+00:00", "Z")
