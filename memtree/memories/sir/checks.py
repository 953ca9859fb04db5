"""The acceptance check of `sir`: what was said once survives, and packing keeps its rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.memories.sir.grocery import dialogues
from memtree.memories.sir.keeping import TOKEN, Stream, Unit, units_of
from memtree.memories.sir.surprise import learned
from memtree.plugins.api import Check, Ranked, Signals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.memories.sir.grocery import Dialogue
    from memtree.memories.sir.surprise import Bigrams
    from memtree.plugins.desk import Lab

ROOM = 256


def tokens(text: str) -> int:
    """Four letters each, begun ones too: as the host counts without a model."""
    return -(-len(text) // 4)


def survives(talk: Dialogue, counts: Bigrams | None, decay: float = 1.0, room: int = ROOM) -> bool:
    """Whether the item is left after all rounds; without counts what is recent is kept."""
    stream = Stream(room, decay, tokens)
    for text in talk.rounds:
        units = units_of(text, counts.of(text) if counts is not None else (), TOKEN)
        if counts is None:
            units = [Unit(text=unit.text, start=unit.start) for unit in units]
        stream.hear(units)
    return re.search(rf"\b{re.escape(talk.item)}\b", stream.text()) is not None


def rates(seed: int = 0, room: int = ROOM) -> dict[str, float]:
    """The share of the fifty dialogues in which the item survives, in percent."""
    talks = dialogues(seed)
    counts = learned("".join(talk.rounds) for talk in talks)
    found = {}
    for name, known, decay in (("1.0", counts, 1.0), ("0.9", counts, 0.9), ("0.7", counts, 0.7),
                               ("recency", None, 1.0)):  # fmt: skip
        alive = sum(survives(talk, known, decay, room) for talk in talks)
        found[name] = 100 * alive / len(talks)
    return found


def checks(lab: Lab) -> Iterator[Check]:
    """On the made dialogues, then on a tree."""
    found = rates()
    told = ", ".join(f"{name} {rate:.0f} %" for name, rate in found.items())
    yield Check(name="an item survives 20 other questions in 256 tokens (50 made dialogues)",
                passed=found["1.0"] >= 70 and found["recency"] <= 2, measured=told,
                needed="decay 1.0 at least 70 %, a recency window at most 2 %")  # fmt: skip
    yield Check(name="what decays survives less", measured=told, needed="0.7 < 0.9 < 1.0",
                passed=found["0.7"] < found["0.9"] < found["1.0"])  # fmt: skip
    yield from _on_a_tree(lab)
    yield _life()


def _on_a_tree(lab: Lab) -> Iterator[Check]:
    from memtree.memories.sir.learning import told_of
    from memtree.memories.sir.packing import compressed, size_of

    talks = dialogues()[:8]
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
            pieces = compressed(hits, told, room=room, level=level, count=tokens)
            over += size_of(pieces, tokens) > room
            for hit in hits:
                mine = [piece for piece in pieces if piece.path == hit.path]
                broken += not _within("".join(piece.text for piece in mine), hit.text)
                misplaced += any(not _within(piece.text, _lines(hit.text, piece.lines))
                                 for piece in mine)  # fmt: skip
                heads += bool(room >= 256 and not (mine and mine[0].text.startswith("# Talk")))
            small = [Ranked(path=each.path, score=1.0, text=each.text, lines=each.lines)
                     for each in pieces]  # fmt: skip
            values, _ = told_of(ctx, [hit.text for hit in small])
            twice = compressed(small, values, room=room, level=level, count=tokens)
            again += twice != pieces
    cases = 2 * len(rooms)
    yield Check(name="never over the budget", passed=not over, measured=f"{over} of {cases} packs",
                needed="0")  # fmt: skip
    yield Check(name="what is kept stands in the text in its order, on its lines",
                passed=not broken and not misplaced, measured=f"{broken} and {misplaced} differ",
                needed="0 and 0")  # fmt: skip
    yield Check(name="packing what is packed changes nothing", passed=not again,
                measured=f"{again} of {cases} packs", needed="0")  # fmt: skip
    yield Check(name="the first line of each is kept", passed=not heads,
                measured=f"{heads} first lines lost, 256 tokens and more", needed="0")  # fmt: skip
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
