"""memgas: an entry at four granularities, joined by what is alike, asked at the one that fits.

The whole entry, the mean of its parts, its summary and its keywords have a vector each. A new node
is joined to those of the earlier ones that stand out as alike. A question weighs the granularities
by how sure each is, and a walk from the best nodes brings in what these are joined to.

Source: MemGAS (arXiv 2505.19549). Of it: the four granularities, edges by a mixture of two
Gaussians, the entropy router, personalised PageRank, the filter by a model. The router divides the
entropy by its most, log n, without which it weighs all granularities alike. Here an entry is a
session, its paragraphs and bullets are turns. Left out: none.

It pays where vectors say what texts mean, beside the vectors of whole entries: with MiniLM, R@3 of
LoCoMo's sessions goes from 40 to 48 (benchmarks/memgas.py). On the built-in table it stays at 55,
and there it is unavailable, unless the option `force` is set. Plain search, which looks at words
and passages, finds 83 to 84 of them either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Lab, Packed, Ranked
    from memtree.plugins.desk import Command

FORCED, BARE = "forced: lexical vectors", "no summaries"
NO_GAIN = (
    "it gives no gain on vectors of words; set embed.model to a model that reads sentences, or "
    "force it (--set memgas.force=true)"
)


class MemGas:
    """The plugin."""

    manifest = Manifest(
        name="memgas",
        title="Four granularities, their associations, and an entropy router",
        source="MemGAS, arXiv 2505.19549 (ICLR 2026)",
        seeds=("S17",),
        paradigm="explicit-graph",
        enhances=("embedder", "llm", "llm.json"),
        modes=("full", BARE, FORCED),
        stage="semantic",
        commands=("memgas",),
        options={
            "force": False,  # work on lexical vectors too
            "seeds": 15,  # nodes that a walk starts at
            "damping": 0.1,  # how far it goes: the probability of following an edge
            "temperature": 0.2,  # of the softmax whose entropy the router takes
            "walk": True,  # False: the order of the seeds, without the graph
            "pack": False,  # pack for a model, by the chosen granularity
            "keep": 3,  # hits that the model's filter leaves
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """By what the vectors are, and whether there is a summary or a tag anywhere."""
        from memtree.memories.memgas.texts import are_described

        if ctx.embedder is None or ctx.embedder.lexical:
            what = "there is no embedder" if ctx.embedder is None else "the built-in table"
            if ctx.options.get("force") is not True:
                return Mode(label=FORCED, reason=f"{NO_GAIN} ({what})", usable=False)
            return Mode(label=FORCED, reason=f"no gain is to be had on vectors of words ({what})")
        if not are_described(ctx):
            return Mode(label=BARE, reason="no summaries or keywords yet (memtree memgas build)")
        return Mode()

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Nodes and edges of entries that are new or changed; those of gone ones go."""
        from memtree.memories.memgas.keeping import follow

        follow(changes, ctx)

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """Entries by the mass that a walk from the best nodes brings them."""
        from memtree.memories.memgas.finding import found

        return found(query, ctx)

    def refine(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Sequence[Ranked]:
        """The hits that a model keeps; all of them without one."""
        from memtree.memories.memgas.reading import filtered

        return filtered(query, hits, ctx)

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed | None:
        """Hits at the granularity that the router chose."""
        from memtree.memories.memgas.reading import packed

        return packed(query, hits, ctx)

    def commands(self) -> Mapping[str, Command]:
        """`memgas build`, `memgas route`."""
        from memtree.memories.memgas import commands

        return {"memgas build": commands.build, "memgas route": commands.route}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seed S17."""
        from memtree.memories.memgas.acceptance import checks

        return checks(lab)
