"""The days that an English text speaks of: `yesterday`, `last Friday`, `two weeks ago`.

What is relative is counted from the day on which it was said, and is as precise as it was said: a
week stays a week. What is vague ("a few days ago", "the other day") has no value: that a time is
meant is known, and which one is not made up. How often and how long ("every Friday", "for two
years") are no dates. Nothing is corrected: a text may be wrong about its own calendar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from memtree.sources import calendar_spans as cal
from memtree.sources.stamps import MONTH, MONTHS


class Mention(NamedTuple):
    """A time that a text speaks of.

    `span` is where (character offsets), `words` what stands there, `value` ISO 8601: a year,
    month, day, or two days as `first/last`; "" when it is vague or can't be counted.
    """

    span: tuple[int, int]
    words: str
    value: str


class _Scene(NamedTuple):
    """What a rule knows besides its words: the day, and past or future.

    `ahead` says that the words around speak of what is to come, `over` that they tell of the past.
    """

    day: date
    ahead: bool
    over: bool


Rule = Callable[[re.Match[str], _Scene], str]

_NUMBERS = {
    word: at
    for at, word in enumerate(
        ("zero one two three four five six seven eight nine ten eleven twelve").split()  # noqa: SIM905  (easier to read)
    )
} | {"a": 1, "an": 1, "fifteen": 15, "twenty": 20, "thirty": 30}
_COUNT = r"(?:\d{1,3}|" + "|".join(word for word in _NUMBERS if word != "zero") + ")"
_FEW = r"(?:a )?(?:few|couple(?: of)?|several|some|many|handful of)"
_UNIT = r"(?P<unit>day|night|week|weekend|month|year|decade)s?"
_WEEKDAY = r"(?P<weekday>monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_SHORT = r"(?P<weekday>mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)(?![a-z])\.?"
_SEASON = r"(?P<season>spring|summer|autumn|fall|winter)"
_FEAST = r"(?P<feast>" + "|".join(cal.FEASTS).replace("'", "['\u2019]") + ")"
_ORDINAL = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:1\d|20)\d{2})(?![\d-])"
_RECENT = r"(?P<year>(?:1[789]|20)\d{2})(?![\d-])"
_WHICH = r"(?P<which>last|this past|this coming|past|this|next|coming|upcoming)"
_PART = r"(?: (?:morning|afternoon|evening|night))?"
_NAMED = rf"(?P<month>{MONTH})(?![a-z])"

_FUTURE = re.compile(
    r"\b(?:will|won['\u2019]t|shall|going to|gonna|plan(?:s|ning)?|planned for|hop(?:e|ing) to"
    r"|wants? to|let['\u2019]s|can['\u2019]t wait|look(?:ing)? forward|see you|upcoming|coming up"
    r"|scheduled|due|deadline|starts|begins|leaves|leaving|book(?:ed)? (?:for|a)|until|till"
    r"|i['\u2019]m off|excited for|ready for|soon|about to)\b|['\u2019]ll\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|had|did|went|got|took|made|met|saw|came|left|said|told|found|began|won|lost|bought"
    r"|brought|thought|felt|gave|ran|held|became|heard|kept|built|flew|drove|ate|wrote|spent|taught"
    r"|caught|chose|broke|fell|drew|sold|sent|sang|slept|spoke|threw|wore|quit|led|\w{2,}ed)\b",
    re.IGNORECASE,
)
_STOPS = re.compile(r"[.!?;\n]\s|\n| [-\u2013\u2014] |\bbut\b")
_LIMIT = 20_000
"""Characters of a text that are looked at: a passage is shorter."""


def mentions(text: str, said: str) -> list[Mention]:
    """Return the times that `text` speaks of, in its order; they do not overlap.

    `said` is the day on which it was said (ISO 8601, a time of day may follow). Without a whole
    day there, only what names its year gets a value. English only. Never raises.
    """
    try:
        day: date | None = date.fromisoformat(said[:10])
    except ValueError:
        day = None
    text = text[:_LIMIT]
    found: list[Mention] = []
    for pattern, rule, relative in _RULES:  # what says more comes first, and takes its words
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other.span[1] and other.span[0] < end for other in found):
                continue
            clause = _clause(text, start, end)
            ahead = bool(_FUTURE.search(clause))
            scene = _Scene(day or date.min, ahead, not ahead and bool(_PAST.search(clause)))
            value = "" if day is None and relative else rule(match, scene)
            if value != _NONE:
                found.append(Mention((start, end), match[0], value))
    return sorted(found)


_NONE = "-"
"""What a rule returns for words that are no date after all."""


def _clause(text: str, start: int, end: int) -> str:
    """Return the words around a mention that say whether it is past or to come."""
    before = text[max(0, start - 160) : start]
    stops = [match.end() for match in _STOPS.finditer(before)]
    after = text[end : end + 80]
    stop = _STOPS.search(after)
    return before[stops[-1] if stops else 0 :] + " " + after[: stop.start() if stop else 80]


def _number(words: str) -> int:
    return int(words) if words.isdigit() else _NUMBERS.get(words.lower(), 0)


def _month_of(match: re.Match[str]) -> int:
    """Return the number of the month, 0 for `may` and `march`, which are words too."""
    name = match["month"]
    return 0 if name in {"may", "mar", "march"} else MONTHS[name[:3].lower()]


def _iso(match: re.Match[str], _: _Scene) -> str:
    return cal.named_day(int(match[1]), int(match[2]), int(match[3])) or _NONE


def _slashed(match: re.Match[str], _: _Scene) -> str:
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    if first > 12 or second > 12 or first == second:
        month, day = (second, first) if first > 12 else (first, second)
        return cal.named_day(year, month, day) or _NONE
    return ""  # 5/7/2023 is in May here and in July there


def _dated(match: re.Match[str], scene: _Scene) -> str:
    """Read day and month, with or without a year."""
    month, day = _month_of(match), int(match["day"])
    if match["year"]:
        return cal.named_day(int(match["year"]), month, day) or _NONE
    if scene.day == date.min and month:
        return ""
    value = cal.named_day(2024, month, day)  # a leap year: does the day exist at all
    if not value:
        return _NONE
    years = [
        scene.day.year + step for step in ((0, 1, 2, 3, 4) if scene.ahead else (0, -1, -2, -3))
    ]
    today = scene.day.isoformat()
    for number in years:
        value = cal.named_day(number, month, day)
        if value and (value >= today if scene.ahead else value <= today):
            return value
    return ""


def _in_month(match: re.Match[str], scene: _Scene) -> str:
    month = _month_of(match)
    groups = match.groupdict()
    if groups.get("year"):
        return cal.named_month(int(match["year"]), month) or _NONE
    if not month:
        return _NONE
    if scene.day == date.min:
        return ""
    which = (groups.get("which") or "").lower()
    here = scene.day.month
    if which in {"last", "past", "this past"}:
        year = scene.day.year - (month >= here)
    elif which in {"next", "coming", "upcoming", "this coming"}:
        year = scene.day.year + (month <= here)
    elif which == "this":
        year = scene.day.year
    else:
        year = scene.day.year + ((month < here) if scene.ahead else -(month > here))
    return cal.named_month(year, month)


def _in_season(match: re.Match[str], scene: _Scene) -> str:
    groups = match.groupdict()
    name = match["season"]
    if groups.get("year"):
        return cal.season(int(match["year"]), name)
    if scene.day == date.min:
        return ""
    which = (groups.get("which") or "").lower()
    today = scene.day.isoformat()
    near = [cal.season(scene.day.year + step, name) for step in (-2, -1, 0, 1)]
    over = [value for value in near if value and value[11:] < today]
    to_come = [value for value in near if value and value[:10] > today]
    now = [value for value in near if value and value[:10] <= today <= value[11:]]
    if which in {"last", "past", "this past"}:
        return over[-1] if over else ""
    if which in {"next", "coming", "upcoming", "this coming"}:
        return to_come[0] if to_come else ""
    if now:
        return now[0]
    return (to_come[:1] if scene.ahead or which == "this" else over[-1:] or [""])[0]


def _feast(match: re.Match[str], scene: _Scene) -> str:
    month, day = cal.FEASTS[match["feast"].lower().replace("\u2019", "'")]
    groups = match.groupdict()
    if groups.get("year"):
        return cal.named_day(int(match["year"]), month, day)
    which = (groups.get("which") or "").lower()
    this = cal.named_day(scene.day.year, month, day)
    today = scene.day.isoformat()
    ahead = scene.ahead or which in {"next", "coming", "upcoming", "this coming", "this"}
    if which in {"last", "past", "this past"}:
        ahead = False
    step = (this < today) if ahead else -(this > today)
    return cal.named_day(scene.day.year + step, month, day)


def _ago(match: re.Match[str], scene: _Scene) -> str:
    return _away(scene.day, -_number(match["count"]), match["unit"])


def _ahead_by(match: re.Match[str], scene: _Scene) -> str:
    return _away(scene.day, _number(match["count"]), match["unit"])


def _away(day: date, count: int, unit: str) -> str:
    unit = unit.lower()
    if unit in {"day", "night"}:
        return cal.iso(cal.moved(day, count))
    if unit == "week":
        return cal.week(day, count)
    if unit == "weekend":
        # On a weekend, or after it, "a weekend ago" is the one before; ahead, this one is first.
        return cal.weekend(day, count if count < 0 else count - (day.weekday() < 5))
    if unit == "month":
        return cal.month(day, count)
    return cal.year(day, count * (10 if unit == "decade" else 1))


def _over(match: re.Match[str], scene: _Scene) -> str:
    """Read `in the last two weeks`: from then until now."""
    count, unit = _number(match["count"] or "1"), match["unit"].lower()
    if unit in {"weekend", "night"}:
        return _NONE
    days = {"day": 1, "week": 7, "month": 30, "year": 365, "decade": 3652}[unit]
    return cal.span(cal.moved(scene.day, -count * days), scene.day)


def _which(match: re.Match[str], scene: _Scene) -> str:
    """Read `last week`, `this weekend`, `next month`."""
    which, unit = match["which"].lower(), match["unit"].lower()
    step = -1 if which in {"last", "past", "this past"} else 0 if which == "this" else 1
    if unit in {"day", "decade"}:
        return _NONE
    if unit == "night":
        return cal.iso(cal.moved(scene.day, min(step, 0)))
    if unit == "weekend":
        # Monday to Friday the coming one is this weekend's; told of in the past, the last one.
        past = which == "this" and scene.day.weekday() < 3 and scene.over
        step = -1 if past else step - (which in {"coming", "upcoming", "this coming"})
        return cal.weekend(scene.day, step)
    return _away(scene.day, step, unit)


def _the_weekend(_: re.Match[str], scene: _Scene) -> str:
    in_it = scene.day.weekday() >= 5
    return cal.weekend(scene.day, 0 if in_it or not scene.over else -1)


def _weekday(match: re.Match[str], scene: _Scene) -> str:
    which = (match.groupdict().get("which") or "").lower()
    short = (match["weekday"] or match["short"])[:3].lower()
    number = next(at for at, name in enumerate(cal.WEEKDAYS) if name.startswith(short))
    if which == "next":
        return cal.iso(cal.moved(scene.day, 7 - scene.day.weekday() + number))
    past = which in {"last", "past", "this past"} or (
        scene.over and which not in {"coming", "upcoming", "this coming"}
    )
    return cal.weekday(scene.day, number, past=past)


def _day_word(match: re.Match[str], scene: _Scene) -> str:
    word = match[0].lower()
    steps = {"day before yesterday": -2, "day after tomorrow": 2, "yesterday": -1, "tomorrow": 1}
    step = next((step for name, step in steps.items() if name in word), 0)
    return cal.iso(cal.moved(scene.day, step))


def _of_month(match: re.Match[str], scene: _Scene) -> str:
    """Read `on the 15th`: the one that was last, or that comes next."""
    day, today = int(match["day"]), scene.day.isoformat()
    for step in range(12):
        value = cal.month(scene.day, step if scene.ahead else -step)
        value = cal.named_day(int(value[:4]), int(value[5:]), day) if value else ""
        if value and (value >= today if scene.ahead else value <= today):
            return value
    return _NONE


def _year(match: re.Match[str], _: _Scene) -> str:
    return match["year"]


def _vague(_: re.Match[str], __: _Scene) -> str:
    return ""


def _rule(pattern: str, rule: Rule, *, relative: bool) -> tuple[re.Pattern[str], Rule, bool]:
    return re.compile(rf"(?<![\w/])(?:{pattern})(?![\w/])", re.IGNORECASE), rule, relative


_OF = r"(?:the )?(?:(?:early|late|mid|beginning of|end of|start of|middle of)[ -])?"
_OPEN_MONTH = r"(?:in|since|by|until|till|during|before|after|around|through)"
_OPEN = r"(?:in|since|by|until|till|during|from|before|after|around|of|for|to|through)"
_RULES = (
    _rule(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:T[\d:]+Z?)?", _iso, relative=False),
    _rule(r"(\d{1,2})[./](\d{1,2})[./]((?:19|20)\d{2})", _slashed, relative=False),
    _rule(rf"(?:the )?{_ORDINAL}(?: of)?,? {_NAMED},?(?: {_YEAR})?", _dated, relative=False),
    _rule(
        rf"{_NAMED} (?:the )?{_ORDINAL}(?![\d:])(?:,? {_YEAR})?(?! ?[ap]m\b)",
        _dated,
        relative=False,
    ),
    _rule(rf"{_OF}{_NAMED}(?: of)?,? {_YEAR}", _in_month, relative=False),
    _rule(rf"{_OPEN_MONTH} {_OF}{_NAMED}", _in_month, relative=False),
    _rule(rf"{_WHICH} {_NAMED}", _in_month, relative=True),
    _rule(rf"(?:early|late|mid|end of|beginning of)[ -]{_NAMED}", _in_month, relative=True),
    _rule(rf"{_OF}{_SEASON}(?: of)?,? {_YEAR}", _in_season, relative=False),
    _rule(rf"{_WHICH} {_SEASON}", _in_season, relative=True),
    _rule(rf"(?:during|in|over) (?:the )?{_SEASON}", _in_season, relative=True),
    _rule(rf"{_FEAST},? {_YEAR}", _feast, relative=False),
    _rule(rf"(?:{_WHICH}|on|at|over|for) {_FEAST}", _feast, relative=True),
    _rule(
        rf"(?:{_OPEN}|back in|the year|early|mid|late)[ -](?:the )?{_RECENT}(?!s)",
        _year,
        relative=False,
    ),
    _rule(
        rf"(?:about |around |over |nearly |almost )?(?P<count>{_COUNT}) {_UNIT} (?:ago|back)",
        _ago,
        relative=True,
    ),
    _rule(rf"(?:in )?(?P<count>{_COUNT}) {_UNIT} from now", _ahead_by, relative=True),
    _rule(rf"in (?:about )?(?P<count>{_COUNT}) {_UNIT}(?! of\b)", _ahead_by, relative=True),
    _rule(
        rf"{_FEW} \w+ (?:ago|back)|the other (?:day|week|night|weekend)"
        r"|(?:ages|a while|a long time|long) (?:ago|back)",
        _vague,
        relative=True,
    ),
    _rule(
        rf"(?:in|over|during|within|for) the (?:last|past) (?:(?P<count>{_COUNT}) )?{_UNIT}",
        _over,
        relative=True,
    ),
    _rule(rf"(?:in|over|during|for) the (?:last|past|next) {_FEW} \w+", _vague, relative=True),
    _rule(rf"(?:the )?(?:earlier |later )?{_WHICH} {_UNIT}", _which, relative=True),
    _rule(r"(?:on|over|during|at|for) the weekend", _the_weekend, relative=True),
    _rule(
        rf"{_WHICH} (?:{_WEEKDAY}|{_SHORT.replace('weekday', 'short')}){_PART}",
        _weekday,
        relative=True,
    ),
    _rule(rf"(?<!every )(?<!each )(?:on )?{_WEEKDAY}{_PART}", _weekday, relative=True),
    _rule(
        r"(?:the )?day before yesterday|(?:the )?day after tomorrow"
        r"|(?:yesterday|tomorrow|today)(?: (?:morning|afternoon|evening|night))?"
        r"|tonight|this (?:morning|afternoon|evening)",
        _day_word,
        relative=True,
    ),
    _rule(
        r"on the (?P<day>\d{1,2})(?:st|nd|rd|th)(?! (?:of|floor|page|place|anniversary|birthday))",
        _of_month,
        relative=True,
    ),
)
