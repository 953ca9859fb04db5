"""Recall: thoughts before the records, by words; by hash tables besides, among very many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.claims.contradictions import conflict
from memtree.memories.tim.memory import (
    PROBES,
    asked_before,
    chosen,
    is_fresh,
    planes_of,
    rows_of,
    thoughts,
    vectors_of,
)
from memtree.memories.tim.relations import sentences
from memtree.plugins import Ranked, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.knowledge.query import Query
    from memtree.memories.tim.memory import Thought
    from memtree.plugins import Context

SUREST = 0.9
"""Confidence in a thought whose question was asked in the same words before."""
SHOWN = 5
NEAR = 0.6
"""The least cosine of a thought that only the hash tables bring."""
_LOOKED_AT = 50
_RIVALS = 5  # entries that are looked at for the opposite


def recalled(query: Query, ctx: Context) -> Ranking:
    """Thoughts that hold every telling word of a question; sure if it was asked so before."""
    rows = rows_of(ctx, query.scope)
    if not rows:
        return Ranking(hits=(), why="no thoughts yet")
    for each in asked_before(query.text, ctx, rows):
        if is_fresh(each, ctx):
            rival = _disputed(each, query, ctx)
            if not rival:
                return _again(each, query, ctx)
            ctx.note(f"the thought '{each.path}' and '{rival}' can't both hold")
            continue
        ctx.note(f"the thought '{each.path}' rests on what was edited since (memtree tim sweep)")
    hits = _by_words(query, ctx, rows)
    limit = ctx.options.get("lsh_from")
    if isinstance(limit, int) and len(rows) >= limit:
        there = {hit.path for hit in hits}
        known = thoughts(ctx, query.scope)
        hits += [hit for hit in _by_hash(query, ctx, known) if hit.path not in there]
    return Ranking(hits=hits[:SHOWN], why=f"{len(hits[:SHOWN])} of {len(rows)} thoughts fit")


def _again(thought: Thought, query: Query, ctx: Context) -> Ranking:
    """The thought, and of a merged one the statement that has most words of the question."""
    wanted = set(ctx.search.telling(query.text))
    said = max(thought.statements, key=lambda each: len(wanted & set(ctx.search.stems(each))))
    hit = Ranked(path=thought.path, score=SUREST, why="thought: asked before")
    return Ranking(
        hits=[hit], sure=True, confidence=SUREST, answer=said[:600],
        why="a thought answers it, asked in these words before",
    )  # fmt: skip


def _disputed(thought: Thought, query: Query, ctx: Context) -> str:
    """An entry that the question finds and that says the opposite, by its path; "" for none."""
    for hit in ctx.search.full_text(query.text, limit=_RIVALS, scope=query.scope):
        if hit.path != thought.path and any(
            conflict(said, sentence) is not None
            for said in thought.statements for sentence in sentences(hit.text)
        ):  # fmt: skip
            return hit.path
    return ""


def _by_words(query: Query, ctx: Context, rows: Mapping[str, list[object]]) -> list[Ranked]:
    """BM25 among the thoughts; those that lack a word of the question are left to the tiers."""
    wanted = set(ctx.search.telling(query.text))
    if not wanted:
        return []
    folder = str(ctx.options.get("folder") or "thoughts")
    found: dict[str, Ranked] = {}
    for scope in dict.fromkeys((folder, query.scope) if query.scope else (folder,)):
        for hit in ctx.search.full_text(query.text, limit=_LOOKED_AT, scope=scope):
            found.setdefault(hit.path, hit)
    known = chosen(found, rows)
    return [
        Ranked(path=path, score=hit.score, why="thought", text=hit.text, lines=hit.lines)
        for path, hit in found.items()
        if path in known and wanted <= set(ctx.search.stems(known[path].text))
    ]


def _by_hash(query: Query, ctx: Context, known: list[Thought]) -> list[Ranked]:
    """Thoughts in the question's buckets, by cosine; needs vectors that questions have, too."""
    if ctx.embedder is None:
        return []  # word statistics of thoughts say nothing of a question's words that they lack
    from memtree.numeric.hashing import tabled
    from memtree.numerics import load_numpy

    np = load_numpy()
    rows, _ = vectors_of(known, ctx)
    planes = planes_of(rows, ctx)
    asked = np.asarray(ctx.embedder.question(query.text), np.float32)
    inside = tabled(planes.codes(rows), planes.buckets).rows(planes.probes(asked, PROBES))
    near = rows[inside] @ asked
    order = np.argsort(-near, kind="stable")[:SHOWN]
    return [
        Ranked(path=known[int(inside[place])].path, score=float(near[place]), why="thought: near")
        for place in order if near[place] >= NEAR
    ]  # fmt: skip
