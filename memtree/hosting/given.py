"""Whether what a plugin's hook gave is what hooks give, judged once, where it comes in.

Plugins are other people's code, and nothing makes them keep the types of `memtree.plugins.api`.
Past this door nobody looks again: what is wrong is said by the plugin's name, as all its troubles.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, get_args

from memtree.plugins import api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Hits of a list that are judged: more are never looked at.
MOST = 201
LIMIT = 10_000
"""Hits that a planner's search may want."""
RULINGS = (api.ACCEPT, api.REJECT, api.REPLACE)
ACTIONS = (api.SEARCH, api.READ, api.ANSWER, api.STOP)


def wrong(hook: str, given: object) -> str:
    """What is wrong with what a hook gave, in words; "" for nothing."""
    if hook in _VALUES:
        kind, judge = _VALUES[hook]
        if given is not None and not isinstance(given, kind):
            return f"it gave {_kind(given)}, no {kind.__name__}"
        return next(judge(given), "") if given is not None else ""
    return next(_JUDGES[hook](given), "") if hook in _JUDGES else ""


def wrong_operation(operation: object) -> str:
    """What is wrong with an operation that a plugin proposes; "" for nothing."""
    from memtree.knowledge import plan as plans

    if not isinstance(operation, get_args(plans.Operation)):
        return f"no operation, but {_kind(operation)}"
    names = ("path", "into", "to", "reason", "title")
    return next(_no_text(operation, *[name for name in names if hasattr(operation, name)]), "")


def _kind(value: object) -> str:
    return f"a value of the type {type(value).__name__}"


def _no_text(value: object, *names: str) -> Iterator[str]:
    """Attributes that have to be text and are not, and paths that no file can have."""
    for name in names:
        part = getattr(value, name)
        if not isinstance(part, str):
            yield f"{name} of a {type(value).__name__} is {_kind(part)}, not text"
        elif name == "path" and not _is_whole(part):
            yield f"path of a {type(value).__name__} holds half a character"


def _is_whole(text: str) -> bool:
    """Whether a file can hold it. A question may have half a character, and what echoes it too."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _no_number(value: object, name: str) -> Iterator[str]:
    part = getattr(value, name)
    if not isinstance(part, int | float) or not isfinite(part):
        yield f"{name} of a {type(value).__name__} is {part!r:.40}, no finite number"


def _no_lines(value: object) -> Iterator[str]:
    lines = value.lines  # type: ignore[attr-defined]
    if not isinstance(lines, (list, tuple)) or len(lines) != 2 \
            or not all(isinstance(line, int) for line in lines):  # fmt: skip
        yield f"lines of a {type(value).__name__} are {lines!r:.40}, not two numbers"


def _mode(given: object) -> Iterator[str]:
    if isinstance(given, api.Mode):
        yield from _no_text(given, "label", "reason")


def _hits(given: object) -> Iterator[str]:
    """A list of hits. What is no list at all is said where it is asked for."""
    for hit in given[:MOST] if isinstance(given, (list, tuple)) else ():
        if isinstance(hit, api.Ranked):
            yield from _no_text(hit, "path", "why", "text", "note")
            yield from _no_number(hit, "score")
            yield from _no_lines(hit)


def _ranking(given: object) -> Iterator[str]:
    if not isinstance(given, api.Ranking):
        yield from _hits(given)
        return
    if not isinstance(given.hits, (list, tuple)):
        yield f"hits of a Ranking are {_kind(given.hits)}, no list"
    yield from _no_text(given, "answer", "why")
    yield from _no_number(given, "confidence")
    yield from _hits(given.hits)


def _rulings(given: object) -> Iterator[str]:
    """A guard's. What can't be understood must not pass for consent."""
    if given is None:
        return
    if not isinstance(given, (list, tuple)):
        yield f"it gave {_kind(given)}, no list of rulings"
        return
    for one in given:
        if not isinstance(one, api.Ruling):
            yield f"it gave {_kind(one)}, no ruling"
        elif one.ruling not in RULINGS:
            yield f"{one.ruling!r:.40} is no ruling: {', '.join(RULINGS)}"
        else:
            yield from _no_text(one, "reason")
            if one.ruling == api.REPLACE and (bad := wrong_operation(one.instead)):
                yield f"it would replace an operation with {bad}"


def _delta(given: api.Delta) -> Iterator[str]:
    from memtree.hosting.advising import STATES  # a search has no need of these
    from memtree.knowledge.lifecycle import MATURITIES

    yield from _no_number(given, "importance")
    yield from _no_text(given, "maturity", "state", "why")
    if given.maturity not in ("", *MATURITIES):
        yield f"{given.maturity!r:.40} is no maturity: {', '.join(MATURITIES)}"
    if given.state not in STATES:
        yield f"{given.state!r:.40} is no state: {', '.join(STATES[1:])}"


def _step(given: api.Step) -> Iterator[str]:
    if given.action not in ACTIONS:
        yield f"{given.action!r:.40} is no step: {', '.join(ACTIONS)}"
    yield from _no_text(given, "answer", "mode", "note")
    for name in ("searches", "paths", "cites"):
        part = getattr(given, name)
        kind = api.Search if name == "searches" else str
        if not isinstance(part, (list, tuple)) or not all(isinstance(one, kind) for one in part):
            yield f"{name} of a Step are {part!r:.40}, no list of {kind.__name__}"
            return
    for search in given.searches:
        yield from _no_text(search, "text", "scope")
        if not isinstance(search.limit, int) or not 1 <= search.limit <= LIMIT:
            yield f"limit of a Search is {search.limit!r:.40}, not 1 to {LIMIT}"


def _packed(given: api.Packed) -> Iterator[str]:
    yield from _no_text(given, "note")
    if not isinstance(given.pieces, (list, tuple)):
        yield f"pieces are {_kind(given.pieces)}, no list"
        return
    for piece in given.pieces:
        if not isinstance(piece, api.Piece):
            yield f"it packed {_kind(piece)}, no Piece"
        else:
            yield from _no_text(piece, "path", "text", "label")
            yield from _no_lines(piece)


_JUDGES: dict[str, Callable[[object], Iterator[str]]] = {
    "mode": _mode, "retrieve": _ranking, "refine": _hits, "guard": _rulings,
}  # fmt: skip
_VALUES: dict[str, tuple[type, Callable[[Any], Iterator[str]]]] = {
    "lifecycle": (api.Delta, _delta), "plan": (api.Step, _step), "pack": (api.Packed, _packed),
}  # fmt: skip
"""Hooks that give one value of a kind, or None."""
