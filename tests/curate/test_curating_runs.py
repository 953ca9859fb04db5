"""From sources to files, with the real index and checks; only the curator is a simple one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memtree.app import Tree, init_tree
from memtree.curating.run import Curation
from memtree.errors import EntryChanged, ModelUnavailable, UsageError
from memtree.knowledge.plan import Add, Archive, Claim, Cost, Evidence, Proposal, Update
from memtree.tree.format import find_front

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.curate.protocol import Outlook
    from memtree.curate.telling import CurateReport, PartTold
    from memtree.knowledge.source import Part


SAID = (
    "Ann owns a red canoe.", "The harbour opens at seven.", "Bob repairs nets in winter.",
    "Tides follow the moon.", "Carl rents kayaks on Sundays.", "Fog hides every buoy.",
    "Dora paints hulls.", "Gulls steal bread from tourists.", "Eels migrate upstream.",
    "Ropes rot when stored wet.", "Lanterns burn whale oil.", "Ice closes our northern route.",
    "Pilots charge double after midnight.", "Salt corrodes brass fittings.", "Emil sings shanties.",
    "Whales surface near Skagen.", "Customs officers inspect crates.", "Anchors drag over gravel.",
    "Storm warnings come by radio.", "Ferries leave from pier nine.", "Divers found old cannons.",
)  # fmt: skip


class Copying:
    """Claims every passage word for word, in an entry named by the source's title."""

    name = "rules"
    actor = "copying/1"

    def __init__(self, before: Callable[[Part], None] | None = None) -> None:
        self.asked = 0
        self.closed = 0
        self.before = before

    def propose(self, part: Part, outlook: Outlook) -> Proposal:
        self.asked += 1
        path = f"notes/learnt/{part.source.title or 'stray'}.md".lower().replace(" ", "-")
        known = outlook.entry(path)
        if self.before is not None:
            self.before(part)
        claims = tuple(
            Claim(
                text=" ".join(passage.text.split()),
                evidence=(
                    Evidence(source=part.source.name, quote=passage.text, lines=passage.lines),
                ),
            )
            for passage in part.passages
        )
        cost = Cost(calls=1, ms=1.0)
        if known is not None:
            op = Update(reason="more of it", confidence=0.8, path=path, claims=claims)
            return Proposal(operations=(op,), cost=cost)
        title = part.source.title or "Stray"
        new = Add(reason="a new subject", confidence=0.8, path=path, title=title, claims=claims)
        return Proposal(operations=(new,), cost=cost)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return init_tree(str(tmp_path / "tree"))


@pytest.fixture
def boats(tmp_path: Path) -> str:
    file = tmp_path / "boats.md"
    file.write_text("# Boats\n\nAnn owns a red canoe.\n\nThe harbour opens at seven.\n")
    return str(file)


def curate(
    tree: Tree, *sources: str, curator: Copying | None = None, **more: object
) -> CurateReport:
    return tree.curate(sources, curator=curator or Copying(), **more)  # type: ignore[arg-type]


def files(tree: Tree) -> dict[str, bytes]:
    found = (path for path in Path(tree.root).rglob("*.md") if ".memtree" not in path.parts)
    return {path.relative_to(tree.root).as_posix(): path.read_bytes() for path in found}


def text_of(tree: Tree, path: str = "notes/learnt/boats.md") -> str:
    return Path(tree.root, path).read_text()


def test_a_source_becomes_an_entry_that_is_found_at_once(tree: Tree, boats: str) -> None:
    report = curate(tree, boats)
    assert (report.curator, report.changed(), report.done) == ("rules", 1, 1)
    assert report.transactions == [tree.history()[0].id]
    answer = tree.search("who owns the canoe")
    assert answer.hits[0].path == "notes/learnt/boats.md"
    meta = find_front(text_of(tree)).meta
    assert meta["generated"]["by"] == "copying/1"  # type: ignore[index]
    # The file lies outside of the ground: only its name is kept, and no place on this machine.
    assert [(item["resource"], item["lines"]) for item in meta["sources"]] == [  # type: ignore[attr-defined]
        ("boats.md", "3"), ("boats.md", "5"),
    ]  # fmt: skip
    assert str(Path(tree.root).parent) not in text_of(tree)


def test_a_file_inside_the_ground_is_anchored_and_drift_is_seen(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    tree = init_tree(str(tmp_path / "memory"))
    file = tmp_path / "docs" / "boats.md"
    file.parent.mkdir()
    file.write_text("# Boats\n\nAnn owns a red canoe.\n")
    curate(tree, str(file))
    states = tree.sources("notes/learnt/boats.md")
    assert [(each.anchor.resource, each.state) for each in states] == [("docs/boats.md", "fresh")]
    file.write_text("# Boats\n\nAnn owns a green canoe.\n")
    assert [each.state for each in tree.sources("notes/learnt/boats.md")] == ["drifted"]


def test_the_same_curation_twice_changes_nothing(tree: Tree, boats: str) -> None:
    curate(tree, boats)
    before = files(tree)
    again = curate(tree, boats)
    assert (again.skipped, again.changed()) == (1, 0)
    anew = curate(tree, boats, again=True)
    assert (anew.skipped, anew.changed(), anew.tally["nothing"]) == (0, 0, 1)
    assert files(tree) == before
    assert len(tree.history()) == 1


def test_what_was_taken_back_is_curated_again(tree: Tree, boats: str) -> None:
    curate(tree, boats)
    tree.undo()
    assert files(tree) == {}
    assert curate(tree, boats).changed() == 1
    assert "red canoe" in text_of(tree)


def test_a_dry_run_shows_the_same_and_writes_nothing(tree: Tree, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.md").write_text(f"# Boats\n\n{SAID[number]}\n")
    sources = [str(tmp_path / "1.md"), str(tmp_path / "2.md")]
    dry = curate(tree, *sources, dry_run=True)
    assert files(tree) == {}
    assert tree.history() == []
    real = curate(tree, *sources)
    assert dry.tally == real.tally == {"add": 1, "update": 1, "refused": 0}
    shown = [[told.path for told in part.operations] for part in dry.parts]
    assert shown == [[told.path for told in part.operations] for part in real.parts]


def test_a_dry_run_sees_what_it_would_have_written(tree: Tree, tmp_path: Path) -> None:
    said = ("The crew has 12 sailors.", "Fog hides every buoy.", "The crew has 14 sailors.")
    sources = []
    for number, text in enumerate(said):
        file = tmp_path / f"{number}.md"
        file.write_text(f"# Boat {number}\n\n{text}\n")
        sources.append(str(file))
    dry = curate(tree, *sources, dry_run=True)
    assert files(tree) == {}
    assert dry.tally == curate(tree, *sources).tally
    assert dry.tally["held"] == 1


def test_an_interruption_keeps_what_was_finished_and_goes_on_behind_it(
    tree: Tree, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"{number}.md").write_text(f"# Boat {number}\n\n{SAID[number]}\n")
    sources = [str(tmp_path / f"{number}.md") for number in (1, 2, 3)]

    def stop(part: Part) -> None:
        if part.source.title == "Boat 2":
            raise KeyboardInterrupt

    report = curate(tree, *sources, curator=Copying(stop))
    assert report.interrupted
    assert list(files(tree)) == ["notes/learnt/boat-1.md"]
    curator = Copying()
    after = curate(tree, *sources, curator=curator)
    assert (after.skipped, after.changed(), curator.asked) == (1, 2, 2)
    assert len(files(tree)) == 3


def test_a_person_who_writes_meanwhile_wins_and_the_part_is_made_again(
    tree: Tree, boats: str
) -> None:
    curate(tree, boats)
    file = Path(tree.root, "notes/learnt/boats.md")
    Path(boats).write_text("# Boats\n\nCarl rents kayaks on Sundays.\n")

    def write(_: Part) -> None:
        if "by hand" not in file.read_text():
            file.write_text(file.read_text() + "- Written by hand. ^f9\n")

    curator = Copying(write)
    assert curate(tree, boats, curator=curator).changed() == 1
    assert curator.asked == 2
    assert (
        file.read_text().endswith(
            "- Written by hand. ^f9\n- Carl rents kayaks on Sundays. [^s1] ^f10\n"
        )
        or "- Carl rents kayaks on Sundays." in file.read_text()
    )
    assert "Written by hand." in file.read_text()


def test_a_person_who_goes_on_writing_stops_it(tree: Tree, boats: str) -> None:
    curate(tree, boats)
    file = Path(tree.root, "notes/learnt/boats.md")
    Path(boats).write_text("# Boats\n\nCarl rents kayaks on Sundays.\n")

    def write(_: Part) -> None:
        file.write_text(file.read_text() + "More.\n")

    curator = Copying(write)
    with pytest.raises(EntryChanged):
        curate(tree, boats, curator=curator)
    assert "kayaks" not in file.read_text()
    assert curator.closed == 1


def test_with_the_policy_always_everything_waits(tree: Tree, boats: str) -> None:
    report = curate(tree, boats, review="always")
    assert report.tally["held"] == 1
    assert files(tree) == {}
    assert tree.status()["reviews"] == 1
    part = tree.accept(None)
    assert [told.outcome for told in part.operations] == ["applied"]
    assert "- Ann owns a red canoe. [^s1] ^f1\n" in text_of(tree)


def test_what_is_risky_waits_and_never_is_never(tree: Tree, boats: str) -> None:
    class Archiving(Copying):
        def propose(self, part: Part, outlook: Outlook) -> Proposal:
            super().propose(part, outlook)
            return Proposal(operations=(Archive(reason="old", path="notes/learnt/boats.md"),))

    curate(tree, boats)
    Path(boats).write_text("# Boats\n\nForget the boats.\n")
    assert curate(tree, boats, curator=Archiving()).tally["held"] == 1
    assert "red canoe" in text_of(tree)
    report = curate(tree, boats, curator=Archiving(), review="never", again=True)
    assert report.tally["archive"] == 1
    assert find_front(text_of(tree)).meta["status"] == "archived"


def test_what_a_person_rejected_is_not_asked_again(tree: Tree, boats: str) -> None:
    curate(tree, boats, review="always")
    tree.reject(None)
    report = curate(tree, boats, review="always", again=True)
    assert (report.tally["held"], report.tally["nothing"]) == (0, 1)
    assert tree.reviews() == ([], [])


def test_a_flood_needs_a_yes(tree: Tree, tmp_path: Path) -> None:
    for number in range(21):
        file = Path(tree.root, f"notes/learnt/boat-{number}.md")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"---\ntype: fact\ntitle: Boat {number}\n---\nNothing yet.\n")
    sources = []
    for number in range(21):
        file = tmp_path / f"{number}.md"
        file.write_text(f"# Boat {number}\n\n{SAID[number]}\n")
        sources.append(str(file))
    dry = curate(tree, *sources, dry_run=True)
    assert any("--yes" in remark for part in dry.parts for remark in part.remarks)
    report = curate(tree, *sources)
    assert report.exit_code == 4
    assert "without a yes" in report.failed
    assert 0 < report.changed() < 21
    assert curate(tree, *sources, yes=True).changed() == 21 - report.changed()


def test_secrets_never_reach_a_curator_or_a_file(tree: Tree, tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRXV4JKLMNP7T"
    file = tmp_path / "key.md"
    file.write_text(f"# Keys\n\nThe deploy user signs in with aws_access_key_id = {key} always.\n")
    seen: list[str] = []
    curator = Copying(lambda part: seen.extend(passage.text for passage in part.passages))
    report = curate(tree, str(file), curator=curator)
    assert report.codes["secret"] == 1
    assert key not in "".join(seen)
    root = Path(tree.root)
    assert not any(key.encode() in path.read_bytes() for path in root.rglob("*") if path.is_file())


def test_a_pipe_and_a_text_are_sources_too(tree: Tree) -> None:
    report = tree.curate(["-"], stdin=io.BytesIO(b"Dora repairs the pier."), curator=Copying())
    assert report.changed() == 1
    curate(tree, "Emil paints the lighthouse white.")
    text = text_of(tree, "notes/learnt/stray.md")
    assert '{id: s1, resource: stdin, lines: "1"}' in text
    assert '{id: s2, resource: text, lines: "1"}' in text


def test_a_model_that_fails_is_replaced_by_rules_and_that_is_said(tree: Tree, boats: str) -> None:
    class Broken(Copying):
        def propose(self, part: Part, outlook: Outlook) -> Proposal:  # noqa: ARG002  (a curator's)
            raise ModelUnavailable("the model is gone")

    from memtree.sources import open_sources

    broken, rules = Broken(), Copying()
    run = Curation(tree, broken, at="2026-11-22T10:00:00Z", policy="risky", fallback=lambda: rules)
    report = run.all(open_sources([boats], stdin=io.BytesIO()))
    assert report.degraded == "the model is gone"
    assert report.changed() == 1
    assert broken.closed == 1
    with pytest.raises(ModelUnavailable):
        curate(tree, boats, curator=Broken(), again=True)


def test_names_and_policies_that_do_not_exist_are_usage_errors(tree: Tree, boats: str) -> None:
    with pytest.raises(UsageError, match="no curator"):
        tree.curate([boats], curator="magic")
    with pytest.raises(UsageError, match="no policy"):
        curate(tree, boats, review="sometimes")
    with pytest.raises(UsageError):
        curate(tree)


def test_a_plan_of_an_agent_is_checked_and_applied(tree: Tree, boats: str) -> None:
    prompt = tree.plan_prompt([boats])
    assert "Ann owns a red canoe." in prompt
    plan = (
        '{"operations": [{"op": "add", "path": "people/ann/boats.md", "title": "Boats of Ann",'
        ' "reason": "new", "claims": [{"text": "Ann owns a red canoe.",'
        ' "evidence": [{"line": 1, "quote": "Ann owns a red canoe."}]}]}]}'
    )
    report = tree.curate([boats], plan=plan)
    assert (report.curator, report.changed()) == ("host", 1)
    assert "- Ann owns a red canoe." in text_of(tree, "people/ann/boats.md")
    with pytest.raises(UsageError):
        tree.curate([boats], plan="I would rather not.")


def test_one_plan_for_several_sources_is_one_change(tree: Tree, tmp_path: Path) -> None:
    operations = []
    for number in (1, 2):
        (tmp_path / f"{number}.txt").write_text(f"{SAID[number]}\n")
        operations.append(
            f'{{"op": "add", "path": "sea/water/{number}-note.md", "title": "T{number}",'
            f' "reason": "new", "claims": [{{"text": "{SAID[number]}",'
            f' "evidence": [{{"line": {number}, "quote": "{SAID[number]}"}}]}}]}}'
        )
    plan = f'{{"operations": [{", ".join(operations)}]}}'
    report = tree.curate([str(tmp_path / "1.txt"), str(tmp_path / "2.txt")], plan=plan)
    assert (report.tally["add"], report.tally["refused"]) == (2, 0)
    assert len(tree.history()) == 1
    assert 'resource: "2.txt"' in text_of(tree, "sea/water/2-note.md")


def test_the_memory_of_a_run_does_not_grow_with_what_it_told(tree: Tree) -> None:
    told: list[PartTold] = []
    report = tree.curate(["Emil paints the lighthouse."], curator=Copying(), tell=told.append)
    assert [part.operations for part in told] == [part.operations for part in report.parts]
    assert told[0].changes
    assert not report.parts[0].changes
    for _ in range(5000):
        report.take(told[0])
    assert sum(len(part.operations) for part in report.parts) <= 2000
    assert report.tally["add"] == 5001
    assert report.left_out > 2900


def test_a_record_that_was_damaged_costs_time_and_nothing_else(tree: Tree, boats: str) -> None:
    curate(tree, boats)
    before = files(tree)
    record = Path(tree.root, ".memtree/state/curate/done.jsonl")
    record.write_bytes(b'\xff{"digest": 3}\n[[[[\n{"digest": "x"')
    assert curate(tree, boats).changed() == 0
    assert files(tree) == before
    assert curate(tree, boats).skipped == 1
