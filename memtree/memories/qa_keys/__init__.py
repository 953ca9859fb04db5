"""qa-keys: questions that an entry answers, stored with their answers, as keys to it (QA memory).

A memory of question-answer pairs answers a question that was thought of before without reading
anything: the question is looked up among the stored ones, and the pair's answer is given with the
entry that it came from. Two pairs answer a question of two steps: the answer of the first takes its
place in the second.

Source: Chen et al., Augmenting Pre-trained Language Models with QA-Memory for Open-Domain Question
Answering (arXiv 2204.04581); the pairs are made as PAQ makes them (Lewis et al., arXiv 2102.07033):
a model writes questions to answers that stand in the entry, and a pair is kept only if the model
finds the same answer back. Left out: the trained encoder of pairs (questions are compared by rules,
see `memtree.memories.qa_keys.questions`). No pairs are made by rules: measured, keys of triples
find less than plain search. Without a model there are a person's own questions, and headings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.plugins import Manifest, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memtree.knowledge.query import Query
    from memtree.plugins import ChangeSet, Check, Context, Lab, Ranking, State, Step
    from memtree.plugins.desk import Command

OWN = "keys=own"


class QaKeys:
    """The plugin."""

    manifest = Manifest(
        name="qa-keys",
        title="Question keys: stored questions with their answers",
        source="QAMAT, arXiv 2204.04581; round trip of PAQ, arXiv 2102.07033",
        seeds=("S28",),
        paradigm="explicit-text",
        enhances=("llm", "llm.json"),
        modes=("full", OWN),
        stage="fuzzy",
        commands=("qa",),
    )

    def mode(self, ctx: Context) -> Mode:
        """In full with a model that can write questions, or with questions that one has written."""
        from memtree.memories.qa_keys.keys import made_by_model

        if (ctx.llm is not None and "json" in ctx.llm.capabilities) or made_by_model(ctx):
            return Mode()
        return Mode(
            label=OWN,
            reason="no model has written questions (memtree qa build): only hand-written ones "
            "and headings that are questions",
        )

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        """Pairs of edited entries are dropped; headings are read."""
        from memtree.memories.qa_keys.following import follow

        follow(changes, ctx)

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        """The stored answer, if a stored question is surely the same."""
        from memtree.memories.qa_keys.answering import retrieved

        return retrieved(query, ctx)

    def plan(self, query: Query, state: State, ctx: Context) -> Step | None:
        """The stored answer, or that of two or three pairs of which each leads to the next."""
        from memtree.memories.qa_keys.hops import planned

        return planned(query, state, ctx)

    def commands(self) -> Mapping[str, Command]:
        """`qa build`, `qa add`, `qa remove`, `qa list`, `qa show`."""
        from memtree.memories.qa_keys.commands import add, build, list_, remove, show

        return {
            "qa build": build,
            "qa add": add,
            "qa remove": remove,
            "qa list": list_,
            "qa show": show,
        }

    def selftest(self, lab: Lab) -> Iterable[Check]:
        """The acceptance check of seed S28."""
        from memtree.memories.qa_keys.acceptance import checks

        return checks(lab)
