"""`plugins list`, `show`, `verify`: what plugins there are, in which state, whether they hold.

All of it is computed here and now: a status from what is on this machine, a check by doing it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from memtree.hosting import registry
from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab, run
from memtree.hosting.registry import Broken
from memtree.plugins.api import UNAVAILABLE, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.app import Tree
    from memtree.hosting.registry import Loaded
    from memtree.plugins.api import Check

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One plugin as it is listed; `enabled` in this tree, `ours` if it came with memtree."""

    name: str
    seeds: tuple[str, ...]
    status: str
    modes: tuple[str, ...]
    hooks: tuple[str, ...]
    title: str = ""
    source: str = ""
    paradigm: str = ""
    version: str = ""
    enabled: bool = False
    ours: bool = True
    requires: tuple[str, ...] = ()
    enhances: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The JSON object of the contract, and more."""
        return asdict(self)


def told(tree: Tree, names: Sequence[str] = ()) -> Iterator[Told]:
    """Every plugin, or these, as they stand in a tree. Raises Unavailable for one unknown."""
    wanted = tree.host.wanted
    for name in names or registry.names(tiers=True):
        loaded = registry.load(name)
        on = name in wanted.enabled
        if isinstance(loaded, Broken):
            status = Status(state=UNAVAILABLE, reason=loaded.reason)
            yield Told(name=name, seeds=(), status=str(status), modes=(), hooks=(), enabled=on,
                       ours=False)  # fmt: skip
            continue
        manifest = loaded.manifest
        yield Told(
            name=name, seeds=manifest.seeds, status=str(WorkDesk(tree, loaded).status),
            modes=manifest.modes, hooks=loaded.hooks, title=manifest.title,
            source=manifest.source, paradigm=manifest.paradigm, version=manifest.version,
            enabled=on or manifest.source == "memtree", ours=loaded.ours,
            requires=manifest.requires, enhances=manifest.enhances,
        )  # fmt: skip
    for name in wanted.enabled:
        if not names and name not in registry.names():
            yield Told(name=name, seeds=(), status="unavailable (it is not installed)", modes=(),
                       hooks=(), enabled=True, ours=False)  # fmt: skip


def verify(
    names: Sequence[str] = (), *, data: str = "", skipped: Callable[[str, str, str], None],
    progress: Progress | None = None,
) -> Iterator[tuple[str, Check]]:  # fmt: skip
    """Run the self-tests of plugins, all or these: (plugin, check) as each is done.

    `skipped` is called with plugin, check and reason of what can't be measured here. Raises
    Unavailable for a name that is unknown.
    """
    from memtree.plugins.api import Check

    chosen: list[tuple[str, Loaded | Broken]] = [
        (name, registry.load(name)) for name in names or registry.names()
    ]
    for number, (name, loaded) in enumerate(chosen):
        if progress is not None:
            progress(f"verifying {name}", number, len(chosen))
        if isinstance(loaded, Broken):
            yield name, Check(name="loads", passed=False, measured=loaded.reason, needed="no error")
            continue
        with ScratchLab(type(loaded.plugin), data=data) as lab:
            for check in run(lab):
                yield name, check
            for what, reason in lab.skipped:
                skipped(name, what, reason)
    if progress is not None:
        progress("verifying", len(chosen), len(chosen))
