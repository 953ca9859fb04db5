"""The figures of a tree's life: they add up, and each says what it is said to say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memtree.index.row import Row
from memtree.knowledge.lifecycle import MATURITIES, Policy, day_number
from memtree.lifecycle.figures import Flow
from memtree.lifecycle.stats import LISTED, WEEKS, stats_of

NOW = day_number("2026-11-22T12:00:00Z") or 0.0


def row(
    path: str = "a/b/c.md", *, id: str = "", importance: float = 50.0, maturity: str = "draft",  # noqa: A002
    created: str = "2026-11-01", standing: dict[str, str] | None = None,
) -> Row:  # fmt: skip
    keys = ("settled", "status", "superseded_by", "valid_from", "valid_to", "stale_after",
            "anchors", "used", "archived")  # fmt: skip
    packed = "\t".join((standing or {}).get(key, "") for key in keys) if standing else ""
    return Row(
        (1, path, id, path.rpartition("/")[2][:-3], "fact", "", "", importance, maturity, created,
         created, "", "", "", 0, 10, 100, b"", 1, 1, packed, 1)
    )  # fmt: skip


TIMES = st.one_of(
    st.just(""),
    st.datetimes().map(lambda one: one.isoformat() + "Z"),
    st.dates().map(str),
    st.sampled_from(["2026-13-41", "0000-00-00", "9999-99-99", "2026-11-23", "soon", "²²²²-01-01"]),
)
STANDINGS = st.fixed_dictionaries(
    {},
    optional={
        "settled": TIMES, "valid_to": TIMES, "stale_after": TIMES, "used": TIMES,
        "status": st.sampled_from(["deprecated", "stable", "archived"]),
        "superseded_by": st.just("x/y.md"), "archived": st.just("_archive/x.md"),
    },
)  # fmt: skip
ROWS = st.lists(
    st.builds(
        row,
        st.sampled_from(["a/b/c.md", "a/b/d.md", "e.md"]),
        id=st.sampled_from(["", "k1", "k2"]),
        importance=st.floats(0, 100),
        maturity=st.sampled_from(MATURITIES),
        created=TIMES,
        standing=st.one_of(st.none(), STANDINGS),
    ),
    max_size=30,
)
USES = st.dictionaries(
    st.sampled_from(["k1", "k2", "e.md", "unknown"]),
    st.lists(
        st.tuples(st.floats(0, 60_000), st.sampled_from(["shown", "opened", "cited", "edited"])),
        max_size=8,
    ),
)


@given(ROWS, USES)
def test_the_figures_add_up_whatever_the_files_say(
    rows: list[Row], uses: dict[str, list[tuple[float, str]]]
) -> None:
    found = stats_of(rows, now=NOW, uses=uses)
    assert found.entries + found.archived == len(rows)
    assert sum(one.entries for one in found.importance) == found.entries
    assert sum(found.maturity.values()) == found.entries
    assert sum(one.entries for one in found.growth) + found.undated == found.entries
    assert (found.growth[-1].total if found.growth else 0) == found.entries - found.undated
    assert 0 <= found.median <= 100
    assert len(found.most_used) == min(LISTED, found.used_total)
    assert len(found.fading) == min(LISTED, found.fading_total)
    assert len(found.stale) == min(LISTED, sum(found.stale_by.values()))
    due = found.due
    assert due.promoted + due.demoted + due.archived <= found.entries


def test_a_tree_without_entries_has_figures_too() -> None:
    found = stats_of([], now=NOW)
    assert (found.entries, found.median, found.growth, found.most_used) == (0, 0.0, (), ())
    assert found.maturity == {"draft": 0, "validated": 0, "core": 0}


def test_importance_is_counted_as_it_is_now_not_as_it_was_settled() -> None:
    settled = row(importance=50, standing={"settled": "2026-09-01"})
    found = stats_of([settled, row(importance=95, maturity="core")], now=NOW)
    assert [(one.low, one.draft, one.core) for one in found.importance if one.entries] == [
        (30, 1, 0),
        (90, 0, 1),
    ]


def test_what_was_used_counts_by_id_and_only_real_uses() -> None:
    uses = {
        "k1": [(NOW - 1, "opened"), (NOW - 8, "cited"), (NOW - 400, "opened"), (NOW - 1, "shown")],
        "a/plain.md": [(NOW - 2, "edited")],
        "seen": [(NOW - 1, "shown")],
        "gone": [(NOW - 1, "opened")],
    }
    rows = [row("a/one.md", id="k1"), row("a/plain.md"), row("a/seen.md", id="seen")]
    found = stats_of(rows, now=NOW, uses=uses)
    assert [(one.path, one.uses) for one in found.most_used] == [("a/one.md", 3), ("a/plain.md", 1)]
    assert found.most_used[0].by == {"cited": 1, "opened": 2}
    assert found.most_used[0].last == "2026-11-21"
    assert found.most_used[0].weeks == (0,) * (WEEKS - 2) + (1, 1)
    assert found.uses == {"cited": 1, "edited": 1, "opened": 3, "shown": 2}
    assert found.used_total == 2


def test_uses_that_are_in_the_file_already_are_looked_back_at_but_not_counted_again() -> None:
    settled = row(id="k1", importance=60, standing={"settled": "2026-11-22T10:00:00Z"})
    past = {"k1": [(NOW - 1, "opened")] * 5}
    found = stats_of([settled], now=NOW, uses={}, past=past)
    assert found.most_used[0].uses == 5
    assert found.importance[5].entries == 1  # 60 decayed by two hours, and no more than that


def test_fading_is_what_rests_and_comes_to_its_next_step_down_soon() -> None:
    day = "2026-11-01"
    rows = [
        row("a/core.md", importance=68, maturity="core", standing={"settled": day}),
        row("a/safe.md", importance=99, maturity="core", standing={"settled": day}),
        row("a/used.md", id="k1", importance=68, maturity="core", standing={"settled": day}),
        row("a/once.md", importance=40, standing={"settled": day, "used": "2026-10-30"}),
        row("a/never.md", importance=40, standing={"settled": day}),
        row("a/late.md", importance=30, maturity="validated", standing={"settled": day}),
    ]
    found = stats_of(rows, now=NOW, uses={"k1": [(NOW - 3, "opened")]})
    assert [(one.path, one.next, one.days) for one in found.fading] == [
        ("a/late.md", "draft", 0),
        ("a/core.md", "validated", 4),  # 68 x 0.995^d = 60 at d = 24.97; 21.5 days have passed
        ("a/once.md", "archive", 6),  # 40 x 0.995^d = 35 at d = 26.6
    ]
    assert found.fading[2].last == "2026-10-30"


def test_stale_says_why_the_worst_first_reason() -> None:
    rows = [
        row("a/old.md", standing={"superseded_by": "a/new.md", "valid_to": "2026-05-01"}),
        row("a/deprecated.md", standing={"status": "deprecated"}),
        row("a/expired.md", standing={"valid_to": "2026-11-21"}),
        row("a/today.md", standing={"valid_to": "2026-11-22", "stale_after": "2026-11-22"}),
        row("a/review.md", standing={"stale_after": "2026-11-22T11:59:00Z"}),
        row("a/drifted.md"),
        row("a/gone.md"),
    ]
    drifted = {"a/drifted.md": "drifted", "a/gone.md": "gone"}
    found = stats_of(rows, now=NOW, drifted=drifted)
    assert {one.path: one.why for one in found.stale} == {
        "a/old.md": "superseded by a/new.md",
        "a/deprecated.md": "marked as deprecated",
        "a/expired.md": "valid until 2026-11-21",
        "a/review.md": "stale after 2026-11-22T11:59:00Z",
        "a/drifted.md": "a source has changed",
        "a/gone.md": "a source is gone",
    }
    assert found.stale[0].since == "2026-11-22"
    assert found.stale_by == {"drifted": 1, "expired": 1, "gone": 1, "stale": 1, "superseded": 2}


def test_due_is_what_settling_would_do() -> None:
    rows = [
        row("a/up.md", importance=70),
        row("a/down.md", importance=50, maturity="core"),
        row("a/low.md", importance=40, standing={"settled": "2026-09-01", "used": "2025-08-01"}),
        row("a/used.md", importance=40, standing={"settled": "2026-09-01", "used": "2026-11-01"}),
        row("a/written.md", importance=20),
        row("a/index.md", importance=90),
        row("a/replaced.md", maturity="core", importance=90, standing={"superseded_by": "a/up.md"}),
        row("a/stays.md"),
    ]
    due = stats_of(rows, now=NOW).due
    assert (due.promoted, due.demoted, due.archived) == (1, 2, 1)
    none = stats_of(rows, now=NOW, policy=Policy(archive_below=0)).due
    assert none.archived == 0


def test_growth_has_every_month_and_slips_are_undated() -> None:
    days = ("2026-09-30", "2026-11-22T11:00:00Z", "2026-11-01", "2027-01-01", "0001-01-01", "")
    found = stats_of([row(created=day) for day in days], now=NOW)
    assert [(one.month, one.entries, one.total) for one in found.growth] == [
        ("2026-09", 1, 1),
        ("2026-10", 0, 1),
        ("2026-11", 2, 3),
    ]
    assert found.undated == 3


def test_archived_stubs_are_counted_and_otherwise_left_out() -> None:
    rows = [
        row(standing={"status": "archived"}),
        row(standing={"archived": "_archive/a.md"}),
        row(),
    ]
    found = stats_of(rows, now=NOW, flow=[Flow(at="2026-11-01", promoted=0, demoted=0, archived=2)])
    assert (found.entries, found.archived) == (1, 2)
    assert found.flow[0].archived == 2
