"""The plugin edges: the best passages at both ends, nothing lost, an order that was measured."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import Unavailable, UsageError
from memtree.hosting.lab import ScratchLab
from memtree.knowledge.query import Query
from memtree.memories.edges import Edges, measure
from memtree.memories.edges.checks import FILES
from memtree.memories.edges.needles import PLACES, SIZES, finds, needles, winner
from memtree.memories.edges.ordering import (
    ORDERS,
    fitting,
    ordered,
    shortened,
    strong,
    to_edges,
)
from memtree.memories.edges.suite import OrderSuite
from memtree.plugins.api import Ranked
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HITS = st.lists(
    st.builds(
        Ranked,
        path=st.sampled_from(["a/b/c.md", "a/b/d.md", "x/y/z.md"]),
        score=st.floats(0, 10),
        text=st.text(max_size=20),
        lines=st.tuples(st.integers(0, 9), st.integers(9, 20)),
    ),
    max_size=12,
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Edges, place=str(tmp_path)) as made:
        yield made


class TestContract(PluginContract):
    plugin = Edges


@pytest.mark.parametrize(
    ("ranks", "places"),
    [([1, 2, 3, 4, 5], [1, 3, 5, 4, 2]), ([1, 2, 3, 4], [1, 3, 4, 2]), ([1], [1]), ([], [])],
)
def test_ranks_go_to_the_places_of_the_paper(ranks: list[int], places: list[int]) -> None:
    assert to_edges(ranks) == places


@given(st.integers(1, 60))
def test_places_follow_the_papers_formula(k: int) -> None:
    arranged = to_edges(range(1, k + 1))
    for i in range(1, k + 1):
        place = (i + 1) // 2 if i % 2 else k + 1 - i // 2
        assert arranged[place - 1] == i


@given(HITS, st.sampled_from(ORDERS))
def test_every_order_is_a_permutation(hits: list[Ranked], order: str) -> None:
    arranged = ordered(hits, order, lambda path: path[:1])
    assert sorted(map(repr, arranged)) == sorted(map(repr, hits))


@given(st.integers(0, 20), st.integers(0, 20))
def test_with_less_room_passages_leave_from_the_middle_outward(k: int, room: int) -> None:
    kept = to_edges(fitting(range(k), room, lambda _: 1))
    more = to_edges(fitting(range(k), room + 1, lambda _: 1))
    left = [at for at, each in enumerate(more) if each not in kept]
    assert left in ([], [len(more) // 2])


@given(HITS, st.floats(0, 1))
def test_the_first_hit_is_never_cut(hits: list[Ranked], share: float) -> None:
    left = strong(hits, share)
    assert left[:1] == hits[:1]
    assert all(hit in hits for hit in left)


def test_weak_hits_are_left_out(lab: ScratchLab) -> None:
    hits = [Ranked(path=f"port/berths/note-{n}.md", score=s, text="x")
            for n, s in ((1, 10.0), (2, 6.0), (3, 1.0))]  # fmt: skip
    assert [hit.score for hit in strong(hits, 0.5)] == [10.0, 6.0]
    desk = lab.tree(FILES, options={"cut": 0.5})
    packed = Edges().pack(Query("x"), hits, desk.context)
    assert len(packed.pieces) == 2
    assert "1 weak" in packed.note


@given(st.text(alphabet="ab ", max_size=80), st.integers(0, 30))
def test_what_is_shortened_fits_and_begins_alike(text: str, room: int) -> None:
    short = shortened(text, room, lambda words: -(-len(words) // 4))
    assert text.startswith(short)
    assert -(-len(short) // 4) <= room


def test_by_itself_the_order_is_the_rank_and_with_pack_it_is_edges(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    plain = [piece.path for piece in desk.pack("crane")]
    asked = [piece.path for piece in desk.pack("crane", pack=True)]
    assert asked == to_edges(plain)
    assert len(plain) > 3


def test_the_order_of_the_tree_and_of_time(lab: ScratchLab) -> None:
    files = {
        f"a/b/{name}.md": f"---\ntime: {day}\n---\n# {name}\n\nThe crane of {name}.\n"
        for name, day in (("one", "2026-03-01"), ("two", "2026-01-01"), ("six", "2026-02-01"))
    }
    desk = lab.tree(files)
    source = [piece.path for piece in desk.pack("crane", order="source")]
    times = [piece.path for piece in desk.pack("crane", order="time")]
    assert source == sorted(files)
    assert times == ["a/b/two.md", "a/b/six.md", "a/b/one.md"]


def test_an_order_and_a_share_that_there_are_not_are_mistakes(lab: ScratchLab) -> None:
    for options in ({"order": "best"}, {"cut": 2}, {"cut": "much"}):
        desk = lab.tree(FILES, options=options)
        with pytest.raises(UsageError):
            Edges().pack(Query("x"), [], desk.context)


def test_what_was_measured_is_used_for_that_model(lab: ScratchLab) -> None:
    from memtree.memories.edges.checks import _ends

    desk = lab.tree(FILES, model=_ends)
    report = measure(desk)
    assert isinstance(report.value, dict)
    assert report.value["prompts"] == len(SIZES) * PLACES
    hits = [Ranked(path=path, score=1.0, text="x") for path in FILES]
    packed = Edges().pack(Query("x"), hits, desk.context)
    assert "order edges (measured with" in packed.note


def test_needles_stand_where_they_are_said_to() -> None:
    for needle in needles():
        (holds,) = [at for at, text in enumerate(needle.notes) if needle.answer in text]
        assert holds == needle.place * needle.size // PLACES
        assert len(needle.notes) == needle.size
    assert len(list(needles())) == 50
    assert list(needles(1)) == list(needles(1)) != list(needles(2))


def order_for(found: dict[int, float], times: int) -> str:
    return winner(found, dict.fromkeys(found, times)).order


def test_edges_win_only_where_both_ends_are_read_better() -> None:
    assert order_for(dict.fromkeys(range(10), 0.8), 5) == "rank"
    assert order_for({at: float(at in {0, 1, 8, 9}) for at in range(10)}, 5) == "edges"
    assert order_for({at: 1.0 - at / 10 for at in range(10)}, 5) == "rank"


def test_a_small_lead_is_chance_until_it_was_asked_often() -> None:
    found = {at: 0.9 if at in {0, 9} else 0.8 for at in range(10)}
    few, many = (winner(found, dict.fromkeys(found, times)) for times in (5, 500))
    assert few.ahead == many.ahead > 0
    assert (few.order, many.order) == ("rank", "edges")
    assert "chance" in few.said
    assert "chance" not in many.said


def test_a_model_that_finds_at_random_seldom_makes_edges_win() -> None:
    chance = random.Random(3)
    won = 0
    for _ in range(400):
        found = {at: sum(chance.random() < 0.5 for _ in range(5)) / 5 for at in range(10)}
        won += order_for(found, 5) == "edges"
    assert won / 400 < 0.05


@given(st.lists(st.floats(0, 1), min_size=10, max_size=10), st.integers(1, 50))
def test_what_is_expected_of_an_order_is_a_share(values: list[float], times: int) -> None:
    verdict = winner(dict(enumerate(values)), dict.fromkeys(range(10), times))
    assert all(-1e-4 <= value <= 1 + 1e-4 for value in verdict.expected.values())
    assert verdict.margin > 0


class Says:
    """A model that says one thing."""

    def __init__(self, said: str) -> None:
        self._said = said

    def text(self, *_: object, **__: object) -> str:
        return self._said


def test_an_answer_that_lists_the_cargo_is_no_find() -> None:
    needle = next(needles())
    other = "wine" if needle.answer != "wine" else "flax"
    for said, right in (
        (needle.answer, True), (f"It was {needle.answer.upper()}.", True), (other, False),
        (f"{needle.answer} or {other}", False), (f"{needle.answer}, ballast", False), ("", False),
        (needle.answer + "s", False),
    ):  # fmt: skip
        assert finds(Says(said), needle) is right  # type: ignore[arg-type]


def test_rounds_are_asked_and_a_senseless_number_is_a_mistake(lab: ScratchLab) -> None:
    from memtree.memories.edges.checks import _ends

    desk = lab.tree(FILES, model=_ends)
    value = measure(desk, rounds=2).value
    assert isinstance(value, dict)
    assert value["prompts"] == 2 * len(SIZES) * PLACES
    for rounds in (0, -1, 10**6):
        with pytest.raises(UsageError, match="1 to 20"):
            measure(desk, rounds=rounds)


def test_who_asks_for_edges_gets_it_and_hears_what_was_measured(lab: ScratchLab) -> None:
    from memtree.memories.edges.checks import _beginning

    desk = lab.tree(FILES, model=_beginning, options={"pack": True})
    measure(desk)
    hits = [Ranked(path=path, score=1.0, text="x") for path in FILES]
    note = Edges().pack(Query("x"), hits, desk.context).note
    assert note.startswith("order edges (as asked; measured with ")
    assert note.endswith(": rank)")


def test_the_benchmark_without_a_model_ends_with_the_reason(lab: ScratchLab) -> None:
    suite = OrderSuite()
    case = next(suite.cases(data="", seed=0))
    with pytest.raises(Unavailable, match="language model"):
        suite.answer(case, lab.tree(FILES))


def test_the_benchmark_grades_a_model_place_by_place(lab: ScratchLab) -> None:
    from memtree.memories.edges.checks import _beginning

    suite = OrderSuite()
    desk = lab.tree(FILES, model=_beginning)
    right = {}
    for case in list(suite.cases(data="", seed=0))[:10]:
        right[case.kind] = suite.grade(case, suite.answer(case, desk))["found"]
    assert list(right.values()) == [1.0] * 5 + [0.0] * 5
    rows = [{"kind": kind, "found": value} for kind, value in right.items()]
    assert "rank fits" in suite.report(rows)[0]
