"""A small plugin with a benchmark and a retriever, for the tests of the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from memtree.errors import UsageError
from memtree.plugins.api import GROUP, Manifest, Ranked
from memtree.plugins.suite import Case, Document, Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import pytest

    from memtree.knowledge.query import Query
    from memtree.plugins.context import Context
    from memtree.plugins.desk import Desk
    from memtree.plugins.suite import Suite

ROOMS = {
    "kitchen": {
        "tea": "The tea stands in the blue tin.", "salt": "Salt is beside the stove.",
        "pan": "The iron pan hangs on a nail.",
    },
    "cellar": {
        "boiler": "The boiler is serviced in October.", "wine": "The wine lies behind the boiler.",
        "coal": "Coal was burnt here until 1974.",
    },
}  # fmt: skip
ASKED = {
    "kitchen": {"tea": "Where is the tea?", "salt": "Where is the salt?"},
    "cellar": {"boiler": "When is the boiler serviced?", "coal": "Until when was coal burnt?"},
}


class ToySuite:
    """Where things are in a house.

    In two rooms.
    """

    name = "toy"

    def __init__(self) -> None:
        self.planted: list[str] = []
        self.graded: list[str] = []
        self.fails_at = ""
        self.failure: BaseException = ZeroDivisionError("by nought")

    def cases(
        self,
        *,
        data: str,
        seed: int,
        rooms: Annotated[str, "Which rooms, with commas."] = "kitchen,cellar",
        retriever: Annotated[str, "What finds things."] = "",
        how: Annotated[Literal["ask", "know"], "Whether to ask the tree."] = "ask",
    ) -> Iterator[Case]:
        if data:
            raise UsageError("toys have no data", hint="leave out --data")
        self.how = how
        for room in rooms.split(",") if rooms else ():
            for gold, text in ASKED[room].items():
                yield Case(
                    id=f"{room}-{gold}-{seed}", setup=room, query=text, kind=room, gold=[gold],
                    limit=3, meta={"retriever": retriever},
                )  # fmt: skip

    def documents(self, setup: str) -> Sequence[Document]:
        self.planted.append(setup)
        return [
            Document(id=name, text=text, path=f"{setup}/{name}/") if name != "pan"
            else Document(id=name, text=text, title="Pan", time="2024-05-06", session="1")
            for name, text in ROOMS[setup].items()
        ]  # fmt: skip

    def answer(self, case: Case, desk: Desk) -> Result | None:
        assert desk.context.name == "toy"
        return Result(found=case.gold, answer="known", ms=7.0) if self.how == "know" else None

    def grade(self, case: Case, result: Result) -> Mapping[str, float]:
        self.graded.append(case.id)
        if case.id == self.fails_at:
            raise self.failure
        found = {"right": float(list(result.found[:1]) == list(case.gold))}
        return found | ({"known": 1.0} if result.answer == "known" else {})

    def report(self, rows: Sequence[Mapping[str, object]]) -> Sequence[str]:
        return [f"{len(rows)} rows, and the tree is \x1b[31mred"]


class Toy:
    """A benchmark, and a retriever that always finds coal."""

    manifest = Manifest(name="toy", title="Toys", source="tests", paradigm="benchmark")

    def bench(self) -> Sequence[Suite]:
        return (ToySuite(),)

    def retrieve(self, query: Query, ctx: Context) -> Sequence[Ranked]:
        return [
            Ranked(path=entry.path, score=1.0)
            for entry in ctx.tree.entries(query.scope)
            if entry.id == "coal"
        ]


class Crashes:
    """A plugin that fails whenever it is asked."""

    manifest = Manifest(name="crashes", title="Crashes", source="tests")

    def retrieve(self, query: Query, ctx: Context) -> Sequence[Ranked]:  # noqa: ARG002
        raise RuntimeError("no luck")


class Sick:
    """A plugin whose benchmarks can't be listed."""

    manifest = Manifest(name="sick", title="Sick", source="tests")

    def bench(self) -> Sequence[Suite]:
        raise RuntimeError("no")


def installed(
    site: Path, names: Mapping[str, str], patch: pytest.MonkeyPatch, module: str = "toy_benchmark"
) -> None:
    """Install plugins (name -> class of `module`), as pip would: their entry points."""
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    points = "".join(f"{name} = {module}:{value}\n" for name, value in names.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")
    patch.syspath_prepend(str(site))
