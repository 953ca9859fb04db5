"""The flood guard over a whole run: how much of a tree it may change without a yes.

The checks weigh one plan; a run has one for each part, and many small ones are a flood too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.curate.checks.flood import LEAST, weights
from memtree.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.curate.apply import TextChange
    from memtree.knowledge.plan import Operation


class Flood:
    """Remembers how strongly a run touched the `count` entries that there were at its beginning."""

    def __init__(self, share: float, count: int) -> None:
        self._share = share
        self._count = count
        self._touched: dict[str, float] = {}
        self._made: set[str] = set()

    def excess(self, operations: Iterable[Operation]) -> str:
        """Why these operations, with all before them, need a yes; "" when they don't."""
        touched = self._with(operations)
        if sum(touched.values()) <= max(LEAST, self._share * self._count):
            return ""
        return (
            f"this would touch {len(touched)} of the {self._count} entries that were there, "
            f"and without a yes a curation changes {self._share:.0%} of them"
        )

    def ask(self, operations: Iterable[Operation]) -> None:
        """Raise Refused when these operations, with all before them, need a yes."""
        sentence = self.excess(operations)
        if sentence:
            raise Refused(sentence, hint="look at it with --dry-run; --yes lets it happen")

    def note(self, operations: Iterable[Operation], changes: Sequence[TextChange]) -> None:
        """Count in what was done."""
        self._touched = self._with(operations)
        self._made |= {change.path for change in changes if change.before is None}

    def _with(self, operations: Iterable[Operation]) -> dict[str, float]:
        touched = dict(self._touched)
        for path, weight in weights(operations).items():
            if path not in self._made:
                touched[path] = max(weight, touched.get(path, 0.0))
        return touched
