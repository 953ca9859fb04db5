"""The life of cubes: what moves from state to state at a tick, and what settling hears of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError
from memtree.knowledge.lifecycle import day_text
from memtree.knowledge.path import parse_path
from memtree.knowledge.plan import Annotate, Archive
from memtree.memories.memos import alike, fusing
from memtree.memories.memos.cube import (
    ARCHIVED,
    EXPIRED,
    KEY,
    Cube,
    next_state,
    read_cube,
    with_keys,
)
from memtree.memories.memos.looking import day_of, governed, views
from memtree.memories.memos.working import load
from memtree.plugins import Delta

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.knowledge.plan import Operation
    from memtree.plugins import Context, EntryRef, Signals
    from memtree.plugins.context import EntryView

GROWN = frozenset(("validated", "core"))
FROZEN = "frozen"
PLAIN = "fact"  # what an entry is that does not say
DECAY = 0.995  # of importance a day: memtree's own lifecycle (DESIGN section 3)
MOST_POINTS = 5.0
MOST_OPERATIONS = 4000  # of one sweep: a host may cut a longer list, in the middle of a merge
CHUNK = 64  # texts that are embedded at once


def ticked(ctx: Context, day: float, used: set[str]) -> list[Operation]:
    """The operations that bring every cube to the state that it should be in on a day.

    What is over is archived, so that it is in the history and no more in the way; what is frozen
    is left as it is.
    """
    found: list[Operation] = []
    for ref, view in views(ctx, also=used):
        cube = read_cube(view.meta)
        lively = ref.path in used or ref.maturity in GROWN or bool(view.meta.get("used"))
        state = next_state(cube, day, used=lively)
        if cube.frozen or state == cube.state or not (cube.governed or ref.path in used):
            continue
        reason = f"{cube.state} to {state}"
        if state == EXPIRED:
            reason += f": {cube.shown(day)}"
            if not cube.stub:
                found.append(Archive(reason=reason, confidence=1.0, path=view.path))
        keys = {KEY: with_keys(view.meta, state=state, version=cube.version)}
        found.append(Annotate(reason=reason, confidence=1.0, path=view.path, keys=keys))
    return found


def delta(entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
    """What settling should know of an entry: frozen, over, or in the working set.

    What is in the working set does not fade: the importance that it lost since it was settled is
    given back, at most 5 points, so that settling often or seldom comes to the same.
    """
    known = governed(ctx)
    if known is not None and entry.path not in known:
        cube = Cube()
    elif (view := ctx.tree.get(entry.path)) is not None:
        cube = read_cube(view.meta)
    else:
        return None
    if cube.frozen:
        return Delta(state=FROZEN, why="frozen (memos)")
    if cube.stub:
        return None
    if cube.expired(signals.today):
        on = f" on {day_text(cube.ends)}" if cube.ends is not None else ""
        return Delta(state=ARCHIVED, why=f"its time to live ended{on} (memos)")
    if entry.path in _working(ctx) and signals.settled is not None:
        days = max(0.0, signals.today - signals.settled)
        lost = signals.importance * (DECAY**-days - 1) if days < 400 else MOST_POINTS
        return Delta(importance=round(min(MOST_POINTS, lost), 2), why="in the working set (memos)")
    return None


def swept(scope: str, ctx: Context) -> list[Operation]:
    """Entries below a folder that say the same, made one: see `fusing`.

    Each entry takes part in one merge at most; the next sweep sees what came of it. The budget for
    a model's calls may end it: what was judged until then is proposed.
    """
    from memtree.plugins import BudgetSpent

    there = {view.path: view for view in _mergeable(ctx, scope)}
    places = fusing.Places(ref.path for ref in ctx.tree.entries())
    taken: set[str] = set()
    found: list[Operation] = []
    for pair in _pairs(there, ctx):
        one, other = there[pair.one], there[pair.other]
        if {pair.one, pair.other} & taken or not _same_kind(one, other):
            continue
        try:
            verdict = fusing.judged(pair, one, other, ctx)
        except BudgetSpent:
            ctx.note("memos: the budget for the model is spent; sweep again for the rest")
            break
        operations = fusing.fused(verdict, one, other, ctx, places)
        if len(found) + len(operations) > MOST_OPERATIONS:
            ctx.note("memos: that is enough for one change; sweep again for the rest")
            break
        if operations:
            taken |= {pair.one, pair.other}
            found += operations
    return found


def _mergeable(ctx: Context, scope: str) -> Iterator[EntryView]:
    """Entries that may become a part of another: alive, not frozen, no listing of a folder.

    Nor one with a name that no operation touches (`con.md`): its original would stay beside.
    """
    day = day_of(ctx)
    for _, view in views(ctx, scope):
        cube = read_cube(view.meta)
        listing = view.path.rpartition("/")[2] == "index.md"
        if cube.frozen or cube.stub or cube.expired(day) or listing or cube.ttl:
            continue
        if _is_sound(view.path):
            yield view


def _is_sound(path: str) -> bool:
    try:
        return parse_path(path) == path
    except MemtreeError:
        return False


def _same_kind(one: EntryView, other: EntryView) -> bool:
    """Nothing private becomes a part of what is public, no event a part of a procedure."""
    as_visible = read_cube(one.meta).visibility == read_cube(other.meta).visibility
    return as_visible and (one.type or PLAIN) == (other.type or PLAIN)


def _pairs(there: dict[str, EntryView], ctx: Context) -> list[alike.Pair]:
    """Candidates: by their words, and with a judge and an embedder by meaning too."""
    bound = ctx.options.get("jaccard")
    bound = bound if isinstance(bound, float) and 0 < bound <= 1 else alike.JACCARD
    texts = {path: fusing.text_of(view) for path, view in there.items()}
    judges = ctx.llm is not None and "json" in ctx.llm.capabilities
    found = []
    for pair in alike.pairs(texts, bound=bound):
        one, other = (_named(there[path]) for path in (pair.one, pair.other))
        sure = pair.sure and alike.same_subject(one, other, texts[pair.one])
        if sure or judges:
            found.append(replace(pair, sure=sure))
    if judges and ctx.embedder is not None:
        known = {(pair.one, pair.other) for pair in found}
        found += [pair for pair in near(texts, ctx) if (pair.one, pair.other) not in known]
    return found


def _named(view: EntryView) -> tuple[str, str]:
    return view.path.rpartition("/")[0], fusing.bare_title(view)


def near(texts: dict[str, str], ctx: Context) -> list[alike.Pair]:
    """Pairs by meaning: for each entry its five nearest with a cosine of at least 0.8 (MemOS).

    Nothing is sure of such a pair: a judge has to say what it is.
    """
    from memtree.numerics import load_numpy

    load_numpy()
    import numpy as np

    embedder = ctx.embedder
    paths = [path for path, text in texts.items() if text]
    if embedder is None or len(paths) < 2:
        return []
    wanted = ctx.options.get("cosine")
    bound = wanted if isinstance(wanted, float) and 0 < wanted <= 1 else 0.8
    matrix = np.concatenate([
        embedder.embed([texts[path][:2000] for path in paths[start : start + CHUNK]])
        for start in range(0, len(paths), CHUNK)
    ])  # fmt: skip
    found: dict[tuple[str, str], float] = {}
    for start in range(0, len(paths), 512):
        scores = matrix[start : start + 512] @ matrix.T
        for row, of_row in enumerate(scores, start):
            of_row[row] = -1.0
            for column in np.argsort(-of_row, kind="stable")[:5]:
                if of_row[column] < bound:
                    break
                one, other = sorted((paths[row], paths[int(column)]))
                found[one, other] = float(of_row[column])
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [
        alike.Pair(one=one, other=other, score=score, by=f"meaning alike by {score:.2f}")
        for (one, other), score in ordered
    ]


def _working(ctx: Context) -> set[str]:
    known = ctx.session.get("working")
    if not isinstance(known, set):
        known = ctx.session["working"] = {member.path for member in load(ctx)}
    return known
