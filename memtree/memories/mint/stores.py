"""The versioned tree as a memory of a session: facts that are superseded, never overwritten.

A curator by rules reads context after context and proposes operations: a first value is an `Add`, a
later one a `Supersede` of the fact before it, dated by the context that says so. The tree keeps
what no longer holds under `## Superseded`, and from there the whole past of a person or thing is
read again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.knowledge.plan import Add, Claim, Evidence, Supersede
from memtree.memories.mint.reader import Held, Timelines, hear, sentences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.knowledge.plan import Operation
    from memtree.memories.mint.record import Context
    from memtree.plugins.context import TreeView

FACTS = "state"
"""The folder of the facts; what was told stands whole in `RAW`."""
RAW = "raw"
_FACT = re.compile(
    r"^(?:The )?(\w+) (is in|lies in|is with) (?:the )?(\w+) \((\d{4}-\d\d-\d\dT[\d:]+)\)$"
)
_REASON = "a context of the session says so"


def path_of(name: str) -> str:
    """The entry of a person or thing."""
    return f"{FACTS}/{'people' if name[0].isupper() else 'things'}/{name.lower()}.md"


def curated(contexts: Sequence[Context], names: Sequence[str]) -> Iterator[list[Operation]]:
    """The operations that each context asks for; `names` are what the contexts are called.

    Block ids are those that the tree gives: f1, f2, ... in an entry.
    """
    lines: Timelines = {}
    for context, name in zip(contexts, names, strict=True):
        operations: list[Operation] = []
        for sentence in sentences(context.text):
            heard = hear(sentence, context.time, lines)
            if heard is not None:
                about, held = heard
                operations.append(_operation(about, held, len(lines[about]), name, sentence))
        yield operations


def _operation(about: str, held: Held, count: int, source: str, quote: str) -> Operation:
    claim = Claim(
        text=_words(about, held),
        evidence=(Evidence(source=source, quote=quote, lines=(0, 0)),),
        when=held.time,
    )
    path = path_of(about)
    if count == 1:
        title = about if about[0].isupper() else f"the {about}"
        return Add(path=path, title=title, claims=(claim,), reason=_REASON, confidence=1.0)
    return Supersede(
        path=path, fact=f"f{count - 1}", claim=claim, since=held.time, reason=_REASON,
        confidence=1.0,
    )  # fmt: skip


def _words(about: str, held: Held) -> str:
    if held.holder:
        return f"The {about} is with {held.holder}"
    if about[0].isupper():
        return f"{about} is in the {held.place}"
    return f"The {about} lies in the {held.place or 'open'}"


def remembered(tree: TreeView) -> tuple[Timelines, int]:
    """What the facts of a tree say, the superseded ones too; and how many characters they have.

    Facts are in order by the time that they bear: the past stands behind the present in a file.
    """
    lines: Timelines = {}
    letters = 0
    for ref in tree.entries(FACTS):
        found: dict[tuple[str, str], Held] = {}
        about = ""
        for _, words, _ in tree.facts(ref.path):
            match = _FACT.match(words)
            if match is None:
                continue
            letters += len(words)
            about, how, what, time = match.groups()
            held = Held(time, holder=what) if how == "is with" else Held(time, place=what)
            found[time, what] = held
        if found:
            lines[about] = [found[key] for key in sorted(found)]
    return lines, letters
