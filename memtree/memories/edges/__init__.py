"""Passages in an order in which a model finds them: the best at the edges of the prompt.

After "Long-Context LLMs Meet RAG" (arXiv 2410.05983): accuracy rises and then falls with the number
of passages, because of hard negatives; putting the best hits at both ends, and leaving weak ones
out, helps without training. Later work (arXiv 2605.27105) finds the effect of the order to differ
from model to model, so here it is a setting that is measured: by itself the order is that of the
ranks. Left out: the paper's training of models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from memtree.plugins.api import Manifest, Packed, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.knowledge.query import Query
    from memtree.plugins.api import Check, Ranked
    from memtree.plugins.context import Context
    from memtree.plugins.desk import Command, Desk, Lab, Report
    from memtree.plugins.suite import Suite

__all__ = ["Edges"]

MEASURED = "order"
"""The value in the cache: the order that won, with the model's name as the key."""
MOST_ROUNDS = 20


class Edges:
    """The plugin `edges`."""

    manifest = Manifest(
        name="edges",
        title="The best passages at the edges of the prompt, weak ones left out",
        source="arXiv 2410.05983",
        seeds=("S24",),
        enhances=("llm",),
        options={"order": "", "cut": 0.0, "pack": False},
    )

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed:
        """Leave weak hits out, then those for which there is no room, and order the rest."""
        from memtree.memories.edges.ordering import fitting, ordered, shortened, strong

        del query
        count = ctx.count
        order, why = order_of(ctx)
        told = [hit for hit in hits if hit.text]
        kept = strong(told, ctx.number("cut", 0, 1))
        room = ctx.budget.tokens
        fit = fitting(kept, room, lambda hit: count(hit.text))
        if kept and not fit:
            text = shortened(kept[0].text, room, count)
            first = kept[0]
            pieces = [Piece(path=first.path, text=text, lines=first.lines)] if text else []
            return Packed(pieces=pieces, note="the first passage, shortened to the budget")
        placed = ordered(fit, order, lambda path: _time(ctx, path))
        left = [f"{len(told) - len(kept)} weak" * (len(kept) < len(told)),
                f"{len(kept) - len(fit)} over the budget" * (len(fit) < len(kept))]  # fmt: skip
        said = ", ".join(each for each in left if each)
        return Packed(
            pieces=[Piece(path=hit.path, text=hit.text, lines=hit.lines) for hit in placed],
            note=f"order {order} ({why})" + (f"; left out: {said}" if said else ""),
        )

    def bench(self) -> Sequence[Suite]:
        """`memtree bench order`."""
        from memtree.memories.edges.suite import OrderSuite

        return (OrderSuite(),)

    def commands(self) -> Mapping[str, Command]:
        """`memtree edges test`."""
        return {"edges test": measure}

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The places of the paper, a permutation, and leaving from the middle outward."""
        from memtree.memories.edges.checks import checks

        return checks(lab)


def order_of(ctx: Context) -> tuple[str, str]:
    """The order to use, and why: a person's, else edges by `--pack`, else the measured one.

    Raises UsageError for an order that there is not.
    """
    from memtree.errors import UsageError
    from memtree.memories.edges.ordering import EDGES, ORDERS, RANK

    given = str(ctx.options.get("order") or "")
    if given and given not in ORDERS:
        raise UsageError(f"{given!r} is no order of passages", hint="one of " + ", ".join(ORDERS))
    if given:
        return given, "as set"
    name = ctx.llm.name if ctx.llm is not None else ""
    found = ctx.cache.load_value(MEASURED, name) if name else None
    measured = found if isinstance(found, str) and found in ORDERS else ""
    if ctx.options.get("pack"):
        return EDGES, f"as asked; measured with {name}: {measured}" if measured else "as asked"
    return (measured, f"measured with {name}") if measured else (RANK, "nothing measured")


def measure(
    desk: Desk,
    *,
    rounds: Annotated[int, "needles for each place and length; more are surer and slower"] = 1,
) -> Report:
    """Ask this tree's language model for needles at ten places, and keep the order that wins.

    A round is 50 prompts of 150 to 1,200 tokens. Edges wins if it is better beyond chance.
    """
    from memtree.errors import Unavailable, UsageError
    from memtree.memories.edges.needles import PLACES, finds, fits, needles, winner
    from memtree.memories.edges.suite import NO_MODEL
    from memtree.plugins.desk import Report

    if not 1 <= rounds <= MOST_ROUNDS:
        raise UsageError(f"--rounds is a number from 1 to {MOST_ROUNDS}")
    ctx = desk.context
    model = ctx.llm
    if model is None:
        raise Unavailable(NO_MODEL.message, hint=NO_MODEL.hint)
    right: dict[int, list[bool]] = {place: [] for place in range(PLACES)}
    asked = [each for seed in range(rounds) for each in needles(seed) if fits(model, each)]
    if len({needle.place for needle in asked}) < PLACES:
        return Report(lines=[f"the window of {model.name} is too small for the test"], code=3)
    for done, needle in enumerate(asked, 1):
        right[needle.place].append(finds(model, needle))
        ctx.progress("needles", done, len(asked))
    accuracy = {place: sum(found) / len(found) for place, found in right.items()}
    verdict = winner(accuracy, {place: len(found) for place, found in right.items()})
    ctx.cache.save_value(MEASURED, model.name, verdict.order)
    lines = [f"place {place + 1:2}  {value:5.0%}" for place, value in accuracy.items()]
    lines += [
        f"expected with order {name}: {value:.3f}" for name, value in verdict.expected.items()
    ]
    lines += [verdict.said, f"{model.name}: order {verdict.order}, from {len(asked)} prompts"]
    return Report(lines=lines, value={
        "model": model.name, "order": verdict.order, "expected": verdict.expected,
        "ahead": verdict.ahead, "margin": verdict.margin, "prompts": len(asked),
        "accuracy": {str(place + 1): value for place, value in accuracy.items()}})  # fmt: skip


def _time(ctx: Context, path: str) -> str:
    found = ctx.tree.ref(path)
    return found.time if found is not None else ""
