"""The network follows the tree. It is derived and stands in the cache.

Entries are joined in the order in which they came, as the paper does it: a new node looks back at
all earlier ones. A tree that is read from scratch comes in the order of its entries' times.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.memories.memgas import texts
from memtree.memories.memgas.network import Network, empty
from memtree.numeric.pagerank import Graph
from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.memgas.texts import Generated, Grains
    from memtree.numeric.lexical import Lexical
    from memtree.plugins import ChangeSet, Context, EntryRef

    Vectors = npt.NDArray[np.float32]
    Embed = Callable[[Sequence[str]], Vectors]

NETWORK, SPACE = "network", "space"
DIMENSION = 256
"""Of the vectors that are made where there is no embedder."""
_TOGETHER = 64
"""Entries that are joined at once; a save comes when there were `_KEEP` seconds of it."""
_KEEP = 5.0
_FEW, _MOMENT = 4, 1.0
"""At a question: so many at once, for so many seconds; the host gives a retriever two."""


def key_of(ctx: Context) -> str:
    """Which vectors these are."""
    return "lexical" if ctx.embedder is None else ctx.embedder.id


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the network up to the tree."""
    if not changes:
        return
    network = None if changes.full else stored(ctx)
    if network is None or network.left:
        build(ctx, anew=changes.full)
        return
    old = {ref.path for ref in (*changes.added, *changes.changed, *changes.removed)}
    joined(ctx, network.without(old), (*changes.added, *changes.changed))


def ready(ctx: Context) -> Network:
    """The network for a question, also one of other vectors than those that were followed.

    Where entries are still to be joined (the embedder was changed, work was broken off) it goes on
    with these for a moment, and says how far it is.
    """
    network = stored(ctx)
    if network is None or network.left:
        network = build(ctx, seconds=_MOMENT)
    if network.left:
        count = len(network.paths)
        so_far = f"memgas has joined {count} of {count + network.left} entries so far"
        ctx.note(f"{so_far}; `memtree memgas build` joins the rest")
    return network


def build(ctx: Context, *, anew: bool = False, seconds: float = 0.0) -> Network:
    """The network of the whole tree: what was joined before and is unchanged stays.

    Stops after so many seconds, if any are given. With `anew` the space of words is made again
    where there is no embedder, unless the network was not ready yet.
    """
    network = stored(ctx)
    if ctx.embedder is None and (network is None or (anew and not network.left)):
        from memtree.numeric.lexical import fit

        whole = [piece.text for ref in ctx.tree.entries() for piece in
                 ctx.tree.passages(ref.path)]  # fmt: skip
        ctx.cache.save(SPACE, "1", fit(whole, dimension=DIMENSION).arrays())
        network = None
    if network is None:
        network = empty(DIMENSION if ctx.embedder is None else ctx.embedder.dimension)
    refs = {ref.path: ref for ref in ctx.tree.entries() if texts.is_node(ref)}
    old = {path for path in network.paths
           if path not in refs or refs[path].digest != network.digests.get(path)}  # fmt: skip
    network = network.without(old)
    there = set(network.paths)
    missing = [ref for path, ref in refs.items() if path not in there]
    return joined(ctx, network, missing, seconds=seconds)


def again(ctx: Context, paths: Sequence[str]) -> Network:
    """The network with these entries read again, as the newest."""
    network = stored(ctx)
    if network is None or network.left:
        network = build(ctx)
    refs = [ref for path in paths if (ref := ctx.tree.ref(path)) is not None]
    return joined(ctx, network.without(set(paths)), refs)


def joined(
    ctx: Context, network: Network, refs: Sequence[EntryRef], *, seconds: float = 0.0
) -> Network:
    """The network with more entries, earlier ones first, and stored.

    It is stored on the way too, so that long work that is broken off goes on from there.
    """
    generated = texts.generated_of(ctx)
    order = sorted(
        (ref for ref in refs if texts.is_node(ref)), key=lambda ref: (ref.time, ref.path)
    )
    embed = embedding(ctx)
    began = kept = time.perf_counter()
    together = _FEW if seconds else _TOGETHER
    done = 0
    while done < len(order) and not (done and 0 < seconds < time.perf_counter() - began):
        if len(order) > together:
            ctx.progress("joining entries", done, len(order))
        some = order[done : done + together]
        done += len(some)
        network = _with(ctx, network, some, generated, embed)
        if time.perf_counter() - kept > _KEEP:
            save(ctx, replace(network, left=len(order) - done))
            kept = time.perf_counter()
    network = replace(network, left=len(order) - done)
    save(ctx, network)
    return network


def _with(
    ctx: Context, network: Network, refs: Sequence[EntryRef], generated: Mapping[str, Generated],
    embed: Embed,
) -> Network:  # fmt: skip
    read = [one for ref in refs if (one := texts.read(ctx, ref.path, generated)) is not None]
    entries: list[int] = []
    grains: list[int] = []
    rows: list[Vectors] = []
    for number, nodes in enumerate(vectors_of(read, embed)):
        for grain, vector in nodes:
            entries.append(number)
            grains.append(grain)
            rows.append(vector)
    np = load_numpy()
    made = np.stack(rows) if rows else np.zeros((0, network.vectors.shape[1]), np.float32)
    # In the precision in which they are kept, so that a network that was stored is the same.
    more = network.with_more([one.path for one in read], entries, grains,
                             made.astype(np.float16).astype(np.float32))  # fmt: skip
    return replace(more, digests={**network.digests, **{ref.path: ref.digest for ref in refs}})


def vectors_of(read: Sequence[Grains], embed: Embed) -> list[list[tuple[int, Vectors]]]:
    """For each entry its nodes: granularity and unit vector. Nothing known, no node."""
    np = load_numpy()
    wanted: list[str] = []
    for one in read:
        wanted += [one.whole, *(part.text for part in one.parts), one.summary,
                   ", ".join(one.keywords)]  # fmt: skip
    made = embed(wanted) if wanted else np.zeros((0, 1), np.float32)
    found = []
    at = 0
    for one in read:
        parts = len(one.parts)
        whole, inner = made[at], made[at + 1 : at + 1 + parts]
        summary, keywords = made[at + 1 + parts], made[at + 2 + parts]
        at += parts + 3
        mean = inner.mean(axis=0) if parts else np.zeros_like(whole)
        nodes = []
        for grain, vector in enumerate((whole, mean, summary, keywords)):
            length = float(np.linalg.norm(vector))
            if length > 1e-6 and (grain < texts.SUMMARY or (one.summary, one.keywords)[grain - 2]):
                nodes.append((grain, (vector / length).astype(np.float32)))
        found.append(nodes)
    return found


def embedding(ctx: Context) -> Embed:
    """From texts to unit rows: by the embedder, else by the tree's own words."""
    if ctx.embedder is not None:
        return ctx.embedder.embed
    space = _space(ctx)
    np = load_numpy()
    return space.embed if space is not None else (
        lambda wanted: np.zeros((len(wanted), DIMENSION), np.float32)
    )  # fmt: skip


def question(ctx: Context, text: str) -> Vectors:
    """The vector of a question, zeros where none of its words is known."""
    if ctx.embedder is not None:
        return ctx.embedder.question(text)
    row: Vectors = embedding(ctx)([text])[0]
    return row


def _space(ctx: Context) -> Lexical | None:
    from memtree.numeric.lexical import kept

    return kept(ctx.cache.load(SPACE, "1"))


def save(ctx: Context, network: Network) -> None:
    """Store a network."""
    np = load_numpy()
    names = "\n".join(network.paths).encode("utf-8", "surrogatepass")
    digests = "\n".join(network.digests.get(path, "") for path in network.paths).encode()
    graph = network.joined()
    ctx.cache.save(NETWORK, key_of(ctx), {
        "paths": np.frombuffer(names, np.uint8), "digests": np.frombuffer(digests, np.uint8),
        "left": np.array([network.left], np.int64), "entries": network.entries.astype(np.int32),
        "grains": network.grains.astype(np.int8), "edges": network.edges.astype(np.int32),
        "vectors": network.vectors.astype(np.float16),
        # What each question would have to make of the edges again.
        "starts": graph.starts, "ends": graph.ends,
    })  # fmt: skip


def _graph(starts: npt.NDArray[np.generic], ends: npt.NDArray[np.generic]) -> Graph:
    """A graph as it was stored: all edges weigh 1."""
    np = load_numpy()
    begins, others = starts.astype(np.int32, copy=False), ends.astype(np.int32, copy=False)
    if len(begins) < 1 or int(begins[-1]) != len(others):
        raise ValueError("the ends of the edges are not those of the nodes")
    return Graph(starts=begins, ends=others, weights=np.ones(len(others), np.float32),
                 strength=np.diff(begins).astype(np.float64))  # fmt: skip


def stored(ctx: Context) -> Network | None:
    """The network of the cache; None where there is none of these vectors, or it is damaged."""
    np = load_numpy()
    arrays = ctx.cache.load(NETWORK, key_of(ctx))
    if arrays is None:
        return None
    try:
        names = arrays["paths"].astype(np.uint8).tobytes().decode("utf-8", "surrogatepass")
        paths = names.split("\n") if names else []
        digests = arrays["digests"].astype(np.uint8).tobytes().decode().split("\n")
        return Network(
            paths=paths, digests=dict(zip(paths, digests, strict=bool(paths))),
            entries=arrays["entries"].astype(np.int64), grains=arrays["grains"].astype(np.int64),
            vectors=arrays["vectors"].astype(np.float32), edges=arrays["edges"].astype(np.int64),
            left=int(arrays["left"].astype(np.int64)[0]),
            graph=_graph(arrays["starts"], arrays["ends"]),
        )  # fmt: skip
    except (KeyError, ValueError, IndexError):
        return None
