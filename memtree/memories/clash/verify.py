"""The acceptance check: contradictions found, no false alarms, both sides shown, M_R measured."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from memtree.memories.clash.pairs40 import COMPATIBLE
from memtree.memories.clash.scanning import update
from memtree.memories.clash.suite import (
    COUNTER,
    FEWER,
    FIRST,
    LAST,
    MORE,
    ConflictQa,
    Row,
    nearest,
    rows_of,
)
from memtree.plugins import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.plugins import Lab

RECALL, ALARMS = 0.90, 0.01
_RIVALS = {
    "infra/http/retries.md": (
        "---\ntitle: HTTP retries\nid: old1\ntime: 2024-03-01\n---\n\n# HTTP retries\n\n"
        "## Facts\n\n- The HTTP client gives up after 3 attempts. ^f1\n"
    ),
    "infra/http/limits.md": (
        "---\ntitle: HTTP limits\nid: new1\ntime: 2025-06-15\n---\n\n# HTTP limits\n\n"
        "## Facts\n\n- The HTTP client gives up after 5 attempts. ^f1\n"
    ),
    "infra/http/pool.md": (
        "---\ntitle: HTTP pool\nid: pool1\ntime: 2025-01-01\n---\n\n"
        "The HTTP client keeps 20 connections open.\n"
    ),
}
_QUESTION = "After how many attempts does the HTTP client give up?"


def checks(lab: Lab) -> Iterator[Check]:
    """The checks of seed S14 (4), and those of the commands."""
    yield from _found(lab, "the 40 pairs that ship", _fixture(), len(COMPATIBLE))
    if lab.data and _holds_claims(lab.data):
        yield from _found(lab, "the data given", rows_of(lab.data), 0)
    else:
        lab.skip("claims of ConflictQA", "no folder with ConflictQA's JSON lines was given")
    yield _both_packed(lab)
    yield _shown(lab)
    yield _settled(lab)
    yield _kept_out(lab)
    yield _ratio(lab)


def _found(lab: Lab, what: str, rows: Sequence[Row], alike: int) -> Iterator[Check]:
    """Recall, and false alarms among all pairs that are none, of a tree with a claim an entry."""
    desk = lab.tree({f"claims/{side}{at}.md": _entry(f"{side}{at}", row, text)
                     for at, row in enumerate(rows)
                     for side, text in (("m", row.claim), ("c", row.counter))})  # fmt: skip
    found = update(desk.context).clashes
    wanted = {frozenset((row.claim, row.counter)) for row in rows if not row.holds}
    pairs = {frozenset((each.one.text, each.other.text)) for each in found}
    hit = len(pairs & wanted)
    yield Check(
        name=f"contradicting claims of {what} are found", passed=hit >= RECALL * len(wanted),
        measured=f"recall {hit / len(wanted):.3f} ({hit} of {len(wanted)} pairs)",
        needed=f"recall >= {RECALL:.2f}",
    )  # fmt: skip
    hard = {frozenset((rows[one].claim, rows[other].claim)) for one, other in nearest(rows)}
    hard |= {frozenset((row.claim, row.counter)) for row in rows if row.holds}
    false = len(pairs & (hard - wanted))
    texts = len({text for row in rows for text in (row.claim, row.counter)})
    every = texts * (texts - 1) // 2 - len(wanted)
    traps = f", {alike} of them written to mislead" if alike else ""
    yield Check(
        name=f"claims of {what} that can both hold are left alone",
        passed=false <= ALARMS * len(hard),
        measured=f"{false} false alarms among the {len(hard)} nearest pairs{traps};"
                 f" {len(pairs - wanted)} among all {every:,}",
        needed="at most 1 % of the nearest pairs",
    )  # fmt: skip


def _both_packed(lab: Lab) -> Check:
    """Two rivals, and what a model would read: once each, dated, in either order."""
    orders = set()
    for seed in range(8):
        desk = lab.tree(_RIVALS, options={"seed": seed}, now="2026-01-01T00:00:00Z")
        pieces = [(each.path, each.label) for each in desk.pack(_QUESTION)
                  if "disagree" in each.label]  # fmt: skip
        if {path for path, _ in pieces} != {"infra/http/retries.md", "infra/http/limits.md"}:
            break
        if not any("2024-03-01" in label for _, label in pieces) \
                or not any("2025-06-15, newest" in label for _, label in pieces):  # fmt: skip
            break
        orders.add(pieces[0][0])
    else:
        return Check(name="two rivals are both in the prompt, with dates", passed=len(orders) == 2,
                     measured=f"both, dated, the newest labelled; {len(orders)} orders in 8 seeds",
                     needed="both with their dates, order by chance")  # fmt: skip
    return Check(name="two rivals are both in the prompt, with dates", passed=False,
                 measured=f"{pieces}", needed="both with their dates")  # fmt: skip


def _shown(lab: Lab) -> Check:
    """A search brings the rival and says which is newest; `newest` leaves the older out."""
    desk = lab.tree(_RIVALS, now="2026-01-01T00:00:00Z")
    both = {hit.path: hit.why for hit in desk.search(_QUESTION, limit=5).hits}
    alone = [hit.path for hit in desk.search(_QUESTION, limit=5, conflicts="newest").hits]
    good = "newest" in both.get("infra/http/limits.md", "") \
        and "older" in both.get("infra/http/retries.md", "") \
        and "infra/http/retries.md" not in alone and "infra/http/limits.md" in alone  # fmt: skip
    return Check(name="hits that disagree are shown with their rival", passed=good,
                 measured=f"show: {both.get('infra/http/retries.md', 'missing')};"
                          f" newest: {', '.join(alone)}",
                 needed="both noted; with `newest` the older one left out")  # fmt: skip


def _settled(lab: Lab) -> Check:
    """`conflicts resolve --newest` supersedes through an operation, and the scan is clean."""
    from memtree.memories.clash import commands

    desk = lab.tree(_RIVALS, now="2026-01-01T00:00:00Z")
    first = commands.scan(desk)
    marks = _ids(first.value)
    told = commands.resolve(desk, marks[0], newest=True) if marks else first
    after = commands.scan(desk)
    text = desk.read("infra/http/retries.md")
    good = first.code == 1 and after.code == 0 and "## Superseded" in text \
        and "(until 2025-06-15" in text  # fmt: skip
    return Check(name="a disagreement is settled by superseding the older claim", passed=good,
                 measured=f"{len(marks)} found, {len(told.lines)} lines of change, then"
                          f" {len(_ids(after.value))} open; the old claim stays as history",
                 needed="1 found, then 0 open")  # fmt: skip


def _kept_out(lab: Lab) -> Check:
    """What contradicts the tree is not written, and why is said."""
    from memtree.knowledge.plan import Add, Claim

    desk = lab.tree(_RIVALS, now="2026-01-01T00:00:00Z")

    def add(text: str) -> Add:
        return Add(reason="heard", path="infra/http/new", title="HTTP attempts",
                   claims=(Claim(text=text, evidence=()),))  # fmt: skip

    no = desk.apply([add("The HTTP client gives up after 9 attempts.")], dry_run=True)
    yes = desk.apply([add("The HTTP client logs each failed attempt.")], dry_run=True)
    good = len(no.rejected) == 1 and "contradicts" in no.rejected[0][2] and not yes.rejected
    said = no.rejected[0][2] if no.rejected else "accepted"
    return Check(name="a new claim that contradicts the tree is rejected", passed=good,
                 measured=said[:160], needed="rejected, the rival named")  # fmt: skip


def _ratio(lab: Lab) -> Check:
    """M_R of a scripted model that believes what it reads first: known beforehand."""
    rows = [row for row in _fixture() if not row.holds][:12]
    suite = ConflictQa()
    cases = [each for each in suite.cases(data="", seed=1, probes=40) if each.setup == "memory"]
    desk = lab.tree({"notes/one.md": "Nothing of this is asked here.\n"}, model=_first_note)
    graded = [(each.kind, suite.grade(each, suite.answer(each, desk))) for each in cases]
    lines = suite.report(_rows(graded))
    by_kind = {kind: [one["M_R"] for each, one in graded if each == kind and "M_R" in one]
               for kind in dict(graded)}  # fmt: skip
    ratios = {kind: sum(values) / len(values) for kind, values in by_kind.items() if values}
    wanted = {COUNTER: 0.0, FIRST: 1.0, LAST: 0.0, MORE: 1.0, FEWER: 0.0}
    good = ratios == wanted and all(len(by_kind[kind]) >= len(rows) for kind in wanted)
    return Check(name="the memorisation ratio of a scripted model that believes the first note",
                 passed=good, measured="; ".join(lines) or "nothing measured",
                 needed="M_R 0 alone, 1 with its memory first, 0 with it behind, none where what it"
                        " believes is irrelevant")  # fmt: skip


def _first_note(prompt: str) -> str:
    """A model that knows every claim of the fixture, and believes the first note that it reads."""
    if "1. " in prompt:
        return json.dumps({"answer": prompt.split("1. ", 1)[1].split("\n", 1)[0]})
    if "Note: " in prompt:
        return json.dumps({"answer": prompt.split("Note: ", 1)[1].split("\n", 1)[0]})
    asked = prompt.split("Question: Is it so? ", 1)[1].split("\n", 1)[0]
    return json.dumps({"answer": asked, "evidence": asked})


def _fixture() -> list[Row]:
    return rows_of("")


def _entry(name: str, row: Row, text: str) -> str:
    title = json.dumps(row.question or "A matter", ensure_ascii=False)
    return f"---\nid: {name}\ntitle: {title}\n---\n\n{text}\n"


def _holds_claims(data: str) -> bool:
    try:
        return bool(rows_of(data))
    except Exception:  # noqa: BLE001  (a folder of other data)
        return os.path.isfile(data)


def _ids(value: object) -> list[str]:
    opened = value.get("open") if isinstance(value, dict) else None
    return [str(each["id"]) for each in opened] if isinstance(opened, list) else []


def _rows(graded: Sequence[tuple[str, Mapping[str, float]]]) -> list[dict[str, object]]:
    """The table's rows, as the host makes them: the mean of each measure by kind."""
    found: list[dict[str, object]] = []
    for kind in dict.fromkeys(kind for kind, _ in graded):
        own = [one for each, one in graded if each == kind]
        row: dict[str, object] = {"kind": kind, "n": len(own)}
        for name in dict.fromkeys(name for one in own for name in one):
            values = [one[name] for one in own if name in one]
            row[name] = sum(values) / len(values)
        found.append(row)
    return found
