"""The one place where an error becomes words: `error: ...`, `hint: ...`, and an exit code."""

from __future__ import annotations

import sys

from memtree.cli._terminal import clean, stderr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.errors import MemtreeError

DONE, NOTHING, WRONG_USAGE, UNAVAILABLE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def say(message: str, *, hint: str = "", word: str = "error") -> None:
    """One sentence on standard error, and what to do next."""
    out = stderr()
    red_or_yellow = "1;31" if word == "error" else "1;33"
    out.line(f"{out.style(word + ':', red_or_yellow)} {clean(message)}")
    if hint:
        out.line(f"{out.style('hint:', '1')} {clean(hint)}")


def report(error: MemtreeError) -> int:
    """Say what could not be done; returns its exit code."""
    say(error.message, hint=error.hint)
    return error.exit_code


def usage(message: str, *, command: str = "memtree") -> int:
    """Say how the command line was wrong; returns 2."""
    text = message.strip() or "the command line is not complete"
    text = text[0].lower() + text[1:]
    say(text.rstrip("."), hint=f"`{command} --help` shows how it is used")
    return WRONG_USAGE


def flush() -> int:
    """Hand what was printed to its reader; returns 3 when the disk under it refuses.

    A reader that went away (`memtree list | head`) has what it wanted: that is no error.
    """
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        let_go()
    except OSError as error:
        let_go()
        say(f"the output could not be written: {error.strerror or error}")
        return UNAVAILABLE
    return DONE


def let_go() -> None:
    """Send the rest of standard output nowhere, so that the interpreter ends quietly."""
    import os

    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError, AttributeError):
        sys.stdout = None  # as Python itself has it when there is none
