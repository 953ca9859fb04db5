"""Second stage of the full-text tier: the order of what the index found.

The index offers candidates: passages that share words with the question, and their neighbours.
Here they are put in order by what text and structure say: rare words of the question, who spoke,
when, in which session, what was asked just before, what an entry is called and which entries name
each other. A corpus without sessions or speakers merely lacks those features; no kind of corpus
is treated apart. Weights are in units of the best candidate's word score, set by hand on the
development data, where each may change by a third without moving a figure by a point.

Candidates to offer: the first 60 passages of the index; the two turns before and after the first
30 that are turns of a session; the entries whose name stands in the question or in the first 10
passages. More cost time and gain nothing.

Pure and hot: imports only math and its own floor; 1.5 to 2.5 ms for 60 passages or 130 turns.
"""

from __future__ import annotations

from math import log

from memtree.retrieve.candidate import Candidate, Question, Scored
from memtree.retrieve.turns import judge_sessions, judge_turns
from memtree.retrieve.walk import explain_names, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Candidate", "Question", "Scored", "rank", "term_weights"]

# BM25: saturation and length normalisation grow with the scope's average passage (tokens), from
# short chat turns, where a repeated word says little, to the usual values at FULL_LENGTH.
K1 = (0.6, 1.2)
B = (0.3, 0.6)
FULL_LENGTH = 100.0
# A question of so few words is one step: there is nowhere to walk.
FEW_WORDS = 2
TITLE_BOOST = 4.0
CONTEXT_BOOST = 0.5
# What another form of a word ("went" for "go") counts.
FORM_WEIGHT = 0.8
# Stop words decide only between equals.
STOP_WEIGHT = 0.05
# What a passage that means exactly what is asked earns, in units of the best word score.
MEANING = 1.0
# One word or two are looked up more than asked: a title that has both is meant.
MEANING_OF_FEW = 0.15
# Where the best passage has this share of all that its words could earn, or less, meaning counts in
# full; where it has more it is needed less: worth 0.8 nDCG@10 on questions with a note's own words.
NEED, LEAST_NEED = 0.2, 0.5


def rank(question: Question, candidates: Sequence[Candidate]) -> list[Scored]:
    """Put the candidates in order, best first, one for each entry (its best passage)."""
    if not candidates or not question.tokens:
        return []
    weights = term_weights(question)
    found = [Scored(candidate) for candidate in candidates]
    _read(question, weights, found)
    left = explain_names(question, weights, found)
    top = max(one.text for one in found) or 1.0
    for one in found:
        one.text /= top
    weight = MEANING if len(question.telling()) > FEW_WORDS else MEANING_OF_FEW
    _judge_meaning(found, weight * min(1.0, max(LEAST_NEED, NEED / top)))
    judge_sessions(weights, found)
    judge_turns(question, found)
    if len(question.telling()) > FEW_WORDS:
        walk(question, left, top, found)
    best: dict[object, Scored] = {}
    for one in found:
        one.score = one.text + sum(one.parts.values())
        entry = one.candidate.entry
        if entry not in best or best[entry].score < one.score:
            best[entry] = one
    return sorted(best.values(), key=lambda one: -one.score)


def _judge_meaning(found: list[Scored], weight: float) -> None:
    """Add what meaning says to what words say, before turns, sessions and names judge by both.

    The cosine counts as it is: stretched between the best and the worst candidate, or counted from
    the best down, it is as good with a sentence model and worse with the built-in table.
    """
    known = [one.candidate.meaning for one in found if one.candidate.meaning is not None]
    if not known:
        return
    usual = sum(known) / len(known)
    for one in found:
        meaning = one.candidate.meaning
        # What has no vector yet is neither near nor far.
        one.meaning = weight * max(0.0, usual if meaning is None else meaning)
        one.text += one.meaning


def term_weights(question: Question) -> dict[str, float]:
    """Stem -> weight: its rarity in the scope, next to nothing for stop words."""
    total = question.documents
    telling = question.telling()
    weights: dict[str, float] = {}
    for token in question.tokens:
        found = min(question.frequency(token), total)
        rarity = log(1 + (total - found + 0.5) / (found + 0.5))
        weights[token] = rarity if token in telling else STOP_WEIGHT * rarity
    return weights


def _read(question: Question, weights: dict[str, float], found: list[Scored]) -> None:
    """Count the question's words in every candidate; the text's share of all it could earn."""
    forms = _forms(question, weights)
    wanted = forms.keys()
    fullness = min(1.0, question.average_length / FULL_LENGTH)
    k1 = K1[0] + (K1[1] - K1[0]) * fullness
    b = B[0] + (B[1] - B[0]) * fullness
    whole = sum(weights.values())
    for one in found:
        candidate = one.candidate
        body, title = candidate.body, candidate.title
        one.bag.update(body, title)
        raw: dict[str, float] = {}
        for token in wanted & one.bag:
            term, share = forms[token]
            times = body.count(token) + TITLE_BOOST * title.count(token)
            raw[term] = raw.get(term, 0.0) + share * times
        for token in candidate.context:
            if token in forms:
                term, share = forms[token]
                raw[term] = raw.get(term, 0.0) + share * CONTEXT_BOOST
        norm = k1 * (1 - b + b * (len(body) + len(title)) / question.average_length)
        text = 0.0
        for term, times in raw.items():
            count = one.counts[term] = times / (times + norm)
            text += weights[term] * count
        one.text = text / whole


def _forms(question: Question, weights: dict[str, float]) -> dict[str, tuple[str, float]]:
    """Token in a text -> the question's word that it stands for, and how well."""
    forms = {token: (token, 1.0) for token in weights}
    others: dict[str, tuple[str, ...]] = getattr(question.english, "FORMS", {})
    for token in weights:
        for other in others.get(token, ()):
            forms.setdefault(other, (token, FORM_WEIGHT))
    return forms
