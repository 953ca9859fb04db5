"""Whether a prompt and its answer fit into a model's window: said before the model is asked."""

from __future__ import annotations

from memtree.errors import UsageError

FRAME = 64
"""Tokens that a chat template and the blank lines may add to what `count` says of the texts.

Templates in use add 10 to 50. Who fills a prompt leaves `window - limit - FRAME` to its texts.
"""


def check_fit(name: str, *, tokens: int, limit: int, window: int) -> None:
    """Raise UsageError if a prompt of `tokens` and an answer of up to `limit` do not fit."""
    if limit < 1:
        raise UsageError(f"an answer of {limit} tokens is none")
    if tokens + limit > window:
        raise UsageError(
            f"{name!r} reads {window} tokens, and the prompt has {tokens} with {limit} for the"
            " answer",
            hint="give it less text at once, or raise llm.window if the model can read more",
        )
