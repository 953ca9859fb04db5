"""What waits for a person: the policy of a tree, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.knowledge.plan import APPLY, REVIEW

if TYPE_CHECKING:
    from collections.abc import Collection

ALWAYS_HELD = frozenset(["injection"])
"""Risks that wait whatever the policy: text of a source may not choose it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`review` is `never`, `risky` or `always`; `flood` the share of a tree that may change.

    `yes` lets a flood through: a person said so for this plan.
    """

    review: str = "risky"
    flood: float = 0.2
    yes: bool = False

    def outcome(self, risks: Collection[str]) -> str:
        """`apply` or `review` for an operation with these risks."""
        if self.review == "always" or not ALWAYS_HELD.isdisjoint(risks):
            return REVIEW
        if risks and self.review != "never":
            return REVIEW
        return APPLY
