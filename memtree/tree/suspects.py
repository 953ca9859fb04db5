"""What should not stand in an entry unnoticed: secrets, orders to a model, hidden characters.

Findings name the line and the kind, never what stands there: a report is copied into places where a
secret must not go. Whole files are looked at, front matter and comments too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.knowledge.problem import Problem
from memtree.safety.hidden import hidden
from memtree.safety.injection import HARD, grade
from memtree.safety.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LETTERS = 2_000_000
"""Of longer files the beginning is looked at."""
_PARAGRAPH = re.compile(r"\n[ \t]*\r?\n")


def suspects(path: str, raw: bytes) -> list[Problem]:
    """The findings `secret`, `injection` and `hidden-text` about one file."""
    text = raw[: 4 * MAX_LETTERS].decode("utf-8", "replace")[:MAX_LETTERS]
    found = [
        Problem(
            path=path,
            line=secret.line,
            code="secret",
            message=f"this looks like a secret ({secret.kind}): take it out, and change it",
        )
        for secret in find_secrets(text)
    ]
    found += [
        Problem(path=path, line=line, code="injection", message="this addresses whoever reads it")
        for line in _addressed(text)
    ]
    lines = {text.count("\n", 0, at) + 1: name for at, name in reversed(hidden(text))}
    found += [
        Problem(
            path=path,
            line=line,
            code="hidden-text",
            message=f"a character that can't be seen hides or reorders text: {name}",
        )
        for line, name in sorted(lines.items())
    ]
    return found


def _addressed(text: str) -> Iterator[int]:
    """The lines on which paragraphs begin that address the reader, or 1 for the whole text."""
    if grade(text) < HARD:
        return
    start = 0
    seen = False
    for end in [*(match.end() for match in _PARAGRAPH.finditer(text)), len(text)]:
        paragraph = text[start:end]
        if grade(paragraph) == HARD:
            seen = True
            blank = len(paragraph) - len(paragraph.lstrip())
            yield text.count("\n", 0, start + blank) + 1
        start = end
    if not seen:
        yield 1
