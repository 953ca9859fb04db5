"""What a conclusion is in a tree, and whether it still stands: layers, what is cited, staleness.

L0 are entries without `layer` in their front matter, the sources below `_raw/` among them. L1 are
conclusions from them:

    layer: 1
    derived_from: [01J8..., notes/ada]
    derived_digests: {01J8...: 9f2c41d07b3a6e58, notes/ada: 1b0c...}

A digest is of a source's title and body, not of its file: settling an entry's importance makes no
conclusion stale, an edit of its words does.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.plugins import ChangeSet, Context, EntryView

STALE = "stale.jsonl"
KNOWN, VERSION = "conclusions", "1"
FEWEST = 2
"""Sources that a conclusion cites at the least: what one entry says needs no conclusion."""
MOST = 50
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Conclusion:
    """An L1 entry: its path, and the digest that each source had ("" where nobody noted it)."""

    path: str
    sources: Mapping[str, str]


def layer_of(meta: Mapping[str, object]) -> int:
    """1 and more for what was derived, 0 for what was not."""
    value = meta.get("layer")
    if isinstance(value, bool):
        return 0
    text = str(value if value is not None else "").strip()
    return min(int(text), 9) if text.isdecimal() and len(text) < 5 else 0


def cited(meta: Mapping[str, object]) -> tuple[str, ...]:
    """The names in `derived_from`, each once."""
    value = meta.get("derived_from")
    items = value if isinstance(value, (list, tuple)) else [value] if value else []
    names = (str(item).strip().removeprefix("[[").removesuffix("]]") for item in items
             if isinstance(item, (str, int)))  # fmt: skip
    return tuple(dict.fromkeys(name[:_LONGEST] for name in names if name))[:MOST]


def conclusion_of(entry: EntryView) -> Conclusion | None:
    """The conclusion that an entry is; None for one of L0."""
    if layer_of(entry.meta) < 1:
        return None
    noted = entry.meta.get("derived_digests")
    digests = {str(key): str(value) for key, value in noted.items()} if isinstance(
        noted, dict) else {}  # fmt: skip
    return Conclusion(entry.path, {name: digests.get(name, "") for name in cited(entry.meta)})


def digest_of(entry: EntryView) -> str:
    """Of an entry's title and body, 16 hex digits; blanks at the ends of lines don't count."""
    lines = [line.rstrip() for line in entry.body.strip().splitlines()]
    said = "\n".join([entry.title, *lines])
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def grounds(names: Iterable[str], ctx: Context) -> dict[str, EntryView]:
    """The L0 entries that names lead to, by path: an entry that is named twice counts once."""
    found: dict[str, EntryView] = {}
    for name in names:
        path = ctx.tree.find(name)
        entry = ctx.tree.get(path) if path is not None else None
        if entry is not None and layer_of(entry.meta) == 0:
            found.setdefault(entry.path, entry)
    return found


# -- what stands no more ----------------------------------------------------------------------


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the list of conclusions and of the stale ones up to the tree."""
    stored = None if changes.full else ctx.cache.load_value(KNOWN, VERSION)
    known = _known(stored)
    if known is None:
        known, looked_at = {}, [ref.path for ref in ctx.tree.entries()]
    else:
        for ref in changes.removed:
            known.pop(ref.path, None)
        looked_at = [ref.path for ref in (*changes.added, *changes.changed)]
    for path in looked_at:
        entry = ctx.tree.get(path)
        conclusion = conclusion_of(entry) if entry is not None else None
        if conclusion is not None:
            known[path] = conclusion
        else:
            known.pop(path, None)
    ctx.cache.save_value(
        KNOWN, VERSION, {path: dict(each.sources) for path, each in sorted(known.items())}
    )
    _note_stale(known.values(), ctx)


def _note_stale(known: Iterable[Conclusion], ctx: Context) -> None:
    before = {(str(r.get("path")), str(r.get("source"))): r for r in ctx.sidecar.read(STALE)}
    looked: dict[str, str | None] = {}
    records: list[Mapping[str, object]] = []
    for conclusion in sorted(known, key=lambda each: each.path):
        for source, digest in conclusion.sources.items():
            if source not in looked:
                looked[source] = _digest_now(source, ctx)
            now = looked[source]
            why = "deleted" if now is None else "changed" if digest not in ("", now) else ""
            if why:
                old = before.get((conclusion.path, source))
                since = old.get("since") if old and old.get("why") == why else ctx.now
                records.append(
                    {"path": conclusion.path, "source": source, "why": why, "since": since}
                )
    if records != ctx.sidecar.read(STALE):
        ctx.sidecar.write(STALE, records)


def _digest_now(name: str, ctx: Context) -> str | None:
    path = ctx.tree.find(name)
    entry = ctx.tree.get(path) if path is not None else None
    if entry is None or str(entry.meta.get("status", "")).casefold() == "archived":
        return None
    return digest_of(entry)


def _known(stored: object) -> dict[str, Conclusion] | None:
    if not isinstance(stored, dict):
        return None
    return {
        str(path): Conclusion(str(path), {str(key): str(value) for key, value in sources.items()})
        for path, sources in stored.items()
        if isinstance(sources, dict)
    }


def stale(ctx: Context) -> dict[str, list[str]]:
    """Path of each stale conclusion -> why, in phrases; read once for a question."""
    held = ctx.session.get("stale")
    if isinstance(held, dict):
        return held
    found: dict[str, list[str]] = {}
    for record in ctx.sidecar.read(STALE):
        path, source = record.get("path"), record.get("source")
        if isinstance(path, str) and isinstance(source, str):
            why = "was deleted" if record.get("why") == "deleted" else "changed"
            shown = "".join(letter for letter in source[:120] if letter.isprintable())
            found.setdefault(path, []).append(f"its source {shown} {why}")
    ctx.session["stale"] = found
    return found
