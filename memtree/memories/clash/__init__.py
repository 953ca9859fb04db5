"""Knowledge clashes: claims that contradict each other, found, shown side by side, settled.

After Xie et al., "Adaptive Chameleon or Stubborn Sloth" (ICLR 2024, arXiv 2305.13300), which shows
what a model does with clashing evidence: it prefers what it knew, what comes first and what comes
often. So: new claims are held against the standing ones (`guard`), a hit brings its rival with it
and the newest is marked (`refine`), a prompt holds both sides once, dated, in an order left to
chance (`pack`), and the paper's memorisation ratio is measured (`bench conflictqa`).

Without a language model claims are compared by rules (polarity, numbers, dates, names), and
passages are counted as not compared. Left out of the paper: writing counter-memories (the tree or
the data set has them), and a model of entailment for what is elicited: a model that says the same
again when it reads its own evidence is taken at its word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Lab, Packed, Ranked, Ruling, Suite
    from memtree.plugins.desk import Command

__all__ = ["Clash"]


class Clash:
    """The plugin `clash`."""

    manifest = Manifest(
        name="clash",
        title="Knowledge clashes: rivals shown together, the newest marked",
        source="arXiv 2305.13300",
        seeds=("S14",),
        paradigm="explicit-text",
        version="2",
        enhances=("llm", "llm.json", "embedder"),
        modes=("full", "claims"),
        commands=("conflicts",),
        options={"conflicts": "show", "guard": "reject", "elicit": False},
    )

    def mode(self, ctx: Context) -> Mode:
        """In full with a language model, else claims only."""
        if ctx.llm is None:
            return Mode(label="claims", reason="no language model: passages are not compared")
        return Mode()

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Keep the claims and the pairs that contradict each other current."""
        from memtree.memories.clash.scanning import update

        update(ctx, full=changes.full)

    def guard(self, operations: Sequence[Operation], ctx: Context) -> Sequence[Ruling]:
        """Rule on what contradicts the tree."""
        from memtree.memories.clash.guarding import rulings

        return rulings(operations, ctx)

    def refine(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Sequence[Ranked]:
        """Pull in the rivals of hits; tag the result with what the model would say alone."""
        from memtree.memories.clash.showing import met, shown

        found = shown(ctx, query, hits)
        if ctx.options.get("elicit"):
            from memtree.memories.clash.elicit import tagged

            notes = [hit.text for hit in found[:3] if hit.text]
            said = tagged(ctx, query.text, notes, disputed=bool(met(ctx, query, hits)))
            ctx.note(said or "not elicited: there is no language model to ask")
        return found

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed | None:
        """Both sides of a disagreement, dated and balanced."""
        from memtree.memories.clash.showing import packed

        return packed(ctx, query, hits)

    def bench(self) -> Sequence[Suite]:
        """`conflictqa`."""
        from memtree.memories.clash.suite import ConflictQa

        return [ConflictQa()]

    def commands(self) -> Mapping[str, Command]:
        """`conflicts scan`, `list`, `resolve`, `held`."""
        from memtree.memories.clash import commands

        return {
            "conflicts scan": commands.scan,
            "conflicts list": commands.show,
            "conflicts resolve": commands.resolve,
            "conflicts held": commands.held,
        }

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """Recall and false alarms, both sides in the prompt, the memorisation ratio."""
        from memtree.memories.clash.verify import checks

        return checks(lab)
