"""Personalised PageRank on a sparse, weighted, undirected graph, and shortest paths through it.

    graph = from_edges(nodes, left, right, weights)
    mass = personalised_pagerank(graph, reset, damping=0.5)
    nearly = forward_push(graph, reset, damping=0.5)

The first is the limit itself and looks at all edges a dozen times; the second only at those that
the walk is likely to reach, a tenth of the time where the graph is large. numpy alone: scipy's
product of a CSR matrix is a little faster, but importing `scipy.sparse` takes 180 ms, which a
process that answers one question would pay and never earn back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.integer]
    Floats = npt.NDArray[np.floating]

DAMPING = 0.5
"""As HippoRAG sets it (arXiv 2405.14831, 2502.14802); for the Web it was 0.85."""
EPSILON = 1e-6
"""2 ms with 424,000 edges, where 99 of 100 of the first twenty entries were those of the limit; the
figures of MuSiQue (benchmarks/hippo.py) are the same, and begin to differ with 3e-6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A symmetric matrix in CSR form: each edge stands in the row of either of its ends.

    `starts` has a number per node and one more; the neighbours of node v are
    `ends[starts[v]:starts[v + 1]]`, in order, with `weights` at the same places, all above zero.
    `strength` is the sum of each node's weights.
    """

    starts: Ints
    ends: Ints
    weights: Floats
    strength: Floats

    @property
    def nodes(self) -> int:
        """How many nodes there are; some may have no edge."""
        return len(self.starts) - 1

    @property
    def edges(self) -> int:
        """How many pairs of nodes are joined."""
        return len(self.ends) // 2

    def neighbours(self, node: int) -> tuple[Ints, Floats]:
        """The nodes joined to one, and the weights of these edges."""
        begin, end = int(self.starts[node]), int(self.starts[node + 1])
        return self.ends[begin:end], self.weights[begin:end]


def from_edges(nodes: int, left: Ints, right: Ints, weights: Floats) -> Graph:
    """The graph of these undirected edges; weights of one pair add up, loops are left out.

    `left` and `right` hold nodes from 0 to `nodes` - 1. Raises ValueError for other nodes, for
    lengths that differ, and for a weight that is negative or no number.
    """
    load_numpy()
    import numpy as np

    one, other = np.asarray(left, np.int64), np.asarray(right, np.int64)
    weight = np.asarray(weights, np.float64)
    if not len(one) == len(other) == len(weight):
        raise ValueError("left, right and weights differ in length")
    if len(one) and (min(one.min(), other.min()) < 0 or max(one.max(), other.max()) >= nodes):
        raise ValueError("an edge leads to a node that there is not")
    if not bool(np.all(weight >= 0) and np.all(np.isfinite(weight))):
        raise ValueError("a weight is negative or no number")
    kept = (one != other) & (weight > 0)
    one, other, weight = one[kept], other[kept], weight[kept]
    keys = np.concatenate([one * nodes + other, other * nodes + one])
    distinct, places = np.unique(keys, return_inverse=True)
    summed = np.bincount(places, np.concatenate([weight, weight]), len(distinct))
    rows = distinct // max(nodes, 1)
    starts = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=nodes), out=starts[1:])
    small = np.int32 if max(nodes, len(distinct)) < 2**31 else np.int64
    return Graph(
        starts=starts.astype(small),
        ends=(distinct % max(nodes, 1)).astype(small),
        weights=summed.astype(np.float32),
        strength=np.bincount(rows, summed.astype(np.float32), nodes).astype(np.float64),
    )


def personalised_pagerank(
    graph: Graph,
    reset: Floats,
    *,
    damping: float = DAMPING,
    tolerance: float = 1e-7,
    limit: int = 200,
) -> npt.NDArray[np.float64]:
    """The mass of each node, summing to 1, of a walk that begins anew at `reset`.

    At each step the walk follows an edge with probability `damping`, chosen by weight, and else
    starts again at a node drawn by `reset` (shape (nodes,), none negative, any sum above zero);
    from a node without edges it always starts again, as in igraph. Power iteration until the L1
    norm of a change, times damping / (1 - damping), is below `tolerance`: that bounds the L1
    distance to the limit. At most `limit` steps.

    Raises ValueError where `reset` has another shape, a negative number or no mass, and where
    `damping` is not in [0, 1).
    """
    load_numpy()
    import numpy as np

    start = _start(graph, reset, damping)
    degree = np.diff(graph.starts)
    joined = np.flatnonzero(degree)  # reduceat has no empty groups
    begins = graph.starts[joined]
    share = _share(graph)
    alone = np.flatnonzero(degree == 0)
    sent = np.empty(len(graph.ends))
    flow = np.zeros(graph.nodes)
    mass = start
    for _ in range(limit):
        if len(joined):
            # No end is out of bounds, and looking for that takes twice as long as the rest.
            np.take(mass * share, graph.ends, out=sent, mode="clip")
            np.multiply(sent, graph.weights, out=sent)
            flow[joined] = np.add.reduceat(sent, begins)
        again = 1 - damping + damping * float(mass[alone].sum())
        following = damping * flow + again * start
        change = float(np.abs(following - mass).sum())
        mass = following / following.sum()
        if change * damping <= tolerance * (1 - damping):
            break
    return mass


def forward_push(
    graph: Graph, reset: Floats, *, damping: float = DAMPING, epsilon: float = EPSILON
) -> npt.NDArray[np.float64]:
    """The mass of `personalised_pagerank`, never more and nearly as much, of what lies nearby.

    What waits at a node is sent on only where it is more than `epsilon` times the node's strength:
    then the mass of a node is too small by at most `epsilon` times its strength (Andersen, Chung
    and Lang, FOCS 2006, section 3, here for all nodes of a round at once), divided by 1 - damping
    where the walk begins at nodes without edges. Of what still waits at the end, the part that
    would stay is counted.

    Raises ValueError as `personalised_pagerank` does, and where `epsilon` is not above zero.
    """
    load_numpy()
    import numpy as np

    if not epsilon > 0:
        raise ValueError("epsilon has to be above zero")
    waiting = _start(graph, reset, damping)
    share = _share(graph)
    least = epsilon * graph.strength
    mass = np.zeros(graph.nodes)
    lost = 0.0  # what would leave nodes without edges: it starts again, like all that started
    while len(pushed := np.flatnonzero(waiting > least)):
        amount = waiting[pushed]
        mass[pushed] += (1 - damping) * amount
        waiting[pushed] = 0
        lost += damping * float(amount[graph.strength[pushed] <= 0].sum())
        begins = graph.starts[pushed].astype(np.int64)
        degree = graph.starts[pushed + 1] - begins
        before = np.cumsum(degree) - degree
        edges = np.arange(int(degree.sum())) + np.repeat(begins - before, degree)
        flow = np.repeat(damping * amount * share[pushed], degree) * graph.weights[edges]
        waiting += np.bincount(graph.ends[edges], flow, graph.nodes)
    return (mass + (1 - damping) * waiting) / (1 - lost)


def _start(graph: Graph, reset: Floats, damping: float) -> npt.NDArray[np.float64]:
    """Where a walk begins: `reset` as shares of one. Raises ValueError for what is no walk."""
    import numpy as np

    start = np.asarray(reset, np.float64)
    if start.shape != (graph.nodes,):
        raise ValueError(f"reset has the shape {start.shape}, the graph {graph.nodes} nodes")
    total = float(start.sum())
    if not (total > 0 and np.isfinite(total) and bool(np.all(start >= 0))):
        raise ValueError("reset has to have mass and no negative number")
    if not 0 <= damping < 1:
        raise ValueError("damping has to be at least 0 and below 1")
    return start / total


def _share(graph: Graph) -> npt.NDArray[np.float64]:
    """What a weight of 1 carries off of the mass of each node; 0 where nothing leads away."""
    import numpy as np

    strength = np.asarray(graph.strength, np.float64)
    return np.divide(1.0, strength, out=np.zeros(graph.nodes), where=strength > 0)


def shortest_path(
    graph: Graph, begin: int, end: int, *, cost: Mapping[int, int] | None = None
) -> list[int]:
    """The nodes of a path with the fewest edges, both ends included; [] where none leads there.

    `cost` makes entering some nodes as dear as that many edges (1 if not named): paths avoid them
    where a way around is shorter. Of equal paths, the one whose nodes come first.
    """
    from heapq import heappop, heappush

    dear = cost or {}
    waiting: list[tuple[int, int, int]] = [(0, begin, -1)]
    came: dict[int, int] = {}
    while waiting:
        far, node, before = heappop(waiting)
        if node in came:
            continue
        came[node] = before
        if node == end:
            break
        for neighbour in graph.neighbours(node)[0].tolist():
            if neighbour not in came:
                heappush(waiting, (far + dear.get(neighbour, 1), neighbour, node))
    if end not in came:
        return []
    path = [end]
    while came[path[-1]] >= 0:
        path.append(came[path[-1]])
    return path[::-1]
