"""What a front matter block says: the door to PyYAML, and a faster way for the plain cases.

Front matter is written by anybody and anything, so nothing here raises, and nothing in a block can
cost more than its length: nesting and aliases are bounded before the parser sees them, tags and
merge keys mean nothing. Plain numbers and `true`, `false`, `null` are values; everything else is
text as written: dates, times, versions (`1.10`), octals (`007`), `yes` and `on`.

`read_simple` understands the blocks that most files have and takes microseconds; it gives up
(None) on everything else, and never disagrees with `read_block` (a property test holds that).
"""

from __future__ import annotations

import re
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # The stubs know nothing of what the nodes of both parsers share (`id`, `style`, `value`).
    Node = Any

MAX_BLOCK = 65536
"""Characters of front matter that are read; far above any real one."""
MAX_DEPTH = 32
"""libyaml recurses on the C stack: 32,000 levels kill the process (DEPENDENCIES section 6)."""
MAX_VALUES = 10_000
"""Values in a block after its aliases are followed, so that a bomb stays as small as it looks."""

_SALVAGED = 100
"""Keys of a broken block that are worth asking YAML about one by one."""

CONSTANTS: dict[str, object] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})|-?(?:0|[1-9][0-9]{0,8})\.(?:0|[0-9]{0,5}[1-9])")
_KEY = re.compile(r"[\w][\w .\-/+()]*")
_FLOW_ITEM = re.compile(r"\w[\w ./+\-]*")
_NOT_PLAIN = frozenset("-?:,[]{}#&*!|>'\"%@`")
"""Characters that mean something at the start of a YAML scalar (`-`, `?`, `:` only sometimes)."""
_TOP_KEY = re.compile(
    r"""(?:"([^"\\]*)"|'([^']*)'|([^\s#\-?:,\[\]{}&*!|>'"%@`][^:#]*?|))[ ]*:(?=\s|$)"""
)
_ALIAS = re.compile(r"(?:^|[\s\[,{:\-])\*[^\s\[\]{},]")
_NESTED_LINE = re.compile(rf"(?:[-?:][ \t]+){{{MAX_DEPTH}}}")

_SLOW: object = object()


class BadBlock(Exception):  # noqa: N818  (it becomes a finding, never an error that anyone sees)
    """The block is not YAML, or asks for more than it may; `line` counts from 0 in the block."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class Block:
    """A block that was read: its values, and the duplicate keys as (line from 0, key)."""

    __slots__ = ("duplicates", "meta")

    def __init__(self, meta: dict[str, object], duplicates: list[tuple[int, str]]) -> None:
        self.meta = meta
        self.duplicates = duplicates


def plain(text: str) -> object:
    """Return what an unquoted scalar means: None, bool, int, float, or the text as written.

    A number is one only when Python would spell it the same way, so no digit is ever lost:
    `1.10`, `007`, `+1`, `1e5` and `0x1F` stay text.
    """
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] in "-0123456789" and _NUMBER.fullmatch(text):
        if "." in text:
            number = float(text)
            return number if repr(number) == text else text
        return int(text) if text != "-0" else text
    return text


def read_simple(block: str) -> dict[str, object] | None:  # noqa: C901, PLR0911, PLR0912  (one loop over the lines of every file: calls would double its time)
    r"""Return the values of a block of `key: value` lines, flat lists among them, or None.

    `block` stands between the `---` lines, with `\\n` line ends. None means "ask YAML".
    """
    if not block.replace("\n", "").isprintable():
        return None
    meta: dict[str, object] = {}
    open_key: str | None = None  # a key whose value may still turn out to be a list
    items: list[object] | None = None
    indent = ""
    for line in block.split("\n"):
        if not line:
            continue
        first = line[0]
        if first == "#":
            continue
        if first in " -":
            item = line.lstrip(" ")
            if open_key is None or item[:2] != "- ":
                return None
            if items is None:
                items = []
                meta[open_key] = items
                indent = line[: len(line) - len(item)]
            elif line[: len(line) - len(item)] != indent:
                return None
            value = _simple_value(item[2:].strip(" "))
            if value is _SLOW or value is None:
                return None
            items.append(value)
            continue
        key, colon, rest = line.partition(":")
        if not key.isidentifier():
            key = key.rstrip(" ")
            if len(key) > 256 or not _KEY.fullmatch(key):
                return None
        if not colon or key in meta or (rest and rest[0] != " "):
            return None
        rest = rest.strip(" ")
        items = None
        if rest:
            value = _simple_value(rest)
            if value is _SLOW:
                return None
            meta[key] = value
            open_key = None
        else:
            meta[key] = None
            open_key = key
    return meta


def _simple_value(text: str) -> object:
    """Return the value of one-line YAML `text`, or `_SLOW` when it takes a parser to tell."""
    first = text[:1]
    if first not in _NOT_PLAIN:
        if " #" in text:
            text = text[: text.index(" #")].rstrip(" ")
        if ": " in text or text[-1:] == ":":
            return _SLOW
        return plain(text)
    last = text[-1]
    value: object = _SLOW
    if len(text) > 1 and first == last and first in "\"'":
        inner = text[1:-1]
        if first not in inner and (first == "'" or "\\" not in inner):
            value = inner
    elif first == "[" and last == "]":
        value = _simple_list(text[1:-1].strip(" "))
    elif first == "-" and _NUMBER.fullmatch(text):
        value = plain(text)
    return value


def _simple_list(inner: str) -> object:
    """Return the items between `[` and `]`, or `_SLOW`."""
    if not inner:
        return []
    if inner[0] == '"' and inner[-1] == '"' and len(inner) > 1 and "\\" not in inner:
        quoted = inner[1:-1].split('", "')
        if inner.count('"') == 2 * len(quoted):
            return quoted
    items: list[object] = []
    for part in inner.split(","):
        item = part.strip(" ")
        if not _FLOW_ITEM.fullmatch(item):
            if len(item) < 2 or item[0] != item[-1] or item[0] not in "\"'":
                return _SLOW
            quoted_item = _simple_value(item)
            if quoted_item is _SLOW:
                return _SLOW
            items.append(quoted_item)
        else:
            items.append(plain(item))
    return items


def read_block(block: str) -> Block | None:
    """Return the values of any block, by YAML; None when it is no mapping (a rule and prose, say).

    Raises `BadBlock` when it is not YAML or goes over a bound.
    """
    root = compose(block)
    if root is None:
        return Block({}, [])
    if root.id != "mapping":
        return None
    reader = _Reader()
    meta = reader.value(root, 0)
    assert isinstance(meta, dict)  # noqa: S101  (a mapping node reads as a dict)
    return Block(meta, reader.duplicates)


@lru_cache(maxsize=8)
def compose(block: str) -> Node | None:
    """Return the YAML node graph of a block (marks count characters of `block`), None when empty.

    An operation reads the same block again and again; nobody changes the graph. Raises `BadBlock`.
    """
    _guard(block)
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        node: Node | None = yaml.compose(block, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or str(error).split("\n", 1)[0]
        raise BadBlock(str(problem), mark.line if mark else 0) from None
    except (ValueError, RecursionError) as error:
        raise BadBlock(str(error) or "nested too deep") from None
    return node


def _guard(block: str) -> None:
    """Refuse what could cost the parser more than its length."""
    if len(block) > MAX_BLOCK:
        raise BadBlock(f"front matter of more than {MAX_BLOCK} characters")
    depth = 0
    if block.count("[") + block.count("{") > MAX_DEPTH:
        for character in block:
            if character in "[{":
                depth += 1
                if depth > MAX_DEPTH:
                    raise BadBlock("front matter nested too deep")
            elif character in "]}" and depth:
                depth -= 1
    if _NESTED_LINE.search(block):
        raise BadBlock("front matter nested too deep")
    if "*" in block and len(_ALIAS.findall(block)) > 64:
        raise BadBlock("front matter with more than 64 aliases")


class _Reader:
    """Turns nodes into plain values, counting them; a node met inside itself is a cycle."""

    def __init__(self) -> None:
        self.count = 0
        self.duplicates: list[tuple[int, str]] = []

    def value(self, node: Node, depth: int) -> object:
        """Nested dicts with text keys, lists, and scalars. Raises `BadBlock` over a bound."""
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            raise BadBlock("front matter with too many values", node.start_mark.line)
        if node.id == "scalar":
            # The C parser says "" for an unquoted scalar, the Python one None.
            return node.value if node.style else plain(node.value)
        if node.id == "sequence":
            return [self.value(item, depth + 1) for item in node.value]
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_text(key_node)
            if key in found:
                self.duplicates.append((key_node.start_mark.line, key))
            found[key] = self.value(value_node, depth + 1)
        return found


def node_value(node: Node) -> object:
    """Return what one node says. Raises `BadBlock` over a bound."""
    return _Reader().value(node, 0)


def key_text(node: Node) -> str:
    """Return a key as written. Raises `BadBlock` for a list or mapping as a key."""
    if node.id != "scalar":
        raise BadBlock("a key must be text", node.start_mark.line)
    text: str = node.value
    return text


def top_key(line: str) -> tuple[str, int] | None:
    """Return the key that a line at the left edge opens and where its value begins, or None."""
    match = _TOP_KEY.match(line)
    if match is None:
        return None
    key = next((group for group in match.groups() if group is not None), "")
    return (key, match.end()) if key else None


def salvage(block: str) -> dict[str, object]:
    """Return what can be understood of a block that is no YAML: each key with its lines alone.

    A value that cannot be read even so (`title: a: b`) is the text of its line as written.
    """
    meta: dict[str, object] = {}
    chunks: list[list[str]] = []
    for line in block[:MAX_BLOCK].split("\n"):
        if top_key(line):
            chunks.append([line])
        elif chunks:
            chunks[-1].append(line)
    for number, chunk in enumerate(chunks):
        found = top_key(chunk[0])
        assert found  # noqa: S101  (a chunk begins with its key)
        key, end = found
        text = "\n".join(chunk)
        read = read_simple(text)
        if read is None and number < _SALVAGED:
            try:
                parsed = read_block(text)
                read = parsed.meta if parsed else None
            except BadBlock:
                read = None
        meta[key] = chunk[0][end:].strip() if read is None else read.get(key)
    return meta
