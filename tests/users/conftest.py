"""What the tests of users share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from real_tree import ATLAS, RealTree, new_tree


@pytest.fixture
def tree(tmp_path: Path) -> RealTree:
    """A blank tree."""
    return new_tree(tmp_path / "tree")


@pytest.fixture
def atlas(tmp_path: Path) -> RealTree:
    """The example tree."""
    shutil.copytree(ATLAS, tmp_path / "atlas")
    return new_tree(tmp_path / "atlas")


# What users could trip over today, and why. Each is a promise still to keep: a test that begins to
# pass is taken off this list.
SHORT_OF = {
    "finds_the_note_first[max": "a note with `maxRetryCount` ranks behind one with the words",
    "finds_the_note_first[strawbery": "a slip in a word whose stem differs is not recognised",
    "finds_the_note_first[\\u0435": "Cyrillic io and ie are not folded into one",
    "finds_the_note_first[\\u064a": "Arabic is not stemmed unless the tree's language says so",
    "finds_the_note_first[\\U0001f3": "emoji are no words for the index",
    "make_nobody_sure[the]": "'the' is taken for the name 'The Who'",
    "watch_file_from_a_clone": "a socket that the same user owns is believed",
    "with_broken_bytes": "a damaged index is rebuilt, but tantivy reports its panic on stderr",
    "cache_or_state_that_is_a_file": "doctor trips over a file in the place of .memtree/state",
    "decomposed_name_is_found_below": "--in does not find a folder with a decomposed name",
    "large_number_survives": "numbers of over 18 digits come back as text",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures that are known, by name and with the reason."""
    for item in items:
        for part, reason in SHORT_OF.items():
            if part in item.nodeid and "tests/users" in item.nodeid:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=False))
