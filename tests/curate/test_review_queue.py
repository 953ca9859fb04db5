"""What waits for a person: kept whole, shown, accepted or rejected, whatever lies in the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.app import Tree, init_tree
from memtree.curate.apply import TextChange
from memtree.curate.review import Queue, digest_of
from memtree.curate.telling import as_dict, from_dict
from memtree.errors import EntryNotFound, UsageError
from memtree.knowledge.plan import (
    Add,
    Archive,
    Claim,
    Drop,
    Evidence,
    Link,
    Merge,
    Move,
    Replace,
    Supersede,
    Update,
)
from memtree.tree.receipt import fingerprint

if TYPE_CHECKING:
    from memtree.knowledge.plan import Operation

CLAIM = Claim(
    text="It is blue.",
    evidence=(Evidence(source="log.txt", quote="It is blue.", lines=(3, 4)),),
    subject="It",
    when="2026-01-02",
    speaker="Ann",
    said="2026-01-03",
)
ALL: list[Operation] = [
    Add(reason="new", confidence=0.25, path="a/b/c.md", title="T", claims=(CLAIM,), tags=("x",)),
    Update(reason="u", path="a/b/c.md", claims=(CLAIM,),
           replaces=(Replace(fact="f1", claim=CLAIM),), drops=(Drop(fact="f2", reason="wrong"),)),
    Supersede(reason="s", path="a/b/c.md", fact="f1", claim=CLAIM, since="2026-01-01"),
    Supersede(reason="s", path="a/b/c.md", by="a/b/d.md"),
    Merge(reason="m", paths=("a/b/c.md", "a/b/d.md"), into="a/b/e.md"),
    Move(reason="m", path="a/b/c.md", to="a/b/d.md"),
    Archive(reason="a", path="a/b/c.md"),
    Link(reason="l", path="a/b/c.md", to="a/b/d.md", rel="depends-on"),
]  # fmt: skip


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(init_tree(str(tmp_path / "tree")).root)


def hold(queue: Queue, operation: Operation, **more: object) -> str:
    values: dict[str, object] = {"base": {}, "cite": lambda *_: {"resource": "log.txt"}, **more}
    return queue.hold(
        operation, source="log.txt", curator="rules", actor="memtree-rules/1",
        at="2026-11-22T10:00:00Z", risks=("unsure",), **values,  # type: ignore[arg-type]
    )  # fmt: skip


def folder(queue: Queue) -> Path:
    return Path(queue._folder)


@pytest.mark.parametrize("operation", ALL)
def test_every_operation_comes_back_as_it_went_in(queue: Queue, operation: Operation) -> None:
    assert from_dict(json.loads(json.dumps(as_dict(operation)))) == operation
    name = hold(queue, operation, base={"a/b/c.md": b"\x01\x02"})
    waiting, problems = queue.all()
    assert problems == []
    assert [each.operation for each in waiting] == [operation]
    assert waiting[0].id == name == digest_of(operation)[:10]
    assert waiting[0].risks == ("unsure",)


def test_the_same_proposal_waits_once_whatever_its_reason(queue: Queue) -> None:
    first = hold(queue, ALL[6])
    second = hold(queue, Archive(reason="another one", confidence=0.9, path="a/b/c.md"))
    assert first == second
    assert queue.count() == 1


def test_what_was_rejected_does_not_come_back(queue: Queue) -> None:
    name = hold(queue, ALL[0])
    queue.reject(queue.get([name[:4]]))
    assert queue.count() == 0
    assert hold(queue, ALL[0]) == ""
    assert queue.count() == 0
    assert hold(queue, ALL[1])


def test_an_id_is_found_by_its_beginning_when_that_is_clear(queue: Queue) -> None:
    names = [hold(queue, operation) for operation in ALL]
    assert queue.get([names[3][:8]])[0].operation == ALL[3]
    with pytest.raises(EntryNotFound):
        queue.get(["zz"])
    with pytest.raises(EntryNotFound):
        queue.get([""])
    shared = next((a[:1] for a in names for b in names if a != b and a[0] == b[0]), None)
    if shared:
        with pytest.raises(UsageError):
            queue.get([shared])


def test_what_is_no_operation_is_named_and_left_alone(queue: Queue) -> None:
    good = hold(queue, ALL[0])
    place = folder(queue)
    text = (place / f"{good}.json").read_text()
    bad = {
        "0123456789.json": text,  # another one's content
        "aaaaaaaaaa.json": "{",
        "bbbbbbbbbb.json": "[" * 100_000,
        "cccccccccc.json": json.dumps({"operation": {"op": "rm", "path": "/"}}),
        "dddddddddd.json": json.dumps({"operation": {"op": "archive", "path": 7, "reason": ""}}),
        "eeeeeeeeee.json": "x" * (2 << 20),
        "../x.json".replace("../", "UP"): text,
    }
    for name, content in bad.items():
        (place / name).write_text(content)
    (place / "ffffffffff.json").symlink_to("/etc/passwd")
    waiting, problems = queue.all()
    assert [each.id for each in waiting] == [good]
    assert len(problems) == len(bad) + 1
    assert all(problem.code == "bad-review" for problem in problems)
    assert (place / "aaaaaaaaaa.json").read_text() == "{"


def test_a_queue_behind_a_link_is_not_read(queue: Queue, tmp_path: Path) -> None:
    hold(queue, ALL[0])
    elsewhere = tmp_path / "elsewhere"
    folder(queue).rename(elsewhere)
    os.symlink(elsewhere, folder(queue))
    assert queue.all() == ([], [])


KEYS = (
    "op", "path", "reason", "claims", "claim", "evidence", "drops", "to", "fact", "confidence",
    "lines", "text", "title", "paths", "into", "x",
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["add", "update", "supersede", "merge", "archive", "link"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(KEYS),
        inner, max_size=6),
    max_leaves=12,
))  # fmt: skip
def test_whatever_stands_in_a_file_it_is_an_operation_or_refused(value: object) -> None:
    try:
        operation = from_dict(value)
    except ValueError:
        return
    assert from_dict(as_dict(operation)) == operation


def test_changes_of_memtree_itself_are_followed(queue: Queue) -> None:
    before, after = b"old", b"new"
    hold(queue, ALL[1], base={"a/b/c.md": fingerprint(before)})
    hold(queue, ALL[6], base={"a/b/c.md": fingerprint(b"somebody else's")})
    queue.follow([TextChange(path="a/b/c.md", before=before, after=after)])
    base = {type(each.operation).__name__: dict(each.base) for each in queue.all()[0]}
    assert base["Update"] == {"a/b/c.md": fingerprint(after).hex()}
    assert base["Archive"] == {"a/b/c.md": fingerprint(b"somebody else's").hex()}


def test_what_was_decided_meanwhile_does_not_come_back(queue: Queue) -> None:
    first, second, third = b"first", b"second", b"third"
    hold(queue, ALL[1], base={"a/b/c.md": fingerprint(first)})
    queue.follow([TextChange(path="a/b/c.md", before=first, after=second)])
    hold(queue, ALL[6], base={"a/b/c.md": fingerprint(second)})
    gone, stays = (each.id for each in queue.all()[0])
    queue.drop([gone])
    queue.follow([TextChange(path="a/b/c.md", before=second, after=third)])
    (left,) = queue.all()[0]
    assert left.id == stays
    assert dict(left.base) == {"a/b/c.md": fingerprint(third).hex()}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = init_tree(str(tmp_path / "tree"))
    file = Path(made.root, "notes/sea/boats.md")
    file.parent.mkdir(parents=True)
    file.write_text(
        "---\ntype: fact\ntitle: Boats\nid: boats\n---\n## Facts\n\n- Ann has one boat. ^f1\n"
    )
    return made


def held(tree: Tree, operation: Operation) -> str:
    base = {"notes/sea/boats.md": fingerprint(Path(tree.root, "notes/sea/boats.md").read_bytes())}
    item = {"resource": "log.txt", "lines": "3", "speaker": "Ann"}
    return hold(Queue(tree.root), operation, base=base, cite=lambda *_: item)


def update(text: str) -> Update:
    evidence = Evidence(source="log.txt", quote=text, lines=(3, 3))
    made = Claim(text=text, evidence=(evidence,), speaker="Ann")
    return Update(reason="she said so", path="notes/sea/boats.md", claims=(made,))


def test_accepting_is_one_change_and_cites_what_was_kept(tree: Tree) -> None:
    names = [held(tree, update(text)) for text in ("Bob owns two canoes.", "Eve sails a yacht.")]
    part = tree.accept(names)
    assert [told.outcome for told in part.operations] == ["applied", "applied"]
    assert len(tree.history()) == 1
    text = Path(tree.root, "notes/sea/boats.md").read_text()
    assert 'sources:\n  - {id: s1, resource: log.txt, lines: "3", speaker: Ann}\n' in text
    assert "- Bob owns two canoes. [^s1] ^f2\n- Eve sails a yacht. [^s1] ^f3\n" in text
    assert tree.reviews() == ([], [])
    tree.undo()
    assert "canoes" not in Path(tree.root, "notes/sea/boats.md").read_text()


def test_one_acceptance_does_not_stop_the_next(tree: Tree) -> None:
    names = [held(tree, update(text)) for text in ("Bob owns two canoes.", "Eve sails a yacht.")]
    for name in names:
        assert [told.outcome for told in tree.accept([name]).operations] == ["applied"]


def test_accepting_what_changed_meanwhile_says_so(tree: Tree) -> None:
    name = held(tree, update("Bob owns two canoes."))
    file = Path(tree.root, "notes/sea/boats.md")
    file.write_text(file.read_text() + "- Carl came by. ^f2\n")
    before = file.read_text()
    told = tree.accept([name]).operations[0]
    assert told.outcome == "refused"
    assert [(refusal.code) for refusal in told.refusals] == ["changed"]
    assert file.read_text() == before
    assert len(tree.reviews()[0]) == 1
    assert tree.accept([name], anyway=True).operations[0].outcome == "applied"
    assert file.read_text().endswith("- Carl came by. ^f2\n- Bob owns two canoes. [^s1] ^f3\n")


def test_what_is_known_by_now_waits_no_longer(tree: Tree) -> None:
    name = held(tree, update("Ann has one boat."))
    assert tree.accept([name]).operations[0].outcome == "nothing"
    assert tree.reviews() == ([], [])
    assert tree.history() == []


def test_a_forged_file_writes_nothing_outside(tree: Tree, tmp_path: Path) -> None:
    for path in ("../../stolen.md", "/tmp/stolen.md", ".memtree/config.toml"):
        evil = Add(reason="", path=path, title="T", claims=update("Bob owns two canoes.").claims)
        hold(Queue(tree.root), evil)
    before = {str(file) for file in tmp_path.rglob("*") if ".memtree" not in file.parts}
    part = tree.accept(None)
    assert {told.outcome for told in part.operations} == {"refused"}
    assert {str(file) for file in tmp_path.rglob("*") if ".memtree" not in file.parts} == before


def test_accepting_nothing_changes_nothing(tree: Tree) -> None:
    assert tree.accept(None).operations == ()
    assert tree.reject(None) == []
    with pytest.raises(EntryNotFound):
        tree.accept(["abc"])
