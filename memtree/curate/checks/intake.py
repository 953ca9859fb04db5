"""A part of a source made fit to be read by a curator: no secrets, nothing hidden, no orders.

Secrets are redacted, characters that hide text are taken out, and passages that address whoever
reads them are put aside: not shown to a model, not curated, but reported, and kept for a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.curate.checks.bounds import line
from memtree.knowledge.plan import Refusal
from memtree.safety.hidden import has_hidden, smuggled, unhidden
from memtree.safety.injection import HARD, grade
from memtree.safety.secrets import redact

if TYPE_CHECKING:
    from memtree.knowledge.source import Part, Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """A part that may be read; the passages put aside; what was found, for the report.

    The passages of `held` are redacted too. `refusals` have the codes `secret`, `hidden-text` and
    `injection`, and never hold a secret.
    """

    part: Part
    held: tuple[Passage, ...] = ()
    refusals: tuple[Refusal, ...] = ()


def cleaned(part: Part) -> Cleaned:
    """The part without secrets, hidden text and passages that address the reader.

    Lines keep their numbers and the part its digest.
    """
    kept: list[Passage] = []
    held: list[Passage] = []
    refusals: list[Refusal] = []
    for passage in part.passages:
        clean, found = _passage(passage)
        refusals += found
        if any(refusal.code == "injection" for refusal in found):
            held.append(clean)
        else:
            kept.append(clean)
    source = replace(part.source, title=line(part.source.title, 300))
    if not refusals and source == part.source:
        return Cleaned(part=part)
    return Cleaned(
        part=replace(part, source=source, passages=tuple(kept)),
        held=tuple(held),
        refusals=tuple(refusals),
    )


def _passage(passage: Passage) -> tuple[Passage, list[Refusal]]:
    first, last = passage.lines
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    found: list[Refusal] = []
    text, secrets = redact(passage.text)
    for secret in secrets:
        message = f"{where}: a secret ({secret.kind}) was taken out before anything was stored"
        found.append(Refusal(code="secret", message=message, said=secret.kind))
    addressed = max(grade(text), grade(smuggled(text)))
    if has_hidden(text):
        text = unhidden(text)
        found.append(Refusal(code="hidden-text", message=f"{where}: hidden characters taken out"))
        addressed = max(addressed, grade(text))
    heading, speaker = _short(passage.heading), _short(passage.speaker)
    addressed = max(addressed, grade(f"{heading}\n{speaker}"))
    if addressed >= HARD:
        message = f"{where}: this addresses whoever reads it; it was put aside, not followed"
        found.append(Refusal(code="injection", message=message, said=line(text, 80)))
    if (text, heading, speaker) == (passage.text, passage.heading, passage.speaker):
        return passage, found
    return replace(passage, text=text, heading=heading, speaker=speaker), found


def _short(text: str) -> str:
    return line(text, 500) if text else text
