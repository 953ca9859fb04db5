"""Whether it helps on a data set: its hits beside those of whole entries, and of plain search."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from memtree.memories.memgas import texts
from memtree.numerics import load_numpy
from memtree.plugins import Check
from memtree.plugins.records import read_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.plugins import Desk, Lab

AT, GAIN = 3, 2.0
"""R@3, and so many points above whole entries (seed S17)."""
_MOST = 200  # questions


def compared(lab: Lab, embedder: str = "builtin") -> Check:
    """The A/B on the data that a person gave; turns of one session are one entry.

    `embedder` is a value of `embed.model`. Raises UsageError for data that can't be read.
    """
    files, paths = sessions(lab.data)
    desk = lab.tree(files, embedder=embedder, options={"force": True})
    desk.follow()
    totals = [0.0, 0.0, 0.0]
    asked = questions(lab.data, paths)
    for text, gold, scope in asked:
        for place, found in enumerate(_ways(desk, text, scope)):
            totals[place] += 100 * len(gold & set(found[:AT])) / len(gold) / max(1, len(asked))
    whole, own, plain = totals
    helps = own >= whole + GAIN and own >= plain
    return Check(
        name=f"A/B on {os.path.basename(os.path.normpath(lab.data))}", passed=True,
        measured=f"R@{AT} of {len(asked)} questions: whole entries {whole:.1f}, memgas {own:.1f}, "
        f"memtree search {plain:.1f}: memgas {'helps' if helps else 'does not help'} on this tree",
        # Where it does not help, saying so is all that is asked for: a figure, no pass.
        needed=f"{GAIN:.0f} points above whole entries and no less than search" if helps else "",
    )  # fmt: skip


def _ways(desk: Desk, text: str, scope: str) -> tuple[list[str], list[str], list[str]]:
    from memtree.memories.memgas.keeping import question, stored

    np = load_numpy()
    network = stored(desk.context)
    whole: list[str] = []
    if network is not None:
        rows = np.flatnonzero(network.grains == texts.ENTRY)
        alike = network.vectors[rows] @ question(desk.context, text)
        order = network.entries[rows[np.argsort(-alike, kind="stable")]].tolist()
        whole = [network.paths[place] for place in order
                 if not scope or network.paths[place].startswith(scope + "/")]  # fmt: skip
    own = [hit.path for hit in desk.retrieve(text, limit=AT, scope=scope).hits]
    plain = [hit.path for hit in desk.context.search.ranked(text, limit=AT, scope=scope)]
    return whole, own, plain


def sessions(folder: str) -> tuple[dict[str, str], dict[str, str]]:
    """Entries by path, and the path of each document's entry. Raises UsageError."""
    entries: dict[str, list[str]] = {}
    heads: dict[str, str] = {}
    paths: dict[str, str] = {}
    for number, record in enumerate(read_records(os.path.join(folder, "corpus.jsonl"))):
        group = "".join(each if each.isalnum() else "-" for each in str(record.get("group", "all")))
        session = record.get("session")
        name = f"session-{session}" if session is not None else f"entry-{number}"
        path = f"{group.lower()}/{name}.md"
        speaker = f"{record['speaker']}: " if record.get("speaker") else ""
        line = " ".join(str(record["text"]).split())
        entries.setdefault(path, []).append(f"- {speaker}{line}" if session is not None
                                            else str(record["text"]))  # fmt: skip
        head = {"title": " ".join(str(record.get("title") or "").split()),
                "time": str(record.get("date") or "")}  # fmt: skip
        heads.setdefault(path, "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
                                       for key, value in head.items() if value))  # fmt: skip
        paths[str(record["id"])] = path
    files = {}
    for path, lines in entries.items():
        front = f"---\n{heads[path]}---\n" if heads[path] else ""
        files[path] = front + "\n".join(lines) + "\n"
    return files, paths


def questions(folder: str, paths: dict[str, str]) -> list[tuple[str, frozenset[str], str]]:
    """Text, paths that answer, and the folder that is asked; drawn evenly. Raises UsageError."""
    found = []
    for record in read_records(os.path.join(folder, "queries.jsonl")):
        gold = frozenset(paths[one] for one in _texts(record.get("gold")) if one in paths)
        if gold:
            found.append((str(record["text"]), gold, min(gold).partition("/")[0]))
    return found[:: max(1, len(found) // _MOST)]


def _texts(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
