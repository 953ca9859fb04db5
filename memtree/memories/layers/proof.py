"""The proof of `layers`: the five lines of its acceptance check, on scratch trees."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from memtree.knowledge.plan import Add, Claim
from memtree.memories.layers import commands
from memtree.memories.layers.conclusions import STALE, cited, grounds, layer_of
from memtree.memories.layers.haystack import READ as SHOWN
from memtree.memories.layers.haystack import SIZES, STEPS, Haystack, chain, solve
from memtree.plugins import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.plugins import Desk, Lab

_TOLD, _QUESTION, _GOLD = chain("Mara", ("cedar", "amber"), 1)
FILES = {
    "stores/parcel.md": f"---\nid: parcel\ntitle: Parcel of Mara\n---\n{_TOLD[0]}\n",
    "stores/cabinet.md": f"---\nid: cabinet\ntitle: Cedar cabinet\n---\n{_TOLD[1]}\n",
    "stores/key.md": "---\nid: key\ntitle: Key\n---\nThe key of Tobin hangs by the door.\n",
}
SECRETS = {
    "p/one.md": "---\nid: hidden-one\nprivate: true\n---\nThe pin is 4711.\n",
    "p/two.md": "---\nid: hidden-two\nmemos: {visibility: private}\n---\nMara is ill.\n",
    "p/three.md": "---\nid: hidden-three\nmemos:\n  frozen: true\n---\nNever changed.\n",
    "p/four.md": "---\nid: tells\ntitle: Tells\n---\nPlain words.\nSee [[hidden-one]].\n",
    "p/five.md": "---\nid: follows\nlayer: 1\nderived_from: [hidden-two, tells]\n---\nIll.\n",
}


def checks(lab: Lab) -> Iterator[Check]:
    """The acceptance check of S37."""
    desk = lab.tree(FILES, model=_scripted, embedder="none")
    yield from _derived(desk)
    yield _guarded(desk)
    yield _stale(desk)
    yield _exported(lab)
    yield _haystack()


def _scripted(prompt: str) -> str:
    """A model that draws one right conclusion, one about what no note says, and one of one note."""
    notes = {line[3:].strip(): int(line[1]) for line in prompt.splitlines()
             if line[:1] == "[" and line[2:3] == "]"}  # fmt: skip
    said: list[dict[str, object]] = []
    if {"Parcel of Mara", "Cedar cabinet"} <= set(notes):
        both = [notes["Parcel of Mara"], notes["Cedar cabinet"]]
        said = [
            {"text": f"The parcel of Mara is in the {_GOLD}.", "notes": both},
            {"text": "The parcel of Zoltan is in the amber hall.", "notes": both},
            {"text": "The parcel of Mara is kept in the cabinet.", "notes": both[:1]},
        ]
    return json.dumps({"conclusions": said}, separators=(",", ":"))


def needed(desk: Desk, question: str) -> tuple[str, int]:
    """What the rule reader answers from the first hits of a search, and from how many of them."""
    hits = desk.search(question, limit=SHOWN).hits
    found = [entry.body for hit in hits if (entry := desk.context.tree.get(hit.path))]
    return solve(question, found)


def _derived(desk: Desk) -> Iterator[Check]:
    before = needed(desk, _QUESTION)
    report = commands.derive(desk)
    after = needed(desk, _QUESTION)
    yield Check(
        name="a question of two hops needs two entries before, one after",
        passed=before == (_GOLD, 2) and after == (_GOLD, 1),
        measured=f"{before[1]} before, {after[1]} after ({after[0] or 'no answer'})",
        needed="2 before, 1 after, the right answer both times",
    )
    context = desk.context
    counts = [
        len(grounds(cited(entry.meta), context))
        for ref in context.tree.entries()
        if (entry := context.tree.get(ref.path)) and layer_of(entry.meta) == 1
    ]
    value = report.value if isinstance(report.value, dict) else {}
    refused = len(value.get("refused", ()))
    yield Check(
        name="every conclusion cites two entries; an invented one is not taken",
        passed=len(counts) == 1 and min(counts) >= 2 and refused >= 2,
        measured=f"{len(counts)} citing {min(counts, default=0)} entries; {refused} turned down",
        needed="at least 2 each; the invented and the one of one note turned down",
    )


def _guarded(desk: Desk) -> Check:
    cases: tuple[list[str], ...] = (
        [],
        ["parcel"],
        ["parcel", "stores/parcel"],
        ["parcel", "nobody-there"],
    )
    refused = 0
    for number, names in enumerate(cases):
        add = Add(
            path=f"conclusions/bad/c{number}", title=f"Bad {number}",
            claims=(Claim(text="Something follows.", evidence=()),),
            meta={"layer": 1, "derived_from": names}, reason="a trial",
        )  # fmt: skip
        done = desk.apply([add])
        refused += bool(done.rejected) and not done.applied
    return Check(
        name="the guard rejects conclusions that cite fewer than two existing entries",
        passed=refused == len(cases), measured=f"{refused} of {len(cases)} rejected",
        needed="all",
    )  # fmt: skip


def _stale(desk: Desk) -> Check:
    desk.follow()
    before = len(desk.context.sidecar.read(STALE))
    desk.remove("stores/cabinet.md")
    desk.follow()
    records = desk.context.sidecar.read(STALE)
    told = [str(record.get("why")) for record in records]
    shown = [hit.why for hit in desk.search(_QUESTION).hits if "stale" in hit.why]
    return Check(
        name="what rests on a deleted entry is stale within one on_change",
        passed=before == 0 and told == ["deleted"] and len(shown) == 1,
        measured=f"{before} before, {len(told)} after ({', '.join(told)}), {len(shown)} hit tells",
        needed="0 before, 1 after, said with the hit",
    )


def _exported(lab: Lab) -> Check:
    desk = lab.tree({**FILES, **SECRETS}, embedder="none")
    report = commands.export(desk)
    text = "\n".join(report.lines)
    leaks = sum(word in text for word in ("hidden", "4711", " ill", "Ill.", "Never changed"))
    return Check(
        name="the export holds nothing private or frozen, nor what rests on it",
        passed=leaks == 0 and len(report.lines) == len(FILES) + 1,
        measured=f"{leaks} leaks in {len(report.lines)} pairs of {len(FILES | SECRETS)} entries",
        needed="0 private ids",
    )


def _haystack() -> Check:
    suite = Haystack()
    right, kinds = 0, set()
    cases = list(suite.cases(data="", seed=7))
    for case in cases:
        texts = [document.text for document in suite.documents(case.setup)]
        answer, used = solve(case.query, texts)
        right += answer == case.answer and used == len(case.gold)
        kinds.add(case.kind)
    return Check(
        name="the gold of the haystack is verified by its solver",
        passed=right == len(cases) and len(kinds) == len(STEPS) * len(SIZES),
        measured=f"{right} of {len(cases)} in {len(kinds)} kinds",
        needed=f"all, {len(STEPS)} numbers of steps x {len(SIZES)} sizes",
    )
