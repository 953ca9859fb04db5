"""What memtree says when something cannot be done.

An operation that cannot be done raises a small subclass of `MemtreeError`: a message, a hint and
the exit code of the contract (DESIGN section 7). Trouble in the files is a value instead, see
`memtree.knowledge.problem`. Nothing here imports anything: the hot search path loads this module.
"""

from __future__ import annotations


class MemtreeError(Exception):
    """One clear sentence (`message`), what to do next (`hint`), and an exit code."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(MemtreeError):
    """The command was asked for in a way that it does not understand."""

    exit_code = 2


class EntryNotFound(MemtreeError):  # noqa: N818  (says what happened, like its siblings)
    """No entry answers to that path, id or title."""

    exit_code = 1


class Unavailable(MemtreeError):  # noqa: N818  (as above)
    """What was asked for is not there: a model, an extra, a tree, a revision."""

    exit_code = 3


class TreeNotFound(Unavailable):
    """There is no tree here or above."""


class ModelUnavailable(Unavailable):
    """A model that was asked for is not there, is damaged, or does not answer."""


class Refused(MemtreeError):  # noqa: N818  (as above)
    """The operation would lose something or leave the tree."""

    exit_code = 4


class PathRefused(Refused):
    """A path that leaves the tree, or that some system could not hold."""


class EntryChanged(Refused):
    """The file changed since it was read: the person wins."""


class Locked(Refused):
    """Another process is writing and did not finish in time."""


class StorageFailed(Refused):
    """The disk is full, read-only, or refuses."""
