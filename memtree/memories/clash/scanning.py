"""The disagreements of a tree, kept current: only claims of entries that changed are compared anew.

The book of claims and the pairs that were found are derived and lie in the cache. What a person
decided about a pair lies in the sidecar, and is not touched by looking. A question that meets no
pair does not load the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memtree.claims.statements import Statement, mark_of
from memtree.memories.clash import book as books
from memtree.memories.clash import records

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from memtree.claims.pairing import Clash
    from memtree.memories.clash.book import Book
    from memtree.plugins import Context

    Row = Sequence[Any]

BOOK, FOUND, JUDGED = "claims", "found", "judged"
PASSAGE = "passage"
"""The kind of a disagreement that a language model found."""
_STANDING = "standing"  # of a question's session
MOST = 20_000
"""Pairs that are kept; a tree with more has another trouble than a pair."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a tree: the pairs that were found, claims and passages counted."""

    clashes: tuple[Clash, ...] = ()
    claims: int = 0
    passages: int = 0


def update(ctx: Context, *, full: bool = False) -> Seen:
    """Bring the book and the pairs up to the tree; with `full` from nothing."""
    key = books.FORMAT
    book = books.unpacked(None if full else ctx.cache.load_value(BOOK, key))
    before = None if full or not book.pages else seen(ctx)
    read, gone = books.follow(ctx, book, ctx.tree.entries())
    if not read and not gone and before is not None:
        return before
    stale = read | gone
    kept = [
        each for each in (before.clashes if before else ())
        if each.one.path not in stale and each.other.path not in stale
    ]  # fmt: skip
    if before is None:
        read = set(book.pages)
        kept = []
    found = kept + _compared(ctx, book, read)
    now = Seen(tuple(found[:MOST]), sum(1 for _ in book), book.passages)
    ctx.cache.save_value(BOOK, key, books.packed(book))
    ctx.cache.save_value(FOUND, key, _packed(now))
    return now


def seen(ctx: Context) -> Seen | None:
    """What was found when the tree was last looked at; None when it never was."""
    return _unpacked(ctx.cache.load_value(FOUND, books.FORMAT))


def standing(ctx: Context, paths: Collection[str] | None = None) -> list[tuple[str, Clash]]:
    """The disagreements that hold now and that no person settled, with their names.

    With `paths` those in which one of these entries is, and those among the entries of such pairs:
    the others are not even unpacked, so that a question costs as much as it meets.
    """
    kept = ctx.session.get(_STANDING)
    if isinstance(kept, tuple) and kept[0] == paths:
        return list(kept[1])
    known = _unpacked(ctx.cache.load_value(FOUND, books.FORMAT), paths)
    clashes = [*(known.clashes if known else ()), *judged(ctx, paths)]
    found = []
    if clashes:
        settled = {mark for mark, each in records.read(ctx.sidecar).items()
                   if each.status == records.ACCEPTED}  # fmt: skip
        for each in clashes:
            mark = mark_of(each.one, each.other)
            if mark not in settled and each.one.stands(ctx.now) and each.other.stands(ctx.now):
                found.append((mark, each))
    ctx.session[_STANDING] = (paths, found)
    return found


def judged(ctx: Context, paths: Collection[str] | None = None) -> list[Clash]:
    """What a language model found among passages, as far as they still say so."""
    value = ctx.cache.load_value(JUDGED, books.FORMAT)
    rows = [row for row in value.values() if row[2]] if isinstance(value, dict) else []
    found = []
    for one, other, about in _narrowed(rows, paths):
        sides = (_statement(one), _statement(other))
        if all(_still_says(ctx, each) for each in sides):
            found.append(passage_clash(*sides, str(about)))
    return found


def _narrowed(rows: Sequence[Row], paths: Collection[str] | None) -> Sequence[Row]:
    """The pairs with an entry at one of these paths, and those among the entries of such pairs."""
    if paths is None:
        return rows
    near = [row for row in rows if row[0][0] in paths or row[1][0] in paths]
    wider = {str(side[0]) for row in near for side in row[:2]}
    return [row for row in rows if row[0][0] in wider and row[1][0] in wider]


def passage_clash(one: Statement, other: Statement, about: str) -> Clash:
    """Two passages that disagree, in a model's words."""
    from memtree.claims.pairing import Clash

    return Clash(one, other, PASSAGE, (about,))


def _still_says(ctx: Context, each: Statement) -> bool:
    return any(" ".join(piece.text.split()).startswith(each.text)
               for piece in ctx.tree.passages(each.path))  # fmt: skip


def book_of(ctx: Context) -> Book:
    """The claims of the tree, as they were last read."""
    return books.unpacked(ctx.cache.load_value(BOOK, books.FORMAT))


def _compared(ctx: Context, book: Book, read: set[str]) -> list[Clash]:
    """The pairs in which a claim of one of these entries is."""
    everything = list(book)
    if not any(each.path in read for each in everything):
        return []
    from memtree.claims.pairing import rivals

    found = rivals(
        everything, lambda each: each.path in read, shapes=book.shapes,
        progress=lambda done, total: ctx.progress("comparing claims", done, total),
    )  # fmt: skip
    return [each for each, _ in zip(found, range(MOST), strict=False)]


def _packed(known: Seen) -> object:
    return {
        "claims": known.claims,
        "passages": known.passages,
        "clashes": [[row_of(each.one), row_of(each.other), each.kind, list(each.words)]
                    for each in known.clashes],
    }  # fmt: skip


def _unpacked(value: object, paths: Collection[str] | None = None) -> Seen | None:
    if not isinstance(value, dict):
        return None
    try:
        rows = _narrowed(value["clashes"], paths)
        clashes = tuple(_clashes(rows)) if rows else ()
        return Seen(clashes, int(value["claims"]), int(value["passages"]))
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _clashes(rows: Sequence[Row]) -> Iterator[Clash]:
    from memtree.claims.pairing import Clash

    for one, other, kind, words in rows:
        yield Clash(_statement(one), _statement(other), str(kind), tuple(map(str, words)))


def row_of(each: Statement) -> Sequence[object]:
    """A claim as a JSON value."""
    return [each.path, each.by, each.text, each.fact, each.title, each.at, each.until, each.event]


def _statement(row: Iterable[object]) -> Statement:
    *words, event = row
    path, by, text, fact, title, at, until = map(str, words)
    return Statement(path=path, by=by, text=text, fact=fact, title=title, at=at, until=until,
                     event=bool(event))  # fmt: skip
