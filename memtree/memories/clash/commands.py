"""`memtree conflicts`: find what disagrees, list it, settle it."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

from memtree.claims.statements import mark_of, newer
from memtree.errors import EntryNotFound, Refused, Unavailable, UsageError
from memtree.knowledge.plan import Claim, Evidence, Link, Supersede
from memtree.memories.clash import guarding, records
from memtree.memories.clash.records import ACCEPTED, OPEN, SUPERSEDED
from memtree.memories.clash.scanning import PASSAGE, book_of, judged, seen, standing
from memtree.plugins import Report

if TYPE_CHECKING:
    from memtree.claims.pairing import Clash
    from memtree.claims.statements import Statement
    from memtree.memories.clash.records import Record
    from memtree.plugins import Context, Desk, Swept

CONTRASTS = "contrasts-with"
"""The relation between two entries that disagree and may; the plugin audit knows it too."""


def scan(
    desk: Desk,
    *,
    judge: Annotated[int, "pairs of passages that a language model may be asked about"] = 0,
) -> Report:
    """Find claims that contradict each other, and put them on record. Exit code 1 if any is open.

    Claims are the bullets under `## Facts` and bodies of one sentence. Only what changed since the
    last scan is compared again.
    """
    desk.follow()
    ctx = desk.context
    lines = []
    asked = 0
    if judge > 0:
        from memtree.memories.clash.judging import judge as judge_passages

        if ctx.llm is None:
            raise Unavailable(
                "passages can't be judged: there is no language model",
                hint="memtree models list; without --judge, claims are compared by rules",
            )
        asked, left, _ = judge_passages(ctx, calls=judge)
        lines.append(f"pairs of passages judged by {ctx.llm.name}: {asked}, left: {left}")
    known = seen(ctx)
    found = [*(known.clashes if known else ()), *judged(ctx)]
    found = [each for each in found if each.one.stands(ctx.now) and each.other.stands(ctx.now)]
    before = records.read(ctx.sidecar)
    after = records.merged(before, found)
    if list(after.values()) != list(before.values()):
        records.write(ctx.sidecar, after.values())
    opened = [each for each in after.values() if each.status == OPEN]
    by_mark = {mark_of(each.one, each.other): each for each in found}
    claims, passages = (known.claims, known.passages) if known else (0, 0)
    lines.append(f"claims compared: {claims}; disagreements: {len(by_mark)}, open: {len(opened)}")
    lines.append(f"passages not compared: {passages}"
                 + ("" if asked else " (rules can't; --judge asks a language model)"))  # fmt: skip
    for record in opened:
        lines += _told(record, by_mark.get(record.id))
    return Report(
        lines=lines, code=1 if opened else 0,
        value={
            "claims": claims, "passages_not_compared": passages, "judged": asked,
            "open": [asdict(each) for each in opened],
        },
    )  # fmt: skip


def show(
    desk: Desk,
    *,
    status: Annotated[str, "only these: open, accepted, superseded; all if empty"] = "",
) -> Report:
    """List the disagreements on record. Exit code 1 when there are none."""
    if status not in ("", OPEN, ACCEPTED, SUPERSEDED):
        raise UsageError(f"'{status}' is no status", hint=f"{OPEN}, {ACCEPTED} or {SUPERSEDED}")
    desk.follow()
    ctx = desk.context
    now = dict(standing(ctx))
    found = [each for each in records.read(ctx.sidecar).values() if status in ("", each.status)]
    lines = [line for record in found for line in _told(record, now.get(record.id))]
    unrecorded = len(now.keys() - records.read(ctx.sidecar).keys())
    if unrecorded:
        lines.append(f"found since, and not on record yet: {unrecorded} (memtree conflicts scan)")
    if not lines:
        lines = ["nothing is on record (memtree conflicts scan)"]
    return Report(lines=lines, value=[asdict(each) for each in found], code=0 if found else 1)


def resolve(
    desk: Desk,
    mark: Annotated[str, "the disagreement, as `conflicts list` names it"],
    *,
    newest: Annotated[bool, "the newer claim holds: the older one is superseded"] = False,
    accept: Annotated[bool, "both may stand"] = False,
    supersede: Annotated[str, "a or b: the side that no longer holds"] = "",
    link: Annotated[
        bool, "with --accept: say so in the tree, as a relation contrasts-with"
    ] = False,
    reason: Annotated[str, "why, for the record"] = "",
    dry_run: Annotated[bool, "show what would change"] = False,
) -> Report:
    """Settle a disagreement: --newest, --accept or --supersede a|b."""
    if newest + accept + bool(supersede) != 1:
        raise UsageError("say how: --newest, --accept or --supersede a|b")
    desk.follow()
    ctx = desk.context
    known = records.read(ctx.sidecar)
    clash = dict(_all(ctx)).get(mark)
    if clash is None:
        raise EntryNotFound(f"no disagreement '{mark}' stands", hint="memtree conflicts list")
    record = known.get(mark) or records.record_of(clash)
    if accept:
        why, shown = reason or "both may stand", []
        if link and clash.one.path != clash.other.path:
            told = Link(reason=why, path=clash.one.path, to=clash.other.path, rel=CONTRASTS)
            shown = _shown(desk.apply([told], dry_run=dry_run))
        return _settled(desk, replace(record, status=ACCEPTED, reason=why),
                        [*shown, f"accepted: {mark}"], dry_run=dry_run)  # fmt: skip
    old, new = _old_and_new(clash, record, supersede)
    done = desk.apply([operation(ctx, old, new, reason)], dry_run=dry_run)
    if done.rejected or not (done.applied or dry_run):
        why = done.rejected[0][2] if done.rejected else "nothing was changed"
        raise Refused(f"'{old.name}' was not superseded: {why}")
    lines = [*_shown(done), f"superseded: {old.name}, by {new.name}"]
    why = reason or f"{new.name} holds instead"
    return _settled(desk, replace(record, status=SUPERSEDED, reason=why), lines, dry_run=dry_run)


def held(
    desk: Desk,
    *,
    forget: Annotated[bool, "take them off the list"] = False,
) -> Report:
    """List the claims that the guard kept back (its option `guard` set to `hold`)."""
    ctx = desk.context
    found = guarding.held(ctx)
    lines = [f"{each.get('path')}: {each.get('claim')}\n    against {each.get('against')}:"
             f" {each.get('says')}" for each in found]  # fmt: skip
    if forget:
        ctx.sidecar.write(guarding.HELD, [])
    return Report(lines=lines or ["nothing is held"], value=found, code=0 if found else 1)


def operation(ctx: Context, old: Statement, new: Statement, reason: str = "") -> Supersede:
    """The operation that puts a claim in the place of another.

    A fact is replaced in its entry and stays there as history; an entry that says nothing else is
    superseded whole. Raises Refused for a claim that is only a part of its entry's prose.
    """
    since = new.at[:10] or ctx.now[:10]
    why = (reason or f"{new.name} contradicts it and holds")[:400]
    if old.fact:
        # The entry that it comes from is its source: so the fact keeps the time when it was said.
        said = Evidence(source=new.path, quote=new.text)
        claim = Claim(text=new.text, evidence=(said,), said=new.at)
        return Supersede(reason=why, confidence=1.0, path=old.path, fact=old.fact, claim=claim,
                         since=since)  # fmt: skip
    page = book_of(ctx).pages.get(old.path)
    if page is None or len(page.statements) + page.passages != 1 or old.path == new.path:
        raise Refused(
            f"'{old.path}' says more than what is disputed",
            hint="edit it, or memtree supersede OLD NEW for the whole entry, or --accept",
        )
    return Supersede(reason=why, confidence=1.0, path=old.path, by=new.path, since=since)


def _all(ctx: Context) -> list[tuple[str, Clash]]:
    """Every disagreement that stands, those that were accepted too."""
    known = seen(ctx)
    found = [*(known.clashes if known else ()), *judged(ctx)]
    return [(mark_of(each.one, each.other), each) for each in found
            if each.one.stands(ctx.now) and each.other.stands(ctx.now)]  # fmt: skip


def _old_and_new(clash: Clash, record: Record, side: str) -> tuple[Statement, Statement]:
    first, second = clash.one, clash.other
    if (first.key, first.text) != (record.a, record.says_a):
        first, second = second, first
    if side:
        if side.casefold() not in ("a", "b"):
            raise UsageError(f"'{side}' is no side", hint="a or b, as `conflicts list` shows them")
        return (first, second) if side.casefold() == "a" else (second, first)
    latest = newer(first, second)
    if latest is None:
        raise UsageError(
            "it is not known which of the two is newer", hint="--supersede a or --supersede b"
        )
    return (second, first) if latest is first else (first, second)


def _shown(done: Swept) -> list[str]:
    """What operations change, and what a guard had against them."""
    return [
        *done.diff.splitlines(),
        *(f"not done: {path}: {why}" for _, path, why in done.rejected),
    ]


def _settled(desk: Desk, record: Record, lines: list[str], *, dry_run: bool) -> Report:
    if dry_run:
        lines = [*lines[:-1], f"would be {lines[-1]} (a dry run: nothing was changed)"]
    else:
        ctx = desk.context
        records.write(ctx.sidecar, {**records.read(ctx.sidecar), record.id: record}.values())
    return Report(lines=lines, value=asdict(record))


def _told(record: Record, clash: Clash | None) -> list[str]:
    """A disagreement in three lines; times where it still stands."""
    times = {}
    if clash is not None:
        times = {(each.key, each.text): f"{each.name} ({each.at[:10] or 'undated'})"
                 for each in (clash.one, clash.other)}  # fmt: skip
    a = times.get((record.a, record.says_a), record.a)
    b = times.get((record.b, record.says_b), record.b)
    kind = f"{record.kind}: " if record.kind == PASSAGE else ""
    return [
        f"{record.id}  {record.status}  {kind}{record.reason}",
        f"    a  {a}: {record.says_a[:200]}",
        f"    b  {b}: {record.says_b[:200]}",
    ]
