"""Settling a whole tree: what was done with entries goes into the files, and what faded leaves.

`memtree.lifecycle.decide` says what is to become of each entry; here all of it is written in one
transaction, or nothing. A file that changed meanwhile is left as it is and named. Settling again at
the same moment changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.errors import EntryChanged, MemtreeError, Refused
from memtree.knowledge.lifecycle import day_number
from memtree.lifecycle.archive import stage
from memtree.lifecycle.decide import CHANGED, Action, Decider, Judges, Kept, Plan, Step, archived
from memtree.tree.format import edit_front_matter
from memtree.tree.receipt import Receipt, fingerprint
from memtree.tree.transaction import begin
from memtree.tree.use_log import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Policy, Use
    from memtree.knowledge.problem import Problem
    from memtree.tree.transaction import Transaction

FLOOD = 20  # so many may always be archived at once; more than this share of the tree may not
FLOOD_SHARE = 0.25
LOG_DAYS = 30.0  # settled uses stay in the log so long: `undo` of a settling gives them back
ORPHAN_DAYS = 730.0  # uses of what has been no entry for so long are forgotten
_TRIES = 3  # a person saves one file after the other while all are written


@dataclass(frozen=True, slots=True, kw_only=True)
class Consolidation:
    """What a consolidation did, or (`dry_run`) would do, at the moment `now` (ISO 8601).

    `entries` counts what was looked at. `left` are (path, reason) of files that changed meanwhile
    or can't be changed safely. `findings` are what a person should look at. `transaction` is ""
    when nothing was written.
    """

    now: str
    dry_run: bool
    entries: int
    actions: tuple[Action, ...]
    kept: tuple[Kept, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    findings: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    transaction: str = ""

    def count(self, kind: str) -> int:
        """How many actions are of a kind: `settle`, `promote`, `demote`, `archive`."""
        return sum(action.kind == kind for action in self.actions)


def consolidate(
    root: str, rows: Iterable[Row], *, uses: Mapping[str, Sequence[Use]], policy: Policy, now: str,
    judges: Judges | None = None, dry_run: bool = False, yes: bool = False,
    findings: Sequence[Problem] = (), by: str = "process:consolidate", wait_s: float = 10.0,
) -> Consolidation:  # fmt: skip
    """Settle the entries `rows` at `now` (ISO 8601 in UTC).

    `uses` maps ids, and paths of entries without one, to their events. Raises Refused when more
    than a quarter of the tree would be archived at once and `yes` is not given; and what `begin`
    raises.
    """
    decider = Decider(root, policy=policy, now=now, judges=judges or Judges())
    plan = decider.plan(rows, uses)
    notes: list[str] = []
    leaving = sum(step.action.kind == "archive" for step in plan.steps)
    if leaving > FLOOD and leaving > plan.entries * FLOOD_SHARE and not yes:
        message = f"{leaving} of {plan.entries} entries would be archived at once"
        if not dry_run:
            raise Refused(message, hint="look at them with --dry-run; --yes if that is meant")
        notes.append(f"{message}: that needs --yes")
    actions = [step.action for step in plan.steps]
    transaction = ""
    if not dry_run:
        if plan.steps:
            receipt, actions = _apply(root, plan, now=now, by=by, wait_s=wait_s)
            transaction = receipt.id if receipt.changes else ""
        _fold(root, plan, decider.today)
    return Consolidation(
        now=now, dry_run=dry_run, entries=plan.entries, actions=tuple(actions),
        kept=tuple(plan.kept), left=tuple(plan.left), findings=tuple(findings),
        notes=tuple(notes), transaction=transaction,
    )  # fmt: skip


def _apply(
    root: str, plan: Plan, *, now: str, by: str, wait_s: float
) -> tuple[Receipt, list[Action]]:
    """Write a plan in one transaction; what can't be written is added to `plan.left`.

    Returns the receipt and the actions that were done.
    """
    for attempt in range(_TRIES):
        done: list[Action] = []
        left: list[tuple[str, str]] = []
        settled: dict[str, float] = {}
        today = day_number(now) or 0.0
        try:
            with begin(root, command="consolidate", at=now, by=by, wait_s=wait_s) as txn:
                for step in plan.steps:
                    try:
                        done.append(_staged(txn, step))
                        settled[step.key] = today
                    except EntryChanged:
                        left.append((step.action.path, CHANGED))
                    except MemtreeError as error:
                        left.append((step.action.path, error.message))
        except EntryChanged:
            # Saved between the staging and the commit: the next look finds it changed.
            if attempt == _TRIES - 1:
                raise
            continue
        plan.left += left
        plan.settled |= settled
        return txn.receipt, done
    raise AssertionError("unreachable")


def _staged(txn: Transaction, step: Step) -> Action:
    action = step.action
    if action.kind == "archive":
        return archived(action, stage(txn, action.path, step.raw, step.changes, step.mode))
    text = edit_front_matter(step.raw.decode("utf-8", "surrogateescape"), step.changes)
    txn.write(action.path, text.encode("utf-8", "surrogateescape"), fingerprint(step.raw))
    return action


def _fold(root: str, plan: Plan, today: float) -> None:
    """Let the log forget what the files say by now."""

    def is_folded(key: str, day: float) -> bool:
        if day >= today - LOG_DAYS:
            return False
        return day <= plan.settled.get(key, day - 1) or day < today - ORPHAN_DAYS

    fold(root, is_folded)
