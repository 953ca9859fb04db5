"""`consolidate` and `supersede`: knowledge settles, rises, fades, and makes room."""

from __future__ import annotations

from memtree.cli._errors import DONE
from memtree.cli._guards import warn
from memtree.cli._open import opened
from memtree.cli._render import plural
from memtree.cli._terminal import Terminal, clean, stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    import typer

    from memtree.cli._typer import JsonOption, TreeOption
    from memtree.knowledge.problem import Problem
    from memtree.lifecycle.consolidate import Consolidation
    from memtree.lifecycle.decide import Action

# Kind -> (what happened, what would happen, colour), in the order of telling.
_KINDS = {
    "archive": ("archived", "would be archived", "33"),
    "demote": ("demoted", "would be demoted", "33"),
    "promote": ("promoted", "would be promoted", "32"),
    "settle": ("settled", "would be settled", "36"),
}
# Of each kind; `--json` tells all.
_SHOWN = 10


def consolidate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="TIME", help="Settle as of this time; else now."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also when much is archived at once.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Settle importance and maturity; archive what faded.

    What was opened, cited, confirmed or edited rises, the rest sinks slowly; drafts that nobody
    needed leave a stub that is still found, and `memtree restore` brings them back. All of it is
    one change: `memtree undo` takes it back. Also lists what to look at: duplicates,
    contradictions, what is stale.
    """
    done = opened(tree).consolidate(now=now, dry_run=dry_run, yes=yes)
    if as_json:
        from memtree.cli._json import emit

        emit(done)
        return DONE
    _tell(stdout(), done)
    return DONE


def supersede(
    old: Annotated[
        str, typer.Argument(metavar="OLD", help="The entry that no longer holds: path, id, title.")
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The entry that takes its place.")],
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="Since when NEW holds; else today.")
    ] = "",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Say that one entry takes the place of another.

    Both files say so afterwards, and since when; the old one stays and comes last in answers.
    """
    there = opened(tree)
    warn(there, "supersede", [old], to=new)
    done = there.supersede(old, new, since=since)
    if as_json:
        from memtree.cli._json import emit

        emit({"old": done.old, "new": done.new, "from": done.since, "transaction": done.receipt.id})
        return DONE
    out = stdout()
    if not done.receipt.changes:
        out.line(f"{clean(done.old)} was superseded by {clean(done.new)} already")
        return DONE
    out.line(f"{clean(done.old)} is superseded by {out.bold(clean(done.new))} since {done.since}")
    return DONE


def _tell(out: Terminal, done: Consolidation) -> None:
    for kind in _KINDS:
        _actions(out, kind, [one for one in done.actions if one.kind == kind], done)
    if done.kept:
        out.line(out.bold(f"{len(done.kept)} faded and {plural(len(done.kept), 'stays', 'stay')}"))
        for kept in done.kept[:_SHOWN]:
            out.line(f"  {clean(kept.path)}  {out.dim(clean(kept.reason))}")
        _rest(out, len(done.kept))
    for path, reason in done.left:
        out.line(f"{out.style('left as it is:', '33')} {clean(path)}  {out.dim(clean(reason))}")
    _findings(out, done.findings)
    for note in done.notes:
        out.line(out.style(clean(note), "33"))
    if not done.actions:
        out.line(f"nothing had to be settled in {done.entries:,} entries")
    elif done.dry_run:
        out.line(out.dim("nothing was changed"))
    else:
        out.line(out.dim(f"memtree undo takes {plural(len(done.actions), 'it', 'all of it')} back"))


def _actions(out: Terminal, kind: str, actions: Sequence[Action], done: Consolidation) -> None:
    if not actions:
        return
    verb = _KINDS[kind][1 if done.dry_run else 0]
    out.line(out.style(f"{len(actions)} {verb}", f"1;{_KINDS[kind][2]}"))
    for action in actions[:_SHOWN]:
        old, new = action.importance
        facts = [f"{old:g} to {new:g}" if old != new else f"{new:g}"]
        if action.maturity[0] != action.maturity[1]:
            facts.append(f"{action.maturity[0]} to {action.maturity[1]}")
        if action.uses:
            facts.append(f"{action.uses} {plural(action.uses, 'use', 'uses')}")
        told = ", ".join(facts)
        out.line(f"  {clean(action.path)}  {out.dim(told)}")
    _rest(out, len(actions))


def _findings(out: Terminal, findings: Sequence[Problem]) -> None:
    if not findings:
        return
    out.line(out.bold(f"{len(findings)} {plural(len(findings), 'finding', 'findings')}"))
    for found in findings[:_SHOWN]:
        where = clean(found.path) + (f":{found.line}" if found.line else "")
        out.line(f"  {where}  {clean(found.message)} {out.dim(f'[{found.code}]')}")
    _rest(out, len(findings))


def _rest(out: Terminal, count: int) -> None:
    if count > _SHOWN:
        out.line(out.dim(f"  and {count - _SHOWN} more"))


COMMANDS = {"consolidate": consolidate, "supersede": supersede}
