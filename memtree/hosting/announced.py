"""Entry points, read from where they are installed, without `importlib.metadata`.

That imports email, zipfile and more: 25 ms of a search that takes as long itself. What pip installs
lies in folders `*.dist-info` with a file `entry_points.txt`, and a look at these takes 1 ms. What
lies elsewhere (an archive on the path, a finder of somebody's own) is asked of the library.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS = (".dist-info", ".egg-info")
FILE = "entry_points.txt"


def announced(group: str) -> Iterator[tuple[str, str]]:
    """(name, `module:attribute`) of every entry point of a group, in the order of `sys.path`."""
    strange = False
    for place in dict.fromkeys(sys.path):
        try:
            names = sorted(os.listdir(place or "."))
        except NotADirectoryError:
            strange = strange or os.path.exists(place)  # an archive
            continue
        except OSError:
            continue
        for name in names:
            if name.endswith(ENDINGS):
                yield from _of_file(os.path.join(place, name, FILE), group)
    if strange:
        from importlib.metadata import entry_points

        for point in entry_points(group=group):
            yield point.name, point.value


def _of_file(path: str, group: str) -> Iterator[tuple[str, str]]:
    """The lines of one section of a file; nothing where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    inside = False
    for line in lines:
        text = line.split("#")[0].strip()
        if text[:1] == "[":
            inside = text == f"[{group}]"
        elif inside and "=" in text:
            name, _, value = text.partition("=")
            yield name.strip(), value.partition("[")[0].strip()
