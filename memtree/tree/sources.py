"""The sources that an entry's front matter names, read at query time without loading YAML.

YAML takes 40 ms to load, longer than a whole search. Sources are nearly always written in one of
two ways, a mapping in braces or one key a line, and those are read here; whatever looks different
in any way is left to `memtree.tree.format`. A property test holds the two to one answer. Hot.
"""

from __future__ import annotations

from memtree.knowledge.anchor import anchor_of, anchors_of, is_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.knowledge.anchor import Anchor

_SAFE = frozenset(" /+._-")
"""What may stand in an unquoted value beside letters and digits, and mean nothing to YAML."""


class _Unusual(Exception):  # noqa: N818  (the other way is taken)
    """The block is not written in a way that is read here."""


def anchors_in(raw: bytes) -> list[Anchor]:
    """Return the sources of a file. Never raises."""
    if b"sources" not in raw[:65536]:
        return []
    text = raw.decode("utf-8", "replace")
    try:
        return _quick(text)
    except _Unusual:
        from memtree.tree.format import find_front

        return anchors_of(find_front(text).meta)


def _quick(text: str) -> list[Anchor]:
    block = _block(text)
    items: list[dict[str, str]] = []
    indent = -1  # of the dashes; -1 outside of the list
    seen = False
    for line in block:
        bare = line.lstrip(" ")
        if not bare or bare[0] == "#":
            continue
        depth = len(line) - len(bare)
        if depth == 0 and bare[:2] != "- ":
            key, value = _pair(bare)
            indent = -1
            if key == "sources":
                if seen or value:
                    raise _Unusual
                seen = True
                indent = 0
            continue
        if indent < 0:
            _plainly_inside(bare)
            continue
        if bare[:2] == "- ":
            if items and depth != indent:
                raise _Unusual
            indent = depth
            items.append(_item(bare[2:]))
        elif items and depth == indent + 2:
            key, value = _pair(bare)
            _put(items[-1], key, value)
        else:
            raise _Unusual
    return [anchor_of(item) for item in items if is_source(item)]


def _block(text: str) -> list[str]:
    """Return the lines between the marks."""
    lines = text[:65536].removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0] != "---" or "---" not in lines[1:]:
        raise _Unusual
    block = lines[1 : lines.index("---", 1)]
    if not all(map(str.isprintable, block)) or any(line[:3] in ("---", "...") for line in block):
        raise _Unusual
    return block


def _pair(text: str) -> tuple[str, str]:
    """Divide `key: value`; refuse a value that could reach into the next lines."""
    key, colon, value = text.partition(":")
    value = value.lstrip(" ")
    if not colon or not key.isidentifier() or (text[len(key) + 1 :][:1] not in ("", " ")):
        raise _Unusual
    closing = {'"': '"', "'": "'", "[": "]", "{": "}"}.get(value[:1])
    if value[:1] in ("|", ">", "&", "*", "!", "?", "%", "@", "`") or (
        closing and (len(value) < 2 or value[-1] != closing or "\\" in value)
    ):
        raise _Unusual
    if closing in ('"', "'") and value.count(closing) != 2:
        raise _Unusual
    if not closing and (": " in value or value[:1] == "-" or value[-1:] == ":"):
        raise _Unusual
    if closing and not _is_balanced(value):
        raise _Unusual
    return key, value


def _plainly_inside(text: str) -> None:
    """Let an item of another key's list pass when it ends on its line."""
    if text[:2] != "- " or any(character in text for character in "|>&*!\\`@%"):
        raise _Unusual
    if not _is_balanced(text):
        raise _Unusual


def _is_balanced(text: str) -> bool:
    pairs = all(text.count(opening) == text.count(closing) for opening, closing in ("{}", "[]"))
    return pairs and not text.count('"') % 2 and not text.count("'") % 2


def _item(text: str) -> dict[str, str]:
    """Read `{key: value, ...}` or the first `key: value` of an item."""
    item: dict[str, str] = {}
    if text[:1] != "{":
        key, value = _pair(text)
        _put(item, key, value)
        return item
    if text[-1:] != "}" or "{" in text[1:] or "}" in text[:-1]:
        raise _Unusual
    for part in text[1:-1].split(", "):
        key, value = _pair(part.strip(" "))
        _put(item, key, value)
    return item


def _put(item: dict[str, str], key: str, text: str) -> None:
    # An unquoted number is no text, and so no resource.
    if key in item or (key == "resource" and text.replace(".", "").isdigit()):
        raise _Unusual
    item[key] = _value(text)


def _value(text: str) -> str:
    """Return what a value says: quoted without escapes, or letters and a few harmless signs."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" and text.count(text[0]) == 2:
        return text[1:-1]
    if not text or text[-1] == " " or not (text[0].isalnum() or text[0] in "./_"):
        raise _Unusual
    for character in text:
        if not (character.isalnum() or character in _SAFE or character == ":"):
            raise _Unusual
    if ": " in text or text[-1] == ":" or text.casefold() in ("null", "true", "false"):
        raise _Unusual
    return text
