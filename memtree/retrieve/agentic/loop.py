"""The loop of tier 5 with a model: one constrained step after the other, within a budget.

The model never holds anything but words: it says what to look for, which passage to read, what
follows from them. The code looks, keeps count, and checks every sentence before it is shown. What
stands in an entry is evidence and nothing else: it changes no rule, no scope and no budget.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.llm.protocol import Prompt
from memtree.retrieve.agentic.evidence import Evidence
from memtree.retrieve.agentic.names import names_in
from memtree.retrieve.agentic.speaking import RULES, Said, step_of, step_schema
from memtree.retrieve.agentic.support import cleaned
from memtree.retrieve.agentic.trace import Step
from memtree.retrieve.agentic.verified import Verified, verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.llm.protocol import LanguageModel
    from memtree.retrieve.agentic.budget import Spending
    from memtree.retrieve.agentic.looking import Looking
    from memtree.retrieve.agentic.trace import Trace
    from memtree.retrieve.tier import Match

# Tokens of one step's output, the least that is worth asking for, and passages that a look brings.
OUTPUT, LEAST, BRINGS = 400, 48, 5
# Passages of an entry that are read at once, names of it that are followed.
PASSAGES, FOLLOWED = 8, 6
# So often in a row a model may say what can't be done.
STUMBLES = 3
# Lines about earlier steps that a model is told.
TOLD = 8


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How the loop ended: what was verified, whether the model gave up, and what cut it short."""

    verified: Verified = field(default_factory=Verified)
    absent: bool = False
    cut: str = ""
    dropped: list[str] = field(default_factory=list)


class Loop:
    """One question with one model."""

    def __init__(
        self, looking: Looking, model: LanguageModel, trace: Trace, spending: Spending,
        handles: Mapping[str, object] | None = None,
    ) -> None:  # fmt: skip
        self.looking = looking
        self.model = model
        self.trace = trace
        self.spending = spending
        self.evidence = Evidence(handles)
        self.done: list[str] = []
        self.asked: set[str] = set()
        self.dropped: list[str] = []

    def run(self, first: Sequence[Match]) -> Outcome:
        """Go on from what a search found until there is an answer, or an end of it."""
        fresh = self.evidence.take(first)
        stumbles = 0
        while True:
            over = self.spending.over()
            if over:
                return self.ended(over)
            said, ms, tokens, output, prompt = self._step(fresh)
            if not said.action and not output:
                return self.ended(said.problem)
            note, fresh = "", []
            if said.problem:
                stumbles += 1
                note = said.problem
            elif said.action == "absent":
                self._note(said, ms, tokens, output, prompt, note="", found=())
                self.trace.stopped = "the model found no answer in what it read"
                return Outcome(absent=True, dropped=self.dropped)
            elif said.action == "answer":
                checked = verify(said.sentences, self.evidence, self.looking)
                self.dropped += checked.dropped
                if checked.text:
                    note = "; ".join(["it holds", *(f"dropped: {one}" for one in checked.dropped)])
                    self._note(said, ms, tokens, output, prompt, note=note, found=checked.cited)
                    self.trace.stopped = "the answer holds"
                    return Outcome(verified=checked, dropped=self.dropped)
                stumbles += 1
                note = f"nothing of it holds: {checked.dropped[0] if checked.dropped else ''}"
            else:
                matches, note = self._look(said)
                fresh = self.evidence.take(matches)
                stumbles = 0 if fresh else stumbles + 1
            paths = [self.evidence.by_handle[handle].row.path for handle in fresh]
            self._note(said, ms, tokens, output, prompt, note=note, found=paths)
            self.done.append(self._told(said, note, fresh))
            if stumbles >= STUMBLES:
                return self.ended(f"the model did not get on: {note}")

    def ended(self, cut: str) -> Outcome:
        """An end without an answer: why, in words."""
        self.trace.stopped = cut
        return Outcome(cut=cut, dropped=self.dropped)

    # -- asking the model -----------------------------------------------------------------------

    def _step(self, fresh: Sequence[str]) -> tuple[Said, float, int, str, str]:
        """Ask for one step: what was said, its time, its tokens, the text, the prompt's digest."""
        last = self.spending.steps + 1 >= self.spending.budget.steps
        handles = list(self.evidence.by_handle)
        schema = step_schema(handles, last=last)
        prompt, tokens = self._prompt(fresh, last=last)
        limit = min(OUTPUT, self.spending.tokens_left - tokens, self.model.window - tokens)
        if limit < LEAST:
            cut = f"the budget of {self.spending.budget.tokens} tokens is spent"
            if self.model.window - tokens < LEAST:
                cut = f"the window of {self.model.window} tokens is too small for the question"
            return Said(problem=cut), 0.0, 0, "", ""
        began = time.perf_counter()
        completion = self.model.complete(prompt, limit=limit, schema=schema)
        ms = 1000 * (time.perf_counter() - began)
        # What the model counts is believed, but never less than what we gave it to read.
        spent = max(completion.tokens_in, tokens) + completion.tokens_out
        self.spending.tokens += spent
        self.spending.steps += 1
        text = completion.text
        said = step_of(text, schema) if completion.whole else Said(problem="that was cut off")
        return said, ms, spent, text or " ", _digest(prompt)

    def _prompt(self, fresh: Sequence[str], *, last: bool) -> tuple[Prompt, int]:
        """What the model reads, within its window and what is left of the budget."""
        count = self.model.count
        question = f"Question: {cleaned(self.looking.ask.query.text, 1000)}\n"
        told = "\n".join(self.done[-TOLD:])
        end = "\nThis is the last step: answer or absent.\n" if last else "\nThe next step:\n"
        fixed = count(RULES) + count(question) + count(told) + count(end) + 40
        room = min(self.model.window, self.spending.tokens_left) - fixed - OUTPUT
        notes = self.evidence.packed(room, count, fresh) if room > 0 else ""
        shown = notes or "  (none that fit)" if self.evidence.by_handle else "  (nothing yet)"
        steps = f"Steps so far:\n{told}\n" if told else ""
        user = f"Notes found so far:\n{shown}\n{steps}{end}"
        prompt = Prompt(system=RULES, shared=question, user=user)
        return prompt, count(RULES) + count(question) + count(user)

    # -- doing what it says ---------------------------------------------------------------------

    def _look(self, said: Said) -> tuple[list[Match], str]:
        """Do a search, a reading or a following; the passages, and what there is to say."""
        key = f"{said.action} {said.words.casefold()}"
        if key in self.asked:
            return [], "that was done already"
        self.asked.add(key)
        if said.action == "search":
            found = list(self.looking.search(said.words, BRINGS).matches)
            return found, "" if found else "nothing was found"
        path = self.evidence.by_handle[said.words].row.path
        if said.action == "read":
            return self.looking.read(path)[:PASSAGES], ""
        found = self.looking.linked(path)[:BRINGS]
        match = self.evidence.by_handle[said.words]
        for name in names_in(match.text, self.looking.ask.language)[:FOLLOWED]:
            found += [one for one in self.looking.named(name)[:1] if one.row.path != path]
        return found, "" if found else "it leads to no other note"

    def _told(self, said: Said, note: str, fresh: Sequence[str]) -> str:
        """One line about a step, for the model."""
        what = f"{said.action} {said.words}".strip() or "(no step)"
        result = ", ".join(fresh) or cleaned(note, 160) or "nothing new"
        return f"- {what}: {result}"

    def _note(
        self, said: Said, ms: float, tokens: int, output: str, prompt: str, *, note: str,
        found: Sequence[str],
    ) -> None:  # fmt: skip
        """Put a step on the trace."""
        words = " ".join(one.text for one in said.sentences) or said.words
        step = Step(
            action=said.action or "nothing", words=words, found=tuple(dict.fromkeys(found)),
            note=note, tokens=tokens, ms=ms, output=output, prompt=prompt,
        )  # fmt: skip
        self.trace.steps.append(step)


def _digest(prompt: Prompt) -> str:
    text = f"{prompt.system}\0{prompt.shared}\0{prompt.user}"
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
