"""Where an operation may go: inside the tree, at names that every system can hold, to what exists.

A path from a model is text. It becomes a path of the tree here, or it is refused; what it names has
to exist, unless it is where something new goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.curate.checks.bounds import line
from memtree.errors import PathRefused
from memtree.knowledge.path import parse_path, slug
from memtree.knowledge.plan import Refusal

if TYPE_CHECKING:
    from memtree.curate.protocol import Known, KnownEntry, Outlook

RESERVED = frozenset(["index", "log"])
"""Names that belong to listings (OKF) and are never entries."""
DEPTHS = (3, 4)
"""domain/topic/entry or domain/topic/subtopic/entry: where something new goes."""

_BAD, _UNKNOWN = "bad-path", "unknown-entry"


class Look:
    """The tree as one check looks at it: each entry read once."""

    __slots__ = ("_entries", "_folders", "_recalled", "outlook")

    def __init__(self, outlook: Outlook) -> None:
        self.outlook = outlook
        self._entries: dict[str, KnownEntry | None] = {}
        self._folders: dict[str, str] | None = None
        self._recalled: dict[str, tuple[Known, ...]] = {}

    def entry(self, path: str) -> KnownEntry | None:
        """The entry at a path, None when there is none."""
        if path not in self._entries:
            self._entries[path] = self.outlook.entry(path)
        return self._entries[path]

    def recalled(self, text: str) -> tuple[Known, ...]:
        """The passages of the tree that are nearest to a text."""
        if text not in self._recalled:
            self._recalled[text] = tuple(self.outlook.recall(text, limit=8))
        return self._recalled[text]

    def folder(self, folder: str) -> str | None:
        """The folder as the tree spells it, case and form ignored; None when it has none such."""
        if self.outlook.paths(folder):
            return folder
        if self._folders is None:
            self._folders = {}
            for path in self.outlook.paths():
                while "/" in path:
                    path = path.rpartition("/")[0]  # noqa: PLW2901
                    if self._folders.setdefault(_folded(path), path) is not path:
                        break
        return self._folders.get(_folded(folder))


def new_place(text: str, look: Look) -> tuple[str, Refusal | None]:
    """The path (with `.md`) for something new, or "" and why there is none.

    Names become slugs; folders that the tree already has keep the tree's spelling.
    """
    path, refusal = _inside(text)
    if refusal is not None:
        return "", refusal
    if look.entry(path) is not None:
        return path, None
    segments = path.removesuffix(".md").removesuffix(".markdown").split("/")
    if len(segments) not in DEPTHS:
        message = "a new entry goes to domain/topic/name or domain/topic/subtopic/name"
        return "", _refused(_BAD, message, text)
    slugs = [slug(segment) for segment in segments]
    if _is_reserved(slugs[-1]):
        return "", _refused(_BAD, "this name is reserved: choose another", text)
    plain = "/".join(slugs[:-1])
    folder = look.folder("/".join(segments[:-1])) or look.folder(plain) or plain
    made = f"{folder}/{slugs[-1]}.md"
    return _spelled(made, look), None


def _spelled(path: str, look: Look) -> str:
    """The path of an entry that differs from this one in case or form only, else this one."""
    if look.entry(path) is None:
        for other in look.outlook.named(path):
            if _folded(other) == _folded(path):
                return other
    return path


def known_place(text: str, look: Look) -> tuple[KnownEntry | None, Refusal | None]:
    """The entry that a model names by path, or else by title, alias or id when only one has it."""
    path, refusal = _inside(text)
    if refusal is None:
        entry = look.entry(path)
        if entry is not None:
            return entry, None
    elif refusal.code != _UNKNOWN and ("/" in text or ".." in text):
        return None, refusal
    named = look.outlook.named(text) if 0 < len(text) <= 300 else ()
    if len(set(named)) == 1 and _inside(named[0])[1] is None:
        entry = look.entry(named[0])
        if entry is not None:
            return entry, None
    if len(set(named)) > 1:
        return None, _refused(_UNKNOWN, "several entries have this name: give the path", text)
    return None, _refused(_UNKNOWN, "there is no such entry: name one that was shown", text)


def _inside(text: str) -> tuple[str, Refusal | None]:
    """The path of the tree that a text is, or why it is none that may be written."""
    if len(text) > 1000:
        return "", _refused(_BAD, "this path is too long", text)
    try:
        path = parse_path(text.strip())
    except (PathRefused, UnicodeError) as error:
        reason = error.message if isinstance(error, PathRefused) else "it is no text"
        return "", _refused(_BAD, reason, text)
    segments = path.split("/")
    if any(segment[0] in "._~" and segment != "_" for segment in segments):
        return "", _refused(_BAD, "names that begin with _ or . belong to memtree", text)
    if _is_reserved(segments[-1].rpartition(".")[0]):
        return "", _refused(_BAD, "index.md and log.md are no entries", text)
    return path, None


def _is_reserved(stem: str) -> bool:
    return stem.casefold() in RESERVED


def _folded(path: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _refused(code: str, message: str, said: str) -> Refusal:
    return Refusal(code=code, message=message, said=line(said, 80))
