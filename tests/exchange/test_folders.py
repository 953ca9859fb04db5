from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from memtree.errors import Refused, UsageError
from memtree.exchange import export, import_paths
from memtree.tree.format import find_front
from memtree.tree.locate import init_tree

if TYPE_CHECKING:
    from pathlib import Path

    from memtree.exchange import ImportReport

AT = "2026-05-06T07:08:09Z"


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "tree" / ".memtree").mkdir(parents=True)
    return init_tree(str(tmp_path / "tree"), start=str(tmp_path)).root


def _make(folder: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _files(folder: str) -> dict[str, bytes]:
    found = {}
    for above, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(above, name)
            if ".memtree" not in path:
                with open(path, "rb") as file:
                    found[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return found


def _run(root: str, *paths: Path, **options: Any) -> ImportReport:
    return import_paths(root, [str(path) for path in paths], at=AT, **options)


VAULT = {
    "Home.md": b"\xef\xbb\xbf---\r\ntags: [a]\r\n---\r\n[[Sub/Note]] ![[pic.png]]\r\n",
    "Sub/Note.md": b"[up](../Home.md) \xff",
    "Sub/Deep/木.markdown": b"x",
    ".obsidian/app.json": b"{}",
    ".trash/old.md": b"old",
    "pic.png": b"\x89PNG\0",
    "why?.md": b"a name that Windows can't hold",
    "binary.md": b"\0\1",
}


def test_a_vault_comes_over_byte_for_byte_under_its_own_names(root: str, tmp_path: Path) -> None:
    vault = tmp_path / "My Vault"
    _make(vault, VAULT)
    report = _run(root, vault)
    assert report.added == 4
    assert _files(root) == {
        "My Vault/Home.md": VAULT["Home.md"],
        "My Vault/Sub/Note.md": VAULT["Sub/Note.md"],
        "My Vault/Sub/Deep/木.markdown": b"x",
        "My Vault/why.md": VAULT["why?.md"],
    }
    assert sorted(p.code for p in report.problems) == ["attachments", "binary", "path-made-safe"]
    again = _run(root, vault)
    assert (again.added, again.unchanged, again.changed) == (0, 4, 0)


def test_a_folder_can_be_put_elsewhere_and_single_files_too(root: str, tmp_path: Path) -> None:
    _make(tmp_path, {"n/a.md": b"a", "b.md": b"b"})
    _run(root, tmp_path / "n", into="work/notes")
    _run(root, tmp_path / "b.md")
    assert set(_files(root)) == {"work/notes/a.md", "notes/imported/b.md"}


def test_an_import_never_writes_over_an_entry(root: str, tmp_path: Path) -> None:
    _make(tmp_path, {"n/a.md": b"theirs"})
    os.makedirs(os.path.join(root, "n"))
    with open(os.path.join(root, "n", "A.md"), "wb") as file:
        file.write(b"mine")
    report = _run(root, tmp_path / "n")
    assert _files(root) == {"n/A.md": b"mine", "n/a-2.md": b"theirs"}
    assert [p.code for p in report.problems] == ["renamed"]
    assert _run(root, tmp_path / "n").unchanged == 1


def test_a_changed_source_updates_its_copy_unless_a_person_edited_it(
    root: str, tmp_path: Path
) -> None:
    _make(tmp_path, {"n/a.md": b"1", "n/b.md": b"1"})
    _run(root, tmp_path / "n")
    _make(tmp_path, {"n/a.md": b"2", "n/b.md": b"2"})
    with open(os.path.join(root, "n", "b.md"), "wb") as file:
        file.write(b"mine")
    report = _run(root, tmp_path / "n")
    assert (report.changed, report.skipped) == (1, 1)
    assert _files(root) == {"n/a.md": b"2", "n/b.md": b"mine"}
    assert [p.code for p in report.problems] == ["kept"]


def test_links_are_not_followed_and_what_cannot_be_read_is_reported(
    root: str, tmp_path: Path
) -> None:
    _make(tmp_path, {"n/a.md": b"a", "secret/s.md": b"s"})
    os.symlink(tmp_path / "secret", tmp_path / "n" / "folder")
    os.symlink(tmp_path / "secret" / "s.md", tmp_path / "n" / "s.md")
    report = _run(root, tmp_path / "n")
    assert set(_files(root)) == {"n/a.md"}
    assert [p.code for p in report.problems] == ["symlink"]


def test_the_tree_is_not_imported_into_itself(root: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="holds the tree"):
        _run(root, tmp_path / "tree")


def test_a_file_of_unknown_kind_asks_for_the_kind(root: str, tmp_path: Path) -> None:
    (tmp_path / "x.dat").write_bytes(b'{"text": "hello"}\n')
    with pytest.raises(UsageError, match="can't be told"):
        _run(root, tmp_path / "x.dat")
    assert _run(root, tmp_path / "x.dat", kind="jsonl").added == 1


TREE = {
    "arch/index.md": b"---\ntitle: Arch\n---\nWhat it is about.\n",
    "arch/retries/client.md": (
        b"---\n# c\ntype: decision\nid: x1\n---\nSee [[Queues#How to|q]] [[gone]].\n"
    ),
    "arch/retries/queues.markdown": b"# Queues\r\n\r\ntext `[[client]]`\r\n",
    "plain.md": b"no front matter",
    "bad.md": b"---\na: b: [\nc: d\n---\nbody\n",
}


def _tree(root: str) -> list[str]:
    for path, data in TREE.items():
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), "wb") as file:
            file.write(data)
    return sorted(TREE)


def test_an_export_to_markdown_is_the_same_bytes(root: str, tmp_path: Path) -> None:
    paths = _tree(root)
    assert list(export(root, paths, "markdown", to=str(tmp_path / "out"))) == []
    assert _files(str(tmp_path / "out")) == TREE
    export(root, paths, "markdown", to=str(tmp_path / "out"))
    (tmp_path / "out" / "plain.md").write_bytes(b"mine")
    with pytest.raises(Refused, match="something else"):
        export(root, paths, "markdown", to=str(tmp_path / "out"))
    assert (tmp_path / "out" / "plain.md").read_bytes() == b"mine"


def test_a_scope_is_the_root_of_its_export(root: str, tmp_path: Path) -> None:
    export(root, _tree(root), "markdown", scope="arch/retries", to=str(tmp_path / "out"))
    assert set(_files(str(tmp_path / "out"))) == {"client.md", "queues.markdown"}


def test_an_export_never_goes_into_the_tree(root: str) -> None:
    paths = _tree(root)
    for to in (root, os.path.join(root, "sub")):
        with pytest.raises(Refused, match="into the tree"):
            export(root, paths, "markdown", to=to)
    with pytest.raises(UsageError, match="needs a folder"):
        export(root, paths, "okf", to=None)
    with pytest.raises(UsageError, match="no export"):
        export(root, paths, "pdf", to=None)


def test_json_and_jsonl_say_the_same_and_come_back(root: str, tmp_path: Path) -> None:
    paths = _tree(root)
    lines = [json.loads(line) for line in export(root, paths, "jsonl")]
    assert json.loads(b"".join(export(root, paths, "json"))) == {"entries": lines}
    assert json.loads(b"".join(export(root, [], "json"))) == {"entries": []}
    assert [line["path"] for line in lines] == paths
    client = next(line for line in lines if line["path"].endswith("client.md"))
    assert client == {
        "path": "arch/retries/client.md", "id": "x1", "type": "decision",
        "text": "See [[Queues#How to|q]] [[gone]].\n",
    }  # fmt: skip
    list(export(root, paths, "jsonl", to=str(tmp_path / "all.jsonl")))
    assert (tmp_path / "all.jsonl").read_bytes() == b"".join(export(root, paths, "jsonl"))
    other = init_tree(str(tmp_path / "other"), start=str(tmp_path)).root
    report = _run(other, tmp_path / "all.jsonl")
    assert (report.added, report.problems) == (5, ())


def test_an_okf_bundle_conforms_to_the_format(root: str, tmp_path: Path) -> None:
    export(root, _tree(root), "okf", to=str(tmp_path / "out"))
    files = {path: data.decode() for path, data in _files(str(tmp_path / "out")).items()}
    for path, text in files.items():
        front = find_front(text)
        assert not front.bad, path
        if path.rpartition("/")[2] == "index.md":
            assert front.meta == ({"okf_version": "0.2"} if path == "index.md" else {})
        else:
            assert path.endswith(".md")
            assert front.meta["type"]
    assert files["arch/retries/client.md"] == (
        "---\n# c\ntype: decision\nid: x1\n---\nSee [q](/arch/retries/queues.md#how-to) [[gone]].\n"
    )
    assert "`[[client]]`" in files["arch/retries/queues.md"]
    assert files["arch/index.md"].startswith("What it is about.\n\n# Entries\n\n")
    assert "* [retries](retries/) - 2 entries" in files["arch/index.md"]
    assert "* [arch](arch/index.md)" not in files["index.md"]
    assert "* [Arch](arch/index.md) - 2 entries" in files["index.md"]
    assert "a: b: [" in files["bad.md"]


def test_an_okf_index_lists_nothing_that_its_text_links_to_already(
    root: str, tmp_path: Path
) -> None:
    _make(
        tmp_path / "tree",
        {
            "index.md": b"Read [all about a](a/index.md#x), then [b](./b/) and [[c/d/reindex]].\n",
            "a/index.md": b"See [one](one.md) and [two](/a/two.md).\n",
            "a/one.md": b"1", "a/two.md": b"2", "b/x/y.md": b"3", "c/d/reindex.md": b"4",
            "c/d/other.md": b"5",
        },
    )  # fmt: skip
    paths = sorted(path for path in _files(root) if path.endswith(".md"))
    export(root, paths, "okf", to=str(tmp_path / "out"))
    files = _files(str(tmp_path / "out"))
    listing = files["index.md"].decode().partition("# Entries\n\n")[2]
    assert [line.partition("]")[0] for line in listing.splitlines()] == ["* [c"]
    assert b"# Entries" not in files["a/index.md"], "everything in it is linked to"
    assert files["c/d/index.md"].count(b"* [") == 2
