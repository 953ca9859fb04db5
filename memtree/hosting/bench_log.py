"""What a long benchmark has done so far: a line of JSON for each case, so that it can go on.

The first line says which run it is; a file of another run is refused. A case whose line was cut
off, by a full disk for one, is done again. Between the cases stand lines of what building a setup's
tree took; of a setup that was built twice the later one holds.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import IO, TYPE_CHECKING

from memtree.errors import StorageFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A case that was asked and graded: `ms` of the question, `found` ids, best first."""

    case: str
    kind: str
    ms: float = 0.0
    tokens: int = 0
    status: str = ""
    answer: str = ""
    found: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What building the tree of a setup took: seconds, and operations by kind."""

    setup: str
    seconds: float = 0.0
    operations: Mapping[str, int] = field(default_factory=dict)


class Log:
    """The finished cases of one run; `path` "" keeps them in memory alone.

    `run` says which run this is (suite, data, seed, options, plugins). Raises UsageError for a file
    of another run, or of something else; StorageFailed when it can't be written.
    """

    def __init__(self, path: str, run: Mapping[str, object]) -> None:
        self.done: dict[str, Done] = {}
        self.built: dict[str, Built] = {}
        self._path = path
        self._file: IO[str] | None = None
        if path:
            self._open(json.loads(json.dumps(run)))
        self.resumed = len(self.done)

    def add(self, done: Done) -> None:
        """Keep a case; its line is with the system when this returns."""
        self.done[done.case] = done
        if self._file is not None:
            self._write(asdict(done))

    def build(self, built: Built) -> None:
        """Keep what a setup's tree took."""
        self.built[built.setup] = built
        if self._file is not None:
            self._write(asdict(built))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, run: object) -> None:
        whole = 0
        try:
            raw = self._raw()
            for number, line in enumerate(raw.splitlines(keepends=True)):
                if not line.endswith(b"\n"):
                    break  # cut off
                self._take(number, line, run)
                whole += len(line)
            self._file = open(self._path, "a", encoding="utf-8", newline="\n")  # noqa: SIM115  (closed by close)
            if whole < len(raw):
                os.truncate(self._path, whole)
        except OSError as error:
            raise StorageFailed(
                f"'{self._path}' can't be used: {error.strerror or error}"
            ) from error
        if not whole:
            self._write({"run": run})

    def _raw(self) -> bytes:
        try:
            with open(self._path, "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def _take(self, number: int, line: bytes, run: object) -> None:
        try:
            item = json.loads(line)
            if number and "setup" in item:
                built = Built(**item)
                self.built[built.setup] = built
                return
            if number:
                done = Done(**{**item, "found": tuple(item["found"])})
                self.done[done.case] = done
                return
            said = item["run"]
        except (ValueError, TypeError, KeyError):
            raise UsageError(
                f"'{self._path}' is no file of finished cases (line {number + 1})",
                hint="name a new file",
            ) from None
        if said != run:
            raise UsageError(
                f"'{self._path}' belongs to another run: {json.dumps(said)}",
                hint="use the same data, seed and options, or name a new file",
            )

    def _write(self, item: Mapping[str, object]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(item, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise StorageFailed(
                f"'{self._path}' can't be written: {error.strerror or error}"
            ) from error
