"""What DESIGN section 3 promises of importance, maturity, recency and their lift."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from memtree.knowledge.account import explain
from memtree.knowledge.lifecycle import (
    MATERIAL,
    MATURITIES,
    Policy,
    Settled,
    day_number,
    day_text,
    importance,
    last_day,
    life,
    lifted,
    maturity,
    recency_of,
    settle,
)

DAY = 20_000.0
values = st.floats(0, 100).map(lambda value: round(value, 2))
# Whole seconds, as days: what is written to a file and read back is the same day.
days = st.integers(0, 400 * 86_400).map(lambda seconds: DAY + seconds / 86_400)
real = st.sampled_from(["opened", "cited", "confirmed", "edited"])
uses = st.lists(st.tuples(days, real), max_size=12)
grown = st.sampled_from(MATURITIES)
policies = st.builds(
    Policy,
    opened=st.floats(0, 20),
    cited=st.floats(0, 20),
    confirmed=st.floats(0, 50),
    edited=st.floats(0, 50),
    decay=st.floats(0.9, 1),
    recency_days=st.floats(1, 300),
    lift=st.floats(0, 0.5),
)


def written(settled: Settled) -> tuple[float, str]:
    return settled.importance, settled.maturity


# -- The importance of an entry.


@given(values, days, days, days, policies)
def test_without_uses_importance_only_falls(
    value: float, settled: float, one: float, other: float, policy: Policy
) -> None:
    early, late = sorted([one, other])
    assert (
        importance(value, settled, [], late, policy)
        <= importance(value, settled, [], early, policy)
        <= value
    )


def test_importance_halves_in_about_five_months() -> None:
    assert importance(50, DAY, [], DAY + 138.3) == pytest.approx(25, abs=0.01)


@given(values, st.none() | days, uses, days, policies)
def test_importance_stays_from_0_to_100(
    value: float, settled: float | None, done: list[tuple[float, str]], now: float, policy: Policy
) -> None:
    assert 0 <= importance(value, settled, done, now, policy) <= 100


@given(values, st.none() | days, uses, days, days, policies)
def test_being_shown_changes_nothing(  # noqa: PLR0917  (drawn)
    value: float, settled: float | None, done: list[tuple[float, str]], at: float, now: float,
    policy: Policy,
) -> None:  # fmt: skip
    more = [*done, (at, "shown"), (at, "invented")]
    assert importance(value, settled, more, now, policy) == importance(
        value, settled, done, now, policy
    )
    assert last_day("", "", more, now) == last_day("", "", done, now)
    before = settle(value, "draft", settled, done, now, policy=policy)
    after = settle(value, "draft", settled, more, now, policy=policy)
    assert (written(before), before.used) == (written(after), after.used)


@given(values, st.none() | days, uses, st.tuples(days, real), days)
def test_a_real_use_never_lowers_importance_of_a_settled_entry(
    value: float, settled: float | None, done: list[tuple[float, str]], one: tuple[float, str],
    now: float,
) -> None:  # fmt: skip
    assume(settled is not None)
    with_it = importance(value, settled, [*done, one], now)
    assert with_it >= importance(value, settled, done, now) - 1e-9


@given(values, days)
def test_without_a_date_nothing_decays(value: float, now: float) -> None:
    assert importance(value, None, [], now) == value
    assert settle(value, "draft", None, [], now).importance == value


def test_the_first_use_starts_the_clock_of_an_entry_that_was_never_settled() -> None:
    use = [(DAY + 300, "opened")]
    assert importance(50, None, use, DAY + 300) == 53
    assert importance(50, None, use, DAY + 301) == pytest.approx(53 * 0.995)


@given(values, days, uses)
def test_uses_that_were_settled_or_lie_ahead_count_nothing(
    value: float, now: float, done: list[tuple[float, str]]
) -> None:
    assert importance(value, now, done, now) == value


@pytest.mark.parametrize(("event", "points"), [("opened", 3), ("cited", 3), ("confirmed", 5),
                                               ("edited", 5), ("shown", 0)])  # fmt: skip
def test_each_use_earns_its_points(event: str, points: float) -> None:
    assert importance(50, DAY, [(DAY + 1, event)], DAY + 1) == pytest.approx(50 * 0.995 + points)


# -- Its maturity.


@given(grown, st.floats(0, 100), st.booleans())
def test_a_maturity_does_not_flap(current: str, value: float, replaced: bool) -> None:
    once = maturity(current, value, replaced=replaced)
    assert maturity(once, value, replaced=replaced) == once


@given(grown, st.lists(st.floats(-2, 2), max_size=50), st.sampled_from([35.0, 60.0, 65.0, 85.0]))
def test_small_steps_about_a_threshold_change_maturity_twice_at_most(
    current: str, steps: list[float], bound: float
) -> None:
    seen = [current]
    for step in steps:
        seen.append(maturity(seen[-1], bound + step))
    assert sum(one != other for one, other in pairwise(seen)) <= 2


@pytest.mark.parametrize(
    ("current", "value", "then"),
    [("draft", 64.9, "draft"), ("draft", 65, "validated"), ("draft", 85, "core"),
     ("validated", 84.9, "validated"), ("validated", 35, "validated"), ("validated", 34.9, "draft"),
     ("core", 60, "core"), ("core", 59.9, "validated"), ("core", 34.9, "draft"),
     ("nonsense", 50, "draft")],
)  # fmt: skip
def test_thresholds_are_those_of_the_design(current: str, value: float, then: str) -> None:
    assert maturity(current, value) == then


@given(grown, st.floats(0, 100))
def test_what_is_replaced_is_a_draft_at_once(current: str, value: float) -> None:
    assert maturity(current, value, replaced=True) == "draft"


# -- ranking


@given(st.floats(0, 100), st.floats(0, 100), grown, grown, st.floats(0, 1), st.floats(0, 1))
def test_life_rises_with_each_of_its_three(  # noqa: PLR0917  (drawn)
    low: float, high: float, young: str, old: str, stale: float, fresh: float
) -> None:
    low, high = sorted([low, high])
    stale, fresh = sorted([stale, fresh])
    young, old = sorted([young, old], key=MATURITIES.index)
    least = life(low, young, stale)
    assert 0 <= life(low, young, stale, replaced=True) <= least
    assert least <= min(life(high, young, stale), life(low, old, stale), life(low, young, fresh))
    assert life(high, old, fresh) <= 1


def test_with_equal_text_the_more_alive_comes_first() -> None:
    usual = life(50, "draft", 0.5)
    assert usual < life(60, "draft", 0.5)
    assert usual < life(50, "validated", 0.5)
    assert usual < life(50, "draft", 0.6)
    assert life(100, "core", 1) == 1
    assert life(100, "core", 1, replaced=True) == 0


@given(st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1), policies)
def test_a_clearly_better_text_is_never_overtaken(
    score: float, dull: float, lively: float, policy: Policy
) -> None:
    better = score * (1 + policy.lift) * (1 + 1e-12)
    assert lifted(better, dull, policy) >= lifted(score, lively, policy)
    assert lifted(score, lively, policy) <= score * (1 + policy.lift) * (1 + 1e-12)


@given(st.floats(-1e6, 1e6), st.floats(0, 1), st.floats(0, 1))
def test_the_lift_rises_with_life_and_with_the_text(
    score: float, dull: float, lively: float
) -> None:
    dull, lively = sorted([dull, lively])
    assert lifted(score, dull) <= lifted(score, lively)
    assert lifted(score, lively) <= lifted(score + 1, lively)


@given(days, days, days, policies)
def test_recency_only_falls(last: float, one: float, other: float, policy: Policy) -> None:
    early, late = sorted([one, other])
    assert 0 <= recency_of(last, late, policy) <= recency_of(last, early, policy) <= 1
    assert recency_of(None, late, policy) == 0


def test_recency_counts_from_the_later_of_change_and_real_use() -> None:
    change, use = "2026-01-01", "2026-02-01T00:00:00Z"
    march = day_number("2026-03-01")
    assert march is not None
    assert last_day(change, use, [], march) == day_number(use)
    assert last_day(use, change, [(march, "cited")], march) == march
    assert last_day(change, "", [(march, "cited")], march - 1) == day_number(change)
    assert last_day("", "", [(march, "shown")], march) is None


# -- settling


@given(values, grown, st.none() | days, uses, days, st.booleans())
def test_settling_twice_is_settling_once(  # noqa: PLR0917  (drawn)
    value: float, current: str, settled: float | None, done: list[tuple[float, str]], now: float,
    replaced: bool,
) -> None:  # fmt: skip
    why = "superseded" if replaced else ""
    once = settle(value, current, settled, done, now, replaced=why)
    again = settle(
        once.importance, once.maturity, max(now, settled or now), done, now, replaced=why
    )
    assert written(again) == written(once)
    assert not again.material


@given(values, grown, days, uses, days, days, policies)
def test_settling_in_between_changes_nothing_but_rounding(  # noqa: PLR0917  (drawn)
    value: float, current: str, settled: float, done: list[tuple[float, str]], one: float,
    other: float, policy: Policy,
) -> None:  # fmt: skip
    between, now = sorted([one, other])
    assume(settled <= between)
    straight = settle(value, current, settled, done, now, policy=policy)
    halfway = settle(value, current, settled, done, between, policy=policy)
    stepped = settle(halfway.importance, halfway.maturity, between, done, now, policy=policy)
    assert stepped.importance == pytest.approx(straight.importance, abs=0.0151)
    assert stepped.maturity == straight.maturity or _near_a_threshold(
        value, settled, done, now, policy
    )


def _near_a_threshold(
    value: float, settled: float, done: list[tuple[float, str]], now: float, policy: Policy
) -> bool:
    """Whether some peak or trough on the way is as near to a threshold as rounding can move it."""
    moments = sorted({at for at, _ in done if settled < at <= now} | {settled, now})
    bounds = (35.0, 60.0, 65.0, 85.0)
    for moment in moments:
        for until in (moment, moment - 1e-9):
            there = importance(value, settled, done, until, policy)
            if any(abs(there - bound) < 0.02 for bound in bounds):
                return True
    return False


@given(values, grown, days, uses, days)
def test_only_what_is_material_would_be_written(
    value: float, current: str, settled: float, done: list[tuple[float, str]], now: float
) -> None:
    made = settle(value, current, settled, done, now)
    expected = abs(made.importance - value) >= MATERIAL or made.maturity != current
    assert made.material == expected
    assert bool(made.reasons) == (made.material or made.archive)


@given(values, grown, days, uses)
def test_nothing_is_settled_before_it_was_settled(
    value: float, current: str, settled: float, done: list[tuple[float, str]]
) -> None:
    made = settle(value, current, settled, done, settled - 1)
    assert written(made) == (value, current)
    assert not made.material
    assert not made.archive


def test_a_peak_between_two_settlings_counts() -> None:
    # 60 + 5 reaches validated, and decays to 56 within a month: it stays validated.
    made = settle(60.5, "draft", DAY, [(DAY + 0.01, "edited")], DAY + 30)
    assert made.importance < 60
    assert made.maturity == "validated"


def test_only_a_draft_is_archived() -> None:
    assert settle(50, "draft", DAY, [], DAY + 72).archive
    assert not settle(50, "draft", DAY, [], DAY + 71).archive
    fallen = settle(50, "validated", DAY, [], DAY + 72)
    assert (fallen.maturity, fallen.archive) == ("draft", True)


def test_settling_says_why() -> None:
    made = settle(70, "validated", DAY, [], DAY + 10, replaced="superseded by new.md")
    assert made.reasons == (
        "importance 70 to 66.58",
        "validated to draft: superseded by new.md",
    )


# -- in words


@given(values, grown, st.none() | days, uses, days, policies)
def test_the_parts_of_an_explanation_add_up(  # noqa: PLR0917  (drawn)
    value: float, current: str, settled: float | None, done: list[tuple[float, str]], now: float,
    policy: Policy,
) -> None:  # fmt: skip
    told = explain(value, current, settled, done, now, policy=policy)
    assert sum(part.points for part in told.parts) == pytest.approx(told.importance, abs=1e-4)
    made = settle(value, current, settled, done, now, policy=policy)
    assert told.maturity == made.maturity
    assert told.lift == policy.lift * told.life


def test_an_explanation_says_each_part() -> None:
    done = [(DAY + 1, "opened"), (DAY + 2, "opened"), (DAY + 3, "edited")]
    told = explain(50, "draft", DAY, done, DAY + 10, last=DAY + 3)
    assert [(part.name, round(part.points, 2)) for part in told.parts] == [
        ("start", 50.0), ("decay", -2.44), ("opened", 5.75), ("edited", 4.83),
    ]  # fmt: skip
    assert told.parts[0].words == "50 when settled on 2024-10-04"
    assert told.parts[1].words == "x0.995 a day for 10 days"
    assert told.recency_words == "last changed or used on 2024-10-07, 7 days ago"
    assert told.maturity_words == "validated at 65 (6.9 away), archived below 35 (23.1 away)"


def test_an_explanation_says_that_something_newer_stands_in_its_place() -> None:
    told = explain(90, "core", DAY, [], DAY, replaced="superseded by new.md")
    assert (told.maturity, told.life, told.maturity_words) == ("draft", 0, "superseded by new.md")


# -- days


@given(st.datetimes())
def test_a_time_is_read_to_the_millisecond(moment: object) -> None:
    text = str(moment)[:23].replace(" ", "T") + "Z"
    day = day_number(text)
    assert day is not None
    assert day_text(day) == text[:10]
    clock = text[11:].rstrip("Z").split(":")
    seconds = int(clock[0]) * 3600 + int(clock[1]) * 60 + float(clock[2])
    assert (day - day // 1) * 86_400 == pytest.approx(seconds, abs=0.002)


@pytest.mark.parametrize("text", ["", "2026-13", "²026-01-01", "1234567890", "2026/01/01"])
def test_what_is_no_date_has_no_day(text: str) -> None:
    assert day_number(text) is None
