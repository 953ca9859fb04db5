"""Dates that a question names, against the time of a note. Hot: imports nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.candidate import Question

Dates = tuple[set[int], set[int], set[int]]
"""Years, months (1 to 12) and days (1 to 31) that a question names; any may be empty."""


def dates_in(question: Question) -> Dates | None:
    """Years, months and days in a question; None without year or month.

    Understood: 2022, "May 2023", "7 May 2023", "May 7th", 20230507, 2023-05-07. Names of months
    come from the language's table.
    """
    months_by_stem: dict[str, int] = getattr(question.english, "MONTHS", {})
    doubtful: frozenset[str] = getattr(question.english, "DOUBTFUL_MONTHS", frozenset())
    years: set[int] = set()
    months: set[int] = set()
    days: set[int] = set()
    unsure: set[int] = set()
    numeric = _numeric(question.words, years, months, days)
    for word, token in zip(question.words, question.tokens, strict=True):
        if token in doubtful:
            unsure.add(months_by_stem[token])
        elif token in months_by_stem:
            months.add(months_by_stem[token])
        elif word[-2:] in {"st", "nd", "rd", "th"}:
            _add_day(word[:-2], days)
        elif not numeric:
            _add_day(word, days)
    if unsure and (years or days):
        months |= unsure
    if not months:
        days = set()
    return (years, months, days) if years or months else None


def _numeric(words: tuple[str, ...], years: set[int], months: set[int], days: set[int]) -> bool:
    """Read years, 20230507 and 2023-05-07; True when whole dates stood there."""
    whole = False
    for at, word in enumerate(words):
        if not (word.isascii() and word.isdigit()) or word[:2] not in {"19", "20"}:
            continue
        if len(word) == 8:
            years.add(int(word[:4]))
            months.add(int(word[4:6]))
            days.add(int(word[6:]))
            whole = True
        elif len(word) == 4:
            years.add(int(word))
            rest = words[at + 1 : at + 3]
            if len(rest) == 2 and all(len(w) == 2 and w.isascii() and w.isdigit() for w in rest):
                months.add(int(rest[0]))
                days.add(int(rest[1]))
                whole = True
    return whole


def _add_day(word: str, days: set[int]) -> None:
    if word.isascii() and word.isdigit() and len(word) <= 2 and 1 <= int(word) <= 31:
        days.add(int(word))


def date_match(dates: Dates, time: str) -> float:
    """How well an ISO 8601 time fits, 0 to 1; 0 for what is no time."""
    years, months, days = dates
    if not (time[:4].isdecimal() and time[5:7].isdecimal() and time[8:10].isdecimal()):
        return 0.0
    if (years and int(time[:4]) not in years) or (months and int(time[5:7]) not in months):
        return 0.0
    if not days:
        return 1.0 if months else 0.5
    # People tell of a day on the day itself, or soon after.
    apart = min(abs(int(time[8:10]) - day) for day in days)
    if apart <= 1:
        return 0.6 if apart else 1.0
    return 0.4 if apart <= 7 else 0.2
