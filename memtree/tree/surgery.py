"""Changing single keys of a front matter block, line by line.

A dump of the whole block would lose comments, order, quotes and line ends. Here a change replaces
the span of one value (or adds or takes out its lines), and every other byte stays. Before an edit
is handed out it is read again: when it does not say exactly what was asked for, and all else as
before, it is refused.
"""

from __future__ import annotations

import re

from memtree.errors import Refused
from memtree.tree.format import BOM, find_front, newline_of
from memtree.tree.front_matter import BadBlock, compose, key_text, node_value, plain, top_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.tree.format import Front
    from memtree.tree.front_matter import Node

_PLAIN = re.compile(
    r"[^\W\d_][\w /+().&*!?%@$=~;,'\"-]*(?:[:#](?=[\w/])[\w /+().&*!?%@$=~;,'\"-]*)*"
)
_PLAIN_IN_FLOW = re.compile(r"[^\W\d_][\w /+().-]*")
_PLAIN_KEY = re.compile(r"[^\W\d][\w.\-]*")
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+\-]\d{2}:?\d{2})?)?"
)
_WORDS_WITH_MEANING = frozenset(
    ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"]
)
"""YAML 1.1 readers take these for booleans, nothing or numbers (in any case)."""
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def edit(text: str, changes: Mapping[str, object | None]) -> str:
    """See `memtree.tree.format.edit_front_matter`."""
    if not changes:
        return text
    front = find_front(text)
    if not front.end:
        return _with_new_block(text, changes)
    expected = dict(front.meta)
    wanted: dict[str, object | None] = {}
    for key, value in changes.items():
        if value is None:
            if expected.pop(key, _MISSING) is not _MISSING:
                wanted[key] = None
        else:
            value = _as_read(value)  # noqa: PLW2901
            if not _same(expected.get(key, _MISSING), value):
                wanted[key] = value
                expected[key] = value
    if not wanted:
        return text
    block = _Block(text, front)
    for key, value in wanted.items():
        block.set(key, value)
    edited = text[: front.start] + block.text + text[front.end :]
    after = find_front(edited)
    if (
        not after.end
        or not _same(after.meta, expected)
        or edited[after.body :] != text[front.body :]
    ):
        keys = ", ".join(wanted)
        raise Refused(
            f"the front matter is written in a way that {keys} cannot be changed safely",
            hint="edit it by hand",
        )
    return edited


_MISSING = object()


def _same(one: object, other: object) -> bool:
    """Equality that tells 1 from True and from 1.0, at any depth."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _as_read(value: object) -> object:
    """Return the value as a reader of the file will see it: tuples are lists, odd numbers text."""
    if isinstance(value, dict):
        return {str(key): _as_read(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_read(item) for item in value]
    if isinstance(value, float):
        return plain(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return plain(str(value))
    if value is None or isinstance(value, (bool, str)):
        return value
    return str(value)


def _with_new_block(text: str, changes: Mapping[str, object | None]) -> str:
    """Return the text with a front matter block where there was none."""
    newline = newline_of(text)
    block = "".join(
        block_lines(key, value, newline) for key, value in changes.items() if value is not None
    )
    if not block:
        return text
    bom = BOM if text[:1] == BOM else ""
    edited = f"{bom}---{newline}{block}---{newline}{text[len(bom) :]}"
    front = find_front(edited)
    expected = {key: _as_read(value) for key, value in changes.items() if value is not None}
    if not _same(front.meta, expected):
        raise Refused("these keys cannot be written as front matter")
    return edited


class _Block:
    """The text of a block while keys are set in it one after another."""

    def __init__(self, text: str, front: Front) -> None:
        self.text = text[front.start : front.end]
        self.newline = newline_of(text)
        self.bad = front.bad
        if not front.bad:
            self._open_flow_root()

    def set(self, key: str, value: object | None) -> None:
        """Set the last occurrence of a key, or delete all of them (None), or add it at the end."""
        found = [place for place in self._places() if place.key == key]
        if value is None:
            for place in reversed(found):
                self.text = self.text[: place.start] + self.text[place.end :]
        elif found:
            place = found[-1]
            new = self._replaced(place, value)
            self.text = self.text[: place.start] + new + self.text[place.end :]
        else:
            if self.text and not self.text.endswith("\n"):
                self.text += self.newline
            self.text += block_lines(key, value, self.newline)

    def _open_flow_root(self) -> None:
        """Write a block in braces (`{title: x}`) as lines, so that there are lines to change."""
        root = _compose(self.text)
        if root is None or not root.flow_style:
            return
        self.text = "".join(
            f"{_slice(self.text, key)}: {_slice(self.text, value)}{self.newline}"
            for key, value in root.value
        )

    def _places(self) -> list[_Place]:
        """Where each key of the block stands, in order."""
        root = None if self.bad else _compose(self.text)
        lines = self.text.split("\n")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        places: list[_Place] = []
        if root is None:
            for number, line in enumerate(lines):
                found = top_key(line)
                if found:
                    places.append(_Place(found[0], starts[number], None, found[1] + starts[number]))
        else:
            for key, value in root.value:
                start = key.start_mark.index
                colon = self.text.find(":", key.end_mark.index)
                places.append(_Place(key_text(key), start, value, colon + 1))
        for place, after in zip(places, [*places[1:], None], strict=False):
            end = after.start if after else len(self.text)
            place.end = self._trimmed(place, end)
        return places

    def _trimmed(self, place: _Place, end: int) -> int:
        """Where the lines of a key really end: empty lines and comments behind it are not its."""
        literal = (
            place.node is not None
            and place.node.id == "scalar"
            and (place.node.style in ("|", ">"))
        )
        while end > place.start:
            line_start = self.text.rfind("\n", 0, end - 1) + 1
            if line_start <= place.start:
                break
            line = self.text[line_start:end]
            if line.strip() and not (line[0] == "#" or (not literal and line.lstrip()[0] == "#")):
                break
            end = line_start
        return end

    def _replaced(self, place: _Place, value: object) -> str:
        """Return the lines of a key with another value in them."""
        whole = self.text[place.start : place.end]
        node = place.node
        head = self.text[place.start : place.value]
        fresh = block_lines("k", value, self.newline)[2:]
        if node is None:
            return head + fresh
        if isinstance(value, list) and node.id == "sequence" and node.value:
            new_list = self._list(place, node, value)
            if new_list is not None:
                return new_list
        start, end = node.start_mark.index, node.end_mark.index
        style = node.style if node.id == "scalar" else None
        one_line = "\n" not in self.text[place.value : end] and style not in ("|", ">")
        if node.id == "scalar" and not style and not node.value:
            # An empty value has no place of its own: it stands right behind the colon.
            start = end = place.value
            one_line = True
        if one_line and not isinstance(value, (list, dict)):
            shown = _like(value, style)
            if start == place.value:
                shown = " " + shown
            return self.text[place.start : start] + shown + self.text[end : place.end]
        if not whole.endswith("\n") and fresh.endswith(self.newline):
            fresh = fresh.removesuffix(self.newline)
        return head + fresh

    def _list(self, place: _Place, node: Node, values: list[object]) -> str | None:
        """Return a list in its own style, with the bytes of the items that stay, or None."""
        old = [(node_value(item), item) for item in node.value]
        if not values:
            return None
        if node.flow_style:
            return self._flow_list(place, node, values, old)
        first = node.value[0].start_mark
        line_start = self.text.rfind("\n", 0, first.index) + 1
        prefix = self.text[line_start : first.index]
        if not re.fullmatch(r" *- +", prefix):
            return None
        begins = [self.text.rfind("\n", 0, item.start_mark.index) + 1 for _, item in old]
        pieces: list[tuple[object, str]] = []
        for number, (item_value, _) in enumerate(old):
            end = begins[number + 1] if number + 1 < len(old) else place.end
            piece = self.text[begins[number] : end]
            pieces.append((item_value, piece if piece.endswith("\n") else piece + self.newline))
        out = self.text[place.start : begins[0]]
        for value in values:
            at = next((i for i, (item, _) in enumerate(pieces) if _same(item, value)), -1)
            out += pieces.pop(at)[1] if at >= 0 else prefix + inline(value) + self.newline
        return out

    def _flow_list(
        self, place: _Place, node: Node, values: list[object], old: list[tuple[object, Node]]
    ) -> str:
        """Return a list in brackets."""
        start, end = node.start_mark.index, node.end_mark.index
        count = len(old)
        if len(values) > count and all(map(_same, [item for item, _ in old], values[:count])):
            close = self.text.rfind("]", start, end)
            last = old[-1][1].end_mark.index
            comma = "" if "," in self.text[last:close] else ","
            added = ", ".join(inline(value, flow=True) for value in values[count:])
            at = self.text.find(",", last, close) + 1 if not comma else last
            inside = f"{comma} {added}"
            return self.text[place.start : at] + inside + self.text[at : place.end]
        pieces = [(item, _slice(self.text, item_node)) for item, item_node in old]
        shown = []
        for value in values:
            at = next((i for i, (item, _) in enumerate(pieces) if _same(item, value)), -1)
            shown.append(pieces.pop(at)[1] if at >= 0 else inline(value, flow=True))
        return f"{self.text[place.start : start]}[{', '.join(shown)}]{self.text[end : place.end]}"


class _Place:
    """A key's lines: offsets in the block of its start and end, and of what follows the colon."""

    __slots__ = ("end", "key", "node", "start", "value")

    def __init__(self, key: str, start: int, node: Node | None, value: int) -> None:
        self.key = key
        self.start = start
        self.node = node
        self.value = value
        self.end = start


def _compose(block: str) -> Node | None:
    """Return the mapping node of a block that was read before."""
    try:
        return compose(block)
    except BadBlock as bad:
        raise Refused(f"the front matter cannot be changed: {bad.message}") from None


def _slice(text: str, node: Node) -> str:
    return text[node.start_mark.index : node.end_mark.index]


def _like(value: object, style: str | None) -> str:
    """Return a one-line value, in the quotes that the old one had where they can hold it."""
    if isinstance(value, str):
        if style == "'" and value.isprintable():
            return "'" + value.replace("'", "''") + "'"
        if style == '"':
            return _quoted(value)
    return inline(value)


def block_lines(key: str, value: object, newline: str = "\n") -> str:
    """Return the lines that say `key: value`; a list has a line for each of its items."""
    name = key if _PLAIN_KEY.fullmatch(key) and not _special(key) else _quoted(key)
    if isinstance(value, (list, tuple)) and value:
        items = "".join(f"  - {inline(item)}{newline}" for item in value)
        return f"{name}:{newline}{items}"
    return f"{name}: {inline(value)}{newline}"


def inline(value: object, *, flow: bool = False) -> str:  # noqa: PLR0911  (a type has a line)
    """Return a value as YAML on one line; `flow` when it stands between brackets."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        pairs = (
            f"{inline(str(key), flow=True)}: {inline(item, flow=True)}"
            for key, item in value.items()
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(item, flow=True) for item in value) + "]"
    text = str(value)
    if _DATE.fullmatch(text) and not (flow and ":" in text and " " in text):
        return text
    safe = (_PLAIN_IN_FLOW if flow else _PLAIN).fullmatch(text)
    if safe and text[-1] != " " and text.isprintable() and not _special(text):
        return text
    return _quoted(text)


def _special(text: str) -> bool:
    """Whether some reader of YAML would take the unquoted text for something else."""
    return text.casefold() in _WORDS_WITH_MEANING or plain(text) is not text


def _quoted(text: str) -> str:
    """Return the text in double quotes, on one line."""
    out = []
    for character in text:
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif character.isprintable():
            out.append(character)
        else:
            code = ord(character)
            out.append(
                f"\\x{code:02x}"
                if code < 0x100
                else f"\\u{code:04x}"
                if code < 0x10000
                else f"\\U{code:08x}"
            )
    return '"' + "".join(out) + '"'
