"""`list`, `tree` and `links`: what is there, and how it hangs together."""

from __future__ import annotations

from memtree.cli._errors import DONE, NOTHING
from memtree.cli._open import opened
from memtree.cli._render import plural, table
from memtree.cli._terminal import Terminal, clean, stderr, stdout
from memtree.errors import EntryNotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    import typer

    from memtree.app import Row, Tree
    from memtree.cli._typer import EntryArgument, FolderArgument, JsonOption, TreeOption
    from memtree.connections import LinkRow


def list_(
    folder: FolderArgument = "",
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="T", help="Only entries with this tag.")
    ] = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="T", help="Only entries of this type.")
    ] = None,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """List entries.

    Exits 1 when there is none. In a pipe: one path per line and nothing else.
    """
    rows = [
        row
        for row in _rows(tree, folder)
        if (tag is None or tag.lstrip("#").casefold() in (name.casefold() for name in row.tags))
        and (type_ is None or row.type.casefold() == type_.casefold())
    ]
    if as_json:
        from memtree.cli._json import emit

        emit([_row(row) for row in rows])
    elif not rows:
        stderr().line("there is no such entry")
    else:
        out = stdout()
        if out.width is None:
            out.write("".join(clean(row.path) + "\n" for row in rows))
        else:
            table(out, [(row.path, row.title) for row in rows])
            out.line(out.dim(_count(len(rows))))
    return DONE if rows else NOTHING


def tree_(
    folder: FolderArgument = "",
    depth: Annotated[
        int | None, typer.Option("--depth", min=1, metavar="N", help="Open so many levels.")
    ] = None,
    folders: Annotated[
        bool, typer.Option("--folders", help="Folders only, without their entries.")
    ] = False,
    as_json: JsonOption = False,
    tree: TreeOption = None,
) -> int:
    """Draw the tree with counts.

    A count is the number of entries at and below a folder. Exits 1 when there is none.
    """
    import os

    there = opened(tree)
    scope = scope_of(folder)
    rows = rows_below(there, scope)
    top = _grown(rows, scope)
    if as_json:
        from memtree.cli._json import emit

        emit(_as_dict(scope, top, None if folders else rows, depth))
        return DONE if rows else NOTHING
    out = stdout()
    name = scope or os.path.basename(there.root.rstrip("/\\")) or there.root
    out.line(f"{out.bold(clean(name))}  {out.dim(_size(top))}")
    _draw(out, top, "", depth, folders=folders)
    return DONE if rows else NOTHING


def links(entry: EntryArgument, as_json: JsonOption = False, tree: TreeOption = None) -> int:
    """Show what an entry links to, and what links to it.

    Exits 1 when nothing does either way.
    """
    found = opened(tree).links(entry)
    if as_json:
        from memtree.cli._json import emit

        emit({"path": found.path, "out": list(found.out), "back": list(found.back)})
        return DONE if found.out or found.back else NOTHING
    out = stdout()
    out.line(out.bold(clean(found.path)))
    if not (found.out or found.back):
        out.line("no links to it and none from it")
        return NOTHING
    arrow, back = ("→", "←") if out.unicode else ("->", "<-")
    _side(out, arrow, found.out, outward=True)
    _side(out, back, found.back, outward=False)
    return DONE


def _row(row: Row) -> dict[str, object]:
    return {
        "path": row.path,
        "id": row.id,
        "title": row.title,
        "type": row.type,
        "description": row.description,
        "tags": list(row.tags),
        "importance": row.importance,
        "maturity": row.maturity,
        "created": row.created,
        "lines": row.lines,
        "size": row.size,
    }


def _side(out: Terminal, arrow: str, rows: Sequence[LinkRow], *, outward: bool) -> None:
    for row in rows:
        other = (row.resolved or row.target) if outward else row.source
        facts = [row.rel or row.kind, f"line {row.line}"]
        lost = "" if row.resolved else "  " + out.style("not found", "33")
        out.line(f"  {arrow} {clean(other)}  {out.dim(clean(', '.join(facts)))}{lost}")


def _rows(tree: str | None, folder: str) -> Sequence[Row]:
    return rows_below(opened(tree), scope_of(folder))


def waiting(tree: Tree) -> None:
    """Say on standard error how many changes are not in what is shown."""
    behind = tree.engine().behind
    if behind:
        from memtree.cli._errors import say

        say(
            f"{behind} changes on disk are not in this list yet",
            hint="another process is indexing; or: memtree index",
            word="note",
        )


def rows_below(tree: Tree, scope: str) -> list[Row]:
    """Every entry below a folder; raises EntryNotFound when there is no such folder."""
    import os

    rows = tree.rows(scope)
    waiting(tree)
    if rows or not scope:
        return rows
    there = os.path.join(tree.root, *scope.split("/"))
    if os.path.isdir(there):
        return rows
    if os.path.isfile(there) or os.path.isfile(there + ".md"):
        raise EntryNotFound(
            f"'{scope}' is an entry, and a folder is asked for", hint=f"memtree show '{scope}'"
        )
    near = _nearest_folder(tree, scope)
    raise EntryNotFound(
        f"there is no folder '{scope}' in this tree",
        hint=f"did you mean '{near}'?" if near else "memtree tree --folders shows them all",
    )


def _nearest_folder(tree: Tree, scope: str) -> str:
    from difflib import get_close_matches

    folders: set[str] = set()
    for row in tree.rows():
        folder = row.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    same = [f for f in folders if f.casefold() == scope.casefold() or f.endswith("/" + scope)]
    return min(same, default="") or next(iter(get_close_matches(scope, sorted(folders), 1)), "")


def scope_of(folder: str) -> str:
    """Return the folder that a person means by `folder`; "" is the whole tree."""
    if folder in ("", ".", "./", "/"):
        return ""
    from memtree.knowledge.path import parse_scope

    return parse_scope(folder)


def _count(number: int) -> str:
    return f"{number:,} {plural(number, 'entry', 'entries')}"


def _size(top: _Folder) -> str:
    """How many entries and folders there are below a folder."""
    below = list(top.folders.values())
    number = 0
    while below:
        number += 1
        below += below.pop().folders.values()
    if not number:
        return _count(top.count)
    return f"{_count(top.count)} in {number:,} {plural(number, 'folder', 'folders')}"


class _Folder:
    """A folder being drawn: its folders by name, its entries, and how many there are below."""

    __slots__ = ("count", "entries", "folders")

    def __init__(self) -> None:
        self.folders: dict[str, _Folder] = {}
        self.entries: list[Row] = []
        self.count = 0


def _grown(rows: Sequence[Row], scope: str) -> _Folder:
    top = _Folder()
    start = len(scope) + 1 if scope else 0
    for row in rows:
        at = top
        at.count += 1
        for name in row.path[start:].split("/")[:-1]:
            at = at.folders.setdefault(name, _Folder())
            at.count += 1
        at.entries.append(row)
    return top


def _draw(out: Terminal, top: _Folder, lead: str, depth: int | None, *, folders: bool) -> None:
    fork, last, line = ("├── ", "└── ", "│   ") if out.unicode else ("|-- ", "`-- ", "|   ")
    # A stack and not recursion: a tree on disk may be deeper than Python's own limit.
    stack: list[tuple[str, str, _Folder | Row, int]] = []

    def push(folder: _Folder, lead: str, level: int) -> None:
        below: list[tuple[str, _Folder | Row]] = list(folder.folders.items())
        if not folders:
            below += [(row.path.rsplit("/", 1)[-1], row) for row in folder.entries]
        for at in range(len(below) - 1, -1, -1):
            name, item = below[at]
            stack.append((lead + (last if at == len(below) - 1 else fork), name, item, level))

    push(top, lead, 1)
    while stack:
        branch, name, item, level = stack.pop()
        if isinstance(item, _Folder):
            out.line(f"{branch}{out.bold(clean(name))}  {out.dim(str(item.count))}")
            if depth is None or level < depth:
                inner = branch[: -len(fork)] + (line if branch.endswith(fork) else "    ")
                push(item, inner, level + 1)
            continue
        title = clean(item.title)
        text = out.fit(f"{clean(name)}  {title}", less=len(branch))
        head = clean(name)
        out.line(
            branch + head + out.dim(text[len(head) :]) if text.startswith(head) else branch + text
        )


def _as_dict(
    path: str, folder: _Folder, rows: object, depth: int | None, level: int = 0
) -> dict[str, object]:
    shown: dict[str, object] = {"path": path, "count": folder.count}
    if depth is None or level < depth:
        inner = [
            _as_dict(f"{path}/{name}" if path else name, below, rows, depth, level + 1)
            for name, below in folder.folders.items()
        ]
        shown["folders"] = inner
        if rows is not None:
            shown["entries"] = [
                {"path": row.path, "id": row.id, "title": row.title} for row in folder.entries
            ]
    return shown


COMMANDS = {"list": list_, "tree": tree_, "links": links}
