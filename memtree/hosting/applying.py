"""What plugins propose, carried out: guarded by all, then one transaction or nothing.

The guards are the enabled plugins with a `guard`, and the proposer's own. A rejection by any wins;
a replacement is taken as the operation from then on. What is left goes the way that curated
operations go: the same staging, one transaction, one `undo`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.knowledge import plan as plans
from memtree.knowledge.plan import Update
from memtree.plugins.api import REJECT, REPLACE, Ruling
from memtree.plugins.desk import Swept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.app import Tree
    from memtree.curate.apply import Applied
    from memtree.hosting.host import Host, Player
    from memtree.knowledge.plan import Operation, Verdict
    from memtree.plugins.api import Event

# Operations of one plugin that are looked at in one go.
MOST = 5_000


def proposed(host: Host, player: Player, event: Event) -> list[Operation]:
    """What a plugin proposes on an event: operations, each once, no flood."""
    given = host.ask(player, "propose", event)
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        player.context.note(f"the plugin {player.name} proposed something that is no list")
        return []
    found: list[Operation] = []
    for operation in given[:MOST]:
        if not isinstance(operation, plans.Operation):
            player.context.note(f"the plugin {player.name} proposed something that is no operation")
        elif operation not in found:
            found.append(operation)
    if len(given) > MOST:
        player.context.note(f"of {len(given)} operations only the first {MOST} were looked at")
    return found


def guarded(
    host: Host, guards: Sequence[Player], operations: Sequence[Operation]
) -> tuple[list[Operation], list[tuple[Operation, str]]]:
    """What may be done, and what may not with the reason."""
    left = list(operations)
    refused: list[tuple[Operation, str]] = []
    for player in host.ready(guards):
        if not player.loaded.has("guard") or not left:
            continue
        given = host.ask(player, "guard", tuple(left))
        if player.is_out:
            # A guard that fails must not open the door that it was put before.
            refused += [(each, f"{player.name} could not say whether it may be done")
                        for each in left]  # fmt: skip
            return [], refused
        listed = given if isinstance(given, (list, tuple)) else ()
        rulings = [one for one in listed if isinstance(one, Ruling)]
        kept: list[Operation] = []
        for operation in left:
            own = [one for one in rulings if one.operation == operation]
            no = next((one for one in own if one.ruling == REJECT), None)
            instead = next((one.instead for one in own if one.ruling == REPLACE), None)
            if no is not None:
                refused.append((operation, f"{player.name}: {no.reason or 'it may not be done'}"))
            else:
                kept.append(instead if instead is not None else operation)
        left = kept
    return left, refused


def guarded_verdicts(
    host: Host, guards: Sequence[Player], verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """A curation's verdicts with what guards refuse turned into refusals, with their reason."""
    wanted = [each.operation for each in verdicts if each.outcome == plans.APPLY]
    left, refused = guarded(host, guards, wanted)
    reasons = {id(operation): reason for operation, reason in refused}
    standing = iter(left)
    found: list[Verdict] = []
    for each in verdicts:
        reason = reasons.get(id(each.operation))
        if each.outcome != plans.APPLY:
            found.append(each)
        elif reason is not None:
            refusal = plans.Refusal(code="guard", message=reason)
            found.append(replace(each, outcome=plans.REFUSE, refusals=(*each.refusals, refusal)))
        else:
            found.append(replace(each, operation=next(standing)))
    return found


def carry_out(
    host: Host, player: Player, operations: Sequence[Operation], *, dry_run: bool = False
) -> Swept:
    """Guard a plugin's operations and do what is left, as one transaction."""
    guards, notes = host.players([], hooks=("guard",), now=player.context.now)
    guards = [one for one in guards if one.name != player.name]
    if player.loaded.has("guard"):
        guards.append(player)
    left, refused = guarded(host, guards, operations)
    rejected = [(kind_name(each), path_of(each), reason) for each, reason in refused]
    notes += [note for one in guards for note in one.context.notes if one is not player]
    if not left:
        return Swept(rejected=rejected, notes=notes)
    done = applied(host.tree, left, by=f"plugin/{player.name}", at=player.context.now,
                   command=player.name, dry_run=dry_run)  # fmt: skip
    from memtree.tree.compare import unified

    told = []
    for outcome in done.outcomes:
        kind = kind_name(outcome.operation)
        if outcome.refusal is not None:
            rejected.append((kind, path_of(outcome.operation), outcome.refusal.message))
        elif outcome.outcome == "applied":
            told.append((kind, outcome.path or path_of(outcome.operation),
                         outcome.operation.reason))  # fmt: skip
    receipt = done.receipt
    if receipt is not None and receipt.changes:
        host.tree.refresh()
    return Swept(
        applied=told,
        rejected=rejected,
        diff="".join(unified(one.path, one.before, one.after) for one in done.changes),
        transaction=receipt.id if receipt is not None and receipt.changes else "",
        notes=notes,
    )


def applied(
    tree: Tree, operations: Sequence[Operation], *, by: str, at: str, command: str, dry_run: bool
) -> Applied:
    """Operations as one transaction, on the files as they are now."""
    from memtree.curate.apply import apply
    from memtree.curate.cite import Citing
    from memtree.curating.given import ways

    cite = Citing(tree.root, [], at=at)
    return apply(
        tree.root, operations, ways=ways(tree, cite, at=at), at=at, by=by, dry_run=dry_run,
        command=f"plugin {command}", wait_s=tree.config.number("write.wait"),
    )  # fmt: skip


def restored(
    host: Host, player: Player, files: Mapping[str, bytes], *, dry_run: bool = False
) -> Swept:
    """Put files back byte for byte, as one transaction; a guard may keep what is there."""
    from memtree.errors import EntryNotFound
    from memtree.tree.compare import unified
    from memtree.tree.read import read_entry_bytes
    from memtree.tree.transaction import ANY, begin

    tree = host.tree
    before: dict[str, bytes | None] = {}
    for path in files:
        try:
            before[path] = read_entry_bytes(tree.root, path)
        except EntryNotFound:
            before[path] = None
    changed = {path: data for path, data in files.items() if before[path] != data}
    updates = [Update(reason="put back as it was exported", path=path)
               for path in changed if before[path] is not None]  # fmt: skip
    guards, notes = host.players([], hooks=("guard",), now=player.context.now)
    guards = [*(one for one in guards if one.name != player.name), player]
    _, refused = guarded(host, guards, updates)
    for each, _ in refused:
        changed.pop(path_of(each), None)
    with begin(
        tree.root, command=f"plugin {player.name}", at=player.context.now,
        by=f"plugin/{player.name}", wait_s=tree.config.number("write.wait"),
    ) as txn:  # fmt: skip
        if not dry_run:
            for path, data in changed.items():
                txn.write(path, data, ANY)
    receipt = txn.receipt
    if receipt is not None and receipt.changes:
        tree.refresh()
    return Swept(
        applied=[("restore", path, "put back as it was exported") for path in sorted(changed)],
        rejected=[("restore", path_of(each), reason) for each, reason in refused],
        diff="".join(unified(path, before[path], data) for path, data in sorted(changed.items())),
        transaction=receipt.id if receipt is not None and receipt.changes else "",
        notes=notes,
    )


def kind_name(operation: Operation) -> str:
    """`add`, `update`, ...: how an operation is called."""
    from memtree.curate.telling import kind_of

    return kind_of(operation)


def path_of(operation: Operation) -> str:
    """The entry that an operation is about."""
    return str(getattr(operation, "path", "") or getattr(operation, "into", ""))
