"""Tier 1: the question is the name of an entry, letter for letter after Unicode normalisation.

A name is an id, a path with or without its suffix, a title, an alias, or a question that an entry
says it answers (`questions:` in its front matter).
"""

from __future__ import annotations

from memtree.index.keys import key_of, question_key
from memtree.retrieve.tier import Finding, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.tier import Ask

# What names an entry alone comes before what several may share.
_ORDER = {"id": 0, "path": 1, "title": 2, "question": 3, "alias": 4}


class ExactTier:
    """Equal keys. Sure when one entry answers to the name, or one with the strongest kind."""

    name = "exact"

    def find(self, ask: Ask) -> Finding:
        """Look the whole question up among the keys: one indexed read."""
        text = ask.query.text.strip()
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()
        if text[:2] == "[[" and text[-2:] == "]]":
            text = text[2:-2]
        keys = dict.fromkeys((key_of(text), question_key(text)))
        found: dict[int, tuple[int, Match]] = {}
        for key in keys:
            if not key:
                continue
            for row, kind in ask.catalog.by_key(key, ask.scope, limit=max(50, ask.limit)):
                rank = _ORDER.get(kind, 9)
                known = found.get(row.number)
                if known is None or rank < known[0]:
                    found[row.number] = rank, Match(row, 1.0, why=f"its {kind} is the question")
        ranked = sorted(found.values(), key=lambda item: (item[0], item[1].row.path))
        if not ranked:
            return Finding((), confidence=0.0, sure=False, why="no name is the question")
        best = ranked[0][0]
        same = sum(1 for rank, _ in ranked if rank == best)
        matches = [match for _, match in ranked]
        if same == 1:
            return Finding(matches, confidence=1.0, sure=True, why=matches[0].why)
        # Several entries of one title all carry the name: they are the answer together.
        return Finding(matches, confidence=0.95, sure=True, why=f"{same} entries carry the name")
