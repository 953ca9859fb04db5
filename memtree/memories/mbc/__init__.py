"""mbc: the vectors of the tree in a twentieth of their bytes (Memory Bank Compression).

A vector becomes the numbers of a few code vectors, and is compared as these. New entries are
encoded with the codes that there are: nothing that is stored is encoded again.

Source: Memory Bank Compression for Continual Adaptation (arXiv 2601.00756). Of it: a bank of code
indices, one codebook of 512 with online reset (`faithful`). Product quantisation is the default
instead, since a single code keeps only half to four fifths of the hits. Left out, and not stubbed:
the side of the language model (codes turned into soft prefixes, adapters of its keys and values),
which needs its weights in training; llama.cpp's public interface has no such thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode, Ranking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Lab
    from memtree.plugins.desk import Command

LEXICAL = "vectors: lexical"


class Mbc:
    """The plugin."""

    manifest = Manifest(
        name="mbc",
        title="Compressed vectors: product quantisation, or one codebook",
        source="MBC, arXiv 2601.00756; product quantisation after Jégou et al., PAMI 2011",
        seeds=("S8",),
        paradigm="explicit-vector",
        enhances=("embedder",),
        modes=("full", LEXICAL),
        stage="semantic",
        commands=("mbc",),
        options={
            "faithful": False,  # one codebook of 512, the paper's form
            "codes": 0,  # one codebook of so many codes; 0: product quantisation
            "pq": 0,  # into so many parts a vector is cut; 0: by its dimension
            "bits": 0,  # bits of a part, 4 or 8; 0: 4 unless `pq` is set, then 8
            # Of its list beside the tree's own. These vectors have had their say in tier 4: with 1
            # a second list of them costs 8 points of R@5 on MuSiQue, with 0.02 nothing.
            "weight": 0.02,
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """By whether there is an embedder."""
        if ctx.embedder is None:
            return Mode(label=LEXICAL, reason="no embedder; the entries' own words make vectors")
        return Mode()

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Entries that are new or changed are encoded, with the codes that there are."""
        from memtree.memories.mbc.keeping import follow

        follow(changes, ctx)

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """Entries by the cosine of the question's vector with what their codes stand for."""
        from memtree.memories.mbc.finding import found

        return found(query, ctx)

    def commands(self) -> Mapping[str, Command]:
        """`mbc stats`, `mbc compress`."""
        from memtree.memories.mbc import commands

        return {"mbc stats": commands.stats, "mbc compress": commands.compress}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seed S8."""
        from memtree.memories.mbc.acceptance import checks

        return checks(lab)
