"""How much of the answer the quotes of `query` hold, beside a snippet and a whole passage.

Questions with an answer in words (locomo, musique and lihua; not "yes" and "no") are ranked by the
engine, and whatever it found is quoted from, sure or not. `all` is the share of questions whose
answer's words are all in the text, `words` the mean share of its words, both after the usual
normalisation of SQuAD (lower case, no punctuation, no articles). `in first` counts only questions
whose first hit is gold. `cut` is the extract cut to the length of the first hit's snippet.

    ENV/bin/python benchmarks/extracts.py [--data ../shared/data] [--sets musique,lihua] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import string
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from certainty_trees import default_data, planted, read_set

from memtree.knowledge.query import Query
from memtree.retrieve import engine
from memtree.retrieve.extract import extract
from memtree.retrieve.snippet import snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certainty_trees import Asked

    from memtree.app import Tree
    from memtree.knowledge.query import Hit
    from memtree.retrieve.tier import Ask, Finding, Match

SETS = ("locomo", "musique", "lihua")
WAYS = ("quotes", "cut", "snippet", "passage")
_GONE = str.maketrans(dict.fromkeys(string.punctuation, " "))


@dataclass(slots=True)
class Tally:
    """Sums of one way over questions."""

    questions: int = 0
    whole: int = 0
    words: float = 0.0
    length: int = 0
    first: int = 0
    in_first: int = 0

    def add(self, text: str, answer: list[str], *, gold_first: bool) -> None:
        """Count one question."""
        held = normalised(text)
        share = sum(word in held for word in answer) / len(answer)
        self.questions += 1
        self.whole += share == 1.0
        self.words += share
        self.length += len(text)
        self.first += gold_first
        self.in_first += gold_first and share == 1.0

    def row(self) -> dict[str, float | int]:
        """The shares."""
        count = max(1, self.questions)
        return {
            "questions": self.questions,
            "all": self.whole / count,
            "words": self.words / count,
            "in_first": self.in_first / max(1, self.first),
            "characters": round(self.length / count),
        }


@dataclass(slots=True)
class Listener:
    """Keeps what the tiers found, which an answer does not show: passages."""

    found: list[tuple[Ask, list[Match]]] = field(default_factory=list)
    _before: Callable[..., list[Hit]] = engine.Engine._hits  # noqa: SLF001  (what is listened to)

    def __enter__(self) -> Self:
        """Listen."""
        before, found = self._before, self.found

        def listening(
            self: engine.Engine, ask: Ask, findings: list[tuple[str, Finding]]
        ) -> list[Hit]:
            found.append((ask, [match for _, one in findings for match in one.matches]))
            return before(self, ask, findings)

        engine.Engine._hits = listening  # type: ignore[method-assign]  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        engine.Engine._hits = self._before  # type: ignore[method-assign]  # noqa: SLF001


def normalised(text: str) -> frozenset[str]:
    """The words of a text as SQuAD compares them."""
    words = text.lower().translate(_GONE).split()
    return frozenset(word for word in words if word not in ("a", "an", "the"))


def in_words(question: Asked) -> list[str]:
    """The words of the answer; empty when there is none to look for."""
    words = sorted(normalised(question.answer))
    return [] if question.adversarial or words in ([], ["yes"], ["no"]) else words


def tried(tree: Tree, questions: Sequence[Asked]) -> tuple[dict[str, Tally], float]:
    """Ask every question once; returns the tallies and the milliseconds that an extract took."""
    tallies = {way: Tally() for way in WAYS}
    spent = 0.0
    with Listener() as listener:
        for question in questions:
            answer = in_words(question)
            listener.found.clear()
            tree.search(Query(question.text, scope=question.scope, tier="fulltext"))
            if not answer or not listener.found:
                continue
            ask, matches = listener.found[-1]
            if not matches:
                continue
            started = time.perf_counter()
            quotes = extract(ask, matches)
            spent += time.perf_counter() - started
            first = matches[0]
            stems = {stem: 1.0 for word in ask.words if not word.stop for stem in word.stems}
            short = snippet(first.text, first.first, stems)[0]
            quoted = " ".join(quote.text for quote in quotes)
            texts = (quoted, quoted[: len(short)], short, first.text)
            gold_first = bool({first.row.id, first.row.path} & question.gold)
            for way, text in zip(WAYS, texts, strict=True):
                tallies[way].add(text, answer, gold_first=gold_first)
    return tallies, 1000 * spent / max(1, tallies["quotes"].questions)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Quotes against snippets and passages.")
    parser.add_argument("--data", default=default_data())
    parser.add_argument("--sets", default=",".join(SETS), help="names, with commas between")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--length", type=int, help="characters that the quotes may have together")
    given = parser.parse_args()
    if given.length:
        vars(sys.modules["memtree.retrieve.extract"])["LENGTH"] = given.length
    out: list[dict[str, object]] = []
    for name in given.sets.split(","):
        documents, questions = read_set(os.path.join(given.data, f"{name}_dev"))
        with planted(documents) as tree:
            tallies, ms = tried(tree, questions)
        for way, tally in tallies.items():
            out.append({"set": name, "way": way, **tally.row(), "ms": ms if way == "quotes" else 0})
    if given.json:
        print(json.dumps(out))
        return
    print(f"{'set':12}{'way':10}{'asked':>6}{'all':>7}{'words':>7}{'in first':>10}{'chars':>7}  ms")
    for row in out:
        print(f"{row['set']:12}{row['way']:10}{row['questions']:>6}{row['all']:>7.1%}", end="")
        print(f"{row['words']:>7.1%}{row['in_first']:>10.1%}{row['characters']:>7}", end="")
        print(f"  {row['ms']:.2f}" if row["ms"] else "")


if __name__ == "__main__":
    main()
