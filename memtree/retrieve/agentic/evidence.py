"""What was found on the way to an answer, under short handles: a model names those, never paths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.index.words import date_words
from memtree.retrieve.agentic.support import cleaned, speaks_to_a_model
from memtree.safety.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.retrieve.tier import Match

# Characters of a passage that a model reads, and of a short look at one.
READ, GLANCE = 1200, 300
_BLOCK = re.compile(r"\s\^[\w-]+\s*$")  # a block id says nothing


class Evidence:
    """Passages by handle (`E1`, `E2`, ...), in the order in which they were found."""

    def __init__(self, handles: Mapping[str, object] | None = None) -> None:
        """Start with none; `handles` are those of a trace, for what it found then."""
        self.by_handle: dict[str, Match] = {}
        self._known: dict[str, str] = {}
        self._then = {str(place): handle for handle, place in (handles or {}).items()}
        self.quarantined: list[str] = []

    def take(self, matches: Iterable[Match]) -> list[str]:
        """Give handles to passages; returns those of all that were given, known ones too.

        A passage that gives orders to a model is noted and gets none.
        """
        handles: list[str] = []
        for match in matches:
            if not match.text.strip():
                continue
            if speaks_to_a_model(match.text):
                if match.row.path not in self.quarantined:
                    self.quarantined.append(match.row.path)
                continue
            place = f"{match.row.path}:{match.first}"
            handle = self._known.get(place)
            if handle is None:
                new = f"E{len(self._then) + len(self._known) + 1}"
                handle = self._known[place] = self._then.get(place, new)
                self.by_handle[handle] = match
            handles.append(handle)
        return list(dict.fromkeys(handles))

    @property
    def places(self) -> dict[str, str]:
        """Handle -> path and first line of the passage."""
        return {handle: place for place, handle in self._known.items()}

    def block(self, handle: str, most: int = READ) -> str:
        """One passage as a model reads it: handle, title, who and when, and the text, indented.

        What looks like a key or a password is masked: it never gets into a prompt.
        """
        match = self.by_handle[handle]
        row = match.row
        text, _ = redact(match.text)
        about = [cleaned(redact(row.title)[0], 120), cleaned(row.speaker, 60), date_words(row.time)]
        head = f"[{handle}] " + " | ".join(part for part in about if part)
        lines = [cleaned(_BLOCK.sub("", line), most) for line in text[:most].splitlines()]
        body = "\n".join(f"  {line}" for line in lines if line)
        return f"{head}\n{body}"

    def packed(self, room: int, count: Callable[[str], int], first: Sequence[str] = ()) -> str:
        """As many passages as fit into `room` tokens, `first` ones and late ones before others.

        They stand in the order of their handles, so that what a model has read keeps its place.
        """
        order = [*first, *(handle for handle in reversed(self.by_handle) if handle not in first)]
        chosen: dict[str, str] = {}
        for handle in order:
            for most in (READ, GLANCE):
                block = self.block(handle, most)
                cost = count(block) + 1
                if cost <= room:
                    chosen[handle] = block
                    room -= cost
                    break
        return "\n".join(chosen[handle] for handle in self.by_handle if handle in chosen)
