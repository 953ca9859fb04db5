"""One question against the stored ones: answered where one is surely the same, else silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.qa_keys.asking import LONGEST, plain, taken_apart
from memtree.memories.qa_keys.keys import Keys, opened
from memtree.memories.qa_keys.pairs import HUMAN, Pair, words_of
from memtree.memories.qa_keys.questions import compared
from memtree.plugins import Ranked, Ranking

if TYPE_CHECKING:
    from memtree.knowledge.query import Query
    from memtree.plugins import Context

SUREST = 0.97
"""Confidence in the answer to a question in the same words; a pair may still be wrong."""
PARAPHRASED = 0.93
PATIENCE = 0.5
"""Seconds that a question waits for files of pairs that changed."""
_UNSEEN = "qzxjvunseen"


@dataclass(frozen=True, slots=True)
class Served:
    """A pair that answers a question, where it stands, and how sure that is (0 to 1)."""

    path: str
    pair: Pair
    confidence: float


def weigh(stem: str) -> float:
    """What a stem weighs: helping verbs say less."""
    return 0.3 if stem.startswith("=") else 1.0


def served(ctx: Context, keys: Keys, text: str, scope: str = "") -> list[Served]:
    """The pairs whose question is surely the same, best first; stale ones never."""
    if not plain(text).strip() or len(text) > LONGEST:
        return []
    asked = taken_apart(text)
    head = f"{scope.strip('/')}/" if scope.strip("/") else ""
    unseen = None

    def slip(stem: str) -> float:
        nonlocal unseen
        if unseen is None:
            unseen = ctx.search.idf(_UNSEEN)
        found = ctx.search.stems(asked.forms.get(stem, stem))
        return float(bool(found) and all(ctx.search.idf(each) >= unseen for each in found))

    result = []
    for path, pair in keys.near(text):
        if not path.startswith(head):
            continue
        like = compared(asked, taken_apart(pair.question), weigh, slip)
        if not like.is_sure:
            continue
        ref = ctx.tree.ref(path)
        if ref is None or ref.digest != pair.digest:
            continue
        same = asked.plain == plain(pair.question)
        result.append(Served(path, pair, SUREST if same else PARAPHRASED * like.share))
    result.sort(key=lambda each: (-each.confidence, each.pair.by != HUMAN, each.path))
    return result


def agreed(found: list[Served]) -> bool:
    """Whether all answers say the same: equal, or one stands in the other."""
    if not found:
        return False
    first = words_of(found[0].pair.answer)
    return all((own := words_of(each.pair.answer)) in first or first in own for each in found)


def retrieved(query: Query, ctx: Context) -> Ranking:
    """The answer of a stored question that is surely the same; no hits where there is none."""
    with opened(ctx, within=PATIENCE) as keys:
        found = served(ctx, keys, query.text, query.scope)
    if not found:
        return Ranking(hits=(), why="no stored question is surely the same")
    best: dict[str, Served] = {}
    for each in found:
        best.setdefault(each.path, each)
    hits = [
        Ranked(path=each.path, score=each.confidence, lines=each.pair.lines,
               why=f'stored question "{each.pair.question}" ({each.pair.by})')
        for each in list(best.values())[: query.limit]
    ]  # fmt: skip
    if not agreed(found):
        answers = list(dict.fromkeys(f"{each.pair.answer} ({each.path})" for each in found))
        ctx.note("stored questions answer this in different ways: " + "; ".join(answers[:3]))
        return Ranking(hits=hits, why="stored answers differ")
    how = "as it was asked" if found[0].confidence == SUREST else "reworded"
    return Ranking(
        hits=hits, sure=True, confidence=found[0].confidence, answer=found[0].pair.answer,
        why=f"stored question, {how}",
    )  # fmt: skip
