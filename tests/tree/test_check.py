from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memtree.knowledge.problem import Problem
from memtree.tree.check import check
from memtree.tree.history import undo
from memtree.tree.links import LinkIndex
from memtree.tree.listing import BEGIN, END
from memtree.tree.locate import init_tree
from memtree.tree.markdown import parse_for_index

if TYPE_CHECKING:
    from pathlib import Path

NOW = "2026-05-06T07:08:09Z"
LONG = "A sentence that is long enough to be told from others when it stands twice.\n"


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / ".memtree").mkdir()
    return init_tree(str(tmp_path), start=str(tmp_path)).root


def _tree(root: str, files: dict[str, str | bytes]) -> None:
    for path, data in files.items():
        whole = os.path.join(root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)


def _check(
    root: str, *, scope: str = "", fix: bool = False, known: tuple[Problem, ...] = ()
) -> list[tuple[str, int, str]]:
    paths = [
        os.path.relpath(os.path.join(above, name), root).replace(os.sep, "/")
        for above, _, names in os.walk(root)
        for name in names
        if name.endswith(".md")
    ]
    rows = []
    for path in sorted(paths):
        with open(os.path.join(root, path), "rb") as file:
            parsed = parse_for_index(path, file.read())
        rows.append((path, parsed.id, parsed.title, parsed.aliases))
    inside = [path for path in paths if path.startswith(scope)]
    found = check(root, inside, index=LinkIndex(rows), at=NOW, fix=fix, known=known)
    return [(p.path, p.line, p.code) for p in found]


def test_a_sound_tree_has_no_findings(root: str) -> None:
    _tree(
        root,
        {
            "a.md": "# A\n\n[[b]] [b](sub/b.md#x) ![p](sub/p.png) ![[q.png]] [e](https://e.org)\n",
            "sub/b.md": "---\nid: x\nstale_after: 2026-05-06\nrelated: [../a.md]\n---\n[[#here]]\n",
            "sub/p.png": b"\0",
        },
    )
    assert _check(root) == []


def test_each_trouble_is_found_with_its_file_and_line(root: str) -> None:
    _tree(
        root,
        {
            "links.md": "ok\n[[nowhere]]\n[x](gone.md) ![[also gone]]\n",
            "one.md": "---\ntitle: Same\nid: dup\n---\n" + LONG,
            "two.md": "---\nid: DUP\ntitle: same\n---\n" + LONG,
            "bad.md": "---\na: [\n---\nx",
            "latin.md": b"caf\xe9\n",
            "pic.md": b"\x89PNG\0\0",
            "old.md": "---\nstale_after: 2026-05-05\nvalid_to: 2020-01-01T00:00:00Z\n---\n",
            "when.md": "---\nstale_after: soon\n---\n",
            "typeless.md": "---\nid: m\ngenerated: {by: human, at: 2026-01-01}\n---\n",
        },
    )
    assert _check(root) == [
        ("bad.md", 3, "bad-front-matter"),
        ("latin.md", 1, "invalid-utf8"),
        ("links.md", 2, "broken-link"),
        ("links.md", 3, "broken-link"),
        ("links.md", 3, "broken-link"),
        ("old.md", 1, "expired"),
        ("old.md", 1, "stale"),
        ("pic.md", 0, "binary"),
        ("two.md", 0, "duplicate-body"),
        ("two.md", 2, "duplicate-id"),
        ("two.md", 3, "duplicate-title"),
        ("typeless.md", 1, "missing-type"),
        ("when.md", 1, "bad-stamp"),
    ]


def test_a_superseded_entry_is_not_called_expired(root: str) -> None:
    _tree(root, {"a.md": "---\nvalid_to: 2020-01-01\nsuperseded_by: b.md\n---\n", "b.md": "b"})
    assert _check(root) == []


def test_an_entry_that_was_verified_since_is_not_called_stale(root: str) -> None:
    stale = "---\nstale_after: 2026-01-31\nverified:\n  - {{by: 'human:a', at: {}}}\n---\n"
    _tree(root, {"a.md": stale.format("2026-02-01"), "b.md": stale.format("2026-01-30T10:00:00Z")})
    assert _check(root) == [("b.md", 1, "stale")]


def test_sources_that_no_longer_hold_are_found(root: str) -> None:
    digest = "f2b1694654d2ccb036a2edf5904810fffae57bab2c9f5a5b33451047be2f4c60"
    text = "---\ntitle: {}\nsources:\n  - {{resource: {}, lines: {}, digest: {}}}\n{}---\n"
    _tree(
        root,
        {
            "http.py": "import time\nRETRIES = 3\n",
            "moved.py": "import os\nimport time\nRETRIES = 3\n",
            "fresh.md": text.format("a", "http.py", "1-2", digest, ""),
            "moved.md": text.format("b", "moved.py", "[1, 2]", digest, ""),
            "drifted.md": text.format("c", "http.py", "2", digest, ""),
            "gone.md": text.format("d", "old.py", "1-2", digest, ""),
            "away.md": text.format("e", "../../etc/passwd", "1-2", digest, ""),
            "odd.md": text.format("f", "http.py", "1-2", "abc", ""),
            "cited.md": "---\nsources: [{resource: old.py}, {resource: 'https://e.org'}]\n---\n",
            "replaced.md": text.format("g", "old.py", "1", digest, "superseded_by: fresh.md\n"),
            "archived.md": text.format("h", "old.py", "1", digest, "status: archived\n"),
        },
    )
    assert _check(root) == [
        ("away.md", 3, "outside-source"),
        ("drifted.md", 3, "drifted-source"),
        ("gone.md", 3, "gone-source"),
        ("odd.md", 3, "unchecked-source"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="the file system ignores case")
def test_names_that_differ_in_case_only_are_found(root: str) -> None:
    _tree(root, {"a/Note.md": "1", "a/note.md": "2"})
    assert _check(root) == [("a/note.md", 0, "case-collision")]


def test_findings_of_the_scan_are_passed_on(root: str) -> None:
    known = (Problem(path="linked.md", line=0, code="symlink", message="a symbolic link"),)
    assert _check(root, known=known) == [("linked.md", 0, "symlink")]


def test_a_scope_judges_its_entries_against_the_whole_tree(root: str) -> None:
    _tree(
        root,
        {"a/x.md": "---\nid: same\n---\n[[y]]", "b/y.md": "---\nid: same\n---\n[[gone]]"},
    )
    assert _check(root, scope="a/") == []
    assert _check(root, scope="b/") == [("b/y.md", 2, "duplicate-id"), ("b/y.md", 4, "broken-link")]


def test_fixing_mends_what_is_safe_and_can_be_undone(root: str) -> None:
    files: dict[str, str | bytes] = {
        "a/index.md": f"---\r\ntitle: A\r\n---\r\nMine.\r\n{BEGIN}\r\n{END}\r\n",
        "a/one.md": "---\nid: dup\n---\nSee [two](../was/two.md#h) and [gone](gone.md) [[gone]]\n",
        "b/two.md": "---\nid: dup\ngenerated: {by: human, at: 2026-01-01}\n---\n\xff\n",
    }
    _tree(root, files)
    assert {code for _, _, code in _check(root)} == {
        "broken-link", "duplicate-id", "missing-type",
    }  # fmt: skip
    assert _check(root, fix=True) == [("a/one.md", 4, "broken-link")] * 2
    assert _check(root) == [("a/one.md", 4, "broken-link")] * 2

    def read(path: str) -> bytes:
        with open(os.path.join(root, path), "rb") as file:
            return file.read()

    assert read("a/index.md") == (
        f"---\r\ntitle: A\r\n---\r\nMine.\r\n{BEGIN}\r\n* [one](one.md)\r\n{END}\r\n".encode()
    )
    assert b"[two](../b/two.md#h) and [gone](gone.md) [[gone]]" in read("a/one.md")
    assert b"type: note" in read("b/two.md")
    undo(root, None, at=NOW)
    assert {path: read(path) for path in files} == {
        path: data.encode() if isinstance(data, str) else data for path, data in files.items()
    }


def test_an_unreadable_file_is_a_finding_and_the_rest_is_checked(root: str) -> None:
    _tree(root, {"a.md": "[[gone]]"})
    os.symlink("a.md", os.path.join(root, "link.md"))
    found = check(root, ["a.md", "link.md"], index=LinkIndex([("a.md", "", "", [])]), at=NOW)
    assert [(p.path, p.code) for p in found] == [("a.md", "broken-link"), ("link.md", "unreadable")]
