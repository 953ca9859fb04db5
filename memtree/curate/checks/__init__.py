"""The checks that hold whatever a curator says: evidence, places, duplicates, conflicts, floods.

A proposal is a claim about what should be done; `check` decides what may be. `cleaned` comes before
a curator reads a part, `check` after it spoke, `tally` counts what came of it all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from memtree.curate.checks.bounds import MAX_OPERATIONS, harmless
from memtree.curate.checks.duplicates import Seen
from memtree.curate.checks.flood import flooded
from memtree.curate.checks.intake import Cleaned, cleaned
from memtree.curate.checks.judge import Judge
from memtree.curate.checks.policy import Policy
from memtree.knowledge.plan import APPLY, REFUSE, REVIEW, Add, Refusal, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memtree.curate.protocol import Outlook
    from memtree.knowledge.plan import Operation, Proposal
    from memtree.knowledge.source import Part

__all__ = ["Cleaned", "Policy", "Seen", "check", "cleaned", "flooded", "tally"]


def check(
    proposal: Proposal,
    part: Part,
    outlook: Outlook,
    *,
    policy: Policy,
    now: str,
    seen: Seen | None = None,
) -> tuple[Verdict, ...]:
    """What becomes of each operation of a proposal, in order; a pure decision.

    `part` is as `cleaned` gave it, and as the curator read it. `now` is an ISO 8601 time. `seen`
    carries what was claimed from part to part when nothing is written in between. There can be more
    verdicts than operations: a claim that takes the place of a known fact gets one of its own.
    """
    judge = Judge(part, outlook, policy=policy, now=now, seen=Seen() if seen is None else seen)
    verdicts: list[Verdict] = []
    for operation in proposal.operations[:MAX_OPERATIONS]:
        verdicts += judge.judge(operation)
    for operation in proposal.operations[MAX_OPERATIONS:]:
        message = f"a part has at most {MAX_OPERATIONS} operations"
        verdicts.append(_refused(operation, Refusal(code="too-many", message=message)))
    verdicts = _joined(verdicts)
    wanted = [each.operation for each in verdicts if each.outcome in (APPLY, REVIEW)]
    sentence = flooded(wanted, entries=outlook.count(), share=policy.flood)
    if sentence and not policy.yes:
        refusal = Refusal(code="flood", message=sentence)
        return tuple(
            _refused(v.operation, refusal, v) if v.outcome in (APPLY, REVIEW) else v
            for v in verdicts
        )
    return tuple(verdicts)


def _refused(operation: Operation, refusal: Refusal, old: Verdict | None = None) -> Verdict:
    before, risks = (old.refusals, old.risks) if old is not None else ((), ())
    return Verdict(
        operation=harmless(operation), outcome=REFUSE, refusals=(*before, refusal), risks=risks
    )


def _joined(verdicts: list[Verdict]) -> list[Verdict]:
    """New entries at the same path become one: the first takes the others' claims."""
    first: dict[str, int] = {}
    out: list[Verdict] = []
    for verdict in verdicts:
        operation = verdict.operation
        if not isinstance(operation, Add) or verdict.outcome not in (APPLY, REVIEW):
            out.append(verdict)
            continue
        at = first.setdefault(operation.path, len(out))
        if at == len(out):
            out.append(verdict)
            continue
        host = out[at]
        assert isinstance(host.operation, Add)  # noqa: S101  (only those are remembered)
        out[at] = replace(
            host,
            operation=replace(host.operation, claims=(*host.operation.claims, *operation.claims)),
            outcome=REVIEW if REVIEW in (host.outcome, verdict.outcome) else APPLY,
            refusals=(*host.refusals, *verdict.refusals),
            risks=tuple(dict.fromkeys((*host.risks, *verdict.risks))),
        )
    return out


def tally(verdicts: Iterable[Verdict], refusals: Iterable[Refusal] = ()) -> dict[str, int]:
    """How often each thing happened: `OUTCOME KIND` (`apply add`), `refused CODE`, `risk CODE`.

    `refusals` are those of the proposal and of `cleaned`, which belong to no operation.
    """
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        kind = type(verdict.operation).__name__.lower()
        counts[f"{verdict.outcome} {kind}"] += 1
        for risk in verdict.risks:
            counts[f"risk {risk}"] += 1
        for refusal in verdict.refusals:
            counts[f"refused {refusal.code}"] += 1
            counts[f"refused {refusal.code} {kind}"] += 1
    for refusal in refusals:
        counts[f"refused {refusal.code}"] += 1
    return dict(sorted(counts.items()))
