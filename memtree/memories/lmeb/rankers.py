"""The two rankers of LMEB that need no tree: plain BM25, and one vector a document."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy
from memtree.plugins.suite import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.memories.lmeb.bm25 import Bm25, Numbers
    from memtree.memories.lmeb.files import Collection, Task
    from memtree.plugins.context import EmbedderView, Vectors

MOST_TOKENS = 1024
"""Words and signs of a text that are embedded. The paper counts its models' tokens (section 4)."""
INSTRUCTION = "Instruct: {}\nQuery: {}"
STEMMED_K1 = 1.5
"""Of the paper's own BM25: bm25s as it comes, with an English stemmer and without stop words."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Rankers:
    """Indexes over the corpora of a collection, each made when it is first asked for.

    `instructions` stand before the queries of a task, by its label, where they are embedded.
    """

    def __init__(
        self,
        collection: Collection,
        *,
        deepest: int,
        instructions: Mapping[str, str] | None = None,
    ) -> None:
        self._collection = collection
        self._instructions = instructions or {}
        self._deepest = deepest
        self._words: dict[tuple[str, bool], Bm25] = {}
        self._vectors: dict[tuple[str, str], Vectors] = {}
        self._scenes: dict[tuple[str, str], Numbers] = {}

    def words(
        self,
        task: Task,
        scene: str,
        query: str,
        stems: Callable[[str], Sequence[str]] | None = None,
    ) -> Result:
        """What BM25 finds for a query in a scene ("" for everywhere), by `stems` if given."""
        from memtree.memories.lmeb.bm25 import Bm25

        key = task.corpus, stems is not None
        if key not in self._words:
            texts = [text.whole for text in self._collection.corpora[task.corpus]]
            self._words[key] = Bm25(texts, split=stems, k1=STEMMED_K1) if stems else Bm25(texts)
        index, among = self._words[key], self._among(task, scene)
        started = time.perf_counter()
        best = index.rank(query, among=among, limit=self._deepest)
        return self._found(task, best, started)

    def vectors(self, embedder: EmbedderView, task: Task, scene: str, query: str) -> Result:
        """What lies nearest to a query in a scene, by the cosine of one vector a document."""
        np = load_numpy()
        key = embedder.id, task.corpus
        if key not in self._vectors:
            texts = [cut(text.whole) for text in self._collection.corpora[task.corpus]]
            self._vectors[key] = embedder.embed(texts)
        matrix, among = self._vectors[key], self._among(task, scene)
        started = time.perf_counter()
        instruction = self._instructions.get(task.label, "")
        asked = INSTRUCTION.format(instruction, query) if instruction else query
        question = embedder.question(cut(asked))
        numbers = np.arange(len(matrix)) if among is None else among
        order = np.argsort(-(matrix[numbers] @ question), kind="stable")[: self._deepest]
        return self._found(task, [int(number) for number in numbers[order]], started)

    def _found(self, task: Task, best: Sequence[int], started: float) -> Result:
        texts = self._collection.corpora[task.corpus]
        found = tuple(texts[number].id for number in best)
        return Result(found=found, status="found", ms=1000 * (time.perf_counter() - started))

    def _among(self, task: Task, scene: str) -> Numbers | None:
        """The numbers of a scene's documents in its corpus; None for all."""
        if not scene:
            return None
        key = task.label, scene
        if key not in self._scenes:
            np = load_numpy()
            wanted = set(task.scenes[scene])
            texts = self._collection.corpora[task.corpus]
            self._scenes[key] = np.array(
                [number for number, text in enumerate(texts) if text.id in wanted], dtype=np.intp
            )
        return self._scenes[key]


def cut(text: str) -> str:
    """The first `MOST_TOKENS` words and signs of a text."""
    for number, found in enumerate(_TOKEN.finditer(text), 1):
        if number == MOST_TOKENS:
            return text[: found.end()]
    return text
