"""`memtree mbc stats|compress`: what the bank takes, and another form for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.errors import UsageError
from memtree.plugins import Report

if TYPE_CHECKING:
    from memtree.memories.mbc.bank import Bank
    from memtree.plugins import Desk


def stats(desk: Desk) -> Report:
    """Bytes of the compressed vectors, and how their codes are used."""
    from memtree.memories.mbc.keeping import build, form_of, stored

    desk.follow()
    ctx = desk.context
    bank = stored(ctx) or build(ctx, form_of(ctx))
    return _told(bank, "lexical" if ctx.embedder is None else ctx.embedder.id)


def compress(
    desk: Desk,
    *,
    codes: Annotated[int, "one codebook of so many codes, as in the paper (512)"] = 0,
    pq: Annotated[int, "cut vectors into so many parts"] = 0,
    bits: Annotated[int, "bits of a part: 4 or 8"] = 0,
) -> Report:
    """Learn the codes anew from all vectors, in this form from now on."""
    from memtree.memories.mbc.keeping import DIMENSION, FORM, build, chosen

    if codes and (pq or bits):
        raise UsageError(
            "one codebook is not cut into parts", hint="either --codes, or --pq and --bits"
        )
    if min(codes, pq, bits) < 0:
        raise UsageError("a number of codes, parts or bits is not negative")
    ctx = desk.context
    form = chosen(codes, pq, bits)
    form.for_dimension(DIMENSION if ctx.embedder is None else ctx.embedder.dimension)
    said = {name: number for name, number in (("codes", codes), ("pq", pq), ("bits", bits))
            if number}  # fmt: skip
    ctx.sidecar.write(FORM, [said] if said else [])
    ctx.progress("learning codes", 0, 1)
    bank = build(ctx, form)
    ctx.progress("learning codes", 1, 1)
    return _told(bank, "lexical" if ctx.embedder is None else ctx.embedder.id)


def _told(bank: Bank | None, vectors: str) -> Report:
    if bank is None or not bank.places:
        return Report(lines=["nothing to compress yet"], value={"passages": 0}, code=1)
    size = bank.size()
    each = size.rows / len(bank.places)
    lexical = vectors == "lexical"
    lines = [
        f"form        {bank.form}",
        f"passages    {len(bank.places)}, codes learnt from {bank.learnt}",
        f"vectors     {size.full:,} bytes in float32, {bank.dimension} numbers each"
        + (" (vectors: lexical, there is no embedder)" if lexical else ""),
        f"codes       {size.rows:,} bytes, {each:.0f} a passage ({each / bank.dimension / 4:.1%})",
        f"codebooks   {size.books:,} bytes; together {size.share:.1%}",
        f"perplexity  {size.perplexity:.1f} of {size.codes}; dead codes {size.dead}",
    ]
    value = {
        "form": str(bank.form), "passages": len(bank.places), "learnt_from": bank.learnt,
        "dimension": bank.dimension, "vectors": vectors, "bytes_full": size.full,
        "bytes_codes": size.rows, "bytes_codebooks": size.books, "share": round(size.share, 5),
        "bytes_each": round(each, 2), "perplexity": round(size.perplexity, 2),
        "codes": size.codes, "dead": size.dead,
    }  # fmt: skip
    return Report(lines=lines, value=value)
