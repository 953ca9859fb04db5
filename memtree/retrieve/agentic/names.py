"""Names in a question and in a passage: what a next step can be about.

A run of capitalised words, what stands in quotation marks, `code`, and `[[links]]`. That is what
names look like in the scripts that have capitals; elsewhere titles, links and quotes remain. Where
a sentence begins, a common word with a capital is no name.
"""

from __future__ import annotations

import re

from memtree.retrieve.question import stop_words

MARKS = ".,;:!?\"'()[]{}“”‘’«»…`*_"  # noqa: RUF001  (what people type)
# A name goes on over these when a capital follows.
_WITHIN = frozenset(("of", "the", "and", "de", "la", "le", "for", "in", "von", "van", "du", "del"))
_SHORT = frozenset(("st.", "mr.", "mrs.", "ms.", "dr.", "jr.", "no.", "vs.", "u.s.", "u.k."))
_MARKED = re.compile(r"\[\[([^\]|#\n]{2,80})|`([^`\n]{2,60})`|[\"“«„]([^\"“”»\n]{2,80})[\"”»“]")
_WORDS = 400  # of a passage
_POSSESSIVE = ("'s", "’s", "'", "’")  # noqa: RUF001  (both apostrophes)


def names_in(text: str, language: str = "english") -> list[str]:
    """The names in a text, each once, in their order; those that are marked as such come first."""
    found = [next(part for part in match if part).strip() for match in _MARKED.findall(text)]
    common = stop_words(language)
    run: list[str] = []
    waiting: list[str] = []
    opens = True  # a sentence begins here
    for word in text.split()[:_WORDS]:
        bare = word.strip(MARKS)
        whole = bare
        for ending in _POSSESSIVE:
            whole = whole.removesuffix(ending)
        if whole[:1].isupper() or (run and whole[:1].isdigit() and len(whole) < 5):
            if not (opens and whole.lower() in common):
                run += [*waiting, whole]
            waiting = []
            ends = word[-1:] in ",;:.!?)" and word.lower() not in _SHORT
            ends = ends or whole != bare
        elif run and bare in _WITHIN and not waiting[1:]:
            waiting.append(bare)
            ends = False
        else:
            ends = True
        if ends:
            found += [" ".join(run)] * bool(run)
            run, waiting = [], []
        opens = word[-1:] in ".!?:" and len(bare) > 1 and word.lower() not in _SHORT
    found += [" ".join(run)] * bool(run)
    return list(dict.fromkeys(name for name in found if len(name) > 1))


_CUTS = re.compile(
    r"[;:?]|,?\s(?:and|or|but|than|versus|vs\.?|while|whereas|besides|along with|as well as)\s|,\s",
    re.IGNORECASE,
)


def parts_of(question: str) -> list[str]:
    """The clauses of a question that could be asked alone; [] when there is only one."""
    parts = [part.strip(" ,;:?") for part in _CUTS.split(question)]
    parts = [part for part in parts if len(part.split()) > 2]
    return parts if len(parts) > 1 else []
