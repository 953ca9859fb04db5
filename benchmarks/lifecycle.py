"""What the lifecycle buys: a simulated year of use, with it, without it, and with each part off.

    python benchmarks/lifecycle.py [--seeds 5] [--entries 2000] [--needs 15] [--json]
    python benchmarks/lifecycle.py --tune          other lifts, shares, decays, archive bounds
    python benchmarks/lifecycle.py --measure       the figures that the year is made with

Entries, needs, text scores and dice come from `simulated_year.py`; scores, settling and the lift
are the real functions of `memtree.knowledge.lifecycle`. What is opened is logged, what is logged
lifts, what is lifted is seen and opened: the loop is closed, so the rich could get richer. Once a
month everything is settled, as `memtree consolidate` does; who opens a stub gets the original back.
The first two months are not counted.

Every variant replays the same year, so differences to `off` are paired: `+-` is the 95 % interval
over seeds (Student's t) of the mean, and of the mean difference. `new@1` counts only needs of an
entry that nobody needed before in that year: what the lifecycle costs those it knows nothing of.
`best lift` is no policy: it knows what is needed and lifts that alone, the most that any lifecycle
could buy with the same bound.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass, field, replace
from math import log
from statistics import mean, stdev
from typing import TYPE_CHECKING

from measuring import HERE
from simulated_year import (
    CITES,
    CONFIRMS,
    LOOKS_AT,
    OPENS_NEEDED,
    OPENS_OTHER,
    OTHER_WAYS,
    REGIMES,
    RIVALS,
    Need,
    Year,
    make_year,
)

from memtree.knowledge import lifecycle
from memtree.knowledge.lifecycle import START, Policy, importance, life, lifted, recency_of, settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.app import Tree

MONTH = 30.0  # days between two settlings
WARM = 60.0  # days that are not counted: nothing is known yet
MISSED = RIVALS + 2  # the rank of what is not found
# Two-sided 95 % quantiles of Student's t by degrees of freedom.
STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Which parts of the lifecycle take part; `shares` replaces those inside `life`.

    `from_birth`: importance falls from the day an entry was made, not from its first use on.
    """

    policy: Policy = field(default_factory=Policy)
    importance: bool = True
    maturity: bool = True
    recency: bool = True
    archive: bool = True
    superseded: bool = True
    best: bool = False
    from_birth: bool = False
    shares: tuple[float, float, float] | None = None


VARIANTS = {
    "off": Variant(policy=Policy(lift=0.0), archive=False),
    "on": Variant(),
    "no importance": Variant(importance=False),
    "no maturity": Variant(maturity=False),
    "no recency": Variant(recency=False),
    "no archive": Variant(archive=False),
    "no supersession": Variant(superseded=False),
    "best lift": Variant(archive=False, best=True),
}


@dataclass(slots=True)
class Life:
    """One entry as its file and the log know it, in days of the year."""

    value: float
    settled: float | None
    grown: str = "draft"
    last: float = 0.0
    archived: bool = False
    uses: list[tuple[float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One replay: shares of needs (%), the mean rank of what was needed, what lies archived (%)."""

    hit1: float
    hit5: float
    rank: float
    new1: float
    archived: float


class Replay:
    """A year under one variant."""

    def __init__(self, year: Year, variant: Variant) -> None:
        self.year = year
        self.variant = variant
        self.policy = variant.policy
        self.lives = [
            Life(START, entry.born if variant.from_birth else None, last=entry.born)
            for entry in year.entries
        ]
        self._today: dict[int, float] = {}
        self._day = -1

    def run(self) -> Outcome:
        """Go through the year, need by need."""
        due = MONTH
        ranks: list[int] = []
        new: list[int] = []
        met: set[int] = set()
        for need in self.year.needs:
            while need.day >= due:
                self._settle(due)
                due += MONTH
            if int(need.day) != self._day:
                self._day = int(need.day)
                self._today.clear()
            order = self._ranked(need)
            rank = order.index(need.entry) + 1 if need.entry in order else MISSED
            if need.day >= WARM:
                ranks.append(rank)
                if need.entry not in met:
                    new.append(rank)
            met.add(need.entry)
            self._person(need, order)
        return Outcome(
            hit1=_within(ranks, 1), hit5=_within(ranks, 5), rank=mean(ranks), new1=_within(new, 1),
            archived=100 * mean(one.archived for one in self.lives),
        )  # fmt: skip

    def _ranked(self, need: Need) -> list[int]:
        scored = []
        for (number, text), stub in zip(need.texts, need.stubs, strict=True):
            score = text * stub if self.lives[number].archived else text
            if score > 0:
                scored.append((lifted(score, self._life(number, need), self.policy), number))
        scored.sort(reverse=True)
        return [number for _, number in scored]

    def _life(self, number: int, need: Need) -> float:
        if self.variant.best:
            return float(number == need.entry)
        if number not in self._today:
            self._today[number] = self._worked_out(number, need.day)
        return self._today[number]

    def _worked_out(self, number: int, day: float) -> float:
        variant, one = self.variant, self.lives[number]
        now = importance(one.value, one.settled, one.uses, day, self.policy)
        fresh = recency_of(one.last, day, self.policy)
        old = variant.superseded and self.year.entries[number].until <= day
        return life(
            now if variant.importance else START,
            one.grown if variant.maturity else "draft",
            fresh if variant.recency else 0.0,
            replaced=old or one.archived,
        )

    def _person(self, need: Need, order: Sequence[int]) -> None:
        """Look down the list as people do, open what seems right, and be done when it is."""
        places = len(LOOKS_AT)
        for place, number in enumerate(order[:places]):
            if need.dice[place] > LOOKS_AT[place]:
                continue
            if number != need.entry:
                if need.dice[places + place] < OPENS_OTHER:
                    self._use(number, need.day, "opened")
            elif need.dice[places + place] < OPENS_NEEDED:
                self._use(number, need.day, "opened")
                if need.dice[-1] < CITES:
                    self._use(number, need.day, "cited")
                elif need.dice[-1] < CITES + CONFIRMS:
                    self._use(number, need.day, "confirmed")
                return
        if need.dice[-2] < OTHER_WAYS:
            self._use(need.entry, need.day, "opened")

    def _use(self, number: int, day: float, event: str) -> None:
        one = self.lives[number]
        one.uses.append((day, event))
        one.last = day
        one.archived = False  # who opens a stub brings the original back
        self._today.pop(number, None)

    def _settle(self, day: float) -> None:
        self._today.clear()
        for number, one in enumerate(self.lives):
            entry = self.year.entries[number]
            if entry.born > day or one.archived:
                continue
            replaced = self.variant.superseded and entry.until <= day
            made = settle(
                one.value, one.grown, one.settled, one.uses, day, policy=self.policy,
                replaced="superseded" if replaced else "",
            )  # fmt: skip
            # As memtree.lifecycle.decide has it: what nobody scored or used is left alone, and
            # only what was a draft and settled before goes to the archive, at rest.
            if one.settled is None and not one.uses:
                continue
            rests = day - one.last >= self.policy.rest_days
            was_draft = one.grown == "draft" and one.settled is not None
            one.archived = self.variant.archive and made.archive and was_draft and rests
            if made.material or one.archived:
                one.value, one.grown, one.settled = made.importance, made.maturity, day
                one.uses.clear()


def _within(ranks: Sequence[int], place: int) -> float:
    return 100 * sum(rank <= place for rank in ranks) / max(1, len(ranks))


def replayed(year: Year, variant: Variant) -> Outcome:
    """Replay a year under a variant."""
    shares = "IMPORTANCE_SHARE", "MATURITY_SHARE", "RECENCY_SHARE"
    names = vars(lifecycle)
    kept = {name: names[name] for name in shares}
    names.update(zip(shares, variant.shares or kept.values(), strict=True))
    try:
        return Replay(year, variant).run()
    finally:
        names.update(kept)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval (0 for a single value)."""
    if len(values) < 2:
        return mean(values), 0.0
    quantile = STUDENT[min(len(values) - 2, len(STUDENT) - 1)]
    return mean(values), quantile * stdev(values) / len(values) ** 0.5


def simulate(
    variants: dict[str, Variant], *, regimes: Iterable[str], seeds: int, entries: int, needs: int,
    days: int = 365,
) -> list[dict[str, object]]:  # fmt: skip
    """One row for each regime and variant: every figure, and its difference to the first variant.

    A figure is [mean, half of the 95 % interval]; differences are paired by seed.
    """
    rows: list[dict[str, object]] = []
    for regime in regimes:
        years = [
            make_year(regime, seed=seed, entries=entries, per_day=needs, days=days)
            for seed in range(1, seeds + 1)
        ]
        base: list[Outcome] = []
        for name, variant in variants.items():
            found = [replayed(year, variant) for year in years]
            base = base or found
            row: dict[str, object] = {"regime": regime, "variant": name}
            for figure in Outcome.__dataclass_fields__:
                values = [getattr(one, figure) for one in found]
                against = [getattr(one, figure) for one in base]
                row[figure] = interval(values)
                row[f"{figure}_gain"] = interval(
                    [a - b for a, b in zip(values, against, strict=True)]
                )
            rows.append(row)
    return rows


def show(rows: Sequence[dict[str, object]]) -> None:
    """Print a table for each regime."""
    width = max(len(str(row["variant"])) for row in rows)
    shown = ""
    for row in rows:
        if row["regime"] != shown:
            shown = str(row["regime"])
            print(f"\n{shown}: {REGIMES[shown].says}")
            print(f"{'':{width}}  {'hit@1 %':>12} {'gain':>12} {'hit@5 %':>12} {'gain':>12} "
                  f"{'mean rank':>12} {'new@1 %':>12} {'gain':>12} {'archived':>9}")  # fmt: skip
        cells = [
            _cell(row[name], sign=name.endswith("gain"), digits=2 if name == "rank" else 1)
            for name in ("hit1", "hit1_gain", "hit5", "hit5_gain", "rank", "new1", "new1_gain")
        ]
        archived = row["archived"]
        assert isinstance(archived, tuple)
        print(f"{row['variant']:{width}}  {' '.join(cells)} {archived[0]:>7.0f} %")


def _cell(figure: object, *, sign: bool, digits: int) -> str:
    assert isinstance(figure, tuple)
    middle, half = figure
    told = f"{middle:+.{digits}f}" if sign else f"{middle:.{digits}f}"
    return f"{told:>6} ±{half:.{digits}f}".rjust(12)


def other_policies() -> dict[str, Variant]:
    """The variants of `--tune`: one thing changed at a time, no archive unless named."""
    plain = Variant(archive=False)
    found = {"off": VARIANTS["off"], "on, no archive": plain}
    for lift in (0.05, 0.10, 0.20, 0.25, 0.30):
        found[f"lift {lift:.2f}"] = replace(plain, policy=Policy(lift=lift))
    for shares in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.0, 0.5),
                   (0.45, 0.1, 0.45), (0.3, 0.1, 0.6), (0.7, 0.1, 0.2)):  # fmt: skip
        name = "imp {:.2f} mat {:.2f} rec {:.2f}".format(*shares)
        found[name] = replace(plain, shares=shares)
    for decay in (0.98, 0.99, 0.998):
        found[f"decay {decay}"] = replace(plain, policy=Policy(decay=decay))
    for days in (10, 60, 120):
        found[f"recency {days} days"] = replace(plain, policy=Policy(recency_days=days))
    for points in (1.0, 6.0, 10.0):
        policy = Policy(opened=points, cited=points, confirmed=5 / 3 * points)
        found[f"points {points:g}"] = replace(plain, policy=policy)
    found["from birth"] = replace(plain, from_birth=True)
    for below in (35, 25, 15, 10, 5):
        found[f"archive below {below}"] = Variant(policy=Policy(archive_below=below))
    return found


# -- what the year is made with --------------------------------------------------------------------


def measure(data: str) -> dict[str, dict[str, float]]:
    """How near the real ranker's rivals come to what is needed, by development set.

    `best` and `spread` are mean and deviation of log(best rival / needed), `ahead` the share of
    questions where a rival is ahead, `gap1` and `gap8` the mean log gaps after the first and after
    the eighth rival. Scores are the full-text tier's own, before they are bounded to 0..1.
    """
    from questions import known_items

    from memtree.app import init_tree, open_tree
    from memtree.knowledge.path import slug

    out: dict[str, dict[str, float]] = {}
    with open(os.path.join(data, "lihua_dev", "queries.jsonl"), encoding="utf-8") as lines:
        read = [json.loads(line) for line in lines]
    asked = [
        (row["text"], slug(str(row["group"])), frozenset(row["gold"]))
        for row in read
        if len(row["gold"]) == 1
    ]
    scopes = sorted({scope for _, scope, _ in asked})
    with tempfile.TemporaryDirectory() as place, init_tree(place) as tree:
        # One person's year: all documents are of one group.
        corpus = os.path.join(data, "lihua_dev", "corpus.jsonl")
        tree.import_paths([corpus], kind="jsonl", into=scopes[0])
        tree.refresh()
        tree.max_age = 3600.0
        out["lihua"] = _margins(tree, asked)
    for name, part in (("til", "til"), ("all markdown", ".")):
        folder = os.path.normpath(os.path.join(data, "markdown", part))
        items = [(item.text, "", frozenset(item.gold)) for item in known_items(folder, 300)]
        with tempfile.TemporaryDirectory() as place:
            hidden = shutil.ignore_patterns(".*")
            copy = shutil.copytree(folder, os.path.join(place, "tree"), ignore=hidden)
            os.makedirs(os.path.join(copy, ".memtree"))
            with open_tree(copy, max_age=3600.0) as tree:
                tree.refresh()
                out[name] = _margins(tree, items)
    return out


def _margins(tree: Tree, asked: Iterable[tuple[str, str, frozenset[str]]]) -> dict[str, float]:
    from memtree.knowledge.query import Query

    best: list[float] = []
    gaps: dict[int, list[float]] = {1: [], 8: []}
    for text, scope, gold in asked:
        hits = tree.search(Query(text, scope=scope, limit=RIVALS + 1, tier="fulltext")).hits
        needed = [_unbounded(hit.score) for hit in hits if {hit.id, hit.path} & gold]
        rivals = [_unbounded(hit.score) for hit in hits if not {hit.id, hit.path} & gold]
        if not needed or len(rivals) < 10 or rivals[9] <= 0:
            continue
        best.append(log(rivals[0] / needed[0]))
        for place, found in gaps.items():
            found.append(log(rivals[place - 1] / rivals[place]))
    return {
        "questions": len(best),
        "best": mean(best),
        "spread": stdev(best),
        "ahead": mean(value > 0 for value in best),
        **{f"gap{place}": mean(found) for place, found in gaps.items()},
    }


def _unbounded(score: float) -> float:
    """The ranking's own score of a hit of full text, which shows 0.5 + 0.5 s / (1 + s)."""
    share = min(2 * score - 1, 1 - 1e-9)
    return share / (1 - share)


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="What the lifecycle buys in a year of use.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--entries", type=int, default=2000, help="at the end of the year")
    parser.add_argument("--needs", type=int, default=15, help="a day")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--regime", choices=list(REGIMES), action="append", help="only this one")
    parser.add_argument("--tune", action="store_true", help="other policies, one change at a time")
    parser.add_argument("--measure", action="store_true", help="how near rivals come; no year")
    parser.add_argument("--data", default=os.path.join(HERE, "..", "..", "shared", "data"))
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    if given.measure:
        found = measure(given.data)
        if given.json:
            print(json.dumps(found))
            return
        for name, row in found.items():
            print(f"{name:14}" + "  ".join(f"{key} {value:.3g}" for key, value in row.items()))
        return
    variants = other_policies() if given.tune else VARIANTS
    started = time.perf_counter()
    rows = simulate(
        variants, regimes=given.regime or REGIMES, seeds=given.seeds, entries=given.entries,
        needs=given.needs, days=given.days,
    )  # fmt: skip
    settings = {
        "seeds": given.seeds, "entries": given.entries, "needs_a_day": given.needs,
        "days": given.days,
    }  # fmt: skip
    if given.json:
        print(json.dumps({"benchmark": "lifecycle", "settings": settings, "rows": rows}))
        return
    print("lifecycle  " + "  ".join(f"{name}={value}" for name, value in settings.items()))
    show(rows)
    print(f"\n{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
