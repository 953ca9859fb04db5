"""`init`: make a tree in a folder, whatever is in it already."""

from __future__ import annotations

from typing import Annotated

import typer

from memtree.cli._errors import DONE
from memtree.cli._typer import JsonOption, TreeOption


def init(
    folder: Annotated[
        str | None,
        typer.Argument(
            metavar="[DIR]", help="The folder; when left out here, or memory/ in a code repository."
        ),
    ] = None,
    template: Annotated[
        str,
        typer.Option(
            "--template", metavar="NAME", help="Start with: blank, software, research, personal."
        ),
    ] = "blank",
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Make a tree here, or in a folder of notes; nothing there is changed.

    A folder .memtree is made with the settings; notes that are there already are entries at once.
    The template names the first folders: software, research, personal, or blank for none.
    """
    from memtree.app import init_tree
    from memtree.cli._progress import Progress

    fresh = _fresh(folder or tree, template)
    made = init_tree(folder or tree, template)
    with Progress() as progress:
        report = made.refresh(progress=progress)
    if as_json:
        from memtree.cli._json import emit

        emit({"root": made.root, "template": template, "entries": report.indexed})
        return DONE
    from memtree.cli._render import plural
    from memtree.cli._terminal import clean, stdout

    out = stdout()
    out.line(f"A tree in {out.bold(clean(made.root))}")
    if fresh:
        files = plural(len(fresh), "starter file", "starter files")
        out.line(f"{len(fresh)} {files} from the template {template}, yours to change or remove.")
    before = max(0, report.indexed - len(fresh))
    if before:
        notes = plural(before, "note is", "notes are")
        out.line(f"{before:,} {notes} indexed; no file that was here before was changed.")
        out.line('Next: memtree search WORDS, or memtree query "a question"')
    elif fresh:
        out.line("Next: memtree tree shows them; keep something in one of their folders:")
        out.line(f'      memtree add "What you want to remember" --to {_place(fresh)}')
    else:
        out.line('It is empty. Next: memtree add "What you want to remember"')
    for problem in report.problems[:3]:
        out.line(out.dim(f"note: {clean(problem.path)}: {clean(problem.message)}"))
    return DONE


def _fresh(folder: str | None, template: str) -> list[str]:
    """The files of the template that are not there yet, and so will be made."""
    import os

    from memtree.tree.locate import place_for, starter_files, working_directory

    start = working_directory(folder, hint="name a folder: memtree init /WHERE/IT/IS")
    root = place_for(folder, start=start)
    return [
        path
        for path in starter_files(template)
        if not os.path.lexists(os.path.join(root, *path.split("/")))
    ]


def _place(fresh: list[str]) -> str:
    """A folder of the template to name as an example; the first one that takes entries."""
    from shlex import quote

    folders = [path.rpartition("/")[0] for path in fresh]
    return quote(next((folder for folder in folders if folder), "notes"))


COMMANDS = {"init": init}
