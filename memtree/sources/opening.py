"""The door for what is curated: text, files, folders, standard input, exports of conversations.

Sources come one after another and so do their passages; what could not be understood in a source
comes as problems behind it. A conversation of an export is a source of its own, with no path: it
has no lines in a file, so its passages' `lines` count its messages from 1.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from memtree.errors import UsageError
from memtree.knowledge.source import LOG, MARKDOWN, TEXT, TRANSCRIPT, Opened, Passage, Source
from memtree.sources import sniff
from memtree.sources.chats import NAMES, Conversation, conversation
from memtree.sources.gitlog import log_passages
from memtree.sources.json_stream import UNREADABLE, elements
from memtree.sources.prose import markdown_passages, text_passages
from memtree.sources.reading import Troubles, beginning, numbered, pieces, printable, problem
from memtree.sources.rows import Rows, row_passages
from memtree.sources.sniff import recognise
from memtree.sources.stamps import day_of, iso_of
from memtree.sources.transcript import subtitle_passages, transcript_passages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from memtree.knowledge.problem import Problem

_KIND_OF = {
    sniff.TEXT: TEXT,
    sniff.MARKDOWN: MARKDOWN,
    sniff.LOG: LOG,
    sniff.TRANSCRIPT: TRANSCRIPT,
    sniff.SUBTITLES: TRANSCRIPT,
    sniff.JSONL: TRANSCRIPT,
}
_PATH_LIKE = re.compile(r"[^\s]*(?:[/\\]|^~)[^\s]*$|[^\s]*[^\s.]\.[A-Za-z][A-Za-z0-9]{0,9}$")
_H1 = re.compile(r"^# +(\S.*)$", re.MULTILINE)


def open_sources(
    arguments: Sequence[str], *, stdin: BinaryIO, kind: str = "auto"
) -> Iterator[Opened | Problem]:
    """Open what `memtree curate` was given: files, folders, `-` for `stdin`, or text itself.

    `kind` is one of `sniff.KINDS`. Go through the passages of a source before asking for the next
    one: the problems in it follow it, and streams can't be wound back. Raises UsageError, before
    anything is read, for a kind that does not exist and for what looks like a path that is not
    there.
    """
    if kind not in sniff.KINDS:
        raise UsageError(f"there is no kind '{kind}'", hint="kinds: " + ", ".join(sniff.KINDS))
    if not arguments:
        raise UsageError("there is nothing to read", hint="give a text, a file, a folder or -")
    if list(arguments).count("-") > 1:
        raise UsageError("standard input can be read once")
    chosen = [(argument, _sort(argument)) for argument in arguments]
    return _open_all(chosen, stdin, kind)


def _sort(argument: str) -> str:
    """Tell what an argument is: `stdin`, `folder`, `file` or `text`. Raises UsageError."""
    if argument == "-":
        return "stdin"
    if not argument.strip():
        raise UsageError("an empty text says nothing")
    try:
        mode = os.stat(os.path.expanduser(argument)).st_mode
    except (OSError, ValueError):  # also: a name that is too long, or holds NUL
        if _is_path(argument):
            raise _missing(argument) from None
        return "text"
    return "folder" if stat.S_ISDIR(mode) else "file"


def _is_path(argument: str) -> bool:
    if "\n" in argument or len(argument) > 4096:
        return False
    if _PATH_LIKE.match(argument):
        return True
    above = os.path.dirname(os.path.expanduser(argument))
    known = os.path.splitext(argument)[1].lower() in sniff.SUFFIXES
    return bool(above) and known and os.path.isdir(above)


def _missing(argument: str) -> UsageError:
    if re.match(r"[a-z][a-z0-9+.-]*://", argument, re.IGNORECASE):
        return UsageError(
            f"'{argument}' is an address, and memtree fetches nothing",
            hint="save the page, or pipe it: COMMAND | memtree curate -",
        )
    import difflib

    above, name = os.path.split(os.path.expanduser(argument))
    try:
        near = difflib.get_close_matches(name, os.listdir(above or "."), 1)
    except OSError:
        near = []
    guess = f"did you mean '{os.path.join(os.path.dirname(argument), near[0])}'?" if near else ""
    return UsageError(
        f"there is nothing at '{argument}'",
        hint=guess or "if it is meant as text, write it as a sentence or pipe it: echo ... | -",
    )


def _open_all(
    chosen: Sequence[tuple[str, str]], stdin: BinaryIO, kind: str
) -> Iterator[Opened | Problem]:
    texts = 0
    for argument, sort in chosen:
        if sort == "stdin":
            yield from _from_stream("-", "", stdin, kind)
        elif sort == "folder":
            yield from _from_folder(argument, kind)
        elif sort == "file":
            yield from _from_file(argument, os.path.expanduser(argument), kind)
        else:
            texts += 1
            data = argument.encode("utf-8", "replace")
            name = "text" if texts == 1 else f"text-{texts}"
            yield from _from_stream(name, "", io.BytesIO(data), kind)


def _from_folder(argument: str, kind: str) -> Iterator[Opened | Problem]:
    from memtree.tree.ignore import judge_for

    root = os.path.expanduser(argument)
    judge = judge_for(root)
    others: dict[str, int] = {}
    troubles: list[Problem] = []

    def unreadable(error: OSError) -> None:
        troubles.append(problem(str(error.filename), 0, "unreadable", str(error.strerror)))

    for above, folders, files in os.walk(root, onerror=unreadable):
        inside = os.path.relpath(above, root).replace(os.sep, "/")
        prefix = "" if inside == "." else inside + "/"
        if ".memtree" in folders:
            folders.clear()
            yield problem(above, 0, "left-out", "a tree of its own: what is in it is known there")
            continue
        folders[:] = sorted(
            name
            for name in folders
            if name[:1] != "." and not judge(prefix + name, True)  # noqa: FBT003  (the judge's own manner)
        )
        for name in sorted(files):
            path = os.path.join(above, name)
            if name.startswith(".") or judge(prefix + name, False):  # noqa: FBT003  (as above)
                continue
            suffix = os.path.splitext(name)[1].lower()
            if (suffix and suffix not in sniff.SUFFIXES) or os.path.islink(path):
                others[suffix or name] = others.get(suffix or name, 0) + 1
                continue
            yield from _from_file(os.path.join(argument, *prefix.split("/"), name), path, kind)
    yield from troubles
    if others:
        counted = ", ".join(f"{number} {suffix}" for suffix, number in sorted(others.items()))
        yield problem(argument, 0, "left-out", f"files that are no text or chat: {counted}")


def _from_file(name: str, path: str, kind: str) -> Iterator[Opened | Problem]:
    try:
        mode = os.stat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            yield problem(name, 0, "not-a-file", "neither a file nor a pipe")
            return
        with open(path, "rb") as file:
            if stat.S_ISFIFO(mode):
                yield from _from_stream(name, "", file, kind)
            else:
                yield from _from_stream(name, os.path.abspath(path), file, kind)
    except OSError as error:
        yield problem(name, 0, "unreadable", f"can't be read: {error.strerror or error}")


def _from_stream(name: str, path: str, raw: BinaryIO, kind: str) -> Iterator[Opened | Problem]:
    troubles = Troubles(name)
    try:
        head, stream = beginning(raw)
    except OSError as error:
        yield problem(name, 0, "unreadable", f"can't be read: {error.strerror or error}")
        return
    way = recognise(name, head)
    if way == sniff.UTF16:
        message = "the text is UTF-16, and memtree reads UTF-8: iconv -f UTF-16 -t UTF-8"
        yield problem(name, 0, "encoding", message)
        return
    if kind in {"chatgpt", "claude"}:
        way = sniff.ZIP if way == sniff.ZIP else sniff.JSON
    elif kind != "auto" and way not in {sniff.BINARY, sniff.ZIP}:
        way = way if (kind, way) == ("transcript", sniff.SUBTITLES) else kind
    if way == sniff.BINARY:
        yield problem(name, 0, "binary", "no text")
    elif way == sniff.ZIP:
        yield from _from_zip(name, path)
    elif way == sniff.JSON:
        yield from _from_json(printable(name), stream, troubles)
    else:
        source = _describe(name, path, way, head)
        passages = _guarded(_passages(way, stream, troubles, source), troubles)
        yield Opened(source=source, passages=passages)
    yield from troubles.drain()


def _passages(way: str, stream: BinaryIO, troubles: Troubles, source: Source) -> Iterator[Passage]:
    if way == sniff.JSONL:
        return row_passages(stream, troubles)
    lines = numbered(stream, troubles)
    if way == sniff.LOG:
        return log_passages(lines, troubles)
    if way == sniff.TRANSCRIPT:
        return transcript_passages(lines, troubles, day=source.time)
    if way == sniff.SUBTITLES:
        return subtitle_passages(lines, day=source.time)
    return markdown_passages(lines) if way == sniff.MARKDOWN else text_passages(lines)


def _guarded(passages: Iterator[Passage], troubles: Troubles) -> Iterator[Passage]:
    """End a source early, and say so, when the disk or the pipe fails."""
    try:
        yield from passages
    except (OSError, ValueError) as error:  # ValueError: the file was closed meanwhile
        troubles.note("unreadable", 0, f"can't be read to its end: {error}")


def _describe(name: str, path: str, way: str, head: bytes) -> Source:
    if printable(name) != name:
        name, path = printable(name), ""  # no text can hold it, so nothing can point to it
    text = head.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    title = time = ""
    if way == sniff.MARKDOWN:
        meta: dict[str, object] = {}
        if text.startswith("---\n"):
            from memtree.tree.format import find_front

            meta = find_front(text).meta
        first = _H1.search(text)
        title = str(meta.get("title") or (first[1] if first else ""))
        keys = ("date", "time", "created", "created_at", "updated")
        time = next((found for key in keys if (found := iso_of(meta.get(key)))), "")
    if not time and name not in {"-", "text"}:
        time = day_of(os.path.basename(name))
    title = " ".join(title.split())[:200]
    return Source(name=name, kind=_KIND_OF[way], path=path, title=title, time=time)


def _from_zip(name: str, path: str) -> Iterator[Opened | Problem]:
    if not path:
        yield problem(name, 0, "not-understood", "an archive can't be read from a pipe")
        return
    troubles = Troubles(name)
    found = False
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                if NAMES.search(member):
                    found = True
                    with archive.open(member) as file:
                        yield from _from_json(printable(f"{name}/{member}"), file, troubles)  # type: ignore[arg-type]
    except (*UNREADABLE, ValueError) as error:
        troubles.note("unreadable", 0, f"can't be read: {error}")
    else:
        if not found:
            yield problem(name, 0, "left-out", "an archive without conversations.json")
    yield from troubles.drain()


def _from_json(name: str, stream: BinaryIO, troubles: Troubles) -> Iterator[Opened | Problem]:
    """Open the conversations of an export, else the rows of any other array, as one source."""
    items = elements(stream, troubles)
    number = wordless = 0
    for number, item in enumerate(items, 1):
        read = conversation(item)
        if read is not None:
            wordless += read.wordless
            opened = _opened(name, number, read)
            if opened is not None:
                yield opened
        elif number == 1 and isinstance(item, dict):
            if not any(key in item for key in ("text", "content", "messages", "message")):
                troubles.note("not-understood", 0, "JSON that holds no conversation")
                return
            rows = Rows(troubles)
            numbers = enumerate(chain([item], items), 1)
            source = Source(name=name, kind=TRANSCRIPT, time=day_of(os.path.basename(name)))
            yield Opened(
                source=source,
                passages=_guarded(
                    (passage for at, row in numbers for passage in rows.passages(at, row)), troubles
                ),
            )
            return
        else:
            troubles.note("not-understood", 0, f"element {number} is no conversation")
    if not number:
        troubles.note("not-understood", 0, "JSON that holds no conversation")
    if wordless:
        troubles.note("left-out", 0, f"messages without words (images, files): {wordless}")


def _opened(name: str, number: int, read: Conversation) -> Opened | None:
    passages = [
        Passage(
            text=text,
            lines=(turn, turn),
            kind="message",
            speaker=message.speaker,
            time=message.time,
            session=read.id,
            turn=turn,
            key=message.key,
        )
        for turn, message in enumerate(read.messages, 1)
        for text, _ in pieces([(turn, line) for line in message.text.splitlines()])
    ]
    if not passages:
        return None
    source = Source(
        name=f"{name}#{read.id or number}", kind=TRANSCRIPT, title=read.title, time=read.time
    )
    return Opened(source=source, passages=iter(passages))
