"""A reader by rules: sentences become what held when, and questions are answered from that.

What it reads decides what it can say. Given everything that was told it answers all; given a store
that keeps present values alone it answers with these, right or wrong, as any reader would. It knows
nothing of the world that the sentences come from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.memories.mint.record import Context

NOBODY = "nobody"
_NAME = r"([A-Z]\w*)"
_THING = r"the (\w+)"
_SENTENCE = re.compile(r"[^.!?]+[.!?]")
_GO = re.compile(rf"^{_NAME} (?:went|moved|walked) to {_THING}$")
_TAKE = re.compile(rf"^{_NAME} (?:took|picked up) {_THING}$")
_DROP = re.compile(rf"^{_NAME} (?:dropped|put down) {_THING}$")
_GIVE = re.compile(rf"^{_NAME} (?:gave|handed) {_THING} to {_NAME}$")
_LIE = re.compile(r"^The (\w+) lay in the (\w+)$")


@dataclass(frozen=True, slots=True)
class Held:
    """What held of a person or thing from a time on (ISO 8601).

    Of a person `place`; of a thing `holder`, or "" and `place` where it lies ("" if not known).
    """

    time: str
    place: str = ""
    holder: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer ("" for none), and the times of what it rests on."""

    answer: str = ""
    rests: tuple[str, ...] = ()


Timelines = dict[str, list[Held]]
"""Person or thing -> what held of it, oldest first; people have capitals."""


# -- from text --------------------------------------------------------------------------------


def told(contexts: Iterable[Context]) -> Timelines:
    """What the sentences of contexts say, these in the order of time."""
    lines: Timelines = {}
    for context in contexts:
        for sentence in sentences(context.text):
            hear(sentence, context.time, lines)
    return lines


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with its sign."""
    return [found.group().strip() for found in _SENTENCE.finditer(text)]


def hear(sentence: str, time: str, lines: Timelines) -> tuple[str, Held] | None:
    """Take one sentence in; gives whom or what it is about and what holds now, or None."""
    said = sentence.strip().rstrip(".!?")
    about, held = "", Held(time)
    if (match := _GO.match(said)) or (match := _LIE.match(said)):
        about, held = match[1], Held(time, place=match[2])
    elif match := _TAKE.match(said):
        about, held = match[2], Held(time, holder=match[1])
    elif match := _DROP.match(said):
        here = lines.get(match[1])
        about, held = match[2], Held(time, place=here[-1].place if here else "")
    elif match := _GIVE.match(said):
        about, held = match[2], Held(time, holder=match[3])
    if not about:
        return None
    lines.setdefault(about, []).append(held)
    return about, held


def latest(lines: Timelines) -> Timelines:
    """What is left when every new value overwrites the one before."""
    return {name: held[-1:] for name, held in lines.items()}


# -- to answers -------------------------------------------------------------------------------


def answer(question: str, lines: Timelines) -> Reading:
    """What the timelines say to a question; no answer to one of another form."""
    said = question.strip().rstrip("?").strip()
    for pattern, ways in _WAYS:
        match = pattern.match(said)
        if match is not None:
            return ways(lines, *match.groups())
    return Reading()


def _now(lines: Timelines, name: str) -> Reading:
    """Where a person is, or a thing, by whoever has it."""
    held = lines.get(name)
    if not held:
        return Reading()
    last = held[-1]
    if not last.holder:
        rests = [last.time]
        if name[0].islower() and len(held) > 1 and held[-2].holder:
            rests += _came(lines, held[-2].holder, last.time).rests
        return Reading(last.place, tuple(rests))
    there = _now(lines, last.holder)
    return Reading(there.answer, (last.time, *there.rests))


def _back(lines: Timelines, name: str, count: str) -> Reading:
    """An earlier value. Who does not have it says the oldest that there is."""
    held = lines.get(name)
    if not held:
        return Reading()
    found = held[max(0, len(held) - 1 - int(count[:6]))]
    return Reading(found.place, (found.time,))


def _had(lines: Timelines, name: str, count: str = "0") -> Reading:
    held = lines.get(name)
    if not held:
        return Reading()
    found = held[max(0, len(held) - 1 - int(count[:6]))]
    return Reading(found.holder or NOBODY, (found.time,))


def _order(lines: Timelines, *names: str) -> Reading:
    last = {name: lines[name][-1].time for name in names if lines.get(name)}
    if len(last) < len(names):
        return Reading(rests=tuple(last.values()))
    return Reading(", ".join(sorted(last, key=last.__getitem__)), tuple(last.values()))


def _first(lines: Timelines, name: str, *places: str) -> Reading:
    first: dict[str, str] = {}
    for held in lines.get(name, ()):
        if held.place in places:
            first.setdefault(held.place, held.time)
    if not first:
        return Reading()
    return Reading(min(first, key=first.__getitem__), tuple(first.values()))


def _people_in(lines: Timelines, place: str) -> Reading:
    times = [held[-1].time for name, held in lines.items()
             if name[0].isupper() and held[-1].place == place]  # fmt: skip
    return Reading(str(len(times)), tuple(times))


def _visits(lines: Timelines, name: str, place: str) -> Reading:
    times = [held.time for held in lines.get(name, ()) if held.place == place]
    return Reading(str(len(times)), tuple(times))


def _things_of(lines: Timelines, name: str) -> Reading:
    things = {thing: held[-1] for thing, held in lines.items() if thing[0].islower()}
    times = [held.time for held in things.values() if held.holder == name]
    return Reading(str(len(times)), tuple(times) or tuple(held.time for held in things.values()))


def _when_it_came(lines: Timelines, name: str, thing: str, _: str) -> Reading:
    got = [held.time for held in lines.get(thing, ()) if held.holder == name]
    if not got:
        return Reading()
    came = _came(lines, name, got[-1])
    return Reading(came.answer, (got[-1], *came.rests))


def _came(lines: Timelines, name: str, time: str) -> Reading:
    """Where a person was at a time."""
    before = [held for held in lines.get(name, ()) if held.time <= time]
    return Reading(before[-1].place, (before[-1].time,)) if before else Reading()


_WAYS: Sequence[tuple[re.Pattern[str], Callable[..., Reading]]] = (
    (re.compile(r"^Where is (?:the )?(\w+) now$"), _now),
    (re.compile(rf"^Who has {_THING} now$"), _had),
    (re.compile(rf"^Where was {_NAME} (\d+) moves? ago$"), _back),
    (re.compile(rf"^Who had {_THING} (\d+) changes? of hands ago$"), _had),
    (
        re.compile(rf"^In which order did {_NAME}, {_NAME} and {_NAME} last move, earliest first$"),
        _order,
    ),
    (re.compile(rf"^Which did {_NAME} reach first, {_THING} or {_THING}$"), _first),
    (re.compile(rf"^How many people are in {_THING} now$"), _people_in),
    (re.compile(rf"^How many times did {_NAME} go to {_THING}$"), _visits),
    (re.compile(rf"^How many things does {_NAME} have now$"), _things_of),
    (re.compile(rf"^Where was {_NAME} when {_THING} last came to {_NAME}$"), _when_it_came),
)


def rests_on(reading: Reading, contexts: Sequence[Context]) -> tuple[int, ...]:
    """The numbers of the contexts whose times a reading names, from 0, each once."""
    at: Mapping[str, int] = {context.time: number for number, context in enumerate(contexts)}
    return tuple(dict.fromkeys(at[time] for time in reading.rests if time in at))
