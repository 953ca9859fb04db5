"""The steps of the agentic tier: shown, written, read again; and what an agent answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.cli._terminal import clean, stdout
from memtree.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.cli._terminal import Terminal
    from memtree.knowledge.query import Answer

_MOST = 16 << 20  # bytes of a file that is read


def show(out: Terminal, trace: Mapping[str, object]) -> None:
    """Each step: what was done, what it found, what it cost; then why they ended."""
    out.line()
    out.line(out.bold("Steps") + out.dim(f" by {clean(str(trace.get('by', '')))}"))
    steps = trace.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else (), 1):
        words = clean(str(step.get("words", "")))
        cost = [f"{step['tokens']} tokens"] if step.get("tokens") else []
        cost.append(f"{float(step.get('ms', 0)):.0f} ms")
        head = f"{number:>3}. {clean(str(step.get('action', '')))}"
        out.line(out.fit(f"{head} {words}".rstrip()) + out.dim(f" ({', '.join(cost)})"))
        if step.get("note"):
            out.line("     " + out.dim(out.fit(clean(str(step["note"])), less=5)))
        found = step.get("found")
        for path in found if isinstance(found, list) else ():
            out.line("     " + out.fit(clean(str(path)), less=5))
    out.line(f"  stopped: {clean(str(trace.get('stopped', '')))}")


def read_text(name: str) -> str:
    """The text of a file, or of standard input for "-". Raises UsageError."""
    if name == "-":
        from memtree.cli._open import stdin_text

        return stdin_text()
    try:
        with open(name, encoding="utf-8-sig") as file:
            return file.read(_MOST)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise UsageError(f"'{name}' can't be read: {reason}") from error


def recorded(name: str) -> dict[str, object]:
    """The trace in a file. Raises UsageError."""
    import json

    try:
        document = json.loads(read_text(name))
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("steps"), list):
        raise UsageError(f"'{name}' holds no trace", hint="memtree query QUESTION --trace FILE")
    return document


def write(name: str, given: Answer) -> None:
    """Write the trace of an answer; say it when another tier answered. Raises UsageError."""
    import json

    if given.trace is None:
        from memtree.cli._errors import say

        say(
            f"there is no trace: the {given.tier} tier answered", hint="--tier agentic", word="note"
        )
        return
    try:
        with open(name, "w", encoding="utf-8") as file:
            json.dump(given.trace, file, ensure_ascii=False, indent=1)
            file.write("\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"'{name}' can't be written: {reason}") from error


def print_whole(text: str) -> None:
    """Print a document for an agent, with nothing in it that a terminal would obey."""
    out = stdout()
    for line in text.splitlines():
        out.line(clean(line))
