from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.sources.dates import mentions

SAID = "2023-05-10"  # a Wednesday


def values(text: str, said: str = SAID) -> list[str]:
    return [mention.value for mention in mentions(text, said)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I went there yesterday.", "2023-05-09"),
        ("It was fun last night!", "2023-05-09"),
        ("See you tomorrow.", "2023-05-11"),
        ("We met this morning.", "2023-05-10"),
        ("The day before yesterday it rained.", "2023-05-08"),
        ("It is due the day after tomorrow.", "2023-05-12"),
        ("I moved two weeks ago.", "2023-04-24/2023-04-30"),
        ("I left 3 days ago.", "2023-05-07"),
        ("She died a year ago.", "2022"),
        ("He came two months ago.", "2023-03"),
        ("It broke a decade ago.", "2013"),
        ("We went camping two weekends ago.", "2023-04-29/2023-04-30"),
        ("In three days we leave.", "2023-05-13"),
        ("We meet two weeks from now.", "2023-05-22/2023-05-28"),
        ("I saw her last week.", "2023-05-01/2023-05-07"),
        ("I start next week.", "2023-05-15/2023-05-21"),
        ("Last weekend we hiked.", "2023-05-06/2023-05-07"),
        ("This past weekend was great.", "2023-05-06/2023-05-07"),
        ("We will hike this weekend.", "2023-05-13/2023-05-14"),
        ("We hiked over the weekend.", "2023-05-06/2023-05-07"),
        ("Last month I got hurt.", "2023-04"),
        ("Next month we go to Rome.", "2023-06"),
        ("I read it last year.", "2022"),
        ("I met her last Friday.", "2023-05-05"),
        ("Last Fri we talked.", "2023-05-05"),
        ("I joined last Tues.", "2023-05-09"),
        ("On Friday I got news.", "2023-05-05"),
        ("On Friday we will fly.", "2023-05-12"),
        ("It was on Wednesday.", "2023-05-03"),
        ("This coming Friday I'm off.", "2023-05-12"),
        ("Next Friday I'm off.", "2023-05-19"),
        ("It was on 7 May.", "2023-05-07"),
        ("It was on May 20th.", "2022-05-20"),
        ("We will marry on May 20th.", "2023-05-20"),
        ("Born on May 7th, 2013.", "2013-05-07"),
        ("The 4th of July, 2019 was hot.", "2019-07-04"),
        ("Released 2023-05-07T10:00.", "2023-05-07"),
        ("On 31/12/2022 it ended.", "2022-12-31"),
        ("I was there in May 2019.", "2019-05"),
        ("In early August we moved.", "2022-08"),
        ("We will move in August.", "2023-08"),
        ("Last August I told you.", "2022-08"),
        ("In 2019 we met.", "2019"),
        ("He died on 1 April 1412.", "1412-04-01"),
        ("I'd love to join for dinner on Thursday at 6.", "2023-05-11"),
        ("This weekend, there's a festival.", "2023-05-13/2023-05-14"),
        ("I have painted since 2016.", "2016"),
        ("Last summer we sailed.", "2022-06-01/2022-08-31"),
        ("In the winter of 2020 it snowed.", "2020-12-01/2021-02-28"),
        ("I was back on the 15th.", "2023-04-15"),
        ("I will be back on the 15th.", "2023-05-15"),
        ("We met last Christmas.", "2022-12-25"),
        ("Over the past two weeks I ran.", "2023-04-26/2023-05-10"),
    ],
)
def test_what_is_said_is_counted_from_the_day_it_was_said(text: str, expected: str) -> None:
    assert values(text) == [expected]


@pytest.mark.parametrize(
    "text", ["A few days ago I ran.", "the other day", "It was a while ago.", "on 5/7/2023"]
)
def test_what_is_vague_or_ambiguous_is_known_and_not_made_up(text: str) -> None:
    assert values(text) == [""]


@pytest.mark.parametrize(
    "text",
    [
        "I run every Friday.",
        "We may march in a group.",
        "It took two weeks.",
        "Seven years now.",
        "Room 2019 has 31 seats.",
        "Version 3.14 of 2020s style",
        "Step 2 may fail",
        "They fall in love.",
        "on 2023-13-45",
        "",
    ],
)
def test_what_is_no_date_is_left_alone(text: str) -> None:
    assert mentions(text, SAID) == []


def test_a_mention_says_where_it_stands_and_in_which_words() -> None:
    text = "I met Ann last Friday and Bob on 7 May 2023."
    found = mentions(text, SAID)
    assert [mention.words for mention in found] == ["last Friday", "7 May 2023"]
    assert all(text[m.span[0] : m.span[1]] == m.words for m in found)


def test_without_a_day_only_what_names_its_year_has_a_value() -> None:
    assert values("yesterday, in May 2019, on 7 May, last summer, in 2016", "") == [
        "", "2019-05", "", "", "2016",
    ]  # fmt: skip
    assert values("yesterday", "2023-05") == [""]


def test_the_ends_of_the_calendar_are_no_trouble() -> None:
    for said in ("0001-01-01", "9999-12-31"):
        for text in (
            "yesterday", "999 years ago", "in 999 decades", "last weekend", "last winter",
            "next month", "next Friday", "on the 31st", "last Christmas", "over the past year",
        ):  # fmt: skip
            assert all(isinstance(value, str) for value in values(text, said))


WORDS = st.sampled_from(
    [
        "last",
        "next",
        "this",
        "past",
        "on",
        "in",
        "the",
        "a",
        "few",
        "two",
        "31st",
        "7",
        "May",
        "March",
        "2023",
        "ago",
        "week",
        "weekend",
        "month",
        "year",
        "day",
        "Friday",
        "Sat.",
        "summer",
        "winter",
        "Christmas",
        "yesterday",
        "tomorrow",
        "will",
        "since",
        "of",
        ",",
        ".",
        "2023-02-30",
        "30/30/2023",
        "February 30",
        "early",
        "decades",
        "from now",
        "every",
    ]
)
VALUE = re.compile(r"|\d{4}(?:-\d\d(?:-\d\d(?:/\d{4}-\d\d-\d\d)?)?)?")


@given(st.lists(WORDS, max_size=12), st.dates().map(str))
def test_values_are_iso_dates_in_order_and_mentions_do_not_overlap(
    words: list[str], said: str
) -> None:
    text = " ".join(words)
    end = 0
    for mention in mentions(text, said):
        assert end <= mention.span[0] < mention.span[1]
        end = mention.span[1]
        assert text[mention.span[0] : end] == mention.words
        assert VALUE.fullmatch(mention.value)
        if len(mention.value) >= 10:
            days = [date.fromisoformat(part) for part in mention.value.split("/")]
            assert days == sorted(days)


@given(st.text(max_size=80), st.text(max_size=12))
def test_no_text_makes_it_raise(text: str, said: str) -> None:
    mentions(text, said)
