"""Meaning helps where words fail, and leaves alone what words say for certain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from memtree.app import Tree, init_tree
from memtree.knowledge.query import Query

ATLAS = Path(__file__).parents[2] / "examples" / "atlas"

# (question, path of the first hit): names, codes, versions, exact words. Words alone know them.
EXACT = [
    ("HL-1042", "engineering/api/error-codes.md"),
    ("TT-409", "engineering/bookings/timetable-import.md"),
    ("X-Harbourline-Signature", "engineering/api/webhooks/signatures.md"),
    ("F22", "home/house/boiler.md"),
    ("F28 no ignition", "home/house/boiler.md"),
    ("overbook.foot_percent", "engineering/bookings/overbooking.md"),
    ("PostgreSQL 16", "engineering/data/postgres-not-mongodb.md"),
    ("version 15 switched off", "engineering/data/postgres-not-mongodb.md"),
    ("hl rollback", "engineering/operations/deploy-to-production.md"),
    ("hl deploy staging --force", "engineering/operations/deploy-to-staging.md"),
    ("hl timetable check inbox", "engineering/bookings/timetable-import.md"),
    ("Ines Kallio", "team/people/who-knows-what.md"),
    ("Sula does not sail", "research/demand/weather-cancellations.md"),
    ("Vesla ripened on 19 July", "home/garden/tomatoes.md"),
    ("DTZ001", "engineering/data/time-zones.md"),
    ('"explaining a missing ferry"', "engineering/operations/deploy-to-production.md"),
    ("M2 12.42 h", "research/tides/harmonic-constituents.md"),
    ("PAY_BUSY", "engineering/bookings/payment-retries.md"),
    ("puffin card", "team/partners/skerra-council.md"),
    ("v2025.12 canary", "engineering/operations/deploy-to-production.md"),
    ("4000 0000 0000 0002", "engineering/operations/deploy-to-staging.md"),
]

# Questions that words alone answer with something else, or with nothing.
PARAPHRASED = [
    ("how is the ocean level predicted", "research/tides/harmonic-constituents.md"),
    ("lunar and solar ocean rhythm", "research/tides/harmonic-constituents.md"),
    ("how should colleagues inspect my commits", "team/ways-of-working/code-review.md"),
    ("which vegetables grew well last year", "home/garden/tomatoes.md"),
    ("vegetable patch harvest", "home/garden/tomatoes.md"),
    ("relational database engine", "engineering/data/postgres-not-mongodb.md"),
    ("luggage", "home/travel/packing-for-boats.md"),
    ("suitcase", "home/travel/packing-for-boats.md"),
    ("baggage for a cruise", "home/travel/packing-for-boats.md"),
    ("kids vacation", "research/demand/school-holidays.md"),
    ("pupils have vacation", "research/demand/school-holidays.md"),
    ("throttled clients", "engineering/api/rate-limits.md"),
    ("duplicate billing", "engineering/operations/incidents/double-charge.md"),
]
# The built-in table knows neither the words nor the scripts.
UNKNOWN_TO_THE_TABLE = ["待合室の発券端末", "保守は毎週火曜日", "舞鶴港"]
# Nothing in the tree is about it.
ABSENT = [
    "who won the world cup in 1998",
    "capital of Mongolia",
    "quantum chromodynamics of gluons",
    "zorblat quimfen",
]


def copied(place: Path, *, settings: str = "") -> Tree:
    root = place / "atlas"
    shutil.copytree(ATLAS, root)
    if not (root / ".memtree").exists():
        init_tree(str(root)).close()
    if settings:
        (root / ".memtree" / "config.toml").write_text(settings, encoding="utf-8")
    return Tree(str(root), max_age=3600.0)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return copied(tmp_path_factory.mktemp("semantic"))


def paths(tree: Tree, text: str, **bounds: object) -> list[str]:
    return [hit.path for hit in tree.search(Query(text, **bounds)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "path"), EXACT)
def test_meaning_leaves_a_right_first_hit_where_it_is(atlas: Tree, text: str, path: str) -> None:
    assert paths(atlas, text, max_tier="fulltext")[:1] == [path]
    assert paths(atlas, text)[:1] == [path]


@pytest.mark.parametrize(("text", "path"), PARAPHRASED)
def test_meaning_finds_what_other_words_say(atlas: Tree, text: str, path: str) -> None:
    assert paths(atlas, text, max_tier="fulltext")[:1] != [path]
    assert paths(atlas, text)[:1] == [path]


def test_a_hit_without_a_word_of_the_question_says_that_meaning_brought_it(atlas: Tree) -> None:
    hit = atlas.search("luggage").hits[0]
    assert hit.tier == "semantic"
    assert "has" not in hit.why


def test_a_hit_that_has_the_words_stays_one_of_full_text(atlas: Tree) -> None:
    assert atlas.search("hl rollback").hits[0].tier == "fulltext"


@pytest.mark.parametrize("text", ABSENT)
def test_what_the_tree_lacks_stays_absent(atlas: Tree, text: str) -> None:
    answer = atlas.query(text)
    assert (answer.status, answer.hits) == ("absent", [])
    assert answer.confidence < 0.5


@pytest.mark.parametrize("text", ["luggage", "duplicate billing", "hl rollback"])
def test_meaning_stays_in_the_folder_that_was_asked(atlas: Tree, text: str) -> None:
    for scope in ("home", "engineering", "engineering/operations"):
        assert all(path.startswith(scope + "/") for path in paths(atlas, text, scope=scope))
    assert paths(atlas, "luggage", scope="research") == []


def test_the_tier_answers_by_itself(atlas: Tree) -> None:
    answer = atlas.search(Query("duplicate billing", tier="semantic"))
    assert [report.tier for report in answer.tiers] == ["semantic"]
    assert answer.hits[0].path == "engineering/operations/incidents/double-charge.md"
    assert paths(atlas, "HL-1042", tier="semantic")[:1] == ["engineering/api/error-codes.md"]


@pytest.mark.parametrize("text", UNKNOWN_TO_THE_TABLE)
def test_a_question_that_the_embedder_does_not_know_is_ordered_by_its_words(
    atlas: Tree, text: str
) -> None:
    found = paths(atlas, text)
    assert found
    assert found == paths(atlas, text, max_tier="fulltext")
    report = atlas.search(Query(text, tier="semantic")).tiers[-1]
    assert "knows too little" in report.why


def test_without_a_model_the_tier_says_so_and_words_decide(atlas: Tree, tmp_path: Path) -> None:
    with copied(tmp_path, settings='[embed]\nmodel = "none"\n') as bare:
        answer = bare.search("how is the ocean level predicted")
        assert answer.hits == []
        report = next(one for one in answer.tiers if one.tier == "semantic")
        assert not report.sure
        assert "embed.model is none" in report.why
        for text in ("which vegetables grew well last year", "hl rollback", "card declined"):
            assert paths(bare, text) == paths(atlas, text, max_tier="fulltext")
