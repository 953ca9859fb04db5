"""The book of a tree's claims: derived from the files, kept by digest, followed entry by entry."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from memtree.claims.statements import Statement, has_facts, stated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.claims.pairing import Shape
    from memtree.plugins import Context, EntryRef

FORMAT = "1"
"""Raise it when what is kept of a claim changes."""


@dataclass(frozen=True, slots=True)
class Page:
    """An entry's claims, and how many passages of it are none."""

    digest: str
    statements: tuple[Statement, ...] = ()
    passages: int = 0
    shapes: tuple[Shape, ...] = ()
    """Of the claims, in their order."""


@dataclass(slots=True)
class Book:
    """All claims of a tree, by path."""

    pages: dict[str, Page] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Statement]:
        for page in self.pages.values():
            yield from page.statements

    @property
    def shapes(self) -> list[Shape]:
        """The shapes of all claims, in their order."""
        return [shape for page in self.pages.values() for shape in page.shapes]

    @property
    def passages(self) -> int:
        """Passages that rules don't compare."""
        return sum(page.passages for page in self.pages.values())


def read_page(ctx: Context, path: str) -> Page | None:
    """The claims of the entry at a path, read from its file; None when there is none."""
    from memtree.claims.pairing import shape_of

    view = ctx.tree.get(path)
    if view is None:
        return None
    # The file is read again for its facts only where it has such a section.
    facts = ctx.tree.facts(path) if has_facts(view.body) else ()
    claims, passages = stated(path=path, by=view.id, title=view.title, type=view.type,
                              meta=view.meta, body=view.body, facts=facts)  # fmt: skip
    return Page(view.digest, claims, passages, tuple(shape_of(each.text) for each in claims))


def follow(ctx: Context, book: Book, refs: Sequence[EntryRef]) -> tuple[set[str], set[str]]:
    """Bring a book up to the entries of a tree: paths that were read again, paths that are gone.

    Only an entry with another digest is read.
    """
    there = {ref.path for ref in refs}
    gone = set(book.pages) - there
    for path in gone:
        del book.pages[path]
    read: set[str] = set()
    for number, ref in enumerate(refs):
        known = book.pages.get(ref.path)
        if known is not None and known.digest == ref.digest:
            continue
        page = read_page(ctx, ref.path)
        # The catalog's digest is kept: the next look compares with that.
        book.pages[ref.path] = replace(page, digest=ref.digest) if page else Page(ref.digest)
        read.add(ref.path)
        if number % 100 == 0:
            ctx.progress("reading claims", number, len(refs))
    return read, gone


def packed(book: Book) -> object:
    """A book as a JSON value."""
    return {
        path: [
            page.digest, page.passages,
            [
                [s.by, s.title, s.text, s.fact, s.at, s.until, s.event, " ".join(shape.terms),
                 shape.marks]
                for s, shape in zip(page.statements, page.shapes, strict=True)
            ],
        ]
        for path, page in book.pages.items()
    }  # fmt: skip


def unpacked(value: object) -> Book:
    """The book of a JSON value; an empty one if it is none."""
    book = Book()
    if not isinstance(value, dict):
        return book
    from memtree.claims.pairing import Shape

    try:
        for path, (digest, passages, rows) in value.items():
            book.pages[path] = Page(
                digest,
                tuple(
                    Statement(path=path, by=by, title=title, text=text, fact=fact, at=at,
                              until=until, event=event)
                    for by, title, text, fact, at, until, event, _, _ in rows
                ),
                passages,
                tuple(Shape(frozenset(row[7].split()), row[8]) for row in rows),
            )  # fmt: skip
    except (TypeError, ValueError, AttributeError, IndexError):
        return Book()
    return book
