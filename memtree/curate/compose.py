"""From a text and an operation to a new text: pure, and no byte changes that need not.

A claim becomes a bullet, `- The client retries three times. [^s1] ^f1`, and what it rests on an
item of `sources` in the front matter. Text of sources and models is data: what markdown would take
for a comment, a footnote or a heading is escaped. Every text that is handed out was read again: if
a fact is not in it as it should be, the operation is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

from memtree.curate.facts import facts_of, read_facts
from memtree.errors import EntryNotFound, Refused
from memtree.knowledge.anchor import is_source
from memtree.tree.format import edit_front_matter, find_front, new_document, newline_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.curate.facts import Bullet, Facts
    from memtree.knowledge.plan import Add, Annotate, Claim, Evidence, Supersede, Update

    Cite = Callable[[Evidence, Claim], Mapping[str, object]]
    """From evidence to an item of `sources`, without an id: `resource`, `lines`, `digest`, ..."""

MAX_FRONT = 56_000
"""Characters of front matter that are filled: readers look no further than 65,536."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+")
_ESCAPE = re.compile(r"\[\^|<!--")
_LEADING = re.compile(r"(?:[-+*>]|#{1,6}|\d{1,9}[.)])(?=[ \t]|$)|```|~~~|=+$|-+$|\||<|\[[^\]]*\]:")
NAMED_NOTE = re.compile(r"(?<!\\)\[\^([^\]\s]+)\]")
"""A footnote's mark; its name is the first group."""
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_TYPES = {"definition": "concept"}
_OWN = ("id", "created", "generated", "sources", "importance", "maturity", "settled", "last_fact")


def one_line(text: str) -> str:
    """A text on one line, without control characters and marks that reorder what is read."""
    return " ".join(_CONTROL.sub(" ", text).split())


def escaped(text: str) -> str:
    """A line that markdown takes for nothing but the words of a list item."""
    text = _ESCAPE.sub(lambda match: "\\" + match[0], one_line(text))
    return f"\\{text}" if _LEADING.match(text) else text


def _quiet(line: str) -> str:
    """A line of prose without control characters, and no heading that means something to us."""
    line = _CONTROL.sub(" ", line).rstrip()
    return f"\\{line}" if line.lower().startswith(("## facts", "## superseded")) else line


def wording(claim: Claim) -> str:
    """A claim as its bullet says it: with the day it speaks of, unless its words name that."""
    text = one_line(claim.text)
    when = one_line(claim.when)
    return escaped(f"{text} ({when})" if when and not names_day(text, when) else text)


def names_day(text: str, when: str) -> bool:
    """Whether a text names the (first) day, month or year that `when` (ISO 8601) means."""
    if when in text:
        return True
    year, _, rest = when.partition("/")[0][:10].partition("-")
    month, _, day = rest.partition("-")
    folded = text.casefold()
    if not re.search(rf"\b{re.escape(year)}\b", folded):
        return False
    if not month.isdigit() or not 1 <= int(month) <= 12:
        return True
    name = _MONTHS[int(month) - 1]
    if not re.search(rf"\b{name[:3]}(?:{name[3:]})?\b", folded):
        return f"{year}-{month}-{day}".rstrip("-") in folded
    return not day.isdigit() or bool(re.search(rf"\b0?{int(day)}(?:st|nd|rd|th)?\b", folded))


# -- operations -------------------------------------------------------------------------------


def added(op: Add, *, at: str, by: str, identity: str, cite: Cite) -> str:
    """The text of a new entry. Raises Refused when its claims can't be written so."""
    shelf = _Shelf({}, "", at)
    rows = [shelf.bullet(claim, f"f{n}", cite) for n, claim in enumerate(op.claims, 1)]
    said = {"time": op.time, "speaker": op.speaker, "session": op.session}
    meta: dict[str, object] = {
        "type": _TYPES.get(op.type, one_line(op.type)) or "fact",
        "title": one_line(op.title),
        "description": one_line(op.description) or None,
        "tags": [one_line(tag) for tag in op.tags] or None,
        "id": identity,
        "created": at,
        "generated": {"by": by, "at": at},
        **{key: one_line(value) for key, value in said.items() if value},
        "sources": shelf.sources or None,
    }
    meta |= {key: value for key, value in op.meta.items() if key not in {*meta, *_OWN}}
    prose = "\n".join(_quiet(line) for line in op.prose.strip().splitlines())
    facts = "## Facts\n\n" + "".join(f"{row}\n" for row in rows) if rows else ""
    text = new_document(
        meta, "\n\n".join(part for part in (prose and prose + "\n"[: not rows], facts) if part)
    )
    _expect(text, {f"f{n}": wording(claim) for n, claim in enumerate(op.claims, 1)})
    return text


def annotated(text: str, op: Annotate, *, at: str, by: str) -> str:
    """The text with other keys in its front matter. Raises Refused for keys that are not free."""
    taken = sorted(set(op.keys) & {*_OWN, "title", "type"})
    if taken:
        raise Refused(f"'{taken[0]}' is a key that memtree keeps itself")
    new = edit_front_matter(text, op.keys)
    if new == text:
        return text
    return edit_front_matter(new, {"generated": {"by": by, "at": at}})


def updated(text: str, op: Update, *, at: str, by: str, cite: Cite) -> str:
    """The text with more facts, and those replaced or dropped that the operation names.

    Raises EntryNotFound for a fact that is not there, Refused for what can't be written so.
    """
    shelf = _Shelf.of(text, at)
    edits: list[tuple[int, int, str]] = []
    expected: dict[str, str] = {}
    for replace in op.replaces:
        bullet = _named(text, replace.fact)
        row = shelf.bullet(replace.claim, bullet.fact.id, cite, also=bullet.fact.sources)
        edits.append((bullet.start, bullet.end, row))
        expected[bullet.fact.id] = wording(replace.claim)
    dropped = [_named(text, drop.fact) for drop in op.drops]
    edits += [(bullet.start, bullet.end, "") for bullet in dropped]
    if len({start for start, _, _ in edits}) < len(edits):
        raise Refused("a fact is replaced or dropped twice", hint="name each fact once")
    number = read_facts(text).last
    rows = []
    for claim in op.claims:
        number += 1
        rows.append(shelf.bullet(claim, f"f{number}", cite))
        expected[f"f{number}"] = wording(claim)
    changes: dict[str, object | None] = {}
    if dropped and not rows:
        changes["last_fact"] = f"f{number}"  # an id that is gone is never given again
    new = _spliced(text, edits, rows)
    new = shelf.written(new, by, changes)
    _expect(new, expected, gone={bullet.fact.id for bullet in dropped}, before=text)
    return new


def superseded(text: str, op: Supersede, *, at: str, by: str, cite: Cite) -> str:
    """The text with a claim in the place of a fact, which moves under `## Superseded`.

    Raises EntryNotFound for a fact that is not there, Refused when it was superseded before or
    nothing takes its place.
    """
    old = _named(text, op.fact)
    if op.claim is None:
        raise Refused(f"nothing is named that takes the place of ^{old.fact.id}")
    if not old.fact.stands:
        raise Refused(f"^{old.fact.id} was superseded before", hint="supersede what stands now")
    shelf = _Shelf.of(text, at)
    same = [f for f in facts_of(text) if f.stands and f.id and f.text == one_line(op.claim.text)]
    facts = read_facts(text)
    identity = same[0].id if same else f"f{facts.last + 1}"
    row = "" if same else shelf.bullet(op.claim, identity, cite)
    gone = _history(text[old.start : old.end], op.since or at[:10], identity).rstrip("\r\n")
    edits = [(old.start, old.end, row), _behind_superseded(text, facts, [gone])]
    new = _pasted(text, edits)
    new = shelf.written(new, by, {})
    expected = {} if same else {identity: wording(op.claim)}
    _expect(new, expected, before=text, over={old.fact.id})
    return new


def linked(text: str, to: str, rel: str, names: Iterable[str], *, at: str, by: str) -> str:
    """The text with a relation to the entry at `to`; unchanged if it has it by one of `names`."""
    meta = find_front(text).meta
    relations = listed(meta.get("related"))
    there = {to.casefold(), *(name.casefold() for name in names)}
    for each in relations:
        target = each.get("to") if isinstance(each, dict) else each
        said = each.get("rel", "related") if isinstance(each, dict) else "related"
        if str(target).strip("[]").casefold() in there and str(said) == rel:
            return text
    item: object = to if rel in ("", "related") else {"rel": one_line(rel), "to": to}
    return edit_front_matter(
        text, {"related": [*relations, item], "generated": {"by": by, "at": at}}
    )


# -- pieces -----------------------------------------------------------------------------------


class _Shelf:
    """The sources of one entry while claims are added to it."""

    def __init__(self, meta: Mapping[str, object], body: str, at: str) -> None:
        value = meta.get("sources")
        if value is not None and not isinstance(value, list):
            raise Refused("`sources` is no list", hint="edit it by hand: memtree edit")
        self.sources: list[object] = list(value or [])
        self._count = len(self.sources)
        self._number = 1
        self._at = at
        self._room = MAX_FRONT - sum(len(str(value)) + len(key) for key, value in meta.items())
        self._taken = {str(each["id"]) for each in self.sources if _is_item(each) and "id" in each}
        self._taken |= set(NAMED_NOTE.findall(body))
        self._places = {
            place_of(each): str(each["id"])
            for each in self.sources
            if _is_item(each) and each.get("id")
        }

    @classmethod
    def of(cls, text: str, at: str) -> _Shelf:
        front = find_front(text)
        return cls(front.meta, text[front.body :], at)

    def bullet(self, claim: Claim, identity: str, cite: Cite, *, also: Sequence[str] = ()) -> str:
        """The line of a claim, without its end."""
        notes = [*also, *(self._note(evidence, claim, cite) for evidence in claim.evidence)]
        marks = "".join(f"[^{note}]" for note in dict.fromkeys(notes))
        return " ".join(part for part in (f"- {wording(claim)}", marks, f"^{identity}") if part)

    def _note(self, evidence: Evidence, claim: Claim, cite: Cite) -> str:
        item = dict(cite(evidence, claim))
        if len(str(item)) + 40 > self._room:
            # Front matter has a limit: what comes later names its file, and no line of it.
            item = {"resource": item["resource"]}
        place = place_of(item)
        known = self._places.get(place)
        if known is not None:
            return known
        while f"s{self._number}" in self._taken:
            self._number += 1
        name = f"s{self._number}"
        self._taken.add(name)
        self._places[place] = name
        self.sources.append({"id": name, **item})
        self._room -= len(str(self.sources[-1]))
        return name

    def written(self, text: str, by: str, changes: Mapping[str, object | None]) -> str:
        """The text with these sources in its front matter, and who made it when."""
        wanted: dict[str, object | None] = {**changes, "generated": {"by": by, "at": self._at}}
        if len(self.sources) > self._count:
            wanted["sources"] = self.sources
        return edit_front_matter(text, wanted)


def _is_item(value: object) -> TypeGuard[dict[str, object]]:
    return is_source(value)


def place_of(item: object) -> tuple[str, ...]:
    """What makes two items of `sources` one: the same file, lines and digest, the same message."""
    keys = ("resource", "lines", "digest", "session", "turn")
    return tuple(str(item.get(key, "")) for key in keys) if isinstance(item, dict) else ()


def _named(text: str, identity: str) -> Bullet:
    bullet = read_facts(text).of(identity)
    if bullet is None:
        raise EntryNotFound(f"there is no fact ^{identity.removeprefix('^')} in it")
    return bullet


def _spliced(text: str, edits: list[tuple[int, int, str]], rows: list[str]) -> str:
    """The text with some bullets rewritten, and new ones behind the last fact."""
    facts = read_facts(text)
    newline = newline_of(text)
    if not rows:
        return _pasted(text, edits)
    if facts.end < 0:
        body = text[find_front(text).body :]
        gap = newline if body.strip() and not body.endswith(newline * 2) else ""
        block = newline.join(rows)
        start = len(text)
        if facts.superseded_end >= 0:
            raise Refused("`## Superseded` stands without `## Facts`", hint="edit it by hand")
        return _pasted(text, [*edits, (start, start, f"{gap}## Facts{newline}{newline}{block}")])
    block = newline.join(rows)
    standing = [
        bullet for bullet in facts.bullets if bullet.end <= facts.end and bullet.fact.stands
    ]
    if not standing:
        behind = text[facts.end :]
        before = newline if not text[: facts.end].endswith(newline * 2) else ""
        after = newline if behind.strip("\r\n") and behind[:1] not in "\r\n" else ""
        block = f"{before}{block}{newline if after else ''}"
        if behind.startswith(("\n", "\r\n")) and before:
            # Keep the empty line that is there above the list.
            cut = facts.end + len(newline)
            return _pasted(text, [*edits, (cut, cut, newline.join(rows))])
    return _pasted(text, [*edits, (facts.end, facts.end, block)])


def with_rows(text: str, rows: list[str], over: list[str]) -> str:
    """The text with more bullets under `## Facts`, and more that no longer hold."""
    new = _spliced(text, [], rows)
    if not over:
        return new
    return _pasted(new, [_behind_superseded(new, read_facts(new), over)])


def _behind_superseded(text: str, facts: Facts, rows: list[str]) -> tuple[int, int, str]:
    """The edit that puts facts under `## Superseded`, with that heading if it is not there."""
    newline = newline_of(text)
    block = newline.join(rows)
    if facts.superseded_end >= 0:
        return facts.superseded_end, facts.superseded_end, block
    place = facts.section_end if facts.section_end >= 0 else len(text)
    lead = "" if text[:place].endswith(newline * 2) else newline
    tail = newline if place < len(text) else ""
    return place, place, f"{lead}## Superseded{newline}{newline}{block}{tail}"


def _pasted(text: str, edits: list[tuple[int, int, str]]) -> str:
    """The text with spans replaced by whole lines, each of which gets the file's line end."""
    newline = newline_of(text)
    out: list[str] = []
    done = 0
    for start, end, new in sorted(edits, key=lambda edit: (edit[0], edit[1])):
        before = text[done:start]
        out.append(before)
        if new:
            if start and not "".join(out[-2:]).endswith("\n"):
                out.append(newline)
            out.append(new + newline)
        done = end
    return "".join([*out, text[done:]])


def _history(row: str, until: str, by: str) -> str:
    """The lines of a fact that no longer holds: until when, and what holds instead."""
    ending = re.search(
        r"((?:[ \t]*\[\^[^\]\s]+\])*(?:[ \t]+\^[A-Za-z0-9\-]+)?[ \t]*)(\r?\n?)$", row
    )
    mark = f" (until {one_line(until)}, see ^{by})"
    if ending is None:
        return row + mark
    return f"{row[: ending.start()]}{mark}{ending[1]}"


def listed(value: object) -> list[object]:
    """A value of front matter as a list: one that is none is its only item."""
    if isinstance(value, list):
        return list(value)
    return [value] if value else []


def _expect(
    text: str,
    expected: Mapping[str, str],
    *,
    gone: Iterable[str] = (),
    over: Iterable[str] = (),
    before: str = "",
) -> None:
    """Refuse a text that does not hold the facts that it should, and all others as before."""
    plain = {fact.id: fact for fact in facts_of(text) if fact.id}
    for identity, words in expected.items():
        found = plain.get(identity)
        if found is None or escaped(found.text) != words:
            raise Refused(
                f"the fact {words[:60]!r} could not be written so that it is read again",
                hint="is there an unclosed code block or comment in the entry?",
            )
    for fact in facts_of(before) if before else ():
        if not fact.id or fact.id in expected or fact.id in gone:
            continue
        now = plain.get(fact.id)
        if (
            now is None
            or now.text != fact.text
            or (now.stands != fact.stands and fact.id not in over)
        ):
            raise Refused(
                f"the fact ^{fact.id} would not stay as it is", hint="nothing was changed"
            )
