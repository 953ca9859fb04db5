"""Hash tables of directions: seeded, near things together, and how much they miss."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.numeric.hashing import hyperplanes, tabled


def vectors(
    count: int, dimension: int = 32, seed: int = 0
) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def test_a_code_is_the_place_of_the_largest_of_both_signs() -> None:
    planes = hyperplanes(32, buckets=8, tables=3, seed=1)
    rows = vectors(50)
    codes = planes.codes(rows)
    assert codes.shape == (3, 50)
    assert codes.dtype == np.int32
    for table in range(3):
        along = rows @ planes.directions[table]
        assert (codes[table] == np.argmax(np.concatenate([along, -along], axis=1), axis=1)).all()


def test_the_same_seed_gives_the_same_buckets_and_another_seed_others() -> None:
    rows = vectors(200)
    one, same, other = (hyperplanes(32, seed=seed).codes(rows) for seed in (3, 3, 4))
    assert (one == same).all()
    assert (one != other).any()


@given(st.integers(1, 40), st.sampled_from([2, 4, 16]), st.integers(1, 4), st.integers(1, 20))
def test_every_row_lies_in_one_bucket_of_each_table_and_the_first_probe_finds_it(
    count: int, buckets: int, tables: int, probes: int
) -> None:
    planes = hyperplanes(8, buckets=buckets, tables=tables, seed=5)
    rows = vectors(count, 8, seed=count)
    codes = planes.codes(rows)
    index = tabled(codes, planes.buckets)
    for table in range(tables):
        inside = np.concatenate([index.bucket(table, code) for code in range(buckets)])
        assert sorted(inside.tolist()) == list(range(count))
    found = planes.probes(rows[0], probes)
    assert found.shape == (tables, min(probes, buckets))
    assert (found[:, 0] == codes[:, 0]).all()
    assert 0 in index.rows(found)
    assert all(len(set(row)) == len(row) for row in found.tolist())


def test_looking_into_all_buckets_finds_all_rows() -> None:
    planes = hyperplanes(16, buckets=4, tables=1, seed=0)
    rows = vectors(30, 16)
    index = tabled(planes.codes(rows), 4)
    assert index.rows(planes.probes(rows[3], 4)).tolist() == list(range(30))


def test_near_vectors_share_buckets_more_often_than_far_ones() -> None:
    rows = vectors(2000, 64)
    near = rows + 0.3 * vectors(2000, 64, seed=9)
    far = vectors(2000, 64, seed=10)
    planes = hyperplanes(64, buckets=16, tables=1, seed=0)
    same = [float((planes.codes(rows) == planes.codes(other)).mean()) for other in (near, far)]
    assert same[0] > 0.6
    assert same[1] < 0.15


def test_nothing_to_hash_is_no_error_and_nonsense_is() -> None:
    planes = hyperplanes(8, buckets=4, tables=2)
    empty = tabled(planes.codes(np.zeros((0, 8), np.float32)), 4)
    assert empty.rows(planes.probes(np.zeros(8, np.float32), 2)).tolist() == []
    for arguments in ({"dimension": 0}, {"dimension": 8, "buckets": 5},
                      {"dimension": 8, "tables": 0}):  # fmt: skip
        with pytest.raises(ValueError, match="hashing wants"):
            hyperplanes(**arguments)
    with pytest.raises(ValueError, match="vectors of 8"):
        planes.codes(np.zeros((3, 7), np.float32))
    with pytest.raises(ValueError, match="vector of 8"):
        planes.probes(np.zeros(7, np.float32))
    with pytest.raises(ValueError, match="codes are below"):
        tabled(np.array([[4]], np.int32), 4)
