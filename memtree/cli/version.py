"""`version`: which memtree this is, and on what it runs."""

from __future__ import annotations

import sys

from memtree.cli._errors import DONE
from memtree.cli._version import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.cli._typer import JsonOption


def version(as_json: JsonOption = False) -> int:
    """Print the version.

    With --json also of Python, and the platform.
    """
    if as_json:
        import platform

        from memtree.cli._json import emit

        emit(
            {
                "memtree": current(),
                "python": platform.python_version(),
                "platform": sys.platform,
            }
        )
    else:
        print(f"memtree {current()}")
    return DONE


COMMANDS = {"version": version}
