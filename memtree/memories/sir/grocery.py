"""Dialogues of the paper's grocery set, and made ones of the same form.

In the paper's set (SirLLM's repository, `keys.jsonl`) a dialogue names something to buy, goes on
with twenty questions of CommonsenseQA with five choices each, and ends by asking what it was. That
file has no licence and is not shipped: `memtree plugins verify sir --data DIR` reads it from there.

What is made here has its form and length (some 420 words), in words of ours. Of a talk about
everything the point is that most of its words are rare, so they are invented and drawn by Zipf's
law, as words of English are; with a small vocabulary whatever is said once would stand out, and
surviving would prove nothing.
"""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

DIALOGUES, DISTRACTORS = 50, 20
LEARNED = 500
"""Made dialogues that pairs of words are learned from, the first fifty of which are asked."""
VOCABULARY = 5000
NAMES = ("keys.jsonl", "grocery_keys/keys.jsonl", "data/grocery_keys/keys.jsonl")
"""Where the paper's file lies in a folder that a person names."""

_ITEMS = (
    "aubergines", "bagels", "cardamom", "dates", "edamame", "fennel", "gherkins", "halloumi",
    "jackfruit", "kohlrabi", "lentils", "marzipan", "nutmeg", "okra", "papayas", "quinoa",
    "radishes", "saffron", "tahini", "vanilla", "walnuts", "yoghurt", "zucchini", "anchovies",
    "buckwheat", "capers", "dill", "endives", "figs", "ginger", "hazelnuts", "icing sugar",
    "juniper", "kale", "leeks", "mangoes", "nectarines", "olives", "parsnips", "quark", "rhubarb",
    "semolina", "turnips", "udon", "vinegar", "wasabi", "yeast", "apricots", "beetroot", "couscous",
)  # fmt: skip
_QUESTIONS = (
    "Where would you look for a {} if you had lost it near the {}?",
    "What do people use to keep a {} away from the {} at night?",
    "Why did the {} and the {} stay at the {} for so long?",
    "If a {} is too {} to be carried, what should you do with it first?",
    "What is a {} most likely to need before it can reach a {}?",
    "After the {} had been {}, the {} was nowhere to be seen, so where was it?",
    "Who would know how to mend a {} that somebody left in the {}?",
    "When is it a bad idea to bring your {} to a {}?",
)
_BEGIN = (
    "b", "br", "c", "ch", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "l", "m", "n", "p",
    "pl", "qu", "r", "s", "sh", "sl", "st", "t", "th", "tr", "v", "w", "y",
)  # fmt: skip
_MIDDLE = (
    "a", "e", "i", "o", "u", "ea", "ou", "ai",
)  # fmt: skip
_END = (
    "b", "d", "ck", "g", "l", "ll", "m", "n", "nd", "ng", "p", "r", "rn", "s", "st", "t", "th",
    "x",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """Rounds of talk, the first of which names the `item`."""

    rounds: Sequence[str]
    item: str


def dialogues(seed: int = 0, count: int = LEARNED) -> list[Dialogue]:
    """So many of them, the same for the same seed; of the first fifty each has another item."""
    chance = random.Random(f"grocery {seed}")  # noqa: S311  (to be repeated)
    words = _words()
    shares = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
    made = []
    for number in range(count):
        item = _ITEMS[number % len(_ITEMS)]
        rounds = [f"Please buy this for me: [{item}].\n"]
        for _ in range(DISTRACTORS):
            asked = chance.choice(_QUESTIONS).format(
                *chance.choices(words, cum_weights=shares, k=3)
            )
            chosen = (chance.choices(words, cum_weights=shares, k=chance.choice((1, 2)))
                      for _ in range(5))  # fmt: skip
            rounds.append(f"{asked} {' '.join(' '.join(each) for each in chosen)}\n")
        made.append(Dialogue(rounds=tuple(rounds), item=item))
    return made


def authors(folder: str) -> list[Dialogue]:
    """The dialogues of the paper's file below a folder; [] where it is not, or is another file."""
    for name in NAMES:
        try:
            with open(os.path.join(folder, *name.split("/")), encoding="utf-8") as file:
                return _read(file.read())
        except (OSError, ValueError):
            continue
    return []


def _read(text: str) -> list[Dialogue]:
    """Lines `key_N`, then questions, then `answer_N`, whose question is not heard any more."""
    found: list[Dialogue] = []
    item, rounds = "", cast("list[str]", [])
    for line in text.splitlines():
        if not line.strip():
            continue
        record = json.loads(line)
        asked = record.get("question") if isinstance(record, dict) else None
        if not isinstance(asked, dict):
            raise ValueError("no question")  # noqa: TRY004  (of the file, not of the program)
        name, stem = str(record.get("id", "")), str(asked.get("stem", ""))
        if name.startswith("key_"):
            named = re.search(r"\[([^\]]+)\]", stem)
            item, rounds = (named[1].strip() if named else ""), [f"{stem.strip()}\n"]
        elif name.startswith("answer_"):
            if item:
                found.append(Dialogue(rounds=tuple(rounds), item=item))
            item, rounds = "", []
        else:
            choices = asked.get("choices")
            told = [str(each.get("text", "")) for each in choices if isinstance(each, dict)
                    ] if isinstance(choices, list) else []  # fmt: skip
            rounds.append(f"{' '.join([stem.strip(), *told])}\n")
    return found


def _words() -> list[str]:
    """The invented words, the most frequent first."""
    chance = random.Random("words")  # noqa: S311  (to be repeated)
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        parts = [
            chance.choice(_BEGIN) + chance.choice(_MIDDLE) for _ in range(chance.choice((1, 2, 2)))
        ]
        made["".join(parts) + chance.choice(_END)] = None
    return list(made)
