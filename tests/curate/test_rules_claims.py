"""What the rules curator takes from a text: its own words, kinds, days, nothing twice."""

from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tree import SmallTree

from memtree.curate.checks import Policy, check
from memtree.curate.protocol import Curator
from memtree.curate.rules import Rules
from memtree.curate.rules.alike import key_of
from memtree.curate.rules.curator import claims_of
from memtree.curate.rules.kinds import kind_of
from memtree.curate.rules.sentences import sentences
from memtree.knowledge.plan import Add, Claim
from memtree.knowledge.problem import Problem
from memtree.knowledge.source import Part, Passage, Source
from memtree.sources import parts
from memtree.sources.opening import open_sources

NOW = "2024-06-01T10:00:00Z"
DOCUMENT = """# Parcel service

## Database

We decided to use PostgreSQL because the team knows it. See also:

- Connections: at most 40
- [The manual](manual.md)

## Deploying

1. Tag the release.
2. Run `make ship`.

## People

Anna has led the team since March 2024. Ben prefers short meetings. He hates long mails.
Is that all?

## Words

ETA means estimated time of arrival.
"""


def part_of(text: str, kind: str = "markdown") -> Part:
    found = []
    for opened in open_sources(["-"], stdin=io.BytesIO(text.encode()), kind=kind):
        assert not isinstance(opened, Problem)
        found += list(parts(opened))
    assert len(found) == 1
    return found[0]


def chat(*messages: tuple[str, str], day: str = "2023-05-08T13:56") -> Part:
    passages = tuple(
        Passage(text=text, lines=(turn, turn), kind="message", speaker=speaker, time=day,
                session="1", turn=turn)
        for turn, (speaker, text) in enumerate(messages, 1)
    )  # fmt: skip
    source = Source(name="chat.jsonl", kind="transcript")
    return Part(source=source, number=1, passages=passages, digest="0" * 64)


def told(part: Part) -> list[Claim]:
    return [each.claim for each in claims_of(part)]


def test_a_document_becomes_its_own_sentences_with_kinds() -> None:
    kinds = {claim.text: claim.kind for claim in told(part_of(DOCUMENT))}
    assert kinds == {
        "We decided to use PostgreSQL because the team knows it.": "decision",
        "Connections: at most 40": "fact",
        "Tag the release.": "procedure",
        "Run `make ship`.": "procedure",
        "Anna has led the team since March 2024.": "fact",
        "Ben prefers short meetings. He hates long mails.": "preference",
        "ETA means estimated time of arrival.": "definition",
    }


def test_subjects_are_terms_grammatical_subjects_or_headings() -> None:
    subjects = {claim.text.split()[0]: claim.subject for claim in told(part_of(DOCUMENT))}
    assert subjects["Connections:"] == "Connections"
    assert subjects["Anna"] == "Anna"
    assert subjects["We"] == "Database"
    assert subjects["ETA"] == "ETA"


def test_a_link_becomes_its_words_because_it_leads_nowhere_from_the_tree() -> None:
    (claim,) = told(part_of("The pool is described in [the manual](manual.md) of Anna.\n"))
    assert claim.text == "The pool is described in the manual of Anna."
    assert "(manual.md)" in claim.evidence[0].quote


def test_a_sentence_that_begins_with_a_pronoun_stays_with_the_one_before() -> None:
    (claim,) = told(part_of("The pool holds 40 connections. It is checked every minute.\n"))
    assert claim.text == "The pool holds 40 connections. It is checked every minute."


def test_what_was_said_keeps_its_speaker_and_gets_its_day() -> None:
    part = chat(("Caroline", "Hey Mel! I went to a LGBTQ support group yesterday. How are you?"))
    (claim,) = told(part)
    assert claim.text == "Caroline: I went to a LGBTQ support group yesterday."
    assert (claim.when, claim.speaker, claim.kind) == ("2023-05-07", "Caroline", "event")
    assert claim.evidence[0].lines == (1, 1)


def test_small_talk_questions_thanks_and_praise_are_no_knowledge() -> None:
    part = chat(
        ("Mel", "Hey Caroline! Good to see you! How have you been?"),
        ("Caroline", "Thanks so much!"),
        ("Mel", "Wow, that's awesome! I'm so happy for you."),
        ("Caroline", "Keep up the great work!"),
    )
    assert told(part) == []


def test_an_answer_that_says_little_is_told_with_its_question() -> None:
    part = chat(
        ("Mel", "That bowl is pretty. How long have you been making pottery?"),
        ("Caroline", "Since I was seventeen."),
    )
    answer = told(part)[-1]
    assert answer.text == (
        'Caroline, asked "How long have you been making pottery?": Since I was seventeen.'
    )
    assert [each.lines for each in answer.evidence] == [(1, 1), (2, 2)]


def test_an_answer_to_oneself_or_to_a_message_that_is_missing_has_no_question() -> None:
    part = chat(
        ("Mel", "How long have you been making pottery?"),
        ("Mel", "Since 2017 I made forty clay bowls in Rome."),
    )
    assert told(part)[-1].text == "Mel: Since 2017 I made forty clay bowls in Rome."


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("We chose Redis.", "decision"),
        ("Anna prefers tea.", "preference"),
        ("We will move the office in June.", "plan"),
        ("A broker is a program that passes messages on.", "definition"),
        ("Restart the server.", "procedure"),
        ("The port is 8080.", "fact"),
    ],
)
def test_the_kind_is_read_from_the_words(words: str, kind: str) -> None:
    assert kind_of(words) == kind


def test_sentences_do_not_end_at_abbreviations_numbers_or_initials() -> None:
    text = "Dr. Who met J. Smith at 3.5 km. It cost approx. 5 dollars! 今日は雨です。明日は晴れ。"
    assert [each.words for each in sentences(text)] == [
        "Dr. Who met J. Smith at 3.5 km.",
        "It cost approx. 5 dollars!",
        "今日は雨です。",
        "明日は晴れ。",
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=1500))
def test_sentences_stand_where_they_say_in_order_and_lose_only_space(text: str) -> None:
    at = 0
    for each in sentences(text):
        assert each.start >= at
        assert not text[at : each.start].strip()
        assert each.words
        at = each.end
    assert not text[at:].strip()


def test_other_languages_are_claims_sentence_by_sentence() -> None:
    part = part_of("Der Dienst läuft in Berlin. Anna mag Tee.\n", kind="text")
    assert [claim.text for claim in told(part)] == ["Der Dienst läuft in Berlin.", "Anna mag Tee."]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port is 8080.", "the PORT is 8080"),
        ("Anna really likes black tea.", "Anna likes black tea!"),
        ("Backups run every night in Rome.", "In Rome every night backups run."),
    ],
)
def test_other_forms_of_the_same_words_are_one_claim(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The port is 8080.", "The port is 8081."),
        ("The port is open.", "The port is not open."),
        ("In May Anna paid Ben.", "In May Ben paid Anna."),
        ("All ports are open.", "Some ports are open."),
        ("Caroline: I like tea.", "Melanie: I like tea."),
    ],
)
def test_what_differs_in_number_negation_name_or_quantity_is_another_claim(
    one: str, other: str
) -> None:
    assert key_of(one) != key_of(other)


def test_of_doubles_in_one_part_the_longest_is_kept_whatever_the_order() -> None:
    texts = ["Anna likes black tea.", "Anna really likes black tea.", "The port is 8080."]
    kept = set()
    for seed in range(6):
        mixed = texts[:]
        random.Random(seed).shuffle(mixed)
        kept.add(frozenset(claim.text for claim in told(part_of("\n\n".join(mixed), kind="text"))))
    assert kept == {frozenset({"Anna really likes black tea.", "The port is 8080."})}


SAYINGS = st.lists(
    st.tuples(
        st.sampled_from(["Ann", "Bob"]),
        st.sampled_from([
            "I moved to Rome in March 2021 with my brother.",
            "My sister works at a bakery in Lyon!",
            "Wow, nice.",
            "I don't eat fish because of an allergy.",
            "We bought three tickets for the Oslo concert yesterday.",
            "Did you see the red bicycle?",
            "He never called. I will sell the bicycle next week.",
        ]),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(SAYINGS)
def test_every_claim_passes_the_checks_because_it_is_what_was_said(
    sayings: list[tuple[str, str]],
) -> None:
    part, tree = chat(*sayings), SmallTree()
    proposal = Rules().propose(part, tree)
    verdicts = check(proposal, part, tree, policy=Policy(yes=True), now=NOW)
    assert [each.refusals for each in verdicts] == [()] * len(verdicts)
    texts = " ".join(passage.text for passage in part.passages)
    for verdict in verdicts:
        assert isinstance(verdict.operation, Add)
        for claim in verdict.operation.claims:
            assert all(each.quote in texts for each in claim.evidence)


@settings(max_examples=40, deadline=None)
@given(SAYINGS, st.randoms(use_true_random=False))
def test_messages_in_another_order_make_the_same_claims(
    sayings: list[tuple[str, str]], chance: random.Random
) -> None:
    part = chat(*sayings)
    passages = list(part.passages)
    chance.shuffle(passages)
    other = Part(source=part.source, number=1, passages=tuple(passages), digest=part.digest)
    assert {claim.text for claim in told(part)} == {claim.text for claim in told(other)}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600), st.sampled_from(["prose", "item", "message", "commit", "code"]))
def test_no_text_makes_the_curator_fail(text: str, kind: str) -> None:
    passage = Passage(text=text, lines=(1, 1 + text.count("\n")), kind=kind, speaker=text[:3])
    part = Part(source=Source(name="-"), number=1, passages=(passage,), digest="0" * 64)
    proposal = Rules().propose(part, SmallTree())
    assert all(operation.reason for operation in proposal.operations)


def test_it_is_a_curator_and_says_its_name() -> None:
    curator: Curator = Rules()
    assert (curator.name, curator.actor) == ("rules", "memtree-rules/1")
    curator.close()
    curator.close()
