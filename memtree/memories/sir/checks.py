"""The acceptance check of `sir`: what was said once survives, and packing keeps its rules."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.memories.sir.grocery import DIALOGUES, DISTRACTORS, NAMES, authors, dialogues
from memtree.memories.sir.keeping import TOKEN, Stream, units_of
from memtree.memories.sir.surprise import learned
from memtree.plugins.api import Check, Ranked, Signals
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.memories.sir.grocery import Dialogue
    from memtree.memories.sir.surprise import Bigrams
    from memtree.plugins.desk import Lab

ROOM = 256
PROMPT = 200
"""Tokens of a prompt that is too small for what was found."""
ASKED = 100
SINKS = 4
"""Tokens at the beginning that always stay (the paper's start_size)."""


def tokens(text: str) -> int:
    """Four letters each, begun ones too: as the host counts without a model."""
    return -(-len(text) // 4)


def survived(
    talk: Dialogue, counts: Bigrams | None, decay: float = 1.0, room: int = ROOM, level: str = TOKEN
) -> int:
    """After how many of the other questions the item is still there.

    As in the paper the first four words are sinks, and the item is none of them. Without counts
    what is recent is kept.
    """
    stream = Stream(room, decay, tokens)
    for number, text in enumerate(talk.rounds):
        units = units_of(text, counts.of(text) if counts is not None else (), level)
        first = counts is not None and number == 0 and level == TOKEN
        stream.hear(
            [
                replace(
                    unit, sink=first and at < SINKS, surprisal=unit.surprisal * (counts is not None)
                )
                for at, unit in enumerate(units)
            ]
        )
        if re.search(rf"(?<!\w){re.escape(talk.item)}(?!\w)", stream.text()) is None:
            return max(0, number - 1)
    return len(talk.rounds) - 1


def rates(
    talks: Sequence[Dialogue], *, asked: int, room: int = ROOM, level: str = TOKEN
) -> dict[str, tuple[float, float]]:
    """Name of a way -> percent of the first dialogues whose item survives all, mean of questions.

    Pairs of words are learned from all dialogues.
    """
    counts = learned("".join(talk.rounds) for talk in talks)
    found = {}
    for name, known, decay in (("1.0", counts, 1.0), ("0.9", counts, 0.9), ("0.7", counts, 0.7),
                               ("recency", None, 1.0)):  # fmt: skip
        heard = [(survived(talk, known, decay, room, level), len(talk.rounds) - 1)
                 for talk in talks[:asked]]  # fmt: skip
        alive = sum(questions == all_ for questions, all_ in heard)
        found[name] = (100 * alive / len(heard), sum(each for each, _ in heard) / len(heard))
    return found


def checks(lab: Lab) -> Iterator[Check]:
    """On the paper's dialogues if a person has them, on made ones, then on a tree."""
    theirs = authors(lab.data) if lab.data else []
    if theirs:
        yield from _groceries(theirs, len(theirs), f"the paper's {len(theirs)} dialogues")
    else:
        lab.skip("the paper's own dialogues", f"no {NAMES[0]} of SirLLM's repository was given "
                 "(--data DIR); made ones of their form are measured")  # fmt: skip
    yield from _groceries(dialogues(), DIALOGUES, f"{DIALOGUES} made dialogues")
    yield from _on_questions(lab)
    yield from _on_a_tree(lab)
    yield _life()


def _groceries(talks: Sequence[Dialogue], asked: int, which: str) -> Iterator[Check]:
    found = rates(talks, asked=asked)
    alive = ", ".join(f"{name} {rate:.1f} %" for name, (rate, _) in found.items())
    half = rates(talks, asked=min(asked, DIALOGUES), room=ROOM // 2)["1.0"][0]
    yield Check(
        name=f"an item survives {DISTRACTORS} other questions in {ROOM} tokens ({which})",
        passed=found["1.0"][0] >= 70 and found["recency"][0] <= 2,
        measured=f"{alive}; in {ROOM // 2} tokens {half:.1f} %",
        needed="decay 1.0 at least 70 %, a recency window at most 2 %",
    )
    questions = [found[name][1] for name in ("0.7", "0.9", "1.0")]
    yield Check(
        name=f"what decays faster goes sooner ({which})",
        passed=questions[0] < questions[1] < questions[2],
        measured="survives " + " < ".join(f"{each:.1f}" for each in questions) + " questions",
        needed="0.7 < 0.9 < 1.0",
    )


def _on_questions(lab: Lab) -> Iterator[Check]:
    """Of a data set's questions: in how many prompts the answer still stands, packed or cut off."""
    asked = questions_of(lab.data)[:ASKED] if lab.data else []
    if not asked:
        lab.skip("answers that stay in a prompt", "no questions with answers were given (--data)")
        return
    desk = lab.tree({path: text for _, path, text in lab.documents(lab.data)}, embedder="none")
    packed = cut = found = 0
    for question, answer in asked:
        whole = [piece.text for piece in desk.pack(question, tokens=10**6)]
        first = "".join(whole)[: 4 * PROMPT]  # as `tokens` counts; in mid-passage, too
        small = [piece.text for piece in desk.pack(question, tokens=PROMPT)]
        found += answer in _plain(whole)
        cut += answer in _plain([first])
        packed += answer in _plain(small)
    helps = "it helps here" if packed > cut else "it does not help here"
    yield Check(
        name=f"what stays of {len(asked)} answers in {PROMPT} tokens", passed=True,
        measured=f"{packed} packed, {cut} cut off at the end, {found} in all that was found:"
                 f" {helps}",
        needed="",  # the paper promises nothing here
    )  # fmt: skip


def questions_of(folder: str) -> list[tuple[str, str]]:
    """(question, answer in plain words) of a folder's `queries.jsonl`; no yes and no."""
    files = [os.path.join(folder, name) for name in ("queries.jsonl", "corpus.jsonl")]
    if not all(map(os.path.isfile, files)):
        return []
    pairs = ((str(each.get("text", "")), each.get("answer")) for each in read_records(files[0]))
    told = ((question, _plain([answer])) for question, answer in pairs if isinstance(answer, str))
    return [(question, answer) for question, answer in told if answer not in ("", "yes", "no")]


def _plain(texts: Sequence[str]) -> str:
    return " ".join(" ".join(texts).casefold().split())


def _on_a_tree(lab: Lab) -> Iterator[Check]:
    from memtree.memories.sir.learning import told_of
    from memtree.memories.sir.packing import compressed, size_of

    talks = dialogues(count=8)
    files = {f"shop/talk/d{n}.md": f"# Talk {n}\n\n" + "".join(talk.rounds)
             for n, talk in enumerate(talks)}  # fmt: skip
    desk = lab.tree(files)
    desk.follow()
    ctx = desk.context
    hits = [Ranked(path=path, score=1.0, text=text, lines=(1, text.count("\n") + 1))
            for path, text in files.items()]  # fmt: skip
    told, _ = told_of(ctx, [hit.text for hit in hits])
    over = broken = again = heads = misplaced = 0
    rooms = (0, 1, 7, 40, 256, 900, 5000)
    for level in ("sentence", "token"):
        for room in rooms:
            pieces = compressed(hits, told, room=room, level=level, count=tokens, fade=0.9)
            over += size_of(pieces, tokens) > room
            for hit in hits:
                mine = [piece for piece in pieces if piece.path == hit.path]
                broken += not _within("".join(piece.text for piece in mine), hit.text)
                misplaced += any(not _within(piece.text, _lines(hit.text, piece.lines))
                                 for piece in mine)  # fmt: skip
                heads += bool(room >= 40 and mine and not mine[0].text.startswith("# Talk"))
            small = [Ranked(path=each.path, score=1.0, text=each.text, lines=each.lines)
                     for each in pieces]  # fmt: skip
            values, _ = told_of(ctx, [hit.text for hit in small])
            twice = compressed(small, values, room=room, level=level, count=tokens, fade=0.9)
            again += twice != pieces
    cases = 2 * len(rooms)
    yield Check(name="never over the budget", passed=not over, measured=f"{over} of {cases} packs",
                needed="0")  # fmt: skip
    yield Check(name="what is kept stands in the text in its order, on its lines",
                passed=not broken and not misplaced, measured=f"{broken} and {misplaced} differ",
                needed="0 and 0")  # fmt: skip
    yield Check(name="packing what is packed changes nothing", passed=not again,
                measured=f"{again} of {cases} packs", needed="0")  # fmt: skip
    yield Check(name="the first line of each that is kept is kept", passed=not heads,
                measured=f"{heads} first lines lost, 40 tokens and more", needed="0")  # fmt: skip
    packed = desk.pack("what do you want from the shop", tokens=200)
    yield Check(name="a pack of a tree through the host", needed="1 to 200 tokens",
                passed=0 < size_of(packed, tokens) <= 200,
                measured=f"{size_of(packed, tokens)} tokens in {len(packed)} pieces")  # fmt: skip


def _life() -> Check:
    from memtree.memories.sir.living import points

    def at(today: float, uses: tuple[tuple[float, str], ...] = ()) -> float:
        signals = Signals(importance=50, maturity="draft", recency=1, today=today, uses=uses)
        return points(6.0, 3.0, signals, "1970-01-01", weight=5, decay=0.9, tick_days=30)

    fresh, old, used = at(0), at(300), at(300, ((300.0, "read"),))
    return Check(name="importance for surprise decays by ticks, and use resets it",
                 passed=0 < old < fresh <= 5 and used == fresh,
                 measured=f"{fresh:.2f} new, {old:.2f} after 10 ticks, {used:.2f} after a use",
                 needed="0 < old < new <= 5, used as new")  # fmt: skip


def _within(part: str, text: str) -> bool:
    """Whether the letters of a text stand in another in their order."""
    letters = iter(text)
    return all(letter in letters for letter in part)


def _lines(text: str, lines: tuple[int, int]) -> str:
    return "\n".join(text.split("\n")[lines[0] - 1 : lines[1]])
