"""Whether a model should read everything, everything in blocks, or only what a search finds.

After ConvoMem (arXiv 2511.10523): below some 30 conversations nothing beats reading all of them,
up to 150 reading in blocks is a good bargain, and a memory is for what is beyond. Here: that switch
as a planner, with thresholds in tokens that the model's window and pace bound, and its benchmark
with its rule for abstaining. Left out: its rubrics with a judging model; evidence recall and
abstention are counted instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins.api import ANSWER, SEARCH, STOP, Manifest, Mode, Search, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.knowledge.query import Query
    from memtree.memories.convomem.choosing import Limits
    from memtree.memories.convomem.reading import Note, Outcome
    from memtree.plugins.api import Check, EntryRef, State
    from memtree.plugins.context import Context, ModelView
    from memtree.plugins.desk import Lab
    from memtree.plugins.suite import Suite

__all__ = ["ConvoMem"]


class ConvoMem:
    """The plugin `convomem`."""

    manifest = Manifest(
        name="convomem",
        title="Read everything, everything in blocks, or what is found: by the size of the scope",
        source="ConvoMem, arXiv 2511.10523",
        seeds=("S27",),
        paradigm="agentic",
        enhances=("llm", "llm.json"),
        modes=("full", "tiers"),
        options={
            "mode": "auto",
            "full_tokens": 0,  # read at once up to so many; 0 for 30 of the paper's conversations
            "blocks_tokens": 0,  # in blocks up to so many; 0 for 150
            "calls": 40,  # of the model, for one question
            # That reading may take at this model's pace; the host ends a planner after 120. 0: any.
            "seconds": 100,
        },
    )

    def mode(self, ctx: Context) -> Mode:
        """Without a model there is nothing to read with: always the tiers. Raises UsageError."""
        _wanted(ctx)
        if ctx.llm is None:
            return Mode(label="tiers", reason="no language model reads along")
        return Mode()

    def plan(self, query: Query, state: State, ctx: Context) -> Step | None:
        """Choose at the first step; in the tiers, search once and let the host answer."""
        if state.step:
            return Step(action=STOP, mode="tiers")
        from memtree.memories.convomem.choosing import BLOCKS, FULL, learnt
        from memtree.memories.convomem.reading import notes_of

        chosen, why, refs = self.decided(query.scope, ctx)
        ctx.trace(convomem=chosen, why=why)
        model = ctx.llm
        said = f"mode {chosen}: {why}"
        if model is None or chosen not in (FULL, BLOCKS) or not refs:
            searches = (Search(text=query.text, scope=query.scope, limit=query.limit),)
            return Step(action=SEARCH, searches=searches, mode="tiers", note=said)
        with learnt(ctx, model):
            outcome = _read(query.text, chosen, notes_of(refs, ctx), model, ctx)
        return _answered(outcome, chosen, said)

    def decided(self, scope: str, ctx: Context) -> tuple[str, str, Sequence[EntryRef]]:
        """The mode for a scope, why, and the entries that a model would read. Raises UsageError."""
        from memtree.memories.convomem.choosing import (
            AUTO,
            PROBE,
            TIERS,
            calls_for,
            choose,
            pace_of,
            probe,
            sized,
        )

        limit, wanted = _wanted(ctx)
        found = sized(scope, limit, ctx, wanted)
        model = ctx.llm
        if wanted == TIERS:
            return TIERS, "as asked", ()
        if model is None:
            if wanted != AUTO:
                return TIERS, f"no language model reads along, which mode {wanted} needs", ()
            chosen, why = choose(found.sizes, limit, wanted, of=found.of)
            would = f"with a model it would be {chosen}: {why}" if chosen != TIERS else why
            return TIERS, f"no language model reads along; {would}", ()
        limit = limit.at(pace_of(ctx, model))
        chosen, why = choose(found.sizes, limit, wanted, of=found.of)
        unknown = wanted == AUTO and chosen != TIERS and limit.seconds and not limit.pace
        if unknown and sum(found.sizes) > PROBE and calls_for(len(found.sizes)) < limit.calls:
            limit = limit.at(probe(ctx, model, found.refs))
            chosen, why = choose(found.sizes, limit, wanted, of=found.of)
        return chosen, why, found.refs

    def bench(self) -> Sequence[Suite]:
        """`memtree bench convomem`."""
        from memtree.memories.convomem.suite import ConvoMemSuite

        return (ConvoMemSuite(),)

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The switch at its thresholds, the calls of blocks, abstaining."""
        from memtree.memories.convomem.checks import checks

        return checks(lab)


def _wanted(ctx: Context) -> tuple[Limits, str]:
    """The limits and the mode that the options say. Raises UsageError."""
    from memtree.errors import UsageError
    from memtree.memories.convomem.choosing import MODES, limits

    wanted = str(ctx.options.get("mode") or "auto")
    if wanted not in MODES:
        raise UsageError(f"{wanted!r} is no mode of reading", hint="one of " + ", ".join(MODES))
    numbers = []
    for name in ("full_tokens", "blocks_tokens", "calls", "seconds"):
        try:
            numbers.append(max(0, int(str(ctx.options.get(name) or 0))))
        except ValueError:
            raise UsageError(f"convomem.{name} is a number from 0 on") from None
    full, blocks, calls, seconds = numbers
    window = ctx.llm.window if ctx.llm is not None else 1 << 30
    return limits(full, blocks, window, calls, seconds=seconds), wanted


def _read(
    question: str, chosen: str, notes: Sequence[Note], model: ModelView, ctx: Context
) -> Outcome:
    """Let the model read notes at once or in blocks."""
    from memtree.memories.convomem.choosing import FULL
    from memtree.memories.convomem.reading import read_blocks, read_full

    if chosen == FULL:
        return read_full(model, question, notes)
    return read_blocks(
        model, question, notes, lambda done, total: ctx.progress("blocks", done, total)
    )


def _answered(outcome: Outcome, chosen: str, said: str) -> Step:
    """What came of reading as a step: the answer, if there is one, with what it rests on."""
    from memtree.memories.convomem.reading import NOTHING

    if outcome.made_up:
        said += f"; {outcome.made_up} quotes stand in no entry and were dropped"
    if not outcome.answer:
        said = f"{NOTHING} ({said})"
    return Step(action=ANSWER, answer=outcome.answer, mode=chosen, note=said,
                cites=tuple(dict.fromkeys(quote.path for quote in outcome.quotes)))  # fmt: skip
