"""Thoughts: which sentences are some, what is kept, forgotten, merged, and recalled."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import EntryNotFound
from memtree.hosting.lab import ScratchLab
from memtree.memories.tim import Tim
from memtree.memories.tim.acceptance import ANA, FILES, QUESTION, TOM
from memtree.memories.tim.commands import list_, sweep
from memtree.memories.tim.grounds import answers
from memtree.memories.tim.memory import groups_of, thoughts
from memtree.memories.tim.relations import relation_of, sentences
from memtree.plugins import Answered, Feedback, Sweep
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memtree.hosting.desk import WorkDesk


class TestContract(PluginContract):
    plugin = Tim


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("Ana lives in Oslo.", ("ana", "life in", "oslo")),
        ("Ana no longer lives in Oslo.", ("ana", "not life in", "oslo")),
        ("The staging gateway has a timeout of 30 s.",
         ("staging gateway", "have", "a timeout of 30 s")),
        ("Our team uses Postgres", ("team", "use", "postgres")),
        ("Ana is not a cook.", ("ana", "not be", "a cook")),
        ("Ana Ruiz works at Nordlys.", ("ana ruiz", "work at", "nordlys")),
        ("She lives in Oslo.", None),
        ("Where does Ana live?", None),
        ("If Ana lives in Oslo, call her.", None),
        ("Ana!", None),
        ("Yes", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_sentence_is_a_relation_or_it_is_not(
    sentence: str, key: tuple[str, str, str] | None
) -> None:
    found = relation_of(sentence)
    assert (found.key if found else None) == key


@pytest.mark.parametrize(
    ("sentence", "key"),
    [
        ("Ana lives in Oslo.", ("ana", "life in", "oslo")),
        ("Tom painted the fence in May.", ("tom", "paint", "the fence in may")),
        ("The Nordlys Project replaces Falcon.", ("nordlys project", "replac", "falcon")),
        ("Tom never painted the fence.", ("tom", "not paint", "the fence")),
        ("Zoë wohnt in Köln.", ("zoë", "wohnt in", "köln")),
        ("Tom's brother painted the fence.", None),
        ("Tom and Ana painted the fence.", None),
        ("painted the fence again", None),
        ("The fence broke down.", None),
        ("Tom painted.", None),
        ("Who painted the fence?", None),
    ],
)  # fmt: skip
def test_a_name_with_any_verb_is_a_relation_where_something_is_stated(
    sentence: str, key: tuple[str, str, str] | None
) -> None:
    found = relation_of(sentence, any_verb=True)
    assert (found.key if found else None) == key


@given(st.text(max_size=400))
def test_any_text_has_sentences_and_relations_or_none(text: str) -> None:
    for each in sentences(text):
        for found in (relation_of(each), relation_of(each, any_verb=True)):
            assert found is None or (found.head and found.relation and found.tail)


def test_the_places_that_an_answer_names_are_no_part_of_it() -> None:
    text = "Ana lives in Oslo. (people/a b.md:3-4)\n# Head\n- Tom is 7 (yes). (a.md)"
    assert list(sentences(text)) == ["Ana lives in Oslo.", "Tom is 7 (yes)."]


def test_an_abbreviation_ends_no_sentence() -> None:
    text = "Ferndale lies on U.S. Route 52. Dr. Wolf lives there with Mrs. Wolf! Yes."
    assert list(sentences(text)) == [
        "Ferndale lies on U.S. Route 52.", "Dr. Wolf lives there with Mrs. Wolf!", "Yes.",
    ]  # fmt: skip


def test_odd_answers_are_read_in_time() -> None:
    started = time.perf_counter()
    list(sentences("(" + "a.md" * 20_000))
    list(sentences("(a.md, " * 10_000))
    assert time.perf_counter() - started < 2


# -- in a tree --------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Tim, place=str(tmp_path)) as made:
        yield made


def thought(text: str, *, at: str = "2024-01-01", sources: str = "[people/team/ana]") -> str:
    return f"---\ntype: thought\ntime: {at}\nfrom: {sources}\n---\n{text}\n"


def answered(desk: WorkDesk, answer: str, *used: str, query: str = QUESTION) -> list[str]:
    done = desk.propose(Answered(query=query, answer=answer, used=used or (ANA,)))
    desk.follow()
    return [path for _, path, _ in done.applied]


def test_a_thought_is_an_entry_that_names_what_it_rests_on(lab: ScratchLab) -> None:
    desk = lab.tree(FILES, now="2024-05-01T10:00:00Z")
    (path,) = answered(desk, f"Ana lives in Oslo. ({ANA}:3)")
    entry = desk.context.tree.get(path)
    assert entry is not None
    assert entry.type == "thought"
    assert entry.meta["from"] == ["people/team/ana"]
    assert entry.meta["asked"] == [QUESTION]
    assert entry.body.strip() == "Ana lives in Oslo."
    assert "people/team/ana" in list_(desk).lines[0]


def test_what_rests_on_nothing_or_on_thoughts_is_not_kept(lab: ScratchLab) -> None:
    desk = lab.tree({**FILES, "thoughts/a/b.md": thought("Ana lives in Oslo.")})
    assert not answered(desk, "Ana lives in Rome.", "no/such/entry.md")
    assert not answered(desk, "Ana lives in Rome.", "thoughts/a/b.md")
    assert not answered(desk, "   ")
    assert not desk.propose(Answered(query="?", answer="Ana is 3.", used=(ANA,),
                                     status="absent")).applied  # fmt: skip
    assert not desk.propose(Feedback(path=ANA, verdict="wrong")).applied


def test_a_thought_that_an_entry_contradicts_is_not_served(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    answered(desk, "Ana lives in Oslo.")
    assert desk.retrieve(QUESTION).sure
    desk.write("people/team/news.md", "# News\n\nAna no longer lives in Oslo.\n")
    assert not desk.retrieve(QUESTION).sure
    assert any("can't both hold" in note for note in desk.query(QUESTION).notes)


def test_a_thought_is_not_kept_twice(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    assert len(answered(desk, "Ana lives in Oslo. Ana lives in Oslo.")) == 1
    assert not answered(desk, "Ana lives in Oslo.")
    answered(desk, "Ana lives in Oslo.", query="Does Ana live in Oslo?")
    assert len(thoughts(desk.context)) == 1


def test_what_was_quoted_besides_is_no_answer_and_no_thought(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    said = f"Ana lives in Oslo. ({ANA}:3)\nTom owns a red canoe. (people/team/tom.md:3)"
    assert not answered(desk, said, query="Where was Ana born?")
    (path,) = answered(desk, said, ANA, "people/team/tom.md", query="What does Tom own?")
    (known,) = thoughts(desk.context)
    assert known.path == path
    assert known.sources == ("people/team/tom",)  # who says it, and not all that was used


def test_a_thought_that_answers_another_question_too_is_noted(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    answered(desk, "Ana lives in Oslo.")
    answered(desk, "Ana lives in Oslo.", query="Does Ana live in Oslo?")
    (known,) = thoughts(desk.context)
    assert known.asked == (QUESTION, "Does Ana live in Oslo?")
    assert desk.retrieve("does Ana live in Oslo").sure


@pytest.mark.parametrize(
    ("statement", "question", "expected"),
    [
        ("Ana lives in Oslo.", "Where does Ana live?", True),
        ("Ana lives in Oslo.", "Where was Ana born?", False),
        ("Ana lives with Tom.", "Where does Ana live?", False),
        ("Ana no longer lives in Oslo.", "Does Ana live in Oslo?", True),
        ("Ana moved in May 2021.", "When did Ana move?", True),
        ("Ana moved in a hurry.", "When did Ana move?", False),
        ("Ana moved in May.", "When did Ana move?", True),
        ("Ana moved on Monday.", "When did Ana move?", True),
        ("Ana moved yesterday.", "When did Ana move?", False),
        ("Ana may move on foot.", "When did Ana move?", False),
        ("Ana met Tom on Monday.", "When did Ana meet Tom on Monday?", False),
        ("Ana moved in May 2021.", "Where did Ana move?", False),
        ("Ana moved in April.", "Where did Ana move?", False),
        ("Ana moved to Oslo in April.", "Where did Ana move?", True),
        ("Ana has 3 dogs.", "How many dogs does Ana have?", True),
        ("Ana has some dogs.", "How many dogs does Ana have?", False),
        ("Ana lives in Oslo.", "???", False),
    ],
)
def test_a_statement_answers_a_question_or_not(
    statement: str, question: str, *, expected: bool
) -> None:
    assert answers(statement, question) == expected


def test_no_thought_is_served_of_another_question(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    answered(desk, "Ana lives in Oslo.")
    assert desk.retrieve("where does ANA live").sure
    assert not desk.retrieve("Where does Ana work?").hits
    found = desk.retrieve("Ana lives Oslo")
    assert found.hits
    assert not found.sure


def test_the_older_of_two_that_disagree_goes_whichever_was_written_first(lab: ScratchLab) -> None:
    desk = lab.tree({
        **FILES,
        "thoughts/ana/a.md": thought("Ana lives in Rome.", at="2024-06-01", sources="[]"),
        "thoughts/ana/b.md": thought("Ana lives in Oslo.", at="2023-06-01", sources="[]"),
    })  # fmt: skip
    report = sweep(desk, dry_run=True)
    assert report.lines[0].startswith("archive thoughts/ana/b.md: contradicted-by")
    assert len(thoughts(desk.context)) == 2
    sweep(desk)
    assert [each.path for each in thoughts(desk.context)] == ["thoughts/ana/a.md"]
    assert sweep(desk).lines[0] == "nothing to forget, nothing to merge"


def test_a_merged_thought_of_which_one_statement_falls_is_marked_and_stays(
    lab: ScratchLab,
) -> None:
    both = "Ana lives in Oslo.\n\n## Ana uses Vim\n\nAna uses Vim."
    desk = lab.tree({
        **FILES,
        "thoughts/ana/a.md": thought(both, at="2023-01-01", sources="[]"),
        "thoughts/ana/b.md": thought(
            "Ana no longer lives in Oslo.", at="2024-01-01", sources="[]"
        ),
    })  # fmt: skip
    sweep(desk)
    assert len(thoughts(desk.context)) == 2
    assert "contradicted-by" in desk.read("thoughts/ana/a.md")


def test_a_thought_is_forgotten_when_its_source_says_the_opposite(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    answered(desk, "Ana lives in Oslo.")
    desk.write(ANA, "# Ana\n\nAna lives in Oslo. She moved there in 2021.\n")
    sweep(desk)
    assert len(thoughts(desk.context)) == 1
    desk.write(ANA, "# Ana\n\nAna no longer lives in Oslo.\n")
    sweep(desk)
    assert not thoughts(desk.context)


def test_a_sweep_looks_only_below_its_folder(lab: ScratchLab) -> None:
    desk = lab.tree({
        "thoughts/ana/a.md": thought("Ana uses Vim.", sources="[]"),
        "thoughts/ana/b.md": thought("Ana uses Git.", sources="[]"),
        "thoughts/tom/a.md": thought("Tom uses Vim.", sources="[]"),
        "thoughts/tom/b.md": thought("Tom uses Git.", sources="[]"),
    })  # fmt: skip
    desk.follow()
    done = desk.propose(Sweep(scope="thoughts/tom"))
    assert {path.split("/")[1] for _, path, _ in done.applied} == {"tom"}


def test_buckets_are_the_same_again_with_vectors_and_without(lab: ScratchLab) -> None:
    files = {f"thoughts/x/t{n}.md": thought(f"Item{n} has part{n % 5}.") for n in range(30)}
    for embedder in ("builtin", "none"):
        desk = lab.tree(files, embedder=embedder)
        desk.follow()
        found = thoughts(desk.context)
        first = groups_of(found, desk.context)
        assert first == groups_of(found, desk.context)
        assert any(len(group) > 1 for group in first)


def test_a_person_s_odd_front_matter_is_no_trouble(lab: ScratchLab) -> None:
    odd = "---\ntype: thought\nfrom: {a: 1}\ndigests: 7\nasked: [1, [2], null]\n---\nTom is 7.\n"
    desk = lab.tree({"thoughts/a/b.md": odd, "thoughts/a/c.md": "---\ntype: thought\n---\n"})
    assert sweep(desk).code == 0
    assert len(list_(desk).lines) == 2


def test_a_model_that_gives_no_list_leaves_the_rules(lab: ScratchLab) -> None:
    desk = lab.tree(FILES, model=lambda _: json.dumps({"thought": 1}))
    assert len(answered(desk, "Ana lives in Oslo.")) == 1


def test_a_model_s_thought_may_take_words_of_the_question(lab: ScratchLab) -> None:
    desk = lab.tree(FILES, model=lambda _: json.dumps({"thoughts": ["Ana lives in Oslo."]}))
    assert desk.status.state == "active"
    assert len(answered(desk, "Oslo")) == 1


def test_a_model_s_thought_may_have_any_verb(lab: ScratchLab) -> None:
    said = ["Tom painted the fence in April.", "Tom mended the fence in April."]
    desk = lab.tree(FILES, model=lambda _: json.dumps({"thoughts": said}))
    kept = answered(desk, "Tom painted the fence in April.", query="When did Tom paint the fence?")
    assert kept == ["thoughts/tom/tom-painted-the-fence-in-april.md"]


def test_by_rules_a_sentence_about_a_name_of_the_question_is_a_thought(lab: ScratchLab) -> None:
    desk = lab.tree({**FILES, TOM: "# Tom\n\nTom painted the fence in April.\n"})
    answer = "Tom painted the fence in April. Everyone painted the fence in June."
    assert answered(desk, answer, TOM, query="When did Tom paint the fence?") \
        == ["thoughts/tom/tom-painted-the-fence-in-april.md"]  # fmt: skip
    assert not answered(desk, answer, TOM, query="Who painted the fence?")
    assert desk.query("When did Tom paint the fence?").hits[0].path.startswith("thoughts/")


def test_thoughts_of_a_folder_that_is_not_there_are_a_slip(lab: ScratchLab) -> None:
    desk = lab.tree(FILES)
    for command in (sweep, list_):
        with pytest.raises(EntryNotFound, match="no entries below 'no/such'"):
            command(desk, "no/such")


def test_it_says_in_which_mode_it_is(lab: ScratchLab) -> None:
    assert lab.tree(FILES).status.mode == "thoughts=rules"
    assert lab.tree(FILES, model=lambda _: "{}", embedder="none").status.mode == "hash=lexical"
