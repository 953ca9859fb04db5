from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from memtree.errors import PathRefused, Refused, StorageFailed, TreeNotFound, UsageError
from memtree.tree.locate import init_tree, locate, place_for, template_names

if TYPE_CHECKING:
    from pathlib import Path


def _bytes_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".memtree" not in path.parts
    }


def test_a_tree_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / ".memtree").mkdir()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert locate(start=str(below), environ={}) == str(tmp_path)


def test_a_folder_memory_on_the_way_up_counts(tmp_path: Path) -> None:
    (tmp_path / "memory" / ".memtree").mkdir(parents=True)
    below = tmp_path / "src" / "pkg"
    below.mkdir(parents=True)
    assert locate(start=str(below), environ={}) == str(tmp_path / "memory")


def test_a_named_tree_wins_over_the_variable_and_that_over_walking_up(tmp_path: Path) -> None:
    for name in ("named", "variable", "here"):
        (tmp_path / name / ".memtree").mkdir(parents=True)
    environ = {"MEMTREE_TREE": str(tmp_path / "variable")}
    here = str(tmp_path / "here")
    assert locate(start=here, environ={}) == here
    assert locate(start=here, environ=environ) == str(tmp_path / "variable")
    named = str(tmp_path / "named")
    assert locate(named, start=here, environ=environ) == named


def test_a_named_folder_without_a_tree_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    (tmp_path / ".memtree").write_text("a file is no tree", encoding="utf-8")
    with pytest.raises(TreeNotFound, match="no tree in"):
        locate(str(tmp_path), environ={})
    with pytest.raises(TreeNotFound, match="MEMTREE_TREE"):
        locate(environ={"MEMTREE_TREE": str(tmp_path / "gone")})


def test_init_writes_settings_and_ignores_what_can_be_rebuilt(tmp_path: Path) -> None:
    made = init_tree(None, start=str(tmp_path))
    assert made.root == str(tmp_path)
    assert not made.existed
    assert made.created[:2] == (".memtree/.gitignore", ".memtree/config.toml")
    ignored = (tmp_path / ".memtree" / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"state/", "cache/"} <= set(ignored)


def test_the_settings_are_all_there_commented_and_mean_the_defaults(tmp_path: Path) -> None:
    from memtree import config

    init_tree(None, start=str(tmp_path))
    text = (tmp_path / ".memtree" / "config.toml").read_text(encoding="utf-8")
    for name, (_, what) in config.SETTINGS.items():
        if config.is_personal(name):
            assert f"# {what}\n" not in text
            continue
        assert f"\n# {name.rpartition('.')[2]} = " in text
        assert f"# {what}\n" in text
    loaded = config.load(str(tmp_path))
    assert not loaded.warnings
    assert loaded.values == {name: default for name, (default, _) in config.SETTINGS.items()}


def test_only_a_template_that_is_asked_for_brings_files(tmp_path: Path) -> None:
    made = init_tree("new", start=str(tmp_path))
    assert made.created == (".memtree/.gitignore", ".memtree/config.toml")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a.txt").write_bytes(b"")
    made = init_tree("used", start=str(tmp_path))
    assert all(path.startswith(".memtree/") for path in made.created)
    made = init_tree("used", start=str(tmp_path), template="software")
    assert "architecture/index.md" in made.created


def test_init_in_a_vault_changes_no_byte_of_it(tmp_path: Path) -> None:
    (tmp_path / ".obsidian").mkdir()
    (tmp_path / ".obsidian" / "app.json").write_bytes(b"{}")
    (tmp_path / "note.md").write_bytes(b"\xef\xbb\xbf---\r\ntags: [a]\r\n---\r\n[[x]]\r\n")
    (tmp_path / "package.json").write_bytes(b"{}")
    (tmp_path / ".git").mkdir()
    before = _bytes_of(tmp_path)
    made = init_tree(None, start=str(tmp_path))
    assert made.root == str(tmp_path), "a vault is a tree itself, whatever else is in it"
    assert _bytes_of(tmp_path) == before


def test_init_in_a_code_repository_goes_to_memory(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert place_for(None, start=str(tmp_path)) == str(tmp_path), "a repository of notes"
    (tmp_path / "pyproject.toml").write_bytes(b"")
    assert init_tree(None, start=str(tmp_path)).root == str(tmp_path / "memory")
    assert locate(start=str(tmp_path), environ={}) == str(tmp_path / "memory")


def test_an_explicit_directory_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Cargo.toml").write_bytes(b"")
    assert init_tree(".", start=str(tmp_path)).root == str(tmp_path)
    assert init_tree("notes", start=str(tmp_path)).root == str(tmp_path / "notes")


def test_a_second_init_changes_nothing_and_says_so(tmp_path: Path) -> None:
    init_tree(None, start=str(tmp_path))
    config = tmp_path / ".memtree" / "config.toml"
    config.write_bytes(b"# mine\n")
    again = init_tree(None, start=str(tmp_path))
    assert again.existed
    assert again.created == ()
    assert config.read_bytes() == b"# mine\n"


def test_init_inside_a_tree_asks_for_the_folder_by_name(tmp_path: Path) -> None:
    init_tree(None, start=str(tmp_path))
    below = tmp_path / "below"
    below.mkdir()
    with pytest.raises(Refused, match="already belongs"):
        init_tree(None, start=str(below))
    assert init_tree(".", start=str(below)).root == str(below)


def test_init_never_goes_through_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    os.symlink(elsewhere, root / ".memtree")
    with pytest.raises(PathRefused):
        init_tree(str(root), start=str(tmp_path))
    assert not any(elsewhere.iterdir())


def test_an_unknown_template_is_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no template 'nope'"):
        init_tree(None, start=str(tmp_path), template="nope")
    assert not any(tmp_path.iterdir())
    assert template_names()[0] == "blank"


def test_every_template_adds_files_only_where_there_are_none(tmp_path: Path) -> None:
    for name in template_names():
        root = tmp_path / name
        first = init_tree(str(root), start=str(tmp_path), template=name)
        for path in first.created:
            (root / path).write_bytes(b"mine")
        again = init_tree(str(root), start=str(tmp_path), template=name)
        assert again.created == ()
        assert all((root / path).read_bytes() == b"mine" for path in first.created)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageFailed, match="can't be written"):
            init_tree(None, start=str(tmp_path))
    finally:
        tmp_path.chmod(0o700)
