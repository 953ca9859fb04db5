"""The second stage: order of candidates, and evidence, on small made-up notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tantivy

from memtree.retrieve import english
from memtree.retrieve.candidate import Candidate, Question, asking_share, names_of
from memtree.retrieve.dates import date_match, dates_in
from memtree.retrieve.evidence import Evidence, evidence
from memtree.retrieve.matches import said
from memtree.retrieve.ranking import rank, term_weights

if TYPE_CHECKING:
    from collections.abc import Callable


def _analyzer(*, stem: bool) -> Callable[[str], list[str]]:
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
    )
    if stem:
        builder = builder.filter(tantivy.Filter.stemmer("english"))
    return builder.build().analyze


stems = _analyzer(stem=True)
plain = _analyzer(stem=False)


def note(key: str, text: str, *, title: str = "", links: tuple[str, ...] = ()) -> Candidate:
    names = [stems(name) for name in names_of(title)]
    return Candidate(key, key, stems(text), title=stems(title), names=names, links=links)


def turn(number: int, speaker: str, text: str, *, time: str = "", session: str = "s") -> Candidate:
    return Candidate(
        f"{session}{number}",
        f"{session}{number}",
        stems(text),
        context=stems(speaker),
        speaker=stems(speaker),
        time=time,
        session=session,
        turn=number,
        asks=asking_share(text),
    )


def ask(text: str, notes: list[Candidate], *, size: int | None = None) -> Question:
    def frequency(stem: str) -> int:
        return sum(stem in {*n.body, *n.title, *n.context} for n in notes)

    words = plain(text)
    return Question(
        stems(text),
        words=words,
        stops=[word in english.STOP_WORDS for word in words],
        frequency=frequency,
        documents=size or len(notes),
        average_length=sum(len(n.body) + len(n.title) for n in notes) / max(1, len(notes)),
        english=english,
    )


def order(text: str, notes: list[Candidate]) -> list[object]:
    return [one.candidate.key for one in rank(ask(text, notes), notes)]


FILLER = [
    note(f"filler {at}", text)
    for at, text in enumerate(
        (
            "The bread must rest for an hour before it goes in the oven.",
            "Backups run every night and are kept for a month.",
            "A bicycle chain wants oil after every ride in the rain.",
            "The lease ends in autumn and must be renewed by letter.",
            "Tomatoes are planted out after the last frost.",
            "The printer is on the second floor beside the kitchen.",
        )
    )
]


def test_rare_words_count_more_than_common_ones() -> None:
    notes = [note("a", "the cache of the server"), note("b", "the quorum of the vote")]
    notes += [note(f"c{n}", "a server and a cache") for n in range(8)]
    assert order("which server has a quorum", notes)[0] == "b"


def test_nothing_to_rank_gives_nothing() -> None:
    assert rank(ask("anything", FILLER), []) == []
    assert rank(ask("", FILLER), FILLER) == []


def test_a_question_of_stop_words_alone_is_still_answered() -> None:
    notes = [note("hamlet", "to be or not to be"), *FILLER]
    assert order("to be or not to be", notes)[0] == "hamlet"


def test_irregular_forms_are_the_same_word() -> None:
    notes = [note("went", "We went to Lisbon."), note("other", "We like Lisbon."), *FILLER]
    assert order("Who did go to Lisbon?", notes)[0] == "went"


def test_an_entry_comes_once_with_its_best_passage() -> None:
    notes = [
        Candidate("a1", "a", stems("the pump leaks oil")),
        Candidate("a2", "a", stems("the pump leaks oil under pressure")),
        *FILLER,
    ]
    ranked = rank(ask("pump pressure oil", notes), notes)
    assert [one.candidate.key for one in ranked if one.candidate.entry == "a"] == ["a2"]


def test_the_named_speaker_comes_before_the_other() -> None:
    notes = [
        turn(1, "Ines", "I adopted a dog."),
        turn(8, "Omar", "I adopted a dog."),
        *(turn(n, "Omar", f"Number {n} is fine.") for n in range(20, 26)),
    ]
    assert order("When did Omar adopt a dog?", notes)[0] == "s8"
    assert order("When did Ines adopt a dog?", notes)[0] == "s1"


def test_an_answer_is_found_by_the_question_before_it() -> None:
    notes = [
        turn(1, "Ines", "What instrument do you play?"),
        turn(2, "Omar", "The oboe, since school."),
        turn(7, "Omar", "The weather is fine here."),
        turn(8, "Ines", "I bought a lamp."),
    ]
    assert order("What instrument does Omar play?", notes)[0] == "s2"


def test_a_date_in_the_question_prefers_notes_of_that_day() -> None:
    notes = [
        turn(1, "Ines", "Lunch with the team.", time="2023-05-06T12:00", session="x"),
        turn(1, "Ines", "Lunch with the team.", time="2023-06-09T12:00", session="y"),
        turn(1, "Ines", "Lunch with the team.", time="2023-07-20T12:00", session="z"),
    ]
    assert order("lunch with the team on 9 June 2023", notes)[0] == "y1"
    assert order("lunch with the team on 2023-07-20", notes)[0] == "z1"
    assert order("lunch with the team in May 2023", notes)[0] == "x1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 May 2023", ({2023}, {5}, {7})),
        ("on May 7th", (set(), {5}, {7})),
        ("in 2022", ({2022}, set(), set())),
        ("on 20230507", ({2023}, {5}, {7})),
        ("on 2023-05-07", ({2023}, {5}, {7})),
        ("what may I do", None),
        ("the march of the men", None),
        ("room 12", None),
    ],
)
def test_dates_are_read_from_questions(text: str, expected: object) -> None:
    assert dates_in(ask(text, FILLER)) == expected


@pytest.mark.parametrize("time", ["", "yesterday", "2023", "²²²²-²²-²²", "2023-05-07"])
def test_any_time_is_matched_without_an_error(time: str) -> None:
    assert 0 <= date_match(({2023}, {5}, {7}), time) <= 1


def test_an_entry_named_in_the_question_comes_first() -> None:
    notes = [
        note("about", "Orion is a service. It runs in Oslo.", title="Orion (service)"),
        note("many", "orion orion orion: a log of the orion errors", title="Log"),
        *FILLER,
    ]
    assert order("Where does Orion run?", notes)[0] == "about"


def test_a_walk_reaches_what_the_named_entry_speaks_of() -> None:
    notes = [
        note("album", "Winter Light was recorded by Mara Lind.", title="Winter Light"),
        note("singer", "She was born in the town of Alta.", title="Mara Lind"),
        note("other", "The poet was born in a village.", title="Jon Berg"),
        *FILLER,
    ]
    ranked = order("Where was the singer of Winter Light born?", notes)
    assert ranked[:2] == ["album", "singer"]


def test_an_explicit_link_is_walked_like_a_name() -> None:
    linked = [
        note("plan", "The harbour plan is done.", title="Harbour plan", links=("b",)),
        note("a", "The owner is the port office."),
        note("b", "The owner is the port office."),
        *FILLER,
    ]
    ranked = order("who is the owner of the harbour plan", linked)
    assert ranked.index("b") < ranked.index("a")


def test_a_name_of_stop_words_alone_proves_nothing() -> None:
    notes = [note("who", "A band.", title="The Who"), note("x", "A printer.", title="Printer")]
    assert order("who is the owner of the printer", notes)[0] == "x"


def test_order_does_not_depend_on_the_order_of_candidates() -> None:
    notes = [turn(n, "Ines", f"the pump {'leaks ' * n}") for n in range(1, 6)]
    notes += [note("n", "pump", title="Pump")]
    question = ask("which pump leaks", notes)
    one = {s.candidate.key: round(s.score, 9) for s in rank(question, notes)}
    other = {s.candidate.key: round(s.score, 9) for s in rank(question, notes[::-1])}
    assert one == other


def test_another_language_ranks_without_tables() -> None:
    notes = [note("a", "el gato negro"), note("b", "el perro")]
    question = ask("gato", notes)
    question.english = None
    ranked = rank(question, notes)
    assert ranked[0].candidate.key == "a"
    assert evidence(question, ranked).present > 0.5


def test_why_names_what_raised_a_candidate() -> None:
    notes = [turn(1, "Ines", "A dog."), turn(2, "Omar", "A dog.")]
    ranked = rank(ask("the dog of Omar", notes), notes)
    assert said(ranked[0], {"dog": "dog"}) == "has dog; what stands around it; its speaker is named"


def test_what_means_the_same_comes_before_what_says_as_much() -> None:
    notes = [note("far", "the dog"), note("near", "the dog"), note("unknown", "the dog")]
    notes[0].meaning, notes[1].meaning = 0.1, 0.7
    assert order("dog", notes) == ["near", "unknown", "far"]
    ranked = rank(ask("dog", notes), notes)
    assert "near in meaning (0.70)" in said(ranked[0], {"dog": "dog"})


def test_weights_are_never_negative() -> None:
    notes = [note("a", "dog")]
    # A count of the whole tree may be larger than the scope.
    question = Question(
        ["dog"],
        words=["dog"],
        stops=[False],
        frequency=lambda _: 99,
        documents=1,
        average_length=0,
        english=english,
    )
    assert all(weight > 0 for weight in term_weights(question).values())
    assert rank(question, notes)[0].score > 0


@pytest.mark.parametrize("size", [None, 1_000, 100_000])
def test_what_is_there_is_present_and_what_is_not_is_absent(size: int | None) -> None:
    def judged(text: str) -> Evidence:
        question = ask(text, FILLER, size=size)
        return evidence(question, rank(question, FILLER))

    assert judged("When does the lease have to be renewed?").present > 0.5
    assert judged("How often do backups run and how long are they kept?").present > 0.5
    assert judged("Which vaccine did the vet give the parrot?").present < 0.5
    assert judged("xyzzy plugh frobnicate").present < 0.1
    assert judged("xyzzy plugh frobnicate").missing == stems("xyzzy plugh frobnicate")


def test_confidence_grows_with_coverage_and_stays_between_0_and_1() -> None:
    def confidence(text: str) -> float:
        question = ask(text, FILLER)
        return evidence(question, rank(question, FILLER)).confidence

    found = [confidence("printer kitchen floor"), confidence("printer vaccine parrot zebra")]
    assert 0 <= found[1] < found[0] <= 1


def test_evidence_of_no_candidates_is_none() -> None:
    judged = evidence(ask("anything", FILLER), [])
    assert judged.present == judged.confidence == 0


@pytest.mark.parametrize(
    ("text", "share"),
    [("", 0.0), ("No.", 0.0), ("Really?", 1.0), ("你好吗？", 1.0), ("No. Why?", 5 / 8)],
)
def test_the_asking_share_of_a_text(text: str, share: float) -> None:
    assert asking_share(text) == pytest.approx(share)


def test_names_of_an_entry() -> None:
    assert names_of("Mercury (planet)", ["Hermes"]) == ["Mercury (planet)", "Hermes", "Mercury"]
    assert names_of("") == []


def test_the_forms_are_stems_of_the_index() -> None:
    # Every month by its name, and every pair both ways.
    assert {english.MONTHS[stems(m)[0]] for m in ("January", "may", "sept", "December")} == {
        1,
        5,
        9,
        12,
    }
    for word in english._SAME.replace("|", " ").split():
        assert english.FORMS.get(word)
        assert all(word in english.FORMS.get(other) for other in english.FORMS.get(word))
    for pair in (("went", "go"), ("children", "child"), ("bought", "buy"), ("chose", "choose")):
        one, other = (stems(word)[0] for word in pair)
        assert other in english.FORMS.get(one)
