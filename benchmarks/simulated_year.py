"""A year of use, made by a seed: entries, what is needed when, and how near the text leaves rivals.

Nothing here knows the lifecycle's formulas: needs come from processes of their own, so that the
lifecycle can be wrong about them. `lifecycle.py` replays one year under many policies; a need, its
candidates, its text scores and the person's dice are the same in each of them.

How near rivals come to what is needed is measured, not guessed: `python lifecycle.py --measure`
asks the real ranker the development sets (til, all markdown, lihua; one needed entry a question)
and prints the figures that stand below as constants. What people do is assumed, and stands below
as constants too.
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass, field
from itertools import accumulate
from math import exp
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Measured (see the top): log(best rival / needed) is about normal, with this mean and deviation,
# and the mean gap between the k-th and the next rival, in log score, is about GAP[0] / k ** GAP[1].
BEST_RIVAL = (-0.27, 0.33)
GAP = (0.15, 0.6)
RIVALS = 19
# Assumed: the version before says nearly the same, so its text fits nearly as well.
BEFORE = 0.12
# Assumed: how likely a person looks at the first, second, ... hit (falls as in studies of clicks,
# Joachims et al. 2005), opens what is needed when seen, opens something else that is seen, and
# gets to what was not found by other ways.
LOOKS_AT = (1.0, 0.8, 0.6, 0.45, 0.35, 0.25, 0.2, 0.15, 0.1, 0.1)
OPENS_NEEDED, OPENS_OTHER, OTHER_WAYS = 0.9, 0.08, 0.3
# Assumed: of what was opened and right, this share is also cited, or confirmed.
CITES, CONFIRMS = 0.3, 0.1

# Interest is worked out anew every so many days.
STEP = 3.0


@dataclass(slots=True)
class Entry:
    """One entry: its topic, when it came and (`until`) was superseded, in days of the year."""

    topic: int
    born: float
    worth: float
    until: float = 1e9
    before: int | None = None
    near: list[tuple[float, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Need:
    """On `day` somebody needs `entry`; `texts` are the candidates' text scores, by entry.

    `stubs` are what each candidate's text is worth when only its gist is left, `dice` what the
    person does (0 to 1, one for each place in the list and two more).
    """

    day: float
    entry: int
    texts: tuple[tuple[int, float], ...]
    stubs: tuple[float, ...]
    dice: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Year:
    """Everything that a replay needs; `days` long."""

    regime: str
    days: int
    entries: list[Entry]
    needs: list[Need]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """How needs arise. `interest(topic, day)` weighs topics, `fresh(age)` weighs age in days.

    `worth`: deviation of the log of how much entries of one topic differ. `repeats`: share of needs
    that come back to something needed lately. `supersedes`: share of new entries that replace one.
    """

    says: str
    worth: float
    repeats: float
    supersedes: float
    fresh: Callable[[float], float]
    interest: Callable[[Random, int, int], list[list[float]]]


def make_year(regime: str, *, seed: int, entries: int, per_day: int, days: int = 365) -> Year:
    """A year of `per_day` needs a day; half of the entries are there when it begins."""
    random = Random(f"{seed}:{regime}")
    law = REGIMES[regime]
    topics = max(2, entries // 40)
    interest = law.interest(random, topics, int(days / STEP) + 1)
    made = _entries(random, law, entries, topics, days)
    of_topic: list[list[int]] = [[] for _ in range(topics)]
    for number, entry in enumerate(made):
        of_topic[entry.topic].append(number)
    _neighbours(random, made, of_topic)
    needs: list[Need] = []
    lately: list[int] = []
    for step in range(int(days / STEP)):
        day = step * STEP
        draw = _drawing(law, made, interest[step], day)
        for at in sorted(random.uniform(day, day + STEP) for _ in range(int(per_day * STEP))):
            again = bool(lately) and random.random() < law.repeats
            # The lag of a return falls off as a power of it, as in records of memory use
            # (Anderson & Schooler 1991).
            number = lately[-int(len(lately) ** random.random())] if again else draw(random)
            if made[number].until < at:
                continue
            lately.append(number)
            needs.append(_need(random, made, number, at))
    return Year(regime, days, made, needs)


def _entries(random: Random, law: Regime, count: int, topics: int, days: int) -> list[Entry]:
    size = list(accumulate(1 / (1 + place) ** 0.5 for place in range(topics)))
    made: list[Entry] = []
    while len(made) < count:
        # Half come before the year begins, some of them long before.
        born = -365 * random.random() ** 2 if len(made) < count // 2 else 0.0
        if len(made) >= count // 2:
            born = days * (len(made) - count // 2) / (count - count // 2)
        entry = Entry(
            topic=bisect(size, random.random() * size[-1]), born=born,
            worth=exp(random.gauss(0.0, law.worth)),
        )  # fmt: skip
        if born > 0 and random.random() < law.supersedes:
            old = random.randrange(len(made))
            if made[old].until > born:
                made[old].until = born
                entry = Entry(made[old].topic, born, made[old].worth, before=old)
        made.append(entry)
    return made


def _neighbours(random: Random, made: Sequence[Entry], of_topic: Sequence[Sequence[int]]) -> None:
    """Give every entry the entries whose text is near its own, the same all year."""
    for number, entry in enumerate(made):
        own = of_topic[entry.topic]
        near = set(random.sample(own, min(30, len(own))))
        near.update(random.randrange(len(made)) for _ in range(30))
        near.discard(number)
        entry.near = [
            (random.gauss(0.0, 1.0) + (made[other].topic == entry.topic), other)
            for other in sorted(near)
        ]


def _drawing(
    law: Regime, made: Sequence[Entry], interest: Sequence[float], day: float
) -> Callable[[Random], int]:
    alive = [number for number, entry in enumerate(made) if entry.born <= day < entry.until]
    weights = list(
        accumulate(
            interest[made[number].topic] * made[number].worth * law.fresh(day - made[number].born)
            for number in alive
        )
    )
    return lambda random: alive[bisect(weights, random.random() * weights[-1], 0, len(alive) - 1)]


def _need(random: Random, made: Sequence[Entry], number: int, day: float) -> Need:
    entry = made[number]
    there = [(near + random.gauss(0.0, 1.0), other) for near, other in entry.near
             if made[other].born <= day]  # fmt: skip
    there.sort(reverse=True)
    texts = [(number, 1.0)]
    score = random.gauss(*BEST_RIVAL)
    before = entry.before
    for place, (_, other) in enumerate(there[:RIVALS], 1):
        if other != before:
            texts.append((other, exp(score)))
        score -= random.expovariate(1.0) * GAP[0] / place ** GAP[1]
    if before is not None:
        texts.append((before, exp(random.gauss(0.0, BEFORE))))
    # What a stub's text is worth, measured as above: of what is needed (its title is asked for),
    # half keep 0.84 or more and a tenth less than 0.56; a third of the rivals do not come any more.
    stubs = [random.random() ** 0.25 * (not place or random.random() > 1 / 3)
             for place in range(len(texts))]  # fmt: skip
    dice = [random.random() for _ in range(2 * len(LOOKS_AT) + 2)]
    return Need(day, number, tuple(texts), tuple(stubs), tuple(dice))


# -- regimes: interest[step][topic] ----------------------------------------------------------------


def _steady(random: Random, topics: int, steps: int) -> list[list[float]]:  # noqa: ARG001
    return [[1.0] * topics] * steps


def _drifting(random: Random, topics: int, steps: int) -> list[list[float]]:
    """Each topic's log popularity wanders and is drawn back; half is forgotten in five weeks."""
    keep = 0.5 ** (STEP / 35)
    noise = 1.3 * (1 - keep * keep) ** 0.5
    level = [random.gauss(0.0, 1.3) for _ in range(topics)]
    rows = []
    for _ in range(steps):
        level = [keep * value + random.gauss(0.0, noise) for value in level]
        rows.append([exp(value) for value in level])
    return rows


def _projects(random: Random, topics: int, steps: int) -> list[list[float]]:
    """Three topics at a time take nearly all, each for two to six weeks, then hardly ever again."""
    rows = [[0.05] * topics for _ in range(steps)]
    for _ in range(3):
        at = 0
        while at < steps:
            topic, length = random.randrange(topics), int(random.uniform(14, 42) / STEP)
            for step in range(at, min(steps, at + length)):
                rows[step][topic] += topics / 6
            at += length
    return rows


def _seasonal(random: Random, topics: int, steps: int) -> list[list[float]]:
    """Each topic has a month in every two, three or six in which it is asked for, else rarely."""
    seasons = [(random.choice((60, 90, 180)), random.random()) for _ in range(topics)]
    return [
        [
            1.0 if (step * STEP / period + phase) % 1.0 < 30 / period else 0.05
            for period, phase in seasons
        ]
        for step in range(steps)
    ]


def _always(age: float) -> float:  # noqa: ARG001
    return 1.0


def _young(age: float) -> float:
    """What is new is needed more, by a power of its age: five times at first, twice in a month."""
    return 1.0 + 4.0 / float((1.0 + age / 7.0) ** 0.8)


REGIMES = {
    "drift": Regime(
        says="interest in topics wanders, the new is needed more, a quarter are returns",
        worth=1.2, repeats=0.25, supersedes=0.2, fresh=_young, interest=_drifting,
    ),
    "projects": Regime(
        says="three topics at a time for some weeks, then hardly ever again",
        worth=0.8, repeats=0.15, supersedes=0.2, fresh=_young, interest=_projects,
    ),
    "reference": Regime(
        says="some entries are needed always, most hardly ever; nothing changes",
        worth=1.6, repeats=0.0, supersedes=0.1, fresh=_always, interest=_steady,
    ),
    "seasonal": Regime(
        says="topics return every two, three or six months",
        worth=0.8, repeats=0.1, supersedes=0.1, fresh=_always, interest=_seasonal,
    ),
    "flat": Regime(
        says="control: every entry is as likely at any time, nothing is superseded",
        worth=0.0, repeats=0.0, supersedes=0.0, fresh=_always, interest=_steady,
    ),
}  # fmt: skip
