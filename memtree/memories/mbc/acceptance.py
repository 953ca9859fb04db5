"""The acceptance check of seed S8: what compression costs, online reset, and adding entries.

Full means float32 of the same vectors, compared with the same question's vector.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.mbc.bank import Bank, Form, learnt
from memtree.memories.mbc.finding import best
from memtree.memories.mbc.fixture import people
from memtree.numeric.codes import perplexity, train_codebook
from memtree.numerics import load_numpy
from memtree.plugins import Check
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.plugins import Context, Desk, Lab

    Vectors = npt.NDArray[np.float32]

KEPT, SHARE, AT = 0.95, 0.05, 10
ENOUGH = 1800
"""Passages of which codebooks are to be within the share too; of fewer, the codes alone."""
FORMS = (("faithful, 512 codes", Form(codes=512)), ("pq 32 x 8 bits", Form(parts=32, bits=8)))
_MOST = 1000  # questions of a data set that are asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, the folder that it is asked of, and the paths that answer."""

    text: str
    gold: frozenset[str]
    scope: str = ""


def checks(lab: Lab) -> Iterator[Check]:
    """All of them, in the order of the seed."""
    desk = lab.tree(people(1000).files)
    desk.follow()
    yield from _added(desk)
    made = people(2000)
    asked = [Asked(text=text, gold=frozenset((path,))) for text, path in made.questions]
    yield _kept(desk, asked, "2,000 made-up people, built-in vectors")
    without = lab.tree(made.files, embedder="none")
    without.follow()
    yield _kept(without, asked, "2,000 made-up people, lexical vectors")
    yield from _reset()
    if not lab.data:
        lab.skip("R@10 on data", "no data was given (--data DIR)")
        return
    yield from _on_data(lab)


def _on_data(lab: Lab) -> Iterator[Check]:
    entries = list(lab.documents(lab.data))
    files = {path: text for _, path, text in entries}
    asked = questions(lab.data, {id_: path for id_, path, _ in entries})
    name = os.path.basename(os.path.normpath(lab.data))
    for embedder, words in (("builtin", "built-in"), ("none", "lexical")):
        desk = lab.tree(files, embedder=embedder)
        desk.follow()
        yield _kept(desk, asked, f"{name}, {words} vectors")


def questions(folder: str, paths: Mapping[str, str], *, most: int = _MOST) -> list[Asked]:
    """The questions of a data set with the entries that answer them, about `most` drawn evenly."""
    found = []
    for record in read_records(os.path.join(folder, "queries.jsonl")):
        keys = record.get("gold")
        gold = (
            frozenset(paths[one] for one in keys if one in paths) if isinstance(keys, list) else ()
        )
        if gold:
            scope = min(gold).partition("/")[0]
            found.append(Asked(text=str(record.get("text", "")), gold=gold, scope=scope))
    return found[:: max(1, len(found) // most)]


def _kept(desk: Desk, asked: Sequence[Asked], where: str) -> Check:
    """R@10 of the plugin's own hits by that of the vectors uncompressed."""
    from memtree.memories.mbc.keeping import stored

    ctx = desk.context
    bank = stored(ctx)
    if bank is None:
        return Check(
            name=f"R@{AT} is kept: {where}", passed=False, measured="no bank", needed="one"
        )
    places, vectors = passages(ctx)
    asks = [(one, vector_of(ctx, one.text)) for one in asked]
    full = mean_recall([exact(places, vectors, vector, one.scope) for one, vector in asks], asked)
    hits = [[hit.path for hit in desk.retrieve(one.text, limit=AT, scope=one.scope).hits]
            for one in asked]  # fmt: skip
    found = mean_recall(hits, asked)
    size = bank.size()
    each = size.rows / size.full
    measured = (
        f"full {full:.3f}, compressed {found:.3f} = {found / full if full else 0:.1%}, "
        f"{each:.2%} of the bytes a passage, {size.share:.2%} with the codebooks"
    )
    for words, form in FORMS:
        other = learnt(places, vectors, form)
        if other is not None:
            got = [paths_of(other, vector, one.scope) for one, vector in asks]
            share = other.size().rows / size.full
            measured += f"; {words}: {mean_recall(got, asked) / full:.1%} at {share:.2%} a passage"
    # A codebook has its size whatever the tree's is: it counts where there is something to share.
    share = size.share if len(places) >= ENOUGH else each
    return Check(
        name=f"R@{AT} is kept: {where}",
        passed=full > 0.2 and found >= KEPT * full and share <= SHARE,
        measured=measured, needed=f"at least {KEPT:.0%} of full at no more than {SHARE:.0%}",
    )  # fmt: skip


def passages(ctx: Context) -> tuple[Sequence[tuple[str, tuple[int, int]]], Vectors]:
    """All passages with their vectors, uncompressed."""
    from memtree.memories.mbc.keeping import vectors_of

    return vectors_of(ctx)


def vector_of(ctx: Context, text: str) -> Vectors:
    """A question's vector, zeros where it has none."""
    from memtree.memories.mbc.keeping import DIMENSION, question

    np = load_numpy()
    vector = question(ctx, text)
    if vector is not None:
        return vector
    nothing: Vectors = np.zeros(ctx.embedder.dimension if ctx.embedder else DIMENSION, np.float32)
    return nothing


def exact(
    places: Sequence[tuple[str, tuple[int, int]]], vectors: Vectors, vector: Vectors, scope: str
) -> list[str]:
    """The first entries by the uncompressed vectors."""
    np = load_numpy()
    return _first(places, np.argsort(-(vectors @ vector), kind="stable").tolist(), scope)


def paths_of(bank: Bank, vector: Vectors, scope: str) -> list[str]:
    """The first entries of a bank."""
    return [hit.path for hit in best(bank, vector, limit=AT, scope=scope)]


def _first(
    places: Sequence[tuple[str, tuple[int, int]]], rows: Sequence[int], scope: str
) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        path = places[row][0]
        if not scope or path.startswith(scope + "/"):
            found.setdefault(path)
            if len(found) == AT:
                break
    return list(found)


def mean_recall(hits: Sequence[Sequence[str]], asked: Sequence[Asked]) -> float:
    """The mean share of what answers that is among the first hits."""
    each = [len(one.gold & set(paths)) / len(one.gold)
            for one, paths in zip(asked, hits, strict=True)]  # fmt: skip
    return sum(each) / len(each) if each else 0.0


def _added(desk: Desk) -> Iterator[Check]:
    """A thousand more people: no row of those before is touched, and the new ones are found."""
    from memtree.memories.mbc.keeping import stored

    np = load_numpy()
    before = stored(desk.context)
    more = people(1000, first=1000)
    for path, text in more.files.items():
        desk.write(path, text)
    desk.follow()
    after = stored(desk.context)
    if before is None or after is None:
        yield Check(
            name="adding re-encodes nothing", passed=False, measured="no bank", needed="one"
        )
        return
    count = len(before.places)
    kept = (before.rows == after.rows[:count]).reshape(count, -1)
    same = int(np.all(kept, axis=1).sum())
    alike = before.learnt == after.learnt and before.arrays().get("books") is not None and bool(
        np.array_equal(before.arrays()["books"], after.arrays()["books"])
    )  # fmt: skip
    asked = [Asked(text=text, gold=frozenset((path,))) for text, path in more.questions]
    places, vectors = passages(desk.context)
    asks = [(one, vector_of(desk.context, one.text)) for one in asked]
    full = mean_recall([exact(places, vectors, vector, "") for _, vector in asks], asked)
    found = mean_recall([paths_of(after, vector, "") for _, vector in asks], asked)
    yield Check(
        name="adding 1,000 entries re-encodes no old one",
        passed=same == count and alike and after.places[:count] == before.places[:]
        and len(after.places) == count + 1000,
        measured=f"{same} of {count} rows are the same bytes, the codebooks "
        f"{'too' if alike else 'are not'}; {len(after.places)} rows now",
        needed=f"{count} of {count}, and {count + 1000} rows",
    )  # fmt: skip
    yield Check(
        name="what was added is found with the old codes", passed=found >= KEPT * full > 0,
        measured=f"R@{AT} of the added {found:.3f}, uncompressed {full:.3f}",
        needed=f"at least {KEPT:.0%} of uncompressed",
    )  # fmt: skip


def _reset() -> Iterator[Check]:
    """All codes at one point: online reset spreads them out, without it they stay."""
    np = load_numpy()
    chance = np.random.default_rng(8)
    centres = chance.standard_normal((64, 32))
    data = centres[chance.integers(0, 64, 4000)] + 0.3 * chance.standard_normal((4000, 32))
    vectors: Vectors = (data / np.linalg.norm(data, axis=1, keepdims=True)).astype(np.float32)
    start = np.tile(vectors[:1], (512, 1))
    for reset, needed in ((True, "at least 90 %"), (False, "at most 10 %")):
        book = train_codebook(vectors, count=512, start=start, reset=reset, epochs=15)
        codes = book.encode(vectors)
        used = len(np.unique(codes)) / 512
        yield Check(
            name=f"512 codes at one point, {'with' if reset else 'without'} online reset",
            passed=used >= 0.9 if reset else used <= 0.1,
            measured=f"{used:.1%} of the codes used, perplexity {perplexity(codes, 512):.0f}",
            needed=f"{needed} used",
        )  # fmt: skip
