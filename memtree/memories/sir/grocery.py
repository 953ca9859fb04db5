"""Fifty made dialogues like the paper's grocery set: said once, asked after twenty other questions.

Each begins with what somebody wants to buy, goes on with twenty questions and answers about
everyday things, and ends by asking what it was. The paper's own data has no licence and is not
shipped; the sentences here were written for this file and are put together from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DIALOGUES, DISTRACTORS = 50, 20

_ITEMS = (
    "aubergines", "bagels", "cardamom", "dates", "edamame", "fennel", "gherkins", "halloumi",
    "jackfruit", "kohlrabi", "lentils", "marzipan", "nutmeg", "okra", "papayas", "quinoa",
    "radishes", "saffron", "tahini", "vanilla", "walnuts", "yoghurt", "zucchini", "anchovies",
    "buckwheat", "capers", "dill", "endives", "figs", "ginger", "hazelnuts", "icing sugar",
    "juniper", "kale", "leeks", "mangoes", "nectarines", "olives", "parsnips", "quark", "rhubarb",
    "semolina", "turnips", "udon", "vinegar", "wasabi", "yeast", "apricots", "beetroot", "couscous",
)  # fmt: skip
_TALK = (
    ("What is the capital of {land}?", "The capital of {land} is a town of {many} people."),
    ("How was your day at {place}?", "It was a good day at the {place}, thank you."),
    ("Did you see the {thing} on {day}?", "Yes, I saw the {thing} with {name} on {day}."),
    ("What do you think of the {thing}?", "I think that the {thing} is {like}."),
    ("Is the {place} open on {day}?", "The {place} is open on {day} from {many} in the morning."),
    ("Can {name} help me with the {thing}?", "Yes, {name} can help you on {day}."),
    ("Who plays the {music} so well?", "I think it is {name}, who learned it in {land}."),
    ("What is the weather like in {land}?", "It is {like} there, and {many} degrees."),
)
_SLOTS = {
    "place": ("office", "library", "school", "station", "park", "museum"),
    "thing": ("film", "book", "game", "car", "garden", "report", "painting", "bicycle"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "name": ("Ana", "Bo", "Carla", "Dmitri", "Emeka", "Farah", "Goran", "Hanna", "Ines", "Jonas",
             "Keiko", "Liam", "Mina", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samir",
             "Tove"),
    "land": ("Angola", "Bolivia", "Chad", "Denmark", "Estonia", "Fiji", "Ghana", "Hungary",
             "Iceland", "Jordan", "Kenya", "Laos", "Malta", "Nepal", "Oman", "Peru", "Qatar",
             "Rwanda", "Serbia", "Togo", "Uganda", "Vietnam", "Yemen", "Zambia"),
    "music": ("harp", "oboe", "cello", "tuba", "lute", "banjo", "viola", "organ", "flute",
              "zither"),
    "like": ("very good", "rather long", "quite nice", "cold", "warm", "lovely", "dull",
             "splendid"),
    "many": tuple(str(n) for n in range(7, 40)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """Rounds of talk, the first of which names the `item`."""

    rounds: Sequence[str]
    item: str


def dialogues(seed: int = 0) -> list[Dialogue]:
    """Fifty of them, each with another item; the same for the same seed."""
    chance = random.Random(f"grocery {seed}")  # noqa: S311  (to be repeated)
    return [_dialogue(chance, item) for item in _ITEMS]


def _dialogue(chance: random.Random, item: str) -> Dialogue:
    first = (
        "User: Hello, how are you?\nAgent: I am fine. What do you want from the shop?\n"
        f"User: I want to buy {item} today.\nAgent: Good, I will think of it.\n"
    )
    rounds = [first]
    terse = chance.random()  # some people talk less than others
    for _ in range(DISTRACTORS):
        ask, answer = chance.choice(_TALK)
        said = {name: chance.choice(words) for name, words in _SLOTS.items()}
        if chance.random() < terse:
            answer = chance.choice(("Yes, I think so.", "No, not today.", "I can not say."))
        rounds.append(f"User: {ask.format(**said)}\nAgent: {answer.format(**said)}\n")
    return Dialogue(rounds=tuple(rounds), item=item)
