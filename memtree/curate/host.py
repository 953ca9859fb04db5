"""An agent as the curator: one document that says all it needs, and its plan read and checked.

`plan_prompt` gives the task, the rules, the schema, what is known and the numbered source;
`read_plan` takes the answer. The plan names the source by its digest, so that a plan for something
else is refused in words. `write_plan` is the way back: a proposal as such a plan.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from memtree.curate.checks import cleaned
from memtree.curate.heard import Fields, hear, shown, unheard
from memtree.curate.plan_json import MANY, NAME, QUOTE, SHORT, TEXT, WHEN, PlanReader, written
from memtree.curate.prompts import fill, harmless, near, source_text, template
from memtree.curate.schema import numbered, one_line, pick_folders
from memtree.errors import Refused, UsageError
from memtree.knowledge.plan import KINDS, Proposal, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.curate.protocol import KnownEntry, Outlook
    from memtree.curate.schema import Line
    from memtree.knowledge.plan import Operation
    from memtree.knowledge.source import Part

MAX_OPERATIONS = 500
"""Of one plan; more of them are refused, and counted."""
PATH = 400
KNOWN = 24
"""Known entries that the document shows; the agent may ask for others."""
_GULP = 1500
"""Characters of the source that are asked for at once when what is known is looked up."""


def digest(parts: Sequence[Part]) -> str:
    """Which source a plan is for: the digest of one part, or that of the digests of several."""
    if len(parts) == 1:
        return parts[0].digest
    return hashlib.sha256("\n".join(part.digest for part in parts).encode()).hexdigest()


def _lines(parts: Sequence[Part]) -> tuple[Line, ...]:
    """The lines of the document: the same when it is written and when its plan is read."""
    return numbered(cleaned(part).part for part in parts)


# --- the document


def plan_prompt(parts: Sequence[Part], outlook: Outlook) -> str:
    """One document that any agent can answer with a plan; secrets and orders are left out of it.

    Raises UsageError when there is nothing to plan from.
    """
    lines = _lines(parts)
    if not lines:
        raise UsageError("there is nothing to plan from", hint="give a text, a file or a folder")
    known = _known(lines, outlook)
    folders = pick_folders(outlook.paths(), [entry.path for entry in known], most=40)
    schema = plan_schema(lines, known, digest(parts))
    return fill(
        template("plan"),
        schema=_laid_out(schema),
        known="\n".join(_told(entry, lines) for entry in known) or "Nothing about this.",
        folders="\n".join(f"- {folder}" for folder in folders) or "None yet.",
        source=source_text(lines),
    )


def _known(lines: Sequence[Line], outlook: Outlook) -> list[KnownEntry]:
    """Entries that speak of the same things, those first that more of the source points at."""
    scores: dict[str, float] = {}
    gulp = ""
    for line in lines:
        gulp += line.text + "\n"
        if len(gulp) > _GULP or line is lines[-1]:
            for found in outlook.recall(gulp):
                scores[found.path] = scores.get(found.path, 0.0) + found.score
            gulp = ""
    best = sorted(scores, key=lambda path: (-scores[path], path))[:KNOWN]
    return [entry for entry in map(outlook.entry, best) if entry is not None]


def _told(entry: KnownEntry, lines: Sequence[Line]) -> str:
    text = " ".join(line.text for line in lines[:400])
    rows = [f"- {one_line(entry.path)}: {harmless(entry.title, SHORT)}"]
    rows += [f"  - {harmless(fact.text, 300)} ^{fact.id}" for fact in near(entry.facts, text, 20)]
    if not entry.facts and entry.body.strip():
        rows.append(f"  - {harmless(entry.body, 300)}")
    return "\n".join(rows)


def plan_schema(
    lines: Sequence[Line], known: Sequence[KnownEntry], source: str
) -> dict[str, object]:
    """The JSON schema of a plan (draft 2020-12)."""
    path = _text(PATH, 3)
    there: dict[str, object] = {"enum": [entry.path for entry in known]} if known else path
    evidence = _object(
        {
            "line": {"type": "integer", "minimum": 1, "maximum": lines[-1].number},
            "quote": _text(QUOTE, 3),
        }
    )
    claim = _object(
        {
            "text": _text(TEXT, 3),
            "kind": {"enum": list(KINDS)},
            "evidence": _list(evidence, 8, 1),
        },
        {"about": _text(SHORT), "when": _text(WHEN)},
    )
    whole, claim = claim, {"$ref": "#/$defs/claim"}
    claims = _list(claim, MANY, 1)
    names: list[tuple[str, dict[str, object], dict[str, object]]] = [
        (
            "add",
            {"path": path, "title": _text(SHORT, 1), "claims": claims},
            {"type": _text(NAME), "tags": _list(_text(NAME, 1), 12), "description": _text(SHORT)},
        ),
        (
            "update",
            {"path": there},
            {
                "claims": claims,
                "replaces": _list(_object({"fact": _text(NAME, 1), "claim": claim}), MANY),
                "drops": _list(_object({"fact": _text(NAME, 1), "reason": _text(SHORT, 1)}), MANY),
            },
        ),
        (
            "supersede",
            {"path": there},
            {"fact": _text(NAME), "claim": claim, "by": path, "since": _text(10)},
        ),
        ("merge", {"paths": _list(there, 20, 1), "into": there}, {}),
        ("move", {"path": there, "to": path}, {}),
        ("archive", {"path": there}, {}),
        ("link", {"path": path, "to": path}, {"rel": _text(NAME, 1)}),
    ]
    operations = [
        _object(
            {"op": {"const": name}, **required, "reason": _text(SHORT, 3)},
            {**optional, "confidence": {"type": "number", "minimum": 0, "maximum": 1}},
        )
        for name, required, optional in names
    ]
    every = _list({"anyOf": operations}, MAX_OPERATIONS)
    plan = _object({"source": {"const": source}, "operations": every})
    return {"$defs": {"claim": whole}, **plan}


def _laid_out(schema: Mapping[str, object]) -> str:
    """The schema as text that an agent can read, each operation on a line of its own."""
    text = json.dumps(schema, ensure_ascii=False)
    return text.replace(
        '{"type": "object", "properties": {"op"', '\n{"type": "object", "properties": {"op"'
    )


def _text(most: int, least: int = 0) -> dict[str, object]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _list(items: Mapping[str, object], most: int, least: int = 0) -> dict[str, object]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _object(
    required: Mapping[str, object], optional: Mapping[str, object] | None = None
) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


# --- the answer


def read_plan(text: str, parts: Sequence[Part]) -> Proposal:
    """The operations of a plan, and what in it is none, in words that it can be corrected from.

    Raises UsageError when there is no plan in the text, Refused when it is for another source.
    """
    heard = hear(text, verb="op")
    if not heard.found:
        raise UsageError(
            "there is no plan in this text",
            hint='it must be a JSON object like {"source": "...", "operations": [...]}',
        )
    named = heard.head.get("source", "")
    if named not in ("", digest(parts)):
        raise Refused(
            f"the plan is for another source ({shown(named)[:12]}), or the source has changed",
            hint="make a new one from `memtree curate SOURCE --plan-prompt`",
        )
    reader = PlanReader(_lines(parts))
    operations: list[Operation] = []
    refusals = unheard(heard, verb="op")
    for number, item in enumerate(heard.items[:MAX_OPERATIONS], start=1):
        fields = Fields(item if isinstance(item, dict) else {}, f"operation {number}")
        operation = reader.operation(fields)
        if operation is not None and operation in operations:
            fields.refuse("repeated", "says again what another operation said")
        elif operation is not None:
            operations.append(operation)
        refusals += fields.refusals
    if len(heard.items) > MAX_OPERATIONS:
        more = len(heard.items) - MAX_OPERATIONS
        message = f"{more} operations more than the {MAX_OPERATIONS} that one plan may have"
        refusals.append(Refusal(code="too-many", message=message))
    notes = () if named else ("the plan does not say which source it is for",)
    return Proposal(operations=tuple(operations), refusals=tuple(refusals), notes=notes)


def write_plan(operations: Sequence[Operation], parts: Sequence[Part]) -> str:
    """Operations as a plan that `read_plan` takes: to be looked at, corrected and handed back."""
    lines = _lines(parts)
    listed = [written(operation, lines) for operation in operations]
    plan = {"source": digest(parts), "operations": listed}
    return json.dumps(plan, ensure_ascii=False, indent=1) + "\n"
