"""Several steps without a model: search, see whom the best passages name, search on from there.

"The county of the village where X was born": the passage about X explains some words of the
question and names what the question does not. Each such name, in the place of the words that are
explained, makes the next question; what holds the name and words that were still open is raised.
Clauses that stand beside each other are asked alone. It ends when a round adds nothing.

On the multi-hop questions of the development data this finds all evidence among the first ten for
62 % instead of 50 % (`benchmarks/agentic.py`). The constants were set there by hand; each may be a
third larger or smaller for less than 2 points.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from memtree.retrieve.agentic.names import names_in, parts_of
from memtree.retrieve.agentic.trace import Step
from memtree.retrieve.extract import telling_weights
from memtree.retrieve.matches import bounded, unbounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.retrieve.agentic.budget import Spending
    from memtree.retrieve.agentic.looking import Looking
    from memtree.retrieve.agentic.trace import Trace
    from memtree.retrieve.tier import Match

# The passages that a round goes on from, the names of each that are looked up, and all together.
FIRST, NAMES, WAYS = 2, 4, 6
ROUNDS = 2
BASE, NEXT = 30, 10  # hits of the question, and of each that follows from it
# What a passage gains, in units of the first: it is called by the name, has the name, and holds
# all words that were open. What it earned for the question itself counts KEPT beside that.
CALLED, HAS, OPEN = 0.5, 0.3, 1.0
KEPT = 0.7
PLACE = 0.9  # each place down in the hits of a step
HOP = 0.8  # each round away from the question
# A clause of its own gives its hits so much of what they earn there.
CLAUSE, CLAUSES = 0.6, 3


@dataclass(slots=True)
class Collected:
    """What the steps found: matches, best first, and the share of the question that they hold.

    `sure` and `confidence` are tier 4's own judgement of the question as a whole.
    """

    matches: list[Match] = field(default_factory=list)
    coverage: float = 0.0
    sure: bool = False
    confidence: float = 0.0


@dataclass(slots=True)
class _Way:
    """A name to follow, out of `match`, with what was explained on the way there."""

    strength: float
    name: str
    stems: tuple[str, ...]
    held: frozenset[str]
    match: Match


def several_steps(looking: Looking, trace: Trace, spending: Spending) -> Collected:
    """Gather evidence for the question of `looking` until a round adds nothing."""
    return _Steps(looking, trace, spending).run()


class _Steps:
    """One question at work."""

    def __init__(self, looking: Looking, trace: Trace, spending: Spending) -> None:
        self.looking = looking
        self.trace = trace
        self.spending = spending
        ask = looking.ask
        self.weights = telling_weights(ask)
        self.whole = sum(self.weights.values()) or 1.0
        self.forms = {stem: stem for stem in self.weights}
        if ask.language == "english":
            from memtree.retrieve import english

            for stem in self.weights:
                for form in english.FORMS.get(stem, ()):
                    self.forms.setdefault(form, stem)
        self.found: dict[int, Match] = {}
        self.own: dict[int, float] = {}
        self.score: dict[int, float] = {}
        self.tried: set[tuple[str, frozenset[str]]] = set()

    def run(self) -> Collected:
        """All rounds."""
        ask = self.looking.ask
        began = time.perf_counter()
        first = self.looking.search(ask.query.text, max(BASE, ask.limit))
        self.note("search", ask.query.text, first.matches, first.why, began)
        for match in first.matches:
            self.found[match.row.number] = match
            self.own[match.row.number] = self.score[match.row.number] = unbounded(match.score)
        self.clauses()
        top = max(self.score.values(), default=0.0)
        frontier = [
            (match, self.score[match.row.number] / (top or 1.0), frozenset[str]())
            for match in self.best(FIRST)
        ]
        coverage = self.coverage()
        self.trace.stopped = "nothing more is named in what was found"
        for round_ in range(ROUNDS):
            if not frontier:
                break
            if self.spending.over():
                self.trace.stopped = self.spending.over()
                break
            self.spending.steps += 1  # a round is a step: its searches cost no model
            frontier = self.round(frontier, top)
            now = self.coverage()
            if now <= coverage and round_:
                self.trace.stopped = "a round added nothing to what is covered"
                break
            coverage = max(coverage, now)
        return Collected(
            matches=self.matches(),
            coverage=self.coverage(),
            sure=first.sure,
            confidence=first.confidence,
        )

    def clauses(self) -> None:
        """Ask the clauses alone, when the best passages leave one of them open."""
        for part in parts_of(self.looking.ask.query.text):
            stems = set(self.looking.stems(part)) & self.weights.keys()
            held = self.held(self.best(CLAUSES))
            if not stems - held or self.spending.over():
                continue
            began = time.perf_counter()
            found = self.looking.search(part, NEXT)
            self.note("clause", part, found.matches, "", began)
            for match in found.matches[:3]:
                gain = CLAUSE * unbounded(match.score)
                number = match.row.number
                self.found.setdefault(number, match)
                self.score[number] = max(self.score.get(number, 0.0), gain)

    def round(
        self, frontier: list[tuple[Match, float, frozenset[str]]], top: float
    ) -> list[tuple[Match, float, frozenset[str]]]:
        """Follow the names of some passages; returns what was raised, to go on from."""
        ways = [way for start in frontier for way in self.ways(*start)]
        raised: dict[int, tuple[Match, float, frozenset[str]]] = {}
        for way in sorted(ways, key=lambda way: -way.strength)[:WAYS]:
            key = way.name.casefold(), way.held
            if key in self.tried or self.spending.ms >= self.spending.budget.ms:
                continue
            self.tried.add(key)
            for match, gain in self.follow(way, top):
                number = match.row.number
                new = KEPT * self.own.get(number, 0.0) + gain
                if new > self.score.get(number, 0.0):
                    self.found.setdefault(number, match)
                    self.score[number] = new
                    raised[number] = match, way.strength * HOP, way.held
        best = sorted(raised, key=lambda number: -self.score[number])
        return [raised[number] for number in best[:FIRST]]

    def ways(self, match: Match, strength: float, held: frozenset[str]) -> list[_Way]:
        """The names that a passage adds to the question, its own first."""
        language = self.looking.ask.language
        title = match.row.title.partition("(")[0].strip() if match.row.titled else ""
        names = [*([title] if title else []), *names_in(match.text, language)]
        held = held | self.held([match])
        ways: list[_Way] = []
        for name in dict.fromkeys(names):
            stems = self.looking.stems(name)
            if not stems or self.forms.keys() >= set(stems):
                continue
            # What stands only here leads nowhere.
            if min(self.looking.frequency(stem) for stem in stems) < 2:
                continue
            # In a chat everybody is named all the time: only what has an entry of its own counts.
            if match.row.session and not any(one.row.titled for one in self.looking.named(name)):
                continue
            ways.append(_Way(strength / (1 + len(ways)), name, stems, held, match))
            if len(ways) == NAMES:
                break
        return ways

    def follow(self, way: _Way, top: float) -> list[tuple[Match, float]]:
        """Ask on with a name in the place of what is explained; what holds it, and its gain."""
        kept = [
            word.text
            for word in self.looking.ask.words
            if not (word.text[:1].isupper() and not way.held.isdisjoint(word.stems))
        ]
        text = " ".join([way.name, *kept])
        began = time.perf_counter()
        found = self.looking.search(text, NEXT)
        self.note("follow", way.name, found.matches, f"named in {way.match.row.path}", began)
        opened = self.weights.keys() - way.held
        gains: list[tuple[Match, float]] = []
        for place, match in enumerate(found.matches):
            bag = self.bag(match)
            if not bag.issuperset(way.stems) or match.row.number == way.match.row.number:
                continue
            called = set(self.looking.stems(match.row.title)).issuperset(way.stems)
            share = sum(self.weights[stem] for stem in opened & self.known(bag)) / self.whole
            if match.row.session and not called:
                continue
            worth = CALLED * called + HAS + OPEN * share
            gains.append((match, way.strength * top * worth * PLACE**place))
        return gains

    # -- what is held ---------------------------------------------------------------------------

    def bag(self, match: Match) -> set[str]:
        """The words of a passage and its title."""
        return {*self.looking.stems(match.row.title), *self.looking.stems(match.text)}

    def known(self, bag: set[str]) -> set[str]:
        """The telling words of the question among some words, in any form."""
        return {self.forms[stem] for stem in bag if stem in self.forms}

    def held(self, matches: list[Match]) -> frozenset[str]:
        """The telling words of the question that some passages hold together."""
        return frozenset(stem for match in matches for stem in self.known(self.bag(match)))

    def coverage(self) -> float:
        """The share of the question, by rarity, that the best passages hold together."""
        return sum(self.weights[stem] for stem in self.held(self.best(4))) / self.whole

    def best(self, count: int) -> list[Match]:
        """The best passages so far."""
        order = sorted(self.score, key=lambda number: -self.score[number])
        return [self.found[number] for number in order[:count]]

    def matches(self) -> list[Match]:
        """The matches in their order, with bounded scores, as many as are asked for."""
        best = self.best(self.looking.ask.limit)
        for match in best:
            match.score = bounded(self.score[match.row.number])
        return best

    def note(
        self, action: str, words: str, matches: Sequence[Match], note: str, began: float
    ) -> None:
        """Put a step on the trace."""
        found = [match.row.path for match in matches[:5]]
        ms = 1000 * (time.perf_counter() - began)
        self.trace.steps.append(Step(action=action, words=words, found=found, note=note, ms=ms))
