"""The generated listing in a folder's `index.md`: what is here, one line each, between two markers.

Everything outside the markers is a person's and is kept to the byte. A folder without such a file,
or a file without the markers, is left alone. The listing is the same whoever makes it and whenever:
after a git conflict it is made again, not merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from memtree.tree.links import without_suffix

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN = "<!-- memtree:begin listing -->"
END = "<!-- memtree:end listing -->"
RESERVED = frozenset({"index.md", "log.md"})
"""File names that OKF keeps for the folder itself."""


class Item(NamedTuple):
    """One entry, as a listing shows it."""

    path: str
    title: str
    description: str


def has_listing(text: str) -> bool:
    """Whether a file asks for a listing: both markers, once each, in order."""
    begin = text.find(BEGIN)
    return begin >= 0 and text.find(END, begin) > 0 and text.count(BEGIN) == text.count(END) == 1


def splice(text: str, listing: str) -> str:
    """Put a listing between the markers of `text`, in the file's own line ends.

    A text without the two markers comes back as it is.
    """
    if not has_listing(text):
        return text
    newline = "\r\n" if "\r\n" in text else "\n"
    begin = text.index(BEGIN) + len(BEGIN)
    end = text.index(END)
    lines = [line for line in listing.split("\n") if line]
    return text[:begin] + newline + "".join(line + newline for line in lines) + text[end:]


def listing_of(folder: str, items: Iterable[Item]) -> str:
    """Render what lies in `folder` ("" is the root): entries, then sub-folders, each by name.

    `items` may be all entries of the tree. A sub-folder shows the title and description of its own
    `index.md` when it has one, and how many entries it holds. Links are relative and encoded.
    """
    prefix = folder + "/" if folder else ""
    entries: list[Item] = []
    counts: dict[str, int] = {}
    about: dict[str, Item] = {}
    for item in items:
        if not item.path.startswith(prefix):
            continue
        rest = item.path[len(prefix) :]
        name, slash, below = rest.partition("/")
        if not slash:
            if name.lower() not in RESERVED:
                entries.append(item)
        elif not name.startswith("_"):
            if below.lower() == "index.md":
                about[name] = item
            counts[name] = counts.get(name, 0) + (rest.rpartition("/")[2].lower() not in RESERVED)
    lines = [
        _line(item.path[len(prefix) :], item.title, item.description)
        for item in sorted(entries, key=lambda item: (item.path.casefold(), item.path))
    ]
    for name in sorted(counts, key=lambda name: (name.casefold(), name)):
        known = about.get(name)
        title = known.title if known else name
        entries_word = "entry" if counts[name] == 1 else "entries"
        text = f"{counts[name]} {entries_word}"
        if known and known.description:
            text = f"{known.description} ({text})"
        lines.append(_line(name + "/" + ("index.md" if known else ""), title, text))
    return "\n".join(lines)


def _line(target: str, title: str, description: str) -> str:
    title = " ".join((title or without_suffix(target)).split())
    for character in "\\[]":
        title = title.replace(character, "\\" + character)
    link = f"* [{title}]({quote(target, safe='/!$&+,;=@-._~')})"
    description = " ".join(description.split())
    return f"{link} - {description}" if description else link
