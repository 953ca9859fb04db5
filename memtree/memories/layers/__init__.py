"""AI-native memory as a plugin: raw entries (L0), conclusions (L1), pairs for a LoRA (L2).

After "AI-native Memory" (arXiv 2406.18312, and the Second-Me program). Real: conclusions that cite
at least two entries and are checked by rules, staleness that is computed from the sources, the
export without what is private, the benchmark of reasoning in a haystack. Left out: training L2 and
answering from it. Deriving needs a language model; without one nothing is derived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import REJECT, Delta, Manifest, Mode, Ruling, Sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Query
    from memtree.plugins import (
        ChangeSet,
        Check,
        Context,
        EntryRef,
        Event,
        Lab,
        Ranked,
        Report,
        Signals,
        Suite,
    )

LOST = -25.0
"""Points of importance that a stale conclusion loses."""


class Layers:
    """The plugin: its hooks are thin, what they do stands in the modules beside."""

    manifest = Manifest(
        name="layers",
        title="Conclusions from several entries, marked when a source changes; export for a LoRA",
        source="AI-native Memory, arXiv 2406.18312",
        seeds=("S37",),
        enhances=("llm.json",),
        modes=("full", "no-derivation"),
        options={"groups": 4},
    )

    def mode(self, ctx: Context) -> Mode:
        """In full with a model that draws conclusions."""
        if ctx.llm is not None and "json" in ctx.llm.capabilities:
            return Mode()
        return Mode(
            label="no-derivation",
            reason="no language model draws conclusions; staleness, export and haystack work",
        )

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Mark the conclusions that rest on what changed or is gone."""
        from memtree.memories.layers.conclusions import follow

        ctx.session.pop("stale", None)
        follow(changes, ctx)

    def propose(self, event: Event, ctx: Context) -> Sequence[Operation]:
        """On a sweep: say in the tree what is stale, and draw conclusions where a model is."""
        from memtree.memories.layers.derive import derived, remember
        from memtree.memories.layers.marking import marks

        if not isinstance(event, Sweep):
            return []
        found: list[Operation] = list(marks(ctx, event.scope))
        model = ctx.llm
        if model is None or "json" not in model.capabilities:
            return found
        limit = ctx.options.get("groups")
        done = derived(ctx, model, scope=event.scope, limit=limit if isinstance(limit, int) else 4)
        remember(ctx, done, event.scope)
        for text, why in done.refused:
            ctx.note(f"a conclusion was not taken: {text[:80]} ({why})")
        return [*found, *done.operations]

    def guard(self, operations: Sequence[Operation], ctx: Context) -> Sequence[Ruling]:
        """No conclusion without at least two existing entries of L0 that it cites."""
        from memtree.memories.layers.marking import unfounded

        return [
            Ruling(operation=operation, ruling=REJECT, reason=reason)
            for operation in operations
            if (reason := unfounded(operation, ctx))
        ]

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        """A stale conclusion weighs less, and is a draft until somebody looks at it."""
        from memtree.memories.layers.conclusions import stale

        del signals
        why = stale(ctx).get(entry.path)
        if why is None:
            return None
        return Delta(importance=LOST, maturity="draft", why=f"stale: {'; '.join(why)}")

    def refine(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Sequence[Ranked]:
        """Say of a hit that it is stale."""
        from dataclasses import replace

        from memtree.memories.layers.conclusions import stale

        del query
        old = stale(ctx)
        if not old:
            return hits
        return [
            replace(hit, note=f"stale: {'; '.join(old[hit.path])}") if hit.path in old else hit
            for hit in hits
        ]

    def bench(self) -> Sequence[Suite]:
        """`memtree bench haystack`."""
        from memtree.memories.layers.haystack import Haystack

        return [Haystack()]

    def commands(self) -> Mapping[str, Callable[..., Report]]:
        """`memtree layers derive|stale|export|use-lora`."""
        from memtree.memories.layers import commands

        return {
            "layers derive": commands.derive,
            "layers stale": commands.stale,
            "layers export": commands.export,
            "layers use-lora": commands.use_lora,
        }

    def selftest(self, lab: Lab) -> Iterator[Check]:
        """Guarded, fewer entries for a question, stale at once, nothing private, gold solved."""
        from memtree.memories.layers.proof import checks

        yield from checks(lab)
