"""Plugins of the tests: small ones that behave, and ones that do what no plugin may."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from memtree.knowledge.plan import Add, Operation
from memtree.knowledge.query import Query
from memtree.plugins import (
    REJECT,
    ChangeSet,
    Context,
    Delta,
    EntryRef,
    Event,
    Manifest,
    NotReady,
    Packed,
    Piece,
    Ranked,
    Ranking,
    Ruling,
    Signals,
)  # fmt: skip

TREE = {
    "animals/cats/sleep.md": "# Cats\n\nCats sleep all day.\n",
    "animals/dogs/run.md": "# Dogs\n\nDogs run in the park.\n",
    "animals/birds/song.md": "# Birds\n\nBirds sing at dawn.\n",
}


def manifest(name: str = "toy", **more: Any) -> Manifest:
    return Manifest(name=name, title="A toy", source="the tests", **more)


class Toy:
    """Ranks one entry first, whatever is asked; remembers what it was told of the tree."""

    manifest = manifest(options={"first": "animals/birds/song.md", "sure": False})

    def __init__(self) -> None:
        self.changes: list[ChangeSet] = []

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        del ctx
        self.changes.append(changes)

    def retrieve(self, query: Query, ctx: Context) -> Ranking:
        del query
        first = str(ctx.options["first"])
        hits = [Ranked(path=first, score=1.0, why="it is the toy's")]
        sure = bool(ctx.options["sure"])
        return Ranking(hits=hits, sure=sure, confidence=0.9, answer="At dawn" if sure else "")

    def propose(self, event: Event, ctx: Context) -> Sequence[Operation]:
        del ctx
        return [
            Add(reason=type(event).__name__, path="notes/toys/new", title="New", claims=(),
                prose="A toy was here.", type="thought", meta={"from": ["a", "b"]})
        ]  # fmt: skip

    def guard(self, operations: Sequence[Operation], ctx: Context) -> Sequence[Ruling]:
        if ctx.options.get("forbid"):
            return [Ruling(operation=one, ruling=REJECT, reason="not today") for one in operations]
        return []

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        del signals
        states = {"animals/cats/sleep.md": "frozen", "animals/dogs/run.md": "archived"}
        return Delta(state=states.get(entry.path, ""), why="the toy says so") if ctx else None

    def pack(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Packed:
        del query, ctx
        pieces = [Piece(path=hit.path, text=hit.text, lines=hit.lines) for hit in hits]
        return Packed(pieces=pieces[::-1], note="last first")


class Needy(Toy):
    manifest = manifest("needy", requires=("llm.logprobs",))


def retrieving(does: Callable[[Query, Context], Any], **more: Any) -> Callable[[], object]:
    """A plugin whose retriever does this."""

    class Doing:
        manifest = manifest("doing", **more)

        def retrieve(self, query: Query, ctx: Context) -> Any:
            return does(query, ctx)

    return Doing


def fails(query: Query, ctx: Context) -> Any:
    raise KeyError(query.text + str(ctx.name))


def exits(query: Query, ctx: Context) -> Any:
    raise SystemExit(str(query.text + ctx.name))


def loops(query: Query, ctx: Context) -> Any:
    del query, ctx
    while True:
        pass


def sleeps(query: Query, ctx: Context) -> Any:
    del query, ctx
    time.sleep(60)


def swallows(query: Query, ctx: Context) -> Any:
    """Never gives up by itself: it catches what wakes it, twice."""
    del query, ctx
    for _ in range(2):
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S112
            continue
    time.sleep(60)


def floods(query: Query, ctx: Context) -> Any:
    ref = ctx.tree.entries()[0]
    return [Ranked(path=ref.path, score=1.0, why=query.text)] * 100_000


def nonsense(query: Query, ctx: Context) -> Any:
    del query, ctx
    return 7


def strangers(query: Query, ctx: Context) -> Any:
    del query, ctx
    return [Ranked(path="../../etc/passwd", score=9.0), Ranked(path="no/such/entry.md", score=8.0)]


def connects(query: Query, ctx: Context) -> Any:
    del query, ctx
    with socket.socket() as made:
        made.connect(("127.0.0.1", 9))


def starts(query: Query, ctx: Context) -> Any:
    del query, ctx
    os.system("true")  # noqa: S605


def writes(query: Query, ctx: Context) -> Any:
    del query
    place = os.path.join(ctx.cache.folder, *[".."] * 4, "animals", "cats", "sleep.md")
    with open(place, "w", encoding="utf-8") as file:
        file.write("mine")


def removes(query: Query, ctx: Context) -> Any:
    del query
    os.remove(os.path.join(ctx.cache.folder, *[".."] * 4, "animals", "cats", "sleep.md"))


def asks_a_model(query: Query, ctx: Context) -> Any:
    del query
    assert ctx.llm is not None
    for _ in range(1000):
        ctx.llm.text("rules", "again")


class Forgetful:
    """Ranks what it derived of the tree; when that is gone it says so."""

    manifest = manifest("forgetful")

    def __init__(self, *, learns: bool = True) -> None:
        self.learns = learns
        self.told: list[bool] = []

    def on_change(self, changes: ChangeSet, ctx: Context) -> None:
        self.told.append(changes.full)
        if self.learns:
            ctx.cache.save_value("first", "1", ctx.tree.entries()[0].path)

    def retrieve(self, query: Query, ctx: Context) -> Sequence[Ranked]:
        del query
        first = ctx.cache.load_value("first", "1")
        if not isinstance(first, str):
            raise NotReady
        return [Ranked(path=first, score=1.0)]


def chatters(query: Query, ctx: Context) -> Sequence[Ranked]:
    """Print, remark and explain far too much."""
    del query
    print("loud " * 10)  # noqa: T201
    for number in range(500):
        ctx.note(f"remark {number}")
    return [Ranked(path="animals/birds/song.md", score=1.0, why="because " * 10_000)]


class Gloomy:
    """Has nothing to say of any life."""

    manifest = manifest("gloomy")

    def lifecycle(self, entry: EntryRef, signals: Signals, ctx: Context) -> Delta | None:
        del entry, signals, ctx
        raise RuntimeError("no future")


class Strict:
    """Lets nothing through that speaks of cats."""

    manifest = manifest("strict")

    def refine(self, query: Query, hits: Sequence[Ranked], ctx: Context) -> Sequence[Ranked]:
        del query, ctx
        return [hit for hit in hits if "cats" not in hit.path]
