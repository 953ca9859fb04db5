"""Tier 3: words in passages. The index proposes, `memtree.retrieve.ranking` orders. Hot."""

from __future__ import annotations

from memtree.retrieve.evidence import evidence
from memtree.retrieve.gathering import gather, question_of
from memtree.retrieve.matches import matches_of
from memtree.retrieve.question import stop_words
from memtree.retrieve.ranking import rank
from memtree.retrieve.tier import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.evidence import Evidence
    from memtree.retrieve.gathering import Gathering
    from memtree.retrieve.tier import Ask

# Below this likelihood that the tree speaks of what is asked the answer is "absent".
PRESENT = 0.5


class FullTextTier:
    """Passages that share words with the question; one match per entry, by its best passage."""

    name = "fulltext"

    def find(self, ask: Ask) -> Finding:
        """Search, order, and say how much of what was asked for the first passage holds."""
        work = gather(ask)
        if not work.candidates:
            if not any(word.stems for word in ask.words):
                why = "no words to look for"
            elif work.offered:
                why = "what fits is not indexed yet"
            else:
                why = "none of the words are in the tree"
            return Finding((), confidence=0.0, sure=False, why=why)
        return judged(ask, work)


def judged(ask: Ask, work: Gathering, before: str = "") -> Finding:
    """What was gathered, in order, with how sure that makes us; `before` begins what is said."""
    question = question_of(ask, work)
    ranked = rank(question, work.candidates)
    proof = evidence(question, ranked)
    return Finding(
        matches_of(ask, work, ranked),
        confidence=proof.confidence,
        sure=proof.present >= PRESENT and _says_something(ask),
        why=before + _said(proof),
    )


def _says_something(ask: Ask) -> bool:
    """Words without content are enough for a ranking; to be sure of an answer they are too few."""
    words = [word.plain[0] for word in ask.words]
    return len(words) > 3 or not stop_words(ask.language).issuperset(words)


def _said(proof: Evidence) -> str:
    text = f"the first passages hold {proof.coverage:.0%} of what is asked for, by rarity"
    if proof.missing:
        text += "; not in the tree: " + ", ".join(proof.missing[:5])
    return text
