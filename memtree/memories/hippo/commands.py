"""`memtree hippo build|import|path|show`: making triples, bringing them in, looking at them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from memtree.errors import EntryNotFound, Unavailable, UsageError
from memtree.plugins import Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.memories.hippo.network import Network
    from memtree.memories.hippo.triples import Triple
    from memtree.plugins import Context, Desk, EntryRef

_SHOWN = 10
_GIVEN_UP = 3  # entries in a row of which a model makes nothing: it is not fit for this
_LONGEST_LINE = 1_000_000  # characters of a line that is imported


def build(
    desk: Desk,
    scope: Annotated[str, "only entries below this folder"] = "",
    *,
    limit: Annotated[int, "read at most so many entries; 0 for all"] = 0,
    again: Annotated[bool, "read entries again that did not change"] = False,
) -> Report:
    """Let the language model read new and edited entries, and make the graph.

    Each entry is stored when it is done: stop at any time and go on later. Triples that a person
    wrote or imported are kept. Without a language model only the graph is made.
    """
    from memtree.memories.hippo.extract import extracted
    from memtree.memories.hippo.follow import orphans

    ctx = desk.context
    scope = ctx.tree.folder(scope)
    if limit < 0:
        raise UsageError("--limit is a number from 0", hint="0 is for all")
    for name in orphans(ctx):
        ctx.sidecar.write(name, [])
    waiting = _unread(ctx, scope, again=again)
    model = ctx.llm
    if model is None or "json" not in model.capabilities:
        return _made(ctx, read=0, left=len(waiting), without="no language model that can be used")
    chosen = waiting[:limit] if limit > 0 else waiting
    read = dropped = found = failed = 0
    troubles: list[str] = []
    for number, ref in enumerate(chosen):
        ctx.progress("reading entries", number, len(chosen))
        entry = ctx.tree.get(ref.path)
        if entry is None:
            continue
        try:
            result = extracted(entry, model)
        except Unavailable as error:
            failed += 1
            troubles.append(error.message)
            if failed == _GIVEN_UP and not read:
                raise
            continue  # it is left to read; one strange entry doesn't keep the others waiting
        _store(ctx, ref, [(triple, entry.digest) for triple in result.triples], by="llm")
        read, found = read + 1, found + len(result.triples)
        dropped += result.dropped
        if result.cut:
            troubles.append(f"{ref.path}: {result.cut} answers broke off")
    ctx.progress("reading entries", len(chosen), len(chosen))
    return _made(
        ctx, read=read, left=len(waiting) - read, found=found, dropped=dropped, troubles=troubles
    )


def _unread(ctx: Context, scope: str, *, again: bool) -> list[EntryRef]:
    """The entries that a model has not read as they are, and for which nobody else spoke."""
    from memtree.memories.hippo.triples import name_of

    names = set(ctx.sidecar.names("triples"))
    found = []
    for ref in ctx.tree.entries(scope.strip("/")):
        name = name_of(ref.id)
        records = ctx.sidecar.read(name) if name in names else []
        if again or all(record.get("digest") != ref.digest for record in records):
            found.append(ref)
    return found


def _store(ctx: Context, ref: EntryRef, made: list[tuple[Triple, str]], *, by: str) -> None:
    """Write an entry's triples: what others said of it stays, if it still stands."""
    from memtree.memories.hippo.triples import (
        MOST,
        key_of,
        name_of,
        nothing_of,
        read,
        record_of,
    )

    name = name_of(ref.id)
    mine = {tuple(map(key_of, (t.subject, t.predicate, t.object))) for t, _ in made}
    others = [
        (triple, digest)
        for triple, digest in read(ctx.sidecar.read(name))
        if triple.by != by
        and tuple(map(key_of, (triple.subject, triple.predicate, triple.object))) not in mine
    ]
    records = [record_of(triple, digest) for triple, digest in [*others, *made][:MOST]]
    if by == "llm" and not made:
        records.append(nothing_of(ref.digest))
    ctx.sidecar.write(name, records)


def _made(
    ctx: Context, *, read: int, left: int, found: int = 0, dropped: int = 0,
    troubles: list[str] | None = None, without: str = "",
) -> Report:  # fmt: skip
    """Make the graph, and say what there is."""
    from memtree.memories.hippo.graph import note_tree, rebuild
    from memtree.memories.hippo.retrieving import graph_of

    note_tree(ctx)
    network = rebuild(ctx).network
    state = ctx.cache.load_value("state", "now")
    counts = dict(state) if isinstance(state, dict) else {}
    lines = []
    if without and left:
        lines.append(f"entries not read: {left}, {without} (memtree models list)")
    elif not without:
        lines.append(f"entries read: {read}, triples: {found}; still to be read: {left}")
    if dropped:
        lines.append(f"left out {dropped} that do not stand in their entry")
    lines += list(troubles or [])[:_SHOWN]
    lines.append(
        f"graph: {graph_of(network)}, {network.graph.edges} edges; "
        f"{counts.get('told', 0)} of {counts.get('entries', 0)} entries have triples, "
        f"{counts.get('stale', 0)} of them edited since; {counts.get('neighbours', 0)} stand with "
        "the names in them"
    )
    value = {
        "read": read, "left": left, "triples": found, "dropped": dropped,
        "phrases": len(network.names), "facts": network.facts, "edges": network.graph.edges,
        **counts,
    }  # fmt: skip
    return Report(lines=lines, value=value, code=3 if without and left else 1 if troubles else 0)


def import_(
    desk: Desk,
    file: Annotated[str, "JSON lines: id, and triples or subject, predicate, object"],
    *,
    by: Annotated[str, "who made them: human, llm or rule"] = "human",
) -> Report:
    """Bring in triples that were made elsewhere; those of before by the same maker are replaced.

    A line is {"id": ..., "triples": [[s, p, o], ...]} or {"id": ..., "subject": ...,
    "predicate": ..., "object": ...}. The id is an entry's id, path, title or alias.
    """
    from memtree.memories.hippo.triples import SOURCES

    if by not in SOURCES:
        raise UsageError(f"--by is {', '.join(SOURCES)}, not {by!r}")
    ctx = desk.context
    told: dict[str, list[Triple]] = {}
    unknown: list[str] = []
    wrong: list[str] = []
    by_id = {ref.id: ref.path for ref in ctx.tree.entries()}
    for number, record in _lines(file):
        name, triples = _parsed(record, by)
        if not name or not triples:
            wrong.append(f"line {number}: no id, or no triple")
            continue
        path = by_id.get(name) or ctx.tree.find(name)
        if path is None:
            unknown.append(f"line {number}: no entry is called {name[:80]!r}")
            continue
        told.setdefault(path, []).extend(triples)
    _take(ctx, told, by)
    report = _made(ctx, read=0, left=0, without=" ")
    count = sum(map(len, told.values()))
    problems = [*unknown[:_SHOWN], *wrong[:_SHOWN]]
    more = len(unknown) + len(wrong) - len(problems)
    lines = [f"{count} triples of {len(told)} entries", *problems]
    lines += [f"and {more} lines more"] if more > 0 else []
    value = {**report.value, "taken": count, "unknown": len(unknown), "wrong": len(wrong)}  # type: ignore[dict-item]
    return Report(lines=[*lines, *report.lines], value=value, code=1 if problems else 0)


def _take(ctx: Context, told: dict[str, list[Triple]], by: str) -> None:
    """Store what was read, with the lines where it stands."""
    from memtree.memories.hippo.triples import located

    for number, (path, triples) in enumerate(told.items()):
        ctx.progress("bringing in triples", number, len(told))
        ref, entry = ctx.tree.ref(path), ctx.tree.get(path)
        if ref is not None and entry is not None:
            _store(ctx, ref, [(located(each, entry), ref.digest) for each in triples], by=by)


def _lines(file: str) -> Iterator[tuple[int, object]]:
    """The values of a file of JSON lines; None for a line that is none."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            for number, line in enumerate(opened, 1):
                if not line.strip():
                    continue
                try:
                    yield number, json.loads(line) if len(line) < _LONGEST_LINE else None
                except (ValueError, RecursionError):
                    yield number, None
    except OSError as error:
        raise UsageError(f"'{file}' can't be read: {error.strerror or error}") from error


def _parsed(record: object, by: str) -> tuple[str, list[Triple]]:
    """Which entry a line speaks of, and its triples; "" and [] where it says neither."""
    from memtree.memories.hippo.triples import Triple, triple_of

    if not isinstance(record, dict):
        return "", []
    name = record.get("id", record.get("title"))
    given = record.get("triples")
    if not isinstance(given, list):
        short = [record.get(key) for key in ("s", "p", "o")]
        given = [[record.get("subject", short[0]), record.get("predicate", short[1]),
                  record.get("object", short[2])]]  # fmt: skip
    triples = []
    for each in given:
        made = triple_of(*each) if isinstance(each, list) and len(each) == 3 else None
        if made is not None:
            triples.append(Triple(made.subject, made.predicate, made.object, by=by))
    return str(name or "").strip(), triples


def path(
    desk: Desk,
    start: Annotated[str, "a name: an entry's, or one that stands in entries"],
    goal: Annotated[str, "another"],
) -> Report:
    """How two names hang together: the shortest path through the graph, in words."""
    from memtree.memories.hippo.graph import held
    from memtree.memories.hippo.telling import told
    from memtree.numeric.pagerank import shortest_path

    desk.follow()
    ctx = desk.context
    network = held(ctx).network
    one, other = _node(ctx, network, start), _node(ctx, network, goal)
    # A fact says more than that two names stand in one entry: entries cost a step more.
    dear = dict.fromkeys(range(len(network.names), network.graph.nodes), 2)
    nodes = shortest_path(network.graph, one, other, cost=dear)
    if not nodes:
        return Report(lines=[f"nothing leads from {start} to {goal}"], value={"path": []}, code=1)
    steps = told(network, nodes)
    value = {"path": [{"from": a, "to": b, "how": how, "entry": at} for a, b, how, at in steps]}
    lines = [f"{how}{f'  ({at})' if at else ''}" for _, _, how, at in steps]
    return Report(lines=lines or [f"{start} and {goal} are one"], value=value)


def _node(ctx: Context, network: Network, name: str) -> int:
    """The node with a name: a phrase, else an entry. Raises EntryNotFound."""
    phrase = network.phrase(name)
    if phrase is not None:
        return phrase
    path = ctx.tree.find(name)
    for at in range(len(network.paths)):
        if path is not None and network.paths[at] == path:
            return len(network.names) + at
    raise EntryNotFound(
        f"the graph knows no {name!r}", hint=f"memtree search {name!r} finds where it might stand"
    )


def show(desk: Desk, entry: Annotated[str, "an entry's path, id, title or alias"]) -> Report:
    """The triples of an entry: who made them, where they stand, which an edit left behind."""
    from memtree.memories.hippo.triples import name_of, standing

    ctx = desk.context
    found = ctx.tree.find(entry)
    view = ctx.tree.get(found) if found else None
    if view is None:
        raise EntryNotFound(f"no entry at {entry!r}")
    records = ctx.sidecar.read(name_of(view.id))
    held_, left = standing(records, view)
    lines = [f"{_at(triple.lines)}{triple}  [{triple.by}]" for triple in held_]
    lines += [f"{triple}  [{triple.by}] no longer stands in the entry" for triple in left]
    if not records:
        lines.append("no triples: nobody read this entry yet (memtree hippo build)")
    elif not lines:
        lines.append("no triples: the entry was read and states none")
    value = {
        "path": view.path, "file": name_of(view.id),
        "triples": [{"s": t.subject, "p": t.predicate, "o": t.object, "span": list(t.lines),
                     "by": t.by, "holds": t in held_} for t in [*held_, *left]],
    }  # fmt: skip
    return Report(lines=lines, value=value, code=0 if held_ else 1)


def _at(lines: tuple[int, int]) -> str:
    return f"line {lines[0]}: " if lines[0] else ""
