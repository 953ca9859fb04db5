"""memtree beside a thirty-line SQLite FTS5 script: same files, same questions, same run.

The sets are the real markdown with known-item questions made from it (300 as keywords and
sentences, and the same misspelled), and the development sets of `../shared/data`, written as one
markdown file per document with what is known of it in the front matter. Both sides index the same
folder and answer the same questions in child processes: `memtree search --batch`, and `fts5.py`.

    python benchmarks/against_fts5.py --memtree ENV/bin/memtree [--sets markdown,locomo_dev]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from measuring import (
    HERE,
    Report,
    common_arguments,
    default_source,
    find_memtree,
    interpreter_of,
    make_tree,
    markdown_files,
    run_or_stop,
    warn_if_not_clean,
)
from questions import known_items, misspelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BUILD_BAR = 2.0
LIMIT = 10
SETS = ("markdown", "locomo_dev", "musique_dev", "lihua_dev", "cranfield_dev")
KNOWN = ("title", "speaker", "session", "turn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question of a set, the folder that it is asked in, and the paths that hold the answer."""

    text: str
    scope: str
    kind: str
    gold: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Means over the questions, in percent."""

    ndcg: float
    recall: float
    mrr: float
    first: float


def safe(text: object) -> str:
    """Return a file name for an id: ids of the sets hold colons and slashes."""
    kept = (c if c.isalnum() or c in "-_." else "-" for c in str(text))
    return "".join(kept).strip("-.") or "x"


def write_set(source: str, target: str) -> list[Asked]:
    """Write `corpus.jsonl` as files, `queries.jsonl` as questions with paths for gold."""
    paths: dict[str, str] = {}
    for row in _rows(os.path.join(source, "corpus.jsonl")):
        group = safe(row["group"])
        folder = f"{group}/{safe(row.get('session', 'documents'))}"
        path = f"{folder}/{safe(str(row['id']).rpartition('/')[2])}.md"
        front = [f"id: {json.dumps(row['id'])}", "type: fact"]
        front += [f"{k}: {json.dumps(row[k], ensure_ascii=False)}" for k in KNOWN if row.get(k)]
        if row.get("date"):
            front.append(f"time: {json.dumps(row['date'])}")
        paths[str(row["id"])] = path
        os.makedirs(os.path.join(target, folder), exist_ok=True)
        with open(os.path.join(target, path), "w", encoding="utf-8") as opened:
            opened.write("---\n" + "\n".join(front) + f"\n---\n\n{row.get('text', '')}\n")
    if len(set(paths.values())) != len(paths):
        raise ValueError(f"two documents of {source} would share a file")
    asked: list[Asked] = []
    for row in _rows(os.path.join(source, "queries.jsonl")):
        gold = row["gold"]
        assert isinstance(gold, list)
        asked.append(
            Asked(
                text=str(row["text"]),
                scope=safe(row["group"]),
                kind=str(row["category"]),
                gold=frozenset(paths[str(one)] for one in gold),
            )
        )
    return asked


def _rows(path: str) -> Iterator[dict[str, object]]:
    with open(path, encoding="utf-8") as opened:
        for line in opened:
            if line.strip():
                yield json.loads(line)


def write_markdown(source: str, target: str, *, seed: int) -> list[Asked]:
    """Copy the real files; known-item questions, and the same misspelled as a kind of its own."""
    for path in markdown_files(source):
        full = os.path.join(target, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        shutil.copyfile(os.path.join(source, path), full)
    items = known_items(target, 300, seed=seed)
    return [
        Asked(text=q.text, scope="", kind=q.kind, gold=frozenset(q.gold))
        for q in [*items, *misspelled(items, seed=seed)]
    ]


def score(asked: Sequence[Asked], hits: Mapping[int, Sequence[str]]) -> Scores:
    """nDCG@10 (binary), recall@10, MRR and the share with gold first."""
    ndcg = recall = mrr = first = 0.0
    for number, question in enumerate(asked):
        found = list(dict.fromkeys(hits.get(number, ())))[:LIMIT]
        ranks = [rank for rank, path in enumerate(found) if path in question.gold]
        best = sum(1 / math.log2(rank + 2) for rank in range(min(LIMIT, len(question.gold))))
        ndcg += sum(1 / math.log2(rank + 2) for rank in ranks) / best
        recall += len(ranks) / len(question.gold)
        mrr += 1 / (ranks[0] + 1) if ranks else 0.0
        first += bool(ranks and ranks[0] == 0)
    many = max(1, len(asked)) / 100
    return Scores(ndcg=ndcg / many, recall=recall / many, mrr=mrr / many, first=first / many)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side did with one set: hits by question number, CPU of the build, ms a query."""

    hits: dict[int, list[str]]
    build_ms: float
    query_ms: float


def both_sides(script: str, tree: str, asked: Sequence[Asked], scratch: str) -> tuple[Side, Side]:
    """Build and ask memtree and FTS5; each build is the better of two, taken in turn."""
    python = interpreter_of(script)
    peer = os.path.join(HERE, "fts5.py")
    questions = os.path.join(scratch, "questions.jsonl")
    with open(questions, "w", encoding="utf-8") as opened:
        for number, question in enumerate(asked):
            row = {"query": question.text, "id": str(number), "limit": LIMIT}
            if question.scope:
                row["in"] = question.scope
            opened.write(json.dumps(row, ensure_ascii=False) + "\n")
    database = os.path.join(scratch, "peer.db")
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(2):
        shutil.rmtree(os.path.join(tree, ".memtree"), ignore_errors=True)
        make_tree(tree)
        ours.append(run_or_stop((script, "index"), cwd=tree).cpu_s)
        if os.path.exists(database):
            os.remove(database)
        theirs.append(run_or_stop((python, peer, "build", tree, database)).cpu_s)
    limit = str(LIMIT)
    we = run_or_stop((script, "search", "--batch", questions, "--limit", limit, "--json"), cwd=tree)
    they = run_or_stop((python, peer, "search", database, questions, limit))
    our_hits = {
        int(row["id"]): [hit["path"] for hit in row["hits"]]
        for row in map(json.loads, we.out.splitlines())
    }
    their_hits = {int(row["id"]): row["hits"] for row in map(json.loads, they.out.splitlines())}
    many = len(asked) / 1000
    return (
        Side(hits=our_hits, build_ms=min(ours) * 1000, query_ms=we.cpu_s / many),
        Side(hits=their_hits, build_ms=min(theirs) * 1000, query_ms=they.cpu_s / many),
    )


def compare(report: Report, name: str, asked: Sequence[Asked], we: Side, they: Side) -> None:
    """Add the figures of one set: each kind of question, and all of them."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, question in enumerate(asked):
        kinds["misspelled" if question.kind == "misspelled" else "all"].append(number)
        if len({q.kind for q in asked}) > 1 and question.kind != "misspelled":
            kinds[question.kind].append(number)
    for kind, numbers in sorted(kinds.items()):
        part = [asked[number] for number in numbers]
        mine = score(part, {at: we.hits.get(number, []) for at, number in enumerate(numbers)})
        peer = score(part, {at: they.hits.get(number, []) for at, number in enumerate(numbers)})
        report.add(
            f"{name}, {kind} ({len(part)}): nDCG@10",
            mine.ndcg,
            "%",
            bar=peer.ndcg if kind == "all" else None,
            at_least=True,
            note=(
                f"FTS5 {peer.ndcg:.1f}; R@10 {mine.recall:.1f} / {peer.recall:.1f}; "
                f"MRR {mine.mrr:.1f} / {peer.mrr:.1f}; first {mine.first:.1f} / {peer.first:.1f}"
            ),
        )
    report.add(
        f"{name}: index build / FTS5, CPU",
        we.build_ms / they.build_ms,
        "x",
        bar=BUILD_BAR,
        note=f"{we.build_ms:.0f} / {they.build_ms:.0f} ms with start-up",
    )
    report.add(
        f"{name}: a question of a batch, CPU",
        we.query_ms,
        "ms",
        note=f"FTS5 {they.query_ms:.2f} ms, both with start-up shared over {len(asked)}",
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="memtree beside SQLite FTS5")
    common_arguments(parser, entries=0)
    parser.add_argument("--sets", default=",".join(SETS), help="which sets, by name")
    parser.add_argument("--data", default=os.path.join(default_source(), ".."))
    given = parser.parse_args()
    script = find_memtree(given.memtree)
    warn_if_not_clean(script)
    report = Report(benchmark="against_fts5", settings={"sets": given.sets, "seed": given.seed})
    for name in given.sets.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            tree = os.path.join(scratch, "tree")
            os.makedirs(tree)
            if name == "markdown":
                asked = write_markdown(given.source, tree, seed=given.seed)
            else:
                asked = write_set(os.path.join(given.data, name), tree)
            we, they = both_sides(script, tree, asked, scratch)
            compare(report, name, asked, we, they)
    report.print(as_json=given.json)


if __name__ == "__main__":
    main()
