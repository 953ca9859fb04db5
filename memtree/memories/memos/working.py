"""The working set and what of it is hot: which memories stay before a model's eyes.

MemOS keeps what the last questions called up in a working set, ordered by importance, and the top
of it as activation memory: text that is composed once and whose key-value state a model keeps.
Here the working set is a value in the cache, the hot block the first pieces of a prompt. It only
pays if it begins the same, byte for byte, from question to question; so what becomes hot stands
behind what is, until `warm` chooses anew, and an entry that changes changes its own piece alone.

Constants of MemOS (repository, monitor and scheduler): 30 entries, 20 of them hot, importance as
in `importance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.memories.memos.cube import read_cube
from memtree.memories.memos.looking import day_of, seen_by
from memtree.plugins import Packed, Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.knowledge.query import Query
    from memtree.plugins import Context, Ranked

LABEL = "working memory"
WORKING, HOT = "working", "hot"
_KEY = "1"
SEEN = 2
"""Questions that an entry has to have come up in before it is hot without `warm`."""


def importance(rerank: float, keyword_hits: int, recordings: int) -> float:
    """MemOS's order of memories: 0.9 r + 0.05 min(0.05 h, 5) + 0.05 min(0.05 n, 2).

    `rerank` is how well it fits the question (0 to 1 here: its share of the best hit's score),
    `keyword_hits` how often the question's words stand in it, `recordings` how many questions it
    came up in. Source: MemTensor/MemOS, monitors, weights 0.9, 0.05, 0.05.
    """
    return 0.9 * rerank + 0.05 * min(0.05 * keyword_hits, 5) + 0.05 * min(0.05 * recordings, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An entry of the working set, as the last question that called it up saw it."""

    path: str
    rerank: float = 0.0
    keyword_hits: int = 0
    recordings: int = 0

    @property
    def importance(self) -> float:
        """See `importance`."""
        return importance(self.rerank, self.keyword_hits, self.recordings)


def joined(
    members: Iterable[Member], called: Iterable[tuple[str, float, int]], *, most: int
) -> list[Member]:
    """The working set after a question: the `most` important, ties by path.

    `called` are (path, rerank, keyword hits) of what it called up; each of them was recorded once
    more. What was not called up keeps its standing, but fits this question not at all.
    """
    known = {member.path: member for member in members}
    now = {
        path: Member(
            path=path, rerank=rerank, keyword_hits=hits,
            recordings=1 + (known[path].recordings if path in known else 0),
        )
        for path, rerank, hits in called
    }  # fmt: skip
    rest = [
        Member(path=member.path, recordings=member.recordings, rerank=member.rerank / 2)
        for member in known.values() if member.path not in now
    ]  # fmt: skip
    return sorted([*now.values(), *rest], key=lambda one: (-one.importance, one.path))[:most]


def load(ctx: Context) -> list[Member]:
    """The working set, the most important first; [] before the first question."""
    value = ctx.cache.load_value(WORKING, _KEY)
    found = []
    for each in value if isinstance(value, list) else []:
        if isinstance(each, list) and len(each) == 4 and isinstance(each[0], str):
            rerank, hits, recordings = (n if isinstance(n, int | float) else 0 for n in each[1:])
            found.append(
                Member(path=each[0], rerank=float(rerank), keyword_hits=int(hits),
                       recordings=int(recordings))
            )  # fmt: skip
    return found


def save(ctx: Context, members: Sequence[Member]) -> None:
    """Keep the working set."""
    rows = [[one.path, one.rerank, one.keyword_hits, one.recordings] for one in members]
    ctx.cache.save_value(WORKING, _KEY, rows)


def most_important(ctx: Context) -> list[Member]:
    """What stands in for a working set before the first question: validated and core, the best."""
    refs = [ref for ref in ctx.tree.entries() if ref.maturity in ("validated", "core")]
    refs.sort(key=lambda ref: (-ref.importance, ref.path))
    return [Member(path=ref.path, recordings=1) for ref in refs[: number(ctx, "working_set", 30)]]


def answered(ctx: Context, used: Sequence[str]) -> None:
    """Bring the working set up to an answer and the entries that it was taken from."""
    if used:
        called = [(path, 1.0, 0) for path in dict.fromkeys(used)]
        save(ctx, joined(load(ctx), called, most=number(ctx, "working_set", 30)))


def call_up(ctx: Context, question: str, hits: Sequence[Ranked]) -> list[Member]:
    """Bring the working set up to a question and its hits, and keep it."""
    best = max((hit.score for hit in hits), default=0.0)
    wanted = set(ctx.search.telling(question))
    called: dict[str, tuple[str, float, int]] = {}
    for hit in hits:
        share = hit.score / best if best > 0 else 0.0
        found = sum(stem in wanted for stem in ctx.search.stems(hit.text)) if wanted else 0
        called.setdefault(hit.path, (hit.path, min(1.0, max(0.0, share)), found))
    members = joined(load(ctx), called.values(), most=number(ctx, "working_set", 30))
    save(ctx, members)
    return members


def hot_paths(ctx: Context) -> list[str]:
    """What was chosen to be hot, in the order in which it stands in the block."""
    value = ctx.cache.load_value(HOT, _KEY)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def choose_hot(ctx: Context, members: Sequence[Member], *, seen: int) -> list[str]:
    """Choose what is hot anew: of the working set, what came up in `seen` questions; keep it.

    What was hot already keeps its place before what is new: as much as can be begins as it did.
    """
    best = [one.path for one in members if one.recordings >= seen]
    best = best[: number(ctx, "activation_set", 20)]
    stayed = [path for path in hot_paths(ctx) if path in best]
    chosen = [*stayed, *(path for path in best if path not in stayed)]
    ctx.cache.save_value(HOT, _KEY, chosen)
    return chosen


def grow_hot(ctx: Context, members: Sequence[Member]) -> None:
    """Add what came up often enough behind what is hot, while there is room: nothing moves."""
    there = hot_paths(ctx)
    room = number(ctx, "activation_set", 20) - len(there)
    more = [one.path for one in members if one.recordings >= SEEN and one.path not in there]
    if more and room > 0:
        ctx.cache.save_value(HOT, _KEY, [*there, *more[:room]])


def hot_block(ctx: Context, *, tokens: int) -> list[Piece]:
    """The hot pieces in their order, those that may be shown and fit into `tokens`.

    One that does not fit ends the block: what follows would come and go with the budget.
    """
    day, visibility = day_of(ctx), seen_by(ctx)
    left = tokens
    found: list[Piece] = []
    for path in hot_paths(ctx):
        view = ctx.tree.get(path)
        if view is None or read_cube(view.meta).stub:
            continue
        if read_cube(view.meta).shown(day, visibility):
            continue
        pieces = ctx.tree.passages(path)
        if not pieces:
            continue
        left -= ctx.count(pieces[0].text) + ctx.count(LABEL)
        if left < 0:
            break
        found.append(Piece(path=path, text=pieces[0].text, lines=pieces[0].lines, label=LABEL))
    return found


def composed(pieces: Sequence[Piece]) -> str:
    """The hot block as one text: numbered, an entry after the other."""
    return "\n\n".join(f"{n}. {piece.text.strip()}" for n, piece in enumerate(pieces, 1))


def digest(model: str, text: str) -> str:
    """What a warmed block is known by: the model and the text."""
    return sha256(f"{model}\0{text}".encode("utf-8", "replace")).hexdigest()[:24]


def packed(query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed | None:
    """The hot block first, then what the question found; None where there is nothing to do.

    The block has at most half of the budget, and never more than the option `hot_tokens`. What may
    not be shown is in neither.
    """
    from memtree.memories.memos.refining import refined

    shown = refined(query, hits, ctx)
    members = call_up(ctx, query.text, shown)
    grow_hot(ctx, members)
    budget = ctx.budget.tokens
    hot = hot_block(ctx, tokens=min(budget // 2, number(ctx, "hot_tokens", 800)))
    if not hot and list(shown) == list(hits) and not ctx.options.get("pack"):
        return None
    there = {piece.path: piece.text for piece in hot}
    rest = [
        Piece(path=hit.path, text=hit.text, lines=hit.lines)
        for hit in shown
        if hit.text and hit.text not in there.get(hit.path, "")
    ]
    left = budget - sum(ctx.count(one.text) + ctx.count(one.label) for one in hot)
    kept: list[Piece] = []
    for piece in rest:
        left -= ctx.count(piece.text)
        if left < 0:
            break
        kept.append(piece)
    gone = len(hits) - len(shown)
    note = f"{len(hot)} hot entries first, then {len(kept)} that were found"
    return Packed(pieces=(*hot, *kept), note=note + (f"; {gone} may not be shown" if gone else ""))


def number(ctx: Context, name: str, default: int) -> int:
    """An option that is a whole number above 0; its default for anything else."""
    value = ctx.options.get(name)
    fine = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return int(str(value)) if fine else default
