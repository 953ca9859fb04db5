"""`plugins`: which memory models are installed, in which state, and whether they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtree.cli._errors import DONE, NOTHING
from memtree.cli._open import opened, somewhere
from memtree.cli._progress import Progress
from memtree.cli._render import plural, table
from memtree.cli._terminal import clean, stderr, stdout
from memtree.cli._typer import JsonOption, TreeOption

if TYPE_CHECKING:
    from memtree.hosting.verifying import Told

NamesArgument = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help="Plugins, as `memtree plugins list` has them."),
]
SomeArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Plugins; all when left out.")
]
DataOption = Annotated[
    str, typer.Option("--data", metavar="DIR", help="Measure on this data set, too.")
]


def _family() -> int:
    """Other memory models as plugins: list, enable, verify.

    A plugin that is enabled takes part in questions of this tree; --with NAME asks for one in a
    single question. What is not enabled costs nothing, not even an import.
    """
    return DONE


def list_(
    by: Annotated[
        str, typer.Option("--by", metavar="paradigm", help="Count what is covered, by paradigm.")
    ] = "",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """List the plugins that are installed, with their status here."""
    from memtree.hosting.verifying import told

    with somewhere(tree) as there:
        found = list(told(there))
    if as_json:
        from memtree.cli._json import emit

        emit([each.as_dict() for each in found])
        return DONE
    out = stdout()
    if by:
        _by_paradigm(found)
        return DONE
    for each in found:
        mark = out.bold(clean(each.name)) + (" (enabled)" if each.enabled else "")
        seeds = f"  {', '.join(each.seeds)}" if each.seeds else ""
        out.line(f"{mark}{seeds}")
        if each.title:
            out.line(f"  {clean(each.title)}")
        out.line(f"  {clean(each.status)}")
    out.line()
    out.line(out.dim("`memtree plugins show NAME` tells more; `memtree plugins enable NAME`."))
    return DONE


def _by_paradigm(found: list[Told]) -> None:
    rows: dict[str, list[Told]] = {}
    for each in found:
        rows.setdefault(each.paradigm or "unknown", []).append(each)
    table(
        stdout(),
        [
            (paradigm, str(len(rows[paradigm])), ", ".join(clean(each.name) for each in members),
             ", ".join(seed for each in members for seed in each.seeds))
            for paradigm, members in sorted(rows.items())
        ],
    )  # fmt: skip


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A plugin.")],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Show one plugin: what it is, how it would run here, its commands and options."""
    from memtree.hosting.desk import loaded
    from memtree.hosting.verifying import told

    with somewhere(tree) as there:
        each = next(iter(told(there, [name])))
        more: dict[str, object] = {"options": {}, "commands": []}
        if each.hooks:
            it = loaded(name)
            more["options"] = dict(there.host.context(it).options)
            more["commands"] = [
                f"memtree {words}" for words in getattr(it.plugin, "commands", dict)()
            ]
    if as_json:
        from memtree.cli._json import emit

        emit({**each.as_dict(), **more})
        return DONE
    out = stdout()
    out.line(out.bold(clean(each.name)) + (" (enabled)" if each.enabled else ""))
    options = more["options"]
    commands = more["commands"]
    rows = [
        ("title", each.title), ("from", each.source), ("seeds", ", ".join(each.seeds)),
        ("paradigm", each.paradigm), ("status", each.status), ("modes", ", ".join(each.modes)),
        ("needs", ", ".join(each.requires)), ("uses", ", ".join(each.enhances)),
        ("hooks", ", ".join(each.hooks)),
        ("commands", ", ".join(commands) if isinstance(commands, list) else ""),
        ("options", ", ".join(f"{key} = {value}" for key, value in options.items())
         if isinstance(options, dict) else ""),
    ]  # fmt: skip
    table(out, [(label, clean(value)) for label, value in rows if value])
    return DONE


def enable(names: NamesArgument, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Let plugins take part in the questions of this tree, after those that are enabled."""
    from memtree.hosting import registry, settings
    from memtree.hosting.verifying import told

    there = opened(tree)
    for name in names:
        registry.load(name)
    order = settings.enable(there.root, names, on=True)
    found = [each for each in told(there, names) if not each.status.startswith("active")]
    if as_json:
        from memtree.cli._json import emit

        emit({"enabled": list(order), "not_active": {each.name: each.status for each in found}})
        return DONE
    stdout().line(f"enabled, in this order: {', '.join(map(clean, order))}")
    for each in found:
        stderr().line(f"{clean(each.name)} is {clean(each.status)}")
    return DONE


def disable(names: NamesArgument, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Leave plugins out of the questions of this tree; what they stored stays."""
    from memtree.hosting import settings

    order = settings.enable(opened(tree).root, names, on=False)
    if as_json:
        from memtree.cli._json import emit

        emit({"enabled": list(order)})
        return DONE
    left = ", ".join(map(clean, order)) or "none"
    stdout().line(f"enabled, in this order: {left}")
    return DONE


def verify(names: SomeArgument = None, data: DataOption = "", as_json: JsonOption = False) -> int:
    """Run the acceptance checks of plugins on scratch trees: what was measured, what is needed.

    Exits 1 when one fails. What can't be measured here is said and not counted.
    """
    from memtree.hosting.verifying import verify as checks

    left: list[tuple[str, str, str]] = []
    rows: list[dict[str, object]] = []
    out = stdout()
    shown = ""
    with Progress() as progress:
        for plugin, check in checks(
            names or (), data=data, progress=progress,
            skipped=lambda *told: left.append(told),
        ):  # fmt: skip
            rows.append(
                {"plugin": plugin, "check": check.name,
                 "passed": check.passed if check.needed else None,
                 "measured": check.measured, "needed": check.needed}
            )  # fmt: skip
            if not as_json:
                progress.clear()
                if plugin != shown:
                    out.line(out.bold(clean(plugin)))
                    shown = plugin
                mark = "ok  " if check.passed else out.style("FAIL", "1;31")
                needed = out.dim(f"needed: {clean(check.needed)}" if check.needed else "no bar")
                out.line(f"  {mark if check.needed else '    '} {clean(check.name)}")
                out.line(f"       {clean(check.measured)}  {needed}")
    for plugin, what, reason in left:
        stderr().line(f"not measured here: {clean(plugin)}: {clean(what)}: {clean(reason)}")
    judged = [row["passed"] for row in rows if row["passed"] is not None]
    failed = judged.count(False)
    if as_json:
        from memtree.cli._json import emit

        emit(rows)
    else:
        what = f"{len(judged)} {plural(len(judged), 'check', 'checks')}"
        out.line(f"{what}, {failed} failed" + (f", {len(left)} not measured" if left else ""))
    return NOTHING if failed else DONE


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the new plugin: a-z, 0-9, -.")],
    into: Annotated[
        str, typer.Option("--into", metavar="DIR", help="Where; a new folder NAME here.")
    ] = "",
    as_json: JsonOption = False,
) -> int:
    """Write a small plugin that works: a package with tests, ready to install and to change."""
    from memtree.hosting.scaffold import scaffold

    folder, files = scaffold(name, into)
    if as_json:
        from memtree.cli._json import emit

        emit({"folder": folder, "files": files})
        return DONE
    out = stdout()
    for file in files:
        out.line(clean(file))
    out.line()
    out.line(f"Install it: pip install -e {clean(folder)}")
    out.line(f"Then:       memtree plugins verify {clean(name)}")
    return DONE


def compare(
    names: NamesArgument,
    data: Annotated[
        str, typer.Option("--data", metavar="DIR", help="corpus.jsonl and queries.jsonl.")
    ],
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="What chance begins with.")
    ] = 0,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", metavar="N", min=0, help="Only N questions, drawn evenly; 0 for all."
        ),
    ] = 0,
    as_json: JsonOption = False,
) -> int:
    """Ask the same questions with a plugin and without: both figures, and whether it helps.

    In a tree made of the documents. Of several plugins each is measured alone, then all together.
    """
    from memtree.bench import compare as compared

    with Progress() as progress:
        report, lines = compared(names, data, seed=seed, limit=limit, progress=progress)
    if as_json:
        from memtree.cli._json import emit

        emit(report)
        return DONE
    for line in lines:
        stdout().line(clean(line))
    return DONE


COMMANDS = {
    "plugins": {
        "_family": _family, "list": list_, "show": show, "enable": enable, "disable": disable,
        "verify": verify, "new": new, "compare": compare,
    }
}  # fmt: skip
