"""How a benchmark asks a tree: its own search, a plugin's retriever alone, or both together.

And how it watches what a suite does there by itself.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import TYPE_CHECKING

from memtree.errors import UsageError
from memtree.hosting.company import ranking_of
from memtree.hosting.desk import desk_of, loaded
from memtree.knowledge.query import Query
from memtree.plugins.api import DEGRADED, Ranked
from memtree.plugins.suite import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.app import Tree
    from memtree.hosting.host import Player
    from memtree.knowledge.query import Answer
    from memtree.plugins.desk import Desk, Swept
    from memtree.plugins.suite import Case

OWN = "memtree"
"""The name of the tree's own search among retrievers."""
_WITH = f"{OWN}+"
_IN_SEARCH = ("retrieve", "refine")
_OUT = " was left out "
_ASKING = frozenset(("search", "query", "ask", "pack", "retrieve"))
_CHANGING = frozenset(("apply", "propose"))


class Retrievers:
    """The retrievers of one scratch tree, each made ready when it is first asked.

    `plugins` are those that take part in the tree's own search; `data` is the folder of the run, of
    which each plugin takes what it knows how to use.
    """

    def __init__(self, tree: Tree, plugins: Sequence[str] = (), *, data: str = "") -> None:
        self.notes: list[str] = []
        self.searched = 0
        """Questions of the tree's own search, in which the plugins took part."""
        self._tree = tree
        self._plugins = tuple(plugins)
        self._data = data
        self._adopted: set[str] = set()
        self._host = tree.host
        self._desks: dict[str, Desk] = {}

    def need(self, names: Sequence[str]) -> None:
        """Say what of these plugins is degraded. Raises Unavailable for one that can't be used."""
        players, notes = self._host.players(names, alone=True)
        for player in players:
            self._tell(player)
        self.notes += notes

    def adopt(self, names: Sequence[str]) -> None:
        """Let plugins take what the data folder holds for them, each once."""
        from memtree.hosting.bench_data import adopt

        new = [name for name in names if name not in self._adopted]
        self._adopted.update(new)
        if new and os.path.isdir(self._data):
            self.notes += adopt(self._tree, new, self._data)

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
            self.searched += 1
        elif name.startswith(_WITH):
            answer = self._desk(name.removeprefix(_WITH)).search(
                case.query, limit=limit, scope=scope
            )
        else:
            return self.alone(name, Query(case.query, scope=scope, limit=limit))
        self.notes += [note for note in troubles(answer) if note not in self.notes]
        return Result(
            found=ids_of(answer), answer=answer.answer or "", status=answer.status,
            ms=1000 * (time.perf_counter() - started),
        )  # fmt: skip

    def alone(self, name: str, query: Query) -> Result:
        """What one plugin's retriever finds by itself, with the time that it took.

        What it derives from the tree is made before the clock starts. Raises Unavailable for a
        plugin that can't be used, UsageError for one that retrieves nothing.
        """
        self._part(name, ("retrieve",), "finds nothing by itself")
        self.adopt([name])
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
            self._part(name, _IN_SEARCH, "takes no part in a search")
            self.adopt([name])
            self.need([name])
            self._desks[name] = desk_of(self._tree, [name])
        return self._desks[name]

    def _part(self, name: str, hooks: Sequence[str], lacks: str) -> None:
        if not any(loaded(name).has(hook) for hook in hooks):
            raise UsageError(
                f"the plugin {name} {lacks}, so it is no retriever",
                hint=f"memtree plugins show {name}",
            )

    def _tell(self, player: Player) -> None:
        if player.status.state == DEGRADED:
            note = f"{player.name} is {player.status}"
            if note not in self.notes:
                self.notes.append(note)


class Watched:
    """A suite's desk, and what the suite does there.

    `asked` counts its questions, `operations` the operations that were carried out, by kind, and
    those that were refused.
    """

    def __init__(self, desk: Desk) -> None:
        self.asked = 0
        self.operations: Counter[str] = Counter()
        self._desk = desk

    def __getattr__(self, name: str) -> object:
        found = getattr(self._desk, name)
        if name in _ASKING:
            self.asked += 1
        return self._counted(found) if name in _CHANGING else found

    def _counted(self, change: Callable[..., Swept]) -> Callable[..., Swept]:
        def changed(*args: object, **more: object) -> Swept:
            done = change(*args, **more)
            if not more.get("dry_run"):
                self.operations.update(kind for kind, _, _ in done.applied)
                self.operations.update(f"{kind} refused" for kind, _, _ in done.rejected)
            return done

        return changed


def troubles(answer: Answer) -> list[str]:
    """Which plugins were left out of an answer, and why."""
    return [note for note in answer.notes or () if _OUT in note]


def ids_of(answer: Answer) -> tuple[str, ...]:
    """The ids of an answer's entries, best first, each once."""
    return tuple(dict.fromkeys(hit.id for hit in answer.hits))
