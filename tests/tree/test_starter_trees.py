"""The trees that `memtree init --template` starts from."""

from __future__ import annotations

import os

import pytest

from memtree.knowledge.path import parse_path
from memtree.tree.markdown import parse_for_index

TEMPLATES = os.path.join(os.path.dirname(__file__), "..", "..", "templates")


@pytest.mark.parametrize("name", ["personal", "research", "software"])
def test_a_starter_tree_is_a_few_short_folders_without_a_problem(name: str) -> None:
    root = os.path.join(TEMPLATES, name)
    found = []
    for folder, _, files in os.walk(root):
        for file in files:
            full = os.path.join(folder, file)
            path = parse_path(os.path.relpath(full, root).replace(os.sep, "/"))
            with open(full, "rb") as opened:
                raw = opened.read()
            parsed = parse_for_index(path, raw)
            assert not parsed.problems
            assert len(parsed.passages) == 1
            assert b"<!-- memtree:begin listing -->\n<!-- memtree:end listing -->\n" in raw
            assert ("okf_version" in parsed.meta) == (path == "index.md")
            found.append(path)
    assert "index.md" in found
    assert len(found) <= 8


def test_the_specification_names_every_finding_a_reader_can_report() -> None:
    with open(os.path.join(TEMPLATES, "entry.md"), encoding="utf-8") as file:
        text = file.read()
    for code in (
        "invalid-utf8",
        "binary",
        "oversize",
        "unclosed-front-matter",
        "bad-front-matter",
        "duplicate-key",
    ):
        assert f"`{code}`" in text
