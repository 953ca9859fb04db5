"""How answers look: in a window, in a pipe, without colour, on an old code page."""

from __future__ import annotations

import io

import pytest

from memtree.cli._highlight import spans
from memtree.cli._progress import Progress
from memtree.cli._render import answer, table
from memtree.cli._terminal import Terminal, cells, clean, clean_block, cut, file_uri, pad, wrap
from memtree.knowledge.query import ABSENT, FOUND, Answer, Hit, Query, TierReport

TERMINAL_NAMES = (
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR_FORCE",
    "CLICOLOR",
    "TERM",
    "TERM_PROGRAM",
    "CI",
    "VTE_VERSION",
    "COLUMNS",
    "WT_SESSION",
    "KONSOLE_VERSION",
    "DOMTERM",
    "FORCE_HYPERLINK",
)


class Window(io.TextIOWrapper):
    """A stream that says it is a terminal, and remembers what it was sent."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TERMINAL_NAMES:
        monkeypatch.delenv(name, raising=False)


def sent(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode(stream.encoding)


def found(*, title: str = "Retry policy", snippet: str = "We retry three times.") -> Answer:
    hit = Hit(
        id="a1", path="ops/retry.md", title=title, score=0.91, tier="fulltext", snippet=snippet,
        lines=(12, 14),
    )  # fmt: skip
    return Answer(
        query=Query("how often do we retry"), status=FOUND, tier="fulltext", confidence=0.83,
        hits=[hit], tiers=[TierReport("fulltext", ms=1.0, sure=True, why="")], indexed=3,
        pending=0, ms=4.0,
    )  # fmt: skip


def absent(query: Query, *, indexed: int = 5) -> Answer:
    tiers = [TierReport("exact", ms=0.1, sure=False, why="no title, alias or id is this")]
    return Answer(
        query=query, status=ABSENT, tier="exact", confidence=0.0, hits=[], tiers=tiers,
        indexed=indexed, pending=0, ms=1.0,
    )  # fmt: skip


def test_a_pipe_gets_plain_text_with_place_and_lines() -> None:
    stream = io.StringIO()
    answer(Terminal(stream), found(), root="/t")
    text = stream.getvalue()
    assert "\x1b" not in text
    assert " 1. Retry policy\n    ops/retry.md:12-14\n    We retry three times.\n" in text
    assert "confidence 0.83" in text


def of_many(count: int) -> Answer:
    given = found()
    given.hits = [
        Hit(id=f"a{at}", path=f"ops/{at}.md", title=f"Note {at}", score=0.9, tier="fulltext",
            snippet=f"Passage {at}.")
        for at in range(count)
    ]  # fmt: skip
    given.answer = "Passage 0."
    return given


def test_a_terminal_gets_the_answer_first_and_then_a_few_places() -> None:
    stream = Window()
    answer(Terminal(stream), of_many(10), root="/t", verb="query", few=True)
    text = sent(stream)
    assert text.startswith("Passage 0.\n\n 1. Note 0\n")
    assert text.count("Passage 0.") == 1
    assert "Note 2" in text
    assert "Note 3" not in text
    assert "3 of 10 entries (--limit 10 shows all)" in text
    asked, piped = Window(), io.StringIO()
    answer(Terminal(asked), of_many(10), root="/t", verb="query")
    answer(Terminal(piped), of_many(10), root="/t", verb="query", few=True)
    assert "Note 9" in sent(asked)
    assert "Note 9" in piped.getvalue()


def test_a_terminal_gets_bold_titles_links_and_lit_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-kitty")
    stream = Window()
    answer(Terminal(stream), found(), root="/t")
    text = sent(stream)
    assert "\x1b[1mRetry policy\x1b[0m" in text
    assert "\x1b[1;31mretry\x1b[0m" in text
    assert "\x1b]8;;file://" in text
    assert "/t/ops/retry.md\x1b\\" in text


def test_a_terminal_that_is_not_known_to_show_links_gets_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "vt220")
    stream = Window()
    answer(Terminal(stream), found(), root="/t")
    assert "\x1b]8" not in sent(stream)


@pytest.mark.parametrize(
    ("environment", "is_tty", "colored"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0", "TERM": "xterm"}, False, False),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ({"CLICOLOR": "0", "TERM": "xterm"}, True, False),
    ],
)
def test_the_conventions_about_colour_are_honoured(
    environment: dict[str, str], is_tty: bool, colored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Terminal(Window() if is_tty else io.StringIO()).color is colored


def test_escape_sequences_in_a_note_never_reach_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    evil = "\x1b]0;owned\x07 \x1b[2J \x9b31m \u202egnp.exe \r overwritten \x08\x7f"
    stream = Window()
    answer(Terminal(stream), found(title=evil, snippet=evil), root="/t")
    text = sent(stream)
    for sign in ("\x1b]0", "\x07", "\x1b[2J", "\x9b", "\u202e", "\r", "\x08", "\x7f"):
        assert sign not in text
    assert "\\x1b]0;owned\\x07" in text


def test_cleaning_keeps_ordinary_text_of_every_script() -> None:
    text = "Grüße, 日本語, עברית, नमस्ते, 👩‍👩‍👧 “quoted”"
    assert clean(text) == text
    assert clean_block("a\tb\r\nc") == "a    b\nc"


def test_absence_is_said_with_what_was_tried_and_what_to_do_next() -> None:
    stream = io.StringIO()
    answer(Terminal(stream), absent(Query("the wifi password")), root="/t")
    text = stream.getvalue()
    assert "Absent: nothing in this tree answers 'the wifi password'." in text
    assert "exact  no title, alias or id is this" in text
    assert "Next:" in text


def test_absence_in_a_part_of_the_tree_suggests_the_whole() -> None:
    stream = io.StringIO()
    answer(Terminal(stream), absent(Query("wifi", scope="home")), root="/t")
    assert "under home" in stream.getvalue()
    assert "leave out `--in home`" in stream.getvalue()


def test_an_empty_tree_says_so_instead_of_absent() -> None:
    stream = io.StringIO()
    answer(Terminal(stream), absent(Query("wifi"), indexed=0), root="/t")
    assert "There is nothing in this tree yet" in stream.getvalue()


def test_wide_characters_are_counted_in_cells() -> None:
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
    assert cut("日本語のメモ", 7) == "日本..."
    assert cut("abc", 3) == "abc"
    assert pad("日本", 6) == "日本  "
    assert wrap("日本語のメモ", 6) == ["日本語", "のメモ"]
    assert wrap("one two three", 7) == ["one two", "three"]


def test_a_cut_is_never_wider_than_its_room() -> None:
    for width in range(12):
        assert cells(cut("日本語のメモと言葉", width)) <= width


def test_columns_line_up_over_wide_characters() -> None:
    stream = io.StringIO()
    table(Terminal(stream), [("日本", "x"), ("abcd", "y"), ("a", "z")])
    assert stream.getvalue() == "日本  x\nabcd  y\na     z\n"


def test_a_code_page_without_box_characters_gets_ascii() -> None:
    out = Terminal(io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert not out.unicode
    assert out.ellipsis.isascii()
    assert out.dot.isascii()


def test_a_link_cannot_be_ended_by_a_file_name() -> None:
    uri = file_uri("/notes/a b\x1b\\;日本.md")
    assert uri.isascii()
    assert "\x1b" not in uri
    assert ";" not in uri
    assert " " not in uri


@pytest.mark.parametrize(
    ("question", "text", "lit"),
    [
        ("retries", "We retry and retried.", ["retry", "retried"]),
        ("how do we deploy", "We deploy on Mondays; how nice.", ["deploy"]),
        ("café", "The CAFE opens.", ["CAFE"]),
        ("バックアップ方法", "毎時のバックアップを取る", ["バックアップ"]),
        ("HL-1042", "error HL-1042 and HL-1043", ["HL", "1042", "HL"]),
        ("version 3.14", "3.15 is not 3.14", ["3.14"]),
        ("stone", "state", []),
    ],
)
def test_the_words_of_the_question_and_their_forms_are_lit(
    question: str, text: str, lit: list[str]
) -> None:
    assert [text[start:end] for start, end in spans(text, question)] == lit


def test_progress_is_silent_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress._began -= 60
        progress("indexing", 1, 2)
    assert capsys.readouterr().err == ""


def test_progress_shows_after_a_second_and_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Window()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("COLUMNS", "40")
    with Progress() as progress:
        progress("indexing", 1, 4)
        assert sent(stream) == ""
        progress._began -= 60
        progress("indexing", 1, 4)
        assert "indexing 1 of 4 (25%), 180 s left" in sent(stream)
    assert sent(stream).endswith("\r" + " " * 39 + "\r")
