"""A small tree in which the answer lies three steps away and shares no word with the question.

An observatory has a founder, she has a birthplace, that place lies at a water; forty other places
speak of rivers, towns, founders and births in the very words of the question. The model is
scripted: it says the triples that a reader would, keeps the facts about what the question names,
and makes something up about each entry.
"""

from __future__ import annotations

import json
from itertools import product

QUESTION = "Which river crosses the town where the founder of the Halden Observatory was born?"
FIRST, SECOND, THIRD = (
    "science/halden-observatory.md", "people/ingrid-solheim.md", "places/vessbygd.md",
)  # fmt: skip
_CHAIN = (
    (FIRST, "Halden Observatory", "The Halden Observatory goes back to Ingrid Solheim.",
     (("Halden Observatory", "goes back to", "Ingrid Solheim"),)),
    (SECOND, "Ingrid Solheim", "Ingrid Solheim grew up in Vessbygd and studied optics.",
     (("Ingrid Solheim", "grew up in", "Vessbygd"), ("Ingrid Solheim", "studied", "optics"))),
    (THIRD, "Vessbygd", "Vessbygd lies on both banks of the Tarn.",
     (("Vessbygd", "lies on both banks of", "Tarn"),)),
)  # fmt: skip
_HEADS, _TAILS = ("Bor", "Cal", "Dun", "Fen", "Gor", "Hol", "Kir", "Lan"), (
    "mere", "stead", "wick", "ford", "combe",
)  # fmt: skip
EDITED = "Ingrid Solheim grew up in Korsfjell and studied optics.\n"


def _far(town: str) -> tuple[str, str, str, tuple[tuple[str, str, str], ...]]:
    """An entry about something else in the words of the question."""
    river, founder = f"{town[:3]}isse River", f"founder of {town} School"
    text = f"The {river} crosses the town {town}, where the {founder} was born."
    triples = ((river, "crosses the town", town), (founder, "was born in", town))
    return f"towns/{town.lower()}.md", town, text, triples


DISTRACTORS = 40
_ALL = (*_CHAIN, *(_far(head + tail) for head, tail in product(_HEADS, _TAILS)))


def files() -> dict[str, str]:
    """Path -> text of each entry: the three steps and the forty others."""
    return {path: f"# {title}\n\n{text}\n" for path, title, text, _ in _ALL}


class Reader:
    """A scripted model: what it says of an entry, and which facts it keeps. Counts its calls."""

    def __init__(self) -> None:
        self.read = 0
        self.judged = 0

    def __call__(self, prompt: str) -> str:
        """The answer to a prompt of extraction, or of recognition."""
        if "\nFacts:\n" in prompt:
            self.judged += 1
            facts = prompt.partition("\nFacts:\n")[2].partition("\n\n")[0].split("\n")
            keep = [number for number, fact in enumerate(facts, 1) if "Halden" in fact]
            return json.dumps({"keep": keep})
        self.read += 1
        title = prompt.rpartition("Title: ")[2].partition("\n")[0]
        # Of an entry that was edited (`EDITED`) it says what stands there now.
        triples = [
            {"s": s, "p": p, "o": o if o in prompt else "Korsfjell"}
            for _, name, _, said in _ALL
            if name == title
            for s, p, o in said
        ]
        # What a model makes up has to be dropped, whatever it says.
        triples.append({"s": title, "p": "was visited by", "o": "Napoleon"})
        return json.dumps({"entities": [title], "triples": triples})
