"""The facts of an entry: the bullets under `## Facts`, with the exact lines on which each stands.

A fact is spoken of by its block id (`^f3`), which names it in its entry for good. What no longer
holds stands under `## Superseded`, with the same id and the date until which it held. Whatever
stands in code or in comments is no fact. `templates/entry.md` sections 5 and 8 specify all this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from memtree.curate.protocol import Fact
from memtree.tree.format import find_front
from memtree.tree.link_text import mask_code
from memtree.tree.outline import scan

if TYPE_CHECKING:
    from memtree.tree.format import Front

FACTS, SUPERSEDED = "facts", "superseded"
"""The headings that hold facts, in small letters."""

_BULLET = re.compile(r"( {0,3})(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_BLOCK_ID = re.compile(r"(?:^|[ \t])\^([A-Za-z0-9\-]+)[ \t]*$")
_FOOTNOTE = re.compile(r"(?<!\\)\[\^([^\]\s]+)\]")
_UNTIL = re.compile(r"[ \t]*\(until [^()]*\)")
_NUMBERED = re.compile(r"\^f(\d{1,9})(?![A-Za-z0-9\-])")
_ESCAPED = re.compile(r"\\(?=\[\^|<!--)|^\\(?=[-+*>#`~=\d|<\[])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullet:
    """A fact and the characters of the text that are its own: whole lines, their ends included."""

    fact: Fact
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts of a text, and where more would go.

    `end` is the offset behind the last bullet under `## Facts`, or behind the heading when there
    is none yet; `section_end` is where that section ends, and a new `## Superseded` would begin.
    `superseded_end` is to `## Superseded` what `end` is to `## Facts`. Each is -1 without its
    heading. `last` is the highest number of a block id `^f1`, `^f2`, ... that was ever given.
    """

    bullets: tuple[Bullet, ...]
    end: int
    section_end: int
    superseded_end: int
    last: int

    def of(self, identity: str) -> Bullet | None:
        """The bullet with this block id, case ignored as links to blocks do; None without one."""
        wanted = identity.removeprefix("^").casefold()
        for bullet in self.bullets:
            if bullet.fact.id and bullet.fact.id.casefold() == wanted:
                return bullet
        return None


def facts_of(text: str, front: Front | None = None) -> tuple[Fact, ...]:
    """The facts of an entry's whole text, in their order."""
    return tuple(bullet.fact for bullet in read_facts(text, front).bullets)


def read_facts(text: str, front: Front | None = None) -> Facts:
    """Read the facts of an entry's whole text (front matter included). Never raises.

    `front` is what `find_front` says of it, where that is known already.
    """
    return _read(text) if front is None else _facts(text, front)


@lru_cache(maxsize=8)
def _read(text: str) -> Facts:
    """An operation reads the same text again and again."""
    return _facts(text, find_front(text))


def _facts(text: str, front: Front) -> Facts:
    body = text[front.body :]
    if not _says(body, FACTS) and not _says(body, SUPERSEDED):
        return Facts(
            bullets=(), end=-1, section_end=-1, superseded_end=-1, last=_last(text, front.meta)
        )
    lines = body.split("\n")
    masked = mask_code(body).split("\n")
    starts = [front.body]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(text)
    first = text.count("\n", 0, front.body) + 1
    page = _Page(lines, masked, starts, first)
    bullets: list[Bullet] = []
    ends = {FACTS: (-1, -1), SUPERSEDED: (-1, -1)}
    headings = scan([line.rstrip("\r") for line in lines], first).headings
    for number, (place, level, name) in enumerate(headings):
        section = name.strip().casefold()
        if level < 2 or section not in ends:
            continue
        after = (at for at, depth, _ in headings[number + 1 :] if depth <= level)
        last = next(after, first + len(lines)) - first
        begin = _behind(lines, place - first)
        found = page.bullets(begin, last, stands=section == FACTS)
        bullets += found
        here = found[-1].end if found else starts[min(begin, len(lines))]
        ends[section] = here, starts[last]
    return Facts(
        bullets=tuple(bullets),
        end=ends[FACTS][0],
        section_end=ends[FACTS][1],
        superseded_end=ends[SUPERSEDED][0],
        last=_last(text, front.meta),
    )


def sections(body: str, names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Where the sections under these headings (small letters, level 2 and deeper) begin and end.

    Offsets in `body`, headings included, in order.
    """
    lines = body.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(body)
    found: list[tuple[int, int]] = []
    headings = scan([line.rstrip("\r") for line in lines], 1).headings
    for number, (place, level, name) in enumerate(headings):
        if level < 2 or name.strip().casefold() not in names:
            continue
        end = next((at for at, depth, _ in headings[number + 1 :] if depth <= level), 0)
        span = starts[place - 1], starts[end - 1] if end else len(body)
        if not found or span[0] >= found[-1][1]:
            found.append(span)
    return found


def _says(body: str, word: str) -> bool:
    return word in body or word in body.casefold()


def _behind(lines: list[str], at: int) -> int:
    """The line behind a heading, whose second line may be its underline."""
    under = lines[at + 1].strip() if at + 1 < len(lines) else ""
    underlined = lines[at].lstrip(" ")[:1] != "#" and under and not under.strip("-")
    return at + 2 if underlined else at + 1


def _last(text: str, meta: object) -> int:
    """The highest number of a fact, whether it still stands here or was only noted."""
    noted = meta.get("last_fact") if isinstance(meta, dict) else None
    kept = _NUMBERED.fullmatch(f"^{noted}") if isinstance(noted, str) else None
    return max([int(number) for number in _NUMBERED.findall(text)] + [int(kept[1]) if kept else 0])


class _Page:
    """The lines of a body: as they are, and with code and comments blanked out."""

    def __init__(self, lines: list[str], masked: list[str], starts: list[int], first: int) -> None:
        self.lines = lines
        self.masked = masked
        self.starts = starts
        self.first = first

    def bullets(self, begin: int, end: int, *, stands: bool) -> list[Bullet]:
        """The bullets of the lines from `begin` to before `end`, in order."""
        found: list[Bullet] = []
        at = begin
        while at < end:
            match = _BULLET.match(self.masked[at])
            if match is None:
                at += 1
                continue
            last = self._last_line(at, end, len(match[1]))
            found.append(self._bullet(at, last, match.end(), stands=stands))
            at = last + 1
        return found

    def _last_line(self, at: int, end: int, indent: int) -> int:
        """The last line of the bullet that begins at line `at`; blank lines behind are not its."""
        last = at
        blank = False
        for number in range(at + 1, end):
            line = self.lines[number].rstrip("\r")
            if not line.strip():
                blank = True
                continue
            inside = len(line) - len(line.lstrip(" \t")) > indent + 1 or line[0] == "\t"
            if not inside and (blank or _BULLET.match(self.masked[number]) or line[0] == "#"):
                break
            last = number
            blank = False
        return last

    def _bullet(self, at: int, last: int, mark: int, *, stands: bool) -> Bullet:
        rows = [self.lines[at][mark:].rstrip("\r")]
        rows += [line.strip() for line in self.lines[at + 1 : last + 1]]
        identity = ""
        for number in range(len(rows) - 1, -1, -1):
            match = _BLOCK_ID.search(rows[number])
            if match and not identity:
                identity = match[1]
                rows[number] = rows[number][: match.start()]
        text = " ".join(" ".join(rows).split())
        sources = tuple(dict.fromkeys(_FOOTNOTE.findall(text)))
        text = _FOOTNOTE.sub("", text)
        if not stands:
            text = _UNTIL.sub("", text)
        fact = Fact(
            id=identity,
            text=_ESCAPED.sub("", " ".join(text.split())),
            line=self.first + at,
            sources=sources,
            stands=stands,
        )
        return Bullet(fact=fact, start=self.starts[at], end=self.starts[last + 1])
