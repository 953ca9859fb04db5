"""How much of a tree a model reads for a question: all, all in blocks, or what is found.

ConvoMem (arXiv 2511.10523) finds reading everything better than any memory up to 30 conversations,
and reading in blocks of 10 better up to 150. One hundred of its conversations are about 142,000
tokens (the tables of its repository), hence the defaults in tokens; a model's window bounds both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

AUTO, FULL, BLOCKS, TIERS = "auto", "full", "blocks", "tiers"
MODES = (AUTO, FULL, BLOCKS, TIERS)
PER_CONVERSATION = 1420
"""Tokens of one of the paper's conversations."""
FULL_TOKENS = 30 * PER_CONVERSATION
BLOCKS_TOKENS = 150 * PER_CONVERSATION
BLOCK = 10
"""Entries of a block, as the paper has conversations."""
ANSWER = 400
"""Tokens of an answer; an extraction has as many."""
RULES = 400
"""Tokens that the instructions and the question may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tokens up to which (inclusive) everything is read at once or in blocks; window; calls."""

    full: int
    blocks: int
    window: int
    calls: int


def limits(full: int, blocks: int, window: int, calls: int) -> Limits:
    """The limits that hold: a person's where above 0, else the paper's, never above the window."""
    room = max(0, window - RULES - ANSWER)
    return Limits(full=min(full or FULL_TOKENS, room), blocks=blocks or BLOCKS_TOKENS,
                  window=window, calls=calls)  # fmt: skip


def choose(  # noqa: PLR0911  (one line for each reason)
    sizes: Sequence[int], limit: Limits, wanted: str = AUTO
) -> tuple[str, str]:
    """The mode for entries of these sizes (tokens), and why.

    `wanted` other than `auto` is followed as far as the window and the calls of the model reach.
    """
    total, room = sum(sizes), limit.window - RULES - ANSWER
    said = f"{total} tokens in {len(sizes)} entries"
    if wanted == TIERS:
        return TIERS, f"as asked; {said}"
    if wanted in (AUTO, FULL) and total <= (room if wanted == FULL else limit.full):
        return FULL, said + (", as asked" if wanted == FULL else f", full up to {limit.full}")
    needed = calls_for(len(sizes))
    largest = max((sum(sizes[at : at + BLOCK]) for at in range(0, len(sizes), BLOCK)), default=0)
    if wanted == AUTO and total > limit.blocks:
        return TIERS, f"{said}, blocks up to {limit.blocks}"
    if largest > room:
        return TIERS, f"{said}, a block has {largest} and the model's window room for {room}"
    if needed > limit.calls:
        return TIERS, f"{said}, blocks take {needed} calls of the model, allowed are {limit.calls}"
    if wanted == FULL:
        return BLOCKS, f"{said} are too many to read at once, room is for {room}"
    return BLOCKS, said + (", as asked" if wanted == BLOCKS else f", blocks up to {limit.blocks}")


def calls_for(entries: int) -> int:
    """Calls of the model to read so many entries in blocks: one a block, and one to answer."""
    return -(-entries // BLOCK) + 1
