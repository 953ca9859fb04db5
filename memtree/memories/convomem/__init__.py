"""Whether a model should read everything, everything in blocks, or only what a search finds.

After ConvoMem (arXiv 2511.10523): below some 30 conversations nothing beats reading all of them,
up to 150 reading in blocks is a good bargain, and a memory is for what is beyond. Here: that switch
as a planner, with thresholds in tokens, and its benchmark with its rule for abstaining. Left out:
its rubrics with a judging model; evidence recall and abstention are counted instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins.api import ANSWER, SEARCH, STOP, Manifest, Mode, Search, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.knowledge.query import Query
    from memtree.memories.convomem.choosing import Limits
    from memtree.memories.convomem.reading import Note
    from memtree.plugins.api import Check, State
    from memtree.plugins.context import Context
    from memtree.plugins.desk import Lab
    from memtree.plugins.suite import Suite

__all__ = ["ConvoMem"]

_LONGEST = 8
"""Letters of a token, at most: what is more than that many times a limit is not counted exactly."""


class ConvoMem:
    """The plugin `convomem`."""

    manifest = Manifest(
        name="convomem",
        title="read everything, everything in blocks, or what is found: by the size of the scope",
        source="ConvoMem, arXiv 2511.10523",
        seeds=("S27",),
        paradigm="agentic",
        enhances=("llm", "llm.json"),
        modes=("full", "tiers"),
        options={"mode": "auto", "full_tokens": 0, "blocks_tokens": 0, "calls": 40},
    )

    def mode(self, ctx: Context) -> Mode:
        """Without a model there is nothing to read with: always the tiers."""
        if ctx.llm is None:
            return Mode(label="tiers", reason="no language model reads along")
        return Mode()

    def plan(self, query: Query, state: State, ctx: Context) -> Step | None:
        """Choose at the first step; in the tiers, search once and let the host answer."""
        if state.step:
            return Step(action=STOP, mode="tiers")
        from memtree.memories.convomem.choosing import BLOCKS, FULL, choose
        from memtree.memories.convomem.reading import NOTHING, read_blocks, read_full

        limit, wanted = _wanted(ctx)
        notes, sizes = _notes(query.scope, limit, ctx, wanted)
        chosen, why = choose(sizes, limit, wanted)
        model = ctx.llm
        if model is None:
            would = f"with a model it would be {chosen}: {why}" if chosen != "tiers" else why
            chosen, why = "tiers", f"no language model reads along; {would}"
        ctx.trace(convomem=chosen, why=why)
        said = f"mode {chosen}: {why}"
        if model is None or chosen not in (FULL, BLOCKS) or not notes:
            searches = (Search(text=query.text, scope=query.scope, limit=query.limit),)
            return Step(action=SEARCH, searches=searches, mode="tiers", note=said)
        if chosen == FULL:
            outcome = read_full(model, query.text, notes)
        else:

            def tell(done: int, total: int) -> None:
                ctx.progress("blocks", done, total)

            outcome = read_blocks(model, query.text, notes, tell)
        if outcome.made_up:
            said += f"; {outcome.made_up} quotes stand in no entry and were dropped"
        if not outcome.answer:
            said = f"{NOTHING} ({said})"
        return Step(action=ANSWER, answer=outcome.answer, mode=chosen, note=said,
                    cites=tuple(dict.fromkeys(quote.path for quote in outcome.quotes)))  # fmt: skip

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
    for name in ("full_tokens", "blocks_tokens", "calls"):
        try:
            numbers.append(max(0, int(str(ctx.options.get(name) or 0))))
        except ValueError:
            raise UsageError(f"convomem.{name} is a number of tokens or calls") from None
    full, blocks, calls = numbers
    window = ctx.llm.window if ctx.llm is not None else 1 << 30
    return limits(full, blocks, window, calls), wanted


def _notes(
    scope: str, limit: Limits, ctx: Context, wanted: str = "auto"
) -> tuple[list[Note], list[int]]:
    """The entries of a scope with their tokens; beyond every limit the rest is not read."""
    from memtree.memories.convomem.choosing import AUTO, BLOCK
    from memtree.memories.convomem.reading import Note

    most = max(limit.full, limit.blocks) if wanted == AUTO else limit.window * max(1, limit.calls)
    notes: list[Note] = []
    sizes: list[int] = []
    total = 0
    for ref in ctx.tree.entries(scope):
        entry = ctx.tree.get(ref.path)
        if entry is None or not entry.body.strip():
            continue
        note = Note(path=entry.path, title=" ".join(entry.title.split()), text=entry.body.strip())
        shown = note.shown(len(notes) % 10 + 1)
        sizes.append(_count(shown, most, ctx))
        notes.append(note)
        total += sizes[-1]
        if total > most or (wanted != AUTO and len(notes) > BLOCK * limit.calls):
            break
    return notes, sizes


def _count(text: str, most: int, ctx: Context) -> int:
    if ctx.llm is None or len(text) > _LONGEST * most:
        return -(-len(text) // 4)
    return ctx.llm.count(text)
