"""Conversations exported from ChatGPT and Claude: every message becomes an entry.

They land in `conversations/TITLE-ID/`, where ID is made of the export's own name for the
conversation, so that two of one title stay apart and a newer export adds to what is there. An entry
says who spoke, when, in which conversation, and the how-manieth message it is. The file is read
conversation by conversation, also inside the archive that was downloaded.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from typing import TYPE_CHECKING, BinaryIO

from memtree.exchange.jsonl import Reader
from memtree.knowledge.path import MARKDOWN_SUFFIXES, slug
from memtree.knowledge.problem import Problem
from memtree.sources.chats import NAMES, conversation
from memtree.sources.json_stream import UNREADABLE, elements
from memtree.sources.reading import HEAD, Troubles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memtree.exchange.report import Draft
    from memtree.sources.chats import Conversation

FOLDER = "conversations"
_MARKS = (b'"mapping"', b'"chat_messages"')
_ID_LETTERS = 6


def is_export(path: str) -> bool:
    """Whether a file or folder is an export of conversations, told from its beginning."""
    if os.path.isdir(path):
        notes = any(name.lower().endswith(MARKDOWN_SUFFIXES) for name in os.listdir(path))
        return bool(_members(path)) and not notes
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return any(NAMES.search(name) for name in archive.namelist())
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except (*UNREADABLE, ValueError):
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return start in (b"[", b"{") and any(mark in head for mark in _MARKS)


def read_path(path: str, *, kind: str, into: str = "") -> Iterator[Draft | Problem]:
    """Turn an export into drafts: conversations.json, a folder that holds it, or the archive.

    `kind` is `chatgpt`, `claude`, or `auto` for either; `into` is a folder of the tree for all.
    """
    try:
        if os.path.isdir(path):
            for name in _members(path):
                with open(os.path.join(path, name), "rb") as file:
                    yield from read_stream(os.path.join(path, name), file, kind=kind, into=into)
        elif zipfile.is_zipfile(path):
            yield from _archived(path, kind, into)
        else:
            with open(path, "rb") as file:
                yield from read_stream(path, file, kind=kind, into=into)
    except (*UNREADABLE, ValueError) as error:
        yield _problem(path, 0, "unreadable", f"can't be read: {error}")


def read_stream(
    origin: str, stream: BinaryIO, *, kind: str, into: str = ""
) -> Iterator[Draft | Problem]:
    """Turn the conversations in a stream of JSON into drafts; arguments as in `read_path`."""
    troubles = Troubles(origin)
    number = wordless = others = 0
    for number, item in enumerate(elements(stream, troubles), 1):
        read = conversation(item)
        if read is None:
            troubles.note("not-understood", 0, f"element {number} is no conversation")
        elif kind not in ("auto", read.maker):
            others += 1
        else:
            wordless += read.wordless
            yield from _drafts(origin, read, into)
    yield from troubles.drain()
    if others:
        message = f"conversations that are not of {kind}: {others}; --from auto takes both kinds"
        yield _problem(origin, 0, "not-understood", message)
    if not number:
        yield _problem(origin, 0, "not-understood", "there is no conversation in it")
    if wordless:
        message = f"messages without words (images, files) stay behind: {wordless}"
        yield _problem(origin, 0, "attachments", message)


def _archived(path: str, kind: str, into: str) -> Iterator[Draft | Problem]:
    with zipfile.ZipFile(path) as archive:
        members = sorted(name for name in archive.namelist() if NAMES.search(name))
        for member in members:
            with archive.open(member) as file:
                yield from read_stream(f"{path}/{member}", file, kind=kind, into=into)  # type: ignore[arg-type]
        if not members:
            yield _problem(path, 0, "not-understood", "an archive without conversations.json")


def _drafts(origin: str, read: Conversation, into: str) -> Iterator[Draft | Problem]:
    identity = read.id or _digest(read.title + read.time)
    # A name of its own for each: titles repeat, and change.
    folder = f"{FOLDER}/{slug(read.title or 'untitled')}-{_digest(identity)[:_ID_LETTERS]}/"
    reader = Reader(origin, into.strip("/"), {folder})
    for number, message in enumerate(read.messages, 1):
        item: dict[str, object] = {
            "text": message.text,
            "path": folder,
            "time": message.time,
            "speaker": message.speaker,
            "session": identity,
            "conversation": read.title,
            "source": read.maker,
        }
        if message.key:
            item["id"] = message.key
        said = {key: value for key, value in item.items() if value}
        yield from reader.drafts(number, said)


def _members(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if NAMES.search(name))
    except OSError:
        return []


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _problem(path: str, line: int, code: str, message: str) -> Problem:
    path = path.encode("utf-8", "backslashreplace").decode()
    return Problem(path=path, line=line, code=code, message=message)
