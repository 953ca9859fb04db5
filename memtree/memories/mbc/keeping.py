"""The bank follows the tree: what is new is encoded, what is gone is left out.

It is derived, and stands in the cache: whoever deletes it gets it again. The form that a person
chose with `memtree mbc compress` stands in the sidecar.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.memories.mbc.bank import FAITHFUL, Bank, Form, learnt, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from memtree.memories.mbc.bank import Place
    from memtree.numeric.lexical import Lexical
    from memtree.plugins import ChangeSet, Context

    Vectors = npt.NDArray[np.float32]

BANK, SPACE, FORM = "bank", "space", "form.jsonl"
DIMENSION = 256
"""Of the vectors that are made where there is no embedder."""
_HELD: dict[str, tuple[tuple[str, int, int, int], Bank]] = {}
# Path of a bank -> what it was read under (key and state of the file), and the bank.


def form_of(ctx: Context) -> Form:
    """What the bank is to look like: options, else what was chosen by command, else the usual."""
    options = ctx.options
    codes, parts, bits = (_number(options.get(name)) for name in ("codes", "pq", "bits"))
    if options.get("faithful") is True:
        codes = codes or FAITHFUL
    if not (codes or parts or bits):
        for record in ctx.sidecar.read(FORM)[:1]:
            codes, parts, bits = (_number(record.get(name)) for name in ("codes", "pq", "bits"))
    return chosen(codes, parts, bits)


def chosen(codes: int, parts: int, bits: int) -> Form:
    """A form from three numbers, 0 where one was not said."""
    if codes:
        return Form(codes=codes)
    return Form(parts=parts, bits=bits or (8 if parts else 4))


def key_of(ctx: Context, form: Form) -> str:
    """Which vectors, and in which form."""
    embedder = ctx.embedder
    return f"{'lexical' if embedder is None else embedder.id} | {form}"


def follow(changes: ChangeSet, ctx: Context) -> None:
    """Bring the bank up to the tree."""
    if not changes:
        return
    bank = None if changes.full else stored(ctx)
    if bank is None:
        build(ctx, form_of(ctx))
        return
    old = {ref.path for ref in (*changes.added, *changes.changed, *changes.removed)}
    new = {ref.path for ref in (*changes.added, *changes.changed)}
    bank = bank.without(old)
    places, vectors = vectors_of(ctx, only=new)
    more = bank.with_more(places, vectors, seed=len(bank.places))
    if more.needs_learning:
        build(ctx, form_of(ctx))
        return
    ctx.cache.save(BANK, key_of(ctx, form_of(ctx)), more.arrays())


def build(ctx: Context, form: Form) -> Bank | None:
    """Learn the codes anew from all passages, and encode these; None for an empty tree."""
    places, vectors = vectors_of(ctx, anew=True)
    bank = learnt(places, vectors, form)
    if bank is None:
        ctx.cache.save(BANK, key_of(ctx, form), {})
        return None
    ctx.cache.save(BANK, key_of(ctx, form), bank.arrays())
    return bank


def stored(ctx: Context) -> Bank | None:
    """The bank of the cache; None where there is none of this form, or it is damaged.

    A process that goes on asking reads it once.
    """
    key = key_of(ctx, form_of(ctx))
    path = os.path.join(ctx.cache.folder, f"{BANK}.npz")
    try:
        status = os.stat(path)
    except OSError:
        return None
    signature = key, status.st_mtime_ns, status.st_size, status.st_ino
    held = _HELD.get(path)
    if held is not None and held[0] == signature:
        return held[1]
    arrays = ctx.cache.load(BANK, key)
    if arrays is None:
        return None
    try:
        bank = read(arrays)
    except (KeyError, ValueError, IndexError, TypeError):
        return None
    _HELD.clear()  # one tree at a time
    _HELD[path] = signature, bank
    return bank


def is_empty(ctx: Context) -> bool:
    """Whether it is known that the tree has no passage."""
    return ctx.cache.load(BANK, key_of(ctx, form_of(ctx))) == {}


def question(ctx: Context, text: str) -> Vectors | None:
    """The vector of a question, None where none of its words is known."""
    from memtree.numerics import load_numpy

    np = load_numpy()
    if ctx.embedder is not None:
        vector: Vectors = np.asarray(ctx.embedder.question(text), np.float32)
    else:
        space = _space(ctx)
        if space is None:
            return None
        vector = space.embed([text])[0]
    return vector if bool(np.any(vector)) else None


def vectors_of(
    ctx: Context, *, only: set[str] | None = None, anew: bool = False
) -> tuple[Sequence[Place], Vectors]:
    """The passages of the tree, or of some entries, with their vectors."""
    if ctx.embedder is None:
        return _lexical(ctx, only, anew=anew)
    held = ctx.embedder.stored()
    if only is None:
        return list(held.places), held.matrix
    rows = [row for row, (path, _) in enumerate(held.places) if path in only]
    return [held.places[row] for row in rows], held.matrix[rows]


def _lexical(ctx: Context, only: set[str] | None, *, anew: bool) -> tuple[Sequence[Place], Vectors]:
    """The same from the entries' own words."""
    from memtree.numeric.lexical import fit

    places: list[Place] = []
    texts: list[str] = []
    for ref in ctx.tree.entries():
        if only is None or ref.path in only:
            for piece in ctx.tree.passages(ref.path):
                places.append((ref.path, piece.lines))
                texts.append(f"{ref.title}\n{piece.text}")
    space = None if anew else _space(ctx)
    if space is None:
        space = fit(texts, dimension=DIMENSION)
        ctx.cache.save(SPACE, "1", space.arrays())
        space = _space(ctx) or space  # in the precision in which it is kept
    return places, space.embed(texts)


def _space(ctx: Context) -> Lexical | None:
    from memtree.numeric.lexical import kept

    return kept(ctx.cache.load(SPACE, "1"))


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
