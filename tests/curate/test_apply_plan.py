"""A plan is one transaction on real files: all of it, or none."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memtree.app import Tree, init_tree
from memtree.curate.apply import Applied, apply
from memtree.curating.given import ways
from memtree.errors import EntryChanged, StorageFailed
from memtree.knowledge.plan import (
    Add,
    Archive,
    Claim,
    Drop,
    Evidence,
    Link,
    Merge,
    Move,
    Supersede,
    Update,
)
from memtree.tree.format import find_front
from memtree.tree.receipt import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.knowledge.plan import Operation

AT, BY = "2026-11-22T10:00:00Z", "memtree-rules/1"
BOATS = "notes/sea/boats.md"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = init_tree(str(tmp_path / "tree"))
    write(
        made,
        BOATS,
        "---\ntype: fact\ntitle: Boats\nid: boats\n---\n## Facts\n\n- Ann has one. ^f1\n",
    )
    write(made, "notes/sea/ships.md",
          "---\ntype: fact\ntitle: Ships\nid: ships\ntags: [sea]\nowner: Ann\nsources:\n"
          "  - {id: s1, resource: a book}\n---\n# Ships\n\nLong ago, see [^s1].\n\n## Facts\n\n"
          "- They are large. [^s1] ^f1\n- They sink. ^ships-sink\n\n## Superseded\n\n"
          "- They were small (until 1900, see ^f1) ^f0\n\n## Notes\n\nNobody knows.\n")  # fmt: skip
    write(
        made,
        "notes/sea/log.d.md",
        "See [[ships]], [[ships#^f1|large]] and [them](ships.md#^ships-sink).\n",
    )
    write(
        made, "notes/sea/by-id.md", "---\ntype: fact\nrelated: [ships]\n---\nRelated by its id.\n"
    )
    return made


def write(tree: Tree, path: str, text: str) -> None:
    file = Path(tree.root, path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


def read(tree: Tree, path: str) -> str:
    return Path(tree.root, path).read_text()


def files(tree: Tree) -> dict[str, bytes]:
    root = Path(tree.root)
    found = (path for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in found
        if ".memtree" not in path.parts
    }


def claim(text: str) -> Claim:
    return Claim(text=text, evidence=(Evidence(source="log.txt", quote=text, lines=(3, 3)),))


def cite(evidence: Evidence, _: Claim) -> Mapping[str, object]:
    return {"resource": evidence.source, "lines": "3"}


def run(tree: Tree, *operations: Operation, **more: object) -> Applied:
    tree.refresh()
    given = ways(tree, cite, at=AT)
    return apply(tree.root, operations, ways=given, at=AT, by=BY, **more)  # type: ignore[arg-type]


def outcomes(applied: Applied) -> list[str]:
    return [each.outcome for each in applied.outcomes]


def test_every_kind_of_operation_is_one_change_that_undo_takes_back(tree: Tree) -> None:
    write(tree, "notes/sea/old.md", "---\ntype: fact\ntitle: Old\nid: old\n---\nIt was so.\n")
    before = files(tree)
    applied = run(
        tree,
        Add(reason="", path="notes/sea/tides.md", title="Tides", claims=(claim("High at six."),)),
        Update(reason="", path=BOATS, claims=(claim("Bob has two."),)),
        Supersede(reason="", path=BOATS, fact="f1", claim=claim("Ann sold hers.")),
        Link(reason="", path=BOATS, to="notes/sea/tides.md"),
        Supersede(reason="", path="notes/sea/old.md", by=BOATS, since="2026-01-01"),
        Move(reason="", path="notes/sea/by-id.md", to="notes/land/related.md"),
        Merge(reason="", paths=("notes/sea/ships.md",), into=BOATS),
        Archive(reason="", path="notes/sea/log.d.md"),
    )
    assert outcomes(applied) == ["applied"] * 8
    assert applied.receipt is not None
    assert applied.receipt.by == BY
    assert len(tree.history()) == 1
    assert tree.check() == []
    after = files(tree)
    for change in applied.changes:
        assert after.get(change.path) == change.after
        assert before.get(change.path) == change.before
    tree.undo()
    assert files(tree) == before


def test_a_merge_loses_nothing_and_links_follow(tree: Tree) -> None:
    run(tree, Merge(reason="", paths=("notes/sea/ships.md",), into=BOATS))
    assert not Path(tree.root, "notes/sea/ships.md").exists()
    text = read(tree, BOATS)
    assert text[find_front(text).body :] == (
        "## Facts\n\n- Ann has one. ^f1\n- They are large. [^s1] ^f2\n- They sink. ^ships-sink\n\n"
        "## Superseded\n\n- They were small (until 1900, see ^f2) ^f3\n\n## Ships\n\n"
        "Long ago, see [^s1].\n\n## Notes\n\nNobody knows.\n"
    )
    meta = find_front(text).meta
    assert meta["aliases"] == ["Ships"]
    assert meta["tags"] == ["sea"]
    assert meta["owner"] == "Ann"
    assert meta["sources"] == [{"id": "s1", "resource": "a book"}]
    assert meta["merged"] == [{"path": "notes/sea/ships.md", "id": "ships"}]
    assert read(tree, "notes/sea/log.d.md") == (
        "See [[boats]], [[boats#^f2|large]] and [them](boats.md#^ships-sink).\n"
    )
    assert find_front(read(tree, "notes/sea/by-id.md")).meta["related"] == ["notes/sea/boats"]
    assert tree.check() == []


def test_merging_keeps_footnotes_apart(tree: Tree) -> None:
    write(tree, "notes/sea/one.md",
          "---\ntype: fact\nid: one\nsources:\n  - {id: s1, resource: x}\n---\n"
          "## Facts\n\n- One. [^s1] ^f1\n")  # fmt: skip
    run(tree, Merge(reason="", paths=("notes/sea/ships.md",), into="notes/sea/one.md"))
    text = read(tree, "notes/sea/one.md")
    assert "- They are large. [^s2] ^f2" in text
    assert "Long ago, see [^s2]." in text
    assert find_front(text).meta["sources"] == [
        {"id": "s1", "resource": "x"},
        {"id": "s2", "resource": "a book"},
    ]


def test_adding_where_something_stands_updates_it(tree: Tree) -> None:
    applied = run(tree, Add(reason="", path=BOATS, title="Boats", claims=(claim("Bob has two."),)))
    assert read(tree, BOATS).endswith("- Ann has one. ^f1\n- Bob has two. [^s1] ^f2\n")
    assert applied.outcomes[0].path == BOATS


def test_two_new_entries_with_one_path_become_one(tree: Tree) -> None:
    new = [
        Add(reason="", path="notes/sea/tides.md", title="Tides", claims=(claim(text),))
        for text in ("High at six.", "Low at noon.")
    ]
    assert outcomes(run(tree, *new)) == ["applied", "applied"]
    assert read(tree, "notes/sea/tides.md").endswith(
        "- High at six. [^s1] ^f1\n- Low at noon. [^s1] ^f2\n"
    )


def test_new_entries_have_names_that_are_safe_everywhere(tree: Tree) -> None:
    applied = run(
        tree,
        Add(reason="", path="Notes/SEA/BOATS.md", title="Boats", claims=(claim("Other case."),)),
        Add(reason="", path="notes/sea/index.md", title="Index", claims=(claim("Reserved."),)),
    )
    assert [each.path for each in applied.outcomes] == [
        "notes/sea/boats-2.md",
        "notes/sea/index-entry.md",
    ]


@pytest.mark.parametrize(
    "path", ["../out/side/x.md", "/etc/a/b.md", "a/../../b/c.md", ".memtree/state/x.md", "x.md",
             "a/b/c/d/e.md", "a/con/x.md", "a\\b\\c.md", "_archive/a/b.md"],
)  # fmt: skip
def test_no_operation_leaves_the_tree(tree: Tree, path: str) -> None:
    before = files(tree)
    operations: list[Operation] = [
        Add(reason="", path=path, title="T", claims=(claim("C."),)),
        Move(reason="", path=BOATS, to=path),
        Update(reason="", path=path, claims=(claim("C."),)),
        Link(reason="", path=BOATS, to=path),
        Merge(reason="", paths=(path,), into=BOATS),
        Archive(reason="", path=path),
    ]
    applied = run(tree, *operations)
    assert set(outcomes(applied)) == {"refused"}
    assert all(each.refusal and each.refusal.message for each in applied.outcomes)
    assert files(tree) == before


def test_what_cannot_be_done_is_refused_alone_and_leaves_nothing(tree: Tree) -> None:
    write(tree, "notes/sea/odd.md", "---\ntype: fact\nsources: a book\n---\nText.\n")
    before = files(tree)
    applied = run(
        tree,
        Update(reason="", path=BOATS, drops=(Drop(fact="f7", reason=""),), claims=(claim("A."),)),
        Update(reason="", path="notes/sea/odd.md", claims=(claim("B."),)),
        Update(reason="", path="notes/sea/none.md", claims=(claim("C."),)),
        Merge(reason="", paths=("notes/sea/ships.md", "notes/sea/none.md"), into=BOATS),
        Supersede(reason="", path=BOATS, by="notes/sea/none.md"),
        Move(reason="", path="notes/sea/ships.md", to=BOATS),
        Link(reason="", path=BOATS, to=BOATS),
        Add(reason="", path="notes/sea/empty.md", title="Empty", claims=()),
    )
    assert outcomes(applied) == ["refused"] * 8
    assert {each.refusal.code for each in applied.outcomes if each.refusal} == {"cannot-apply"}
    assert applied.changes == ()
    assert files(tree) == before
    assert tree.history() == []


def test_a_person_who_wrote_meanwhile_wins(tree: Tree) -> None:
    seen = {BOATS: fingerprint(Path(tree.root, BOATS).read_bytes())}
    write(tree, BOATS, read(tree, BOATS) + "- Somebody else's.\n")
    before = files(tree)
    new = Add(reason="", path="notes/sea/tides.md", title="Tides", claims=(claim("High at six."),))
    with pytest.raises(EntryChanged):
        run(tree, new, Update(reason="", path=BOATS, claims=(claim("C."),)), seen=seen)
    assert files(tree) == before
    assert tree.history() == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_disk_that_refuses_leaves_nothing(tree: Tree) -> None:
    Path(tree.root, BOATS).chmod(0o444)
    refused_half_way(tree)


def test_a_file_in_the_way_of_a_folder_leaves_nothing(tree: Tree) -> None:
    write(tree, "notes/land", "I am a file.\n")
    before = files(tree)
    applied = run(
        tree,
        Add(reason="", path="notes/land/hills.md", title="Hills", claims=(claim("High."),)),
    )
    assert outcomes(applied) == ["refused"]
    assert files(tree) == before


def refused_half_way(tree: Tree) -> None:
    before = files(tree)
    with pytest.raises(StorageFailed):
        run(
            tree,
            Add(reason="", path="notes/sea/tides.md", title="Tides", claims=(claim("High."),)),
            Update(reason="", path=BOATS, claims=(claim("Bob has two."),)),
        )
    assert files(tree) == before
    assert tree.history() == []


def test_a_disk_that_is_full_leaves_nothing(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def full(source: str, target: str) -> None:
        if str(target).endswith(("journal", "boats.md")):
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    refused_half_way(tree)


def test_a_dry_run_says_the_same_and_writes_nothing(tree: Tree) -> None:
    before = files(tree)
    plan: list[Operation] = [
        Update(reason="", path=BOATS, claims=(claim("Bob has two."),)),
        Move(reason="", path="notes/sea/ships.md", to="notes/land/ships.md"),
        Archive(reason="", path="notes/sea/by-id.md"),
    ]
    dry = run(tree, *plan, dry_run=True)
    assert files(tree) == before
    assert dry.receipt is None
    real = run(tree, *plan)
    assert dry.outcomes == real.outcomes
    assert dry.changes == real.changes


def test_a_stub_is_not_written_into(tree: Tree) -> None:
    run(tree, Archive(reason="", path=BOATS))
    before = files(tree)
    applied = run(tree, Update(reason="", path=BOATS, claims=(claim("C."),)))
    assert outcomes(applied) == ["refused"]
    assert applied.outcomes[0].refusal is not None
    assert "archived" in applied.outcomes[0].refusal.message
    assert files(tree) == before
    tree.restore(BOATS)
    assert "Ann has one." in read(tree, BOATS)


def test_later_operations_follow_an_entry_that_moved(tree: Tree) -> None:
    applied = run(
        tree,
        Move(reason="", path=BOATS, to="notes/land/boats.md"),
        Update(reason="", path=BOATS, claims=(claim("They are on land."),)),
        Link(reason="", path="notes/sea/ships.md", to=BOATS),
    )
    assert outcomes(applied) == ["applied"] * 3
    assert "They are on land." in read(tree, "notes/land/boats.md")
    assert find_front(read(tree, "notes/sea/ships.md")).meta["related"] == ["notes/land/boats.md"]
    assert not Path(tree.root, BOATS).exists()
