"""What the product weighs for a question, recorded, to be put in order again in other ways.

A question is asked once, as anyone asks; all that was gathered for it is kept in a `Pool` with
where each passage came from, together with what ideas that are not in the product would add:
passages and cosines of a question that was moved towards its first passages (Rocchio), entries that
the first ones link to, and how well the nearest word of a passage matches each word of the
question. `order` ranks a pool by the product's own code, with parts of it switched off.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from sys import intern
from typing import TYPE_CHECKING, Self, TypedDict
from unittest.mock import patch

import numpy as np

from memtree.embed.table import Table
from memtree.index.full_text import PASSAGES
from memtree.index.vectors import step_of
from memtree.retrieve import gathering, ranking, semantic
from memtree.retrieve.gathering import question_of
from memtree.retrieve.matches import matches_of
from memtree.retrieve.meaning import NEAR, NEAREST, Meaning
from memtree.retrieve.ranking import rank, term_weights
from memtree.retrieve.walk import explain_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from memtree.index.row import Row
    from memtree.index.vectors import Vectors
    from memtree.retrieve.candidate import Candidate, Question, Scored
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.tier import Ask, Match

    Vector = npt.NDArray[np.float32]

# How a passage came: what the product gathers, and what is only tried.
WORDS, NAMED, TURNS, MEANING = "words", "named", "turns", "meaning"
PRODUCT = frozenset((WORDS, NAMED, TURNS, MEANING))
BY_WORDS = PRODUCT - {MEANING}
FEEDBACK, LINKS = "feedback", "links"
# Rocchio: so many first passages, and what their mean counts beside the question.
FIRST = 3
BACK = (0.2, 0.35, 0.5)
# Links of so many first entries are followed.
FOLLOWED = 10
_WORD = re.compile(r"[^\W\d_]+|\d+")


@dataclass(slots=True, kw_only=True)
class Pool:
    """What was gathered for a question; lists are in the order of `candidates`.

    `names` tells what a measure knows an entry by. `lead` came from the tiers before: it stays in
    front. `meant` are the cosines as the product has them, None where there is none, `moved` those
    after feedback, by how, `soft` the soft word match (0 to 1), `linked` entries with the
    first entries that lead to them. `nearest` is what vectors alone find, by name.
    """

    question: Question
    candidates: list[Candidate]
    came: list[str]
    near: list[bool]
    meant: list[float | None]
    names: dict[object, str]
    moved: dict[str, list[float | None]] = field(default_factory=dict)
    soft: list[float] = field(default_factory=list)
    linked: dict[object, set[object]] = field(default_factory=dict)
    nearest: dict[str, float] = field(default_factory=dict)
    lead: list[str] = field(default_factory=list)


@contextmanager
def setting(values: Mapping[str, object]) -> Iterator[None]:
    """Constants of the product's modules, `module.NAME`, for the length of a `with` block."""
    with ExitStack() as stack:
        for name, value in values.items():
            module, _, constant = name.rpartition(".")
            stack.enter_context(
                patch.object(import_module(f"memtree.retrieve.{module}"), constant, value)
            )
        yield


@contextmanager
def by_need(full: float, least: float, most: float) -> Iterator[None]:
    """Meaning counts by how little words hold of the question: as ever where it is `full` (0 to 1).

    The best word score is 1 however little it is; what it was before says how much words know.
    `least` and `most` bound what meaning counts, in units of the usual.
    """
    top = [1.0]
    judge = getattr(ranking, _JUDGE)

    def explained(
        question: Question, weights: dict[str, float], found: list[Scored]
    ) -> dict[str, float]:
        left = explain_names(question, weights, found)
        top[0] = max(one.text for one in found)
        return left

    def judged(found: list[Scored], weight: float) -> None:
        judge(found, weight * min(most, max(least, full / max(top[0], 1e-3))))

    with (
        patch.object(ranking, "explain_names", explained),
        patch.object(ranking, _JUDGE, judged),
    ):
        yield


_JUDGE = "_judge_meaning"


def order(
    pool: Pool, *, keep: frozenset[str] = PRODUCT, meant: Sequence[float | None] | None = None
) -> list[Scored]:
    """Rank what came in the ways of `keep`, by the product's own second stage.

    `meant` takes the place of the cosines; no meaning plays a part where `MEANING` is not kept,
    unless it is given.
    """
    if meant is None:
        meant = pool.meant if MEANING in keep else [None] * len(pool.candidates)
    chosen: list[Candidate] = []
    for place, candidate in enumerate(pool.candidates):
        if pool.came[place] in keep or (MEANING in keep and pool.near[place]):
            candidate.meaning = meant[place]
            chosen.append(candidate)
    if not chosen:
        return []
    lengths = [len(one.body) + len(one.title) for one in chosen]
    pool.question.average_length = max(1.0, sum(lengths) / len(lengths))
    return rank(pool.question, chosen)


def scores(pool: Pool, ranked: Sequence[Scored]) -> dict[str, float]:
    """What `order` gave as a list of names with scores."""
    return {pool.names[one.candidate.entry]: one.score for one in ranked}


def with_links(pool: Pool, weight: float) -> dict[str, float]:
    """The product's order with what first entries link to raised by a share of their score."""
    ranked = order(pool, keep=PRODUCT | {LINKS})
    own = {one.candidate.entry: one.score for one in ranked}
    return {
        pool.names[entry]: score
        + weight * max((own.get(first, 0.0) for first in pool.linked.get(entry, ())), default=0.0)
        for entry, score in own.items()
    }


class SoftMatch:
    """How well a passage's nearest words match those of the question, by the built-in table."""

    def __init__(self) -> None:
        self._table = Table()
        self._places: dict[str, int] = {}
        self._vectors: Vector = np.zeros((0, self._table.dimension), np.float32)
        self._read: dict[str, npt.NDArray[np.int64]] = {}

    def _of(self, text: str) -> npt.NDArray[np.int64]:
        found = self._read.get(text)
        if found is None:
            words = list(dict.fromkeys(_WORD.findall(text.lower()))) or [""]
            new = [word for word in words if word not in self._places]
            if new:
                start = len(self._places)
                self._places.update({word: start + at for at, word in enumerate(new)})
                made = np.asarray(self._table.passages(new), np.float32)
                self._vectors = np.vstack([self._vectors, made])
            found = self._read[text] = np.array([self._places[word] for word in words])
        return found

    def scores(
        self, question: Question, candidates: Sequence[Candidate], texts: Sequence[str]
    ) -> list[float]:
        """Rarity of each telling word times its best similarity, over all that could be earned."""
        weights = term_weights(question)
        pairs = zip(question.tokens, question.words, question.stops, strict=True)
        asked = {token: word for token, word, stop in pairs if not stop}
        if not asked or not texts:
            return [0.0] * len(texts)
        vectors = np.asarray(self._table.passages(list(asked.values())), np.float32)
        read = [self._of(text) for text in texts]
        starts = np.cumsum([0, *(len(one) for one in read[:-1])])
        alike = self._vectors[np.concatenate(read)] @ vectors.T
        best = np.maximum.reduceat(alike, starts, axis=0).clip(0.0, 1.0)
        for place, candidate in enumerate(candidates):
            held = {*candidate.body, *candidate.title}
            for at, token in enumerate(asked):
                if token in held:
                    best[place, at] = 1.0
        weight = np.array([weights[token] for token in asked])
        return [float(value) for value in best @ weight / max(1e-9, float(weight.sum()))]


class Recorder:
    """Asks are recorded while it is entered; `take` gives what the last one gathered."""

    def __init__(self, name: Callable[[Row], str], soft: SoftMatch) -> None:
        self._name = name
        self._soft = soft
        self._last: Pool | None = None
        self._came: dict[object, str] = {}
        self._asked: Sequence[float] = ()
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        def marked(original: Callable[..., None], way: str) -> Callable[..., None]:
            def wrapper(work: Gathering, *rest: object, **more: object) -> None:
                before = len(work.candidates)
                original(work, *rest, **more)
                for candidate in work.candidates[before:]:
                    self._came.setdefault(candidate.key, way)

            return wrapper

        for method, way in (
            ("take_named", NAMED), ("take_turns", TURNS), ("take_nearest", MEANING),
        ):  # fmt: skip
            original = getattr(gathering.Gathering, method)
            self._patches.enter_context(
                patch.object(gathering.Gathering, method, marked(original, way))
            )
        method = "_vector"
        vector_of = getattr(Meaning, method)

        def remembered(meaning: Meaning, ask: Ask, work: Gathering) -> Sequence[float]:
            self._asked = vector_of(meaning, ask, work)
            return self._asked

        self._patches.enter_context(patch.object(Meaning, method, remembered))

        def recording(ask: Ask, work: Gathering, ranked: Sequence[Scored]) -> list[Match]:
            found = matches_of(ask, work, ranked)
            self._last = self._pool(ask, work, ranked)
            return found

        self._patches.enter_context(patch.object(semantic, "matches_of", recording))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def take(self) -> Pool | None:
        """What was gathered since the last call; None when nothing was."""
        found, self._last = self._last, None
        self._came = {}
        return found

    def _pool(self, ask: Ask, work: Gathering, ranked: Sequence[Scored]) -> Pool:
        question = question_of(ask, work)
        meant = [one.meaning for one in work.candidates]
        nearest = self._nearest(ask)
        moved = self._feedback(ask, work, ranked)
        known = len(work.candidates)
        linked = _links(ask, work, ranked)
        self._came.update({one.key: LINKS for one in work.candidates[known:]})
        came = [self._came.get(one.key, WORDS) for one in work.candidates]
        missing: list[float | None] = [None] * len(came)
        meant += missing[len(meant) :]
        best = sorted((value for value in meant if value is not None), reverse=True)[:NEAREST]
        for one in work.candidates:
            one.body = [intern(token) for token in one.body]
        texts = [work.found[one.key][1] for one in work.candidates]
        titled = [
            f"{work.rows[int(str(one.entry))].title} {text}" if one.title else text
            for one, text in zip(work.candidates, texts, strict=True)
        ]
        return Pool(
            question=question,
            candidates=work.candidates,
            came=came,
            near=[value is not None and value >= max(best[-1], NEAR) for value in meant],
            meant=meant,
            names={row.number: self._name(row) for row in work.rows.values()},
            moved={way: [*one, *missing[len(one) :]] for way, one in moved.items()},
            soft=self._soft.scores(question, work.candidates, titled),
            linked=linked,
            nearest=nearest,
        )

    def _nearest(self, ask: Ask) -> dict[str, float]:
        """What vectors alone find, however far it is: each entry by its best passage."""
        if not any(self._asked):
            return {}
        near = ask.meaning().vectors.nearest(self._asked, 2 * NEAREST, **_bounds(ask))
        rows = ask.catalog.rows({passage // PASSAGES for passage, _ in near})
        found: dict[str, float] = {}
        for passage, value in near:
            row = rows.get(passage // PASSAGES)
            if row is not None and len(found) < NEAREST:
                found.setdefault(self._name(row), value)
        return found

    def _feedback(
        self, ask: Ask, work: Gathering, ranked: Sequence[Scored]
    ) -> dict[str, list[float | None]]:
        if all(one.meaning is None for one in work.candidates):
            return {}
        meaning = ask.meaning()
        asked = np.asarray(self._asked, np.float32)
        vectors = meaning.vectors
        first = _vectors(vectors, [one.candidate.key for one in ranked[:FIRST]])
        quick = _vectors(vectors, _first_quickly(work))
        turned: dict[str, list[float]] = {}
        for weight in BACK:
            wide = turned[f"{weight}"] = _towards(asked, first, weight)
            turned[f"{weight}, quick"] = _towards(asked, quick, weight)
            known = len(work.candidates)
            near = vectors.nearest(wide, NEAREST, **_bounds(ask))
            work.take_nearest([passage for passage, value in near if value >= NEAR])
            self._came.update({one.key: FEEDBACK for one in work.candidates[known:]})
        keys = [int(str(one.key)) for one in work.candidates]
        found = {way: vectors.similarities(vector, keys) for way, vector in turned.items()}
        return {way: [values.get(key) for key in keys] for way, values in found.items()}


def _first_quickly(work: Gathering) -> list[object]:
    """The first passages by the index's score and the cosine, before anything is ranked."""
    top = max((one.score for one in work.offered), default=1.0) or 1.0
    by_words = {one.passage: one.score / top for one in work.offered}
    value = {
        one.key: by_words.get(int(str(one.key)), 0.0) + (one.meaning or 0.0)
        for one in work.candidates
    }
    return sorted(value, key=lambda key: -value[key])[:FIRST]


def _vectors(vectors: Vectors, keys: Sequence[object]) -> Vector:
    """Stored vectors of passages, (passages, dimension); those that have none are left out."""
    place_of, rows = (getattr(vectors, name) for name in ("_place", "_rows"))
    places = [place for place in (place_of(int(str(key))) for key in keys) if place >= 0]
    table = np.frombuffer(rows, np.int8).reshape(-1, vectors.dimension)
    return table[places].astype(np.float32) / step_of(vectors.dimension)


def _towards(asked: Vector, first: Vector, weight: float) -> list[float]:
    """Rocchio: the question moved towards the mean of the first passages, at length one."""
    moved = asked + weight * first.mean(axis=0) if len(first) else asked
    return [float(value) for value in moved / max(1e-9, float(np.linalg.norm(moved)))]


class _Bounds(TypedDict):
    within: set[int] | None
    fence: object


def _bounds(ask: Ask) -> _Bounds:
    """The folder that a question is asked in, as vectors know it."""
    if not ask.scope:
        return {"within": None, "fence": None}
    fence = ask.scope, ask.catalog.number("generation")
    return {"within": ask.catalog.numbers_below(ask.scope), "fence": fence}


def _links(ask: Ask, work: Gathering, ranked: Sequence[Scored]) -> dict[object, set[object]]:
    from memtree.index.keys import link_key

    linked: dict[object, set[object]] = {}
    for one in ranked[:FOLLOWED]:
        entry = int(str(one.candidate.entry))
        keys = [link_key(target) for target, *_ in ask.catalog.links_from(entry)[:40]]
        for number, _ in ask.catalog.called(keys):
            if number != entry:
                linked.setdefault(number, set()).add(entry)
    known = {one.entry for one in work.candidates}
    new = [int(str(number)) for number in linked if number not in known][:40]
    if new:
        query = ask.full_text.of_entries(ask.full_text.everything(), new)
        found = ask.full_text.search(ask.full_text.within(query, ask.scope), 2 * len(new))
        # The passage at the head of an entry stands for it.
        work.take([one for one in found if one.passage % PASSAGES == 0], free=True)
    return linked
