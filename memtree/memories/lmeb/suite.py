"""`memtree bench lmeb`: retrievers and embedders side by side, on LMEB's sets.

The protocol (arXiv 2603.12572): every document is ranked, then the scene's candidates are kept;
nDCG@10 is the main measure, R_cap@k stands beside it; a set's figure is the mean of its tasks, the
benchmark's the mean over sets and, as a second one, over the four types of memory.

Retrievers, in any number:

    bm25          plain BM25 (k1 1.2, b 0.75, no stemming), in memory, without the tree
    bm25-stemmed  BM25 as the paper has it (k1 1.5, b 0.75), of the tree's stems and stop words
    memtree       the tree's own search
    embed         one vector a document, of the tree's embedder; `embed:M` of the model M
    NAME          a plugin's retriever alone
    memtree+NAME  the tree's own search with that plugin

The trees that `memtree` and plugins search hold the same documents; what the corpus says of one
besides its text (speaker, time, session) is in its front matter. Where every document belongs to
one scene, scenes are folders, and the scene is searched: the statistics of words are the whole
tree's all the same, so this is ranking everything and keeping the candidates. Where scenes share
documents, the first 1,000 of the whole tree are asked for, and the candidates among them kept.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

from memtree.errors import Unavailable, UsageError
from memtree.knowledge.path import slug
from memtree.memories.lmeb.converting import converted, is_plain
from memtree.memories.lmeb.files import Collection, instructions, read
from memtree.memories.lmeb.means import means, told
from memtree.memories.lmeb.measures import CUTS, measured
from memtree.memories.lmeb.rankers import Rankers
from memtree.plugins.suite import Case, Document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.memories.lmeb.files import Task, Text
    from memtree.plugins.desk import Desk
    from memtree.plugins.suite import Result

BM25, STEMMED, EMBED, OWN = "bm25", "bm25-stemmed", "embed", "memtree"
SETS = 22
"""How many sets LMEB has."""
_IN_MEMORY, _IN_A_TREE, _WITH = "in memory", "in a tree", "with "
_DEEPEST = max(CUTS)


class LmebSuite:
    """How well retrievers and embedders find what memory tasks ask for (LMEB).

    A row is a retriever on a task, with its means over sets and types below.

    Retrievers: bm25 (plain, in memory), bm25-stemmed, memtree (the tree's own search), embed or
    embed:MODEL (one vector a document), the name of a plugin (its retriever alone), memtree+PLUGIN
    (search with it). The data: LMEB's files, or corpus.jsonl and queries.jsonl, whose categories
    become tasks.
    """

    name = "lmeb"
    totals = False  # a mean over retrievers says nothing

    def __init__(self) -> None:
        self._collection = Collection(tasks=(), corpora={})
        self._rankers = Rankers(self._collection, deepest=_DEEPEST)
        self._kinds: dict[str, tuple[str, Task]] = {}
        self._scenes: dict[str, Scenes] = {}

    def cases(
        self,
        *,
        data: str,
        seed: int,
        tasks: Annotated[str, "Only these types, sets or tasks, with commas: LoCoMo."] = "",
        retriever: Annotated[
            str,
            "With commas: bm25, bm25-stemmed, memtree, embed, embed:MODEL, PLUGIN, memtree+PLUGIN.",
        ] = f"{BM25},{OWN}",
        instruct: Annotated[
            str, "Put before queries that are embedded: a sentence, or LMEB's file.json of them."
        ] = "",
    ) -> Iterator[Case]:
        """All queries, those of tasks and retrievers in turns, so that a limit is for all alike.

        Raises UsageError.
        """
        del seed  # nothing is drawn
        names = _listed(retriever)
        if not names:
            raise UsageError("no retriever is named", hint="--retriever bm25,memtree")
        found = _collection(data, _listed(tasks))
        self._collection = found
        said = instructions(instruct, found.tasks)
        self._rankers = Rankers(found, instructions=said, deepest=_DEEPEST)
        self._scenes = {corpus: Scenes(found, corpus) for corpus in found.corpora}
        self._kinds = {f"{name} {task.label}": (name, task) for name in names
                       for task in found.tasks}  # fmt: skip
        rows = [self._cases(kind, name, task) for kind, (name, task) in self._kinds.items()]
        for some in zip_longest(*rows):
            yield from (case for case in some if case is not None)

    def _cases(self, kind: str, name: str, task: Task) -> Iterator[Case]:
        scenes = self._scenes[task.corpus]
        for query, text in task.queries:
            grades = task.grades.get(query, {})
            scene = task.scene(query) or ""
            folder = scenes.folders.get(scene, "")
            yield Case(
                id=f"{kind} {query}",
                setup=_setup(name, task.corpus),
                query=text,
                kind=kind,
                gold=[item for item, grade in grades.items() if grade > 0],
                limit=_DEEPEST,
                # A scene that is a folder is searched as one; another's documents are picked out.
                candidates=task.scenes[scene] if scene and not folder else (),
                meta={"retriever": name, "scene": scene, "scope": folder, "grades": grades},
            )

    def documents(self, setup: str) -> Sequence[Document]:
        """A corpus; nothing where no tree is searched."""
        place, _, corpus = setup.partition(": ")
        if place == _IN_MEMORY:
            return ()
        homes = self._scenes[corpus].homes
        return [_document(text, homes) for text in self._collection.corpora[corpus]]

    def settings(self, setup: str) -> Mapping[str, str]:
        """The model of `embed:M`."""
        place = setup.partition(": ")[0]
        return {"embed.model": place.removeprefix(_WITH)} if place.startswith(_WITH) else {}

    def answer(self, case: Case, desk: Desk) -> Result | None:
        """What bm25 and embed find; all else is the host's. Raises Unavailable."""
        name, task = self._kinds[case.kind]
        scene = str(case.meta["scene"])
        if name in (BM25, STEMMED):
            stems = desk.context.search.telling if name == STEMMED else None
            return self._rankers.words(task, scene, case.query, stems)
        if name.partition(":")[0] != EMBED:
            return None
        embedder = desk.context.embedder
        if embedder is None:
            raise Unavailable(
                f"there is no embedder for the row {name!r}",
                hint="leave it out, or see what `memtree doctor` says of embed.model",
            )
        return self._rankers.vectors(embedder, task, scene, case.query)

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """nDCG@10 and R_cap@k; nothing for a query that has no relevant document."""
        grades = case.meta["grades"]
        return measured(result.found, grades if isinstance(grades, dict) else {})

    def summary(self, rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """The means of each retriever: of sets and types, over sets and over types."""
        return self._means(rows)

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        """One line a retriever: its means in percent."""
        sets = len({task.set for _, task in self._kinds.values()})
        return [*told(self._means(rows)), f"Means over {sets} of the {SETS} sets of LMEB."]

    def _means(self, rows: Sequence[Mapping[str, object]]) -> dict[str, dict[str, object]]:
        mine: dict[str, list[tuple[Task, Mapping[str, object]]]] = {}
        for row in rows:
            name, task = self._kinds[str(row["kind"])]
            mine.setdefault(name, []).append((task, row))
        return {name: means(some) for name, some in mine.items()}


class Scenes:
    """The scenes of a corpus as folders of a tree, where each document is in exactly one.

    `folders` of scenes and `homes` of documents; both empty where scenes share documents.
    """

    def __init__(self, collection: Collection, corpus: str) -> None:
        self.folders: dict[str, str] = {}
        self.homes: dict[str, str] = {}
        tasks = [task for task in collection.tasks if task.corpus == corpus]
        scenes = {scene: ids for task in tasks for scene, ids in task.scenes.items()}
        homes = {item: slug(scene) for scene, ids in scenes.items() for item in ids}
        alone = sum(len(set(ids)) for ids in scenes.values()) == len(homes)
        named = len({slug(scene) for scene in scenes}) == len(scenes)
        if alone and named and all(text.id in homes for text in collection.corpora[corpus]):
            self.folders = {scene: slug(scene) for scene in scenes}
            self.homes = homes


def _collection(data: str, wanted: Sequence[str]) -> Collection:
    """The tasks of a data folder, in whichever form they are. Raises UsageError."""
    if not data:
        raise UsageError(
            "lmeb needs its data",
            hint="--data DIR: LMEB's files, or corpus.jsonl and queries.jsonl",
        )
    if not is_plain(data):
        return read(data, wanted)
    found = converted(data)
    small = {each.casefold() for each in wanted}
    kept = [task for task in found.tasks if not small or task.called & small]
    if not kept:
        if not found.tasks:
            raise UsageError(f"no question in '{data}' has gold documents")
        raise UsageError(f"'{data}' holds no task called {', '.join(wanted)}")
    return Collection(tasks=kept, corpora=found.corpora)


def _setup(name: str, corpus: str) -> str:
    kind, _, model = name.partition(":")
    if kind in (BM25, STEMMED):
        return f"{_IN_MEMORY}: {corpus}"
    return f"{_WITH}{model}: {corpus}" if kind == EMBED and model else f"{_IN_A_TREE}: {corpus}"


def _document(text: Text, homes: Mapping[str, str]) -> Document:
    """A text as it is planted: who speaks stands in the front matter, and not in the text too."""
    home = homes.get(text.id, "")
    said = text.text.removeprefix(f"{text.speaker}: ") if text.speaker else text.text
    return Document(
        id=text.id, text=said, title=text.title, time=text.time, speaker=text.speaker,
        session=text.session, path=f"{home}/" if home else "",
    )  # fmt: skip


def _listed(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
