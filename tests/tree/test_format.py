"""Reading and editing files: nothing raises, nothing is lost, nothing else changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memtree.errors import Refused
from memtree.tree.format import (
    edit_front_matter,
    find_front,
    new_document,
    read_document,
    replace_body,
)
from memtree.tree.front_matter import BadBlock, read_block, read_simple

KEYS = st.sampled_from(["title", "tags", "id", "x y", "ms.date", "naïve", "true", "0", "a:b", "日"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        [
            "yes", "on", "007", "1.10", "12:30", "2024-01-01", "a: b", "#x", "- a", "~", "[[P]]",
            "null", "'", '"', "a #b", "x:", "é\u0301", "\u2028", "@x",
        ]
    )
)  # fmt: skip
VALUES = SCALARS | st.lists(SCALARS, max_size=4) | st.dictionaries(KEYS, SCALARS, max_size=3)
LINES = st.sampled_from(
    [
        "title: A title", 'title: "Quoted: text"', "title: 'it''s'", "tags: [a, b c, 'd']", "tags:",
        "  - one", "- two", "  - 'three'  # why", "# a comment", "", "date: 2024-13-45", "t: 12:30",
        "octal: 007", "version: 1.10", "n: 5", "f: 0.5", "neg: -3", "flag: true", "on: yes",
        "empty:", "nothing: ~", "desc: >-", "    folded", "deep:", "  inner: 1", "x: a # comment",
        "bad: a: b", "\ttab: 1", "link: [[Page]]", "key : spaced", 'q: "a\\nb"', "u: ünï", "? odd",
        "a: &x 1", "b: *x", "l: [1, 1.0, yes]", "x: |", "...", "- - a", "m: {a: 1}", "e: []",
        'w: ["a", "b, c"]', "url: https://x.y/z#f", "s: a 'b' c", "c: x:y", "d: -", "g: - a",
    ]
)  # fmt: skip
BLOCKS = st.lists(LINES, max_size=8).map("\n".join).map(lambda text: text + "\n")
FILES = st.builds(
    lambda bom, block, end, body, newline: (
        f"{bom}---\n{block}{end}\n{body}".replace("\n", newline)
    ),
    st.sampled_from(["", "\ufeff"]),
    BLOCKS,
    st.sampled_from(["---", "...", "--- "]),
    st.sampled_from(["", "body", "body\n\n", "---\n", "# H\n\n---\nx\n"]),
    st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip


@given(st.binary() | FILES.map(str.encode) | st.text().map(str.encode))
def test_reading_never_raises_and_gives_back_the_same_bytes(raw: bytes) -> None:
    document = read_document(raw, "a.md")
    assert document.raw == raw
    assert document.text[: document.body_start] + document.body == document.text
    if not document.problems or document.problems[0].code not in ("invalid-utf8", "binary"):
        assert document.text.encode() == raw


@given(FILES | st.text())
def test_an_edit_of_nothing_changes_nothing(text: str) -> None:
    assert edit_front_matter(text, {}) == text
    meta = {key: value for key, value in find_front(text).meta.items() if value is not None}
    if meta:
        assert edit_front_matter(text, meta) == text


@given(FILES | st.text(), KEYS, VALUES)
@example("---\r\na: 1\r\n---\r\n", "0", {"x": None})
def test_an_edited_key_reads_back_and_every_other_line_stays(
    text: str, key: str, value: object
) -> None:
    try:
        edited = edit_front_matter(text, {key: value})
    except Refused:
        return
    before, after = find_front(text), find_front(edited)
    if value is None:
        assert key not in after.meta
    else:
        again = edit_front_matter(edited, {key: value})
        assert again == edited
    assert {k: v for k, v in after.meta.items() if k != key} == {
        k: v for k, v in before.meta.items() if k != key
    }
    if after.end:
        assert edited[after.body :] == text[before.body :]
    if key not in before.meta and before.end and value is not None:
        kept = text[before.start : before.end]
        assert edited[after.start : after.end].startswith(kept)


@given(KEYS, st.text(max_size=30) | st.booleans() | st.integers(-(10**9), 10**9))
def test_a_value_survives_being_written_and_read(key: str, value: object) -> None:
    meta = find_front(new_document({key: value}, "body")).meta
    assert meta == {key: value}


@given(BLOCKS)
@example("a:\n- b\n\n- c\n")
@example("a: b\n- c\n")
@example("a:\n  - b\n - c\n")
@example("a: [x,]\n")
@example("a: b\n  c\n")
def test_the_fast_way_agrees_with_yaml_on_everything_it_accepts(block: str) -> None:
    fast = read_simple(block)
    if fast is None:
        return
    try:
        slow = read_block(block)
    except BadBlock as bad:
        pytest.fail(f"accepted what is no YAML: {bad.message}")
    assert slow is not None
    assert repr(fast) == repr(slow.meta)
    assert not slow.duplicates


@given(st.text(st.sampled_from([*"ab:-#[]{},'\"\n \\>|&*!%@`?~0.19éж\t"])))
def test_the_fast_way_agrees_with_yaml_on_arbitrary_text(block: str) -> None:
    test_the_fast_way_agrees_with_yaml_on_everything_it_accepts.hypothesis.inner_test(block)  # type: ignore[attr-defined]


def test_a_bomb_costs_no_more_than_its_length() -> None:
    bombs = [
        "a: " + "[" * 30000 + "]" * 30000,
        "a:\n" + "- " * 20000 + "x",
        "a: &a [x]\n" + "".join(f"k{n}: &k{n} [*a, *a, *a]\n" for n in range(100)),
        "a0: &a0 {k: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 30)),
        "a: &a0 [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)),
        "r: &r [*r]",
        "a: !!python/object/apply:os.system ['id']",
        "a: " + "1" * 9999,
        "\n".join(" " * n + "a:" for n in range(300)),
        "a: " + "!" * 60000,
        "? " * 10000,
        "x: " + "'" * 60001,
    ]  # fmt: skip
    started = time.process_time()
    for bomb in bombs:
        read_document(f"---\n{bomb}\n---\nbody\n".encode(), "bomb.md")
    assert time.process_time() - started < 3


def test_a_file_of_fifty_megabytes_is_read_in_time() -> None:
    raw = b"---\ntitle: big\n---\n" + b"line of text\n" * 4_000_000
    started = time.process_time()
    document = read_document(raw, "big.md")
    assert document.meta == {"title": "big"}
    assert time.process_time() - started < 2


def test_a_rule_over_prose_is_not_front_matter() -> None:
    text = "---\n\nSome prose: with a colon\nand more\n\n---\nrest\n"
    document = read_document(text.encode(), "a.md")
    assert (document.meta, document.body, document.problems) == ({}, text, ())


def test_a_bad_block_is_a_finding_with_its_line_and_what_can_be_read_is() -> None:
    document = read_document(b"---\ntitle: a: b\ntags: [x]\n---\nbody\n", "a.md")
    assert document.meta == {"title": "a: b", "tags": ["x"]}
    assert [(p.line, p.code) for p in document.problems] == [(2, "bad-front-matter")]
    assert document.body == "body\n"


def test_an_appended_item_leaves_the_others_as_they_were() -> None:
    text = "---\ntags:\n- 'a'   # first\n# between\n-   b\n\nnext: 1\n---\n"
    assert edit_front_matter(text, {"tags": ["a", "b", "c"]}) == (
        "---\ntags:\n- 'a'   # first\n# between\n-   b\n- c\n\nnext: 1\n---\n"
    )
    flow = "---\ntags: [ 'a', \"b\" ]  # why\n---\n"
    assert edit_front_matter(flow, {"tags": ["a", "b", "c"]}) == (
        "---\ntags: [ 'a', \"b\", c ]  # why\n---\n"
    )


def test_an_edit_that_would_break_another_key_is_refused() -> None:
    text = "---\na: &x 1\nb: *x\n---\n"
    with pytest.raises(Refused):
        edit_front_matter(text, {"a": None})


def test_another_body_keeps_the_front_matter_and_the_line_ends() -> None:
    text = "\ufeff---\r\na: 1 # c\r\n---\r\nold\r\n"
    assert replace_body(text, "new\nlines\n") == "\ufeff---\r\na: 1 # c\r\n---\r\nnew\r\nlines\r\n"
    assert replace_body("just text", "other") == "other"
    assert replace_body("---\na: 1\n---", "b") == "---\na: 1\n---\nb"


def test_lines_are_counted_in_the_file() -> None:
    document = read_document(b"---\r\na: 1\r\n---\r\nbody", "a.md")
    assert (document.newline, document.body_line, document.bom) == ("\r\n", 4, False)
