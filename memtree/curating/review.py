"""The part of an open tree that decides on what waits: accepting, rejecting.

What is accepted was proposed earlier, so it is checked again, against the tree as it is now and the
evidence that was kept with it, and goes through the same staging as everything else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.curate.apply import apply
from memtree.curate.checks import Policy, check
from memtree.curate.review import Queue, evidences
from memtree.curate.telling import HELD, NOTHING, REFUSED, PartTold, Told
from memtree.curating.given import look, old_facts, ways
from memtree.knowledge import plan as plans
from memtree.knowledge.plan import Proposal, Refusal
from memtree.knowledge.source import Part, Passage, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from memtree.app import Tree
    from memtree.curate.apply import Applied
    from memtree.curate.outlook import TreeOutlook
    from memtree.curate.review import Waiting
    from memtree.knowledge.plan import Claim, Evidence, Verdict

CHANGED = "changed"
"""The code of an operation whose entry was changed by somebody else since it was proposed."""
_NO = "nothing was changed; look at it again: memtree review show"


def accept(tree: Tree, ids: Sequence[str] | None, *, at: str, anyway: bool = False) -> PartTold:
    """Apply operations that wait; see `Tree.accept`. What is refused goes on waiting."""
    queue = Queue(tree.root)
    waiting = queue.all()[0] if ids is None else queue.get(ids)
    if not waiting:
        return PartTold(source="review", number=1)
    tree.refresh()
    outlook = look(tree)
    judged = [
        (each, verdict)
        for each in waiting
        for verdict in _judged(each, outlook, at=at, anyway=anyway)
    ]
    going = [verdict for _, verdict in judged if verdict.outcome == plans.APPLY]
    actors = sorted({each.actor for each in waiting if each.actor})
    applied = apply(
        tree.root,
        [verdict.operation for verdict in going],
        ways=ways(tree, _Cites(waiting), at=at),
        at=at,
        by=actors[0] if len(actors) == 1 else "human",
        seen=outlook.expect(),
        command="review accept",
        wait_s=tree.config.number("write.wait"),
    )
    told = list(_told(judged, applied, outlook))
    stay = {each.review for each in told if each.outcome == REFUSED}
    queue.drop({each.review for each in told} - stay)
    queue.follow(applied.changes)
    receipt = applied.receipt
    return PartTold(
        source="review",
        number=1,
        operations=tuple(told),
        changes=applied.changes,
        transaction=receipt.id if receipt is not None and receipt.changes else "",
    )


def reject(tree: Tree, ids: Sequence[str] | None) -> list[Waiting]:
    """Take operations out of the queue, and remember not to let the same wait again."""
    queue = Queue(tree.root)
    waiting = queue.all()[0] if ids is None else queue.get(ids)
    queue.reject(waiting)
    return waiting


def told_of(tree: Tree, waiting: Sequence[Waiting]) -> list[Told]:
    """Operations that wait, with the words of the facts that they speak of as these are now."""
    outlook = look(tree)
    return [
        Told(
            operation=each.operation,
            outcome=HELD,
            review=each.id,
            risks=each.risks,
            old=old_facts(each.operation, outlook),
        )
        for each in waiting
    ]


def _judged(waiting: Waiting, outlook: TreeOutlook, *, at: str, anyway: bool) -> Sequence[Verdict]:
    """What the checks say now of an operation that waits; a person has answered its risks."""
    operation = waiting.operation
    now = {path: seen.hex() for path, seen in outlook.bases(operation).items()}
    changed = [path for path, seen in waiting.base if now.get(path, seen) != seen]
    if changed and not anyway:
        message = f"'{changed[0]}' changed since this was proposed"
        refusal = Refusal(code=CHANGED, message=message, said=_NO)
        return [plans.Verdict(operation=operation, outcome=plans.REFUSE, refusals=(refusal,))]
    proposal = Proposal(operations=(operation,))
    policy = Policy(review="never", yes=True)
    verdicts = check(proposal, _part(waiting), outlook, policy=policy, now=at)
    return [
        replace(verdict, outcome=plans.APPLY) if verdict.outcome == plans.REVIEW else verdict
        for verdict in verdicts
    ]


def _part(waiting: Waiting) -> Part:
    """The source as far as it was kept: the spans that the claims rest on."""
    spans: dict[Evidence, str] = dict.fromkeys(evidences(waiting.operation), "")
    name = next((evidence.source for evidence in spans), waiting.source)
    passages = [
        Passage(
            text=evidence.quote,
            lines=evidence.lines if evidence.lines[0] else (1, 1 + evidence.quote.count("\n")),
            speaker=str(item.get("speaker", "")),
            time=str(item.get("time", "")),
            session=str(item.get("session", "")),
            turn=int(str(item.get("turn", 0))) if str(item.get("turn", 0)).isdigit() else 0,
        )
        for evidence, item in zip(spans, waiting.cites, strict=False)
    ]
    return Part(source=Source(name=name), number=1, passages=tuple(passages), digest=waiting.id)


class _Cites:
    """Each claim cites what was noted for it when it was held back."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self._by: dict[Evidence, Waiting] = {
            evidence: each for each in waiting for evidence in evidences(each.operation)
        }

    def __call__(self, evidence: Evidence, claim: Claim) -> Mapping[str, object]:
        waiting = self._by.get(evidence)
        if waiting is not None:
            return waiting.cite(evidence, claim)
        same = (
            each.cite(known, claim)
            for known, each in self._by.items()
            if known.quote == evidence.quote or known.lines == evidence.lines
        )
        return next(same, {"resource": evidence.source.rpartition("/")[2] or "text"})


def _told(
    judged: Sequence[tuple[Waiting, Verdict]], applied: Applied, outlook: TreeOutlook
) -> Iterator[Told]:
    outcomes = iter(applied.outcomes)
    for each, verdict in judged:
        path, refusals = "", verdict.refusals
        if verdict.outcome == plans.APPLY:
            done = next(outcomes)
            outcome, path = done.outcome, done.path
            refusals = (*refusals, done.refusal) if done.refusal else refusals
        else:
            outcome = NOTHING if verdict.outcome == plans.NOTHING else REFUSED
        yield Told(
            operation=verdict.operation,
            outcome=outcome,
            path=path,
            review=each.id,
            refusals=tuple(refusals),
            old=old_facts(verdict.operation, outlook),
        )
