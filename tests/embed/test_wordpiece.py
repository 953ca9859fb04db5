from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.embed.wordpiece import WordPiece, longest_in, words

# What the published tokenizer (`tokenizers` 0.23, vocabulary of BERT uncased) makes of each text.
RECORDED = json.loads(Path(__file__).with_name("wordpiece.json").read_text("utf-8"))
# All pieces in it: greedy cutting chooses the same from a part that holds every choice.
VOCABULARY = {
    token: number
    for number, token in enumerate(
        sorted({token for row in RECORDED for token in row["tokens"]} - {"[UNK]"}), start=1
    )
}
UNKNOWN = 0
TOKENS = {UNKNOWN: "[UNK]"} | {number: token for token, number in VOCABULARY.items()}


def tokens_of(text: str, *, limit: int = 10_000) -> list[str]:
    numbers = WordPiece(longest_in(VOCABULARY)).numbers(text, unknown=UNKNOWN, limit=limit)
    return [TOKENS[number] for number in numbers]


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: ascii(row["text"])[:40])
def test_a_text_is_cut_as_the_published_tokenizer_cuts_it(row: dict[str, object]) -> None:
    assert tokens_of(str(row["text"])) == row["tokens"]


def test_names_of_special_tokens_in_a_text_are_text() -> None:
    assert words("[CLS] [MASK]") == ["[", "cls", "]", "[", "mask", "]"]


def test_a_word_that_cannot_be_cut_to_its_end_is_one_unknown() -> None:
    piece = WordPiece(longest_in({"un": 1, "##do": 2}))
    assert piece.pieces("undo") == (1, 2)
    assert piece.pieces("undone") == ()
    assert piece.numbers("undone undo", unknown=9, limit=10) == [9, 1, 2]


def test_a_limit_cuts_the_numbers_and_not_the_words() -> None:
    assert tokens_of("the kettle the kettle", limit=3) == tokens_of("the kettle the kettle")[:3]


def test_lone_surrogates_are_nothing() -> None:
    assert words("a\ud83db \udcff") == ["ab"]


@given(st.text())
def test_words_hold_no_space_and_do_not_change_when_read_again(text: str) -> None:
    found = words(text)
    assert all(word and not any(letter.isspace() for letter in word) for word in found)
    assert words(" ".join(found)) == found


@given(st.text(alphabet=st.characters(max_codepoint=127)), st.sampled_from("\u00e9\u4e00\u2019"))
def test_ascii_is_cut_alike_alone_and_beside_other_letters(text: str, other: str) -> None:
    assert words(f"{text} {other}")[:-1] == words(text)
