"""JSONL: one entry a line, conversations among them. DESIGN section 7, contract.

A line is `{"text", "title"?, "path"?, "id"?, "time"?, "speaker"?, "session"?, "tags"?, "source"?}`;
every other key goes to the front matter as it is. The body is exactly the text. Lines of a session
get `turn`, their order in it, unless they bring one. A line that can't be understood is reported
with its number, and the rest is imported.
"""

from __future__ import annotations

import hashlib
import json
import operator
from typing import TYPE_CHECKING

from memtree.errors import PathRefused
from memtree.exchange.report import Draft
from memtree.knowledge.path import new_id, parse_path, slug
from memtree.knowledge.problem import Problem
from memtree.tree.format import new_document
from memtree.tree.place import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DEFAULT_FOLDER = "notes"
MAX_LINE = 32 << 20
"""Bytes of one line: more is no note, and JSON would hold it in memory several times."""
MAX_DEPTH = 24
"""Lists and objects inside each other in one value; the reader of front matter takes 32."""
NAME_WORDS = 8
"""Words of the text that name an entry without a title."""
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000)), "\ufffd")


def read_lines(origin: str, lines: Iterable[bytes], *, into: str = "") -> Iterator[Draft | Problem]:
    """Turn the lines of a JSONL file into drafts, and lines that are none into problems.

    `origin` names the file in reports; `into` is a folder of the tree to put everything in.
    `lines` is read once for entries, and held when a line shares its `path` with another: such
    paths are folders then, and the entries are named by their text.
    """
    parsed = [(number, _parse(origin, number, raw)) for number, raw in enumerate(lines, 1)]
    used: dict[str, int] = {}
    for _, item in parsed:
        path = item.get("path") if isinstance(item, dict) else None
        if isinstance(path, str):
            used[path] = used.get(path, 0) + 1
    shared = {path for path, count in used.items() if count > 1}
    reader = Reader(origin, into.strip("/"), shared)
    for number, item in parsed:
        if isinstance(item, dict):
            yield from reader.drafts(number, item)
        elif item is not None:
            yield item


def _parse(origin: str, number: int, raw: bytes) -> dict[str, object] | Problem | None:
    if number == 1:
        raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        return None
    if len(raw) > MAX_LINE:
        return _problem(origin, number, "oversize", f"a line of {len(raw)} bytes")
    try:
        item = json.loads(raw)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        return _problem(origin, number, "bad-json", f"the line is not JSON: {error}")
    if not isinstance(item, dict):
        return _problem(origin, number, "bad-json", "the line is not a JSON object")
    text = item.get("text")
    if not isinstance(text, str) or not text.strip():
        message = "the line has no `text`" if text is None else "the `text` is empty or no string"
        return _problem(origin, number, "no-text", message)
    return item


class Reader:
    """Goes through the lines in order: counts turns, tells equal lines apart."""

    __slots__ = ("_into", "_occurrences", "_origin", "_shared", "_turns")

    def __init__(self, origin: str, into: str, shared: set[str]) -> None:
        self._origin = origin
        self._into = into
        self._shared = shared
        self._turns: dict[tuple[str, str], int] = {}
        self._occurrences: dict[bytes, int] = {}

    def drafts(self, number: int, item: dict[str, object]) -> Iterator[Draft | Problem]:
        """Yield the draft of one line, after the problems that it has nevertheless."""
        try:
            item, replaced = _clean(item)
        except RecursionError:
            message = f"a value holds more than {MAX_DEPTH} levels of lists and objects"
            yield _problem(self._origin, number, "bad-json", message)
            return
        if replaced:
            message = "control characters were replaced by U+FFFD"
            yield _problem(self._origin, number, "replaced-character", message)
        front = item.pop("front_matter", None)
        if isinstance(front, dict):
            item = {**item, **{key: value for key, value in front.items() if key not in _OURS}}
        text = str(item.pop("text"))
        asked = item.pop("path", None)
        time = _iso(item.get("time"))
        if "time" in item and time is None and item["time"] not in (None, ""):
            message = f"`time` is not ISO 8601, kept as it is: {item['time']!s:.60}"
            yield _problem(self._origin, number, "time-not-iso", message)
        label = _label(item)
        name = slug(_words(str(item.get("title") or text)))
        if isinstance(asked, str) and asked.strip("/\\ "):
            folder, stem, changed = _given(asked, self._shared, label, name)
            if changed:
                message = f"'{asked}' became '{folder}/{stem}'"
                yield _problem(self._origin, number, "path-made-safe", message)
        else:
            folder, stem = (
                "/".join([DEFAULT_FOLDER if not self._into else "", label]).strip("/"),
                name,
            )
        folder = self._below(folder, label)
        if stem.casefold() in {"index", "log"}:
            stem += "-entry"
        turn = self._turn(item, asked, folder)
        identity, derived = self._identity(item, folder, text)
        if derived:
            item["id"] = identity
        meta = _front_matter(item, time, turn)
        data = new_document(meta, text).encode("utf-8", "replace")
        yield Draft(folder, stem, ".md", data, identity, self._origin, number)

    def _below(self, folder: str, label: str) -> str:
        """Put the folder under `into`, and make it two levels deep at least."""
        into = self._into
        if into and not f"{folder}/".casefold().startswith(f"{into}/".casefold()):
            folder = f"{into}/{folder}" if folder else into
        if "/" not in folder:
            folder = f"{folder or DEFAULT_FOLDER}/{label or 'entries'}"
        return folder

    def _turn(self, item: dict[str, object], asked: object, folder: str) -> int | None:
        """Count the line within its conversation; None outside of one, or when it says itself."""
        session = item.get("session")
        if session in (None, "") or isinstance(session, (dict, list)):
            return None
        whole = asked.strip("/") if isinstance(asked, str) else folder
        group = whole.rpartition("/")[0] or whole
        key = (f"{group}\0{item.get('source', '')}", str(session))
        turn = self._turns.get(key, 0) + 1
        given = item.get("turn")
        if isinstance(given, int) and not isinstance(given, bool):
            turn = given
        self._turns[key] = turn
        return None if given is not None else turn

    def _identity(self, item: dict[str, object], folder: str, text: str) -> tuple[str, bool]:
        """Return the line's id, or one made of its content: the same again in a second run."""
        given = item.get("id")
        if (
            isinstance(given, (str, int, float))
            and not isinstance(given, bool)
            and str(given).strip()
        ):
            item["id"] = given if isinstance(given, str) else str(given)
            return str(item["id"]).strip(), False
        said = [folder, text, *(str(item.get(key, "")) for key in ("speaker", "session", "time"))]
        digest = hashlib.sha256("\0".join(said).encode("utf-8", "replace"))
        count = self._occurrences.get(digest.digest(), 0) + 1
        self._occurrences[digest.digest()] = count
        if count > 1:
            digest.update(str(count).encode())
        return new_id(digest.digest()), True


_OURS = frozenset({"text", "path"})


def _front_matter(item: dict[str, object], time: str | None, turn: int | None) -> dict[str, object]:
    spoken = "speaker" in item or "session" in item
    meta: dict[str, object] = {"type": item.pop("type", None) or ("message" if spoken else "note")}
    title = item.pop("title", None)
    if isinstance(title, str) and title.strip():
        meta["title"] = title.strip()
    elif title is not None:
        meta["title"] = title if title != "" else None
    tags = item.pop("tags", None)
    if isinstance(tags, str):
        tags = [tag for part in tags.split(",") if (tag := part.strip())]
    if tags:
        meta["tags"] = tags
    meta["id"] = item.pop("id")
    for key in ("time", "speaker", "session"):
        if key in item:
            meta[key] = item.pop(key)
    if time is not None:
        meta["time"] = time
    if turn is not None:
        meta["turn"] = turn
    meta.update({key: value for key, value in item.items() if key.strip()})
    return meta


def _given(asked: str, shared: set[str], label: str, name: str) -> tuple[str, str, bool]:
    """Split a wanted path into a folder and a stem that are safe; whether they had to change."""
    is_file = asked.lower().endswith((".md", ".markdown"))
    trimmed = asked[: asked.rindex(".")] if is_file else asked
    parts = [part for part in trimmed.replace("\\", "/").split("/") if part.strip(". ")]
    leaves = ".." in trimmed.replace("\\", "/").split("/") or asked.startswith(("/", "\\"))
    safe = [_safe(part) for part in parts] or [name]
    changed = leaves or [*map(fold, safe)] != [*map(fold, parts)]
    if not is_file and (len(safe) == 1 or asked in shared or asked.endswith("/")):
        return "/".join(safe), name, changed
    folder = "/".join(safe[:-1])
    if len(safe) == 1:
        folder = DEFAULT_FOLDER
    elif len(safe) == 2:
        folder = f"{safe[0]}/{label or 'entries'}"
    return folder, safe[-1], changed


def _safe(part: str) -> str:
    """Keep a name that every system can hold; make a slug of another."""
    try:
        path = parse_path(part + ".md")
    except PathRefused:
        return slug(part)
    return path[:-3] if len(path.encode()) <= 200 else slug(part)


def _label(item: dict[str, object]) -> str:
    """Name the group of a line: its session, else its day, else its source."""
    session = item.get("session")
    if isinstance(session, (int, str)) and str(session).strip():
        text = slug(str(session))
        return f"session-{text}" if text[:1].isdigit() else text
    for key in ("time", "date"):
        stamp = _iso(item.get(key))
        if stamp is not None:
            return stamp[:10]
    source = item.get("source")
    return slug(source) if isinstance(source, str) and source.strip() else ""


def _iso(value: object) -> str | None:
    """Return an ISO 8601 time as given, seconds since 1970 as one in UTC, else None."""
    from datetime import UTC, datetime

    if isinstance(value, str):
        try:
            datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return value.strip()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 1e8 < value < 1e14:
        seconds = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    return None


def _words(text: str) -> str:
    return " ".join(text[:400].split()[:NAME_WORDS])


def _clean(item: dict[str, object]) -> tuple[dict[str, object], bool]:
    """Replace what a text file can't hold: control characters and halves of surrogate pairs."""
    changed = False
    out: dict[str, object] = {}
    for key, value in item.items():
        name, fine = _cleaned(key), _cleaned(value)
        # Nearly every line is fine: what is returned as it was needs no comparison.
        changed = changed or name is not key or fine is not value
        out[str(name)] = fine
    return out, changed


def _cleaned(value: object, depth: int = 0) -> object:
    """Return the value itself when all of it is fine, else a copy; raise RecursionError if deep."""
    if isinstance(value, str):
        return value if _is_clean(value) else value.translate(_CONTROL)
    if not isinstance(value, (dict, list)):
        return value
    if depth >= MAX_DEPTH:
        raise RecursionError
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    fine = [_cleaned(part, depth + 1) for part in parts]
    if all(map(operator.is_, fine, parts)):
        return value
    if isinstance(value, dict):
        return dict(zip(fine[: len(value)], fine[len(value) :], strict=True))
    return fine


def _is_clean(text: str) -> bool:
    if text.isascii():
        return text.isprintable() or text.translate(_WHITE).isprintable()
    return text.translate(_CONTROL) == text


_WHITE = {9: None, 10: None, 13: None, 127: None}


def _problem(origin: str, line: int, code: str, message: str) -> Problem:
    return Problem(path=origin, line=line, code=code, message=message)
