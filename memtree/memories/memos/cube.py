"""A memory cube: what the key `memos` of an entry's front matter says, and what holds at a moment.

    memos: {state: activated, ttl: "7d", since: 2026-01-01T00:00:00Z, frozen: true,
            visibility: private, version: 3}

All keys are optional, and a person may write them by hand: a value that means nothing counts as
not said, and `cube show` names it. Pure functions; days are floats since 1970-01-01 (UTC).

The states are those of MemOS (arXiv 2507.03724, section on the life cycle; docs.openmem.net):
Generated -> Activated -> Merged -> Archived -> Expired, and Frozen, which is no step on that way
but a lock: what is frozen may not be modified. A time to live is a promise of its own: what is
frozen and past it is not shown any more, and its file stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.knowledge.lifecycle import day_number, day_text

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "memos"
GENERATED, ACTIVATED, MERGED, ARCHIVED, EXPIRED = STATES = (
    "generated", "activated", "merged", "archived", "expired",
)  # fmt: skip
PUBLIC, SESSION, PRIVATE = VISIBILITIES = ("public", "session", "private")
MERGED_TO, MERGED_FROM = "merged_to", "merged_from"
_DAYS = {"min": 1 / 1440, "h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.0}
_SPAN = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?(min|h|d|w|y)")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ][\d:.]+(?:Z|[+\-]\d{2}:?\d{2})?)?")
_AFTER = {
    GENERATED: {ACTIVATED, MERGED, ARCHIVED, EXPIRED},
    ACTIVATED: {MERGED, ARCHIVED, EXPIRED},
    MERGED: {ACTIVATED, ARCHIVED, EXPIRED},  # what is brought back from the archive lives again
    ARCHIVED: {ACTIVATED, EXPIRED},
    EXPIRED: {ACTIVATED},  # by a new time to live
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cube:
    """What an entry's front matter says of its life as a cube.

    `governed` is whether it says anything; `since` the day that its time to live counts from, and
    `ends` the day on which that is over (None without one). `stub` is whether the entry lies in
    the archive. `wrong` are values that mean nothing.
    """

    governed: bool = False
    state: str = GENERATED
    ttl: str = ""
    ends: float | None = None
    frozen: bool = False
    visibility: str = PUBLIC
    version: int = 1
    stub: bool = False
    wrong: tuple[str, ...] = ()

    def expired(self, day: float) -> bool:
        """Whether its time is over on a day."""
        return self.state == EXPIRED or (self.ends is not None and day >= self.ends)

    def shown(self, day: float, visibility: str = "") -> str:
        """Why an answer may not hold it, "" when it may.

        `visibility` is what whoever asks may see: `public` leaves out what is private or of a
        session, `session` what is private; anything else sees all.
        """
        if self.expired(day):
            ended = f" on {day_text(self.ends)}" if self.ends is not None else ""
            return f"its time to live ended{ended}"
        allowed = VISIBILITIES.index(visibility if visibility in VISIBILITIES else PRIVATE)
        if VISIBILITIES.index(self.visibility) > allowed:
            return f"it is {self.visibility}"
        return ""


def said(meta: Mapping[str, object]) -> dict[str, object]:
    """The mapping under `memos` as it stands; {} for none."""
    value = meta.get(KEY)
    return {str(key): each for key, each in value.items()} if isinstance(value, dict) else {}


def read_cube(meta: Mapping[str, object]) -> Cube:
    """The cube that a front matter describes; never raises."""
    mine = said(meta)
    wrong = [] if KEY not in meta or isinstance(meta[KEY], dict) else [f"{KEY} is no mapping"]
    state = str(mine.get("state", GENERATED)).casefold()
    visibility = str(mine.get("visibility", PUBLIC)).casefold()
    ttl = "" if mine.get("ttl") in (None, "") else str(mine["ttl"]).strip()
    start = _first_day(mine.get("since"), meta.get("created"), meta.get("time"))
    ends = ends_on(ttl, start)
    version = mine.get("version", 1)
    if state not in STATES:
        wrong.append(f"state {state[:40]!r}")
    if visibility not in VISIBILITIES:
        wrong.append(f"visibility {visibility[:40]!r}")
        visibility = PRIVATE  # who meant to hide something and misspelt it: hidden
    if ttl and ends is None:
        wrong.append(f"ttl {ttl[:40]!r}" + (" without a day that it counts from"
                                           if span_of(ttl) is not None else ""))  # fmt: skip
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        wrong.append(f"version {str(version)[:40]!r}")
        version = 1
    return Cube(
        governed=KEY in meta,
        state=state if state in STATES else GENERATED,
        ttl=ttl,
        ends=ends,
        frozen=mine.get("frozen") is True or str(mine.get("frozen")).casefold() in ("true", "yes"),
        visibility=visibility,
        version=version,
        stub=str(meta.get("status", "")).casefold() == ARCHIVED,
        wrong=tuple(wrong),
    )


def span_of(ttl: str) -> float | None:
    """The days that `7d`, `12h`, `2w`, `30min` or `1y` mean; None for anything else."""
    found = _SPAN.fullmatch(ttl.strip())
    return float(found[1]) * _DAYS[found[2]] if found else None


def ends_on(ttl: str, start: float | None) -> float | None:
    """The day on which a time to live is over: that many days after `start`, or a date itself."""
    span = span_of(ttl)
    if span is not None:
        return None if start is None else start + span
    return day_number(ttl) if _DATE.fullmatch(ttl) else None


def next_state(cube: Cube, day: float, *, used: bool) -> str:
    """The state that a cube should be in on a day; its own when nothing moves it.

    Applying it twice is applying it once. A lock is not looked at: whoever writes asks the guard.
    """
    if cube.expired(day):
        wanted = EXPIRED
    elif cube.stub:
        wanted = ARCHIVED
    elif used or cube.state in (MERGED, ARCHIVED):
        wanted = ACTIVATED
    else:
        wanted = cube.state
    return wanted if wanted in _AFTER[cube.state] else cube.state


def with_keys(meta: Mapping[str, object], **keys: object) -> dict[str, object]:
    """The mapping under `memos` with these keys; None takes one out, unknown ones stay."""
    made: dict[str, object] = {**said(meta), **keys}
    order = ("state", "ttl", "since", "frozen", "visibility", "version")
    known = {key: made.pop(key) for key in order if key in made}
    return {key: value for key, value in {**known, **made}.items() if value is not None}


def _first_day(*times: object) -> float | None:
    for each in times:
        day = day_number(str(each)) if each else None
        if day is not None:
            return day
    return None
