"""The ways of fusing two lists: right by hand, and a regression that finds what made the data."""

from __future__ import annotations

import json
import os
import subprocess
import sys

REPOSITORY = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BENCHMARKS = os.path.join(REPOSITORY, "benchmarks")


def computed(expression: str) -> object:
    """The value of an expression over `fusion_ways`, computed where its script runs."""
    code = (
        "import json; import numpy as np; from fusion_ways import *\n"
        f"print(json.dumps({expression}))"
    )
    env = {**os.environ, "PYTHONPATH": REPOSITORY}
    argv = [sys.executable, "-c", code]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=BENCHMARKS, env=env
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_reciprocal_ranks_add_up_over_lists() -> None:
    found = computed('reciprocal([["a", "b"], ["b", "c"]], 60)')
    assert found == {"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62}


def test_scores_are_stretched_from_worst_to_best_and_equals_are_all_best() -> None:
    found = computed('[stretched({"a": 3, "b": 1, "c": 2}), stretched({"a": 5, "b": 5}), {}]')
    assert found == [{"a": 1.0, "b": 0.0, "c": 0.5}, {"a": 1.0, "b": 1.0}, {}]


def test_a_weighted_sum_lies_between_its_two_lists() -> None:
    lists = '{"a": 2.0, "b": 1.0}, {"b": 0.9, "c": 0.1}'
    assert computed(f"by_score(weighted({lists}, 0.0))") == ["a", "b", "c"]
    assert computed(f"by_score(weighted({lists}, 1.0))") == ["b", "a", "c"]
    assert computed(f"weighted({lists}, 0.25)") == {"a": 0.75, "b": 0.25, "c": 0.0}


def test_features_know_what_a_list_lacks() -> None:
    found = computed('[list(FEATURES), features({"a": 2.0, "b": 1.0}, {"b": 0.5})]')
    assert isinstance(found, list)
    names, rows = found
    only_words = dict(zip(names, rows["a"], strict=True))
    assert only_words["has words"] == only_words["words"] == 1.0
    assert only_words["cosine"] == only_words["raw cosine"] == only_words["1/rank cosine"] == 0.0
    assert dict(zip(names, rows["b"], strict=True))["raw cosine"] == 0.5


def test_a_regression_finds_the_weights_that_made_the_data() -> None:
    found = computed(
        "(lambda r: (lambda x: learn(x, (r.random(6000) < 1 / (1 + np.exp("
        "-(0.5 + 2 * x[:, 0] - x[:, 1])))).astype(float)).tolist())(r.normal(size=(6000, 2))))"
        "(np.random.default_rng(1))"
    )
    assert isinstance(found, list)
    for value, made in zip(found, (0.5, 2.0, -1.0), strict=True):
        assert abs(value - made) < 0.15


def test_an_interval_holds_the_mean_and_leaves_zero_out_when_all_differ() -> None:
    found = computed("[interval([1.0, 2.0, 3.0] * 20), interval([1.0, -1.0] * 20), interval([])]")
    assert isinstance(found, list)
    all_above, around, none = found
    assert all_above[0] == 2.0
    assert 0.0 < all_above[1] < 2.0 < all_above[2]
    assert around[1] < 0.0 < around[2]
    assert none == [0.0, 0.0, 0.0]
