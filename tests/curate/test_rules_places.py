"""Where the rules curator puts what it found, what it replaces, and that it says nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_tree import SmallTree, entry

from memtree.app import Tree, init_tree
from memtree.curate.rules import Rules
from memtree.curate.telling import CurateReport
from memtree.knowledge.path import parse_path
from memtree.knowledge.plan import Add, Supersede, Update
from memtree.knowledge.source import Part, Passage, Source

CHAT = "".join(
    json.dumps({"speaker": who, "date": day, "session": session, "turn": turn, "text": text}) + "\n"
    for who, day, session, turn, text in (
        ("Ann", "2023-05-08T13:56", 1, 1, "I adopted two grey cats from Lyon yesterday."),
        ("Bob", "2023-05-08T13:56", 1, 2, "Wow! What are they called?"),
        ("Ann", "2023-05-08T13:56", 1, 3, "Pixel and Byte."),
        ("Bob", "2023-06-01T09:00", 2, 1, "I passed my driving exam on Monday in a used Fiat."),
    )
)


def tree_at(folder: Path) -> Tree:
    folder.mkdir()
    init_tree(str(folder))
    return Tree(str(folder))


def curated(tree: Tree, *texts: str) -> CurateReport:
    report = tree.curate(list(texts), curator="rules", again=True, yes=True)
    assert not report.failed
    return report


def facts(tree: Tree) -> set[str]:
    """The standing bullets of a tree without their marks."""
    found = set()
    for path in Path(tree.root).rglob("*.md"):
        body = path.read_text("utf-8").partition("## Facts")[2].partition("## Superseded")[0]
        found |= {line.partition(" [^")[0] for line in body.splitlines() if line.startswith("- ")}
    return found


def written(text: str, *, heading: str = "", time: str = "", name: str = "-") -> Part:
    passage = Passage(text=text, lines=(1, 1), heading=heading, time=time)
    source = Source(name=name, time=time)
    return Part(source=source, number=1, passages=(passage,), digest="0" * 64)


def test_a_chat_becomes_entries_by_speaker_and_day(tmp_path: Path) -> None:
    chat = tmp_path / "chat.jsonl"
    chat.write_text(CHAT, "utf-8")
    tree = tree_at(tmp_path / "tree")
    curated(tree, str(chat))
    folders = sorted(row.path.rpartition("/")[0] for row in tree.rows())
    assert folders == ["people/ann", "people/bob"]
    assert all("2023" in row.path for row in tree.rows())
    assert facts(tree) == {
        "- Ann: I adopted two grey cats from Lyon yesterday. (2023-05-07)",
        '- Ann, asked "What are they called?": Pixel and Byte.',
        "- Bob: I passed my driving exam on Monday in a used Fiat. (2023-05-29)",
    }


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    chat = tmp_path / "chat.jsonl"
    chat.write_text(CHAT, "utf-8")
    tree = tree_at(tmp_path / "tree")
    curated(tree, str(chat))
    before = {path: path.read_bytes() for path in Path(tree.root).rglob("*.md")}
    report = curated(tree, str(chat))
    assert report.changed() == 0
    assert {path: path.read_bytes() for path in Path(tree.root).rglob("*.md")} == before


def test_sources_in_another_order_give_the_same_facts(tmp_path: Path) -> None:
    texts = ["Anna likes black tea.", "The default port is 8080.", "anna really likes black tea",
             "Backups run at 02:00 UTC. They are kept for a month."]  # fmt: skip
    found = []
    for number, order in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 0, 3])):
        tree = tree_at(tmp_path / str(number))
        for at in order:
            curated(tree, texts[at])
        found.append({fact.casefold().rstrip(".").replace("really ", "") for fact in facts(tree)})
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 3


def test_what_is_said_of_a_name_with_an_entry_goes_there() -> None:
    tree = SmallTree({"team/people/anna.md": entry("Anna", "Anna likes cake.")})
    tree.named = lambda name: ["team/people/anna.md"] if name == "Anna" else []  # type: ignore[method-assign]
    (operation,) = Rules().propose(written("Anna works at the harbour."), tree).operations
    assert isinstance(operation, Update)
    assert operation.path == "team/people/anna.md"


def test_what_the_entry_says_already_is_not_proposed() -> None:
    tree = SmallTree({"notes/topics/anna.md": entry("Anna", "Anna likes cake.")})
    assert Rules().propose(written("anna really likes cake"), tree).operations == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The gateway times out after 5 seconds.", "The gateway now times out after 30 seconds."),
        ("Anna lives in Paris.", "Anna moved to Berlin in May 2024."),
        ("The default port is 8080.", "The default port changed from 8080 to 9090."),
        ("Ben works at Acme.", "Ben no longer works at Acme."),
        ("The shop uses MySQL.", "The shop now uses Postgres."),
    ],
)
def test_what_changed_takes_the_place_of_what_was(old: str, new: str) -> None:
    tree = SmallTree({"notes/topics/it.md": entry("It", "Ants are small.", old)})
    (operation,) = Rules().propose(written(new, time="2024-06-01"), tree).operations
    assert isinstance(operation, Supersede)
    assert (operation.path, operation.fact) == ("notes/topics/it.md", "f2")
    assert operation.claim is not None
    assert operation.claim.text == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ben lives in Paris.", "Anna moved to Berlin in May 2024."),
        ("The admin port is 8080.", "The default port changed from 8080 to 9090."),
        ("The shop uses MySQL.", "The shop uses Postgres."),
        ("Anna likes tea.", "Anna moved to Berlin."),
    ],
)
def test_another_subject_or_no_word_of_change_replaces_nothing(old: str, new: str) -> None:
    tree = SmallTree({"notes/topics/it.md": entry("It", old)})
    operations = Rules().propose(written(new, time="2024-06-01"), tree).operations
    assert not any(isinstance(operation, Supersede) for operation in operations)


def test_an_older_statement_of_change_does_not_replace_a_newer_fact() -> None:
    fact = entry("Port", "The port is 9090.").replace(
        "created:", "sources: x\ncreated:"
    )  # without dates, the curator leaves it to the checks
    tree = SmallTree({"notes/topics/port.md": fact})
    part = written("The port now is 8080.", time="2020-01-01")
    (operation,) = Rules().propose(part, tree).operations
    assert isinstance(operation, Supersede)
    assert operation.since == "2020-01-01"


def test_paths_are_safe_and_three_or_four_deep() -> None:
    passages = tuple(
        Passage(text=f"The pump number {n} is blue.", lines=(n, n), heading=heading)
        for n, heading in enumerate(("", "A/B > ..", "Größe > Füße > <Zehen>", "CON > nul"), 1)
    )
    for name in ("-", "notes/../x.md", "C:\\pumps.md", "x/y/z/pumps.md", "#"):
        source = Source(name=name, title="Pumps ../ & wells")
        part = Part(source=source, number=1, passages=passages, digest="0" * 64)
        for operation in Rules().propose(part, SmallTree()).operations:
            assert isinstance(operation, Add)
            assert parse_path(operation.path) == operation.path
            assert operation.path.count("/") in (2, 3)
            assert operation.title
