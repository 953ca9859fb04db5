"""Names inside a tree: which paths are safe on every system, and how text becomes a name.

A path of the tree is relative, uses `/`, is in Unicode NFC and names a markdown file. `parse_path`
is the only way from a person's text to such a path: what it lets through can be created on Linux,
macOS and Windows and stays inside the tree. Nothing here touches a disk.
"""

from __future__ import annotations

import unicodedata

from memtree.errors import PathRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NewType

    EntryPath = NewType("EntryPath", str)
else:
    # `typing` costs milliseconds at start-up, and a NewType is only a name for the checker.
    EntryPath = str

MARKDOWN_SUFFIXES = (".md", ".markdown")
MAX_SEGMENT_BYTES = 255
"""The limit of one name on ext4, APFS and NTFS (there in UTF-16 units, which is never stricter)."""
MAX_PATH_BYTES = 3072
"""Leaves room for the tree's own folder under Linux's PATH_MAX of 4096."""

_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
"""Reserved by Windows with any extension (Microsoft, "Naming Files, Paths, and Namespaces")."""
_FORBIDDEN = frozenset('<>:"|?*\\')
_HINT = "give a path inside the tree, like architecture/retries/http-client"
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def parse_path(text: str) -> EntryPath:
    """Return the entry path that `text` names, with `.md` added when it has no markdown suffix.

    Raises `PathRefused` for anything empty, absolute, hidden, leaving the tree, or not possible as
    a name on Linux, macOS and Windows alike.
    """
    path = unicodedata.normalize("NFC", text)
    if not path.casefold().endswith(MARKDOWN_SUFFIXES):
        path += ".md"
    if not text or text.endswith("/"):
        raise PathRefused(f"{text!r} does not name an entry", hint=_HINT)
    _check(path, text)
    return EntryPath(path)


def parse_scope(text: str) -> str:
    """Return the folder of the tree that `text` names: "" is the whole tree, as are "." and "/".

    Raises `PathRefused` for the same reasons as `parse_path`.
    """
    path = unicodedata.normalize("NFC", text)
    if path in ("", ".", "./", "/"):
        return ""
    path = path.removesuffix("/")
    _check(path, text)
    return path


def _check(path: str, asked: str) -> None:
    """Raise `PathRefused` unless every part of the NFC `path` is a name that is safe everywhere."""
    for segment in path.split("/"):
        reason = _refusal(segment)
        if reason:
            raise PathRefused(f"the path {asked!r} is refused: {reason}", hint=_HINT)
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH_BYTES:
        raise PathRefused(f"a path of {len(path)} characters is too long", hint=_HINT)


def _refusal(segment: str) -> str:
    """Why `segment` cannot be a name in a tree, or "" when it can."""
    reason = ""
    if not segment:
        reason = "it is absolute or has an empty part"
    elif segment == "..":
        reason = "it leaves the tree"
    elif segment[0] == ".":
        reason = "hidden names are not entries"
    elif segment[-1] in ". ":
        reason = "a name may not end with a dot or a space"
    elif not _FORBIDDEN.isdisjoint(segment):
        reason = 'a name may not hold any of < > : " | ? * \\'
    elif any(_invisible(character) for character in segment):
        reason = "a name may not hold control or direction characters"
    elif segment.split(".", 1)[0].rstrip(" ").casefold() in _DEVICES:
        reason = "the name is reserved for a device"
    elif len(segment.encode()) > MAX_SEGMENT_BYTES:
        reason = f"a name may hold at most {MAX_SEGMENT_BYTES} bytes"
    return reason


def _invisible(character: str) -> bool:
    """Control, separator and surrogate characters, and those that reorder the text around them.

    The joiners U+200C and U+200D stay allowed: Persian and Indic words need them.
    """
    if character < "\x7f":
        return character < " "
    category = unicodedata.category(character)
    return category in ("Cc", "Zl", "Zp", "Cs") or (
        category == "Cf" and character not in "\u200c\u200d"
    )


def slug(text: str, *, limit: int = 60) -> str:
    """Return a file name (without suffix) for `text`, in its own script, safe on every system.

    Letters, digits and marks stay, casefolded and in NFC; everything else becomes single `-`. At
    most `limit` characters (at least 8) and 240 UTF-8 bytes, so that a suffix still fits. Never
    empty and never a device name.
    """
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    words = "".join(
        character if unicodedata.category(character)[0] in "LNM" else " " for character in folded
    ).split()
    name = _shorten("-".join(words), max(limit, 8))
    # A mark alone would attach itself to whatever comes before it on screen.
    while name and unicodedata.category(name[0])[0] == "M":
        name = name[1:].lstrip("-")
    if not name:
        return "entry"
    return f"{name}-entry" if name in _DEVICES else name


def _shorten(name: str, limit: int) -> str:
    """Cut at a word where one ends in the last half, never between a letter and its marks."""
    cut = name[:limit]
    while len(cut.encode()) > 240:
        cut = cut[:-1]
    if len(cut) == len(name):
        return name
    if name[len(cut)] != "-":
        word_end = cut.rfind("-")
        if word_end * 2 >= len(cut):
            cut = _undangled(cut[:word_end])
        else:
            end = len(cut)
            while end and unicodedata.category(name[end])[0] == "M":
                end -= 1
            cut = cut[:end] or cut
    else:
        cut = _undangled(cut)
    return cut.strip("-")


def _undangled(cut: str) -> str:
    """Drop short words from the end of the last half of a cut name: "of", "the", "and"."""
    half = len(cut) // 2
    while True:
        rest, _, word = cut.rpartition("-")
        if len(rest) < half or len(word) > 3 or not (word.isascii() and word.isalpha()):
            return cut
        cut = rest


def new_id(random_bytes: bytes) -> str:
    """Ten characters of Crockford's base32 in lower case, from the first 50 bits given.

    Raises `ValueError` for fewer than seven bytes. A tree of 100,000 entries has a chance of about
    one in 225,000 that two of its ids collide (birthday bound: n squared over 2 to the 51st).
    """
    if len(random_bytes) < 7:
        raise ValueError("an id needs seven random bytes")
    number = int.from_bytes(random_bytes[:7], "big") >> 6
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(45, -1, -5))
