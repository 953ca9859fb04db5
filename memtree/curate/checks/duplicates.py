"""What the tree or the plan says already: nothing is stored twice.

Two claims are the same when their words are, but for forms, soft words ("really", "currently") and
the words that only hold a sentence together, in the same order. Numbers, dates, names, negations
and quantities have to agree exactly, so "prod" is never "staging" and "should" never "should not".
A claim that says more than another is no duplicate of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtree.claims.wording import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.claims.wording import Wording
    from memtree.curate.checks.places import Look
    from memtree.curate.protocol import Fact, KnownEntry


class Seen:
    """The claims of a plan so far, and the facts of the entries that were looked at.

    Kept over the parts of one source when nothing is written in between.
    """

    __slots__ = ("_facts", "_keys")

    def __init__(self) -> None:
        self._keys: dict[object, str] = {}
        self._facts: dict[tuple[str, bytes], dict[object, Fact]] = {}

    def claimed(self, text: str) -> str | None:
        """Where the plan claims the same already: a path; None when it does not."""
        return self._keys.get(_key(text))

    def note(self, text: str, path: str) -> None:
        """Remember that the plan claims this, at a path."""
        self._keys.setdefault(_key(text), path)

    def fact(self, text: str, entry: KnownEntry) -> Fact | None:
        """The standing fact of an entry that says the same."""
        at = (entry.path, entry.fingerprint)
        if at not in self._facts:
            self._facts[at] = {_key(fact.text): fact for fact in entry.facts if fact.stands}
        return self._facts[at].get(_key(text))


def _key(text: str) -> object:
    said = wording(text)
    # What has no telling word at all is compared as it stands.
    return said.key if said.content else " ".join(text.casefold().split())


def same(one: str, other: str) -> bool:
    """Whether two claims say the same in nearly the same words."""
    return _key(one) == _key(other)


def known_fact(
    text: str, look: Look, seen: Seen, *, also: Iterable[KnownEntry] = ()
) -> tuple[KnownEntry, Fact] | None:
    """The entry of the tree that says this already, and the fact."""
    for entry in also:
        fact = seen.fact(text, entry)
        if fact is not None:
            return entry, fact
    for entry, facts in neighbours(text, look):
        for fact in facts:
            if same(text, fact.text):
                return entry, fact
    return None


def neighbours(text: str, look: Look) -> Iterator[tuple[KnownEntry, tuple[Fact, ...]]]:
    """The standing facts in the passages of the tree that share the most words with a text."""
    said = wording(text)
    for known in look.recalled(text):
        if not _near(said, wording(known.text)):
            continue
        entry = look.entry(known.path)
        if entry is None:
            continue
        first, last = known.lines
        facts = tuple(f for f in entry.facts if f.stands and first <= f.line <= last)
        yield entry, facts or tuple(f for f in entry.facts if f.stands and f.text in known.text)


def _near(said: Wording, passage: Wording) -> bool:
    """Whether a passage holds enough of a claim's words to be worth reading the entry."""
    wanted = set(said.content)
    if not wanted:
        return False
    return 2 * len(wanted & set(passage.content)) >= len(wanted)
