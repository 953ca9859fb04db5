"""`review`: what a curation held back, and a person's word on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from memtree.cli._errors import DONE, NOTHING, REFUSED, say
from memtree.cli._open import opened
from memtree.cli._render import plural
from memtree.cli._terminal import Terminal, clean, stdout
from memtree.cli._typer import JsonOption, TreeOption
from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.curate.review import Waiting
    from memtree.curate.telling import PartTold

IdArguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="As `memtree review` lists them, or their beginning."),
]
AllOption = Annotated[bool, typer.Option("--all", help="Everything that waits.")]


def _family() -> None:
    """Decide on what `curate` held back: list, show, accept, reject."""


def list_(as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """List the operations that wait, the oldest first.

    Exits 1 when none does.
    """
    waiting, problems = opened(tree).reviews()
    if as_json:
        from memtree.cli._json import emit

        emit({"waiting": waiting, "problems": problems})
        return DONE if waiting else NOTHING
    out = stdout()
    for each in waiting:
        _row(out, each)
    for problem in problems:
        say(f"{problem.path}: {problem.message}", word="warning")
    if not waiting:
        out.line("nothing waits for review")
        return NOTHING
    out.line(out.dim("memtree review show ID, accept ID, reject ID; --all for all of them"))
    return DONE


def show(ids: IdArguments = None, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Show operations that wait in full: what they say, why, on what evidence, and the risk."""
    there = opened(tree)
    waiting = _chosen(there.reviews()[0], ids)
    if as_json:
        from memtree.cli._json import emit

        emit(waiting)
        return DONE if waiting else NOTHING
    from memtree.cli.curate import tell_one
    from memtree.curating.review import told_of

    out = stdout()
    for told in told_of(there, waiting):
        tell_one(out, told)
    if not waiting:
        out.line("nothing waits for review")
    return DONE if waiting else NOTHING


def accept(
    ids: IdArguments = None, *, every: AllOption = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also where the entry changed since.")
    ] = False,
    as_json: JsonOption = False, tree: TreeOption = None,
) -> int:  # fmt: skip
    """Apply operations that wait, as one change.

    They are checked once more, against the tree as it is now. Exits 4 when one is refused; it goes
    on waiting.
    """
    part = opened(tree).accept(_asked(ids, every=every), anyway=anyway)
    refused = [told for told in part.operations if told.outcome == "refused"]
    if as_json:
        from memtree.cli._json import emit

        emit({"operations": part.operations, "transaction": part.transaction or None})
    else:
        _accepted(stdout(), part)
    if refused:
        return REFUSED
    return DONE if part.operations else NOTHING


def reject(
    ids: IdArguments = None,
    *,
    every: AllOption = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Throw operations away, for good: the same is not proposed to you again."""
    gone = opened(tree).reject(_asked(ids, every=every))
    if as_json:
        from memtree.cli._json import emit

        emit({"rejected": [each.id for each in gone]})
    else:
        out = stdout()
        for each in gone:
            out.line(f"rejected {each.id}")
        if not gone:
            out.line("nothing waits for review")
    return DONE if gone else NOTHING


def _asked(ids: Sequence[str] | None, *, every: bool) -> list[str] | None:
    if every and ids:
        raise UsageError("name operations, or say --all")
    if not every and not ids:
        raise UsageError("name what you mean", hint="memtree review lists the ids; --all takes all")
    return None if every else list(ids or [])


def _chosen(waiting: Sequence[Waiting], ids: Sequence[str] | None) -> list[Waiting]:
    if not ids:
        return list(waiting)
    found = [each for each in waiting if any(each.id.startswith(name.lower()) for name in ids)]
    if not found:
        from memtree.errors import EntryNotFound

        raise EntryNotFound(
            f"nothing with the id '{ids[0]}' is waiting", hint="memtree review lists it"
        )
    return found


def _row(out: Terminal, each: Waiting) -> None:
    from memtree.curate.telling import kind_of, paths_named

    path = (*paths_named(each.operation), "")[0]
    name = out.style(each.id, "33")
    risks = ", ".join(each.risks) or "policy"
    what = f"{kind_of(each.operation)} {clean(path)}"
    out.line(f"{name}  {what}  {out.dim(f'{clean(risks)}; from {clean(each.source)}')}")


def _accepted(out: Terminal, part: PartTold) -> None:
    from memtree.cli.curate import tell_one

    for told in part.operations:
        if told.outcome == "nothing":
            out.line(f"{told.review}: nothing had to change; it waits no longer")
        else:
            tell_one(out, told)
    done = sum(told.outcome == "applied" for told in part.operations)
    if not part.operations:
        out.line("nothing waits for review")
    elif done:
        out.line(f"accepted {done} {plural(done, 'operation', 'operations')}")
        out.line(out.dim("memtree undo takes it back"))


COMMANDS = {
    "review": {
        "_family": _family,
        "_alone": list_,
        "list": list_,
        "show": show,
        "accept": accept,
        "reject": reject,
    }
}
