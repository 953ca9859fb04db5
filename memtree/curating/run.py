"""One curation at work: from sources to checked, applied, recorded parts.

One part of a source after another: secrets are taken out, a curator proposes, checks decide, what
may be applied is one transaction, the rest waits or is refused with its reason, the index follows.
So a source of any size needs the memory of one part, and whoever is interrupted goes on behind the
last part that was finished.
"""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from memtree.curate.apply import apply
from memtree.curate.checks import Cleaned, Policy, Seen, check, cleaned
from memtree.curate.cite import Citing
from memtree.curate.record import Record
from memtree.curate.review import Queue, evidences
from memtree.curate.telling import HELD, NOTHING, REFUSED, CurateReport, PartTold, Told
from memtree.curating.choose import Host, choose, rules
from memtree.curating.flood import Flood
from memtree.curating.given import look, old_facts, ways
from memtree.errors import EntryChanged, MemtreeError, ModelUnavailable, UsageError
from memtree.knowledge import plan as plans
from memtree.knowledge.source import Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from memtree.app import Tree
    from memtree.curate.apply import Applied
    from memtree.curate.compose import Cite
    from memtree.curate.protocol import Curator
    from memtree.knowledge.plan import Operation, Proposal, Verdict
    from memtree.knowledge.problem import Problem
    from memtree.knowledge.source import Part

    Progress = Callable[[str, int, int], None]

PART = 60_000
"""Characters of a part, unless the curator says another number as its `letters`."""
POLICIES = ("never", "risky", "always")
"""What waits for a person: nothing but quarantined text, what is risky, everything."""


def curate(
    tree: Tree, arguments: Sequence[str], *, stdin: BinaryIO, at: str,
    curator: str | Curator = "", policy: str = "", kind: str = "auto", dry_run: bool = False,
    yes: bool = False, again: bool = False, tell: Callable[[PartTold], None] | None = None,
    progress: Progress | None = None,
) -> CurateReport:  # fmt: skip
    """Curate texts, files, folders or `stdin` (`-`) into the tree; see `Tree.curate`."""
    policy = _policy(tree, policy)
    items = _opened(arguments, stdin, kind)
    chosen, degraded = choose(tree, curator) if isinstance(curator, str) else (curator, "")
    meant = curator or tree.config.text("curate.curator")
    run = Curation(
        tree, chosen, at=at, policy=policy, dry_run=dry_run, yes=yes, again=again, tell=tell,
        progress=progress, fallback=rules if meant == "auto" else None,
    )  # fmt: skip
    run.report.degraded = degraded
    try:
        return run.all(items)
    finally:
        run.close()


def plan_prompt(
    tree: Tree, arguments: Sequence[str], *, stdin: BinaryIO, kind: str = "auto"
) -> str:
    """The document that lets an agent make the plan: the task, the source, what is known."""
    from memtree.curate.host import plan_prompt as written

    found, _ = _parts(arguments, stdin, kind)
    return written(found, look(tree))


def curate_plan(
    tree: Tree, arguments: Sequence[str], text: str, *, stdin: BinaryIO, at: str,
    policy: str = "", kind: str = "auto", dry_run: bool = False, yes: bool = False,
    tell: Callable[[PartTold], None] | None = None,
) -> CurateReport:  # fmt: skip
    """Check and apply a plan that an agent made of these sources, as one transaction.

    Raises UsageError for a text that holds no plan, Refused for the plan of another source.
    """
    from memtree.curate.host import read_plan

    policy = _policy(tree, policy)
    found, problems = _parts(arguments, stdin, kind)
    proposal = read_plan(text, found)
    run = Curation(tree, Host(), at=at, policy=policy, dry_run=dry_run, yes=yes, tell=tell)
    run.report.problems += problems
    run.planned(found, proposal)
    return run.report


def _policy(tree: Tree, named: str) -> str:
    policy = named or tree.config.text("curate.review")
    if policy not in POLICIES:
        raise UsageError(f"there is no policy '{policy}'", hint=f"one of {', '.join(POLICIES)}")
    return policy


def _parts(
    arguments: Sequence[str], stdin: BinaryIO, kind: str
) -> tuple[list[Part], list[Problem]]:
    """All parts of all sources at once."""
    from memtree.sources import parts

    found: list[Part] = []
    problems: list[Problem] = []
    for item in _opened(arguments, stdin, kind):
        if isinstance(item, Opened):
            found += parts(item)
        else:
            problems.append(item)
    return found, problems


def _opened(arguments: Sequence[str], stdin: BinaryIO, kind: str) -> Iterator[Opened | Problem]:
    from memtree.sources import open_sources

    return open_sources(arguments, stdin=stdin, kind=kind)


class Curation:
    """One run: a curator, a policy, and what happened so far."""

    def __init__(
        self, tree: Tree, curator: Curator, *, at: str, policy: str, dry_run: bool = False,
        yes: bool = False, again: bool = False, tell: Callable[[PartTold], None] | None = None,
        progress: Progress | None = None, fallback: Callable[[], Curator] | None = None,
    ) -> None:  # fmt: skip
        self._tree = tree
        self._curator = curator
        self._at = at
        # The flood guard below weighs the whole run, and so each part of it.
        self._policy = Policy(review=policy, yes=True)
        self._seen: Seen | None = Seen() if dry_run or policy == "always" else None
        self._dry_run = dry_run
        self._again = again
        self._tell = tell
        self._progress = progress
        self._fallback = fallback
        self._queue = Queue(tree.root)
        self._record = Record(tree.root)
        self._outlook = look(tree)
        share = tree.config.number("curate.flood")
        self._guard = None if yes else Flood(share, self._outlook.count())
        self.report = CurateReport(curator=curator.name, actor=curator.actor, dry_run=dry_run)

    def close(self) -> None:
        """Let go of the curator."""
        self._curator.close()

    def all(self, items: Iterable[Opened | Problem]) -> CurateReport:
        """Curate every part of every source; what ends it early is in the report.

        Raises what happens before anything was done.
        """
        from memtree.sources import parts

        report = self.report
        try:
            for item in items:
                if not isinstance(item, Opened):
                    report.problems.append(item)
                    continue
                for part in parts(item, letters=self._letters()):
                    self.take(part)
        except KeyboardInterrupt:
            report.interrupted = True
        except MemtreeError as error:
            if not report.done:
                raise
            report.failed, report.hint = error.message, error.hint
            report.exit_code = error.exit_code
        return report

    def _letters(self) -> int:
        """Characters of a part: few for a slow curator, so that little is lost by stopping it."""
        return int(getattr(self._curator, "letters", PART))

    def take(self, part: Part) -> PartTold:
        """Curate one part, and count it in."""
        report = self.report
        if self._progress is not None:
            self._progress(f"curating {part.source.name}, characters", report.letters, 0)
        if not self._again and self._record.has(part.digest, self._curator.actor):
            told = PartTold(source=part.source.name, number=part.number, skipped=True)
        else:
            told = self._done(part)
        report.letters += part.letters()
        report.take(told)
        if self._tell is not None:
            self._tell(told)
        return told

    def _done(self, part: Part) -> PartTold:
        clean = cleaned(part)
        for attempt in (1, 2):
            try:
                return self.carry_out([clean], self._proposed(clean.part))
            except EntryChanged:
                # The person wins. What they wrote is looked at, and proposed for, once more.
                if attempt == 2 or self._dry_run:
                    raise
                self._renew()
        raise AssertionError("unreachable")

    def _proposed(self, part: Part) -> Proposal:
        try:
            return self._curator.propose(part, self._outlook)
        except ModelUnavailable as error:
            if self._fallback is None:
                raise
            self._curator.close()
            self._curator = self._fallback()
            self._fallback = None
            self.report.degraded = error.message
            self.report.curator, self.report.actor = self._curator.name, self._curator.actor
            return self._curator.propose(part, self._outlook)

    def planned(self, parts: Sequence[Part], proposal: Proposal) -> None:
        """Carry out one proposal for several parts of several sources, and count it in."""
        if not parts:
            raise UsageError("there is nothing that the plan could be about")
        wholes: dict[str, Part] = {}
        for part in parts:
            known = wholes.get(part.source.name)
            passages = (*known.passages, *part.passages) if known else part.passages
            wholes[part.source.name] = replace(known or part, passages=passages)
        told = self.carry_out([cleaned(whole) for whole in wholes.values()], proposal)
        self.report.letters += sum(part.letters() for part in parts)
        self.report.take(told)
        if self._tell is not None:
            self._tell(told)

    def _verdicts(self, cleans: Sequence[Cleaned], proposal: Proposal) -> list[Verdict]:
        """Each operation judged by the source that it quotes, else by the first."""
        found: list[Verdict] = []
        seen = Seen() if self._seen is None else self._seen
        names = [clean.part.source.name for clean in cleans]
        for number, clean in enumerate(cleans):
            own = tuple(op for op in proposal.operations if _quoted(op, names) == number)
            found += check(
                replace(proposal, operations=own), clean.part, self._outlook,
                policy=self._policy, now=self._at, seen=seen,
            )  # fmt: skip
        return self._tree.guarded(found)

    def carry_out(self, cleans: Sequence[Cleaned], proposal: Proposal) -> PartTold:
        """Check, apply, hold and refuse what was proposed for a part, or for one of each source."""
        part = cleans[0].part
        verdicts = self._verdicts(cleans, proposal)
        cite = Citing(self._tree.root, [clean.part for clean in cleans], at=self._at)
        wanted = [each.operation for each in verdicts if each.outcome == plans.APPLY]
        remarks = list(proposal.notes)
        if self._guard is not None and self._dry_run:
            sentence = self._guard.excess(wanted)
            remarks += [f"{sentence}: it needs --yes"] if sentence else []
        elif self._guard is not None:
            self._guard.ask(wanted)
        applied = apply(
            self._tree.root,
            wanted,
            ways=ways(self._tree, cite, at=self._at),
            at=self._at,
            by=self._curator.actor,
            seen=self._outlook.expect(),
            shadow=self._outlook.shadow,
            dry_run=self._dry_run,
            wait_s=self._tree.config.number("write.wait"),
        )
        receipt = applied.receipt
        told = PartTold(
            source=part.source.name,
            number=part.number,
            operations=tuple(self._told(verdicts, applied, part, cite)),
            refusals=tuple(chain(*(clean.refusals for clean in cleans), proposal.refusals)),
            changes=applied.changes,
            transaction=receipt.id if receipt is not None and receipt.changes else "",
            remarks=tuple(remarks),
            cost=proposal.cost,
        )
        if self._guard is not None:
            self._guard.note(wanted, applied.changes)
        if self._dry_run:
            self._outlook.see(applied.changes)
            return told
        if not proposal.unfinished:  # the rest of it is for the next run
            self._record.add(part.digest, self._curator.actor, told.transaction)
        if applied.changes:
            self._queue.follow(applied.changes)
            self._renew()
        said = self._tree.observe("\n".join(one.text for one in part.passages), part.source.name)
        if said:
            self._renew()
        return replace(told, remarks=(*told.remarks, *said))

    def _told(
        self, verdicts: Sequence[Verdict], applied: Applied, part: Part, cite: Cite
    ) -> Iterator[Told]:
        outcomes = iter(applied.outcomes)
        for verdict in verdicts:
            operation, refusals = verdict.operation, verdict.refusals
            path, review = "", ""
            if verdict.outcome == plans.APPLY:
                done = next(outcomes)
                outcome, path = done.outcome, done.path
                if done.refusal is not None:
                    refusals = (*refusals, done.refusal)
            elif verdict.outcome in (plans.REFUSE, plans.NOTHING):
                outcome = REFUSED if verdict.outcome == plans.REFUSE else NOTHING
            else:
                outcome = HELD
                review = self._hold(verdict, part, cite)
                if not review and not self._dry_run:
                    outcome = NOTHING  # a person said no to the same before
            yield Told(
                operation=operation,
                outcome=outcome,
                path=path,
                review=review,
                risks=verdict.risks,
                refusals=tuple(refusals),
                old=old_facts(operation, self._outlook),
            )

    def _hold(self, verdict: Verdict, part: Part, cite: Cite) -> str:
        if self._dry_run:
            return ""
        base = self._outlook.bases(verdict.operation)
        return self._queue.hold(
            verdict.operation,
            source=os.path.basename(part.source.name),
            curator=self._curator.name,
            actor=self._curator.actor,
            at=self._at,
            risks=verdict.risks,
            base=base,
            cite=cite,
        )

    def _renew(self) -> None:
        self._tree.refresh()
        engine = self._tree.engine()
        self._outlook.renew(engine.catalog, engine.full_text)


def _quoted(operation: Operation, names: Sequence[str]) -> int:
    """The number of the source that an operation quotes first; 0 when it quotes none of them."""
    for each in evidences(operation):
        if each.source in names:
            return names.index(each.source)
    return 0
