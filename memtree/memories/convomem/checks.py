"""The acceptance check of `convomem`: which mode, how many calls, and when it abstains."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from memtree.knowledge.query import Query
from memtree.plugins.api import ANSWER, Check, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.memories.convomem import ConvoMem
    from memtree.plugins.api import Step
    from memtree.plugins.context import Context, Searching
    from memtree.plugins.desk import Lab

QUESTION = "Where does Ana keep her bees?"
FACT = "Ana keeps her bees on the roof of the old mill."


def tree_of(count: int) -> dict[str, str]:
    """So many small entries, of which the first answers the question."""
    files = {"talk/2026/n000.md": f"# Bees\n\n{FACT}\n"}
    for n in range(1, count):
        files[f"talk/2026/n{n:03}.md"] = f"# Lunch {n}\n\nOn day {n} there was soup for lunch.\n"
    return files


class Reader:
    """A scripted model that quotes and answers from what it is shown, and keeps the prompts."""

    def __init__(self, fact: str = FACT) -> None:
        self.prompts: list[str] = []
        self._fact = fact

    def __call__(self, prompt: str) -> str:
        """What it says to a prompt."""
        self.prompts.append(prompt)
        before, found, _ = prompt.partition(self._fact)
        numbers = re.findall(r"^\[(\d+)\] ", before, re.MULTILINE)
        quotes = [{"note": int(numbers[-1]), "quote": self._fact}] if found and numbers else []
        if "quotes of notes" in prompt:
            return json.dumps({"answer": self._fact if self._fact in prompt else ""})
        if "remark" in prompt:
            return json.dumps({"quotes": quotes, "remark": "" if quotes else "nothing"})
        return json.dumps({"quotes": quotes, "answer": self._fact if quotes else ""})


class _Watched:
    """A context that counts how often the search index is asked."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.reads = 0

    @property
    def search(self) -> Searching:
        self.reads += 1
        return self._ctx.search

    def __getattr__(self, name: str) -> object:
        return getattr(self._ctx, name)


def checks(lab: Lab) -> Iterator[Check]:
    """With scripted models, on trees of small entries."""
    from memtree.memories.convomem import ConvoMem

    plugin = ConvoMem()
    yield _full(lab, plugin)
    yield _all_of_them(lab, plugin)
    yield _thresholds(lab, plugin)
    yield _blocks(lab, plugin)
    yield from _abstains(lab, plugin)
    yield _made_up(lab, plugin)
    yield _without(lab, plugin)
    yield _graded()


def planned(plugin: ConvoMem, ctx: Context) -> Step:
    """The first step for the question."""
    step = plugin.plan(Query(QUESTION), State(), ctx)
    if step is None:
        raise AssertionError("no plan")
    return step


def _full(lab: Lab, plugin: ConvoMem) -> Check:
    reader, files = Reader(), tree_of(5)
    desk = lab.tree(files, model=reader)
    watched = _Watched(desk.context)
    step = planned(plugin, watched)  # type: ignore[arg-type]
    shown = sum(text.split("\n\n", 1)[1].strip() in reader.prompts[0] for text in files.values())
    answer = desk.ask(QUESTION)
    held = "roof of the old mill" in (answer.answer or "")
    return Check(
        name="a tree that fits is read whole",
        passed=step.mode == "full" and shown == 5 and watched.reads == 0 and held,
        measured=f"mode {step.mode}, {shown} of 5 entries in the prompt, {watched.reads} index"
        f" reads, {'answered' if held else 'not answered'} through ask",
        needed="mode full, 5 of 5, 0 index reads, answered",
    )


def _all_of_them(lab: Lab, plugin: ConvoMem) -> Check:
    """More entries than blocks could hold, which fit the window all the same."""
    reader, files = Reader(), tree_of(60)
    desk = lab.tree(files, model=reader, options={"mode": "full", "calls": 2})
    step = planned(plugin, desk.context)
    shown = sum(text.split("\n\n", 1)[1].strip() in reader.prompts[0] for text in files.values())
    return Check(name="full is all of it, however many entries", passed=shown == 60,
                 measured=f"mode {step.mode}, {shown} of 60 entries in the prompt",
                 needed="60 of 60")  # fmt: skip


def _thresholds(lab: Lab, plugin: ConvoMem) -> Check:
    from memtree.memories.convomem.choosing import choose, limits, sized

    modes = []
    for total in (100, 101, 200, 201):
        step = choose([total - 50, 50], limits(100, 200, 4096, 40))[0]
        modes.append(step)
    desk = lab.tree(tree_of(12), model=Reader())
    size = sum(sized("", limits(0, 0, 4096, 40), desk.context).sizes)
    for full, blocks in ((size, size), (size - 1, size), (size - 1, size - 1)):
        desk = lab.tree(tree_of(12), model=Reader(),
                        options={"full_tokens": full, "blocks_tokens": blocks})  # fmt: skip
        modes.append(planned(plugin, desk.context).mode)
    wanted = ["full", "blocks", "blocks", "tiers", "full", "blocks", "tiers"]
    return Check(name="the modes change at exactly the tokens that were set", measured=str(modes),
                 passed=modes == wanted, needed=str(wanted))  # fmt: skip


def _blocks(lab: Lab, plugin: ConvoMem) -> Check:
    told, right = [], True
    for count in (10, 11, 25, 30):
        reader = Reader()
        desk = lab.tree(tree_of(count), model=reader, options={"mode": "blocks"})
        step = planned(plugin, desk.context)
        told.append(len(reader.prompts))
        right = right and step.mode == "blocks" and step.answer == FACT
    wanted = [-(-count // 10) + 1 for count in (10, 11, 25, 30)]
    return Check(name="blocks of ten and one call to answer", passed=told == wanted and right,
                 measured=f"{told} calls for 10, 11, 25, 30", needed=f"{wanted}")  # fmt: skip


def _abstains(lab: Lab, plugin: ConvoMem) -> Iterator[Check]:
    reader = Reader("Nobody ever said this.")
    desk = lab.tree(tree_of(25), model=reader, options={"mode": "blocks"})
    step = planned(plugin, desk.context)
    calls = len(reader.prompts)
    yield Check(name="no block has anything: it abstains without a last call",
                passed=step.action == ANSWER and not step.answer and calls == 3,
                measured=f"answer {step.answer!r}, {calls} calls for 25 entries",
                needed="no answer, 3 calls")  # fmt: skip
    said = desk.ask(QUESTION)
    yield Check(name="it abstains through ask, too", passed=not said.answer,
                needed="no answer",
                measured=f"answer {said.answer!r}, status {said.status}")  # fmt: skip


def _made_up(lab: Lab, plugin: ConvoMem) -> Check:
    lie = json.dumps({"quotes": [{"note": 1, "quote": "The bees are in Rome."}], "answer": "Rome"})
    step = planned(plugin, lab.tree(tree_of(5), model=lambda _: lie).context)
    return Check(name="a quote that stands in no entry holds no answer", passed=not step.answer,
                 measured=f"answer {step.answer!r}, {step.note}", needed="no answer")  # fmt: skip


def _without(lab: Lab, plugin: ConvoMem) -> Check:
    desk = lab.tree(tree_of(5))
    step = planned(plugin, desk.context)
    answer = desk.ask(QUESTION)
    return Check(name="without a model: the tiers, and it is said",
                 passed=step.mode == "tiers" and "mode tiers" in step.note and bool(answer.hits),
                 measured=f"{step.note}; {len(answer.hits)} hits",
                 needed="mode tiers in the note, and hits")  # fmt: skip


def _graded() -> Check:
    from memtree.memories.convomem.suite import ConvoMemSuite
    from memtree.plugins.suite import Case, Result

    case = Case(id="a", setup="a", query="?", kind="abstention")
    suite = ConvoMemSuite()
    got = [suite.grade(case, Result(answer=said, status=status, found=("x",)))
           for said, status in (("", "absent"), ("It is Rome.", "found"))]  # fmt: skip
    return Check(name="what has no answer is right only if it abstains", measured=str(got),
                 passed=got == [{"abstains": 1.0}, {"abstains": 0.0}],
                 needed="[{'abstains': 1.0}, {'abstains': 0.0}]")  # fmt: skip
