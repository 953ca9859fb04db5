from __future__ import annotations

import pytest
from attempts import ATTEMPTS, HARMLESS
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.safety.hidden import hidden, unhidden
from memtree.safety.injection import HARD, MILD, NONE, grade


@pytest.mark.parametrize("text", ATTEMPTS)
def test_an_attempt_to_give_orders_is_noticed(text: str) -> None:
    assert grade(text) >= MILD


def test_nearly_all_attempts_are_beyond_doubt() -> None:
    assert len(ATTEMPTS) >= 60
    assert sum(grade(text) == HARD for text in ATTEMPTS) >= 0.95 * len(ATTEMPTS)


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert grade(text) == NONE


@pytest.mark.parametrize("text", ATTEMPTS[:40])
def test_an_attempt_is_noticed_in_the_middle_of_a_long_text(text: str) -> None:
    filler = "The service retries three times before it gives up. " * 600
    assert grade(f"{filler}\n\n{text}\n\n{filler}") >= MILD


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_any_text_can_be_graded(text: str) -> None:
    assert grade(text) in (NONE, MILD, HARD)


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_what_was_cleared_of_hidden_characters_holds_none(text: str) -> None:
    once = unhidden(text)
    assert unhidden(once) == unhidden(unhidden(once))
    assert not any(0xE0000 <= ord(c) < 0xE0080 for c in once) or "\U0001f3f4" in once
    assert "\u202e" not in once


@pytest.mark.parametrize(
    "text",
    [
        "نمی\u200cخواهم",
        "👩\u200d💻 works",
        "❤\ufe0f",
        "क्\u200dष",
        "🏴\U000e0067\U000e0062\U000e007f",
        "plain\ttext\n",
    ],
)
def test_characters_that_writing_needs_stay(text: str) -> None:
    assert unhidden(text) == text
    assert hidden(text) == []


def test_hidden_characters_are_named_where_they_stand() -> None:
    assert hidden("ab\u202ecd") == [(2, "U+202E")]
    assert unhidden("pay\u202eload\u200b\x1b[31m") == "payload[31m"
