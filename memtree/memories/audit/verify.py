"""The acceptance check: a small tree with five things wrong, and its clean copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from memtree.memories.audit.command import audit
from memtree.plugins import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.plugins import Lab

_NOW = "2026-01-01T00:00:00Z"


def _note(name: str, text: str, **keys: object) -> str:
    front = {"id": name, "title": name.replace("-", " "), "created": "2025-01-01", **keys}
    told = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items() if value)
    return f"---\n{told}---\n\n{text}\n"


CLEAN = {
    "infra/http/retries.md": _note(
        "retries", "## Facts\n\n- The HTTP client gives up after 3 attempts. ^f1", owner="ann",
        time="2024-03-01",
    ),
    "infra/http/limits.md": _note(
        "limits", "## Facts\n\n- The HTTP client keeps 20 connections open. ^f1", owner="ann"
    ),
    "infra/http/cache.md": _note(
        "cache", "The cache is kept for a day.\n\nIt is warmed in the morning.", owner="ann"
    ),
    "infra/http/summary.md": _note(
        "summary", "How the client behaves, in short. See [[retries]].", owner="ann",
        derived_from=["retries"], generated={"by": "memtree/rules", "at": "2025-02-01"},
    ),
    "people/ann.md": _note("ann", "Ann keeps the [[summary]] current.", owner="ann"),
}  # fmt: skip
"""Five entries with nothing to find: derived after its source, linked, owned, of one mind."""

BROKEN = {
    "infra/http/limits.md": _note(
        "limits", "## Facts\n\n- The HTTP client gives up after 5 attempts. ^f1", owner="ann"
    ),
    "infra/http/cache.md": _note(
        "cache", "The cache is kept for a day.\n\nIt is warmed in the morning."
    ),
    "infra/http/summary.md": _note(
        "summary", "How the client behaves, in short. See [[cache]].", owner="ann",
        derived_from=["cache"], generated={"by": "memtree/rules", "at": "2024-02-01"},
    ),
    "people/ann.md": _note("ann", "Ann keeps the client current.", owner="ann"),
}  # fmt: skip
"""What is wrong in the other copy: two claims, no owner, a summary older than its source, alone."""
WANTED = {"retries": "contradiction", "limits": "contradiction", "cache": "unsourced",
          "summary": "stale", "ann": "orphan"}  # fmt: skip


def checks(lab: Lab) -> Iterator[Check]:
    """The checks of seed S16 (4)."""
    told = audit(lab.tree({**CLEAN, **BROKEN}, now=_NOW))
    found = _found(told.value)
    yield Check(
        name="exactly the five entries with something wrong are reported",
        passed=found == set(WANTED.items()) and told.code == 1,
        measured=f"{', '.join(sorted(f'{name} ({kind})' for name, kind in found))};"
                 f" exit {told.code}",
        needed=f"{', '.join(sorted(f'{name} ({kind})' for name, kind in WANTED.items()))}; exit 1",
    )  # fmt: skip
    clean = audit(lab.tree(CLEAN, now=_NOW))
    yield Check(
        name="a clean copy has no findings", passed=not _found(clean.value) and clean.code == 0,
        measured=f"{len(_found(clean.value))} findings, exit {clean.code}", needed="0, exit 0",
    )  # fmt: skip
    trips = clean.value.get("round_trips") if isinstance(clean.value, dict) else 0
    yield Check(
        name="entries come back from JSON lines byte for byte", passed=trips == len(CLEAN),
        measured=f"{trips} of {len(CLEAN)}", needed="all",
    )  # fmt: skip


def _found(value: object) -> set[tuple[str, str]]:
    findings = value.get("findings") if isinstance(value, dict) else None
    return {(each["id"], each["kind"]) for each in findings} if findings else set()
