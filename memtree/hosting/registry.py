"""Which plugins are installed: found by their entry points, loaded one at a time, judged singly.

Looking at names imports nothing. A plugin that can't be imported, or that is no plugin, is a
`Broken` one: listed with the reason, never a traceback, and the rest goes on.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from operator import attrgetter

from memtree.errors import MemtreeError, Unavailable
from memtree.hosting.announced import announced
from memtree.hosting.tiers import host_plugins
from memtree.plugins.api import CAPABILITIES, GROUP, HOOKS, POINTS, STAGES, Manifest

# What every command line begins with, and no plugin may take.
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class Broken:
    """A plugin that can't be loaded: its name, and why."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason


class Loaded:
    """A plugin that is loaded: its manifest and itself. `ours` came with memtree."""

    def __init__(self, plugin: object, manifest: Manifest, *, ours: bool) -> None:
        self.plugin = plugin
        self.manifest = manifest
        self.ours = ours

    @property
    def name(self) -> str:
        """As its manifest and its entry point call it."""
        return self.manifest.name

    def has(self, hook: str) -> bool:
        """Whether it has a hook or a service point."""
        return callable(getattr(self.plugin, hook, None))

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks and service points that it has, in the order of the design."""
        return tuple(hook for hook in (*HOOKS, *POINTS) if self.has(hook))


@lru_cache(maxsize=1)
def _entry_points() -> dict[str, str]:
    """Name -> `module:Class`. Of two with one name ours wins, else the first on the path."""
    found: dict[str, str] = {}
    for name, value in announced(GROUP):
        if name not in found or value.startswith("memtree."):
            found[name] = value
    return found


def forget() -> None:
    """Look anew: something was installed meanwhile."""
    _entry_points.cache_clear()
    load.cache_clear()


def names(*, tiers: bool = False) -> list[str]:
    """The names of all plugins, in order; none is imported. With `tiers`, the host's own last."""
    return [*sorted(_entry_points()), *(host_plugins() if tiers else ())]


@lru_cache(maxsize=64)
def load(name: str) -> Loaded | Broken:
    """One plugin by its name. Raises Unavailable when none is called so."""
    own = host_plugins().get(name)
    if own is not None:
        return Loaded(own, own.manifest, ours=True)
    value = _entry_points().get(name)
    if value is None:
        raise unknown(name)
    try:
        module, _, attribute = value.partition(":")
        plugin = attrgetter(attribute)(import_module(module))()
        manifest = plugin.manifest
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (another's code, and the rest goes on)
        return Broken(name, f"it can't be loaded: {_said(error)}")
    reason = _wrong(name, plugin, manifest)
    if reason:
        return Broken(name, reason)
    return Loaded(plugin, manifest, ours=value.startswith("memtree."))


def unknown(name: str) -> MemtreeError:
    """No plugin is called so, with the nearest name as a hint."""
    from difflib import get_close_matches

    near = get_close_matches(name, names(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "memtree plugins list"
    return Unavailable(f"no plugin {name!r} is installed", hint=hint)


def _wrong(name: str, plugin: object, manifest: object) -> str:
    """What is wrong with a plugin; "" for nothing."""
    if not isinstance(manifest, Manifest):
        return "its manifest is no memtree.plugins.Manifest"
    if manifest.name != name or not set(name) <= _LETTERS or not name[:1].isalpha():
        return f"it is called {name!r} and {manifest.name!r}; one name of a-z, 0-9 and - is wanted"
    strange = [need for need in manifest.requires if need not in CAPABILITIES]
    if strange or manifest.stage not in STAGES:
        if strange:
            return f"it requires {strange[0]!r}, which is no capability"
        return f"its stage {manifest.stage!r} is no tier beside which plugins are asked"
    if not any(callable(getattr(plugin, hook, None)) for hook in (*HOOKS, *POINTS)):
        return "it has none of the hooks"
    return ""


def _said(error: BaseException) -> str:
    """An exception on one line."""
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
