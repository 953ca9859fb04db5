"""memos: entries as memory cubes, with states, a time to live, locks, versions and a working set.

Knowledge has a life: it is made, used, merged with what says the same, put away, and over. Some of
it must not change, some must not be seen by everybody, and what a reader needs all the time should
stand before its eyes at no cost. MemOS calls an entry with such a record a memory cube.

Source: MemOS (arXiv 2505.22101 and 2507.03724; github MemTensor/MemOS). Of it: the states, frozen
memories, time to live, visibility, the version chain with its update types, merging with the
originals kept, the scheduler's labels, working and activation sets, the importance of a memory,
export and import of a cube. Left out: key-value caches on disk (the state of what prompts share
stays in the model's own memory, as long as the process runs), and parametric memory beyond the
export of training pairs: nothing is trained here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Answered, Manifest, Mode, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Query
    from memtree.plugins import (
        ChangeSet,
        Check,
        Context,
        Delta,
        EntryRef,
        Event,
        Lab,
        Packed,
        Ranked,
        Ruling,
        Signals,
    )
    from memtree.plugins.desk import Command

NO_EMBEDDER, RULES = "pairs=words", "rules"


class MemOs:
    """The plugin."""

    manifest = Manifest(
        name="memos",
        title="Memory cubes: states, time to live, locks, versions, working set",
        source="MemOS, arXiv 2505.22101 and 2507.03724",
        seeds=("S22", "S31"),
        paradigm="explicit-text",
        version="2",
        enhances=("llm", "llm.json", "embedder"),
        modes=("full", NO_EMBEDDER, RULES),
        commands=("cube", "tick", "warm"),
        options={
            "visibility": "",  # `public` leaves out what is private or a session's; `session`
            "as_of": "",  # the time that counts for times to live (ISO 8601); now
            "working_set": 30,  # entries (MemOS)
            "activation_set": 20,  # of them hot (MemOS)
            "hot_tokens": 800,  # of the hot block, and never more than half of a prompt's budget
            "jaccard": 0.8,  # from where words are alike
            "cosine": 0.8,  # from where meaning is alike (MemOS)
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """In full with a model that writes JSON and an embedder."""
        if ctx.llm is None or "json" not in ctx.llm.capabilities:
            return Mode(
                label=RULES,
                reason="no language model: entries are merged by their words alone",
            )
        if ctx.embedder is None:
            return Mode(label=NO_EMBEDDER, reason="no embedder: pairs are found by words alone")
        return Mode()

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """The version chains follow the tree, and so does the list of who governs anything."""
        from memtree.memories.memos import chain, looking, schedule

        looking.register(ctx, changes, chain.follow(changes, ctx))
        schedule.note(ctx, schedule.labels_of(changes))

    def propose(self, event: Event, ctx: Context) -> Sequence[Operation]:
        """A sweep merges what says the same; of other events the scheduler takes note."""
        from memtree.memories.memos import living, schedule, working

        schedule.heard(event, ctx)
        if isinstance(event, Answered):
            working.answered(ctx, event.used)
        return living.swept(event.scope, ctx) if isinstance(event, Sweep) else []

    def guard(self, operations: Sequence[Operation], ctx: Context) -> Sequence[Ruling]:
        """Nothing frozen is modified, nothing over is added to, nothing private is merged away."""
        from memtree.memories.memos.guarding import rulings

        return rulings(operations, ctx)

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        """Frozen stays as it is, what is over is archived, what is worked with does not fade."""
        from memtree.memories.memos.living import delta

        return delta(entry, signals, ctx)

    def refine(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Sequence[Ranked]:
        """Without what is over or hidden; what was merged by the entry that it went into."""
        from memtree.memories.memos.refining import refined

        return refined(query, hits, ctx)

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed | None:
        """The hot working set first, the same from question to question, then what was found."""
        from memtree.memories.memos import schedule
        from memtree.memories.memos.working import packed

        made = packed(query, hits, ctx)
        read = [piece.path for piece in made.pieces] if made is not None else []
        schedule.note(ctx, [("query", ""), *(("mem_read", path) for path in dict.fromkeys(read))])
        return made

    def commands(self) -> Mapping[str, Command]:
        """`cube ...`, `tick`, `warm`."""
        from memtree.memories.memos import commands, handing

        return {
            "cube show": commands.show,
            "cube freeze": commands.freeze,
            "cube thaw": commands.thaw,
            "cube ttl": commands.ttl,
            "cube visibility": commands.visibility,
            "cube history": commands.history,
            "cube merge": commands.merge,
            "cube export": handing.export,
            "cube import": handing.import_,
            "cube pairs": handing.pairs,
            "tick": commands.tick,
            "warm": commands.warm,
        }

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seeds S22 and S31."""
        from memtree.memories.memos.acceptance import checks

        return checks(lab)
