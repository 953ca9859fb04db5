"""The door to python-frontmatter, for programs that know its `Post`.

Its own reader can be brought down by a file and its writer loses comments, order and line ends
(DEPENDENCIES section 6), so here its `Post` is filled by our reader and written back by our
surgery. Nothing else in memtree imports it.
"""

from __future__ import annotations

import re

import frontmatter
from frontmatter.default_handlers import BaseHandler

from memtree.tree.format import edit_front_matter, find_front, replace_body
from memtree.tree.surgery import block_lines


class Handler(BaseHandler):
    """Lets `frontmatter.loads(text, handler=Handler())` read what memtree reads, never raising."""

    FM_BOUNDARY = re.compile(r"^---[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "---"

    def detect(self, text: str) -> bool:
        """Tell whether the text has front matter; a rule over prose is none."""
        return find_front(text).end > 0

    def split(self, text: str) -> tuple[str, str]:
        """Return the block and the body. Raises `ValueError` without front matter, as it must."""
        front = find_front(text)
        if not front.end:
            raise ValueError("no front matter")
        return text[front.start : front.end], text[front.body :]

    def load(self, fm: str) -> dict[str, object]:
        """Return the values of a block."""
        return find_front(f"---\n{fm}\n---\n").meta

    def export(self, metadata: dict[str, object], **_kwargs: object) -> str:
        """Return a block for a new file; `write_post` is the way to change an old one."""
        lines = (block_lines(key, value) for key, value in metadata.items() if value is not None)
        return "".join(lines).rstrip("\n")


def read_post(text: str) -> frontmatter.Post:
    """Return a `Post` with the front matter and the whole body, no white space stripped."""
    front = find_front(text)
    post = frontmatter.Post(text[front.body :], Handler())
    post.metadata = dict(front.meta)
    return post


def write_post(text: str, post: frontmatter.Post) -> str:
    """Return the text from which `post` was read with its changes, every other byte as it was.

    Raises `Refused` like `edit_front_matter`.
    """
    front = find_front(text)
    changes: dict[str, object | None] = {key: None for key in front.meta if key not in post}
    changes.update(post.metadata)
    for key, value in front.meta.items():
        if value is None and changes[key] is None and key in post:
            del changes[key]  # an empty key that nobody touched
    edited = edit_front_matter(text, changes)
    return edited if post.content == text[front.body :] else replace_body(edited, post.content)
