"""`memtree bench`: how well and how fast memtree finds what questions ask for.

`retrieval` measures on somebody's own questions. The corpus goes the way that any user's JSONL
goes: imported into a tree of markdown files, indexed, searched with the group as scope. Nothing
here knows what the data set is. `memtree.hosting.bench_measures` says what is measured.

`suites` are the benchmarks that plugins bring, which `run` asks; `compare` sets plugins against the
plain tree. All work on trees of their own in temporary folders.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from typing import TYPE_CHECKING

from memtree.app import init_tree
from memtree.hosting import bench_data
from memtree.hosting.bench_measures import measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.app import Tree
    from memtree.plugins.suite import Suite

    Progress = Callable[[str, int, int], None]

__all__ = ["compare", "measures", "retrieval", "run", "suites"]


def retrieval(
    folder: str, *, plugins: Sequence[str] = (), keep: str | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:  # fmt: skip
    """Measure on `corpus.jsonl`, `queries.jsonl` and `task.json` in `folder`.

    `plugins` take part in every search. Returns the task's name, sizes (`skipped` are documents
    without text, which can't be imported), seconds to import and to index, milliseconds per
    question (mean, median, 99th percentile), and `categories`: one row of measures each, `all`
    first. With `keep` the tree stays in that folder. Raises UsageError when the folder holds no
    such files, Unavailable for a plugin that can't be used.
    """
    data = bench_data.read(folder)
    with contextlib.ExitStack() as stack:
        place = keep or stack.enter_context(tempfile.TemporaryDirectory(prefix="memtree-bench-"))
        tree = stack.enter_context(init_tree(os.path.join(place, "tree")))
        bench_data.need(tree, plugins)  # said before anything is built
        started = time.perf_counter()
        skipped = bench_data.plant(tree, data, place, progress=progress)
        imported = time.perf_counter() - started
        started = time.perf_counter()
        tree.refresh(progress=progress)
        indexed = time.perf_counter() - started
        tree.max_age = 3600.0
        notes = bench_data.adopt(tree, plugins, folder)
        notes += bench_data.need(tree, plugins)
        scored = list(bench_data.asked(tree, data, plugins, progress=progress))
        notes += [*bench_data.strangers(data), *bench_data.left_out(scored)]
    spent = sorted(each.ms for each in scored)
    report: dict[str, object] = {
        "task": data.name,
        "documents": len(data.documents) - skipped,
        "skipped": skipped,
        "questions": len(scored),
        "import_s": round(imported, 3),
        "index_s": round(indexed, 3),
        "ms_mean": round(sum(spent) / max(1, len(spent)), 3),
        "ms_p50": round(spent[len(spent) // 2], 3) if spent else 0.0,
        "ms_p99": round(spent[int(len(spent) * 0.99)], 3) if spent else 0.0,
        "categories": bench_data.categories(scored),
    }
    if plugins:
        report["with"] = list(plugins)
    return report | ({"notes": notes} if plugins or notes else {})


def suites() -> dict[str, tuple[str, Suite]]:
    """The benchmarks of all plugins that are installed: name -> (plugin, suite).

    A plugin that can't be loaded has none; of two suites with one name the first stays, and
    `retrieval` is ours.
    """
    from memtree.hosting import registry

    found: dict[str, tuple[str, Suite]] = {}
    for name in registry.names():
        loaded = registry.load(name)
        if isinstance(loaded, registry.Broken) or not loaded.has("bench"):
            continue
        with contextlib.suppress(Exception):  # another's code: it has no benchmark then
            for suite in loaded.plugin.bench():  # type: ignore[attr-defined]
                if suite.name != "retrieval":
                    found.setdefault(suite.name, (name, suite))
    return found


def run(
    name: str, *, data: str = "", seed: int = 0, plugins: Sequence[str] = (), limit: int = 0,
    resume: str = "", options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> dict[str, object]:  # fmt: skip
    """Run the benchmark of a plugin; `memtree.hosting.benching.run` says what the report holds.

    Raises UsageError for a benchmark that is not there, and as `benching.run` does.
    """
    from memtree.errors import UsageError
    from memtree.hosting.benching import Run
    from memtree.hosting.benching import run as asked

    known = suites()
    if name not in known:
        raise UsageError(
            f"no plugin brings a benchmark {name!r}",
            hint=f"there are {', '.join(['retrieval', *known])}",
        )
    plugin, suite = known[name]
    return asked(
        Run(
            suite=suite, plugin=plugin, opened=_opened, data=data, seed=seed,
            plugins=tuple(plugins), limit=limit, resume=resume, options=dict(options or {}),
            progress=progress,
        )
    )  # fmt: skip


def compare(
    names: Sequence[str], folder: str, *, seed: int = 0, limit: int = 0,
    progress: Progress | None = None,
) -> tuple[dict[str, object], list[str]]:  # fmt: skip
    """Plugins against the plain tree on a data folder: the report, and lines for people.

    Raises UsageError and Unavailable as `memtree.hosting.comparing.compare` does.
    """
    from memtree.hosting.comparing import compare as measured

    with tempfile.TemporaryDirectory(prefix="memtree-compare-") as place:
        return measured(
            list(names), folder, opened=_opened, place=place, seed=seed, limit=limit,
            progress=progress,
        )  # fmt: skip


def _opened(place: str) -> Tree:
    return init_tree(place)
