r"""How an answer is graded: what stands in the last box, compared after normalisation.

Metric of MINTEval (arXiv 2605.18565): the content of the last `\boxed{...}` with its braces
counted, what a model thought aloud left out; then exact match without commas, punctuation and the
words "a", "an", "the", "and", letters small; token F1 beside it (Rajpurkar et al. 2016).
"""

from __future__ import annotations

import re
from collections import Counter

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_BOX = "\\boxed{"
_SMALL = frozenset(("a", "an", "the", "and"))
_SIGNS = re.compile(r"[^\w\s]|_")


def final(text: str) -> str:
    """What an answer says in the end: its last box, else all of it without what was thought.

    A box that is never closed reaches to the end.
    """
    text = _THOUGHT.sub(" ", text)
    _, _, spoken = text.rpartition("</think>")  # a template may have opened the thought itself
    at = spoken.rfind(_BOX)
    if at < 0:
        return spoken.strip()
    inside = spoken[at + len(_BOX) :]
    depth = 1
    for place, letter in enumerate(inside):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return inside[:place].strip()
    return inside.strip()


def normalised(text: str) -> str:
    """The words that are compared: commas as gaps, small letters, no punctuation, no articles."""
    plain = _SIGNS.sub("", text.replace(",", " ").casefold())
    return " ".join(word for word in plain.split() if word not in _SMALL)


def exact(answer: str, gold: str) -> float:
    """1.0 when both are the same after `normalised`, else 0.0."""
    return float(normalised(final(answer)) == normalised(gold))


def token_f1(answer: str, gold: str) -> float:
    """Harmonic mean of precision and recall over tokens, 0 to 1; 1.0 when both have none."""
    said, wanted = normalised(final(answer)).split(), normalised(gold).split()
    if not said or not wanted:
        return float(said == wanted)
    common = sum((Counter(said) & Counter(wanted)).values())
    return 2 * common / (len(said) + len(wanted))
