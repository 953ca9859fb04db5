"""memos without a tree: states, times to live, what is alike, versions, the formula."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import Refused, UsageError
from memtree.memories.memos import MemOs, alike, carrying, chain, fusing, schedule, working
from memtree.memories.memos.acceptance import TABLE
from memtree.memories.memos.cube import (
    ACTIVATED,
    EXPIRED,
    STATES,
    VISIBILITIES,
    Cube,
    ends_on,
    next_state,
    read_cube,
    span_of,
    with_keys,
)
from memtree.plugins import Answered, ChangeSet, EntryRef, EntryView, Feedback, Observed, Sweep
from memtree.testing import PluginContract

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.floats())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
CUBES = st.builds(
    Cube,
    state=st.sampled_from(STATES),
    ends=st.one_of(st.none(), st.floats(0, 30_000)),
    stub=st.booleans(),
    visibility=st.sampled_from(VISIBILITIES),
)


class TestContract(PluginContract):
    plugin = MemOs


def view(body: str, path: str = "a/b.md", **meta: Any) -> EntryView:
    return EntryView(
        path=path, id=str(meta.get("id", path.removesuffix(".md"))), title="B", type="fact",
        tags=(), meta=meta, body=body, first=1, digest="",
    )  # fmt: skip


# -- the front matter -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ttl", "days"), [("7d", 7), ("12h", 0.5), ("2w", 14), ("1y", 365), ("90min", 0.0625)]
)
def test_a_time_to_live_is_a_number_and_a_unit(ttl: str, days: float) -> None:
    assert span_of(ttl) == days
    assert ends_on(ttl, 100.0) == 100 + days
    assert ends_on(ttl, None) is None


@pytest.mark.parametrize("ttl", ["", "7", "d", "-7d", "7 days", "1e5d", "9" * 30 + "d", "soon"])
def test_what_is_no_time_to_live_ends_nothing(ttl: str) -> None:
    assert ends_on(ttl, 100.0) is None


def test_a_date_is_a_time_to_live_too() -> None:
    assert ends_on("1970-01-11", None) == 10.0
    assert read_cube({"memos": {"ttl": "1970-01-11"}}).expired(10.0)
    assert not read_cube({"memos": {"ttl": "1970-01-11"}}).expired(9.99)


def test_a_time_to_live_counts_from_since_then_from_when_the_entry_was_created() -> None:
    created = {"created": "1970-01-02", "memos": {"ttl": "7d"}}
    assert read_cube(created).ends == 8.0
    assert read_cube({**created, "memos": {"ttl": "7d", "since": "1970-01-05"}}).ends == 11.0


def test_what_a_person_wrote_wrongly_is_named_and_hides_rather_than_shows() -> None:
    cube = read_cube({"memos": {"state": "x", "ttl": "soon", "visibility": "privat", "version": 0}})
    assert [each.split()[0] for each in cube.wrong] == ["state", "visibility", "ttl", "version"]
    assert cube.shown(1.0, "public") == "it is private"
    assert cube.shown(1.0) == ""


@given(st.dictionaries(st.sampled_from(["memos", "created", "status", "time"]), VALUES))
def test_any_front_matter_is_read(meta: dict[str, object]) -> None:
    cube = read_cube(meta)
    assert cube.state in STATES
    assert cube.version >= 1
    assert cube.visibility in VISIBILITIES


@given(st.dictionaries(st.text(max_size=8), SCALARS, max_size=4), st.sampled_from(STATES))
def test_changing_a_key_keeps_what_a_person_wrote(mine: dict[str, object], state: str) -> None:
    made = with_keys({"memos": mine}, state=state)
    kept = {key: each for key, each in mine.items() if key != "state" and each is not None}
    assert made == {**kept, "state": state}
    assert with_keys({"memos": made}, state=state) == made


# -- states -----------------------------------------------------------------------------------


@given(CUBES, st.floats(0, 30_000), st.booleans())
def test_the_next_state_is_reached_at_once_and_then_stays(
    cube: Cube, day: float, used: bool
) -> None:
    state = next_state(cube, day, used=used)
    after = Cube(state=state, ends=cube.ends, stub=cube.stub)
    assert next_state(after, day, used=used) == state
    if cube.ends is not None and day >= cube.ends:
        assert state == EXPIRED


@given(CUBES, st.floats(0, 30_000), st.floats(0, 1000))
def test_what_is_over_stays_over_as_time_goes_on(cube: Cube, day: float, more: float) -> None:
    assert cube.expired(day) <= cube.expired(day + more)


def test_what_is_used_is_activated_and_what_is_renewed_lives_again() -> None:
    assert next_state(Cube(), 1.0, used=True) == ACTIVATED
    assert next_state(Cube(), 1.0, used=False) == "generated"
    assert next_state(Cube(stub=True), 1.0, used=True) == "archived"
    assert next_state(Cube(state="archived"), 1.0, used=False) == ACTIVATED


# -- what is alike ----------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from(["ada", "kettle", "tea", "green", "boat", "shop"]), max_size=9)


@given(st.lists(WORDS, max_size=8), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_prefix_filtering_misses_no_pair(lists: list[list[str]], bound: float) -> None:
    texts = {f"{n}.md": " ".join(words) for n, words in enumerate(lists)}
    found = {(pair.one, pair.other): pair.score for pair in alike.pairs(texts, bound=bound)}
    sets = {path: frozenset(text.split()) for path, text in texts.items() if text}
    wanted = {
        (one, other): alike.jaccard(sets[one], sets[other])
        for one in sets
        for other in sets
        if one < other and alike.jaccard(sets[one], sets[other]) >= bound
    }
    assert found == wanted


SAME = "The Redis client of the shop gives up after 30 seconds without an answer."


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        (SAME, True),
        (SAME.upper() + "\n", True),
        (SAME.replace("an answer", "any answer"), True),
        (SAME.replace("30", "90"), False),
        (SAME.replace("gives", "never gives"), False),
        (SAME.replace("Redis", "Postgres"), False),
        (SAME + " After 5 of 6.", False),
        ("The shop sells kettles.", None),
    ],
)
def test_only_what_says_the_same_is_sure(text: str, sure: bool | None) -> None:
    found = alike.pairs({"a.md": SAME, "b.md": text})
    assert [pair.sure for pair in found] == ([] if sure is None else [sure])


def test_a_figure_that_comes_more_often_is_another_figure() -> None:
    text = "In the long second season of the show Ada won 5 of 6 games and Bob won 5 of 7"
    assert not alike.pairs({"a.md": text, "b.md": text.replace("5 of 6", "7 of 6")})[0].sure


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("ops/redis", "Timeout"), ("ops/redis", "Timeout"), True),
        (("ops/redis", "The timeout"), ("ops/redis", "Timeouts"), True),
        (("ops/redis", "Redis"), ("ops/redis", "Postgres"), False),
        (("ops/redis", "Timeout"), ("ops/postgres", "Timeout"), False),
        (("ops/client", "Timeout"), ("ops/timeout", "Timeout"), True),
    ],
)
def test_the_same_words_of_another_thing_say_something_else(
    one: tuple[str, str], other: tuple[str, str], *, same: bool
) -> None:
    assert alike.same_subject(one, other, "The client has a timeout.") is same
    long = " ".join(f"word{n}" for n in range(40)) + " client timeout"
    assert alike.same_subject(one, other, long) is (one[1] != "Redis")


def test_who_beats_whom_is_not_the_same() -> None:
    found = alike.pairs({"a.md": "Redis beats Postgres", "b.md": "Postgres beats Redis"})
    assert [(pair.score, pair.sure) for pair in found] == [(1.0, False)]


def test_joining_keeps_every_line_that_says_something_of_its_own() -> None:
    first = "# T\n\nThe kettle is green.\n- It costs 30 euros."
    second = "- It costs 30 euros.\n- It costs 31 euros.\nThe kettle is not green."
    assert fusing.joined(first, second) == (
        f"{first}\n\n- It costs 31 euros.\nThe kettle is not green."
    )


def test_what_no_longer_holds_and_marks_are_no_part_of_a_text() -> None:
    body = (
        "# Kettle\n\nGreen. [^s1]\n\n## Facts\n\n- Boils. [^s1][^s2] ^f1\n\n## Superseded\n\n"
        "- Was red. ^f0\n\n## Care\n\nDescale it.\n"
    )
    assert fusing.text_of(view(body)) == "Green.\n\n- Boils.\n\n## Care\n\nDescale it."


@pytest.mark.parametrize(
    ("fused", "lost"),
    [
        ("Ada paid 30 euros on 2026-01-02 and never Bob.", False),
        ("Ada paid on 2026-01-02 and never Bob.", True),
        ("Ada paid 30 euros and never Bob.", True),
        ("Somebody paid 30 euros on 2026-01-02 and never Bob.", True),
        ("Ada paid 30 euros on 2026-01-02 with Bob.", True),
    ],
)
def test_a_wording_that_loses_a_value_a_name_or_a_turn_is_told(fused: str, lost: bool) -> None:
    text = "On 2026-01-02 the bill of 30 euros was paid by Ada and never Bob."
    assert bool(list(fusing.missing(text, fused))) is lost


def test_a_number_that_no_note_has_is_told() -> None:
    notes = (view("It takes 30 seconds."), view("It takes thirty seconds."))
    assert fusing.new_values("It takes 30 seconds.", notes) == ""
    assert fusing.new_values("It takes 31 seconds.", notes) == "31"


# -- versions ---------------------------------------------------------------------------------


def test_a_chain_grows_with_the_text_and_not_with_looking() -> None:
    one = chain.extended([], view("Green."), at="t1")
    assert chain.extended(one, view("Green."), at="t2") == one
    two = chain.extended(one, view("Red."), at="t3")
    assert [(each["version"], each["update_type"], each["text"]) for each in two] == [
        (1, "generated", "Green."),
        (2, "edit", "Red."),
    ]
    state = chain.extended(two, view("Red.", memos={"frozen": True}), at="t4")
    assert [each["version"] for each in state] == [1, 2, 2]
    assert state[-1]["update_type"] == "state"
    assert "text" not in state[-1]


def test_the_archive_is_no_new_version_and_says_where_the_original_is() -> None:
    one = chain.extended([], view("Green."), at="t1")
    stub = view("Gist.", status="archived", archived="_archive/a/b.md")
    two = chain.extended(one, stub, at="t2")
    assert (two[-1]["version"], two[-1]["update_type"]) == (1, "archive")
    assert two[-1]["archived"] == "_archive/a/b.md"
    back = chain.extended(two, view("Green."), at="t3")
    assert back[-1]["update_type"] == "restore"


def test_a_chain_has_a_bound_and_keeps_its_first() -> None:
    records: list[dict[str, object]] = []
    for n in range(chain.MOST + 30):
        records = chain.extended(records, view(f"Text {n}."), at=str(n))
    assert len(records) == chain.MOST
    assert records[0]["version"] == 1
    assert records[-1]["version"] == chain.MOST + 30


# -- the working set --------------------------------------------------------------------------


@pytest.mark.parametrize(("rerank", "hits", "recordings", "wanted"), TABLE)
def test_the_importance_is_that_of_memos(
    rerank: float, hits: int, recordings: int, wanted: float
) -> None:
    assert working.importance(rerank, hits, recordings) == pytest.approx(wanted, abs=1e-12)


CALLED = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.floats(0, 1), st.integers(0, 300)),
    max_size=8,
    unique_by=lambda each: each[0],
)


@given(st.lists(CALLED, max_size=6), st.integers(1, 5))
def test_the_working_set_is_bounded_ordered_and_counts_questions(
    questions: list[list[tuple[str, float, int]]], most: int
) -> None:
    members: list[working.Member] = []
    for called in questions:
        members = working.joined(members, called, most=most)
        scores = [one.importance for one in members]
        assert scores == sorted(scores, reverse=True)
        assert len(members) == len({one.path for one in members}) <= most
    assert all(1 <= one.recordings <= len(questions) for one in members)


# -- the scheduler ----------------------------------------------------------------------------


def test_events_and_changes_have_the_labels_of_memos() -> None:
    events = (
        Observed(text="x"), Observed(text="x", meta={"kind": "preference"}),
        Answered(query="q", answer="a"), Feedback(path="a.md", verdict="right"), Sweep(),
    )  # fmt: skip
    assert [schedule.label_of(event) for event in events] == [
        "add", "pref_add", "answer", "mem_feedback", "mem_organize",
    ]  # fmt: skip
    ref = EntryRef(path="a.md", id="a", digest="")
    changes = ChangeSet(added=(ref,), changed=(ref,), removed=(ref,))
    assert [label for label, _ in schedule.labels_of(changes)] == [
        "add", "mem_update", "mem_archive",
    ]  # fmt: skip
    assert schedule.labels_of(ChangeSet(added=(ref,), full=True)) == []


# -- cube files -------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [[], [""], ["{}"], ["[]"], ["nothing"], ['{"memtree_cube": 2}']])
def test_what_is_no_cube_file_is_said(lines: list[str]) -> None:
    with pytest.raises(UsageError):
        carrying.read_lines(lines)


@pytest.mark.parametrize(
    "path", ["../out.md", "/etc/passwd", ".memtree/config.toml", "", "a\0b.md", "con.md", "a/b.txt"]
)
def test_a_cube_file_names_nothing_outside_of_the_tree(path: str) -> None:
    import json
    from hashlib import sha256

    head = {"memtree_cube": 1, "tree": carrying.tree_hash({path: b"x"})}
    record = {"path": path, "text": "x", "sha256": sha256(b"x").hexdigest()}
    with pytest.raises(Refused):
        carrying.read_lines([json.dumps(head), json.dumps(record)])


@given(st.dictionaries(st.sampled_from(["a.md", "b/c.md"]), st.binary(max_size=30)))
def test_any_bytes_come_back_from_a_cube_file(files: dict[str, bytes]) -> None:
    import json
    from hashlib import sha256

    head = {"memtree_cube": 1, "tree": carrying.tree_hash(files)}
    lines = [json.dumps(head)] + [
        json.dumps(
            {"path": path, "sha256": sha256(data).hexdigest(), **carrying._payload(data)}
        )
        for path, data in files.items()
    ]  # fmt: skip
    assert carrying.read_lines(lines).files == files
    if files:
        with pytest.raises(Refused, match="damaged"):
            carrying.read_lines(lines[:-1])
