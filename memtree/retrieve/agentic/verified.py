"""An answer in sentences, checked against what it cites; what does not hold is dropped and counted.

Confidence is what was verified and nothing that the model says of itself: the mean share of the
sentences' content words that stand in the cited pieces, times the share of sentences that held,
times how much of the question's telling words (by rarity) the answer and its pieces have (half of
it is free: an answer need not repeat the question), and never above `SUREST`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.knowledge.query import Quote
from memtree.retrieve.agentic.support import supported
from memtree.retrieve.extract import telling_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.retrieve.agentic.evidence import Evidence
    from memtree.retrieve.agentic.looking import Looking
    from memtree.retrieve.agentic.speaking import Sentence
    from memtree.retrieve.agentic.support import Support

SUREST = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What is left of an answer: text with places, the quotes that hold it, and what was dropped.

    `dropped` has a line for each sentence that its citations do not say, with the reason.
    """

    text: str = ""
    quotes: Sequence[Quote] = ()
    cited: Sequence[str] = ()
    dropped: Sequence[str] = ()
    confidence: float = 0.0


def verify(said: Sequence[Sentence], evidence: Evidence, looking: Looking) -> Verified:
    """Keep the sentences that the passages they cite say."""
    ask = looking.ask
    kept: list[str] = []
    dropped: list[str] = []
    quotes: dict[tuple[str, tuple[int, int]], Quote] = {}
    held: list[Support] = []
    seen: set[str] = set()
    for one in said:
        if one.text.casefold() in seen:
            continue
        seen.add(one.text.casefold())
        cited = [evidence.by_handle[h] for h in one.cites if h in evidence.by_handle]
        proof = supported(one.text, cited, ask.full_text, ask.language)
        if proof.problem:
            dropped.append(f"{one.text}: {proof.problem}")
            continue
        held.append(proof)
        places: list[str] = []
        for line in proof.lines:
            quote = Quote(line.text, path=line.path, lines=line.lines)
            quotes.setdefault((line.path, line.lines), quote)
            first, last = line.lines
            places.append(f"{line.path}:{first}" + (f"-{last}" if last > first else ""))
        kept.append(f"{one.text} ({', '.join(dict.fromkeys(places))})")
    return Verified(
        text="\n".join(kept),
        quotes=tuple(quotes.values()),
        cited=tuple(dict.fromkeys(quote.path for quote in quotes.values())),
        dropped=tuple(dropped),
        confidence=_confidence(held, len(dropped), list(quotes.values()), said, looking),
    )


def _confidence(
    held: Sequence[Support], dropped: int, quotes: Sequence[Quote], said: Sequence[Sentence],
    looking: Looking,
) -> float:  # fmt: skip
    if not held:
        return 0.0
    weights = telling_weights(looking.ask)
    text = " ".join([*(quote.text for quote in quotes), *(one.text for one in said)])
    there = set(looking.stems(text))
    whole = sum(weights.values()) or 1.0
    about = sum(weight for stem, weight in weights.items() if stem in there) / whole
    support = sum(proof.share for proof in held) / len(held)
    return min(SUREST, support * len(held) / (len(held) + dropped) * (0.5 + 0.5 * about))
