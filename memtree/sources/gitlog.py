"""What git did, from the output of `git log`: one passage per message, with author and date.

`git log`, `git log -p`, `--stat`, `--graph`, `--format=fuller|medium|full` and `--oneline` are
understood. Diffs and file lists are no prose: they are passed over and counted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.sources.reading import Line, Run
from memtree.sources.stamps import MONTHS, Order, read_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.knowledge.source import Passage
    from memtree.sources.reading import Troubles

_GRAPHED = re.compile(r"[|\\/ _.-]*\*[|\\/ _.-]*(?=commit [0-9a-f]{7,64}\b|[0-9a-f]{7,40} )")
_LINES = frozenset("*|\\/ _.-")
_COMMIT = re.compile(r"commit ([0-9a-f]{7,64})\b")
_ONELINE = re.compile(r"([0-9a-f]{7,40}) (?:\(([^)]*)\) )?(\S.*)")
_FIELD = re.compile(r"(Author|Date|AuthorDate|Commit|CommitDate|Merge|Tagger):\s+(.*)$")
_TRAILED = re.compile(
    r"(?:[A-Z][A-Za-z-]*-by|Change-Id|Reviewed-on|Closes|Fixes|Refs|Cc|git-svn-id): \S"
)
_GIT_DATE = re.compile(
    r"(?:[A-Z][a-z]{2},? )?(?:([A-Z][a-z]{2}) (\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})"
    r"|(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d))(?: ([+-]\d{4}))?$"
)


def log_passages(lines: Iterable[Line], troubles: Troubles) -> Iterator[Passage]:
    """Yield the messages of the commits of a log, as they come."""
    reader = _Log(troubles)
    for number, line in lines:
        yield from reader.line(number, line)
    yield from reader.end()


class _Log:
    """Which commit is being read, and how far."""

    __slots__ = ("_author", "_diff", "_graph", "_key", "_run", "_started", "_time", "_troubles")

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._run = Run()
        self._author = self._time = self._key = ""
        self._started = False  # whether a full commit was seen: no one-liners then
        self._graph = 0  # letters of the graph before the text
        self._diff = False

    def line(self, number: int, line: str) -> Iterator[Passage]:
        """Take the next line; yields the message that it ends."""
        if graphed := _GRAPHED.match(line):
            self._graph = graphed.end()
        # Beside a graph the lines of a commit stand as far in as its first one.
        drawn = _LINES.issuperset(line[: self._graph])
        bare = line[self._graph :] if drawn else line
        if commit := _COMMIT.match(bare):
            yield from self.end()
            self._started, self._diff = True, False
            self._key, self._author, self._time = commit[1], "", ""
        elif not self._started:
            if one := _ONELINE.match(bare):
                yield from self.end()
                self._key = one[1]
                self._run.add(number, one[3])
                yield from self.end()
        elif not self._diff:
            yield from self._inside(number, bare)

    def _inside(self, number: int, bare: str) -> Iterator[Passage]:
        """Take a line of a commit: a field, the message, or what comes behind it."""
        if bare.startswith("    "):
            if self._run.full:
                yield from self._flush()
            self._run.add(number, bare[4:])
        elif not bare.strip():
            if self._run:
                self._run.add(number, "")
        elif (field := _FIELD.match(bare)) and not self._run:
            self._take(field[1], field[2])
        else:
            yield from self._flush()
            self._diff = True
            self._troubles.note("left-out", number, "what a commit changed; its message is read")

    def end(self) -> Iterator[Passage]:
        """Yield the message that is open."""
        yield from self._flush()

    def _take(self, field: str, value: str) -> None:
        if field == "Author":
            self._author = value.partition(" <")[0].strip()
        elif field in {"Date", "AuthorDate"}:
            self._time = git_time(value)

    def _flush(self) -> Iterator[Passage]:
        lines = self._run.lines
        while lines and (not lines[-1][1].strip() or _TRAILED.match(lines[-1][1])):
            lines.pop()  # who signed it is not what it says
        yield from self._run.flush(
            kind="commit", speaker=self._author, time=self._time, key=self._key
        )


def git_time(text: str) -> str:
    """Return a date as `git log` prints it (default, rfc, iso, short) as ISO 8601, or ""."""
    found = _GIT_DATE.match(text.strip())
    if found is None:
        return read_stamp(text, Order())
    month, day = found[1] or found[6], found[2] or found[5]
    year, clock = found[4] or found[7], found[3] or found[8]
    number = MONTHS.get(month.lower())
    if number is None:
        return ""
    zone = found[9]
    return f"{year}-{number:02}-{int(day):02}T{clock}" + (f"{zone[:3]}:{zone[3:]}" if zone else "")
