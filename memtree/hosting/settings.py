"""Which plugins a tree wants, in which order, with which options: `.memtree/plugins.toml`.

    enabled = ["hippo", "qa-keys"]      # asked in this order

    [hippo]
    damping = 0.7

The file is tracked with the tree and names plugins only: what is not installed on this machine is
said and left out. It can't name code.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from memtree.errors import StorageFailed, UsageError
from memtree.hosting import FILE
from memtree.person import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HEAD = "# Plugins of this tree, in the order in which they are asked. `memtree plugins list`\n"
_ENABLED = re.compile(r"^enabled\s*=\s*\[[^\]]*\][^\n]*\n?", re.MULTILINE)


class Wanted:
    """What the file says; `problem` when it can't be read, and then nothing is enabled."""

    __slots__ = ("enabled", "options", "problem", "signature")

    def __init__(
        self,
        enabled: Sequence[str] = (),
        options: Mapping[str, Mapping[str, object]] | None = None,
        *,
        signature: tuple[int, int] = (0, 0),
        problem: str = "",
    ) -> None:  # fmt: skip
        self.enabled = tuple(dict.fromkeys(enabled))
        self.options = options or {}
        self.signature = signature
        self.problem = problem


def signature(root: str) -> tuple[int, int]:
    """Changes whenever the file does; zeros when there is none."""
    try:
        status = os.stat(os.path.join(root, FILE))
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_size)


def read(root: str) -> Wanted:
    """What a tree wants. A file that can't be read costs its plugins, not the tree."""
    import tomllib

    now = signature(root)
    try:
        with open(os.path.join(root, FILE), "rb") as file:
            data = tomllib.load(file)
    except FileNotFoundError:
        return Wanted()
    except (OSError, ValueError) as error:
        return Wanted(signature=now, problem=f"{FILE} can't be read: {error}")
    enabled = data.pop("enabled", [])
    if not isinstance(enabled, list) or not all(isinstance(name, str) for name in enabled):
        return Wanted(signature=now, problem=f"{FILE}: enabled has to be a list of names")
    options = {name: part for name, part in data.items() if isinstance(part, dict)}
    return Wanted(enabled, options, signature=now)


OF_ALL: Mapping[str, object] = {
    "weight": None, "timeout_ms": None, "calls": None, "seed": None, "pack": None, "now": None,
}  # fmt: skip
"""Options that every plugin has: the host's own."""


def understood(
    name: str, known: Mapping[str, object], given: Mapping[str, object]
) -> tuple[dict[str, object], list[str]]:
    """Of what somebody set for a plugin that which fits, and what is to be said of the rest.

    `known` are the plugin's options with their defaults, whose type a value has to have.
    """
    fitting: dict[str, object] = {}
    said = []
    known = {**OF_ALL, **known}
    for option, value in given.items():
        default = known.get(option)
        if option not in known:
            own = sorted(set(known) - set(OF_ALL)) or ["none of its own"]
            said.append(f"{name} has no option {option!r}: it has {', '.join(own)}")
        elif isinstance(default, str):
            fitting[option] = str(value)  # a year is a word here, not a number
        elif isinstance(default, bool) != isinstance(value, bool) and default is not None:
            kind = "true or false" if isinstance(default, bool) else "a number"
            said.append(f"{name}.{option} is {kind}, not {value!r}")
        elif isinstance(default, int | float) and not isinstance(value, int | float):
            said.append(f"{name}.{option} is a number, not {value!r}")
        else:
            fitting[option] = value
    return fitting, said


def enable(root: str, names: Sequence[str], *, on: bool) -> tuple[str, ...]:
    """Add plugins at the end of the order, or take them out; gives the order that results.

    Everything else in the file stays. Raises StorageFailed, and UsageError for a file that can't be
    read.
    """
    wanted = read(root)
    if wanted.problem:
        raise UsageError(wanted.problem, hint="mend it by hand")
    left = [name for name in wanted.enabled if on or name not in names]
    order = tuple(dict.fromkeys([*left, *(names if on else ())]))
    line = f"enabled = [{', '.join(_quoted(name) for name in order)}]\n"
    path = os.path.join(root, FILE)
    try:
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            text = HEAD
        found = _ENABLED.search(text)
        text = text[: found.start()] + line + text[found.end() :] if found else _first(text, line)
        if not order and not wanted.options and text.strip() == (HEAD + line).strip():
            os.unlink(path)  # nothing is left to say
            return order
        write_whole(path, text)
    except FileNotFoundError:
        return order
    except OSError as error:
        raise StorageFailed(f"{FILE} can't be written: {error.strerror or error}") from error
    return order


def _first(text: str, line: str) -> str:
    """The text with `line` behind its first comments: keys stand before tables."""
    lines = text.splitlines(keepends=True)
    at = 0
    while at < len(lines) and lines[at].lstrip().startswith("#"):
        at += 1
    return "".join([*lines[:at], line, *lines[at:]])


def _quoted(name: str) -> str:
    """A name as a basic string of TOML."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
