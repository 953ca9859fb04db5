"""What a curated tree holds, checked without the product: its claims, what they cite, what doubles.

This reads the files with regular expressions of its own, so that a mistake of the product's reader
or of its checks can't hide itself here.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BULLET = re.compile(r"^- (?P<text>.*?)(?P<notes>(?: ?\[\^s\d+\])+) \^f\d+$")
_SOURCE = re.compile(r"^  - \{id: (s\d+), .*?\blines: \"?L?(\d+)")
_ADDED = re.compile(r" \(\d{4}(?:-\d\d){0,2}(?:/\d{4}-\d\d-\d\d)?\)$")
_WORD = re.compile(r"[^\W_]+")
ALIKE = 0.85
"""Share of words in common (of both claims') from which two claims are one too many."""


class Claimed(NamedTuple):
    """A bullet: its file and line, its words, and the turns that its footnotes cite."""

    path: str
    line: int
    text: str
    turns: tuple[str, ...]


def claims_in(root: str, turns: Sequence[str]) -> list[Claimed]:
    """All bullets of a tree; `turns` are the ids of the source's lines, in order.

    Raises ValueError for a bullet without a source, or with one that names no line.
    """
    found = []
    for folder, folders, files in sorted(os.walk(root)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in sorted(files):
            if name.endswith(".md") and name != "index.md":
                full = os.path.join(folder, name)
                with open(full, encoding="utf-8") as file:
                    lines = file.read().split("\n")
                path = os.path.relpath(full, root).replace(os.sep, "/")
                found += _bullets(path, lines, turns)
    return found


def _bullets(path: str, lines: Sequence[str], turns: Sequence[str]) -> list[Claimed]:
    sources = {match[1]: int(match[2]) for line in lines if (match := _SOURCE.match(line))}
    found = []
    for number, line in enumerate(lines, 1):
        if not line.startswith("- "):
            continue
        match = _BULLET.match(line)
        if match is None:
            raise ValueError(f"{path}:{number}: a bullet without a source")
        notes = re.findall(r"s\d+", match["notes"])
        cited = tuple(turns[sources[note] - 1] for note in notes)
        found.append(Claimed(path, number, match["text"], cited))
    return found


def invented(claim: Claimed, turns: Mapping[str, Mapping[str, object]]) -> list[str]:
    """The words of a claim that stand neither in the turns it cites nor name who said them.

    A date in brackets at the end is the product's addition and is not looked at here: which day
    "yesterday" was is measured with the dates. `asked` stands before a question that is quoted.
    """
    text = _ADDED.sub("", claim.text)
    known = {"asked"} if ', asked "' in text else set()
    for turn in claim.turns:
        row = turns[turn]
        known |= set(_WORD.findall(f"{row['speaker']} {row['text']}".casefold()))
    return [word for word in _WORD.findall(text.casefold()) if word not in known]


def answered(
    asked: Sequence[Mapping[str, object]],
    turns: Mapping[str, Mapping[str, object]],
    claims: Sequence[Claimed],
) -> tuple[float, int]:
    """Of the answers' words that stand in the gold turns, the share that stands in their claims.

    A sum of shares, one for each question whose answer shares a word with its gold turns, and how
    many those are. It says what keeping a turn by one of its sentences costs.
    """
    kept: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        for turn in claim.turns:
            kept[turn] |= _long(claim.text)
    total, number = 0.0, 0
    for each in asked:
        gold = each["gold"]
        if not isinstance(gold, list):
            continue
        said = {word for turn in gold for word in _long(turns[turn]["text"])}
        wanted = _long(each["answer"]) & said
        if wanted:
            left = {word for turn in gold for word in kept[turn]}
            total += len(wanted & left) / len(wanted)
            number += 1
    return total, number


def _long(text: object) -> set[str]:
    words = {word for word in _WORD.findall(str(text).casefold()) if len(word) > 2}
    return words - {"the", "and", "her", "his", "for", "with", "from", "that"}


def doubles(claims: Sequence[Claimed]) -> int:
    """How many claims say what an earlier one says: nearly the same set of words, any order.

    Compared are all pairs that share a word; numbers, and so days, are words like any other.
    """
    bags = [frozenset(_WORD.findall(claim.text.casefold())) for claim in claims]
    frequent: dict[str, int] = defaultdict(int)
    for bag in bags:
        for word in bag:
            frequent[word] += 1
    holding: dict[str, list[int]] = defaultdict(list)
    count = 0
    for at, bag in enumerate(bags):
        # Two bags that share so much share one of the rarest words of either.
        rare = sorted(bag, key=lambda word: (frequent[word], word))
        rare = rare[: max(1, len(rare) - int(ALIKE * len(rare)) + 1)]
        near = {other for word in rare for other in holding[word]}
        if any(len(bag & bags[o]) >= ALIKE * len(bag | bags[o]) for o in near):
            count += 1
        for word in rare:
            holding[word].append(at)
    return count
