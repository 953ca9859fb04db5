"""`bench`: memtree measured, on somebody's own questions and by the benchmarks of plugins.

A thin shell over `memtree.bench`. The benchmarks are those of the plugins that are installed, each
a command under its name with the options that it says it has.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memtree.cli._errors import DONE
from memtree.cli._plugin_commands import dress, parameters
from memtree.cli._progress import Progress
from memtree.cli._render import table
from memtree.cli._terminal import clean, stderr, stdout
from memtree.cli._typer import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memtree.plugins.suite import Suite

WithOption = Annotated[
    str, typer.Option("--with", metavar="A,B", help="Plugins that take part in every search.")
]
# What the host asks of every benchmark; a suite's own parameters come between these.
_FIRST = {
    "data": Annotated[
        str, typer.Option("--data", metavar="DIR", help="A folder of data; some make their own.")
    ],
    "seed": Annotated[int, typer.Option("--seed", metavar="N", help="What chance begins with.")],
}
_LAST = {
    "with_": WithOption,
    "limit": Annotated[
        int, typer.Option("--limit", min=0, metavar="N", help="Only the first N cases; 0 for all.")
    ],
    "resume": Annotated[
        str,
        typer.Option(
            "--resume", metavar="FILE", help="Keep finished cases there, and go on with them."
        ),
    ],
}
_DEFAULTS: Mapping[str, object] = {"data": "", "seed": 0, "with_": "", "limit": 0, "resume": ""}


def _family() -> int:
    """Measure memtree on your own questions."""
    return DONE


def retrieval(
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Holds corpus.jsonl, queries.jsonl, task.json.")
    ],
    with_: WithOption = "",
    as_json: JsonOption = False,
) -> int:
    """How well and how fast search finds what the questions ask for.

    Builds a tree from the corpus, searches, and prints recall@k, nDCG@10 and MRR for each category
    with the time per query.
    """
    from memtree.bench import retrieval as measure

    with Progress() as progress:
        report = measure(folder, plugins=_names(with_), progress=progress)
    if as_json:
        return _emit(report)
    out = stdout()
    _grid(report.pop("categories"))
    notes = report.pop("notes", [])
    report["with"] = ", ".join(_names(with_))
    pairs = [(name.replace("_", " "), value) for name, value in report.items() if value != ""]
    table(out, [(name, _cell(value)) for name, value in pairs])
    _say(notes)
    return DONE


def _suite(plugin: str, suite: Suite) -> Callable[..., int]:
    """A command that runs one suite, with the suite's own options among the host's."""
    own = parameters(suite.cases, without=[*_FIRST, *_LAST, "with", "as_json", "tree"])

    def command(**typed: Any) -> int:  # noqa: ANN401  (whatever the suite's parameters are)
        return _run(suite.name, {name: typed[name] for name in own}, typed)

    every = [
        *(_keyword(name, said) for name, said in _FIRST.items()),
        *own.values(),
        *(_keyword(name, said) for name, said in _LAST.items()),
    ]
    dress(command, every, doc=_said_of(plugin, suite), name=suite.name, tree=False)
    return command


def _run(name: str, options: Mapping[str, object], typed: Mapping[str, Any]) -> int:
    from memtree.bench import run

    with Progress() as progress:
        report = run(
            name, data=typed["data"], seed=typed["seed"], plugins=_names(typed["with_"]),
            limit=typed["limit"], resume=typed["resume"], options=options, progress=progress,
        )  # fmt: skip
    if typed["as_json"]:
        return _emit(report)
    _grid(report["kinds"])
    out = stdout()
    lines = report["lines"]
    if isinstance(lines, list) and lines:
        for line in lines:
            out.line(clean(str(line)))
        out.line()
    _operations(report["operations"])
    resumed = f", {report['resumed']} of them from before" if report["resumed"] else ""
    tokens = f", {report['tokens']:,} tokens read" if report["tokens"] else ""
    built = f", trees built in {report['build_s']:.1f} s, all" if report["build_s"] else ", all"
    out.line(
        f"{report['questions']} questions{resumed}{tokens}{built} in {report['seconds']:.1f} s"
    )
    _say(report["notes"])
    return DONE


def _operations(mix: object) -> None:
    """What was done to the trees, the most frequent first."""
    if not isinstance(mix, dict) or not mix:
        return
    count = sum(mix.values())
    told = [f"{kind} {number} ({100 * number / count:.0f} %)"
            for kind, number in sorted(mix.items(), key=lambda item: -item[1])]  # fmt: skip
    stdout().line(f"operations: {clean(', '.join(told))}")


def _emit(report: Mapping[str, object]) -> int:
    from memtree.cli._json import emit

    emit(report)
    return DONE


def _say(notes: object) -> None:
    for note in notes if isinstance(notes, list) else ():
        stderr().line(f"note: {clean(str(note))}")


def _grid(rows: object) -> None:
    """A table of rows that have not all the same measures."""
    rows = rows if isinstance(rows, list) else []
    if rows:
        out = stdout()
        names = list(dict.fromkeys(name for row in rows for name in row))
        table(out, [names, *([_cell(row.get(name)) for name in names] for row in rows)])
        out.line()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else clean(str(value))


def _names(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _keyword(name: str, said: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=_DEFAULTS[name], annotation=said)


def _said_of(plugin: str, suite: Suite) -> str:
    """The help of a suite: what its class or `cases` say, else the title of its plugin."""
    from memtree.hosting.desk import loaded

    for thing in (type(suite), suite.cases):
        said = inspect.getdoc(thing)
        if said:
            return said
    title = loaded(plugin).manifest.title
    return f"{title[:1].upper()}{title[1:]}."


def _members() -> dict[str, Callable[..., int]]:
    """The commands: ours, and one for each suite of a plugin."""
    from memtree.bench import suites

    found: dict[str, Callable[..., int]] = {"_family": _family, "retrieval": retrieval}
    return found | {name: _suite(*each) for name, each in suites().items()}


COMMANDS = {"bench": _members()}
