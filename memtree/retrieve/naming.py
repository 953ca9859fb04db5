"""Which entry is meant: a path, an id, a title or an alias, and the nearest name when none is."""

from __future__ import annotations

from memtree.errors import EntryNotFound, UsageError
from memtree.index.keys import key_of, stem_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.engine import Engine

_ORDER = ("id", "path", "title", "alias")


def resolve(engine: Engine, ref: str) -> str:
    """The path of the one entry called `ref`.

    Raises EntryNotFound with the nearest name, UsageError when several entries carry the name.
    """
    path = known(engine, ref)
    if path is not None:
        return path
    near = _nearest(engine, _bare(ref))
    raise EntryNotFound(
        f"no entry at '{ref}'",
        hint=f"did you mean '{near}'?" if near else "memtree list shows them all",
    )


def known(engine: Engine, ref: str) -> str | None:
    """The path of the one entry called `ref`; None for none. Raises UsageError for several."""
    name = _bare(ref)
    if not name:
        raise UsageError("name an entry: its path, id, title or alias")
    if "/" in name or "\\" in name or name.startswith((".", "~")):
        from memtree.tree.read import refuse_leaving

        refuse_leaving(name, engine.root)
    row = engine.catalog.by_path(name)
    if row is not None:
        return row.path
    found = engine.catalog.by_key(key_of(name))
    for kind in _ORDER:
        paths = sorted({row.path for row, its in found if its == kind})
        if len(paths) == 1:
            return paths[0]
        if paths:
            shown = ", ".join(paths[:3]) + (" ..." if len(paths) > 3 else "")
            raise UsageError(
                f"'{ref}' is the {kind} of {len(paths)} entries", hint=f"use the path: {shown}"
            )
    by_name = engine.catalog.named([stem_of(name)]) if "/" not in name else {}
    return next(iter(by_name.values()))[0] if len(by_name) == 1 else None


def _bare(ref: str) -> str:
    """A name without what people write around it."""
    name = ref.strip()
    if name[:2] == "./":
        name = name[2:]
    if name[:2] == "[[" and name[-2:] == "]]":
        name = name[2:-2].partition("|")[0]
    return name


def _nearest(engine: Engine, name: str) -> str:
    from memtree.knowledge.query import Query

    answer = engine.search(Query(name.replace("/", " ").replace("-", " "), limit=1, tier="fuzzy"))
    if answer.hits:
        return answer.hits[0].path
    answer = engine.search(Query(name.replace("/", " ").replace("-", " "), limit=1))
    return answer.hits[0].path if answer.hits else ""
