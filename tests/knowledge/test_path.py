"""Paths of a tree: what is let in, what is refused, and how text becomes a name."""

from __future__ import annotations

import posixpath
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memtree.errors import PathRefused
from memtree.knowledge.path import new_id, parse_path, parse_scope, slug

NASTY = st.lists(
    st.sampled_from([*"a.:/\\ ~*?<>|\0\n\u202e\u0338é木", "..", "con", ".md"]), max_size=12
).map("".join)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "//server/share",
        "C:/x",
        "c:x.md",
        "..",
        "../x.md",
        "a/../../x.md",
        "a/..",
        ".",
        "./a.md",
        "a//b.md",
        "a/",
        "..\\x.md",
        "a\\b.md",
        "a\0.md",
        "a\n.md",
        "a\x7f.md",
        "a\x85.md",
        "a\u202egnp.md",
        "a\ud800.md",
        "CON",
        "con.md",
        "a/NUL.tar.md",
        "COM1.md",
        "lpt¹.md",
        "aux .md",
        "a./b.md",
        "a /b.md",
        ".memtree/config.md",
        ".git/x.md",
        "a/.hidden.md",
        "a?.md",
        "a*b.md",
        'a"b.md',
        "<a>.md",
        "a|b.md",
        "<\u0338/../x.md",
        "x" * 253 + ".md",
        "木" * 90 + ".md",
        "/".join(["deep" * 20] * 60) + ".md",
    ],
)
def test_a_path_that_leaves_the_tree_or_cannot_be_a_name_is_refused(path: str) -> None:
    with pytest.raises(PathRefused):
        parse_path(path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("architecture/retries/http-client", "architecture/retries/http-client.md"),
        ("a/b.md", "a/b.md"),
        ("a/B.MD", "a/B.MD"),
        ("a/b.markdown", "a/b.markdown"),
        ("v1.2", "v1.2.md"),
        ("Ordner/Schlüssel.md", "Ordner/Schlüssel.md"),
        ("cafe\u0301", "caf\u00e9.md"),
        ("知識/木.md", "知識/木.md"),
        ("می\u200cخواهم.md", "می\u200cخواهم.md"),
        ("config/console.md", "config/console.md"),
    ],
)
def test_a_safe_path_in_any_script_is_kept_and_gets_a_suffix(text: str, path: str) -> None:
    assert parse_path(text) == path


@given(NASTY | st.text())
def test_no_accepted_path_leaves_the_tree(text: str) -> None:
    try:
        path = parse_path(text)
    except PathRefused:
        return
    assert posixpath.normpath(posixpath.join("/tree", path)) == f"/tree/{path}"
    assert path == unicodedata.normalize("NFC", path)
    assert path.lower().endswith((".md", ".markdown"))
    assert "\\" not in path
    assert ":" not in path
    assert parse_path(path) == path
    assert all(part and part[0] != "." for part in path.split("/"))


@pytest.mark.parametrize("text", ["", ".", "./", "/"])
def test_the_whole_tree_is_the_empty_scope(text: str) -> None:
    assert parse_scope(text) == ""


def test_a_scope_is_a_folder_without_a_slash_at_its_end() -> None:
    assert parse_scope("architecture/retries/") == "architecture/retries"


@pytest.mark.parametrize("text", ["..", "../x", "/x", "a/../b", ".git", "a//"])
def test_a_scope_outside_of_the_tree_is_refused(text: str) -> None:
    with pytest.raises(PathRefused):
        parse_scope(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HTTP client: retries & back-off!", "http-client-retries-back-off"),
        ("  Straße nach Köln ", "strasse-nach-köln"),
        ("知識の木", "知識の木"),
        ("हिन्दी", "हिन्दी"),
        ("../../etc", "etc"),
        ("CON", "con-entry"),
        ("🎉🎉", "entry"),
        ("", "entry"),
        ("v1.10", "v1-10"),
    ],
)
def test_a_slug_keeps_letters_of_any_script_and_nothing_else(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text(), st.integers(8, 80))
def test_every_slug_is_a_safe_and_stable_name(text: str, limit: int) -> None:
    name = slug(text, limit=limit)
    assert parse_path(name) == f"{name}.md"
    assert len(name) <= limit + len("-entry")
    assert slug(name, limit=80) == name


def test_a_long_slug_ends_at_a_word() -> None:
    assert slug("one two three four five", limit=16) == "one-two-three"
    assert slug("the keys of the house and of the boat", limit=30) == "the-keys-of-the-house"
    assert slug("why to go on", limit=30) == "why-to-go-on", "what is whole stays whole"


@given(st.binary(min_size=7, max_size=12))
def test_an_id_has_ten_characters_that_cannot_be_misread(random_bytes: bytes) -> None:
    made = new_id(random_bytes)
    assert len(made) == 10
    assert set(made) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_an_id_follows_from_its_bytes_alone() -> None:
    assert new_id(bytes(7)) == "0000000000"
    assert new_id(b"\xff" * 7) == "zzzzzzzzzz"
    with pytest.raises(ValueError, match="seven"):
        new_id(b"short")
