"""hippo: a graph of what entries say, and personalised PageRank through it (HippoRAG 2).

A question whose answer lies two steps away shares no word with it: the entry that is asked about
names another, and that one holds the answer. Triples join them; a walk that starts at the facts
that fit the question, and returns there again and again, finds what they lead to.

Source: Gutiérrez et al., From RAG to Memory (arXiv 2502.14802, ICML 2025), after HippoRAG
(2405.14831). Of it: triples by a model, synonym edges, query-to-triple linking, recognition memory,
reset weights, entries as nodes, personalised PageRank. Instead of its dense passage retriever the
tree's own search weighs the entries. Without a model that writes, names that stand beside each
other are the graph; without one that reads, words link facts and spelling joins synonyms; without
one at question time, a share of the best score is the recognition. Added: the edge between an entry
and the phrase that is its title, and the tree's own relations as triples. Left out: the tuned
prompt of the recognition; where no fact is kept, the tree's search stands in for dense retrieval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Desk, Lab
    from memtree.plugins.desk import Command

COOCCURRENCE, WORDS, RELATIVE = "graph=cooccurrence", "facts=words", "recognition=relative"


class Hippo:
    """The plugin."""

    manifest = Manifest(
        name="hippo",
        version="2",  # of what it stores: another one makes the graph anew
        title="Graph memory: personalised PageRank over triples",
        source="HippoRAG 2, arXiv 2502.14802 (ICML 2025)",
        seeds=("S12",),
        paradigm="explicit-graph",
        enhances=("llm", "llm.json", "embedder"),
        modes=("full", RELATIVE, WORDS, COOCCURRENCE),
        stage="semantic",
        commands=("hippo",),
        options={
            "damping": 0.5,  # how far the walk goes: the probability of following an edge
            "facts": 5,  # facts that are linked to a question
            "passage_weight": None,  # what an entry's own fit weighs; None: by the mode
            "passages": "search",  # whose scores that fit is: `search`, or `words` (BM25)
            "recognition": "auto",  # `auto`: the model if it is awake; `relative`; `none`
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """By what there is: triples, a model that reads, a model that is awake."""
        from memtree.memories.hippo.graph import has_triples, reader

        missing = []
        label = "full"
        if ctx.llm is None or "json" not in ctx.llm.capabilities:
            label = RELATIVE
            missing.append("no model judges the facts")
        if reader(ctx) is None:
            label = WORDS
            missing.append("facts are found by their words, no model reads them")
        if not has_triples(ctx):
            label = COOCCURRENCE
            missing.append("no triples yet (memtree hippo build, or hippo import FILE)")
        return Mode(label=label, reason="; ".join(reversed(missing)))

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Triples of removed entries go, those of moved ones follow; the graph is made again."""
        from memtree.memories.hippo.follow import follow

        follow(changes, ctx)

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """Entries by the mass that a walk from the question's facts brings them."""
        from memtree.memories.hippo.retrieving import retrieved

        return retrieved(query, ctx)

    def commands(self) -> Mapping[str, Command]:
        """`hippo build`, `hippo import`, `hippo path`, `hippo show`."""
        from memtree.memories.hippo.commands import build, import_, path, show

        return {
            "hippo build": build,
            "hippo import": import_,
            "hippo path": path,
            "hippo show": show,
        }

    def adopt(self, desk: Desk, folder: str) -> str:
        """Take the triples that a data set brings, before it is measured on it."""
        import os

        from memtree.memories.hippo.commands import import_

        file = os.path.join(folder, "triples.jsonl")
        return import_(desk, file, by="llm").lines[0] if os.path.isfile(file) else ""

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seed S12."""
        from memtree.memories.hippo.acceptance import checks

        return checks(self, lab)
