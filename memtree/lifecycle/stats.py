"""A tree's life in figures: what `memtree stats` shows, from what the catalog and the log know.

`stats_of` is a pure function of rows, uses and a moment; no entry's file is opened, so 100,000 of
them take about a second. Archived stubs are counted and otherwise left out: their life is over
until they are restored.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, inf, log
from typing import TYPE_CHECKING

from memtree.knowledge.lifecycle import (
    DEFAULT,
    MATURITIES,
    REAL,
    Policy,
    day_number,
    day_text,
    importance,
    settle,
)
from memtree.knowledge.standing import Standing, replaced_because
from memtree.lifecycle.figures import Bin, Due, Fading, Flow, Month, Stale, Stats, Used
from memtree.lifecycle.telling import has_passed
from memtree.tree.listing import RESERVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Use

BINS = 10  # of ten points each
LISTED = 10  # entries in each list
WEEKS = 12  # of uses that are told apart
SOON = 60.0  # days: what comes to its next step down later than this is not fading yet
REST = 14.0  # days without a use before something can be fading
FIRST_DAY = 0.0  # 1970: an earlier `created` is a slip, as one that is yet to come

_NONE = Standing()


def stats_of(
    rows: Iterable[Row], *, now: float, policy: Policy = DEFAULT,
    uses: Mapping[str, Sequence[Use]] | None = None,
    past: Mapping[str, Sequence[Use]] | None = None,
    drifted: Mapping[str, str] | None = None, flow: Sequence[Flow] = (),
) -> Stats:  # fmt: skip
    """The life of these entries at the day `now`.

    `uses` are the events that are not in the files yet, by the key of their entry (its id, else its
    path): scores count these. `past` are all that are known (default: the same), for looking back.
    `drifted` is the state of sources that no longer hold (`drifted`, `gone`) by path, `flow` what
    the last settlings did, newest first.
    """
    uses = uses or {}
    count = _Count(now, policy, uses, uses if past is None else past, drifted or {})
    return count.all(rows, tuple(flow))


class _Count:
    """One pass over the rows."""

    def __init__(
        self, now: float, policy: Policy, uses: Mapping[str, Sequence[Use]],
        past: Mapping[str, Sequence[Use]], drifted: Mapping[str, str],
    ) -> None:  # fmt: skip
        self.now = now
        self.today = day_text(now)
        self.policy = policy
        self.uses = uses
        self.past = past
        self.drifted = drifted
        self.values: list[float] = []
        self.bins: Counter[tuple[int, str]] = Counter()
        self.grown: Counter[str] = Counter()
        self.due: Counter[str] = Counter()
        self.months: Counter[str] = Counter()
        self.archived = 0
        self.month_of: dict[str, str] = {}
        self.days: dict[str, float | None] = {}
        self.rests = {
            "draft": (policy.archive_below, policy.validated_at),
            "validated": (policy.validated_below, policy.core_at),
            "core": (policy.core_below, inf),
        }
        self.fading: list[tuple[float, float, Row, str, float | None]] = []
        self.stale: list[Stale] = []
        self.used: list[tuple[int, float, Row, Sequence[Use]]] = []

    def all(self, rows: Iterable[Row], flow: tuple[Flow, ...]) -> Stats:
        """Take in every row, and sum up."""
        for row in rows:
            standing = Standing(row.standing) if row.standing else _NONE
            if standing.archived or standing.status == "archived":
                self.archived += 1
                continue
            self._take(row, standing)
        return self._summed(flow)

    def _take(self, row: Row, standing: Standing) -> None:
        key = row.id or row.path
        uses = self.uses.get(key, ())
        settled = self._day(standing.settled) if standing.settled else None
        value = row.importance
        if settled is not None or uses:
            value = importance(value, settled, uses, self.now, self.policy)
        self.values.append(value)
        self.bins[min(BINS - 1, int(value // (100 / BINS))), row.maturity] += 1
        self.grown[row.maturity] += 1
        self._born(row.created)
        real = self._real(key)
        if real:
            self.used.append((len(real), real[-1][0], row, real))
        replaced = bool(replaced_because(standing, self.now))
        last = real[-1][0] if real else day_number(standing.used)
        self._settling(row, value, settled, uses, last=last, replaced=replaced)
        if not replaced and (settled is not None or real):
            self._may_fade(row, value, last)
        if replaced or standing.stale_after or row.path in self.drifted:
            self._may_be_stale(row, standing)

    def _real(self, key: str) -> list[Use]:
        """The known real uses of an entry, oldest first."""
        events = self.past.get(key)
        if not events:
            return []
        return sorted(use for use in events if use[1] in REAL and use[0] <= self.now)

    def _born(self, created: str) -> None:
        month = self.month_of.get(created)
        if month is None:
            day = day_number(created)
            # Until tomorrow: somewhere it is already.
            possible = day is not None and FIRST_DAY <= day < self.now + 1
            month = day_text(min(day or 0.0, self.now))[:7] if possible else ""
            self.month_of[created] = month
        self.months[month] += 1

    def _day(self, text: str) -> float | None:
        # Whole trees are settled at once: the same moment comes again and again.
        if text not in self.days:
            self.days[text] = day_number(text)
        return self.days[text]

    def _settling(
        self, row: Row, value: float, settled: float | None, uses: Sequence[Use], *,
        last: float | None, replaced: bool,
    ) -> None:  # fmt: skip
        # Of most entries two comparisons say that nothing would happen.
        least, most = self.rests[row.maturity]
        if not uses and not replaced and value >= least and row.importance < most:
            return
        done = settled is not None and settled >= self.now and not replaced
        if done or row.path.rpartition("/")[2].lower() in RESERVED:
            return
        made = settle(
            row.importance, row.maturity, settled, uses, self.now, policy=self.policy,
            replaced="replaced" if replaced else "",
        )  # fmt: skip
        step = MATURITIES.index(made.maturity) - MATURITIES.index(row.maturity)
        self.due["promoted"] += step > 0
        self.due["demoted"] += step < 0
        # As memtree.lifecycle.decide has it: settled before, a draft before, and at rest.
        rests = last is None or self.now - last >= self.policy.rest_days
        was_draft = settled is not None and row.maturity == "draft"
        self.due["archived"] += made.archive and was_draft and rests and not step

    def _may_fade(self, row: Row, value: float, last: float | None) -> None:
        """What was once worth something, rests, and comes to its next step down soon."""
        if row.maturity == "draft" and last is None:
            return
        if last is not None and self.now - last < REST:
            return
        policy = self.policy
        bound, following = {
            "core": (policy.core_below, "validated"),
            "validated": (policy.validated_below, "draft"),
        }.get(row.maturity, (policy.archive_below, "archive"))
        if value <= bound:
            days = 0.0
        elif bound <= 0 or policy.decay >= 1:
            return
        else:
            days = log(bound / value) / log(policy.decay)
        if days <= SOON:
            self.fading.append((days, value, row, following, last))

    def _may_be_stale(self, row: Row, standing: Standing) -> None:
        if standing.superseded_by or standing.status == "deprecated":
            by = standing.superseded_by
            why = f"superseded by {by}" if by else "marked as deprecated"
            self._is_stale(row, "superseded", why, standing.valid_to)
        elif has_passed(standing.valid_to, self.now):
            self._is_stale(row, "expired", f"valid until {standing.valid_to}", standing.valid_to)
        elif has_passed(standing.stale_after, self.now):
            why = f"stale after {standing.stale_after}"
            self._is_stale(row, "stale", why, standing.stale_after)
        elif row.path in self.drifted:
            state = self.drifted[row.path]
            why = "a source is gone" if state == "gone" else "a source has changed"
            self._is_stale(row, state, why, "")

    def _is_stale(self, row: Row, code: str, why: str, since: str) -> None:
        self.stale.append(
            Stale(path=row.path, title=row.title, code=code, why=why, since=since[:10])
        )

    def _summed(self, flow: tuple[Flow, ...]) -> Stats:
        self.values.sort()
        count = len(self.values)
        half = count // 2
        median = (self.values[half] + self.values[(count - 1) // 2]) / 2 if count else 0.0
        width = 100 // BINS
        self.used.sort(key=lambda one: (-one[0], -one[1], one[2].path))
        self.fading.sort(key=lambda one: (one[0], -one[1], one[2].path))
        self.stale.sort(key=lambda one: one.path)
        self.stale.sort(key=lambda one: one.since, reverse=True)
        undated = self.months.pop("", 0)
        events = Counter(
            event for events in self.past.values() for day, event in events if day <= self.now
        )
        return Stats(
            now=self.today,
            entries=count,
            archived=self.archived,
            importance=tuple(
                Bin(
                    low=at * width, high=(at + 1) * width,
                    draft=self.bins[at, "draft"], validated=self.bins[at, "validated"],
                    core=self.bins[at, "core"],
                )
                for at in range(BINS)
            ),
            median=round(median, 2),
            maturity={name: self.grown[name] for name in MATURITIES},
            due=Due(
                promoted=self.due["promoted"], demoted=self.due["demoted"],
                archived=self.due["archived"],
            ),
            flow=flow,
            uses=dict(sorted(events.items())),
            weeks=_weeks((use for *_, uses in self.used for use in uses), self.now),
            most_used=tuple(self._used(*one) for one in self.used[:LISTED]),
            used_total=len(self.used),
            fading=tuple(_fading(*one) for one in self.fading[:LISTED]),
            fading_total=len(self.fading),
            stale=tuple(self.stale[:LISTED]),
            stale_by=dict(sorted(Counter(one.code for one in self.stale).items())),
            growth=tuple(_growth(self.months, self.today[:7])),
            undated=undated,
        )  # fmt: skip

    def _used(self, count: int, last: float, row: Row, uses: Sequence[Use]) -> Used:
        return Used(
            path=row.path, title=row.title, uses=count,
            by=dict(sorted(Counter(event for _, event in uses).items())),
            last=day_text(last), weeks=_weeks(uses, self.now),
        )  # fmt: skip


def _fading(days: float, value: float, row: Row, following: str, last: float | None) -> Fading:
    return Fading(
        path=row.path, title=row.title, maturity=row.maturity, importance=round(value, 2),
        days=ceil(days), next=following, last="" if last is None else day_text(last),
    )  # fmt: skip


def _weeks(uses: Iterable[Use], now: float) -> tuple[int, ...]:
    """How many uses fell into each of the last weeks, oldest first; the last one ends now."""
    counts = [0] * WEEKS
    for day, _ in uses:
        age = int((now - day) // 7)
        if 0 <= age < WEEKS:
            counts[WEEKS - 1 - age] += 1
    return tuple(counts)


def _growth(months: Mapping[str, int], this: str) -> Iterable[Month]:
    """Every month from the first to this one, also those in which nothing came."""
    if not months:
        return
    year, number = map(int, min(months).split("-"))
    total = 0
    while (name := f"{year:04d}-{number:02d}") <= this:
        total += months.get(name, 0)
        yield Month(month=name, entries=months.get(name, 0), total=total)
        year, number = (year, number + 1) if number < 12 else (year + 1, 1)
