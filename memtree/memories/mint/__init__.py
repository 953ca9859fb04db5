"""MINTEval as a plugin: how well a memory answers about what was updated again and again.

After "MINTEval" (arXiv 2605.18565). Real: the generator of the split `state_tracking` with exact
gold, its five types of questions, the metric, the stores that are compared, and a rule reader, so
that it runs whole without a model. Left out: the other splits' data, which a person gives with
--data (the paper's is CC BY 4.0, and not fetched here); they are read by a language model, and
without one only what search finds of them is measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.plugins import Check, Context, Lab, Suite


class Mint:
    """The plugin: a benchmark and its proof."""

    manifest = Manifest(
        name="mint",
        title="Questions about what was updated: present, past, order, number, several steps",
        source="MINTEval, arXiv 2605.18565",
        seeds=("S10",),
        paradigm="benchmark",
        enhances=("llm",),
        modes=("full", "rules"),
    )

    def mode(self, ctx: Context) -> Mode:
        """In full with a model that reads; without, the rule reader and what search finds."""
        if ctx.llm is not None:
            return Mode()
        return Mode(
            label="rules",
            reason="no language model reads the splits of free text: there only recall is measured",
        )

    def bench(self) -> Sequence[Suite]:
        """`memtree bench mint`."""
        from memtree.memories.mint.suite import Minted

        return [Minted()]

    def selftest(self, lab: Lab) -> Iterator[Check]:
        """Same bytes, exact gold, what each store keeps."""
        from memtree.memories.mint.proof import checks

        yield from checks(lab)
