"""What compressed vectors keep of the hits, at which bytes: every form, on data or made-up people.

    python benchmarks/mbc.py ../shared/data/musique_dev ../shared/data/locomo_dev
    python benchmarks/mbc.py --speed 10000

Full is float32 of the same vectors: the built-in table's 256 numbers, or 256 of latent semantic
analysis (lexical). A folder holds corpus.jsonl and queries.jsonl; every question is asked of its
own group.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from typing import TYPE_CHECKING

from memtree.hosting.lab import ScratchLab
from memtree.knowledge.query import Query
from memtree.memories.mbc import Mbc
from memtree.memories.mbc.acceptance import (
    AT,
    Asked,
    exact,
    mean_recall,
    passages,
    paths_of,
    questions,
    vector_of,
)  # fmt: skip
from memtree.memories.mbc.bank import Form, learnt
from memtree.memories.mbc.fixture import people

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMS = (
    Form(), Form(parts=32, bits=8), Form(parts=48, bits=8), Form(parts=16, bits=8),
    Form(parts=64, bits=4), Form(codes=512),
)  # fmt: skip


def main() -> None:
    """Print one table a data set, or the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", help="data sets; made-up people without any")
    parser.add_argument("--speed", type=int, default=0, help="time a tree of so many entries")
    given = parser.parse_args()
    if given.speed:
        speed(given.speed)
        return
    with tempfile.TemporaryDirectory() as place, ScratchLab(Mbc, place=place) as lab:
        if not given.folders:
            made = people(1000)
            asked = [Asked(text=text, gold=frozenset((path,))) for text, path in made.questions]
            table(lab, "1,000 made-up people", made.files, asked)
        for folder in given.folders:
            entries = list(lab.documents(folder))
            asked = questions(folder, {id_: path for id_, path, _ in entries}, most=10**9)
            name = os.path.basename(os.path.normpath(folder))
            table(lab, name, {path: text for _, path, text in entries}, asked)


def table(lab: ScratchLab, name: str, files: Mapping[str, str], asked: Sequence[Asked]) -> None:
    """R@10 and bytes of each form, for both kinds of vectors."""
    for embedder, words in (("builtin", "built-in"), ("none", "lexical")):
        context = lab.tree(files, embedder=embedder).context
        places, vectors = passages(context)
        asks = [(one, vector_of(context, one.text)) for one in asked]
        full = mean_recall(
            [exact(places, vectors, vector, one.scope) for one, vector in asks], asked
        )
        print(f"{name}, {words} vectors: {len(places)} passages, {len(asked)} questions, "
              f"R@{AT} {full:.3f}")  # fmt: skip
        print(f"  {'form':28} {'R@10':>6} {'of full':>8} {'a passage':>10} {'with codebooks':>15}")
        for form in FORMS:
            bank = learnt(places, vectors, form)
            if bank is None:
                continue
            found = mean_recall([paths_of(bank, vector, one.scope) for one, vector in asks], asked)
            size = bank.size()
            print(f"  {bank.form!s:28} {found:6.3f} {found / full:8.1%} "
                  f"{size.rows / size.full:10.2%} {size.share:15.2%}")  # fmt: skip


def speed(count: int) -> None:
    """How long following and asking take."""
    chance = random.Random(3)  # noqa: S311
    words = sorted({word for text in people(2000).files.values() for word in text.split()})
    texts = [" ".join(chance.choices(words, k=40)) for _ in range(count)]
    files = {f"d{number % 40}/t/{number}.md": f"# Note {number}\n\n{text}\n"
             for number, text in enumerate(texts)}  # fmt: skip
    with tempfile.TemporaryDirectory() as place, ScratchLab(Mbc, place=place) as lab:
        desk = lab.tree(files)
        desk.context.search.ranked("the index and its vectors are made")
        started = time.perf_counter()
        desk.follow()
        print(f"all of {count} entries: {time.perf_counter() - started:.2f} s")
        desk.write("d0/t/new.md", "# New\n\nA note about glaciers.\n")
        desk.context.search.full_text("glaciers")
        started = time.perf_counter()
        desk.follow()
        print(f"one more: {1000 * (time.perf_counter() - started):.0f} ms")
        context = desk.context
        plugin = Mbc()
        times = []
        for _ in range(20):
            asked = Query(" ".join(chance.choices(words, k=5)))
            started = time.perf_counter()
            plugin.retrieve(asked, context)
            times.append(1000 * (time.perf_counter() - started))
        print(f"a question: {sorted(times)[10]:.1f} ms (median of 20)")


if __name__ == "__main__":
    main()
