"""Tier 4: words and meaning together. What tier 3 gathered, and what lies near in meaning.

One order for both: the similarity of a passage's vector is one more thing that speaks for it
(`memtree.retrieve.ranking`), so a passage without a word of the question can come, and one that has
them all is not lost. Hot.
"""

from __future__ import annotations

from memtree.errors import MemtreeError
from memtree.index.vectors import NotWanted, NoVectors
from memtree.retrieve.full_text import judged
from memtree.retrieve.gathering import gather
from memtree.retrieve.tier import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.tier import Ask

STRANGE = "the embedding model knows too little of the question"


class SemanticTier:
    """Passages that mean what is asked, or say it; one match per entry, by its best passage."""

    name = "semantic"

    def find(self, ask: Ask) -> Finding:
        """Compare meanings, order everything together, and say how sure that makes us."""
        try:
            meaning = ask.meaning()
        except NotWanted as error:
            return Finding((), confidence=0.0, sure=False, why=str(error))
        except NoVectors as error:
            ask.notes.append(f"nothing was compared by meaning: {error}")
            return Finding((), confidence=0.0, sure=False, why=str(error))
        work = gather(ask)
        # A question that the model does not know is ranked by its words alone.
        try:
            is_known, strange = meaning.weigh(ask, work), STRANGE
        except MemtreeError as error:
            is_known, strange = False, error.message
        if meaning.left:
            ask.notes.append(
                f"{meaning.left} entries have no vectors yet and were compared by words alone; "
                "memtree index makes them"
            )
        if not work.candidates:
            why = "nothing is near in meaning" if is_known else strange
            return Finding((), confidence=0.0, sure=False, why=why)
        return judged(ask, work, f"{_nearest(work) if is_known else strange}; ")


def _nearest(work: Gathering) -> str:
    known = [one.meaning for one in work.candidates if one.meaning is not None]
    if not known:
        return "what the words found has no vectors"
    return f"the nearest in meaning is at {max(known):.2f}"
