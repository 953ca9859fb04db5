"""The parts of hippo: triples, names beside each other, synonyms, the graph and the walk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.memories.hippo import seek
from memtree.memories.hippo.build import Told, build
from memtree.memories.hippo.cooccurrence import spans, triples_of
from memtree.memories.hippo.extract import CHUNK, chunks
from memtree.memories.hippo.network import Network, Texts, stored
from memtree.memories.hippo.synonyms import by_meaning, by_spelling
from memtree.memories.hippo.telling import told
from memtree.memories.hippo.triples import (
    LONGEST,
    MOST,
    Triple,
    key_of,
    located,
    name_of,
    read,
    record_of,
    standing,
    stands,
    triple_of,
    words_of,
)
from memtree.plugins import EntryView

NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def view(body: str, *, title: str = "A note", digest: str = "d1", first: int = 1) -> EntryView:
    return EntryView(
        path="a/b.md", id="a/b", title=title, type="note", tags=(), meta={}, body=body,
        first=first, digest=digest,
    )  # fmt: skip


def network(*entries: tuple[str, str, Sequence[tuple[str, str, str]]]) -> Network:
    given_entries = [
        Told(path, title, [Triple(*triple) for triple in triples])
        for path, title, triples in entries
    ]
    return build(given_entries, stems=lambda text: text.casefold().split(), synonyms=by_spelling)


CHAIN = (
    ("a.md", "Ada", [("Ada", "works at", "Payments")]),
    ("b.md", "Payments", [("Payments", "sits in", "Oslo")]),
    ("c.md", "Weather", [("Rain", "falls in", "Bergen")]),
)


# -- triples ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [("Siân  ROBERTS", "siân roberts"), ("Person-centred", "person centred"), ("a_b", "A b"),
     ("ﬁle", "file")],
)  # fmt: skip
def test_names_that_are_written_differently_are_one_phrase(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    "parts", [("", "is", "x"), ("...", "is", "x"), ("x", "is", "X!"), (None, "is", "x"),
              ("x", "is", True), ("x", "is", ["y"])]
)  # fmt: skip
def test_what_has_no_two_ends_is_no_triple(parts: tuple[object, object, object]) -> None:
    assert triple_of(*parts) is None


def test_a_triple_is_bounded_and_on_one_line() -> None:
    made = triple_of("x\n\x1b[31m" + "y" * 1000, "is\tlike", "z")
    assert made is not None
    assert made.predicate == "is like"
    assert len(made.subject) == LONGEST
    assert made.subject.isprintable()


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_triple_survives_its_file(subject: str, predicate: str, object_: str) -> None:
    made = triple_of(subject, predicate, object_)
    if made is not None:
        line = json.dumps(record_of(made, "d1"))
        assert read([json.loads(line)]) == [(made, "d1")]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["s", "p", "o", "span", "by", "digest"]),
            st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3),
        ),
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None)
def test_whatever_a_file_holds_is_read_as_data(records: list[dict[str, object]]) -> None:
    for triple, _ in read(records):
        assert key_of(triple.subject)
        assert triple.by in ("llm", "rule", "human")
        assert 0 <= triple.lines[0] <= triple.lines[1]


def test_a_file_of_a_million_triples_is_cut() -> None:
    records = [{"s": f"x{number}", "p": "is", "o": "y"} for number in range(MOST + 50)]
    assert len(read(records)) == MOST


@given(st.text(min_size=1, max_size=300))
@settings(max_examples=200, deadline=None)
def test_a_name_of_a_file_leads_nowhere_else(entry: str) -> None:
    name = name_of(entry)
    assert name.startswith("triples/")
    assert name.endswith(".jsonl")
    for part in name.split("/"):
        assert part
        assert part[0] != "."
        assert part.isprintable()
        assert len(part) < 200
        assert not set(part) & set('\\:*?"<>|')


def test_ids_that_differ_have_different_files() -> None:
    ids = ["a/b", "a%2Fb", "a:b", "a/.b", "a/b c", "x" * 300, "x" * 301, "ä", "日本"]
    assert len({name_of(each) for each in ids}) == len(ids)


def test_a_name_stands_in_a_text_word_by_word() -> None:
    words = words_of("Ada Greve leads Payments-Core.")
    assert stands("ada greve", words)
    assert stands("Payments core", words)
    assert not stands("Ada Greves", words)
    assert not stands("Greve Ada", words)


def test_an_edit_leaves_behind_what_no_longer_stands() -> None:
    records = [
        record_of(Triple("Ada", "leads", "Payments", (3, 3), "llm"), "old"),
        record_of(Triple("Ada", "leads", "Search", (4, 4), "human"), "old"),
        record_of(Triple("Ada", "likes", "something new", (1, 1), "human"), "d1"),
    ]
    held, left = standing(records, view("Ada leads Payments now.\n"))
    assert [(str(each), each.lines) for each in held] == [
        ("Ada | leads | Payments", (0, 0)),  # the lines have moved
        ("Ada | likes | something new", (1, 1)),  # a person says so of the entry as it is
    ]
    assert [str(each) for each in left] == ["Ada | leads | Search"]


def test_a_triple_is_found_in_the_line_where_both_ends_stand() -> None:
    entry = view("Ada came.\nPayments grew.\nAda leads Payments.\n", first=5)
    assert located(Triple("Ada", "leads", "Payments"), entry).lines == (7, 7)
    assert located(Triple("Bob", "leads", "Payments"), entry).lines == (6, 6)
    assert located(Triple("Bob", "leads", "Search"), entry).lines == (0, 0)


@given(st.text(alphabet="ab \n.", max_size=6000))
@settings(max_examples=60, deadline=None)
def test_chunks_hold_the_whole_body(body: str) -> None:
    parts = list(chunks(body))
    assert all(len(part) <= CHUNK + 1 for part in parts)
    assert "".join("".join(parts).split()) == "".join(body.split())


# -- names beside each other ------------------------------------------------------------------


def test_capitalised_words_are_one_name_and_joints_hold_them() -> None:
    sentence = "In Oslo the Bank of the West met Ada Greve, Bob and UNESCO."
    assert [sentence[a:b] for a, b in spans(sentence)] == [
        "In Oslo", "Bank of the West", "Ada Greve", "Bob", "UNESCO",
    ]  # fmt: skip


def test_neighbours_become_triples_with_what_stands_between() -> None:
    body = "The Ada Greve leads Payments in Oslo.\n\nnothing here\nWork is hard work, Bob.\n"
    made = triples_of(
        view(body, title="Team", first=4), is_telling=lambda name: name not in ("The", "In")
    )
    assert [(str(each), each.lines) for each in made] == [
        ("Team | The | Ada Greve", (4, 4)), ("Ada Greve | leads | Payments", (4, 4)),
        ("Payments | in | Oslo", (4, 4)), ("Team | Work is hard work | Bob", (7, 7)),
    ]  # fmt: skip
    assert {each.by for each in made} == {"rule"}


def test_a_text_without_capitals_gives_nothing() -> None:
    assert triples_of(view("all small here. 日本語の文。\n"), is_telling=bool) == []


# -- synonyms ---------------------------------------------------------------------------------


def trigrams(key: str) -> set[str]:
    spaced = f" {key} "
    return {spaced[at : at + 3] for at in range(len(spaced) - 2)}


@given(st.lists(st.text(alphabet="abc d", min_size=0, max_size=14).map(key_of), max_size=25))
@settings(max_examples=150, deadline=None)
def test_the_join_by_spelling_misses_no_pair_and_makes_up_none(keys: list[str]) -> None:
    keys = list(dict.fromkeys(keys))
    left, right, cosines = by_spelling(keys)
    found = {
        (int(a), int(b)): float(c) for a, b, c in zip(left, right, cosines, strict=True)
    }  # fmt: skip
    wanted = {}
    for one, other in combinations(range(len(keys)), 2):
        if min(sum(map(str.isalnum, keys[at])) for at in (one, other)) < 3:
            continue
        mine, theirs = trigrams(keys[one]), trigrams(keys[other])
        cosine = len(mine & theirs) / (len(mine) * len(theirs)) ** 0.5
        if cosine + 1e-12 >= 0.8:
            wanted[one, other] = cosine
    assert found == pytest.approx(wanted)


def test_accents_and_plurals_are_synonyms_and_years_are_not() -> None:
    keys = [key_of(name) for name in ("Siobhán Murphy", "Siobhan Murphy", "1960", "1961", "UK")]
    left, right, _ = by_spelling(keys)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, 1)]


def test_the_join_by_meaning_is_every_pair_above_the_threshold() -> None:
    rng = np.random.default_rng(7)
    vectors = rng.normal(size=(60, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    keys = [f"name {number}" for number in range(59)] + ["ab"]  # too short to have synonyms
    left, right, cosines = by_meaning(keys, vectors)
    every = vectors[:59] @ vectors[:59].T
    wanted = {(a, b) for a, b in combinations(range(59), 2) if every[a, b] >= 0.8}
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == wanted
    assert (cosines >= 0.8).all()


# -- the graph --------------------------------------------------------------------------------


def test_the_graph_joins_ends_entries_and_titles() -> None:
    made = network(*CHAIN)
    ada, payments, oslo = (made.phrase(name) for name in ("ADA", "payments", "Oslo"))
    assert None not in (ada, payments, oslo)
    assert ada is not None
    ends, weights = made.graph.neighbours(ada)
    entry = len(made.names)  # a.md
    # The triple, and the entry: it holds the phrase, which is its title too.
    assert dict(zip(ends.tolist(), weights.tolist(), strict=True)) == {payments: 1.0, entry: 2.0}
    assert made.held.tolist()[payments or 0] == 2
    assert made.phrase("nobody") is None
    assert [made.place(path) for path in ("a.md", "c.md", "d.md")] == [0, 2, None]


def test_the_graph_survives_its_arrays() -> None:
    made = network(*CHAIN)
    again = stored(made.arrays())
    assert again is not None
    assert [again.fact(at) for at in range(again.facts)] == [
        ("Ada", "works at", "Payments"), ("Payments", "sits in", "Oslo"),
        ("Rain", "falls in", "Bergen"),
    ]  # fmt: skip
    assert again.scored(["oslo"]).tolist() == made.scored(["oslo"]).tolist()
    assert stored({}) is None


def test_a_graph_of_nothing_answers_nothing() -> None:
    made = network()
    assert made.scored(["x"]).tolist() == []
    assert seek.linked(made.scored(["x"])) == []
    assert not seek.walked(made, {}, {}).any()


@given(st.lists(st.text(max_size=20), max_size=20))
@settings(max_examples=60, deadline=None)
def test_texts_are_given_back_as_they_were(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    kept = Texts.of(texts)
    assert [kept[at] for at in range(len(kept))] == texts


def test_facts_are_scored_by_rare_words_first() -> None:
    made = network(
        ("a.md", "", [("Ada", "works at", "Payments"), ("Bob", "works at", "Search")]),
        ("b.md", "", [("Cy", "works at", "Payments")]),
    )
    scores = made.scored(["ada", "works"])
    assert scores.argmax() == 0
    assert scores[1] == pytest.approx(scores[2])
    assert made.scored(["nothing"]).tolist() == [0, 0, 0]


def test_a_fact_that_two_entries_say_is_one_with_two_sources() -> None:
    made = network(
        ("a.md", "", [("Ada", "works at", "Payments")]),
        ("b.md", "", [("ADA", "Works at", "payments")]),
    )
    assert made.facts == 1
    assert [entry for entry, _ in made.sources(0)] == [0, 1]


# -- from facts to entries --------------------------------------------------------------------


def test_seeds_weigh_rare_phrases_more_and_average_over_facts() -> None:
    made = network(*CHAIN)
    facts = [seek.Linked(0, 2.0, 1.0), seek.Linked(1, 1.0, 0.5)]
    weights = {made.names[phrase]: share for phrase, share in seek.seeds(made, facts).items()}
    # Payments: (1.0 + 0.5) / 2 facts / 2 entries.
    assert weights == pytest.approx({"Ada": 1.0, "Oslo": 0.5, "Payments": 0.375})


def test_recognition_without_a_model_keeps_what_comes_near_the_best() -> None:
    facts = [seek.Linked(number, raw, 0.0) for number, raw in enumerate([5.0, 3.1, 2.9, 1.0])]
    assert [each.raw for each in seek.relative(facts)] == [5.0, 3.1]


def test_the_best_facts_are_five_and_lie_between_0_and_1() -> None:
    found = seek.linked(np.arange(20, dtype=float))
    assert [each.fact for each in found] == [19, 18, 17, 16, 15]
    assert found[0].score == 1.0
    assert all(0 <= each.score <= 1 for each in found)


def test_what_a_fact_leads_to_comes_before_what_has_nothing_to_do_with_it() -> None:
    made = network(*CHAIN)
    ada = made.phrase("Ada")
    assert ada is not None
    mass = seek.walked(made, {ada: 1.0}, {})
    assert seek.ranked(made, mass).tolist() == [0, 1]
    assert mass.sum() == pytest.approx(1, abs=1e-5)


def test_an_entry_that_fits_by_itself_takes_part() -> None:
    made = network(*CHAIN)
    ada = made.phrase("Ada")
    assert ada is not None
    mass = seek.walked(made, {ada: 1.0}, {2: 1.0}, weight=0.05)
    assert seek.ranked(made, mass).tolist() == [0, 1, 2]


def test_a_path_is_told_in_words() -> None:
    made = network(*CHAIN)
    ada, payments, oslo = (made.phrase(name) or 0 for name in ("Ada", "Payments", "Oslo"))
    entry = len(made.names)
    steps = told(made, [entry, ada, payments, oslo])
    assert [(how, at) for _, _, how, at in steps] == [
        ("a.md names Ada", "a.md"), ("Ada - works at - Payments", "a.md"),
        ("Payments - sits in - Oslo", "b.md"),
    ]  # fmt: skip
