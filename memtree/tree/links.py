"""What a link means: from the text of a target to the entry it names.

The rules are those that people's notes already follow, in this order: Obsidian's for wikilinks
(shortest path, any case, aliases), CommonMark's for markdown links (relative, percent-encoded),
OKF's for bundle-absolute ones (`/folder/note.md`), ids and titles last. Dendron's dotted names are
file names like any other; its links put the alias first, so both halves of `[[a|b]]` get a chance,
the Obsidian half before the other.

`LinkIndex` is built once for many questions; nothing here touches a disk.
"""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MARKDOWN_SUFFIXES = (".md", ".markdown")


def fold(text: str) -> str:
    """Make names comparable: NFC, without case, runs of white space as one space."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(text.casefold().split())


class LinkIndex:
    """Every name that an entry answers to. Built from `(path, id, title, aliases)` rows."""

    __slots__ = ("_aliases", "_ids", "_paths", "_stems", "_titles", "paths")

    def __init__(self, rows: Iterable[tuple[str, str, str, Sequence[str]]]) -> None:
        # Path -> (id, title, aliases), in the order given.
        self.paths: dict[str, tuple[str, str, Sequence[str]]] = {}
        self._paths: dict[str, list[str]] = {}
        self._stems: dict[str, list[str]] = {}
        self._ids: dict[str, str] = {}
        self._aliases: dict[str, list[str]] = {}
        self._titles: dict[str, list[str]] = {}
        for path, identity, title, aliases in rows:
            self.add(path, identity, title, aliases)

    def add(
        self, path: str, identity: str = "", title: str = "", names: Sequence[str] = ()
    ) -> None:
        """Add one entry; the first to claim an id keeps it."""
        if path in self.paths:
            return
        self.paths[path] = (identity, title, names)
        self._paths.setdefault(fold(path), []).append(path)
        self._stems.setdefault(fold(without_suffix(path.rpartition("/")[2])), []).append(path)
        if identity:
            self._ids.setdefault(identity.casefold(), path)
        for name in names:
            self._aliases.setdefault(fold(name), []).append(path)
        if title:
            self._titles.setdefault(fold(title), []).append(path)

    def after(self, moved: Mapping[str, str]) -> LinkIndex:
        """Build the index of the same entries after a move from old to new paths."""
        from memtree.tree.markdown import name_in_words

        index = LinkIndex(())
        for path, (identity, title, names) in self.paths.items():
            new = moved.get(path, path)
            # A title that came from the file name goes with it.
            if new != path and title == name_in_words(path):
                title = name_in_words(new)  # noqa: PLW2901
            index.add(new, identity, title, names)
        return index

    def at(self, path: str) -> str | None:
        """Find the entry at a path relative to the root, with or without suffix, in any case.

        A folder stands for its `index.md` (or `README.md`).
        """
        path = path.strip("/")
        if path in self.paths:
            return path
        key = fold(path)
        for candidate in (key, key + ".md", key + ".markdown"):
            found = self._paths.get(candidate)
            if found:
                return found[0] if len(found) == 1 else _exact_case(found, path)
        prefix = key + "/" if key else ""
        for candidate in (prefix + "index.md", prefix + "readme.md"):
            found = self._paths.get(candidate)
            if found:
                return found[0]
        return None

    def named(self, name: str, source: str) -> str | None:
        """Find the entry of that file name, or of a path that ends so; the nearest of several."""
        key = fold(without_suffix(name))
        tail = key.rpartition("/")[2]
        found = self._stems.get(tail)
        if not found:
            return None
        if tail != key:
            found = [p for p in found if fold(without_suffix("/" + p)).endswith("/" + key)]
        return _nearest(found, source, name)

    def by_id(self, identity: str) -> str | None:
        """Find the entry with that id."""
        return self._ids.get(identity.casefold())

    def called(self, name: str, source: str) -> str | None:
        """Find the entry with that alias, or else that title; the nearest of several."""
        key = fold(name)
        return _nearest(self._aliases.get(key) or self._titles.get(key) or [], source, name)

    def same_name(self, path: str) -> list[str]:
        """List the entries whose file name is that of `path`, in any folder, sorted."""
        return sorted(self._stems.get(fold(without_suffix(path.rpartition("/")[2])), []))


def resolve(target: str, source: str, index: LinkIndex, *, kind: str = "") -> str | None:
    """Find the entry that a link in the entry `source` leads to; None when it is broken or leaves.

    `target` is what stands in the link (`note#heading|alias`, `../a%20b.md`, an id); `kind` is
    `wiki`, `embed`, `markdown` or `related`, "" when it isn't known. A link to a heading of the
    entry itself leads to `source`.
    """
    target = target.strip()
    if kind == "related":
        return _related(target, source, index)
    if kind == "markdown":
        return _markdown(target, source, index)
    if kind == "wiki":
        return _wiki(target, source, index)
    if kind == "embed":  # `![[note]]`, or an image of a markdown link
        return _wiki(target, source, index) or _markdown(target, source, index)
    return _markdown(target, source, index) or _related(target, source, index)


def is_external(target: str, kind: str = "markdown") -> bool:
    """Whether a target leaves the tree by its own words: a URL, `mailto:`, a data URI.

    In a markdown link any scheme counts; in the others `note: a story` may be a title.
    """
    target = target.strip().lstrip("<")
    scheme, colon, rest = target.partition(":")
    if not colon or len(scheme) < 2 or not scheme[0].isalpha():
        return target.startswith("//")
    if scheme == "dendron" or not all(c.isascii() and (c.isalnum() or c in "+.-") for c in scheme):
        return False
    return kind == "markdown" or rest.startswith("//") or scheme.lower() in _OPAQUE


_OPAQUE = frozenset({"mailto", "tel", "data", "javascript", "file", "urn", "doi", "magnet"})


def without_suffix(path: str) -> str:
    """Cut `.md` or `.markdown` off a name."""
    lowered = path.lower()
    for suffix in MARKDOWN_SUFFIXES:
        if lowered.endswith(suffix):
            return path[: -len(suffix)]
    return path


def wiki_name(text: str) -> str:
    """Cut a wikilink's text down to the name: no alias, heading, block or Dendron range."""
    name = text.partition("|")[0]
    return _bare(name)


def markdown_path(target: str) -> str:
    """Cut a markdown link's target down to a decoded path: no title, query or anchor."""
    target = target.strip()
    if target.startswith("<"):
        target = target[1:].partition(">")[0]
    else:
        target = target.split(None, 1)[0] if target else ""
    path = target.partition("#")[0].partition("?")[0]
    if "%" in path:
        from urllib.parse import unquote

        path = unquote(path, errors="replace")
    for character in "()_":
        path = path.replace("\\" + character, character)
    return path.replace("\\", "/")


def _bare(name: str) -> str:
    # `note\|alias` is how a pipe is written inside a table.
    name = name.partition("#")[0].strip().rstrip("\\")
    if name.startswith("dendron://"):
        name = name[len("dendron://") :].partition("/")[2]
    cut = name.find("^")
    if cut > 0:
        name = name[:cut]
    return name.strip()


def _wiki(target: str, source: str, index: LinkIndex) -> str | None:
    target = target.removeprefix("!").removeprefix("[[").removesuffix("]]")
    first, bar, second = target.partition("|")
    found = _wiki_name(first, source, index)
    if found is None and bar:
        found = _wiki_name(second, source, index)
    return found


def _wiki_name(text: str, source: str, index: LinkIndex) -> str | None:
    name = _bare(text)
    if not name:
        return source if text.strip().startswith(("#", "^")) else None
    if is_external(name, "wiki"):
        return None
    if name.startswith("/"):
        return index.at(name)
    if name.startswith(("./", "../")):
        return _relative(name, source, index)
    found = index.at(name) if "/" in name else None
    return (
        found
        or index.named(name, source)
        or index.by_id(name)
        or index.called(name, source)
        or index.at(name)
    )


def resolve_strictly(target: str, source: str, index: LinkIndex) -> str | None:
    """Find where CommonMark and OKF take a markdown link: no names, no paths from the root."""
    return _markdown(target, source, index, strict=True)


def _markdown(target: str, source: str, index: LinkIndex, *, strict: bool = False) -> str | None:
    if is_external(target):
        return None
    path = markdown_path(target)
    if not path:
        return source if target.lstrip("<").startswith("#") else None
    if path.startswith("/"):
        return index.at(path)
    found = _relative(path, source, index)
    if found is None and not strict and not path.startswith(("./", "../")):
        # Obsidian writes markdown links from the vault's root, or as the bare file name.
        found = index.at(path)
        if found is None and path.lower().endswith(MARKDOWN_SUFFIXES):
            found = index.named(path, source)
    return found


def _related(target: str, source: str, index: LinkIndex) -> str | None:
    if target.startswith(("[[", "![[")):
        return _wiki(target, source, index)
    if target.startswith("[") and "](" in target:
        target = target.partition("](")[2].removesuffix(")")
        return _markdown(target, source, index)
    if is_external(target, "related") or not target:
        return None
    return (
        index.by_id(target)
        or index.at(target.partition("#")[0].lstrip("/"))
        or _markdown(target, source, index)
        or _wiki_name(target, source, index)
    )


def _relative(path: str, source: str, index: LinkIndex) -> str | None:
    joined = os.path.normpath(os.path.join(os.path.dirname(source), path)).replace(os.sep, "/")
    if joined.startswith("../") or joined == "..":
        return None
    return index.at("" if joined == "." else joined)


def _nearest(found: Sequence[str], source: str, name: str) -> str | None:
    """Choose as Obsidian does: the same folder, the shortest path, then exact case, then order."""
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    folder = source.rpartition("/")[0]
    wanted = without_suffix(name)
    return min(
        found,
        key=lambda path: (
            path.rpartition("/")[0] != folder,
            path.count("/"),
            not without_suffix(path).endswith(wanted),
            path,
        ),
    )


def _exact_case(found: Sequence[str], wanted: str) -> str:
    return min(found, key=lambda path: (without_suffix(path) != without_suffix(wanted), path))
