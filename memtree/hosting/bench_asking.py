"""How a benchmark asks a tree: its own search, a plugin's retriever alone, or both together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memtree.hosting.company import ranking_of
from memtree.hosting.desk import desk_of
from memtree.knowledge.query import Query
from memtree.plugins.api import DEGRADED, Ranked
from memtree.plugins.suite import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.app import Tree
    from memtree.hosting.host import Player
    from memtree.knowledge.query import Answer
    from memtree.plugins.desk import Desk
    from memtree.plugins.suite import Case

OWN = "memtree"
"""The name of the tree's own search among retrievers."""
_WITH = f"{OWN}+"


class Retrievers:
    """The retrievers of one scratch tree, each made ready when it is first asked.

    `plugins` are those that take part in the tree's own search.
    """

    def __init__(self, tree: Tree, plugins: Sequence[str] = ()) -> None:
        self.notes: list[str] = []
        self._tree = tree
        self._plugins = tuple(plugins)
        self._host = tree.host
        self._desks: dict[str, Desk] = {}

    def need(self, names: Sequence[str]) -> None:
        """Say what of these plugins is degraded. Raises Unavailable for one that can't be used."""
        players, notes = self._host.players(names, alone=True)
        for player in players:
            self._tell(player)
        self.notes += notes

    def ask(self, case: Case, desk: Desk, *, limit: int) -> Result:
        """Ask what a case names as its retriever; by itself the desk's search."""
        scope = str(case.meta.get("scope", ""))
        name = str(case.meta.get("retriever", ""))
        started = time.perf_counter()
        if not name:
            answer = desk.search(case.query, limit=limit, scope=scope)
        elif name == OWN:
            query = Query(case.query, limit=limit, scope=scope, plugins=self._plugins)
            answer = self._tree.search(query)
        elif name.startswith(_WITH):
            answer = self._desk(name.removeprefix(_WITH)).search(
                case.query, limit=limit, scope=scope
            )
        else:
            return self.alone(name, Query(case.query, scope=scope, limit=limit))
        return Result(
            found=ids_of(answer), answer=answer.answer or "", status=answer.status,
            ms=1000 * (time.perf_counter() - started),
        )  # fmt: skip

    def alone(self, name: str, query: Query) -> Result:
        """What one plugin's retriever finds by itself, with the time that it took.

        What it derives from the tree is made before the clock starts. Raises Unavailable for a
        plugin that can't be used.
        """
        players, _ = self._host.players([name], alone=True, hooks=("retrieve",))
        for player in self._host.ready(players):
            self._tell(player)
            started = time.perf_counter()
            given = ranking_of(self._host.ask(player, "retrieve", query))
            ms = 1000 * (time.perf_counter() - started)
            if given is not None:
                return Result(found=self._ids(given.hits, query), status="found", ms=ms)
        self.notes += [note for player in players for note in player.context.notes]
        return Result(status="failed")

    def _ids(self, hits: Sequence[object], query: Query) -> tuple[str, ...]:
        catalog = self._tree.engine().catalog
        below = f"{query.scope}/" if query.scope else ""
        found: dict[str, None] = {}
        for hit in hits:
            if isinstance(hit, Ranked) and hit.path.startswith(below):
                row = catalog.by_path(hit.path)
                if row is not None:
                    found[row.id or row.path.rpartition(".")[0]] = None
        return tuple(found)[: query.limit]

    def _desk(self, name: str) -> Desk:
        if name not in self._desks:
            self.need([name])
            self._desks[name] = desk_of(self._tree, [name])
        return self._desks[name]

    def _tell(self, player: Player) -> None:
        if player.status.state == DEGRADED:
            note = f"{player.name} is {player.status}"
            if note not in self.notes:
                self.notes.append(note)


def ids_of(answer: Answer) -> tuple[str, ...]:
    """The ids of an answer's entries, best first, each once."""
    return tuple(dict.fromkeys(hit.id for hit in answer.hits))
