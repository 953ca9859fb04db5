"""An open tree with one plugin at work: what its commands and self-tests have.

The host's side of `memtree.plugins.desk.Desk`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, Unavailable
from memtree.hosting.applying import carry_out, proposed, restored
from memtree.hosting.following import follow
from memtree.hosting.host import Player
from memtree.hosting.registry import Broken, load
from memtree.knowledge.query import Query
from memtree.plugins.api import UNAVAILABLE, Ranking, Status
from memtree.plugins.desk import Swept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.app import Tree
    from memtree.hosting.context import HostContext
    from memtree.hosting.registry import Loaded
    from memtree.knowledge.plan import Operation
    from memtree.knowledge.query import Answer
    from memtree.plugins.api import Event, Piece

    Progress = Callable[[str, int, int], None]

# A command may ask a model once for every entry.
CALLS = 1_000_000


class WorkDesk:
    """A plugin's desk on an open tree. `with_` are others that take part in questions besides."""

    def __init__(
        self, tree: Tree, loaded: Loaded, *, options: Mapping[str, object] | None = None,
        now: str = "", with_: Sequence[str] = (), progress: Progress | None = None,
        capabilities: frozenset[str] | None = None,
    ) -> None:  # fmt: skip
        self.tree = tree
        self.loaded = loaded
        self._options = dict(options or {})
        self._now = now
        self._with = tuple(with_)
        self._progress = progress
        self._capabilities = capabilities

    # -- the plugin -------------------------------------------------------------------------

    @property
    def status(self) -> Status:
        """How the plugin would run here."""
        return self.tree.host.status(self.loaded, self._context())

    @property
    def context(self) -> HostContext:
        """The plugin's context, current with the tree."""
        self.tree.engine()
        return self._context()

    def _context(self) -> HostContext:
        made = self.tree.host.context(
            self.loaded, self._options, wake=True, now=self._now, progress=self._progress,
            capabilities=self._capabilities,
        )  # fmt: skip
        made.budget.calls = CALLS
        made.budget.ms = 0.0
        return made

    def _player(self) -> Player:
        context = self.context
        status = self.tree.host.status(self.loaded, context)
        if status.state == UNAVAILABLE:
            raise Unavailable(f"the plugin {self.loaded.name} can't be used: {status.reason}")
        return Player(self.loaded, status, context, named=True)

    def follow(self) -> None:
        """Bring what is derived up to the tree (on_change), now."""
        player = self._player()
        if self.loaded.has("on_change"):
            follow(self.tree.host, player)
            _raise(player)

    # -- changing ---------------------------------------------------------------------------

    def apply(self, operations: Sequence[Operation], *, dry_run: bool = False) -> Swept:
        """Guard operations and carry them out as one transaction."""
        return carry_out(self.tree.host, self._player(), operations, dry_run=dry_run)

    def propose(self, event: Event, *, dry_run: bool = False) -> Swept:
        """Ask the plugin for operations, guard them, carry them out. Raises Unavailable."""
        player = self._player()
        host = self.tree.host
        for ready in host.ready([player]):
            operations = proposed(host, ready, event)
            _raise(player)
            done = carry_out(host, ready, operations, dry_run=dry_run)
            return Swept(
                applied=done.applied, rejected=done.rejected, diff=done.diff,
                transaction=done.transaction, notes=[*done.notes, *player.context.notes],
            )  # fmt: skip
        _raise(player)
        return Swept()

    def restore(self, files: Mapping[str, bytes], *, dry_run: bool = False) -> Swept:
        """Put files back byte for byte, as one transaction; a guard may keep what is there."""
        return restored(self.tree.host, self._player(), files, dry_run=dry_run)

    # -- asking -----------------------------------------------------------------------------

    def search(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree search --with` this plugin."""
        return self.tree.search(self._query(text, limit, scope, options))

    def query(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree query --with` this plugin."""
        return self.tree.query(self._query(text, limit, scope, options))

    def ask(self, text: str, *, limit: int = 10, scope: str = "", **options: object) -> Answer:
        """`memtree ask --with` this plugin."""
        return self.tree.ask(self._query(text, limit, scope, options))

    def pack(
        self, text: str, *, tokens: int = 2000, scope: str = "", **options: object
    ) -> Sequence[Piece]:
        """What a model would read for a question, packed by this plugin."""
        return self.tree.packed(self._query(text, 20, scope, options), tokens=tokens)[0]

    def retrieve(
        self, text: str, *, limit: int = 10, scope: str = "", **options: object
    ) -> Ranking:
        """What the plugin's retriever alone finds, unfused."""
        from memtree.hosting.company import ranking_of

        player = self._player()
        player.context.options = {**player.context.options, **options}
        host = self.tree.host
        for ready in host.ready([player]):
            found = ranking_of(host.ask(ready, "retrieve", Query(text, limit=limit, scope=scope)))
            if found is not None:
                return found
        _raise(player)
        return Ranking(hits=())

    def _query(self, text: str, limit: int, scope: str, options: Mapping[str, object]) -> Query:
        names = dict.fromkeys([self.loaded.name, *self._with])
        own = {f"{self.loaded.name}.{name}": value
               for name, value in {**self._options, **options}.items()}  # fmt: skip
        if self._now:
            own["now"] = self._now
        return Query(text, limit=limit, scope=scope, plugins=tuple(names), options=own)

    # -- files, as a person handles them ----------------------------------------------------

    def write(self, path: str, text: str) -> None:
        """Write an entry's file, as a person's editor would."""
        place = os.path.join(self.tree.root, *path.split("/"))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def remove(self, path: str) -> None:
        """Remove an entry's file, as a person would."""
        os.unlink(os.path.join(self.tree.root, *path.split("/")))

    def read(self, path: str) -> str:
        """The text of an entry's file, its line ends as they are."""
        return self.raw(path).decode("utf-8", "surrogateescape")

    def raw(self, path: str) -> bytes:
        """The bytes of a file of the tree, also below the archive. Raises EntryNotFound."""
        from memtree.tree.read import read_entry_bytes

        return read_entry_bytes(self.tree.root, path)

    def consolidate(self, now: str, *, dry_run: bool = False) -> Mapping[str, str]:
        """Settle the tree at a time; what became of which path."""
        done = self.tree.consolidate(now=now, dry_run=dry_run, yes=True)
        return {action.path: action.kind for action in done.actions}


def desk_of(
    tree: Tree, names: Sequence[str], *, options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> WorkDesk:  # fmt: skip
    """A desk on an open tree for the first of `names`, the others beside it.

    Raises Unavailable for one that is not installed or can't be loaded.
    """
    first, *rest = names
    return WorkDesk(tree, loaded(first), options=options, with_=rest, progress=progress)


def loaded(name: str) -> Loaded:
    """A plugin that can be loaded. Raises Unavailable with the reason for one that can't."""
    found = load(name)
    if isinstance(found, Broken):
        raise Unavailable(f"the plugin {name} can't be used: {found.reason}")
    return found


def _raise(player: Player) -> None:
    """A command that is about one plugin fails with it."""
    if player.is_out:
        notes = player.context.notes
        raise Unavailable(notes[-1] if notes else f"the plugin {player.name} failed")


__all__ = ["EntryNotFound", "WorkDesk", "desk_of", "loaded"]
