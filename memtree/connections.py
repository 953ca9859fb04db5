"""Links as an open tree knows them: where they lead, and what leads here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound
from memtree.index.keys import key_of, stem_of
from memtree.tree.links import LinkIndex, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.app import Tree


class LinkRow:
    """One link: from an entry, to where; `resolved` is the path it leads to, or None."""

    __slots__ = ("kind", "line", "rel", "resolved", "source", "target")

    def __init__(
        self, *, source: str, target: str, resolved: str | None, kind: str, line: int, rel: str
    ) -> None:
        self.source = source
        self.target = target
        self.resolved = resolved
        self.kind = kind
        self.line = line
        self.rel = rel


class Links:
    """What an entry links to (`out`), and what links to it (`back`)."""

    __slots__ = ("back", "out", "path")

    def __init__(self, path: str, *, out: list[LinkRow], back: list[LinkRow]) -> None:
        self.path = path
        self.out = out
        self.back = back


def links_of(tree: Tree, path: str) -> Links:
    """The links of the entry at `path`, in both directions. Raises EntryNotFound."""
    catalog = tree.engine().catalog
    row = catalog.by_path(path)
    if row is None:
        raise EntryNotFound(f"no entry at '{path}'")
    names = {path, *(key for _, key, _ in catalog.keys_of([row.number]))}
    outward = catalog.links_from(row.number)
    inward = catalog.links_like(_stems(names))
    # Only entries that one of these links may name: a tree of 100,000 costs what a small one does.
    targets = {link[0] for link in outward} | {link[1] for link in inward}
    called = catalog.named({path, *_stems(targets), *(_bare(target) for target in targets)})
    index = LinkIndex(called.values())
    out = [
        LinkRow(
            source=path, target=target, resolved=resolve(target, path, index, kind=kind),
            kind=kind, line=line, rel=rel,
        )
        for target, kind, line, rel in outward
    ]  # fmt: skip
    sources = catalog.rows({item[0] for item in inward})
    back: list[LinkRow] = []
    for number, target, kind, line, rel in inward:
        source = sources[number].path
        if source != path and resolve(target, source, index, kind=kind) == path:
            back.append(
                LinkRow(source=source, target=target, resolved=path, kind=kind, line=line, rel=rel)
            )
    back.sort(key=lambda item: (item.source, item.line))
    return Links(path, out=out, back=back)


def holding_links_to(tree: Tree, names: Iterable[str]) -> list[str]:
    """The paths of entries with a link that may name one of `names`."""
    catalog = tree.engine().catalog
    found = catalog.links_like(_stems(names))
    return [row.path for row in catalog.rows({item[0] for item in found}).values()]


def _bare(target: str) -> str:
    """The key of what a link names, without brackets, label and anchor."""
    name = target.removeprefix("[[").removesuffix("]]")
    return key_of(name.partition("|")[0].partition("#")[0])


def _stems(names: Iterable[str]) -> list[str]:
    stems = {stem_of(name) for name in names}
    # Dendron's dotted names are also called by their last part.
    return sorted(stems | {stem.rpartition(".")[2] for stem in stems})
