"""What the last settlings did: who rose and who fell, as the history of changes has it.

The history keeps each file as it was before a change; as it was after it is how the next change
found it, or how it is now. So the journals are walked from the newest back.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError
from memtree.knowledge.lifecycle import MATURITIES
from memtree.lifecycle.figures import Flow
from memtree.tree.format import find_front
from memtree.tree.journal import read_journal
from memtree.tree.lock import refuse_links, state_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from memtree.tree.journal import Item, Journal

COMMAND = "consolidate"
LAST = 3  # settlings that are told
ARCHIVED = "archived"
_SUFFIX = ".txn"


def flow_of(root: str, now: Mapping[str, str], *, last: int = LAST) -> list[Flow]:
    """The last settlings that the history holds, newest first; undone ones are left out.

    `now` maps paths to how entries are: their maturity, or `archived`.
    """
    found: list[Flow] = []
    undone: set[str] = set()
    # Path -> how it was before the change that was met last: after the one that is met next.
    later: dict[str, Callable[[], str]] = {}
    for journal in _journals(root):
        if len(found) >= last:
            break
        receipt = journal.receipt
        if receipt.command.startswith("undo ") and receipt.id not in undone:
            undone.add(receipt.command.removeprefix("undo "))
        elif receipt.command == COMMAND and receipt.id not in undone:
            found.append(_flow(journal, later, now))
        for item in journal.items:
            later[item.path] = _reader(journal, item)
    return found


def _flow(
    journal: Journal, later: Mapping[str, Callable[[], str]], now: Mapping[str, str]
) -> Flow:  # fmt: skip
    moves: Counter[str] = Counter()
    for item in journal.items:
        if item.change.kind != "change":
            continue
        before = _state(journal.before(item) or b"")
        after = later[item.path]() if item.path in later else now.get(item.path, before)
        if after == ARCHIVED:
            moves[ARCHIVED] += before != ARCHIVED
        elif before not in (after, ARCHIVED):
            step = MATURITIES.index(after) - MATURITIES.index(before)
            moves["promoted" if step > 0 else "demoted"] += 1
    return Flow(
        at=journal.receipt.at[:10], promoted=moves["promoted"], demoted=moves["demoted"],
        archived=moves[ARCHIVED],
    )  # fmt: skip


def _reader(journal: Journal, item: Item) -> Callable[[], str]:
    return lambda: _state(journal.before(item) or b"")


def _state(raw: bytes) -> str:
    """How an entry is, by its file: its maturity, or `archived`."""
    meta = find_front(raw.decode("utf-8", "replace")).meta
    if str(meta.get("status")).casefold() == ARCHIVED:
        return ARCHIVED
    grown = str(meta.get("maturity"))
    return grown if grown in MATURITIES else MATURITIES[0]


def _journals(root: str) -> Iterator[Journal]:
    """The journals of the history that can be read, newest first."""
    folder = state_path(root, "history")
    try:
        refuse_links(root)
        names = sorted(
            (name for name in os.listdir(folder) if name.endswith(_SUFFIX)), reverse=True
        )
    except (OSError, MemtreeError):
        return
    for name in names:
        try:
            yield read_journal(os.path.join(folder, name))
        except (OSError, ValueError):
            continue
