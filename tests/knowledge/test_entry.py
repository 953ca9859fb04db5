"""The entry as a value."""

from __future__ import annotations

import dataclasses

import pytest

from memtree.knowledge.entry import Entry
from memtree.knowledge.path import parse_path


def test_an_entry_cannot_be_changed_and_begins_as_a_draft_of_middling_importance() -> None:
    entry = Entry(path=parse_path("a/b"), id="x", type="fact", title="B")
    assert (entry.importance, entry.maturity, entry.problems) == (50.0, "draft", ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        entry.title = "C"  # type: ignore[misc]
