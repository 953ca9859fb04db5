"""The part of an open tree that asks a language model: which one, at what cost, and what is cited.

`memtree.retrieve.agentic` takes the steps; here it gets a model, when the settings name one, and a
budget. Nothing is loaded before a question has come as far as tier 5.
"""

from __future__ import annotations

from memtree.errors import MemtreeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.asking import Asking
    from memtree.knowledge.query import Answer, Query
    from memtree.llm.protocol import LanguageModel
    from memtree.retrieve.agentic.means import Means
    from memtree.retrieve.tier import Tier

    _Tree = Asking
else:
    _Tree = object  # rooms of one floor don't know each other: `memtree.app` puts them together


class Consulting(_Tree):
    """An open tree that may ask a language model for what no other tier is sure of.

    `language_model` takes the place of what the settings name; it stays its owner's to close.
    """

    language_model: LanguageModel | None = None
    without_model: bool = False
    """Whatever the settings say: for measurements that no model may change."""
    _chosen: tuple[object, LanguageModel] | None = None

    def close(self) -> None:
        """Let go of the files, and of the model that was loaded."""
        if self._chosen is not None:
            self._chosen[1].close()
            self._chosen = None
        super().close()

    def query(self, query: Query | str) -> Answer:
        """Answer from the cheapest tier that is sure, or say that the tree holds no answer.

        Where the settings name a language model, it is asked what no tier is sure of. Entries whose
        lines were verified to hold its answer are noted as cited. Raises UsageError for a budget
        or a trace that is none.
        """
        return self._cited(super().query(query))

    def question_prompt(self, query: Query) -> str:
        """The question with evidence, rules and a schema: one document for an agent to answer."""
        from memtree.retrieve.agentic.host import HostTier

        tier = HostTier(self.means_for(query))
        self.ask_tier(query, tier)
        return tier.document

    def answer_plan(self, query: Query, plan: str) -> Answer:
        """Check what an agent answered to `question_prompt`; only what its evidence says is shown.

        Raises UsageError for what is no such answer, Refused when the evidence has changed.
        """
        from memtree.retrieve.agentic.host import HostTier

        return self._cited(self.ask_tier(query, HostTier(self.means_for(query), plan)))

    def ask_tier(self, query: Query, tier: Tier) -> Answer:
        """Ask one tier alone in the place of tier 5, whatever the query says of tiers."""
        from memtree.knowledge.query import AGENTIC, Query

        alone = Query(
            query.text, scope=query.scope, limit=query.limit, tier=AGENTIC, id=query.id,
            explain=query.explain, why_not=query.why_not,
        )  # fmt: skip
        engine = self.engine()
        engine.consult = lambda _: tier
        try:
            return engine.query(alone)
        finally:
            engine.consult = self._consult

    def _consult(self, query: Query) -> Tier:
        from memtree.retrieve.agentic.tier import AgenticTier

        company = self._company
        if company is None:
            return AgenticTier(self.means_for(query))
        return AgenticTier(self.means_for(query), look=company.look)

    def means_for(self, query: Query) -> Means:
        """What tier 5 may use for a question.

        A model that is set and can't be used is no error: the reason is said in the answer. Raises
        UsageError for a budget that is none.
        """
        from memtree.retrieve.agentic.budget import parse_budget
        from memtree.retrieve.agentic.means import Means

        budget = parse_budget(self.config.text("query.budget"))
        if query.budget:
            budget = parse_budget(query.budget, budget)
        if query.replay is not None:
            return Means(budget=budget, replayed=query.replay)
        if self.language_model is not None:
            return Means(budget=budget, model=self.language_model, wanted=True)
        if not self.has_model():
            return Means(budget=budget)
        try:
            return Means(budget=budget, model=self._model(), wanted=True)
        except MemtreeError as error:
            reason = f"{error.message} ({error.hint})" if error.hint else error.message
            return Means(budget=budget, wanted=True, reason=reason)

    def has_model(self) -> bool:
        """Whether a language model is set; it may turn out not to be usable."""
        if self.without_model:
            return False
        return self.language_model is not None or self.config.text("llm.model").strip() not in (
            "", "none",
        )  # fmt: skip

    def model_or_none(self) -> LanguageModel | None:
        """The model to ask, None when none is set. Raises ModelUnavailable."""
        if self.language_model is not None or not self.has_model():
            return self.language_model
        return self._model()

    def _model(self) -> LanguageModel:
        """The model that the settings name, loaded once. Raises ModelUnavailable."""
        config = self.config
        if self._chosen is not None and self._chosen[0] != config.signature:
            self._chosen[1].close()
            self._chosen = None
        if self._chosen is None:
            from memtree.llm.choose import choose

            self._chosen = config.signature, choose(config)
        return self._chosen[1]

    def _cited(self, answer: Answer) -> Answer:
        """Note the use of the entries that were verified to hold an answer."""
        if answer.cited:
            import time

            from memtree.tree.use_log import key_for, note

            rows = [self.engine().catalog.by_path(path) for path in answer.cited]
            keys = [key_for(row.id, row.path) for row in rows if row is not None]
            note(self.root, "cited", keys, time.time())
        return answer
