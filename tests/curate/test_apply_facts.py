"""Facts are read where they stand, and only there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.curate.facts import facts_of, read_facts

ENTRY = """\
---
type: fact
title: The client
---
# The client

Some prose with a mark. ^intro

## Facts

- It retries three times. [^s1][^http] ^f1
* It waits
  two seconds. [^s2]
  ^f3

  More of the same bullet.
- Nobody knows this one.

```text
- No fact, but code. ^f8
```

<!--
- No fact, but a comment. ^f9
-->

### Details

1. A numbered one. ^f4

## Superseded

- It never retried (until 2024-05-01, see ^f1) [^s1] ^f2

## Notes

- No fact, but a note. ^n1
"""


def test_every_bullet_is_a_fact_with_its_id_sources_and_line() -> None:
    found = [(fact.id, fact.text, fact.line, fact.sources) for fact in facts_of(ENTRY)]
    assert found == [
        ("f1", "It retries three times.", 11, ("s1", "http")),
        ("f3", "It waits two seconds. More of the same bullet.", 12, ("s2",)),
        ("", "Nobody knows this one.", 17, ()),
        ("f4", "A numbered one.", 29, ()),
        ("f2", "It never retried", 33, ("s1",)),
    ]


def test_what_is_superseded_no_longer_stands() -> None:
    assert [fact.id for fact in facts_of(ENTRY) if not fact.stands] == ["f2"]


def test_the_lines_of_a_bullet_are_its_own_and_no_others() -> None:
    for bullet in read_facts(ENTRY).bullets:
        lines = ENTRY[bullet.start : bullet.end]
        assert lines.endswith("\n")
        assert lines.startswith(("- ", "* ", "1. "))
        assert ENTRY[: bullet.start].count("\n") + 1 == bullet.fact.line


def test_an_id_that_stood_anywhere_counts_as_given() -> None:
    assert read_facts(ENTRY).last == 9
    assert read_facts("---\ntype: fact\nlast_fact: f40\n---\n## Facts\n\n- A ^f2\n").last == 40


def test_a_heading_of_another_level_or_word_holds_no_facts() -> None:
    assert facts_of("# Facts\n\n- Not this one.\n") == ()
    assert facts_of("## Some facts\n\n- Nor this one.\n") == ()
    assert [fact.text for fact in facts_of("Facts\n---\n\n- Underlined.\n")] == ["Underlined."]


def test_windows_line_ends_change_nothing_but_the_offsets() -> None:
    windows = ENTRY.replace("\n", "\r\n")
    assert facts_of(windows) == facts_of(ENTRY)
    for bullet in read_facts(windows).bullets:
        assert windows[bullet.start : bullet.end].endswith("\r\n")


LINES = (
    "## Facts", "## Superseded", "- a ^f1", "  more", "", "```", "<!--", "-->", "# T", "1. b",
    "---", "> q", "\t- c", "Facts",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=14))
def test_whatever_stands_there_bullets_are_whole_lines_in_order(lines: list[str]) -> None:
    text = "\n".join(lines)
    end = 0
    for bullet in read_facts(text).bullets:
        assert end <= bullet.start < bullet.end <= len(text)
        assert bullet.start == 0 or text[bullet.start - 1] == "\n"
        assert bullet.end == len(text) or text[bullet.end - 1] == "\n"
        end = bullet.end
