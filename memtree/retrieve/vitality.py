"""How alive the entries are that a question found: what orders hits that the text leaves close.

The uses since an entry was settled are read from the log once for an open tree, and again when the
log has grown. Hot: most trees have no log, and then this is one stat.
"""

from __future__ import annotations

import os

from memtree.knowledge.lifecycle import (
    Policy,
    day_number,
    importance,
    last_day,
    life,
    lifted,
    recency_of,
)
from memtree.knowledge.standing import Standing, replaced_because

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Use

LOG = os.path.join(".memtree", "state", "uses.log")
_NEW = Standing()


class Alive:
    """An entry's scores at a moment: importance 0 to 100, recency and life 0 to 1."""

    __slots__ = ("importance", "life", "recency", "replaced")

    def __init__(self, importance: float, recency: float, life: float, *, replaced: str) -> None:
        self.importance = importance
        self.recency = recency
        self.life = life
        self.replaced = replaced


class Vitality:
    """The lifecycle of one open tree, by its own policy."""

    def __init__(self, root: str, settings: Mapping[str, object]) -> None:
        known = {
            key: float(value)
            for key, value in settings.items()
            if key in Policy.__slots__ and isinstance(value, (int, float))
        }
        self.policy = Policy(**known)
        self._root = root
        self._log = os.path.join(root, LOG)
        self._size = -1
        self._uses: Mapping[str, list[Use]] = {}

    def reload(self) -> None:
        """See the uses that were noted since."""
        try:
            size = os.stat(self._log).st_size
        except OSError:
            size = 0
        if size == self._size:
            return
        self._size = size
        self._uses = {}
        if size:
            from memtree.tree.use_log import uses

            self._uses = uses(self._root)

    def of(self, row: Row, now: float) -> Alive:
        """The scores of an entry; `now` is days since 1970."""
        standing = Standing(row.standing) if row.standing else _NEW
        uses = self._uses.get(row.id or row.path, ()) if self._uses else ()
        settled = day_number(standing.settled) if standing.settled else None
        value = importance(row.importance, settled, uses, now, self.policy)
        recent = recency_of(last_day(row.used, standing.used, uses, now), now, self.policy)
        replaced = "archived" if standing.status == "archived" else replaced_because(standing, now)
        alive = life(value, row.maturity, recent, replaced=bool(replaced))
        return Alive(value, recent, alive, replaced=replaced)

    def lifted(self, score: float, alive: Alive) -> float:
        """A text score with the lift of life: bounded, see `memtree.knowledge.lifecycle`."""
        return lifted(score, alive.life, self.policy)
