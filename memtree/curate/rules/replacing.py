"""What holds instead: `X is now Y`, `changed from A to B`, `no longer`, `moved to`.

Only the text decides that something changed, and only dates decide which of two statements is the
newer one, never the order in which they were read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.claims.contradictions import conflict, is_newer
from memtree.claims.lexicon import FUNCTION
from memtree.claims.wording import stem, wording
from memtree.curate.rules.alike import key_of, whole
from memtree.knowledge.plan import Supersede

if TYPE_CHECKING:
    from memtree.curate.protocol import Fact, KnownEntry, Outlook
    from memtree.knowledge.plan import Claim

_CHANGES = re.compile(
    r"\b(?:is|are|was|were|has|uses?|runs?|lives?|works?|times?)\b[^.]{0,40}\bnow\b"
    r"|\bnow\s+(?:is|are|uses?|runs?|lives?|works?|costs?|takes?|times?|has)\b"
    r"|\bno longer\b|\b(?:changed|switched|moved|migrated|went|renamed|raised"
    r"|lowered)\b[^.]{0,60}\bto\b"
    r"|\bnot\b[^.]{0,40}\bany ?more\b|\breplaced by\b|\binstead of\b",
    re.IGNORECASE,
)
_FROM = re.compile(r"\bfrom\s+([^,.;]{1,60}?)\s+to\s+", re.IGNORECASE)
_MOVED = re.compile(r"\b(?:moved|relocated)\b[^.]{0,30}\bto\b", re.IGNORECASE)
_DWELLS = re.compile(
    r"\b(?:lives?|living|based|located|resides?|stays?)\s+(?:in|at|near)\b", re.IGNORECASE
)
NEAREST = 4
"""Passages of the tree that are looked at for what a statement replaces."""


def says_change(text: str) -> bool:
    """Whether a statement says that something is other than it was."""
    return bool(_CHANGES.search(text))


def replaced(claim: Claim, said: str, outlook: Outlook) -> Supersede | None:
    """The operation that puts a claim in the place of the fact that it ends, if there is one.

    `said` is when it was said (ISO 8601, "" if unknown).
    """
    key = key_of(whole(claim))
    for known in outlook.recall(claim.text, limit=NEAREST):
        entry = outlook.entry(known.path)
        if entry is None:
            continue
        for fact in entry.facts:
            if key_of(fact.text) == key:
                return None
            if not (fact.id and fact.stands) or not _ends(claim, fact):
                continue
            since = claim.when.partition("/")[0] or said[:10]
            before = _date_of(fact, entry)
            if since and before and not is_newer(since, before):
                return None
            return Supersede(
                reason=f"says that ^{fact.id} changed",
                confidence=0.7,
                path=entry.path,
                fact=fact.id,
                claim=claim,
                since=since,
            )
    return None


def _ends(claim: Claim, fact: Fact) -> bool:
    """Whether a statement of change is about this fact: its subject, and what of it changed."""
    subject = {stem(word) for word in _words(claim.subject)}
    mine, theirs = wording(claim.text), wording(fact.text)
    if not subject or not subject <= {word.stem for word in theirs.words[: len(subject) + 2]}:
        return False
    was = _FROM.search(claim.text)
    if was:
        return {stem(word) for word in _words(was[1])} <= {word.stem for word in theirs.words}
    if _MOVED.search(claim.text) and _DWELLS.search(fact.text):
        return True
    if says_change(fact.text):
        return False
    found = conflict(claim.text, fact.text)
    if found is not None:
        return True
    # "X now uses B" against "X uses A": all but the last words agree.
    one = [word for word in mine.content if word != "now"]
    two = list(theirs.content)
    head = 0
    while head < min(len(one), len(two)) and one[head] == two[head]:
        head += 1
    return head >= len(subject) + 1 and 0 < len(one) - head <= 2 and 0 < len(two) - head <= 2


def _words(text: str) -> list[str]:
    found = re.findall(r"[^\W_]+", text.casefold())
    return [word for word in found if word not in FUNCTION and word != "now"]


def _date_of(fact: Fact, entry: KnownEntry) -> str:
    """The day on which a fact was said, by its sources; "" if they do not tell."""
    items = entry.meta.get("sources")
    times = [
        str(item.get("time") or "")
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict) and str(item.get("id")) in fact.sources
    ]
    return max(times, default="")[:10]
