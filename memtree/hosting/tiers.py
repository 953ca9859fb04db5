"""The five tiers and the decay of importance, as plugins like all others.

They come in by the same hooks: the host asks a tier beside the retrievers of its stage, and decay
beside whoever has a word in an entry's life. They are always there; the settings, `--tier` and
`--max-tier` say which are asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.knowledge.lifecycle import START, Policy, settle
from memtree.knowledge.query import TIERS
from memtree.plugins.api import Delta, Manifest

if TYPE_CHECKING:
    from memtree.knowledge.query import Query
    from memtree.plugins.api import EntryRef, Ranking, Signals
    from memtree.plugins.context import Context

_TITLES = {
    "exact": "The question is a name",
    "fuzzy": "The question is nearly a name",
    "fulltext": "Words in passages, and what is known of these",
    "semantic": "Words and meaning in one order",
    "agentic": "Several steps, with a language model or without one",
}


class TierPlugin:
    """One tier of the climb, alone."""

    def __init__(self, name: str) -> None:
        self.manifest = Manifest(
            name=name, title=_TITLES[name], source="memtree",
            paradigm="agentic" if name == "agentic" else "explicit-text",
            stage=name if name != "agentic" else "semantic",
            requires=("embedder",) if name == "semantic" else (),
            enhances=("llm",) if name == "agentic" else (),
        )  # fmt: skip

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """What this tier finds, and whether it is sure."""
        return ctx.search.tier(self.manifest.name, query.text, limit=query.limit, scope=query.scope)


class DecayPlugin:
    """Importance, maturity and recency over time: the host's own word in an entry's life."""

    manifest = Manifest(
        name="decay", title="Importance fades with time and grows with use", source="memtree"
    )

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        """What settling makes of an entry now; None when that is nothing."""
        del entry, ctx
        made = settle(
            signals.importance, signals.maturity, signals.settled, signals.uses, signals.today,
            policy=Policy(),
        )  # fmt: skip
        if not made.material and not made.archive:
            return None
        return Delta(
            importance=made.importance - signals.importance,
            maturity=made.maturity if signals.importance != START else "",
            state="archived" if made.archive else "",
            why="; ".join(made.reasons),
        )


def host_plugins() -> dict[str, TierPlugin | DecayPlugin]:
    """The host's own plugins by name, in the order of the climb."""
    return {**{name: TierPlugin(name) for name in TIERS}, "decay": DecayPlugin()}
