"""Lines of JSON as messages: our own JSONL, lines with `role` and `content`, sessions of agents.

Of a coding agent's session (Claude Code, Codex) what the user and the assistant said is read; calls
of tools, what they returned and what the program noted for itself are left out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from memtree.knowledge.source import Passage
from memtree.sources.chats import conversation, line, said
from memtree.sources.reading import BOM, pieces
from memtree.sources.stamps import iso_of
from memtree.sources.transcript import form_of, transcript_passages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from memtree.sources.reading import Troubles

MAX_LINE = 32 << 20
"""Bytes of one line, as `import` takes them."""
_TEXTS = ("text", "content", "body", "message", "parts")
_SPEAKERS = ("speaker", "role", "author", "sender", "user", "name", "from")
_TIMES = ("time", "timestamp", "date", "created_at", "create_time", "ts")
_SESSIONS = ("session", "session_id", "sessionId", "conversation_id", "conversation", "thread")
_KEYS = ("id", "uuid", "message_id")
_SILENT = frozenset({"system", "tool", "developer", "function"})
_NOTED = (
    "<command-",
    "<local-command",
    "<system-reminder>",
    "<environment_context>",
    "Caveat: The",
)
"""How a message begins that the program wrote in the user's name."""
_MANY = 100_000


def row_passages(stream: BinaryIO, troubles: Troubles) -> Iterator[Passage]:
    """Yield the messages and texts of a JSONL stream; `lines` is the line each stands on."""
    reader = Rows(troubles)
    number = 0
    while raw := stream.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            troubles.note("oversize", number, f"a line of more than {MAX_LINE >> 20} MiB")
            while raw and not raw.endswith(b"\n"):
                raw = stream.readline(1 << 20)
            continue
        if number == 1:
            raw = raw.removeprefix(BOM)
        if not raw.strip():
            continue
        try:
            item = json.loads(raw.decode("utf-8", "replace"))
        except (ValueError, RecursionError) as error:
            troubles.note("bad-json", number, f"the line is not JSON: {error}")
            continue
        yield from reader.passages(number, item)


class Rows:
    """Reads row after row, and counts the turns of each session."""

    __slots__ = ("_troubles", "_turns")

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self._turns: dict[str, int] = {}

    def passages(self, number: int, item: object) -> Iterator[Passage]:
        """Yield what a row says; what says nothing is noted."""
        if not isinstance(item, dict):
            self._troubles.note("bad-json", number, "the line is not a JSON object")
            return
        read = conversation(item)
        if read is not None:
            for turn, message in enumerate(read.messages, 1):
                for text, _ in pieces([(number, part) for part in message.text.splitlines()]):
                    yield Passage(
                        text=text,
                        lines=(number, number),
                        kind="message",
                        speaker=message.speaker,
                        time=message.time,
                        session=read.id or str(number),
                        turn=turn,
                        key=message.key,
                    )
            return
        payload = item.get("payload")
        if isinstance(payload, dict):
            item = {**item, **payload}
        rows = item.get("messages")
        if isinstance(rows, list):
            session = _first(item, _KEYS + _SESSIONS) or str(number)
            for row in rows:
                if isinstance(row, dict):
                    yield from self._row(number, {"session": session, **row})
            return
        yield from self._row(number, item)

    def _row(self, number: int, item: Mapping[str, object]) -> Iterator[Passage]:
        inner = item.get("message")
        message: Mapping[str, object] = {**item, **inner} if isinstance(inner, dict) else item
        text = next((t for key in _TEXTS if (t := said(message.get(key))).strip()), "")
        speaker = _speaker(message)
        if _is_machinery(item, speaker, text):
            self._troubles.note("left-out", number, "a line that is no message of anybody")
            return
        if not text.strip():
            self._troubles.note("no-text", number, "the line has no `text`")
            return
        session = _first(item, _SESSIONS)
        time = next((t for key in _TIMES if (t := iso_of(message.get(key)))), "")
        if not speaker and "\n" in text and (form := form_of(text.split("\n"))):
            # A whole conversation in one row.
            lines = ((number, part) for part in text.split("\n"))
            name = session or _first(message, _KEYS)
            for passage in transcript_passages(lines, self._troubles, form=form, day=time):
                yield replace(passage, session=name)
            return
        facts = {
            "kind": "message" if speaker or session else "prose",
            "heading": line(item.get("title")),
            "speaker": speaker,
            "time": time,
            "session": session,
            "turn": self._turn(session, item.get("turn")) if speaker or session else 0,
            "key": _first(message, _KEYS),
        }
        for piece, _ in pieces([(number, part) for part in text.splitlines()]):
            yield Passage(text=piece, lines=(number, number), **facts)  # type: ignore[arg-type]

    def _turn(self, session: str, given: object) -> int:
        if len(self._turns) > _MANY:
            self._turns.clear()
        turn = self._turns.get(session, 0) + 1
        if isinstance(given, int) and not isinstance(given, bool) and 0 < given < 1 << 31:
            turn = given
        self._turns[session] = turn
        return turn


def _speaker(message: Mapping[str, object]) -> str:
    for key in _SPEAKERS:
        value = message.get(key)
        if isinstance(value, dict):
            value = value.get("name") or value.get("role")
        if found := line(value):
            return found
    return ""


def _is_machinery(item: Mapping[str, object], speaker: str, text: str) -> bool:
    if item.get("isMeta") or item.get("isSidechain") or speaker in _SILENT:
        return True
    if "type" in item and not text.strip():
        return any(key in item for key in ("sessionId", "timestamp", "uuid", "leafUuid", "payload"))
    return text.startswith(_NOTED)


def _first(item: Mapping[str, object], keys: tuple[str, ...]) -> str:
    return next((found for key in keys if (found := line(item.get(key)))), "")
