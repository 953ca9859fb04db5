"""Progress for people who wait: on a terminal, after the first second, on standard error.

In a pipe it is silent. The line is redrawn in place and taken away at the end.
"""

from __future__ import annotations

import time

from memtree.cli._terminal import clean, cut, stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

# Below a second nobody wonders; ten pictures a second are smooth and cost nothing.
_PATIENCE_S, _FRAME_S = 1.0, 0.1


class Progress:
    """A callable `(what, done, total)` to hand to slow work; `total` 0 means not known.

    Use as a context manager, so that the line is gone whatever happens.
    """

    __slots__ = ("_began", "_last", "_shown", "_terminal")

    def __init__(self) -> None:
        self._terminal = stderr()
        self._began = time.monotonic()
        self._last = 0.0
        self._shown = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Tell how far the work is."""
        if not self._terminal.is_tty:
            return
        now = time.monotonic()
        if now - self._began < _PATIENCE_S or now - self._last < _FRAME_S:
            return
        self._last = now
        self._draw(what, done, total, now - self._began)

    def _draw(self, what: str, done: int, total: int, elapsed: float) -> None:
        if total > 0:
            share = min(done / total, 1.0)
            text = f"{clean(what)} {done:,} of {total:,} ({share:.0%})"
            if share > 0.05:
                text += f", {elapsed / share - elapsed:.0f} s left"
        else:
            text = f"{clean(what)} {done:,}"
        width = (self._terminal.width or 80) - 1
        # Carriage return and blanks, not an erase sequence: also right on TERM=dumb.
        self._terminal.write("\r" + cut(text, width).ljust(width))
        self._flush()
        self._shown = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; the next call brings it."""
        if self._shown:
            self._terminal.write("\r" + " " * ((self._terminal.width or 80) - 1) + "\r")
            self._flush()
            self._shown = False

    def _flush(self) -> None:
        if self._terminal.stream is not None:
            self._terminal.stream.flush()
