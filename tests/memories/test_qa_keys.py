"""Stored questions: which are the same, what is kept of them, and what is never served."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.hosting.lab import ScratchLab
from memtree.memories.qa_keys import QaKeys, fixture
from memtree.memories.qa_keys.answering import weigh
from memtree.memories.qa_keys.asking import taken_apart, unaccented
from memtree.memories.qa_keys.commands import add, build, list_, remove, show
from memtree.memories.qa_keys.headings import pairs_of
from memtree.memories.qa_keys.hops import phrase_of
from memtree.memories.qa_keys.keys import FILE, opened
from memtree.memories.qa_keys.making import agrees, chunks, reason_against
from memtree.memories.qa_keys.pairs import clean, name_of, read, stands, words_of
from memtree.memories.qa_keys.paraphrases import FRESH_OTHER, FRESH_SAME, OTHER, SAME
from memtree.memories.qa_keys.questions import compared, is_slip
from memtree.plugins import EntryView
from memtree.testing import PluginContract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memtree.hosting.desk import WorkDesk


class TestContract(PluginContract):
    plugin = QaKeys


def is_same(stored: str, asked: str) -> bool:
    return compared(taken_apart(asked), taken_apart(stored), weigh).is_sure


@pytest.mark.parametrize(("stored", "asked"), [*OTHER, *FRESH_OTHER])
def test_a_question_that_only_looks_alike_is_another(stored: str, asked: str) -> None:
    assert not is_same(stored, asked)
    assert not is_same(asked, stored)


def test_most_paraphrases_are_known() -> None:
    assert sum(is_same(*pair) for pair in SAME) >= 50
    assert sum(is_same(*pair) for pair in FRESH_SAME) >= 20


@given(st.sampled_from([pair for pairs in (SAME, OTHER) for pair in pairs]))
def test_same_is_the_same_both_ways(pair: tuple[str, str]) -> None:
    assert is_same(*pair) == is_same(*reversed(pair))


@given(st.text(max_size=200))
def test_any_text_is_the_same_as_itself(text: str) -> None:
    assert compared(taken_apart(text), taken_apart(text), weigh).is_sure


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    found = compared(taken_apart(one), taken_apart(other), weigh, weigh)
    assert 0 <= found.share <= 1


def test_a_slip_is_one_letter_or_two_that_swapped_in_a_long_word() -> None:
    assert is_slip("migraton", "migration")
    assert is_slip("gatewya", "gateway")
    assert not is_slip("cat", "car")
    assert not is_slip("staging", "logging")
    assert not is_slip("port8080", "port8081")


@given(st.text(max_size=300))
def test_every_id_has_a_file_of_its_own_that_leads_nowhere_else(identity: str) -> None:
    name = name_of(identity)
    parts = name.split("/")
    assert parts[0] == "qa"
    assert all(part and not part.startswith(".") for part in parts)
    assert all(part.isprintable() and "\\" not in part and ":" not in part for part in parts)


def test_records_that_make_no_sense_are_left_out() -> None:
    records: list[dict[str, object]] = [
        {"q": "Where is it?", "a": "here", "by": "llm", "digest": "1", "span": [3, 4]},
        {"q": "where is it", "a": "there", "by": "human", "digest": 7, "span": [4, 3]},
        {"q": 5, "a": "x"}, {"q": "?", "a": "x"}, {"q": "Who?", "a": ""}, {"digest": "1"},
        {"q": "What is long?", "a": "x" * 601},
    ]  # fmt: skip
    (pair,) = read(records)
    assert (pair.answer, pair.by, pair.digest, pair.lines) == ("there", "human", "", (0, 0))


def test_what_controls_a_terminal_does_not_come_through() -> None:
    assert clean("a\x1b[31m\nb\u202ec", 50) == "a [31m b c"


def test_an_answer_stands_word_by_word() -> None:
    assert stands("30 Seconds", words_of("The timeout is 30 seconds."))
    assert not stands("0 seconds", words_of("The timeout is 30 seconds."))
    assert stands("東京", words_of("東京に住んでいます"))
    assert not stands("--", words_of("a -- b"))


def entry(body: str, title: str = "Notes") -> EntryView:
    return EntryView(path="a/b/c.md", id="a/b/c", title=title, type="", tags=(), meta={},
                     body=body, first=4, digest="d")  # fmt: skip


def test_a_heading_that_asks_is_a_question_with_what_stands_below() -> None:
    body = (
        "# What is this?\n\nNotes on **routers**.\n\n## How do I reset it?\n- Hold it.\n- Wait.\n"
        "## Empty?\n## No question\ntext\n```\n# Is this code?\nyes\n```\n### Why so, then?\n"
    )
    found = [(pair.question, pair.answer, pair.lines) for pair in pairs_of(entry(body))]
    assert found == [
        ("What is this?", "Notes on routers.", (6, 6)),
        ("How do I reset it?", "Hold it. Wait.", (9, 10)),
    ]


@pytest.mark.parametrize(
    ("below", "answer", "lines"),
    [
        ("Do this:\n\n1. Hold it\n2. Wait\n   ten seconds\n\n3) Look\n\nMore.",
         "Do this: 1. Hold it 2. Wait ten seconds 3) Look", (6, 12)),
        ("- tea\n- green tea\n\nMore.", "tea; green tea", (6, 7)),
        ("> One line\n> goes on.\n\nMore.", "One line goes on.", (6, 7)),
        ("Run:\n```\nmake all\nmake test\n```\nMore.", "Run: make all make test", (6, 9)),
        ("One.\n- tea", "One.", (6, 6)),
        ("Run:\n## Next", "Run:", (6, 6)),
        ("- " + "a" * 500 + "\n- " + "b" * 200, "a" * 500 + " …", (6, 6)),
        ("a" * 601, "", None),
    ],
)  # fmt: skip
def test_a_list_below_a_heading_is_given_whole(
    below: str, answer: str, lines: tuple[int, int] | None
) -> None:
    found = pairs_of(entry(f"## How do I reset it?\n\n{below}\n"))
    assert [(each.answer, each.lines) for each in found] == ([(answer, lines)] if lines else [])


@given(st.lists(st.sampled_from(["", "# A b?", "- x:", "1. y", "> z", "```", "text:", "more"])))
def test_any_entry_has_answers_in_its_own_lines(body: list[str]) -> None:
    for pair in pairs_of(entry("\n".join(body))):
        assert pair.answer
        assert 4 < pair.lines[0] <= pair.lines[1] < 4 + len(body)


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("Where does Ana live?", "Oslo", ""),
        ("Where does Ana live", "Oslo", "no question"),
        ("Where does Ana live?", "Rome", "the answer does not stand in the entry"),
        ("Does Ana live in Oslo?", "Oslo", "the answer stands in the question"),
        ("Where does she live?", "Oslo", "it can't be understood without the entry"),
        ("Where was it?", "Oslo", "it can't be understood without the entry"),
        ("What does the note say of Ana?", "Oslo", "it can't be understood without the entry"),
    ],
)
def test_a_model_s_pair_is_judged_before_it_is_asked_back(
    question: str, answer: str, why: str
) -> None:
    assert reason_against(question, answer, words_of("Ana lives in Oslo.")) == why


def test_two_answers_agree_when_words_and_numbers_do() -> None:
    assert agrees("Oslo.", "oslo")
    assert agrees("in the old town of Oslo", "the old town of Oslo")
    assert not agrees("30 seconds", "40 seconds")
    assert not agrees("Bergen", "Oslo")
    assert not agrees("", "")


@given(st.text(max_size=20000))
def test_what_a_model_reads_is_bounded(body: str) -> None:
    parts = chunks(body)
    assert len(parts) <= 3
    assert all(0 < len(part) <= 2400 for part in parts)


def test_the_words_of_a_stored_question_are_found_in_another() -> None:
    inner = taken_apart("Who is the manager of Project Falcon?")
    for text, phrase in (
        ("Where does the manager of Project Falcon live?", "the manager of Project Falcon"),
        ("Where was Project Falcon's manager born?", "Project Falcon's manager"),
        ("What is the manager of Project Falcon's dog called?", "the manager of Project Falcon"),
        ("Where does the manager of Project Eagle live?", None),
        ("Who is the manager of the office of Project Falcon?", None),
    ):
        span = phrase_of(text, inner)
        assert (text[slice(*span)] if span else None) == phrase


# -- in a tree --------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(QaKeys, place=str(tmp_path)) as made:
        yield made


def stored(desk: WorkDesk, path: str = fixture.ANA) -> list[object]:
    desk.follow()
    ref = desk.context.tree.ref(path)
    assert ref is not None
    return [record.get("q") for record in desk.context.sidecar.read(name_of(ref.id))]


def test_a_person_s_own_question_is_served_until_the_entry_is_edited(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    assert desk.status.state == "degraded"
    add(desk, "Ana Ruiz", question="Where is Ana at home?", answer="oslo")
    assert desk.query("where is ana at home").answer == f"oslo ({fixture.ANA})"
    desk.write(fixture.ANA, desk.read(fixture.ANA) + "\nMore.\n")
    assert not desk.retrieve("Where is Ana at home?").hits
    assert stored(desk) == ["Where is Ana at home?"]  # a person's work is not thrown away
    report = list_(desk)
    assert "stale" in report.lines[-2]
    add(desk, fixture.ANA, question="Where is Ana at home?", answer="Oslo")
    assert desk.retrieve("Where is Ana at home?").answer == "Oslo"
    assert len(stored(desk)) == 1


def test_an_answer_that_does_not_stand_in_the_entry_is_refused(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    with pytest.raises(Refused, match="does not stand"):
        add(desk, "Ana Ruiz", question="Where does Ana live?", answer="Rome")
    with pytest.raises(UsageError, match="question"):
        add(desk, "Ana Ruiz", question="?", answer="Oslo")
    with pytest.raises(EntryNotFound):
        add(desk, "Nobody", question="Where does Ana live?", answer="Oslo")


def test_a_file_that_a_person_edits_counts_at_once(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    desk.follow()
    ref = desk.context.tree.ref(fixture.ANA)
    assert ref is not None
    record = {"q": "Which town is Ana's?", "a": "Oslo", "digest": ref.digest, "by": "human"}
    desk.context.sidecar.write(name_of(ref.id), [record])
    assert desk.retrieve("Which town is Ana's?").answer == "Oslo"
    desk.context.sidecar.write(name_of(ref.id), [])
    assert not desk.retrieve("Which town is Ana's?").hits


def test_answers_that_differ_are_not_given_and_that_is_said(lab: ScratchLab) -> None:
    desk = lab.tree({**fixture.FILES, "people/old/ana.md": "# Ana in 2020\n\nShe lives in Bonn.\n"})
    add(desk, fixture.ANA, question="Where does Ana live?", answer="Oslo")
    add(desk, "people/old/ana.md", question="Where does Ana live?", answer="Bonn")
    ranking = desk.retrieve("Where does Ana live?")
    assert not ranking.sure
    assert len(ranking.hits) == 2
    found = desk.query("Where does Ana live?")
    assert any("different ways" in note for note in found.notes)


def test_a_question_is_asked_within_its_folder(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    add(desk, fixture.ANA, question="Where does Ana live?", answer="Oslo")
    assert not desk.retrieve("Where does Ana live?", scope="work").hits
    assert desk.retrieve("Where does Ana live?", scope="people").sure


def test_a_slip_of_the_pen_is_forgiven_where_the_tree_has_no_such_word(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    add(desk, fixture.ANA, question="In which fjord town is Ana at home?", answer="Oslo")
    assert desk.retrieve("In which fjrod town is Ana at home?").sure


def test_a_moved_entry_keeps_its_pairs(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES, model=fixture.Writer())
    build(desk)
    text = desk.read(fixture.ANA)
    desk.remove(fixture.ANA)
    desk.write("people/past/ana.md", text)
    found = desk.retrieve("Where does Ana Ruiz live?")
    assert found.answer == "Oslo"
    assert found.hits[0].path == "people/past/ana.md"


def test_a_build_can_stop_and_go_on(lab: ScratchLab) -> None:
    writer = fixture.Writer()
    desk = lab.tree(fixture.FILES, model=writer)
    assert desk.status.state == "active"
    first = build(desk, limit=2)
    assert isinstance(first.value, dict)
    assert (first.value["read"], first.value["left"]) == (2, len(fixture.FILES) - 2)
    assert writer.read == 2
    build(desk)
    assert writer.read == len(fixture.FILES)


def test_a_model_that_follows_no_schema_is_said(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES, model=lambda _: "[]")
    with pytest.raises(Exception, match="no questions"):
        build(desk, limit=1)


def test_what_is_taken_out_is_gone(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    add(desk, fixture.ANA, question="Where does Ana live?", answer="Oslo")
    assert show(desk, "Ana Ruiz").code == 0
    assert remove(desk, "Ana Ruiz", question="where does ana live").code == 0
    assert remove(desk, "Ana Ruiz").code == 1
    assert show(desk, "Ana Ruiz").code == 1


def test_accents_may_be_left_out_of_latin_letters(lab: ScratchLab) -> None:
    desk = lab.tree({**fixture.FILES, "people/all/zoe.md": "# Zoë\n\nZoë wohnt in Köln.\n"})
    add(desk, "Zoë", question="Wo wohnt Zoë?", answer="Köln")
    for text in ("wo wohnt zoe", "Wo wohnt Zoe\u0308?", "WO WOHNT ZOË"):
        assert desk.retrieve(text).answer == "Köln"
    assert unaccented("Été, Łódź, ガ, й, 한, Ω\u0301") == "Ete, Łodz, ガ, й, 한, Ώ"


@given(st.text())
def test_what_has_no_accents_has_none_to_lose(text: str) -> None:
    assert unaccented(unaccented(text)) == unaccented(text)


def test_keys_of_an_older_version_are_made_again(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    desk.follow()
    with contextlib.closing(sqlite3.connect(f"{desk.context.cache.folder}/{FILE}")) as base:
        base.executescript("UPDATE pair SET plain = '?', q = '?'; PRAGMA user_version = 1;")
    assert desk.retrieve("How do I reset the router?").sure


def test_what_is_no_folder_and_no_number_is_a_slip(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    for command in (build, list_):
        with pytest.raises(EntryNotFound, match="no entries below 'no/such'"):
            command(desk, "no/such")
        with pytest.raises(UsageError, match="limit"):
            command(desk, limit=-1)


def test_where_nothing_waits_no_model_is_missed(lab: ScratchLab) -> None:
    report = build(lab.tree({}))
    assert report.code == 0
    assert "nothing to do" in report.lines[0]


def test_a_damaged_cache_is_made_again(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES)
    desk.follow()
    path = f"{desk.context.cache.folder}/{FILE}"
    with open(path, "wb") as file:
        file.write(b"no database" * 100)
    assert desk.retrieve("How do I reset the router?").sure
    with opened(desk.context) as keys:
        assert keys.counts() == {"heading": 2}


def test_no_chain_is_begun_that_does_not_end(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES, model=fixture.Writer())
    build(desk)
    found = desk.ask("What does the manager of Project Falcon earn?")
    assert not any("step 1" in note for note in found.notes)


def test_pairs_are_lines_that_people_can_read(lab: ScratchLab) -> None:
    desk = lab.tree(fixture.FILES, model=fixture.Writer())
    build(desk)
    ref = desk.context.tree.ref(fixture.FALCON)
    assert ref is not None
    first = desk.context.sidecar.read(name_of(ref.id))[0]
    assert json.loads(json.dumps(first)) == {
        "q": "Who is the manager of Project Falcon?", "a": "Ana Ruiz", "span": [3, 3],
        "digest": ref.digest, "by": "llm",
    }  # fmt: skip


def test_many_files_that_changed_are_read_bit_by_bit(lab: ScratchLab) -> None:
    files = {f"a/b/c{n}.md": f"# C{n}\n\nUnit {n} stands in hall {n}.\n" for n in range(30)}
    desk = lab.tree(files)
    desk.follow()
    ctx = desk.context
    for ref in ctx.tree.entries():
        n = ref.path[5:-3]
        record = {"q": f"Where does unit {n} stand?", "a": f"hall {n}", "digest": ref.digest}
        ctx.sidecar.write(name_of(ref.id), [record])
    seen = []
    for _ in range(40):
        with opened(ctx, within=1e-9) as keys:
            seen.append(sum(keys.counts().values()))
    assert seen[-1] == 30
    assert seen == sorted(seen)  # each question goes on where the one before stopped
    with opened(ctx) as keys:
        assert keys.counts() == {"human": 30}
    assert desk.retrieve("Where does unit 7 stand?").answer == "hall 7"
