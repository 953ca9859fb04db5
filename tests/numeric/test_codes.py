"""Product quantisation against its decoded vectors, Lloyd against its promise, online reset."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.numeric.codes import (
    DEAD,
    Codebook,
    ProductQuantiser,
    centroids,
    nearest,
    perplexity,
    train_codebook,
    train_product,
    turned,
)  # fmt: skip


def unit(rows: int, wide: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((rows, wide))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def decoded(coder: ProductQuantiser, codes: np.ndarray) -> np.ndarray:
    """What codes stand for, from what unit questions say of them."""
    axes = np.eye(coder.dimension, dtype=np.float32)
    return np.stack([coder.scores(axis, codes) for axis in axes], axis=1)


@given(wide=st.integers(1, 40), rows=st.integers(1, 5), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_turn_keeps_inner_products(wide: int, rows: int, seed: int) -> None:
    data = np.random.default_rng(seed).standard_normal((rows, wide)).astype(np.float32)
    assert np.allclose(data @ data.T, turned(data, seed=3) @ turned(data, seed=3).T, atol=1e-3)


@pytest.mark.parametrize(("parts", "bits"), [(4, 8), (8, 4), (5, 4), (7, 8), (24, 4), (1, 4)])
def test_the_asymmetric_distance_is_the_product_with_what_was_decoded(
    parts: int, bits: int
) -> None:
    data = unit(400, 24)
    coder = train_product(data, parts=parts, bits=bits, seed=1)
    codes = coder.encode(data)
    assert codes.dtype == np.uint8
    assert codes.shape == (400, coder.bytes_each)
    stands_for = decoded(coder, codes)
    for question in unit(3, 24, seed=7):
        assert np.allclose(coder.scores(question, codes), stands_for @ question, atol=1e-4)
    assert np.allclose(coder.lengths(codes), np.linalg.norm(stands_for, axis=1), atol=1e-4)


def test_each_part_has_its_nearest_centroid() -> None:
    data = unit(200, 16)
    coder = train_product(data, parts=4, bits=4)
    stands_for = decoded(coder, coder.encode(data))
    error = ((data - stands_for) ** 2).sum(axis=1)
    for _ in range(5):
        other = np.random.default_rng(1).permutation(200)
        assert np.all(error <= ((data - stands_for[other]) ** 2).sum(axis=1) + 1e-4)


def test_more_bytes_lose_less() -> None:
    data = unit(1000, 32)
    errors = []
    for parts in (2, 4, 8, 16):
        coder = train_product(data, parts=parts, bits=8)
        errors.append(float(((data - decoded(coder, coder.encode(data))) ** 2).sum()))
    assert errors == sorted(errors, reverse=True)


def test_rows_are_encoded_one_by_one_as_together() -> None:
    data = unit(300, 16)
    coder = train_product(data[:100], parts=8, bits=4)
    alone = np.concatenate([coder.encode(row[None]) for row in data])
    assert np.array_equal(coder.encode(data), alone)


def test_what_cannot_be_cut_is_refused() -> None:
    data = unit(10, 8)
    for parts, bits in ((9, 8), (0, 8), (4, 5)):
        with pytest.raises(ValueError, match="part"):
            train_product(data, parts=parts, bits=bits)
    with pytest.raises(ValueError, match="at least one vector"):
        train_product(data[:0], parts=2)


def test_centroids_of_clusters_are_their_means() -> None:
    chance = np.random.default_rng(0)
    middles = np.array([[0, 0], [5, 0], [0, 5]], np.float32)
    data = (middles[np.arange(90) % 3] + 0.1 * chance.standard_normal((90, 2))).astype(np.float32)
    found = centroids(data, 3, seed=2, rounds=50)
    assert sorted(np.round(found).astype(int).tolist()) == [[0, 0], [0, 5], [5, 0]]


def test_more_centroids_than_vectors_lose_nothing() -> None:
    data = unit(5, 4)
    found = centroids(data, 16)
    assert np.allclose(found[nearest(data, found)], data, atol=1e-6)


def collapsed(*, reset: bool) -> tuple[Codebook, np.ndarray]:
    chance = np.random.default_rng(5)
    spots = unit(8, 16)[chance.integers(0, 8, 4000)]
    data = (spots + 0.05 * chance.standard_normal((4000, 16))).astype(np.float32)
    start = np.tile(data[:1], (512, 1))
    return train_codebook(data, count=512, start=start, reset=reset, epochs=8), data


def test_online_reset_spreads_codes_that_begin_at_one_point() -> None:
    book, data = collapsed(reset=True)
    codes = book.encode(data)
    assert len(set(codes.tolist())) >= 0.9 * 512
    assert perplexity(codes, 512) > 40


def test_without_reset_they_stay_where_they_began() -> None:
    book, data = collapsed(reset=False)
    assert len(set(book.encode(data).tolist())) <= 0.1 * 512


def test_a_reset_code_is_a_vector_of_the_batch_with_the_mean_usage() -> None:
    batch = unit(50, 8)
    book = Codebook(codes=np.tile(batch[:1], (10, 1)), usage=np.zeros(10))
    book.learn(batch, seed=0)
    at_batch = [bool((np.abs(batch - code).sum(axis=1) < 1e-6).any()) for code in book.codes]
    assert sum(at_batch) >= 9
    assert book.usage.min() >= DEAD


def test_perplexity_counts_the_codes_that_are_really_used() -> None:
    assert perplexity(np.zeros(9, np.int64), 4) == pytest.approx(1)
    assert perplexity(np.arange(8) % 4, 4) == pytest.approx(4)
    assert perplexity(np.zeros(0, np.int64), 4) == 0
