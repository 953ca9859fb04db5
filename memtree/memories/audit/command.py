"""`memtree audit`: reads every entry once, and reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Annotated

from memtree.claims.statements import has_facts, stated
from memtree.errors import EntryNotFound, UsageError
from memtree.memories.audit.findings import (
    CHALLENGES,
    CONTRASTS,
    KINDS,
    Finding,
    Noted,
    changed_at,
    contradictions,
    derived_of,
    is_sourced,
    orphans,
    oversize,
    portable,
    stale,
    twins,
    unsourced,
)
from memtree.plugins import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.claims.statements import Statement
    from memtree.plugins import Context, Desk, EntryRef

AT_ONCE = 500
"""Entries whose bytes are held at a time."""
_LINES = 50  # findings of a kind that are shown to people; --json has all


@dataclass(slots=True)
class Audited:
    """A tree, read."""

    entries: list[Noted] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    bytes: int = 0
    tokens: int = 0
    passages: int = 0
    round_trips: int = 0


def audit(
    desk: Desk,
    scope: Annotated[str, "a folder of the tree; all of it if left out"] = "",
    *,
    skip: Annotated[str, "kinds of findings to leave out, with commas: orphan,unsourced"] = "",
    paradigms: Annotated[bool, "list the installed memory models by paradigm instead"] = False,
) -> Report:
    """Measure a tree by four challenges: capacity, alignment, consistency, interoperability.

    Exit code 1 if anything was found: entries that nothing leads to, that are longer than a model's
    window, that name neither source nor owner, whose claims contradict each other, that were
    derived from something that changed, or that would not survive an export. Two whose relation
    says `contrasts-with` may contradict each other.
    """
    if paradigms:
        from memtree.memories.audit.paradigms import report

        return report()
    ctx = desk.context
    left = _skipped(skip or str(ctx.options.get("skip", "")))
    window = _window(ctx)
    refs = ctx.tree.entries(scope)
    if scope and not refs:
        raise EntryNotFound(f"there are no entries below '{scope}'", hint="memtree tree shows them")
    found = _read(desk, refs, window)
    findings = [each for each in found.findings if each.kind not in left]
    lines = _lines(found, findings, window)
    return Report(
        lines=lines, code=1 if findings else 0,
        value={
            "entries": len(found.entries), "bytes": found.bytes, "tokens": found.tokens,
            "window": window, "claims": len(found.statements),
            "passages_not_compared": found.passages, "round_trips": found.round_trips,
            "ids": sorted({each.id for each in findings}),
            "findings": [asdict(each) for each in findings],
        },
    )  # fmt: skip


def _skipped(text: str) -> set[str]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    unknown = sorted(names - KINDS.keys())
    if unknown:
        raise UsageError(f"'{unknown[0]}' is no kind of finding", hint=", ".join(KINDS))
    return names


def _window(ctx: Context) -> int:
    """Tokens that a model reads: the person's own, else the option `window`."""
    if ctx.llm is not None:
        return ctx.llm.window
    given = ctx.options.get("window", 8192)
    return given if isinstance(given, int) and given > 0 else 8192


def _read(desk: Desk, refs: Sequence[EntryRef], window: int) -> Audited:
    """Read all entries once, and look for everything."""
    ctx = desk.context
    found = Audited()
    for start in range(0, len(refs), AT_ONCE):
        ctx.progress("auditing", start, len(refs))
        _take(desk, refs[start : start + AT_ONCE], found)
    entries = found.entries
    ids = {each.path: each.id for each in entries}
    derived = list(stale(entries, lambda name: name if name in ids else ctx.tree.find(name)))
    named = frozenset(path for _, path in derived if path)
    found.findings = [
        *orphans(entries, lambda path: _is_linked(ctx, path), named),
        *oversize(entries, window),
        *unsourced(entries),
        *contradictions(found.statements, ids, lambda one, other: _contrasted(ctx, one, other)),
        *(each for each, _ in derived if each is not None),
        *found.findings,
        *twins(entries),
    ]
    return found


def _take(desk: Desk, refs: Sequence[EntryRef], found: Audited) -> None:
    """Read some entries; their bytes are compared with what an export would bring back."""
    ctx = desk.context
    back: dict[str, bytes] = {}
    for ref in refs:
        try:
            data = desk.raw(ref.path)
        except EntryNotFound:
            continue  # taken away meanwhile
        found.bytes += len(data)
        why, again = portable(ref.path, data)
        if why:
            found.findings.append(Finding(ref.id, ref.path, "not-portable", why))
        else:
            back[ref.path] = again
        _note(ctx, ref, data, found)
    # Written back as an import would: whatever would change did not survive.
    for _, path, _ in desk.restore(back, dry_run=True).applied:
        found.findings.append(
            Finding(next(ref.id for ref in refs if ref.path == path), path, "not-portable",
                    "other bytes come back from a JSON line of it")
        )  # fmt: skip
    found.round_trips += len(back)


def _note(ctx: Context, ref: EntryRef, data: bytes, found: Audited) -> None:
    view = ctx.tree.get(ref.path)
    if view is None:
        return
    text = data.decode("utf-8", "replace")
    tokens = ctx.count(text)
    found.tokens += tokens
    stub = view.meta.get("status") == "archived"
    found.entries.append(
        Noted(id=view.id, path=view.path, digest=ref.digest, tags=view.tags, tokens=tokens,
              sourced=is_sourced(view.meta), stub=stub, changed=changed_at(view.meta),
              derived=derived_of(view.meta))
    )  # fmt: skip
    facts = ctx.tree.facts(ref.path) if has_facts(view.body) else ()
    claims, passages = stated(path=view.path, by=view.id, title=view.title, type=view.type,
                              meta=view.meta, body=view.body, facts=facts)  # fmt: skip
    found.statements += [each for each in claims if each.stands(ctx.now)]
    found.passages += passages


def _is_linked(ctx: Context, path: str) -> bool:
    return bool(ctx.tree.relations(path) or ctx.tree.backlinks(path))


def _contrasted(ctx: Context, one: str, other: str) -> bool:
    """Whether the tree itself says that two entries disagree and may."""
    return any(
        link.rel == CONTRASTS and link.to in (one, other)
        for path in (one, other)
        for link in ctx.tree.relations(path)
    )


def _lines(found: Audited, findings: Sequence[Finding], window: int) -> list[str]:
    share = found.tokens / window
    said = {
        CHALLENGES[0]: f"{len(found.entries):,} entries, {found.bytes:,} bytes, about"
                       f" {found.tokens:,} tokens ({share:.1f} windows of {window:,})",
        CHALLENGES[1]: f"{sum(each.sourced for each in found.entries):,} entries name a source"
                       " or an owner",
        CHALLENGES[2]: f"{len(found.statements):,} claims compared, {found.passages:,} passages not"
                       " compared (rules can't)",
        CHALLENGES[3]: f"{found.round_trips:,} entries came back from JSON lines byte for byte",
    }  # fmt: skip
    lines = []
    for challenge, words in said.items():
        lines.append(f"{challenge}: {words}")
        for kind in (kind for kind, of in KINDS.items() if of == challenge):
            own = [each for each in findings if each.kind == kind]
            lines += [f"    {kind}  {each.id}  {each.path}: {each.why}" for each in own[:_LINES]]
            if len(own) > _LINES:
                lines.append(f"    {kind}  and {len(own) - _LINES:,} more (--json has all)")
    lines.append(f"findings: {len(findings)}" if findings else "nothing was found")
    return lines
