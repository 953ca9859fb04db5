"""Each operation of a proposal, judged: the one place that decides what becomes of it.

Nothing here trusts who proposed. A claim without a quote that stands in the source is gone, a path
that leads out is refused, what the tree says already is dropped, and what could do harm is marked
with a risk. Which risks wait for a person is policy, and decided last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from memtree.claims.contradictions import conflict, is_newer, says_change
from memtree.claims.wording import wording
from memtree.curate.checks.bounds import bounded, harmless, line, trimmed
from memtree.curate.checks.duplicates import Seen, known_fact, neighbours, same
from memtree.curate.checks.evidence import Ground, grounded
from memtree.curate.checks.losses import loses
from memtree.curate.checks.places import Look, known_place, new_place
from memtree.curate.checks.support import lacks
from memtree.knowledge.plan import (
    NOTHING,
    REFUSE,
    Add,
    Annotate,
    Archive,
    Drop,
    Link,
    Merge,
    Move,
    Refusal,
    Replace,
    Supersede,
    Update,
    Verdict,
)
from memtree.safety.injection import MILD, grade

if TYPE_CHECKING:
    from memtree.curate.checks.policy import Policy
    from memtree.curate.protocol import Fact, KnownEntry, Outlook
    from memtree.knowledge.plan import Claim, Operation
    from memtree.knowledge.source import Part

UNSURE = 0.3
"""Below this confidence an operation is a risk."""
MAX_MERGED = 20
"""Entries that one operation may merge."""


@dataclass(slots=True)
class Findings:
    """What is collected while one operation is judged."""

    refusals: list[Refusal]
    risks: list[str]
    others: list[Verdict]

    def refuse(self, code: str, message: str, said: str = "") -> None:
        """Count something that was said and will not happen."""
        self.refusals.append(Refusal(code=code, message=message, said=line(said, 80)))

    def risk(self, code: str) -> None:
        """Mark the operation."""
        if code not in self.risks:
            self.risks.append(code)


class Judge:
    """Judges the operations of one part in order; `seen` knows what earlier parts claimed."""

    def __init__(
        self, part: Part, outlook: Outlook, *, policy: Policy, now: str, seen: Seen
    ) -> None:
        self.ground = Ground(part)
        self.look = Look(outlook)
        self.part = part
        self.policy = policy
        self.now = now
        self.seen = seen

    def judge(self, proposed: Operation) -> tuple[Verdict, ...]:
        """The verdict on an operation, and those on what was made of parts of it."""
        operation, refusals = trimmed(proposed)
        found = Findings(list(refusals), [], [])
        if operation.confidence < UNSURE:
            found.risk("unsure")
        kept = self._judged(operation, found)
        if kept is None:
            # Only what is known already was left out: there is nothing to do, and nothing wrong.
            idle = found.refusals and all(r.code == "duplicate" for r in found.refusals)
            outcome = NOTHING if found.others or idle else REFUSE
            verdict = Verdict(
                operation=harmless(operation), outcome=outcome, refusals=tuple(found.refusals)
            )
        else:
            outcome = self.policy.outcome(found.risks)
            verdict = Verdict(
                operation=kept,
                outcome=outcome,
                refusals=tuple(found.refusals),
                risks=tuple(found.risks),
            )
        return (verdict, *found.others)

    def _judged(  # noqa: PLR0911  (one for each kind)
        self, operation: Operation, found: Findings
    ) -> Operation | None:
        """The operation as it may be applied, None when nothing of it may."""
        match operation:
            case Add():
                return self._add(operation, found)
            case Update():
                return self._update(operation, found)
            case Supersede():
                return self._supersede(operation, found)
            case Merge():
                return self._merge(operation, found)
            case Move():
                return self._move(operation, found)
            case Archive():
                entry = self._known(operation.path, found)
                found.risk("archives")
                return None if entry is None else replace(operation, path=entry.path)
            case Link():
                return self._link(operation, found)
            case Annotate():
                found.refuse("annotates", "front matter is not a curator's to change")
                return None
            case _:
                assert_never(operation)

    # -- operations -----------------------------------------------------------------------------

    def _add(self, operation: Add, found: Findings) -> Operation | None:
        path, refusal = new_place(operation.path, self.look)
        if refusal is not None:
            found.refusals.append(refusal)
            return None
        entry = self.look.entry(path)
        if entry is not None:
            update = Update(
                reason=operation.reason,
                confidence=operation.confidence,
                path=path,
                claims=operation.claims,
            )
            return self._update(update, found)
        claims = self._claims(operation.claims, None, path, found)
        if not claims:
            _empty(found, path)
            return None
        if not operation.title:
            operation = replace(operation, title=claims[0].text[:60])
        self._addressed(f"{operation.title}\n{operation.description}", found)
        return replace(operation, path=path, claims=claims)

    def _update(self, operation: Update, found: Findings) -> Operation | None:
        entry = self._known(operation.path, found)
        if entry is None:
            return None
        facts = {fact.id: fact for fact in entry.facts if fact.id}
        drops = []
        for drop in operation.drops[:512]:
            fact = _named(facts, drop.fact)
            if fact is None or not fact.stands:
                found.refuse("unknown-fact", "name a fact that stands in the entry", drop.fact)
                continue
            found.risk("drops")
            drops.append(Drop(fact=fact.id, reason=" ".join(str(drop.reason).split())[:400]))
        dropped = {drop.fact for drop in drops}
        replaces: dict[str, Replace] = {}
        for each in operation.replaces[:512]:
            fact = _named(facts, each.fact)
            if fact is None or not fact.stands or fact.id in dropped or fact.id in replaces:
                found.refuse("unknown-fact", "replace each standing fact once", each.fact)
                continue
            claim = self._grounded(each.claim, found)
            if claim is None:
                continue
            if same(fact.text, _whole(claim)):
                found.refuse("duplicate", f"{entry.path} says this already", claim.text)
                continue
            if loses(fact.text, _whole(claim)):
                found.risk("drops")
            replaces[fact.id] = Replace(fact=fact.id, claim=claim)
        claims = self._claims(operation.claims, entry, entry.path, found)
        if not (drops or replaces or claims):
            _empty(found, entry.path)
            return None
        return replace(
            operation,
            path=entry.path,
            claims=claims,
            replaces=tuple(replaces.values()),
            drops=tuple(drops),
        )

    def _supersede(self, operation: Supersede, found: Findings) -> Operation | None:
        entry = self._known(operation.path, found)
        if entry is None:
            return None
        if operation.fact:
            return self._supersede_fact(operation, entry, found)
        other = self._known(operation.by, found)
        if other is None or other.path == entry.path:
            found.refuse("unknown-entry", "`by` names the entry that holds instead")
            return None
        found.risk("replaces-entry")
        since = operation.since or self._said(None)[:10]
        return replace(operation, path=entry.path, by=other.path, claim=None, since=since)

    def _supersede_fact(
        self, operation: Supersede, entry: KnownEntry, found: Findings
    ) -> Operation | None:
        since = operation.since or (operation.claim.when if operation.claim else "")
        since = since or self._said(operation.claim)[:10]
        fact = _named({f.id: f for f in entry.facts if f.id}, operation.fact)
        if fact is None or not fact.stands or operation.claim is None:
            found.refuse("unknown-fact", "name a standing fact and the claim that holds instead",
                         operation.fact)  # fmt: skip
            return None
        claim = self._grounded(operation.claim, found)
        if claim is None:
            return None
        if same(fact.text, _whole(claim)):
            found.refuse("duplicate", f"{entry.path} says this already", claim.text)
            return None
        if not _related(fact.text, claim.text):
            found.risk("unrelated")
        if self._old(since, entry):
            found.risk("older")
        self.seen.note(_whole(claim), entry.path)
        return replace(operation, path=entry.path, fact=fact.id, claim=claim, by="", since=since)

    def _merge(self, operation: Merge, found: Findings) -> Operation | None:
        into = self._known(operation.into, found)
        paths: dict[str, None] = {}
        for path in operation.paths[:MAX_MERGED]:
            entry = self._known(path, found)
            if entry is not None and into is not None and entry.path != into.path:
                paths[entry.path] = None
        if len(operation.paths) > MAX_MERGED:
            found.refuse("too-many", f"at most {MAX_MERGED} entries are merged at once")
        if into is None or not paths:
            if into is not None:
                found.refuse("unknown-entry", "name the entries that are merged into it")
            return None
        found.risk("merges")
        return replace(operation, paths=tuple(paths), into=into.path)

    def _move(self, operation: Move, found: Findings) -> Operation | None:
        entry = self._known(operation.path, found)
        if entry is None:
            return None
        to, refusal = new_place(operation.to, self.look)
        if refusal is not None:
            found.refusals.append(refusal)
            return None
        if self.look.entry(to) is not None:
            found.refuse("taken", "an entry is there already: merge, or move elsewhere", to)
            return None
        found.risk("moves")
        return replace(operation, path=entry.path, to=to)

    def _link(self, operation: Link, found: Findings) -> Operation | None:
        entry = self._known(operation.path, found)
        other = self._known(operation.to, found) if entry is not None else None
        if entry is None or other is None:
            return None
        if entry.path == other.path:
            found.refuse("self-link", "an entry is not related to itself", entry.path)
            return None
        return replace(operation, path=entry.path, to=other.path)

    # -- claims ---------------------------------------------------------------------------------

    def _claims(
        self, claims: tuple[Claim, ...], entry: KnownEntry | None, path: str, found: Findings
    ) -> tuple[Claim, ...]:
        """The claims that are new, grounded and supported; the rest is counted."""
        kept: list[Claim] = []
        for proposed in claims:
            claim = self._grounded(proposed, found)
            if claim is None:
                continue
            text = _whole(claim)
            before = self.seen.claimed(text)
            known = known_fact(text, self.look, self.seen, also=(entry,) if entry else ())
            if before is not None or known is not None:
                where = known[0].path if known is not None else before
                found.refuse("duplicate", f"{where} says this already", claim.text)
                continue
            if not self._superseding(claim, found):
                self.seen.note(text, path)
                kept.append(claim)
        return tuple(kept)

    def _grounded(self, proposed: Claim, found: Findings) -> Claim | None:
        """The claim with evidence that stands and that it follows from; None otherwise."""
        claim, refusal = bounded(proposed)
        if refusal is not None:
            found.refusals.append(refusal)
        if claim is None:
            return None
        claim, standing, refusals = grounded(claim, self.ground)
        if not standing:
            found.refusals += refusals
            return None
        missing = lacks(claim, standing, self.ground)
        if missing:
            message = "; ".join(lack.message() for lack in missing)
            found.refuse("unsupported", message, claim.text)
            return None
        passages = self.part.passages
        near = [passages[n].text for s in standing for n in range(s.first, s.last + 1)]
        self._addressed("\n".join([claim.text, *near]), found)
        own = passages[standing[0].first]
        return replace(claim, speaker=own.speaker, said=claim.said or own.time)

    def _superseding(self, claim: Claim, found: Findings) -> bool:
        """Whether the claim takes the place of a fact; a verdict of its own then says so.

        A contradiction that the source does not announce as a change is a risk instead.
        """
        event = claim.kind == "event"
        for entry, facts in neighbours(claim.text, self.look):
            for fact in facts:
                differs = conflict(claim.text, fact.text, event=event)
                if differs is None:
                    continue
                quotes = " ".join(evidence.quote for evidence in claim.evidence)
                said = self._said(claim)
                if not (fact.id and says_change(quotes) and not self._old(said, entry)):
                    found.risk("contradiction")
                    where = f"{entry.path} ^{fact.id}" if fact.id else entry.path
                    found.refuse("contradiction", f"{where} says another {differs.kind}", fact.text)
                    return False
                operation = Supersede(
                    reason=f"says another {differs.kind} than ^{fact.id}, and that it changed",
                    confidence=0.7,
                    path=entry.path,
                    fact=fact.id,
                    claim=claim,
                    since=(claim.when.partition("/")[0] or said)[:10],
                )
                risks = [risk for risk in found.risks if risk == "injection"]
                outcome = self.policy.outcome(risks)
                found.others.append(
                    Verdict(operation=operation, outcome=outcome, risks=tuple(risks))
                )
                self.seen.note(_whole(claim), entry.path)
                return True
        return False

    # -- pieces ---------------------------------------------------------------------------------

    def _said(self, claim: Claim | None) -> str:
        """When something was said: by the message, the source, or now."""
        return (claim.said if claim is not None else "") or self.part.source.time or self.now

    def _old(self, said: str, entry: KnownEntry) -> bool:
        """Whether what was said is older than what the entry holds."""
        generated = entry.meta.get("generated")
        stamp = generated.get("at") if isinstance(generated, dict) else None
        known = str(entry.meta.get("valid_from") or entry.meta.get("created") or stamp or "")
        return bool(known) and not is_newer(said, known)

    def _known(self, path: str, found: Findings) -> KnownEntry | None:
        entry, refusal = known_place(path, self.look)
        if refusal is not None:
            found.refusals.append(refusal)
        return entry

    def _addressed(self, text: str, found: Findings) -> None:
        """Mark what rests on text that addresses whoever reads it."""
        if grade(text) >= MILD:
            found.risk("injection")


def _named(facts: dict[str, Fact], name: str) -> Fact | None:
    wanted = str(name).strip().removeprefix("^").casefold()
    return next((fact for known, fact in facts.items() if known.casefold() == wanted), None)


def _whole(claim: Claim) -> str:
    """A claim as its bullet says it: with the day that it speaks of."""
    return f"{claim.text} ({claim.when})" if claim.when else claim.text


def _related(one: str, other: str) -> bool:
    """Whether two statements share enough telling words to be about the same."""
    a, b = set(wording(one).content), set(wording(other).content)
    return 3 * len(a & b) >= min(len(a), len(b)) > 0


def _empty(found: Findings, path: str) -> None:
    """An operation that says nothing is refused in words, like everything that is refused."""
    if not found.refusals:
        found.refuse("empty", "name a claim and quote what it rests on", path)
