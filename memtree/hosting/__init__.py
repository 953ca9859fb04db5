"""The host of the plugins: what an open tree does for them, and they for it.

A tree without plugins loads nothing of this but the few lines here.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from memtree.consulting import Consulting
    from memtree.hosting.advising import Advice
    from memtree.hosting.company import Company
    from memtree.hosting.host import Host, Player
    from memtree.knowledge.plan import Operation, Verdict
    from memtree.knowledge.query import Answer, Query
    from memtree.plugins.api import Event, Piece
    from memtree.plugins.desk import Swept

    _Tree = Consulting
else:
    _Tree = object  # rooms of one floor don't know each other: `memtree.app` puts them together

FILE = os.path.join(".memtree", "plugins.toml")


def has_plugins(root: str) -> bool:
    """Whether the settings of a tree speak of plugins: one look at the disk."""
    return os.path.exists(os.path.join(root, FILE))


class Hosting(_Tree):
    """The part of an open tree that asks plugins, and lets them propose."""

    _host: Host | None = None

    @property
    def host(self) -> Host:
        """All plugins, and how they are called."""
        if self._host is None:
            from memtree.hosting.host import Host

            self._host = Host(self)  # type: ignore[arg-type]
        return self._host

    def host_with(self, make: Callable[[], Host]) -> None:
        """Take another host: a lab's, which knows one plugin."""
        self._host = make()

    def search(self, query: Query | str) -> Answer:
        """Rank the entries that fit, with the plugins that are enabled or asked for by name.

        Raises Unavailable for one that was asked for by name and can't be used.
        """
        return self._accompanied(_as_query(query), super().search, wake=False)

    def query(self, query: Query | str) -> Answer:
        """Answer from the cheapest tier that is sure, plugins beside their tiers.

        Raises Unavailable for a plugin that was asked for by name and can't be used.
        """
        return self._accompanied(_as_query(query), super().query, wake=True)

    def batch(self, queries: Iterable[Query | str]) -> Iterator[Answer]:
        """Search for each, looking at the files once."""
        for query in queries:
            asked = _as_query(query)
            if asked.plugins or asked.options or has_plugins(self.root):
                yield self.search(asked)
            else:
                yield from super().batch([asked])

    def ask(self, query: Query | str) -> Answer:
        """Answer by the agentic tier, with planners and packers among the plugins.

        Raises Unavailable as `query` does.
        """
        from memtree.hosting.asking import ask

        asked = _as_query(query)
        players, notes = self.host.players(asked.plugins, options=asked.options, wake=True)
        return self._cited(ask(self.host, asked, players, notes))

    def opinions(self, now: str) -> Advice | None:
        """What the enabled plugins have to say of entries' lives; None where there are none."""
        if not has_plugins(self.root) and self._host is None:
            return None
        from memtree.hosting.advising import Advice

        players, notes = self.host.players(now=now, hooks=("lifecycle",))
        return Advice(self.host, players, notes) if players or notes else None

    def plugin_health(self) -> tuple[list[str], list[str]]:
        """The enabled plugins that work here, degraded ones with why, and what is wrong."""
        if not has_plugins(self.root):
            return [], []
        players, notes = self.host.players()
        well = [f"{one.name} ({one.status})" if one.status.reason else one.name for one in players]
        return well, notes

    def guarded(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Verdicts of a curation after the guards of the enabled plugins: what these refuse."""
        if not has_plugins(self.root) and self._host is None:
            return verdicts
        from memtree.hosting.applying import guarded_verdicts

        players, _ = self.host.players(hooks=("guard",))
        return guarded_verdicts(self.host, players, verdicts) if players else verdicts

    def observe(self, text: str, source: str) -> list[str]:
        """Tell the enabled plugins of a part of a source; what they did about it, in words."""
        if not has_plugins(self.root) and self._host is None:
            return []
        from memtree.plugins.api import Observed

        said: list[str] = []
        for player, done in self.propose(Observed(text=text, source=source)):
            said += [f"{player.name}: {kind} {path}" for kind, path, _ in done.applied]
            said += [f"{player.name}: {path}: {reason}" for _, path, reason in done.rejected]
        return said

    def packed(self, query: Query | str, *, tokens: int = 2000) -> tuple[list[Piece], list[str]]:
        """What a model would read for a question, and what the packer says of it."""
        from memtree.hosting.packing import packed_for

        asked = _as_query(query)
        players, notes = self.host.players(asked.plugins, options=asked.options, wake=True)
        pieces, said = packed_for(self.host, asked, players, tokens=tokens)
        return pieces, [*notes, *said]

    def propose(
        self, event: Event, names: Sequence[str] = (), *, dry_run: bool = False,
        options: dict[str, object] | None = None,
    ) -> list[tuple[Player, Swept]]:  # fmt: skip
        """Let plugins (`names`, else those that are enabled) propose, guard it, carry it out."""
        from memtree.hosting.applying import carry_out, proposed

        players, _ = self.host.players(
            names, options=options, wake=True, alone=bool(names), hooks=("propose",)
        )
        done = []
        for player in self.host.ready([one for one in players if one.loaded.has("propose")]):
            operations = proposed(self.host, player, event)
            done.append((player, carry_out(self.host, player, operations, dry_run=dry_run)))
        return done

    def objections(self, operations: Sequence[Operation]) -> list[str]:
        """What the guards of enabled plugins have against operations, in words; nothing is done."""
        if not has_plugins(self.root) and self._host is None:
            return []
        from memtree.hosting.applying import guarded

        players, _ = self.host.players(hooks=("guard",))
        return list(dict.fromkeys(why for _, why in guarded(self.host, players, operations)[1]))

    def _accompanied(self, query: Query, plain: Callable[[Query], Answer], *, wake: bool) -> Answer:
        """Ask in the tree's own `plain` way, with plugins where there are any."""
        if not query.plugins and not query.options and not has_plugins(self.root):
            return plain(query)
        from memtree.hosting.company import Company

        def company() -> Company | None:
            players, notes = self.host.players(
                query.plugins, options=query.options, wake=wake and bool(query.plugins),
                hooks=("retrieve", "refine"), progress=self._progress,
            )  # fmt: skip
            return Company(self.host, players, notes) if players or notes else None

        return self.in_company(company, lambda: plain(query))

    def in_company(
        self, company: Callable[[], Company | None], asked: Callable[[], Answer]
    ) -> Answer:
        """What `asked` gives while a company takes part; both see the files as they are now."""
        engine = self.engine()
        age, self.max_age = self.max_age, float("inf")  # one look at the files is enough
        try:
            self._company = engine.company = company()
            return asked()
        finally:
            self.max_age = age
            self._company = None
            if self._engine is not None:
                self._engine.company = None


def _as_query(query: Query | str) -> Query:
    if isinstance(query, str):
        from memtree.knowledge.query import Query

        return Query(query)
    return query
