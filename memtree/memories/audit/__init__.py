"""An audit of a tree: the four challenges that a survey of memory names, measured on the files.

After "The AI Hippocampus: How Far Are We From Human Memory?" (arXiv 2601.09113), a survey. It has
no mechanism of its own, so what it becomes here is a lens: capacity, alignment, factual consistency
and interoperability of a tree, each with findings that name entries; and its taxonomy (implicit,
explicit and agentic memory), under which `memtree audit --paradigms` lists the memory models that
are installed. Left out: anything that would need a model. Passages are not compared, and that is
said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.plugins import Check, Lab
    from memtree.plugins.desk import Command

__all__ = ["Audit"]


class Audit:
    """The plugin `audit`."""

    manifest = Manifest(
        name="audit",
        title="Capacity, alignment, consistency and interoperability of a tree",
        source="arXiv 2601.09113",
        seeds=("S16",),
        paradigm="report",
        commands=("audit",),
        options={"window": 8192, "skip": ""},
    )

    def commands(self) -> Mapping[str, Command]:
        """`memtree audit`."""
        from memtree.memories.audit.command import audit

        return {"audit": audit}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """Exactly what is wrong is reported, and nothing on a clean copy."""
        from memtree.memories.audit.verify import checks

        return checks(lab)
