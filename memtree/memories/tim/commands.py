"""`memtree tim sweep|list`: putting thoughts in order, and looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.memories.tim.memory import is_fresh, thoughts
from memtree.plugins import Report, Sweep

if TYPE_CHECKING:
    from memtree.plugins import Desk


def sweep(
    desk: Desk,
    scope: Annotated[str, "only thoughts below this folder"] = "",
    *,
    dry_run: Annotated[bool, "show what it would do, and do nothing"] = False,
) -> Report:
    """Forget thoughts that newer ones contradict or that rest on nothing any more, and merge.

    What is forgotten goes to the archive, with the reason; `memtree undo` takes a sweep back.
    """
    desk.follow()
    done = desk.propose(Sweep(scope=desk.context.tree.folder(scope)), dry_run=dry_run)
    if not dry_run:
        desk.follow()
    lines = [f"{kind} {path}: {reason}" for kind, path, reason in done.applied]
    lines += [f"not done: {kind} {path}: {reason}" for kind, path, reason in done.rejected]
    if dry_run and done.diff:
        lines += ["", *done.diff.splitlines()]
    lines += [f"note: {note}" for note in done.notes]
    if not done.applied and not done.rejected:
        lines.insert(0, "nothing to forget, nothing to merge")
    value = {
        "applied": [list(each) for each in done.applied],
        "rejected": [list(each) for each in done.rejected],
        "transaction": done.transaction, "dry_run": dry_run, "notes": list(done.notes),
    }  # fmt: skip
    return Report(lines=lines, value=value, code=1 if done.rejected else 0)


def list_(desk: Desk, scope: Annotated[str, "only thoughts below this folder"] = "") -> Report:
    """The thoughts, with what they rest on and the questions that they answer."""
    desk.follow()
    ctx = desk.context
    lines, rows = [], []
    for each in thoughts(ctx, desk.context.tree.folder(scope)):
        fresh = is_fresh(each, ctx)
        rest = ", ".join(each.sources) or "nothing"
        stale = "" if fresh else " (edited since)"
        lines.append(f"{each.text[:200]} ({each.path}, from {rest}{stale})")
        rows.append({"path": each.path, "id": each.id, "text": each.text, "time": each.time,
                     "from": list(each.sources), "asked": list(each.asked),
                     "fresh": fresh})  # fmt: skip
    if not rows:
        lines.append("no thoughts yet (memtree query --think)")
    return Report(lines=lines, value={"thoughts": rows}, code=0 if rows else 1)
