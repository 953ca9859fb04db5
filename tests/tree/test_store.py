from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memtree.errors import EntryChanged, EntryNotFound, PathRefused, Refused, UsageError
from memtree.tree.format import find_front
from memtree.tree.history import undo
from memtree.tree.links import LinkIndex
from memtree.tree.locate import init_tree
from memtree.tree.markdown import parse_for_index
from memtree.tree.receipt import ABSENT, fingerprint
from memtree.tree.store import add, derive_title, edit_keys, move, remove, write_body, write_raw

if TYPE_CHECKING:
    from pathlib import Path

AT = "2026-05-06T07:08:09Z"
RANDOM = bytes(range(8))


@pytest.fixture
def root(tmp_path: Path) -> str:
    (tmp_path / "tree" / ".memtree").mkdir(parents=True)
    return init_tree(str(tmp_path / "tree"), start=str(tmp_path)).root


def _write(root: str, path: str, data: str | bytes) -> None:
    whole = os.path.join(root, path)
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    with open(whole, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)


def _read(root: str, path: str) -> bytes:
    with open(os.path.join(root, path), "rb") as file:
        return file.read()


def _files(root: str) -> dict[str, bytes]:
    return {
        os.path.relpath(os.path.join(above, name), root).replace(os.sep, "/"): _read(
            root, os.path.join(above, name)
        )
        for above, _, names in os.walk(root)
        for name in names
        if ".memtree" not in above
    }


def _index(root: str) -> LinkIndex:
    parsed = [parse_for_index(p, data) for p, data in _files(root).items() if p.endswith(".md")]
    return LinkIndex((p.path, p.id, p.title, p.aliases) for p in parsed)


def test_an_added_entry_is_a_valid_concept_in_its_place(root: str) -> None:
    written = add(
        root, "Retries back off.", to="Architecture/Retries", title="HTTP client: retries",
        tags=["http", "net"], type="decision", at=AT, random_bytes=RANDOM,
    )  # fmt: skip
    assert written.path == "architecture/retries/http-client-retries.md"
    raw = _read(root, written.path).decode()
    front = find_front(raw)
    assert front.meta == {
        "type": "decision",
        "title": "HTTP client: retries",
        "tags": ["http", "net"],
        "id": written.id,
        "created": AT,
        "generated": {"by": "human", "at": AT},
    }
    assert raw[front.body :] == "Retries back off.\n"
    assert [c.path for c in written.receipt.changes] == [written.path]


def test_an_entry_never_takes_the_place_of_another(root: str) -> None:
    paths = [
        add(root, "x", to="a/b", title="Same", at=AT, random_bytes=bytes([n] * 8)).path
        for n in range(3)
    ]
    assert paths == ["a/b/same.md", "a/b/same-2.md", "a/b/same-3.md"]
    _write(root, "a/b/UPPER.md", "mine")
    assert add(root, "x", to="a/b/upper.md", at=AT, random_bytes=RANDOM).path == "a/b/upper-2.md"
    assert _read(root, "a/b/UPPER.md") == b"mine"


@pytest.mark.parametrize(
    ("to", "path"),
    [
        (None, "notes/inbox/first-words.md"),
        ("a/b", "a/b/first-words.md"),
        ("a/b/", "a/b/first-words.md"),
        ("a/b/c/", "a/b/c/first-words.md"),
        ("a", "a/inbox/first-words.md"),
        ("a/", "a/inbox/first-words.md"),
        ("existing folder", "Existing Folder/inbox/first-words.md"),
        ("a/b/c", "a/b/c.md"),
        ("a/b/c.md", "a/b/c.md"),
        ("a/b/c/d", "a/b/c/d.md"),
        ("日本/知識/木の話", "日本/知識/木の話.md"),
        ("A b/C_d", "a-b/c-d/first-words.md"),
        ("a/b/index.md", "a/b/index-entry.md"),
        ("Existing Folder/Sub", "Existing Folder/Sub/first-words.md"),
        ("existing folder/sub/e", "Existing Folder/Sub/e.md"),
    ],
)
def test_an_entry_goes_where_it_was_sent(root: str, to: str | None, path: str) -> None:
    _write(root, "Existing Folder/Sub/x.md", "x")
    assert add(root, "First words", to=to, at=AT, random_bytes=RANDOM).path == path


@pytest.mark.parametrize(
    ("to", "path"),
    [
        ("a", "a/inbox/named.md"),
        ("a/b", "a/b/named.md"),
        ("a/b/c", "a/b/c/named.md"),
        ("existing folder/sub", "Existing Folder/Sub/named.md"),
        ("a/b/c.md", "a/b/c.md"),
    ],
)
def test_an_entry_with_a_title_is_sent_to_a_folder(root: str, to: str, path: str) -> None:
    _write(root, "Existing Folder/Sub/x.md", "x")
    added = add(root, "text", to=to, title="Named", at=AT, random_bytes=RANDOM)
    assert added.path == path


def test_a_folder_deeper_than_a_subtopic_is_wrong_usage(root: str) -> None:
    with pytest.raises(UsageError):
        add(root, "text", to="a/b/c/d", title="Named", at=AT, random_bytes=RANDOM)


@pytest.mark.parametrize("to", ["a.md", "a/b.md", "a/b/c/d/e", "a/b/c/d/"])
def test_too_shallow_and_too_deep_places_are_wrong_usage(root: str, to: str) -> None:
    with pytest.raises(UsageError):
        add(root, "text", to=to, at=AT, random_bytes=RANDOM)
    assert _files(root) == {}


@pytest.mark.parametrize(
    "to",
    ["../a/b", "/a/b", "a/../../b", "a\\..\\b/c", "a/.hidden/c", "a/con/x.md", "a/b\0/c",
     ".memtree/x/y"],
)  # fmt: skip
def test_a_place_outside_the_tree_is_refused(root: str, to: str) -> None:
    with pytest.raises(PathRefused):
        add(root, "text", to=to, at=AT, random_bytes=RANDOM)
    assert _files(root) == {}


def test_front_matter_that_a_text_brings_along_is_kept_and_completed(root: str) -> None:
    text = "---\ntags: [a]   # mine\nid: my-own\ncustom: {x: 1}\n---\n# The title\n\nBody\n"
    written = add(root, text, to="a/b", tags=["b"], at=AT, random_bytes=RANDOM)
    assert written.id == "my-own"
    assert written.path == "a/b/the-title.md"
    raw = _read(root, written.path).decode()
    meta = find_front(raw).meta
    assert meta["tags"] == ["a", "b"]
    assert meta["custom"] == {"x": 1}
    assert meta["type"] == "fact"
    assert "# mine" in raw
    assert raw.endswith("---\n# The title\n\nBody\n")


def test_an_empty_text_is_wrong_usage(root: str) -> None:
    with pytest.raises(UsageError):
        add(root, " \n", at=AT, random_bytes=RANDOM)


def test_a_long_text_gets_a_title_of_one_line(root: str) -> None:
    written = add(root, "> " + "word " * 100, at=AT, random_bytes=RANDOM)
    title = parse_for_index(written.path, _read(root, written.path)).title
    assert len(title) <= 80
    assert title.endswith("word…")
    fits = "y" * 60 + " " + "z" * 18
    assert derive_title(fits + "!") == fits + "!"
    assert derive_title(fits + " and more") == fits + "…", "no word is lost that has room"
    assert derive_title(fits + "zz and more") == "y" * 60 + "…"


WEIRD = b"\xef\xbb\xbf---\r\n# c\r\ntitle: 'A'   # why\r\nb: [1,2]\r\n---\r\nbody \xff end"


def test_setting_keys_leaves_every_other_byte(root: str) -> None:
    _write(root, "a.md", WEIRD)
    edit_keys(root, "a.md", {"title": "B", "b": None}, at=AT)
    assert _read(root, "a.md") == (
        b"\xef\xbb\xbf---\r\n# c\r\ntitle: 'B'   # why\r\n---\r\nbody \xff end"
    )


def test_a_new_body_leaves_the_front_matter(root: str) -> None:
    _write(root, "a.md", WEIRD)
    write_body(root, "a.md", "new\nbody\n", expected=fingerprint(WEIRD), at=AT)
    assert _read(root, "a.md") == WEIRD.partition(b"body")[0] + b"new\r\nbody\r\n"


def test_an_edited_entry_is_never_overwritten(root: str) -> None:
    _write(root, "a.md", "old")
    seen = fingerprint(b"old")
    _write(root, "a.md", "a person was here")
    with pytest.raises(EntryChanged):
        write_body(root, "a.md", "x", expected=seen, at=AT)
    with pytest.raises(EntryChanged):
        write_raw(root, "a.md", b"x", expected=seen, at=AT)
    with pytest.raises(EntryChanged):
        edit_keys(root, "a.md", {"k": "v"}, expected=seen, at=AT)
    with pytest.raises(EntryChanged):
        write_raw(root, "a.md", b"x", expected=ABSENT, at=AT)
    assert _read(root, "a.md") == b"a person was here"


def test_a_binary_file_is_not_edited(root: str) -> None:
    _write(root, "a.md", b"\x89PNG\0\0")
    with pytest.raises(Refused, match="not a text file"):
        edit_keys(root, "a.md", {"k": "v"}, at=AT)


def test_removing_is_all_or_none_and_can_be_undone(root: str) -> None:
    _write(root, "a.md", "a")
    _write(root, "b/c.md", "c")
    before = _files(root)
    with pytest.raises(EntryNotFound):
        remove(root, ["a.md", "nope.md"], at=AT)
    assert _files(root) == before
    remove(root, ["a.md", "b/c.md", "a.md"], at=AT)
    assert _files(root) == {}
    undo(root, None, at=AT)
    assert _files(root) == before


@pytest.mark.parametrize(
    ("source", "target"),
    [("two.md", "x/y/TWO.md"), ("two.md", "X/y/three.md"), ("a", "X/b"), ("two.md", "X/")],
)
def test_a_move_beside_a_name_in_another_case_is_refused(
    root: str, source: str, target: str
) -> None:
    for path in ("two.md", "x/y/two.md", "a/b.md"):
        _write(root, path, path)
    before = _files(root)
    with pytest.raises(Refused, match="only in case"):
        move(root, source, target, index=_index(root), at=AT)
    assert _files(root) == before


@pytest.mark.parametrize(
    ("source", "target", "there"),
    [("x/y/two.md", "x/y/TWO.md", "x/y/TWO.md"), ("x", "X", "X/y/two.md")],
)
def test_a_name_may_change_its_case(root: str, source: str, target: str, there: str) -> None:
    _write(root, "x/y/two.md", "two")
    _write(root, "other.md", "other")
    move(root, source, target, index=_index(root), at=AT)
    assert set(_files(root)) == {there, "other.md"}


def test_a_move_takes_every_link_along_and_changes_nothing_else(root: str) -> None:
    _write(
        root, "arch/retries/client.md", b"---\r\nid: abc\r\n---\r\n![i](img.png) [n](notes.md)\r\n"
    )
    _write(root, "arch/retries/notes.md", "back to [[client]] and [c](client.md#x)")
    _write(root, "arch/retries/img.png", b"\x89PNG\0")
    _write(
        root, "start.md", b"[[Client#y|c]] `[[client]]` [a](arch/retries/client.md 't') \xff\r\n"
    )
    _write(root, "by-id.md", "---\nrelated: [abc]\n---\n")
    before = _files(root)
    done = move(root, "arch/retries/client.md", "net/http/http-client", index=_index(root), at=AT)
    assert done.paths == {"arch/retries/client.md": "net/http/http-client.md"}
    after = _files(root)
    assert after["net/http/http-client.md"] == (
        b"---\r\nid: abc\r\n---\r\n![i](../../arch/retries/img.png)"
        b" [n](../../arch/retries/notes.md)\r\n"
    )
    assert after["arch/retries/notes.md"] == (
        b"back to [[http-client]] and [c](../../net/http/http-client.md#x)"
    )
    assert after["start.md"] == (
        b"[[http-client#y|c]] `[[client]]` [a](net/http/http-client.md 't') \xff\r\n"
    )
    assert after["by-id.md"] == before["by-id.md"]
    undo(root, None, at=AT)
    assert _files(root) == before


def test_a_folder_moves_with_everything_in_it(root: str) -> None:
    _write(root, "a/b/one.md", "[two](two.md) [out](../out.md) ![p](img/p.png)")
    _write(root, "a/b/two.md", "[[one]]")
    _write(root, "a/b/img/p.png", b"\0png")
    _write(root, "a/out.md", "[one](b/one.md) [[b/two]]")
    _write(root, "a/picture.md", "![p](b/img/p.png)")
    asked: set[str] = set()

    def linking(names: set[str]) -> list[str]:
        asked.update(names)
        return ["a/out.md", "a/picture.md", "a/b/one.md"]

    move(root, "a/b", "x/y", index=_index(root), at=AT, linking=linking)
    assert asked == {"one", "two", "p.png"}
    assert _files(root) == {
        "x/y/one.md": b"[two](two.md) [out](../../a/out.md) ![p](img/p.png)",
        "x/y/two.md": b"[[one]]",
        "x/y/img/p.png": b"\0png",
        "a/out.md": b"[one](../x/y/one.md) [[x/y/two]]",
        "a/picture.md": b"![p](../x/y/img/p.png)",
    }
    assert not os.path.exists(os.path.join(root, "a", "b"))


def test_a_move_into_a_folder_keeps_the_name(root: str) -> None:
    _write(root, "a/note.md", "x")
    _write(root, "b/other.md", "[[note]]")
    assert move(root, "a/note.md", "b", index=_index(root), at=AT).paths == {
        "a/note.md": "b/note.md"
    }
    assert move(root, "b/note.md", "new/", index=_index(root), at=AT).paths == {
        "b/note.md": "new/note.md"
    }
    assert _read(root, "b/other.md") == b"[[note]]"


def test_a_move_never_overwrites_and_never_leaves_the_tree(root: str) -> None:
    _write(root, "a.md", "a")
    _write(root, "b.md", "b")
    _write(root, "c/d.md", "d")
    before = _files(root)
    index = _index(root)
    for source, target in (
        ("a.md", "b.md"), ("a.md", "../x.md"), ("a.md", "a.md"), ("a.md", ".git/x.md"),
        ("c", "c/e"), ("c", ""), ("c", "../c"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            move(root, source, target, index=index, at=AT)
    with pytest.raises(EntryNotFound):
        move(root, "nope", "x", index=index, at=AT)
    assert _files(root) == before


def test_a_name_may_change_in_case_only(root: str) -> None:
    _write(root, "a/note.md", "x")
    _write(root, "b.md", "[n](a/note.md) [[note]]")
    move(root, "a/note.md", "a/Note.md", index=_index(root), at=AT)
    assert _files(root) == {"a/Note.md": b"x", "b.md": b"[n](a/note.md) [[note]]"}
