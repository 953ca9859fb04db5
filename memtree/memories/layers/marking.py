"""What is said in the tree of conclusions: stale ones are marked, unfounded ones kept out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.knowledge.plan import Add, Annotate
from memtree.memories.layers.conclusions import FEWEST, cited, grounds, layer_of, stale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.knowledge.plan import Operation
    from memtree.plugins import Context


def marks(ctx: Context, scope: str = "") -> Iterator[Annotate]:
    """`stale` set on conclusions that are, and taken from those that are no longer."""
    old = stale(ctx)
    below = f"{scope.strip('/')}/" if scope.strip("/") else ""
    stored = ctx.cache.load_value("conclusions", "1")
    paths = sorted({*old, *(map(str, stored) if isinstance(stored, dict) else ())})
    for path in paths:
        entry = ctx.tree.get(path) if path.startswith(below) else None
        if entry is None:
            continue
        why = "; ".join(old.get(path, ()))[:500]
        if why and entry.meta.get("stale") != why:
            yield Annotate(path=path, keys={"stale": why}, reason=f"stale: {why}", confidence=1.0)
        elif not why and "stale" in entry.meta:
            reason = "its sources are again as they were"
            yield Annotate(path=path, keys={"stale": None}, reason=reason, confidence=1.0)


def unfounded(operation: Operation, ctx: Context) -> str:
    """Why an operation would make a conclusion without grounds; "" for any other."""
    match operation:
        case Add():
            meta = dict(operation.meta)
        case Annotate():
            touched = {"layer", "derived_from"} & set(operation.keys)
            entry = ctx.tree.get(operation.path) if touched else None
            if entry is None:
                return ""
            meta = {**entry.meta, **operation.keys}
        case _:
            return ""
    if layer_of(meta) < 1:
        return ""
    count = len(grounds(cited(meta), ctx))
    if count >= FEWEST:
        return ""
    return f"a conclusion cites at least {FEWEST} existing entries of layer 0, this one {count}"
