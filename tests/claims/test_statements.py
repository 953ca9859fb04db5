"""What a note states: facts and bodies of one sentence, dated as far as they tell."""

from __future__ import annotations

import pytest

from memtree.claims.statements import Statement, mark_of, newer, stated

FACTS = "# A\n\nSome prose.\n\n## Facts\n\n- One holds. [^s1] ^f1\n- Two holds. ^f2\n"


def test_facts_are_claims_and_the_prose_beside_them_is_counted() -> None:
    meta = {"sources": [{"id": "s1", "time": "2024-05-01"}], "created": "2020-01-01"}
    claims, passages = stated(path="a.md", by="a", title="A", type="fact", meta=meta, body=FACTS,
                              facts=[("f1", "One holds.", True), ("f2", "Two holds.", True),
                                     ("f3", "Three held.", False)])  # fmt: skip
    assert [(each.name, each.text, each.at) for each in claims] == [
        ("a.md#^f1", "One holds.", "2024-05-01"), ("a.md#^f2", "Two holds.", "2020-01-01"),
    ]  # fmt: skip
    assert passages == 1


@pytest.mark.parametrize("body", [
    "The flat has two rooms.", "# The flat\n\nThe flat has\ntwo rooms.\n",
    "Dr. Meyer moved to St. Gallen.",
])  # fmt: skip
def test_a_body_of_one_sentence_is_a_claim(body: str) -> None:
    claims, passages = stated(path="a.md", by="a", title="", type="", meta={}, body=body, facts=())
    assert len(claims) == 1
    assert passages == 0


@pytest.mark.parametrize("body", [
    "One sentence. Another one.", "- a list item", "Is it so?", "How nice!", "",
    "| a | table |", "One paragraph.\n\nAnother.", "x" * 401,
])  # fmt: skip
def test_what_is_longer_or_states_nothing_is_no_claim(body: str) -> None:
    assert not stated(path="a.md", by="a", title="", type="", meta={}, body=body, facts=())[0]


@pytest.mark.parametrize("meta", [
    {"superseded_by": "b"}, {"status": "deprecated"}, {"status": "archived"}, {"speaker": "Kim"},
])  # fmt: skip
def test_an_entry_that_is_past_and_a_turn_of_a_conversation_state_nothing(
    meta: dict[str, object],
) -> None:
    body = "The flat has two rooms."
    assert not stated(path="a.md", by="a", title="", type="", meta=meta, body=body, facts=())[0]


def at(time: str, fact: str = "", path: str = "a.md") -> Statement:
    return Statement(path=path, by=path, text=time + fact, fact=fact, at=time)


def test_the_newer_is_known_by_day_as_far_as_both_tell() -> None:
    old, new = at("2024-03-01"), at("2024-03-02T08:00:00Z", path="b.md")
    assert newer(old, new) is new
    assert newer(new, old) is new
    assert newer(at("2024-03-01"), at("2024-03-01T08:00:00Z", path="b.md")) is None
    assert newer(at(""), at("2024-03-01", path="b.md")) is None


def test_in_one_entry_the_later_block_id_is_newer() -> None:
    old, new = at("2024-03-01", "f2"), at("2024-03-01", "f10")
    assert newer(old, new) is new


def test_a_disagreement_has_one_name_whichever_side_comes_first() -> None:
    one, other = at("2024"), at("2025", path="b.md")
    assert mark_of(one, other) == mark_of(other, one)
    assert mark_of(one, other) != mark_of(one, at("2026", path="b.md"))


def test_a_claim_ends_when_its_entry_says_so() -> None:
    one = Statement(path="a.md", by="a", text="x", until="2024-01-01")
    assert one.stands("2023-12-31T00:00:00Z")
    assert not one.stands("2024-01-01T00:00:00Z")
