"""How often the times that `memtree.sources.dates` finds are the ones that were meant.

    ENV/bin/python benchmarks/date_mentions.py [--data ../shared/data] [--misses]

LoCoMo's temporal questions have answers like "7 May 2023" or "the week before 9 June 2023", and
name the turns that tell it. Each turn is read with the day on which it was said. A time fits when
it lies within the answer, or is a week at most and touches it. Answers that are no time ("four
years", "Seattle") are left out; so are, in the second figure, turns that name none.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from datetime import date, timedelta

from memtree.sources.calendar_spans import WEEKDAYS
from memtree.sources.dates import mentions

HERE = os.path.dirname(os.path.abspath(__file__))
Days = tuple[date, date]
_BEFORE = re.compile(
    r"(?:the )?(?P<what>weekend|week|two weekends|two weeks|\w+day) (?P<how>before|after|of) "
    r"(?P<day>.*)$",
    re.IGNORECASE,
)


def days_of(value: str) -> Days:
    """The first and the last day of a year, month, day or `first/last`."""
    if "/" in value:
        first, last = value.split("/")
        return date.fromisoformat(first), date.fromisoformat(last)
    if len(value) == 10:
        return date.fromisoformat(value), date.fromisoformat(value)
    year, month = int(value[:4]), int(value[5:] or 0)
    begin = date(year, month or 1, 1)
    after = date(year + (month in {0, 12}), month % 12 + 1 if month else 1, 1)
    return begin, after - timedelta(1)


def answered(answer: str) -> Days | None:
    """The days that an answer of the set allows, None when it is no time."""
    answer = re.sub(r"(\d)([A-Z])", r"\1 \2", answer).strip().rstrip(".")
    before = _BEFORE.match(answer)
    text = before["day"] if before else answer
    found = [m.value for m in mentions(text, "") + mentions(f"in {text}", "") if m.value]
    if not found:
        return None
    first, last = days_of(found[0])
    if before is None:
        return first, last
    what = before["what"].lower()
    if what in WEEKDAYS:
        back = (first.weekday() - WEEKDAYS.index(what)) % 7 or 7
        begin, end = -back, -back
    elif before["how"].lower() != "before":
        begin, end = (-7, 7) if before["how"].lower() == "of" else (1, 9)
    else:
        monday = -first.weekday()
        begin, end = {
            "weekend": (monday - 2, monday - 1),
            "two weekends": (monday - 9, monday - 8),
            "two weeks": (-21, -8),
        }.get(what, (min(monday, -1) - 7, -1))
    return first + timedelta(begin), first + timedelta(end)


def fits(value: str, meant: Days) -> bool:
    """Whether a time lies within what was meant, or is a week at most and touches it."""
    first, last = days_of(value)
    within = first >= meant[0] and last <= meant[1]
    return within or (first <= meant[1] and last >= meant[0] and (last - first).days <= 7)


def main() -> None:
    """Print how many answers are times, how many turns name one, and how many of these fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=os.path.join(HERE, "..", "..", "shared", "data"))
    parser.add_argument("--misses", action="store_true", help="print what did not fit")
    arguments = parser.parse_args()
    folder = os.path.join(arguments.data, "locomo_dev")
    with open(os.path.join(folder, "corpus.jsonl"), encoding="utf-8") as file:
        turns = {turn["id"]: turn for turn in map(json.loads, file)}
    with open(os.path.join(folder, "queries.jsonl"), encoding="utf-8") as file:
        asked = [q for q in map(json.loads, file) if q["category"] == "temporal"]
    times = named = right = 0
    for question in asked:
        meant = answered(question["answer"])
        if meant is None:
            continue
        times += 1
        told = [turns[turn] for turn in question["gold"] if turn in turns]
        found = [m for turn in told for m in mentions(turn["text"], turn["date"]) if m.value]
        named += bool(found)
        fit = any(fits(mention.value, meant) for mention in found)
        right += fit
        if arguments.misses and found and not fit:
            print(question["answer"], [(m.words, m.value) for m in found], question["text"])
    print(f"temporal questions: {len(asked)}, with a time as answer: {times}")
    print(f"turns that name a time: {named}, of which it fits: {right} ({right / named:.1%})")


if __name__ == "__main__":
    main()
