"""An entry at its granularities, as texts: all of it, its parts, a summary, keywords.

Summaries and keywords that a model made stand in the sidecar, `generated.jsonl`, a line an entry;
what a person wrote (front matter `summary` or `description`, tags) comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.plugins import Context, EntryRef, EntryView

GENERATED = "generated.jsonl"
DIGEST = "_digest.md"
GRANULARITIES = ("entry", "parts", "summary", "keywords")
ENTRY, PARTS, SUMMARY, KEYWORDS = range(4)
PARTS_MOST, PART_LONGEST, SUMMARY_LONGEST, KEYWORDS_MOST, KEYWORD_LONGEST = 400, 2000, 600, 24, 60
"""Bounds of what is read: parts of an entry, characters, keywords."""
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+]|\d+[.)])[ \t])")
_BULLET = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A paragraph or bullet with its lines."""

    text: str
    lines: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """What a model made of an entry that had this digest."""

    digest: str
    summary: str
    keywords: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grains:
    """One entry at all its granularities; "" and () where it has none."""

    path: str
    whole: str
    parts: Sequence[Part]
    summary: str
    keywords: tuple[str, ...]


def parts_of(body: str, first: int) -> list[Part]:
    """Paragraphs and bullets of a body whose first line is `first`; headings stay with them."""
    found: list[Part] = []
    at = 0
    heading = ""
    for end in [*(match.start() for match in _BREAK.finditer(body)), len(body)]:
        raw = body[at:end]
        line = first + body.count("\n", 0, at)
        lead = len(raw) - len(raw.lstrip("\n"))
        text = _BULLET.sub("", raw.strip()).strip()
        at, line = end, line + lead
        if not text:
            continue
        if text.startswith("#") and "\n" not in text:
            heading = text.lstrip("# ")
            continue
        last = line + raw.strip("\n").count("\n")
        found.append(Part(text=text[:PART_LONGEST], lines=(line, last)))
        if len(found) == PARTS_MOST:
            break
    if not found and heading:
        found.append(Part(text=heading[:PART_LONGEST], lines=(first, first)))
    return found


def grains_of(entry: EntryView, generated: Mapping[str, Generated], digest: str = "") -> Grains:
    """An entry at its granularities; `digest` is the text that sums up its folder, if any."""
    made = generated.get(entry.id)
    summary = next((text for key in ("summary", "description")
                    if (text := cleaned(entry.meta.get(key), SUMMARY_LONGEST))), "")  # fmt: skip
    if not summary:
        summary = made.summary if made is not None else cleaned(digest, SUMMARY_LONGEST)
    tags = [cleaned(tag.replace("-", " "), KEYWORD_LONGEST) for tag in entry.tags]
    words = tuple(dict.fromkeys([*tags, *(made.keywords if made is not None else ())]))
    whole = f"{entry.title}\n{entry.body}".strip()
    return Grains(
        path=entry.path, whole=whole, parts=parts_of(entry.body, entry.first), summary=summary,
        keywords=tuple(word for word in words if word)[:KEYWORDS_MOST],
    )  # fmt: skip


def read(ctx: Context, path: str, generated: Mapping[str, Generated]) -> Grains | None:
    """An entry of the tree at its granularities; None where there is none."""
    entry = ctx.tree.get(path)
    if entry is None:
        return None
    folder = path.rpartition("/")[0]
    digest = ctx.tree.get(f"{folder}/{DIGEST}") if folder else None
    return grains_of(entry, generated, digest.body if digest is not None else "")


def generated_of(ctx: Context) -> dict[str, Generated]:
    """What models made, by the id of the entry. It is data: cleaned and bounded."""
    found = {}
    for record in ctx.sidecar.read(GENERATED):
        words = record.get("keywords")
        found[str(record.get("id"))] = Generated(
            digest=str(record.get("digest", "")),
            summary=cleaned(record.get("summary"), SUMMARY_LONGEST),
            keywords=keywords_from(words),
        )
    return found


def keywords_from(value: object) -> tuple[str, ...]:
    """Keywords as a model or a file gave them, cleaned and bounded."""
    if not isinstance(value, list):
        return ()
    each = [cleaned(word, KEYWORD_LONGEST) for word in value[: 4 * KEYWORDS_MOST]]
    return tuple(dict.fromkeys(word for word in each if word))[:KEYWORDS_MOST]


def write_generated(ctx: Context, made: Mapping[str, Generated]) -> None:
    """Store what models made, in the order of ids, so that git can merge it."""
    ctx.sidecar.write(
        GENERATED,
        [{"id": id_, "digest": one.digest, "summary": one.summary, "keywords": list(one.keywords)}
         for id_, one in sorted(made.items())],
    )  # fmt: skip


def are_described(ctx: Context) -> bool:
    """Whether there is anything to say at the granularities of summary and keywords."""
    if ctx.sidecar.names():
        return True
    return any(ref.tags for ref in ctx.tree.entries())


def is_node(ref: EntryRef) -> bool:
    """Whether an entry is one itself: a digest speaks of others."""
    return ref.path.rpartition("/")[2] != DIGEST


def cleaned(value: object, longest: int) -> str:
    """One line of printable characters, bounded; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value[: 8 * longest].split())
    return "".join(each for each in line if each.isprintable())[:longest]
