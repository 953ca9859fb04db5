from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_llm import make_llm

from memtree.llm.conform import conforms
from memtree.llm.grammar import grammar_of, worst_case_tokens
from memtree.llm.llama import Llama
from memtree.llm.protocol import Prompt

with_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Llama]:
    path = make_llm(tmp_path_factory.mktemp("grammar") / "tiny.gguf", context=4096)
    with Llama(str(path), threads=1, window=4096) as opened:
        yield opened


def said(model: Llama, schema: Mapping[str, object], seed: int, temperature: float = 1.5) -> str:
    """A whole answer that follows the schema."""
    limit = worst_case_tokens(schema) or 2000
    answer = model.complete(
        Prompt(system="", user="x"), limit=min(limit, 4000), schema=schema, seed=seed,
        temperature=temperature,
    )  # fmt: skip
    if answer.whole or worst_case_tokens(schema) is not None:
        assert answer.whole, (schema, answer.text)
        assert conforms(json.loads(answer.text), schema) == [], (schema, answer.text)
        compact = json.dumps(json.loads(answer.text), ensure_ascii=False, separators=(",", ":"))
        assert len(answer.text) >= len(compact) - 8
    return answer.text


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
WHOLE = st.integers(-(10**6), 10**6)
VALUES = st.none() | st.booleans() | WHOLE | TEXTS | st.floats(-9, 9)


def ranged(kind: str) -> st.SearchStrategy[dict[str, object]]:
    return st.tuples(WHOLE, WHOLE).map(
        lambda ends: {"type": kind, "minimum": min(ends), "maximum": max(ends)}
    )


def bounded(
    kind: str, name: str, most: int, **more: object
) -> st.SearchStrategy[dict[str, object]]:
    return st.tuples(st.integers(0, most), st.integers(0, most)).map(
        lambda ends: {"type": kind, f"min{name}": min(ends), f"max{name}": max(ends), **more}
    )


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, object]]) -> dict[str, object]:
    properties = draw(st.dictionaries(TEXTS, inner, max_size=4))
    required = (
        draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    )
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


SCHEMAS = st.recursive(
    ranged("integer")
    | ranged("number")
    | bounded("string", "Length", 12)
    | st.just({"type": "string", "format": "date"})
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["null", "integer"]}])
    | st.lists(VALUES, min_size=1, max_size=5).map(lambda values: {"enum": values})
    | VALUES.map(lambda value: {"const": value}),
    lambda inner: (
        objects(inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda ways: {"anyOf": ways})
        | inner.flatmap(lambda item: bounded("array", "Items", 3, items=item))
    ),
    max_leaves=6,
)


@with_llama
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, st.integers(0, 99))
def test_whatever_random_weights_say_follows_the_schema(
    model: Llama, schema: dict[str, object], seed: int
) -> None:
    said(model, schema, seed)


@with_llama
@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 0), (1, 9), (-3, 3), (7, 1234), (-120, -7), (99, 101), (-1, 0), (0, 10**9)],
)
def test_whole_numbers_stay_in_their_range_and_reach_both_ends(
    model: Llama, low: int, high: int
) -> None:
    for seed in range(8):
        text = said(model, {"type": "integer", "minimum": low, "maximum": high}, seed, 3.0)
        assert low <= int(text) <= high
        assert text == str(int(text))
    rule = grammar_of({"type": "integer", "minimum": low, "maximum": high})
    pattern = _regex(rule)
    ends = [low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1, -low, high * 10]
    for number in ends:
        matches = re.fullmatch(pattern, str(number)) is not None
        assert matches == (low <= number <= high), number


@given(st.integers(-3000, 3000), st.integers(-3000, 3000))
def test_the_rule_of_a_range_matches_its_numbers_and_no_others(one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    pattern = re.compile(_regex(grammar_of({"type": "integer", "minimum": low, "maximum": high})))
    near = {end + step for end in (low, high, 0, 99, -99, 1000) for step in range(-3, 4)}
    for number in near:
        assert (pattern.fullmatch(str(number)) is not None) == (low <= number <= high), number
    assert not pattern.fullmatch("-0")
    assert not pattern.fullmatch("007")


def _regex(grammar: str) -> str:
    """A grammar of digits alone, as a regular expression."""
    rules = dict(line.split(" ::= ") for line in grammar.splitlines())
    return rules[rules["root"]].replace('"', "").replace(" ", "")


@with_llama
def test_definitions_may_hold_themselves(model: Llama) -> None:
    tree: dict[str, object] = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"enum": ["Öl", "木", 'a "quote"', "back\\slash", "line\nbreak"]},
                    "nodes": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": 2},
                },
                "required": ["name"],
            }
        },
        "$ref": "#/$defs/node",
    }
    assert worst_case_tokens(tree) is None
    assert [
        json.loads(text)
        for text in (said(model, tree, 1), said(model, tree, 2))
        if text[-1:] == "}"
    ]


@with_llama
def test_texts_hold_no_control_and_no_half_letter(model: Llama) -> None:
    schema = {"type": "string", "minLength": 300, "maxLength": 900}
    for seed in range(4):
        text = json.loads(said(model, schema, seed, 3.0))
        assert 300 <= len(text) <= 900
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u202a-\u202e\u2060-\u2069]", text
        )
        text.encode()


@with_llama
def test_a_letter_of_several_bytes_may_be_said_byte_by_byte(model: Llama) -> None:
    # A forbidden letter must not take with it those that begin with the same byte.
    first = {0xC2, 0xD8, 0xE2, 0xED, 0xEF}
    for seed in range(30):
        text = said(model, {"type": "string", "minLength": 90, "maxLength": 90}, seed, 3.0)
        first -= {letter.encode()[0] for letter in text}
    assert not first


@with_llama
def test_a_grammar_of_many_words_is_one(model: Llama) -> None:
    words = [f"werkzeug/schlüssel/{number}" for number in range(1200)]
    assert json.loads(said(model, {"enum": words}, 1)) in words


@pytest.mark.parametrize(
    ("schema", "tokens"),
    [
        ({"type": "string", "maxLength": 10}, 43),
        ({"type": "boolean"}, 6),
        ({"type": "integer", "minimum": -100, "maximum": 9}, 5),
        ({"enum": ["é", "abc"]}, 6),
        ({"type": "array", "items": {"type": "null"}, "maxItems": 2}, 12),
        ({"type": "array", "items": {"type": "boolean"}, "maxItems": 0}, 3),
        ({"type": "object", "properties": {"a": {"type": "null"}}}, 11),
        ({"anyOf": [{"const": 1}, {"const": 100}]}, 4),
        ({"type": "string", "format": "date"}, 13),
    ],
)
def test_the_worst_case_is_known(schema: dict[str, object], tokens: int) -> None:
    assert worst_case_tokens(schema) == tokens


def test_a_trained_vocabulary_needs_fewer_tokens() -> None:
    schema = {"type": "string", "maxLength": 100}
    assert worst_case_tokens(schema) == 403
    assert worst_case_tokens(schema, letter=1) == 103


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string", "pattern": "a+"}, "pattern"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "nothing"),
        ({"type": "string", "minLength": -1}, "nothing"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "no number"),
        ({"type": "number", "minimum": 0.5}, "whole number"),
        ({"enum": []}, "values"),
        ({"enum": ["\ud800"]}, "Unicode"),
        ({"const": float("nan")}, "JSON compliant"),
        ({"const": {1, 2}}, "serializable"),
        ({"$ref": "#"}, "itself"),
        ({"$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}, "itself"),
    ],
)  # fmt: skip
def test_what_has_no_grammar_is_an_error(schema: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        grammar_of(schema)


def test_the_same_schema_has_the_same_grammar() -> None:
    schema = {"type": "array", "items": {"enum": ["a", "b", "a"]}, "maxItems": 3}
    assert grammar_of(schema) == (
        'root ::= r2\nr0 ::= "\\"a\\"" | "\\"b\\""\nr1 ::= "," r0\nr2 ::= "[" (r0 r1{0,2})? "]"\n'
    )
