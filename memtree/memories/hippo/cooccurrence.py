"""A graph without a model: names that stand beside each other in a sentence.

Where nobody made triples, each run of capitalised words is a phrase, and two neighbours in one
sentence are a triple whose predicate is what stands between them. It is much less than extraction
gives (the mode says so: `graph=cooccurrence`), and it is never written to the sidecar. Scripts that
know no capitals give nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from memtree.memories.hippo.triples import Triple, triple_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memtree.plugins import EntryView

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|\n")
_WORD = re.compile(r"[^\W_][\w'’.-]*[\w]|[^\W_]")  # noqa: RUF001  (an apostrophe that people type)
_JOINTS = frozenset(("of", "for", "de", "da", "di", "du", "del", "der", "den", "van", "von", "für"))
_ARTICLE = "the"  # only behind a joint: Bank of the West
_BREAK = re.compile(r"[,;:()\[\]|\"]")
_BETWEEN = 60
_MARKS = " \t#*_->`|:;,.()[]\"'"  # of markdown and of sentences: no words of a predicate
_MOST = 48
"""Neighbours of one entry, from its beginning: long ones would fill the graph with chance."""


def spans(sentence: str) -> list[tuple[int, int]]:
    """Where runs of capitalised words stand; a joint word (`of`, `van`) only between two."""
    found: list[tuple[int, int]] = []
    if sentence.islower():
        return found
    joined = behind = False  # whether the name may go on; whether a joint word came last
    for match in _WORD.finditer(sentence):
        word = match.group()
        if word[0].isupper() or (word[0].isdigit() and joined):
            gap = sentence[found[-1][1] : match.start()] if found else "."
            if joined and not _BREAK.search(gap):
                found[-1] = (found[-1][0], match.end())
            else:
                found.append(match.span())
            joined, behind = True, False
        elif word in _JOINTS:
            behind = True
        elif not (word == _ARTICLE and behind):
            joined = behind = False
    return found


def triples_of(entry: EntryView, *, is_telling: Callable[[str], bool]) -> list[Triple]:
    """The neighbours in each sentence of an entry; its title is one of the first name in each.

    `is_telling` says whether a name has any word that is no stop word.
    """
    lower = {word for word in _WORD.findall(entry.body) if word.islower()}
    found: dict[tuple[str, str], Triple] = {}
    for line, sentence in _sentences(entry):
        names = list(_names(sentence, lower, is_telling))
        for one, other in [((0, 0), name) for name in names[:1]] + list(pairwise(names)):
            left = sentence[one[0] : one[1]] or entry.title
            between = sentence[one[1] : other[0]].strip(_MARKS)[:_BETWEEN].rstrip(_MARKS)
            between = between or ("beside" if any(one) else "speaks of")
            made = triple_of(left, between, sentence[other[0] : other[1]])
            if made is not None:
                found.setdefault(
                    (made.subject, made.object),
                    Triple(made.subject, made.predicate, made.object, (line, line), "rule"),
                )
        if len(found) >= _MOST:
            break
    return list(found.values())


def _names(
    sentence: str, lower: set[str], is_telling: Callable[[str], bool]
) -> Iterator[tuple[int, int]]:
    """The names of a sentence, without the stop word that a sentence begins with (`The`, `In`)."""
    for begin, end in spans(sentence):
        first = _WORD.match(sentence, begin)
        if begin == 0 and first is not None and not is_telling(first.group()):
            after = _WORD.search(sentence, first.end(), end)
            if after is None:
                continue
            begin = after.start()  # noqa: PLW2901  (the same name, without its article)
        if begin == 0 and sentence[begin:end].casefold() in lower:
            continue  # a word like any other, with the capital that a sentence begins with
        if is_telling(sentence[begin:end]):
            yield begin, end


def _sentences(entry: EntryView) -> Iterator[tuple[int, str]]:
    """The sentences of an entry with their lines."""
    for number, line in enumerate(entry.body.split("\n"), entry.first):
        for sentence in _SENTENCE.split(line):
            if sentence.strip():
                yield number, sentence.strip()
