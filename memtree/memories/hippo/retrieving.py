"""One question through the graph: facts, recognition, seeds, walk, entries, and their reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.memories.hippo import seek
from memtree.memories.hippo.graph import has_triples, reader, ready
from memtree.memories.hippo.recognition import recognised
from memtree.plugins import NotReady, Ranked, Ranking

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from memtree.knowledge.query import Query
    from memtree.memories.hippo.graph import Held
    from memtree.memories.hippo.network import Network
    from memtree.memories.hippo.seek import Linked
    from memtree.plugins import Context

    Floats = npt.NDArray[np.float64]

ALONE = 0.5
"""What an entry's own fit weighs where the graph is of neighbours only: it leads less far."""
FITTING = 20
"""Entries whose own fit is among the seeds, found by the tree's search."""
_LOOKED_AT = 2000  # neighbours of a seed, for a reason in words
DEPTH = 2
"""So many times the limit of the question is what is given to be fused."""


def retrieved(query: Query, ctx: Context) -> Ranking:
    """The entries that a question leads to, by mass; plain search where no fact fits."""
    graph = ready(ctx)
    if graph is None:
        raise NotReady
    fitting = _fitting(query, ctx)
    limit = max(FITTING, DEPTH * query.limit)
    found = _linked(graph, query.text, ctx)
    kept, by = _recognised(query.text, graph.network, found, ctx)
    phrases = seek.seeds(graph.network, kept)
    network = graph.network
    ctx.trace(
        facts=[
            f"{'kept' if each in kept else 'dropped'} {each.raw:.2f}: "
            f"{' | '.join(network.fact(each.fact))}"
            for each in found
        ],
        recognition=by,
        seeds=[f"{network.names[phrase]} {weight:.3f}" for phrase, weight in phrases.items()],
    )
    if not kept:
        return Ranking(hits=fitting[:limit], why="no fact fits: plain search")
    fit = seek.normalised({
        place: hit.score for hit in fitting if (place := network.place(hit.path)) is not None
    })  # fmt: skip
    mass = seek.walked(
        network, phrases, fit, damping=ctx.number("damping", 0, 0.99),
        weight=ctx.number(
            "passage_weight", 0, 100, default=seek.PASSAGES if has_triples(ctx) else ALONE
        ),
    )  # fmt: skip
    scope = f"{query.scope.strip('/')}/" if query.scope.strip("/") else ""
    hits: list[Ranked] = []
    explained = _Explained(network, kept, phrases, fit)
    for entry in seek.ranked(network, mass).tolist():
        if len(hits) == limit:
            break
        path = network.paths[entry]
        if path.startswith(scope) and path not in graph.waiting:
            why, lines = explained.of(entry)
            share = float(mass[len(network.names) + entry])
            hits.append(Ranked(path=path, score=share, why=why, lines=lines))
    ctx.trace(ways=[f"{hit.path} {hit.score:.4f}: {hit.why}" for hit in hits[: query.limit]])
    words = f"{len(kept)} of {len(found)} facts kept"
    return Ranking(hits=hits, why=f"{words}, {len(phrases)} phrases, {graph_of(network)}")


def graph_of(network: Network) -> str:
    """A graph in words."""
    return f"{len(network.names)} phrases and {network.facts} facts"


def _fitting(query: Query, ctx: Context) -> list[Ranked]:
    """Entries by their own fit."""
    whose = str(ctx.options.get("passages", "search"))
    if whose == "words":
        return list(ctx.search.full_text(query.text, limit=200, scope=query.scope))
    if whose != "search":
        raise UsageError(f"hippo.passages is 'search' or 'words', not {whose!r}")
    return list(ctx.search.ranked(query.text, limit=max(FITTING, query.limit), scope=query.scope))


def _linked(graph: Held, text: str, ctx: Context) -> list[Linked]:
    """The facts that fit, by vectors where there are some, else by words."""
    limit = int(ctx.number("facts", 1, 1000))
    embedder = reader(ctx)
    if embedder is not None and graph.vectors is not None:
        import numpy as np

        scores = np.asarray(graph.vectors @ embedder.question(text), np.float64)
        return seek.linked(scores, limit=limit)
    return seek.linked(graph.network.scored(ctx.search.telling(text)), limit=limit)


def _recognised(
    text: str, network: Network, found: list[Linked], ctx: Context
) -> tuple[list[Linked], str]:
    match ctx.options.get("recognition", "auto"):
        case "none":
            return found, "none"
        case "relative":
            return (seek.relative(found) if found else []), "relative"
        case "auto":
            return recognised(text, network, found, ctx)
        case other:
            raise UsageError(f"hippo.recognition is 'auto', 'relative' or 'none', not {other!r}")


class _Explained:
    """Why an entry is found: it says a kept fact, holds a seed, or a fact leads from one to it."""

    def __init__(
        self, network: Network, kept: list[Linked], phrases: dict[int, float], fit: dict[int, float]
    ) -> None:
        self._network = network
        self._fit = fit
        self._seeds = list(phrases)
        self._says: dict[int, tuple[int, tuple[int, int]]] = {}
        for each in kept:
            for entry, lines in network.sources(each.fact):
                self._says.setdefault(entry, (each.fact, lines))

    def of(self, entry: int) -> tuple[str, tuple[int, int]]:
        """The reason in words, and the lines of the entry that it lies in, (0, 0) if unknown."""
        network = self._network
        if entry in self._says:
            fact, lines = self._says[entry]
            return f"says: {' - '.join(network.fact(fact))}", lines
        names = len(network.names)
        beside = network.graph.neighbours(names + entry)[0]
        mine = set(beside[beside < names].tolist())
        for seed in self._seeds:
            if seed in mine:
                return f"names {network.names[seed]}", (0, 0)
        for seed in self._seeds:
            for node in network.graph.neighbours(seed)[0][:_LOOKED_AT].tolist():
                if node in mine:
                    return f"{network.names[seed]} leads to {network.names[node]}", (0, 0)
        return ("fits by itself" if entry in self._fit else "some steps away"), (0, 0)
