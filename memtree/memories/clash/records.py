"""What became of each disagreement: a line in the sidecar that people can read, correct and merge.

    {"id": "8f0c2a17be", "a": "01j8#^f1", "b": "01k2#^f3", "kind": "number", "status": "open",
     "reason": "another number: 30 / 60", "says_a": "...", "says_b": "..."}

`open` waits for a person, `accepted` means that both may stand, `superseded` that one was replaced.
Who edits the file by hand may change `status` and `reason`; what is no such line is left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from memtree.claims.statements import mark_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.claims.pairing import Clash
    from memtree.plugins.context import Sidecar

FILE = "conflicts.jsonl"
OPEN, ACCEPTED, SUPERSEDED = "open", "accepted", "superseded"
MOST = 20_000
"""Records that are kept; settled ones go first."""
_LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One disagreement, as it is kept."""

    id: str
    a: str
    b: str
    kind: str
    status: str = OPEN
    reason: str = ""
    says_a: str = ""
    says_b: str = ""


def read(sidecar: Sidecar) -> dict[str, Record]:
    """The records by their ids, in order; what is damaged is left out, what is long is cut."""
    found: dict[str, Record] = {}
    for line in sidecar.read(FILE)[:MOST]:
        parts = {name: _line(line.get(name)) for name in Record.__dataclass_fields__}
        if parts["id"] and parts["a"] and parts["b"]:
            if parts["status"] not in (OPEN, ACCEPTED, SUPERSEDED):
                parts["status"] = OPEN
            found[parts["id"]] = Record(**parts)
    return found


def write(sidecar: Sidecar, records: Iterable[Record]) -> None:
    """Replace the file: open ones first, then by what they are about."""
    order = {OPEN: 0, ACCEPTED: 1, SUPERSEDED: 2}
    kept = sorted(records, key=lambda each: (order[each.status], each.a, each.b, each.id))
    sidecar.write(FILE, [asdict(each) for each in kept[:MOST]])


def record_of(clash: Clash) -> Record:
    """A disagreement that was just found."""
    one, other = sorted((clash.one, clash.other), key=lambda each: (each.key, each.text))
    return Record(
        id=mark_of(one, other), a=one.key, b=other.key, kind=clash.kind, reason=clash.reason,
        says_a=one.text, says_b=other.text,
    )  # fmt: skip


def merged(known: Mapping[str, Record], found: Iterable[Clash]) -> dict[str, Record]:
    """What is on record after a scan.

    What a person decided stays decided; what is open and no longer found was settled by an edit,
    and goes. A superseded one that stands again is open again.
    """
    now = {each.id: each for each in map(record_of, found)}
    kept = {}
    for mark, record in known.items():
        if mark in now and record.status == SUPERSEDED:
            kept[mark] = replace(record, status=OPEN, reason=now[mark].reason)
        elif mark in now or record.status == SUPERSEDED:
            kept[mark] = record
    return {**now, **kept}


def _line(value: object) -> str:
    return " ".join(value.split())[:_LONGEST] if isinstance(value, str) else ""
