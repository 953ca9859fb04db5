"""Which parts of sources were curated already, so that a curation goes on where it stopped.

One line for each part in `.memtree/state/curate/done.jsonl`, written behind the part's transaction.
Losing the file costs time and nothing else: what is known already is found again and not written
twice. A part whose transaction was undone is not done.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING

from memtree.tree.history import transactions
from memtree.tree.lock import state_path

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "done.jsonl"
MAX_BYTES = 32 << 20
"""A file that is larger than this begins anew: some 200,000 parts."""
_KEPT = 10_000  # transactions that are asked whether they were undone


class Record:
    """The parts that are done; of damaged lines nothing is believed."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._file = state_path(root, os.path.join("curate", FILE))
        self._done: dict[tuple[str, str], str] | None = None

    def has(self, digest: str, curator: str) -> bool:
        """Whether a part was done by this curator, and that was not taken back."""
        return (digest, curator) in self._known()

    def add(self, digest: str, curator: str, transaction: str) -> None:
        """Note a part as done; silent where nothing can be written."""
        self._known()[digest, curator] = transaction
        line = json.dumps({"digest": digest, "curator": curator, "transaction": transaction})
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._file), exist_ok=True)
            if os.path.islink(self._file) or os.path.islink(os.path.dirname(self._file)):
                return
            mode = "w" if self._size() > MAX_BYTES else "a"
            with open(self._file, mode, encoding="utf-8") as file:
                # Behind a line that a crash cut short, a new one begins.
                file.write(f"\n{line}\n" if mode == "a" and self._is_cut() else f"{line}\n")

    def _size(self) -> int:
        try:
            return os.stat(self._file).st_size
        except OSError:
            return 0

    def _is_cut(self) -> bool:
        try:
            with open(self._file, "rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read(1) != b"\n"
        except OSError:
            return False

    def _known(self) -> dict[tuple[str, str], str]:
        if self._done is None:
            found = dict(self._read())
            gone = undone(self._root) if any(found.values()) else set()
            self._done = {key: txn for key, txn in found.items() if txn not in gone}
        return self._done

    def _read(self) -> Iterator[tuple[tuple[str, str], str]]:
        if os.path.islink(self._file) or self._size() > 2 * MAX_BYTES:
            return
        try:
            with open(self._file, encoding="utf-8", errors="replace") as file:
                for line in file:
                    try:
                        value = json.loads(line)
                    except (ValueError, RecursionError):
                        continue
                    if isinstance(value, dict) and isinstance(value.get("digest"), str):
                        key = value["digest"], str(value.get("curator", ""))
                        yield key, str(value.get("transaction") or "")
        except OSError:
            return


def undone(root: str) -> set[str]:
    """The ids of transactions that were taken back, and not brought back since."""
    gone: set[str] = set()
    # Newest first: what takes back counts only if it was not taken back itself.
    for receipt in transactions(root, _KEPT):
        match = re.fullmatch(r"undo (\S+)", receipt.command)
        if match and receipt.id not in gone:
            gone.add(match[1])
    return gone
