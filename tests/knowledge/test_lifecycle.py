"""Recency is a pure function of a date and a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.knowledge.lifecycle import day_number, recency

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC).timestamp()


@given(st.dates(min_value=date(1583, 1, 1), max_value=date(9999, 12, 31)))
def test_days_are_counted_as_the_calendar_does(day: date) -> None:
    assert day_number(day.isoformat()) == (day - date(1970, 1, 1)).days


def test_recency_falls_to_a_third_in_a_month() -> None:
    assert recency("2026-11-22T12:00:00Z", NOW) == pytest.approx(1.0)
    assert recency("2026-10-23T12:00:00Z", NOW) == pytest.approx(exp(-1))
    assert recency("2030-01-01", NOW) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", "yesterday", "22.11.2026", "2026", "2026-1-1"])
def test_what_is_no_date_is_not_recent(text: str) -> None:
    assert recency(text, NOW) == 0.0
