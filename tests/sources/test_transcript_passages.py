from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.knowledge.source import Passage
from memtree.sources.reading import Troubles, numbered
from memtree.sources.stamps import Order, day_of, iso_of, read_stamp
from memtree.sources.transcript import form_of, subtitle_passages, transcript_passages


def read(text: str, *, day: str = "") -> tuple[list[Passage], list[str]]:
    troubles = Troubles("-")
    lines = numbered(io.BytesIO(text.encode()), troubles)
    found = list(transcript_passages(lines, troubles, day=day))
    return found, [problem.message for problem in troubles.drain()]


def told(text: str, *, day: str = "") -> list[tuple[str, str, str]]:
    return [(p.speaker, p.time, p.text) for p in read(text, day=day)[0]]


def test_names_before_colons_are_speakers() -> None:
    found, _ = read("Ann: Hi, Bob!\nBob: Hi.\nHow are you?\nAnn: Fine: really.\nNote: no speaker\n")
    assert [(p.speaker, p.text, p.lines, p.turn) for p in found] == [
        ("Ann", "Hi, Bob!", (1, 1), 1),
        ("Bob", "Hi.\nHow are you?", (2, 3), 2),
        ("Ann", "Fine: really.\nNote: no speaker", (4, 5), 3),
    ]


def test_words_before_colons_in_an_answer_are_no_speakers() -> None:
    found, _ = read(
        "User: Which?\nAssistant: Two:\nRedis: fast\nKafka: big\nUser: Ok\nKafka: yes\n"
    )
    assert [(p.speaker, p.text) for p in found] == [
        ("User", "Which?"),
        ("Assistant", "Two:\nRedis: fast\nKafka: big"),
        ("User", "Ok\nKafka: yes"),
    ]


def test_somebody_who_joins_late_is_a_speaker() -> None:
    text = "Ann: a\nBob: b\n" * 300 + "EveLee: Hi\nAnn: Hi\n"
    assert [p.speaker for p in read(text)[0]][-2:] == ["EveLee", "Ann"]


def test_sessions_have_dates_and_count_their_turns() -> None:
    found, _ = read(
        "# Session 1 (8 May 2023, 1:56 pm)\nAnn: One.\nBob: Two.\n\n"
        "Session 2 - 2023-05-09\nAnn: Three.\nBob: Four.\n"
    )
    assert [(p.session, p.time, p.turn) for p in found] == [
        ("Session 1", "2023-05-08T13:56", 1),
        ("Session 1", "2023-05-08T13:56", 2),
        ("Session 2", "2023-05-09", 1),
        ("Session 2", "2023-05-09", 2),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            (
                "[2023-05-08 13:56] Ann: Hi\n[2023-05-08 13:57:08] Bob C.: Yo\nmore\n"
                "[2023-05-09T08:00Z] Ann: Ok\n"
            ),
            [
                ("Ann", "2023-05-08T13:56", "Hi"),
                ("Bob C.", "2023-05-08T13:57:08", "Yo\nmore"),
                ("Ann", "2023-05-09T08:00Z", "Ok"),
            ],
        ),
        (
            (
                "12/31/21, 11:59 PM - Ann: Hi\n1/1/22, 12:01 AM - Bob: Happy\nnew year\n"
                "1/1/22, 12:02 AM - Ann left\n1/1/22, 12:03 AM - Bob: Gone\n"
            ),
            [
                ("Ann", "2021-12-31T23:59", "Hi"),
                ("Bob", "2022-01-01T00:01", "Happy\nnew year"),
                ("Bob", "2022-01-01T00:03", "Gone"),
            ],
        ),
        (
            (
                "[31.12.21, 23:59:07] Ann: Hi\n[01.01.22, 00:01:08] Bob: Yo\n"
                "[01.01.22, 00:02:08] Ann: ok\n"
            ),
            [
                ("Ann", "2021-12-31T23:59:07", "Hi"),
                ("Bob", "2022-01-01T00:01:08", "Yo"),
                ("Ann", "2022-01-01T00:02:08", "ok"),
            ],
        ),
        (
            "# 2023-05-08\n13:56 <ann> hi\n13:57 <@bob> yo\n13:58 -!- eve joined\n13:59 <ann> ok\n",
            [
                ("ann", "2023-05-08T13:56", "hi"),
                ("bob", "2023-05-08T13:57", "yo"),
                ("ann", "2023-05-08T13:59", "ok"),
            ],
        ),
        (
            "May 8, 2023\n\nAnn Lee (1:56 pm): Hi\nBob (1:58 pm):\nYo\nAnn Lee (2:01 pm): ok\n",
            [
                ("Ann Lee", "2023-05-08T13:56", "Hi"),
                ("Bob", "2023-05-08T13:58", "Yo"),
                ("Ann Lee", "2023-05-08T14:01", "ok"),
            ],
        ),
        (
            "Ann Lee  1:56 PM\nHi there\nBob  1:58 PM\nYo\nmore\nAnn Lee  2:00 PM\nbye\n",
            [("Ann Lee", "", "Hi there"), ("Bob", "", "Yo\nmore"), ("Ann Lee", "", "bye")],
        ),
        (
            "**Ann:** Hi\n\n**Bob**: Yo\n\n**Ann:** ok\n",
            [("Ann", "", "Hi"), ("Bob", "", "Yo"), ("Ann", "", "ok")],
        ),
        (
            (
                "## User\n\nWhat is it?\n\n## Assistant\n\nIt is:\n\n# A heading\n\n- this\n\n"
                "## User\n\nOk\n"
            ),
            [
                ("User", "", "What is it?"),
                ("Assistant", "", "It is:\n\n# A heading\n\n- this"),
                ("User", "", "Ok"),
            ],
        ),
    ],
    ids=["stamped", "whatsapp-us", "whatsapp-eu", "irc", "named", "over", "bold", "roles"],
)
def test_the_many_ways_to_write_who_speaks(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert form_of(text.splitlines())
    assert told(text) == expected


def test_lines_of_the_application_are_left_out_and_told() -> None:
    _, troubles = read(
        "1/2/22, 10:01 - Ann: Hi\n1/2/22, 10:02 - Ann added Bob\n1/2/22, 10:03 - Ann: Yo\n"
    )
    assert troubles == ["a line of the application, by nobody"]


def test_a_message_without_a_time_has_the_day_of_the_source() -> None:
    assert told("Ann: a\nBob: b\nAnn: c\n", day="2023-05-08")[0] == ("Ann", "2023-05-08", "a")


@pytest.mark.parametrize(
    "text",
    [
        "We chose Redis.\nIt is fast: really fast.\nAll agree.\n",
        "Title: A\nDate: 2023-05-08\n\nSome text follows here.\nAnd goes on.\n",
        "Note: one\nWarning: two\nNote: three\nWarning: four\n",
        "Redis: a cache\nKafka: a log\nPostgres: a database\n",
        "",
    ],
)
def test_prose_with_colons_is_no_conversation(text: str) -> None:
    assert form_of(text.splitlines()) == ""


def test_subtitles_are_messages_of_their_voices() -> None:
    text = (
        "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ann>Hi <i>there</i>\n\n"
        "00:00:03.000 --> 00:00:04.000\n<v Ann>friends\n\n00:05.000 --> 00:06.000\n<v Bob>Yo\n"
    )
    lines = numbered(io.BytesIO(text.encode()), Troubles("-"))
    found = [(p.speaker, p.text, p.turn) for p in subtitle_passages(lines)]
    assert found == [("Ann", "Hi there\nfriends", 1), ("Bob", "Yo", 2)]


def test_day_and_month_are_told_apart_by_the_whole_chat() -> None:
    assert Order(["13/1/22", "1/2/22"]).month_first is False
    assert Order(["1/13/22", "1/2/22"]).month_first is True
    assert Order(["1/9/22", "1/10/22", "2/1/22"]).month_first is True  # else it goes back in time
    assert Order(["9/1/22", "10/1/22", "1/2/22"]).month_first is False
    assert Order(["1/2/22, 1:56 PM"]).month_first is True
    assert Order(["1/2/22, 13:56"]).month_first is False


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2023-05-08T13:56:07+02:00", "2023-05-08T13:56:07+02:00"),
        ("2023/5/8 1:56 pm", "2023-05-08T13:56"),
        ("12:01 am, 8 May 2023", "2023-05-08T00:01"),
        ("Monday, May 8th, 2023 at 13.56", "2023-05-08T13:56"),
        ("8.5.23, 13:56", "2023-05-08T13:56"),
        ("2023-05-08", "2023-05-08"),
        ("31/02/2023 10:00", ""),
        ("25:61", ""),
        ("13:56", ""),
    ],
)
def test_stamps_become_iso(stamp: str, expected: str) -> None:
    assert read_stamp(stamp, Order()) == expected


def test_a_clock_alone_belongs_to_the_day_before_it() -> None:
    assert read_stamp("13:56", Order(), "2023-05-08") == "2023-05-08T13:56"


@given(st.text(max_size=60))
def test_no_stamp_raises(text: str) -> None:
    assert isinstance(read_stamp(text, Order([text]), text), str)
    assert isinstance(day_of(text), str)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.binary()))
def test_a_time_of_a_record_is_iso_or_nothing(value: object) -> None:
    assert isinstance(iso_of(value), str)


PIECES = st.sampled_from(
    [
        "Ann: hi",
        "Bob: yo",
        "[2023-05-08 13:56] Ann: a",
        "1/2/22, 1:56 PM - Bob: b",
        "<ann> hi",
        "# Session 2",
        "## User",
        "## Assistant",
        "13:56 <bob> x",
        "2023-05-08",
        "Ann  1:56 PM",
        "",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=25))
def test_every_message_stands_at_its_lines(pieces: list[str]) -> None:
    data = "\n".join(pieces).encode("utf-8", "surrogatepass")
    known = dict(numbered(io.BytesIO(data), Troubles("-")))
    troubles = Troubles("-")
    for passage in transcript_passages(numbered(io.BytesIO(data), troubles), troubles):
        first, last = passage.lines
        stands = "\n".join(known[at] for at in range(first, last + 1))
        assert passage.text in stands
        assert passage.text.strip()
