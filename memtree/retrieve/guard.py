"""The telling words must agree: what a near match may never gloss over.

"3.14" is not "3.15", "should" is not "should not", and a word that the tree knows is never a typo
of another word. Pure functions over words; the pairs of DESIGN section 4 are its tests.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PLAIN_NOT = frozenset(
    [
        "not",
        "never",
        "cannot",
        "cant",
        "t",
        "dont",
        "doesnt",
        "didnt",
        "isnt",
        "arent",
        "wasnt",
        "werent",
        "wont",
        "shouldnt",
        "mustnt",
        "couldnt",
        "wouldnt",
    ]
)
# Words that turn a sentence round, in the languages whose stems we know best. "t" is what the
# tokenizer leaves of "don't".
NEGATIONS = _PLAIN_NOT | frozenset(
    [
        "no",
        "without",
        "none",
        "nor",
        "neither",
        "non",
        "un",
        "disable",
        "disabled",
        "except",
        "unless",
        "false",
        "off",
        "nicht",
        "kein",
        "keine",
        "nie",
        "ohne",
        "ne",
        "pas",
        "jamais",
        "sans",
        "sin",
        "nunca",
        "non",
        "mai",
        "senza",
        "não",
        "nao",
        "sem",
        "niet",
        "geen",
        "ikke",
        "inte",
        "нет",
        "не",
        "без",
    ]
)


def telling(words: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers (every word with a digit in it) and the negations among plain words."""
    numbers: set[str] = set()
    negations: set[str] = set()
    for word in words:
        if any(letter.isdigit() for letter in word):
            numbers.add(word)
        elif word in NEGATIONS:
            # "not" and "never" turn round alike; "without" is not "with" all the same.
            negations.add("not" if word in _PLAIN_NOT else word)
    return frozenset(numbers), frozenset(negations)


def agrees(asked: Iterable[str], name: Iterable[str]) -> bool:
    """Whether the telling words of a question and of a name are the same.

    Numbers in the question must all stand in the name and the other way round: a question about
    3.14 is not answered by an entry about 3.15, and one about "TLS" not by "TLS 1.0" for sure.
    """
    return telling(asked) == telling(name)


def is_typo(
    typed: str, meant: str, distance: Callable[[str, str], int], strokes: Callable[[str, str], int]
) -> bool:
    """Whether `typed` may be a slip of the keys for `meant`.

    `distance` counts swaps as one (optimal string alignment), `strokes` counts insertions and
    deletions only. Short words have no slack; the first letter must agree (people rarely miss it,
    and "in-", "un-", "ex-" turn the sense round); of two slips at most one may replace a letter,
    or "connection" would become "collection". Words with digits are never typos.
    """
    if typed == meant:
        return True
    if len(typed) < 4 or len(meant) < 4 or typed[0] != meant[0]:
        return False
    if any(letter.isdigit() for letter in typed + meant):
        return False
    slips = distance(typed, meant)
    if slips == 1:
        return True
    return slips == 2 and min(len(typed), len(meant)) >= 7 and strokes(typed, meant) <= 3
