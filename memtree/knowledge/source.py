"""What is curated: a source as passages, and the part of it that one plan is made from.

A source may be larger than memory, so its passages come one after another. Lines count from 1 in
the source as it was read; what a passage says is data, whatever it says.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT, MARKDOWN, TRANSCRIPT, LOG = "text", "markdown", "transcript", "log"
"""The kinds of source: prose, markdown, who said what, what git did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A run of text of a source: a paragraph, a list item, a message, a commit.

    `text` is exactly what stands there, and `lines` where. `heading` is the trail of headings
    (`A > B`). Of a message: who said it, when (ISO 8601, "" if unknown), in which session, the
    how-manieth of it (from 1, 0 if unknown), and the source's own `key` for it. `kind` is `prose`,
    `item`, `code`, `message` or `commit`.
    """

    text: str
    lines: tuple[int, int]
    kind: str = "prose"
    heading: str = ""
    speaker: str = ""
    time: str = ""
    session: str = ""
    turn: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where text comes from: `name` as a person calls it ("-" for standard input).

    `path` is the absolute path of the file, "" when there is none. `kind` is one of this module's
    constants; `title` what the source calls itself, `time` the date that it bears (ISO 8601), each
    "" if it has none. A conversation of an export is a source of its own.
    """

    name: str
    kind: str = TEXT
    path: str = ""
    title: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """As much of a source as one plan is made from; `number` counts from 1, `last` ends it.

    `digest` is the SHA-256 (hex) of the passages, their speakers and times: an equal part was
    curated before.
    """

    source: Source
    number: int
    passages: tuple[Passage, ...]
    digest: str
    last: bool = True

    def letters(self) -> int:
        """Characters of all passages."""
        return sum(len(passage.text) for passage in self.passages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A source and its passages, which can be gone through once."""

    source: Source
    passages: Iterator[Passage]
