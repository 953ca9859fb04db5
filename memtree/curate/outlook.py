"""The tree as a curator sees it: what it knows of a text, read from the index and the files.

What was handed out is remembered by its fingerprint, so that nothing is written over what changed
meanwhile. One look lasts for one part of a source; `renew` begins the next.
"""

from __future__ import annotations

from bisect import bisect_left
from math import log
from typing import TYPE_CHECKING

from memtree.curate.facts import facts_of
from memtree.curate.protocol import Known, KnownEntry
from memtree.curate.telling import paths_named
from memtree.errors import MemtreeError
from memtree.index.full_text import BOOSTS
from memtree.index.keys import key_of
from memtree.index.words import GAP, spaced
from memtree.tree.format import decode, find_front
from memtree.tree.markdown import parse_for_index
from memtree.tree.read import read_entry_bytes
from memtree.tree.receipt import ABSENT, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.curate.apply import TextChange
    from memtree.index.catalog import Catalog
    from memtree.index.full_text import FullText
    from memtree.knowledge.plan import Operation

TELLING = 10
"""Words of a text that are looked for: its rarest. More cost time and find little else."""
LETTERS = 4_000
"""Characters of a text that are looked at for them."""
REMEMBERED = 1_000
"""Entries that are not parsed again while their bytes are the same: some 5 MB."""
_MOST = 8
_FIELDS = tuple((name, boost) for name, boost in BOOSTS if name in ("body", "title", "heading"))


class TreeOutlook:
    """An `Outlook` on the tree at `root`; see `memtree.curate.protocol`.

    `shadow` holds contents of files (None: gone) that a dry run would have written by now: they
    are seen instead of what is on disk.
    """

    def __init__(self, root: str, catalog: Catalog, full_text: FullText) -> None:
        self._root = root
        self._parsed: dict[str, KnownEntry] = {}
        # Word -> (path, number of the fact) of what a dry run would have written.
        self._written: dict[str, set[tuple[str, int]]] = {}
        self.shadow: dict[str, bytes | None] = {}
        self.renew(catalog, full_text)

    def renew(self, catalog: Catalog, full_text: FullText) -> None:
        """Look anew, at an index that is current; what was seen before is forgotten."""
        self._catalog = catalog
        self._full_text = full_text
        self._frequencies: dict[str, int] = {}
        self.forget()

    def forget(self) -> None:
        """Read the files anew; the index is the one that was given."""
        self.seen: dict[str, bytes] = {}
        self._entries: dict[str, KnownEntry | None] = {}
        self._paths: list[str] | None = None

    def recall(self, text: str, *, limit: int = 8) -> Sequence[Known]:
        """The passages that share the most telling words with a text, best first."""
        full_text = self._full_text
        words = self._telling(text)
        if not words:
            return []
        query = full_text.any_of(
            [
                full_text.boosted(full_text.term(field, word), boost)
                for word in words
                for field, boost in _FIELDS
            ]
        )
        found = full_text.search(query, limit)
        rows = self._catalog.rows({each.entry for each in found})
        known = [
            Known(
                path=row.path,
                title=row.title,
                text=full_text.text(each),
                lines=(each.first, each.last),
                score=each.score,
            )
            for each in found
            if (row := rows.get(each.entry)) is not None and row.fts and row.path not in self.shadow
        ]
        if not self._written:
            return known
        return sorted([*known, *self._unwritten(words)], key=lambda each: -each.score)[:limit]

    def _unwritten(self, words: Sequence[str]) -> list[Known]:
        """The facts of a dry run that share words with a text, scored roughly as BM25 does."""
        total = 1 + self._full_text.passages + len(self.shadow)
        scores: dict[tuple[str, int], float] = {}
        for word in words:
            places = self._written.get(word, ())
            weight = 2.0 * log(1 + total / (1 + self._frequencies.get(word, 0) + len(places)))
            for place in places:
                scores[place] = scores.get(place, 0.0) + weight
        found = []
        for path, number in sorted(scores, key=lambda place: (-scores[place], place))[:_MOST]:
            entry = self.entry(path)
            if entry is not None and number < len(entry.facts):
                fact = entry.facts[number]
                found.append(
                    Known(
                        path=path,
                        title=entry.title,
                        text=fact.text,
                        lines=(fact.line, fact.line),
                        score=scores[path, number],
                    )
                )
        return found

    def see(self, changes: Iterable[TextChange]) -> None:
        """See from now on what a dry run would have written."""
        paths = {change.path for change in changes}
        self.shadow |= {change.path: change.after for change in changes}
        for places in self._written.values():
            places -= {place for place in places if place[0] in paths}
        self.forget()
        for path in paths:
            entry = self.entry(path)
            for number, fact in enumerate(entry.facts if entry is not None else ()):
                for word in set(self._full_text.stems.analyze(spaced(fact.text))) - {GAP}:
                    self._written.setdefault(word, set()).add((path, number))

    def _telling(self, text: str) -> list[str]:
        """The rarest words of a text that the tree knows."""
        full_text = self._full_text
        known: dict[str, int] = {}
        for word in dict.fromkeys(full_text.stems.analyze(spaced(text[:LETTERS]))):
            if word == GAP:
                continue
            count = self._frequencies.get(word)
            if count is None:
                count = full_text.frequency("body", word) + full_text.frequency("title", word)
                self._frequencies[word] = count
            count += len(self._written.get(word, ()))
            if count:
                known[word] = count
        return sorted(known, key=lambda word: (known[word], word))[:TELLING]

    def entry(self, path: str) -> KnownEntry | None:
        """The entry at a path, read from its file; None when there is none that can be read."""
        if path not in self._entries:
            self._entries[path] = self._read(path)
        return self._entries[path]

    def _read(self, path: str) -> KnownEntry | None:
        if path in self.shadow:
            raw = self.shadow[path]
        else:
            try:
                raw = read_entry_bytes(self._root, path)
            except (MemtreeError, ValueError, OSError):
                raw = None
        if raw is None or b"\0" in raw:
            return None
        seen = fingerprint(raw)
        if path not in self.shadow:
            self.seen[path] = seen
        known = self._parsed.get(path)
        if known is None or known.fingerprint != seen:
            if len(self._parsed) >= REMEMBERED:
                self._parsed.clear()
            known = self._parsed[path] = _parsed(path, raw, seen)
        return known

    def named(self, name: str) -> Sequence[str]:
        """Paths of the entries with this title, alias, id or path, in order."""
        found = {row.path for row, _ in self._catalog.by_key(key_of(name))}
        row = self._catalog.by_path(name)
        return sorted(found | ({row.path} if row is not None else set()))

    def paths(self, folder: str = "") -> Sequence[str]:
        """All entries below a folder, in order; "" for the whole tree."""
        if self._paths is None:
            new = [path for path, raw in self.shadow.items() if raw is not None]
            gone = {path for path, raw in self.shadow.items() if raw is None}
            known = [row.path for row in self._catalog.all_rows() if row.path not in gone]
            self._paths = sorted({*known, *new})
        if not folder:
            return tuple(self._paths)
        low, high = f"{folder}/", f"{folder}0"  # "0" follows "/" in every ordering of bytes
        return tuple(self._paths[bisect_left(self._paths, low) : bisect_left(self._paths, high)])

    def count(self) -> int:
        """How many entries the tree holds."""
        return self._catalog.count()

    def bases(self, operation: Operation) -> dict[str, bytes]:
        """The fingerprints of the entries that an operation speaks of; ABSENT for none."""
        entries = {path: self.entry(path) for path in paths_named(operation)}
        return {
            path: ABSENT if entry is None else entry.fingerprint for path, entry in entries.items()
        }

    def expect(self) -> Mapping[str, bytes]:
        """The fingerprints of all entries that were handed out since the last `renew`."""
        return dict(self.seen)


def _parsed(path: str, raw: bytes, seen: bytes) -> KnownEntry:
    text, _ = decode(raw)
    front = find_front(text)
    meta = front.meta
    names = {key: meta.get(key) for key in ("id", "title", "type")}
    if not all(isinstance(name, str) and name for name in names.values()):
        read = parse_for_index(path, raw)  # what a person left out has its own rules
        names = {"id": read.id, "title": read.title, "type": read.type}
    return KnownEntry(
        path=path,
        id=str(names["id"]),
        title=str(names["title"]),
        type=str(names["type"]),
        meta=meta,
        body=text[front.body :],
        facts=facts_of(text, front),
        fingerprint=seen,
    )
