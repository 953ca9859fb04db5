"""An open tree, as far as it answers: settings, an index that follows the files, questions.

`memtree.app.Tree` is this and what changes the tree. Nothing here writes knowledge.
"""

from __future__ import annotations

import os
import time

from memtree import config as settings
from memtree.errors import MemtreeError, StorageFailed
from memtree.index.catalog import Damaged, DatabaseError
from memtree.index.full_text import Unusable
from memtree.index.vectors import NoVectors
from memtree.retrieve.engine import CACHE, Engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Thread
    from typing import Self

    from memtree.embed.protocol import Embedder
    from memtree.index.embedding import Following
    from memtree.index.refresh import RefreshReport
    from memtree.knowledge.query import Answer, Query
    from memtree.retrieve.tier import Company, Tier
    from memtree.tree.links import LinkIndex
    from memtree.tree.watch import Watcher

    Progress = Callable[[str, int, int], None]

# Seconds that a question waits for vectors of a slow model; `embed` makes the rest.
PATIENCE = 1.0
_TRIES = 5  # to open an index that other processes are rebuilding
_A_LITTLE = 0.3  # seconds for which a watcher looks at nothing else
# What a damaged or foreign cache can raise: it is rebuilt, for the files are the truth.
BROKEN = (
    Damaged, Unusable, DatabaseError, ValueError, EOFError, TypeError, AttributeError, LookupError,
)  # fmt: skip


class Embedded:
    """What making vectors did: passages `embedded` and `kept`, and entries `left` to do."""

    __slots__ = ("embedded", "kept", "left")

    def __init__(self, embedded: int, kept: int, left: int) -> None:
        self.embedded = embedded
        self.kept = kept
        self.left = left


class Asking:
    """The part of an open tree that answers: settings, index, questions."""

    def __init__(self, root: str, *, max_age: float = 0.0) -> None:
        self.root = root
        self.max_age = max_age
        self._config: settings.Config | None = None
        self._engine: Engine | None = None
        self._seen = -1e9
        self._progress: Progress | None = None
        # How many passages a student learned from in the background, and the thread that does it.
        self._lesson: tuple[int, Thread | None] = (0, None)
        self._links: tuple[int, LinkIndex] | None = None
        # Who takes part in the question that is being answered: memtree.hosting.
        self._company: Company | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._links = None

    @property
    def config(self) -> settings.Config:
        """The settings, read again when their file changes."""
        if self._config is None or not self._config.holds(self.root):
            self._config = settings.load(self.root, is_pattern=_is_pattern)
        return self._config

    # -- the index --------------------------------------------------------------------------

    def refresh(
        self, *, rebuild: bool = False, progress: Progress | None = None,
        wait_s: float | None = None,
    ) -> RefreshReport:  # fmt: skip
        """Bring the index up to the files; `rebuild` starts from nothing."""
        from memtree.index.refresh import refresh
        from memtree.tree.lock import wait_quiet

        wait_quiet(self.root)
        if rebuild:
            self.close()
        config = self.config
        report = refresh(
            self.root,
            os.path.join(self.root, CACHE),
            language=config.text("search.language"),
            ignore=config.texts("search.ignore"),
            config=config.signature,
            facts=_facts(config),
            rebuild=rebuild,
            wait_s=config.number("index.wait") if wait_s is None else wait_s,
            progress=progress,
        )
        self._seen = time.monotonic()
        if report.rebuilt or (self._engine and self._engine.catalog.is_replaced()):
            self.close()
        elif self._engine is not None:
            self._engine.reload()
            self._engine.behind = report.behind
        return report

    def watch(self) -> Iterator[RefreshReport]:
        """Keep the index fresh until interrupted; yields the report of every refresh.

        Raises Refused when another process watches this tree already.
        """
        from memtree.tree.watch import Watcher

        with Watcher(self.root) as watcher:
            yield self.refresh()
            self._embed_idly(watcher)
            for answer in watcher.rounds():
                report = self.refresh(wait_s=2.0)
                answer(report.pending == 0)
                yield report
                self._embed_idly(watcher)

    def engine(self, *, progress: Progress | None = None) -> Engine:
        """The open index, current with the files."""
        if self._engine is not None and time.monotonic() - self._seen < self.max_age:
            return self._engine
        if self._engine is not None and self._engine.catalog.is_replaced():
            self.close()  # another process rebuilt the index under us
        try:
            if self._engine is None:
                self._engine = Engine(self.root)
            self._engine.meanings.follow = self._follow
            self._engine.consult = self._consult
            self._engine.company = self._company
            self._progress = progress
            if self._engine.is_current():
                self._seen = time.monotonic()
                return self._engine
        except BROKEN:
            self.close()
        engine = self._caught_up(progress)
        engine.meanings.follow = self._follow
        engine.consult = self._consult
        engine.company = self._company
        return engine

    def held(self) -> Engine:
        """The open index as it is: for who looks twice and has to see the same."""
        return self._engine if self._engine is not None else self.engine()

    def _caught_up(self, progress: Progress | None) -> Engine:
        """The index after a refresh, or as it was where it can't be written."""
        for attempt in range(_TRIES):
            try:
                report = self.refresh(progress=progress)
                self._engine = self._engine or Engine(self.root)
                self._engine.behind = report.behind
            except StorageFailed:
                return self._as_it_was()
            except BROKEN:
                # Another process rebuilt the index between our refresh and our look at it.
                self.close()
                if attempt + 1 == _TRIES:
                    raise
                time.sleep(0.1 * (attempt + 1))
            else:
                return self._engine
        raise AssertionError("unreachable")

    def _follow(self, embedder: Embedder) -> None:
        """Give vectors to what has none: all of it, or as much as a question may wait for."""
        if self._engine is None:
            return
        self._following(self._engine, embedder, self._progress).run(
            budget_s=None if embedder.foreground else PATIENCE, wait_s=PATIENCE
        )

    def embed(self, *, progress: Progress | None = None) -> Embedded:
        """Make all vectors that are missing, however long it takes.

        What was made is kept when this is interrupted. Raises NoVectors when the settings name no
        model, or one that can't be used.
        """
        for _ in range(3):
            engine = self.engine(progress=progress)
            following = self._following(engine, engine.embedder(), progress)
            try:
                left = following.run(wait_s=self.config.number("index.wait"))
            except BaseException as error:
                # Another process is rebuilding the index: what it makes is looked at anew.
                if not isinstance(error, BROKEN) and type(error).__name__ != "PanicException":
                    raise
                self.close()
                continue
            if not left:
                self._teach(engine, engine.embedder(), progress)
            return Embedded(following.embedded, following.kept, left)
        return Embedded(0, 0, self.engine().catalog.count())

    def _teach(
        self, engine: Engine, embedder: Embedder, progress: Progress | None = None, *,
        aside: bool = False,
    ) -> None:  # fmt: skip
        """Let a large model's student learn the tree's own words, when that is due.

        `aside`: while this thread goes on, once for each number of passages. Raises StorageFailed.
        """
        from memtree.embed.student import MOST, Student
        from memtree.index.alone import cannot_write
        from memtree.index.embedding import examples
        from memtree.index.vectors import Vectors

        folder = os.path.join(self.root, CACHE)
        if not isinstance(embedder, Student):
            return
        count = len(Vectors(folder))
        if not embedder.is_due(count):
            return
        if not aside:
            texts, vectors = examples(folder, engine.catalog, engine.full_text, MOST)
            try:
                embedder.learn(texts, vectors, passages=count, progress=progress)
            except OSError as error:
                raise cannot_write(error.strerror or str(error)) from error
        elif count != self._lesson[0] and not (self._lesson[1] and self._lesson[1].is_alive()):
            texts, vectors = examples(folder, engine.catalog, engine.full_text, MOST)
            self._lesson = count, embedder.learn_aside(texts, vectors, passages=count)

    def _following(
        self, engine: Engine, embedder: Embedder, progress: Progress | None
    ) -> Following:
        from memtree.index.embedding import Following

        folder = os.path.join(self.root, CACHE)
        return Following(folder, engine.catalog, engine.full_text, embedder, progress)

    def _embed_idly(self, watcher: Watcher) -> None:
        """Make vectors until there is something better to do."""
        try:
            if self._engine is None:
                self._engine = Engine(self.root)
            self._engine.reload()
            embedder = self._engine.embedder()
            while not watcher.is_wanted():
                following = self._following(self._engine, embedder, None)
                left = following.run(budget_s=_A_LITTLE, wait_s=0.0)
                if not left:
                    self._teach(self._engine, embedder, aside=True)
                if not left or not (following.embedded or following.kept):
                    return
        except (*BROKEN, NoVectors, MemtreeError):
            return  # doctor says it, and so does every answer

    def _as_it_was(self) -> Engine:
        """The index of a tree that can't be written; raises StorageFailed when there is none."""
        from memtree.index.refresh import behind

        try:
            self._engine = self._engine or Engine(self.root)
            self._engine.behind = behind(self.root, os.path.join(self.root, CACHE))
        except BROKEN as error:
            raise StorageFailed(
                "this tree has no index, and none can be written",
                hint="make .memtree writable, or copy the tree to where you may write",
            ) from error
        return self._engine

    def _ask(self, question: Callable[[Engine], Answer]) -> Answer:
        """Ask the index; one that turns out to be broken is rebuilt, once."""
        try:
            return question(self.engine())
        except BaseException as error:
            # Tantivy panics over a damaged file, which is no Exception.
            if not isinstance(error, BROKEN) and type(error).__name__ != "PanicException":
                raise
        self.close()
        self.refresh(rebuild=True)
        return question(self.engine())

    # -- asking -----------------------------------------------------------------------------

    def search(self, query: Query | str) -> Answer:
        """Rank the entries that fit: every model-free tier, up to `limit` hits."""
        return self._noted(self._ask(lambda engine: engine.search(_as_query(query))))

    def query(self, query: Query | str) -> Answer:
        """Answer from the cheapest tier that is sure, or say that the tree holds no answer.

        Where the settings name a language model, what no tier is sure of is asked of that.
        """
        return self._noted(self._ask(lambda engine: engine.query(_as_query(query))))

    def _consult(self, query: Query) -> Tier:
        """Tier 5 for a question: without a model, of which `memtree.consulting` knows."""
        del query
        from memtree.retrieve.agentic.means import Means
        from memtree.retrieve.agentic.tier import AgenticTier

        return AgenticTier(Means())

    def _noted(self, answer: Answer) -> Answer:
        """Note what was shown; it earns nothing, and an evaluation (`batch`) is no use at all."""
        from memtree.tree.use_log import note_shown

        note_shown(self.root, answer.hits, time.time())
        return answer

    def batch(self, queries: Iterable[Query | str]) -> Iterator[Answer]:
        """Search for each, looking at the files once."""
        engine = self.engine()
        for query in queries:
            yield engine.search(_as_query(query))


def _facts(config: settings.Config) -> dict[str, object]:
    """The settings that a search needs, for the index to keep: it never reads the file."""
    return {
        "embedding": {
            name: value
            for name, value in config.values.items()
            if name.startswith("embed.") and not settings.is_personal(name)
        },
        "lifecycle": {
            name.partition(".")[2]: value
            for name, value in config.values.items()
            if name.startswith("lifecycle.")
        },
    }


def _as_query(query: Query | str) -> Query:
    if isinstance(query, str):
        from memtree.knowledge.query import Query

        return Query(query)
    return query


def _is_pattern(text: str) -> bool:
    from memtree.tree.ignore import is_pattern

    return is_pattern(text)
