"""How much of a tree a model reads for a question: all, all in blocks, or what is found.

ConvoMem (arXiv 2511.10523) finds reading everything better than any memory up to 30 conversations,
and reading in blocks of 10 better up to 150. One hundred of its conversations are about 142,000
tokens (the tables of its repository), hence the defaults in tokens; a model's window bounds both,
and how fast it reads.

Tokens are kept in the cache by the digest of an entry, so that a question about an unchanged tree
opens no file before it is known that a model will read it. How many milliseconds a token takes is
measured when something longer is to be read for the first time, with a short prompt, and corrected
by each reading.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.plugins.api import EntryRef
    from memtree.plugins.context import Context, ModelView

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
LONGEST = 8
"""Letters of a token, at most: what is more than that many times a limit is not counted exactly."""
PER_TOKEN = 4
"""Letters of a token, about, where no model counts them."""
PROBE = 4000
"""Tokens from which on it is measured how fast the model reads, if that is not known yet."""
_PROBED = 2000  # letters
_TELLING = 1000
"""Tokens of a reading that says something about the model's pace."""
_DIGITS = 16
_SPARE = 2000
_SIZES, _PACE = "sizes", "pace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Tokens up to which (inclusive) everything is read at once or in blocks; window; calls.

    `seconds` that reading may take, 0 for any, at `pace` milliseconds a token, 0 where not known.
    """

    full: int
    blocks: int
    window: int
    calls: int
    seconds: int = 0
    pace: float = 0.0

    def at(self, pace: float) -> Limits:
        """The same for a model of this pace."""
        return replace(self, pace=pace)

    def takes(self, tokens: int) -> float:
        """Seconds that reading so many tokens takes, 0 where nobody knows."""
        return tokens * self.pace / 1000


def limits(full: int, blocks: int, window: int, calls: int, *, seconds: int = 0) -> Limits:
    """The limits that hold: a person's where above 0, else the paper's, never above the window."""
    room = max(0, window - RULES - ANSWER)
    return Limits(full=min(full or FULL_TOKENS, room), blocks=blocks or BLOCKS_TOKENS,
                  window=window, calls=calls, seconds=seconds)  # fmt: skip


def choose(  # noqa: PLR0911  (one line for each reason)
    sizes: Sequence[int], limit: Limits, wanted: str = AUTO, *, of: int = 0
) -> tuple[str, str]:
    """The mode for entries of these sizes (tokens), and why.

    `wanted` other than `auto` is followed as far as the window and the calls of the model reach.
    `of` says that these are only the first of so many entries, which are beyond every limit.
    """
    if wanted == TIERS:
        return TIERS, "as asked"
    total, room = sum(sizes), limit.window - RULES - ANSWER
    said = f"{total} tokens in {len(sizes)} entries"
    if of:
        said = f"{total} tokens in the first {len(sizes)} of {of} entries alone"
        return TIERS, f"{said}, " + (
            f"blocks up to {limit.blocks}" if wanted == AUTO else
            f"room is for {room} at once, or for {limit.calls} calls of the model"
        )  # fmt: skip
    if wanted == AUTO and limit.seconds and limit.takes(total) > limit.seconds:
        took = f"{limit.takes(total):.0f} s at {limit.pace:.1f} ms a token"
        return TIERS, f"{said}, reading them takes {took}, allowed are {limit.seconds} s"
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


# -- how much there is ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The entries of a scope that have text, with their tokens.

    Beyond every limit the rest is not counted: then `of` is how many entries there are in all, else
    0.
    """

    refs: Sequence[EntryRef]
    sizes: Sequence[int]
    of: int = 0


def sized(scope: str, limit: Limits, ctx: Context, wanted: str = AUTO) -> Sized:
    """Count a scope, as far as it matters for the choice of a mode."""
    if wanted == TIERS or (ctx.llm is None and wanted != AUTO):
        return Sized(refs=(), sizes=())
    every = ctx.tree.entries(scope)
    known = _Known(ctx, len(every))
    refs: list[EntryRef] = []
    sizes: list[int] = []
    total = 0
    for ref in every:
        size = known.size(ref, _most(limit, wanted))
        if not size:
            continue
        refs.append(ref)
        sizes.append(size)
        total += size
        if len(refs) < len(every) and _is_beyond(total, len(refs), limit, wanted):
            known.keep()
            return Sized(refs=refs, sizes=sizes, of=len(every))
    known.keep()
    return Sized(refs=refs, sizes=sizes)


def _most(limit: Limits, wanted: str) -> int:
    """Tokens beyond which no mode reads everything."""
    return max(limit.full, limit.blocks) if wanted == AUTO else limit.window * max(1, limit.calls)


def _is_beyond(total: int, count: int, limit: Limits, wanted: str) -> bool:
    """Whether it is settled that neither one prompt nor blocks can hold all."""
    too_long = total > limit.window - RULES - ANSWER  # for one prompt
    too_many = count > BLOCK * limit.calls
    return total > _most(limit, wanted) or (wanted != AUTO and too_long and too_many)


class _Known:
    """Tokens by digest, of one model, or of none by the number of letters."""

    def __init__(self, ctx: Context, entries: int) -> None:
        self._ctx = ctx
        self._most = 2 * entries + _SPARE
        self._key = ctx.llm.name if ctx.llm is not None else ""
        stored = ctx.cache.load_value(_SIZES, self._key)
        self._sizes: dict[str, int] = stored if isinstance(stored, dict) else {}
        self._used: dict[str, int] = {}
        self._is_new = False

    def size(self, ref: EntryRef, most: int) -> int:
        """The tokens of an entry as it is shown; 0 for one without text."""
        digest = ref.digest[:_DIGITS]
        size = self._sizes.get(digest)
        if not isinstance(size, int):
            from memtree.memories.convomem.reading import notes_of

            notes = notes_of([ref], self._ctx)
            text = notes[0].shown(BLOCK) if notes else ""
            model = self._ctx.llm
            if model is not None and len(text) > LONGEST * most:
                return -(-len(text) // PER_TOKEN)  # no number to keep
            size = model.count(text) if model is not None and text else -(-len(text) // PER_TOKEN)
            self._is_new = True
        self._used[digest] = size
        return size

    def keep(self) -> None:
        """Store what was counted; what was not asked for goes once there is much of it."""
        if self._is_new:
            together = self._sizes | self._used
            kept = together if len(together) <= self._most else self._used
            self._ctx.cache.save_value(_SIZES, self._key, kept)


# -- how fast a model reads -------------------------------------------------------------------


def pace_of(ctx: Context, model: ModelView) -> float:
    """Milliseconds of a token, as measured; 0 where nothing was yet."""
    stored = ctx.cache.load_value(_PACE, model.name)
    return float(stored) if isinstance(stored, int | float) and stored > 0 else 0.0


def probe(ctx: Context, model: ModelView, refs: Sequence[EntryRef]) -> float:
    """Let the model read a little, and keep how long a token took; 0 where that says nothing."""
    from memtree.memories.convomem.reading import notes_of

    text = "\n".join(note.text[:_PROBED] for note in notes_of(refs[:BLOCK], ctx))[:_PROBED]
    with _timed(ctx, model, at_least=50):
        model.text("Reply with one word.", f"{text}\n", limit=1)
    return pace_of(ctx, model)


@contextmanager
def learnt(ctx: Context, model: ModelView) -> Iterator[None]:
    """Keep how long a token took in what is read within, if that was much in its last prompt."""
    with _timed(ctx, model, at_least=_TELLING):
        yield


@contextmanager
def _timed(ctx: Context, model: ModelView, *, at_least: int) -> Iterator[None]:
    calls, started = model.calls, time.perf_counter()
    yield
    made = model.calls - calls
    tokens = (model.read - model.reused) * made  # blocks are of about one size
    if made and model.read - model.reused >= at_least:
        ms = 1000 * (time.perf_counter() - started)
        ctx.cache.save_value(_PACE, model.name, round(ms / tokens, 4))
