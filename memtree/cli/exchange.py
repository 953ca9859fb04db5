"""`import` and `export`: knowledge comes in and goes out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from memtree.cli._errors import DONE, NOTHING, say
from memtree.cli._open import opened
from memtree.cli._progress import Progress
from memtree.cli._render import plural
from memtree.cli._terminal import clean, stderr, stdout
from memtree.cli._typer import JsonOption, TreeOption
from memtree.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.knowledge.problem import Problem

SOURCES = ("auto", "markdown", "obsidian", "okf", "jsonl", "chatgpt", "claude")
TARGETS = ("markdown", "json", "jsonl", "okf")
_LATER = ("mem0", "basic-memory", "html", "context")
# More findings than this on a screen help nobody; --json has them all.
_SHOWN = 20
_DONE = ("added", "changed")


def import_(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Folders or files to bring in.")
    ],
    *,
    kind: Annotated[
        str, typer.Option("--from", metavar="KIND", help=f"What they are: {', '.join(SOURCES)}.")
    ] = "auto",
    into: Annotated[
        str, typer.Option("--into", metavar="FOLDER", help="Under this folder of the tree.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; write nothing.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Bring in markdown, Obsidian, JSONL, chats of ChatGPT and Claude.

    Exports of ChatGPT and Claude too: conversations.json, or the archive as it was downloaded.
    Nothing is overwritten, and importing the same again changes nothing. What could not be
    understood is reported with its line; the rest comes in, and the exit code is 1.
    """
    _known(kind, SOURCES, "source")
    there = opened(tree)
    with Progress() as progress:
        report = there.import_paths(paths, kind=kind, into=into, dry_run=dry_run, progress=progress)
    if as_json:
        from memtree.cli._json import emit

        emit(report)
        return NOTHING if report.problems else DONE
    out = stdout()
    would = "would be " if dry_run else ""
    facts = [
        f"{part:,} {would * (word in _DONE)}{word}"
        for part, word in (
            (report.added, "added"),
            (report.changed, "changed"),
            (report.unchanged, "already there"),
            (report.skipped, "skipped"),
        )
        if part or word == "added"
    ]
    out.line(f" {out.dot} ".join(facts))
    findings(report.problems)
    return NOTHING if report.problems else DONE


def export(
    kind: Annotated[
        str, typer.Option("--to", metavar="KIND", help=f"One of {', '.join(TARGETS)}.")
    ] = "markdown",
    in_: Annotated[
        str, typer.Option("--in", metavar="FOLDER", help="Only this part of the tree.")
    ] = "",
    out_: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Where to: a folder for markdown and okf, else a file.",
        ),
    ] = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Write the tree as markdown, JSON, JSONL or OKF.

    Without --output the text goes to standard output; okf and markdown are folders and need it.
    JSONL can be imported again. --json is --to json.
    """
    kind = "json" if as_json else kind
    _known(kind, TARGETS, "target")
    if kind in ("markdown", "okf") and out_ is None:
        raise UsageError(f"{kind} is a folder of files", hint="say where: --output FOLDER")
    there = opened(tree)
    if in_:
        from memtree.cli.listing import rows_below, scope_of

        in_ = scope_of(in_)
        rows_below(there, in_)  # says so when there is no such folder
    left: list[str] = []
    pieces = there.export(kind, scope=in_, to=out_, left_out=left.append)
    if out_ is None:
        sys.stdout.flush()
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    for path in left:
        say(f"{path!r} can't be read and is left out", word="warning")
    if out_ is not None:
        stderr().line(f"wrote {clean(out_)}")
    return DONE


def _known(kind: str, known: Sequence[str], what: str) -> None:
    if kind in known:
        return
    if kind in _LATER:
        raise Unavailable(
            f"the {what} {kind!r} comes in a later version of memtree",
            hint=f"today they are {', '.join(known)}",
        )
    from memtree.cli._commands import nearest

    guess = nearest(kind, tuple(known))
    raise UsageError(
        f"there is no {what} {kind!r}",
        hint=f"did you mean {guess!r}?" if guess else f"they are {', '.join(known)}",
    )


def findings(problems: Sequence[Problem]) -> None:
    """Say on standard error what could not be understood, the first of many."""
    err = stderr()
    for problem in problems[:_SHOWN]:
        where = clean(problem.path) + (f":{problem.line}" if problem.line else "")
        err.line(f"{err.style(where, '36')}: {clean(problem.message)}")
    left = len(problems) - _SHOWN
    if left > 0:
        err.line(f"and {left} more {plural(left, 'finding', 'findings')}; --json lists them all")


COMMANDS = {"import": import_, "export": export}
