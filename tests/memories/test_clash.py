"""The plugin clash on trees: found, shown, packed, settled, kept out."""

from __future__ import annotations

import json
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from memtree.errors import EntryNotFound, Refused, Unavailable, UsageError
from memtree.hosting.lab import ScratchLab, run
from memtree.knowledge.plan import Add, Claim, Drop, Supersede, Update
from memtree.memories.clash import Clash, commands
from memtree.memories.clash.scanning import standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from memtree.hosting.desk import WorkDesk
    from memtree.knowledge.plan import Operation
    from memtree.plugins import Context

NOW = "2026-01-01T00:00:00Z"
ASKED = "After how many attempts does the HTTP client give up?"


def entry(title: str, *facts: str, time: str = "", prose: str = "", more: str = "") -> str:
    bullets = "".join(f"- {fact} ^f{number}\n" for number, fact in enumerate(facts, 1))
    when = f"time: {time}\n" if time else ""
    told = f"## Facts\n\n{bullets}" if facts else ""
    return f"---\ntitle: {title}\n{when}{more}---\n\n{prose}\n\n{told}"


RIVALS = {
    "http/retries.md": entry("HTTP retries", "The HTTP client gives up after 3 attempts.",
                             time="2024-03-01", prose="About the client."),
    "http/limits.md": entry("HTTP limits", "The HTTP client gives up after 5 attempts.",
                            time="2025-06-15"),
    "http/pool.md": entry("HTTP pool", prose="The HTTP client keeps 20 connections open."),
}  # fmt: skip
OLD, NEW = "http/retries.md", "http/limits.md"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(Clash, place=str(tmp_path)) as made:
        yield made


@pytest.fixture
def desk(lab: ScratchLab) -> WorkDesk:
    return lab.tree(RIVALS, now=NOW)


def only(desk: WorkDesk) -> str:
    value = commands.scan(desk).value
    assert isinstance(value, dict)
    (record,) = value["open"]
    return str(record["id"])


def add(text: str, path: str = "infra/http/new", **more: object) -> Add:
    return Add(reason="heard", path=path, title="HTTP attempts", time=str(more.get("time", "")),
               claims=(Claim(text=text, evidence=()),))  # fmt: skip


def test_the_self_test_passes(lab: ScratchLab) -> None:
    checks = run(lab)
    assert [check.name for check in checks if not check.passed] == []
    assert len(checks) >= 7


# -- scanning ---------------------------------------------------------------------------------


def test_a_scan_names_both_claims_with_their_dates(desk: WorkDesk) -> None:
    report = commands.scan(desk)
    text = "\n".join(report.lines)
    assert report.code == 1
    assert "http/retries.md#^f1 (2024-03-01)" in text
    assert "http/limits.md#^f1 (2025-06-15)" in text
    assert "passages not compared: 1" in text


def test_a_scan_of_a_tree_of_one_mind_finds_nothing(lab: ScratchLab) -> None:
    report = commands.scan(lab.tree({OLD: RIVALS[OLD]}, now=NOW))
    assert report.code == 0
    assert commands.show(lab.tree({OLD: RIVALS[OLD]}, now=NOW)).code == 1


def test_only_an_entry_that_changed_is_read_again(
    desk: WorkDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memtree.memories.clash import book

    commands.scan(desk)
    read: list[str] = []
    whole = book.read_page

    def counted(ctx: Context, path: str) -> book.Page | None:
        read.append(path)
        return whole(ctx, path)

    monkeypatch.setattr(book, "read_page", counted)
    commands.scan(desk)
    assert read == []
    desk.write(NEW, RIVALS[NEW].replace("5 attempts", "3 attempts"))
    assert commands.scan(desk).code == 0
    assert read == [NEW]


def test_an_entry_that_is_gone_takes_its_disagreement_with_it(desk: WorkDesk) -> None:
    commands.scan(desk)
    desk.remove(NEW)
    assert commands.scan(desk).code == 0
    assert desk.context.sidecar.read("conflicts.jsonl") == []


def test_a_record_that_a_person_damaged_costs_only_itself(desk: WorkDesk) -> None:
    mark = only(desk)
    sidecar = desk.context.sidecar
    strange: list[dict[str, object]] = [
        {"id": 5},
        {"a": "x"},
        {"id": "zz", "a": "p", "b": "q", "status": "maybe"},
    ]
    sidecar.write("conflicts.jsonl", [*strange, *sidecar.read("conflicts.jsonl")])
    assert only(desk) == mark


def test_deleting_the_cache_changes_nothing_but_the_time(desk: WorkDesk) -> None:
    import shutil

    mark = only(desk)
    shutil.rmtree(desk.context.cache.folder)
    assert only(desk) == mark


# -- settling ---------------------------------------------------------------------------------


def test_the_newest_takes_the_place_of_the_older_which_stays_as_history(desk: WorkDesk) -> None:
    report = commands.resolve(desk, only(desk), newest=True)
    assert report.code == 0
    text = desk.read(OLD)
    assert "- The HTTP client gives up after 5 attempts. [^s1] ^f2" in text
    assert "time: 2025-06-15" in text
    assert "(until 2025-06-15, see ^f2)" in text
    assert commands.scan(desk).code == 0
    assert [each["status"] for each in desk.context.sidecar.read("conflicts.jsonl")] == [
        "superseded"
    ]


def test_a_side_can_be_named_and_a_dry_run_writes_nothing(desk: WorkDesk) -> None:
    mark = only(desk)
    before = {path: desk.read(path) for path in RIVALS}
    report = commands.resolve(desk, mark, supersede="a", dry_run=True)
    assert any(line.startswith("+") for line in report.lines)
    assert report.lines[-1].startswith("would be superseded:")
    linked = commands.resolve(desk, mark, accept=True, link=True, dry_run=True)
    assert any("contrasts-with" in line for line in linked.lines)
    assert linked.lines[-1].startswith("would be accepted:")
    assert {path: desk.read(path) for path in RIVALS} == before
    assert only(desk) == mark


def test_what_was_accepted_is_not_asked_again_until_its_words_change(desk: WorkDesk) -> None:
    commands.resolve(desk, only(desk), accept=True, reason="two clients")
    assert commands.scan(desk).code == 0
    assert "two clients" in "\n".join(commands.show(desk).lines)
    assert all("disagrees" not in hit.why for hit in desk.search(ASKED).hits)
    desk.write(NEW, RIVALS[NEW].replace("5 attempts", "6 attempts"))
    assert commands.scan(desk).code == 1


def test_that_two_may_stand_can_be_said_in_the_tree(desk: WorkDesk) -> None:
    commands.resolve(desk, only(desk), accept=True, link=True)
    assert "contrasts-with" in desk.read(OLD) + desk.read(NEW)
    assert commands.scan(desk).code == 0


def test_in_one_entry_the_later_fact_is_the_newer(lab: ScratchLab) -> None:
    desk = lab.tree({"a.md": entry("Office", "The office cat is called Moro.", "Ann likes tea.",
                                   "Ann does not like tea.")}, now=NOW)  # fmt: skip
    commands.resolve(desk, only(desk), newest=True)
    assert "- Ann does not like tea. ^f3\n" in desk.read("a.md")
    assert "see ^f3) ^f2" in desk.read("a.md")


def test_an_entry_of_one_sentence_is_superseded_whole(lab: ScratchLab) -> None:
    desk = lab.tree({
        "a.md": entry("Museum hours", prose="The museum is open on Mondays.", time="2023-01-01"),
        "b.md": entry("Museum hours now", prose="The museum is closed on Mondays.",
                      time="2024-01-01"),
    }, now=NOW)  # fmt: skip
    commands.resolve(desk, only(desk), newest=True)
    assert "superseded_by:" in desk.read("a.md")
    assert commands.scan(desk).code == 0


def test_how_to_settle_has_to_be_said_and_known(lab: ScratchLab, desk: WorkDesk) -> None:
    mark = only(desk)
    with pytest.raises(UsageError):
        commands.resolve(desk, mark)
    with pytest.raises(UsageError):
        commands.resolve(desk, mark, newest=True, accept=True)
    with pytest.raises(UsageError):
        commands.resolve(desk, mark, supersede="c")
    with pytest.raises(EntryNotFound):
        commands.resolve(desk, "nothing", accept=True)
    undated = lab.tree({path: text.replace("time: ", "note: ") for path, text in RIVALS.items()})
    with pytest.raises(UsageError, match="newer"):
        commands.resolve(undated, only(undated), newest=True)


def test_an_entry_that_says_more_is_not_superseded_whole(lab: ScratchLab) -> None:
    desk = lab.tree({
        "a.md": entry("Museum", prose="The museum is open on Mondays.", time="2023-01-01"),
        "b.md": entry("Museum", "The museum is closed on Mondays.", time="2022-01-01"),
    }, now=NOW)  # fmt: skip
    mark = only(desk)
    with pytest.raises(UsageError):
        commands.show(desk, status="other")
    # The older one is a fact: it is replaced in its entry.
    commands.resolve(desk, mark, newest=True)
    assert "The museum is open on Mondays. [^s1] ^f2" in desk.read("b.md")


# -- showing ----------------------------------------------------------------------------------


def test_a_hit_brings_its_rival_and_the_newest_is_marked(desk: WorkDesk) -> None:
    hits = {hit.path: hit.why for hit in desk.search(ASKED, limit=3).hits}
    assert "newest (2025-06-15)" in hits[NEW]
    assert "older (2024-03-01)" in hits[OLD]


def test_a_rival_that_was_not_found_is_pulled_in(lab: ScratchLab) -> None:
    files = dict(RIVALS) | {
        f"http/more{n}.md": entry(f"More {n}", f"The HTTP client writes file {n} a day.")
        for n in range(30)
    }
    desk = lab.tree(files, now=NOW)
    hits = [hit.path for hit in desk.search("HTTP retries give up 3 attempts", limit=2).hits]
    assert {OLD, NEW} <= set(hits)


def test_only_the_newest_is_shown_where_that_is_wanted(desk: WorkDesk) -> None:
    answer = desk.search(ASKED, conflicts="newest")
    assert OLD not in [hit.path for hit in answer.hits]
    assert any("left out" in note and OLD in note for note in answer.notes)


def test_a_person_is_asked_where_that_is_wanted(desk: WorkDesk) -> None:
    answer = desk.search(ASKED, conflicts="ask")
    assert any("conflicts resolve" in note for note in answer.notes)
    off = desk.search(ASKED, conflicts="off")
    assert all("disagrees" not in hit.why for hit in off.hits)


def test_a_question_looks_at_what_it_meets_and_at_those_that_hang_on_it(lab: ScratchLab) -> None:
    third = entry("HTTP manual", "The HTTP client gives up after 7 attempts.")
    cats = (entry("Office", "The office cat is called Moro."),
            entry("Cat", "The office cat is called Luna."))  # fmt: skip
    files = {**RIVALS, "http/manual.md": third, "a/b/office.md": cats[0], "a/b/cat.md": cats[1]}
    desk = lab.tree(files, now=NOW)
    desk.follow()

    def pairs(paths: frozenset[str] | None) -> set[frozenset[str]]:
        return {frozenset((each.one.path, each.other.path))
                for _, each in standing(desk.context, paths)}  # fmt: skip

    matter = {frozenset(pair) for pair in combinations((OLD, NEW, "http/manual.md"), 2)}
    assert pairs(frozenset((OLD,))) == matter
    assert pairs(frozenset(("http/pool.md",))) == set()
    assert pairs(None) == {*matter, frozenset(("a/b/office.md", "a/b/cat.md"))}


def test_a_question_about_something_else_is_left_alone(desk: WorkDesk) -> None:
    hits = desk.search("connections open pool", limit=1).hits
    assert [hit.path for hit in hits] == ["http/pool.md"]


# -- packing ----------------------------------------------------------------------------------


def test_both_sides_are_packed_once_dated_and_first(desk: WorkDesk) -> None:
    pieces = desk.pack(ASKED)
    labels = {each.path: each.label for each in pieces}
    assert {pieces[0].path, pieces[1].path} == {OLD, NEW}
    assert labels[NEW] == "2025-06-15, newest of 2 that disagree"
    assert labels[OLD] == "2024-03-01, disagrees"


def test_a_side_that_is_repeated_speaks_once_and_is_counted(lab: ScratchLab) -> None:
    again = {f"http/again{n}.md": entry(f"HTTP notes {n}",
                                        "The HTTP client gives up after 3 attempts.",
                                        time=f"2024-01-0{n}") for n in range(1, 4)}  # fmt: skip
    desk = lab.tree({**RIVALS, **again}, now=NOW)
    labels = [each.label for each in desk.pack(ASKED) if "disagree" in each.label]
    assert len(labels) == 2
    assert "2024-03-01, disagrees, 4 entries say so" in labels


def test_a_budget_too_small_for_both_packs_neither_alone(desk: WorkDesk) -> None:
    for tokens in (10, 20, 40, 80):
        sides = [each for each in desk.pack(ASKED, tokens=tokens) if "disagree" in each.label]
        assert len(sides) in (0, 2)


def test_the_order_is_left_to_the_seed(lab: ScratchLab) -> None:
    first = {lab.tree(RIVALS, now=NOW, options={"seed": n}).pack(ASKED)[0].path for n in range(8)}
    assert first == {OLD, NEW}


# -- the guard --------------------------------------------------------------------------------


def test_what_contradicts_is_rejected_with_the_rival_named(desk: WorkDesk) -> None:
    done = desk.apply([add("The HTTP client gives up after 9 attempts.")])
    ((_, _, reason),) = done.rejected
    assert "contradicts http/" in reason
    assert "attempts" in reason


@pytest.mark.parametrize("operation", [
    add("The HTTP client logs each failed attempt."),
    add("The HTTP client gives up after 5 attempts."),
    Update(reason="x", path=OLD, drops=(Drop(fact="f1", reason="wrong"),)),
    Supersede(reason="x", path=OLD, fact="f1",
              claim=Claim(text="The HTTP client gives up after 5 attempts.", evidence=())),
])  # fmt: skip
def test_what_agrees_or_is_meant_to_replace_passes(desk: WorkDesk, operation: Operation) -> None:
    assert list(desk.apply([operation], dry_run=True).rejected) == []


def test_what_says_under_where_the_tree_says_over_is_new_and_contradicts(lab: ScratchLab) -> None:
    told = entry("Shop", "The revenue of the shop was over 150,000.")
    desk = lab.tree({"a/b/shop.md": told}, now=NOW)
    done = desk.apply([add("The revenue of the shop was under 150,000.")], dry_run=True)
    assert "contradicts" in done.rejected[0][2]


def test_a_claim_can_be_held_and_the_rest_of_its_operation_passes(lab: ScratchLab) -> None:
    desk = lab.tree(RIVALS, now=NOW, options={"guard": "hold"})
    claims = tuple(
        Claim(text=text, evidence=())
        for text in ("The HTTP client gives up after 9 attempts.", "The HTTP client sings.")
    )
    done = desk.apply([Add(reason="x", path="infra/http/new", title="HTTP", claims=claims)])
    assert len(done.applied) == 1
    assert "9 attempts" not in desk.read("infra/http/new.md")
    report = commands.held(desk)
    assert "9 attempts" in "\n".join(report.lines)
    commands.held(desk, forget=True)
    assert commands.held(desk).code == 1


def test_a_newer_claim_can_take_the_place_of_the_older(lab: ScratchLab) -> None:
    desk = lab.tree({OLD: RIVALS[OLD]}, now=NOW, options={"guard": "supersede"})
    done = desk.apply([add("The HTTP client now gives up after 9 attempts.", time="2025-12-01")])
    assert [kind for kind, _, _ in done.applied] == ["supersede"]
    assert "(until 2025-12-01" in desk.read(OLD)
    older = desk.apply([add("The HTTP client gives up after 4 attempts.", time="2020-01-01")])
    assert len(older.rejected) == 1


def test_a_guard_that_is_off_lets_everything_through(lab: ScratchLab) -> None:
    desk = lab.tree(RIVALS, now=NOW, options={"guard": "off"})
    assert not desk.apply([add("The HTTP client gives up after 9 attempts.")]).rejected


# -- a language model -------------------------------------------------------------------------


def answers(*, closed: str, verdict: str = "silent") -> Callable[[str], str]:
    def say(prompt: str) -> str:
        if "verdict" in prompt:
            return json.dumps({"verdict": verdict})
        return json.dumps({"answer": closed, "evidence": closed})

    return say


@pytest.mark.parametrize(("closed", "files", "tag"), [
    ("The HTTP client gives up after 3 attempts.", {OLD: RIVALS[OLD]}, "agrees"),
    ("The HTTP client gives up after 8 attempts.", {OLD: RIVALS[OLD]}, "overrides-model"),
    ("The HTTP client gives up after 3 attempts.", RIVALS, "in-tree-conflict"),
    ("unknown", {OLD: RIVALS[OLD]}, "unsure"),
])  # fmt: skip
def test_a_result_is_tagged_with_what_the_model_says_alone(
    lab: ScratchLab, closed: str, files: Mapping[str, str], tag: str
) -> None:
    from memtree.knowledge.query import Query

    desk = lab.tree(files, now=NOW, model=answers(closed=closed), options={"elicit": True})
    desk.follow()
    context = desk.context
    found = desk.search(ASKED, elicit=False).hits
    from memtree.plugins import Ranked

    hits = [Ranked(path=hit.path, score=hit.score, text=hit.snippet, lines=hit.lines)
            for hit in found]  # fmt: skip
    Clash().refine(Query(ASKED), hits, context)
    assert any(note.startswith(f"{tag}:") for note in context.notes), context.notes


def test_without_a_model_eliciting_says_so(desk: WorkDesk) -> None:
    answer = desk.search(ASKED, elicit=True)
    assert any("no language model" in note for note in answer.notes)
    assert any("passages are not compared" in note for note in answer.notes)


def test_passages_are_judged_by_a_model_once(lab: ScratchLab) -> None:
    long = "The mill stands at the river. {} It was painted in spring. Visitors like its wheel."
    files = {
        "a.md": entry("The old mill", prose=long.format("Nobody has lived in it since the war.")),
        "b.md": entry("The mill", prose=long.format("The Hubers have lived in it since 1930.")),
    }
    asked: list[str] = []

    def say(prompt: str) -> str:
        asked.append(prompt)
        return json.dumps({"contradict": True, "about": "who lived there"})

    desk = lab.tree(files, now=NOW, model=say)
    report = commands.scan(desk, judge=5)
    assert report.code == 1
    assert "who lived there" in "\n".join(report.lines)
    count = len(asked)
    assert count == 1
    again = commands.scan(desk, judge=5)
    assert len(asked) == count
    assert again.code == 1


def test_a_passage_does_not_take_its_whole_entry_with_it(lab: ScratchLab) -> None:
    more = "The mill is old. It has a wheel.\n\nIt is for sale. Ask the mayor for the keys."
    files = {"a.md": entry("The old mill", prose=more), "b.md": entry("The mill", prose=more[:70])}
    said = json.dumps({"contradict": True, "about": "whether it is for sale"})
    desk = lab.tree(files, now=NOW, model=lambda _: said)
    value = commands.scan(desk, judge=1).value
    assert isinstance(value, dict)
    record = value["open"][0]
    side = "a" if record["a"] == "a" else "b"
    with pytest.raises(Refused, match="says more"):
        commands.resolve(desk, record["id"], supersede=side)


def test_judging_without_a_model_is_refused_with_the_way_out(desk: WorkDesk) -> None:
    with pytest.raises(Unavailable, match="no language model") as error:
        commands.scan(desk, judge=5)
    assert "without --judge" in str(error.value.hint)


def test_a_question_that_names_the_plugin_may_wake_the_model_to_elicit(lab: ScratchLab) -> None:
    said = json.dumps({"answer": "It gives up after 7 attempts.", "evidence": "Clients do."})
    desk = lab.tree({OLD: RIVALS[OLD]}, now=NOW, model=lambda _: said)
    notes = desk.query(ASKED, elicit=True).notes
    assert any(note.startswith("overrides-model:") and "7 attempts" in note for note in notes)


def test_a_model_reads_both_sides_with_their_dates(lab: ScratchLab) -> None:
    read: list[str] = []

    def say(prompt: str) -> str:
        read.append(prompt)
        return json.dumps({"sentences": []})

    lab.tree(RIVALS, now=NOW, model=say).ask(ASKED)
    assert "2025-06-15, newest of 2 that disagree" in read[-1]
    assert "2024-03-01, disagrees" in read[-1]


def test_an_unknown_way_is_said_and_nothing_is_let_through(lab: ScratchLab) -> None:
    desk = lab.tree(RIVALS, now=NOW, options={"guard": "maybe", "conflicts": "both"})
    with pytest.raises(UsageError, match="no way to show conflicts"):
        desk.search(ASKED)
    assert len(desk.apply([add("The HTTP client sings.")]).rejected) == 1
