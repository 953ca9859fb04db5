"""`add`: one entry, written as given, no model."""

from __future__ import annotations

from memtree.cli._errors import DONE
from memtree.cli._open import opened, stdin_text
from memtree.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.cli._typer import JsonOption, TreeOption


def add(
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="The text; - reads stdin.")],
    *,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="The folder, or the full path of the new entry."),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="T", help="Else taken from the text.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="T", help="A tag; may be repeated.")
    ] = None,
    type_: Annotated[
        str,
        typer.Option(
            "--type", metavar="T", help="fact, decision, procedure, event, ...; free text."
        ),
    ] = "fact",
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source",
            metavar="FILE:10-24",
            help="What it rests on: lines of a file, a file, or a URL; may be repeated.",
        ),
    ] = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Write one entry.

    It never overwrites: a name that is taken gets a number. `memtree undo` takes it back. With
    --source, `check` and every search say whether those lines still read as they do now.
    """
    body = stdin_text() if text == "-" else text
    if not body.strip():
        raise UsageError("there is no text to keep", hint='memtree add "TEXT", or - for stdin')
    from memtree.tree.locate import working_directory

    written = opened(tree).add(
        body, to=to, title=title, tags=tuple(tag or ()), type=type_, sources=tuple(source or ()),
        start=working_directory() if source else "",
    )  # fmt: skip
    if as_json:
        from memtree.cli._json import emit

        emit({"id": written.id, "path": written.path, "transaction": written.receipt.id})
    else:
        from memtree.cli._terminal import clean, stdout

        out = stdout()
        out.line(f"added {out.bold(clean(written.path))}")
    return DONE


COMMANDS = {"add": add}
