"""Triples: what an entry says, as (subject, predicate, object), and how they are kept.

One file an entry, `triples/<id>.jsonl` in the plugin's sidecar, one triple a line:

    {"s": "Ada", "p": "leads", "o": "Payments", "span": [4, 4], "by": "llm", "digest": "9f..."}

`span` are the first and last line of the entry's file that say so ([0, 0] where nobody knows),
`by` is `llm`, `rule` or `human`, and `digest` is that of the entry they were made from: when the
entry is edited, its triples are looked at again and those that no longer stand in it are set aside.
A line without `s` says only that an entry was read and held none. Whatever a file says is data: it
is bounded and cleaned, and a line that makes no sense is left out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from memtree.plugins.records import file_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.plugins import EntryView

FOLDER = "triples"
SOURCES = ("llm", "rule", "human")
LONGEST = 160
"""Characters of a subject, predicate or object: longer ones are sentences and join nothing."""
MOST = 200
"""Triples of one entry."""
_GAPS = re.compile(r"[\W_]+")


class Triple(NamedTuple):
    """One statement; `lines` of the entry's file, from 1, (0, 0) where nobody knows.

    A tuple, since a large tree has hundreds of thousands.
    """

    subject: str
    predicate: str
    object: str
    lines: tuple[int, int] = (0, 0)
    by: str = "human"

    def __str__(self) -> str:
        return f"{self.subject} | {self.predicate} | {self.object}"


def key_of(name: str) -> str:
    """What two names have in common that are the same phrase: case, form and signs don't count."""
    plain = name if name.isascii() else unicodedata.normalize("NFKC", name)
    return _GAPS.sub(" ", plain.casefold()).strip()


def clean(text: object) -> str:
    """A name or predicate on one line, without what controls a terminal; "" if it is none."""
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        return ""
    shown = str(text)
    if not shown.isprintable():
        shown = "".join(letter if letter.isprintable() else " " for letter in shown)
    return " ".join(shown.split())[:LONGEST]


def triple_of(subject: object, predicate: object, object_: object) -> Triple | None:
    """A triple of these three; None where an end has no letter or digit, or both are one."""
    one, joint, other = clean(subject), clean(predicate), clean(object_)
    keys = key_of(one), key_of(other)
    return Triple(one, joint, other) if all(keys) and keys[0] != keys[1] else None


def name_of(entry: str) -> str:
    """The sidecar's file of an entry's id."""
    return file_of(FOLDER, entry)


def record_of(triple: Triple, digest: str) -> dict[str, object]:
    """A triple as a line of the sidecar."""
    return {
        "s": triple.subject, "p": triple.predicate, "o": triple.object,
        "span": list(triple.lines), "by": triple.by, "digest": digest,
    }  # fmt: skip


def nothing_of(digest: str) -> dict[str, object]:
    """The line that says that a model read the entry and found no triple."""
    return {"by": "llm", "digest": digest}


def read(records: Sequence[Mapping[str, object]]) -> list[tuple[Triple, str]]:
    """The triples of a file's records with the digest of each; what makes no sense is left out."""
    found: dict[tuple[str, str, str], tuple[Triple, str]] = {}
    for record in records:
        triple = triple_of(record.get("s"), record.get("p"), record.get("o"))
        if triple is None or len(found) == MOST:
            continue
        by = str(record.get("by"))
        triple = Triple(
            triple.subject, triple.predicate, triple.object,
            lines_of(record.get("span")), by if by in SOURCES else "human",
        )  # fmt: skip
        same = (key_of(triple.subject), key_of(triple.predicate), key_of(triple.object))
        found.setdefault(same, (triple, str(record.get("digest", ""))))
    return list(found.values())


def words_of(text: str) -> str:
    """A text as its words, spaced, so that a phrase stands in it as ` phrase `."""
    return f" {key_of(text)} "


def stands(name: str, words: str) -> bool:
    """Whether a name stands, word by word, in a text given as `words_of` it."""
    return f" {key_of(name)} " in words


def still(triple: Triple, words: str) -> bool:
    """Whether an edited entry still has all words of both ends: what a person wrote is freer."""
    return all(
        f" {word} " in words for end in (triple.subject, triple.object)
        for word in key_of(end).split()
    )  # fmt: skip


def standing(
    records: Sequence[Mapping[str, object]], entry: EntryView
) -> tuple[list[Triple], list[Triple]]:
    """The triples that hold for an entry as it is, and those that an edit left behind.

    Spans of an older version are forgotten: the lines have moved.
    """
    held, left = [], []
    words = ""
    for triple, digest in read(records):
        if digest == entry.digest:
            held.append(triple)
            continue
        words = words or words_of(f"{entry.title}\n{entry.body}")
        if still(triple, words):
            held.append(Triple(triple.subject, triple.predicate, triple.object, by=triple.by))
        else:
            left.append(triple)
    return held, left


def located(triple: Triple, entry: EntryView) -> Triple:
    """The triple with the first line of the entry in which both ends stand, else the object."""
    lines = [words_of(line) for line in entry.body.split("\n")]
    for ends in ((triple.subject, triple.object), (triple.object,), (triple.subject,)):
        for number, words in enumerate(lines, entry.first):
            if all(stands(end, words) for end in ends):
                return Triple(
                    triple.subject, triple.predicate, triple.object, (number, number), triple.by
                )
    return triple
