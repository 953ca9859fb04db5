"""What a model says, read: tolerant of wrapping, strict on meaning, and never raising."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from toy_outlook import ToyOutlook, part_of

from memtree.curate import prompts
from memtree.curate.parse import Parsed, parse
from memtree.curate.schema import OPERATIONS, Menu, answer_schema, numbered
from memtree.knowledge.path import parse_path
from memtree.knowledge.plan import Add, Supersede, Update

SOURCE = part_of(
    "The gateway retries three times.\nIt waits two seconds\nbetween tries.\n\n"
    "We chose Postgres on 2026-03-04."
)
TREE = ToyOutlook(
    {
        "architecture/network/gateway.md": (
            "The gateway",
            ["The gateway retries twice.", "It is written in Go."],
        )
    }
)
LINES = numbered((SOURCE,))
CHOICES = prompts.choices(
    TREE.recall("the gateway"), "the gateway retries", outlook=TREE, count=len, tokens=9999
)
MENU = Menu(lines=LINES, choices=CHOICES, folders=("architecture/network",), operations=OPERATIONS)

SAYS: dict[str, object] = {
    "line": 1,
    "quote": "gateway retries three times",
    "kind": "fact",
    "about": "the gateway",
    "text": "The gateway retries three times.",
}
ADD: dict[str, object] = {**SAYS, "do": "add", "place": "architecture/network", "title": "Gateway"}
UPDATE: dict[str, object] = {**SAYS, "do": "update", "entry": "e1"}
SUPERSEDE: dict[str, object] = {**SAYS, "do": "supersede", "fact": "e1.1"}


def answer(*operations: object) -> str:
    return json.dumps({"operations": operations}, ensure_ascii=False)


def codes(parsed: Parsed) -> list[str]:
    return [refusal.code for refusal in parsed.refusals]


def test_handles_become_paths_and_block_ids() -> None:
    new = {**UPDATE, "text": "It waits two seconds.", "line": 2, "quote": "waits two seconds"}
    parsed = parse(answer(SUPERSEDE, new), MENU)
    assert parsed.refusals == ()
    supersede, update = parsed.operations
    assert isinstance(supersede, Supersede)
    assert (supersede.path, supersede.fact) == ("architecture/network/gateway.md", "f1")
    assert isinstance(update, Update)
    assert update.path == "architecture/network/gateway.md"
    assert update.claims[0].evidence[0].lines == (2, 2)


def test_a_quote_over_wrapped_lines_is_found_with_all_its_lines() -> None:
    said = {**ADD, "line": 2, "quote": "two seconds between tries"}
    (add,) = parse(answer(said), MENU).operations
    assert isinstance(add, Add)
    assert add.claims[0].evidence[0].lines == (2, 3)


def test_a_quote_from_another_line_than_was_pointed_at_gets_its_own_lines() -> None:
    (add,) = parse(answer({**ADD, "quote": "we chose POSTGRES"}), MENU).operations
    assert isinstance(add, Add)
    assert add.claims[0].evidence[0].lines == (5, 5)


def test_statements_for_one_entry_are_one_operation() -> None:
    second = {**ADD, "line": 2, "quote": "waits two seconds", "text": "It waits two seconds."}
    (add,) = parse(answer(ADD, second), MENU).operations
    assert isinstance(add, Add)
    assert add.path == "architecture/network/gateway"
    assert len(add.claims) == 2


def test_a_new_place_becomes_safe_names() -> None:
    (add,) = parse(answer({**ADD, "place": "new", "folder": "Data Stores/SQL!"}), MENU).operations
    assert isinstance(add, Add)
    assert add.path == "data-stores/sql/gateway"


WRAPPED = [
    "```json\n{}\n```",
    "Sure! Here it is: {} I hope that helps {{really}}.",
    "<think>{{maybe [this]}}</think>\n{}",
    '{}\n{{"operations": []}}',
]


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_what_stands_around_the_json_does_no_harm(wrapping: str) -> None:
    parsed = parse(wrapping.format(answer(ADD)), MENU)
    assert len(parsed.operations) == 1


def test_a_bare_list_and_objects_in_a_row_are_read_too() -> None:
    assert len(parse(json.dumps([ADD]), MENU).operations) == 1
    second = {**UPDATE, "text": "Something else is said."}
    assert len(parse(json.dumps(ADD) + "\n" + json.dumps(second), MENU).operations) == 2


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_of_an_answer_that_broke_off_the_whole_operations_are_kept(cut: int) -> None:
    second = {**UPDATE, "text": "Something else is said."}
    parsed = parse(answer(ADD, second)[:-cut], MENU, whole=False)
    assert "cut" in codes(parsed)
    assert len(parsed.operations) == (2 if cut < 3 else 1)


WRONG: list[tuple[object, str, str]] = [
    ({**ADD, "line": 99}, "bad-field", "operation 1: `line` must be a whole number from 1 to 3"),
    ({**ADD, "line": True}, "bad-field", "`line` must be a whole number"),
    ({**ADD, "line": "1"}, "bad-field", "`line` must be a whole number"),
    ({**ADD, "quote": "the gateway never retries"}, "no-evidence", "words copied from line 1"),
    ({**ADD, "quote": "..."}, "no-evidence", "words copied"),
    ({**ADD, "quote": 3}, "bad-field", "`quote` must be a text of 3 to 240"),
    ({**ADD, "do": "delete"}, "bad-choice", "`do` must be one of: add, update"),
    ({**ADD, "do": ["add"]}, "bad-choice", "`do` must be one of"),
    ({**ADD, "kind": "gossip"}, "bad-choice", "`kind` must be one of"),
    ({**ADD, "text": "x" * 300}, "bad-field", "`text` must be a text of 3 to 240"),
    ({**ADD, "text": "a\ud800bc"}, "bad-field", "`text` must be a text"),
    ({**ADD, "place": "../../etc"}, "bad-choice", "`place` must be one of: architecture/network"),
    ({**ADD, "place": "new", "folder": "../../etc"}, "bad-path", "`folder` must be like"),
    ({**ADD, "place": "new", "folder": "/etc/x"}, "bad-path", "`folder` must be like"),
    ({**ADD, "place": "new", "folder": "a/b/c/d"}, "bad-path", "two or three plain names"),
    ({**ADD, "place": "new", "folder": "_archive/x"}, "bad-path", "two or three plain names"),
    ({**ADD, "place": "new"}, "bad-field", "`folder` must be a text"),
    ({**UPDATE, "entry": "e9"}, "bad-choice", "`entry` must be one of: e1"),
    ({**UPDATE, "entry": "architecture/network/gateway.md"}, "bad-choice", "one of: e1"),
    ({**SUPERSEDE, "fact": "f1"}, "bad-choice", "`fact` must be one of: e1.1, e1.2"),
    ("add everything", "bad-field", "operation 1: must be an object"),
    (None, "bad-field", "must be an object"),
    ({}, "bad-choice", "`do` must be one of"),
]


@pytest.mark.parametrize(("operation", "code", "message"), WRONG)
def test_what_is_wrong_is_refused_in_words_that_say_how_to_do_better(
    operation: object, code: str, message: str
) -> None:
    text = json.dumps({"operations": [operation]})
    parsed = parse(text, MENU)
    assert parsed.operations == ()
    assert code in codes(parsed)
    assert message in " / ".join(refusal.message for refusal in parsed.refusals)


NO_ANSWER = ["", " ", "I can't do that.", "null", "[]", "{", '{"a": 1}', "\x00\x1b[2J", "“{”"]


@pytest.mark.parametrize("text", NO_ANSWER)
def test_an_answer_without_operations_is_counted_as_one(text: str) -> None:
    parsed = parse(text, MENU)
    assert parsed.operations == ()
    assert "no-json" in codes(parsed)


def test_nothing_worth_keeping_is_an_answer() -> None:
    assert parse('{"operations": []}', MENU) == Parsed()


def test_a_loop_is_said_once_and_the_rest_is_counted() -> None:
    parsed = parse(answer(*[ADD] * 500), MENU)
    (add,) = parsed.operations
    assert isinstance(add, Add)
    assert len(add.claims) == 1
    assert codes(parsed).count("repeated") == 63
    assert "436 more operations" in parsed.refusals[-1].message


def test_the_same_fact_is_changed_once() -> None:
    parsed = parse(answer(SUPERSEDE, {**SUPERSEDE, "text": "It retries often."}), MENU)
    assert len(parsed.operations) == 1
    assert codes(parsed) == ["repeated"]


def test_a_field_given_twice_is_refused() -> None:
    text = answer(ADD).replace('"line": 1', '"line": 1, "line": 2')
    parsed = parse(text, MENU)
    assert parsed.operations == ()
    assert "given twice" in parsed.refusals[0].message


def test_a_date_that_no_line_gives_is_taken_out_and_counted() -> None:
    said = {**ADD, "line": 3, "quote": "We chose Postgres"}
    kept = parse(answer({**said, "when": "2026-03-04"}), MENU).operations[0]
    assert isinstance(kept, Add)
    assert kept.claims[0].when == "2026-03-04"
    for invented in ("1999-03-04", "2026-03-05", "soon", "2026-13-01"):
        parsed = parse(answer({**said, "when": invented}), MENU)
        (add,) = parsed.operations
        assert isinstance(add, Add)
        assert add.claims[0].when == ""
        assert codes(parsed) == ["bad-when"]


def test_names_are_no_place_for_inventions() -> None:
    said = {**ADD, "title": "Paris is the capital", "about": "Napoleon"}
    (add,) = parse(answer(said), MENU).operations
    assert isinstance(add, Add)
    assert "Paris" not in add.title + add.path
    assert add.claims[0].subject == ""


def test_unseen_characters_are_gone_from_what_is_kept() -> None:
    said = {
        **ADD,
        "text": "The gate\u202eway\x1b[31m retries\nthree times.",
        "title": "Gate\x00way",
    }
    (add,) = parse(answer(said), MENU).operations
    assert isinstance(add, Add)
    assert add.claims[0].text == "The gate way [31m retries three times."
    assert add.title == "Gate way"


def test_a_huge_answer_and_a_deep_one_end_soon() -> None:
    assert "no-json" in codes(parse("{" * 300_000, MENU))
    assert "no-json" in codes(parse("[" * 300_000, MENU))
    assert "cut" in codes(parse(answer({**ADD, "text": "x" * 10_000_000}), MENU))
    assert (
        parse(
            answer({**ADD, "line": 1}).replace('"line": 1', f'"line": {"9" * 5000}'), MENU
        ).operations
        == ()
    )


def test_only_what_was_offered_is_taken() -> None:
    menu = Menu(lines=LINES, choices=CHOICES, folders=(), operations=("add",))
    parsed = parse(answer(UPDATE, SUPERSEDE), menu)
    assert parsed.operations == ()
    assert set(codes(parsed)) == {"bad-choice"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
TWISTED = st.builds(
    lambda base, changes: {**base, **changes},
    st.sampled_from([ADD, UPDATE, SUPERSEDE]),
    st.dictionaries(
        st.sampled_from([*ADD, "entry", "fact", "folder", "when", "extra"]), JSON, max_size=3
    ),
)


@settings(deadline=None)
@given(st.lists(TWISTED | JSON, max_size=6), st.integers(0, 40))
@example([{**ADD, "text": "\ud800"}], 0)
def test_whatever_is_said_every_claim_that_is_left_quotes_the_source(
    operations: list[object], cut: int
) -> None:
    text = json.dumps({"operations": operations})
    parsed = parse(text[: len(text) - cut], MENU)
    source = " ".join(passage.text for passage in SOURCE.passages).casefold()
    for operation in parsed.operations:
        assert isinstance(operation, (Add, Update, Supersede))
        parse_path(operation.path)
        claims = operation.claims if not isinstance(operation, Supersede) else (operation.claim,)
        for claim in claims:
            assert claim is not None
            quoted = "".join(filter(str.isalnum, claim.evidence[0].quote.casefold()))
            assert quoted in "".join(filter(str.isalnum, source))
    assert all(refusal.message and "\n" not in refusal.said for refusal in parsed.refusals)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_at_all_is_read_without_raising(text: str) -> None:
    assert isinstance(parse(text, MENU), Parsed)


def test_the_schema_asks_for_nothing_that_can_remove_or_move() -> None:
    schema = json.dumps(answer_schema(MENU))
    for word in ("archive", "merge", "drop", "delete", "move"):
        assert word not in schema


def test_the_schema_without_known_entries_offers_only_additions() -> None:
    schema = json.dumps(answer_schema(Menu(lines=LINES, operations=OPERATIONS)))
    assert '"const": "add"' in schema
    assert '"const": "update"' not in schema
    assert '"enum": []' not in schema
