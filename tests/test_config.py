"""The settings file: what a person wrote there stays, and each thing is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memtree.config import FILE, SETTINGS, assign, load
from memtree.errors import UsageError
from memtree.knowledge.lifecycle import Policy
from memtree.living import policy_of
from memtree.tree.locate import init_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".memtree").mkdir()
    return tmp_path


def _written(root: Path, text: str) -> Path:
    file = root / FILE
    file.write_bytes(text.encode())
    return file


def test_a_setting_takes_the_place_of_its_commented_default(tmp_path: Path) -> None:
    root = init_tree(str(tmp_path), start=str(tmp_path)).root
    before = (tmp_path / FILE).read_text("utf-8")
    values = {"search.language": "german", "search.ignore": "drafts/, *.tmp.md", "write.wait": "3"}
    for name, value in values.items():
        assign(root, name, value)
    after = (tmp_path / FILE).read_text("utf-8")
    assert len(after.splitlines()) == len(before.splitlines())
    assert 'language = "german"' in after.splitlines()
    assert '# language = "english"' not in after
    assert "# wait = 10.0" in after.splitlines(), "that of the other section"
    config = load(root)
    assert config.warnings == []
    assert config.text("search.language") == "german"
    assert config.texts("search.ignore") == ("drafts/", "*.tmp.md")
    assert (config.number("index.wait"), config.number("write.wait")) == (10.0, 3.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[search]\nlanguage = "none"\n'),
        ('[search]\nlanguage = "french" # why\n', '[search]\nlanguage = "none"\n'),
        (
            '[search]\n# language = "english"\nlanguage = "french"\n',
            '[search]\n# language = "english"\nlanguage = "none"\n',
        ),
        (
            '[search]\r\n# language = "french"\r\n\r\n[index]\r\n#',
            '[search]\r\n# language = "french"\r\nlanguage = "none"\r\n\r\n[index]\r\n#\r\n',
        ),
        ("[index]\nwait = 1.0\n", '[index]\nwait = 1.0\n\n[search]\nlanguage = "none"\n'),
    ],
)
def test_other_lines_stay_and_a_persons_remarks_are_no_defaults(
    root: Path, before: str, after: str
) -> None:
    file = _written(root, before)
    assign(str(root), "search.language", "none")
    assert file.read_bytes().decode() == after


def test_a_setting_that_is_not_there_is_wrong_usage(root: Path) -> None:
    with pytest.raises(UsageError) as told:
        assign(str(root), "search.langauge", "german")
    assert "search.language" in told.value.hint
    with pytest.raises(UsageError):
        assign(str(root), "write.wait", "long")


def test_a_broken_file_costs_a_warning_and_not_the_tree(root: Path) -> None:
    _written(root, "[search\n")
    config = load(str(root))
    assert len(config.warnings) == 1
    assert config.values == {name: default for name, (default, _) in SETTINGS.items()}
    _written(root, "[search]\nlanguage = 3\nlanugage = 'x'\n")
    assert len(load(str(root)).warnings) == 2


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("lifecycle.opened", "0", "-1"), ("lifecycle.decay", "1", "1.01"),
     ("lifecycle.decay", "0.9", "0"), ("lifecycle.recency_days", "7", "0"),
     ("lifecycle.archive_below", "0", "61"), ("lifecycle.lift", "0.5", "0.6"),
     ("lifecycle.edited", "100", "inf"), ("lifecycle.lift", "0", "nan")],
)  # fmt: skip
def test_the_lifecycle_takes_only_numbers_that_make_sense(
    root: Path, name: str, good: str, bad: str
) -> None:
    assert assign(str(root), name, good) == float(good)
    with pytest.raises(UsageError):
        assign(str(root), name, bad)
    section, _, key = name.partition(".")
    _written(root, f"[{section}]\n{key} = {bad}\n")
    config = load(str(root))
    assert len(config.warnings) == 1
    assert config.values[name] == SETTINGS[name][0]


def test_the_defaults_of_the_lifecycle_are_those_of_its_policy(root: Path) -> None:
    policy = policy_of(load(str(root)))
    for key in Policy.__slots__:
        assert getattr(policy, key) == getattr(Policy(), key)
