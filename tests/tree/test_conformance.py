"""The conformance suite in `templates/`: what any tool that reads or writes the format must do."""

from __future__ import annotations

import json
import os

import pytest

from memtree.tree.format import edit_front_matter, read_document
from memtree.tree.markdown import parse_for_index

SUITE = os.path.join(os.path.dirname(__file__), "..", "..", "templates", "conformance")
CASES = sorted(name[:-5] for name in os.listdir(SUITE) if name.endswith(".json"))


def read(name: str) -> bytes:
    with open(os.path.join(SUITE, name), "rb") as file:
        return file.read()


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_the_suite_says_what_is_expected_of_it(case: str) -> None:
    expected = json.loads(read(f"{case}.json"))
    raw = read(f"{case}.md")
    parsed = parse_for_index(f"{case}.md", raw)
    links = sorted(map(list, parsed.links), key=lambda link: (link[2], link))
    assert {
        "title": parsed.title,
        "meta": parsed.meta,
        "tags": parsed.tags,
        "aliases": parsed.aliases,
        "links": links,
        "problems": [problem.code for problem in parsed.problems],
    } == {
        "title": expected["title"],
        "meta": expected["meta"],
        "tags": expected["tags"],
        "aliases": expected["aliases"],
        "links": sorted(expected["links"], key=lambda link: (link[2], link)),
        "problems": expected["problems"],
    }
    document = read_document(raw, f"{case}.md")
    assert document.meta == expected["meta"]
    assert [problem.code for problem in document.problems] == expected["problems"]


@pytest.mark.parametrize("case", CASES)
def test_an_edit_of_the_suite_gives_the_expected_bytes(case: str) -> None:
    expected = json.loads(read(f"{case}.json"))
    text = read(f"{case}.md").decode("utf-8", "surrogateescape")
    edited = edit_front_matter(text, expected.get("edit", {}))
    wanted = read(f"{case}.edited.md") if "edit" in expected else read(f"{case}.md")
    assert edited.encode("utf-8", "surrogateescape") == wanted


def test_every_file_of_the_suite_belongs_to_a_case() -> None:
    files = {name for name in os.listdir(SUITE) if name.endswith(".md")}
    assert files - {f"{case}{end}" for case in CASES for end in (".md", ".edited.md")} == set()
    assert len(CASES) >= 30
