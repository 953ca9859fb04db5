"""The thoughts of a tree: read from their entries, kept as a list, with vectors and buckets.

A thought is an entry of type `thought`. In its front matter stand `from` (ids of the entries that
it rests on), `digests` (how these were then, in the same order) and `asked` (questions that it
answers).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.memories.tim.relations import head_of, relation_of, sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.tim.relations import Relation
    from memtree.numeric.hashing import Hyperplanes
    from memtree.plugins import ChangeSet, Context, EntryView

    Floats = npt.NDArray[np.float32]

TYPE = "thought"
VERSION = "1"
BUCKETS, TABLES, PROBES = 16, 4, 3
"""Measured in seed S11: these put the gold into a question's buckets in 93 % of cases."""
DIGEST = 16
"""Letters of a digest that are kept."""
_MOST = 50  # of ids and questions of one thought


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """A thought as it stands in the tree; `statements` its sentences, `time` ISO 8601 or ""."""

    path: str
    id: str
    time: str
    statements: tuple[str, ...]
    sources: tuple[str, ...]
    digests: tuple[str, ...]
    asked: tuple[str, ...]

    @property
    def text(self) -> str:
        """What it says, on one line."""
        return " ".join(self.statements)

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Its statements that have a known form."""
        found = (relation_of(each, any_verb=True) for each in self.statements)
        return tuple(each for each in found if each is not None)

    @property
    def heads(self) -> frozenset[str]:
        """What it is about."""
        return frozenset(each.head for each in self.relations)


def thought_in(entry: EntryView, time: str) -> Thought:
    """The thought that an entry is."""
    meta = entry.meta
    return Thought(
        path=entry.path, id=entry.id, time=time,
        statements=tuple(sentences(entry.body))[:_MOST] or (entry.title,),
        sources=_texts(meta.get("from")), digests=_texts(meta.get("digests")),
        asked=_texts(meta.get("asked")),
    )  # fmt: skip


def _texts(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return tuple(" ".join(str(each).split())[:500] for each in given[:_MOST]
                 if isinstance(each, str | int))  # fmt: skip


# -- the list ---------------------------------------------------------------------------------


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the list up to the tree."""
    known = {} if changes.full else _listed(ctx)
    for ref in (*changes.removed, *changes.changed, *changes.added):
        known.pop(ref.path, None)
    for ref in (*changes.changed, *changes.added):
        entry = ctx.tree.get(ref.path) if ref.type.casefold() == TYPE else None
        if entry is not None and str(entry.meta.get("status", "")).casefold() != "archived":
            one = thought_in(entry, ref.time)
            known[ref.path] = [one.id, one.time, list(one.statements), list(one.sources),
                               list(one.digests), list(one.asked)]  # fmt: skip
    asked: dict[str, list[str]] = {}
    for path, row in sorted(known.items()):
        for each in _texts(row[5]):
            asked.setdefault(head_of(each), []).append(path)
    ctx.cache.save_value("thoughts", VERSION, known)
    ctx.cache.save_value("asked", VERSION, asked)


def _listed(ctx: Context) -> dict[str, list[object]]:
    value = ctx.cache.load_value("thoughts", VERSION)
    return dict(value) if isinstance(value, dict) else {}


def thoughts(ctx: Context, scope: str = "") -> list[Thought]:
    """All thoughts below a folder, by path."""
    return [_thought(path, row) for path, row in sorted(rows_of(ctx, scope).items())]


def rows_of(ctx: Context, scope: str = "") -> dict[str, list[object]]:
    """Path -> a thought as it is kept, below a folder: not taken apart, since there may be many."""
    head = f"{scope.strip('/')}/" if scope.strip("/") else ""
    return {path: row for path, row in _listed(ctx).items() if path.startswith(head)}


def chosen(paths: Iterable[str], rows: Mapping[str, list[object]]) -> dict[str, Thought]:
    """Those of `paths` that are thoughts."""
    return {path: _thought(path, rows[path]) for path in paths if path in rows}


def asked_before(question: str, ctx: Context, rows: Mapping[str, list[object]]) -> list[Thought]:
    """The thoughts that answer a question in the same words, by path."""
    value = ctx.cache.load_value("asked", VERSION)
    found = value.get(head_of(question), []) if isinstance(value, dict) else []
    return [_thought(path, rows[path]) for path in found if path in rows]


def _thought(path: str, row: list[object]) -> Thought:
    one, time, statements, sources, digests, asked = row
    return Thought(
        path=path, id=str(one), time=str(time), statements=_texts(statements),
        sources=_texts(sources), digests=_texts(digests), asked=_texts(asked),
    )  # fmt: skip


# -- what they rest on ------------------------------------------------------------------------


def is_fresh(thought: Thought, ctx: Context) -> bool:
    """Whether all that a thought rests on is there, and as it was then."""
    if not thought.sources or len(thought.sources) != len(thought.digests):
        return False
    for source, digest in zip(thought.sources, thought.digests, strict=True):
        path = source_path(source, ctx)
        ref = ctx.tree.ref(path) if path else None
        if ref is None or not ref.digest.startswith(digest):
            return False
    return True


def source_path(identity: str, ctx: Context) -> str | None:
    """The path of an entry by its id, or by its path without suffix."""
    for path in (identity, f"{identity}.md"):
        if ctx.tree.ref(path) is not None:
            return path
    return ctx.tree.find(identity)


def same_question(one: str, other: str) -> bool:
    """Whether two questions have the same words."""
    return head_of(one) == head_of(other) != ""


# -- vectors ----------------------------------------------------------------------------------


def vectors_of(found: Sequence[Thought], ctx: Context) -> tuple[Floats, str]:
    """Unit rows of what thoughts say, (len(found), dimension), and which vectors these are."""
    from memtree.numerics import load_numpy

    np = load_numpy()
    texts = [each.text for each in found]
    model = f"{ctx.embedder.id}" if ctx.embedder is not None else "lexical"
    told = sha256("\0".join([model, *texts]).encode("utf-8", "replace")).hexdigest()
    stored = ctx.cache.load("vectors", told)
    if stored is not None and stored["rows"].shape[:1] == (len(texts),):
        return np.asarray(stored["rows"], np.float32), model
    if ctx.embedder is not None:
        rows = np.asarray(ctx.embedder.embed(texts), np.float32)
    else:
        from memtree.numeric.lexical import lexical_vectors

        rows = lexical_vectors(texts)
    ctx.cache.save("vectors", told, {"rows": rows})
    return rows, model


def planes_of(rows: Floats, ctx: Context) -> Hyperplanes:
    """The hash of this tree: the same seed, the same buckets."""
    from memtree.numeric.hashing import hyperplanes

    seed = ctx.options.get("seed")
    return hyperplanes(
        int(rows.shape[1]), buckets=BUCKETS, tables=TABLES,
        seed=seed if isinstance(seed, int) and seed >= 0 else 0,
    )  # fmt: skip


def groups_of(found: Sequence[Thought], ctx: Context) -> list[list[int]]:
    """Places of thoughts that share a bucket of any table, or a head: pairs to look at."""
    from memtree.numeric.hashing import tabled

    groups: dict[tuple[object, ...], list[int]] = {}
    if len(found) > 1:
        rows, _ = vectors_of(found, ctx)
        planes = planes_of(rows, ctx)
        tables = tabled(planes.codes(rows), planes.buckets)
        for table in range(planes.tables):
            for code in range(planes.buckets):
                inside = tables.bucket(table, code).tolist()
                if len(inside) > 1:
                    groups[table, code] = inside
    for place, thought in enumerate(found):
        for head in thought.heads:
            groups.setdefault(("head", head), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def front_of(sources: Mapping[str, str], asked: Iterable[str]) -> dict[str, object]:
    """The front matter of a thought: id -> digest of what it rests on, and questions."""
    return {
        "from": list(sources),
        "digests": [digest[:DIGEST] for digest in sources.values()],
        "asked": list(dict.fromkeys(each for each in asked if each))[:_MOST],
    }
