"""Questions of two or three steps: the answer of one stored question takes its place in the next.

    Where does the manager of Project Falcon live?
        Who is the manager of Project Falcon? -> Ana Ruiz
    Where does Ana Ruiz live?
        Where does Ana Ruiz live? -> Oslo

The whole chain is found before the first step is taken: half a chain answers nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.memories.qa_keys.answering import PATIENCE, Served, agreed, served
from memtree.memories.qa_keys.asking import LONGEST, taken_apart, unaccented
from memtree.memories.qa_keys.keys import Keys, opened
from memtree.memories.qa_keys.questions import same_sense
from memtree.plugins import ANSWER, SEARCH, Search, Step

if TYPE_CHECKING:
    from memtree.knowledge.query import Query
    from memtree.memories.qa_keys.asking import Asked
    from memtree.memories.qa_keys.pairs import Pair
    from memtree.plugins import Context, State

HOPS = 3
TRIED = 4
"""Stored questions that are tried as a step."""
LONGEST_NAME = 60
"""Characters of an answer that may take the place of a phrase: longer ones are sentences."""
_TOKEN = re.compile(r"[^\W_]+(?:[.'’/@:+-][^\W_]+)*")  # noqa: RUF001
_POSSESSIVE = re.compile(r"['’]s$")  # noqa: RUF001
_DETERMINERS = frozenset(("the", "a", "an", "our", "my", "your"))
_STEP = "step"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: the stored pair, where it stands, and the words whose place its answer took."""

    path: str
    pair: Pair
    phrase: str = ""


def planned(query: Query, state: State, ctx: Context) -> Step | None:
    """The next step of a chain of stored pairs; None where there is none."""
    if state.step == 0 or _STEP not in state.notes:
        with opened(ctx, within=PATIENCE) as keys:
            found = chain(ctx, keys, query.text, query.scope)
        if not found:
            return None
        state.notes["chain"], state.notes[_STEP] = found, 0
    hops: list[Hop] = state.notes["chain"]  # type: ignore[assignment]
    place = int(str(state.notes[_STEP]))
    if place < len(hops) - 1:
        state.notes[_STEP] = place + 1
        hop = hops[place]
        return Step(
            action=SEARCH, searches=[Search(text=hop.pair.question, scope=query.scope, limit=3)],
            note=f'step {place + 1}: "{hop.pair.question}" {hop.pair.answer}',
        )  # fmt: skip
    last = hops[-1]
    through = [f"{_sentence(hop.phrase)}: {hop.pair.answer}." for hop in hops[:-1]]
    answer = last.pair.answer
    return Step(
        action=ANSWER, answer="\n\n".join([answer, *through]),
        cites=list(dict.fromkeys(hop.path for hop in reversed(hops))),
        note=f'stored question "{last.pair.question}"',
    )  # fmt: skip


def chain(ctx: Context, keys: Keys, text: str, scope: str = "", depth: int = HOPS) -> list[Hop]:
    """The pairs that lead from a question to its answer, in order; [] where none do."""
    if len(text) > LONGEST:
        return []
    found = served(ctx, keys, text, scope)
    if found and agreed(found):
        return [Hop(found[0].path, found[0].pair)]
    if found or depth <= 1:
        return []
    for first, phrase, spliced in steps(ctx, keys, text, scope)[:TRIED]:
        rest = chain(ctx, keys, spliced, scope, depth - 1)
        if rest:
            return [Hop(first.path, first.pair, phrase), *rest]
    return []


def steps(ctx: Context, keys: Keys, text: str, scope: str) -> list[tuple[Served, str, str]]:
    """Stored questions that a phrase of this one asks, the phrase, and the text with the answer."""
    asked = taken_apart(text)
    head = f"{scope.strip('/')}/" if scope.strip("/") else ""
    found = []
    for path, pair in keys.near(text):
        inner = taken_apart(pair.question)
        if not path.startswith(head) or not _may_stand_in(inner, asked, pair):
            continue
        span = phrase_of(text, inner)
        if span is None:
            continue
        own = served(ctx, keys, pair.question, scope)  # fresh, and all agree
        if not own or not agreed(own):
            continue
        start, end = span
        spliced = text[:start] + own[0].pair.answer.rstrip(".") + text[end:]
        found.append((own[0], text[start:end], spliced))
    found.sort(key=lambda each: (-len(each[1]), each[0].path))
    return found


def _may_stand_in(inner: Asked, asked: Asked, pair: Pair) -> bool:
    """Whether a stored question may be a step of another: it asks for a thing that has a name."""
    if inner.kind not in ("person", "name", "place", "thing") or len(pair.answer) > LONGEST_NAME:
        return False
    if inner.said.negations or len(inner.stems) < 2 or len(inner.stems) >= len(asked.stems):
        return False
    return not (inner.tense == "past" and asked.tense == "present")


def phrase_of(text: str, inner: Asked) -> tuple[int, int] | None:
    """Where in a text the words of a stored question stand in a row, all and no other.

    A possessive behind them ("...'s") is left out of the span.
    """
    tokens = list(_TOKEN.finditer(text))
    wanted = list(inner.stems)
    for start in range(len(tokens)):
        left = list(wanted)
        for end in range(start, min(len(tokens), start + 3 * len(wanted) + 4)):
            stems = taken_apart_phrase(tokens[end].group())
            for each in stems:
                match = next((one for one in left if same_sense(one, each)), None)
                if match is None:
                    break
                left.remove(match)
            else:
                if not stems and end == start:
                    break  # a phrase begins with a word that says something
                if not left:
                    return _trimmed(text, tokens, start, end)
                continue
            break
    return None


def taken_apart_phrase(word: str) -> tuple[str, ...]:
    """The stems of a word that is no question."""
    from memtree.claims.wording import wording

    return wording(f"x {unaccented(word)}").content[1:]


def _trimmed(text: str, tokens: list[re.Match[str]], start: int, end: int) -> tuple[int, int]:
    """The span with the article before it, without the possessive behind it."""
    first = tokens[start].start()
    if start and tokens[start - 1].group().casefold() in _DETERMINERS:
        first = tokens[start - 1].start()
    last = tokens[end].end()
    possessive = _POSSESSIVE.search(text[first:last])
    if possessive is not None:
        last = first + possessive.start()
    return first, last


def _sentence(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:]
