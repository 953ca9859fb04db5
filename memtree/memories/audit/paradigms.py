"""The survey's taxonomy of memory, and which installed memory models stand where in it.

Implicit memory is in the weights of a model, explicit memory outside of them (text, vectors,
graphs), agentic memory is kept over the steps of a task or over tasks. The survey likens them to
the neocortex, the hippocampus and the prefrontal cortex (arXiv 2601.09113, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points

from memtree.plugins import Manifest, Report
from memtree.plugins.api import GROUP, PARADIGMS

IMPLICIT, EXPLICIT, AGENTIC, MULTIMODAL = "implicit", "explicit", "agentic", "multimodal"
BRAIN = {
    IMPLICIT: "neocortex", EXPLICIT: "hippocampus", AGENTIC: "prefrontal cortex",
    MULTIMODAL: "association areas",
}  # fmt: skip
"""The survey's branches, and what it likens each to."""


@dataclass(frozen=True, slots=True)
class Model:
    """An installed memory model."""

    name: str
    paradigm: str
    seeds: tuple[str, ...]
    title: str


def models() -> list[Model]:
    """The installed plugins by their manifests; one that can't be loaded is left out."""
    found = []
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        try:
            manifest = point.load().manifest
        except Exception:  # noqa: BLE001, S112  (somebody's plugin may raise anything; `plugins list` says so)
            continue
        if isinstance(manifest, Manifest):
            found.append(Model(manifest.name, manifest.paradigm, manifest.seeds, manifest.title))
    return found


def report() -> Report:
    """Which paradigms have a memory model, and which have none."""
    known = models()
    names = [*PARADIGMS, *sorted({each.paradigm for each in known} - set(PARADIGMS))]
    lines = []
    value = []
    for paradigm in names:
        own = [each for each in known if each.paradigm == paradigm]
        branch = paradigm.partition("-")[0]
        like = f" ({BRAIN[branch]})" if branch in BRAIN else ""
        lines.append(f"{paradigm}{like}: {len(own) or 'none'}")
        lines += [f"    {each.name}  {' '.join(each.seeds)}  {each.title}" for each in own]
        value += [{"paradigm": paradigm, "name": each.name, "seeds": list(each.seeds)}
                  for each in own]  # fmt: skip
    return Report(lines=lines, value=value)
