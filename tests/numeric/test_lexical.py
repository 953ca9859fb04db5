"""Latent semantic analysis: against a dense SVD, and what it promises of its rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.numeric.lexical import fit, lexical_vectors, stored, words_of

TEXTS = [
    "the cat sat on the mat", "a cat and a dog", "dogs and cats are animals",
    "the stock market fell", "shares fell at the market", "investors sold shares",
]  # fmt: skip


@given(
    texts=st.lists(st.text(max_size=40), max_size=8), dimension=st.integers(1, 12),
    seed=st.integers(0, 3),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_rows_are_unit_rows_or_zeros_of_the_dimension_that_was_asked_for(
    texts: list[str], dimension: int, seed: int
) -> None:
    vectors = lexical_vectors(texts, dimension=dimension, seed=seed)
    assert vectors.shape == (len(texts), dimension)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-4) | (lengths == 0))
    assert np.array_equal(vectors, lexical_vectors(texts, dimension=dimension, seed=seed))


def test_similarities_are_those_of_a_dense_svd() -> None:
    chance = np.random.default_rng(3)
    words = [f"word{number}" for number in range(60)]
    texts = [" ".join(chance.choice(words, 12)) for _ in range(40)]
    space = fit(texts, dimension=8)
    rows = np.zeros((len(texts), len(space.vocabulary)))
    for row, text in enumerate(texts):
        for word in set(words_of(text)):
            place = space.vocabulary[word]
            rows[row, place] = (1 + np.log(words_of(text).count(word))) * space.idf[place]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    projected = rows @ np.linalg.svd(rows)[2][:8].T
    projected /= np.linalg.norm(projected, axis=1, keepdims=True)
    ours = space.embed(texts)
    # Random projection: near, not equal; the last directions of a flat spectrum differ most.
    away = np.abs(ours @ ours.T - projected @ projected.T)
    assert away.mean() < 0.05


def test_what_occurs_together_is_near() -> None:
    vectors = lexical_vectors(TEXTS, dimension=3)
    assert vectors[3] @ vectors[5] > vectors[0] @ vectors[5] + 0.3


def test_a_text_of_unknown_words_is_a_row_of_zeros() -> None:
    assert not fit(TEXTS, dimension=4).embed(["zyx wvu"]).any()


def test_a_space_comes_back_from_its_arrays() -> None:
    space = fit(TEXTS, dimension=4)
    again = stored(space.arrays())
    assert np.allclose(again.embed(TEXTS), space.embed(TEXTS), atol=2e-3)
    assert again.vocabulary == space.vocabulary


def test_arrays_that_do_not_fit_are_refused() -> None:
    arrays = dict(fit(TEXTS, dimension=4).arrays())
    arrays["idf"] = arrays["idf"][:-1]
    with pytest.raises(ValueError, match="differ in length"):
        stored(arrays)
    with pytest.raises(ValueError, match="at least one number"):
        fit(TEXTS, dimension=0)


def test_no_texts_make_no_space_and_no_error() -> None:
    assert lexical_vectors([]).shape == (0, 256)
    assert not fit([]).embed(["anything"]).any()
