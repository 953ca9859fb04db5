"""A path through the graph in words: facts, names that stand in entries, names that are alike."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.memories.hippo.network import Network


def told(network: Network, nodes: Sequence[int]) -> list[tuple[str, str, str, str]]:
    """Each step of a path: from, to, how in words, and the path of the entry that says so."""
    return [_step(network, one, other) for one, other in pairwise(nodes)]


def _step(network: Network, one: int, other: int) -> tuple[str, str, str, str]:
    phrases = len(network.names)
    names = [
        network.names[node] if node < phrases else network.paths[node - phrases]
        for node in (one, other)
    ]
    if one >= phrases:
        return names[0], names[1], f"{names[0]} names {names[1]}", names[0]
    if other >= phrases:
        return names[0], names[1], f"{names[0]} stands in {names[1]}", names[1]
    fact = _joining(network, one, other)
    if fact is None:
        return names[0], names[1], f"{names[0]} is like {names[1]}", ""
    entry = network.sources(fact)[0][0]
    return names[0], names[1], " - ".join(network.fact(fact)), network.paths[entry]


def _joining(network: Network, one: int, other: int) -> int | None:
    """A fact of two phrases, whichever is the subject."""
    import numpy as np

    subjects, objects = network.subjects, network.objects
    found = np.flatnonzero(
        ((subjects == one) & (objects == other)) | ((subjects == other) & (objects == one))
    )
    return int(found[0]) if len(found) else None
