"""Learning a table, and the file that it becomes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.embed.learn import (
    Bags,
    principal,
    rarity,
    refine,
    relearn,
    ridge,
    topical,
    unit,
)
from memtree.embed.table import BUILTIN, Table
from memtree.embed.table_file import HEADER, quantise, table_bytes, write_table

Matrix = npt.NDArray[np.float32]

WIDTH = 60
TOKENS = [f"word{number:02}" for number in range(WIDTH)]
HEADING = {"name": "small", "tf": "linear", "teacher": "none", "license": "Apache-2.0"}


def some_texts(count: int, seed: int = 1) -> list[list[int]]:
    """Texts of 3 to 12 tokens; some tokens stand in most texts, some in few."""
    generator = np.random.default_rng(seed)
    shares = 1 / np.arange(1, WIDTH + 1)
    return [
        generator.choice(WIDTH, generator.integers(3, 13), p=shares / shares.sum()).tolist()
        for _ in range(count)
    ]


def a_map(dimension: int, seed: int = 2) -> Matrix:
    rows = np.random.default_rng(seed).normal(size=(WIDTH, dimension))
    return rows.astype(np.float32)


def likeness(one: Matrix, other: Matrix) -> float:
    """Mean cosine, row by row."""
    return float((unit(one) * unit(other)).sum(axis=1).mean())


token_lists = st.lists(st.lists(st.integers(0, WIDTH - 1), max_size=20), max_size=60)


@given(token_lists)
def test_products_of_bags_are_those_of_the_dense_matrix_of_counts(texts: list[list[int]]) -> None:
    dense = np.zeros((len(texts), WIDTH), np.float32)
    for row, text in enumerate(texts):
        for token in text:
            dense[row, token] += 1
    bags = Bags.of(texts, WIDTH)
    assert len(bags) == len(texts)
    table, vectors = a_map(5), np.ones((len(texts), 3), np.float32)
    np.testing.assert_allclose(bags.times(table), dense @ table, atol=1e-4)
    np.testing.assert_allclose(bags.back(vectors), dense.T @ vectors, atol=1e-4)
    np.testing.assert_allclose(bags.lengths(), np.linalg.norm(dense, axis=1), atol=1e-4)
    backwards = np.arange(len(texts))[::-1]
    np.testing.assert_allclose(bags.some(backwards).times(table), dense[::-1] @ table, atol=1e-4)


@pytest.mark.parametrize("wrong", [-1, WIDTH])
def test_a_token_number_outside_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 59"):
        Bags.of([[1, 2], [wrong]], WIDTH)


def test_a_token_that_few_texts_have_tells_more() -> None:
    weights = rarity(Bags.of([[0, 1], [0, 2], [0]], 4))
    assert weights[3] > weights[1] == weights[2] > weights[0] > 0


def test_ridge_recovers_the_map_that_made_the_targets() -> None:
    known = a_map(8)
    bags = Bags.of(some_texts(2000), WIDTH)
    weights = np.ones(WIDTH, np.float32)
    # What ridge fits is the sum over the length of the counts.
    targets = bags.times(known) / bags.lengths()[:, None]
    found = ridge(
        bags, targets, np.zeros_like(known), weights=weights, penalty=1e-4, rounds=WIDTH * 3
    )
    np.testing.assert_allclose(found, known, atol=0.01)


def test_ridge_keeps_what_was_known_of_a_token_that_no_text_has() -> None:
    texts = [[token for token in text if token != 7] or [1] for text in some_texts(300)]
    bags, start = Bags.of(texts, WIDTH), a_map(8)
    targets = unit(bags.times(a_map(8, seed=5)))
    found = ridge(bags, targets, start)
    assert likeness(found[7:8], start[7:8]) == pytest.approx(1, abs=1e-5)
    assert likeness(found[:5], start[:5]) < 0.9


def test_ridge_with_a_great_penalty_only_finds_the_scale_of_what_was_known() -> None:
    bags, start = Bags.of(some_texts(300), WIDTH), a_map(8)
    targets = 3 * bags.times(start) / bags.scaled(tokens=rarity(bags)).lengths()[:, None]
    np.testing.assert_allclose(ridge(bags, targets, start, penalty=1e9), 3 * start, rtol=1e-3)


def test_ridge_of_no_texts_leaves_the_table() -> None:
    start = a_map(4)
    bags = Bags.of([], WIDTH)
    np.testing.assert_array_equal(ridge(bags, np.zeros((0, 4), np.float32), start), start)


def test_refining_brings_likenesses_nearer_to_the_models_and_repeats_exactly() -> None:
    bags = Bags.of(some_texts(1500), WIDTH)
    targets = unit(bags.times(a_map(16)))
    start = a_map(8, seed=9)

    def off(table: Matrix) -> float:
        mine = unit(bags.times(table))[:300]
        return float(np.abs(mine @ mine.T - targets[:300] @ targets[:300].T).mean())

    found = refine(bags, targets, start, steps=400, batch=128)
    assert off(found) < 0.6 * off(start)
    again = refine(bags, targets, start, steps=400, batch=128)
    np.testing.assert_array_equal(found, again)


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 64))
def test_topical_groups_hold_every_text_once_and_are_never_too_large(
    count: int, batch: int
) -> None:
    generator = np.random.default_rng(count)
    targets = unit(generator.normal(size=(count, 4)).astype(np.float32))
    groups = topical(targets, batch, generator)
    assert sorted(np.concatenate(groups).tolist()) == list(range(count))
    assert all(1 <= len(group) <= batch for group in groups)


def test_topical_groups_hold_texts_that_are_alike() -> None:
    generator = np.random.default_rng(3)
    targets = unit(generator.normal(size=(1000, 4)).astype(np.float32))
    within = np.mean([(targets[g] @ targets[g].T).mean() for g in topical(targets, 64, generator)])
    assert within > (targets @ targets.T).mean() + 0.3


def test_relearning_comes_nearer_to_the_model_on_the_texts_and_on_others_like_them() -> None:
    truth, turn = a_map(12), np.linalg.qr(np.random.default_rng(4).normal(size=(12, 12)))[0]
    shipped = truth[:, :6] + np.float32(0.5) * a_map(6, seed=6)
    own, other = Bags.of(some_texts(800), WIDTH), Bags.of(some_texts(200, seed=8), WIDTH)
    model = [unit(bags.times(truth) @ turn.astype(np.float32)) for bags in (own, other)]
    learned = relearn(own, model[0], shipped)
    assert learned.shape == truth.shape
    for bags, vectors in zip((own, other), model, strict=True):
        centred = vectors - model[0].mean(axis=0)
        assert likeness(bags.times(learned), centred) > 0.9


def test_principal_directions_are_orthonormal_and_hold_the_most() -> None:
    vectors = a_map(10) * np.array([9, 5, *([0.1] * 8)], np.float32)
    columns = principal(vectors, 2)
    np.testing.assert_allclose(columns.T @ columns, np.eye(2), atol=1e-5)
    kept = np.linalg.norm(vectors @ columns) / np.linalg.norm(vectors)
    assert kept > 0.99
    assert (columns[np.abs(columns).argmax(axis=0), [0, 1]] > 0).all()


def test_eight_bits_lose_little() -> None:
    rows = a_map(256) * np.geomspace(0.001, 1000, WIDTH).astype(np.float32)[:, None]
    rows[3] = 0
    small, scales = quantise(rows)
    back = small.astype(np.float32) * scales[:, None]
    assert small.dtype == np.int8
    assert (np.abs(back - rows) <= scales[:, None] * 0.501).all()
    assert scales[3] == 0
    others = np.arange(WIDTH) != 3
    assert likeness(back[others], rows[others]) > 0.9999


def test_the_file_is_the_same_whatever_the_order_of_tokens_and_the_reader_finds_the_rows(
    tmp_path: Path,
) -> None:
    rows, scales = quantise(a_map(8))
    names = [*TOKENS[:-3], "##ing", "é", "[UNK]"]
    one = table_bytes(names, rows, scales, HEADING)
    mixed = np.random.default_rng(0).permutation(WIDTH)
    other = table_bytes([names[at] for at in mixed], rows[mixed], scales[mixed], HEADING)
    assert one == other
    path = tmp_path / "table.bin"
    write_table(str(path), names, rows, scales, HEADING)
    assert path.read_bytes() == one
    assert [file.name for file in tmp_path.iterdir()] == ["table.bin"]
    table = Table(str(path))
    try:
        assert table.dimension == 8
        assert [table.token(at).decode() for at in range(WIDTH)] == sorted(names)
        full = rows * scales[:, None]
        expected = unit(full[:1] + 2 * full[1:2])[0]
        found = table.question("word01 word00 Word01")
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert table.identity.digest == hashlib.sha256(one[HEADER:]).hexdigest()
    finally:
        table.close()


def test_sections_begin_where_the_header_says_at_multiples_of_64() -> None:
    rows, scales = quantise(a_map(8))
    content = table_bytes(TOKENS, rows, scales, {**HEADING, "source": ["one", "two"]})
    lines = content[:HEADER].rstrip(b"\0").decode().splitlines()
    assert lines[0] == "memtree-table 1"
    assert "source one" in lines
    assert "source two" in lines
    at = {k: int(v) for k, _, v in (line.partition(" ") for line in lines) if k.startswith("at.")}
    assert set(at) == {"at.offsets", "at.blob", "at.scales", "at.rows"}
    assert all(place % 64 == 0 for place in at.values())
    assert content[at["at.blob"] :].startswith(b"word00word01")
    assert content[at["at.rows"] :] == rows.tobytes()
    assert "unknown -1" in lines


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokens": ["same", "same"]}, "twice"),
        ({"tokens": ["one"]}, "1 tokens"),
        ({"header": {**HEADING, "name": "two\nlines"}}, "line break"),
        ({"header": {**HEADING, "source": ["x" * HEADER]}}, "are allowed"),
    ],
)
def test_a_table_that_would_not_read_back_is_refused(change: dict[str, Any], message: str) -> None:
    rows, scales = quantise(a_map(8)[:2])
    tokens = ["one", "two"]
    given_: dict[str, Any] = {"rows": rows, "scales": scales, "tokens": tokens, "header": HEADING}
    with pytest.raises(ValueError, match=message):
        table_bytes(**{**given_, **change})


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    rows, scales = quantise(a_map(8))
    (tmp_path / "table.bin").mkdir()
    with pytest.raises(OSError, match=r"table\.bin"):
        write_table(str(tmp_path / "table.bin"), TOKENS, rows, scales, HEADING)
    assert [file.name for file in tmp_path.iterdir()] == ["table.bin"]


def test_the_shipped_table_says_what_it_is_and_finds_what_is_meant() -> None:
    with open(BUILTIN, "rb") as file:
        content = file.read()
    header = dict(
        line.partition(" ")[::2] for line in content[:HEADER].rstrip(b"\0").decode().splitlines()
    )
    assert header["digest"] == hashlib.sha256(content[HEADER:]).hexdigest()
    assert header["license"] == "Apache-2.0"
    assert len(content) < 8_000_000
    table = Table()
    try:
        texts = [
            "The dog was taken to the veterinarian.",
            "She bakes bread with rye flour every Sunday.",
            "The server refuses connections when memory runs out.",
            "Mount Everest is the highest mountain on Earth.",
        ]
        questions = [
            "Who looks after a sick puppy?",
            "How is a loaf made?",
            "Why does the network service fail?",
            "What is the tallest peak?",
        ]
        vectors = np.array([table.question(text) for text in texts])
        asked = np.array([table.question(text) for text in questions])
        assert (asked @ vectors.T).argmax(axis=1).tolist() == [0, 1, 2, 3]
    finally:
        table.close()
