"""What hooks give is judged where it comes in: nonsense is said by name, and the rest answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from memtree.hosting.given import wrong
from memtree.hosting.lab import ScratchLab
from memtree.knowledge.plan import Archive, Operation
from memtree.plugins import Context, Delta, Ranked, Ranking, Ruling, Step
from memtree.plugins.api import REJECT, REPLACE, Packed, Piece, Search

PATH = "animals/dogs/run.md"
STRANGE: list[Any] = [
    [Ranked(path=[1], score=1.0)],  # type: ignore[arg-type]
    [Ranked(path="\udcff", score=1.0)],
    [Ranked(path=PATH, score="best")],  # type: ignore[arg-type]
    [Ranked(path=PATH, score=float("nan"))],
    [Ranked(path=PATH, score=1.0, lines=None)],  # type: ignore[arg-type]
    [Ranked(path=PATH, score=1.0, lines=(1,))],  # type: ignore[arg-type]
    [Ranked(path=PATH, score=1.0, text=None)],  # type: ignore[arg-type]
    Ranking(hits=None),  # type: ignore[arg-type]
    Ranking(hits=[], confidence="very"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("number", range(len(STRANGE)))
def test_hits_of_the_wrong_kind_cost_the_plugin_and_not_the_question(
    number: int, tmp_path: Path
) -> None:
    with ScratchLab(toys.retrieving(lambda *_: STRANGE[number]), place=str(tmp_path)) as lab:
        answer = lab.tree(toys.TREE).search("cats sleep")
    assert [hit.path for hit in answer.hits] == ["animals/cats/sleep.md"]
    assert "the plugin doing was left out (retrieve): " in " ".join(answer.notes)
    assert not answer.by


@pytest.mark.parametrize(
    ("hook", "value"),
    [
        ("plan", "search"),
        ("plan", Step(action="explode")),
        ("plan", Step(action="search", searches=None)),  # type: ignore[arg-type]
        ("plan", Step(action="search", searches=[Search(text="x", limit=10**9)])),
        ("pack", [Piece(path=PATH, text="x")]),
        ("pack", Packed(pieces=[Piece(path=PATH, text=None)])),  # type: ignore[arg-type]
        ("lifecycle", Delta(importance=float("inf"))),
        ("lifecycle", Delta(state="deleted")),
        ("guard", iter(())),
        ("guard", [Ruling(operation=Archive(reason="", path=PATH), ruling="maybe")]),
        ("guard", [Ruling(operation=Archive(reason="", path=PATH), ruling=REPLACE)]),
    ],
)
def test_what_no_hook_gives_is_wrong(hook: str, value: object) -> None:
    assert wrong(hook, value)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(0), st.floats(
    allow_nan=False, allow_infinity=False))  # fmt: skip
def test_what_hooks_give_is_right(text: str, line: int, number: float) -> None:
    hit = Ranked(path=text, score=number, why=text, text=text, lines=(line, line), note=text)
    assert not wrong("retrieve", Ranking(hits=[hit], confidence=number, answer=text))
    assert not wrong("refine", (hit,))
    assert not wrong("lifecycle", Delta(importance=number, why=text))
    assert not wrong("pack", Packed(pieces=(Piece(path=text, text=text),), note=text))


class Guarding(toys.Toy):
    """Its guard does what the option says."""

    manifest = toys.manifest("guarding", options={"does": ""})

    def guard(self, operations: Sequence[Operation], ctx: Context) -> Any:
        if ctx.options["does"] == "yield":
            return (Ruling(operation=one, ruling=REJECT, reason="no") for one in operations)
        other = Archive(reason="instead", path=PATH)
        return [Ruling(operation=one, ruling=REPLACE, instead=other) for one in operations]


@pytest.mark.parametrize("does", ["yield", "replace"])
def test_a_guard_that_gives_nonsense_does_not_open_the_door(does: str, tmp_path: Path) -> None:
    with ScratchLab(Guarding, place=str(tmp_path)) as lab:
        desk = lab.tree(toys.TREE, options={"does": does})
        done = desk.apply([Archive(reason="old", path="animals/cats/sleep.md")], dry_run=True)
    archived = [path for _, path, _ in done.applied]
    assert archived == ([] if does == "yield" else [PATH])
    if does == "yield":
        assert "could not say" in done.rejected[0][2]


def test_operations_that_are_none_are_said(tmp_path: Path) -> None:
    with ScratchLab(toys.Toy, place=str(tmp_path)) as lab:
        strange: list[Any] = ["archive", Archive(reason="", path=None)]  # type: ignore[arg-type]
        done = lab.tree(toys.TREE).apply(strange)
    assert not done.applied
    assert len(done.notes) == 2


def test_a_replacement_is_new_to_the_guards_that_were_asked_before() -> None:
    from memtree.hosting.applying import guarded

    frozen, wanted = Archive(reason="x", path=PATH), Archive(reason="x", path="a/b/c.md")

    class Ask:
        """A host of two guards: the first protects an entry, the second brings it in."""

        def ready(self, players: Sequence[Any]) -> Sequence[Any]:
            return players

        def ask(self, player: Any, hook: str, operations: Sequence[Operation]) -> Any:
            assert hook == "guard"
            if player.name == "protects":
                return [Ruling(operation=one, ruling=REJECT, reason="frozen")
                        for one in operations if one == frozen]  # fmt: skip
            return [Ruling(operation=one, ruling=REPLACE, instead=frozen)
                    for one in operations if one == wanted]  # fmt: skip

    class One:
        is_out = False

        def __init__(self, name: str) -> None:
            self.name = name
            self.loaded = self

        def has(self, hook: str) -> bool:
            return hook == "guard"

    host: Any = Ask()
    guards: list[Any] = [One("protects"), One("replaces")]
    left, refused = guarded(host, guards, [wanted])
    assert left == []
    assert refused == [(wanted, "protects: frozen")]
