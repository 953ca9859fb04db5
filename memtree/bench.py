"""`memtree bench retrieval`: how well and how fast search finds what questions ask for.

The corpus goes the way that any user's JSONL goes: imported into a tree of markdown files, indexed,
searched with the group as scope. Nothing here knows what the data set is.

Measures, over questions with gold documents: recall@k is the share of gold ids among the first k;
all@10 the share of questions with all gold ids among the first 10; nDCG@10 with binary gains
(Järvelin & Kekäläinen 2002); MRR the mean of 1/rank of the first gold id (0 when not among the
hits).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from math import log2
from typing import TYPE_CHECKING

from memtree.app import init_tree
from memtree.errors import UsageError
from memtree.knowledge.path import slug
from memtree.knowledge.query import Query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Progress = Callable[[str, int, int], None]

CUTS = (1, 5, 10)
LIMIT = 10


def retrieval(
    folder: str, *, keep: str | None = None, progress: Progress | None = None
) -> dict[str, object]:
    """Measure on `corpus.jsonl`, `queries.jsonl` and `task.json` in `folder`.

    Returns the task's name, sizes (`skipped` are documents without text, which can't be imported),
    seconds to import and to index, milliseconds per question (mean,
    median, 99th percentile), and `categories`: one row of measures each, `all` first. With `keep`
    the tree stays in that folder. Raises UsageError when the folder holds no such files.
    """
    task, documents, questions = _read(folder)
    with contextlib.ExitStack() as stack:
        place = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="memtree-bench-"))
        tree = stack.enter_context(init_tree(os.path.join(place, "tree")))
        skipped = 0
        started = time.perf_counter()
        for group, lines in _by_group(documents).items():
            source = os.path.join(place, f"{slug(group) if group else 'all'}.jsonl")
            with open(source, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            report = tree.import_paths([source], kind="jsonl", into=slug(group) if group else "")
            skipped += report.skipped
        imported = time.perf_counter() - started
        started = time.perf_counter()
        tree.refresh(progress=progress)
        indexed = time.perf_counter() - started
        tree.max_age = 3600.0
        scored, spent = _ask(tree, questions, progress)
    spent.sort()
    return {
        "task": str(task.get("name") or os.path.basename(os.path.abspath(folder))),
        "documents": len(documents) - skipped,
        "skipped": skipped,
        "questions": len(scored),
        "import_s": round(imported, 3),
        "index_s": round(indexed, 3),
        "ms_mean": round(sum(spent) / max(1, len(spent)), 3),
        "ms_p50": round(spent[len(spent) // 2], 3) if spent else 0.0,
        "ms_p99": round(spent[int(len(spent) * 0.99)], 3) if spent else 0.0,
        "categories": list(_table(scored)),
    }


def measures(found: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    """The measures of one question: ids found, best first, and the ids that should be."""
    wanted = set(gold)
    ranks = [rank for rank, item in enumerate(found, 1) if item in wanted]
    out = {f"recall@{cut}": sum(1 for rank in ranks if rank <= cut) / len(wanted) for cut in CUTS}
    out["all@10"] = float(sum(1 for rank in ranks if rank <= 10) == len(wanted))
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(10, len(wanted)) + 1))
    out["ndcg@10"] = sum(1 / log2(rank + 1) for rank in ranks if rank <= 10) / ideal
    out["mrr"] = 1 / ranks[0] if ranks else 0.0
    return out


def _ask(
    tree: object, questions: list[dict[str, object]], progress: Progress | None
) -> tuple[list[tuple[str, dict[str, float]]], list[float]]:
    from memtree.app import Tree

    if not isinstance(tree, Tree):
        raise TypeError("a tree is asked")
    scored: list[tuple[str, dict[str, float]]] = []
    spent: list[float] = []
    for number, question in enumerate(questions):
        gold = question.get("gold")
        if not isinstance(gold, list) or not gold:
            continue
        group = str(question.get("group") or "")
        query = Query(
            str(question.get("text", "")), scope=slug(group) if group else "", limit=LIMIT
        )
        started = time.perf_counter()
        answer = tree.search(query)
        spent.append(1000 * (time.perf_counter() - started))
        found = measures([hit.id for hit in answer.hits], [str(item) for item in gold])
        scored.append((str(question.get("category") or "none"), found))
        if progress is not None:
            progress("asking", number + 1, len(questions))
    return scored, spent


def _table(scored: list[tuple[str, dict[str, float]]]) -> Iterator[dict[str, object]]:
    names = sorted({category for category, _ in scored})
    for name in ["all", *(names if len(names) > 1 else [])]:
        rows = [found for category, found in scored if name in ("all", category)]
        row: dict[str, object] = {"category": name, "questions": len(rows)}
        for measure in rows[0] if rows else ():
            row[measure] = round(sum(found[measure] for found in rows) / len(rows), 4)
        yield row


def _by_group(documents: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for document in documents:
        line = {key: value for key, value in document.items() if key not in ("group", "date")}
        if document.get("date"):
            line["time"] = document["date"]
        found.setdefault(str(document.get("group") or ""), []).append(line)
    return found


def _read(
    folder: str,
) -> tuple[dict[str, object], list[dict[str, object]], list[dict[str, object]]]:
    read: list[list[dict[str, object]]] = []
    for name in ("corpus.jsonl", "queries.jsonl"):
        path = os.path.join(folder, name)
        try:
            with open(path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file if line.strip()]
        except FileNotFoundError:
            raise UsageError(
                f"there is no {name} in '{folder}'",
                hint="the folder holds corpus.jsonl, queries.jsonl and task.json",
            ) from None
        except (OSError, ValueError) as error:
            raise UsageError(f"'{path}' can't be read: {error}") from error
        read.append([line for line in lines if isinstance(line, dict)])
    task: dict[str, object] = {}
    with (
        contextlib.suppress(OSError, ValueError),
        open(os.path.join(folder, "task.json"), encoding="utf-8") as file,
    ):
        loaded = json.load(file)
        task = loaded if isinstance(loaded, dict) else {}
    return task, read[0], read[1]
