from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.llm.conform import MOST, conforms

CLAIM = {
    "type": "object",
    "properties": {
        "line": {"type": "integer", "minimum": 1, "maximum": 9},
        "do": {"const": "add"},
        "kind": {"enum": ["fact", "event"]},
        "text": {"type": "string", "minLength": 3, "maxLength": 10},
        "when": {"type": "string", "format": "date"},
    },
    "required": ["line", "do", "text"],
    "additionalProperties": False,
}
PLAN = {
    "type": "object",
    "properties": {"operations": {"type": "array", "items": CLAIM, "maxItems": 2}},
    "required": ["operations"],
}
GOOD = {"line": 3, "do": "add", "kind": "fact", "text": "kettle", "when": "2024-02-29"}


def test_a_value_that_follows_has_no_problems() -> None:
    assert conforms({"operations": [GOOD, {"line": 1, "do": "add", "text": "tea"}]}, PLAN) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"line": 10}, "operations[0].line: at most 9, not 10"),
        ({"line": 0}, "operations[0].line: at least 1, not 0"),
        ({"line": 1.0}, "operations[0].line: a whole number is wanted here, not 1.0"),
        ({"line": True}, "operations[0].line: a whole number is wanted here, not true"),
        ({"do": "delete"}, 'operations[0].do: "add" is wanted here, not "delete"'),
        ({"kind": "x"}, 'operations[0].kind: one of "fact", "event" is wanted here, not "x"'),
        ({"text": "a"}, "operations[0].text: at least 3 characters, not 1"),
        ({"text": "a" * 11}, "operations[0].text: at most 10 characters, not 11"),
        ({"text": None}, "operations[0].text: a text is wanted here, not null"),
        ({"path": "../x"}, 'operations[0]: "path" is not known here'),
        (
            {"when": "2023-02-29"},
            'operations[0].when: a day like 2026-11-22 is wanted here, not "2023-02-29"',
        ),
        (
            {"when": "20230201"},
            'operations[0].when: a day like 2026-11-22 is wanted here, not "20230201"',
        ),
    ],
)
def test_a_problem_is_told_with_its_place(change: dict[str, object], told: str) -> None:
    assert conforms({"operations": [{**GOOD, **change}]}, PLAN) == [told]


def test_the_answer_itself_has_a_name() -> None:
    assert conforms([], PLAN) == ["answer: an object is wanted here, not []"]
    assert conforms({}, PLAN) == ["answer: 'operations' is missing"]
    assert conforms({"operations": [GOOD] * 3}, PLAN) == ["operations: at most 2 items, not 3"]


def test_of_several_ways_the_nearest_is_told() -> None:
    ways = {
        "anyOf": [
            {
                "type": "object",
                "properties": {"do": {"const": do}, name: {"type": "integer"}},
                "required": ["do", name],
                "additionalProperties": False,
            }
            for do, name in (("add", "line"), ("update", "entry"), ("replace", "fact"))
        ]
    }
    assert conforms({"do": "update", "entry": "e1"}, ways) == [
        'entry: a whole number is wanted here, not "e1"'
    ]
    assert conforms({"do": "replace"}, ways) == ["answer: 'fact' is missing"]


def test_true_is_not_one_and_a_number_is_its_value() -> None:
    assert conforms(1, {"const": True})
    assert conforms(True, {"enum": [1, 0]})  # noqa: FBT003
    assert conforms([{"a": True}], {"const": [{"a": 1}]})
    assert conforms([{"a": 1}], {"const": [{"a": 1}]}) == []
    assert conforms(float("nan"), {"type": "number"})
    assert conforms(3, {"type": ["null", "number"], "minimum": 2}) == []
    assert conforms(None, {"type": ["null", "number"], "minimum": 2}) == []


def test_problems_are_few_and_short_and_printable() -> None:
    nasty = "\x1b[31m\u202e" + "x" * 500
    found = conforms([nasty] * 100, {"type": "array", "items": {"type": "integer"}})
    assert len(found) == MOST
    assert all(problem.isprintable() and len(problem) < 120 for problem in found)


def test_a_value_nested_without_end_is_refused() -> None:
    schema = {
        "$defs": {"list": {"type": "array", "items": {"$ref": "#/$defs/list"}}},
        "$ref": "#/$defs/list",
    }
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    assert "nested too deep" in conforms(deep, schema)[0]
    assert conforms([[[]]], schema) == []


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "text"},
        {"type": "string", "pattern": "a"},
        {"type": "string", "minimum": 1},
        {"type": "string", "format": "uri"},
        {"type": "array"},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"oneOf": [{"type": "null"}]},
        {"anyOf": []},
        {"$ref": "#/$defs/none"},
        {"$ref": "http://example.org/schema"},
        {"type": "string", "maxLength": "3"},
    ],
)
def test_a_schema_that_is_not_known_is_no_guess(schema: dict[str, object]) -> None:
    judged = [value for value in ("aaaa", [1], {"a": 1}) if not _refused(value, schema)]
    assert len(judged) < 3


def _refused(value: object, schema: dict[str, object]) -> bool:
    try:
        conforms(value, schema)
    except ValueError:
        return True
    return False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_value_is_judged(value: object) -> None:
    assert all(isinstance(problem, str) for problem in conforms(value, PLAN))
    readable = json.loads(json.dumps(value))
    assert conforms(readable, {"const": value}) == []
