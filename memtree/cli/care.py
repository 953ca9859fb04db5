"""`status`, `check`, `doctor`, `index`, `watch`: whether all is well, and making it so."""

from __future__ import annotations

from memtree.cli._errors import DONE, INTERRUPTED, NOTHING
from memtree.cli._open import opened
from memtree.cli._progress import Progress
from memtree.cli._render import plural, table
from memtree.cli._terminal import Terminal, clean, stdout
from memtree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    import typer

    from memtree.app import Tree
    from memtree.asking import Embedded
    from memtree.cli._typer import FolderArgument, JsonOption, TreeOption
    from memtree.knowledge.problem import Problem


def status(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Show the tree at a glance."""
    facts = opened(tree).status()
    if as_json:
        from memtree.cli._json import emit

        emit(facts)
        return DONE
    out = stdout()
    table(out, [(name.replace("_", " "), _fact(value)) for name, value in facts.items()])
    return DONE


def _fact(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_fact(inner)}" for name, inner in value.items()) or "-"
    if isinstance(value, (list, tuple)):
        return ", ".join(_fact(inner) for inner in value) or "-"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def check(
    folder: FolderArgument = "",
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair what is safe to repair; undo takes it back.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Find what is wrong with the knowledge: links, duplicates, dates.

    Exits 1 when something is (after --fix: when something is left).
    """
    from memtree.cli.listing import rows_below, scope_of

    there = opened(tree)
    scope = scope_of(folder)
    if scope:
        rows_below(there, scope)  # a folder that is not there has nothing wrong with it either
    found = there.check(scope=scope, fix=fix)
    if as_json:
        from memtree.cli._json import emit

        emit(found)
    else:
        _findings(stdout(), found)
    return NOTHING if found else DONE


def _findings(out: Terminal, found: Sequence[Problem]) -> None:
    if not found:
        out.line("nothing to complain about")
        return
    for problem in found:
        where = clean(problem.path) + (f":{problem.line}" if problem.line else "")
        out.line(
            f"{out.style(where, '36')}: {clean(problem.message)} {out.dim(f'[{problem.code}]')}"
        )
    out.line(out.dim(f"{len(found)} {plural(len(found), 'finding', 'findings')}"))


def doctor(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Find what is wrong with the machinery: index, locks, tools.

    Exits 1 when something is.
    """
    rows = opened(tree).doctor()
    if as_json:
        from memtree.cli._json import emit

        emit(rows)
        return DONE if all(row.ok for row in rows) else NOTHING
    out = stdout()
    good, bad = ("✓", "✗") if out.unicode else ("ok", "!!")
    for row in rows:
        sign = out.style(good, "32") if row.ok else out.style(bad, "1;31")
        out.line(f"{sign} {clean(row.name)}: {clean(row.detail)}")
        if row.hint and not row.ok:
            out.line(f"  {out.bold('hint:')} {clean(row.hint)}")
    return DONE if all(row.ok for row in rows) else NOTHING


def index(
    what: Annotated[
        str, typer.Argument(metavar="[compress]", help="Compress the vectors, with a plugin.")
    ] = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Forget the index and read every file again.")
    ] = False,
    with_: Annotated[
        str, typer.Option("--with", metavar="PLUGIN", help="Which plugin compresses.")
    ] = "mbc",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Bring the index and its vectors up to date; normally automatic.

    Making the vectors of a large model takes long: it can be interrupted, and goes on where it
    stopped. Exits 3 when something could not be indexed yet.
    """
    if what:
        return _compress(what, with_, as_json=as_json, tree=tree)
    there = opened(tree)
    with Progress() as progress:
        report = there.refresh(rebuild=rebuild, progress=progress)
        vectors, why = _vectors(there, progress)
    if as_json:
        from memtree.cli._json import emit

        facts_of = {name: getattr(report, name) for name in report.__slots__}
        emit({**facts_of, "vectors": vectors, "no_vectors": why or None})
    else:
        out = stdout()
        facts = [
            f"{report.indexed:,} {plural(report.indexed, 'entry', 'entries')} indexed",
            f"{report.changed:,} changed",
            f"{report.removed:,} removed",
            f"{report.ms:,.0f} ms",
        ]
        if vectors is not None:
            passages = plural(vectors.embedded, "passage", "passages")
            facts.append(f"{vectors.embedded:,} {passages} embedded")
        out.line(f" {out.dot} ".join(facts))
        if why:
            out.line(f"no vectors were made: {clean(why)}")
        elif vectors is not None and vectors.left:
            out.line(f"{vectors.left:,} entries have no vectors yet")
        if report.pending:
            out.line(f"{report.pending:,} could not be indexed yet")
        if report.problems:
            _findings(out, report.problems)
    return 3 if report.pending or why or (vectors is not None and vectors.left) else DONE


def _compress(what: str, plugin: str, *, as_json: bool, tree: str | None) -> int:
    """`memtree index compress --with PLUGIN`: what the plugin's own command does."""
    if what != "compress":
        raise UsageError(f"an index can't be {what!r}", hint="memtree index compress --with mbc")
    from memtree.cli import main

    words = [plugin, "compress", *(["--json"] if as_json else [])]
    return main([*words, *(["--tree", tree] if tree is not None else [])])


def _vectors(there: Tree, progress: Progress) -> tuple[Embedded | None, str]:
    """The vectors that are missing, made; or why that can't be, "" when the settings want none."""
    from memtree.index.vectors import NoVectors

    if there.config.text("embed.model") == "none":
        return None, ""
    try:
        return there.embed(progress=progress), ""
    except KeyboardInterrupt:
        from memtree.cli._errors import say

        say(
            "interrupted",
            word="note",
            hint="what was made is kept, and the next `memtree index` goes on there",
        )
        raise
    except NoVectors as error:
        return None, str(error)


def watch(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Keep the index fresh while files change.

    Runs until it is interrupted (Ctrl-C). Searches are fastest while it does. With --json every
    refresh is one JSON document on its own line.
    """
    there = opened(tree)
    out = stdout()
    if not as_json:
        out.line(f"watching {out.bold(clean(there.root))}; Ctrl-C ends it")
    try:
        for report in there.watch():
            if as_json:
                from memtree.cli._json import emit

                emit(report)
            elif report.changed or report.removed:
                out.line(
                    f"{report.changed} changed {out.dot} {report.removed} removed "
                    f"{out.dot} {report.ms:.0f} ms"
                )
                if out.stream is not None:
                    out.stream.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


COMMANDS = {"status": status, "check": check, "doctor": doctor, "index": index, "watch": watch}
