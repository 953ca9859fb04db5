"""mbc on real trees: what is stored, what follows, what a person can ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.errors import UsageError
from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab
from memtree.memories.mbc import Mbc
from memtree.memories.mbc.bank import Form, learnt, read
from memtree.memories.mbc.commands import compress, stats
from memtree.memories.mbc.finding import nearest_first
from memtree.memories.mbc.fixture import people
from memtree.memories.mbc.keeping import stored
from memtree.testing import PluginContract


class TestContract(PluginContract):
    plugin = Mbc


class TestContractOfTheFaithfulForm(PluginContract):
    class Faithful(Mbc):
        def __init__(self) -> None:
            from dataclasses import replace

            options = {**Mbc.manifest.options, "faithful": True}
            self.manifest = replace(Mbc.manifest, options=options)

    plugin = Faithful

    # One code keeps too few hits, and dead ones are overwritten: that is why it is not the default.
    failing = (
        "adding 1,000 entries re-encodes no old one",
        "what was added is found with the old codes",
        "R@10 is kept: 2,000 made-up people, built-in vectors",
        "R@10 is kept: 2,000 made-up people, lexical vectors",
    )


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Mbc, place=str(tmp_path)) as made:
        yield made


def unit(rows: int, wide: int, seed: int = 0) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((rows, wide))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def places(count: int, prefix: str = "e") -> list[tuple[str, tuple[int, int]]]:
    return [(f"a/{prefix}{number}.md", (1, 2)) for number in range(count)]


def asked(desk: WorkDesk, count: int) -> list[list[str]]:
    return [[hit.path for hit in desk.retrieve(text, limit=5).hits]
            for text, _ in people(60).questions[:count]]  # fmt: skip


@pytest.mark.parametrize("form", [Form(), Form(parts=5, bits=4), Form(parts=8, bits=8),
                                  Form(codes=32)])  # fmt: skip
def test_a_bank_comes_back_from_its_arrays(form: Form) -> None:
    bank = learnt(places(50), unit(50, 24), form)
    assert bank is not None
    again = read(bank.arrays())
    assert list(again.places) == list(bank.places)
    assert again.form == bank.form
    question = unit(1, 24, seed=9)[0]
    assert np.array_equal(again.scores(question), bank.scores(question))


@given(
    st.lists(st.floats(-1, 1, width=32).map(lambda score: round(score, 1)), max_size=40),
    st.integers(1, 50),
)
def test_rows_come_best_first_and_equal_ones_in_their_order(scores: list[float], most: int) -> None:
    asked = np.array(scores, np.float32)
    wanted = sorted(range(len(scores)), key=lambda row: (-asked[row], row))
    assert list(nearest_first(asked, most)) == wanted


def test_a_damaged_bank_is_told_by_its_lengths() -> None:
    bank = learnt(places(6), unit(6, 8), Form())
    assert bank is not None
    arrays = bank.arrays()
    with pytest.raises(ValueError, match="differ in length"):
        read({**arrays, "rows": arrays["rows"][:-1]})
    with pytest.raises(ValueError, match="of no entry"):
        read({**arrays, "entries": np.full(6, 9)})


@given(st.lists(st.integers(0, 19), max_size=12), st.booleans())
@settings(max_examples=40, deadline=None)
def test_adding_and_removing_touch_no_other_row(gone: list[int], one_book: bool) -> None:
    form = Form(codes=8) if one_book else Form(parts=4, bits=4)
    bank = learnt(places(20), unit(20, 8), form)
    assert bank is not None
    before = dict(zip(bank.places, bank.rows.tolist(), strict=True))
    left = bank.without({f"a/e{number}.md" for number in gone})
    grown = left.with_more(places(6, "new"), unit(6, 8, seed=4), seed=1)
    after = dict(zip(grown.places, grown.rows.tolist(), strict=True))
    for place in left.places:
        assert after[place] == before[place]
    assert len(after) == len(left.places) + 6
    if one_book:
        # What a stored row stands for is the same, whatever the reset overwrote.
        for row in left.rows.tolist():
            assert np.array_equal(bank.coder.codes[row], grown.coder.codes[row])  # type: ignore[union-attr]


def test_edits_are_followed_as_a_rebuild_would(lab: ScratchLab) -> None:
    made = people(60)
    desk = lab.tree(made.files)
    desk.follow()
    path, other = sorted(made.files)[:2]
    desk.write(path, "# Nobody\n\nA lighthouse keeper counts the gannets at dawn.\n")
    desk.remove(other)
    found = [hit.path for hit in desk.retrieve("the lighthouse keeper and the gannets").hits]
    assert found[0] == path
    bank = stored(desk.context)
    assert bank is not None
    assert {place for place, _ in bank.places} == set(made.files) - {other}


def test_a_tree_without_passages_has_an_empty_bank(lab: ScratchLab) -> None:
    desk = lab.tree({})
    assert desk.retrieve("who keeps gannets").hits == ()
    assert desk.search("who keeps gannets").notes == []


def test_another_form_is_made_before_the_question_goes_on(lab: ScratchLab) -> None:
    desk = lab.tree(people(60).files)
    asked(desk, 1)
    ranking = desk.retrieve("a person who keeps bees", codes=16)
    assert "one codebook of 16" in ranking.why
    assert ranking.hits


def test_deleting_the_cache_changes_no_answer(lab: ScratchLab) -> None:
    import shutil

    desk = lab.tree(people(60).files)
    before = asked(desk, 8)
    shutil.rmtree(desk.context.cache.folder)
    assert asked(desk, 8) == before


def test_a_scope_bounds_what_is_found(lab: ScratchLab) -> None:
    desk = lab.tree(people(60).files)
    folder = min(people(60).files).rpartition("/")[0]
    found = desk.retrieve("Who plays the violin?", scope=folder).hits
    assert found
    assert all(hit.path.startswith(folder + "/") for hit in found)


def test_without_an_embedder_the_words_make_vectors_and_the_answer_says_so(
    lab: ScratchLab,
) -> None:
    desk = lab.tree(people(60).files, embedder="none")
    assert desk.status.mode == "vectors: lexical"
    text, path = people(60).questions[0]
    assert path in [hit.path for hit in desk.retrieve(text).hits]
    assert "mbc[vectors: lexical]" in desk.search(text).by
    assert "lexical" in "\n".join(stats(desk).lines)


def test_few_entries_teach_codes_that_are_learnt_anew_when_there_are_many(
    lab: ScratchLab,
) -> None:
    made = people(60)
    files = dict(sorted(made.files.items()))
    desk = lab.tree(dict(list(files.items())[:10]))
    desk.follow()
    first = stored(desk.context)
    assert first is not None
    assert first.learnt == 10
    for path, text in list(files.items())[10:]:
        desk.write(path, text)
    desk.follow()
    later = stored(desk.context)
    assert later is not None
    assert later.learnt == 60


def test_stats_tell_bytes_use_and_dead_codes(lab: ScratchLab) -> None:
    desk = lab.tree(people(60).files)
    value = stats(desk).value
    assert isinstance(value, dict)
    assert value["bytes_full"] == 60 * 256 * 4
    assert value["bytes_codes"] == 60 * 46
    assert 1 <= value["perplexity"] <= 16
    assert stats(lab.tree({})).code == 1


def test_a_tree_that_was_emptied_has_nothing_to_tell_and_grows_again(lab: ScratchLab) -> None:
    files = people(3).files
    desk = lab.tree(files)
    desk.follow()
    for path in files:
        desk.remove(path)
    assert stats(desk).code == 1
    assert desk.retrieve("anybody").hits == []
    path, text = next(iter(files.items()))
    desk.write(path, text)
    assert [hit.path for hit in desk.retrieve("who plays music?").hits] == [path]


def test_compress_chooses_a_form_that_lasts(lab: ScratchLab) -> None:
    desk = lab.tree(people(60).files)
    assert "codebook of 64" in compress(desk, codes=64).lines[0]
    desk.write("people/new/one.md", "# One\n\nA new entry about glaciers.\n")
    value = stats(desk).value
    assert isinstance(value, dict)
    assert (value["form"], value["passages"]) == ("one codebook of 64", 61)
    assert "32 parts of 8 bits" in compress(desk, pq=32).lines[0]
    assert "92 parts of 4 bits" in compress(desk).lines[0]
    assert desk.context.sidecar.names() == []


@pytest.mark.parametrize(
    ("codes", "pq", "bits"), [(64, 32, 0), (0, 300, 0), (0, 8, 3), (1, 0, 0), (-1, 0, 0)]
)
def test_a_form_that_cannot_be_is_refused_with_a_reason(
    lab: ScratchLab, codes: int, pq: int, bits: int
) -> None:
    desk = lab.tree(people(20).files)
    with pytest.raises(UsageError):
        compress(desk, codes=codes, pq=pq, bits=bits)
    assert desk.context.sidecar.names() == []
