"""The history of a tree: what it tells, and that every transaction can be undone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from memtree.errors import EntryChanged, EntryNotFound, UsageError
from memtree.tree import commit, history
from memtree.tree.history import content_after, content_before, load, transactions, undo
from memtree.tree.transaction import ABSENT, ANY, begin, fingerprint

if TYPE_CHECKING:
    from memtree.tree.receipt import Receipt

AT = "2026-01-02T03:04:05Z"


def snapshot(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".memtree" not in path.relative_to(root).parts
    }


def write(root: Path, **contents: bytes | None) -> Receipt:
    """Write or remove (None) the files NAME.md in one transaction."""
    with begin(str(root), command=" ".join(contents), at=AT, by="tester") as txn:
        for name, data in contents.items():
            if data is None:
                txn.remove(f"{name}.md", ANY)
            else:
                txn.write(f"{name}.md", data, ANY)
    return txn.receipt


def test_transactions_are_told_newest_first(tmp_path: Path) -> None:
    assert transactions(str(tmp_path)) == []
    receipts = [write(tmp_path, a=b"1"), write(tmp_path, a=b"2", b=b"1"), write(tmp_path, a=None)]
    assert transactions(str(tmp_path)) == receipts[::-1]
    assert transactions(str(tmp_path), limit=2) == receipts[:0:-1]
    assert load(str(tmp_path), receipts[1].id) == receipts[1]
    assert load(str(tmp_path), "2") == receipts[1]
    assert receipts[1].by == "tester"


def test_an_unknown_or_unclear_id_is_refused(tmp_path: Path) -> None:
    write(tmp_path, a=b"1")
    write(tmp_path, a=b"2")
    for unknown in ("nothing", "9", "", "../journal"):
        with pytest.raises(EntryNotFound):
            load(str(tmp_path), unknown)
    with pytest.raises(UsageError, match="several"):
        load(str(tmp_path), "0000")


def test_contents_before_and_after_are_kept(tmp_path: Path) -> None:
    first = write(tmp_path, a=b"1")
    second = write(tmp_path, a=b"2")
    third = write(tmp_path, a=None)
    root = str(tmp_path)
    assert content_before(root, first.id, "a.md") is None
    assert content_after(root, first.id, "a.md") == b"1"
    assert content_before(root, second.id, "a.md") == b"1"
    assert content_after(root, second.id, "a.md") == b"2"
    assert content_before(root, third.id, "a.md") == b"2"
    assert content_after(root, third.id, "a.md") is None
    with pytest.raises(EntryNotFound):
        content_before(root, first.id, "b.md")
    last = write(tmp_path, b=b"1")
    assert content_after(root, last.id, "b.md") == b"1"
    (tmp_path / "b.md").write_bytes(b"edited")
    with pytest.raises(EntryNotFound, match="no longer known"):
        content_after(root, last.id, "b.md")


def test_undo_brings_back_every_byte_and_undoing_it_is_redo(tmp_path: Path) -> None:
    write(tmp_path, a=b"\xef\xbb\xbfa\r\n", b=b"b")
    old = snapshot(tmp_path)
    with begin(str(tmp_path), command="all", at=AT) as txn:
        txn.write("a.md", b"A", ANY)
        txn.move("b.md", "deep/down/b.md", ANY)
        txn.write("c.md", b"c", ABSENT)
    new = snapshot(tmp_path)
    receipt = undo(str(tmp_path), at=AT)
    assert receipt.command == f"undo {txn.receipt.id}"
    assert snapshot(tmp_path) == old
    assert not (tmp_path / "deep").exists()
    undo(str(tmp_path), at=AT)
    assert snapshot(tmp_path) == new
    undo(str(tmp_path), txn.receipt.id, at=AT, by="someone")
    assert snapshot(tmp_path) == old
    assert transactions(str(tmp_path))[0].by == "someone"


def test_an_older_transaction_can_be_undone_when_nothing_touched_its_files(tmp_path: Path) -> None:
    first = write(tmp_path, a=b"1")
    write(tmp_path, b=b"1")
    undo(str(tmp_path), first.id, at=AT)
    assert snapshot(tmp_path) == {"b.md": b"1"}


@pytest.mark.parametrize("meanwhile", [b"edited", None])
def test_undo_is_refused_when_a_file_changed_since(tmp_path: Path, meanwhile: bytes | None) -> None:
    write(tmp_path, a=b"1", b=b"1")
    write(tmp_path, a=b"2", b=b"2")
    if meanwhile is None:
        (tmp_path / "b.md").unlink()
    else:
        (tmp_path / "b.md").write_bytes(meanwhile)
    before = snapshot(tmp_path)
    with pytest.raises(EntryChanged, match=r"'b\.md' changed since 'a b'"):
        undo(str(tmp_path), at=AT)
    assert snapshot(tmp_path) == before


def test_undo_does_not_overwrite_what_stands_where_a_file_was_removed(tmp_path: Path) -> None:
    write(tmp_path, a=b"1")
    write(tmp_path, a=None)
    (tmp_path / "a.md").write_bytes(b"the person's")
    with pytest.raises(EntryChanged):
        undo(str(tmp_path), at=AT)
    assert snapshot(tmp_path) == {"a.md": b"the person's"}


def test_there_may_be_nothing_to_undo(tmp_path: Path) -> None:
    with pytest.raises(EntryNotFound, match="nothing to undo"):
        undo(str(tmp_path), at=AT)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_undo_brings_back_permissions(tmp_path: Path) -> None:
    write(tmp_path, a=b"1")
    (tmp_path / "a.md").chmod(0o640)
    write(tmp_path, a=None)
    undo(str(tmp_path), at=AT)
    assert (tmp_path / "a.md").stat().st_mode & 0o777 == 0o640


def test_the_history_is_bounded_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "HISTORY_TRANSACTIONS", 5)
    receipts = [write(tmp_path, a=b"%d" % number) for number in range(9)]
    assert transactions(str(tmp_path), limit=100) == receipts[:3:-1]
    assert [txn.id for txn in receipts] == sorted(txn.id for txn in receipts)


def test_the_history_is_bounded_in_bytes_but_keeps_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit, "HISTORY_BYTES", 10_000)
    for number in range(9):
        write(tmp_path, a=b"%d" % number * 2000)
    kept = sum(path.stat().st_size for path in (tmp_path / ".memtree/state/history").iterdir())
    assert 4000 < kept <= 10_000
    write(tmp_path, a=b"x" * 50_000)
    write(tmp_path, a=b"y")
    assert len(transactions(str(tmp_path))) == 1
    undo(str(tmp_path), at=AT)
    assert snapshot(tmp_path) == {"a.md": b"x" * 50_000}


def test_a_damaged_history_file_hides_no_others(tmp_path: Path) -> None:
    first = write(tmp_path, a=b"1")
    broken = write(tmp_path, b=b"1")
    path = tmp_path / ".memtree/state/history" / f"{broken.id}.txn"
    path.write_bytes(b"nonsense")
    assert transactions(str(tmp_path)) == [first]
    with pytest.raises(EntryNotFound, match="no longer be read"):
        load(str(tmp_path), broken.id)


PATHS = ("a.md", "b.md", "d/a.md", "d/e/c.md", "f/g.md", "\u00fc/\u4e2d.md")
CONTENTS = (b"", b"1", b"2", b"\xff\r\n")


class TreesAgreeWithADict(RuleBasedStateMachine):
    """Random transactions and undos do to a tree what they would do to a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="memtree-test-"))
        self.model: dict[str, bytes] = {}
        self.done: list[tuple[str, dict[str, bytes], dict[str, bytes]]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    @rule(data=st.data(), count=st.integers(1, 4), abort=st.booleans())
    def transact(self, data: st.DataObject, count: int, abort: bool) -> None:
        model = dict(self.model)
        try:
            with begin(str(self.root), command="random", at=AT) as txn:
                for _ in range(count):
                    path = data.draw(st.sampled_from(PATHS))
                    there = fingerprint(model[path]) if path in model else ABSENT
                    expected = data.draw(st.sampled_from([there, ANY]))
                    kind = data.draw(st.sampled_from(["write", "remove", "move"]))
                    if kind == "write" or path not in model:
                        content = data.draw(st.sampled_from(CONTENTS))
                        txn.write(path, content, expected)
                        model[path] = content
                    elif kind == "remove":
                        txn.remove(path, expected)
                        del model[path]
                    else:
                        target = data.draw(st.sampled_from(PATHS))
                        if target in model and target != path:
                            with pytest.raises(EntryChanged):
                                txn.move(path, target, expected)
                        else:
                            txn.move(path, target, expected)
                            model[target] = model.pop(path)
                    assert {each for each in PATHS if txn.exists(each)} == set(model)
                _ = 1 // (not abort)
        except ZeroDivisionError:
            return
        touched = {change.path for change in txn.receipt.changes}
        assert touched == {path for path in PATHS if self.model.get(path) != model.get(path)}
        if touched:
            self.done.append((txn.id, self.model, model))
        self.model = model

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        txn, before, after = data.draw(st.sampled_from(self.done[-3:]))
        touched = [path for path in PATHS if before.get(path) != after.get(path)]
        if any(self.model.get(path) != after.get(path) for path in touched):
            with pytest.raises(EntryChanged):
                undo(str(self.root), txn, at=AT)
            return
        model = dict(self.model)
        for path in touched:
            model.pop(path, None)
            if path in before:
                model[path] = before[path]
        receipt = undo(str(self.root), txn, at=AT)
        self.done.append((receipt.id, self.model, model))
        self.model = model

    @rule(path=st.sampled_from(PATHS), content=st.sampled_from(CONTENTS))
    def edit_by_hand(self, path: str, content: bytes) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)
        self.model = {**self.model, path: content}

    @invariant()
    def the_tree_is_the_model(self) -> None:
        assert snapshot(self.root) == self.model
        told = [txn.id for txn in history.transactions(str(self.root), limit=1000)]
        assert told[::-1] == [txn for txn, _, _ in self.done]


TestTreesAgreeWithADict = TreesAgreeWithADict.TestCase
TestTreesAgreeWithADict.settings = settings(max_examples=120, stateful_step_count=15, deadline=None)
