"""What is derived from the tree: counts of words, and the mean surprisal of each entry.

Counts are learned anew when a tenth of the entries changed; until then the old ones serve, for what
is common in a tree changes slowly. Means are kept by an entry's digest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from memtree.memories.sir.surprise import Bigrams, aligned, learned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.plugins.context import Context

    Told = Sequence[tuple[int, int, float]]

COUNTS, MEANS, AVERAGE, MODEL, FORM = "bigrams", "means", "average", "model", "1"
STALE = 0.1
"""Share of the entries that may differ from those that were learned from."""
BIGRAMS = "bigrams of this tree"


def follow(ctx: Context, *, full: bool = False) -> None:
    """Bring counts and means up to the tree; nothing is done twice."""
    now = {ref.digest for ref in ctx.tree.entries()}
    value = ctx.cache.load_value(COUNTS, FORM)
    seen = set(value.get("digests", ())) if isinstance(value, dict) else set()
    if full or not seen or len(seen ^ now) > STALE * max(len(seen), len(now)):
        counts = learned(_texts(ctx))
        ctx.cache.save_value(COUNTS, FORM, {"digests": sorted(now), **counts.saved()})
        ctx.session[COUNTS] = counts
        means: dict[str, float] = {}
    else:
        counts = counts_of(ctx)
        means = means_of(ctx)
    kept = {digest: mean for digest, mean in means.items() if digest in now}
    for ref in ctx.tree.entries():
        if ref.digest not in kept:
            entry = ctx.tree.get(ref.path)
            kept[ref.digest] = mean_of(counts.of(entry.body)) if entry is not None else 0.0
    if kept != means:
        ctx.cache.save_value(MEANS, FORM, {key: round(mean, 4) for key, mean in kept.items()})
    ctx.session[MEANS] = kept
    ctx.session.pop(AVERAGE, None)


def counts_of(ctx: Context) -> Bigrams:
    """The counts of the tree: those at hand, those stored, else learned now."""
    held = ctx.session.get(COUNTS)
    if isinstance(held, Bigrams):
        return held
    value = ctx.cache.load_value(COUNTS, FORM)
    try:
        made = Bigrams.loaded(cast("dict[str, object]", value))
    except (ValueError, KeyError, TypeError, IndexError):
        made = learned(_texts(ctx))
    ctx.session[COUNTS] = made
    return made


def means_of(ctx: Context) -> dict[str, float]:
    """Digest of an entry -> the mean surprisal of its words in nats."""
    held = ctx.session.get(MEANS)
    if not isinstance(held, dict):
        value = ctx.cache.load_value(MEANS, FORM)
        given = value if isinstance(value, dict) else {}
        held = {key: float(mean) for key, mean in given.items() if isinstance(mean, int | float)}
        ctx.session[MEANS] = held
    return cast("dict[str, float]", held)


def average_of(ctx: Context) -> float:
    """The mean of all entries' means, worked out once for a question."""
    held = ctx.session.get(AVERAGE)
    if not isinstance(held, float):
        means = means_of(ctx)
        held = sum(means.values()) / len(means) if means else 0.0
        ctx.session[AVERAGE] = held
    return held


def mean_of(told: Told) -> float:
    """The mean of surprisals, 0 for none."""
    return sum(value for _, _, value in told) / len(told) if told else 0.0


def told_of(ctx: Context, texts: Sequence[str]) -> tuple[list[Told], str]:
    """The surprisals of texts, all from one source so that they compare, and which that is.

    A language model that tells probabilities, as far as its calls reach; else the counts.
    """
    found = _by_model(ctx, texts)
    if found is not None and ctx.llm is not None:
        return found, ctx.llm.name
    counts = counts_of(ctx)
    return [counts.of(text) for text in texts], BIGRAMS


def _by_model(ctx: Context, texts: Sequence[str]) -> list[Told] | None:
    from hashlib import sha256

    from memtree.errors import MemtreeError

    model = ctx.llm
    if model is None or "logprobs" not in model.capabilities:
        return None
    keys = [sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts]
    known = [ctx.cache.load_value(f"{MODEL}/{key}", model.name) for key in keys]
    if sum(one is None for one in known) > ctx.budget.calls - model.calls:
        return None
    found: list[Told] = []
    for text, key, value in zip(texts, keys, known, strict=True):
        if isinstance(value, list):
            found.append([(int(a), int(b), float(nats)) for a, b, nats in value])
            continue
        try:
            told = aligned(text, model.logprobs(text))
        except MemtreeError as error:
            ctx.note(f"surprisal is that of {BIGRAMS}: {error.message}")
            return None
        ctx.cache.save_value(f"{MODEL}/{key}", model.name, told)
        found.append(told)
    return found


def _texts(ctx: Context) -> Iterator[str]:
    for ref in ctx.tree.entries():
        entry = ctx.tree.get(ref.path)
        if entry is not None:
            yield entry.body
