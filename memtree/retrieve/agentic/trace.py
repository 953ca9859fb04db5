"""What tier 5 did, step by step: to be read by a person, and run again without the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: `action`, the words it acted on, the paths it found, what it cost, what it led to.

    `output` is the model's own text and `prompt` the SHA-256 of what it read; both "" without one.
    """

    action: str
    words: str = ""
    found: Sequence[str] = ()
    note: str = ""
    tokens: int = 0
    ms: float = 0.0
    output: str = ""
    prompt: str = ""

    def as_dict(self) -> dict[str, object]:
        """The JSON object; what is empty is left out."""
        out: dict[str, object] = {"action": self.action}
        for name in ("words", "note", "tokens", "output", "prompt"):
            value = getattr(self, name)
            if value:
                out[name] = value
        if self.found:
            out["found"] = list(self.found)
        out["ms"] = round(self.ms, 3)
        return out


@dataclass(slots=True, kw_only=True)
class Trace:
    """All steps of one question, who took them, and why they ended.

    `entries` maps each path that was found to the digest of its file then: where that is another
    now, the tree has changed. `handles` are the names by which a model knew what it read.
    """

    question: str
    by: str
    budget: str
    entries: dict[str, str] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    stopped: str = ""

    def as_dict(self) -> dict[str, object]:
        """The JSON object of `--json` and of the file that `--replay` reads."""
        return {
            "question": self.question,
            "by": self.by,
            "budget": self.budget,
            "steps": [step.as_dict() for step in self.steps],
            "stopped": self.stopped,
            "entries": dict(self.entries),
            "handles": dict(self.handles),
        }


def outputs_of(document: Mapping[str, object]) -> list[tuple[str, str]]:
    """(digest of the prompt, what the model said) of each step that asked the model, in order."""
    steps = document.get("steps")
    return [
        (str(step["prompt"]), str(step.get("output", "")))
        for step in (steps if isinstance(steps, list) else ())
        if isinstance(step, dict) and isinstance(step.get("prompt"), str)
    ]


def changed_since(document: Mapping[str, object], now: Mapping[str, str]) -> list[str]:
    """The paths that a recorded trace found and that are other files now, or gone ("" in `now`)."""
    then = document.get("entries")
    known = then if isinstance(then, dict) else {}
    return sorted(str(path) for path, digest in known.items() if now.get(str(path), "") != digest)
