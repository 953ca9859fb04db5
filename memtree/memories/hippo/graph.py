"""The graph of an open tree: made of what the sidecar and the tree say, and kept in the cache.

It is stored under a key of everything that it was made from: the tree (digests of all entries, as
`on_change` saw them), the sidecar's stamp, the embedder. A question loads arrays and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.memories.hippo.triples import name_of, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.hippo.build import Told
    from memtree.memories.hippo.network import Network
    from memtree.memories.hippo.synonyms import Pairs
    from memtree.memories.hippo.triples import Triple
    from memtree.plugins import Context, EntryRef
    from memtree.plugins.context import EmbedderView

    Vectors = npt.NDArray[np.float32]

TREE, STATE, MADE, WAITING = "tree", "state", "made", "waiting"
GRAPH, FACTS, NAMES, ALIKE = "graph", "facts", "names", "alike"
SMALL = 30_000
"""Facts of a graph that is made again whenever something changes, which takes a second at most.
A larger one answers as it was while less than a hundredth of its entries changed; these are left to
the tree's own tiers."""

_LOT, _SAVED = 256, 16  # texts that are embedded at a time; lots between two times of storing


@dataclass(frozen=True, slots=True)
class Held:
    """A network, and the vectors of its facts where a model that reads made some.

    `waiting` are paths of entries that changed since a large network was made.
    """

    network: Network
    vectors: Vectors | None
    waiting: frozenset[str] = frozenset()


_open: dict[str, tuple[str, Held]] = {}
"""The graph that this process used last, by the cache's folder: a server asks it many times."""


def reader(ctx: Context) -> EmbedderView | None:
    """The embedder, if it is a model that reads sentences; word vectors tell facts no better."""
    embedder = ctx.embedder
    return None if embedder is None or embedder.lexical else embedder


def has_triples(ctx: Context) -> bool:
    """Whether anybody made triples: then they are the graph, and names only fill its gaps."""
    state = ctx.cache.load_value(STATE, "now")
    if isinstance(state, dict):
        return bool(state.get("triples"))
    return bool(ctx.sidecar.names("triples"))


def key_of_graph(ctx: Context) -> str:
    """What the graph has to be made from now."""
    from memtree.memories.hippo.network import FORMAT

    embedder = reader(ctx)
    tree = ctx.cache.load_value(TREE, FORMAT)
    return f"{FORMAT} {tree} {ctx.sidecar.stamp()} {embedder.id if embedder else 'words'}"


def note_tree(ctx: Context) -> None:
    """Remember which tree there is."""
    from memtree.memories.hippo.network import FORMAT

    told = sha256()
    for ref in ctx.tree.entries():
        told.update(f"{ref.path}\0{ref.id}\0{ref.digest}\n".encode("utf-8", "replace"))
    ctx.cache.save_value(TREE, FORMAT, told.hexdigest())


def held(ctx: Context) -> Held:
    """The graph as it has to be, made now if it has to be made."""
    return ready(ctx) or rebuild(ctx)


def ready(ctx: Context) -> Held | None:
    """The graph as it has to be, if there is one; a large one that is nearly so says so."""
    from memtree.memories.hippo.network import stored

    key = key_of_graph(ctx)
    folder = ctx.cache.folder
    if folder in _open and _open[folder][0] == key:
        return _open[folder][1]
    arrays = ctx.cache.load(GRAPH, key)
    network = stored(arrays) if arrays is not None else None
    if network is not None:
        found = Held(network, _fact_vectors(ctx, network, key, make=False))
        _keep(folder, key, found)
        return found
    before = _before(ctx)
    if before is None or before.network.facts <= SMALL:
        return None
    count = f"{len(before.waiting)} of the entries" if before.waiting else "triples"
    ctx.note(f"{count} changed since the graph was made: memtree hippo build makes it anew")
    return before


def _before(ctx: Context) -> Held | None:
    """The graph that was made last."""
    from memtree.memories.hippo.network import stored

    last = ctx.cache.load_value(MADE, "of")
    if not isinstance(last, str):
        return None
    folder = ctx.cache.folder
    if folder in _open and _open[folder][0] == last:
        found = _open[folder][1]
    else:
        arrays = ctx.cache.load(GRAPH, last)
        network = stored(arrays) if arrays is not None else None
        if network is None:
            return None
        found = Held(network, _fact_vectors(ctx, network, last, make=False))
        _keep(folder, last, found)
    return Held(found.network, found.vectors, _waiting(ctx, last))


def _waiting(ctx: Context, last: str) -> frozenset[str]:
    paths = ctx.cache.load_value(WAITING, last)
    return frozenset(map(str, paths)) if isinstance(paths, list) else frozenset()


def postpone(ctx: Context, paths: Iterable[str]) -> bool:
    """Whether these changes may wait: a large graph of which they are less than a hundredth."""
    state = ctx.cache.load_value(STATE, "now")
    last = ctx.cache.load_value(MADE, "of")
    if not isinstance(state, dict) or not isinstance(last, str) or state["facts"] <= SMALL:
        return False
    waiting = _waiting(ctx, last) | set(paths)
    if len(waiting) * 100 > state["entries"]:
        return False
    ctx.cache.save_value(WAITING, last, sorted(waiting))
    return True


def _keep(folder: str, key: str, found: Held) -> None:
    while len(_open) > 3:
        _open.pop(next(iter(_open)))
    _open[folder] = key, found


def rebuild(ctx: Context) -> Held:
    """Make the graph of the tree as it is, and store it."""
    from memtree.memories.hippo.build import build

    told, state = gathered(ctx)
    key = key_of_graph(ctx)
    network = build(told, stems=ctx.search.stems, synonyms=lambda keys: _synonyms(ctx, keys))
    ctx.cache.save(GRAPH, key, network.arrays())
    ctx.cache.save_value(MADE, "of", key)
    ctx.cache.save_value(STATE, "now", {**state, "facts": network.facts})
    found = Held(network, _fact_vectors(ctx, network, key, make=True))
    _keep(ctx.cache.folder, key, found)
    return found


def gathered(ctx: Context) -> tuple[list[Told], dict[str, int]]:
    """Every entry with its triples, and how many entries have how made ones.

    What was extracted, imported or written by hand; where nobody looked at an entry yet, the names
    that stand beside each other in it; and always the tree's own relations.
    """
    from memtree.memories.hippo.build import Told
    from memtree.memories.hippo.rules import linked, neighbours

    names = set(ctx.sidecar.names("triples"))
    refs = ctx.tree.entries()
    titles = {ref.path: ref.title or ref.path.rpartition("/")[2] for ref in refs}
    state = {"entries": len(refs), "told": 0, "stale": 0, "neighbours": 0, "triples": 0}
    waiting: list[EntryRef] = []
    found: dict[str, list[Triple]] = {}
    for ref in refs:
        name = name_of(ref.id)
        records = ctx.sidecar.read(name) if name in names else []
        if not records:
            waiting.append(ref)
            continue
        state["told"] += 1
        found[ref.path], is_stale = _told(ctx, ref, records)
        state["stale"] += is_stale
        state["triples"] += len(found[ref.path])
    state["neighbours"] = len(waiting)
    found.update(neighbours(ctx, waiting))
    links = linked(ctx, refs, titles)
    return [
        Told(ref.path, titles[ref.path], [*found[ref.path], *links[ref.path]]) for ref in refs
    ], state


def _told(
    ctx: Context, ref: EntryRef, records: Sequence[dict[str, object]]
) -> tuple[list[Triple], bool]:
    """The triples that hold for an entry, and whether it was edited since they were made."""
    from memtree.memories.hippo.triples import read

    made = {str(record.get("digest", "")) for record in records}
    if made == {ref.digest}:
        return [triple for triple, _ in read(records)], False
    entry = ctx.tree.get(ref.path)
    return (standing(records, entry)[0] if entry is not None else []), ref.digest not in made


def _synonyms(ctx: Context, keys: Sequence[str]) -> Pairs:
    """Names that mean the same: by their vectors where a model reads, else by their spelling."""
    from memtree.memories.hippo.synonyms import by_meaning, by_spelling

    embedder = reader(ctx)
    if embedder is None:
        return by_spelling(keys)
    return by_meaning(keys, vectors_of(ctx, embedder, NAMES, list(keys)))


def _fact_vectors(ctx: Context, network: Network, key: str, *, make: bool) -> Vectors | None:
    """The vectors of the facts, in their order; None without a model that reads."""
    from memtree.numerics import load_numpy

    embedder = reader(ctx)
    if embedder is None:
        return None
    arrays = ctx.cache.load(FACTS, key)
    if arrays is not None:
        return arrays["vectors"].astype(load_numpy().float32, copy=False)
    if not make:
        return None
    vectors = vectors_of(
        ctx, embedder, "texts", [" ".join(network.fact(at)) for at in range(network.facts)]
    )
    ctx.cache.save(FACTS, key, {"vectors": vectors})
    return vectors


def vectors_of(ctx: Context, embedder: EmbedderView, name: str, texts: Sequence[str]) -> Vectors:
    """float32, shape (len(texts), dimension): those of before are not made again.

    Stored every few thousand texts, so that an interruption costs little.
    """
    from memtree.memories.hippo.network import hashed
    from memtree.numerics import load_numpy

    load_numpy()
    import numpy as np

    hashes = np.asarray([hashed(text) for text in texts], np.uint64)
    matrix = np.zeros((len(texts), embedder.dimension), np.float32)
    missing = np.ones(len(texts), bool)
    before = ctx.cache.load(name, embedder.id)
    if before is not None and len(before["hashes"]):
        known = before["hashes"]
        places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
        same = known[places] == hashes
        matrix[same] = before["vectors"][places[same]]
        missing = ~same
    waiting = np.flatnonzero(missing).tolist()
    for number, part in enumerate(_lots(waiting, _LOT), 1):
        matrix[part] = embedder.embed([texts[at] for at in part])
        missing[part] = False
        ctx.progress("embedding facts and names", min(number * _LOT, len(waiting)), len(waiting))
        if number % _SAVED == 0 or part[-1] == waiting[-1]:
            done = np.flatnonzero(~missing)
            distinct, at = np.unique(hashes[done], return_index=True)
            ctx.cache.save(name, embedder.id, {"hashes": distinct, "vectors": matrix[done][at]})
    return matrix


def _lots(numbers: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    for at in range(0, len(numbers), size):
        yield numbers[at : at + size]
