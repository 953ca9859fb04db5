"""How memtree reads a JSON schema: a subset, and anything else is an error instead of a guess.

The subset (JSON Schema 2020-12, https://json-schema.org/draft/2020-12): `type` (one or a list),
`properties`, `required`, `additionalProperties` (true or false), `items`, `minItems`, `maxItems`,
`minLength`, `maxLength`, `format: date`, `minimum`, `maximum`, `enum`, `const`, `anyOf`, `$ref` to
`#`, `#/$defs/NAME` or `#/definitions/NAME`, and what only describes. Every function raises
ValueError for a schema outside of it: schemas are written by memtree and its plugins, not by users.
"""

# ruff: noqa: TRY004  (a schema is a value, and a wrong one is a wrong value)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memtree.llm.protocol import Schema

_SHOWN = 40  # characters of a value that a message shows

_SAYS = {"title", "description", "default", "examples", "$schema", "$id", "$comment"}
_DEFINES = {"$defs", "definitions"}
_OF_TYPE = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "format"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set[str](),
    "null": set[str](),
}


def kind_of(schema: Schema) -> str:
    """Which keyword decides: `$ref`, `const`, `enum`, `anyOf`, or else a type, or `types`.

    Raises ValueError for a keyword that is not known, or that does not belong to the kind.
    """
    for deciding in ("$ref", "const", "enum", "anyOf"):
        if deciding in schema:
            _only(schema, {deciding, "type"} if deciding in {"const", "enum"} else {deciding})
            return deciding
    named = schema.get("type", "object" if "properties" in schema else None)
    if isinstance(named, list):
        _only(schema, {"type"}.union(*(_OF_TYPE.get(str(one), ()) for one in named)))
        return "types"
    if not isinstance(named, str) or named not in _OF_TYPE:
        raise ValueError(f"a schema has to say its type: {shown(dict(schema))}")
    _only(schema, {"type"} | _OF_TYPE[named])
    return named


def alternatives(schema: Schema) -> list[Schema]:
    """The ways of an `anyOf` or of a list of types. Raises ValueError if there are none."""
    if "anyOf" in schema:
        ways = list_of(schema, "anyOf")
        if not ways or not all(isinstance(way, Mapping) for way in ways):
            raise ValueError("anyOf needs schemas")
        return [way for way in ways if isinstance(way, Mapping)]
    # What belongs to another type says nothing about this one.
    return [
        {
            key: value
            for key, value in schema.items()
            if key in _OF_TYPE[str(one)] or key in _SAYS or key in _DEFINES
        }
        | {"type": one}
        for one in list_of(schema, "type")
        if _known_type(one)
    ]


def resolve(schema: Schema, root: Schema) -> Schema:
    """What a `$ref` points at. Raises ValueError if it leads nowhere."""
    reference = str(schema["$ref"])
    if reference == "#":
        return root
    _, _, path = reference.partition("#/")
    room, _, name = path.partition("/")
    defined = root.get(room)
    if room in _DEFINES and isinstance(defined, Mapping):
        found = defined.get(name.replace("~1", "/").replace("~0", "~"))
        if isinstance(found, Mapping):
            return found
    raise ValueError(f"{shown(reference)} leads nowhere")


def properties_of(schema: Schema) -> dict[str, Schema]:
    """The properties of an object by name, in their order."""
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        raise ValueError("properties have to be an object")
    found: dict[str, Schema] = {}
    for name, inner in properties.items():
        if not isinstance(inner, Mapping):
            raise ValueError(f"the property {shown(name)} needs a schema")
        found[str(name)] = inner
    missing = set(map(str, list_of(schema, "required"))) - found.keys()
    if missing:
        raise ValueError(f"required, but no property: {', '.join(sorted(missing))}")
    if not isinstance(schema.get("additionalProperties", False), bool):
        raise ValueError("additionalProperties has to be true or false")
    return found


def required_of(schema: Schema) -> frozenset[str]:
    """The names that an object must have."""
    return frozenset(map(str, list_of(schema, "required")))


def items_of(schema: Schema) -> Schema:
    """What the items of a list have to be."""
    items = schema.get("items")
    if not isinstance(items, Mapping):
        raise ValueError("an array has to say what its items are")
    return items


def bound(schema: Schema, name: str, default: int) -> int:
    """A whole number of the schema, `minLength` and the like. Raises ValueError if it is none."""
    value = schema.get(name, default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} has to be a whole number, not {shown(value)}")
    return value


def _only(schema: Schema, known: set[str]) -> None:
    unknown = set(schema) - known - _SAYS - _DEFINES
    if unknown:
        raise ValueError(f"a schema says what is not known here: {', '.join(sorted(unknown))}")
    if schema.get("format", "date") != "date":
        raise ValueError(f"the format {shown(schema['format'])} is not known")


def list_of(schema: Schema, name: str) -> Sequence[object]:
    """A list of the schema, empty if it has none of that name."""
    value = schema.get(name, ())
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{name} has to be a list")
    return value


def _known_type(name: object) -> bool:
    if str(name) not in _OF_TYPE:
        raise ValueError(f"the type {shown(name)} is not known")
    return True


def shown(value: object) -> str:
    """The beginning of a value as it is written in JSON, without what a terminal would obey."""
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = type(value).__name__
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
