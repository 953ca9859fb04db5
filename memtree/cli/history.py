"""`log`, `diff`, `undo`, `restore`: what changed, and the way back."""

from __future__ import annotations

from memtree.cli._errors import DONE, NOTHING
from memtree.cli._open import opened
from memtree.cli._render import plural
from memtree.cli._terminal import Terminal, clean, stdout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Annotated

    import typer

    from memtree.cli._typer import ChangeArgument, EntryArgument, JsonOption, RevOption, TreeOption
    from memtree.tree.receipt import Receipt

_SIGNS = {"add": ("+", "32"), "change": ("~", "33"), "remove": ("-", "31")}
# A change of many files is told by its first ones.
_SHOWN = 8


def log(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many changes.")
    ] = 20,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """List the changes that memtree made, newest first.

    Exits 1 when there is none.
    """
    receipts = opened(tree).history(limit)
    if as_json:
        from memtree.cli._json import emit

        emit([_document(receipt) for receipt in receipts])
    else:
        out = stdout()
        for receipt in receipts:
            _tell(out, receipt)
        if not receipts:
            out.line("memtree has changed nothing here yet")
    return DONE if receipts else NOTHING


def diff(
    change: ChangeArgument = None,
    rev: RevOption = None,
    entry: Annotated[
        str | None, typer.Option("--entry", metavar="ENTRY", help="Only this entry.")
    ] = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Show what a change did.

    The last change, a named one, or everything since a git revision. Exits 1 when nothing differs.
    """
    there = opened(tree)
    path = there.resolve(entry) if entry else None
    text = there.diff(change, rev=rev, path=path)
    if as_json:
        from memtree.cli._json import emit

        emit({"change": change, "rev": rev, "path": path, "diff": text})
    else:
        _colored(stdout(), text)
    return DONE if text else NOTHING


def undo(
    change: ChangeArgument = None, as_json: JsonOption = False, tree: TreeOption = None
) -> int:
    """Take back the last change, or a named one.

    Taking back is a change itself: undo again brings it back. Refused (4) when a file was edited
    since.
    """
    receipt = opened(tree).undo(change)
    code = _done(receipt, "took back", as_json=as_json)
    if receipt.changes and not as_json:
        out = stdout()
        what = plural(len(receipt.changes), "it", "them")
        again = f"undo again brings {what} back; to go further back name a change: memtree log"
        out.line(out.dim(again))
    return code


def restore(
    entry: EntryArgument,
    rev: RevOption = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Bring an entry back as it was.

    As it was before memtree last changed or removed it, or at a git revision.
    """
    return _done(opened(tree).restore(entry, rev=rev), "restored", as_json=as_json)


def _done(receipt: Receipt, verb: str, *, as_json: bool) -> int:
    if as_json:
        from memtree.cli._json import emit

        emit(_document(receipt))
        return DONE
    out = stdout()
    if not receipt.changes:
        out.line("nothing had to change")
    for change in receipt.changes:
        out.line(f"{verb} {clean(change.path)}  {out.dim(_MEANS[change.kind])}")
    return DONE


_MEANS = {"add": "it is back", "change": "as it was", "remove": "it is gone"}


def _document(receipt: Receipt) -> dict[str, object]:
    return {
        "id": receipt.id,
        "at": receipt.at,
        "command": receipt.command,
        "by": receipt.by,
        "changes": [{"kind": one.kind, "path": one.path} for one in receipt.changes],
    }


def _tell(out: Terminal, receipt: Receipt) -> None:
    count = len(receipt.changes)
    facts = f"{count} {plural(count, 'file', 'files')}, by {clean(receipt.by)}"
    name, what = out.style(clean(receipt.id), "33"), out.bold(clean(receipt.command))
    out.line(f"{name}  {clean(receipt.at)}  {what}  {out.dim(facts)}")
    for change in receipt.changes[:_SHOWN]:
        sign, color = _SIGNS[change.kind]
        out.line(f"  {out.style(sign, color)} {clean(change.path)}")
    if count > _SHOWN:
        out.line(out.dim(f"  and {count - _SHOWN} more"))


def _colored(out: Terminal, text: str) -> None:
    colors = {"+": "32", "-": "31", "@": "36"}
    for line in text.splitlines():
        safe = clean(line) if line.isprintable() else clean(line.replace("\t", "    "))
        head = line[:3]
        color = "1" if head in ("+++", "---") else colors.get(line[:1], "")
        out.line(out.style(safe, color) if color else safe)


COMMANDS = {"log": log, "diff": diff, "undo": undo, "restore": restore}
