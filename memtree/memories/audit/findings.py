"""What an audit finds, challenge by challenge. Pure functions over entries that were read."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.claims.pairing import rivals
from memtree.errors import PathRefused
from memtree.knowledge.path import parse_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from memtree.claims.statements import Statement

CAPACITY, ALIGNMENT = "capacity", "alignment"
CONSISTENCY, INTEROPERABILITY = "consistency", "interoperability"
CHALLENGES = (CAPACITY, ALIGNMENT, CONSISTENCY, INTEROPERABILITY)
KINDS = {
    "orphan": CAPACITY, "oversize": CAPACITY, "unsourced": ALIGNMENT,
    "contradiction": CONSISTENCY, "stale": CONSISTENCY, "not-portable": INTEROPERABILITY,
}  # fmt: skip
"""Every kind of finding, and the challenge that it belongs to."""
CONTRASTS = "contrasts-with"
"""A relation that says: these two disagree, and that is meant."""

_SOURCE = ("sources", "source", "resource", "url", "derived_from")
_OWNER = ("owner", "author", "authors", "by", "speaker", "verified")
_SPECIAL = ("index", "readme", "log")
"""Files that describe a folder: no knowledge of their own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that wants a look: the entry's id and path, what kind it is, and why."""

    id: str
    path: str
    kind: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What an audit keeps of an entry: no text, so that a large tree fits.

    `times` are when it was made and last changed (ISO 8601), `derived` the items of its
    `derived_from`, `tokens` its length.
    """

    id: str
    path: str
    digest: str
    tags: tuple[str, ...] = ()
    tokens: int = 0
    sourced: bool = False
    stub: bool = False
    changed: str = ""
    derived: tuple[object, ...] = ()

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.path.rpartition("/")[0]

    @property
    def special(self) -> bool:
        """Whether it describes its folder."""
        return self.path.rpartition("/")[2].partition(".")[0].casefold() in _SPECIAL


def orphans(
    entries: Sequence[Noted], linked: Callable[[str], bool], named: frozenset[str]
) -> Iterator[Finding]:
    """Entries that nothing leads to: no link, no tag that another has, no neighbour in the folder.

    `linked` says whether any link leads from or to a path; `named` are paths that others were
    derived from.
    """
    folders = Counter(each.folder for each in entries)
    tags = Counter(tag.casefold() for each in entries for tag in set(each.tags))
    if len(entries) < 2:
        return
    for each in entries:
        alone = folders[each.folder] == 1 and all(tags[tag.casefold()] == 1 for tag in each.tags)
        if alone and not each.special and not each.derived and each.path not in named \
                and not linked(each.path):  # fmt: skip
            yield Finding(
                each.id, each.path, "orphan", "no link, no shared tag, alone in its folder"
            )


def oversize(entries: Sequence[Noted], window: int) -> Iterator[Finding]:
    """Entries that no model with this window can read whole."""
    for each in entries:
        if each.tokens > window:
            yield Finding(each.id, each.path, "oversize",
                          f"about {each.tokens:,} tokens, a model reads {window:,}")  # fmt: skip


def unsourced(entries: Sequence[Noted]) -> Iterator[Finding]:
    """Entries that name neither a source nor an owner."""
    for each in entries:
        if not each.sourced and not each.stub and not each.special:
            yield Finding(each.id, each.path, "unsourced", "it names neither a source nor an owner")


def is_sourced(meta: Mapping[str, object]) -> bool:
    """Whether front matter says where an entry comes from, or whose it is."""
    if any(meta.get(key) for key in (*_SOURCE, *_OWNER)):
        return True
    made = meta.get("generated")
    by = made.get("by") if isinstance(made, dict) else None
    return isinstance(by, str) and by.startswith("human:")


def contradictions(
    statements: Sequence[Statement], ids: Mapping[str, str], contrasted: Callable[[str, str], bool]
) -> Iterator[Finding]:
    """Entries whose claims can't both hold, but for those that are said to contrast."""
    told: dict[str, list[str]] = {}
    for each in rivals(statements):
        if not contrasted(each.one.path, each.other.path):
            told.setdefault(each.one.path, []).append(f"{each.reason}; {each.other.name}")
            told.setdefault(each.other.path, []).append(f"{each.reason}; {each.one.name}")
    for path, reasons in sorted(told.items()):
        more = f" and {len(reasons) - 1} more" if len(reasons) > 1 else ""
        yield Finding(ids.get(path, path), path, "contradiction", f"{reasons[0]}{more}")


def stale(
    entries: Sequence[Noted], find: Callable[[str], str | None]
) -> Iterator[tuple[Finding | None, str]]:
    """Entries derived from something that is gone or was changed since, each with what they name.

    Yields (finding or None, path) for every name in `derived_from`. An item is a name (path, id,
    title, wikilink) or {path | id | to, digest, at}; with a digest that decides, else the times do.
    """
    by_path = {each.path: each for each in entries}
    for each in entries:
        whys = []
        for item in each.derived:
            name, digest, at = _derived(item)
            path = find(name) if name else None
            source = by_path.get(path) if path else None
            yield None, path or ""
            if source is None:
                whys.append(f"derived from '{name}', which is gone")
            elif digest and not source.digest.startswith(digest.casefold()):
                whys.append(f"derived from '{source.path}', which was changed")
            elif not digest and _later(source.changed, at or each.changed):
                when = f"{source.changed[:10]} after {(at or each.changed)[:10]}"
                whys.append(f"derived from '{source.path}', which is newer ({when})")
        if whys:
            more = f" and {len(whys) - 1} more" if len(whys) > 1 else ""
            yield Finding(each.id, each.path, "stale", whys[0] + more), ""


def portable(path: str, data: bytes) -> tuple[str, bytes]:
    """Why a file can't travel ("" if it can), and what comes back from a JSON line of it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"no UTF-8 at byte {error.start}", b""
    if "\0" in text:
        return "it holds a zero byte", b""
    try:
        if parse_path(path) != path:
            return "its name is not in Unicode NFC", b""
    except PathRefused as error:
        return error.message, b""
    back = json.loads(json.dumps({"path": path, "text": text}, ensure_ascii=False))
    return "", str(back["text"]).encode("utf-8")


def twins(entries: Sequence[Noted]) -> Iterator[Finding]:
    """Entries that share an id: an import elsewhere could keep only one of them."""
    counts = Counter(each.id for each in entries)
    for each in entries:
        if counts[each.id] > 1:
            yield Finding(each.id, each.path, "not-portable",
                          f"its id '{each.id}' belongs to {counts[each.id]} entries")  # fmt: skip


def changed_at(meta: Mapping[str, object]) -> str:
    """When an entry was last changed, as far as its front matter tells (ISO 8601, or "")."""
    made = meta.get("generated")
    at = made.get("at") if isinstance(made, dict) else None
    for value in (at, meta.get("updated"), meta.get("created"), meta.get("time")):
        if isinstance(value, str) and value:
            return value
    return ""


def derived_of(meta: Mapping[str, object]) -> tuple[object, ...]:
    """The items of `derived_from`, as a person or a plugin wrote them."""
    value = meta.get("derived_from")
    if isinstance(value, (str, dict)):
        return (value,) if value else ()
    return tuple(value[:1000]) if isinstance(value, list) else ()


def _derived(item: object) -> tuple[str, str, str]:
    """What an item of `derived_from` names, the digest it had, and when that was."""
    if isinstance(item, dict):
        parts = {key: str(value) for key, value in item.items() if isinstance(value, (str, int))}
        name = parts.get("path") or parts.get("id") or parts.get("to") or ""
        return _name(name), parts.get("digest", ""), parts.get("at", "")
    return _name(str(item)), "", ""


def _name(text: str) -> str:
    """The name inside a wikilink, without alias and anchor."""
    inner = text.strip().removeprefix("[[").removesuffix("]]")
    return inner.partition("|")[0].partition("#")[0].strip()


def _later(one: str, other: str) -> bool:
    """Whether a time is after another, as far as both are told; False when either is unknown."""
    short = min(len(one), len(other))
    return bool(short) and one[:short] > other[:short]
