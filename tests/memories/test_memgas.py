"""memgas on real trees: granularities, edges, the router, the walk, the model's part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.errors import Unavailable
from memtree.hosting.lab import ScratchLab
from memtree.knowledge.query import Query
from memtree.memories.memgas import MemGas, keeping, texts
from memtree.memories.memgas.commands import build, route
from memtree.memories.memgas.comparing import sessions
from memtree.memories.memgas.fixture import ANSWERS, PARTNER, QUESTION, entries
from memtree.memories.memgas.keeping import stored
from memtree.memories.memgas.network import Network, associations, empty, walk
from memtree.memories.memgas.network import route as routed_by
from memtree.memories.memgas.reading import filtered
from memtree.plugins import Ranked
from memtree.testing import PluginContract


class TestContract(PluginContract):
    plugin = MemGas


class Forced(MemGas):
    def __init__(self) -> None:
        options = {**MemGas.manifest.options, "force": True, "pack": True}
        self.manifest = replace(MemGas.manifest, options=options)


class TestContractWhenForced(PluginContract):
    plugin = Forced

    failing = ("it refuses to work on vectors of words",)  # it is forced


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Forced, place=str(tmp_path)) as made:
        yield made


def unit(rows: int, wide: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((rows, wide))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def network_of(each: int, wide: int = 16, *, grains: int = 2) -> Network:
    count = each * grains
    return empty(wide).with_more(
        [f"a/{number}.md" for number in range(each)],
        np.repeat(np.arange(each), grains).tolist(),
        np.tile(np.arange(grains), each).tolist(),
        unit(count, wide),
    )


# -- texts ------------------------------------------------------------------------------------


def test_parts_are_paragraphs_and_bullets_with_their_lines() -> None:
    body = "# Head\n\nFirst\nstill first.\n\n- one\n- two\n  goes on\n\n\n3. third\n"
    found = [(part.text, part.lines) for part in texts.parts_of(body, 10)]
    assert found == [
        ("First\nstill first.", (12, 13)), ("one", (15, 15)), ("two\n  goes on", (16, 17)),
        ("third", (20, 20)),
    ]  # fmt: skip


@given(st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_parts_lie_inside_the_body_in_order(body: str) -> None:
    parts = texts.parts_of(body, 1)
    last = 0
    for part in parts:
        assert last < part.lines[0] <= part.lines[1] <= body.count("\n") + 1
        last = part.lines[1]


@pytest.mark.parametrize("value", [None, 7, ["a"], "\x00\x1b[31m", ""])
def test_what_is_no_text_is_no_summary(value: object) -> None:
    assert texts.cleaned(value, 20).replace("[31m", "") == ""


def test_stored_text_is_bounded() -> None:
    assert len(texts.cleaned("word " * 9000, 600)) == 600
    assert len(texts.keywords_from([f"w{number}" for number in range(500)])) == texts.KEYWORDS_MOST
    assert texts.keywords_from({"a": 1}) == ()


# -- the network ------------------------------------------------------------------------------


def test_the_first_five_entries_are_not_compared_and_the_sixth_is() -> None:
    assert len(network_of(5).edges) == 0
    edges = network_of(6).edges
    assert len(edges)
    assert set(edges[:, 0].tolist()) <= {10, 11}


@given(each=st.integers(6, 20), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_edges_lead_back_to_earlier_entries_and_to_the_most_alike(each: int, seed: int) -> None:
    vectors = unit(2 * each, 8, seed)
    owners = np.repeat(np.arange(each), 2)
    edges = associations(vectors, owners, 0)
    alike = vectors @ vectors.T
    assert np.all(owners[edges[:, 1]] < owners[edges[:, 0]])
    for node in set(edges[:, 0].tolist()):
        mine = edges[edges[:, 0] == node, 1]
        others = [
            other for other in range(2 * each) if owners[other] < owners[node] and other not in mine
        ]
        if others:
            assert alike[node, mine].min() >= alike[node, others].max() - 1e-6


def test_adding_in_steps_gives_the_edges_of_all_at_once() -> None:
    whole = network_of(20)
    vectors = unit(40, 16)
    grown = empty(16)
    for start in range(0, 20, 5):
        grown = grown.with_more(
            [f"a/{number}.md" for number in range(start, start + 5)],
            np.repeat(np.arange(5), 2).tolist(), np.tile(np.arange(2), 5).tolist(),
            vectors[2 * start : 2 * start + 10],
        )  # fmt: skip
    assert {tuple(edge) for edge in grown.edges.tolist()} == {
        tuple(edge) for edge in whole.edges.tolist()
    }


def test_what_is_taken_out_takes_its_edges_along_and_leaves_the_others() -> None:
    whole = network_of(12)
    left = whole.without({"a/3.md", "a/9.md"})
    names = [(whole.paths[whole.entries[one]], whole.paths[whole.entries[other]])
             for one, other in whole.edges.tolist()]  # fmt: skip
    kept = [(left.paths[left.entries[one]], left.paths[left.entries[other]])
            for one, other in left.edges.tolist()]  # fmt: skip
    assert kept == [pair for pair in names if not {"a/3.md", "a/9.md"} & set(pair)]
    assert len(left.vectors) == 20


@given(seed=st.integers(0, 20), temperature=st.floats(0.02, 2))
@settings(max_examples=40, deadline=None)
def test_the_router_weighs_by_certainty_and_its_weights_sum_to_one(
    seed: int, temperature: float
) -> None:
    chance = np.random.default_rng(seed)
    similarities = chance.uniform(-1, 1, 40).astype(np.float32)
    grains = np.repeat(np.arange(2), 20)
    routed = routed_by(similarities, grains, temperature=temperature)
    assert sum(routed.weights) == pytest.approx(1)
    assert all(0 <= one <= 1 for one in routed.entropies)
    assert routed.weights[2:] == [0.0, 0.0]
    sure = min((0, 1), key=lambda grain: routed.entropies[grain])
    assert routed.chosen == sure


def test_a_walk_without_edges_is_the_order_of_the_seeds() -> None:
    network = replace(network_of(5), edges=np.zeros((0, 2), np.int64))
    question = unit(1, 16, 3)[0]
    one, other = walk(network, question), walk(network, question, walks=False)
    assert one is not None
    assert other is not None
    assert one.order == other.order


def test_nothing_alike_is_nothing_found() -> None:
    assert walk(network_of(6), -network_of(6).vectors.sum(axis=0) * 0) is None
    assert walk(network_of(6), unit(1, 16)[0], inside=np.zeros(12, bool)) is None


# -- on a tree --------------------------------------------------------------------------------


def test_on_vectors_of_words_it_is_unavailable_unless_forced(tmp_path: Path) -> None:
    with ScratchLab(MemGas, place=str(tmp_path)) as lab:
        desk = lab.tree(entries())
        assert desk.status.state == "unavailable"
        assert "no gain on vectors of words" in desk.status.reason
        with pytest.raises(Unavailable):
            desk.retrieve(QUESTION)
        forced = lab.tree(entries(), options={"force": True})
        assert forced.status.mode == "forced: lexical vectors"
        assert "memgas[forced: lexical vectors]" in forced.search(QUESTION).by


def test_a_hit_says_by_which_granularity_it_was_found(lab: ScratchLab) -> None:
    desk = lab.tree(entries())
    hits = {hit.path: hit.why for hit in desk.retrieve(QUESTION).hits}
    assert "parts" in hits[ANSWERS]
    assert hits[PARTNER] == "by association"
    answer = desk.search(QUESTION)
    assert any("router: entry" in report.why for report in answer.tiers)


def test_edits_and_removals_are_followed(lab: ScratchLab) -> None:
    desk = lab.tree(entries())
    desk.follow()
    desk.remove(PARTNER)
    desk.write(ANSWERS, "# Hives\n\nNothing about gates.\n")
    desk.write("new/one/entry.md", "# New\n\nThe code of the cabin gate is on the fridge.\n")
    found = [hit.path for hit in desk.retrieve(QUESTION, limit=20).hits]
    # Three entries about the cabin have a node more each, of their keywords.
    assert "new/one/entry.md" in found[:4]
    assert PARTNER not in found
    network = stored(desk.context)
    assert network is not None
    assert sorted(network.paths) == sorted(ref.path for ref in desk.context.tree.entries())


def test_a_scope_bounds_the_walk(lab: ScratchLab) -> None:
    found = lab.tree(entries()).retrieve(QUESTION, scope="house").hits
    assert found
    assert all(hit.path.startswith("house/") for hit in found)


def test_a_digest_sums_up_the_entries_of_its_folder_and_is_none_itself(lab: ScratchLab) -> None:
    desk = lab.tree({
        "a/b/one.md": "# One\n\nSomething.\n",
        "a/b/_digest.md": "# Digest\n\nAll about lighthouses.\n",
    })  # fmt: skip
    desk.follow()
    network = stored(desk.context)
    assert network is not None
    assert list(network.paths) == ["a/b/one.md"]
    one = texts.read(desk.context, "a/b/one.md", {})
    assert one is not None
    assert "lighthouses" in one.summary or desk.context.tree.get("a/b/_digest.md") is None


def test_route_shows_weights_start_and_hits(lab: ScratchLab) -> None:
    desk = lab.tree(entries())
    report = route(desk, QUESTION, limit=3)
    assert report.lines[0].startswith("router      entry 0.")
    assert isinstance(report.value, dict)
    assert len(report.value["hits"]) == 3
    assert route(lab.tree({}), QUESTION).code == 1


def test_build_without_a_model_says_so_and_joins_what_there_is(lab: ScratchLab) -> None:
    report = build(lab.tree(entries()))
    assert report.code == 3
    assert "no language model" in report.lines[0]
    assert isinstance(report.value, dict)
    assert report.value["nodes"]["summary"] == 12


def test_what_a_model_makes_is_kept_as_text_and_made_up_keywords_are_not(
    lab: ScratchLab,
) -> None:
    said = json.dumps({"summary": "A note on\x07 hives.", "keywords": ["hives", "submarine"]})
    desk = lab.tree({"a/b/hives.md": "# Hives\n\nThe hives hum.\n"}, model=lambda _: said)
    assert build(desk).code == 0
    kept = desk.context.sidecar.read(texts.GENERATED)
    assert [(one["summary"], one["keywords"]) for one in kept] == [("A note on hives.", ["hives"])]
    desk.remove("a/b/hives.md")
    build(desk)
    assert desk.context.sidecar.read(texts.GENERATED) == []


INVENTED = '{"keep": [{"note": 1, "words": "stands nowhere"}]}'


@pytest.mark.parametrize("said", ["no json", "{}", '{"keep": []}', INVENTED])
def test_a_filter_that_says_nothing_of_use_leaves_all_hits(lab: ScratchLab, said: str) -> None:
    desk = lab.tree(entries(), model=lambda _: said)
    hits = [Ranked(path=ANSWERS, score=1.0), Ranked(path=PARTNER, score=0.5)]
    assert list(filtered(Query(QUESTION), hits, desk.context)) == hits


def test_a_pack_keeps_its_budget_and_its_granularity(lab: ScratchLab) -> None:
    desk = lab.tree(entries())
    assert sum(-(-len(piece.text) // 4) for piece in desk.pack(QUESTION, tokens=60)) <= 60
    pieces = desk.pack(QUESTION, tokens=400)
    assert any("4471" in piece.text for piece in pieces)


def test_turns_of_one_session_become_one_entry(tmp_path: Path) -> None:
    lines = [
        {"id": "c/1", "group": "c", "session": 1, "speaker": "Ana", "text": "Hi\nBo",
         "date": "2023"},
        {"id": "c/2", "group": "c", "session": 1, "speaker": "Bo", "text": "Hello"},
        {"id": "c/3", "group": "c", "session": 2, "speaker": "Bo", "text": "Bye"},
    ]  # fmt: skip
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    files, paths = sessions(str(tmp_path))
    assert files["c/session-1.md"] == '---\ntime: "2023"\n---\n- Ana: Hi Bo\n- Bo: Hello\n'
    assert paths == {"c/1": "c/session-1.md", "c/2": "c/session-1.md", "c/3": "c/session-2.md"}


# -- work that is broken off ------------------------------------------------------------------


class _Stopping:
    """A context that ends the work after so many batches, as an alarm or a person does."""

    def __init__(self, inner: Any, after: int) -> None:
        self._inner = inner
        self._after = after

    def progress(self, what: str, done: int, total: int) -> None:
        del what, total
        if done >= self._after:
            raise KeyboardInterrupt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _many(count: int) -> dict[str, str]:
    words = ("kettle", "violin", "harbour", "copper", "orchard", "lantern", "granite", "meadow")
    return {
        f"notes/all/n{n:03}.md": f"# {words[n % 8]}\n\nThe {words[n % 8]} of {words[n % 7]} {n}.\n"
        for n in range(count)
    }


def _as_values(network: Network) -> tuple[Any, ...]:
    return (list(network.paths), network.entries.tolist(), network.grains.tolist(),
            sorted(map(tuple, network.edges.tolist())), network.vectors.round(2).tolist(),
            network.left)  # fmt: skip


def test_a_network_that_was_broken_off_goes_on_and_is_the_same(
    lab: ScratchLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_TOGETHER", 8)
    monkeypatch.setattr(keeping, "_KEEP", 0.0)
    whole = keeping.build(lab.tree(_many(40)).context)
    desk = lab.tree(_many(40))
    with pytest.raises(KeyboardInterrupt):
        keeping.build(_Stopping(desk.context, after=24))
    part = keeping.stored(desk.context)
    assert part is not None
    assert (len(part.paths), part.left) == (24, 16)
    desk.write("notes/all/n003.md", "# Other\n\nSomething else stands here now.\n")
    desk.write("notes/all/n003.md", _many(40)["notes/all/n003.md"])
    keeping.build(desk.context)
    again = keeping.stored(desk.context)
    assert again is not None
    assert _as_values(again) == _as_values(whole)
    assert again.joined().edges == whole.joined().edges


def test_a_question_goes_on_with_joining_for_a_moment_and_says_so(
    lab: ScratchLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another embedder makes another network, and a retriever has no time for all of it."""
    desk = lab.tree(_many(40))
    desk.follow()
    network = keeping.stored(desk.context)
    assert network is not None
    keeping.save(desk.context, replace(network.without(set(network.paths[8:])), left=32))
    monkeypatch.setattr(keeping, "_MOMENT", 1e-9)
    context = desk.context
    found = keeping.ready(context)
    assert (len(found.paths), found.left) == (12, 28)
    assert context.notes == [
        "memgas has joined 12 of 40 entries so far; `memtree memgas build` joins the rest"
    ]
    assert desk.retrieve("the violin").hits, "by what there is"
    monkeypatch.undo()
    assert keeping.ready(desk.context).left == 0
    assert _as_values(keeping.ready(desk.context)) == _as_values(network)


def test_commands_can_be_forced(tmp_path: Path) -> None:
    with ScratchLab(MemGas, place=str(tmp_path)) as lab:
        desk = lab.tree(entries())
        with pytest.raises(Unavailable, match="no gain"):
            route(desk, QUESTION)
        with pytest.raises(Unavailable, match="no gain"):
            build(desk)
        made: Any = build(desk, force=True).value
        assert (made["entries"], made["edges"] > 0) == (12, True)
        routed: Any = route(desk, QUESTION, force=True).value
        assert routed["hits"]
        desk.write("notes/hives/new.md", "# New\n\nA new note.\n")
        grown: Any = build(desk, force=True).value
        assert grown["entries"] == 13
