"""The scheduler: what happens to memories gets a label, and `tick` works off what was noted.

The labels are MemOS's (repository, scheduler schemas): query, answer, add, mem_read, mem_update,
mem_organize, mem_archive, mem_feedback, pref_add. A question is never kept waiting, and never
writes an entry: what was read or answered with is noted in the cache, and the next `tick` makes
Generated memories that were used Activated ones.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from memtree.plugins import Answered, Feedback, Observed, Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.plugins import ChangeSet, Context, Event

LABELS = ("query", "answer", "add", "mem_read", "mem_update", "mem_organize", "mem_archive",
          "mem_feedback", "pref_add")  # fmt: skip
USES = frozenset(("answer", "mem_read", "mem_feedback"))
"""Labels that say that a memory was used."""
QUEUE, _KEY = "queue", "1"
MOST = 500
"""Messages that wait; older ones are dropped, which costs some warmth."""


def label_of(event: Event) -> str:
    """The label of an event."""
    if isinstance(event, Observed):
        return "pref_add" if event.meta.get("kind") == "preference" else "add"
    if isinstance(event, Answered):
        return "answer"
    if isinstance(event, Feedback):
        return "mem_feedback"
    return "mem_organize"


def labels_of(changes: ChangeSet) -> list[tuple[str, str]]:
    """The labels of a change, with the paths; a first look at the whole tree is none."""
    if changes.full:
        return []
    return [
        *(("add", ref.path) for ref in changes.added),
        *(("mem_update", ref.path) for ref in changes.changed),
        *(("mem_archive", ref.path) for ref in changes.removed),
    ]


def note(ctx: Context, messages: Iterable[tuple[str, str]]) -> None:
    """Let messages (label, path or "") wait for the next tick."""
    more = [[label, path, ctx.now] for label, path in messages]
    if more:
        ctx.cache.save_value(QUEUE, _KEY, [*waiting(ctx), *more][-MOST:])


def waiting(ctx: Context) -> list[list[str]]:
    """Messages that wait: [label, path, time], the oldest first."""
    value = ctx.cache.load_value(QUEUE, _KEY)
    return [
        [str(part) for part in each]
        for each in (value if isinstance(value, list) else [])
        if isinstance(each, list) and len(each) == 3 and each[0] in LABELS
    ]


def done(ctx: Context) -> None:
    """Nothing waits any more."""
    ctx.cache.save_value(QUEUE, _KEY, [])


def used(messages: Iterable[list[str]]) -> set[str]:
    """The paths of memories that were used."""
    return {path for label, path, _ in messages if label in USES and path}


def counted(messages: Iterable[list[str]]) -> dict[str, int]:
    """How many messages of each label, in the order of `LABELS`."""
    many = Counter(label for label, _, _ in messages)
    return {label: many[label] for label in LABELS if many[label]}


def heard(event: Event, ctx: Context) -> None:
    """Note an event, unless a sweep answers it at once."""
    if isinstance(event, Answered):
        note(ctx, [("query", ""), *(("answer", path) for path in event.used)])
    elif isinstance(event, Feedback):
        note(ctx, [(label_of(event), event.path if event.verdict != "wrong" else "")])
    elif not isinstance(event, Sweep):
        note(ctx, [(label_of(event), "")])
