"""The network follows the tree. It is derived and stands in the cache.

Entries are joined in the order in which they came, as the paper does it: a new node looks back at
all earlier ones. A tree that is read from scratch comes in the order of its entries' times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.memories.memgas import texts
from memtree.memories.memgas.network import Network, empty
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
_TOGETHER = 256


def key_of(ctx: Context) -> str:
    """Which vectors these are."""
    return "lexical" if ctx.embedder is None else ctx.embedder.id


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the network up to the tree."""
    if not changes:
        return
    network = None if changes.full else stored(ctx)
    if network is None:
        build(ctx)
        return
    old = {ref.path for ref in (*changes.added, *changes.changed, *changes.removed)}
    save(ctx, joined(ctx, network.without(old), (*changes.added, *changes.changed)))


def build(ctx: Context) -> Network:
    """The network of the whole tree, from scratch."""
    refs = ctx.tree.entries()
    if ctx.embedder is None:
        from memtree.numeric.lexical import fit

        whole = [piece.text for ref in refs for piece in ctx.tree.passages(ref.path)]
        ctx.cache.save(SPACE, "1", fit(whole, dimension=DIMENSION).arrays())
    dimension = DIMENSION if ctx.embedder is None else ctx.embedder.dimension
    network = joined(ctx, empty(dimension), refs)
    save(ctx, network)
    return network


def again(ctx: Context, paths: Sequence[str]) -> Network:
    """The network with these entries read again, as the newest."""
    network = stored(ctx)
    if network is None:
        return build(ctx)
    refs = [ref for path in paths if (ref := ctx.tree.ref(path)) is not None]
    network = joined(ctx, network.without(set(paths)), refs)
    save(ctx, network)
    return network


def joined(ctx: Context, network: Network, refs: Sequence[EntryRef]) -> Network:
    """The network with more entries, earlier ones first."""
    generated = texts.generated_of(ctx)
    order = sorted(
        (ref for ref in refs if texts.is_node(ref)), key=lambda ref: (ref.time, ref.path)
    )
    embed = embedding(ctx)
    for start in range(0, len(order), _TOGETHER):
        if len(order) > _TOGETHER:
            ctx.progress("joining entries", start, len(order))
        some = order[start : start + _TOGETHER]
        network = _with(ctx, network, [ref.path for ref in some], generated, embed)
    return network


def _with(
    ctx: Context, network: Network, paths: Sequence[str], generated: Mapping[str, Generated],
    embed: Embed,
) -> Network:  # fmt: skip
    read = [one for path in paths if (one := texts.read(ctx, path, generated)) is not None]
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
    return network.with_more([one.path for one in read], entries, grains,
                             made.astype(np.float16).astype(np.float32))  # fmt: skip


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
    from memtree.numeric.lexical import stored as space_of

    arrays = ctx.cache.load(SPACE, "1")
    try:
        return space_of(arrays) if arrays is not None else None
    except (KeyError, ValueError):
        return None


def save(ctx: Context, network: Network) -> None:
    """Store a network."""
    np = load_numpy()
    names = "\n".join(network.paths).encode("utf-8", "surrogatepass")
    ctx.cache.save(NETWORK, key_of(ctx), {
        "paths": np.frombuffer(names, np.uint8), "entries": network.entries.astype(np.int32),
        "grains": network.grains.astype(np.int8), "edges": network.edges.astype(np.int32),
        "vectors": network.vectors.astype(np.float16),
    })  # fmt: skip


def stored(ctx: Context) -> Network | None:
    """The network of the cache; None where there is none of these vectors, or it is damaged."""
    np = load_numpy()
    arrays = ctx.cache.load(NETWORK, key_of(ctx))
    if arrays is None:
        return None
    try:
        names = arrays["paths"].astype(np.uint8).tobytes().decode("utf-8", "surrogatepass")
        return Network(
            paths=names.split("\n") if names else [], entries=arrays["entries"].astype(np.int64),
            grains=arrays["grains"].astype(np.int64), edges=arrays["edges"].astype(np.int64),
            vectors=arrays["vectors"].astype(np.float32),
        )  # fmt: skip
    except (KeyError, ValueError):
        return None
