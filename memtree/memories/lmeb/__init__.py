"""LMEB: how well retrievers and embedders find what a long memory holds.

Source: LMEB, the Long-horizon Memory Embedding Benchmark, arXiv 2603.12572. 22 sets of four types
of memory (episodic, dialogue, semantic, procedural), 193 tasks. Here: its files, its protocol, its
measures and its means, for every retriever of a tree and not for embedding models alone; and a
converter that makes its files of questions that somebody has. Left out: its data, which a person
brings, and its table of instructions, of which one is given by hand (`--instruct`).

No model is needed; the rows of embedders need one, and the built-in is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.plugins.api import Manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.plugins.api import Check
    from memtree.plugins.desk import Command, Desk, Lab, Report
    from memtree.plugins.suite import Suite


class Lmeb:
    """A benchmark of retrievers and embedders."""

    manifest = Manifest(
        name="lmeb",
        title="Long-horizon memory embedding benchmark: retrievers side by side",
        source="LMEB, arXiv 2603.12572",
        seeds=("S33",),
        paradigm="benchmark",
        enhances=("embedder",),
        commands=("lmeb",),
    )

    def bench(self) -> Sequence[Suite]:
        """`memtree bench lmeb`."""
        from memtree.memories.lmeb.suite import LmebSuite

        return (LmebSuite(),)

    def commands(self) -> Mapping[str, Command]:
        """`memtree lmeb convert`."""
        return {"lmeb convert": convert}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """Measures against figures made by hand, an oracle, chance, and BM25 on data."""
        from memtree.memories.lmeb.checks import checks

        return checks(lab)


def convert(
    desk: Desk,
    source: Annotated[str, "A folder with corpus.jsonl and queries.jsonl, or locomo10.json."],
    out: Annotated[str, "A new folder."],
    *,
    dates: Annotated[bool, "Make a document's date its title."] = False,
) -> Report:
    """Bring questions about documents into LMEB's form."""
    from memtree.memories.lmeb.converting import converted, write
    from memtree.plugins.desk import Report

    del desk  # no tree is looked at
    made = converted(source, dates=dates)
    documents, queries = write(made, out)
    tasks = {task.name or task.set: len(task.queries) for task in made.tasks}
    return Report(
        lines=[
            f"{documents} documents and {queries} queries in {len(tasks)} tasks: {out}",
            *(f"  {name}: {count}" for name, count in tasks.items()),
        ],
        value={"documents": documents, "queries": queries, "tasks": tasks, "out": out},
    )
