"""Pairs of question and answer, and how they are kept.

One file an entry, `qa/<id>.jsonl` in the plugin's sidecar, one pair a line:

    {"q": "Where does Ana live?", "a": "Oslo", "span": [4, 4], "digest": "9f...", "by": "llm"}

`span` are the lines of the entry's file that hold the answer ([0, 0] where nobody knows), `digest`
is that of the entry as it was when the pair was made, `by` is `llm` or `human`. Once the entry is
edited the pair is stale and never served: what a model made is dropped, what a person wrote stays
in the file until they say it again or take it out. A line without `q` says that a model read the
entry. Whatever a file says is data: bounded, cleaned, and left out where it makes no sense.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.plugins.records import file_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.plugins import EntryView

FOLDER = "qa"
LLM, HUMAN, HEADING = "llm", "human", "heading"
LONGEST_QUESTION, LONGEST_ANSWER = 300, 600
MOST = 50
"""Pairs of one entry that are read."""
_GAPS = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[*_`]{1,3}|!?\[\[(?:[^\[\]|]*\|)?([^\[\]|]*)\]\]|\[([^\[\]]*)\]\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Pair:
    """A question with its answer; `lines` from 1, (0, 0) where nobody knows."""

    question: str
    answer: str
    lines: tuple[int, int] = (0, 0)
    digest: str = ""
    by: str = HUMAN


def clean(text: object, longest: int) -> str:
    """A text on one line without what controls a terminal; "" if it is none or is too long."""
    if not isinstance(text, str):
        return ""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * longest])
    shown = " ".join(shown.split())
    return shown if len(shown) <= longest else ""


def words_of(text: str) -> str:
    """The words of a text, case and form folded, spaced on both sides."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return f" {_GAPS.sub(' ', plain.casefold()).strip()} "


def stands(answer: str, words: str) -> bool:
    """Whether an answer stands, word by word, in a text given as `words_of` it.

    Scripts without spaces have no words to compare: there the letters have to stand.
    """
    own = words_of(answer)
    if not own.strip():
        return False
    return own in words or (not own.isascii() and len(own.strip()) > 1 and own.strip() in words)


def shown(text: str) -> str:
    """A line of markdown as it is read: without emphasis, links as their words."""
    return " ".join(_MARKS.sub(lambda found: found[1] or found[2] or "", text).split())


def text_of(entry: EntryView) -> str:
    """What a pair may rest on: the title and the body as they are read."""
    return f"{entry.title}\n" + "\n".join(map(shown, entry.body.split("\n")))


def located(answer: str, question: str, entry: EntryView) -> tuple[int, int]:
    """The line that holds an answer, of several the one with most words of the question.

    (0, 0) where it stands in no single line.
    """
    wanted = set(words_of(question).split())
    best, found = -1, (0, 0)
    for number, line in enumerate(entry.body.split("\n"), entry.first):
        words = words_of(shown(line))
        if stands(answer, words):
            common = len(wanted & set(words.split()))
            if common > best:
                best, found = common, (number, number)
    return found


def read(records: Sequence[Mapping[str, object]]) -> list[Pair]:
    """The pairs of a file's records; what makes no sense is left out, and a question counts once.

    Of a question that stands twice a person's answer is taken.
    """
    found: dict[str, Pair] = {}
    for record in records[: 4 * MOST]:
        question = clean(record.get("q"), LONGEST_QUESTION)
        answer = clean(record.get("a"), LONGEST_ANSWER)
        key = words_of(question)
        if not key.strip() or not answer:
            continue
        by = LLM if record.get("by") == LLM else HUMAN
        digest = record.get("digest")
        pair = Pair(question, answer, lines_of(record.get("span")),
                    digest if isinstance(digest, str) else "", by)  # fmt: skip
        there = found.get(key)
        if there is None or (there.by == LLM and by == HUMAN):
            found[key] = pair
    return list(found.values())[:MOST]


def record_of(pair: Pair) -> dict[str, object]:
    """A pair as a line of the sidecar."""
    return {
        "q": pair.question, "a": pair.answer, "span": list(pair.lines), "digest": pair.digest,
        "by": pair.by,
    }  # fmt: skip


def read_by_model(digest: str) -> dict[str, object]:
    """The line that says that a model read an entry and left no pair."""
    return {"by": LLM, "digest": digest}


def was_read(records: Sequence[Mapping[str, object]], digest: str) -> bool:
    """Whether a model has read an entry as it is."""
    return any(each.get("by") == LLM and each.get("digest") == digest for each in records)


def still(records: Sequence[Mapping[str, object]], digest: str) -> list[dict[str, object]]:
    """What is kept of a file when its entry is edited: what is of this digest, or a person's."""
    return [dict(each) for each in records if each.get("digest") == digest or each.get("by") != LLM]


def name_of(entry: str) -> str:
    """The sidecar's file of an entry's id."""
    return file_of(FOLDER, entry)
