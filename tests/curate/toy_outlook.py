"""A tree in memory for curators to look at, and sources from a few words."""

import hashlib
import re
from collections.abc import Sequence

from memtree.curate.protocol import Fact, Known, KnownEntry
from memtree.knowledge.source import Part, Passage, Source

_WORD = re.compile(r"\w+")


class ToyOutlook:
    """Entries by path; recall counts shared words."""

    def __init__(self, entries: dict[str, tuple[str, Sequence[str]]] | None = None) -> None:
        self.entries = {
            path: _entry(path, title, facts) for path, (title, facts) in (entries or {}).items()
        }

    def recall(self, text: str, *, limit: int = 8) -> Sequence[Known]:
        words = set(_WORD.findall(text.casefold()))
        found = [
            Known(
                path=entry.path,
                title=entry.title,
                text=entry.body,
                lines=(1, 1 + len(entry.facts)),
                score=float(len(words & set(_WORD.findall(entry.body.casefold())))),
            )
            for entry in self.entries.values()
        ]
        found.sort(key=lambda known: (-known.score, known.path))
        return [known for known in found if known.score][:limit]

    def entry(self, path: str) -> KnownEntry | None:
        return self.entries.get(path)

    def named(self, name: str) -> Sequence[str]:
        return [entry.path for entry in self.entries.values() if entry.title == name]

    def paths(self, folder: str = "") -> Sequence[str]:
        return sorted(path for path in self.entries if path.startswith(folder))

    def count(self) -> int:
        return len(self.entries)


def _entry(path: str, title: str, facts: Sequence[str]) -> KnownEntry:
    listed = tuple(
        Fact(id=f"f{number}", text=text, line=number + 1)
        for number, text in enumerate(facts, start=1)
    )
    body = f"# {title}\n" + "".join(f"- {fact.text} ^{fact.id}\n" for fact in listed)
    return KnownEntry(
        path=path,
        id="id" + str(len(path)),
        title=title,
        type="fact",
        meta={"title": title},
        body=body,
        facts=listed,
        fingerprint=hashlib.sha256(body.encode()).digest(),
    )


def part_of(text: str, *, name: str = "notes.md", kind: str = "prose") -> Part:
    """A source whose paragraphs are its passages."""
    passages, at = [], 1
    for block in text.split("\n\n"):
        rows = block.count("\n")
        passages.append(Passage(text=block, lines=(at, at + rows), kind=kind))
        at += rows + 2
    return part_with(passages, name=name)


def part_with(passages: Sequence[Passage], *, name: str = "notes.md", number: int = 1) -> Part:
    digest = hashlib.sha256("\0".join(passage.text for passage in passages).encode())
    return Part(
        source=Source(name=name),
        number=number,
        passages=tuple(passages),
        digest=digest.hexdigest(),
    )
