"""All operations of one plan as one transaction: staged one after another, then committed or not.

An operation that can't be done as it was meant (a fact that is gone, front matter that can't be
changed safely) is refused with its reason and leaves nothing; the others stand. A file that changed
since the curator looked at it ends it all: the person wins, nothing is written, and whoever asked
may propose again. What would be written is known before it is: a dry run stages the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.curate.staging import Outcome, Staging, TextChange, Ways
from memtree.tree.transaction import ANY, begin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.tree.receipt import Fingerprint, Receipt

COMMAND = "curate"

__all__ = ["Applied", "Outcome", "TextChange", "Ways", "apply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The outcomes in the order of the operations, all changed files, and the transaction.

    `receipt` is None for a dry run.
    """

    outcomes: tuple[Outcome, ...]
    changes: tuple[TextChange, ...]
    receipt: Receipt | None = None


def apply(
    root: str,
    operations: Sequence[Operation],
    *,
    ways: Ways,
    at: str,
    by: str,
    seen: Mapping[str, Fingerprint] | None = None,
    shadow: Mapping[str, bytes | None] | None = None,
    dry_run: bool = False,
    allow: Callable[[Sequence[TextChange]], None] | None = None,
    command: str = COMMAND,
    wait_s: float = 10.0,
) -> Applied:
    """Carry out operations as one transaction; with `dry_run` only say what it would do.

    `seen` are the fingerprints of the entries that the plan was made from: EntryChanged is raised
    when one is not the same any more. `shadow` is what dry runs before this one would have
    written. `allow` is called with all changes before they are
    committed, and may raise. Raises what a transaction raises; then nothing was changed.
    """
    txn = begin(root, command=command, at=at, by=by, wait_s=wait_s)
    staging = Staging(root, txn, ways=ways, at=at, by=by, seen=seen or {})
    if dry_run:
        for path, data in (shadow or {}).items():
            if data is not None:
                txn.write(path, data, ANY)
            elif txn.exists(path):
                txn.remove(path, ANY)
        outcomes = staging.all(operations)
        changes = staging.changes()
        if allow is not None:
            allow(changes)
        return Applied(outcomes=outcomes, changes=changes)
    with txn:
        outcomes = staging.all(operations)
        changes = staging.changes()
        if allow is not None:
            allow(changes)
    return Applied(outcomes=outcomes, changes=changes, receipt=txn.receipt)
