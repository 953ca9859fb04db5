"""Records: one JSON object a line, as the sidecar's files and most data sets are made.

Also where a plugin keeps the records of one entry: a file that is named by the entry's id, which
people recognise, git merges, and every disk takes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNS = " +,@()'!"
_LONGEST = 120  # bytes of a part; the most that a disk takes is 255
_KEPT = 40  # letters of a longer one that are kept, at most 4 bytes each


def read_records(path: str) -> Iterator[dict[str, object]]:
    """The objects of a file of JSON lines. Raises UsageError with the line that is none."""
    number = 0
    try:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    item = json.loads(line)
                    if not isinstance(item, dict):
                        raise UsageError(f"'{path}' line {number} is no JSON object")
                    yield item
    except (OSError, ValueError, RecursionError) as error:
        where = f" (line {number})" if number else ""
        raise UsageError(f"'{path}' can't be read{where}: {error}") from error


def lines_of(value: object) -> tuple[int, int]:
    """The first and last line that a record names, from 1; (0, 0) where it names none."""
    match value:
        case [int(first), int(last)] if 0 < first <= last < 10**9:
            return first, last
        case _:
            return 0, 0


def file_of(folder: str, entry: str) -> str:
    """The sidecar's file of an entry's id: each part made harmless, a long one shortened."""
    parts = [_harmless(part) for part in entry.split("/") if part] or ["_"]
    return f"{folder}/{'/'.join(parts)}.jsonl"


def _harmless(part: str) -> str:
    from hashlib import sha256
    from urllib.parse import quote

    shown = quote(part, safe=_SIGNS, errors="replace")
    if part.isprintable() and all(letter.isalnum() or letter in f"{_SIGNS}-._" for letter in part):
        shown = part
    if shown.startswith("."):
        shown = f"%2E{shown[1:]}"
    if len(shown.encode("utf-8", "replace")) > _LONGEST:
        told = sha256(part.encode("utf-8", "replace")).hexdigest()[:16]
        shown = f"{shown[:_KEPT].rstrip('%. ')}~{told}"
    return shown
