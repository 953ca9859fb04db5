"""Logistic weights, and how far confidence can be believed: plain functions of judged questions.

Weights make sets and sizes count alike. A fit sees the half of the questions that a hash of their
text picks; every figure is of the other half. The calibration error is over bins of a tenth, with
four questions that have an answer for one that has none.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING

from certainty_questions import SIZES

from memtree.retrieve.evidence import DOUBT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certainty_questions import Judged, Weighed

# What one set of one size weighs in a fit, however many questions it has.
SHARE = 60.0
# Questions with an answer for one without: to tell them apart, and as people ask.
EVEN, USUAL = 1.0, 4.0
# What words left in doubt is twice as often strange as not: a second chance has to be surer.
DOUBTFUL = 0.5
FOLDS = 5
WORDS = ("constant", "together", "known", "words", "size", "words x size", "pairs")
FIRST = (
    "constant", "first together", "first coverage", "margin", "first words", "size",
    "asked",
)  # fmt: skip
MEANING = ("height",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One logistic of `memtree.retrieve.calibration`: which tier's measures, and what it tells."""

    name: str
    tier: str
    measures: tuple[str, ...]
    right: bool


MODELS = (
    Model(name="PRESENT", tier="fulltext", measures=WORDS, right=False),
    Model(name="RIGHT", tier="fulltext", measures=FIRST, right=True),
    Model(name="PRESENT_MEANT", tier="semantic", measures=(*WORDS, *MEANING), right=False),
    Model(name="RIGHT_MEANT", tier="semantic", measures=(*FIRST, *MEANING), right=True),
)


def fitted(rows: Sequence[Judged], models: Sequence[Model] = MODELS) -> dict[str, dict[str, float]]:
    """Weights by name for each model whose tier was asked, fitted on `rows`.

    `RIGHT` is fitted on the questions that would be answered, and `PRESENT_MEANT` on those of which
    words alone are not sure: that is what the climb leaves to it.
    """
    found: dict[str, dict[str, float]] = {}
    kept: dict[str, list[Judged]] = {}
    for model in models:
        fair = [row for row in rows if _has(row, model)]
        if not fair:
            continue
        if model.right:
            sure = kept.get(model.tier, fair)
            hits = [row.by_tier[model.tier].first for row in sure]
            found[model.name] = _fitted(model, sure, hits, part_of(fair, sure, USUAL))
        else:
            left = [row for row in fair if _presence(found, row.by_tier[model.tier]) < 0.5]
            hits = [row.answerable for row in left]
            odds = EVEN if len(left) == len(fair) else DOUBTFUL
            found[model.name] = _fitted(model, left, hits, part_of(fair, left, odds))
            kept[model.tier] = [
                row for row in fair if _presence(found, row.by_tier[model.tier]) >= 0.5
            ]
    return found


def _presence(found: Mapping[str, Mapping[str, float]], seen: Weighed) -> float:
    """How likely there is an answer, by the models so far: meaning adds to words, or says nothing.

    As `memtree.retrieve.evidence` has it.
    """
    likely = [
        likelihood(found[model.name], seen.measures)
        for model in MODELS
        if not model.right and model.name in found and seen.measures.keys() >= set(model.measures)
    ]
    return min(max(likely, default=0.0), DOUBT if seen.against else 1.0)


def _has(row: Judged, model: Model) -> bool:
    seen = row.by_tier.get(model.tier)
    if seen is None or row.adversarial:
        return False
    return all(name in seen.measures for name in model.measures)


def _fitted(
    model: Model, rows: Sequence[Judged], hits: Sequence[bool], weights: Sequence[float]
) -> dict[str, float]:
    columns = [[row.by_tier[model.tier].measures[name] for name in model.measures] for row in rows]
    return dict(zip(model.measures, fit(columns, hits, weights), strict=True))


def likelihood(weights: Mapping[str, float], measures: Mapping[str, float]) -> float:
    """What a model says of measures, 0 to 1."""
    return logistic(sum(weight * measures[name] for name, weight in weights.items()))


def cross_validated(rows: Sequence[Judged], models: Sequence[Model], tier: str) -> dict[str, float]:
    """Figures of the models of a tier on folds that they were not fitted on.

    `auroc` of present; `ece` of the confidence of what is answered; `found` is the share of
    questions with an answer that is answered while 10 % of those without are; `right_auroc`
    how well the confidence tells right from wrong among the answered.
    """
    model = next(model for model in models if model.tier == tier and model.right)
    fair = [row for row in rows if _has(row, model)]
    present: list[float] = []
    right: list[float] = []
    held: list[Judged] = []
    for fold in range(FOLDS):
        weights = fitted([row for row in fair if row.fold % FOLDS != fold], models)
        for row in fair:
            if row.fold % FOLDS == fold:
                seen = row.by_tier[tier]
                held.append(row)
                present.append(_presence(weights, seen))
                right.append(likelihood(weights[model.name], seen.measures))
    shares = balanced(held, EVEN)
    answered = [at for at, value in enumerate(present) if value >= 0.5]
    usual = dict(zip(answered, part_of(held, [held[at] for at in answered], USUAL), strict=True))
    firsts = [held[at].by_tier[tier].first for at in answered]
    confidence = [right[at] for at in answered]
    return {
        "auroc": auroc(present, [row.answerable for row in held], shares),
        "ece": reliability(confidence, firsts, [usual[at] for at in answered])[0],
        "found_at_10": _found_at(present, held, shares, 0.10),
        "found": _share(present, held, shares, answerable=True),
        "false": _share(present, held, shares, answerable=False),
        "right_auroc": auroc(confidence, firsts, [usual[at] for at in answered]),
    }


def _share(
    present: Sequence[float], rows: Sequence[Judged], weights: Sequence[float], *, answerable: bool
) -> float:
    picked = [at for at, row in enumerate(rows) if row.answerable == answerable]
    return sum(weights[at] for at in picked if present[at] >= 0.5) / max(
        1e-9, sum(weights[at] for at in picked)
    )


def _found_at(
    present: Sequence[float], rows: Sequence[Judged], weights: Sequence[float], false: float
) -> float:
    """The share that is found at the threshold where a share `false` is answered wrongly."""
    strange = sorted(
        ((present[at], weights[at]) for at, row in enumerate(rows) if not row.answerable),
        reverse=True,
    )
    allowed = false * sum(weight for _, weight in strange)
    threshold = 1.0
    for value, weight in strange:
        threshold = value
        allowed -= weight
        if allowed < 0:
            break
    own = [(present[at], weights[at]) for at, row in enumerate(rows) if row.answerable]
    return sum(weight for value, weight in own if value > threshold) / sum(w for _, w in own)


def weighted(rows: Sequence[Judged]) -> list[float]:
    """Weights with which sets and sizes count alike, large ones somewhat more than tiny ones."""
    count: dict[tuple[str, int, bool], int] = defaultdict(int)
    keys = [(row.set, kind_of(row.size), row.answerable) for row in rows]
    for key in keys:
        count[key] += 1
    return [min(3.0, SHARE / count[key]) for key in keys]


def kind_of(size: int) -> int:
    """The sizes of small trees are kinds of their own; whole sets are one."""
    return size if size in SIZES else 0


def balanced(rows: Sequence[Judged], odds: float) -> list[float]:
    """The same, with `odds` questions that have an answer for one that has none."""
    weights = weighted(rows)
    yes = sum(weight for weight, row in zip(weights, rows, strict=True) if row.answerable)
    no = sum(weights) - yes
    return [
        weight
        * (odds / max(yes, 1e-9) if row.answerable else 1 / max(no, 1e-9))
        * len(rows)
        / (1 + odds)
        for weight, row in zip(weights, rows, strict=True)
    ]


def part_of(rows: Sequence[Judged], kept: Sequence[Judged], odds: float) -> list[float]:
    """The weights of some rows, as they are among all."""
    weight = {id(row): value for row, value in zip(rows, balanced(rows, odds), strict=True)}
    return [weight[id(row)] for row in kept]


def reliability(
    confidence: Sequence[float], hits: Sequence[bool], weights: Sequence[float]
) -> tuple[float, list[dict[str, float]]]:
    """Expected calibration error, and a row for each tenth: answers, mean confidence, right."""
    bins: dict[int, list[int]] = defaultdict(list)
    for at, value in enumerate(confidence):
        bins[min(9, int(value * 10))].append(at)
    error, table = 0.0, []
    for low, places in sorted(bins.items()):
        total = sum(weights[at] for at in places)
        mean = sum(confidence[at] * weights[at] for at in places) / total
        right = sum(hits[at] * weights[at] for at in places) / total
        error += abs(mean - right) * total / sum(weights)
        table.append({"from": low / 10, "answers": len(places), "confidence": mean, "right": right})
    return error, table


def fit(
    rows: Sequence[Sequence[float]], hits: Sequence[bool], weights: Sequence[float],
    *, ridge: float = 1.0, steps: int = 30,
) -> list[float]:  # fmt: skip
    """Fit by Newton's method; the first column is the constant, which the ridge spares."""
    size = len(rows[0])
    found = [0.0] * size
    for _ in range(steps):
        slope = [-ridge * value * (place > 0) for place, value in enumerate(found)]
        curve = [[ridge * (a == b) for b in range(size)] for a in range(size)]
        for row, hit, weight in zip(rows, hits, weights, strict=True):
            likely = logistic(sum(a * b for a, b in zip(found, row, strict=True)))
            off, bend = weight * (hit - likely), weight * likely * (1 - likely)
            for a in range(size):
                slope[a] += off * row[a]
                for b in range(size):
                    curve[a][b] += bend * row[a] * row[b]
        step = _solve(curve, slope)
        found = [a + b for a, b in zip(found, step, strict=True)]
        if max(map(abs, step)) < 1e-6:
            break
    return found


def logistic(value: float) -> float:
    """The logistic function, safe at both ends."""
    return 1 / (1 + exp(-max(-30.0, min(30.0, value))))


def _solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(size):
        pivot = max(range(at, size), key=lambda row: abs(rows[row][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for other in range(size):
            share = rows[other][at] / rows[at][at] if other != at else 0.0
            if share:
                rows[other] = [a - share * b for a, b in zip(rows[other], rows[at], strict=True)]
    return [rows[at][size] / rows[at][at] for at in range(size)]


def auroc(
    scores: Sequence[float], hits: Sequence[bool], weights: Sequence[float] | None = None
) -> float:
    """How often a hit scores above a miss; ties count half. 0.5 when one of them lacks."""
    weights = weights or [1.0] * len(scores)
    groups: dict[float, list[float]] = {}
    for score, hit, weight in zip(scores, hits, weights, strict=True):
        groups.setdefault(score, [0.0, 0.0])[hit] += weight
    below = won = 0.0
    for _, (misses, won_by) in sorted(groups.items()):
        won += won_by * (below + misses / 2)
        below += misses
    total = below * sum(above for _, above in groups.values())
    return won / total if total else 0.5
