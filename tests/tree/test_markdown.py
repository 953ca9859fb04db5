"""What the index sees of a file, with markdown-it as the oracle for headings and code blocks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from memtree.tree.format import read_document
from memtree.tree.markdown import MAX_BYTES, Parsed, parse_for_index
from memtree.tree.passages import MAXIMUM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

LINES = st.sampled_from(
    [
        "", "text", "more text #tag", "# One", "## Two ##", "### Three", "#### ", "#no heading",
        "####### seven", "```", "```py", "~~~", "````", "> quote", "> ```", "> # quoted", "- item",
        "1. item", "Setext", "===", "---", "***", "<!-- hidden", "-->",
        "<!-- one -->", " # indented",
        "   ## three", "| a | b |",
        "[[Link]]", "[a](b.md)", "`code #no`", "a\\", "# #", "-",
        "x" * 300,
    ]
)  # fmt: skip
BODIES = st.lists(LINES, max_size=40).map("\n".join)


def parsed(text: str, path: str = "folder/a-note.md") -> Parsed:
    return parse_for_index(path, text.encode())


@given(st.binary() | st.text().map(str.encode) | BODIES.map(str.encode))
def test_parsing_never_raises(raw: bytes) -> None:
    parse_for_index("a.md", raw)


@given(st.lists(LINES.filter(lambda line: "<!--" not in line and ">" not in line), max_size=30))
def test_headings_and_code_blocks_are_those_of_commonmark(lines: list[str]) -> None:
    # Lists and quotes nest by rules that a line scanner only follows in part.
    body = "\n" + "\n".join(line for line in lines if line[:2] not in ("- ", "1.", "-"))
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    assert token_headings(tokens) == [(line, level) for line, level, _ in parsed(body).headings]


def token_headings(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    return [
        ((token.map or [0])[0] + 1, int(token.tag[1]))
        for token in tokens
        if token.type == "heading_open" and token.level == 0
    ]


@given(BODIES, st.sampled_from(["", "---\ntitle: t\n---\n", "\ufeff", "---\r\na: 1\r\n---\r\n"]))
def test_passages_cover_the_body_in_order_and_point_at_their_text(body: str, front: str) -> None:
    text = front + body
    found = parsed(text)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    covered: set[int] = set()
    last = 0
    for _, passage, first_line, last_line in found.passages:
        assert last < first_line <= last_line
        assert passage == "\n".join(lines[first_line - 1 : last_line])
        assert 0 < len(passage) <= MAXIMUM
        covered.update(range(first_line, last_line + 1))
        last = last_line
    begin = read_document(text.encode(), "a.md").body_line
    missing = {n for n in range(begin, found.n_lines + 1) if lines[n - 1].strip()} - covered
    assert not missing


def test_a_long_entry_is_cut_at_headings_and_paragraphs() -> None:
    text = "# Top\n\nintro\n\n" + "".join(
        f"## Part {n}\n\n" + "A sentence of some words. " * 40 + "\n\n" for n in range(4)
    )
    found = parsed(text)
    assert [p[0] for p in found.passages] == ["Top"] + [f"Top > Part {n}" for n in range(1, 4)]
    assert found.passages[1][1].startswith("## Part 1")


def test_a_code_block_stays_whole_when_it_fits() -> None:
    code = "```\n" + "let x = 1;\n\n" * 150 + "```"
    text = "word " * 200 + "\n\n" + code + "\n\n" + "word " * 200
    assert any(code in passage[1] for passage in parsed(text).passages)


def test_a_line_of_any_length_is_cut() -> None:
    found = parsed("word " * 4000)
    assert max(len(p[1]) for p in found.passages) <= MAXIMUM
    assert {p[2] for p in found.passages} == {1}
    assert sum(p[1].count("word") for p in found.passages) == 4000
    assert all(len(p[1]) <= MAXIMUM for p in parsed("木" * 20000).passages)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Front\n---\n# Head\n", "Front"),
        ("## Second\n\n# *First* `code` [link](x.md) #\n", "*First* code link"),
        ("Setext\ntitle\n===\n", "Setext title"),
        ("```\n# not this\n```\n", "a note"),
        ("<!--\n# nor this\n-->\n", "a note"),
        ("", "a note"),
    ],
)
def test_the_title_is_the_front_matters_or_the_first_heading_or_the_name(
    text: str, title: str
) -> None:
    assert parsed(text).title == title


def test_an_index_file_is_named_by_its_folder() -> None:
    assert parse_for_index("architecture/http-retries/index.md", b"").title == "http retries"


def test_tags_come_from_the_front_matter_and_the_text_outside_of_code() -> None:
    text = (
        "---\ntags: [One, '#two']\n---\n#three and (#four/five) `#no` x#no #123 #a1 #two\n"
        "```\n#no\n```\n\n    #no\n\n#日本語。 #ünï-x/ <!-- #no -->\n"
    )
    assert parsed(text).tags == ["One", "two", "three", "four/five", "a1", "日本語", "ünï-x"]


def test_links_are_found_with_kind_line_and_relation() -> None:
    text = (
        "---\nrelated:\n  - a/b.md\n  - {rel: depends-on, to: c.md}\n  - '[[D|d]]'\n"
        "up: '[[E]]'\n---\n"
        "- uses [[F#part|f]] and ![[pic.png]]\n"
        '[g](g%20h.md "t") ![i](i.png) [![j](j.png)](k.md) [web](https://x.y) [here](#part)\n'
        "`[[no]]` ``[no](no.md)`` [[L]]\n"
        "[`m`](m.md) [n](<n o.md>) [p](p_(q).md)\nowner:: [[R]]\n\n[s]: s.md\n[t]: http://t.u\n"
    )
    assert parsed(text).links == [
        ("a/b.md", "related", 2, ""),
        ("c.md", "related", 2, "depends-on"),
        ("[[D|d]]", "related", 2, ""),
        ("[[E]]", "related", 6, "up"),
        ("F#part|f", "wiki", 8, "uses"),
        ("pic.png", "embed", 8, ""),
        ("g%20h.md", "markdown", 9, ""),
        ("i.png", "embed", 9, ""),
        ("j.png", "embed", 9, ""),
        ("k.md", "markdown", 9, ""),
        ("L", "wiki", 10, ""),
        ("m.md", "markdown", 11, ""),
        ("<n o.md>", "markdown", 11, ""),
        ("p_(q).md", "markdown", 11, ""),
        ("R", "wiki", 12, "owner"),
        ("s.md", "markdown", 14, ""),
    ]


def test_session_keys_of_a_transcript_stay_in_the_metadata() -> None:
    text = (
        "---\nspeaker: Ann\ntime: 2023-05-08T13:56\nsession: 4\nturn: 12\n"
        "questions: Who?\n---\nHi\n"
    )
    found = parsed(text)
    assert found.meta["speaker"] == "Ann"
    assert found.meta["time"] == "2023-05-08T13:56"
    assert (found.meta["session"], found.meta["turn"]) == (4, 12)
    assert found.questions == ["Who?"]


def test_a_binary_file_is_known_by_its_name_and_has_no_passages() -> None:
    found = parse_for_index("some-scan.md", b"\x89PNG\0\0" + bytes(range(256)))
    assert (found.title, found.passages) == ("some scan", [])
    assert [p.code for p in found.problems] == ["binary"]


def test_only_the_first_megabytes_of_a_huge_file_are_parsed() -> None:
    raw = "é line\n".encode() * (MAX_BYTES // 8 + 1000)
    found = parse_for_index("huge.md", raw)
    assert [p.code for p in found.problems] == ["oversize"]
    assert found.n_lines == MAX_BYTES // 8 + 1000


def test_invalid_utf8_is_a_finding_and_the_rest_is_read() -> None:
    found = parse_for_index("a.md", b"# T\n\ncaf\xe9 #tag\n")
    assert (found.title, found.tags) == ("T", ["tag"])
    assert [(p.line, p.code) for p in found.problems] == [(3, "invalid-utf8")]


@pytest.mark.parametrize(
    "part",
    [
        "[[a", "](a", "](", "![](a", "!]](b)", "`a", "``a](", "<!--](x", " #a", "#", "a\n===\n",
        "    [a](b)\n", "- ```\n", "> ", "> ```\n", "- ", "1. ", "[a]: b\n", "# [a](b", "- - ",
    ],
)  # fmt: skip
def test_no_text_costs_more_than_its_length(part: str) -> None:
    started = time.process_time()
    parsed(part * (400_000 // len(part)) + "](x) `` ``` -->")
    assert time.process_time() - started < 3
