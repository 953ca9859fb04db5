"""The example tree keeps its promises: it parses, its links lead, its questions fit it."""

from __future__ import annotations

import json
import os
import re

import pytest
import yaml

EXAMPLES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "examples"))
ATLAS = os.path.join(EXAMPLES, "atlas")
KEYS = {
    *("type", "title", "description", "tags", "id", "aliases", "related", "importance", "maturity"),
    *("settled", "created", "generated", "verified", "sources", "status", "stale_after"),
    *("valid_from", "valid_to", "supersedes", "superseded_by"),
}


def entries() -> dict[str, tuple[dict[str, object], str]]:
    """Front matter and body of every entry (not of index.md), by path."""
    found: dict[str, tuple[dict[str, object], str]] = {}
    for at, folders, names in os.walk(ATLAS):
        folders[:] = [name for name in folders if name[0] != "."]
        for name in names:
            if name.endswith(".md") and name != "index.md":
                path = os.path.join(at, name)
                with open(path, encoding="utf-8") as opened:
                    _, front, body = opened.read().split("---\n", 2)
                found[os.path.relpath(path, ATLAS).replace(os.sep, "/")] = (
                    yaml.safe_load(front),
                    body,
                )
    return found


ENTRIES = entries()
IDS = {str(meta["id"]): path for path, (meta, _) in ENTRIES.items()}


def names_of(path: str) -> set[str]:
    meta, _ = ENTRIES[path]
    aliases = meta.get("aliases", [])
    assert isinstance(aliases, list)
    return {os.path.basename(path)[:-3], str(meta["title"]), *aliases}


@pytest.mark.parametrize("path", sorted(ENTRIES))
def test_each_entry_has_a_type_a_title_an_id_and_only_known_keys(path: str) -> None:
    meta, body = ENTRIES[path]
    assert {"type", "title", "id", "created"} <= set(meta) <= KEYS
    assert isinstance(meta["id"], str)
    assert re.fullmatch(r"[0-9a-hjkmnp-tv-z]{10}", meta["id"])
    assert f"# {meta['title']}\n" in body
    assert path.count("/") in (2, 3)


def test_ids_are_unique() -> None:
    assert len(IDS) == len(ENTRIES) >= 20


@pytest.mark.parametrize("path", sorted(ENTRIES))
def test_each_link_leads_to_an_entry(path: str) -> None:
    meta, body = ENTRIES[path]
    known = {name for other in ENTRIES for name in names_of(other)}
    for target in re.findall(r"\[\[([^\]|#]+)", body):
        assert target in known, target
    for target in re.findall(r"\]\(([^)]+\.md)\)", body):
        base = "" if target.startswith("/") else os.path.dirname(path)
        assert os.path.normpath(os.path.join(base, target.lstrip("/"))) in ENTRIES, target
    related = meta.get("related", [])
    assert isinstance(related, list)
    ends = [row["to"] if isinstance(row, dict) else row for row in related]
    ends += [meta[key] for key in ("supersedes", "superseded_by") if key in meta]
    for end in ends:
        assert str(end) in IDS or end in ENTRIES, end


@pytest.mark.parametrize("path", sorted(ENTRIES))
def test_facts_have_block_ids_and_footnotes_have_sources(path: str) -> None:
    meta, body = ENTRIES[path]
    facts = body.partition("## Facts\n")[2].partition("\n## ")[0]
    bullets = [line for line in facts.splitlines() if line.startswith("- ")]
    assert all(re.search(r" \^f\d+$", line) for line in bullets)
    sources = meta.get("sources", [])
    assert isinstance(sources, list)
    assert set(re.findall(r"\[\^([\w-]+)\]", body)) == {str(row["id"]) for row in sources}


def test_each_question_names_entries_that_exist() -> None:
    with open(os.path.join(EXAMPLES, "questions.jsonl"), encoding="utf-8") as opened:
        rows = [json.loads(line) for line in opened]
    assert len({row["id"] for row in rows}) == len(rows) >= 25
    for row in rows:
        assert set(row["gold"]) <= set(ENTRIES)
        assert (row["kind"] == "absent") == (not row["gold"])


def test_the_tree_says_that_it_is_invented_and_under_which_license() -> None:
    with open(os.path.join(ATLAS, "index.md"), encoding="utf-8") as opened:
        words = " ".join(opened.read().split())
    assert "invented" in words
    assert "Apache-2.0" in words
