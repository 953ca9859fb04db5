"""A tree in memory for the checks: entries as text, recalled by the words that they share."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from memtree.claims.wording import wording
from memtree.curate.facts import facts_of
from memtree.curate.protocol import Known, KnownEntry
from memtree.knowledge.plan import Claim, Evidence, Operation, Proposal
from memtree.knowledge.source import Part, Passage, Source


def entry(title: str, *facts: str, created: str = "2024-01-01") -> str:
    lines = [f"- {fact} ^f{number}" for number, fact in enumerate(facts, 1)]
    head = f"---\ntype: fact\ntitle: {title}\ncreated: {created}\n---\n## Facts\n\n"
    return head + "\n".join(lines) + "\n"


class SmallTree:
    """An `Outlook` over texts."""

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = files or {}

    def recall(self, text: str, *, limit: int = 8) -> Sequence[Known]:
        wanted = set(wording(text).content)
        found = []
        for path, whole in self.files.items():
            score = len(wanted & set(wording(whole).content))
            if score:
                lines = (1, whole.count("\n") + 1)
                found.append(Known(path=path, title=path, text=whole, lines=lines, score=score))
        return sorted(found, key=lambda known: -known.score)[:limit]

    def entry(self, path: str) -> KnownEntry | None:
        text = self.files.get(path)
        if text is None:
            return None
        _, _, rest = text.partition("---\n")
        front, _, body = rest.partition("---\n")
        meta = dict(line.split(": ", 1) for line in front.splitlines() if ": " in line)
        return KnownEntry(
            path=path,
            id=path,
            title=meta.get("title", path),
            type="fact",
            meta=meta,
            body=body,
            facts=facts_of(text),
            fingerprint=hashlib.sha256(text.encode()).digest(),
        )

    def named(self, name: str) -> Sequence[str]:
        wanted = unicodedata.normalize("NFC", name).casefold()
        return sorted(
            path
            for path in self.files
            if wanted in (path.casefold(), self.entry(path).title.casefold())  # type: ignore[union-attr]
        )

    def paths(self, folder: str = "") -> Sequence[str]:
        return sorted(path for path in self.files if not folder or path.startswith(f"{folder}/"))

    def count(self) -> int:
        return len(self.files)


def part_of(*texts: str | Passage, title: str = "", time: str = "") -> Part:
    passages = []
    line = 1
    for text in texts:
        if isinstance(text, str):
            end = line + text.count("\n")
            passages.append(Passage(text=text, lines=(line, end)))
            line = end + 2
        else:
            passages.append(text)
            line = text.lines[1] + 1
    source = Source(name="notes.md", title=title, time=time)
    return Part(source=source, number=1, passages=tuple(passages), digest="0" * 64)


def said(text: str, speaker: str, time: str = "", line: int = 1) -> Passage:
    return Passage(text=text, lines=(line, line), kind="message", speaker=speaker, time=time)


def claim(text: str, *quotes: str, when: str = "", kind: str = "fact") -> Claim:
    evidence = tuple(Evidence(source="notes.md", quote=quote) for quote in quotes)
    return Claim(text=text, evidence=evidence, when=when, kind=kind)


def proposal(*operations: Operation) -> Proposal:
    return Proposal(operations=operations)
