"""Who curates: rules, a language model, or the agent that calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import ModelUnavailable, UsageError
from memtree.knowledge.plan import Proposal

if TYPE_CHECKING:
    from memtree.asking import Asking
    from memtree.curate.protocol import Curator, Outlook
    from memtree.knowledge.source import Part

CURATORS = ("auto", "rules", "llama", "openai")


def choose(tree: Asking, name: str = "") -> tuple[Curator, str]:
    """The curator called `name` (default: the setting), and why it is not the one that was meant.

    Raises UsageError for a name that is none, ModelUnavailable when a model was named and can't be
    used; `auto` falls back to rules, and says so.
    """
    name = name or tree.config.text("curate.curator")
    if name not in CURATORS:
        raise UsageError(f"there is no curator '{name}'", hint=f"curators: {', '.join(CURATORS)}")
    model = tree.config.text("llm.model").strip()
    if name == "rules" or (name == "auto" and model in ("", "none")):
        return rules(), ""
    try:
        return _with_model(tree, name), ""
    except ModelUnavailable as error:
        if name != "auto":
            raise
        return rules(), error.message


def rules() -> Curator:
    """The curator that needs no model."""
    from memtree.curate.rules import RulesCurator

    return RulesCurator()


def _with_model(tree: Asking, name: str) -> Curator:
    from memtree.curate.model import ModelCurator
    from memtree.llm.choose import choose as choose_model

    model = choose_model(tree.config)
    kind = "openai" if model.actor.startswith("openai/") else "llama"
    if name not in ("auto", kind):
        model.close()
        raise ModelUnavailable(
            f"the language model that is set is used by '{kind}', not by '{name}'",
            hint="memtree config set llm.model NAME",
        )
    return ModelCurator(model, name=kind)


class Host:
    """The agent that calls memtree, as a curator: its proposal came with the call."""

    name = "host"
    actor = "host/agent"

    def propose(self, part: Part, outlook: Outlook) -> Proposal:  # noqa: ARG002  (a curator's)
        """Nothing more than what came."""
        return Proposal()

    def close(self) -> None:
        """Nothing is open."""
