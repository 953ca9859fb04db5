"""Anchoring and verifying on real trees, as a program does it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from memtree.app import Tree, init_tree
from memtree.errors import EntryChanged, EntryNotFound, PathRefused, Refused, UsageError
from memtree.tree.format import find_front
from memtree.tree.use_log import uses
from memtree.vouching import actor, verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.knowledge.anchor import SourceState

SOURCE = "".join(f"value_{number} = {number}\n" for number in range(1, 21))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "http.py").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def tree(project: Path) -> Tree:
    return init_tree(str(project / "memory"))


def _meta(tree: Tree, path: str) -> dict[str, Any]:
    return find_front(Path(tree.root, path).read_text()).meta


def _write(tree: Tree, path: str, text: str) -> Path:
    file = Path(tree.root, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def test_an_entry_is_added_with_what_it_rests_on(tree: Tree) -> None:
    added = tree.add(
        "---\nsources:\n  - {id: http, resource: an old book}\n---\nIt is ten.",
        sources=["src/http.py:10", "https://example.org/spec:80", "src/http.py"],
    )
    sources = _meta(tree, added.path)["sources"]
    assert [source["id"] for source in sources] == ["http", "http-2", "spec-80", "http-3"]
    assert sources[1]["digest"] == hashlib.sha256(b"value_10 = 10\n").hexdigest()
    assert sources[1]["at"] == _meta(tree, added.path)["created"]
    assert sources[2] == {"id": "spec-80", "resource": "https://example.org/spec:80"}
    assert [state.state for state in tree.sources(added.path)] == [
        "unchecked", "fresh", "unchecked", "fresh",
    ]  # fmt: skip


def test_nothing_is_added_when_a_source_is_not_there(tree: Tree) -> None:
    for source in ("src/none.py", "src/http.py:99", "/etc/passwd", ""):
        with pytest.raises((UsageError, PathRefused)):
            tree.add("It is so.", sources=[source])
    assert tree.rows() == []


def test_anchoring_touches_nothing_but_the_sources(tree: Tree) -> None:
    file = _write(
        tree,
        "a.md",
        "---\r\ntitle: A  # why\r\nsources:\r\n- {id: x, resource: y} # mine\r\n---\r\nB",
    )
    done = tree.anchor("a.md", ["src/http.py:1-2"])
    before, after = file.read_text().split("# mine\n")
    assert before.endswith("- {id: x, resource: y} ")
    assert re.fullmatch(r"- \{id: http, resource: src/http.py, lines: .*\}\n---\nB", after)
    assert done.receipt.changes[0].path == "a.md"
    text = file.read_bytes()
    again = tree.anchor("a.md", ["src/http.py:1-2"])
    assert again.receipt.changes == ()
    assert file.read_bytes() == text


def test_anchoring_again_takes_the_digest_anew(project: Path, tree: Tree) -> None:
    _write(tree, "a.md", "A")
    tree.anchor("a.md", ["src/http.py:1-2"])
    (project / "src" / "http.py").write_text("other\n" * 3)
    assert [state.state for state in tree.sources("a.md")] == ["drifted"]
    tree.anchor("a.md", ["src/http.py:1-2"])
    assert [state.state for state in tree.sources("a.md")] == ["fresh"]


def test_each_who_verifies_stands_there_once_and_nothing_else_changes(tree: Tree) -> None:
    file = _write(
        tree, "a.md",
        "---\nid: k1\nverified:\n  # first\n  - {by: 'human:ann', at: 2020-01-01, note: x}\n"
        "  - {by: 'process:ci', at: 2020-01-01}\nstale_after: 2021-01-01\n---\nA\n",
    )  # fmt: skip
    for _ in range(3):
        done = tree.verify(["a.md"], by="ann")
    assert done.by == "human:ann"
    assert _meta(tree, "a.md") == {
        "id": "k1",
        "verified": [
            {"by": "human:ann", "at": done.at, "note": "x"},
            {"by": "process:ci", "at": "2020-01-01"},
        ],
        "stale_after": "2021-01-01",
    }
    tree.verify(["a.md"], by="process:review")
    assert [each["by"] for each in _meta(tree, "a.md")["verified"]] == [
        "human:ann", "process:ci", "process:review",
    ]  # fmt: skip
    assert file.read_text().endswith("stale_after: 2021-01-01\n---\nA\n")


def test_confirming_is_a_use_and_can_be_undone(tree: Tree) -> None:
    texts = {"a.md": "---\nid: k1\n---\nA", "b/c.md": "no front matter"}
    for path, text in texts.items():
        _write(tree, path, text)
    done = tree.verify(["a.md", "b/c.md", "a.md"], by="ann")
    assert [each.path for each in done.entries] == ["a.md", "b/c.md"]
    assert {key: [event for _, event in found] for key, found in uses(tree.root).items()} == {
        "k1": ["confirmed"],
        "b/c.md": ["confirmed"],
    }
    tree.undo()
    assert {path: Path(tree.root, path).read_text() for path in texts} == texts


def test_verifying_takes_changed_sources_only_when_asked_to(project: Path, tree: Tree) -> None:
    added = tree.add("It is so.", sources=["src/http.py:10-11", "src/http.py:1", "src/http.py:20"])
    (project / "src" / "http.py").write_text("# new\n" + SOURCE[:-12].replace("= 11", "= 12"))
    asked: list[tuple[str, str, list[str]]] = []

    def no(_: str, state: SourceState, lines: Sequence[str]) -> bool:
        asked.append((state.anchor.place, state.state, list(lines)))
        return False

    before = _meta(tree, added.path)["sources"]
    done = tree.verify([added.path], by="ann", take=no)
    assert asked == [
        ("src/http.py:10-11", "drifted", ["value_9 = 9", "value_10 = 10"]),
        ("src/http.py:1", "moved", ["value_1 = 1"]),
        ("src/http.py:20", "drifted", ["value_19 = 19"]),
    ]
    assert _meta(tree, added.path)["sources"] == before
    assert [state.state for state in done.entries[0].sources] == ["drifted", "moved", "drifted"]

    done = tree.verify([added.path], by="ann", take=lambda *_: True)
    assert [state.state for state in done.entries[0].sources] == ["fresh"] * 3
    after = _meta(tree, added.path)["sources"]
    assert [source["lines"] for source in after] == ["10-11", "2", "20"]
    assert after[1]["digest"] == before[1]["digest"]
    assert done.entries[0].retaken == ("src/http.py:10-11", "src/http.py:2", "src/http.py:20")


def test_lines_that_are_not_there_any_more_are_not_guessed(project: Path, tree: Tree) -> None:
    added = tree.add("It is so.", sources=["src/http.py:15-20", "src/http.py:1-2"])
    (project / "src" / "http.py").write_text("one = 1\n\n \n")
    before = _meta(tree, added.path)["sources"]
    done = tree.verify([added.path], by="ann", take=lambda *_: True)
    assert done.entries[0].retaken == ("src/http.py:1-2",)
    assert _meta(tree, added.path)["sources"][0] == before[0]
    (project / "src" / "http.py").unlink()
    done = tree.verify([added.path], by="ann", take=lambda *_: True)
    assert [state.state for state in done.entries[0].sources] == ["gone", "gone"]


def test_an_edit_while_somebody_is_asked_is_not_overwritten(project: Path, tree: Tree) -> None:
    added = tree.add("It is so.", sources=["src/http.py:1"])
    (project / "src" / "http.py").write_text("other\n")

    def edit(path: str, *_: object) -> bool:
        file = Path(tree.root, path)
        file.write_text(file.read_text() + "By hand.\n")
        return True

    with pytest.raises(EntryChanged):
        tree.verify([added.path], by="ann", take=edit)
    assert uses(tree.root) == {}
    text = Path(tree.root, added.path).read_text()
    assert text.endswith("It is so.\nBy hand.\n")
    assert "verified" not in text


def test_what_can_not_be_vouched_for_is_said(tree: Tree) -> None:
    _write(tree, "text.md", "---\nverified: yes\nsources: a book\n---\n")
    _write(tree, "picture.md", "a\0b")
    for path in ("text.md", "picture.md"):
        with pytest.raises(Refused):
            tree.verify([path], by="ann")
        with pytest.raises(Refused):
            tree.anchor(path, ["src/http.py"])
    with pytest.raises(EntryNotFound):
        verify(tree.root, ["none.md"], by="ann", at="2026-01-01T00:00:00Z", take=lambda *_: True)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("ann", "human:ann"), ("  Ann  Lee ", "human:Ann Lee"), ("human:ann", "human:ann"),
        ("process:ci", "process:ci"), ("memtree/1.0", "memtree/1.0"),
    ],
)  # fmt: skip
def test_actors_are_written_as_the_format_says(name: str, written: str) -> None:
    assert actor(name) == written


@pytest.mark.parametrize("name", ["", "  ", "a\u202eb", "human:", "x" * 201, "\x1b[31m"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        actor(name)


def test_the_example_of_the_specification_is_right() -> None:
    text = (Path(__file__).parents[1] / "templates" / "entry.md").read_text("utf-8")
    digest = hashlib.sha256(b"import time\nRETRIES = 3\n").hexdigest()
    assert f'resource: src/http.py, lines: "1-2", digest: {digest}' in text
    assert "first two lines are `import time` and `RETRIES = 3`" in text
