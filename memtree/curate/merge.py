"""Two entries become one: facts, prose, sources and names move over, and nothing is lost.

Pure: texts in, text out. Footnotes and block ids that both entries use are renamed in what moves;
`renamed` says how, so that links to blocks can follow.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from memtree.curate.compose import NAMED_NOTE, listed, place_of, with_rows
from memtree.curate.facts import FACTS, SUPERSEDED, read_facts, sections
from memtree.knowledge.anchor import is_source
from memtree.tree.format import edit_front_matter, find_front, newline_of
from memtree.tree.link_text import mask_code
from memtree.tree.markdown import parse_for_index

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK = re.compile(r"(?:^|[ \t])\^([A-Za-z0-9\-]+)[ \t]*\r?$", re.MULTILINE)
_TITLE = re.compile(r"\s*#[ \t]+[^\n]*\n?")
_OWN = frozenset(
    ["type", "title", "id", "created", "generated", "importance", "maturity", "settled", "used",
     "sources", "tags", "aliases", "alias", "related", "merged", "last_fact"]
)  # fmt: skip
"""Keys that are joined, or that say of an entry what only it can say."""


class Joined(NamedTuple):
    """The new text, and the block ids of the other entry that have another name in it."""

    text: str
    renamed: dict[str, str]


def joined(into: str, path: str, other: str, *, at: str, by: str) -> Joined:
    """Move what the entry `other` (whose path is `path`) says into the text `into`.

    Raises Refused when the front matter of `into` can't be changed safely.
    """
    front, theirs = find_front(into), find_front(other)
    body = other[theirs.body :].replace("\r\n", "\n")
    sources, notes = _sources(front.meta, into[front.body :], theirs.meta, body)
    blocks = _blocks(into, other)
    body = _renamed(body, notes, blocks)
    rows, over, prose = _parted(body)
    title = parse_for_index(path, other.encode("utf-8", "surrogateescape")).title
    new = with_rows(into, rows, over)
    if prose:
        newline = newline_of(into)
        text = f"## {' '.join(title.split())}\n\n{prose}\n"
        gap = "\n" if new.endswith("\n") else "\n\n"
        new += (gap + text).replace("\n", newline)
    changes = _meta(front.meta, theirs.meta, title, path)
    changes["generated"] = {"by": by, "at": at}
    if sources:
        changes["sources"] = [*listed(front.meta.get("sources")), *sources]
    return Joined(edit_front_matter(new, changes), blocks)


def _parted(body: str) -> tuple[list[str], list[str], str]:
    """The bullets of a body, those that no longer hold, and its prose."""
    facts = read_facts(body)
    rows: list[str] = []
    over: list[str] = []
    for bullet in facts.bullets:
        row = body[bullet.start : bullet.end].rstrip("\n")
        (rows if bullet.fact.stands else over).append(row)
    kept = []
    done = 0
    for start, end in sections(body, (FACTS, SUPERSEDED)):
        kept.append(body[done:start])
        inside = [bullet for bullet in facts.bullets if start <= bullet.start < end]
        at = body.find("\n", start) + 1 or end
        for bullet in inside:
            kept.append(body[at : bullet.start])  # what people wrote between the bullets
            at = bullet.end
        kept.append(body[at:end])
        done = end
    kept.append(body[done:])
    prose = "\n\n".join(part.strip("\n") for part in kept if part.strip())
    return rows, over, _TITLE.sub("", prose, count=1).strip("\n") if _TITLE.match(prose) else prose


def _sources(
    mine: Mapping[str, object], text: str, theirs: Mapping[str, object], body: str
) -> tuple[list[object], dict[str, str]]:
    """Their sources under ids that are free here, and old id to new."""
    there = [each for each in listed(mine.get("sources")) if is_source(each)]
    places = {place_of(each): str(each.get("id", "")) for each in there if isinstance(each, dict)}
    taken = {name for name in places.values() if name} | set(NAMED_NOTE.findall(text))
    taken_later = set(NAMED_NOTE.findall(body))
    notes: dict[str, str] = {}
    moved: list[object] = []
    for each in listed(theirs.get("sources")):
        if not isinstance(each, dict):
            moved.append(each)
            continue
        identity = str(each.get("id", ""))
        known = places.get(place_of(each))
        if known and identity:
            notes[identity] = known
            continue
        name = _free(identity, taken, taken_later) if identity in taken else identity
        if name:
            taken.add(name)
            notes[identity] = name
        moved.append({**each, "id": name} if name else each)
    for name in NAMED_NOTE.findall(body):
        if name not in notes and name in taken:
            notes[name] = _free(name, taken, taken_later)
            taken.add(notes[name])
    return moved, {old: new for old, new in notes.items() if old != new}


def _free(name: str, taken: set[str], later: set[str]) -> str:
    stem = "s" if re.fullmatch(r"s\d+", name) else f"{name}-"
    number = 2
    while f"{stem}{number}" in taken or f"{stem}{number}" in later:
        number += 1
    return f"{stem}{number}"


def _blocks(into: str, other: str) -> dict[str, str]:
    """The block ids of the other text that are taken here, and what they are called from now on."""
    taken = {name.casefold() for name in _BLOCK.findall(into)}
    theirs = _BLOCK.findall(other)
    last = max(read_facts(into).last, read_facts(other).last)
    new: dict[str, str] = {}
    for name in dict.fromkeys(theirs):
        if name.casefold() not in taken and not _was_given(name, into):
            continue
        last += 1
        new[name] = f"f{last}"
    return new


def _was_given(name: str, into: str) -> bool:
    number = re.fullmatch(r"f(\d{1,9})", name)
    return number is not None and int(number[1]) <= read_facts(into).last


def _renamed(body: str, notes: Mapping[str, str], blocks: Mapping[str, str]) -> str:
    masked = mask_code(body)
    edits = [
        (match.start(1), match.end(1), notes[match[1]])
        for match in NAMED_NOTE.finditer(masked)
        if match[1] in notes
    ]
    edits += [
        (match.start(1), match.end(1), blocks[match[1]])
        for match in re.finditer(r"(?<![\w^\[])\^([A-Za-z0-9\-]+)", masked)
        if match[1] in blocks
    ]
    out = []
    done = 0
    for start, end, new in sorted(edits):
        out += [body[done:start], new]
        done = end
    return "".join([*out, body[done:]])


def _meta(
    mine: Mapping[str, object], theirs: Mapping[str, object], title: str, path: str
) -> dict[str, object | None]:
    """The keys that change: names, tags and relations joined, other keys taken over or noted."""
    changes: dict[str, object | None] = {}
    own = str(mine.get("title", ""))
    names = [title, *_texts(theirs.get("aliases") or theirs.get("alias"))]
    wanted = [name for name in names if name.casefold() != own.casefold()]
    for key, more in (
        ("aliases", wanted),
        ("tags", listed(theirs.get("tags"))),
        ("related", listed(theirs.get("related"))),
    ):
        there = listed(mine.get(key))
        new = [each for each in more if each not in there]
        if new:
            changes[key] = [*there, *dict.fromkeys(new)] if _hashable(new) else [*there, *new]
    left: dict[str, object] = {"path": path}
    if theirs.get("id"):
        left["id"] = theirs["id"]
    for key, value in theirs.items():
        if key in _OWN or value in (None, "", []):
            continue
        if key not in mine:
            changes[key] = value
        elif mine[key] != value:
            left[key] = value
    changes["merged"] = [*listed(mine.get("merged")), *listed(theirs.get("merged")), left]
    return changes


def _hashable(values: list[object]) -> bool:
    return all(isinstance(value, (str, int, float)) for value in values)


def _texts(value: object) -> list[str]:
    return [str(each) for each in listed(value)]
