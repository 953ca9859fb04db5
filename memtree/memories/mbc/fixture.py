"""Two thousand made-up people, one entry each, and questions about a hundred of them.

Everybody's entry is alike in form, so that a code that loses a little loses the person.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Alma Bruno Carla Dario Edith Felix Greta Hugo Irma Jonas Karin Leo Mira Nils Olga Paul Rosa "
    "Simon Tilda Viktor Wanda Yara Anton Berta Carlos Diana Emil Flora Georg Hanna Igor Julia Kurt "
    "Linda Martin Nora Oscar Petra Ralf Sofia"
)
_LAST = _words(
    "Abbott Barker Chandler Draper Ellison Fletcher Gardner Harper Ivers Jensen Keller Lambert "
    "Mercer Norton Olsen Parker Quinn Ramsey Sawyer Turner Underwood Vance Walker Young Zimmer "
    "Archer Baxter Cooper Dalton Emerson Forster Granger Hudson Irving Jordan Kendall Lawson Mason "
    "Newman Osborne Palmer Reeves Shepherd Thatcher Upton Vernon Webster Yates Ashford Brewer"
)
_JOBS = _words(
    "carpenter nurse baker teacher plumber architect farmer librarian pilot tailor chemist lawyer "
    "gardener miner sailor painter surgeon printer butcher clerk engineer potter weaver judge"
)
_PLACES = _words(
    "Lisbon Oslo Prague Dublin Vienna Madrid Athens Warsaw Zurich Naples Bergen Porto Geneva "
    "Hamburg Krakow Seville Turin Ghent Malmo Tartu Riga Split Graz Lyon Bristol Cork Basel Bremen"
)
_PETS = _words("cat dog parrot rabbit tortoise horse goat canary ferret hamster donkey goose")
_MUSIC = _words(
    "violin cello trumpet flute harp drums guitar accordion clarinet piano bagpipes banjo organ"
)
_HOBBIES = _words(
    "chess sailing knitting climbing fencing astronomy cycling pottery archery fishing skiing "
    "photography beekeeping origami swimming gardening rowing calligraphy juggling surfing"
)
_FOODS = _words(
    "dumplings herring lasagne pancakes curry goulash oysters porridge sushi paella noodles stew "
    "olives cheese mushrooms sausages pumpkin lentils"
)
MOST = len(_FIRST) * len(_LAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Entries by path, and questions with the path of the entry that answers."""

    files: Mapping[str, str]
    questions: Sequence[tuple[str, str]]


def people(count: int, *, first: int = 0, asked: int = 105, seed: int = 8) -> People:
    """`count` of the people from the one numbered `first`, at most `MOST` in all."""
    chance = random.Random(f"{seed} people")  # noqa: S311  (to be repeated, not to be secret)
    order = list(range(MOST))
    chance.shuffle(order)
    files, questions = {}, []
    chosen = order[first : first + count]
    for number in chosen:
        given, name = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST)]
        path = f"people/{name.lower()}/{given.lower()}.md"
        text, question = _person(given, name, random.Random(f"{seed} {number}"))  # noqa: S311
        files[path] = text
        questions.append((question, path))
    step = max(1, len(questions) // max(1, asked))
    return People(files=files, questions=questions[::step][:asked])


def _person(given: str, name: str, chance: random.Random) -> tuple[str, str]:
    job, place, pet = chance.choice(_JOBS), chance.choice(_PLACES), chance.choice(_PETS)
    music, hobby, food = chance.choice(_MUSIC), chance.choice(_HOBBIES), chance.choice(_FOODS)
    year = chance.randrange(1950, 2010)
    says = [
        f"{given} has worked as a {job} in {place} since {year}.",
        f"At home waits a {pet}, and somebody plays the {music}.",
        f"Weekends are for {hobby}.",
        f"Nothing tastes better than {food}.",
    ]
    chance.shuffle(says)
    text = f"# {given} {name}\n\n{' '.join(says)}\n"
    asked = chance.choice((
        f"Which animal does {given} {name} the {job} keep?",
        f"Who is the {job} from {place} that likes {hobby} and {food}?",
        f"What instrument is played at the home of {given} {name} in {place}?",
        f"What does {given} {name} do on weekends after eating {food}?",
    ))  # fmt: skip
    return text, asked
