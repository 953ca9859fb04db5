"""A plan: the typed operations that a curator proposes, each with reason, evidence, confidence.

A plan is a value. `memtree.curate.checks` decides what becomes of each operation, and only what it
lets through is applied, all of it or none. Whoever proposes (rules, a model, an agent, a plugin)
never touches a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("fact", "event", "definition", "decision", "preference", "procedure", "plan")
"""What a claim is. The type of an entry is free text; `definition` becomes `concept` there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The span of the source that a claim rests on: the quote must really stand there.

    `source` is `Source.name`; `lines` the first and last line (from 1), (0, 0) when whoever
    proposed did not say: the checks find them.
    """

    source: str
    quote: str
    lines: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement that stands on its own, and what it rests on.

    `subject` is whom or what it is about; `kind` one of `KINDS`; `when` the day or span that it
    speaks of (ISO 8601: a year, month, day or interval a/b; "" if it names none); `speaker` who
    said it and `said` when (ISO 8601), "" outside of conversations.
    """

    text: str
    evidence: tuple[Evidence, ...]
    subject: str = ""
    kind: str = "fact"
    when: str = ""
    speaker: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What all operations have: why, and how sure whoever proposed it is (0 to 1)."""

    reason: str
    confidence: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Proposed):
    """A new entry at `path` (domain/topic/stem or domain/topic/subtopic/stem) with these claims.

    If something stands there already the operation becomes an Update of it. `time`, `speaker` and
    `session` are of what was said together; "" where it was not said. `prose` stands before the
    claims, which may then be none; `meta` are further keys of the front matter, never those that
    memtree keeps itself.
    """

    path: str
    title: str
    claims: tuple[Claim, ...]
    type: str = "fact"
    tags: tuple[str, ...] = ()
    description: str = ""
    time: str = ""
    speaker: str = ""
    session: str = ""
    prose: str = ""
    meta: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """A fact (its block id, without ^) gets another text that says the same or more."""

    fact: str
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A fact is taken out, and why: the only way in which an Update loses anything."""

    fact: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Proposed):
    """More claims for the entry at `path`; facts of it replaced or dropped only by name."""

    path: str
    claims: tuple[Claim, ...] = ()
    replaces: tuple[Replace, ...] = ()
    drops: tuple[Drop, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Proposed):
    """The facts and the prose of `paths` move into the entry at `into`; nothing is lost."""

    paths: tuple[str, ...]
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Proposed):
    """The entry at `path` goes to `to`; links follow."""

    path: str
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Supersede(Proposed):
    """Something newer holds instead, `since` a date (ISO 8601).

    With `fact` (a block id) the claim takes the place of that fact of the entry at `path`, which
    stays as history; without, the entry at `by` takes the place of the whole entry at `path`.
    """

    path: str
    fact: str = ""
    claim: Claim | None = None
    by: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Proposed):
    """The entry at `path` goes to the archive; a stub stays."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Proposed):
    """A relation `rel` from the entry at `path` to the entry at `to`."""

    path: str
    to: str
    rel: str = "related"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotate(Proposed):
    """Keys of the front matter of the entry at `path`; None deletes one. The text stays.

    Never the keys that say what an entry is (`id`, `type`, `title`, `generated`).
    """

    path: str
    keys: Mapping[str, object]


Operation = Add | Update | Merge | Move | Supersede | Archive | Link | Annotate


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something that was said and that is no operation, or must not become one.

    `code` is a short word for counting (`no-evidence`, `bad-path`, `bad-json`, ...); `message` says
    to whoever proposed it what to do better; `said` is the beginning of what it was about.
    """

    code: str
    message: str
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a proposal took: calls of a model, tokens read and written, milliseconds.

    `reused` of the tokens read were still in the model's memory from the call before.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    ms: float = 0.0
    reused: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a curator makes of one part of a source; `unfinished` when it stopped in the middle."""

    operations: tuple[Operation, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()
    cost: Cost = Cost()
    unfinished: bool = False


APPLY, REVIEW, REFUSE, NOTHING = "apply", "review", "refuse", "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one operation: applied, held for review, refused, or nothing left to do.

    `operation` is as it may be applied (claims that failed are taken out of it), or as proposed
    when it is refused; `refusals` say what was taken out or why it is refused; `risks` are codes
    (`contradiction`, `drops`, `archives`, `injection`, `unsure`, ...) that policy may hold back.
    """

    operation: Operation
    outcome: str
    refusals: tuple[Refusal, ...] = ()
    risks: tuple[str, ...] = ()
