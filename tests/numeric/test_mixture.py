"""Two classes in one dimension: found where they are, and denied where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.numeric.mixture import two_gaussians


@pytest.mark.parametrize("seed", range(5))
def test_two_bells_apart_are_found_with_their_means_and_weights(seed: int) -> None:
    chance = np.random.default_rng(seed)
    low, high = chance.normal(0.2, 0.03, 40), chance.normal(0.8, 0.05, 20)
    found = two_gaussians(np.concatenate([low, high]), seed=seed)
    assert found.settled[0]
    assert np.allclose(found.means[0], [low.mean(), high.mean()], atol=0.01)
    assert np.allclose(found.weights[0], [2 / 3, 1 / 3], atol=0.02)
    assert np.allclose(found.variances[0], [low.var(), high.var()], rtol=0.2)
    assert found.high[0].tolist() == [False] * 40 + [True] * 20


def test_rows_are_fitted_each_for_itself() -> None:
    chance = np.random.default_rng(1)
    rows = np.concatenate([chance.normal(0, 1, (7, 12)), chance.normal(9, 1, (7, 8))], axis=1)
    together = two_gaussians(rows)
    assert together.high.shape == (7, 20)
    assert together.high[:, 12:].all()
    assert not together.high[:, :12].any()


def test_equal_numbers_have_no_higher_class() -> None:
    found = two_gaussians(np.full((2, 30), 0.4))
    assert not found.settled.any()
    assert not found.high.any()


def test_what_did_not_settle_names_no_class() -> None:
    chance = np.random.default_rng(2)
    found = two_gaussians(chance.normal(size=(50, 30)), rounds=1)
    assert not found.settled.any()
    assert not found.high.any()
    assert found.rounds == 1


@given(
    samples=st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=30),
    seed=st.integers(0, 5),
)
@settings(max_examples=150, deadline=None)
def test_the_higher_class_lies_above_the_lower_mean_whatever_the_numbers(
    samples: list[float], seed: int
) -> None:
    found = two_gaussians(samples, seed=seed)
    assert found.means[0, 0] <= found.means[0, 1] + 1e-12
    x = np.array(samples)
    assert np.all(x[found.high[0]] > found.means[0, 0])
    if found.high.any():
        assert x[found.high[0]].min() > x[~found.high[0]].max()
    assert np.isfinite(found.means).all()
    assert abs(found.weights[0].sum() - 1) < 1e-6
    again = two_gaussians(samples, seed=seed)
    assert np.array_equal(found.high, again.high)


def test_too_few_or_odd_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="two samples"):
        two_gaussians([0.5])
    with pytest.raises(ValueError, match="finite"):
        two_gaussians([0.5, float("nan")])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 12))
def test_what_is_fitted_to_a_row_does_not_hang_on_its_company(
    seed: int, samples: int, rows: int
) -> None:
    x = np.random.default_rng(seed).normal(size=(rows, samples))
    x[:, : samples // 2] += 3
    together = two_gaussians(x)
    for number, row in enumerate(x):
        alone = two_gaussians(row)
        assert np.array_equal(alone.high[0], together.high[number])
        assert alone.means[0] == pytest.approx(together.means[number])
