"""The acceptance check of `edges`: the paper's places, nothing lost, and a test that is honest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.errors import Unavailable
from memtree.plugins.api import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.plugins.desk import Lab

NOTES = 8
FILES = {
    f"port/berths/note-{n}.md": f"# Berth {n}\n\n" + "The crane loads grain. " * (9 - n) + "\n"
    for n in range(1, NOTES + 1)
}


def checks(lab: Lab) -> Iterator[Check]:
    """On lists of numbers, then on a tree, then with scripted models."""
    from memtree.memories.edges.ordering import fitting, to_edges

    wanted = {5: [1, 3, 5, 4, 2], 4: [1, 3, 4, 2], 1: [1]}
    got = {k: to_edges(range(1, k + 1)) for k in wanted}
    yield Check(name="the places of the paper", passed=all(list(got[k]) == wanted[k] for k in got),
                measured=str(got), needed=str(wanted))  # fmt: skip
    lost = [k for k in range(200) if sorted(to_edges(range(k))) != list(range(k))]
    yield Check(name="every order is a permutation", passed=not lost, needed="0 of 200 differ",
                measured=f"{len(lost)} of 200 sizes differ")  # fmt: skip
    shrunk = [to_edges(fitting(range(1, 6), room, lambda _: 1)) for room in (5, 4, 3, 2, 1)]
    outward = [[1, 3, 5, 4, 2], [1, 3, 4, 2], [1, 3, 2], [1, 2], [1]]
    yield Check(name="passages leave from the middle outward", passed=shrunk == outward,
                measured=str(shrunk), needed=str(outward))  # fmt: skip
    yield from _on_a_tree(lab)
    yield from _with_models(lab)


def _on_a_tree(lab: Lab) -> Iterator[Check]:
    from memtree.memories.edges.ordering import to_edges

    desk = lab.tree(FILES)
    plain = [piece.path for piece in desk.pack("crane grain", tokens=2000, order="rank")]
    edges = [piece.path for piece in desk.pack("crane grain", tokens=2000, order="edges")]
    yield Check(name="a pack of a tree", passed=len(plain) == NOTES and edges == to_edges(plain),
                measured=f"{len(edges)} of {len(plain)} pieces, ends {edges[:1] + edges[-1:]}",
                needed="all pieces, ranks 1 and 2 at the ends")  # fmt: skip
    sizes = [sum(-(-len(piece.text) // 4) for piece in desk.pack("crane grain", tokens=room))
             for room in (20, 60, 120)]  # fmt: skip
    kept = all(size <= room for size, room in zip(sizes, (20, 60, 120), strict=True))
    yield Check(name="the budget is kept", passed=kept, measured=f"{sizes} tokens",
                needed="at most [20, 60, 120]")  # fmt: skip


def _with_models(lab: Lab) -> Iterator[Check]:
    from memtree.memories.edges import measure

    won = []
    for reads in (_ends, _beginning, _lists):
        desk = lab.tree(FILES, model=reads)
        value = measure(desk).value
        won.append(value["order"] if isinstance(value, dict) else "")
    yield Check(
        name="the test finds the order that fits a model",
        passed=won == ["edges", "rank", "rank"], measured=f"{won}",
        needed="edges for one that reads both ends, rank for one that reads the beginning and for"
               " one that lists all",
    )  # fmt: skip
    try:
        measure(lab.tree(FILES))
        said = 0
    except Unavailable as error:
        said = error.exit_code
    yield Check(name="without a model the test says so", passed=said == 3,
                measured=f"exit code {said}", needed="exit code 3")  # fmt: skip


def _ends(prompt: str) -> str:
    """A scripted reader that sees only the ends of its notes."""
    notes = re.findall(r"^\[\d+\] .*$", prompt, re.MULTILINE)
    seen = max(1, len(notes) // 3)
    return _read(prompt, [*notes[:seen], *notes[-seen:]])


def _beginning(prompt: str) -> str:
    """One that sees only the first half."""
    notes = re.findall(r"^\[\d+\] .*$", prompt, re.MULTILINE)
    return _read(prompt, notes[: len(notes) // 2])


def _lists(prompt: str) -> str:
    """One that names every cargo: no answer at all."""
    return " ".join(re.findall(r"with (\w+)\.", prompt))


def _read(prompt: str, notes: list[str]) -> str:
    asked = re.search(r"ship (\w+) of (\w+)\?", prompt)
    for note in notes:
        if asked and f"ship {asked[1]} of {asked[2]} " in note:
            return note.rsplit(" ", 1)[1].rstrip(".")
    return "I can't see it"
