"""Reads `orders.txt`: what orders to a model look like, and which words to look for first."""

from __future__ import annotations

import os

_FILE = os.path.join(os.path.dirname(__file__), "orders.txt")

Order = tuple[str, tuple[tuple[str, ...], ...], str]
"""Level (`HARD` or `MILD`), sets of words of which one each must stand in a text, the pattern."""


def read_orders() -> list[Order]:
    """All orders of the file, in its order."""
    with open(_FILE, encoding="utf-8") as file:
        lines = [line.strip("\n") for line in file if line.strip() and line[0] != "#"]
    named: dict[str, str] = {}
    found: list[Order] = []
    rows = iter(lines)
    for row in rows:
        name, _, rest = row.partition(" ")
        if rest.startswith("= "):
            named[name] = _filled(rest[2:], named)
            continue
        needs = tuple(tuple(need.split("|")) for need in _filled(rest, named).split(" & "))
        found.append((name, needs, _filled(next(rows), named)))
    return found


def _filled(text: str, named: dict[str, str]) -> str:
    for name, piece in named.items():
        text = text.replace(f"<<{name}>>", piece)
    return text
