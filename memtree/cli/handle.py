"""`mv` and `rm`: entries change their place or leave; links follow, and undo brings all back."""

from __future__ import annotations

import sys

from memtree.cli._errors import DONE, NOTHING, say
from memtree.cli._guards import warn
from memtree.cli._open import opened
from memtree.cli._render import plural
from memtree.cli._terminal import clean, stderr, stdout
from memtree.errors import EntryNotFound, MemtreeError, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.app import Tree
    from memtree.cli._typer import JsonOption, TreeOption

# A list of what was done longer than this hides that it was done.
_SHOWN = 10


def mv(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="An entry (path, id, title) or a folder.")
    ],
    target: Annotated[str, typer.Argument(metavar="TO", help="The new path, or a folder.")],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Move or rename an entry or a folder; links to it are rewritten.

    Only the bytes of the links themselves change. `memtree undo` takes it back.
    """
    there = opened(tree)
    warn(there, "mv", [source], to=target, known=_known)
    try:
        moved = there.move(source, target)
    except EntryNotFound as error:
        if not error.hint:
            there.resolve(source)  # raises, and says what is near
        raise
    rewritten = [change.path for change in moved.receipt.changes if change.kind == "change"]
    if as_json:
        from memtree.cli._json import emit

        emit(
            {
                "moved": [{"from": old, "to": new} for old, new in moved.paths.items()],
                "rewritten": rewritten,
                "problems": list(moved.problems),
                "transaction": moved.receipt.id,
            }
        )
        return DONE
    out = stdout()
    for old, new in list(moved.paths.items())[:_SHOWN]:
        out.line(f"moved {clean(old)} to {out.bold(clean(new))}")
    left = len(moved.paths) - _SHOWN
    if left > 0:
        out.line(f"and {left} more {plural(left, 'file', 'files')}")
    for path in rewritten:
        out.line(out.dim(f"  links rewritten in {clean(path)}"))
    for problem in moved.problems:
        say(f"{problem.path}:{problem.line}: {problem.message}", word="warning")
    return DONE


def rm(
    entries: Annotated[
        list[str], typer.Argument(metavar="ENTRY...", help="Entries (path, id, title) or folders.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Remove entries; asks first, and undo brings them back.

    Where nobody can be asked (a script, a pipe), more than one entry needs --yes.
    """
    there = opened(tree)
    paths = _meant(there, entries)
    warn(there, "rm", paths)
    if not yes and not _agreed(paths):
        stderr().line("nothing was removed")
        return NOTHING
    receipt = there.remove(paths)
    removed = [change.path for change in receipt.changes if change.kind == "remove"]
    if as_json:
        from memtree.cli._json import emit

        emit({"removed": removed, "transaction": receipt.id})
        return DONE
    out = stdout()
    for path in removed:
        out.line(f"removed {clean(path)}")
    out.line(out.dim(f"memtree undo brings {plural(len(removed), 'it', 'them')} back"))
    return DONE


def _known(tree: Tree, ref: str) -> list[str]:
    """Every entry that a name means; none where moving it will say what is wrong."""
    try:
        return _meant(tree, [ref])
    except MemtreeError:
        return []


def _meant(tree: Tree, refs: list[str]) -> list[str]:
    """Every entry that `refs` name, in order, each once; a folder names all entries under it."""
    meant: dict[str, None] = {}
    folders = None
    for ref in refs:
        inside = []
        folder = ref.replace("\\", "/").rstrip("/")
        if not folder.endswith((".md", ".markdown")):
            folders = [row.path for row in tree.rows()] if folders is None else folders
            inside = [path for path in folders if path.startswith(folder + "/")]
        meant.update(dict.fromkeys(inside or [tree.resolve(ref)]))
    return list(meant)


def _agreed(paths: list[str]) -> bool:
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        if len(paths) == 1:
            return True
        raise Refused(
            f"{len(paths)} entries would be removed, and nobody is here to ask",
            hint="add --yes if that is meant",
        )
    err = stderr()
    for path in paths[:10]:
        err.line(f"  {clean(path)}")
    if len(paths) > 10:
        err.line(f"  and {len(paths) - 10} more")
    what = "this entry" if len(paths) == 1 else f"these {len(paths)} entries"
    err.write(f"Remove {what}? [y/N] ")
    if err.stream is not None:
        err.stream.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


COMMANDS = {"mv": mv, "rm": rm}
