"""Plots in characters: nothing is nothing, little is something, the highest fills the room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtree.cli._plot import bar, columns, spark

AMOUNTS = st.floats(min_value=0, max_value=1e9)


@given(AMOUNTS, AMOUNTS, st.integers(0, 200), st.booleans())
def test_a_bar_never_leaves_its_room_and_little_is_still_seen(
    value: float, top: float, width: int, unicode: bool
) -> None:
    drawn = bar(value, top, width, unicode=unicode)
    assert len(drawn) <= width
    assert bool(drawn) == (value > 0 and top > 0 and width > 0)
    assert drawn.isascii() or unicode


def test_a_bar_is_as_long_as_its_share() -> None:
    assert bar(10, 10, 8, unicode=True) == "████████"
    assert bar(5, 10, 8, unicode=True) == "████"
    assert bar(1, 16, 8, unicode=True) == "▌"
    assert bar(5, 10, 8, unicode=False) == "####"


@given(st.lists(AMOUNTS, max_size=30), st.integers(1, 12), st.integers(1, 5), st.booleans())
def test_columns_stand_in_their_lines(
    values: list[float], height: int, wide: int, unicode: bool
) -> None:
    lines = columns(values, height=height, wide=wide, unicode=unicode)
    assert len(lines) == height
    assert all(len(line) <= len(values) * (wide + 1) for line in lines)
    bottom = lines[-1].ljust(len(values) * (wide + 1))
    for place, value in enumerate(values):
        assert (bottom[place * (wide + 1)] != " ") == (value > 0)


def test_the_highest_column_reaches_the_top_and_a_half_half_of_it() -> None:
    assert columns([4, 2, 0, 1], height=2, wide=1, unicode=True) == ["█", "█ █   ▄"]
    assert columns([4, 2, 0, 1], height=2, wide=2, unicode=False) == ["##", "## ##    ##"]


def test_a_sparkline_has_a_character_for_each_value() -> None:
    assert spark([0, 1, 4, 8], unicode=True) == " ▁▄█"
    assert spark([0, 0], unicode=True) == "  "
    assert spark([0, 8], unicode=False) == " #"
    assert spark([4], unicode=True, top=8) == "▄"
