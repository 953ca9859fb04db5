"""The plugins of one open tree at work: which take part, in which state, and every call of a hook.

A plugin fails alone. What goes wrong in it becomes a note with its name, and it is left out of the
rest of that question; the others, and the tree's own tiers, answer.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from memtree.errors import Unavailable, UsageError
from memtree.hosting import FILE, registry, settings
from memtree.hosting.calls import Trouble, call
from memtree.hosting.context import HostContext
from memtree.hosting.following import follow
from memtree.hosting.given import wrong
from memtree.hosting.registry import Broken
from memtree.plugins.api import ACTIVE, DEGRADED, UNAVAILABLE, Mode, Status
from memtree.plugins.context import NotReady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from memtree.app import Tree
    from memtree.hosting.registry import Loaded

    Progress = Callable[[str, int, int], None]

# Milliseconds of one call of a hook, unless the option `timeout_ms` says another number.
LIMITS = {
    "on_change": 600_000.0, "propose": 600_000.0, "plan": 120_000.0, "pack": 120_000.0,
    "guard": 10_000.0, "lifecycle": 1_000.0, "retrieve": 2_000.0, "refine": 2_000.0,
    "mode": 2_000.0,
}  # fmt: skip
# With a language model at work, which is slow by itself.
AWAKE = 120_000.0
NONE = "none"
"""The name that leaves out all plugins: `--with none`."""


class Player:
    """A plugin that takes part: what it is, in which state, with which context."""

    __slots__ = ("context", "is_out", "is_ready", "loaded", "ms", "named", "status")

    def __init__(
        self, loaded: Loaded, status: Status, context: HostContext, *, named: bool
    ) -> None:
        self.loaded = loaded
        self.status = status
        self.context = context
        # Asked for by name in this question: it takes part, or the question fails.
        self.named = named
        self.is_out = False
        self.is_ready = False
        self.ms = 0.0

    @property
    def name(self) -> str:
        """The plugin's."""
        return self.loaded.name

    @property
    def by(self) -> str:
        """How an answer names it: `hippo`, or `hippo[graph=cooccurrence]` when degraded."""
        return f"{self.name}[{self.status.mode}]" if self.status.state == DEGRADED else self.name


class Host:
    """All plugins of an open tree."""

    def __init__(
        self, tree: Tree, *, only: Loaded | None = None,
        capabilities: frozenset[str] | None = None, options: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        self.tree = tree
        # In a lab: the one plugin that there is, and what its scripted model can do.
        self._only = only
        self._capabilities = capabilities
        self._options = dict(options or {})
        self._wanted: settings.Wanted | None = None
        # Plugin -> up to which state of the tree it was told, and what the file says that says so.
        self.followed: dict[str, tuple[list[object], str, object]] = {}

    @property
    def wanted(self) -> settings.Wanted:
        """What `plugins.toml` says, read again when it changes."""
        now = settings.signature(self.tree.root)
        if self._wanted is None or self._wanted.signature != now:
            self._wanted = settings.read(self.tree.root)
        return self._wanted

    @property
    def enabled(self) -> tuple[str, ...]:
        """The names that take part unasked, in order: in a lab its plugin alone."""
        return (self._only.name,) if self._only is not None else self.wanted.enabled

    # -- who takes part ---------------------------------------------------------------------

    def players(
        self, named: Sequence[str] = (), *, options: Mapping[str, object] | None = None,
        wake: bool = False, alone: bool = False, now: str = "", progress: Progress | None = None,
        hooks: Sequence[str] = (),
    ) -> tuple[list[Player], list[str]]:  # fmt: skip
        """Those that take part, in order, and notes about those that can't.

        Enabled ones in the order of the file, then those of `named` that are not; with `alone` only
        these. `options` are of this question: `name.option`, or an option of every plugin. With
        `hooks`, an enabled plugin that has none of them is not even made ready. Raises Unavailable
        for one of `named` that can't be used.
        """
        notes: list[str] = []
        if NONE in named:
            return [], notes
        enabled = self.enabled if not alone else ()
        if self.wanted.problem and not alone:
            notes.append(self.wanted.problem)
        found = []
        for name in dict.fromkeys([*enabled, *named]):
            is_named = name in named
            try:
                loaded = self.load(name)
            except Unavailable:
                if is_named:
                    raise
                notes.append(f"the plugin {name} is enabled here and not installed")
                continue
            if not isinstance(loaded, Broken) and hooks and not is_named \
                    and not any(loaded.has(hook) for hook in hooks):  # fmt: skip
                continue
            player = self._player(
                loaded, options or {}, named=is_named, wake=wake, now=now, progress=progress
            )
            if isinstance(player, Player):
                found.append(player)
            elif is_named:
                raise Unavailable(
                    f"the plugin {name} can't be used: {player}",
                    hint=f"memtree plugins show {name}",
                )
            else:
                notes.append(f"the plugin {name} was left out: {player}")
        return found, [*notes, *self._idle(options or {}, {*enabled, *named})]

    def _idle(self, options: Mapping[str, object], partners: set[str]) -> Iterator[str]:
        """What is to be said of options that nobody takes. Raises Unavailable for no plugin."""
        for key in options:
            owner = key.rpartition(".")[0]
            if owner and owner not in partners:
                self.load(owner)
                yield f"{key} was set, and {owner} takes no part (--with {owner})"

    def load(self, name: str) -> Loaded | Broken:
        """One plugin by its name. Raises Unavailable when none is called so."""
        if self._only is not None and name == self._only.name:
            return self._only
        return registry.load(name)

    def _player(
        self, loaded: Loaded | Broken, options: Mapping[str, object], *, named: bool, wake: bool,
        now: str, progress: Progress | None,
    ) -> Player | str:  # fmt: skip
        if isinstance(loaded, Broken):
            return loaded.reason
        context = self.context(loaded, options, wake=wake, now=now, progress=progress)
        status = self.status(loaded, context)
        if status.state == UNAVAILABLE:
            return status.reason
        return Player(loaded, status, context, named=named)

    def context(
        self, loaded: Loaded, options: Mapping[str, object] | None = None, *, wake: bool = False,
        now: str = "", progress: Progress | None = None,
        capabilities: frozenset[str] | None = None,
    ) -> HostContext:  # fmt: skip
        """A context for one plugin, with its options: the tree's, then those of the question.

        Raises UsageError for an option of the question that the plugin has not.
        """
        name, known = loaded.name, loaded.manifest.options
        own, said = settings.understood(name, known, self.wanted.options.get(name, {}))
        parts = [(key.rpartition("."), value) for key, value in (options or {}).items()]
        of_all = {option: value for (owner, _, option), value in parts if not owner}
        asked, _ = settings.understood(name, known, of_all)
        more, strange = settings.understood(
            name, known, {option: value for (owner, _, option), value in parts if owner == name}
        )
        if strange:
            raise UsageError(strange[0], hint=f"memtree plugins show {name}")
        own |= {**self._options, **asked, **more}
        context = HostContext(
            self.tree, loaded.manifest, now=now or str(own.pop("now", "")) or _now(), options=own,
            wake=wake, progress=progress, capabilities=capabilities or self._capabilities,
        )  # fmt: skip
        for line in said:
            context.note(f"{FILE}: {line}")
        return context

    def status(self, loaded: Loaded, context: HostContext) -> Status:
        """How a plugin would run here: computed from what it needs, and from what it says."""
        missing = self._missing(loaded, context)
        mode: object = Mode(label=loaded.manifest.modes[0])
        if not missing and loaded.has("mode"):
            try:
                mode = self._called(loaded, "mode", context, context)
            except Trouble as trouble:
                missing = trouble.reason
            except NotReady:
                missing = "its mode can't be told before it is ready"
        if not isinstance(mode, Mode):
            missing, mode = "its mode is no memtree.plugins.Mode", Mode()
        if missing or not mode.usable:
            return Status(state=UNAVAILABLE, reason=missing or mode.reason)
        if mode.label == loaded.manifest.modes[0]:
            return Status(state=ACTIVE, mode=mode.label)
        return Status(state=DEGRADED, mode=mode.label, reason=mode.reason)

    def _missing(self, loaded: Loaded, context: HostContext) -> str:
        """What a plugin requires and is not there; "" for nothing."""
        for need in loaded.manifest.requires:
            if need == "embedder":
                if context.embedder is None:
                    return "it needs vectors, and embed.model names no model that can be used"
                continue
            if not self.tree.has_model():
                return "it needs a language model, and none is set (memtree models list)"
            _, _, capability = need.partition(".")
            model = context.llm
            if capability and model is not None and capability not in model.capabilities:
                return f"it needs a language model with {capability}; {model.name} has none"
        return ""

    # -- calling ----------------------------------------------------------------------------

    def ask(self, player: Player, hook: str, *args: object) -> object:
        """What one hook of a player gives; None when it failed, and then it is out.

        The context is the last argument of every hook and is added here. Raises UsageError where
        the plugin was asked for by name and does not understand an option.
        """
        if player.is_out:
            return None
        started = time.perf_counter()
        try:
            return self._asked(player, hook, *args)
        except Trouble as trouble:
            is_slip = isinstance(trouble.__cause__, UsageError) and hook != "guard"
            if player.named and is_slip:
                raise trouble.__cause__ from None  # type: ignore[misc]
            player.is_out = True
            player.context.note(str(trouble))
            return None
        finally:
            player.ms += 1000 * (time.perf_counter() - started)

    def _asked(self, player: Player, hook: str, *args: object) -> object:
        """The same; what the plugin says is not ready is made first."""
        try:
            return self._called(player.loaded, hook, player.context, *args, player.context)
        except NotReady:
            if hook == "on_change":
                raise Trouble(player.name, hook, "it says that it is not ready") from None
        follow(self, player, full=True)
        if player.is_out:
            return None
        try:
            return self._called(player.loaded, hook, player.context, *args, player.context)
        except NotReady:
            raise Trouble(
                player.name, hook, "what it derives is not ready, though it was made just now"
            ) from None

    def _called(self, loaded: Loaded, hook: str, context: HostContext, *args: object) -> object:
        limit = context.options.get("timeout_ms")
        usual = max(LIMITS.get(hook, 0.0), AWAKE if context.llm is not None else 0.0)
        ms = float(limit) if isinstance(limit, int | float) and hook != "on_change" else usual
        tree = self.tree
        age, tree.max_age = tree.max_age, float("inf")  # what it looks at stays as it is
        try:
            given = call(
                getattr(loaded.plugin, hook), *args, plugin=loaded.name, hook=hook, ms=ms,
                root=tree.root, allowed=self.folders(loaded.name),
            )  # fmt: skip
        finally:
            tree.max_age = age
        if reason := wrong(hook, given):
            raise Trouble(loaded.name, hook, reason)
        return given

    def folders(self, name: str) -> tuple[str, ...]:
        """The folders of the tree that a plugin may write itself: what is derived."""
        from memtree.hosting.stores import CACHE

        return (os.path.join(self.tree.root, CACHE, name),)

    def ready(self, players: Sequence[Player]) -> Iterator[Player]:
        """Those whose derived data follows the tree, brought up to it where it has to be."""
        for player in players:
            if player.loaded.has("on_change") and not player.is_ready:
                follow(self, player)
                player.is_ready = True  # as long as a question takes, the tree stays as it is
            if not player.is_out:
                yield player


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
