"""What sessions and turns tell about a passage: who spoke, when, and what was said around it.

Answers follow questions, and what is spread over a session, or over the passages of a long entry,
speaks for each of them. Everything comes from front matter that any note may have. Hot: imports
nothing but its own floor.
"""

from __future__ import annotations

from memtree.retrieve.dates import date_match, dates_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.retrieve.candidate import Question, Scored

# In units of the best candidate's word score.
SESSION = 0.4
BEST_TURN = 0.5
SPEAKER = 0.3
DATE = 1.0
WHEN = 0.3
AMOUNT = 0.4
ASKS = -0.5
ANSWERS = 1.2
NEXT = 0.1
NEAR = 0.3


def judge_sessions(weights: dict[str, float], found: list[Scored]) -> None:
    """Give every passage its share of what its session, or its long entry, holds together."""
    groups: dict[object, list[Scored]] = {}
    for one in found:
        session = one.candidate.session
        groups.setdefault((session, session or one.candidate.entry), []).append(one)
    scores: list[float] = []
    for group in groups.values():
        sums: dict[str, float] = {}
        if len(group) > 1:
            for one in group:
                for term, count in one.counts.items():
                    sums[term] = sums.get(term, 0.0) + count
        scores.append(sum(weights[term] * count / (count + 1.0) for term, count in sums.items()))
    most = max(scores, default=0.0)
    for score, group in zip(scores, groups.values(), strict=True):
        best = max(one.text for one in group)
        # A passage by itself is all of its group.
        whole = score / most if len(group) > 1 and most else best
        for one in group:
            one.parts["session"] = SESSION * whole + BEST_TURN * best


def judge_turns(question: Question, found: list[Scored]) -> None:
    """Add what speaker, time, kind of answer and the turns around say."""
    speaker = _named_speaker(question, found)
    dates = dates_in(question)
    when, amount = _kind_of_answer(question)
    turns = {
        (one.candidate.session, one.candidate.turn): one for one in found if one.candidate.session
    }
    for one in found:
        candidate, parts = one.candidate, one.parts
        if speaker and candidate.speaker == speaker:
            parts["speaker"] = SPEAKER
        if dates and candidate.time:
            parts["date"] = DATE * date_match(dates, candidate.time)
        if when and not when.isdisjoint(one.bag):
            parts["when"] = WHEN
        if amount and (not amount.isdisjoint(one.bag) or any(map(str.isdigit, one.bag))):
            parts["amount"] = AMOUNT
        if candidate.session:
            _judge_around(one, turns)


def _judge_around(one: Scored, turns: dict[tuple[object, int], Scored]) -> None:
    session, turn = one.candidate.session, one.candidate.turn
    one.parts["asks"] = ASKS * one.candidate.asks
    before = turns.get((session, turn - 1))
    if before is not None:
        one.parts["answers"] = ANSWERS * before.text * before.candidate.asks
    after = turns.get((session, turn + 1))
    near = NEXT * after.text if after is not None else 0.0
    around = (turns.get((session, turn - 2)), turns.get((session, turn + 2)))
    one.parts["near"] = near + NEAR * max((o.text for o in around if o is not None), default=0.0)


def _named_speaker(question: Question, found: list[Scored]) -> tuple[str, ...]:
    """Find the one speaker whom the question names; empty if it names none, or several."""
    speakers = {one.candidate.speaker for one in found if one.candidate.speaker}
    asked = question.telling().keys()
    named = [speaker for speaker in speakers if not asked.isdisjoint(speaker)]
    return named[0] if len(named) == 1 else ()


def _kind_of_answer(question: Question) -> tuple[frozenset[str], frozenset[str]]:
    """Words of time if the question asks "when", of number if "how many"; else nothing."""
    nothing: frozenset[str] = frozenset()
    words = set(question.words)
    tables = question.english
    when = getattr(tables, "TIME_WORDS", nothing) if "when" in words else nothing
    amounts = getattr(tables, "AMOUNTS", nothing)
    if "how" in words and not words.isdisjoint(amounts):
        return when, getattr(tables, "NUMBER_WORDS", nothing)
    return when, nothing
