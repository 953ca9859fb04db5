"""An answer without a model quotes: nothing that is not in the file, and the lines are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.app import init_tree, open_tree
from memtree.retrieve.extract import LENGTH, QUOTES
from memtree.retrieve.sentences import pieces
from memtree.tree.markdown import parse_for_index

FERRY = """# Ferry

The ferry to Skerra leaves from pier 4. It was built in 1987 by Dr. A. Holm, e.g. for cars.
Tickets are sold on board!

| day | first boat |
|-----|------------|
| Sunday | 9:40 |
| Monday | 6:15 |

- Dogs travel free ^f1
- [x] Bicycles cost two crowns,
  also on Sundays

```sh
ferry --timetable winter
```
"""


def quoted(folder: Path, question: str) -> list[tuple[str, str, tuple[int, int]]]:
    """The quotes to a question, after checking that each stands where it says."""
    with open_tree(str(folder / "t")) as tree:
        answer = tree.query(question)
    assert answer.status == "found"
    for quote in answer.quotes:
        raw = (folder / "t" / quote.path).read_bytes().decode("utf-8-sig")
        lines = raw.replace("\r\n", "\n").split("\n")
        first, last = quote.lines
        assert quote.text in "\n".join(lines[first - 1 : last])
        assert quote.text.split("\n")[0] in lines[first - 1]
        assert quote.text.split("\n")[-1] in lines[last - 1]
        assert f"({quote.path}:{first}" in (answer.answer or "")
    assert len(answer.quotes) <= QUOTES
    return [(quote.text, quote.path, quote.lines) for quote in answer.quotes]


def tree_of(folder: Path, **files: str) -> Path:
    with init_tree(str(folder / "t")):
        pass
    for name, text in files.items():
        (folder / "t" / f"{name}.md").write_bytes(text.encode("utf-8"))
    return folder


@pytest.mark.parametrize(
    ("question", "said", "line"),
    [
        ("who built the ferry", "It was built in 1987 by Dr. A. Holm, e.g. for cars.", 3),
        ("first boat on Monday", "| Monday | 6:15 |", 9),
        ("dogs on the ferry", "Dogs travel free", 11),
        ("do bicycles cost crowns", "Bicycles cost two crowns,\n  also on Sundays", 12),
        ("ferry timetable winter", "ferry --timetable winter", 16),
    ],
)
@pytest.mark.parametrize("shape", ["plain", "crlf", "bom", "front"])
def test_the_sentence_item_row_or_line_that_answers_is_quoted_with_its_line(
    tmp_path: Path, question: str, said: str, line: int, shape: str
) -> None:
    text = FERRY
    if shape == "crlf":
        text = text.replace("\n", "\r\n")
    if shape == "bom":
        text = "\ufeff" + text
    if shape == "front":
        text, line = "---\ntype: note\ntags: [sea]\n---\n" + text, line + 4
    found = quoted(tree_of(tmp_path, ferry=text), question)
    first = [lines[0] for words, _, lines in found if said in words]
    assert first, found
    assert first[0] <= line


def test_words_of_a_script_without_spaces_are_quoted_by_the_sentence(tmp_path: Path) -> None:
    text = "待合室には椅子がある。発券端末は四台ある。窓口は九時に開く。\n"
    found = quoted(tree_of(tmp_path, port=text), "発券端末")
    assert found[0][0].startswith("発券端末は四台ある。")


def test_a_line_of_a_whole_file_is_quoted_in_part(tmp_path: Path) -> None:
    filler = "nothing of note happens in this long line, "
    text = filler * 40 + "the harpsichord is tuned to 415 hertz, " + filler * 40
    found = quoted(tree_of(tmp_path, music=text), "harpsichord tuned to 415 hertz")
    assert "harpsichord is tuned to 415 hertz" in found[0][0]
    assert sum(len(words) for words, _, _ in found) <= 2 * LENGTH


def test_a_question_of_two_steps_is_answered_from_two_entries(tmp_path: Path) -> None:
    folder = tree_of(
        tmp_path,
        holm="# Anders Holm\n\nAnders Holm was born in Tromvik. He liked herring.\n",
        ferry="# Ferry Skerra\n\nThe ferry Skerra was designed by Anders Holm. It is red.\n",
        other="# Lighthouse\n\nThe lighthouse has a lamp. It turns.\n",
    )
    found = quoted(folder, "where was Anders Holm, who designed the ferry Skerra, born")
    assert {path for _, path, _ in found} == {"holm.md", "ferry.md"}


def test_a_title_is_answered_by_how_its_entry_begins(tmp_path: Path) -> None:
    text = "# Boiler\n\nIt stands in the cellar. The boiler is checked in May.\n"
    found = quoted(tree_of(tmp_path, boiler=text), "boiler")
    assert found[0][0].startswith("It stands in the cellar.")


def test_when_something_was_said_is_told_with_it_where_a_time_is_asked(tmp_path: Path) -> None:
    text = "---\ntime: 2023-07-06T10:00\n---\nWe went to the picnic yesterday.\n"
    folder = tree_of(tmp_path, chat=text)
    with open_tree(str(folder / "t")) as tree:
        when = tree.query("when did we go to the picnic")
        what = tree.query("picnic yesterday")
    assert [quote.time for quote in when.quotes] == ["2023-07-06"]
    assert (when.answer or "").endswith("(chat.md:4, 2023-07-06)")
    assert [quote.as_dict().get("time") for quote in what.quotes] == [None]


def test_the_mark_between_texts_may_stand_in_a_text(tmp_path: Path) -> None:
    found = quoted(tree_of(tmp_path, odd="Beware of zqgapqz in a file.\n"), "beware of zqgapqz")
    assert found[0][0] == "Beware of zqgapqz in a file."


LINES = st.sampled_from(
    [
        "", " ", "# Head", "Setext", "-----", "=====", "- item one", "  goes on", "1. first. Then",
        "- [ ] to do", "| a | b |", "|---|---|", "| 1 | 2 |", "```", "~~~", "x = 1", "> said. So",
        "Alice: well. Yes?", "One. Two! Three?", "e.g. this", "東京は晴れ。雨！", "a" * 700,
        "word " * 90, "fact ^f3", "<!-- gone -->", "\ttab", "…", "\u2028", "\ufeff", "&#8203;",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(LINES, max_size=30),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\ufeff", "---\ntitle: x\n---\n"]),
)
def test_every_piece_stands_in_the_file_on_its_lines(
    lines: list[str], newline: str, head: str
) -> None:
    text = head + "\n".join(lines)
    parsed = parse_for_index("a.md", text.replace("\n", newline).encode())
    shown = text.split("\n")
    for _, passage, first, _ in parsed.passages:
        end = 0
        for piece in pieces(passage):
            words = passage[piece.start : piece.end]
            assert words == words.strip()
            assert words
            assert piece.start >= end, "pieces follow each other and never overlap"
            end = piece.end
            begin, last = first + piece.line, first + piece.last
            assert words in "\n".join(shown[begin - 1 : last])
            assert words.count("\n") == last - begin


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_any_text_at_all_can_be_cut(text: str) -> None:
    found = pieces(text)
    assert all(text[piece.start : piece.end].strip() for piece in found)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Mr. Holm left. He is back.", ["Mr. Holm left.", "He is back."]),
        ("It is 3.14 or so. Yes!", ["It is 3.14 or so.", "Yes!"]),
        ("G. S. Hall wrote it. (He did.) So", ["G. S. Hall wrote it.", "(He did.)", "So"]),
        ("See fig. 3 at p. 4. Then go", ["See fig. 3 at p. 4.", "Then go"]),
        ("晴れ。雨。", ["晴れ。", "雨。"]),
        ("Why?! Because.", ["Why?!", "Because."]),
    ],
)
def test_a_sentence_ends_where_a_reader_ends_it(text: str, sentences: list[str]) -> None:
    assert [text[piece.start : piece.end] for piece in pieces(text)] == sentences
