"""Whether a value follows a JSON schema, in the subset that memtree writes its schemas in.

What a model says is checked here however it was made: a grammar binds a local model, but a server
may ignore the schema, an answer may be cut off, and an agent writes what it likes. The problems
are told by their place, so that whoever said it can correct it.

Schemas are read as `memtree.llm.subset` says. Stricter than the standard in one thing: 1.0 is no
integer, since whoever reads an integer wants to count with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from memtree.llm.subset import (
    alternatives,
    bound,
    items_of,
    kind_of,
    list_of,
    properties_of,
    required_of,
    resolve,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.llm.protocol import Schema

MOST = 20
"""Problems of one value that are told; more would not be read."""
_DEPTH = 64  # a value nested deeper is refused unread

_TYPE = 3  # weight of a value that is of another type

_WORDS = {
    "object": "an object", "array": "a list", "string": "a text", "integer": "a whole number",
    "number": "a number", "boolean": "true or false", "null": "null",
}  # fmt: skip
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class _Problem(NamedTuple):
    path: str
    message: str
    weight: int  # how far the value is from what was meant: to choose among the ways of an anyOf


def conforms(value: object, schema: Schema) -> list[str]:
    """What is wrong with a value, at most 20 problems, each with its place; [] if it follows.

    A place is written like `operations[2].line`; the value itself is `answer`. Raises ValueError
    for a schema outside the subset.
    """
    found = _problems(value, schema, schema, "", 0)
    return [f"{path or 'answer'}: {message}" for path, message, _ in found[:MOST]]


def _problems(  # noqa: C901, PLR0911  (one way for each kind)
    value: object, schema: Schema, root: Schema, path: str, depth: int
) -> list[_Problem]:
    if depth > _DEPTH:
        return [_Problem(path, "it is nested too deep", 1)]
    kind = kind_of(schema)
    match kind:
        case "$ref":
            return _problems(value, resolve(schema, root), root, path, depth + 1)
        case "const":
            return _one_of(value, [schema["const"]], path)
        case "enum":
            return _one_of(value, list_of(schema, "enum"), path)
        case "anyOf" | "types":
            return _nearest(value, alternatives(schema), root, path, depth)
    if not _is(value, kind):
        return [_Problem(path, f"{_WORDS[kind]} is wanted here, not {shown(value)}", _TYPE)]
    match value:
        case str():
            return list(_text(value, schema, path))
        case list():
            return list(_items(value, schema, root, path, depth))
        case dict():
            return list(_properties(value, schema, root, path, depth))
        case int() | float() if not isinstance(value, bool):
            return list(_number(value, schema, path))
    return []


def _nearest(
    value: object, ways: Sequence[Schema], root: Schema, path: str, depth: int
) -> list[_Problem]:
    """The problems with the way that was most likely meant."""
    best: list[_Problem] = []
    least = -1
    for way in ways:
        found = _problems(value, way, root, path, depth + 1)
        if not found:
            return []
        far = sum(problem.weight for problem in found)
        # Of another type altogether: this way was not meant.
        far += 100 * any(problem.path == path and problem.weight == _TYPE for problem in found)
        if least < 0 or far < least:
            best, least = found, far
    return best


def _one_of(value: object, allowed: Sequence[object], path: str) -> list[_Problem]:
    if any(_same(value, one) for one in allowed):
        return []
    names = ", ".join(shown(one) for one in allowed[:12]) + (", ..." if len(allowed) > 12 else "")
    wanted = names if len(allowed) == 1 else f"one of {names}"
    return [_Problem(path, f"{wanted} is wanted here, not {shown(value)}", 10)]


def _text(value: str, schema: Schema, path: str) -> Iterator[_Problem]:
    least, most = bound(schema, "minLength", 0), schema.get("maxLength")
    if len(value) < least:
        yield _Problem(path, f"at least {least} characters, not {len(value)}", 1)
    if most is not None and len(value) > bound(schema, "maxLength", 0):
        yield _Problem(path, f"at most {most} characters, not {len(value)}", 1)
    if schema.get("format") == "date" and not _is_date(value):
        yield _Problem(path, f"a day like 2026-11-22 is wanted here, not {shown(value)}", 1)


def _items(
    value: list[object], schema: Schema, root: Schema, path: str, depth: int
) -> Iterator[_Problem]:
    least, most = bound(schema, "minItems", 0), schema.get("maxItems")
    if len(value) < least:
        yield _Problem(path, f"at least {least} items, not {len(value)}", 1)
    if most is not None and len(value) > bound(schema, "maxItems", 0):
        yield _Problem(path, f"at most {most} items, not {len(value)}", 1)
    for at, item in enumerate(value):
        yield from _problems(item, items_of(schema), root, f"{path}[{at}]", depth + 1)


def _properties(
    value: dict[str, object], schema: Schema, root: Schema, path: str, depth: int
) -> Iterator[_Problem]:
    properties = properties_of(schema)
    for name in properties:
        if name not in value and name in required_of(schema):
            yield _Problem(path, f"{name!r} is missing", 2)
    for name, inner in value.items():
        if name in properties:
            place = f"{path}.{name}" if path else name
            yield from _problems(inner, properties[name], root, place, depth + 1)
        elif schema.get("additionalProperties") is False:
            yield _Problem(path, f"{shown(name)} is not known here", 2)


def _number(value: float, schema: Schema, path: str) -> Iterator[_Problem]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, (int, float)) and value < least:
        yield _Problem(path, f"at least {least}, not {shown(value)}", 1)
    if isinstance(most, (int, float)) and value > most:
        yield _Problem(path, f"at most {most}, not {shown(value)}", 1)
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124  (NaN)
        yield _Problem(path, "a number that there is, is wanted here", 1)


def _is(value: object, kind: str) -> bool:  # noqa: PLR0911  (one way for each type)
    if isinstance(value, bool):
        return kind == "boolean"
    match value:
        case None:
            return kind == "null"
        case int():
            return kind in ("integer", "number")
        case float():
            return kind == "number"
        case str():
            return kind == "string"
        case list():
            return kind == "array"
    return isinstance(value, dict) and kind == "object"


def _same(one: object, other: object) -> bool:
    """Equal as JSON: true is not 1, in Python it is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return one == other


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
