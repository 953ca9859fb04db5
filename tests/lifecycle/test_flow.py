"""What the history tells of the last settlings."""

from __future__ import annotations

from pathlib import Path

from memtree.lifecycle.flow import flow_of
from memtree.tree.history import undo
from memtree.tree.receipt import fingerprint
from memtree.tree.transaction import begin


def entry(maturity: str, *, status: str = "") -> bytes:
    more = f"status: {status}\n" if status else ""
    return f"---\ntype: fact\nmaturity: {maturity}\n{more}---\nText.\n".encode()


def settle(root: Path, at: str, changes: dict[str, bytes], command: str = "consolidate") -> str:
    with begin(str(root), command=command, at=at) as txn:
        for path, data in changes.items():
            file = root / path
            expected = fingerprint(file.read_bytes()) if file.exists() else b""
            txn.write(path, data, expected)
    return txn.receipt.id


def plant(root: Path) -> None:
    (root / ".memtree").mkdir()
    (root / "a").mkdir()
    for name in ("one", "two", "three"):
        (root / "a" / f"{name}.md").write_bytes(entry("draft"))


def test_a_settling_is_told_by_what_rose_fell_and_left(tmp_path: Path) -> None:
    plant(tmp_path)
    settle(tmp_path, "2026-10-01T00:00:00Z", {"a/one.md": entry("core"), "a/two.md": entry("core")})
    settle(
        tmp_path,
        "2026-11-01T00:00:00Z",
        {"a/one.md": entry("validated"), "a/three.md": entry("draft", status="archived")},
    )
    states = {"a/one.md": "validated", "a/two.md": "core", "a/three.md": "archived"}
    assert [(one.at, one.promoted, one.demoted, one.archived) for one in flow_of(
        str(tmp_path), states)] == [("2026-11-01", 0, 1, 1), ("2026-10-01", 2, 0, 0)]  # fmt: skip
    assert len(flow_of(str(tmp_path), states, last=1)) == 1


def test_other_changes_and_undone_settlings_are_no_flow(tmp_path: Path) -> None:
    plant(tmp_path)
    settle(tmp_path, "2026-10-01T00:00:00Z", {"a/one.md": entry("core")}, command="edit a/one.md")
    made = settle(tmp_path, "2026-11-01T00:00:00Z", {"a/two.md": entry("validated")})
    states = {"a/one.md": "core", "a/two.md": "validated", "a/three.md": "draft"}
    assert [one.promoted for one in flow_of(str(tmp_path), states)] == [1]
    undo(str(tmp_path), made, at="2026-11-02T00:00:00Z")
    states["a/two.md"] = "draft"
    assert flow_of(str(tmp_path), states) == []


def test_a_tree_without_history_has_no_flow(tmp_path: Path) -> None:
    assert flow_of(str(tmp_path), {}) == []
