"""From a question to entries, by the router and the walk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.memgas.texts import GRANULARITIES
from memtree.numerics import load_numpy
from memtree.plugins import Ranked, Ranking

if TYPE_CHECKING:
    from memtree.knowledge.query import Query
    from memtree.memories.memgas.network import Network, Walked
    from memtree.plugins import Context

ROUTE = "route"
"""Where the session keeps the number of the granularity that was chosen."""


def found(query: Query, ctx: Context) -> Ranking:
    """The entries within the scope, best first."""
    from memtree.memories.memgas.keeping import ready

    network = ready(ctx)
    walked = walked_for(query, ctx, network)
    if walked is None:
        return Ranking(hits=())
    ctx.session[ROUTE] = walked.routed.chosen
    why = (
        f"router: {walked.routed.told()}; {len(walked.seeds)} nodes to start at, "
        f"{walked.edges} edges from these"
    )
    ctx.trace(
        router={name: round(weight, 3) for name, weight
                in zip(GRANULARITIES, walked.routed.weights, strict=True)},
        seeds=[
            {"path": network.paths[int(network.entries[node])],
             "granularity": GRANULARITIES[int(network.grains[node])]}
            for node in walked.seeds
        ],
        edges=walked.edges,
    )  # fmt: skip
    hits = [
        Ranked(path=network.paths[place], score=walked.scores[place],
               why=_why(network, walked, place))
        for place in walked.order[: query.limit]
    ]  # fmt: skip
    return Ranking(hits=hits, why=why)


def walked_for(query: Query, ctx: Context, network: Network) -> Walked | None:
    """The walk for a question, with the plugin's options."""
    from memtree.memories.memgas.keeping import question
    from memtree.memories.memgas.network import walk

    np = load_numpy()
    vector = question(ctx, query.text)
    if not network.paths or not bool(np.any(vector)):
        return None
    inside = None
    scope = query.scope.strip("/")
    if scope:
        within = np.array([path.startswith(scope + "/") for path in network.paths])
        inside = within[network.entries]
    options = ctx.options
    return walk(
        network, vector, inside=inside, seeds=int(ctx.number("seeds", 1, 1000)),
        damping=ctx.number("damping", 0, 0.99),
        temperature=ctx.number("temperature", 0.01, 100),
        walks=options.get("walk") is not False,
    )  # fmt: skip


def _why(network: Network, walked: Walked, place: int) -> str:
    """By which of its nodes an entry was found, or that only an edge leads to it."""
    mine = [GRANULARITIES[int(network.grains[node])] for node in walked.seeds
            if network.entries[node] == place]  # fmt: skip
    return "by its " + ", ".join(mine) if mine else "by association"
