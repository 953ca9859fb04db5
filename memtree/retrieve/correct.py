"""A word that the tree does not know may be a slip of the keys: the word that was meant.

Only words: a number, a version, a quoted phrase or a short word is never corrected, and neither is
a word that stands anywhere in the tree, nor one of the few hundred that we know to be English.
"wine" is no slip for "wind": short words have so many neighbours that only a swap of letters counts
as one. What was taken for what is said in the answer's notes, and `Meant` tells the evidence.
"""

from __future__ import annotations

from memtree.retrieve.evidence import GENERIC, Meant
from memtree.retrieve.guard import is_typo
from memtree.retrieve.question import is_known, stop_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.retrieve.tier import Ask

    Measure = Callable[[str, str], int]

# Passages in which a near word is looked for.
_SAMPLE = 12
# From so many letters on a letter may be missing, too many or another; and two of these.
_ONE_SLIP, _TWO_SLIPS = 6, 8


def correct(ask: Ask) -> int:
    """Replace the strangers among the question's words; returns how many were replaced."""
    changed = 0
    for word in ask.words:
        if word.stop or word.kind != "word" or len(word.plain) != 1 or len(word.plain[0]) < 4:
            continue
        token = word.plain[0]
        if is_known(ask.full_text, token) or _is_english(ask, token, word.stems):
            continue
        meant = _meant(ask, token)
        if meant:
            ask.notes.append(f"'{token}' is not in the tree; looked for '{meant}' instead")
            word.plain = [meant]
            word.stems = [Meant(stem) for stem in ask.full_text.stems.analyze(meant)]
            changed += 1
    return changed


def is_slip(typed: str, meant: str, distance: Measure, strokes: Measure) -> bool:
    """Whether an unknown word may be replaced: stricter than `is_typo`, which compares names.

    A name has other words that must fit; a word of a sentence stands alone. `distance` and
    `strokes` are those of `memtree.retrieve.slips`.
    """
    if not is_typo(typed, meant, distance, strokes) or typed.startswith(meant):
        return False
    shorter = min(len(typed), len(meant))
    if distance(typed, meant) == 1:
        return shorter >= _ONE_SLIP or sorted(typed) == sorted(meant)
    return shorter >= _TWO_SLIPS


def _is_english(ask: Ask, token: str, stems: list[str]) -> bool:
    """Whether a word is known without the tree: generic words and irregular forms."""
    if ask.language != "english":
        return False
    from memtree.retrieve.english import FORMS

    return any(stem in GENERIC or FORMS.get(stem) for stem in (token, *stems))


def _meant(ask: Ask, token: str) -> str:
    from memtree.retrieve.slips import distance, strokes

    full_text = ask.full_text
    reach = 2 if len(token) >= 7 else 1
    stems = full_text.stems.analyze(token)
    near = [full_text.fuzzy("names", token, reach)]
    near += [full_text.fuzzy("body", stem, reach) for stem in stems[:1] if len(stem) > 3]
    found = full_text.search(full_text.within(full_text.any_of(near), ask.scope), _SAMPLE)
    rows = ask.catalog.rows(item.entry for item in found)
    nothing = stop_words(ask.language)
    best: tuple[int, int, str] | None = None
    for item in found:
        row = rows.get(item.entry)
        text = full_text.text(item) + (f" {row.title} {' '.join(row.tags)}" if row else "")
        for other in set(full_text.plain.analyze(text)):
            if other != token and other not in nothing and is_slip(token, other, distance, strokes):
                frequency = sum(
                    full_text.frequency("body", s) for s in full_text.stems.analyze(other)
                )
                rank = (distance(token, other), -frequency, other)
                if best is None or rank < best:
                    best = rank
    return best[2] if best else ""
