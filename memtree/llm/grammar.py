"""A JSON schema becomes a grammar that llama.cpp samples by, so that an answer always follows it.

Our own, since the converter of llama-cpp-python ignores bounds of numbers, lets control characters
into texts, and dies on words outside of ASCII. The grammar is GBNF (llama.cpp's grammars/README.md)
and strict: JSON without free blanks, properties in the order of the schema, every text, list and
number bounded, no control character in a text (RFC 8259 section 7), none that reorders others.

The subset of JSON Schema is that of `memtree.llm.subset`; `memtree.llm.conform` accepts whatever a
grammar lets through. A number's bounds have to be whole; where a schema sets none, the defaults
below hold.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from memtree.llm.subset import (
    alternatives,
    bound,
    items_of,
    kind_of,
    properties_of,
    required_of,
    resolve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.llm.protocol import Schema

LETTERS = 200
"""Most characters of a text whose schema sets no bound."""
ITEMS = 16
"""Most items of a list whose schema sets no bound."""
WHOLE = 999_999_999
"""Numbers without bounds lie between this and its negative."""
FRACTION = 6
"""Most digits behind the point."""

_REPEAT = 1000  # llama.cpp refuses repetitions above 2000
# A character of a text: none that ends it, none that controls (C0, DEL, C1) or is half of a pair,
# none that reorders or hides others (Unicode TR 36, 2.6); then what may stand behind a backslash.
# What is allowed and not what is forbidden: of a letter whose bytes are several tokens, llama.cpp
# refuses the first if any letter that begins like it is forbidden.
_LETTER = (
    r"[ !#-\[\]-~\u00A0-\u061B\u061D-\u200A\u200C-\u200D\u2010-\u2027\u202F-\u205F\u206A-\uD7FF"
    r"\uE000-\uFEFE\uFF00-\U0010FFFF]"
    r' | "\\" ["\\nt]'
)
_LEAP = (
    '[12] [0-9] ([02468] [48] | [2468] "0" | [13579] [26])'
    ' | ("12" | "16" | "20" | "24" | "28") "00"'
)
_DAY = (
    '("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01])'
    ' | ("0" [469] | "11") "-" ("0" [1-9] | [12] [0-9] | "30")'
    ' | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8])'
)


def grammar_of(schema: Schema) -> str:
    """The grammar of a schema, whose rule `root` is the answer.

    Raises ValueError for a schema outside the subset, and for one that no value ends.
    """
    return _Grammar(schema).text()


def worst_case_tokens(schema: Schema, *, letter: float = 4.0) -> int | None:
    """How many tokens an answer may take at most; None if it may be of any length (recursion).

    `letter` is how many tokens one character of a free text may take: 4 if tokens are bytes, about
    1 for the vocabulary of a trained model in most languages. What the schema fixes counts a token
    a byte. One token ends the answer.
    """
    longest = _longest(schema, schema, letter, ())
    return None if longest is None else int(longest + 0.999) + 1


class _Grammar:
    """Rules under way: the same rule is written once, a definition is a rule by its reference."""

    __slots__ = ("_defined", "_names", "_root")

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._names: dict[str, str] = {}  # body -> name
        self._defined: dict[str, tuple[str, str]] = {}  # reference -> name and body

    def text(self) -> str:
        begin = self._value(self._root, ())
        rules = [("root", begin), *self._defined.values()]
        rules += [(name, body) for body, name in self._names.items()]
        return "".join(f"{name} ::= {body}\n" for name, body in rules)

    def _rule(self, body: str) -> str:
        """The name of a rule; rules are few if equal ones are one."""
        return self._names.setdefault(body, f"r{len(self._names)}")

    def _value(  # noqa: C901, PLR0911  (one way for each kind)
        self, schema: Schema, through: tuple[str, ...]
    ) -> str:
        """What a schema allows, as an expression that may stand in a sequence.

        `through` are the references that led here with nothing written in between.
        """
        match kind_of(schema):
            case "$ref":
                return self._reference(schema, through)
            case "const":
                return _json(schema["const"])
            case "enum":
                return self._enum(schema)
            case "anyOf" | "types":
                ways = [self._value(way, through) for way in alternatives(schema)]
                return self._rule(" | ".join(dict.fromkeys(ways)))
            case "object":
                return self._object(schema)
            case "array":
                return self._array(schema)
            case "string":
                return self._string(schema)
            case "integer":
                return self._rule(_integers(*_range(schema)))
            case "number":
                return self._rule(_numbers(*_range(schema)))
            case "boolean":
                return self._rule('"true" | "false"')
        return '"null"'

    def _reference(self, schema: Schema, through: tuple[str, ...]) -> str:
        reference = str(schema["$ref"])
        if reference in through:
            raise ValueError(f"{reference} is defined by itself")
        if reference not in self._defined:
            name = f"d{len(self._defined)}"
            self._defined[reference] = (name, "")
            body = self._value(resolve(schema, self._root), (*through, reference))
            self._defined[reference] = (name, body)
        return self._defined[reference][0]

    def _enum(self, schema: Schema) -> str:
        allowed = schema["enum"]
        if not isinstance(allowed, (list, tuple)) or not allowed:
            raise ValueError("an enum needs values")
        return self._rule(" | ".join(dict.fromkeys(_json(one) for one in allowed)))

    def _string(self, schema: Schema) -> str:
        if schema.get("format") == "date":
            leap, day = self._rule(_LEAP), self._rule(_DAY)
            year = '[12] [0-9]{3} "-"'
            return self._rule(f'"\\"" ({year} {day} | {leap} "-02-29") "\\""')
        least, most = _bounds(schema, "minLength", "maxLength", LETTERS)
        letters = " ".join(_repeat(self._rule(_LETTER), least, most))
        return self._rule(f'"\\"" {letters} "\\""')

    def _array(self, schema: Schema) -> str:
        least, most = _bounds(schema, "minItems", "maxItems", ITEMS)
        if not most:
            return '"[]"'
        item = self._value(items_of(schema), ())
        more = " ".join(_repeat(self._rule(f'"," {item}'), max(least - 1, 0), most - 1))
        return self._rule(f'"[" {item} {more} "]"' if least else f'"[" ({item} {more})? "]"')

    def _object(self, schema: Schema) -> str:
        """Properties in their order. A comma stands before each but the first that is there."""
        required = required_of(schema)
        after = ""  # what follows when something stands already
        first = ""  # what follows when nothing does
        for name, inner in reversed(properties_of(schema).items()):
            pair = f'{_json(name)} ":" {self._value(inner, ())}'
            rest = self._rule(after) if after else ""
            if name in required:
                first = f"{pair} {rest}"
                after = f'"," {pair} {rest}'
            else:
                first = f"({pair} {rest} | {first})" if first else f"({pair} {rest})?"
                after = f'("," {pair})? {rest}'
        return self._rule(f'"{{" {first} "}}"')


def _bounds(schema: Schema, low: str, high: str, default: int) -> tuple[int, int]:
    least = bound(schema, low, 0)
    most = bound(schema, high, max(default, least))
    if not 0 <= least <= most:
        raise ValueError(f"{low} {least} and {high} {most} leave nothing")
    return least, most


def _range(schema: Schema) -> tuple[int, int]:
    least = bound(schema, "minimum", min(-WHOLE, bound(schema, "maximum", 0)))
    most = bound(schema, "maximum", max(WHOLE, least))
    if least > most:
        raise ValueError(f"no number lies between {least} and {most}")
    return least, most


def _literal(text: str) -> str:
    """A literal of GBNF. Raises ValueError for half of a surrogate pair, which is no Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{text!a} is no Unicode text") from None
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    # json.dumps has written controls below the blank as escapes already; DEL is left.
    return '"' + text.replace("\x7f", "\\x7F") + '"'


def _json(value: object) -> str:
    return _literal(_said(value))


def _said(value: object) -> str:
    """A value in JSON, without blanks. Raises ValueError for what JSON has no words for."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(str(error)) from error


def _repeat(what: str, least: int, most: int) -> Iterator[str]:
    """Repetitions of something, no more than llama.cpp takes in one."""
    while most > 0:
        low, high = min(least, _REPEAT), min(most, _REPEAT)
        yield f"{what}{{{low},{high}}}"
        least, most = least - low, most - high


def _integers(least: int, most: int) -> str:
    """Whole numbers from `least` to `most`, both included; 0 is never written -0."""
    ways: list[str] = []
    if least < 0:
        ways.append(f'"-" ({_integers(max(1, -most), -least)})')
    if most >= 0:
        low, high = str(max(least, 0)), str(most)
        for size in range(len(low), len(high) + 1):
            begin = low if size == len(low) else "1" + "0" * (size - 1)
            end = high if size == len(high) else "9" * size
            ways.append(_digits(begin, end))
    return " | ".join(ways)


def _digits(low: str, high: str) -> str:
    """Numbers of the same length between two, digit by digit."""
    if low == high:
        return _literal(low)
    same = 0
    while low[same] == high[same]:
        same += 1
    begin = _literal(low[:same]) + " " if same else ""
    a, b, size = int(low[same]), int(high[same]), len(low) - same - 1
    if not size:
        return f"{begin}[{a}-{b}]"
    ways: list[str] = []
    if low[same + 1 :] != "0" * size:
        ways.append(f'"{a}" ({_digits(low[same + 1 :], "9" * size)})')
        a += 1
    last = ""
    if high[same + 1 :] != "9" * size:
        last = f'"{b}" ({_digits("0" * size, high[same + 1 :])})'
        b -= 1
    if a <= b:
        ways.append(f"[{a}-{b}] [0-9]{{{size}}}")
    if last:
        ways.append(last)
    return f"{begin}({' | '.join(ways)})"


def _numbers(least: int, most: int) -> str:
    """Numbers between two whole ones, with up to 6 digits behind the point, without exponent."""
    point = f'("." [0-9]{{1,{FRACTION}}})?'
    ways: list[str] = []
    if least < 0:
        ways.append(f'"-" ({_numbers(max(0, -most), -least)})')
    if most >= 0:
        low = max(least, 0)
        if low < most:
            ways.append(f"({_integers(low, most - 1)}) {point}")
        ways.append(f'{_literal(str(most))} ("." "0"{{1,{FRACTION}}})?')
    return " | ".join(ways)


def _longest(  # noqa: PLR0911  (one way for each kind)
    schema: Schema, root: Schema, letter: float, through: tuple[str, ...]
) -> float | None:
    """Most tokens of what a schema allows; None if there is no most."""
    kind = kind_of(schema)
    match kind:
        case "$ref":
            reference = str(schema["$ref"])
            if reference in through:
                return None
            return _longest(resolve(schema, root), root, letter, (*through, reference))
        case "const" | "enum":
            values = [schema["const"]] if kind == "const" else schema["enum"]
            return max(_bytes(one) for one in values) if isinstance(values, list) else 0
        case "anyOf" | "types":
            return _most([_longest(way, root, letter, through) for way in alternatives(schema)])
        case "object":
            names = properties_of(schema)
            inner = [_longest(value, root, letter, through) for value in names.values()]
            fixed = 2 + sum(_bytes(name) + 2 for name in names) - bool(names)
            return _sum([*inner, fixed])
        case "array":
            _, most = _bounds(schema, "minItems", "maxItems", ITEMS)
            one = _longest(items_of(schema), root, letter, through) if most else 0
            return None if one is None else 2 + max(most * (one + 1) - 1, 0)
        case "string":
            if schema.get("format") == "date":
                return 12
            return 2 + letter * _bounds(schema, "minLength", "maxLength", LETTERS)[1]
        case "integer" | "number":
            digits = max(len(str(end)) for end in _range(schema))
            return digits + (kind == "number") * (FRACTION + 2)
    return 5 if kind == "boolean" else 4


def _bytes(value: object) -> int:
    return len(_said(value).encode())


def _most(found: Sequence[float | None]) -> float | None:
    known = [one for one in found if one is not None]
    return max(known) if len(known) == len(found) else None


def _sum(found: Sequence[float | None]) -> float | None:
    known = [one for one in found if one is not None]
    return sum(known) if len(known) == len(found) else None
