"""What plugins propose, carried out: guarded by all, then one transaction or nothing.

The guards are the enabled plugins with a `guard`, and the proposer's own. A rejection by any wins;
a replacement is taken as the operation from then on. What is left goes the way that curated
operations go: the same staging, one transaction, one `undo`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from memtree.hosting.given import wrong_operation
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
    # What was proposed, and what stands in its place by now.
    left = [(each, each) for each in operations]
    refused: list[tuple[Operation, str]] = []
    asked = [one for one in host.ready(guards) if one.loaded.has("guard")]
    for player in asked:
        left = _ruled(host, player, left, refused)
    # What a guard put in the place of an operation is new to those that were asked before it.
    if any(now is not first for first, now in left):
        settled = [pair for pair in left if pair[0] is pair[1]]
        again = [pair for pair in left if pair[0] is not pair[1]]
        for player in asked:
            again = _ruled(host, player, again, refused, final=True)
        kept = {id(first) for first, _ in (*settled, *again)}
        left = [pair for pair in left if id(pair[0]) in kept]
    return [now for _, now in left], refused


def _ruled(
    host: Host, player: Player, left: list[tuple[Operation, Operation]],
    refused: list[tuple[Operation, str]], *, final: bool = False,
) -> list[tuple[Operation, Operation]]:  # fmt: skip
    """What one guard leaves; with `final` nothing is replaced any more, and who would refuses."""
    given = host.ask(player, "guard", tuple(now for _, now in left)) if left else ()
    if player.is_out:
        # A guard that fails must not open the door that it was put before.
        refused += [(first, f"{player.name} could not say whether it may be done")
                    for first, _ in left]  # fmt: skip
        return []
    rulings = cast("Sequence[Ruling]", given or ())  # judged where it came in
    kept = []
    for first, now in left:
        own = [one for one in rulings if one.operation == now]
        no = next((one for one in own if one.ruling == REJECT), None)
        instead = next((one.instead for one in own if one.ruling == REPLACE), None)
        if no is not None:
            refused.append((first, f"{player.name}: {no.reason or 'it may not be done'}"))
        elif instead is not None and final and instead != now:
            refused.append((first, f"{player.name}: guards would each replace it with another"))
        else:
            kept.append((first, now if final or instead is None else instead))
    return kept


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
    sound: list[Operation] = []
    for each in operations:
        bad = wrong_operation(each)
        if bad:
            notes.append(f"the plugin {player.name} proposed what can't be done: {bad}")
        else:
            sound.append(each)
    left, refused = guarded(host, guards, sound)
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
