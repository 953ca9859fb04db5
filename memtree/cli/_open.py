"""What a command needs before it can begin: the open tree, and the text it is given."""

from __future__ import annotations

import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.app import Tree

# Longer than a command takes to look things up, shorter than a person takes to edit a file.
_ONE_LOOK_S = 1.0


def opened(tree: str | None) -> Tree:
    """Open the tree that `--tree`, the environment or the working directory names.

    A command looks at the files once: what it asks next is asked of the same state.
    """
    from memtree.app import open_tree

    return open_tree(tree, max_age=_ONE_LOOK_S)


@contextmanager
def somewhere(tree: str | None) -> Iterator[Tree]:
    """The tree, or an empty one where there is none: for what can be looked at anywhere."""
    from memtree.errors import TreeNotFound

    try:
        there = opened(tree)
    except TreeNotFound:
        if tree is not None:
            raise
        from tempfile import TemporaryDirectory

        from memtree.app import init_tree

        with TemporaryDirectory(prefix="memtree-") as place, init_tree(place) as there:
            yield there
        return
    yield there


def stdin_text() -> str:
    """All of standard input as text, without a byte-order mark.

    Raises UsageError for bad UTF-8, and when it is closed.
    """
    from memtree.errors import UsageError

    if sys.stdin is None:
        raise UsageError("standard input is closed", hint="give the text itself, or a pipe")
    raw = sys.stdin.buffer.read()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"standard input is not UTF-8 (byte {error.start})",
            hint="convert it first, for example with iconv",
        ) from error
