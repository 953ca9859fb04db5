"""Questions about a folder of markdown, made from the folder itself and from a seed.

Known-item questions carry the file that they were made from as their gold: some words of its
title and some rare words of its body, as keywords or dressed as a question, in the order and form
of the file or not. Mixed questions are for timing: they need no gold.
"""

# ruff: noqa: S311  (random numbers are seeded here so that runs repeat; nothing is secret)
from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from measuring import markdown_files

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = re.compile(r"(?<!\w)[A-Za-z][A-Za-z_]{2,20}(?!\w)")
COMMON = frozenset(
    """
    about after again all also and any are been before but can does for from get has have how
    if into its just like make may more most new not now off one only other our out over same
    see should some such than that the their them then there these they this use used uses
    using was way were what when where which while who will with you your
    """.split()  # noqa: SIM905  (a hundred quoted words are not easier to read)
)
FRAMES = (
    "how do I {words}",
    "what is the way to {words}?",
    "where did we write about {words}",
    "notes on {words}",
    "why does {words} matter?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; `kind` groups the figures; `gold` are paths, empty when none is known."""

    text: str
    kind: str
    gold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One file as a question maker sees it: path, title, words of the body."""

    path: str
    title: str
    words: tuple[str, ...]


def read_pages(root: str, *, limit: int, seed: int) -> tuple[list[Page], Counter[str]]:
    """Read a seeded sample of the files below `root`; count the files of each word."""
    paths = list(markdown_files(root))
    if len(paths) > limit:
        paths = sorted(Random(f"{seed}:sample").sample(paths, limit))
    pages: list[Page] = []
    spread: Counter[str] = Counter()
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as opened:
            text = opened.read(200_000)
        heading = re.search(r"^# +(.+)$|^title: *['\"]?(.+?)['\"]?$", text, re.MULTILINE)
        title = (heading[1] or heading[2]) if heading else ""
        words = tuple(WORD.findall(text))
        pages.append(Page(path, title, words))
        spread.update({word.lower() for word in words})
    return pages, spread


def known_items(root: str, count: int, *, seed: int = 1) -> list[Question]:
    """Make `count` questions, each with its file as gold: half keywords, half sentences."""
    pages, spread = read_pages(root, limit=10**9, seed=seed)
    random = Random(f"{seed}:known")
    random.shuffle(pages)
    made: list[Question] = []
    for page in pages:
        if len(made) == count:
            break
        named = [w for w in WORD.findall(page.title) if w.lower() not in COMMON]
        rare = sorted({w for w in page.words if 2 <= spread[w.lower()] <= len(pages) // 50})
        rare = [w for w in rare if w not in named]
        if len(named) < 2 or len(rare) < 3:
            continue
        picked = random.sample(named, min(len(named), random.randint(1, 2)))
        picked += random.sample(rare, random.randint(1, 2))
        random.shuffle(picked)
        words = " ".join(picked)
        kind = "keywords" if len(made) % 2 else "sentence"
        text = words if kind == "keywords" else random.choice(FRAMES).format(words=words)
        made.append(Question(text=text, kind=kind, gold=(page.path,)))
    return made


def misspelled(questions: Sequence[Question], *, seed: int = 1) -> list[Question]:
    """Repeat the questions with two letters of their longest word exchanged."""
    return [
        Question(text=_typo(question.text, seed), kind="misspelled", gold=question.gold)
        for question in questions
    ]


def _typo(text: str, seed: int) -> str:
    longest = max(text.split(), key=len)
    if len(longest) < 4:
        return text
    at = Random(f"{seed}:{text}").randint(1, len(longest) - 3)
    broken = longest[:at] + longest[at + 1] + longest[at] + longest[at + 2 :]
    return text.replace(longest, broken, 1)


def mixed(root: str, count: int, *, seed: int = 1) -> list[Question]:
    """Make `count` different questions: titles, words of all frequencies, phrases, typos."""
    pages, spread = read_pages(root, limit=5000, seed=seed)
    random = Random(f"{seed}:mixed")
    ranked = [word for word, _ in sorted(spread.items(), key=lambda row: (-row[1], row[0]))]
    titled = [page for page in pages if len(page.title) > 8]
    made: list[Question] = []
    while len(made) < count:
        kind = ("title", "one word", "words", "words", "sentence", "phrase", "typo")[len(made) % 7]
        page = random.choice(titled)
        body = [w for w in page.words if w.lower() not in COMMON] or ["nothing"]
        if kind == "title":
            text = page.title
        elif kind == "one word":
            text = ranked[int(len(ranked) * random.random() ** 3)]
        elif kind == "words":
            text = " ".join(random.choice(body) for _ in range(random.randint(2, 8)))
        elif kind == "sentence":
            at = random.randrange(max(1, len(page.words) - 7))
            text = random.choice(FRAMES).format(words=" ".join(page.words[at : at + 6]))
        elif kind == "phrase":
            at = random.randrange(max(1, len(page.words) - 3))
            text = '"' + " ".join(page.words[at : at + 3]) + '"'
        else:
            text = _typo(page.title, seed)
        made.append(Question(text=text, kind=kind))
    return made


def words_in_between(root: str, count: int, *, seed: int = 1) -> list[str]:
    """Pick `count` different words that are neither rare nor everywhere, for cold searches."""
    pages, spread = read_pages(root, limit=3000, seed=seed)
    low, high = max(2, len(pages) // 500), max(20, len(pages) // 20)
    fit = sorted(w for w, n in spread.items() if low <= n <= high and len(w) > 3 and w.isalpha())
    return Random(f"{seed}:words").sample(fit, min(count, len(fit)))
