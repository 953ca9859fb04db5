"""The rules curator: the claims of a part, in groups, as operations on the tree."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from memtree.curate.rules.alike import key_of, whole, without_doubles
from memtree.curate.rules.beside import beside
from memtree.curate.rules.placing import Group, conversation_groups, document_groups
from memtree.curate.rules.replacing import replaced, says_change
from memtree.curate.rules.said import message_claims
from memtree.curate.rules.written import passage_claims
from memtree.knowledge.plan import Add, Cost, Proposal, Update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.curate.protocol import Outlook
    from memtree.curate.rules.claims import Found
    from memtree.knowledge.plan import Operation
    from memtree.knowledge.source import Part

TAGS = 4


class Rules:
    """A `Curator` that needs no model; see `memtree.curate.protocol`."""

    name = "rules"
    actor = "memtree-rules/1"

    def propose(self, part: Part, outlook: Outlook) -> Proposal:
        """Operations for the claims of a part that the tree does not hold yet."""
        began = time.perf_counter()
        operations = tuple(_operations(part, outlook))
        spent = 1000.0 * (time.perf_counter() - began)
        return Proposal(operations=operations, cost=Cost(ms=spent))

    def close(self) -> None:
        """Nothing is open."""


RulesCurator = Rules


def claims_of(part: Part) -> list[Found]:
    """All claims of a part, in its order, none twice."""
    source = part.source
    names = frozenset(p.speaker.casefold() for p in part.passages if p.speaker)
    found: list[Found] = []
    turns = {(p.session, p.turn): p for p in part.passages if p.kind == "message" and p.turn}
    for at, passage in enumerate(part.passages):
        if passage.kind == "message":
            before = turns.get((passage.session, passage.turn - 1)) if passage.turn else None
            if before is not None and before.speaker == passage.speaker:
                before = None
            found += message_claims(passage, at, source, names, before)
        else:
            found += passage_claims(passage, at, source)
    return without_doubles(found)


def _operations(part: Part, outlook: Outlook) -> Iterator[Operation]:
    found = claims_of(part)
    said = [each for each in found if part.passages[each.at].kind == "message"]
    written = [each for each in found if part.passages[each.at].kind != "message"]
    left: list[Found] = []
    for each in written:
        change = None
        if says_change(each.claim.text):
            said_on = part.passages[each.at].time or part.source.time
            change = replaced(each.claim, said_on, outlook)
        if change is None:
            left.append(each)
        else:
            yield change
    left, known = _known(left, outlook)
    placed = [beside(group, outlook) for group in document_groups(part, left)]
    for group in (*known, *conversation_groups(part, said), *placed):
        operation = _operation(group, outlook)
        if operation is not None:
            yield operation


def _known(found: list[Found], outlook: Outlook) -> tuple[list[Found], list[Group]]:
    """Part claims about somebody or something that has an entry of its own from the others."""
    homes: dict[str, str] = {}
    for subject in {each.claim.subject for each in found}:
        # A name, and the claim's own: what is only a word may be the title of anything.
        if subject[:1].isupper() and len(subject) > 2:
            paths = outlook.named(subject)
            home = paths[0] if len(paths) == 1 else ""
            homes[subject] = home if home.endswith(".md") else ""
    left: list[Found] = []
    groups: dict[str, list[Found]] = {}
    for each in found:
        path = homes.get(each.claim.subject, "")
        if path and each.claim.text.find(each.claim.subject) in range(5):
            groups.setdefault(path, []).append(each)
        else:
            left.append(each)
    return left, [
        Group(path.removesuffix(".md"), rows[0].claim.subject, rows)
        for path, rows in sorted(groups.items())
    ]


def _operation(group: Group, outlook: Outlook) -> Operation | None:
    path = f"{group.path}.md"
    entry = outlook.entry(path)
    claims = tuple(each.claim for each in group.found)
    if entry is not None:
        known = {key_of(fact.text) for fact in entry.facts}
        new = tuple(claim for claim in claims if key_of(whole(claim)) not in known)
        if not new:
            return None
        return Update(reason=f"more of {group.title}", confidence=0.7, path=path, claims=new)
    kinds = [claim.kind for claim in claims]
    kind = max(sorted(set(kinds)), key=kinds.count)
    return Add(
        reason="the tree does not hold this yet",
        confidence=0.7,
        path=path,
        title=group.title,
        claims=claims,
        type=kind,
        time=group.time,
        speaker=group.speaker,
        session=group.session,
    )
