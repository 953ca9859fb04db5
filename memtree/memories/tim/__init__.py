"""tim: what was thought once is kept as a thought, and kept in order (Think-in-Memory).

An assistant that answers the same question again reasons from the raw records again. Instead, what
follows from an answer is kept: short statements (thoughts), which are ordinary entries of type
`thought` that name what they rest on in `from`. A thought is recalled before the records are read;
`memtree tim sweep` forgets those that newer ones contradict and merges those about one thing.

Source: Liu et al., Think-in-Memory (arXiv 2311.08719): recall, post-think, insert, forget, merge,
buckets of locality-sensitive hashing. Buckets group thoughts where they are written; reading goes
by words, since one table loses more than half of what it should find, and asks the tables besides
only among very many thoughts.

Without a model thoughts are English sentences of a known form ("X lives in Y"), or about a name of
the question ("Tom painted the fence"), that answer it. Rules keep little, so that what they keep is
true: of 227 answers quoted from conversations (development questions of LiHua and LoCoMo) they made
no thought. What contradicts what is told by rules of English, with a model, too.
Left out: the fine-tuned extractors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Answered, Manifest, Mode, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Event, Lab, Ranking
    from memtree.plugins.desk import Command

RULES, LEXICAL = "thoughts=rules", "hash=lexical"


class Tim:
    """The plugin."""

    manifest = Manifest(
        name="tim",
        title="Think-in-Memory: thoughts that are recalled, forgotten and merged",
        source="Think-in-Memory, arXiv 2311.08719",
        seeds=("S11",),
        paradigm="explicit-text",
        enhances=("llm", "llm.json", "embedder"),
        modes=("full", LEXICAL, RULES),
        stage="fulltext",
        commands=("tim",),
        options={
            "folder": "thoughts",  # where thoughts are put
            "think": False,  # keep thoughts of this answer: `memtree query --think`
            "lsh_from": 50_000,  # thoughts from which on reading asks the hash tables, too
            "seed": 0,  # of the hash tables
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """With a model that extracts, with vectors to hash, or by rules."""
        missing = []
        label = "full"
        if ctx.embedder is None:
            label = LEXICAL
            missing.append("no embedder: buckets are of word statistics")
        if ctx.llm is None or "json" not in ctx.llm.capabilities:
            label = RULES
            missing.append("no model is awake: only English sentences of known forms are thoughts")
        return Mode(label=label, reason="; ".join(missing))

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """The list of thoughts follows the tree."""
        from memtree.memories.tim.memory import follow

        follow(changes, ctx)

    def propose(self, event: Event, ctx: Context) -> Sequence[Operation]:
        """After an answer: thoughts to keep. On a sweep: thoughts to forget and to merge."""
        if isinstance(event, Answered):
            from memtree.memories.tim.thinking import thought_of

            return thought_of(event, ctx)
        if isinstance(event, Sweep):
            from memtree.memories.tim.sweeping import swept

            return swept(event, ctx)
        return []

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """Thoughts that hold all words of the question; sure if it was asked so before."""
        from memtree.memories.tim.recalling import recalled

        return recalled(query, ctx)

    def commands(self) -> Mapping[str, Command]:
        """`tim sweep`, `tim list`."""
        from memtree.memories.tim.commands import list_, sweep

        return {"tim sweep": sweep, "tim list": list_}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seed S11."""
        from memtree.memories.tim.acceptance import checks

        return checks(lab)
