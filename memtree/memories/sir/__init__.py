"""What surprises is kept: prompts fit a budget by leaving out what a reader could guess.

After SirLLM (arXiv 2405.12528), which keeps in a full key-value cache the tokens of the highest
entropy and lets them decay. Here the same rule is used on text: sentences (or words) of the
passages that were found are kept by their surprisal, with the first line of each as its sink, and
what stands in a lower rank decays as what was heard longer ago does in the paper (`fade`); and an
entry's importance gets a few points for what it says that is unusual, which decay until it is
used. Left out: eviction inside of a model's cache, which llama.cpp's Python interface does not
offer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.plugins.api import Delta, Manifest, Mode, Packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.knowledge.query import Query
    from memtree.plugins.api import ChangeSet, Check, EntryRef, Ranked, Signals
    from memtree.plugins.context import Context
    from memtree.plugins.desk import Command, Desk, Lab, Report

    from collections.abc import Sequence  # isort: skip

__all__ = ["Sir"]

_SHADES = " .:-=+*#%@"


class Sir:
    """The plugin `sir`."""

    manifest = Manifest(
        name="sir",
        title="Fits passages into a budget by leaving out what does not surprise",
        source="SirLLM, arXiv 2405.12528",
        seeds=("S36",),
        enhances=("llm.logprobs",),
        modes=("logprobs", "bigrams"),
        options={"level": "sentence", "fade": 0.9, "decay": 0.9, "tick_days": 30.0, "weight": 5.0,
                 "pack": False},
    )  # fmt: skip

    def mode(self, ctx: Context) -> Mode:
        """By a model's own probabilities, or by bigrams of the tree."""
        if ctx.llm is not None and "logprobs" in ctx.llm.capabilities:
            return Mode(label="logprobs")
        return Mode(label="bigrams", reason="no language model tells probabilities; surprisal is"
                    " that of word pairs in this tree")  # fmt: skip

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Counts and means follow the tree."""
        from memtree.memories.sir.learning import follow

        if changes:
            follow(ctx, full=changes.full)

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed:
        """Keep the most surprising sentences of the hits, within the budget."""
        from memtree.errors import UsageError
        from memtree.memories.sir.keeping import LEVELS
        from memtree.memories.sir.learning import told_of
        from memtree.memories.sir.packing import compressed, size_of, whole

        del query
        count = ctx.count
        level = str(ctx.options.get("level") or "sentence")
        if level not in LEVELS:
            raise UsageError(f"{level!r} is no level", hint="one of " + ", ".join(LEVELS))
        said = [hit for hit in hits if hit.text.strip()]
        room, before = ctx.budget.tokens, size_of(whole(said), count)
        if before <= room:
            return Packed(pieces=whole(said), note=f"{before} tokens fit as they are")
        told, source = told_of(ctx, [hit.text for hit in said])
        pieces = compressed(said, told, room=room, level=level, count=count,
                            fade=ctx.number("fade", 0, 1))  # fmt: skip
        after = size_of(pieces, count)
        return Packed(pieces=pieces,
                      note=f"{after} of {before} tokens kept by surprisal ({source})")  # fmt: skip

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        """A few points for what is unusual, which decay until the entry is used."""
        from memtree.memories.sir.learning import average_of, means_of
        from memtree.memories.sir.living import points

        mean = means_of(ctx).get(entry.digest)
        if mean is None:
            return None
        average = average_of(ctx)
        added = points(
            mean, average, signals, entry.time, weight=ctx.number("weight", 0, 20),
            decay=ctx.number("decay", 0, 1), tick_days=ctx.number("tick_days", 0.01, 1e6),
        )  # fmt: skip
        if abs(added) < 0.5:  # less is noise, and would rewrite files
            return None
        return Delta(importance=added, why=f"surprisal {mean:.1f} nats a word (mean {average:.1f})")

    def commands(self) -> Mapping[str, Command]:
        """`memtree sir show` and `memtree sir stats`."""
        return {"sir show": show, "sir stats": stats}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """Groceries after twenty other questions, and the rules of packing."""
        from memtree.memories.sir.checks import checks

        return checks(lab)


def show(desk: Desk, entry: Annotated[str, "A path, id or title."]) -> Report:
    """How surprising each line of an entry is: the darker the mark, the more."""
    from memtree.errors import EntryNotFound
    from memtree.memories.sir.learning import mean_of, told_of
    from memtree.plugins.desk import Report

    ctx = desk.context
    path = ctx.tree.find(entry)
    view = ctx.tree.get(path) if path is not None else None
    if view is None:
        raise EntryNotFound(f"no entry at {entry!r}", hint="memtree search")
    (told,), source = told_of(ctx, [view.body])
    most = max((value for _, _, value in told), default=0.0) or 1.0
    lines, values, at = [f"{view.path}: nats a word, by {source}"], [], 0
    for number, line in enumerate(view.body.splitlines(keepends=True), view.first):
        here = [each for each in told if at <= each[0] < at + len(line)]
        words = [{"word": view.body[a:b], "nats": round(nats, 3)} for a, b, nats in here]
        shades = "".join(_shade(nats / most) for _, _, nats in here[:24])
        text = line.rstrip("\r\n")
        lines.append(f"{number:4} {mean_of(here):5.1f} |{shades:<24}| {text[:160]}")
        values.append({"line": number, "nats": round(mean_of(here), 3), "words": words})
        at += len(line)
    return Report(lines=lines, value={"path": view.path, "by": source, "lines": values})


def stats(desk: Desk) -> Report:
    """What was learned from the tree, and the most and the least surprising entries."""
    from memtree.memories.sir.learning import counts_of, follow, means_of
    from memtree.plugins.desk import Report

    ctx = desk.context
    follow(ctx)
    counts, means = counts_of(ctx), means_of(ctx)
    ranked = sorted(((means.get(ref.digest, 0.0), ref.path) for ref in ctx.tree.entries()),
                    key=lambda each: (-each[0], each[1]))  # fmt: skip
    average = sum(mean for mean, _ in ranked) / len(ranked) if ranked else 0.0
    head = (
        f"{len(ranked)} entries, {counts.total} words, {len(counts.single)} different,"
        f" {len(counts.pairs)} pairs; {average:.2f} nats a word"
    )
    lines = [head]
    lines += [f"  {mean:6.2f}  {path}" for mean, path in ranked[:5]]
    if len(ranked) > 10:
        lines.append("     ...")
    lines += [f"  {mean:6.2f}  {path}" for mean, path in ranked[max(5, len(ranked) - 5) :]]
    return Report(lines=lines, code=0 if ranked else 1, value={
        "entries": len(ranked), "words": counts.total, "different": len(counts.single),
        "pairs": len(counts.pairs), "mean": round(average, 4),
        "by_entry": [{"path": path, "nats": round(mean, 4)} for mean, path in ranked]})  # fmt: skip


def _shade(share: float) -> str:
    return _SHADES[min(len(_SHADES) - 1, int(share * len(_SHADES)))]
