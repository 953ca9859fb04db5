"""L2: pairs to train a personal model on, without what is private or frozen.

One JSON object a line, in the form that trainers read: {"messages": [user, assistant], "id",
"layer"}. Left out are entries with `private: true`, `memos.visibility` other than public,
`memos.frozen`, conclusions that rest on one of these or are stale, and lines that name one of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.memories.layers.conclusions import cited, conclusion_of, layer_of, stale

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memtree.plugins import Context, EntryView

LONGEST = 4000
"""Characters of an answer in a pair."""
_TRUE = frozenset(("true", "yes", "on", "1"))
_MARKS = re.compile(r"\s*(?:\[\^[^\]\s]+\])*\s*\^[A-Za-z0-9-]+\s*$|\[\^[^\]\s]+\]")
_TARGET = re.compile(r"\[\[([^\]|#]+)|\]\(([^)#\s]+)")


def closed(meta: Mapping[str, object]) -> bool:
    """Whether an entry may not leave the tree: private, of a session only, or frozen."""
    memos = meta.get("memos")
    own = memos if isinstance(memos, dict) else {}
    visible = str(own.get("visibility") or meta.get("memos.visibility") or "public").casefold()
    return (
        _yes(meta.get("private"))
        or visible != "public"
        or _yes(own.get("frozen"))
        or _yes(meta.get("memos.frozen"))
    )


def _yes(value: object) -> bool:
    return str(value).strip().casefold() in _TRUE


def pairs(ctx: Context, scope: str = "") -> Iterator[dict[str, object]]:
    """The training pairs of a tree, in the order of its paths."""
    entries = [entry for ref in ctx.tree.entries() if (entry := ctx.tree.get(ref.path))]
    shut = {entry.path for entry in entries if closed(entry.meta)}
    old = stale(ctx)
    for entry in entries:
        conclusion = conclusion_of(entry)
        if conclusion is not None and any(ctx.tree.find(n) in shut for n in conclusion.sources):
            shut.add(entry.path)
    names = {name for entry in entries if entry.path in shut
             for name in (entry.id, entry.path, entry.path.rpartition(".")[0])}  # fmt: skip
    by_path = {entry.path: entry for entry in entries}
    below = f"{scope.strip('/')}/" if scope.strip("/") else ""
    for entry in entries:
        archived = str(entry.meta.get("status", "")).casefold() == "archived"
        if entry.path in shut or entry.path in old or archived or not entry.path.startswith(below):
            continue
        text = _open(entry.body, names, shut, ctx)
        title = entry.title if not _names(entry.title, names) else ""
        if text and title:
            yield _pair(entry, _asked(entry, title, by_path, ctx), text)


def _asked(entry: EntryView, title: str, by_path: Mapping[str, EntryView], ctx: Context) -> str:
    if layer_of(entry.meta) < 1:
        return f"What do you know about {title}?"
    paths = [ctx.tree.find(name) for name in cited(entry.meta)]
    titles = [by_path[path].title for path in paths if path is not None and path in by_path]
    return f"What follows from {' and '.join(titles)}?" if titles else f"What of {title}?"


def _pair(entry: EntryView, asked: str, text: str) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": asked[:500]},
            {"role": "assistant", "content": text[:LONGEST]},
        ],
        "id": entry.id,
        "layer": layer_of(entry.meta),
    }


def _open(body: str, names: set[str], shut: set[str], ctx: Context) -> str:
    """A body without the lines that name or link to something closed."""
    kept = []
    for row in body.splitlines():
        heading = row.strip().casefold()
        if heading == "## superseded":  # what no longer holds is not learnt
            break
        line = _MARKS.sub("", row).rstrip() if heading != "## facts" else ""
        targets = [one or other for one, other in _TARGET.findall(line)]
        if not _names(line, names) and not any(ctx.tree.find(t) in shut for t in targets):
            kept.append(line)
    return "\n".join(kept).strip()


def _names(text: str, names: set[str]) -> bool:
    return any(name in text for name in names)
