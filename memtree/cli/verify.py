"""`anchor` and `verify`: what an entry rests on, and that somebody looked and it still holds."""

from __future__ import annotations

import sys

from memtree.cli._errors import DONE, say
from memtree.cli._guards import warn
from memtree.cli._open import opened
from memtree.cli._terminal import clean, stderr, stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    import typer

    from memtree.cli._typer import EntryArgument, JsonOption, TreeOption
    from memtree.knowledge.anchor import SourceState
    from memtree.vouching import Vouch


def anchor(
    entry: EntryArgument,
    sources: Annotated[
        list[str],
        typer.Argument(metavar="FILE:10-24...", help="Lines of a file, a file, or a URL."),
    ],
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Say which lines of which file an entry rests on.

    The digest of those lines is kept with the entry; `check` and every search then say whether they
    still read so. A source that the entry names already is taken anew.
    """
    from memtree.knowledge.anchor import anchor_of
    from memtree.tree.locate import working_directory

    done = opened(tree).anchor(entry, sources, start=working_directory())
    if as_json:
        from memtree.cli._json import emit

        emit({"path": done.path, "sources": list(done.sources), "transaction": done.receipt.id})
        return DONE
    out = stdout()
    for source in done.sources:
        place = clean(anchor_of(source).place)
        out.line(f"{clean(done.path)} rests on {out.bold(place)}")
    return DONE


def verify(
    entries: Annotated[
        list[str], typer.Argument(metavar="ENTRY...", help="Entries: path, id, title or alias.")
    ],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Who confirms; else your login name."),
    ] = None,
    re_anchor: Annotated[
        bool,
        typer.Option(
            "--re-anchor", help="Take sources that changed as they are now; else asks, if it can."
        ),
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Confirm that entries still hold; keeps who did, and when.

    Nothing else in them changes. Each name is kept once, with its last time.
    """

    def take(path: str, state: SourceState, lines: Sequence[str]) -> bool:
        return re_anchor or _agreed(path, state, lines)

    there = opened(tree)
    warn(there, "verify", entries)
    done = there.verify(entries, by=_login() if by is None else by, take=take)
    if as_json:
        from memtree.cli._json import emit

        emit(
            {
                "verified": [
                    {
                        "path": each.path,
                        "sources": [state.as_dict() for state in each.sources],
                        "re_anchored": list(each.retaken),
                    }
                    for each in done.entries
                ],
                "by": done.by,
                "at": done.at,
                "transaction": done.receipt.id,
            }
        )
        return DONE
    out = stdout()
    for each in done.entries:
        out.line(f"verified {out.bold(clean(each.path))} {out.dim(f'by {clean(done.by)}')}")
        for place in each.retaken:
            out.line(out.dim(f"  {clean(place)} taken as it is now"))
        _warn(each)
    return DONE


def _warn(verified: Vouch) -> None:
    """Say which sources still do not hold, although the entry does."""
    for state in verified.sources:
        if state.code:
            hint = "--re-anchor takes what stands there now" if state.state == "drifted" else ""
            say(f"{verified.path}: {state.trouble()}", hint=hint, word="warning")


def _agreed(path: str, state: SourceState, lines: Sequence[str]) -> bool:
    """Ask whether the entry rests on what stands there now; no, where nobody can be asked."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        return False
    err = stderr()
    err.line(f"{clean(path)}: {clean(state.said())}. There now:")
    for line in lines:
        err.line("  " + err.fit(clean(line), less=2))
    err.write("Does the entry rest on that? [y/N] ")
    if err.stream is not None:
        err.stream.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _login() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (OSError, KeyError, ImportError):  # no such user, no environment: a container
        return "unknown"


COMMANDS = {"anchor": anchor, "verify": verify}
