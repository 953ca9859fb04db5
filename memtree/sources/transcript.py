"""Who said what, in the many ways in which that is written down.

Understood: `Name: text`, `**Name:** text`, `[2023-05-08 13:56] Name: text`, the exports of
WhatsApp and Signal, `Name (1:56 pm): text`, `13:56 <nick> text`, a name with a time over its text,
`## User` over a message, subtitles. Lines that begin no message belong to the one before. A line
that is a heading or a date of its own begins a session.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from memtree.sources.reading import Line, Run
from memtree.sources.stamps import NUMERIC, STAMP, WORDED, Order, day_of, read_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memtree.knowledge.source import Passage
    from memtree.sources.reading import Troubles

_LOOK = 400
"""Lines at the beginning that tell the order of day and month, and who takes part."""
_NAME = r"[^\W\d_][^\n:<>\[\]{}|=*\"]{0,39}?"
_ROLES = "user|you|human|me|assistant|system|ai|bot|chatgpt|gpt|claude|gemini|copilot|model|agent"
_TIMED = f"(?P<stamp>{STAMP})"
_FORMS: dict[str, str] = {
    # [2023-05-08 13:56] <nick> text, 13:56 <nick> text, <nick> text
    "irc": rf"(?:\[?{_TIMED}\]?\s+)?<[ @+%~&]?(?P<name>[^\s<>]{{1,40}})>(?:\s+(?P<text>.*))?$",
    # [8/5/23, 13:56:07] Name: text, 8/5/23, 1:56 PM - Name: text, 2023-05-08T13:56 Name: text
    "stamped": rf"\u200e?(?:\[{_TIMED}\]|{_TIMED.replace('stamp', 'stamp2')})"
    rf"(?:\s+[-\u2013]\s+|\s+|:\s+)(?:\*\*)?~?\s?(?P<name>{_NAME})(?:\*\*)?:(?:\*\*)?"
    r"(?:\s+(?P<text>.*))?$",
    # Name (1:56 pm): text, Name [2023-05-08 13:56]: text, Name (1:56 pm) over the text
    "named": rf"(?:\*\*)?(?P<name>{_NAME})(?:\*\*)?\s+[\[(]{_TIMED}[\])]:?(?:\*\*)?:?"
    r"(?:\s+(?P<text>.*))?$",
    # Name  1:56 PM over the text
    "over": rf"(?P<name>{_NAME})(?:\s{{2,}}|\t|,\s+){_TIMED}$(?P<text>(?!))?",
    # ## User over the text
    "role": rf"#{{1,6}}\s+(?:\*\*)?(?P<name>{_ROLES})(?:\*\*)?\s*:?\s*(?:[\[(]{_TIMED}[\])])?$"
    r"(?P<text>(?!))?",
    # **Name:** text, **Name**: text, Name: text
    "plain": rf"(?:(?:[-*]\s+)?(?:\*\*|__)(?P<bold>{_NAME})(?::(?:\*\*|__)|(?:\*\*|__):)"
    rf"|(?P<name>{_NAME}):)(?:\s+(?P<text>.*))?$",
}
_PATTERNS = {form: re.compile(text, re.IGNORECASE) for form, text in _FORMS.items()}
_NOTICE = re.compile(
    rf"\u200e?(?:\[{STAMP}\]\s+(?:\*{{1,3}}\s+)?|{STAMP}\s+(?:[-\u2013*]|-!-)\s+|\*{{3}}\s|-!-\s)",
    re.IGNORECASE,
)
"""What an application says in between: who joined, that all is encrypted."""
_DATED = re.compile(
    rf"(?:#{{1,6}}\s+|[-=*\u2014\u2013]{{2,}}\s*)?(?:\[)?(?:{WORDED}|{NUMERIC})(?:\])?[\s\W]*$",
    re.IGNORECASE,
)
_HEADING = re.compile(r"(?:#{1,6}\s+|[-=\u2014\u2013]{2,}\s*)\S")
_SESSION = re.compile(
    r"(?:#{1,6}\s+|[-=\u2014\u2013\[]+\s*)?(?:session|conversation|meeting|call|chat|day|part)"
    r"(?:\s*#?\d+\b|\s*[\]:]|$)",
    re.IGNORECASE,
)
_ROLE = re.compile(rf"(?:{_ROLES}|q|a|interviewer|speaker ?\d+)$", re.IGNORECASE)
_NO_NAME = re.compile(
    r"(?:note|todo|fixme|warning|example|examples|see|see also|title|date|subject|from|to|cc|bcc"
    r"|summary|tags?|author|status|https?|ps|nb|update|edit|result|usage|returns?|args?|raises"
    r"|yes|no|but|and|so|also|however|reminder|tip|important|caution|error|info|debug|version"
    r"|description|name|type|id|url|link|source|references?|key|value|input|output|default)$",
    re.IGNORECASE,
)
_WHEN = re.compile(rf"\b{STAMP}(?:\s+on\s+(?:{WORDED}|{NUMERIC}))?(?!\w)", re.IGNORECASE)
_LONGEST_SESSION = 200


def form_of(lines: list[str], *, strict: bool = False) -> str:
    """Return how the first lines of a text write who speaks, "" when they tell of nobody.

    `strict` asks for more: half of all lines begin a message.
    """
    said = [line for line in lines[:_LOOK] if line.strip()]
    for form, pattern in _PATTERNS.items():
        found = [match for line in said if (match := pattern.match(line.strip()[:400]))]
        names = [_name(match) for match in found]
        if form == "plain":
            names = [name for name in names if _is_name(name) and not (strict and name.islower())]
            if _converse(names, len(said), strict=strict):
                return form
        elif len(names) >= 2 and len(set(names)) < max(3, len(names)):
            share = len(names) / len(said)
            if share >= (0.5 if strict else 0.05 if form != "role" else 0.01):
                return form
    return ""


def _converse(names: list[str], lines: int, *, strict: bool) -> bool:
    """Whether so many lines with these names before a colon are a conversation.

    Somebody speaks twice, there are two of them (or roles), and messages fill the page.
    """
    people = set(names)
    if len(names) < 2 or not people:
        return False
    known = sum(bool(_ROLE.match(name)) for name in people)
    if len(names) < lines * (0.6 if strict else 0.5) and known < 2:
        return False
    if len(names) < lines * 0.1:
        return False
    returns = len(names) >= 2 * len(people) or (
        len(names) >= 4 and len(people) <= 0.75 * len(names)
    )
    return len(people) >= 2 and (returns or known >= 2 or (len(people) == 2 and len(names) >= 3))


def _name(match: re.Match[str]) -> str:
    groups = match.groupdict()
    name = groups.get("name") or groups.get("bold") or ""
    return name.strip().strip("*_~").strip()


def _is_name(name: str) -> bool:
    return bool(name) and len(name.split()) <= 4 and not _NO_NAME.match(name)


def transcript_passages(
    lines: Iterable[Line], troubles: Troubles, *, form: str = "", day: str = ""
) -> Iterator[Passage]:
    """Yield the messages of a transcript; `day` is the date that the source bears, or "".

    `form` is what `form_of` said, else the beginning decides. Every message has the time that it
    states, else that of its session, else `day`.
    """
    lines = iter(lines)
    head: list[Line] = []
    for line in lines:
        head.append(line)
        if len(head) >= _LOOK:
            break
    texts = [text for _, text in head]
    form = form or form_of(texts) or "plain"
    pattern = _PATTERNS[form]
    stamps = [s for text in texts if (match := pattern.match(text[:400])) and (s := _stamp(match))]
    names: set[str] = set()
    if form == "plain":
        found = [_name(match) for text in texts if (match := pattern.match(text.strip()[:400]))]
        names = {name for name in found if _is_name(name)}
        roles = {name for name in names if _ROLE.match(name)}
        if len(roles) >= 2:
            names = roles  # an assistant's answer is full of words before colons
    reader = _Reader(form, Order(stamps), names, troubles, day)
    for number, text in chain(head, lines):
        yield from reader.line(number, text)
    yield from reader.end()


def _stamp(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return groups.get("stamp") or groups.get("stamp2") or ""


class _Reader:
    """What is said at this point: by whom, when, in which session."""

    __slots__ = (
        "_day",
        "_fields",
        "_form",
        "_names",
        "_order",
        "_pattern",
        "_run",
        "_session",
        "_told",
        "_troubles",
        "_turn",
    )

    def __init__(
        self, form: str, order: Order, names: set[str], troubles: Troubles, day: str
    ) -> None:
        self._form = form
        self._pattern = _PATTERNS[form]
        self._order = order
        self._names = names
        self._troubles = troubles
        self._day = day
        self._session = ""
        self._told = False  # whether the session was named by a line of its own
        self._turn = 0
        self._run = Run()
        self._fields: dict[str, object] = {"kind": "prose"}

    def line(self, number: int, text: str) -> Iterator[Passage]:
        """Take the next line; yields what it ends."""
        bare = text.strip()
        match = self._pattern.match(bare[:400]) if bare else None
        name = _name(match) if match else ""
        if match and (self._form != "plain" or self._speaks(name)):
            yield from self._flush()
            self._message(number, text, match, name)
        elif bare and self._is_session(bare):
            yield from self._flush()
            self._begin_session(bare)
        elif self._form in {"irc", "stamped"} and bare and _NOTICE.match(bare):
            yield from self._flush()
            self._troubles.note("left-out", number, "a line of the application, by nobody")
        else:
            if self._run.full:
                yield from self._run.flush(**self._fields)
            if bare or self._run:
                self._run.add(number, text)

    def end(self) -> Iterator[Passage]:
        """Yield what is left."""
        yield from self._flush()

    def _speaks(self, name: str) -> bool:
        if name in self._names:
            return True
        if any(_ROLE.match(known) for known in self._names):
            return False
        # Somebody who comes late: a name as names are written, not the beginning of a sentence.
        words = name.split()
        return _is_name(name) and len(words) <= 2 and all(word[0].isupper() for word in words)

    def _message(self, number: int, text: str, match: re.Match[str], name: str) -> None:
        stamp = _stamp(match)
        time = read_stamp(stamp, self._order, self._day) if stamp else self._day
        if stamp and time[:10] and not self._told:
            self._new_session(time[:10])
        self._turn += 1
        self._fields = {
            "kind": "message",
            "speaker": name,
            "time": time,
            "session": self._session,
            "turn": self._turn,
        }
        said = match["text"] or ""
        whole = text.strip()
        if said and len(whole) > 400:
            said = whole[match.start("text") :]
        self._run = Run()
        if said.strip():
            self._run.add(number, said)

    def _flush(self) -> Iterator[Passage]:
        yield from self._run.flush(**self._fields)
        if self._fields["kind"] == "message":
            # What follows a heading before anybody speaks is nobody's.
            self._fields = {"kind": "prose", "time": self._day, "session": self._session}

    def _is_session(self, bare: str) -> bool:
        if len(bare) > _LONGEST_SESSION:
            return False
        if _DATED.match(bare) or _SESSION.match(bare):
            return True
        # Another heading is one of the conversation only if it bears a date, or comes first.
        heading = _HEADING.match(bare)
        return bool(heading and (not self._turn or day_of(bare, self._order)))

    def _begin_session(self, bare: str) -> None:
        when = read_stamp(bare, self._order) if day_of(bare, self._order) else ""
        self._day = when or self._day
        title = _WHEN.sub(" ", bare).strip("#-=*[]()|,:\u2014\u2013 \t") or when
        self._told = bool(title)
        if title:
            self._new_session(" ".join(title.split()))
        self._fields = {"kind": "prose", "time": self._day, "session": self._session}

    def _new_session(self, name: str) -> None:
        if name != self._session:
            self._session = name
            self._turn = 0


_CUE = re.compile(r"(?:(\d{1,2}):)?(\d{2}):(\d{2})[.,]\d{3}\s+-->")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]{1,60})>")
_TAG = re.compile(r"</?[a-z][^>]{0,60}>|\{\\[^}]*\}", re.IGNORECASE)


def subtitle_passages(lines: Iterable[Line], *, day: str = "") -> Iterator[Passage]:
    """Yield the cues of WebVTT and SRT as messages; consecutive ones of a voice are one."""
    run = Run()
    speaker, turn, inside = "", 0, False
    for number, text in lines:
        if _CUE.search(text):
            inside = True
            continue
        if not text.strip():
            inside = False
            continue
        if not inside:
            continue
        voice = _VOICE.search(text)
        words = _TAG.sub("", text).strip()
        named = _PATTERNS["plain"].match(words[:400]) if not voice else None
        name = voice[1].strip() if voice else ""
        if named and _is_name(_name(named)) and _name(named).istitle():
            name, words = _name(named), words[named.start("text") :] if named["text"] else ""
        if (name and name != speaker) or run.full:
            yield from run.flush(kind="message", speaker=speaker, time=day, turn=turn)
            turn += bool(name and name != speaker) or not turn
            speaker = name or speaker
        if words:
            run.add(number, words)
    yield from run.flush(kind="message", speaker=speaker, time=day, turn=max(turn, 1))
