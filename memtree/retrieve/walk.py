"""From entry to entry: names that stand in the question, and several steps in one question.

"The county of the village where X was born" holds one name and three steps. The entry called X
explains some words; the rest are looked for in entries that it names, links to, or shares rare
words with. No vectors and no model: this took multi-hop R@10 from 62 to 75. Hot: imports nothing
but math.
"""

from __future__ import annotations

from math import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.candidate import Question, Scored

    Name = tuple[str, ...]

# What a name that stands in the question adds, by its share of the question's weight.
NAMED = 0.6
# A name of one word counts only when at most this share of the passages has the word: "Thread" is
# a title, and a word of every day all the same.
LONE = 0.003
# What the words of that name are still worth in other entries.
EXPLAINED = 0.5
# A walk starts from so many of the first, and reaches so many by shared words.
FIRST = 5
REACH = 60
# Being named by a first entry counts this, times the share of the question that it leaves open.
LINKED = 0.3
# A name of one word may be another thing that is called the same.
SHORT_NAME = 0.8
BRIDGE = 2.0
# Words in more than 5 % of the scope's passages (log(1/0.05)) tie no entries together; three of
# the rarest, and those in the title, make a bond, which is worth half of BRIDGE at BOND.
RARE = 3.0
BOND = 6.0


def explain_names(
    question: Question, weights: dict[str, float], found: list[Scored]
) -> dict[str, float]:
    """Raise entries whose name stands in the question; its words say less elsewhere.

    Returns the weights that the words have for entries that are not named.
    """
    named = _named(question, found)
    if not named:
        return weights
    whole = sum(weights.values())
    left = weights.copy()
    for word in {word for name in named.values() for word in name}:
        left[word] *= EXPLAINED
    for place, one in enumerate(found):
        if place in named:
            one.text += NAMED * sum(weights[word] for word in set(named[place])) / whole
        else:
            one.text = sum(left[term] * count for term, count in one.counts.items()) / whole
    return left


def _named(question: Question, found: list[Scored]) -> dict[int, Name]:
    """Candidates (by place) whose name the question has; none that is part of a longer name."""
    tokens = question.tokens
    # A name of stop words alone ("The Who") proves nothing.
    content = question.telling().keys()
    named: dict[int, Name] = {}
    for place, one in enumerate(found):
        for name in one.candidate.names:
            fits = name[0] in tokens and not content.isdisjoint(name) and _inside(name, tokens)
            if fits and _is_telling(question, name) and len(name) > len(named.get(place, ())):
                named[place] = name
    names = set(named.values())
    parts = {n for n in names if any(len(m) > len(n) and _inside(n, m) for m in names)}
    return {place: name for place, name in named.items() if name not in parts}


def _is_telling(question: Question, name: Name) -> bool:
    """Whether a name tells more than any word: two telling words, or one that is rare."""
    telling = [word for word in name if word in question.telling()]
    if len(telling) > 1:
        return True
    return min(question.frequency(word) for word in telling) <= LONE * question.documents


def _inside(short: Name, long: Name) -> bool:
    size = len(short)
    return any(long[at : at + size] == short for at in range(len(long) - size + 1))


def walk(question: Question, weights: dict[str, float], top: float, found: list[Scored]) -> None:
    """Add to entries that the first ones lead to, by how much they hold of the words left open.

    `weights` are those of words for entries that are not named, `top` the best text score before
    it was scaled to 1.
    """
    whole = sum(weights.values()) * top
    ways = _Ways(found)
    gains: dict[int, float] = {}
    for first in sorted(found, key=lambda one: -one.text)[:FIRST]:
        left = {term: w / whole for term, w in weights.items() if term not in first.counts}
        if not left or not first.text:
            continue
        shares: dict[int, float] = {}
        for place, one in enumerate(found):
            share = 0.0
            for term in left.keys() & one.counts.keys():
                share += left[term] * one.counts[term]
            if share and one is not first:
                shares[place] = share
        open_share = LINKED * sum(left.values())
        for place, strength in ways.from_entry(first):
            gain = first.text * strength * (open_share + shares.get(place, 0.0))
            gains[place] = max(gain, gains.get(place, 0.0))
        telling = _telling(question, first)
        for place in sorted(shares, key=lambda place: -shares[place])[:REACH]:
            bond = _bond(telling, found[place])
            gain = BRIDGE * first.text * shares[place] * bond / (bond + BOND)
            gains[place] = max(gain, gains.get(place, 0.0))
    for place, gain in gains.items():
        found[place].parts["walk"] = gain


def _telling(question: Question, first: Scored) -> dict[str, float]:
    """Rare words that an entry adds to the question, and how rare they are."""
    total, frequency = question.documents, question.frequency
    found: dict[str, float] = {}
    for word in first.bag.difference(question.tokens):
        rarity = log(1 + total / (min(frequency(word), total) + 0.5)) - RARE
        if rarity > 0:
            found[word] = rarity
    return found


def _bond(telling: dict[str, float], one: Scored) -> float:
    """How much two entries have in common, in rare words."""
    shared = telling.keys() & one.bag
    title = one.candidate.title
    bond = sum(sorted([telling[word] for word in shared], reverse=True)[:3])
    return bond + sum([telling[word] for word in shared if word in title])


class _Ways:
    """Which candidates an entry names or links to."""

    __slots__ = ("entries", "found", "names")

    def __init__(self, found: list[Scored]) -> None:
        self.found = found
        self.names: dict[str, list[tuple[Name, int]]] = {}
        self.entries: dict[object, list[int]] = {}
        for place, one in enumerate(found):
            self.entries.setdefault(one.candidate.entry, []).append(place)
            for name in one.candidate.names:
                self.names.setdefault(name[0], []).append((name, place))

    def from_entry(self, first: Scored) -> list[tuple[int, float]]:
        """Places of the candidates that `first` leads to, with how surely."""
        here = first.candidate
        ways = [(place, 1.0) for entry in here.links for place in self.entries.get(entry, ())]
        body = tuple(here.body)
        for word in self.names.keys() & first.bag:
            for name, place in self.names[word]:
                if self.found[place].candidate.entry == here.entry or name in here.names:
                    continue
                if first.bag.issuperset(name) and _inside(name, body):
                    ways.append((place, SHORT_NAME if len(name) == 1 else 1.0))
        return ways
