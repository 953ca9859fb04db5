"""memos at work on scratch trees: guard, life, merging, packing, commands, cube files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.hosting.desk import WorkDesk
from memtree.hosting.lab import ScratchLab
from memtree.knowledge.plan import Add, Annotate, Archive, Link, Merge, Move, Update
from memtree.knowledge.query import Query
from memtree.memories.memos import (
    MemOs,
    carrying,
    chain,
    commands,
    handing,
    living,
    looking,
    refining,
    schedule,
    working,
)
from memtree.memories.memos.acceptance import DAY_0, DAY_8, FILES, note
from memtree.plugins import (
    Answered,
    ChangeSet,
    EntryRef,
    Feedback,
    Observed,
    Ranked,
    Report,
    Sweep,
)

TEA, SHOP = "people/ada/tea.md", "ops/shop/shop.md"
CLIENT, TIMEOUT, FUSED = "ops/redis/client.md", "ops/redis/timeout.md", "ops/redis/client-v2.md"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[ScratchLab]:
    with ScratchLab(MemOs, place=str(tmp_path)) as made:
        yield made


@pytest.fixture
def desk(lab: ScratchLab) -> WorkDesk:
    return lab.tree(FILES, now=DAY_0)


def value(report: Report) -> Any:
    return report.value


# -- frozen -----------------------------------------------------------------------------------


def test_a_link_inside_of_a_frozen_entry_is_not_rewritten(desk: WorkDesk) -> None:
    commands.freeze(desk, SHOP)
    before = desk.raw(SHOP)
    moved = desk.apply([Move(reason="t", path=CLIENT, to="ops/redis/moved.md")])
    merged = desk.apply([Merge(reason="t", paths=(TIMEOUT,), into="ops/redis/staging.md")])
    assert [kind for kind, _, _ in (*moved.rejected, *merged.rejected)] == ["move", "merge"]
    assert all("would be rewritten" in reason for _, _, reason in moved.rejected)
    assert desk.raw(SHOP) == before


def test_thawing_may_say_nothing_else(desk: WorkDesk) -> None:
    commands.freeze(desk, TEA)
    sneaked: tuple[Mapping[str, object], ...] = (
        {"memos": {"state": "generated", "version": 1}, "description": "x"},
        {"memos": {"state": "activated", "version": 1}},
        {"memos": {"state": "generated", "version": 1, "frozen": True, "ttl": "1d"}},
        {"memos": {"state": "generated", "version": 1, "visibility": "public"}},
    )
    for keys in sneaked:
        assert desk.apply([Annotate(reason="t", path=TEA, keys=keys)]).rejected
    assert desk.apply([Add(reason="t", path="people/ada/tea", title="T", claims=(), prose="P")])
    assert "frozen: true" in desk.read(TEA)
    assert commands.thaw(desk, TEA).code == 0
    assert commands.thaw(desk, TEA).code == 1
    assert "frozen" not in desk.read(TEA)


def test_what_is_frozen_is_not_settled_nor_merged_nor_ticked(lab: ScratchLab) -> None:
    plain = lab.tree(FILES, now=DAY_0)
    assert plain.consolidate("2028-01-01T00:00:00Z")[TIMEOUT]
    frozen = FILES[TIMEOUT].replace("---\nThe", "memos: {frozen: true}\n---\nThe")
    desk = lab.tree({**FILES, TIMEOUT: frozen}, now=DAY_0)
    assert TIMEOUT not in desk.consolidate("2028-01-01T00:00:00Z")
    assert not desk.propose(Sweep()).applied
    commands.tick(desk, at="2028-01-01")
    assert desk.read(TIMEOUT) == frozen


def test_what_is_frozen_and_over_is_not_shown_and_keeps_its_bytes(desk: WorkDesk) -> None:
    commands.ttl(desk, TEA, "7d")
    commands.freeze(desk, TEA)
    before = desk.raw(TEA)
    assert TEA in {hit.path for hit in desk.search("green glass kettle").hits}
    assert TEA not in {hit.path for hit in desk.search("green glass kettle", as_of=DAY_8).hits}
    commands.tick(desk, at=DAY_8)
    assert desk.raw(TEA) == before


# -- time to live -----------------------------------------------------------------------------


def test_nothing_is_added_to_what_is_over_until_it_is_renewed(lab: ScratchLab) -> None:
    files = {**FILES, "a/b/old.md": note("Old", "Text.", "memos: {ttl: 1d}\n")}
    desk = lab.tree(files, now=DAY_0)
    link = Link(reason="t", path="a/b/old.md", to=TEA)
    assert "over" in desk.apply([link]).rejected[0][2]
    assert desk.apply([Update(reason="t", path="a/b/old.md")]).rejected
    commands.ttl(desk, "Old", "7d")
    assert desk.apply([link]).applied
    assert desk.apply([Archive(reason="t", path="a/b/old.md")]).applied


def test_a_time_to_live_is_set_renewed_and_taken_away(desk: WorkDesk) -> None:
    assert commands.ttl(desk, "Tea", "7d").code == 0
    assert 'ttl: "7d", since: 2026-01-01T09:00:00Z' in desk.read(TEA)
    assert commands.ttl(desk, "Tea", "off").code == 0
    assert "ttl:" not in desk.read(TEA)
    assert commands.ttl(desk, "Tea", "off").code == 1
    assert commands.ttl(desk, "Tea", "2026-02-01", dry_run=True).code == 0
    assert "ttl:" not in desk.read(TEA)
    with pytest.raises(UsageError, match="no time to live"):
        commands.ttl(desk, "Tea", "a while")
    with pytest.raises(EntryNotFound):
        commands.ttl(desk, "Coffee", "7d")


def test_settling_archives_what_is_over(desk: WorkDesk) -> None:
    commands.ttl(desk, TIMEOUT, "7d")
    assert desk.consolidate("2026-01-07T00:00:00Z").get(TIMEOUT) != "archive"
    assert desk.consolidate(DAY_8)[TIMEOUT] == "archive"
    assert b"30 seconds" in desk.raw(f"_archive/{TIMEOUT}")


def test_settling_keeps_what_is_worked_with_from_fading(lab: ScratchLab) -> None:
    settled = "importance: 60\nsettled: 2026-01-01T00:00:00Z\n"
    files = {f"a/b/{name}.md": note(name, f"Of {name}.", settled) for name in ("one", "two")}
    desk = lab.tree(files, now=DAY_0)
    working.save(desk.context, [working.Member(path="a/b/one.md", rerank=1.0, recordings=2)])
    desk.consolidate("2026-01-15T00:00:00Z")
    importance = {
        name: float(desk.context.tree.get(f"a/b/{name}.md").meta["importance"])  # type: ignore[union-attr,arg-type]
        for name in ("one", "two")
    }
    assert importance["two"] < 57
    assert importance["one"] == pytest.approx(60, abs=0.5)


def test_what_was_over_comes_back_by_restoring_and_renewing_it(desk: WorkDesk) -> None:
    before = desk.read(TEA)
    commands.ttl(desk, TEA, "7d")
    commands.tick(desk, at=DAY_8)

    def found() -> bool:
        return TEA in {hit.path for hit in desk.search("green glass kettle", as_of=DAY_8).hits}

    assert not found()
    desk.tree.restore(TEA)
    assert not found()
    assert commands.ttl(desk, TEA, "30d").code == 0
    assert found()
    assert "state: activated" in desk.read(TEA)
    assert desk.read(TEA).rpartition("---")[2] == before.rpartition("---")[2]
    assert not commands.tick(desk, at=DAY_8).value["applied"]  # type: ignore[index]


def test_a_tick_activates_what_was_answered_with(desk: WorkDesk) -> None:
    desk.propose(Answered(query="q", answer="a", used=(TEA,)))
    desk.propose(Feedback(path=SHOP, verdict="right"))
    desk.propose(Feedback(path=CLIENT, verdict="wrong"))
    desk.propose(Observed(text="I like tea", meta={"kind": "preference"}))
    report = commands.tick(desk)
    assert value(report)["labels"] == {"query": 1, "answer": 1, "mem_feedback": 2, "pref_add": 1}
    assert "state: activated" in desk.read(TEA)
    assert "state: activated" in desk.read(SHOP)
    assert "memos" not in desk.read(CLIENT)
    desk.follow()
    assert [label for label, _, _ in schedule.waiting(desk.context)] == ["mem_update"] * 2


# -- merging ----------------------------------------------------------------------------------


def test_a_question_finds_the_merged_entry_once(desk: WorkDesk) -> None:
    assert commands.merge(desk).code == 0
    paths = [hit.path for hit in desk.search("Redis client gives up after 30 seconds").hits]
    assert FUSED in paths
    assert not {CLIENT, TIMEOUT} & set(paths)
    text = desk.read(FUSED)
    assert text.count("30 seconds") == 1
    assert "update: duplicate" in text
    assert "{rel: part_of, to: ops/shop/shop.md}" in text
    assert desk.read(TIMEOUT).count("merged_to") == 2
    assert commands.merge(desk).lines == ["nothing to do"]


def test_merging_is_one_transaction_that_can_be_undone(desk: WorkDesk) -> None:
    before = {path: desk.raw(path) for path in FILES}
    done = desk.propose(Sweep(), dry_run=True)
    assert done.applied
    assert not done.transaction
    assert {path: desk.raw(path) for path in FILES} == before
    desk.propose(Sweep())
    desk.tree.undo()
    assert {path: desk.raw(path) for path in FILES} == before
    with pytest.raises(EntryNotFound):
        desk.raw(FUSED)


@pytest.mark.parametrize(
    "head", ["memos: {frozen: true}\n", "memos: {visibility: private}\n", "memos: {ttl: 9y}\n",
             "type: procedure\n", "status: archived\narchived: _archive/x.md\n"],
)  # fmt: skip
def test_what_is_locked_hidden_temporary_or_another_thing_is_not_merged(
    lab: ScratchLab, head: str
) -> None:
    files = {"a/b/one.md": note("One", "Ada likes green tea.", head),
             "a/b/two.md": note("Two", "Ada likes green tea.")}  # fmt: skip
    desk = lab.tree(files, now=DAY_0)
    assert not desk.propose(Sweep()).applied


ALIKE = tuple(
    f"The Redis client of the shop gives up after 30 seconds without {which} answer."
    for which in ("an", "any")
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.md", "b.md"),
        ("Notes/a.md", "Notes/b.md"),
        ("x/y/Redis.main.v1.md", "x/y/Redis Main (copy).md"),
        ("x/y/Über 名前.md", "x/y/Zz.md"),
        ("a/b/c/d/e/x.md", "a/b/c/d/e/y.md"),
        ("x/y/" + "a-long-name-" * 10 + "1.md", "x/y/" + "a-long-name-" * 10 + "2.md"),
    ],
)
def test_wherever_two_entries_lie_what_they_become_is_there(
    lab: ScratchLab, one: str, other: str
) -> None:
    texts = zip((one, other), ALIKE, strict=True)
    desk = lab.tree({path: note("Redis", text) for path, text in texts}, now=DAY_0)
    done = desk.propose(Sweep())
    assert not done.rejected
    (made,) = {ref.path for ref in desk.context.tree.entries()} - {one, other}
    for path in (one, other):
        assert "status: archived" in desk.read(path)
        assert [link.to for link in desk.context.tree.relations(path)] == [made]
    assert ALIKE[0].split()[-2] in desk.read(made)
    assert {link.to for link in desk.context.tree.relations(made)} == {one, other}


def test_what_no_operation_touches_is_not_merged(lab: ScratchLab) -> None:
    names = zip(("x/y/con.md", "x/y/a.md"), ALIKE, strict=True)
    desk = lab.tree({path: note("Redis", text) for path, text in names}, now=DAY_0)
    assert not desk.propose(Sweep()).applied


def test_a_version_in_a_persons_own_title_stays(lab: ScratchLab) -> None:
    texts = [f"Node (v18) is what the shop runs on {which} of its servers." for which in
             ("each", "every")]  # fmt: skip
    files = {
        "x/y/node-v18.md": note("Node (v18)", texts[0], "time: 2026-01-02\n"),
        "x/y/node.md": note("Node (v18)", texts[1]),
    }
    desk = lab.tree(files, now=DAY_0)
    desk.propose(Sweep())
    desk.write("x/y/again.md", note("Node (v18)", texts[1]))
    desk.propose(Sweep())
    titles = {ref.path: ref.title for ref in desk.context.tree.entries()}
    assert titles["x/y/node-v18-v2.md"] == "Node (v18) (v2)"
    assert titles["x/y/node-v18-v3.md"] == "Node (v18) (v3)"


def test_two_merges_of_one_sweep_never_share_a_place(lab: ScratchLab) -> None:
    pool = "The pool of the shop keeps 20 connections open for each of {} workers."
    files = {
        "x/y/note.md": note("Redis", ALIKE[0], "time: 2026-01-02\n"),
        "x/y/a.md": note("Redis", ALIKE[1]),
        "x/y/note-v2.md": note("Pool", pool.format("the"), "time: 2026-01-02\n"),
        "x/y/b.md": note("Pool", pool.format("its")),
    }
    desk = lab.tree(files, now=DAY_0)
    desk.propose(Sweep())
    made = {ref.path for ref in desk.context.tree.entries()} - set(files)
    assert len(made) == 2
    said = "".join(desk.read(path) for path in made)
    assert "Redis client" in said
    assert "pool of the shop" in said


def test_what_another_guard_keeps_out_takes_nothing_into_the_archive(desk: WorkDesk) -> None:
    context = desk.context
    operations = [
        one for one in living.swept("", context) if not isinstance(one, Add)
    ]  # as when another plugin turned the new entry down
    refused = [ruling.operation for ruling in MemOs().guard(operations, context)]
    kept = [one for one in operations if one not in refused]
    assert any(isinstance(one, Archive) for one in operations)
    assert all(isinstance(one, Link) for one in kept)
    assert not desk.apply(kept).applied


def test_nothing_outside_of_the_scope_is_merged(desk: WorkDesk) -> None:
    with pytest.raises(EntryNotFound, match="no entries below 'nowhere'"):
        commands.merge(desk, "nowhere")
    assert not desk.propose(Sweep(scope="people")).applied
    assert desk.propose(Sweep(scope="ops")).applied


def test_a_model_is_asked_of_pairs_that_only_meaning_finds(lab: ScratchLab) -> None:
    files = {
        "a/b/one.md": note("Tea", "Ada likes to drink green tea in the morning at home."),
        "a/b/two.md": note("Morning tea", "In the morning Ada drinks green tea at home."),
        "a/b/three.md": note("Boat", "The boat was painted white by Bob."),
    }
    fused = "Ada likes to drink green tea at home in the morning."
    asked: list[str] = []

    def model(prompt: str) -> str:
        asked.append(prompt)
        return json.dumps({"relation": "redundant", "fused": fused})

    desk = lab.tree(files, now=DAY_0, model=model, options={"cosine": 0.6})
    assert desk.context.embedder is not None
    assert desk.propose(Sweep()).applied
    assert len(asked) == 1
    assert "boat" not in asked[0]
    made = [ref.path for ref in desk.context.tree.entries() if "-v2" in ref.path]
    assert fused in desk.read(made[0])


@pytest.mark.parametrize("said", ["", "no JSON", '{"relation": "same"}', '{"fused": 3}', "[]"])
def test_a_model_that_says_nothing_of_use_leaves_it_to_the_words(
    lab: ScratchLab, said: str
) -> None:
    files = {path: FILES[path] for path in (CLIENT, TIMEOUT)}
    desk = lab.tree(files, now=DAY_0, model=lambda _: said)
    assert desk.propose(Sweep()).applied
    assert "30 seconds" in desk.read(FUSED)


def test_of_two_that_contradict_each_other_the_newer_holds(lab: ScratchLab) -> None:
    files = {
        "a/b/old.md": note("Deadline", "The release deadline is Friday the 3rd.",
                           "time: 2025-01-01\n"),
        "a/b/new.md": note("Deadline of June", "The release deadline is Monday the 9th.",
                           "time: 2025-06-01\n"),
    }  # fmt: skip
    said = json.dumps({"relation": "contradictory", "fused": ""})
    desk = lab.tree(files, now=DAY_0, model=lambda _: said, options={"jaccard": 0.3})
    assert desk.propose(Sweep()).applied
    text = desk.read("a/b/new-v2.md")
    assert "Monday the 9th" in text
    assert "Friday" not in text
    assert "update: conflict" in text
    assert b"Friday" in desk.raw("_archive/a/b/old.md")


# -- history ----------------------------------------------------------------------------------


def test_every_version_is_kept_with_its_text(desk: WorkDesk) -> None:
    commands.freeze(desk, TEA)
    commands.thaw(desk, TEA)
    desk.write(TEA, desk.read(TEA).replace("green", "blue"))
    report = commands.history(desk, TEA)
    records = value(report)["chain"]
    texts = [record["text"] for record in records if "text" in record]
    assert [record["update_type"] for record in records] == ["generated", "state", "edit"]
    assert ["green" in text for text in texts] == [True, False]
    assert [record["version"] for record in records] == [1, 1, 2]


def test_the_history_of_what_is_gone_is_found_by_its_path(desk: WorkDesk) -> None:
    commands.freeze(desk, TEA)
    desk.remove(TEA)
    records = value(commands.history(desk, TEA))["chain"]
    assert records[-1]["update_type"] == "removed"
    with pytest.raises(EntryNotFound):
        commands.history(desk, "never/was/here.md")


def test_a_first_change_by_hand_says_that_what_stood_there_is_not_known(desk: WorkDesk) -> None:
    desk.follow()
    assert desk.context.sidecar.names(chain.FOLDER) == ["history/" + chain.file_of(
        "ops/shop/alarm").removeprefix("history/")]  # fmt: skip
    desk.write(TEA, desk.read(TEA).replace("green", "blue"))
    desk.follow()
    records = chain.chain_of(desk.context, "people/ada/tea")
    assert [(record["version"], "text" in record) for record in records] == [(1, False), (2, True)]


# -- who may see what -------------------------------------------------------------------------


def test_visibility_is_set_by_a_command_and_kept_from_the_public(desk: WorkDesk) -> None:
    commands.visibility(desk, TEA, "session")

    def found(visibility: str = "") -> bool:
        answer = desk.search("green glass kettle", visibility=visibility)
        return TEA in {hit.path for hit in answer.hits}

    assert found()
    assert found(visibility="session")
    assert not found(visibility="public")
    commands.visibility(desk, TEA, "public")
    assert found(visibility="public")
    with pytest.raises(UsageError):
        commands.visibility(desk, TEA, "everybody")


class Counting:
    """A tree that counts which files were opened."""

    def __init__(self, tree: Any) -> None:
        self.tree, self.opened = tree, list[str]()

    def get(self, path: str) -> Any:
        self.opened.append(path)
        return self.tree.get(path)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tree, name)


def test_a_question_opens_only_what_governs_anything(desk: WorkDesk) -> None:
    commands.ttl(desk, TEA, "7d")
    context: Any = desk.context
    context.options = {**context.options, "as_of": DAY_8}
    context.tree = counting = Counting(context.tree)
    hits = [Ranked(path=path, score=1.0) for path in FILES]
    left = refining.refined(Query("tea"), hits, context)
    assert [hit.path for hit in left] == [path for path in FILES if path != TEA]
    assert sorted(counting.opened) == sorted((TEA, "ops/shop/alarm.md"))


def test_whoever_lost_the_list_opens_every_file_and_hides_the_same(desk: WorkDesk) -> None:
    commands.ttl(desk, TEA, "7d")
    desk.follow()
    assert TEA in (looking.governed(desk.context) or ())
    desk.context.cache.save_value(looking.GOVERNED, "another form", [])
    assert looking.governed(desk.context) is None
    found = desk.search("green glass kettle", as_of=DAY_8)
    assert TEA not in {hit.path for hit in found.hits}


def test_for_other_eyes_the_files_are_asked_and_not_a_list(desk: WorkDesk) -> None:
    hidden = "ops/shop/alarm.md"
    desk.follow()
    desk.context.cache.save_value(looking.GOVERNED, "1", [])
    assert looking.governed(desk.context) == frozenset()
    found = desk.search("written on the blue envelope", visibility="public")
    assert hidden not in {hit.path for hit in found.hits}


def test_what_a_person_writes_by_hand_is_followed_at_once(desk: WorkDesk) -> None:
    def there() -> bool:
        return TEA in {hit.path for hit in desk.search("green glass kettle", as_of=DAY_8).hits}

    assert there()
    text = desk.read(TEA)
    desk.write(TEA, text.replace("---\nAda", "memos: {ttl: 7d, since: 2026-01-01}\n---\nAda"))
    assert not there()
    desk.write(TEA, text)
    assert there()
    desk.remove(TEA)
    assert not there()
    assert TEA not in (looking.governed(desk.context) or ())


def test_what_waits_to_be_indexed_may_govern_anything(desk: WorkDesk) -> None:
    desk.follow()
    context = desk.context
    gone = EntryRef(path="people/ada/gone.md", id="gone", digest="")
    waiting = next(ref for ref in context.tree.entries() if ref.path == TEA)
    looking.register(context, ChangeSet(removed=(gone, waiting)), set())
    assert TEA in (looking.governed(context) or ())
    assert gone.path not in (looking.governed(context) or ())


def test_every_passage_of_an_entry_is_kept_and_a_merged_one_comes_once(desk: WorkDesk) -> None:
    desk.propose(Sweep())
    desk.follow()

    def hit(path: str, line: int) -> Ranked:
        return Ranked(path=path, score=1.0, text=f"{line}", lines=(line, line))

    hits = [hit(TEA, 1), hit(CLIENT, 1), hit(TEA, 2), hit(TIMEOUT, 1), hit(FUSED, 7)]
    left = refining.refined(Query("tea"), hits, desk.context)
    assert [(one.path, one.lines[0]) for one in left] == [(TEA, 1), (FUSED, 7), (TEA, 2)]


def test_what_is_left_out_is_counted_but_not_named(desk: WorkDesk) -> None:
    answer = desk.search("alarm code", visibility="public")
    assert any("1 entry left out" in each for each in answer.notes)
    assert "larm" not in str(answer.notes)


# -- the working set --------------------------------------------------------------------------


def test_what_came_up_twice_is_hot_and_first_in_every_prompt(desk: WorkDesk) -> None:
    assert commands.warm(desk).code == 1
    for _ in range(2):
        desk.pack("green glass kettle", pack=True)
    assert TEA in working.hot_paths(desk.context)
    assert commands.warm(desk).code == 0
    first = desk.pack("what is known about redis", pack=True)
    second = desk.pack("birthday of Ada on a boat", pack=True)
    hot = [piece for piece in first if piece.label == working.LABEL]
    assert hot
    assert list(second)[: len(hot)] == hot == list(first)[: len(hot)]
    commands.ttl(desk, TEA, "1d")
    assert TEA not in {piece.path for piece in desk.pack("tea", pack=True, as_of=DAY_8)}


def test_without_anything_hot_or_hidden_another_packer_is_let_through(desk: WorkDesk) -> None:
    from memtree.knowledge.query import Query
    from memtree.plugins import Ranked

    hits = (Ranked(path=TEA, score=1.0, text="Ada drinks"),)
    assert MemOs().pack(Query("tea"), hits, desk.context) is None
    packed = MemOs().pack(Query("tea"), hits, desk.context)  # the second question: now it is hot
    assert packed is not None
    assert [piece.label for piece in packed.pieces] == [working.LABEL]


def test_what_was_answered_with_is_in_the_working_set(desk: WorkDesk) -> None:
    desk.propose(Answered(query="what tea", answer="green", used=(TEA,)))
    (member,) = working.load(desk.context)
    assert (member.path, member.recordings, member.rerank) == (TEA, 1, 1.0)


def test_before_any_question_what_matters_most_is_warmed(lab: ScratchLab) -> None:
    files = {**FILES, "a/b/core.md": note("Core", "The core of it.", "maturity: core\n")}
    desk = lab.tree(files, now=DAY_0)
    report = commands.warm(desk)
    assert value(report)["hot"] == ["a/b/core.md"]
    assert "no question" in report.lines[0]


def test_what_becomes_hot_stands_behind_what_is(desk: WorkDesk) -> None:
    blocks = []
    for question in ("green glass kettle", "birthday on a boat", "shop alarm code", "redis") * 2:
        desk.pack(question, pack=True)
        blocks.append(working.composed(working.hot_block(desk.context, tokens=800)))
    assert blocks[-1]
    assert all(after.startswith(before) for before, after in itertools.pairwise(blocks))


def test_a_pack_keeps_its_budget(desk: WorkDesk) -> None:
    for _ in range(3):
        for tokens in (0, 1, 10, 30, 100, 2000):
            pieces = desk.pack("Ada tea kettle shop redis", tokens=tokens, pack=True)
            assert sum(-(-len(piece.text) // 4) for piece in pieces) <= tokens


def test_a_model_reads_the_hot_block_once(lab: ScratchLab) -> None:
    prompts: list[str] = []

    def model(prompt: str) -> str:
        prompts.append(prompt)
        return "ok"

    desk = lab.tree(FILES, now=DAY_0, model=model)
    for _ in range(2):
        desk.pack("green glass kettle", pack=True)
    report = commands.warm(desk)
    assert value(report)["rebuilt"]
    assert "green glass kettle" in prompts[-1]
    assert not value(commands.warm(desk))["rebuilt"]


# -- cube files -------------------------------------------------------------------------------


def test_a_cube_goes_to_another_tree_with_its_history(
    lab: ScratchLab, desk: WorkDesk, tmp_path: Path
) -> None:
    commands.freeze(desk, TEA)
    file = str(tmp_path / "cube.jsonl")
    assert handing.export(desk, file, scope="people").code == 0
    other = lab.tree({}, now=DAY_8)
    assert handing.import_(other, file, dry_run=True).code == 0
    assert not other.context.tree.entries()
    assert handing.import_(other, file).code == 0
    assert other.raw(TEA) == desk.raw(TEA)
    assert [ref.path for ref in other.context.tree.entries()] == ["people/ada/birthday.md", TEA]
    assert chain.chain_of(other.context, "people/ada/tea") == chain.chain_of(
        desk.context, "people/ada/tea"
    )
    assert "nothing to do" in handing.import_(other, file).lines


def test_an_import_overwrites_nothing_unasked_and_nothing_frozen(
    desk: WorkDesk, tmp_path: Path
) -> None:
    file = str(tmp_path / "cube.jsonl")
    handing.export(desk, file)
    desk.write(TEA, desk.read(TEA).replace("green", "blue"))
    with pytest.raises(Refused, match=r"tea\.md' are here already"):
        handing.import_(desk, file)
    commands.freeze(desk, TEA)
    report = handing.import_(desk, file, replace_there=True)
    assert value(report)["rejected"][0][1] == TEA
    assert "blue" in desk.read(TEA)
    commands.thaw(desk, TEA)
    assert handing.import_(desk, file, replace_there=True).code == 0
    assert "green" in desk.read(TEA)


def test_a_cube_file_is_never_written_over_and_a_damaged_one_not_read(
    desk: WorkDesk, tmp_path: Path
) -> None:
    file = tmp_path / "cube.jsonl"
    handing.export(desk, str(file))
    with pytest.raises(Refused, match="already"):
        handing.export(desk, str(file))
    file.write_text(file.read_text().replace("green glass", "grey glass"))
    with pytest.raises(Refused, match="damaged"):
        handing.import_(desk, str(file))
    with pytest.raises(UsageError):
        handing.import_(desk, str(tmp_path / "none.jsonl"))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError):
        handing.import_(desk, str(file))


def test_without_a_file_the_lines_are_the_report(desk: WorkDesk) -> None:
    report = handing.export(desk, visibility="public")
    head = json.loads(report.lines[0])
    assert head["files"] == len(report.lines) - 1 == len(FILES) - 1
    assert carrying.read_lines(report.lines).tree == head["tree"]
    with pytest.raises(UsageError):
        handing.export(desk, visibility="all")


def test_training_pairs_are_of_what_is_stable_and_public(desk: WorkDesk) -> None:
    assert handing.pairs(desk).code == 1
    commands.freeze(desk, TEA)
    commands.freeze(desk, "ops/shop/alarm.md")
    pairs = [json.loads(line) for line in handing.pairs(desk).lines]
    assert [pair["source"] for pair in pairs] == [TEA]
    assert pairs[0]["prompt"] == "What is known about Tea?"
    assert pairs[0]["completion"] == "Ada drinks her tea from a green glass kettle."


def test_what_a_cube_is_can_be_shown(desk: WorkDesk) -> None:
    assert commands.show(desk).code == 0
    commands.ttl(desk, TEA, "7d")
    rows = value(commands.show(desk))
    assert [row["path"] for row in rows] == ["ops/shop/alarm.md", TEA]
    assert value(commands.show(desk, "Tea"))["ttl"] == "ttl 7d until 2026-01-08"
    desk.write(TEA, note("Tea", "T.", "memos: {ttl: soon}\n"))
    assert any("soon" in line for line in commands.show(desk, "Tea").lines)


def test_what_a_question_says_wrongly_hides_rather_than_shows(desk: WorkDesk) -> None:
    alarm = "ops/shop/alarm.md"
    for options in ({"visibility": "pubic"}, {"visibility": "public", "as_of": "tomorrow"}):
        answer = desk.search("alarm code", **options)  # type: ignore[arg-type]
        assert alarm not in {hit.path for hit in answer.hits}
        assert any("as_of is no time" in each or "taken as public" in each for each in answer.notes)
    with pytest.raises(UsageError):
        commands.tick(desk, at="tomorrow")


def test_what_is_public_now_leaves_its_past_behind(desk: WorkDesk) -> None:
    desk.follow()
    desk.write("ops/shop/alarm.md", note("Alarm code", "The code is not written down."))
    desk.follow()
    assert len(chain.chain_of(desk.context, "ops/shop/alarm")) == 2
    lines = "".join(handing.export(desk, visibility="public").lines)
    assert "not written down" in lines
    assert "envelope" not in lines


def test_a_folder_of_a_persons_own_is_not_hidden_by_an_import(
    lab: ScratchLab, desk: WorkDesk, tmp_path: Path
) -> None:
    desk.propose(Sweep())
    file = str(tmp_path / "cube.jsonl")
    handing.export(desk, file)
    other = lab.tree({"_archive/mine/own.md": "Mine."}, now=DAY_0)
    with pytest.raises(Refused, match="your own"):
        handing.import_(other, file)


# -- on the command line ----------------------------------------------------------------------


def test_a_cube_lives_and_ends_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from memtree.cli import main

    root = str(tmp_path / "tree")

    def run(*words: str) -> tuple[int, str]:
        code = main([*words, "--tree", root])
        told = capsys.readouterr()
        return code, told.out + told.err

    assert main(["init", root]) == 0
    (tmp_path / "tree" / "a").mkdir()
    (tmp_path / "tree" / "a" / "tea.md").write_text(FILES[TEA], encoding="utf-8")
    assert run("plugins", "enable", "memos")[0] == 0
    assert run("cube", "ttl", "Tea", "7d")[0] == 0
    assert run("cube", "freeze", "Tea")[0] == 0
    code, told = run("cube", "ttl", "Tea", "off")
    assert (code, "is frozen" in told) == (4, True)
    assert run("cube", "thaw", "Tea")[0] == 0
    asked = ("query", "green glass kettle", "--with", "memos", "--set", "memos.as_of=2999-01-01")
    assert "a/tea.md" in run("query", "green glass kettle")[1]
    assert "a/tea.md" not in run(*asked)[1]
    assert "expired" in run("tick", "--at", "2999-01-01", "--dry-run")[1]
    code, told = run("tick", "--at", "2999-01-01", "--json")
    assert [row[0] for row in json.loads(told)["applied"]] == ["archive", "annotate"]
    assert "archive" in run("cube", "history", "a/tea.md")[1]
    code, told = run("cube", "export")
    assert carrying.read_lines(told.splitlines()).files.keys() >= {"a/tea.md", "_archive/a/tea.md"}
