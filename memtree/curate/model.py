"""A language model as the curator: one constrained call for each group of lines.

For every group the tree is asked what it knows, the model gets both and answers within a schema
made for them, and code reads the answer. When nothing in it can be used the model gets one more
try, with what was wrong. A model that stops answering in the middle leaves what was finished, and a
note; what it says is a proposal and no more, and the checks come after.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from memtree.curate import prompts
from memtree.curate.parse import SURE, Parsed, join, parse
from memtree.curate.schema import (
    ADD,
    OPERATIONS,
    SUPERSEDE,
    UPDATE,
    Menu,
    answer_schema,
    numbered,
    pick_folders,
)
from memtree.errors import ModelUnavailable, UsageError
from memtree.knowledge.plan import Cost, Proposal, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.curate.protocol import Outlook
    from memtree.curate.schema import Line
    from memtree.knowledge.plan import Operation
    from memtree.knowledge.source import Part
    from memtree.llm.protocol import Completion, LanguageModel, Prompt

MARGIN = 32
"""Tokens kept free for what a chat template puts around a prompt."""
LEAST_ANSWER, MOST_ANSWER = 64, 1024
"""Tokens of an answer: a third of the window, within these."""
KNOWN_SHARE = 0.35
"""The part of what the rules leave free that known entries may take."""
PROBLEMS = 6
"""Problems that a second try is told of."""
UNSURE = 0.55
"""The confidence of what came only at the second try."""


@dataclass(slots=True)
class _Work:
    """What has come of a part so far."""

    operations: list[Operation] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)

    def paid(self, completion: Completion) -> None:
        self.cost = Cost(
            calls=self.cost.calls + 1,
            tokens_in=self.cost.tokens_in + completion.tokens_in,
            tokens_out=self.cost.tokens_out + completion.tokens_out,
            reused=self.cost.reused + completion.reused,
            ms=self.cost.ms + completion.ms,
        )


class ModelCurator:
    """Proposes what a language model says; `name` is `llama` or `openai`.

    `operations` is what the model may be asked for: fewer of them suit a small model. `rules` takes
    the place of `templates/prompts/curate.md`: a model that was tuned for this needs none.
    """

    letters = 4_000
    """Characters of a source that one plan is best made from: a few calls. So little is lost when
    somebody interrupts, and the next part is curated knowing what this one brought."""

    def __init__(
        self,
        model: LanguageModel,
        *,
        name: str = "llama",
        operations: Sequence[str] = (ADD, UPDATE, SUPERSEDE),
        rules: str | None = None,
    ) -> None:
        unknown = [do for do in operations if do not in OPERATIONS]
        if unknown or not operations:
            hint = f"choose from {', '.join(OPERATIONS)}"
            raise UsageError(f"no operations of a model: {', '.join(unknown)}", hint=hint)
        self._model = model
        self._name = name
        self._operations = tuple(do for do in OPERATIONS if do in operations)
        self._rules = rules

    @property
    def name(self) -> str:
        """As it is called in results."""
        return self._name

    @property
    def actor(self) -> str:
        """For `generated.by`."""
        return self._model.actor

    def close(self) -> None:
        """Let go of the model."""
        self._model.close()

    def propose(self, part: Part, outlook: Outlook) -> Proposal:
        """Operations for one part of a source, group by group.

        Raises ModelUnavailable when the model can't be used at all, UsageError when its window is
        too small for the rules. If it fails after the first group, what was finished is proposed.
        """
        lines = numbered((part,))
        if not lines:
            return Proposal()
        answer = min(max(int(self._model.window) // 3, LEAST_ANSWER), MOST_ANSWER)
        free = self._free(part, answer)
        room = int(free * (1 - KNOWN_SHARE)) if outlook.count() else free
        work = _Work()
        done, unfinished = 0, False
        for group in prompts.groups(lines, count=self._model.count, tokens=room):
            shown = tuple(replace(line, number=at) for at, line in enumerate(group, start=1))
            try:
                self._one(part, shown, outlook, work, free=free, answer=answer)
            except ModelUnavailable as error:
                if not done:
                    raise
                left, unfinished = len(lines) - done, True
                work.notes.append(f"the model stopped with {left} lines left: {error.message}")
                break
            done += len(group)
        joined = join(work.operations)
        return Proposal(
            operations=joined.operations,
            refusals=(*work.refusals, *joined.refusals),
            notes=tuple(work.notes),
            cost=work.cost,
            unfinished=unfinished,
        )

    def _free(self, part: Part, answer: int) -> int:
        """Tokens for known entries and lines; raises UsageError when there are hardly any."""
        empty = prompts.call(self._menu((), ()), source=part.source, told=self._rules)
        fixed = self._model.count(empty.system + empty.shared + empty.user) + MARGIN
        free = self._model.window - answer - fixed
        if free < LEAST_ANSWER:
            raise UsageError(
                f"a window of {self._model.window} tokens is too small to curate with",
                hint=f"it takes {answer + fixed + LEAST_ANSWER} at least: raise llm.window, or use"
                " a model that reads more at once",
            )
        return free

    def _menu(self, lines: tuple[Line, ...], folders: tuple[str, ...]) -> Menu:
        return Menu(lines=lines, folders=folders, operations=self._operations)

    def _one(
        self,
        part: Part,
        lines: tuple[Line, ...],
        outlook: Outlook,
        work: _Work,
        *,
        free: int,
        answer: int,
    ) -> None:
        """One group: what is known of it, one call, and one more if nothing valid came."""
        text = "\n".join(line.text for line in lines)
        found = outlook.recall(text)
        count = self._model.count
        left = free - count(prompts.source_text(lines))
        folders: tuple[str, ...] = ()
        if ADD in self._operations:
            folders = pick_folders(outlook.paths(), [known.path for known in found])
            while folders and count(", ".join(folders)) > left // 3:
                folders = folders[: len(folders) // 2]
            left -= count(", ".join(folders)) if folders else 0
        chosen = prompts.choices(found, text, outlook=outlook, count=count, tokens=left)
        menu = replace(self._menu(lines, folders), choices=chosen)
        prompt = prompts.call(menu, source=part.source, told=self._rules)
        parsed = self._ask(prompt, menu, work, answer, SURE)
        if parsed is not None and not parsed.operations and parsed.refusals:
            problems = [refusal.message for refusal in parsed.refusals[:PROBLEMS]]
            second = self._again(prompt, problems, answer)
            if second is not None:
                parsed = self._ask(second, menu, work, answer, UNSURE)
        if parsed is not None:
            work.operations += parsed.operations

    def _again(self, first: Prompt, problems: Sequence[str], answer: int) -> Prompt | None:
        """The second try with as many problems as the window holds; None when not even one fits."""
        for most in range(len(problems), 0, -1):
            second = prompts.again(first, problems[:most])
            size = self._model.count(second.system + second.shared + second.user)
            if size + answer + MARGIN <= self._model.window:
                return second
        return None

    def _ask(
        self, prompt: Prompt, menu: Menu, work: _Work, answer: int, sure: float
    ) -> Parsed | None:
        """One call and what is in its answer; None when the model could not be asked this."""
        try:
            completion = self._model.complete(prompt, limit=answer, schema=answer_schema(menu))
        except UsageError as error:
            message = f"lines {_rows(menu)} could not be asked about: {error.message}"
            work.refusals.append(Refusal(code="too-long", message=message))
            return None
        work.paid(completion)
        parsed = parse(completion.text, menu, whole=completion.whole, confidence=sure)
        work.refusals += parsed.refusals
        return parsed


def _rows(menu: Menu) -> str:
    return f"{menu.lines[0].lines[0]} to {menu.lines[-1].lines[1]}"
