from __future__ import annotations

import pytest

from memtree.tree.link_text import find_links
from memtree.tree.links import LinkIndex, is_external, resolve
from memtree.tree.relink import Moves, relink

INDEX = LinkIndex(
    [
        ("arch/retries/http-client.md", "k3f9a2b7cd", "HTTP client", ["the client"]),
        ("arch/retries/notes.md", "", "Notes", []),
        ("arch/notes.md", "", "Notes on architecture", []),
        ("ops/deploy/notes.md", "", "Deploy notes", []),
        ("ops/deploy/on call.md", "", "On call", []),
        ("ops/index.md", "", "Operations", []),
        ("dendron.topic.links.md", "", "Links", []),
        ("日本語/知識の木.md", "", "知識の木", ["ちしき"]),
        ("Caf\u00e9/Men\u00fc.md", "", "Menu", []),
    ]
)


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("http-client", "arch/retries/http-client.md"),
        ("HTTP-client", "arch/retries/http-client.md"),
        ("http-client.md", "arch/retries/http-client.md"),
        ("retries/http-client", "arch/retries/http-client.md"),
        ("arch/retries/http-client", "arch/retries/http-client.md"),
        ("http-client|the one", "arch/retries/http-client.md"),
        ("http-client#Backoff", "arch/retries/http-client.md"),
        ("http-client#Backoff|b", "arch/retries/http-client.md"),
        ("http-client^f3", "arch/retries/http-client.md"),
        ("http-client\\|in a table", "arch/retries/http-client.md"),
        ("the client", "arch/retries/http-client.md"),
        ("k3f9a2b7cd", "arch/retries/http-client.md"),
        ("HTTP client", "arch/retries/http-client.md"),
        ("notes", "arch/notes.md"),
        ("deploy/notes", "ops/deploy/notes.md"),
        ("On Call", "ops/deploy/on call.md"),
        ("dendron.topic.links", "dendron.topic.links.md"),
        ("the docs|dendron.topic.links#x", "dendron.topic.links.md"),
        ("docs|dendron://vault.site/dendron.topic.links", "dendron.topic.links.md"),
        ("dendron.topic.links#summary,1:#*", "dendron.topic.links.md"),
        ("知識の木", "日本語/知識の木.md"),
        ("ちしき", "日本語/知識の木.md"),
        ("Menu\u0308", "Caf\u00e9/Men\u00fc.md"),
        ("#only a heading", "start.md"),
        ("/ops/index", "ops/index.md"),
        ("ops/", "ops/index.md"),
        ("nothing here", None),
        ("../../etc/passwd", None),
        ("https://example.org/notes", None),
    ],
)
def test_a_wikilink_leads_where_obsidian_leads(target: str, leads_to: str | None) -> None:
    assert resolve(target, "start.md", INDEX, kind="wiki") == leads_to


@pytest.mark.parametrize(
    ("target", "source", "leads_to"),
    [
        ("http-client.md", "arch/retries/notes.md", "arch/retries/http-client.md"),
        ("./http-client.md#x", "arch/retries/notes.md", "arch/retries/http-client.md"),
        ("../../ops/deploy/on%20call.md", "arch/retries/notes.md", "ops/deploy/on call.md"),
        ("<../../ops/deploy/on call.md#now>", "arch/retries/notes.md", "ops/deploy/on call.md"),
        ("/ops/deploy/notes.md", "arch/retries/notes.md", "ops/deploy/notes.md"),
        ("/ops/deploy/notes", "arch/retries/notes.md", "ops/deploy/notes.md"),
        ("ops/deploy/notes.md", "arch/retries/notes.md", "ops/deploy/notes.md"),
        ("notes.md", "ops/deploy/on call.md", "ops/deploy/notes.md"),
        ("../", "ops/deploy/notes.md", "ops/index.md"),
        ("#here", "arch/notes.md", "arch/notes.md"),
        ("notes.md?raw=1#x", "arch/retries/http-client.md", "arch/retries/notes.md"),
        ("%E6%97%A5%E6%9C%AC%E8%AA%9E/知識の木.md", "start.md", "日本語/知識の木.md"),
        ("../../../outside.md", "arch/notes.md", None),
        ("mailto:a@b.c", "arch/notes.md", None),
        ("command:run", "arch/notes.md", None),
    ],
)
def test_a_markdown_link_leads_where_commonmark_and_okf_lead(
    target: str, source: str, leads_to: str | None
) -> None:
    assert resolve(target, source, INDEX, kind="markdown") == leads_to


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("k3f9a2b7cd", "arch/retries/http-client.md"),
        ("arch/retries/http-client.md", "arch/retries/http-client.md"),
        ("arch/retries/http-client", "arch/retries/http-client.md"),
        ("/arch/notes.md", "arch/notes.md"),
        ("[[http-client|c]]", "arch/retries/http-client.md"),
        ("[c](retries/http-client.md)", "arch/retries/http-client.md"),
        ("retries/http-client.md", "arch/retries/http-client.md"),
        ("https://example.org", None),
    ],
)
def test_related_takes_paths_ids_and_links(target: str, leads_to: str | None) -> None:
    assert resolve(target, "arch/notes.md", INDEX, kind="related") == leads_to


def test_of_several_entries_with_a_name_the_one_in_the_same_folder_wins() -> None:
    assert resolve("notes", "ops/deploy/on call.md", INDEX, kind="wiki") == "ops/deploy/notes.md"


def test_a_title_with_a_colon_is_not_a_url() -> None:
    assert not is_external("note: a story", "wiki")
    assert is_external("https://x.y", "wiki")
    assert is_external("//cdn.example/x.md")


TEXT = """\
---
title: A
related:
  - arch/notes.md            # by path
  - {rel: depends-on, to: "ops/deploy/notes.md"}
  - k3f9a2b7cd
up: "[[http-client]]"
---
See [[http-client|it]], ![[notes#h]] and [x](../b.md#h "t"), <https://e.org>, [[1]](https://e.org).
`[[code]]` and ``[x](y.md) ` z`` and \\[[no]] <!-- [[hidden]] -->

```md
[[fenced]]
```

    [[indented]]

- item

    [[in a list]]

[ref]: <docs/a b.md> "T"
[^1]: not a definition
![img](pic(1).png)
"""


def test_find_links_sees_every_kind_of_link_and_no_code() -> None:
    body = TEXT.index("See [[")
    found = [(s.target, s.kind) for s in find_links(TEXT, body)]
    assert found == [
        ("arch/notes.md", "related"),
        ("ops/deploy/notes.md", "related"),
        ("k3f9a2b7cd", "related"),
        ("http-client", "wiki"),
        ("http-client|it", "wiki"),
        ("notes#h", "embed"),
        ("../b.md#h", "markdown"),
        ("https://e.org", "markdown"),
        ("in a list", "wiki"),
        ("<docs/a b.md>", "markdown"),
        ("pic(1).png", "markdown"),
    ]
    for span in find_links(TEXT, body):
        assert TEXT[span.start : span.end] == span.target
        assert TEXT.count("\n", 0, span.start) + 1 == span.line


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "](x" * 30_000, "`" * 30_001, "[[a" * 30_000, "<!--" * 30_000,
             "(" * 50_000, "`a``b" * 20_000, "[a](" + "(" * 50_000, "\\" * 50_000 + "[[a]]",
             "[x]: " * 20_000],
)  # fmt: skip
def test_hostile_texts_take_linear_time(text: str) -> None:
    import time

    start = time.process_time()
    find_links(text)
    assert time.process_time() - start < 2


def _moved(text: str, path: str, moved: dict[str, str], index: LinkIndex = INDEX) -> str:
    body = text.index("\n---\n") + 5 if text.startswith("---\n") else 0
    return relink(text, body, path, Moves(moved, before=index, after=index.after(moved)))[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[[http-client]]", "[[client]]"),
        ("[[HTTP-client#Backoff|b]]", "[[client#Backoff|b]]"),
        ("![[retries/http-client^f3]]", "![[net/http/client^f3]]"),
        ("[[arch/retries/http-client.md]]", "[[net/http/client.md]]"),
        ("[[docs|dendron://v/http-client#x]]", "[[docs|dendron://v/client#x]]"),
        ("[[the client]]", "[[the client]]"),
        ("[[k3f9a2b7cd]]", "[[k3f9a2b7cd]]"),
        ("[a](arch/retries/http-client.md)", "[a](net/http/client.md)"),
        ('[a](arch/retries/http-client.md#x "T")', '[a](net/http/client.md#x "T")'),
        ("[a](./arch/retries/http-client)", "[a](./net/http/client)"),
        ("[a](</arch/retries/http-client.md>)", "[a](</net/http/client.md>)"),
        ("[r]: arch/retries/http-client.md", "[r]: net/http/client.md"),
        ("`[[http-client]]` stays", "`[[http-client]]` stays"),
        ("---\nrelated: [k3f9a2b7cd, arch/retries/http-client.md] # c\n---\n",
         "---\nrelated: [k3f9a2b7cd, net/http/client.md] # c\n---\n"),
        ("---\nrelated:\n- to: 'arch/retries/http-client'\n  rel: x\n---\n",
         "---\nrelated:\n- to: 'net/http/client'\n  rel: x\n---\n"),
        ('---\nup: "[[http-client]]"\n---\n', '---\nup: "[[client]]"\n---\n'),
    ],
)  # fmt: skip
def test_a_link_follows_a_moved_entry_in_its_own_style(before: str, after: str) -> None:
    assert (
        _moved(before, "start.md", {"arch/retries/http-client.md": "net/http/client.md"}) == after
    )


def test_a_name_that_still_leads_there_is_left_alone() -> None:
    moved = {"arch/retries/http-client.md": "net/http/http-client.md"}
    assert _moved("[[http-client]]", "start.md", moved) == "[[http-client]]"


def test_the_moved_entry_keeps_its_own_relative_links() -> None:
    moved = {"arch/retries/http-client.md": "http-client.md"}
    text = "[n](notes.md) [up](../notes.md#x) [abs](/ops/index.md) [[deploy/notes]]"
    assert _moved(text, "arch/retries/http-client.md", moved) == (
        "[n](arch/retries/notes.md) [up](arch/notes.md#x) [abs](/ops/index.md) [[deploy/notes]]"
    )


def test_a_link_that_a_move_would_redirect_is_made_precise() -> None:
    moved = {"ops/deploy/notes.md": "notes.md"}
    assert _moved("[[notes]]", "start.md", moved) == "[[arch/notes]]"


def test_spaces_and_parentheses_are_written_as_the_link_can_hold_them() -> None:
    moved = {"arch/notes.md": "a b/c (1) 100%.md"}
    assert _moved("[x](arch/notes.md)", "start.md", moved) == "[x](a%20b/c%20%281%29%20100%25.md)"
    assert _moved("[x](<arch/notes.md#h>)", "start.md", moved) == "[x](<a b/c (1) 100%25.md#h>)"


def test_a_name_that_no_wikilink_can_hold_is_reported_and_left() -> None:
    moves_to = {"arch/retries/http-client.md": "net/a#b.md"}
    moves = Moves(moves_to, before=INDEX, after=INDEX.after(moves_to))
    text, problems = relink("\n[[http-client]]", 0, "start.md", moves)
    assert text == "\n[[http-client]]"
    assert [(p.line, p.code) for p in problems] == [(2, "unlinkable")]
