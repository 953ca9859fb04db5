"""Other memory models as plugins: what a plugin is, and the host's rules for it.

For authors, everything is here:

    from memtree.plugins import Manifest, Ranked
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.plugins.api import (
        ACCEPT,
        ANSWER,
        READ,
        REJECT,
        REPLACE,
        SEARCH,
        STOP,
        Answered,
        ChangeSet,
        Check,
        Delta,
        EntryRef,
        Event,
        Feedback,
        Manifest,
        Mode,
        Observed,
        Packed,
        Piece,
        Ranked,
        Ranking,
        Ruling,
        Search,
        Signals,
        State,
        Status,
        Step,
        Sweep,
    )  # fmt: skip
    from memtree.plugins.context import (
        Budget,
        BudgetSpent,
        Context,
        EntryView,
        NotReady,
        Relation,
        Stored,
        Version,
    )  # fmt: skip
    from memtree.plugins.desk import (
        Desk,
        Lab,
        Report,
        Swept,
    )  # fmt: skip
    from memtree.plugins.records import (
        file_of,
        read_records,
    )  # fmt: skip
    from memtree.plugins.suite import (
        Case,
        Document,
        Result,
        Suite,
    )  # fmt: skip

__all__ = [
    "ACCEPT", "ANSWER", "READ", "REJECT", "REPLACE", "SEARCH", "STOP",
    "Answered", "Budget", "BudgetSpent", "Case", "ChangeSet", "Check", "Context", "Delta", "Desk",
    "Document", "EntryRef", "EntryView", "Event", "Feedback", "Lab", "Manifest", "Mode", "NotReady",
    "Observed", "Packed", "Piece", "Ranked", "Ranking", "Relation", "Report", "Result", "Ruling",
    "Search", "Signals", "State", "Status", "Step", "Stored", "Suite", "Sweep", "Swept", "Version",
    "file_of", "read_records",
]  # fmt: skip

_HOMES = {
    "api": (
        "ACCEPT", "ANSWER", "READ", "REJECT", "REPLACE", "SEARCH", "STOP", "Answered",
        "ChangeSet", "Check", "Delta", "EntryRef", "Event", "Feedback", "Manifest", "Mode",
        "Observed", "Packed", "Piece", "Ranked", "Ranking", "Ruling", "Search", "Signals",
        "State", "Status", "Step", "Sweep",
    ),
    "context": (
        "Budget", "BudgetSpent", "Context", "EntryView", "NotReady", "Relation", "Stored",
        "Version",
    ),
    "desk": (
        "Desk", "Lab", "Report", "Swept",
    ),
    "records": (
        "file_of", "read_records",
    ),
    "suite": (
        "Case", "Document", "Result", "Suite",
    ),
}  # fmt: skip


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f"memtree.plugins.{home}"), name)
    raise AttributeError(f"module 'memtree.plugins' has no attribute {name!r}")
