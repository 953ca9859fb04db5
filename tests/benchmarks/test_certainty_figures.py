"""The figures about certainty: right by hand, and a fit that finds what made the data."""

from __future__ import annotations

import json
import os
import subprocess
import sys

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BENCHMARKS = os.path.join(REPOSITORY, "benchmarks")


def beside_the_benchmarks(code: str, *arguments: str) -> object:
    """Run code as the scripts there run, and return what it printed as JSON."""
    argv = [sys.executable, "-c", code, *arguments]
    env = {**os.environ, "PYTHONPATH": REPOSITORY}
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=BENCHMARKS, env=env
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_fit_finds_the_weights_that_made_the_data() -> None:
    found = beside_the_benchmarks(
        """
import json
from random import Random
from certainty_fit import fit, logistic
random = Random(1)
rows = [(1.0, random.gauss(0, 1), random.gauss(0, 1)) for _ in range(4000)]
hits = [random.random() < logistic(0.5 + 2 * a - b) for _, a, b in rows]
print(json.dumps(fit(rows, hits, [1.0] * len(rows))))
"""
    )
    assert isinstance(found, list)
    for value, made in zip(found, (0.5, 2.0, -1.0), strict=True):
        assert abs(value - made) < 0.2


def test_auroc_and_calibration_error_are_right_by_hand() -> None:
    found = beside_the_benchmarks(
        """
import json
from certainty_fit import auroc, reliability
confidence, hits = [0.95, 0.95, 0.15, 0.15], [True, False, False, False]
print(json.dumps([
    auroc([0.9, 0.8, 0.7, 0.1], [True, False, True, False]),
    auroc([0.5, 0.5], [True, False]),
    auroc([0.5], [True]),
    auroc([0.9, 0.1, 0.5], [True, True, False], [3.0, 1.0, 1.0]),
    reliability(confidence, hits, [1.0] * 4)[0],
    [row["answers"] for row in reliability(confidence, hits, [1.0] * 4)[1]],
]))
"""
    )
    assert found == [0.75, 0.5, 0.5, 0.75, 0.3, [2, 2]]


def test_small_sets_weigh_as_much_as_large_ones_and_odds_are_kept() -> None:
    found = beside_the_benchmarks(
        """
import json
from certainty_fit import balanced
from certainty_questions import Judged
def row(name, answerable):
    return Judged(set=name, size=500, text="q", answerable=answerable, by_tier={}, tier="",
                  found=False, confidence=0.0, hit=False)
rows = [row("large", True)] * 900 + [row("small", True)] * 90 + [row("large", False)] * 30
weights = balanced(rows, 4.0)
print(json.dumps([sum(weights[:900]), sum(weights[900:990]), sum(weights[990:])]))
"""
    )
    assert isinstance(found, list)
    large, small, strange = found
    assert abs(large - small) < 1e-6
    assert abs(large + small - 4 * strange) < 1e-6


def test_what_is_written_is_a_module_of_literals_with_its_provenance() -> None:
    written = beside_the_benchmarks(
        """
import json
from calibrate import MODELS, complete, module
from certainty_questions import Judged
row = Judged(set="atlas", size=40, text="q5", answerable=True, by_tier={}, tier="", found=True,
             confidence=0.9, hit=True)
rows = [row for number in range(9)]
weights = complete({"PRESENT": {"constant": -1.25}})
text = module(weights, [r for r in rows if True], ["a figure"])
print(json.dumps([text, [model.name for model in MODELS], row.for_fit]))
"""
    )
    assert isinstance(written, list)
    text, names, _ = written
    space: dict[str, object] = {}
    exec(compile(text, "calibration", "exec"), space)  # noqa: S102  (what was just written)
    assert "import" not in text.partition('"""\n')[2]
    assert "calibrate.py --write" in str(space["__doc__"])
    assert space["PRESENT"] == {"constant": -1.25}
    assert set(names) <= space.keys()


def test_what_climbing_costs_is_counted_in_points() -> None:
    found = beside_the_benchmarks(
        """
import json
from climb import Climbed, costs, strange_of, tiers_of
def row(tier, first, first_all, kind="", confidence=0.5):
    return Climbed(set="s", kind=kind, tier=tier, ms=1.0, confidence=confidence, first=first,
                   shown=first, ms_all=2.0, confidence_all=confidence, first_all=first_all,
                   shown_all=True)
rows = [row("exact", True, True, confidence=0.9), row("fulltext", False, True, confidence=0.8),
        row("", False, True, confidence=0.6), row("", False, False, confidence=0.7)]
strange = [row("fulltext", False, False, "nonsense", 0.65), row("", False, False, "nonsense", 0.1)]
cost = costs(rows)
print(json.dumps([cost["answered"], cost["loses_first"], cost["loses_first_with_absent"],
                  [r["tier"] for r in tiers_of(rows)], strange_of(rows + strange)]))
"""
    )
    assert found == [
        0.5, 50.0, 50.0, ["exact", "fulltext", "absent"],
        [{"kind": "nonsense", "questions": 2, "answered": 0.5, "auroc": 7 / 8}],
    ]  # fmt: skip


def test_an_answer_is_compared_in_the_words_of_squad() -> None:
    found = beside_the_benchmarks(
        """
import json
from certainty_trees import Asked
from extracts import Tally, in_words, normalised
tally = Tally()
tally.add("It was built in the year 1987.", ["1987", "built"], gold_first=True)
tally.add("Nothing of it.", ["1987", "it"], gold_first=False)
def asked(answer, category=""):
    return in_words(Asked(id="", group="", text="", category=category, gold=frozenset("a"),
                          answer=answer))
print(json.dumps([sorted(normalised("The Cat, a 'dog'!")), tally.row(), asked("Yes"),
                  asked("the cat"), asked("cat", "adversarial")]))
"""
    )
    assert found == [
        ["cat", "dog"],
        {"questions": 2, "all": 0.5, "words": 0.75, "in_first": 1.0, "characters": 22},
        [],
        ["cat"],
        [],
    ]
