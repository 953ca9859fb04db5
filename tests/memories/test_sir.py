"""The plugin sir: what surprises is kept, in its order, within the budget."""

from __future__ import annotations

import json
import re
from math import exp
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import EntryNotFound
from memtree.hosting.lab import ScratchLab
from memtree.knowledge.query import Query
from memtree.llm.scripted import Telling
from memtree.memories.sir import Sir, show, stats
from memtree.memories.sir.checks import _within, questions_of, rates, tokens
from memtree.memories.sir.grocery import DIALOGUES, DISTRACTORS, LEARNED, authors, dialogues
from memtree.memories.sir.keeping import LEVELS, kept, units_of
from memtree.memories.sir.learning import follow, means_of
from memtree.memories.sir.living import points
from memtree.memories.sir.packing import compressed, size_of
from memtree.memories.sir.surprise import Bigrams, aligned, learned
from memtree.plugins.api import Ranked, Signals
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TEXTS = st.text(alphabet="ab.?! \n\u00e9", max_size=120)
LEVEL = st.sampled_from(LEVELS)
BEES = {"a/b/bees.md": "# Bees\n\n" + "Ana keeps bees. " * 20 + "An aardvark came. \n"}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Sir, place=str(tmp_path)) as made:
        yield made


class TestContract(PluginContract):
    plugin = Sir


@given(TEXTS, LEVEL)
def test_units_together_are_the_text(text: str, level: str) -> None:
    told = learned([text]).of(text)
    assert "".join(unit.text for unit in units_of(text, told, level)) == text


@given(st.lists(TEXTS, max_size=4), st.integers(0, 60), LEVEL, st.sampled_from([0.0, 0.9, 1.0]))
def test_a_pack_is_within_its_budget_a_subsequence_and_final(
    texts: list[str], room: int, level: str, fade: float
) -> None:
    counts = learned(texts)
    hits = [Ranked(path=f"{n}.md", score=1.0, text=text, lines=(1, 1 + text.count("\n")))
            for n, text in enumerate(texts)]  # fmt: skip
    pieces = compressed(hits, [counts.of(text) for text in texts], room=room, level=level,
                        count=tokens, fade=fade)  # fmt: skip
    assert size_of(pieces, tokens) <= room
    for number, text in enumerate(texts):
        mine = [piece.text for piece in pieces if piece.path == f"{number}.md"]
        assert _within("".join(mine), text)
    again = [Ranked(path=each.path, score=1.0, text=each.text, lines=each.lines) for each in pieces]
    told = [counts.of(each.text) for each in pieces]
    assert compressed(again, told, room=room, level=level, count=tokens) == pieces


@given(st.text(alphabet="abc \n", max_size=60), st.sampled_from(["a", "b", "zz"]))
def test_the_probabilities_of_the_words_that_may_follow_are_at_most_one(
    text: str, before: str
) -> None:
    counts = Bigrams()
    counts.learn(text)
    total = sum(exp(-counts.surprisal(before, word)) for word in {*counts.single, "new"} - {"\n"})
    assert 0 < total <= 1 + 1e-9


def test_counts_come_back_as_they_were_saved() -> None:
    counts = learned(["Ana keeps bees.\nBo keeps hens."])
    again = Bigrams.loaded(counts.saved())
    assert (again.single, again.pairs, again.total) == (counts.single, counts.pairs, counts.total)
    with pytest.raises((TypeError, KeyError)):
        Bigrams.loaded({})


def test_what_is_said_once_stays_and_what_is_said_often_goes() -> None:
    text = BEES["a/b/bees.md"]
    left = kept(units_of(text, learned([text]).of(text)), 20, tokens)
    said = "".join(unit.text for unit in left)
    assert "aardvark" in said
    assert said.startswith("# Bees")


def test_what_ranks_low_fades_and_leaves_no_bare_title() -> None:
    text = "# Bees {}\n\nAn aardvark {} came. The bees flew away over the hill.\n"
    texts = [text.format(n, n) for n in range(8)]
    hits = [Ranked(path=f"{n}.md", score=1.0, text=each, lines=(1, 4))
            for n, each in enumerate(texts)]  # fmt: skip
    told = [learned(texts).of(each) for each in texts]
    pieces = compressed(hits, told, room=60, level="sentence", count=tokens, fade=0.5)
    assert next(piece.path for piece in pieces) == "0.md"
    assert {piece.path for piece in pieces} < {hit.path for hit in hits}
    for path in {piece.path for piece in pieces}:
        mine = [piece.text for piece in pieces if piece.path == path]
        assert mine[0].startswith("# Bees")
    whole = "".join(piece.text for piece in pieces if piece.path == "0.md")
    assert "hill" in whole


def test_the_made_dialogues_have_the_form_and_the_length_of_the_papers() -> None:
    talks = dialogues()
    assert len(talks) == LEARNED
    assert len({talk.item for talk in talks[:DIALOGUES]}) == DIALOGUES
    words = sum(len("".join(talk.rounds).split()) for talk in talks) / len(talks)
    assert 400 < words < 470  # 423 in the paper's file
    for talk in talks[:DIALOGUES]:
        assert "".join(talk.rounds).count(f"[{talk.item}]") == 1
        assert len(talk.rounds) == DISTRACTORS + 1
        assert not re.search(rf"\b{talk.item}\b", "".join(talk.rounds[1:]))
    assert dialogues(1, 3) == dialogues(1, 3) != dialogues(2, 3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_figure_is_no_accident_of_one_seed(seed: int) -> None:
    found = rates(dialogues(seed), asked=DIALOGUES)
    assert found["1.0"][0] >= 70
    assert found["recency"][0] <= 2
    assert found["0.7"][1] < found["0.9"][1] < found["1.0"][1]


def test_the_vocabulary_is_wide_so_that_an_item_is_not_the_only_rare_word() -> None:
    talks = dialogues()
    counts = learned("".join(talk.rounds) for talk in talks)
    told = talks[0].rounds[1]
    (item,) = [nats for start, end, nats in counts.of(talks[0].rounds[0])
               if talks[0].rounds[0][start:end] == talks[0].item]  # fmt: skip
    assert sum(nats > item for _, _, nats in counts.of(told)) >= 3


def lines_of(*records: Mapping[str, object]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def asked(name: str, stem: str, *choices: str) -> dict[str, object]:
    told = [{"text": text, "label": "A"} for text in choices]
    return {"id": name, "question": {"stem": stem, "choices": told}, "answerKey": "A"}


def test_the_papers_file_is_read_where_a_person_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "grocery_keys"
    folder.mkdir(parents=True)
    first = [asked("key_0", "Please buy [sea salt]. ", "OK"), asked("0", "Where?", "here", "there"),
             asked("answer_0", "Which one?", "sea salt")]  # fmt: skip
    (folder / "keys.jsonl").write_text(lines_of(*first, asked("key_1", "Nothing", "OK")), "utf-8")
    (talk,) = authors(str(tmp_path))
    assert talk.item == "sea salt"
    assert talk.rounds == ("Please buy [sea salt].\n", "Where? here there\n")
    (folder / "keys.jsonl").write_text("[1]\nno json", "utf-8")
    assert authors(str(tmp_path)) == authors(str(tmp_path / "nowhere")) == []


def test_the_papers_file_is_measured_when_it_is_given_and_said_to_be_missing_else(
    tmp_path: Path,
) -> None:
    records = []
    for number, talk in enumerate(dialogues(count=30)):
        records.append(asked(f"key_{number}", talk.rounds[0], "OK"))
        records += [asked(str(number), text) for text in talk.rounds[1:]]
        records.append(asked(f"answer_{number}", "Which?", talk.item))
    (tmp_path / "keys.jsonl").write_text(lines_of(*records), "utf-8")
    with ScratchLab(Sir, place=str(tmp_path / "a"), data=str(tmp_path)) as lab:
        first = next(iter(Sir().selftest(lab)))
        assert "(the paper's 30 dialogues)" in first.name
        assert lab.skipped == []
    with ScratchLab(Sir, place=str(tmp_path / "b")) as lab:
        next(iter(Sir().selftest(lab)))
        assert "keys.jsonl" in lab.skipped[0][1]


def test_a_data_set_with_answers_is_packed_and_held_against_cutting_off(tmp_path: Path) -> None:
    filler = "The ferry was late again because of the wind. " * 30
    text = f"{filler}The aardvark sleeps in Ostrava. {filler}"
    (tmp_path / "corpus.jsonl").write_text(lines_of({"id": "a", "title": "Ferry", "text": text}))
    told = {"id": "q", "text": "Where does the aardvark sleep?", "answer": "Ostrava"}
    (tmp_path / "queries.jsonl").write_text(lines_of(told, {**told, "answer": "yes"}, {"id": "x"}))
    assert questions_of(str(tmp_path)) == [("Where does the aardvark sleep?", "ostrava")]
    with ScratchLab(Sir, place=str(tmp_path / "a"), data=str(tmp_path)) as lab:
        found = {check.name: check for check in Sir().selftest(lab)}
    check = found["what stays of 1 answers in 200 tokens"]
    assert check.measured.startswith("1 packed, 0 cut off")
    assert check.measured.endswith("it helps here")
    assert questions_of(str(tmp_path / "a")) == []


def test_means_follow_the_tree_and_old_digests_go(lab: ScratchLab) -> None:
    desk = lab.tree({**BEES, "a/b/hens.md": "# Hens\n\nHens lay eggs.\n"})
    desk.follow()
    before = set(means_of(desk.context))
    desk.write("a/b/hens.md", "# Hens\n\nThe hens went away.\n")
    desk.follow()
    context = desk.context
    assert set(means_of(context)) == {ref.digest for ref in context.tree.entries()} != before
    follow(context)
    assert len(means_of(context)) == 2


def test_a_model_that_tells_probabilities_is_preferred(lab: ScratchLab) -> None:
    desk = lab.tree(BEES, capabilities=("json", "raw", "logprobs"))
    desk.tree.without_model = False
    desk.tree.language_model = Telling(
        [], lambda text: [(w, -9.0 if w == "keeps" else -1.0) for w in text.split()], name="told"
    )
    assert Sir().mode(desk.context).label == "logprobs"
    report = show(desk, "Bees")
    assert isinstance(report.value, dict)
    assert report.value["by"] == "told"
    nats = {word["word"]: word["nats"] for line in report.value["lines"] for word in line["words"]}
    assert nats["keeps"] == 9.0
    hit = Ranked(path="a/b/bees.md", score=1.0, text=BEES["a/b/bees.md"], lines=(1, 3))
    context = desk.context
    context.budget.tokens = 30
    packed = Sir().pack(Query("bees"), [hit], context)
    assert "(told)" in packed.note
    assert "aardvark" not in packed.pieces[-1].text


def test_tokens_of_a_model_find_their_places_in_the_text() -> None:
    told = aligned("Ana keeps bees", [(" Ana", -1.0), (" kee", -2.0), ("ps", -3.0), ("\ufffd", -4),
                                      (" bees", -5.0)])  # fmt: skip
    assert told == [(0, 3, 1.0), (4, 7, 2.0), (7, 9, 3.0), (10, 14, 5.0)]


@given(st.floats(0, 20), st.floats(0.1, 20), st.floats(0, 40_000), st.floats(0, 40_000))
def test_points_are_bounded(mean: float, average: float, today: float, settled: float) -> None:
    signals = Signals(importance=50, maturity="draft", recency=1, today=max(today, settled),
                      settled=min(today, settled))  # fmt: skip
    added = points(mean, average, signals, "2020-01-01", weight=5, decay=0.9, tick_days=30)
    assert -5 <= added <= 5


def test_settling_again_on_the_same_day_adds_nothing() -> None:
    signals = Signals(importance=50, maturity="draft", recency=1, today=900, settled=900)
    assert points(9, 3, signals, "1971-01-01", weight=5, decay=0.9, tick_days=30) == 0


def test_the_commands_show_lines_and_figures(lab: ScratchLab) -> None:
    desk = lab.tree(BEES)
    report = show(desk, "a/b/bees.md")
    assert "# Bees" in report.lines[1]
    figures = stats(desk)
    assert isinstance(figures.value, dict)
    assert figures.value["entries"] == 1
    assert stats(lab.tree({})).code == 1
    with pytest.raises(EntryNotFound):
        show(desk, "nowhere")
