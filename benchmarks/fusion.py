"""Words and meaning in one order: ways of fusing them, and what each part of the ranking is worth.

    ENV/bin/python benchmarks/fusion.py [--sets locomo,musique,lihua,cranfield,markdown]
        [--data ../shared/data] [--keep FOLDER] [--quick] [--json]

Every question is asked once of the product; what it gathered is kept (`fusion_pools`) and put in
order again:

- *fusion*: words alone (`--max-tier fulltext`), vectors alone, reciprocal ranks, a weighted sum of
  both scores (the weight that is best on the set itself, and the one that is best on the others), a
  logistic regression (fitted on the other sets, and on other groups or fifths of the set itself),
  and the product, which adds the cosine to the word score before turns, sessions and names judge;
- *home ground*: the product minus words alone in nDCG@10, with a bootstrap 95 % interval;
- *parts*: the product minus the product without that part, and with parts that it does not have.

`markdown` are known-item questions on real files (`questions.known_items`): keywords, sentences and
misspelled ones, where words alone are at home. `--keep` keeps the trees between runs, `--quick`
asks every fourth question. Figures are percent, and those of development data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from against_fts5 import write_markdown
from fusion_pools import (
    BACK,
    BY_WORDS,
    FEEDBACK,
    NAMED,
    PRODUCT,
    TURNS,
    Recorder,
    SoftMatch,
    by_need,
    order,
    scores,
    setting,
    with_links,
)
from fusion_ways import FEATURES, by_score, features, interval, learn, reciprocal, weighted

from memtree.app import Tree, init_tree
from memtree.bench import measures
from memtree.knowledge.path import slug
from memtree.knowledge.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    from fusion_pools import Pool

    from memtree.index.row import Row

    Floats = npt.NDArray[np.float64]
    Measured = dict[str, float]

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = ("locomo", "musique", "lihua", "cranfield", "markdown")
LEXICAL = "markdown"
SHOWN = {"recall@1": "R@1", "recall@5": "R@5", "recall@10": "R@10", "ndcg@10": "nDCG@10"}
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SEED = 1
# Meaning by how little words know: share of the question that is usual, bounds of what it counts.
NEEDS = ((0.2, 0.5, 1.0), (0.3, 0.5, 1.0), (0.4, 0.25, 1.0), (0.4, 0.5, 2.0), (0.3, 1.0, 3.0))
WORDS_ALONE, PRODUCT_NAME = "words alone", "product"
# Switching a part off: constants of the product's modules, and ways to gather that are left out.
PARTS: dict[str, tuple[dict[str, object], frozenset[str]]] = {
    "meaning in the order": ({"ranking.MEANING": 0.0, "ranking.MEANING_OF_FEW": 0.0}, PRODUCT),
    "passages by meaning alone": ({}, BY_WORDS | {"cosines"}),
    "turns around: their scores": ({"turns.NEXT": 0.0, "turns.NEAR": 0.0}, PRODUCT),
    "turns around: gathered": ({}, PRODUCT - {TURNS}),
    "answers after questions": ({"turns.ANSWERS": 0.0}, PRODUCT),
    "questions answer less": ({"turns.ASKS": 0.0}, PRODUCT),
    "speaker": ({"turns.SPEAKER": 0.0}, PRODUCT),
    "date": ({"turns.DATE": 0.0}, PRODUCT),
    "when, how much": ({"turns.WHEN": 0.0, "turns.AMOUNT": 0.0}, PRODUCT),
    "session, long entry": ({"turns.SESSION": 0.0, "turns.BEST_TURN": 0.0}, PRODUCT),
    "names in the question": ({"walk.NAMED": 0.0, "walk.EXPLAINED": 1.0}, PRODUCT),
    "walk, all of it": ({"walk.FIRST": 0}, PRODUCT),
    "walk: shared rare words": ({"walk.BRIDGE": 0.0}, PRODUCT),
    "named and linked: gathered": ({}, PRODUCT - {NAMED}),
}


@dataclass(slots=True, kw_only=True)
class Asked:
    """A question with what the product and words alone answered, and all that was gathered."""

    group: str
    kind: str
    gold: list[str]
    pool: Pool | None
    product: list[str]
    words: list[str]


class Table:
    """Measures of every question by way, for one set."""

    def __init__(self, name: str, asked: Sequence[Asked]) -> None:
        self.name = name
        self.asked = asked
        self.ways: dict[str, list[Measured]] = {}
        self.ms: dict[str, float] = {}

    def add(self, way: str, found: Callable[[Asked], Sequence[str]]) -> None:
        """Measure one way of answering on all questions; `ms` is the time of ordering alone."""
        started = time.perf_counter()
        lists = [found(one) for one in self.asked]
        self.ms[way] = 1000 * (time.perf_counter() - started) / max(1, len(lists))
        pairs = zip(lists, self.asked, strict=True)
        self.ways[way] = [measures(one[:10], asked.gold) for one, asked in pairs]

    def means(self, way: str) -> dict[str, float]:
        """The shown measures of a way, in percent."""
        rows = self.ways[way]
        return {
            shown: round(100 * sum(row[name] for row in rows) / len(rows), 1)
            for name, shown in SHOWN.items()
        }

    def differs(self, way: str, other: str, kind: str = "") -> list[float]:
        """nDCG@10 of a way minus that of another: mean, low and high, in points."""
        one, two = self.ways[way], self.ways[other]
        return [
            round(100 * value, 2)
            for value in interval(
                [
                    a["ndcg@10"] - b["ndcg@10"]
                    for a, b, asked in zip(one, two, self.asked, strict=True)
                    if not kind or asked.kind == kind
                ]
            )
        ]


# -- trees and questions ----------------------------------------------------------------------


def open_set(name: str, data: str, place: str) -> tuple[Tree, list[tuple[Query, str, list[str]]]]:
    """The tree of a set (made where it isn't there yet) and its questions with kind and gold."""
    root = os.path.join(place, "tree")
    is_new = not os.path.isdir(os.path.join(root, ".memtree"))
    if name == LEXICAL:
        files = os.path.join(place, "files")
        shutil.rmtree(files, ignore_errors=True)
        made = write_markdown(os.path.join(data, "markdown"), files, seed=SEED)
        if is_new:
            shutil.copytree(files, root)
            init_tree(root).close()
        queries = [(Query(one.text, limit=10), one.kind, sorted(one.gold)) for one in made]
    else:
        folder = os.path.join(data, f"{name}_dev")
        if is_new:
            _import(folder, root, place)
        queries = [
            (
                Query(row["text"], scope=slug(row["group"]), limit=10),
                str(row["category"]),
                list(row["gold"]),
            )
            for row in _rows(os.path.join(folder, "queries.jsonl"))
            if row["gold"]
        ]
    tree = Tree(root, max_age=1e9)
    tree.refresh()
    return tree, queries


def _rows(path: str) -> list[dict[str, str]]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _import(folder: str, root: str, place: str) -> None:
    """As `memtree bench retrieval` does: every group a folder of the tree."""
    groups: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(os.path.join(folder, "corpus.jsonl")):
        line = {key: value for key, value in row.items() if key not in ("group", "date")}
        if row.get("date"):
            line["time"] = row["date"]
        groups[row["group"]].append(line)
    with init_tree(root) as tree:
        for group, lines in groups.items():
            source = os.path.join(place, f"{slug(group)}.jsonl")
            with open(source, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            tree.import_paths([source], kind="jsonl", into=slug(group))


def ask_all(name: str, data: str, place: str, soft: SoftMatch, *, quick: bool) -> list[Asked]:
    """Ask every question twice: of words alone, and of the product, whose pool is kept."""
    tree, queries = open_set(name, data, place)

    def by_path(row: Row) -> str:
        return row.path

    def by_id(row: Row) -> str:
        return row.id or row.path.rpartition(".")[0]

    known = by_path if name == LEXICAL else by_id
    asked: list[Asked] = []
    with tree, Recorder(known, soft) as recorder:
        for query, kind, gold in queries[:: 4 if quick else 1]:
            words = tree.search(
                Query(query.text, scope=query.scope, limit=10, max_tier="fulltext")
            ).hits
            recorder.take()
            hits = tree.search(query).hits
            pool = recorder.take()
            if name == LEXICAL:
                product, lexical = [one.path for one in hits], [one.path for one in words]
            else:
                product, lexical = [one.id for one in hits], [one.id for one in words]
            if pool is not None:
                tiers = zip(hits, product, strict=True)
                pool.lead = [one for hit, one in tiers if hit.tier in ("exact", "fuzzy")]
            asked.append(
                Asked(
                    group=query.scope or kind, kind=kind, gold=gold, pool=pool, product=product,
                    words=lexical,
                )
            )  # fmt: skip
    return asked


# -- ways ---------------------------------------------------------------------------------------


def led(asked: Asked, found: Sequence[str]) -> list[str]:
    """What the tiers before found stays in front."""
    lead = asked.pool.lead if asked.pool else []
    return [*lead, *(one for one in found if one not in lead)]


def reranked(asked: Asked, *, keep: frozenset[str] = PRODUCT) -> list[str]:
    """The product's order of what came in these ways."""
    pool = asked.pool
    if pool is None:
        return asked.product
    if "cosines" in keep:
        keep -= {"cosines"}
        return led(asked, by_score(scores(pool, order(pool, keep=keep, meant=pool.meant))))
    return led(asked, by_score(scores(pool, order(pool, keep=keep))))


def moved(asked: Asked, way: str, *, new: bool) -> list[str]:
    """The product's order after feedback; with `new` passages that it brings, or without."""
    pool = asked.pool
    if pool is None or way not in pool.moved:
        return asked.product
    keep = PRODUCT | {FEEDBACK} if new else PRODUCT
    return led(asked, by_score(scores(pool, order(pool, keep=keep, meant=pool.moved[way]))))


def softened(asked: Asked, weight: float, *, cosine: float = 1.0) -> list[str]:
    """The product's order with the soft word match beside the cosine."""
    pool = asked.pool
    if pool is None:
        return asked.product
    meant = [
        weight * soft + cosine * (value or 0.0)
        for soft, value in zip(pool.soft, pool.meant, strict=True)
    ]
    return led(asked, by_score(scores(pool, order(pool, meant=meant))))


def hopped(asked: Asked, weight: float) -> list[str]:
    """The product's order with what the first entries link to or are related to raised."""
    if asked.pool is None:
        return asked.product
    return led(asked, by_score(with_links(asked.pool, weight)))


def two_lists(asked: Asked) -> tuple[dict[str, float], dict[str, float]]:
    """Words with the whole second stage, and cosines: the lists that are fused."""
    pool = asked.pool
    if pool is None:
        return {}, {}
    return scores(pool, order(pool, keep=BY_WORDS)), pool.nearest


def ranks_fused(one: Mapping[str, float], two: Mapping[str, float], k: float) -> dict[str, float]:
    """Reciprocal ranks of two lists of scores."""
    return reciprocal([by_score(one), by_score(two)], k)


def fused(table: Table, lists: Sequence[tuple[dict[str, float], dict[str, float]]]) -> None:
    """Add the ways that need no other set."""
    places = {id(one): at for at, one in enumerate(table.asked)}

    def by(way: Callable[[dict[str, float], dict[str, float]], Mapping[str, float]]) -> None:
        def found(asked: Asked) -> list[str]:
            if asked.pool is None:
                return asked.product
            return led(asked, by_score(way(*lists[places[id(asked)]])))

        table.add(name, found)

    name = "vectors alone"
    table.add(name, lambda asked: by_score(lists[places[id(asked)]][1]))
    for k in (60, 10):
        name = f"reciprocal ranks, k = {k}"
        by(partial(ranks_fused, k=k))
    for share in SHARES:
        name = f"weighted {share}"
        by(partial(weighted, share=share))


def add_learned(table: Table, data: Mapping[str, Learning], name: str, way: str) -> None:
    """Add a fusion that was learned elsewhere: on other sets, or on other folds of this one."""
    mine = data[name]
    places = {id(one): at for at, one in enumerate(table.asked)}
    if way == "other sets":
        others = [one for other, one in data.items() if other != name]
        if not others:
            return
        weights = learn(*stacked(others))
        chosen = [weights] * len(table.asked)
    else:
        folds = mine.folds
        by_fold = {
            fold: learn(*stacked([mine], [at for at, one in enumerate(folds) if one != fold]))
            for fold in set(folds)
        }
        chosen = [by_fold[fold] for fold in folds]

    def found(asked: Asked) -> list[str]:
        at = places[id(asked)]
        if asked.pool is None:
            return asked.product
        values = mine.rows[at] @ chosen[at][1:]
        return led(asked, by_score(dict(zip(mine.items[at], values.tolist(), strict=True))))

    table.add(f"learned on {way}", found)


class Learning:
    """Features and gold of one set, question by question."""

    def __init__(
        self, asked: Sequence[Asked], lists: Sequence[tuple[dict[str, float], dict[str, float]]]
    ) -> None:
        self.items: list[list[str]] = []
        self.rows: list[Floats] = []
        self.right: list[Floats] = []
        groups = sorted({one.group for one in asked})
        several = len(groups) > 3
        self.folds = [
            groups.index(one.group) if several else at % 5 for at, one in enumerate(asked)
        ]
        for one, pair in zip(asked, lists, strict=True):
            seen = features(*pair)
            self.items.append(list(seen))
            self.rows.append(np.array(list(seen.values())).reshape(-1, len(FEATURES)))
            self.right.append(np.array([float(item in one.gold) for item in seen]))


def stacked(sets: Sequence[Learning], places: Sequence[int] | None = None) -> tuple[Floats, Floats]:
    """Rows and gold of several sets, or of these questions of them, as `learn` takes them."""
    rows, right = [], []
    for one in sets:
        wanted = range(len(one.rows)) if places is None else places
        rows += [one.rows[at] for at in wanted]
        right += [one.right[at] for at in wanted]
    return np.vstack(rows), np.concatenate(right)


def parts(table: Table) -> None:
    """The product without each part, and with parts that it does not have."""
    table.add("pool", reranked)
    for name, (values, keep) in PARTS.items():
        with setting(values):
            table.add(f"- {name}", partial(reranked, keep=keep))
    for value in (0.5, 0.75, 1.5):
        with setting({"ranking.MEANING": value}):
            table.add(f"meaning x {value}", reranked)
    for weight in BACK:
        table.add(f"+ feedback {weight}", partial(moved, way=f"{weight}", new=True))
        table.add(f"+ feedback {weight}, no new", partial(moved, way=f"{weight}", new=False))
        way = f"{weight}, quick"
        table.add(f"+ feedback {way}", partial(moved, way=way, new=False))
    for weight in (0.3, 0.6, 1.0):
        table.add(f"+ soft match {weight}", partial(softened, weight=weight))
    table.add("soft match for cosine", partial(softened, weight=1.0, cosine=0.0))
    for full, least, most in NEEDS:
        with by_need(full, least, most):
            table.add(f"meaning x {full} / top, {least} to {most}", reranked)
    for weight in (0.1, 0.3):
        table.add(f"+ one hop {weight}", partial(hopped, weight=weight))


# -- printing -----------------------------------------------------------------------------------


def choose_shares(tables: Sequence[Table]) -> None:
    """Name the weighted sums: the best on the set itself, and the best on the others."""
    got = {
        table.name: {share: table.means(f"weighted {share}")["nDCG@10"] for share in SHARES}
        for table in tables
    }
    for table in tables:
        own = max(SHARES, key=lambda share: got[table.name][share])
        table.ways[f"weighted, best here ({own})"] = table.ways[f"weighted {own}"]
        others = [row for name, row in got.items() if name != table.name]
        if others:
            far = max(SHARES, key=lambda share: sum(row[share] for row in others))
            table.ways[f"weighted, best elsewhere ({far})"] = table.ways[f"weighted {far}"]


def fusion_rows(table: Table) -> Iterator[dict[str, object]]:
    """The fusion table of one set."""
    for way in table.ways:
        if way.startswith(("- ", "+ ", "meaning x", "soft", "pool")):
            continue
        if way.startswith("weighted 0"):
            continue
        yield {"set": table.name, "way": way, **table.means(way)}


def part_rows(table: Table) -> Iterator[dict[str, object]]:
    """What each part gives: the product minus the product without it; additions the other way."""
    for way in table.ways:
        if way.startswith("- "):
            yield {"set": table.name, "part": way[2:], "gives": table.differs("pool", way)}
        elif way.startswith(("+ ", "meaning x", "soft")):
            yield {"set": table.name, "part": way, "gives": table.differs(way, "pool")}


def home_rows(table: Table) -> Iterator[dict[str, object]]:
    """The product against words alone: all questions, and each kind of the lexical set."""
    kinds = sorted({one.kind for one in table.asked}) if table.name == LEXICAL else []
    for kind in ["", *kinds]:
        count = sum(1 for one in table.asked if kind in ("", one.kind))
        yield {
            "set": table.name, "kind": kind or "all", "questions": count,
            "difference": table.differs(PRODUCT_NAME, WORDS_ALONE, kind),
        }  # fmt: skip


def show(result: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Print the tables."""
    print("\nfusion" + " " * 30 + "".join(f"{shown:>9}" for shown in SHOWN.values()))
    last = ""
    for row in result["fusion"]:
        if row["set"] != last:
            last = str(row["set"])
            print(last)
        print(f"  {row['way']!s:34}" + "".join(f"{row[one]!s:>9}" for one in SHOWN.values()))
    print("\nproduct - words alone, nDCG@10 with its 95 % interval")
    for row in result["home ground"]:
        print(f"  {row['set']!s:10} {row['kind']!s:12} {row['questions']!s:>5}  {said(row)}")
    print("\nparts, nDCG@10 that each gives (* beyond noise)")
    sets = list(dict.fromkeys(str(row["set"]) for row in result["parts"]))
    print(" " * 30 + "".join(f"{one:>11}" for one in (*sets, "mean")))
    by_part: dict[str, dict[str, object]] = defaultdict(dict)
    for row in result["parts"]:
        by_part[str(row["part"])][str(row["set"])] = row["gives"]
    for part, values in by_part.items():
        mean = np.mean([np.asarray(values[one], float)[0] for one in sets])
        cells = [*(starred(values[one]) for one in sets), f"{mean:+.2f} "]
        print(f"  {part:28}" + "".join(f"{cell:>11}" for cell in cells))


def said(row: Mapping[str, object]) -> str:
    """A difference in words."""
    mean, low, high = np.asarray(row["difference"], float).tolist()
    verdict = "worse" if high < 0 else "better" if low > 0 else "no difference beyond noise"
    return f"{mean:+6.2f}  [{low:+.2f}, {high:+.2f}]  {verdict}"


def starred(gives: object) -> str:
    """A mean, with a star when its interval leaves zero out."""
    mean, low, high = np.asarray(gives, float).tolist()
    return f"{mean:+.2f}{'*' if low > 0 or high < 0 else ' '}"


def measure(names: Sequence[str], data: str, keep: str, *, quick: bool) -> dict[str, object]:
    """All tables, for these sets."""
    soft = SoftMatch()
    tables: list[Table] = []
    learning: dict[str, Learning] = {}
    for name in names:
        place = os.path.join(keep, name)
        os.makedirs(place, exist_ok=True)
        started = time.perf_counter()
        table = Table(name, ask_all(name, data, place, soft, quick=quick))
        asked_s = time.perf_counter() - started
        lists = [two_lists(one) for one in table.asked]
        table.add(WORDS_ALONE, lambda one: one.words)
        fused(table, lists)
        table.add(PRODUCT_NAME, lambda one: one.product)
        parts(table)
        learning[name] = Learning(table.asked, lists)
        same = sum(reranked(one)[:10] == one.product[:10] for one in table.asked if one.pool)
        for one in table.asked:
            # The pools of a set are large; only where the learned ways begin is still needed.
            if one.pool:
                one.pool.candidates, one.pool.soft, one.pool.moved = [], [], {}
        print(
            f"{name}: {len(table.asked)} questions, asked in {asked_s:.0f} s, all in "
            f"{time.perf_counter() - started:.0f} s; {same} pools give the product's order",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        tables.append(table)
    choose_shares(tables)
    for table in tables:
        add_learned(table, learning, table.name, "itself, crossed")
        add_learned(table, learning, table.name, "other sets")
    return {
        "fusion": [row for table in tables for row in fusion_rows(table)],
        "home ground": [row for table in tables for row in home_rows(table)],
        "parts": [row for table in tables for row in part_rows(table)],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--data", default=os.path.join(HERE, "..", "..", "shared", "data"))
    parser.add_argument("--keep", help="folder where the trees stay")
    parser.add_argument("--quick", action="store_true", help="every fourth question")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    names = [name.removesuffix("_dev") for name in given.sets.split(",")]
    with ExitStack() as stack:
        keep = given.keep or stack.enter_context(
            tempfile.TemporaryDirectory(prefix="memtree-fusion-")
        )
        result = measure(names, given.data, keep, quick=given.quick)
    if given.json:
        print(json.dumps({"benchmark": "fusion", "quick": given.quick, **result}, indent=1))
    else:
        show(result)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
