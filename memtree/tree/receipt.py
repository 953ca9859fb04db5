"""What a transaction did, as values: fingerprints, changes, receipts, recoveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Fingerprint = bytes
"""The SHA-256 digest of a file's bytes (32 bytes), or `ABSENT`."""

ABSENT: Final = b""
"""The fingerprint of a file that is not there."""

ANY: Final = None
"""Expected by a writer that does not care what stood there before."""

Kind = Literal["add", "change", "remove"]


def fingerprint(data: bytes) -> Fingerprint:
    """Return the fingerprint of a file that holds `data`."""
    import hashlib

    return hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file of a transaction. A move is one `remove` and one `add`."""

    kind: Kind
    path: str
    before: Fingerprint
    after: Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A committed transaction.

    `id` sorts in the order of commits and is unique in a tree; `at` is the ISO time that the
    caller gave; `by` names the actor ("human" or a model). A transaction that found nothing to
    change has a receipt without changes and leaves no history.
    """

    id: str
    at: str
    command: str
    by: str = "human"
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was done about a transaction that a crash had interrupted.

    `outcome` is "finished" (it was past its commit point: the tree is the new one), "taken-back"
    (it could not be finished: the tree is the old one), "discarded" (it was before its commit
    point: the tree is the old one, leftovers are gone) or "damaged" (the disk broke the journal:
    it was set aside and the tree is as found).

    `kept` are paths that a person edited after the crash: their text stands. `rescued` are
    absolute paths under `state/rescued/` of what the transaction would have written there.
    """

    id: str
    command: str
    outcome: Literal["finished", "taken-back", "discarded", "damaged"]
    kept: tuple[str, ...] = ()
    rescued: tuple[str, ...] = ()
