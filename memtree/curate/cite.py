"""From evidence to an item of `sources`: the file and lines that a claim rests on, or who said it.

A source that lies where anchors may lead is anchored, so that `memtree verify` can tell when it
changed. Of any other only the name is kept, never where it lay on a machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.curate.compose import one_line
from memtree.errors import MemtreeError
from memtree.knowledge.anchor import span
from memtree.tree.anchors import contents, meant, retaken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.knowledge.plan import Claim, Evidence
    from memtree.knowledge.source import Part, Passage, Source

_NAMES = {"-": "stdin", "": "text"}
_LONGEST = 200


class Citing:
    """Makes the items of `sources` for the claims of some parts; callable as `compose.Cite`."""

    def __init__(self, root: str, parts: Iterable[Part], *, at: str) -> None:
        self._root = root
        self._at = at
        self._passages: dict[str, list[Passage]] = {}
        self._sources: dict[str, Source] = {}
        self._files: dict[str, tuple[str, list[bytes] | None]] = {}
        for part in parts:
            self._sources[part.source.name] = part.source
            self._passages.setdefault(part.source.name, []).extend(part.passages)

    def __call__(self, evidence: Evidence, claim: Claim) -> dict[str, object]:
        """Name the file, its lines with their digest, and of a message who said it and when."""
        source = self._sources.get(evidence.source)
        passage = self._passage(evidence)
        lines = evidence.lines if evidence.lines[0] > 0 else None
        resource, pieces = self._file(source) if source is not None else ("", None)
        item: dict[str, object] = {"resource": resource or self._name(evidence.source, source)}
        if pieces is not None and lines is not None:
            try:
                item |= {**retaken(pieces, resource, lines), "at": self._at}
            except MemtreeError:
                item["lines"] = span(lines)
        elif lines is not None and (
            source is None or source.path or not (passage and passage.turn)
        ):
            item["lines"] = span(lines)
        elif passage is not None and passage.turn:
            item["turn"] = passage.turn
        if source is not None and source.title and not resource:
            item["title"] = one_line(source.title)[:_LONGEST]
        said = {
            "speaker": claim.speaker or (passage.speaker if passage else ""),
            "time": claim.said or (passage.time if passage else ""),
            "session": passage.session if passage else "",
        }
        item |= {key: one_line(value)[:_LONGEST] for key, value in said.items() if value}
        return item

    def _passage(self, evidence: Evidence) -> Passage | None:
        first, last = evidence.lines
        best = None
        for passage in self._passages.get(evidence.source, ()):
            if passage.lines[0] <= last and first <= passage.lines[1]:
                if evidence.quote in passage.text:
                    return passage
                best = best or passage
        return best

    def _file(self, source: Source) -> tuple[str, list[bytes] | None]:
        """The path from the ground and the lines of a source's file; "" and None for no anchor."""
        if not source.path:
            return "", None
        known = self._files.get(source.path)
        if known is None:
            try:
                resource, _ = meant(self._root, source.path, start=os.sep)
                pieces = contents(self._root, resource)
            except MemtreeError:
                resource, pieces = "", None
            known = (resource, pieces) if pieces is not None else ("", None)
            self._files = {source.path: known}  # one at a time: sources come one after another
        return known

    def _name(self, name: str, source: Source | None) -> str:
        if source is not None and source.path:
            name = source.path
        elif "#" in name:
            name = name.partition("#")[0]
        name = os.path.basename(name.rstrip("/\\")) or name
        return one_line(_NAMES.get(name, name))[:_LONGEST] or "text"
