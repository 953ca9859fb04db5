r"""What was done with entries, and when: append-only logs in `.memtree/state/`.

`uses.log` holds real uses (opened, cited, confirmed, edited), `shown.log` what was merely listed as
a hit; scoring reads only the first, which therefore stays small. One line is one event: time (ISO
8601, UTC, milliseconds), event and key, divided by tabs; the key is the entry's id, else its path.
So a use follows an entry that has an id wherever it moves; one without starts cold at a new path.
In a key `\\`, `\t`, `\n`, `\r` stand for those characters and `\xNN` for other control characters.

Losing the logs costs only warmth in the ranking, so nothing here ever fails a command: what can't
be written is not noted, a torn or foreign line is skipped, a link is never followed. An event is
appended by one write, which writers of several processes don't mix. What `consolidate` has put into
the files moves to `uses.old`, for those who look back. Hot: imports os and time.
"""

from __future__ import annotations

import os
import time

from memtree.errors import MemtreeError
from memtree.knowledge.lifecycle import EVENTS, REAL, day_number
from memtree.tree.lock import refuse_links, state_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memtree.knowledge.lifecycle import Use
    from memtree.knowledge.query import Hit

USES, SHOWN = "uses.log", "shown.log"
OLD_USES, OLD_SHOWN = "uses.old", "shown.old"
FOLDING = "uses.folding"  # the log while `fold` sorts it; read too, should that have died

READ = 4 << 20  # bytes of a log that are read: its end
SHOWN_BYTES = 1 << 20  # of `shown.log`, then it becomes `shown.old`
OLD_BYTES = 4 << 20  # of `uses.old`, then its older half goes
LONGEST_KEY = 4096  # characters; no path is longer
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def key_for(identity: str, path: str) -> str:
    """The key under which an entry's uses are noted: its id, else its path."""
    return identity or path


def note(root: str, event: str, keys: Iterable[str], at: float) -> bool:
    """Append one event for each key; `at` is seconds since 1970. True when it was written.

    Silent where the tree can't be written. Raises ValueError for an event that is none.
    """
    if event not in EVENTS:
        raise ValueError(event)
    stamp = _stamp(at)
    lines = [f"{stamp}\t{event}\t{_escaped(key)}\n" for key in keys if 0 < len(key) <= LONGEST_KEY]
    if not lines:
        return False
    name = SHOWN if event == "shown" else USES
    size = _append(root, name, "".join(lines).encode("utf-8", "surrogatepass"))
    if name == SHOWN and size > SHOWN_BYTES:
        _quietly(lambda: os.replace(state_path(root, SHOWN), state_path(root, OLD_SHOWN)))
    return size > 0


def note_shown(root: str, hits: Iterable[Hit], at: float) -> bool:
    """Note that these hits were listed; `at` is seconds since 1970."""
    # A hit without an id is called by its path less the suffix.
    keys = [
        hit.path if hit.id == hit.path.rpartition(".")[0] else key_for(hit.id, hit.path)
        for hit in hits
    ]
    return note(root, "shown", keys, at)


def uses(root: str, *, folded: bool = False) -> dict[str, list[Use]]:
    """Key -> the real uses that are noted, as (day, event), oldest first.

    With `folded` also those that `consolidate` has put into the files already: for a look back,
    never for a score.
    """
    names = (OLD_USES, FOLDING, USES) if folded else (FOLDING, USES)
    return _collected(root, names, REAL)


def shown(root: str) -> dict[str, list[Use]]:
    """Key -> when it was merely shown; of the last one or two megabytes of events."""
    return _collected(root, (OLD_SHOWN, SHOWN), ("shown",))


def fold(root: str, is_folded: Callable[[str, float], bool]) -> None:
    """Move the events for which `is_folded(key, day)` from the log to `uses.old`.

    Called with the writers' lock. New events may be noted meanwhile. Should the process die the
    events are in `uses.folding` too, and count once: equal events are one.
    """
    try:
        refuse_links(root)
    except MemtreeError:
        return
    whole = _read(root, FOLDING) + _read(root, USES)
    parsed = [(line, _parsed(line)) for line in whole.split(b"\n") if line]
    if not any(event and is_folded(event[2], event[0]) for _, event in parsed):
        return
    if not os.path.lexists(state_path(root, FOLDING)):
        log, folding = state_path(root, USES), state_path(root, FOLDING)
        if not _quietly(lambda: os.replace(log, folding)):
            return
    old: list[bytes] = []
    kept: list[bytes] = []
    for line in dict.fromkeys(_read(root, FOLDING).split(b"\n")):
        event = _parsed(line)
        if event is not None:
            (old if is_folded(event[2], event[0]) else kept).append(line + b"\n")
    there = set(_read(root, USES).split(b"\n"))
    kept = [line for line in kept if line[:-1] not in there]
    if kept and not _append(root, USES, b"".join(kept)):
        return  # a full disk: both files stay, and are read together
    if old and _append(root, OLD_USES, b"".join(old)) > OLD_BYTES:
        _halve(root, OLD_USES)
    _quietly(lambda: os.remove(state_path(root, FOLDING)))


def _collected(root: str, names: tuple[str, ...], wanted: tuple[str, ...]) -> dict[str, list[Use]]:
    try:
        refuse_links(root)
    except MemtreeError:
        return {}
    found: dict[str, list[Use]] = {}
    seen: set[bytes] = set()
    for name in names:
        lines = _read(root, name).split(b"\n")
        for line in lines:
            # The same line in two files is one event that `fold` was moving when it died.
            if line in seen:
                continue
            event = _parsed(line)
            if event is not None and event[1] in wanted:
                found.setdefault(event[2], []).append(event[:2])
        if name != names[-1]:
            seen.update(lines)
    for events in found.values():
        events.sort()
    return found


def _parsed(line: bytes) -> tuple[float, str, str] | None:
    """(day, event, key) of a line; None for a torn or foreign one."""
    parts = line.split(b"\t")
    if len(parts) != 3:
        return None
    try:
        stamp, event, key = (part.decode("utf-8", "surrogatepass") for part in parts)
    except UnicodeDecodeError:
        return None
    day = day_number(stamp) if stamp[-1:] == "Z" and len(stamp) > 10 else None
    if day is None or event not in EVENTS or not key or len(key) > 4 * LONGEST_KEY:
        return None
    return day, event, _unescaped(key) if "\\" in key else key


def _read(root: str, name: str) -> bytes:
    """The end of a log, from a whole line on; b"" when there is none."""
    try:
        descriptor = os.open(state_path(root, name), os.O_RDONLY | _FLAGS)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o170000 != 0o100000:
            return b""
        cut = status.st_size > READ
        if cut:
            os.lseek(descriptor, -READ, os.SEEK_END)
        parts = []
        while part := os.read(descriptor, READ):
            parts.append(part)
    except OSError:
        return b""
    finally:
        os.close(descriptor)
    data = b"".join(parts)
    return data[data.find(b"\n") + 1 :] if cut else data


def _append(root: str, name: str, data: bytes) -> int:
    """Append by one write; returns the size of the file then, 0 when it could not be done."""
    path = state_path(root, name)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _FLAGS
    try:
        refuse_links(root)
        try:
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            descriptor = os.open(path, flags, 0o666)
    except (OSError, MemtreeError):
        return 0
    try:
        status = os.fstat(descriptor)
        if status.st_mode & 0o170000 != 0o100000:
            return 0
        if status.st_size:
            # A line that a crash or a full disk tore must not swallow this one.
            os.lseek(descriptor, -1, os.SEEK_END)
            if os.read(descriptor, 1) != b"\n":
                data = b"\n" + data
        return status.st_size + len(data) if os.write(descriptor, data) == len(data) else 0
    except OSError:
        return 0
    finally:
        os.close(descriptor)


def _halve(root: str, name: str) -> None:
    path = state_path(root, name)
    data = _read(root, name)[-OLD_BYTES // 2 :]
    temporary = f"{path}.{os.getpid()}.tmp"

    def replace() -> None:
        with open(temporary, "wb") as file:
            file.write(data[data.find(b"\n") + 1 :])
        os.replace(temporary, path)

    _quietly(replace)


def _quietly(work: Callable[[], None]) -> bool:
    try:
        work()
    except OSError:
        return False
    return True


def _stamp(at: float) -> str:
    thousandths = round(at * 1000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(thousandths // 1000))
    return f"{whole}.{thousandths % 1000:03d}Z"


def _escaped(key: str) -> str:
    if key.isprintable() and "\\" not in key:
        return key
    key = key.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return "".join(
        f"\\x{ord(letter):02x}" if letter < " " or letter == "\x7f" else letter for letter in key
    )


def _unescaped(key: str) -> str:
    parts: list[str] = []
    at = 0
    while (back := key.find("\\", at)) >= 0:
        parts.append(key[at:back])
        letter = key[back + 1 : back + 2]
        at = back + 2
        if letter == "x":
            try:
                parts.append(chr(int(key[at : at + 2], 16)))
            except ValueError:
                parts.append("\\x")
                continue
            at += 2
        else:
            parts.append({"t": "\t", "n": "\n", "r": "\r"}.get(letter, letter))
    parts.append(key[at:])
    return "".join(parts)
