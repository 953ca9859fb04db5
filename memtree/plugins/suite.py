"""What a benchmark is, as a plugin's `bench()` gives it: cases with gold, and how they are graded.

The host owns the loop: scratch trees, time, tables by kind, resuming, JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.plugins.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Something that is put into the tree before a case is asked; `time` is ISO 8601."""

    id: str
    text: str
    title: str = ""
    time: str = ""
    path: str = ""
    speaker: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question with what it is asked of.

    `setup` names the documents that it needs: cases of one setup follow one another and share a
    tree. `gold` are ids of documents; `answer` the right words, where there are; `kind` is the row
    of the table; `meta` is the suite's own.
    """

    id: str
    setup: str
    query: str
    kind: str
    gold: Sequence[str] = ()
    answer: str = ""
    limit: int = 10
    candidates: Sequence[str] = ()
    """Only these documents count, if any are named."""
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a case: ids of documents, best first, the answer if one was asked for, time."""

    found: Sequence[str] = ()
    answer: str = ""
    status: str = ""
    ms: float = 0.0
    tokens: int = 0


class Suite(Protocol):
    """A benchmark. `cases` may have further keyword-only parameters: they become options."""

    @property
    def name(self) -> str:
        """As in `memtree bench NAME`."""
        ...

    def cases(self, *, data: str, seed: int) -> Iterator[Case]:
        """The cases of a data folder, or generated ones where `data` is "". Raises UsageError."""
        ...

    def documents(self, setup: str) -> Sequence[Document]:
        """The documents of a setup."""
        ...

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """Measures of one case; a measure that does not apply is left out."""
        ...

    # Optional: `answer(case, desk) -> Result | None` takes the place of `desk.search` (a rule
    # reader, a model); None falls back to it. `prepare(setup, desk) -> None` replaces importing
    # the documents, and `writes = True` says that answering changes the tree. `settings(setup)`
    # are settings of the scratch tree. `report(rows) -> Sequence[str]` adds lines for people under
    # the table, `summary(rows)` rows of its own; `totals = False` leaves out the row of all kinds.
    # A case's meta `scope` is the folder that is asked, `retriever` a plugin that is asked alone.


def answers(suite: object, case: Case, desk: Desk) -> Result | None:
    """What the suite's own way of answering gives, None if it has none."""
    own = getattr(suite, "answer", None)
    return own(case, desk) if own is not None else None


def numbers_of(text: str, low: int, high: int, *, option: str, like: str) -> list[int]:
    """Whole numbers with commas, each once, as benchmarks take them. Raises UsageError."""
    from memtree.errors import UsageError

    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(low <= number <= high for number in found):
        raise UsageError(f"{option} {text!r} is no list of numbers from {low} to {high}", hint=like)
    return list(dict.fromkeys(found))
