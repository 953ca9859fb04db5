"""What a note states, claim by claim: the facts of an entry, or a body of one sentence.

Rules can compare such claims; longer prose they can't (flagged are 60-66 % of passages that
contradict each other and 15-41 % of those that agree), so it is only counted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST = 400
"""Letters of a claim; what is longer is a passage."""
MOST = 500
"""Claims of one entry that are compared."""

_NO_CLAIM = ("?", "!")  # questions and exclamations state nothing
_MARKED = re.compile(r"((?:\[\^[^\]\s]+\][ \t]*)+)\^([A-Za-z0-9-]+)[ \t]*$", re.MULTILINE)
_NOTE = re.compile(r"\[\^([^\]\s]+)\]")
_FACTS = re.compile(r"(?im)^#{2,6}[ \t]+(?:facts|superseded)[ \t]*#*[ \t]*$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]")
_NEXT = re.compile(r"[.!?。！？][\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9])")  # noqa: RUF001
_LIST = re.compile(r"^\s*(?:[-*+]|\d{1,9}[.)])\s|^\s*[|>]|^\s*(?:```|~~~|<)")
_ABBREVIATED = re.compile(
    r"(?:\b[A-Z]|\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|vs|No|Inc|Ltd|Co|etc|e\.g|i\.e))\.$"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One claim: the entry that makes it, its block id ("" if none), its words.

    `at` is when it was said, as far as the entry knows (ISO 8601 or ""), `until` when it ceased to
    hold; `event` says that it tells of something that happened once. `by` names the entry for good.
    """

    path: str
    by: str
    text: str
    fact: str = ""
    title: str = ""
    at: str = ""
    until: str = ""
    event: bool = False

    @property
    def name(self) -> str:
        """How a person finds it: the path, and the block id behind it."""
        return f"{self.path}#^{self.fact}" if self.fact else self.path

    @property
    def key(self) -> str:
        """What it is called in the sidecar: the entry's id, and the block id behind it."""
        return f"{self.by}#^{self.fact}" if self.fact else self.by

    def stands(self, now: str) -> bool:
        """Whether it still holds at a time."""
        return not self.until or not now or self.until[:10] > now[:10]


def stated(
    *, path: str, by: str, title: str, type: str, meta: Mapping[str, object], body: str,  # noqa: A002  (the word of the format)
    facts: Sequence[tuple[str, str, bool]],
) -> tuple[tuple[Statement, ...], int]:  # fmt: skip
    """The claims of an entry, and how many passages of it are none.

    `body` is its text without front matter `meta`; `facts` its bullets under `## Facts`: block id,
    words, whether it still stands. `by` names the entry for good. An entry that says of itself that
    it is past states nothing.
    """
    if _is_past(meta):
        return (), 0
    event = type.casefold() == "event"
    own, until = _time_of(meta), _text(meta, "valid_to")
    times = _times(meta, body) if facts else {}

    def claim(text: str, fact: str = "") -> Statement:
        return Statement(path=path, by=by, title=title, text=text, fact=fact, until=until,
                         at=times.get(fact, "") or own, event=event)  # fmt: skip

    found = [
        claim(text, fact) for fact, text, holds in facts[:MOST]
        if holds and text and len(text) <= LONGEST and not text.endswith(_NO_CLAIM)
    ]  # fmt: skip
    prose = _prose(body)
    is_turn = bool(meta.get("speaker") or meta.get("session"))
    if len(prose) == 1 and not facts and not is_turn and _is_sentence(prose[0]):
        found.append(claim(" ".join(prose[0].split())))
        prose = []
    return tuple(found), len(prose)


def has_facts(body: str) -> bool:
    """Whether a body has a section of facts."""
    return _FACTS.search(body) is not None


def mark_of(one: Statement, other: Statement) -> str:
    """The name of a disagreement: which two claims, in which words. Ten letters.

    The order of the two does not matter. In other words it is another one, and asks anew.
    """
    parts = sorted(f"{each.key}\0{each.text}" for each in (one, other))
    return blake2b("\1".join(parts).encode("utf-8", "replace"), digest_size=5).hexdigest()


def newer(one: Statement, other: Statement) -> Statement | None:
    """Which of two was said later; None when nobody knows.

    Days are compared where one of the two times is only a day. In one entry, the later block id.
    """
    mine, theirs = one.at, other.at
    if mine and theirs:
        short = min(len(mine), len(theirs))
        mine, theirs = mine[:short], theirs[:short]
        if mine != theirs:
            return one if mine > theirs else other
    if one.path == other.path:
        first, second = _number(one.fact), _number(other.fact)
        if first != second and first >= 0 <= second:
            return one if first > second else other
    return None


def _is_past(meta: Mapping[str, object]) -> bool:
    """Whether an entry says of itself that something else holds, or that it is a stub."""
    status = _text(meta, "status").casefold()
    return bool(meta.get("superseded_by")) or status in ("deprecated", "archived")


def _time_of(meta: Mapping[str, object]) -> str:
    """When an entry was said, as far as it tells: its own time before that of its file."""
    for key in ("time", "valid_from", "date"):
        if found := _text(meta, key):
            return found
    made = meta.get("generated")
    at = _text(made, "at") if isinstance(made, dict) else ""
    return at or _text(meta, "created")


def _times(meta: Mapping[str, object], body: str) -> dict[str, str]:
    """When each fact was said, by block id, where the source that it rests on has a time."""
    items = meta.get("sources")
    known = {
        _text(item, "id"): _text(item, "time") or _text(item, "at")
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    }
    found = {}
    for notes, fact in _MARKED.findall(body) if known else ():
        times = [known.get(name, "") for name in _NOTE.findall(notes)]
        found[fact] = max(times)
    return found


def _prose(body: str) -> list[str]:
    """The paragraphs of a body that are neither headings nor facts."""
    found: list[str] = []
    block: list[str] = []
    level = 0  # of the section of facts that we are in
    for line in [*body.splitlines(), ""]:
        heading = _HEADING.match(line)
        if heading or not line.strip():
            if block:
                found.append("\n".join(block))
                block = []
            if heading and (not level or len(heading[1]) <= level):
                level = len(heading[1]) if _FACTS.match(line) else 0
        elif not level:
            block.append(line)
    return found


def _is_sentence(block: str) -> bool:
    """Whether a paragraph is one sentence, and no list, table or code."""
    text = " ".join(block.split())
    if (
        len(text) > LONGEST
        or text.endswith(_NO_CLAIM)
        or any(_LIST.match(line) for line in block.splitlines())
    ):
        return False
    ends = [match.start() + 1 for match in _NEXT.finditer(text)]
    return all(_ABBREVIATED.search(text[:end]) for end in ends)


def _text(meta: Mapping[str, object], key: str) -> str:
    value = meta.get(key)
    return value if isinstance(value, str) else ""


def _number(fact: str) -> int:
    return int(fact[1:]) if fact[:1] == "f" and fact[1:].isdecimal() else -1
