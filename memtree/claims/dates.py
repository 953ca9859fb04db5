"""Dates in a statement, and the days that "yesterday" or "last week" may mean.

A date is a span of days, as long as it is vague: "May 2023" is the whole month. Pure functions: the
day on which something was said is an argument.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Span = tuple[int, int]
"""First and last day, as proleptic ordinals; month and day without a year are negative, see below.

A day without a year ("7 May") is (-MMDD, -MMDD): it fits that day of any year.
"""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero", "february feb februar fevrier février febrero",
            "march mar märz mars marzo", "april apr avril abril", "may mai mayo",
            "june jun juni juin junio", "july jul juli juillet julio", "august aug août agosto",
            "september sept sep septembre septiembre", "october oct oktober octobre octubre",
            "november nov novembre noviembre", "december dec dezember décembre diciembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = r"(?P<y>\d{4})[-/](?P<m>0?[1-9]|1[0-2])(?:[-/](?P<d>0?[1-9]|[12]\d|3[01]))?"
_DAY_FIRST = (
    rf"(?P<d2>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|\.)?(?:\s+(?:of|de))?\s+(?P<m2>{_MONTH})\.?"
    r"(?:,?\s+(?:of\s+|de\s+)?(?P<y2>[12]\d{3}))?"
)
_MONTH_FIRST = (
    rf"(?P<m3>{_MONTH})\.?\s+(?P<d3>0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?![\d:.])"
    r"(?:,?\s+(?:of\s+)?(?P<y3>[12]\d{3}))?"
)
_MONTH_YEAR = rf"(?P<m4>{_MONTH})\.?,?\s+(?:of\s+)?(?P<y4>[12]\d{{3}})"
_CJK = r"(?P<y5>[12]\d{3})\s?年(?:\s?(?P<m5>\d{1,2})\s?月(?:\s?(?P<d5>\d{1,2})\s?日)?)?"
_YEAR = r"(?<=\b(?:in|by|of) )(?P<y6>(?:19|20)\d\d)(?!\w|\.\d)"
_DATE = re.compile(
    rf"(?i)(?<![\w.])(?:{_ISO}(?:[T ]\d\d:\d\d(?::\d\d)?)?(?![\w-])|{_CJK}|{_DAY_FIRST}(?!\w)"
    rf"|{_MONTH_FIRST}(?!\w)|{_MONTH_YEAR}(?!\w)|{_YEAR})"
)
_DIGIT = re.compile(r"\d")


def dates_in(text: str) -> tuple[tuple[Span, ...], str]:
    """The dates that stand in a text, and the text without them."""
    if _DIGIT.search(text) is None:
        return (), text
    found: list[Span] = []

    def take(match: re.Match[str]) -> str:
        got = {name[0]: value for name, value in match.groupdict().items() if value}
        month = got.get("m", "")
        number = int(month) if month.isdecimal() else _MONTHS.get(month.casefold(), 0)
        span = _span(int(got.get("y", 0)), number, int(got.get("d", 0)))
        if span is None:
            return match.group()
        found.append(span)
        return " "

    rest = _DATE.sub(take, text)
    return tuple(found), rest


def _span(year: int, month: int, day: int) -> Span | None:
    try:
        if year and month and day:
            number = date(year, month, day).toordinal()
            return (number, number)
        if year and month:
            following = date(year + month // 12, month % 12 + 1, 1)
            return (date(year, month, 1).toordinal(), following.toordinal() - 1)
        if year:
            return (date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
    except ValueError:
        return None
    if month and day:
        return (-100 * month - day, -100 * month - day)
    return None


def span_of(stamp: str) -> Span | None:
    """The days of an ISO 8601 year, month, day, time or interval `a/b`; None when it is none."""
    first, _, last = stamp.strip().partition("/")
    begin = _stamp(first)
    end = _stamp(last) if last else begin
    if begin is None or end is None:
        return None
    return (begin[0], end[1]) if begin[0] <= end[1] else None


def _stamp(text: str) -> Span | None:
    match = re.match(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ].*)?$", text.strip())
    if match is None:
        return None
    year, month, day = (int(group or 0) for group in match.groups())
    return _span(year, month, day) if year else None


def fits(claimed: Span, said: Span) -> bool:
    """Whether a claimed date is within what was said, or equally vague: 7 May fits May 2023."""
    if claimed[0] < 0 or said[0] < 0:
        days = {_yearless(claimed), _yearless(said)}
        return None not in days and len(days) == 1
    return said[0] <= claimed[0] and claimed[1] <= said[1]


def _yearless(span: Span) -> int | None:
    if span[0] < 0:
        return span[0]
    if span[0] != span[1]:
        return None
    day = date.fromordinal(span[0])
    return -100 * day.month - day.day


_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CALENDAR = frozenset((*_MONTHS, *_DAYS))
"""Names of months and of days of the week, without case."""
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
           "seven": 7, "eight": 8, "nine": 9, "ten": 10, "couple": 2}  # fmt: skip
_UNITS = {"day": 1, "week": 7, "fortnight": 14, "weekend": 7, "month": 31, "year": 366}
_AGO = re.compile(
    r"(?i)\b(?:(?P<n>\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|couple)(?: of)?|"
    r"(?P<few>few|several|some))\s+(?P<unit>day|week|fortnight|month|year)s?\s+"
    r"(?P<way>ago|before|earlier|back|from now|later|after)\b"
    r"|\bin\s+(?P<n2>\d{1,3}|an?|one|two|three|four|five|six)\s+(?P<unit2>day|week|month|year)s?\b"
)
_NEAR = re.compile(
    r"(?i)\b(?P<which>last|past|previous|this|next|coming|following)\s+(?:few\s+|couple of\s+)?"
    rf"(?P<what>day|week|weekend|month|year|night|summer|winter|spring|fall|autumn|"
    rf"{'|'.join(_DAYS)}|{_MONTH})s?\b"
)
_WORDS = (
    (r"day before yesterday|vorgestern|avant-hier|anteayer|前天", -2, -2),
    (r"yesterday|last night|gestern|hier|ayer|ieri|昨天|昨日|어제", -1, -1),
    (r"day after tomorrow|übermorgen|后天", 2, 2),
    (r"tomorrow|morgen|demain|mañana|domani|明天|明日|내일", 1, 1),
    (r"today|tonight|this (?:morning|afternoon|evening)|right now|earlier|now", 0, 0),
    (r"heute|aujourd'hui|hoy|oggi|今天|今日|오늘", 0, 0),
    (r"recently|lately|the other day|just|kürzlich|récemment|recientemente|最近", -31, 0),
    (r"soon|shortly|upcoming|bald|bientôt|pronto", 0, 62),
)  # fmt: skip
_PATTERNS = tuple((re.compile(rf"(?i)(?<!\w)(?:{words})(?!\w)"), a, b) for words, a, b in _WORDS)
_WEEKDAY = re.compile(rf"(?i)\b(?:{'|'.join(_DAYS)})s?\b")


def relative_spans(text: str, said: Iterable[str]) -> tuple[Span, ...]:
    """The days that the relative dates in a text may mean, if it was said on one of these days.

    Generous where people are vague: "last week" is any day of the two weeks before.
    """
    spans: list[Span] = []
    for stamp in said:
        day = _stamp(stamp)
        if day is None:
            continue
        base = day[0]
        spans.append(day)
        spans += [(base + a, base + b) for pattern, a, b in _PATTERNS if pattern.search(text)]
        spans += [_counted(match, base) for match in _AGO.finditer(text)]
        spans += [_named(match, base) for match in _NEAR.finditer(text)]
        if _WEEKDAY.search(text):
            spans.append((base - 7, base + 7))
        without_year, _ = dates_in(text)
        spans += [near for span in without_year if span[0] < 0 for near in _near_year(span, base)]
    return tuple(spans)


def _counted(match: re.Match[str], base: int) -> Span:
    unit = (match["unit"] or match["unit2"]).lower()
    ahead = bool(match["n2"]) or (match["way"] or "").lower() in ("from now", "later", "after")
    count = match["n"] or match["n2"]
    length = _UNITS[unit]
    if count is None:
        near, far = length * 2, length * 9
    else:
        number = (
            _COUNTS.get(count.lower()) or int(count) if count.lower() in _COUNTS else int(count)
        )
        slack = 0 if unit == "day" else max(3, length * 2 // 3)
        near, far = number * length - slack, number * length + slack
    return (base + near, base + far) if ahead else (base - far, base - near)


def _named(match: re.Match[str], base: int) -> Span:
    which, what = match["which"].lower(), match["what"].lower()
    if what in _DAYS or what in ("day", "night"):
        length = 7
    elif what in _MONTHS or what in ("summer", "winter", "spring", "fall", "autumn"):
        length = 366
    else:
        length = _UNITS[what]
    if which in ("last", "past", "previous"):
        if what == "year":
            year = date.fromordinal(base).year - 1
            return (date(year, 1, 1).toordinal(), base)
        return (base - 2 * length, base)
    if which == "this":
        if what == "year":
            year = date.fromordinal(base).year
            return (date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal())
        return (base - length, base + length)
    if what == "year":
        year = date.fromordinal(base).year + 1
        return (base, date(year, 12, 31).toordinal())
    return (base, base + 2 * length)


def _near_year(span: Span, base: int) -> Iterable[Span]:
    month, day = divmod(-span[0], 100)
    this = date.fromordinal(base).year
    for year in (this - 1, this, this + 1):
        found = _span(year, month, day)
        if found is not None and abs(found[0] - base) <= 366:
            yield found


def shifted(day: int, days: int) -> date:
    """The date so many days after an ordinal."""
    return date.fromordinal(day) + timedelta(days=days)
