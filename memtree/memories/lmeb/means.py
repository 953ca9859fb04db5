"""Means as LMEB takes them: of a set its tasks, then over sets, then over the types of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.lmeb.measures import CUTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.memories.lmeb.files import Task

NAMES = ("ndcg@10", *(f"r_cap@{cut}" for cut in CUTS))


def means(rows: Sequence[tuple[Task, Mapping[str, object]]]) -> dict[str, object]:
    """One retriever's means, 0 to 1: `sets`, `types`, `mean_sets`, `mean_types`, and its `ms`.

    `rows` are the means of its tasks. The two totals weigh sets, and types, alike, however many
    queries they have.
    """
    sets: dict[str, list[Mapping[str, object]]] = {}
    kinds: dict[str, str] = {}
    for task, row in rows:
        sets.setdefault(task.set, []).append(row)
        kinds[task.set] = task.type
    by_set = {label: mean(some) for label, some in sets.items()}
    by_type = {
        kind: mean([by_set[label] for label in by_set if kinds[label] == kind])
        for kind in dict.fromkeys(kinds.values())
    }
    return {
        "sets": by_set,
        "types": by_type,
        "mean_sets": mean(list(by_set.values())),
        "mean_types": mean(list(by_type.values())),
        "ms": mean([row for _, row in rows], names=("ms",)).get("ms", 0.0),
    }


def mean(rows: Sequence[Mapping[str, object]], *, names: Sequence[str] = NAMES) -> dict[str, float]:
    """The mean of each measure over the rows that have it."""
    found: dict[str, float] = {}
    for name in names:
        values = [float(row[name]) for row in rows if isinstance(row.get(name), int | float)]  # type: ignore[arg-type]
        if values:
            found[name] = round(sum(values) / len(values), 4)
    return found


def told(every: Mapping[str, Mapping[str, object]]) -> list[str]:
    """One line a retriever: nDCG@10 and R_cap@10 in percent, over sets and over types."""
    width = max(len("retriever"), *map(len, every), 1) + 2
    lines = [f"{'retriever':<{width}}nDCG@10  R_cap@10   by type         ms"]
    for name, made in every.items():
        sets, types = _percent(made["mean_sets"]), _percent(made["mean_types"])
        lines.append(
            f"{name:<{width}}{sets[0]:>7}{sets[1]:>10}   {types[0]:>5} / {types[1]:<5}"
            f"{made['ms']:>8.1f}"
        )
    return lines


def _percent(means_of: object) -> tuple[str, str]:
    got = means_of if isinstance(means_of, dict) else {}
    first, second = (
        f"{100 * got[name]:.2f}" if name in got else "-" for name in ("ndcg@10", "r_cap@10")
    )
    return first, second
