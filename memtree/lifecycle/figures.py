"""The figures of a tree's life, as values: what `memtree.lifecycle.stats` counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Entries with an importance from `low` up to `high` (the last one: and that), by maturity."""

    low: int
    high: int
    draft: int
    validated: int
    core: int

    @property
    def entries(self) -> int:
        """All of them."""
        return self.draft + self.validated + self.core


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What settling at that moment would do: from one maturity to another, or to the archive.

    `archived` is at most so many: what was verified, rests on fresh evidence or is linked from a
    core entry stays, and only the files tell.
    """

    promoted: int
    demoted: int
    archived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What one settling did, on the day `at`."""

    at: str
    promoted: int
    demoted: int
    archived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """An entry that is used: how often by kind, its last day, and its uses in each week."""

    path: str
    title: str
    uses: int
    by: Mapping[str, int]
    last: str
    weeks: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fading:
    """An entry that comes to its next step down in `days` (0: with the next settling) if unused.

    `next` is the maturity that it falls to, or `archive`. `last` is the day of its last known use,
    "" when none is known.
    """

    path: str
    title: str
    maturity: str
    importance: float
    days: int
    next: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """An entry that may no longer hold: `code` says why in a word, `why` in a sentence.

    Codes: `superseded`, `expired` (valid_to), `stale` (stale_after), `gone`, `drifted`.
    """

    path: str
    title: str
    code: str
    why: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Entries `created` in a month (`2026-11`), and how many there were at its end."""

    month: str
    entries: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The life of a tree at `now`; lists are at most ten long, `..._total` says of how many.

    `importance` is in ten bins, `median` 0 to 100 (0 without entries). `flow` is what the last
    settlings did, newest first. `uses` counts the events of the log by kind, `weeks` its real uses
    in each of the last twelve weeks, oldest first, and `used_total` the entries that they were of.
    `undated` entries have no `created` that can be.
    """

    now: str
    entries: int
    archived: int
    importance: tuple[Bin, ...]
    median: float
    maturity: Mapping[str, int]
    due: Due
    flow: tuple[Flow, ...]
    uses: Mapping[str, int]
    weeks: tuple[int, ...]
    most_used: tuple[Used, ...]
    used_total: int
    fading: tuple[Fading, ...]
    fading_total: int
    stale: tuple[Stale, ...]
    stale_by: Mapping[str, int]
    growth: tuple[Month, ...]
    undated: int
