"""What guards of plugins have against a person's own change: said before it is made, and then made.

A tree belongs to its people: a frozen entry stops what machines propose, and warns its owner.
"""

from __future__ import annotations

from memtree.errors import MemtreeError
from memtree.hosting import has_plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.app import Tree
    from memtree.knowledge.plan import Operation


def warn(
    there: Tree, command: str, names: Sequence[str], *, to: str = "",
    known: Callable[[Tree, str], Sequence[str]] | None = None,
) -> None:  # fmt: skip
    """Say what speaks against `command` on entries; `to` is the new path, or the new one's name.

    `known` gives the entries of a name, none for one that the command itself will turn down.
    """
    if not has_plugins(there.root):
        return
    from memtree.cli._errors import say

    paths = [path for name in names for path in (known or _one)(there, name)]
    for why in there.objections([_operation(command, path, to) for path in paths]):
        say(why, word="warning")


def _one(there: Tree, name: str) -> Sequence[str]:
    try:
        return [there.resolve(name)]
    except MemtreeError:
        return []


def _operation(command: str, path: str, to: str) -> Operation:
    from memtree.knowledge import plan

    reason = f"memtree {command}"
    match command:
        case "rm":
            return plan.Archive(path=path, reason=reason)
        case "mv":
            return plan.Move(path=path, to=to, reason=reason)
        case "supersede":
            return plan.Supersede(path=path, by=to, reason=reason)
        case "verify":
            return plan.Annotate(path=path, keys={"verified": []}, reason=reason)
        case _:
            return plan.Update(path=path, reason=reason)
