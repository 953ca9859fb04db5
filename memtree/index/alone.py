"""One process at a time: a lock that ends with its process, on every system.

The lock is SQLite's own, on a file without content in the cache.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from memtree.errors import StorageFailed
from memtree.index.catalog import DatabaseError, OperationalError, sqlite3

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def alone(folder: str, wait_s: float, *, name: str = "lock.db") -> Iterator[bool]:
    """Whether this is the only process in here; waits at most `wait_s` seconds to be.

    Raises StorageFailed when nothing can be written in `folder`.
    """
    try:
        os.makedirs(folder, exist_ok=True)
        lock = sqlite3.connect(
            os.path.join(folder, name), timeout=max(0.0, wait_s), isolation_level=None
        )
    except (OSError, DatabaseError) as error:
        raise cannot_write(str(error)) from error
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except OperationalError as error:
            if "locked" not in str(error):
                raise cannot_write(str(error)) from error
            yield False
            return
        except DatabaseError:
            os.remove(os.path.join(folder, name))  # rubbish in its place
        yield True
    finally:
        lock.close()


def cannot_write(why: str) -> StorageFailed:
    """The error for a cache that can't be written."""
    return StorageFailed(
        f"the index can't be written: {why}",
        hint="memtree needs to write .memtree/cache; memtree doctor looks closer",
    )
