"""Programs that know python-frontmatter get its `Post`, without its losses."""

from __future__ import annotations

import frontmatter

from memtree.tree.post import Handler, read_post, write_post

TEXT = "---\r\n# note\r\ntitle: 'T'  # why\r\ncontent: x\r\nempty:\r\n---\r\n\r\nBody  \r\n\r\n"


def test_a_post_that_was_not_changed_is_written_byte_for_byte() -> None:
    post = read_post(TEXT)
    assert post.metadata == {"title": "T", "content": "x", "empty": None}
    assert write_post(TEXT, post) == TEXT


def test_only_what_changed_in_a_post_changes_in_the_file() -> None:
    post = read_post(TEXT)
    post["title"] = "U"
    del post["content"]
    assert write_post(TEXT, post) == TEXT.replace("'T'", "'U'").replace("content: x\r\n", "")
    post.content = "New\n"
    assert write_post(TEXT, post).endswith("---\r\nNew\r\n")


def test_the_handler_reads_what_the_stock_one_loses_or_dies_of() -> None:
    prose = "---\n\nProse\n\n---\nrest"
    assert frontmatter.parse(prose, handler=Handler()) == ({}, prose)
    bomb = "---\na: " + "[" * 40000 + "\n---\nbody"
    assert frontmatter.parse(bomb, handler=Handler())[1] == "body"
    version = frontmatter.parse("---\nv: 1.10\n---\nbody", handler=Handler())
    assert version == ({"v": "1.10"}, "body")


def test_a_dump_of_a_new_post_is_an_entry() -> None:
    post = frontmatter.Post("Body", Handler(), title="A: b", tags=["x", "on"])
    assert frontmatter.dumps(post) == '---\ntitle: "A: b"\ntags:\n  - x\n  - "on"\n---\n\nBody'
