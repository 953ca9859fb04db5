"""A plugin against the plain tree: the same questions, both ways, and whether it helps.

Every question is asked twice of one tree, with the plugin and without, in turns of who is first.
The differences are paired by question. What is shown of each measure is the 95 % interval of the
paired bootstrap (Efron & Tibshirani 1993, chapter 13: percentiles of the mean of resampled
differences). The verdict rests on a randomization test (Smucker, Allan & Carterette 2007: signs of
the differences flipped at random), of all measures at once by their largest statistic (Westfall &
Young 1993): of seven that are looked at, one is soon off zero by chance. Both have a seed, so that
the same data gives the same figures.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from memtree.errors import UsageError
from memtree.hosting.bench_data import adopt, ask, left_out, need, plant, read, strangers
from memtree.hosting.desk import loaded
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.app import Tree
    from memtree.hosting.bench_data import Data, Scored

    Progress = Callable[[str, int, int], None]

MEASURES = ("recall@1", "recall@5", "recall@10", "all@5", "all@10", "ndcg@10", "mrr")
RESAMPLES = 10_000
LEVEL = 0.05
"""How likely chance alone may be, for all measures together, and a difference still be believed."""
_AT_ONCE = 200
_IN_SEARCH = ("retrieve", "refine")
PLAIN = "plain"
HELPS, HARMS = "helps on this tree", "does not help"


def compare(
    names: Sequence[str], data: str, *, opened: Callable[[str], Tree], place: str, seed: int = 0,
    limit: int = 0, progress: Progress | None = None,
) -> tuple[dict[str, object], list[str]]:  # fmt: skip
    """Measure plugins against the plain tree on a data folder; the report, and lines for people.

    Each plugin is measured alone, and several together besides. `opened` makes a tree in an empty
    folder, `place` is a scratch folder; `limit` asks so many questions, drawn evenly, 0 asks all.
    Raises UsageError for data that can't be used and for a plugin without a part in search,
    Unavailable for one that can't be used.
    """
    for name in names:
        if not any(loaded(name).has(hook) for hook in _IN_SEARCH):
            raise UsageError(
                f"the plugin {name} takes no part in a search, so there is nothing to compare",
                hint=f"memtree plugins show {name}",
            )
    questions = read(data)
    if limit:
        questions = _evenly(questions, limit)
    with opened(f"{place}/tree") as tree:
        need(tree, names)  # said before anything is built
        plant(tree, questions, place, progress=progress)
        tree.refresh(progress=progress)
        tree.max_age = 3600.0
        sides = [[name] for name in dict.fromkeys(names)]
        if len(sides) > 1:
            sides.append([name for side in sides for name in side])
        notes = strangers(questions)
        notes += adopt(tree, list(dict.fromkeys(names)), data)
        notes += need(tree, names)
        found = []
        for side in sides:
            ready = _made_ready(tree, questions, side, progress)
            plain, other = _both(tree, questions, side, progress)
            notes += left_out(other)
            found.append(_judged(side, plain, other, ready=ready, seed=seed))
    report: dict[str, object] = {
        "task": questions.name, "documents": len(questions.documents),
        "questions": len(questions.questions), "seed": seed, "plugins": found,
        "notes": list(dict.fromkeys(notes)),
    }  # fmt: skip
    return report, told(report)


def intervals(
    differences: Sequence[Sequence[float]], *, seed: int = 0
) -> list[tuple[float, float]]:
    """The 95 % intervals of the means of paired differences, one for each list; (0, 0) of none.

    The lists have one length; all are resampled alike.
    """
    np = load_numpy()
    values = np.asarray(differences, dtype=np.float64).T
    if not values.size:
        return [(0.0, 0.0)] * len(differences)
    random = np.random.default_rng(seed)
    count = len(values)
    means = [
        random.multinomial(count, np.full(count, 1 / count), size=_AT_ONCE) @ values / count
        for _ in range(RESAMPLES // _AT_ONCE)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5], axis=0)
    return [(float(one), float(other)) for one, other in zip(low, high, strict=True)]


def chances(differences: Sequence[Sequence[float]], *, seed: int = 0) -> list[float]:
    """How likely chance makes a difference as large in any of the lists; 0 to 1, one for each.

    The statistic is |sum d| / sqrt(sum d^2), which flipping signs leaves comparable.
    """
    np = load_numpy()
    values = np.asarray(differences, dtype=np.float64).T
    if not values.size:
        return [1.0] * len(differences)
    scale = np.sqrt((values**2).sum(axis=0))
    scaled = values / np.where(scale > 0, scale, 1.0)
    # What is equal but for rounding is equal.
    reached = np.abs(scaled.sum(axis=0)) - 1e-9
    random = np.random.default_rng(seed)
    larger = np.zeros(values.shape[1])
    for _ in range(RESAMPLES // _AT_ONCE):
        signs = random.integers(0, 2, size=(_AT_ONCE, len(values))) * 2.0 - 1.0
        largest = np.abs(signs @ scaled).max(axis=1)
        larger += (largest[:, None] >= reached).sum(axis=0)
    return [float((1 + each) / (1 + RESAMPLES)) for each in larger]


def verdict(better: Sequence[str], worse: Sequence[str], questions: int) -> str:
    """What is said of the measures that are better and worse beyond chance."""
    if better and worse:
        return f"helps with {', '.join(better)} and harms {', '.join(worse)}"
    if better:
        return HELPS
    if worse:
        return HARMS
    what = "question" if questions == 1 else "questions"
    return f"no difference that {questions} {what} can show"


def told(report: dict[str, object]) -> list[str]:
    """The report as lines: a table and a verdict for each plugin."""
    lines = [f"{report['task']}: {report['documents']} documents, {report['questions']} questions"]
    plugins = report["plugins"]
    for each in plugins if isinstance(plugins, list) else []:
        lines += _told(each)
    notes = report["notes"]
    lines += [f"note: {note}" for note in notes] if isinstance(notes, list) else []
    return lines


def _told(each: dict[str, Any]) -> list[str]:
    width = max(len(each["plugin"]), 6)
    lines = ["", f"{'':<10}{PLAIN:>8}  {each['plugin']:>{width}}  difference  95 % interval"]
    for name in MEASURES:
        one = each["measures"][name]
        low, high = one["interval"]
        lines.append(
            f"{name:<10}{one['plain']:>8.3f}  {one['with']:>{width}.3f}"
            f"{one['difference']:>+12.3f}  {low:+.3f} to {high:+.3f}"
            + (" *" if one["chance"] <= LEVEL else "")
        )
    ms = each["ms"]
    lines.append(f"{'ms':<10}{ms['plain']:>8.1f}  {ms['with']:>{width}.1f}")
    if each["ready_s"] >= 1:
        lines.append(f"made ready in {each['ready_s']:.0f} s")
    marked = [name for name in MEASURES if each["measures"][name]["chance"] <= LEVEL]
    if marked:
        lines.append(f"* beyond chance, with {len(MEASURES)} measures looked at")
    most = marked or ["ndcg@10"]
    shown = ", ".join(f"{name} {each['measures'][name]['difference']:+.3f}" for name in most)
    return [*lines, "", f"{each['plugin']}: {each['verdict']} ({shown})"]


def _made_ready(tree: Tree, data: Data, side: Sequence[str], progress: Progress | None) -> float:
    """Seconds of the first question: what a plugin derives from a tree is made then."""
    if progress is not None:
        progress(f"making {' and '.join(side)} ready", 0, 0)
    started = time.perf_counter()
    for question in data.questions[:1]:
        ask(tree, question)
        ask(tree, question, side)
    return time.perf_counter() - started


def _both(
    tree: Tree, data: Data, side: Sequence[str], progress: Progress | None
) -> tuple[list[Scored], list[Scored]]:
    plain, other = [], []
    for number, question in enumerate(data.questions):
        if number % 2:
            other.append(ask(tree, question, side))
            plain.append(ask(tree, question))
        else:
            plain.append(ask(tree, question))
            other.append(ask(tree, question, side))
        if progress is not None:
            progress(f"asking with {' and '.join(side)}", number + 1, len(data.questions))
    return plain, other


def _judged(
    side: Sequence[str], plain: Sequence[Scored], other: Sequence[Scored], *, ready: float,
    seed: int,
) -> dict[str, object]:  # fmt: skip
    count = len(plain)
    changes = [
        [after.measures[name] - before.measures[name]
         for before, after in zip(plain, other, strict=True)]
        for name in MEASURES
    ]  # fmt: skip
    bounds = intervals(changes, seed=seed)
    chance = chances(changes, seed=seed)
    rows: dict[str, dict[str, object]] = {}
    better: list[str] = []
    worse: list[str] = []
    for number, name in enumerate(MEASURES):
        total = sum(changes[number])
        if chance[number] <= LEVEL:
            (better if total > 0 else worse).append(name)
        rows[name] = {
            "plain": round(sum(each.measures[name] for each in plain) / max(1, count), 4),
            "with": round(sum(each.measures[name] for each in other) / max(1, count), 4),
            "difference": round(total / max(1, count), 4),
            "interval": [round(bound, 4) for bound in bounds[number]],
            "chance": round(chance[number], 4),
            "better": sum(change > 0 for change in changes[number]),
            "worse": sum(change < 0 for change in changes[number]),
        }
    failed = sum(bool(each.troubles) for each in other)
    said = verdict(better, worse, count)
    if failed:
        said = (f"was left out of {failed} of {count} questions"
                + ("" if failed == count else f"; as it is, {said}"))  # fmt: skip
    return {
        "plugin": "+".join(side),
        "verdict": said,
        "failed": failed,
        "measures": rows,
        "ms": {
            "plain": round(sum(each.ms for each in plain) / max(1, count), 3),
            "with": round(sum(each.ms for each in other) / max(1, count), 3),
        },
        "ready_s": round(ready, 3),
    }


def _evenly(data: Data, limit: int) -> Data:
    """So many of the questions, drawn evenly: files have them in the order of their kinds."""
    every = data.questions
    if limit >= len(every):
        return data
    return replace(data, questions=[every[at * len(every) // limit] for at in range(limit)])
