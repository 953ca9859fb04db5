"""Claims from what was written: the sentences and list items of documents, notes and logs.

A sentence that begins with "it" or "they" stays with the one before it, the steps of a procedure
follow each other, and whatever only asks or announces ("See also:") is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from memtree.curate.rules.claims import Found, agreed, evidence
from memtree.curate.rules.kinds import is_step, kind_of
from memtree.curate.rules.sentences import sentences
from memtree.curate.rules.weight import points_back
from memtree.knowledge.plan import Claim
from memtree.sources.dates import mentions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.curate.rules.sentences import Sentence
    from memtree.knowledge.source import Passage, Source

LONGEST = 400
"""Characters of one claim, unless one sentence is longer."""
SHORTEST = 8
"""Characters that say something."""
_SUBJECT = re.compile(
    r"^(?:(?:The|A|An|Our|My)\s+)?((?:[\w`./+'\u2019-]+\s+){0,4}?[\w`./+'\u2019-]+)\s+(?:is|are|was|were"
    r"|has|have|had|will|can|must|should|may|means?|refers|stands|uses?|runs?|lives?|works?|prefers?"
    r"|likes?|hates?|moved|decided|chose|needs?|supports?|requires?|[a-z]{3,}ed|[a-z]{3,}s)\b"
)
_TERM = re.compile(r"^[*_`]*([^*_`:\n]{2,60}?)[*_`]*\s*(?::[*_`]*\s|\s[-\u2013\u2014]\s)(?=\S)")
_BARE = re.compile(
    r"^(?:see(?: also)?|note|example|e\.g\.?|todo|tbd|wip|https?://\S+|!\[.*)\W*$", re.IGNORECASE
)
_MARK = re.compile(
    r"(?:\s*(?:[-*+\u2022]|(?P<step>\d{1,9}[.)]))[ \t]+(?:\[[ xX]\][ \t]+)?)?"
    r"(?:\[![A-Z]+\]\s*)?(?:>\s*)*"
)
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)|\[\[(?:[^\]|\n]*\|)?([^\]\n]*)\]\]")
_LINKED = re.compile(r"!?\[[^\]]*\]\([^)]*\)[.,;:\s]*")
_ELSEWHERE = re.compile(
    r"(?:see also|references?|further reading|related|links|external links|table of contents"
    r"|contents|license|licence)$",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W_]")
_JOINING = """for when if to in on at by with from as after before while since because although
however therefore thus another this that these those it its he she they we i you there here what who
which how where why and but or so then also now only some any each every all most many his her their
our your my not no of into during under over more following same such even just once"""
_NO_SUBJECT = frozenset(_JOINING.split())
_ADVERBS = re.compile(
    r"(?:\s+(?:now|no longer|really|also|always|never|usually|often|still|already|just|only|not"
    r"|currently|then|\w{3,}ly))+$",
    re.IGNORECASE,
)
_TAIL = re.compile(r"(?:\s+(?:of|for|in|on|at|to|with|by|from|the|an?))+$", re.IGNORECASE)
_PRONOUN = re.compile(
    r"(?:it|this|that|these|those|he|she|they|we|i|you|there|here|what|who|which|if|when)$",
    re.IGNORECASE,
)


def passage_claims(passage: Passage, at: int, source: Source) -> Iterator[Found]:
    """Yield the claims of a paragraph, a list item or a commit; code says nothing by itself."""
    if passage.kind == "code" or _ELSEWHERE.match(passage.heading.rpartition(" > ")[2]):
        return
    said = passage.time or source.time
    whole = passage.kind == "item" and len(passage.text) <= LONGEST
    run: list[Sentence] = []
    mark = _MARK.match(passage.text)
    begin = mark.end() if mark else 0
    step = bool(mark and mark["step"])
    for sentence in sentences(passage.text, begin):
        if not tells(sentence.words):
            if not whole:
                yield from _claim(run, passage, at, source, said, step=step)
                run = []
            continue
        joined = sum(len(each.words) + 1 for each in run) + len(sentence.words)
        follows = (
            run
            and joined <= LONGEST
            and (
                whole
                or points_back(sentence.words)
                or (is_step(run[-1].words) and is_step(sentence.words))
            )
        )
        if not follows:
            yield from _claim(run, passage, at, source, said, step=step)
            run = []
        run.append(sentence)
    yield from _claim(run, passage, at, source, said, step=step)


def tells(words: str) -> bool:
    """Whether a sentence says something: no question, no bare link or announcement."""
    if words.endswith(("?", "\uff1f", ":", "\uff1a")) or _BARE.match(words):
        return False
    if not _LINKED.sub("", words).strip():
        return False
    return (len(words) >= SHORTEST and len(_LETTERS.findall(words)) * 2 >= len(words)) or _dense(
        words
    )


def _dense(words: str) -> bool:
    """Whether a script is used in which few characters say much."""
    return sum(letter > "\u2e80" for letter in words) >= 4


def subject_of(words: str, heading: str) -> str:
    """Whom or what a sentence is about: its term, its grammatical subject, else the heading."""
    term = _TERM.match(words)
    if term and len(term[1].split()) <= 6:
        return term[1].strip()
    found = _SUBJECT.match(words)
    first = found[1].split()[0].casefold() if found else ""
    if found and first not in _NO_SUBJECT and not _PRONOUN.match(found[1]):
        return _TAIL.sub("", _ADVERBS.sub("", found[1])).strip("`'\u2019")
    return heading.rpartition(" > ")[2]


def _claim(
    run: list[Sentence], passage: Passage, at: int, source: Source, said: str, *, step: bool
) -> Iterator[Found]:
    if not run:
        return
    quotes = []
    first = last = run[0]
    for each in run[1:]:
        if passage.text[last.end : each.start].strip():
            quotes.append(evidence(source, passage, first, last))
            first = each
        last = each
    quotes.append(evidence(source, passage, first, last))
    words = _LINK.sub(r"\1\2", " ".join(each.words for each in run))
    when = next((each.value for each in mentions(words, said) if each.value), "")
    when = agreed(when, passage.text, said)
    claim = Claim(
        text=words,
        evidence=tuple(quotes),
        subject=subject_of(run[0].words, passage.heading),
        kind=_kind(run[0].words, passage, when, step=step),
        when=when or (passage.time[:10] if passage.kind == "commit" else ""),
        speaker=passage.speaker,
        said=passage.time,
    )
    yield Found(claim, at, float(len(words)))


def _kind(words: str, passage: Passage, when: str, *, step: bool) -> str:
    if passage.kind == "commit":
        return "event"
    return "procedure" if step else kind_of(words, when=when)
