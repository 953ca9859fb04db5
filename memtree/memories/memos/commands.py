"""`memtree cube ...`, `tick` and `warm`: cubes shown, governed, carried, and kept warm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from memtree.errors import EntryNotFound, MemtreeError, UsageError
from memtree.knowledge.lifecycle import day_text
from memtree.knowledge.plan import Annotate
from memtree.memories.memos import chain, living, schedule, working
from memtree.memories.memos.cube import (
    ACTIVATED,
    EXPIRED,
    KEY,
    PRIVATE,
    PUBLIC,
    SESSION,
    VISIBILITIES,
    ends_on,
    read_cube,
    with_keys,
)
from memtree.memories.memos.looking import day_at, day_of, named, views
from memtree.plugins import Report, Sweep, Swept

if TYPE_CHECKING:
    from memtree.plugins import Desk
    from memtree.plugins.context import EntryView

Entry = Annotated[str, "path, id, title or alias of an entry"]
DryRun = Annotated[bool, "show what would be done, and do nothing"]
Scope = Annotated[str, "only entries below this folder"]
NOTHING, REFUSED = 1, 4
KEPT = ("text", "memos")


def show(desk: Desk, name: Annotated[str, "an entry; all cubes when left out"] = "") -> Report:
    """Show an entry as a memory cube, or list all entries that are governed as cubes."""
    if not name:
        desk.follow()
    ctx = desk.context
    day = day_of(ctx)
    if not name:
        rows = [_row(view, day) for _, view in views(ctx, also=()) if read_cube(view.meta).governed]
        lines = [" ".join(str(part) for part in row.values() if part != "") for row in rows]
        return Report(lines=lines or ["no entry has the key `memos` yet"], value=rows,
                      code=0 if rows else NOTHING)  # fmt: skip
    view = named(ctx, name)
    records = chain.chain_of(ctx, view.id)
    member = next((one for one in working.load(ctx) if one.path == view.path), None)
    value = {
        **_row(view, day), "hot": view.path in working.hot_paths(ctx),
        "importance_in_set": round(member.importance, 4) if member else None,
        "recordings": member.recordings if member else 0, "versions": len(records),
        "wrong": list(read_cube(view.meta).wrong),
    }  # fmt: skip
    lines = [f"{key}: {_words(each)}" for key, each in value.items()
             if each not in ("", None, False, [])]  # fmt: skip
    return Report(lines=lines, value=value)


def freeze(desk: Desk, name: Entry, *, dry_run: DryRun = False) -> Report:
    """Lock an entry: no plugin, no curation and no settling modifies it until it is thawed.

    What you do to its file yourself (edit, mv, rm, supersede, verify) is not held up.
    """
    return _annotated(desk, name, "frozen by a person", dry_run=dry_run, frozen=True)


def thaw(desk: Desk, name: Entry, *, dry_run: DryRun = False) -> Report:
    """Unlock an entry."""
    ctx = desk.context
    view = named(ctx, name)
    if not read_cube(view.meta).frozen:
        return Report(lines=[f"'{view.path}' is not frozen"], code=NOTHING)
    keys = {KEY: with_keys(view.meta, frozen=None)}
    done = desk.apply(
        [Annotate(reason="thawed by a person", confidence=1.0, path=view.path, keys=keys)],
        dry_run=dry_run,
    )
    return told(done, dry_run=dry_run)


def ttl(
    desk: Desk,
    name: Entry,
    time: Annotated[str, "7d, 12h, 2w, 30min, 1y, a date, or `off`"],
    *,
    dry_run: DryRun = False,
) -> Report:
    """Give an entry a time to live from now on; when it is over, no answer holds it any more."""
    ctx = desk.context
    view = named(ctx, name)
    cube = read_cube(view.meta)
    state = ACTIVATED if cube.state == EXPIRED and not cube.stub else cube.state
    if time == "off":
        return _annotated(
            desk, name, "no time to live any more", dry_run=dry_run, ttl=None, since=None,
            state=state,
        )  # fmt: skip
    if ends_on(time, day_of(ctx)) is None:
        raise UsageError(f"'{time}' is no time to live", hint="write 7d, 12h, 2w or a date, or off")
    return _annotated(
        desk, name, f"a time to live of {time}", dry_run=dry_run, ttl=time, since=ctx.now,
        state=state,
    )  # fmt: skip


def visibility(
    desk: Desk,
    name: Entry,
    who: Annotated[str, "public, session or private"],
    *,
    dry_run: DryRun = False,
) -> Report:
    """Say who may see an entry: `--set memos.visibility=public` leaves out what is not public."""
    if who not in VISIBILITIES:
        raise UsageError(f"'{who}' is no visibility", hint=f"{PUBLIC}, {SESSION} or {PRIVATE}")
    return _annotated(desk, name, f"visible: {who}", dry_run=dry_run,
                      visibility=None if who == PUBLIC else who)  # fmt: skip


def history(desk: Desk, name: Annotated[str, "path, id or title; also of what is gone"]) -> Report:
    """Show the version chain of an entry: when it became what, why, and what it said."""
    ctx = desk.context
    desk.follow()
    try:
        view = named(ctx, name)
        identity, versions = view.id, ctx.tree.history(view.path)
    except EntryNotFound:
        identity, versions = name, ctx.tree.history(name)
    records = chain.chain_of(ctx, identity) or _by_path(desk, name)
    if not records and not versions:
        raise EntryNotFound(f"nothing is known of '{name}'", hint="give its path or its id")
    lines = [
        " ".join(str(part) for part in (
            f"v{record.get('version')}", str(record.get("at"))[:19], record.get("update_type"),
            record.get("path"), f"-> {record['archived']}" if record.get("archived") else "",
        ) if part)
        for record in records
    ]  # fmt: skip
    lines += [f"before {each.at[:19]} ({each.by}): "
              + ("it was not there" if each.text is None else f"{len(each.text)} characters")
              for each in versions]  # fmt: skip
    value = {
        "chain": records,
        "transactions": [{"at": each.at, "by": each.by, "text": each.text} for each in versions],
    }
    return Report(lines=lines, value=value)


def merge(
    desk: Desk,
    scope: Annotated[str, "only entries below this folder"] = "",
    *,
    dry_run: DryRun = False,
) -> Report:
    """Make one of entries that say the same; the originals go to the archive and lead to it."""
    below = scope.strip("/")
    if below and not desk.context.tree.entries(below):
        raise EntryNotFound(f"there are no entries below '{scope}'", hint="memtree tree shows them")
    return told(desk.propose(Sweep(scope=below), dry_run=dry_run), dry_run=dry_run)


def tick(
    desk: Desk,
    *,
    at: Annotated[str, "the time that counts (ISO 8601); now when left out"] = "",
    dry_run: DryRun = False,
) -> Report:
    """Let time pass: bring every cube to its state, and archive what is over."""
    desk.follow()
    ctx = desk.context
    waiting = schedule.waiting(ctx)
    day = day_at(at) if at else day_of(ctx)
    operations = living.ticked(ctx, day, schedule.used(waiting))
    done = desk.apply(operations, dry_run=dry_run) if operations else Swept()
    if not dry_run:
        schedule.done(ctx)
    report = told(done, dry_run=dry_run)
    heard = schedule.counted(waiting)
    lines = list(report.lines) if operations else ["every cube is as it should be"]
    if heard:
        lines.append("heard of: " + ", ".join(f"{n} {label}" for label, n in heard.items()))
    value = {**(report.value if isinstance(report.value, dict) else {}),
             "labels": heard, "at": at or ctx.now}  # fmt: skip
    return replace(report, lines=lines, value=value)


def warm(
    desk: Desk,
    *,
    every: Annotated[bool, "also what came up in one question only"] = False,
) -> Report:
    """Choose what is hot, compose it as one text, and let the model read it once.

    What the model keeps of it lasts as long as its process: use it with `memtree query --batch`, a
    server or the library. The text and the choice are kept; they change when what they say does.
    """
    ctx = desk.context
    members = [one for one in working.load(ctx) if _alive(ctx.tree.get(one.path), day_of(ctx))]
    asked = bool(members)
    if not asked:
        members, every = working.most_important(ctx), True
    chosen = working.choose_hot(ctx, members, seen=1 if every else working.SEEN)
    if not chosen:
        hint = (
            "memtree warm --every takes what came up once"
            if asked
            else "ask some questions first: memtree ask ... --with memos"
        )
        return Report(lines=[f"nothing is hot yet; {hint}"], value={"hot": []}, code=NOTHING)
    pieces = working.hot_block(ctx, tokens=working.number(ctx, "hot_tokens", 800))
    text = working.composed(pieces)
    model = ctx.llm.name if ctx.llm is not None else ""
    key = working.digest(model, text)
    before = ctx.cache.load_value("warm", key)
    value: dict[str, object] = {
        "hot": [piece.path for piece in pieces], "tokens": ctx.count(text),
        "digest": key, "rebuilt": before is None,
    }  # fmt: skip
    if before is None:
        ctx.cache.save_value("warm", key, {"model": model, "text": text})
    lines = [f"{len(pieces)} hot entries, {value['tokens']} tokens: "
             + ("composed anew" if before is None else "unchanged")
             + ("" if asked else "; no question yet, so those that matter most")]  # fmt: skip
    if ctx.llm is None:
        lines.append("no language model is set: nothing keeps their state")
    else:
        try:
            ctx.llm.text("You answer from these notes.", "Say ok.", shared=text, limit=1)
        except MemtreeError as error:
            lines.append(f"the model did not read them: {error.message}")
        else:
            value |= {"read": ctx.llm.read, "reused": ctx.llm.reused}
            lines.append(f"{model} read {ctx.llm.read} tokens, {ctx.llm.reused} still in memory")
    return Report(lines=lines, value=value)


# -- pieces -----------------------------------------------------------------------------------


def _annotated(desk: Desk, name: str, reason: str, *, dry_run: bool, **keys: object) -> Report:
    """Change keys under `memos` of an entry, by an operation."""
    view = named(desk.context, name)
    cube = read_cube(view.meta)
    made = with_keys(view.meta, **{"state": cube.state, "version": cube.version, **keys})
    if made == with_keys(view.meta):
        return Report(lines=[f"'{view.path}' is so already"], code=NOTHING)
    done = desk.apply(
        [Annotate(reason=reason, confidence=1.0, path=view.path, keys={KEY: made})],
        dry_run=dry_run,
    )
    if not dry_run:
        desk.follow()
    return told(done, dry_run=dry_run)


def told(done: Swept, *, dry_run: bool) -> Report:
    """What became of operations, for people."""
    lines = [f"{kind} {path}: {reason}" for kind, path, reason in done.applied]
    lines += [f"not done: {kind} {path}: {reason}" for kind, path, reason in done.rejected]
    lines += list(done.notes)
    if dry_run and done.diff:
        lines += ["", *done.diff.rstrip("\n").split("\n")]
    value = {
        "applied": [list(each) for each in done.applied],
        "rejected": [list(each) for each in done.rejected],
        "transaction": done.transaction, "dry_run": dry_run,
    }  # fmt: skip
    if not done.applied and not done.rejected:
        return Report(lines=lines or ["nothing to do"], value=value)
    return Report(lines=lines, value=value, code=0 if done.applied else REFUSED)


def _row(view: EntryView, day: float) -> dict[str, object]:
    cube = read_cube(view.meta)
    ends = day_text(cube.ends) if cube.ends is not None else ""
    return {
        "path": view.path, "state": EXPIRED if cube.expired(day) else cube.state,
        "frozen": "frozen" if cube.frozen else "",
        "ttl": f"ttl {cube.ttl} until {ends}" if ends else cube.ttl,
        "visibility": cube.visibility if cube.visibility != PUBLIC else "",
        "version": f"v{cube.version}", "stub": "in the archive" if cube.stub else "",
    }  # fmt: skip


def _words(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _alive(view: EntryView | None, day: float) -> bool:
    if view is None:
        return False
    cube = read_cube(view.meta)
    return not (cube.stub or cube.expired(day))


def _by_path(desk: Desk, path: str) -> list[dict[str, object]]:
    """The chain of an entry that is gone, by the path that it had."""
    sidecar = desk.context.sidecar
    for name in sidecar.names(chain.FOLDER):
        records = sidecar.read(name)
        if any(record.get("path") in (path, f"{path}.md") for record in records):
            return records
    return []
