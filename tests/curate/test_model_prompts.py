"""What a model reads: every word of the source, on the right lines, within the window."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_outlook import ToyOutlook, part_of, part_with
from toy_scripted import ToyModel

from memtree.curate import prompts
from memtree.curate.model import ModelCurator
from memtree.curate.parse import find_quote
from memtree.curate.schema import LINE_LETTERS, numbered, one_line, pick_folders
from memtree.errors import Unavailable
from memtree.knowledge.source import Passage

WORDS = st.sampled_from(
    ["alpha", "beta.", "gamma!", "日本。", "x" * 450, "- item", "\n", "\n", "#"]
)
TEXTS = st.lists(WORDS, max_size=30).map(" ".join)
KINDS = st.sampled_from(["prose", "item", "code", "message", "commit"])


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@settings(deadline=None)
@given(TEXTS, KINDS, st.integers(1, 50))
def test_every_letter_of_a_source_is_shown_once_on_the_lines_where_it_stands(
    text: str, kind: str, first: int
) -> None:
    rows = text.split("\n")
    passage = Passage(text=text, lines=(first, first + len(rows) - 1), kind=kind)
    lines = numbered((part_with([passage]),))
    assert letters("".join(line.text for line in lines)) == letters(text)
    for number, line in enumerate(lines, start=1):
        assert line.number == number
        assert len(line.text) <= LINE_LETTERS
        top, bottom = line.lines
        assert first <= top <= bottom < first + len(rows)
        assert letters(line.text) in letters("".join(rows[top - first : bottom - first + 1]))


@settings(deadline=None)
@given(TEXTS, KINDS)
def test_every_line_that_is_shown_can_be_quoted(text: str, kind: str) -> None:
    rows = text.count("\n")
    lines = numbered((part_with([Passage(text=text, lines=(1, 1 + rows), kind=kind)]),))
    for line in lines:
        if len(letters(line.text)) > 2:
            found = find_quote(line.text, lines, line.number)
            assert found is not None
            assert found[1][0] <= line.lines[0]


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=6), st.integers(540, 1500))
def test_no_call_is_longer_than_the_window_and_no_line_is_left_out(
    texts: list[str], window: int
) -> None:
    tree = ToyOutlook({f"a/b/{at}.md": (f"alpha {at}", ["alpha beta " * 9] * 6) for at in range(9)})
    part = part_of("\n\n".join(texts))
    model = ToyModel(['{"operations": []}'] * 200, window=window)
    proposal = ModelCurator(model).propose(part, tree)
    assert proposal.refusals == ()
    shown = "".join(
        line
        for prompt in model.prompts
        for line in re.findall(r"^\d+\| (.*)$", prompt.user, re.MULTILINE)
    )
    assert letters(shown) == letters("".join(passage.text for passage in part.passages))


def test_a_message_that_was_one_line_of_a_file_keeps_that_line() -> None:
    passage = Passage(text="One.\nTwo.\nThree.", lines=(7, 7), kind="message", speaker="Ana")
    assert {line.lines for line in numbered((part_with([passage]),))} == {(7, 7)}


def test_what_fills_a_template_is_not_looked_into() -> None:
    assert prompts.fill("{{a}} {{b}} {{c}}", a="{{b}}", b="x") == "{{b}} x {{c}}"


def test_a_prompt_that_is_not_installed_is_said() -> None:
    with pytest.raises(Unavailable, match="missing"):
        prompts.template("no-such-prompt")


def test_the_rules_are_short_enough_for_a_small_window() -> None:
    """About four letters to a token: a window of 2048 keeps most of itself for the source."""
    assert len(prompts.rules(("add", "update", "supersede"))) < 1600


def test_folders_nearby_come_first_and_those_that_are_no_places_are_left_out() -> None:
    paths = [
        "a/b/1.md",
        "a/b/2.md",
        "c/d/1.md",
        "c/d/e/1.md",
        "top.md",
        "x/1.md",
        "_archive/a/1.md",
    ]
    assert pick_folders(paths, ["c/d/1.md"]) == ("c/d", "a/b", "c/d/e")
    assert pick_folders(paths, [], most=1) == ("a/b",)


def test_one_line_keeps_words_apart_and_hides_nothing() -> None:
    assert one_line("a\u2028b\x1b[1m\tc\u202ed\u200be") == "a b [1m c d e"
