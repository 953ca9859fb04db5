"""From a parsed file to what the index holds: one row, its keys, one document per passage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.index.full_text import PASSAGES
from memtree.index.keys import key_of, path_keys, question_key, stem_of
from memtree.index.row import Row
from memtree.index.words import date_words, identifier_parts, spaced
from memtree.knowledge.standing import packed
from memtree.tree.listing import BEGIN, END

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.tree.markdown import Parsed
    from memtree.tree.passages import Passage

MATURITIES = ("draft", "validated", "core")


def row_of(parsed: Parsed, number: int, digest: bytes, size: int, generation: int = 0) -> Row:
    """The catalog's row of a file. Values of a wrong kind in front matter become defaults."""
    meta = parsed.meta
    folder = parsed.path.rpartition("/")[0]
    session = _text(meta.get("session"))
    maturity = _text(meta.get("maturity"))
    generated = meta.get("generated")
    used = _text(generated.get("at")) if isinstance(generated, dict) else ""
    created = _text(meta.get("created"))
    return Row(
        (
            number,
            parsed.path,
            parsed.id,
            parsed.title,
            parsed.type,
            parsed.description,
            "\n".join(parsed.tags),
            _bounded(meta.get("importance"), 50.0, 0.0, 100.0),
            maturity if maturity in MATURITIES else "draft",
            created,
            used or created,
            _text(meta.get("speaker")),
            _text(meta.get("time")) or _text(meta.get("date")),
            f"{folder}\t{session}" if session else "",
            int(_bounded(meta.get("turn"), 0.0, 0.0, 1e9)),
            parsed.n_lines,
            size,
            digest,
            0,
            int(_is_titled(parsed)),
            packed(meta),
            generation,
        )
    )


def _is_titled(parsed: Parsed) -> bool:
    """Whether somebody named the entry; a file name made of a text's first words is no title.

    Such words would count twice, and more than the rest of the text: on chats that costs points.
    """
    if parsed.meta.get("title") or any(level == 1 for _, level, _ in parsed.headings):
        return True
    if parsed.meta.get("session"):
        return False
    name = key_of(parsed.title).split()
    if len(name) < 4 or not parsed.passages:
        return True
    text = "".join(
        letter if letter.isalnum() else " " for letter in key_of(parsed.passages[0][1][:400])
    )
    return text.split()[: len(name)] != name


def keys_of(parsed: Parsed) -> Iterator[tuple[str, str]]:
    """(key, kind) of everything under which the exact tier finds an entry."""
    whole, stem = path_keys(parsed.path)
    yield whole, "path"
    yield stem, "path"
    yield stem_of(parsed.path), "name"
    if parsed.id:
        yield key_of(parsed.id), "id"
    if parsed.title:
        yield key_of(parsed.title), "title"
    for alias in parsed.aliases:
        yield key_of(alias), "alias"
    for question in parsed.questions:
        yield question_key(question), "question"


def documents_of(row: Row, parsed: Parsed) -> Iterator[dict[str, object]]:
    """The fields of one document per passage."""
    folder, _, name = row.path.rpartition("/")
    stem = name.rpartition(".")[0]
    title = row.title if row.titled else ""
    aliases = " . ".join(parsed.aliases)
    title_words = spaced(f"{title} . {aliases}" if aliases else title)
    place = f"{folder} {stem}" if row.titled else "" if row.session else folder
    place = place.replace("/", " ")
    about = spaced(
        " . ".join(
            part for part in (place, " ".join(row.tags), row.description, _context(row)) if part
        )
    )
    names = spaced(" . ".join(part for part in (title, aliases, " ".join(row.tags), place) if part))
    scope = scopes_of(folder)
    for ordinal, (heading, text, first, last) in enumerate(_without_listings(parsed.passages)):
        yield {
            "title": title_words,
            "heading": spaced(heading) if heading and heading != row.title else "",
            "body": spaced(text),
            "about": about,
            "code": identifier_parts(text),
            "names": names if ordinal == 0 else "",
            "scope": scope,
            "text": text.encode("utf-8", "replace"),
            "entry": row.number,
            "passage": row.number * PASSAGES + min(ordinal, PASSAGES - 1),
            "first": first,
            "last": last,
        }


def _without_listings(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Leave out what memtree generated in an `index.md`: it would answer to every title."""
    inside = False
    for heading, text, first, last in passages:
        if not inside and BEGIN not in text:
            yield heading, text, first, last
            continue
        kept: list[str] = []
        for line in text.split("\n"):
            inside = (inside or BEGIN in line) and END not in line
            # An empty line in its place: the others keep their numbers.
            is_listed = inside or BEGIN in line or END in line
            kept.append("" if is_listed else line)
        if any(kept):
            yield heading, "\n".join(kept), first, last


def scopes_of(folder: str) -> list[str]:
    """A folder and every folder above it: what `--in` may name."""
    found: list[str] = []
    while folder:
        found.append(folder)
        folder = folder.rpartition("/")[0]
    return found


def _context(row: Row) -> str:
    # Who said it and when, in the words that a question would use.
    return " . ".join(part for part in (row.speaker, date_words(row.time)) if part)


def _text(value: object) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value).strip()


def _bounded(value: object, default: float, low: float, high: float) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:  # noqa: PLR0124  (NaN)
        return default
    return min(high, max(low, float(value)))
