"""Plots in characters: bars, columns and sparklines, in blocks where they can be shown, else ASCII.

Every function gives plain text without colour, of a width that was asked for, so that what calls
them decides on style. Whatever is more than nothing is drawn as something.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ACROSS = " ▏▎▍▌▋▊▉█"
_UP = " ▁▂▃▄▅▆▇█"
_PLAIN_UP = " .:-=+*##"


def bar(value: float, top: float, width: int, *, unicode: bool) -> str:
    """A bar of `value` out of `top`, at most `width` cells long and no longer than it has to be."""
    if value <= 0 or top <= 0 or width <= 0:
        return ""
    share = min(1.0, value / top)
    if not unicode:
        return "#" * max(1, round(share * width))
    whole, part = divmod(max(1, round(share * width * 8)), 8)
    return "█" * whole + (_ACROSS[part] if part else "")


def columns(values: Sequence[float], *, height: int, wide: int, unicode: bool) -> list[str]:
    """`height` lines, top first, with a column `wide` cells broad and one cell apart per value."""
    top = max(values, default=0.0)
    steps = [_steps(value, top, height, unicode=unicode) for value in values]
    marks = _UP if unicode else " ########"
    lines = []
    for row in range(height - 1, -1, -1):
        parts = [marks[max(0, min(8, step - 8 * row))] * wide for step in steps]
        lines.append(" ".join(parts).rstrip())
    return lines


def _steps(value: float, top: float, height: int, *, unicode: bool) -> int:
    """How many eighths of a line a column is high; whole lines where there are no eighths."""
    if value <= 0 or top <= 0:
        return 0
    eighths = max(1, round(value / top * height * 8))
    return eighths if unicode else max(8, round(eighths / 8) * 8)


def spark(values: Sequence[float], *, unicode: bool, top: float | None = None) -> str:
    """One character per value, its height the share of the highest (or of `top`)."""
    most = max(values, default=0.0) if top is None else top
    marks = _UP if unicode else _PLAIN_UP
    if most <= 0:
        return marks[0] * len(values)
    return "".join(
        marks[max(1, min(8, round(8 * value / most)))] if value > 0 else marks[0]
        for value in values
    )
