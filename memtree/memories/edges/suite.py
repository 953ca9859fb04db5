"""`memtree bench order`: what a model finds at ten places of a prompt, in five lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.errors import Unavailable
from memtree.memories.edges.needles import Needle, finds, fits, needles, winner
from memtree.plugins.suite import Case, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.plugins.desk import Desk
    from memtree.plugins.suite import Document

NO_MODEL = Unavailable(
    "the order of passages is measured with a language model, and none is set",
    hint="memtree models list",
)


class OrderSuite:
    """Where in a prompt your language model finds what it was told, place by place.

    A row is a place among the passages. `memtree edges test` asks the same and keeps which order
    wins.
    """

    name = "order"

    def __init__(self) -> None:
        self._needles: dict[str, Needle] = {}

    def cases(self, *, data: str, seed: int) -> Iterator[Case]:
        """A case for each needle; they are made, so `data` says nothing here."""
        del data
        for number, needle in enumerate(needles(seed)):
            name = f"needle-{number}"
            self._needles[name] = needle
            yield Case(
                id=name, setup="needles", query=needle.question, answer=needle.answer,
                kind=f"place {needle.place + 1:02}", meta={"size": needle.size},
            )  # fmt: skip

    def documents(self, setup: str) -> Sequence[Document]:
        """None: what is read stands in the prompt."""
        del setup
        return ()

    def answer(self, case: Case, desk: Desk) -> Result:
        """What the model says of a needle. Raises Unavailable without one."""
        model = desk.context.llm
        if model is None:
            raise Unavailable(NO_MODEL.message, hint=NO_MODEL.hint)
        needle = self._needles[case.id]
        if not fits(model, needle):
            return Result(status="too long")
        found = finds(model, needle)
        return Result(answer=needle.answer if found else "", status="found")

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        """Whether it was found; nothing for what does not fit into the window."""
        if result.status == "too long":
            return {}
        return {"found": float(result.answer == case.answer)}

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        """Which order fits what was found where."""
        accuracy: dict[int, float] = {}
        asked: dict[int, int] = {}
        for row in rows:
            kind, found = str(row.get("kind", "")), row.get("found")
            if kind.startswith("place ") and isinstance(found, int | float):
                place, count = int(kind.split()[1]) - 1, row.get("n")
                accuracy[place] = float(found)
                asked[place] = count if isinstance(count, int) else 1
        if not accuracy:
            return ()
        verdict = winner(accuracy, asked)
        said = ", ".join(f"{name} {value:.3f}" for name, value in verdict.expected.items())
        return (
            f"expected of an order: {said}; {verdict.order} fits", verdict.said,
            "memtree edges test keeps it",
        )  # fmt: skip
