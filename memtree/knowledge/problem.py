"""Trouble in the files is a value: collected and reported, while the rest of the tree answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding about one file: where, what, and a stable code to filter by.

    `line` counts from 1; 0 means the file as a whole. `code` is kebab-case, for example
    `bad-front-matter`, `broken-link`, `unreadable`.
    """

    path: str
    line: int
    code: str
    message: str
