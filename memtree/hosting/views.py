"""The tree and its search as a plugin sees them: values out of the index and the files, no handles.

The host's side of `memtree.plugins.context.TreeView` and `Searching`.
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, MemtreeError
from memtree.hosting.calls import outside
from memtree.index.keys import key_of
from memtree.index.words import spaced
from memtree.knowledge.query import Query
from memtree.plugins.api import EntryRef, Piece, Ranked, Ranking
from memtree.plugins.context import EntryView, Relation, Version
from memtree.retrieve.question import stop_words, to_query, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from memtree.app import Tree
    from memtree.index.full_text import Found
    from memtree.index.row import Row
    from memtree.retrieve.question import Word

# Transactions and revisions that are looked through for the past of one entry.
LOOKED_BACK = 1000
# Passages that are looked at for so many entries: the best of an entry may come late.
WIDER = 4


def ref_of(row: Row) -> EntryRef:
    """A row of the catalog as a plugin knows an entry."""
    return EntryRef(
        path=row.path, id=row.id or row.path.rpartition(".")[0], digest=row.digest.hex(),
        title=row.title, type=row.type, tags=row.tags, importance=row.importance,
        maturity=row.maturity, time=row.time,
    )  # fmt: skip


class TreeLook:
    """The tree, read-only."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def entries(self, scope: str = "") -> Sequence[EntryRef]:
        """All entries below a folder, by path."""
        rows = self._tree.held().catalog.all_rows(scope.strip("/"))
        return [ref_of(row) for row in rows]

    def folder(self, scope: str) -> str:
        """A folder as it is written in paths."""
        below = scope.strip("/")
        if below and not self.entries(below):
            raise EntryNotFound(
                f"there are no entries below '{scope}'", hint="memtree tree shows what there is"
            )
        return below

    def ref(self, path: str) -> EntryRef | None:
        """One entry by its path."""
        row = self._tree.held().catalog.by_path(path)
        return ref_of(row) if row is not None else None

    def get(self, path: str) -> EntryView | None:
        """One entry with its text, read from its file."""
        from memtree.tree.read import read_entry

        try:
            entry = read_entry(self._tree.root, path)
        except MemtreeError:
            return None
        return EntryView(
            path=entry.path, id=entry.id or entry.path.rpartition(".")[0], title=entry.title,
            type=entry.type, tags=entry.tags, meta=entry.meta, body=entry.body,
            first=max(1, entry.lines - _lines(entry.body) + 1), digest=entry.fingerprint.hex(),
        )  # fmt: skip

    def find(self, name: str) -> str | None:
        """The path of the one entry with this name; None for none or many."""
        from memtree.retrieve.naming import known

        try:
            return known(self._tree.held(), name)
        except MemtreeError:
            return None

    def passages(self, path: str) -> Sequence[Piece]:
        """The passages of an entry as the index has them."""
        engine = self._tree.held()
        row = engine.catalog.by_path(path)
        if row is None:
            return []
        return [
            Piece(path=path, text=engine.full_text.text(found), lines=(found.first, found.last))
            for found in engine.full_text.of([row.number])
        ]

    def relations(self, path: str) -> Sequence[Relation]:
        """Links and relations that lead from an entry to others."""
        return self._links(path, back=False)

    def backlinks(self, path: str) -> Sequence[Relation]:
        """Links and relations that lead to an entry."""
        return self._links(path, back=True)

    def _links(self, path: str, *, back: bool) -> list[Relation]:
        from memtree.connections import links_of

        try:
            links = links_of(self._tree, path)
        except MemtreeError:
            return []
        return [
            Relation(path=link.source, to=link.resolved, rel=link.rel)
            for link in (links.back if back else links.out)
            if link.resolved is not None and link.resolved != link.source
        ]

    def history(self, path: str) -> Sequence[Version]:
        """Earlier states of an entry in memtree's own history, newest first."""
        from memtree.tree import history

        found = []
        for receipt in history.transactions(self._tree.root, LOOKED_BACK):
            if any(change.path == path for change in receipt.changes):
                try:
                    before = history.content_before(self._tree.root, receipt.id, path)
                except MemtreeError:
                    continue
                text = None if before is None else before.decode("utf-8", "replace")
                found.append(Version(at=receipt.at, by=receipt.id, text=text))
        return found

    def facts(self, path: str) -> Sequence[tuple[str, str, bool]]:
        """The bullets under `## Facts`: block id, words, whether it still stands."""
        from memtree.curate.facts import facts_of
        from memtree.tree.read import read_entry_bytes

        try:
            raw = read_entry_bytes(self._tree.root, path)
        except MemtreeError:
            return []
        text = raw.decode("utf-8", "replace")
        return [(fact.id, fact.text, fact.stands) for fact in facts_of(text)]


class SearchLook:
    """Model-free search, with raw scores."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._idf: dict[str, float] = {}
        # What the tiers have found for the question at hand: they need not look again.
        self._found_already: tuple[str, str, Callable[[], Sequence[Ranked]]] | None = None

    def remember(self, text: str, scope: str, found: Callable[[], Sequence[Ranked]]) -> None:
        """Take what the tiers found for a question."""
        self._found_already = text, scope, found

    def full_text(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """Entries by their best passage."""
        best: dict[str, Ranked] = {}
        wide = WIDER * limit + 10
        for row, found in self._found(text, wide, scope):
            if row.path not in best and len(best) < limit:
                best[row.path] = self._ranked(row, found)
        return list(best.values())

    def passages(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """Passages; several of one entry are several hits."""
        return [self._ranked(row, found) for row, found in self._found(text, limit, scope)]

    def _found(self, text: str, limit: int, scope: str) -> Iterator[tuple[Row, Found]]:
        engine = self._tree.held()
        full_text = engine.full_text
        query = to_query(self._words(text), full_text)
        if query is None:
            return
        found = full_text.search(full_text.within(query, scope.strip("/")), limit)
        rows = engine.catalog.rows({each.entry for each in found})
        for each in found:
            row = rows.get(each.entry)
            if row is not None and row.fts:
                yield row, each

    def _ranked(self, row: Row, found: Found) -> Ranked:
        text = self._tree.held().full_text.text(found)
        lines = (found.first, found.last)
        return Ranked(path=row.path, score=found.score, why="words", text=text, lines=lines)

    def exact(self, name: str) -> Sequence[str]:
        """Paths of the entries called so."""
        found = self._tree.held().catalog.by_key(key_of(name))
        return list(dict.fromkeys(row.path for row, _ in found))

    def ranked(self, text: str, *, limit: int = 10, scope: str = "") -> Sequence[Ranked]:
        """What `memtree search` gives without plugins."""
        if self._found_already is not None and self._found_already[:2] == (text, scope.strip("/")):
            found = self._found_already[2]()
            if len(found) >= limit:
                return found[:limit]
        return self._answer(Query(text, limit=limit, scope=scope.strip("/"))).hits

    def tier(self, name: str, text: str, *, limit: int = 10, scope: str = "") -> Ranking:
        """What one tier alone finds."""
        return self._answer(Query(text, limit=limit, scope=scope.strip("/"), tier=name))

    def _answer(self, query: Query) -> Ranking:
        engine = self._tree.held()
        company, engine.company = engine.company, None
        try:
            ask = engine.query if query.tier else engine.search
            with outside():  # vectors that are missing are made
                answer = ask(query)
        finally:
            engine.company = company
        hits = [
            Ranked(path=hit.path, score=hit.score, why=hit.why, text=hit.snippet, lines=hit.lines)
            for hit in answer.hits
        ]
        return Ranking(hits=hits, sure=answer.status == "found", confidence=answer.confidence)

    def stems(self, text: str) -> tuple[str, ...]:
        """The words of a text as the index compares them."""
        return tuple(self._tree.held().full_text.stems.analyze(spaced(_sound(text))))

    def telling(self, text: str) -> tuple[str, ...]:
        """Those of them that are no stop words."""
        engine = self._tree.held()
        stop = stop_words(engine.language)
        plain = engine.full_text.plain.analyze(spaced(_sound(text)))
        return tuple(
            stem for word, stem in zip(plain, self.stems(text), strict=False) if word not in stop
        )

    def idf(self, stem: str) -> float:
        """ln(1 + (N - n + 0.5) / (n + 0.5)) over passages (Robertson & Zaragoza 2009)."""
        known = self._idf.get(stem)
        if known is None:
            full_text = self._tree.held().full_text
            holding = max(full_text.frequency(name, stem) for name in ("body", "title"))
            total = max(full_text.passages, holding)
            known = self._idf[stem] = log(1 + (total - holding + 0.5) / (holding + 0.5))
        return known

    def _words(self, text: str) -> list[Word]:
        engine = self._tree.held()
        return words_of(_sound(text), engine.full_text, stop_words(engine.language))


def _sound(text: str) -> str:
    """Text without lone surrogates, which no index can look up."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _lines(body: str) -> int:
    """How many lines a body has."""
    return body.count("\n") + (not body.endswith("\n")) if body else 0
