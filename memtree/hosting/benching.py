"""The loop of every benchmark: scratch trees, questions, time, operations, tables, going on later.

A suite (`memtree.plugins.suite.Suite`) gives cases and grades them; all else is done here. Each
setup gets a tree of its own in a temporary folder: its documents are imported as JSONL, as any
user's would be, or the suite prepares it. Then each case is asked in turn: by the suite's own
`answer`, else by the retriever that the case names, else by `memtree search` with the plugins of
the run.

What a suite may have besides the protocol:

    settings(setup) -> Mapping[str, str]     settings of the setup's tree, such as `embed.model`
    totals = False                           a row of all cases together would mean nothing
    writes = True                            its `answer` writes: files are looked at each time
    report(rows) -> Sequence[str]            lines for people under the table; `rows` are its rows:
                                             kind, n, the means of the measures, ms
    summary(rows) -> Mapping[str, object]    joins the JSON document as `summary`

What a case may say in its `meta`: `scope`, the folder that is searched; `retriever`: `memtree` (the
tree's own search, without the suite's plugin), a plugin's name (its retriever alone),
`memtree+NAME` (both, fused).
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar, cast

from memtree import config
from memtree.errors import MemtreeError, UsageError
from memtree.hosting.bench_asking import Retrievers, Watched
from memtree.hosting.bench_data import need
from memtree.hosting.bench_log import Built, Done, Log
from memtree.hosting.bench_measures import by_kind
from memtree.hosting.desk import desk_of
from memtree.plugins.suite import Result, answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from memtree.app import Tree
    from memtree.plugins.desk import Desk
    from memtree.plugins.suite import Case, Document, Suite

    Progress = Callable[[str, int, int], None]
    T = TypeVar("T")
else:
    T = TypeVar("T")

# How long a look at the files holds while cases are asked, in seconds: nobody else writes there.
_LOOK_S = 3600.0
MOST_FOUND = 1000
"""Hits that are asked for where only some documents count."""
KEPT = 50
"""Ids of a case's ranking that are kept in the log."""


class SuiteFailed(MemtreeError):  # noqa: N818  (says what happened, like its siblings)
    """A suite's own code failed; the cases that are finished are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a suite.

    `plugin` is the name of the suite's own, `opened` makes a tree in an empty folder. `plugins` are
    those that take part in every search; `limit` 0 asks all cases; `options` are the suite's own,
    parameters of its `cases`.
    """

    suite: Suite
    plugin: str
    opened: Callable[[str], Tree]
    data: str = ""
    seed: int = 0
    plugins: Sequence[str] = ()
    limit: int = 0
    resume: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    progress: Progress | None = None

    def described(self) -> dict[str, object]:
        """Which run this is: what another one has to share to go on with its log."""
        return {
            "suite": self.suite.name,
            "data": os.path.abspath(self.data) if self.data else "",
            "seed": self.seed,
            "with": list(self.plugins),
            "options": dict(self.options),
        }

    def tell(self, what: str, done: int, total: int) -> None:
        """Tell how far it is."""
        if self.progress is not None:
            self.progress(what, done, total)


def run(this: Run) -> dict[str, object]:
    """Ask all cases of a suite; the report is the JSON document of `memtree bench NAME`.

    `kinds` are the table's rows: kind, n, the mean of each measure, ms per question. `operations`
    are those that suites carried out on their trees, by kind, `build_s` the seconds that building
    all trees took. Raises UsageError for data or options that the suite can't use, Unavailable for
    a plugin that was named and can't be used, SuiteFailed.
    """
    started = time.perf_counter()
    cases = _cases(this)
    with Log(this.resume, this.described()) as log:
        notes = _all_asked(this, cases, log)
        done = [log.done[case.id] for case in cases]
    setups = list(dict.fromkeys(case.setup for case in cases))
    built = [log.built[setup] for setup in setups if setup in log.built]
    rows = by_kind(
        ((each.kind, each.ms, each.measures) for each in done),
        label="kind", count="n", total=bool(getattr(this.suite, "totals", True)),
    )  # fmt: skip
    return {
        **this.described(),
        "plugin": this.plugin,
        "questions": len(done),
        "resumed": log.resumed,
        "setups": len(setups),
        "operations": dict(sum((Counter(each.operations) for each in built), Counter())),
        "tokens": sum(each.tokens for each in done),
        "build_s": round(sum(each.seconds for each in built), 3),
        "seconds": round(time.perf_counter() - started, 3),
        "kinds": rows,
        **_optional(this, "summary", rows),
        "lines": _lines(this, rows),
        "notes": list(dict.fromkeys(notes)),
    }


def _all_asked(this: Run, cases: Sequence[Case], log: Log) -> list[str]:
    """Ask what the log has not yet; gives what is to be said."""
    left = [case for case in cases if case.id not in log.done]
    asked, searched = len(cases) - len(left), 0
    notes: list[str] = []
    for setup, group in groupby(left, key=lambda case: case.setup):
        started = time.perf_counter()
        with _planted(this, setup) as place:
            seconds = time.perf_counter() - started
            built = dict(place.desk.operations)
            log.build(Built(setup=setup, seconds=round(seconds, 3), operations=built))
            for case in group:
                log.add(_asked(this, case, place))
                asked += 1
                this.tell("asking", asked, len(cases))
            if place.desk.operations != built:  # its answers write
                built = dict(place.desk.operations)
                log.build(Built(setup=setup, seconds=round(seconds, 3), operations=built))
            notes += place.retrievers.notes
            searched += place.desk.asked + place.retrievers.searched
    if this.plugins and left and not searched:
        named = ", ".join(this.plugins)
        notes.append(f"nothing was searched in the tree: --with {named} made no difference")
    return notes


def plant(
    tree: Tree, documents: Iterable[Document], place: str, *, name: str = "documents"
) -> tuple[int, int]:
    """Import documents into a tree as JSONL; returns how many, and how many had no text."""
    source = os.path.join(place, f"{name}.jsonl")
    count = 0
    with open(source, "w", encoding="utf-8") as file:
        for each in documents:
            file.write(json.dumps(_line(each), ensure_ascii=False) + "\n")
            count += 1
    report = tree.import_paths([source], kind="jsonl")
    os.unlink(source)
    return count, report.skipped


class _Place:
    """The tree of a setup, with what is asked there."""

    def __init__(self, tree: Tree, desk: Watched, retrievers: Retrievers) -> None:
        self.tree = tree
        self.desk = desk
        self.retrievers = retrievers


@contextlib.contextmanager
def _planted(this: Run, setup: str) -> Iterator[_Place]:
    """The tree of a setup, with its documents, indexed."""
    this.tell(f"building {setup}", 0, 0)
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="memtree-bench-"))
        tree = stack.enter_context(this.opened(os.path.join(place, "tree")))
        wanted = getattr(this.suite, "settings", None)
        for name, value in (wanted(setup) if wanted else {}).items():
            config.assign(tree.root, name, value)
        retrievers = Retrievers(tree, this.plugins, data=this.data)
        need(tree, this.plugins)  # said before anything is built
        desk = Watched(desk_of(tree, [this.plugin, *this.plugins], progress=this.progress))
        prepare = getattr(this.suite, "prepare", None)
        if prepare is not None:
            _own(this, f"prepare {setup}", lambda: prepare(setup, desk))
        else:
            _, lost = plant(tree, _own(this, setup, lambda: this.suite.documents(setup)), place)
            if lost:
                retrievers.notes.append(f"{lost} documents of {setup} have no text")
        tree.refresh(progress=this.progress)
        retrievers.adopt(this.plugins)
        retrievers.need(this.plugins)
        tree.max_age = 0.0 if getattr(this.suite, "writes", False) else _LOOK_S
        yield _Place(tree, desk, retrievers)


def _asked(this: Run, case: Case, place: _Place) -> Done:
    started = time.perf_counter()
    desk = cast("Desk", place.desk)
    result = _own(this, case.id, lambda: answers(this.suite, case, desk))
    if result is None:
        result = place.retrievers.ask(case, desk, limit=_wide(case))
    ms = result.ms or 1000 * (time.perf_counter() - started)
    found = list(result.found)
    if case.candidates:
        counting = set(case.candidates)
        found = [each for each in found if each in counting]
    graded = Result(
        found=tuple(found[: case.limit]), answer=result.answer, status=result.status, ms=ms,
        tokens=result.tokens,
    )  # fmt: skip
    measured = _own(this, case.id, lambda: this.suite.grade(case, graded))
    return Done(
        case=case.id, kind=case.kind, ms=round(ms, 3), tokens=graded.tokens, status=graded.status,
        answer=graded.answer, found=tuple(graded.found[:KEPT]),
        measures={name: float(value) for name, value in measured.items()},
    )  # fmt: skip


def _wide(case: Case) -> int:
    return MOST_FOUND if case.candidates else max(1, min(MOST_FOUND, case.limit))


def _cases(this: Run) -> list[Case]:
    """The cases of a run, those of one setup together."""

    def given() -> list[Case]:
        found: list[Case] = []
        for case in this.suite.cases(data=this.data, seed=this.seed, **this.options):
            found.append(case)
            if this.limit and len(found) == this.limit:
                break
        return found

    cases = _own(this, "cases", given)
    if not cases:
        raise UsageError(
            f"the benchmark {this.suite.name} has no cases there",
            hint=f"memtree bench {this.suite.name} --help",
        )
    if len({case.id for case in cases}) < len(cases):
        raise SuiteFailed(f"the benchmark {this.suite.name} gave two cases one id")
    setups = list(dict.fromkeys(case.setup for case in cases))
    return sorted(cases, key=lambda case: setups.index(case.setup))


def _own(this: Run, what: str, work: Callable[[], T]) -> T:
    """Run a suite's own code; what it can't name becomes words, with its name."""
    try:
        return work()
    except MemtreeError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise SuiteFailed(
            f"the benchmark {this.suite.name} failed ({what}): {type(error).__name__}: {text}",
            hint=f"tell whoever wrote the plugin {this.plugin}",
        ) from error


def _optional(this: Run, name: str, rows: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    make = getattr(this.suite, name, None)
    return {name: _own(this, name, lambda: make(rows))} if make is not None else {}


def _lines(this: Run, rows: Sequence[Mapping[str, object]]) -> list[str]:
    make = getattr(this.suite, "report", None)
    return list(_own(this, "report", lambda: make(rows))) if make is not None else []


def _line(document: Document) -> dict[str, object]:
    """A document as a line of JSONL; what it does not say is left out."""
    names = ("id", "title", "time", "path", "speaker", "session", "text")
    said = {name: getattr(document, name) for name in names}
    return {name: value for name, value in said.items() if value or name == "text"}
