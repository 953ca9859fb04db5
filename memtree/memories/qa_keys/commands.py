"""`memtree qa build|add|remove|list|show`: making stored questions, and looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.memories.qa_keys.following import stored
from memtree.memories.qa_keys.keys import opened
from memtree.memories.qa_keys.pairs import (
    FOLDER,
    HUMAN,
    LLM,
    LONGEST_ANSWER,
    LONGEST_QUESTION,
    Pair,
    clean,
    located,
    name_of,
    read,
    read_by_model,
    record_of,
    stands,
    text_of,
    was_read,
    words_of,
)
from memtree.plugins import Report

if TYPE_CHECKING:
    from memtree.plugins import Context, Desk, EntryRef
    from memtree.plugins.context import ModelView

_NO_MODEL = "no language model that can be used (memtree models list)"


def build(
    desk: Desk,
    scope: Annotated[str, "only entries below this folder"] = "",
    *,
    limit: Annotated[int, "read at most so many entries; 0 for all"] = 0,
    again: Annotated[bool, "read entries again that did not change"] = False,
) -> Report:
    """Let the language model write questions to new and edited entries, and answer them back.

    At most five an entry, the most important entries first. An answer that does not stand in the
    entry, or that the model does not find again, is not kept. Each entry is stored when it is done:
    stop at any time and go on later. What a person wrote is kept.
    """
    if limit < 0:
        raise UsageError("--limit is a number from 0 on; 0 is for all")
    desk.follow()
    ctx = desk.context
    scope = desk.context.tree.folder(scope)
    with opened(ctx) as keys:
        counts = keys.counts()
    waiting = _unread(ctx, scope, again=again)
    model = ctx.llm
    if model is None or "json" not in model.capabilities:
        return _without(counts, len(waiting))
    chosen = waiting[:limit] if limit > 0 else waiting
    kept, rejected, done = _written(ctx, model, chosen)
    with opened(ctx) as keys:
        counts = keys.counts()
    lost = sum(rejected.values())
    lines = [f"read {done} entries, kept {kept} questions; {len(waiting) - done} are left to read"]
    if lost:
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(rejected.items()))
        lines.append(f"rejected {lost}: {why}")
    lines.append(_told(counts))
    value = {
        "read": done, "kept": kept, "rejected": rejected, "left": len(waiting) - done,
        "stored": counts,
    }  # fmt: skip
    return Report(lines=lines, value=value)


def _without(counts: dict[str, int], waiting: int) -> Report:
    lines = ["every entry was read as it is: nothing to do", _told(counts)]
    if waiting:
        entries = "1 entry was" if waiting == 1 else f"{waiting:,} entries were"
        lines[:1] = [
            f"{entries} not read: {_NO_MODEL}",
            "no questions are made by rules: measured, they find less than plain search does",
        ]
    value = {"read": 0, "kept": 0, "rejected": {}, "left": waiting, "stored": counts}
    return Report(lines=lines, value=value, code=3 if waiting else 0)


def _written(
    ctx: Context, model: ModelView, chosen: list[EntryRef]
) -> tuple[int, dict[str, int], int]:
    """Let the model read entries: questions kept, rejected by reason, and entries read."""
    from memtree.memories.qa_keys.making import made

    kept = done = 0
    rejected: dict[str, int] = {}
    for number, ref in enumerate(chosen):
        ctx.progress("writing questions", number, len(chosen))
        entry = ctx.tree.get(ref.path)
        if entry is None or entry.digest != ref.digest:
            continue
        result = made(entry, model)
        there = ctx.sidecar.read(name_of(ref.id))
        own = [dict(record) for record in there if record.get("by") != LLM]
        taken = {words_of(pair.question) for pair in read(own)}
        new = [pair for pair in result.pairs if words_of(pair.question) not in taken]
        records = [*own, *map(record_of, new)]
        stored(ctx, ref, records if new else [*records, read_by_model(ref.digest)])
        kept, done = kept + len(new), done + 1
        for why, count in result.rejected.items():
            rejected[why] = rejected.get(why, 0) + count
    ctx.progress("writing questions", len(chosen), len(chosen))
    return kept, rejected, done


def _unread(ctx: Context, scope: str, *, again: bool) -> list[EntryRef]:
    """The entries that no model has read as they are, the most important first."""
    names = set(ctx.sidecar.names(FOLDER))
    found = []
    for ref in ctx.tree.entries(scope.strip("/")):
        name = name_of(ref.id)
        records = ctx.sidecar.read(name) if name in names else []
        if again or not was_read(records, ref.digest):
            found.append(ref)
    return sorted(found, key=lambda ref: (-ref.importance, ref.path))


def add(
    desk: Desk,
    entry: Annotated[str, "the entry: path, id or title"],
    *,
    question: Annotated[str, "the question that it answers"],
    answer: Annotated[str, "the answer, as it stands in the entry"],
) -> Report:
    """Store a question of your own with its answer, which has to stand in the entry.

    A question that is stored already gets this answer. Edit the entry, and it is asked again
    whether this still holds: until you add it anew it is not served.
    """
    ctx = desk.context
    ref = _ref(ctx, entry)
    view = ctx.tree.get(ref.path)
    if view is None:
        raise EntryNotFound(f"'{ref.path}' can't be read")
    asked, said = clean(question, LONGEST_QUESTION), clean(answer, LONGEST_ANSWER)
    if len(words_of(asked).split()) < 2:
        raise UsageError("--question is a question of 2 words to 300 characters")
    if not said or not stands(said, words_of(text_of(view))):
        raise Refused(
            f"the answer does not stand in '{ref.path}'",
            hint="copy it from there word by word, 600 characters at most",
        )
    pair = Pair(asked, said, located(said, asked, view), view.digest, HUMAN)
    there = ctx.sidecar.read(name_of(ref.id))
    left = [record for record in there
            if words_of(str(record.get("q") or "")) != words_of(asked)]  # fmt: skip
    stored(ctx, ref, [*left, record_of(pair)])
    return Report(
        lines=[f"{ref.path}: {asked} {said}"], value={"path": ref.path, **record_of(pair)}
    )


def remove(
    desk: Desk,
    entry: Annotated[str, "the entry: path, id or title"],
    *,
    question: Annotated[str, "only this question; all of the entry without it"] = "",
) -> Report:
    """Take stored questions of an entry out. Headings stay: they are in the entry itself."""
    ctx = desk.context
    ref = _ref(ctx, entry)
    there = ctx.sidecar.read(name_of(ref.id))
    wanted = words_of(question)
    left = [] if not question else [
        record for record in there if words_of(str(record.get("q") or "")) != wanted
    ]  # fmt: skip
    gone = len(read(there)) - len(read(left))
    if not gone:
        told = f"nothing to take out of '{ref.path}': what is asked in its headings stands in it"
        return Report(lines=[told], value={"removed": 0}, code=1)
    stored(ctx, ref, left)
    return Report(lines=[f"took {gone} out of '{ref.path}'"], value={"removed": gone})


def list_(
    desk: Desk,
    scope: Annotated[str, "only entries below this folder"] = "",
    *,
    limit: Annotated[int, "show at most so many"] = 100,
) -> Report:
    """The stored questions, by entry, with who made them; stale ones are not served."""
    if limit < 1:
        raise UsageError("--limit is a number from 1 on")
    ctx = desk.context
    scope = desk.context.tree.folder(scope)
    with opened(ctx) as keys:
        found = keys.all(scope, limit)
        counts = keys.counts()
    rows = [_row(ctx, path, pair) for path, pair in found]
    lines = [_line(row) for row in rows]
    lines.append(_told(counts))
    return Report(lines=lines, value={"pairs": rows, "stored": counts}, code=0 if rows else 1)


def show(desk: Desk, entry: Annotated[str, "the entry: path, id or title"]) -> Report:
    """The stored questions of one entry, with the lines that hold the answers."""
    ctx = desk.context
    ref = _ref(ctx, entry)
    with opened(ctx) as keys:
        rows = [_row(ctx, ref.path, pair) for pair in keys.of(ref.path)]
    lines = [_line(row) for row in rows] or [f"no stored question of '{ref.path}'"]
    return Report(lines=lines, value={"path": ref.path, "pairs": rows}, code=0 if rows else 1)


def _row(ctx: Context, path: str, pair: Pair) -> dict[str, object]:
    ref = ctx.tree.ref(path)
    stale = ref is None or ref.digest != pair.digest
    return {"path": path, **record_of(pair), "stale": stale}


def _line(row: dict[str, object]) -> str:
    span = row["span"]
    first = span[0] if isinstance(span, list) else 0
    where = f"{row['path']}:{first}" if first else f"{row['path']}"
    stale = ", stale: the entry was edited since" if row["stale"] else ""
    return f"{row['q']} {row['a']} ({where}, {row['by']}{stale})"


def _told(counts: dict[str, int]) -> str:
    names = {LLM: "by a model", HUMAN: "by hand", "heading": "headings"}
    told = ", ".join(f"{count} {names.get(by, by)}" for by, count in sorted(counts.items()))
    return f"stored questions: {told or 'none'}"


def _ref(ctx: Context, name: str) -> EntryRef:
    path = ctx.tree.find(name)
    ref = ctx.tree.ref(path) if path is not None else None
    if ref is None:
        raise EntryNotFound(f"no entry is called '{name[:200]}'", hint="give its path or id")
    return ref
