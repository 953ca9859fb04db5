"""The part of an open tree that curates: text becomes checked operations, and some of them wait.

The rooms that read sources, propose, check and apply do not know each other: here they meet.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from memtree.app import Tree
    from memtree.curate.protocol import Curator
    from memtree.curate.review import Waiting
    from memtree.curate.telling import CurateReport, PartTold
    from memtree.knowledge.problem import Problem

    Progress = Callable[[str, int, int], None]


class Curating:
    """The part of `Tree` that curates; `memtree.app` puts it together with the rest."""

    root: str

    def curate(
        self, sources: Sequence[str], *, stdin: BinaryIO | None = None,
        curator: str | Curator = "", plan: str | None = None, review: str = "", kind: str = "auto",
        dry_run: bool = False, yes: bool = False, again: bool = False,
        tell: Callable[[PartTold], None] | None = None, progress: Progress | None = None,
    ) -> CurateReport:  # fmt: skip
        """Turn texts, files, folders or `stdin` ("-") into checked operations, and apply them.

        `curator` is `auto`, `rules`, `llama`, `openai` or an object of yours; a `plan` is the text
        of one that somebody else made. `review` is the policy (`never`, `risky`, `always`), `yes`
        lets much change at once, `again` curates what was curated before. `tell` is called with
        each part as it is done. Raises ModelUnavailable, UsageError, Refused.
        """
        from io import BytesIO

        from memtree.curating.run import curate, curate_plan

        stdin = stdin or BytesIO()
        if plan is not None:
            return curate_plan(
                self._whole(), sources, plan, stdin=stdin, at=now(), policy=review, kind=kind,
                dry_run=dry_run, yes=yes, tell=tell,
            )  # fmt: skip
        return curate(
            self._whole(), sources, stdin=stdin, at=now(), curator=curator, policy=review,
            kind=kind, dry_run=dry_run, yes=yes, again=again, tell=tell, progress=progress,
        )  # fmt: skip

    def plan_prompt(
        self, sources: Sequence[str], *, stdin: BinaryIO | None = None, kind: str = "auto"
    ) -> str:
        """One document from which an agent can make a plan for `curate(..., plan=...)`."""
        from io import BytesIO

        from memtree.curating.run import plan_prompt

        return plan_prompt(self._whole(), sources, stdin=stdin or BytesIO(), kind=kind)

    def reviews(self) -> tuple[list[Waiting], list[Problem]]:
        """The operations that wait for a person, and files in their place that are none."""
        from memtree.curate.review import Queue

        return Queue(self.root).all()

    def accept(self, ids: Sequence[str] | None = None, *, anyway: bool = False) -> PartTold:
        """Apply operations that wait (None: all of them), as one transaction.

        They are checked against the tree as it is now; with `anyway` also where an entry changed
        since. Raises EntryNotFound.
        """
        from memtree.curating.review import accept

        return accept(self._whole(), ids, at=now(), anyway=anyway)

    def reject(self, ids: Sequence[str] | None = None) -> list[Waiting]:
        """Take operations out of the queue (None: all), for good. Raises EntryNotFound."""
        from memtree.curating.review import reject

        return reject(self._whole(), ids)

    def _whole(self) -> Tree:
        return self  # type: ignore[return-value]  # nothing else is made of this class


def now() -> str:
    """The present moment, as entries note it."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
