from __future__ import annotations

import json
import os
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from memtree.errors import UsageError
from memtree.exchange import import_paths
from memtree.exchange.chats import is_export, read_path
from memtree.exchange.landing import land
from memtree.tree.format import find_front
from memtree.tree.locate import init_tree

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.exchange import ImportReport

AT = "2026-05-06T07:08:09Z"


class Case:
    """A tree, and exports beside it."""

    def __init__(self, folder: Path) -> None:
        (folder / "tree" / ".memtree").mkdir(parents=True)
        self.root = init_tree(str(folder / "tree"), start=str(folder)).root
        self.file = folder / "conversations.json"

    def run(self, conversations: object, **options: Any) -> ImportReport:
        self.file.write_text(json.dumps(conversations), encoding="utf-8")
        return import_paths(self.root, [str(self.file)], at=AT, **options)

    def entries(self) -> dict[str, tuple[dict[str, object], str]]:
        found = {}
        for above, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(above, name)
                if ".memtree" not in path:
                    with open(path, encoding="utf-8", newline="") as file:
                        text = file.read()
                    front = find_front(text)
                    found[os.path.relpath(path, self.root)] = (front.meta, text[front.body :])
        return found


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def chatgpt(
    identity: str, title: str | None, *said: str, time: float | None = 1683554160.0
) -> object:
    nodes: dict[str, object] = {"root": {"id": "root", "parent": None, "message": None}}
    before = "root"
    for number, text in enumerate(said):
        name = f"{identity}-{number}"
        nodes[name] = {
            "id": name, "parent": before, "children": [],
            "message": {
                "id": name, "author": {"role": "assistant" if number % 2 else "user"},
                "create_time": time, "content": {"content_type": "text", "parts": [text]},
            },
        }  # fmt: skip
        before = name
    return {
        "id": identity,
        "title": title,
        "create_time": time,
        "current_node": before,
        "mapping": nodes,
    }


def claude(identity: str, title: str, *said: str) -> object:
    rows = [
        {
            "uuid": f"{identity}-{number}", "sender": "assistant" if number % 2 else "human",
            "text": text, "created_at": "2024-01-02T03:04:05.678901Z",
        }
        for number, text in enumerate(said)
    ]  # fmt: skip
    return {
        "uuid": identity,
        "name": title,
        "created_at": "2024-01-02T03:04:05Z",
        "chat_messages": rows,
    }


def test_every_message_becomes_an_entry_that_says_who_when_and_where(case: Case) -> None:
    report = case.run([chatgpt("c1", "Trip to Rome", "Where to?", "To Rome,\n\n- by train")])
    assert (report.added, report.problems) == (2, ())
    entries = case.entries()
    (folder,) = {path.rpartition("/")[0] for path in entries}
    assert folder.startswith("conversations/trip-to-rome-")
    meta, body = entries[f"{folder}/where-to.md"]
    assert meta == {
        "type": "message", "id": "c1-0", "time": "2023-05-08T13:56:00Z", "speaker": "user",
        "session": "c1", "turn": 1, "conversation": "Trip to Rome", "source": "chatgpt",
    }  # fmt: skip
    assert body == "Where to?\n"
    assert entries[f"{folder}/to-rome-by-train.md"][1] == "To Rome,\n\n- by train\n"


def test_importing_the_same_again_changes_nothing(case: Case) -> None:
    both = [chatgpt("c1", "New chat", "One", "Two"), chatgpt("c2", "New chat", "One", "Two")]
    assert case.run(both).added == 4
    before = case.entries()
    report = case.run(both)
    assert (report.added, report.changed, report.unchanged) == (0, 0, 4)
    assert case.entries() == before
    assert len({path.rpartition("/")[0] for path in before}) == 2


def test_a_newer_export_adds_to_the_conversations_that_are_there(case: Case) -> None:
    case.run([chatgpt("c1", "Plans", "One")])
    report = case.run([chatgpt("c0", "First", "Zero"), chatgpt("c1", "Plans", "One", "Two")])
    assert (report.added, report.unchanged) == (2, 1)
    assert len({path.rpartition("/")[0] for path in case.entries()}) == 2


def test_rows_without_a_time_or_a_title_come_in(case: Case) -> None:
    report = case.run([chatgpt("c1", None, "Hello", time=None)])
    assert (report.added, report.problems) == (1, ())
    ((meta, _),) = case.entries().values()
    assert "time" not in meta


def test_exports_of_claude_come_in_also_from_their_archive(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps([claude("k1", "Notes", "Hi", "Yo")]))
    for source, added in ((path, 2), (path, 0)):
        report = import_paths(case.root, [str(source)], at=AT, kind="claude")
        assert (report.added, report.problems) == (added, ())
    assert {meta["speaker"] for meta, _ in case.entries().values()} == {"user", "assistant"}


def test_auto_knows_files_archives_and_folders_of_exports(tmp_path: Path) -> None:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (folder / "conversations.json").write_text(json.dumps([claude("k", "T", "Hi")]))
    (folder / "chat.html").write_text("<html>")
    other = tmp_path / "package.json"
    other.write_text('{"name": "x"}')
    assert is_export(str(folder))
    assert is_export(str(folder / "conversations.json"))
    assert not is_export(str(other))
    (folder / "notes.md").write_text("A note.")
    assert not is_export(str(folder))
    (tmp_path / "case").mkdir()
    case = Case(tmp_path / "case")
    with pytest.raises(UsageError, match="can't be told"):
        import_paths(case.root, [str(other)], at=AT)


def test_what_is_not_understood_is_told_and_the_rest_comes_in(case: Case) -> None:
    report = case.run(
        [3, chatgpt("c1", "A", "One"), {"x": 1}, claude("k1", "B", "Two")], kind="claude"
    )
    assert report.added == 1
    assert [p.message for p in report.problems] == [
        "element 1 is no conversation (and 1 more like this)",
        "conversations that are not of claude: 1; --from auto takes both kinds",
    ]
    case.file.write_text(json.dumps([claude("k2", "C", "Three"), claude("k3", "D", "Four")])[:-30])
    report = import_paths(case.root, [str(case.file)], at=AT, kind="claude")
    assert report.added == 1
    assert [p.code for p in report.problems] == ["bad-json"]


def test_lone_surrogates_and_control_characters_are_replaced(case: Case) -> None:
    report = case.run([chatgpt("c1", "A\ud800", "One \udfff \u0007 two")])
    assert report.added == 1
    ((meta, body),) = case.entries().values()
    assert body == "One \ufffd \ufffd two\n"
    assert meta["conversation"] == "A\ufffd"


def test_an_import_that_was_stopped_goes_on(case: Case) -> None:
    many = [
        claude(f"k{n}", f"Talk {n}", *[f"Message {n} {m}" for m in range(40)]) for n in range(30)
    ]
    case.file.write_text(json.dumps(many))
    drafts = read_path(str(case.file), kind="auto")

    def stopped() -> Any:
        yield from islice(drafts, 700)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        land(case.root, stopped(), at=AT)
    assert len(case.entries()) == 500  # what was finished stays
    report = import_paths(case.root, [str(case.file)], at=AT)
    assert (report.added, report.unchanged) == (700, 500)
    assert len(case.entries()) == 1200


def test_turns_count_the_messages_of_their_conversation(case: Case) -> None:
    case.run([claude("k1", "A", "a", "b", "c"), claude("k2", "B", "d")], into="chats")
    turns = sorted((str(meta["session"]), meta["turn"]) for meta, _ in case.entries().values())
    assert turns == [("k1", 1), ("k1", 2), ("k1", 3), ("k2", 1)]
    assert all(path.startswith("chats/conversations/") for path in case.entries())
