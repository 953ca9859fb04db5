"""Where each of k ranked passages stands in a prompt, and which leave when there is no room.

Models read the beginning and the end of a long prompt better than its middle; so the best hits go
to the edges and the weakest to the middle (arXiv 2410.05983, section 4.1: with ranks 1..k, odd rank
i goes to place (i + 1) / 2 and even rank i to place k + 1 - i / 2). Whether that helps a model is a
matter of measuring (arXiv 2605.27105 finds that it often does not): `memtree edges test`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memtree.plugins.api import Ranked

    T = TypeVar("T")
else:
    T = TypeVar("T")

RANK, EDGES, SOURCE, TIME = "rank", "edges", "source", "time"
ORDERS = (RANK, EDGES, SOURCE, TIME)


def to_edges(ranked: Sequence[T]) -> list[T]:
    """Best first becomes best at both ends: five become [1, 3, 5, 4, 2]."""
    return [*ranked[::2], *reversed(ranked[1::2])]


def ordered(hits: Sequence[Ranked], order: str, time_of: Callable[[str], str]) -> list[Ranked]:
    """Hits, best first, in one of `ORDERS`; always a permutation of them.

    `source` is the order of the tree (path, then line), `time` the oldest first, by what `time_of`
    says of a path (ISO 8601); hits without a time come before those with one.
    """
    if order == EDGES:
        return to_edges(hits)
    if order == SOURCE:
        return sorted(hits, key=lambda hit: (hit.path, hit.lines))
    if order == TIME:
        return sorted(hits, key=lambda hit: time_of(hit.path))
    return list(hits)


def strong(hits: Sequence[Ranked], share: float) -> list[Ranked]:
    """Without the hits that score below a share (0 to 1) of the first; the first always stays.

    Weak hits are what misleads a model (hard negatives, section 3.2). Scores that are not above
    zero say nothing about shares: then all stay.
    """
    if not hits or share <= 0 or hits[0].score <= 0:
        return list(hits)
    needed = min(share, 1.0) * hits[0].score
    return [hits[0], *(hit for hit in hits[1:] if hit.score >= needed)]


def fitting(hits: Sequence[T], room: int, size: Callable[[T], int]) -> list[T]:
    """As many of the best as fit into `room` tokens together.

    The weakest goes first; in the order `edges` it stands in the middle, so that passages leave
    from the middle outward and the rest is ordered as if it had never been there.
    """
    kept: list[T] = []
    for hit in hits:
        room -= size(hit)
        if room < 0:
            break
        kept.append(hit)
    return kept


def shortened(text: str, room: int, count: Callable[[str], int]) -> str:
    """The beginning of a text that fits into `room` tokens, cut between words; "" if none does."""
    words = text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(words[:middle])) <= room:
            low = middle
        else:
            high = middle - 1
    return " ".join(words[:low])
