"""`--json`: one document on standard output, in characters that every pipe can carry."""

from __future__ import annotations

import json
import sys
from typing import Any


def document(value: object) -> str:
    """`value` as one line of JSON.

    Only ASCII, so a Windows code page cannot change it and a terminal is told nothing by it;
    dates become ISO text, bytes hexadecimal, tuples and mappings what they look like.
    """
    try:
        return json.dumps(value, ensure_ascii=True, default=_plain, allow_nan=False)
    except ValueError:
        # YAML and a caller's id may hold what JSON has no number for: it becomes text.
        text = json.dumps(value, ensure_ascii=True, default=_plain)
        return json.dumps(json.loads(text, parse_constant=str), ensure_ascii=True)


def emit(value: object) -> None:
    """Print `value` as the one JSON document of this command, at once."""
    sys.stdout.write(document(value) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> object:  # noqa: ANN401, PLR0911  (whatever a front matter may hold)
    if isinstance(value, bytes):
        return value.hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    names = getattr(value, "__slots__", None) or getattr(value, "__dataclass_fields__", None)
    if names:
        return {name: getattr(value, name) for name in names if not name.startswith("_")}
    if hasattr(value, "items"):
        return dict(value.items())
    return str(value)
