"""L2: pairs to train a personal model on, without what is private or frozen.

One JSON object a line, in the form that trainers read: {"messages": [user, assistant], "id",
"layer"}. Left out are entries with `private: true`, `memos.visibility` other than public,
`memos.frozen`, conclusions that rest on one of these or are stale, and lines that name one of them.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote

from memtree.memories.layers.conclusions import cited, conclusion_of, layer_of, stale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


@dataclass(slots=True)
class Closed:
    """What may not leave a tree, and whether a line of another entry leads to it.

    Names are resolved only where the index knows of a link to something closed: asking the tree
    for every link of every entry takes minutes in a large one.
    """

    paths: frozenset[str]
    names: frozenset[str]
    near: frozenset[str]
    """Entries that link to something closed."""
    _found: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[EntryView], ctx: Context) -> Closed:
        """Entries that are closed themselves, and conclusions that rest on one."""
        known = list(entries)
        shut = {entry.path: entry for entry in known if closed(entry.meta)}
        if not shut:
            return cls(frozenset(), frozenset(), frozenset())
        drawn = [(entry, [ctx.tree.find(name) for name in conclusion.sources])
                 for entry in known if (conclusion := conclusion_of(entry))]  # fmt: skip
        while more := [
            entry
            for entry, sources in drawn
            if entry.path not in shut and not shut.keys().isdisjoint(sources)
        ]:
            shut.update((entry.path, entry) for entry in more)
        names = {name for path, entry in shut.items()
                 for name in (entry.id, path, path.rpartition(".")[0])}  # fmt: skip
        near = {link.path for path in shut for link in ctx.tree.backlinks(path)}
        return cls(frozenset(shut), frozenset(names - {""}), frozenset(near))

    def named(self, text: str) -> bool:
        """Whether a text has the id or the path of something closed, as a word of its own."""
        return any(name in text and _word(name).search(text) for name in self.names)

    def leads(self, line: str, path: str, ctx: Context) -> bool:
        """Whether a line of the entry at `path` links to something closed."""
        if path not in self.near:
            return False
        for one, other in _TARGET.findall(line):
            beside = posixpath.join(posixpath.dirname(path), unquote(other))
            if other and posixpath.normpath(beside) in self.paths:
                return True
            target = one or unquote(other)
            if target not in self._found:
                self._found[target] = ctx.tree.find(target)
            if self._found[target] in self.paths:
                return True
        return False


def pairs(ctx: Context, scope: str = "") -> Iterator[dict[str, object]]:
    """The training pairs of a tree, in the order of its paths."""
    entries = [entry for ref in ctx.tree.entries() if (entry := ctx.tree.get(ref.path))]
    shut = Closed.of(entries, ctx)
    old = stale(ctx)
    by_path = {entry.path: entry for entry in entries}
    below = f"{scope.strip('/')}/" if scope.strip("/") else ""
    for number, entry in enumerate(entries):
        if number % 500 == 0:
            ctx.progress("exporting", number, len(entries))
        archived = str(entry.meta.get("status", "")).casefold() == "archived"
        out = entry.path in shut.paths or entry.path in old or archived
        if out or not entry.path.startswith(below):
            continue
        text = _open(entry, shut, ctx)
        title = entry.title if not shut.named(entry.title) else ""
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


def _open(entry: EntryView, shut: Closed, ctx: Context) -> str:
    """A body without the lines that name or link to something closed."""
    kept = []
    careful = shut.named(entry.body)
    for row in entry.body.splitlines():
        heading = row.strip().casefold()
        if heading == "## superseded":  # what no longer holds is not learnt
            break
        line = _MARKS.sub("", row).rstrip() if heading != "## facts" else ""
        if not (careful and shut.named(line)) and not shut.leads(line, entry.path, ctx):
            kept.append(line)
    return "\n".join(kept).strip()


@lru_cache(maxsize=10_000)
def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
