"""The proof of `mint`: its generator repeats itself, and the stores differ in what they keep."""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from memtree.memories.mint.metric import exact
from memtree.memories.mint.questions import generated
from memtree.memories.mint.reader import answer, latest, told
from memtree.memories.mint.record import as_bytes
from memtree.memories.mint.suite import Minted
from memtree.plugins import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memtree.plugins import Lab

LEVELS = (5, 20, 50)
MANY = 60
"""Sessions that are read in memory; a tree is made for one of each level."""
SEED = 7
NOISE = 0.02


def checks(lab: Lab) -> Iterator[Check]:
    """The acceptance check of S10."""
    yield _repeats()
    oracle, overwritten = _in_memory()
    yield Check(
        name="an oracle store answers everything",
        passed=min(oracle.values()) == 1.0,
        measured=f"EM {min(oracle.values()):.2f} in the worst of {len(oracle)} types, "
        f"{MANY} sessions",
        needed="EM 1.0",
    )
    yield Check(
        name="a store that overwrites in place loses the past",
        passed=overwritten["simple"] == 1.0 and overwritten["historical"] < 0.2,
        measured=f"EM simple {overwritten['simple']:.2f}, historical "
        f"{overwritten['historical']:.2f}, {MANY} sessions",
        needed="simple 1.0, historical < 0.2",
    )
    em, recall = _on_trees(lab)
    worst = min(em.values())
    yield Check(
        name="the versioned tree has the past too",
        passed=em["simple"] == em["historical"] == 1.0,
        measured=f"EM simple {em['simple']:.2f}, historical {em['historical']:.2f}, worst of all "
        f"types {worst:.2f}",
        needed="simple 1.0, historical 1.0",
    )
    shown = ", ".join(f"{value:.2f} at {level}" for level, value in recall.items())
    values = list(recall.values())
    falls = all(later <= before + NOISE for before, later in pairwise(values))
    yield Check(
        name="search by words alone finds less of the evidence as updates grow",
        passed=falls and values[-1] < values[0] - 0.1,
        measured=f"recall@10 {shown} updates",
        needed="falls from level to level, by more than 0.1 in all",
    )


def _repeats() -> Check:
    def digest(seed: int) -> str:
        return sha256(as_bytes(generated(6, LEVELS, seed))).hexdigest()[:12]

    one, again, other = digest(SEED), digest(SEED), digest(SEED + 1)
    return Check(
        name="the same seed gives the same bytes",
        passed=one == again != other,
        measured=f"{one} and {again}; with seed {SEED + 1} {other}",
        needed="equal, and another with another seed",
    )


def _in_memory() -> tuple[dict[str, float], dict[str, float]]:
    """Mean EM by type of everything that was told, and of the present values alone."""
    oracle: dict[str, list[float]] = defaultdict(list)
    overwritten: dict[str, list[float]] = defaultdict(list)
    for session in generated(MANY, LEVELS, SEED):
        lines = told(session.contexts)
        for question in session.questions:
            said = answer(question.text, lines).answer
            oracle[question.kind].append(exact(said, question.answer))
            said = answer(question.text, latest(lines)).answer
            overwritten[question.kind].append(exact(said, question.answer))
    return _means(oracle), _means(overwritten)


def _on_trees(lab: Lab) -> tuple[dict[str, float], dict[int, float]]:
    """Mean EM of the versioned tree by type, and recall@10 of plain search by level."""
    suite = Minted()
    em: dict[str, list[float]] = defaultdict(list)
    recall: dict[int, list[float]] = defaultdict(list)
    desk, setup = None, ""
    levels = ",".join(map(str, LEVELS))
    for case in suite.cases(data="", seed=SEED, generate=len(LEVELS), updates=levels):
        if desk is None or case.setup != setup:
            desk, setup = lab.tree({}, embedder="none"), case.setup
            suite.prepare(setup, desk)
        graded = suite.grade(case, suite.answer(case, desk))
        kind, _, level = case.kind.partition(" u=")
        em[kind].append(graded["em"])
        recall[int(level)].append(graded["bm25 recall@10"])
    means = {level: sum(values) / len(values) for level, values in sorted(recall.items())}
    return _means(em), means


def _means(values: Mapping[str, list[float]]) -> dict[str, float]:
    return {kind: sum(each) / len(each) for kind, each in values.items()}
