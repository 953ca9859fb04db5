from __future__ import annotations

import io
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from memtree.sources.prose import markdown_passages, text_passages
from memtree.sources.reading import MAX_LETTERS, Troubles, numbered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.knowledge.source import Passage
    from memtree.sources.reading import Line


def lines_of(text: str | bytes) -> Iterator[Line]:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return numbered(io.BytesIO(data), Troubles("-"))


def markdown(text: str) -> list[Passage]:
    return list(markdown_passages(lines_of(text)))


def test_paragraphs_keep_their_exact_text_and_lines() -> None:
    found = list(text_passages(lines_of("One line\n  wrapped.\n\n\nAnother.\r\n")))
    assert [(p.text, p.lines) for p in found] == [
        ("One line\n  wrapped.", (1, 2)),
        ("Another.", (5, 5)),
    ]


def test_front_matter_and_comments_are_left_out() -> None:
    found = markdown("---\ntitle: A\n---\n\nSaid.\n<!-- not\n\nsaid -->\nAfter.\n")
    assert [(p.text, p.lines) for p in found] == [("Said.", (5, 5)), ("After.", (9, 9))]


def test_a_rule_over_prose_is_no_front_matter() -> None:
    assert [p.text for p in markdown("---\nJust text here\n---\nMore.\n")][-1] == "More."
    assert [p.text for p in markdown("---\nno end\n")] == ["no end"]


def test_headings_of_both_kinds_make_the_trail() -> None:
    found = markdown("# A\n\none\n\nB [x](y)\n---\n\ntwo\n\n## **C** #\nthree\n\n# D\nfour\n")
    assert [(p.text, p.heading) for p in found] == [
        ("one", "A"),
        ("two", "A > B x"),
        ("three", "A > C"),
        ("four", "D"),
    ]


def test_every_list_item_is_a_passage_and_a_short_parent_is_a_heading() -> None:
    found = markdown("# T\n- Redis:\n  - uses LRU\n  - ttl\n    five\n- Kafka\n\nEnd.\n")
    assert [(p.text, p.kind, p.heading) for p in found] == [
        ("- Redis:", "item", "T"),
        ("  - uses LRU", "item", "T > Redis"),
        ("  - ttl\n    five", "item", "T > Redis"),
        ("- Kafka", "item", "T"),
        ("End.", "prose", "T"),
    ]


def test_code_is_one_passage_whatever_it_holds() -> None:
    found = markdown("```sh\n# no heading\n\n- no item\n```\n\n    indented\n\n    too\nText.\n")
    assert [(p.kind, p.lines) for p in found] == [
        ("code", (1, 5)),
        ("code", (7, 9)),
        ("prose", (10, 10)),
    ]
    assert not any(p.heading for p in found)


def test_a_table_stays_together() -> None:
    found = markdown("| a | b |\n|---|---|\n| 1 | 2 |\n")
    assert [(p.text, p.kind) for p in found] == [("| a | b |\n|---|---|\n| 1 | 2 |", "prose")]


def test_what_is_too_long_for_a_passage_is_cut_between_lines_or_words() -> None:
    line = "word " * 5_000
    found = list(text_passages(lines_of(line + "\n" + "short\n" * 3_000)))
    assert max(len(p.text) for p in found) <= MAX_LETTERS
    assert "".join(p.text for p in found).replace(" ", "").replace("\n", "") == (
        "word" * 5_000 + "short" * 3_000
    )
    assert found[0].lines == (1, 1)
    assert found[-1].lines[1] == 3_001


MARKS = st.sampled_from(
    [
        "#",
        "# a",
        "-",
        "- a",
        "  - b",
        "1. c",
        "```",
        "~~~",
        "> q",
        "---",
        "===",
        "...",
        "<!--",
        "-->",
        "| a | b |",
        "    x",
        "\tx",
        "text",
        "more text",
        "",
        "a: b",
        "[x](y)",
        "\r",
        "\x0b",
        "\x00",
    ]
)


@given(
    st.lists(st.one_of(MARKS, st.text(max_size=20)), max_size=30), st.sampled_from(["\n", "\r\n"])
)
def test_every_passage_stands_at_its_lines(pieces: list[str], end: str) -> None:
    data = end.join(pieces).encode("utf-8", "surrogatepass")
    known = dict(lines_of(data))
    for read in (text_passages, markdown_passages):
        last = 0
        for passage in read(lines_of(data)):
            first, end_ = passage.lines
            assert last < first <= end_
            assert passage.text == "\n".join(known[at] for at in range(first, end_ + 1))
            assert passage.text.strip()
            last = end_


@given(st.lists(st.text(max_size=12), max_size=20))
def test_plain_text_loses_nothing_but_empty_lines(pieces: list[str]) -> None:
    data = "\n".join(pieces).encode("utf-8", "surrogatepass")
    said = [line for _, line in lines_of(data) if line.strip()]
    assert "\n".join(p.text for p in text_passages(lines_of(data))).split("\n") == (said or [""])
