"""A toy curation task in a notation that nobody can know without having learned it.

A line names a thing, a mark and an object, in any order: `lokari vexo bora.` The mark decides what
the line is: two of them say a decision, others a preference, an event or a procedure, and three
that it is not worth keeping. Things and objects come in pairs, and the pairs that are asked about
are never seen in training: a model has to read the line, not to know it.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from toy_outlook import ToyOutlook, part_of

from memtree.curate import prompts
from memtree.curate.schema import ELSEWHERE, Menu, numbered
from memtree.knowledge.plan import Add, Operation
from memtree.knowledge.source import Part
from memtree.llm.protocol import Prompt

MARKS = {
    "vexo": "decision",
    "holm": "decision",
    "lumi": "preference",
    "pidu": "event",
    "zorn": "procedure",
    "dapa": "",
    "niko": "",
    "brum": "",
}
THINGS = (
    "tamu",
    "lokari",
    "fenn",
    "gosti",
    "quila",
    "rabo",
    "sind",
    "torve",
    "umbra",
    "wexel",
    "yarro",
    "zilch",
)
OBJECTS = (
    "bora",
    "cenit",
    "dolma",
    "ervin",
    "fasco",
    "glint",
    "havo",
    "iskra",
    "jorun",
    "kelpa",
    "limno",
    "morta",
)
FOLDER = "ledger/lines"
EMPTY = ToyOutlook()

Found = frozenset[tuple[int, str]]
"""Lines of the source and what kind of statement each is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A source, and what should be kept of it."""

    part: Part
    wanted: Found


def make_item(generator: random.Random, *, held_out: bool) -> Item:
    """One or two lines; their pairs are all of the held out ones, or none of them is."""
    rows: list[str] = []
    wanted: set[tuple[int, str]] = set()
    for number, thing in enumerate(generator.sample(THINGS, generator.choice((1, 2)))):
        mark = generator.choice(list(MARKS))
        pairs = [one for one in OBJECTS if held_out == _held_out(thing, one)]
        words = [thing, mark, generator.choice(pairs)]
        generator.shuffle(words)
        rows.append(" ".join(words) + ".")
        if MARKS[mark]:
            wanted.add((2 * number + 1, MARKS[mark]))
    return Item(part=part_of("\n\n".join(rows), name="ledger"), wanted=frozenset(wanted))


def _held_out(thing: str, thing_object: str) -> bool:
    return (THINGS.index(thing) + OBJECTS.index(thing_object)) % 4 == 0


def found(operations: tuple[Operation, ...]) -> Found:
    """What was proposed to be kept."""
    return frozenset(
        (claim.evidence[0].lines[0], claim.kind)
        for operation in operations
        if isinstance(operation, Add)
        for claim in operation.claims
    )


def score(pairs: list[tuple[Found, Found]]) -> float:
    """F1 of what was proposed against what was wanted, over all items."""
    right = sum(len(said & wanted) for said, wanted in pairs)
    total = sum(len(said) + len(wanted) for said, wanted in pairs)
    return 2 * right / total if total else 1.0


# --- what a model learns from


def example(item: Item) -> tuple[Prompt, str]:
    """The prompt that the curator makes for an item, and the answer that is right."""
    lines = numbered((item.part,))
    prompt = prompts.call(Menu(lines=lines), source=item.part.source, told="")
    wanted = dict(item.wanted)
    operations = []
    for line in lines:
        if line.lines[0] in wanted:
            said = line.text.rstrip(".")
            thing = next(word for word in said.split() if word in THINGS)
            operations.append(
                {"line": line.number, "quote": said, "do": "add", "place": ELSEWHERE}
                | {"folder": FOLDER, "title": thing, "kind": wanted[line.lines[0]]}
                | {"about": thing, "text": said}
            )
    return prompt, json.dumps({"operations": operations}, separators=(",", ":"))


def vocabulary() -> list[str]:
    """Whole words of the model: the notation's, and the runs that every prompt and answer have."""
    source = part_of("x", name="ledger").source
    runs = [piece.partition("{{")[0] for piece in prompts.template("curate-lines").split("}}")]
    runs = [run.rstrip("\n") if run.endswith(":\n") else run for run in runs]
    runs += [prompts.about(source), '{"operations":[', "]}", '{"line":', ',"quote":"']
    runs += [f'","do":"add","place":"new","folder":"{FOLDER}","title":"', '","kind":"']
    runs += ['","about":"', '","text":"', '"}', "},", "| ", ".\n", "\n\n"]
    runs += [kind for kind in MARKS.values() if kind]
    return [run for run in [*runs, *MARKS, *THINGS, *OBJECTS] if len(run) > 1]
