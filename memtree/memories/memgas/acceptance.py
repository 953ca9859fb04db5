"""The acceptance check of seed S17: what each step does on twelve entries, and whether it helps."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from memtree.knowledge.query import Query
from memtree.memories.memgas import texts
from memtree.memories.memgas.fixture import ANSWERS, PARTNER, QUESTION, entries
from memtree.numerics import load_numpy
from memtree.plugins import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.plugins import Desk, Lab

_LINE = re.compile(r"^(\d+)\. (.*)$", re.MULTILINE)


def checks(lab: Lab) -> Iterator[Check]:
    """All of them."""
    from memtree.memories.memgas.comparing import compared

    files = entries()
    yield _refuses(lab)
    desk = lab.tree(files, options={"force": True})
    desk.follow()
    yield from _granularities(desk)
    yield _partner(desk)
    yield _packs(desk)
    yield from _with_a_model(lab)
    if lab.data:
        yield compared(lab)
    else:
        lab.skip("A/B on data", "no data was given (--data DIR)")
    lab.skip("R@3 with a model that reads sentences", "a lab has none")


def _refuses(lab: Lab) -> Check:
    """On vectors of words it is unavailable, and says why."""
    from memtree.memories.memgas import MemGas

    said = []
    for embedder in ("builtin", "none"):
        mode = MemGas().mode(lab.tree({}, embedder=embedder).context)
        said.append((mode.usable, mode.reason))
    return Check(
        name="it refuses to work on vectors of words",
        passed=all(not usable and "no gain" in reason for usable, reason in said),
        measured="; ".join(reason for _, reason in said), needed="unavailable, with the reason",
    )  # fmt: skip


def _granularities(desk: Desk) -> Iterator[Check]:
    """The vector of the parts finds what that of the whole misses, and the router sees it."""
    from memtree.memories.memgas.keeping import question, stored
    from memtree.memories.memgas.network import route

    np = load_numpy()
    network = stored(desk.context)
    if network is None:
        yield Check(name="a network", passed=False, measured="none", needed="one")
        return
    alike = network.vectors @ question(desk.context, QUESTION)
    ranks = []
    for grain in (texts.ENTRY, texts.PARTS):
        rows = np.flatnonzero(network.grains == grain)
        order = rows[np.argsort(-alike[rows], kind="stable")]
        paths = [network.paths[place] for place in network.entries[order].tolist()]
        ranks.append(paths.index(ANSWERS) + 1)
    yield Check(
        name="parts find the bullet that the whole entry hides",
        passed=ranks[0] > 3 and ranks[1] == 1,
        measured=f"by its whole vector number {ranks[0]} of 12, by its parts number {ranks[1]}",
        needed="not among the first 3, and number 1",
    )
    routed = route(alike, network.grains, temperature=0.2)
    raw = _released(alike, network.grains)
    yield Check(
        name="the router gives the parts the most weight",
        passed=routed.chosen == texts.PARTS,
        measured=f"{routed.told()} (without division by log n: {raw})",
        needed="parts heaviest",
    )


def _released(alike: object, grains: object) -> str:
    """The weights as the released router has them, for comparison."""
    np = load_numpy()
    sure = []
    for grain in range(len(texts.GRANULARITIES)):
        share = np.exp(np.asarray(alike)[np.asarray(grains) == grain] / 0.2)
        share = share / share.sum()
        sure.append(1 + float((share * np.log(share)).sum()))
    return ", ".join(f"{name} {one / sum(sure):.2f}"
                     for name, one in zip(texts.GRANULARITIES, sure, strict=True))  # fmt: skip


def _partner(desk: Desk) -> Check:
    """An entry that only an edge leads to is among the first five with the walk, not without."""
    from memtree.memories.memgas.keeping import stored

    network = stored(desk.context)
    links = [*desk.context.tree.relations(PARTNER), *desk.context.tree.backlinks(PARTNER)]
    edges = 0
    if network is not None:
        ends = {network.paths.index(ANSWERS), network.paths.index(PARTNER)}
        edges = sum({int(network.entries[one]), int(network.entries[other])} == ends
                    for one, other in network.edges.tolist())  # fmt: skip
    ranks = []
    for walk in (True, False):
        paths = [hit.path for hit in desk.retrieve(QUESTION, limit=12, walk=walk).hits]
        ranks.append(paths.index(PARTNER) + 1 if PARTNER in paths else 99)
    return Check(
        name="a partner that only an edge leads to comes in by the walk",
        passed=ranks[0] <= 5 < ranks[1] and edges > 0 and not links,
        measured=f"number {ranks[0]} with the walk, {ranks[1]} without; {edges} edges between the "
        f"two, {len(links)} links",
        needed="among the first 5 with it, not without; no link",
    )


def _packs(desk: Desk) -> Check:
    """What is packed is of the chosen granularity: bullets here."""
    from memtree.memories.memgas.texts import generated_of, read

    pieces = desk.pack(QUESTION, tokens=600, pack=True)
    generated = generated_of(desk.context)
    strange = 0
    for piece in pieces:
        one = read(desk.context, piece.path, generated)
        strange += one is None or all(part.text != piece.text for part in one.parts)
    held = any("4471" in piece.text for piece in pieces)
    return Check(
        name="only the chosen granularity is packed", passed=bool(pieces) and held and not strange,
        measured=f"{len(pieces)} pieces, {strange} that are no bullet; "
        f"the answer is {'' if held else 'not '}among them",
        needed="bullets alone, the answer among them",
    )  # fmt: skip


def _with_a_model(lab: Lab) -> Iterator[Check]:
    """Summaries, keywords and the filter, with a model that is scripted."""
    from memtree.memories.memgas.commands import build
    from memtree.memories.memgas.reading import filtered

    plain = {path: re.sub(r"(?m)^(tags|summary): .*\n", "", text)
             for path, text in entries().items()}  # fmt: skip
    desk = lab.tree(plain, model=_scripted, options={"force": True})
    value = build(desk).value
    nodes = value["nodes"] if isinstance(value, dict) else {}
    again = build(desk).value
    read = [each["summed_up"] for each in (value, again) if isinstance(each, dict)]
    yield Check(
        name="summaries and keywords are made once", passed=nodes == dict.fromkeys(
            texts.GRANULARITIES, 12) and read == [12, 0],
        measured=f"nodes {nodes}; entries read: first {read[0]}, then {read[-1]}",
        needed="12 nodes of each granularity; 12, then 0",
    )  # fmt: skip
    hits = desk.retrieve(QUESTION, limit=8).hits
    found = [hit.path for hit in filtered(Query(QUESTION), hits, desk.context)]
    yield Check(
        name="the filter keeps what it can quote, and nothing else", passed=found == [ANSWERS],
        measured=f"the model named two, one with words that stand nowhere: {found or 'none'} left",
        needed="the entry that was quoted",
    )  # fmt: skip


def _scripted(prompt: str) -> str:
    """Sums up by first words; filters for the number in the answer, and makes one quote up."""
    notes = prompt.partition("Notes:\n")[2]
    if not notes:
        body = prompt.rstrip().rpartition("\n\n")[2]
        words = re.findall(r"[^\W\d_]{5,}", body)
        return json.dumps({"summary": " ".join(body.split()[:12]), "keywords": words[:3]})
    keep = []
    for number, text in _LINE.findall(notes):
        if "4471" in text:
            keep.append({"note": int(number), "words": "code of the cabin gate is 4471"})
        elif len(keep) < 2 and "fence" in text:
            keep.append({"note": int(number), "words": "the code hangs on the fence"})
    return json.dumps({"keep": keep})
