"""Nodes, the edges between those that are alike, the router, and the walk. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from memtree.memories.memgas.texts import GRANULARITIES
from memtree.numeric.mixture import two_gaussians
from memtree.numeric.pagerank import forward_push, from_edges
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.numeric.pagerank import Graph

    Vectors = npt.NDArray[np.float32]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

NEIGHBOURS = 30
"""Similarities that a new node's mixture is fitted to (mem_threshold)."""
ALONE = 5
"""So many entries are not compared: from the sixth on there is something to compare with."""
_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """All nodes: `entries` and `grains` say of which entry and granularity each is, both (n,).

    `vectors` has unit rows, (n, d). `edges` is (m, 2), the newer node first. `paths` are the
    entries in the order in which they came, `digests` of these by path. `left` counts entries that
    are still to be joined. `graph` is made of the edges, once, where it is stored.
    """

    paths: Sequence[str]
    entries: Ints
    grains: Ints
    vectors: Vectors
    edges: Ints
    digests: Mapping[str, str] = field(default_factory=dict)
    left: int = 0
    graph: Graph | None = None

    def joined(self) -> Graph:
        """The edges as a graph; all weigh alike."""
        if self.graph is not None:
            return self.graph
        np = load_numpy()
        left, right = self.edges.T  # each pair once: only the newer looks back
        return from_edges(len(self.entries), left, right, np.ones(len(left)))

    def without(self, paths: Collection[str]) -> Network:
        """The network without these entries, their nodes and edges."""
        np = load_numpy()
        kept = [place for place, path in enumerate(self.paths) if path not in paths]
        if len(kept) == len(self.paths):
            return self
        number = np.full(len(self.paths), -1)
        number[kept] = np.arange(len(kept))
        stays = number[self.entries] >= 0
        node = np.cumsum(stays) - 1
        whole = stays[self.edges].all(axis=1) if len(self.edges) else np.zeros(0, bool)
        return replace(
            self, graph=None, paths=[self.paths[place] for place in kept],
            entries=number[self.entries[stays]],
            grains=self.grains[stays], vectors=self.vectors[stays],
            edges=node[self.edges[whole]].reshape(-1, 2),
        )  # fmt: skip

    def with_more(
        self, paths: Sequence[str], entries: Sequence[int], grains: Sequence[int],
        vectors: Vectors,
    ) -> Network:  # fmt: skip
        """The network with further entries; `entries` are places in `paths`, from 0."""
        np = load_numpy()
        begin = len(self.entries)
        grown = replace(
            self, graph=None, paths=[*self.paths, *paths],
            entries=np.concatenate([self.entries, np.array(entries, np.int64) + len(self.paths)]),
            grains=np.concatenate([self.grains, np.array(grains, np.int64)]),
            vectors=np.concatenate([self.vectors, vectors.astype(np.float32)]),
        )  # fmt: skip
        added = associations(grown.vectors, grown.entries, begin)
        return replace(grown, edges=np.concatenate([self.edges, added]))


def empty(dimension: int) -> Network:
    """A network without nodes."""
    np = load_numpy()
    none = np.zeros(0, np.int64)
    return Network(paths=[], entries=none, grains=none, edges=np.zeros((0, 2), np.int64),
                   vectors=np.zeros((0, dimension), np.float32))  # fmt: skip


def associations(vectors: Vectors, entries: Ints, begin: int) -> Ints:
    """Edges of the nodes from `begin` on to nodes of earlier entries: (m, 2), int64.

    Of each node's 30 greatest similarities, those of the higher class of a mixture of two Gaussians
    (MemGAS, section 3.2). No edge where the two classes can't be told apart.
    """
    np = load_numpy()
    found = [np.zeros((0, 2), np.int64)]
    for start in range(begin, len(vectors), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(vectors)))
        rows = rows[entries[rows] >= ALONE]
        if not len(rows):
            continue
        # Nodes of one entry stand together, so those of earlier ones are the first so many.
        earlier = np.searchsorted(entries, entries[rows], side="left")
        alike = vectors[rows] @ vectors[: earlier.max()].T
        alike[np.arange(alike.shape[1])[None] >= earlier[:, None]] = -np.inf
        for count in np.unique(np.minimum(earlier, NEIGHBOURS)).tolist():
            mine = np.flatnonzero(np.minimum(earlier, NEIGHBOURS) == count)
            best = np.argsort(-alike[mine], axis=1, kind="stable")[:, :count]
            samples = np.take_along_axis(alike[mine], best, axis=1)
            high = two_gaussians(samples).high
            which, place = np.nonzero(high)
            found.append(np.stack([rows[mine[which]], best[which, place]], axis=1))
    edges: Ints = np.concatenate(found)
    return edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What the router says: a weight for each granularity, 0 for one without nodes; they sum to 1.

    `entropies` are between 0 (sure) and 1 (all alike).
    """

    weights: Sequence[float]
    entropies: Sequence[float]

    @property
    def chosen(self) -> int:
        """The granularity that weighs most."""
        return max(range(len(self.weights)), key=lambda place: self.weights[place])

    def told(self) -> str:
        """For people."""
        return ", ".join(f"{name} {weight:.2f}" for name, weight
                         in zip(GRANULARITIES, self.weights, strict=True) if weight)  # fmt: skip


def route(similarities: Vectors, grains: Ints, *, temperature: float) -> Routed:
    """Weights by certainty: w = (1 - H) / sum(1 - H), H = entropy(softmax(sim / t)) / log n.

    Without the division by log n (as released) 1 - H is negative for n > 2 and more weight goes to
    the granularity that is less sure.
    """
    np = load_numpy()
    sure, entropies = [], []
    for grain in range(len(GRANULARITIES)):
        mine = similarities[grains == grain].astype(np.float64) / temperature
        if not len(mine):
            sure.append(0.0)
            entropies.append(1.0)
            continue
        share = np.exp(mine - mine.max())
        share /= share.sum()
        kept = share[share > 0]
        entropy = float(-(kept * np.log(kept)).sum()) / float(np.log(max(2, len(mine))))
        entropies.append(min(1.0, max(0.0, entropy)))
        sure.append(max(1.0 - entropies[-1], 1e-6))
    total = sum(sure) or 1.0
    return Routed(weights=[one / total for one in sure], entropies=entropies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Entries by score, best first, as places in the network; how many edges the seeds have."""

    order: Sequence[int]
    scores: Mapping[int, float]
    routed: Routed
    seeds: Sequence[int]
    edges: int


def walk(
    network: Network, question: Vectors, *, inside: npt.NDArray[np.bool_] | None = None,
    seeds: int = 15, damping: float = 0.1, temperature: float = 0.2, walks: bool = True,
) -> Walked | None:  # fmt: skip
    """From a question's vector to entries; None where nothing is alike.

    Similarities times the weight of their granularity; the best `seeds` nodes are where the walk
    begins; an entry has the mass of its nodes (MemGAS, section 3.3). Entries that it does not reach
    follow by their weighted similarities, so that a list can be long. `inside` says of each node
    whether it is asked.
    """
    np = load_numpy()
    asked = np.ones(len(network.entries), bool) if inside is None else inside
    if not bool(asked.any()):
        return None
    alike = network.vectors @ question
    routed = route(alike[asked], network.grains[asked], temperature=temperature)
    scores = np.where(asked, np.maximum(alike, 0) * np.array(routed.weights)[network.grains], 0.0)
    count = len(network.paths)
    best = np.argsort(-scores, kind="stable")[:seeds]
    best = best[scores[best] > 0]
    if not len(best):
        return None
    reset = np.zeros(len(scores))
    reset[best] = scores[best]
    touching = int(np.isin(network.edges, best).any(axis=1).sum()) if len(network.edges) else 0
    mass = reset / reset.sum()
    if walks and len(network.edges):
        mass = forward_push(network.joined(), reset, damping=damping)
    total = np.bincount(network.entries, mass * asked, count)
    rest = np.bincount(network.entries, scores, count)
    order = np.lexsort((np.arange(count), -rest, -total))
    ranked = [place for place in order.tolist() if total[place] > 0 or rest[place] > 0]
    peak = float(total.max()) or 1.0
    tail = float(rest.max()) or 1.0
    return Walked(
        order=ranked, routed=routed, seeds=best.tolist(), edges=touching,
        scores={place: float(total[place]) / peak + 1e-6 * float(rest[place]) / tail
                for place in ranked},
    )  # fmt: skip
