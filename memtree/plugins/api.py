"""What a plugin is: a manifest, any subset of eight hooks, and the values that they speak in.

    class Echo:
        manifest = Manifest(name="echo", title="Says it again", source="none", seeds=())

        def retrieve(self, query, ctx):
            return ctx.search.full_text(query.text, limit=query.limit, scope=query.scope)

A plugin is made without arguments, once for an open tree. A hook that it lacks is not called. What
a hook may use is its context (`memtree.plugins.context`); what it gives is combined by the host.
A plugin never writes the tree, never touches the network and never imports another plugin.

Hook by hook, with `ctx` a `memtree.plugins.context.Context`:

    on_change(changes: ChangeSet, ctx) -> None
        what is derived follows the tree; called before the plugin is next used, idempotent
    propose(event: Event, ctx) -> Sequence[Operation]
        operations of `memtree.knowledge.plan`; all plugins' are guarded, then one transaction
    guard(operations, ctx) -> Sequence[Ruling]
        any rejection wins; what is not spoken of is accepted
    lifecycle(entry: EntryRef, signals: Signals, ctx) -> Delta | None
        importance is summed; the lowest maturity and the strictest state win
    plan(query, state: State, ctx) -> Step | None
        the first that answers; asked again after every step, until it stops
    retrieve(query, ctx) -> Ranking | Sequence[Ranked]
        fused by reciprocal rank with the tier that the manifest names as its `stage`
    refine(query, hits: Sequence[Ranked], ctx) -> Sequence[Ranked]
        folded in order: filter, rerank, add a rival
    pack(query, hits: Sequence[Ranked], ctx) -> Packed | None
        what a model will read, within `ctx.budget.tokens`; the first that answers

Besides, out of the path of a question:

    mode(ctx) -> Mode          how it would run here: in full, or degraded and why
    bench() -> Sequence[Suite] (memtree.plugins.suite)
    commands() -> Mapping[str, Command] (memtree.plugins.context)
    selftest(lab: Lab) -> Iterable[Check]     its acceptance check, on scratch trees
    adopt(desk, folder) -> str  takes what a data set brings for it, before it is measured on it
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.knowledge.plan import Operation

GROUP = "memtree.plugins"
"""The entry points that announce plugins, the built-in ones too."""
HOOKS = ("on_change", "propose", "guard", "lifecycle", "plan", "retrieve", "refine", "pack")
POINTS = ("bench", "commands", "selftest")
PARADIGMS = (
    "explicit-text", "explicit-vector", "explicit-graph", "agentic", "implicit", "multimodal",
    "benchmark", "report",
)  # fmt: skip
CAPABILITIES = (
    "embedder", "llm", "llm.json", "llm.raw", "llm.logprobs", "llm.kv", "llm.lora", "llm.think",
)  # fmt: skip
STAGES = ("exact", "fuzzy", "fulltext", "semantic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Who a plugin is.

    `seeds` are ids of the memory models that it makes real; `source` is the paper. `requires` are
    capabilities (of `CAPABILITIES`) without which it is unavailable, `enhances` those that it uses
    where they are there. `modes` are labels of the ways in which it runs, the full one first.
    `stage` is the tier beside which its retriever is asked; `commands` are the first words of its
    commands, its name if empty.
    """

    name: str
    title: str
    source: str
    seeds: tuple[str, ...] = ()
    paradigm: str = "explicit-text"
    version: str = "1"
    requires: tuple[str, ...] = ()
    enhances: tuple[str, ...] = ()
    modes: tuple[str, ...] = ("full",)
    stage: str = "semantic"
    commands: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    """The plugin's options with their defaults; a person sets others in `plugins.toml`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """How a plugin runs here: one of its modes, and why if it is not the full one.

    `usable` is False where it would be no use at all: then it is unavailable, for that reason.
    """

    label: str = "full"
    reason: str = ""
    usable: bool = True


ACTIVE, DEGRADED, UNAVAILABLE = "active", "degraded", "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Computed, never claimed: `active`, `degraded` (mode and reason), `unavailable` (reason)."""

    state: str
    mode: str = ""
    reason: str = ""

    def __str__(self) -> str:
        if self.state == ACTIVE:
            return ACTIVE
        said = f"{self.mode}: {self.reason}" if self.state == DEGRADED else self.reason
        return f"{self.state} ({said})"


# -- the tree, as values ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRef:
    """An entry as the catalog knows it.

    `path` is relative to the tree, with `/`; `id` the path without suffix if it has none; `digest`
    of its bytes, in hex; `time` ISO 8601 or "".
    """

    path: str
    id: str
    digest: str
    title: str = ""
    type: str = ""
    tags: tuple[str, ...] = ()
    importance: float = 50.0
    maturity: str = "draft"
    time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """What is different since this plugin last looked; with `full`, `added` is the whole tree."""

    added: tuple[EntryRef, ...] = ()
    changed: tuple[EntryRef, ...] = ()
    removed: tuple[EntryRef, ...] = ()
    full: bool = False

    def __bool__(self) -> bool:
        return bool(self.full or self.added or self.changed or self.removed)


# -- events -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A part of a source that is being curated."""

    text: str
    source: str = ""
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that was answered, with the paths of the entries that hold the answer."""

    query: str
    answer: str
    used: tuple[str, ...] = ()
    status: str = "found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A look over a folder of the tree ("" for all of it), for what should be put in order."""

    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What a person said of an entry: `right`, `wrong` or `useful`."""

    path: str
    verdict: str


Event = Observed | Answered | Sweep | Feedback


# -- what hooks give --------------------------------------------------------------------------

ACCEPT, REJECT, REPLACE = "accept", "reject", "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a guard says of one operation; `instead` with `replace`. A rejection has a reason."""

    operation: Operation
    ruling: str = ACCEPT
    reason: str = ""
    instead: Operation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """How an entry stands: scores now, days since 1970, and its uses as (day, event)."""

    importance: float
    maturity: str
    recency: float
    today: float
    settled: float | None = None
    uses: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What a plugin wants of an entry's life.

    `importance` is added; `maturity` an upper bound (`draft` < `validated` < `core`, "" for none);
    `state` is `archived` or "". `why` is a phrase that people read.
    """

    importance: float = 0.0
    maturity: str = ""
    state: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One entry that fits, with the passage that does.

    `score` compares within one list, higher is better, any scale; `lines` from 1, (0, 0) if the
    plugin does not know; `text` the passage, "" lets the host find one; `note` is said to people
    with the hit (`disagrees with ...`).
    """

    path: str
    score: float
    why: str = ""
    text: str = ""
    lines: tuple[int, int] = (0, 0)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """What a retriever found, best first. With `sure` it ends a climb, and `answer` is shown.

    `confidence` is 0 to 1 in the first hit. `answer` must stand in the first hit or in the plugin's
    own sidecar; "" lets the host quote.
    """

    hits: Sequence[Ranked]
    sure: bool = False
    confidence: float = 0.0
    answer: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A passage that a model will read; `label` is said before it (`newest`, a date, ...)."""

    path: str
    text: str
    lines: tuple[int, int] = (0, 0)
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What a model will read, in this order. The rules of the prompt stay the host's.

    `note` says in one line, for people, what the packer did.
    """

    pieces: Sequence[Piece]
    note: str = ""


# -- planning ---------------------------------------------------------------------------------

SEARCH, READ, ANSWER, STOP = "search", "read", "answer", "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A question of a planner's own."""

    text: str
    scope: str = ""
    limit: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a planner wants next.

    `search`: ask `searches`, their hits join the state. `read`: the entries at `paths`, whole,
    join `state.read`. `answer`: `answer` is the answer, resting on `cites`; "" abstains. `stop`:
    the host answers from what there is. `mode` names the way that was chosen (`tiers`, `full`,
    `blocks`, `stream`), `note` says why, for people.
    """

    action: str
    searches: Sequence[Search] = ()
    paths: Sequence[str] = ()
    answer: str = ""
    cites: Sequence[str] = ()
    mode: str = "tiers"
    note: str = ""


@dataclass(slots=True, kw_only=True)
class State:
    """A question at work: the step number from 0, what was found and read, and what was done.

    `notes` is the planner's own memory.
    """

    step: int = 0
    hits: list[Ranked] = field(default_factory=list)
    read: list[Piece] = field(default_factory=list)
    history: list[Step] = field(default_factory=list)
    notes: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of an acceptance check: what was measured, and what was needed.

    With `needed` "" it is a figure that no bar is set for: shown, and counted neither way.
    """

    name: str
    passed: bool
    measured: str
    needed: str
