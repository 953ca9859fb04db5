"""New texts: what an operation says is in them, and nothing else is different."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memtree.curate.compose import added, escaped, linked, names_day, superseded, updated
from memtree.curate.facts import facts_of, read_facts
from memtree.errors import EntryNotFound, Refused
from memtree.knowledge.plan import Add, Claim, Drop, Evidence, Replace, Supersede, Update
from memtree.tree.format import find_front

AT, BY = "2026-11-22T10:00:00Z", "memtree-rules/1"
OLD = """\
---
type: fact
title: The client   # as people say
weird: [a,   b]
---
# The client

Prose that stays.

## Facts

- It retries three times. [^a] ^f1
- It waits two seconds. ^f2

## Notes

A note.
"""


def claim(text: str, line: int = 1, **more: str) -> Claim:
    evidence = Evidence(source="notes.md", quote=text, lines=(line, line))
    return Claim(text=text, evidence=(evidence,), **more)


def cite(evidence: Evidence, claim: Claim) -> dict[str, object]:  # noqa: ARG001  (as it is called)
    return {"resource": evidence.source, "lines": str(evidence.lines[0])}


def update(text: str, *claims: Claim, **more: object) -> str:
    op = Update(reason="", path="a/b/c.md", claims=claims, **more)  # type: ignore[arg-type]
    return updated(text, op, at=AT, by=BY, cite=cite)


def new(*claims: Claim, **more: object) -> str:
    values: dict[str, object] = {"path": "a/b/c.md", "title": "The client", **more}
    op = Add(reason="", claims=claims, **values)  # type: ignore[arg-type]
    return added(op, at=AT, by=BY, identity="abcdefghjk", cite=cite)


def body_lines(old: str, text: str) -> list[str]:
    """The lines of the body that differ, marked as a diff marks them."""
    before, after = (each[find_front(each).body :].splitlines() for each in (old, text))
    found = difflib.ndiff(before, after)
    return [line for line in found if line[0] in "+-"]


def test_a_new_entry_says_its_claims_where_they_come_from_and_who_wrote_it() -> None:
    text = new(claim("It retries."), claim("So does she.", 4), type="definition", tags=("net",))
    assert text == (
        "---\ntype: concept\ntitle: The client\ntags:\n  - net\nid: abcdefghjk\n"
        f"created: {AT}\ngenerated: {{by: {BY}, at: {AT}}}\nsources:\n"
        '  - {id: s1, resource: notes.md, lines: "1"}\n'
        '  - {id: s2, resource: notes.md, lines: "4"}\n'
        "---\n## Facts\n\n- It retries. [^s1] ^f1\n- So does she. [^s2] ^f2\n"
    )


def test_claims_of_one_span_share_their_source() -> None:
    text = new(claim("It retries."), claim("It waits."))
    assert text.count("resource") == 1
    assert [fact.sources for fact in facts_of(text)] == [("s1",), ("s1",)]


def test_an_update_adds_behind_the_last_fact_and_touches_nothing_else() -> None:
    text = update(OLD, claim("It gives up after a minute."))
    assert body_lines(OLD, text) == ["+ - It gives up after a minute. [^s1] ^f3"]
    before = OLD.split("---\n")[1].splitlines()
    assert text.split("---\n")[1].splitlines()[: len(before)] == before


def test_a_fact_is_replaced_in_its_place_and_keeps_id_and_sources() -> None:
    text = update(
        OLD, replaces=(Replace(fact="f1", claim=claim("It retries 3 times, then stops.")),)
    )
    assert body_lines(OLD, text) == [
        "- - It retries three times. [^a] ^f1",
        "+ - It retries 3 times, then stops. [^a][^s1] ^f1",
    ]


def test_the_id_of_a_dropped_fact_is_never_given_again() -> None:
    text = update(OLD, drops=(Drop(fact="f2", reason="wrong"),))
    assert body_lines(OLD, text) == ["- - It waits two seconds. ^f2"]
    again = update(text, claim("It waits five seconds."))
    assert [fact.id for fact in facts_of(again)] == ["f1", "f3"]


def test_what_is_superseded_moves_into_history_with_its_id() -> None:
    op = Supersede(reason="", path="x", fact="f1", claim=claim("It retries five times."),
                   since="2026-02-01")  # fmt: skip
    text = superseded(OLD, op, at=AT, by=BY, cite=cite)
    assert text[text.index("## Facts") :] == (
        "## Facts\n\n- It retries five times. [^s1] ^f3\n- It waits two seconds. ^f2\n\n"
        "## Superseded\n\n- It retries three times. (until 2026-02-01, see ^f3) [^a] ^f1\n\n"
        "## Notes\n\nA note.\n"
    )
    later = Supersede(reason="", path="x", fact="f3", claim=claim("It never retries."))
    twice = superseded(text, later, at=AT, by=BY, cite=cite)
    assert [(fact.id, fact.stands) for fact in facts_of(twice)] == [
        ("f4", True), ("f2", True), ("f1", False), ("f3", False),
    ]  # fmt: skip


def test_history_is_not_superseded_again_and_nothing_takes_no_place() -> None:
    op = Supersede(reason="", path="x", fact="f1", claim=claim("New."))
    text = superseded(OLD, op, at=AT, by=BY, cite=cite)
    with pytest.raises(Refused, match="superseded before"):
        superseded(text, op, at=AT, by=BY, cite=cite)
    with pytest.raises(Refused, match="nothing is named"):
        superseded(OLD, Supersede(reason="", path="x", fact="f1"), at=AT, by=BY, cite=cite)
    with pytest.raises(EntryNotFound):
        update(OLD, drops=(Drop(fact="f9", reason=""),))


def test_a_superseding_fact_that_stands_already_is_not_written_twice() -> None:
    op = Supersede(reason="", path="x", fact="f1", claim=claim("It waits two seconds."))
    text = superseded(OLD, op, at=AT, by=BY, cite=cite)
    assert text.count("It waits two seconds.") == 1
    assert "(until 2026-11-22, see ^f2)" in text


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ("", "## Facts\n\n- N [^s1] ^f1\n"),
        ("Text", "Text\n\n## Facts\n\n- N [^s1] ^f1\n"),
        ("Text\n\n## Facts", "Text\n\n## Facts\n\n- N [^s1] ^f1\n"),
        ("## Facts\n## Next\n", "## Facts\n\n- N [^s1] ^f1\n\n## Next\n"),
        ("## Facts\n\n\n## Next\n", "## Facts\n\n- N [^s1] ^f1\n\n## Next\n"),
        ("## Facts\n\n- A person's\n\n## N\n", "## Facts\n\n- A person's\n- N [^s1] ^f1\n\n## N\n"),
    ],
)
def test_a_note_without_facts_gets_them_where_they_belong(old: str, expected: str) -> None:
    text = update(old, claim("N"))
    assert text[find_front(text).body :] == expected


def test_the_line_ends_of_a_file_stay_its_own() -> None:
    windows = OLD.replace("\n", "\r\n")
    text = update(windows, claim("More."))
    assert text.replace("\r\n", "").count("\n") == 0
    assert text.replace("\r\n", "\n") == update(OLD, claim("More."))


def test_text_behind_which_nothing_can_be_read_is_refused() -> None:
    with pytest.raises(Refused, match="read again"):
        update("Text\n\n```python\nx = 1\n", claim("More."))
    with pytest.raises(Refused, match="read again"):
        update("Text\n\n<!-- never closed\n", claim("More."))


@pytest.mark.parametrize(
    "text",
    ["# No heading", "- no list", "``` no code", "<!-- no comment", "see [^s9] there ^f77",
     "1. no number", "[x]: http://a", "| no table |", "> no quote", "a\x1b[31mb\u202ec", "^f1",
     "---", "=== not", "\\# already", "x \\<!-- y"],
)  # fmt: skip
def test_words_of_a_source_stay_words(text: str) -> None:
    made = new(claim(text), claim("The one behind it."))
    first, second = facts_of(made)
    assert (first.id, second.id) == ("f1", "f2")
    assert second.text == "The one behind it."
    assert first.sources == second.sources == ("s1",)
    assert "\x1b" not in made
    assert "\u202e" not in made


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(max_size=60).filter(str.strip), min_size=1, max_size=4), st.text(max_size=80)
)
def test_whatever_is_claimed_is_read_again_or_refused(texts: list[str], prose: str) -> None:
    try:
        made = update(prose, *[claim(text) for text in texts])
    except Refused:
        return
    found = [fact.text for fact in facts_of(made) if fact.id][-len(texts) :]
    assert [escaped(text) for text in found] == [escaped(text) for text in texts]
    assert prose.strip() in made


def test_the_day_of_a_claim_is_shown_unless_its_words_say_it() -> None:
    assert "- He sold it. (2023-05-08) [^s1]" in new(claim("He sold it.", when="2023-05-08"))
    assert "- Sold on 8 May 2023. [^s1]" in new(claim("Sold on 8 May 2023.", when="2023-05-08"))
    assert names_day("in May 2023", "2023-05")
    assert names_day("back in 1999", "1999")
    assert not names_day("in May", "2023-05")
    assert not names_day("on 18 May 2023", "2023-05-08")


def test_front_matter_never_outgrows_what_readers_look_at() -> None:
    long = "resource-" + "x" * 150

    def far(evidence: Evidence, _: Claim) -> dict[str, object]:
        return {"resource": long, "lines": str(evidence.lines[0]), "digest": "0" * 64}

    op = Add(
        reason="", path="a", title="T", claims=tuple(claim(f"Claim {n}.", n) for n in range(1, 401))
    )
    text = added(op, at=AT, by=BY, identity="abcdefghjk", cite=far)
    assert find_front(text).meta["title"] == "T"
    assert len(facts_of(text)) == 400
    assert all(fact.sources for fact in facts_of(text))


def test_a_relation_is_added_once() -> None:
    text = linked(OLD, "x/y/z.md", "related", (), at=AT, by=BY)
    assert find_front(text).meta["related"] == ["x/y/z.md"]
    assert linked(text, "x/y/z.md", "related", (), at=AT, by=BY) == text
    assert linked(text, "x/y/z.md", "related", ("someid",), at=AT, by=BY) == text
    more = linked(text, "x/y/z.md", "depends-on", (), at=AT, by=BY)
    assert find_front(more).meta["related"] == ["x/y/z.md", {"rel": "depends-on", "to": "x/y/z.md"}]


def test_sources_that_are_no_list_are_a_persons_to_change() -> None:
    with pytest.raises(Refused, match="no list"):
        update("---\ntype: fact\nsources: a book\n---\nText\n", claim("More."))


def test_ids_of_facts_go_on_where_they_stopped() -> None:
    assert read_facts(update(OLD, claim("One."), claim("Two."))).last == 4
