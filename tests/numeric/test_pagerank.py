"""Personalised PageRank against a dense solve; shortest paths against brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.numeric.pagerank import (
    Graph,
    forward_push,
    from_edges,
    personalised_pagerank,
    shortest_path,
)


def dense(graph: Graph) -> np.ndarray:
    matrix = np.zeros((graph.nodes, graph.nodes))
    for node in range(graph.nodes):
        ends, weights = graph.neighbours(node)
        matrix[node, ends] = weights
    return matrix


def solved(graph: Graph, reset: np.ndarray, damping: float) -> np.ndarray:
    """x = d P^T x + d (mass of the lonely) r + (1 - d) r, solved at once."""
    matrix = dense(graph)
    strength = matrix.sum(axis=1)
    start = reset / reset.sum()
    steps = np.where(strength[:, None] > 0, matrix / np.maximum(strength, 1e-300)[:, None], start)
    return np.linalg.solve(np.eye(graph.nodes) - damping * steps.T, (1 - damping) * start)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Graph, np.ndarray]:
    nodes = draw(st.integers(1, 12))
    node = st.integers(0, nodes - 1)
    weight = st.floats(0.125, 8, width=32)
    edges = draw(st.lists(st.tuples(node, node, weight), max_size=30))
    reset = draw(st.lists(st.floats(0, 1, width=32), min_size=nodes, max_size=nodes))
    reset[draw(node)] += 0.5
    left, right, weights = (np.array(part) for part in zip(*edges, strict=True)) if edges else (
        np.zeros(0, int), np.zeros(0, int), np.zeros(0)
    )  # fmt: skip
    return from_edges(nodes, left, right, weights), np.array(reset)


@given(graphs(), st.floats(0, 0.9))
@settings(max_examples=150, deadline=None)
def test_the_mass_is_that_of_a_dense_solve(
    given_graph: tuple[Graph, np.ndarray], damping: float
) -> None:
    graph, reset = given_graph
    mass = personalised_pagerank(graph, reset, damping=damping, tolerance=1e-10, limit=1000)
    assert mass.sum() == pytest.approx(1)
    assert np.abs(mass - solved(graph, reset, damping)).sum() < 1e-8


@given(graphs(), st.floats(0, 0.9), st.sampled_from([1e-9, 1e-4, 0.01, 0.3]))
@settings(max_examples=150, deadline=None)
def test_a_push_is_never_above_the_limit_and_as_near_as_it_says(
    given_graph: tuple[Graph, np.ndarray], damping: float, epsilon: float
) -> None:
    graph, reset = given_graph
    missing = solved(graph, reset, damping) - forward_push(
        graph, reset, damping=damping, epsilon=epsilon
    )
    lonely = bool(reset[graph.strength == 0].any())
    bound = epsilon * graph.strength / (1 - damping if lonely else 1)
    assert (missing > -1e-9).all()
    assert (missing < bound + 1e-9).all()


def test_a_push_leaves_alone_what_lies_far_off() -> None:
    chain = np.arange(99)
    graph = from_edges(100, chain, chain + 1, np.ones(99))
    reset = np.zeros(100)
    reset[0] = 1
    mass = forward_push(graph, reset, epsilon=1e-3)
    assert mass[0] > mass[1] > mass[2] > 0
    assert not mass[50:].any()
    with pytest.raises(ValueError, match="epsilon"):
        forward_push(graph, reset, epsilon=0)


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_graph_is_symmetric_in_order_and_without_loops(
    given_graph: tuple[Graph, np.ndarray],
) -> None:
    graph, _ = given_graph
    matrix = dense(graph)
    assert np.array_equal(matrix, matrix.T)
    assert not matrix.diagonal().any()
    for node in range(graph.nodes):
        ends, weights = graph.neighbours(node)
        assert ends.tolist() == sorted(set(ends.tolist()))
        assert (weights > 0).all()
        assert weights.sum() == pytest.approx(graph.strength[node])
    assert graph.edges == np.count_nonzero(matrix) // 2


@given(graphs(), st.data())
@settings(max_examples=100, deadline=None)
def test_a_shortest_path_is_as_short_as_powers_of_the_matrix_say(
    given_graph: tuple[Graph, np.ndarray], data: st.DataObject
) -> None:
    graph, _ = given_graph
    node = st.integers(0, graph.nodes - 1)
    begin, end = data.draw(node), data.draw(node)
    joined = dense(graph) > 0
    reached = np.arange(graph.nodes) == begin
    hops = 0
    while not reached[end] and hops < graph.nodes:
        reached, hops = reached | joined[reached].any(axis=0), hops + 1
    path = shortest_path(graph, begin, end)
    assert len(path) - 1 == hops if reached[end] else path == []
    assert all(b in graph.neighbours(a)[0] for a, b in pairwise(path))


def test_weights_of_one_pair_add_up_whichever_end_is_named_first() -> None:
    graph = from_edges(3, np.array([0, 1, 1]), np.array([1, 0, 2]), np.array([1.0, 2.0, 0.5]))
    assert dense(graph).tolist() == [[0, 3, 0], [3, 0, 0.5], [0, 0.5, 0]]


def test_more_damping_carries_mass_further() -> None:
    chain = np.arange(5)
    graph = from_edges(6, chain, chain + 1, np.ones(5))
    reset = np.zeros(6)
    reset[0] = 1
    near, far = (personalised_pagerank(graph, reset, damping=d)[5] for d in (0.5, 0.7))
    assert far > near > 0


def test_a_path_goes_around_what_is_dear() -> None:
    graph = from_edges(4, np.array([0, 1, 0, 2]), np.array([1, 3, 2, 3]), np.ones(4))
    assert shortest_path(graph, 0, 3) == [0, 1, 3]
    assert shortest_path(graph, 0, 3, cost={1: 5}) == [0, 2, 3]


@pytest.mark.parametrize(
    ("reset", "damping"),
    [([1.0], 0.5), ([0.0, 0.0], 0.5), ([1.0, -1.0], 0.5), ([1.0, 0.0], 1.0), ([1.0, 0.0], -0.1)],
)
def test_what_is_no_walk_is_refused(reset: list[float], damping: float) -> None:
    graph = from_edges(2, np.array([0]), np.array([1]), np.ones(1))
    for walk in (personalised_pagerank, forward_push):
        with pytest.raises(ValueError, match=r"reset|damping"):
            walk(graph, np.array(reset), damping=damping)


@pytest.mark.parametrize(
    ("left", "right", "weight"),
    [([0], [2], [1.0]), ([-1], [0], [1.0]), ([0], [1], [-1.0]), ([0], [1], [float("nan")]),
     ([0, 1], [1], [1.0])],
)  # fmt: skip
def test_what_is_no_edge_is_refused(left: list[int], right: list[int], weight: list[float]) -> None:
    with pytest.raises(ValueError, match=r"edge|weight"):
        from_edges(2, np.array(left), np.array(right), np.array(weight))


def test_a_graph_of_nothing_has_nothing() -> None:
    graph = from_edges(0, np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    assert (graph.nodes, graph.edges) == (0, 0)
