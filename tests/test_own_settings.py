"""What a person sets for themselves, and what no tree can set for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memtree.config import FILE, SETTINGS, assign, is_personal, load, own, user_file
from memtree.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEMTREE_CONFIG", str(tmp_path / "me" / "config.toml"))
    (tmp_path / "tree" / ".memtree").mkdir(parents=True)
    return tmp_path / "tree"


@pytest.mark.parametrize("name", [name for name in SETTINGS if is_personal(name)])
def test_a_tree_of_somebody_else_sends_nothing_and_runs_nothing(root: Path, name: str) -> None:
    section, _, key = name.partition(".")
    default = SETTINGS[name][0]
    value = "500" if isinstance(default, float) else '"http://elsewhere.example/v1"'
    (root / FILE).write_text(f"[{section}]\n{key} = {value}\n", "utf-8")
    config = load(str(root))
    assert config.values[name] == default
    assert len(config.warnings) == 1
    assert f"memtree config set {name}" in config.warnings[0]


def test_what_a_person_sets_stands_in_their_own_file_and_counts_in_every_tree(root: Path) -> None:
    assert own("llm.model") == ""
    assign(str(root), "llm.model", "endpoint:small")
    assign(str(root), "embed.endpoint", "http://localhost:8080/v1")
    assert not (root / FILE).exists()
    assert own("llm.model") == "endpoint:small"
    config = load(str(root))
    assert config.warnings == []
    assert config.text("llm.model") == "endpoint:small"
    assert config.text("embed.endpoint") == "http://localhost:8080/v1"
    assert config.holds(str(root))
    assign(str(root), "llm.model", "other")
    assert not config.holds(str(root)), "a change of a person's own settings is seen"


def test_a_tree_s_setting_in_a_person_s_file_is_said_and_not_taken(root: Path) -> None:
    assign(str(root), "llm.window", "2048")
    with open(user_file(), "a", encoding="utf-8") as file:
        file.write('[search]\nlanguage = "german"\n')
    config = load(str(root))
    assert config.text("search.language") == "english"
    assert config.number("llm.window") == 2048
    assert "belongs to a tree" in config.warnings[0]


def test_a_broken_file_of_a_person_costs_a_warning_and_not_the_tree(root: Path) -> None:
    assign(str(root), "llm.model", "some")
    with open(user_file(), "a", encoding="utf-8") as file:
        file.write("[llm\n")
    config = load(str(root))
    assert config.text("llm.model") == ""
    assert "can't be read" in config.warnings[0]


def test_numbers_out_of_range_are_refused_where_they_are_set(root: Path) -> None:
    with pytest.raises(UsageError):
        assign(str(root), "llm.window", "1")
    with pytest.raises(UsageError):
        assign(str(root), "curate.flood", "1.5")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=40))
def test_any_text_is_read_back_as_it_was_set(root: Path, text: str) -> None:
    for name in ("llm.key_env", "llm.model", "embed.endpoint"):
        assign(str(root), name, text)
    assert [own(name) for name in ("llm.key_env", "llm.model", "embed.endpoint")] == [text] * 3
    assert load(str(root)).warnings == []


def test_text_that_is_none_is_refused_in_words(root: Path) -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        assign(str(root), "llm.model", "gguf:\udcff")


def test_a_file_that_is_kept_elsewhere_is_written_where_it_is(root: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text("# mine\n", "utf-8")
    link = tmp_path / "me" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(kept)
    assign(str(root), "llm.model", "some")
    assert link.is_symlink()
    assert kept.read_text("utf-8").startswith("# mine\n")
    assert own("llm.model") == "some"
