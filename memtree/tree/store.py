"""Changing the tree: add, edit, remove. Each is one transaction; times and ids are given.

New entries are placed strictly (Domain/Topic/Entry or Domain/Topic/Subtopic/Entry) under names that
are safe on every system, and never take the place of another. Changes to an existing file touch
only what they say: the rest keeps its bytes, be they valid UTF-8 or not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.knowledge.path import MARKDOWN_SUFFIXES, new_id, parse_path, parse_scope, slug
from memtree.tree.format import edit_front_matter, find_front, new_document, replace_body
from memtree.tree.moving import Moved, move
from memtree.tree.receipt import ABSENT, ANY
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memtree.tree.receipt import Fingerprint, Receipt
    from memtree.tree.transaction import Transaction

__all__ = [
    "Moved",
    "Written",
    "add",
    "edit_keys",
    "move",
    "remove",
    "write_body",
    "write_raw",
]

INBOX_TOPIC = "inbox"
"""The topic of an entry that was given a domain and no topic."""
INBOX = f"notes/{INBOX_TOPIC}"
"""Where an entry goes that nobody placed."""
MAX_DEPTH = 4
"""Domain, Topic, Subtopic, Entry."""
TITLE_LIMIT = 80
"""Characters of a derived title: one line of a terminal."""
_PLACES = "give Domain/Topic or Domain/Topic/Subtopic, like architecture/retries"


class Written(NamedTuple):
    """A new entry: where it stands, its id, and the transaction that made it."""

    path: str
    id: str
    receipt: Receipt


def add(
    root: str,
    text: str,
    *,
    at: str,
    random_bytes: bytes,
    to: str | None = None,
    title: str | None = None,
    tags: Sequence[str] = (),
    type: str | None = None,  # noqa: A002  (the word of the format)
    sources: Sequence[Mapping[str, object]] = (),
    by: str = "human",
    wait_s: float = 10.0,
) -> Written:
    """Write one new entry.

    `to` is a folder (`Domain/Topic`, created as needed) or a whole entry path, see `place`;
    without it the entry goes to the inbox. The title is taken from the text when none is given.
    Front matter at the top of `text` is kept, and completed; `sources` (`memtree.tree.anchors`
    makes them) come after those that it names. `at` is an ISO 8601 time with offset;
    `random_bytes` are at least seven. Raises PathRefused, UsageError (empty text, wrong depth),
    Refused.
    """
    if not text.strip():
        raise UsageError("there is nothing to add: the text is empty")
    front = find_front(text)
    given = front.meta
    name = title or _scalar(given.get("title")) or derive_title(text[front.body :])
    identity = _scalar(given.get("id")) or new_id(random_bytes)
    meta: dict[str, object] = {
        "type": type or _scalar(given.get("type")) or "fact",
        "title": name,
        "tags": [
            *_texts(given.get("tags")),
            *(t for t in tags if t not in _texts(given.get("tags"))),
        ],
        "id": identity,
        "created": given.get("created") or at,
        "generated": given.get("generated") or {"by": by, "at": at},
    }
    if not meta["tags"]:
        del meta["tags"]
    if sources:
        named = given.get("sources") or []
        meta["sources"] = [*(named if isinstance(named, list) else [named]), *map(dict, sources)]
    if front.end:
        changed = {key: value for key, value in meta.items() if given.get(key) != value}
        document = edit_front_matter(text, changed)
    else:
        document = new_document(meta, text.removeprefix("\ufeff"))
    folder, stem = place(root, to, name, titled=bool(title))
    with begin(root, command="add", at=at, by=by, wait_s=wait_s) as txn:
        path = free_path(root, folder, stem, txn)
        txn.write(path, document.encode("utf-8", "surrogateescape"), ABSENT)
    return Written(path, identity, txn.receipt)


def place(root: str, to: str | None, name: str, *, titled: bool = False) -> tuple[str, str]:
    """Choose the folder and the file stem of a new entry called `name`.

    A `to` that ends in `.md` is the entry's path. Else it is a folder when it exists, ends with
    `/`, has one or two parts, or the entry has a title to be named by (`titled`); only what is left
    (`a/b/c` for a text without a title) names the entry itself. A domain alone takes the entry in
    its inbox. Raises PathRefused for a path that leaves the tree, UsageError for a path of an entry
    that is too shallow and for anything too deep.
    """
    if not to:
        return INBOX, slug(name)
    named_file = to.lower().endswith(MARKDOWN_SUFFIXES)
    whole = parse_path(to) if named_file else parse_scope(to)
    if not whole:
        return INBOX, slug(name)
    parts = whole.split("/")
    settled = _existing(root, parts)
    if named_file:
        parts[-1] = parts[-1].rpartition(".")[0]
    elif titled or to.endswith("/") or len(settled) == len(parts) or len(parts) < 3:
        if len(parts) == 1:
            parts.append(INBOX_TOPIC)
            settled = _existing(root, [*settled, INBOX_TOPIC]) if settled else []
        parts.append(name)
    if not 3 <= len(parts) <= MAX_DEPTH:
        raise UsageError(f"'{to}' is no place for an entry", hint=_PLACES)
    folders = settled[: len(parts) - 1]
    folders += [slug(part) for part in parts[len(folders) : -1]]
    return "/".join(folders), slug(parts[-1])


def free_path(root: str, folder: str, stem: str, txn: Transaction) -> str:
    """Find a path in `folder` that nothing has, in any case: `stem.md`, `stem-2.md`, ..."""
    try:
        taken = {name.casefold() for name in os.listdir(os.path.join(root, *folder.split("/")))}
    except OSError:
        taken = set()
    if stem in {"index", "log"}:
        stem += "-entry"  # OKF keeps these two names for the folder itself
    number = 1
    while True:
        name = f"{stem}.md" if number == 1 else f"{stem}-{number}.md"
        path = parse_path(f"{folder}/{name}")
        if name.casefold() not in taken and not txn.exists(path):
            return path
        number += 1


def derive_title(body: str) -> str:
    """Make a title from a text: its first heading of level 1, else its first words."""
    first = ""
    for line in body.splitlines():
        if line.startswith("# ") and line[2:].strip(" #"):
            return _shortened(line[2:].strip().rstrip("#").strip())
        first = first or line.strip().lstrip("#>*+-` \t").strip()
    return _shortened(first) or "Untitled"


def edit_keys(
    root: str,
    path: str,
    changes: Mapping[str, object | None],
    *,
    at: str,
    expected: Fingerprint | None = ANY,
    by: str = "human",
    command: str = "edit",
    wait_s: float = 10.0,
) -> Receipt:
    """Set front matter keys of an entry (None deletes one); every other byte stays.

    Raises EntryNotFound, EntryChanged when the file is not as `expected`, Refused for a file that
    is not text.
    """
    with begin(root, command=command, at=at, by=by, wait_s=wait_s) as txn:
        text, seen = _read_text(txn, path)
        new = edit_front_matter(text, changes)
        txn.write(path, _bytes(new), seen if expected is ANY else expected)
    return txn.receipt


def write_body(
    root: str,
    path: str,
    body: str,
    *,
    at: str,
    expected: Fingerprint | None,
    by: str = "human",
    wait_s: float = 10.0,
) -> Receipt:
    """Replace the body of an entry, its front matter untouched. Raises as `edit_keys` does."""
    with begin(root, command="edit", at=at, by=by, wait_s=wait_s) as txn:
        text, seen = _read_text(txn, path)
        txn.write(path, _bytes(replace_body(text, body)), seen if expected is ANY else expected)
    return txn.receipt


def write_raw(
    root: str,
    path: str,
    data: bytes,
    *,
    at: str,
    expected: Fingerprint | None,
    by: str = "human",
    command: str = "edit",
    wait_s: float = 10.0,
) -> Receipt:
    """Write the bytes of an entry; `expected` is what was read, or ABSENT for a new file.

    Raises EntryChanged when the file is not as expected, PathRefused for a path outside the tree.
    """
    if expected == ABSENT:
        path = parse_path(path)
    with begin(root, command=command, at=at, by=by, wait_s=wait_s) as txn:
        txn.write(path, data, expected)
    return txn.receipt


def remove(
    root: str, paths: Sequence[str], *, at: str, by: str = "human", wait_s: float = 10.0
) -> Receipt:
    """Remove entries, all of them or none. Raises EntryNotFound when one is not there."""
    with begin(root, command="rm", at=at, by=by, wait_s=wait_s) as txn:
        for path in dict.fromkeys(paths):
            try:
                _, seen = txn.read(path)
                txn.remove(path, seen)
            except FileNotFoundError:
                raise EntryNotFound(f"no entry at '{path}'") from None
    return txn.receipt


def _existing(root: str, parts: Sequence[str]) -> list[str]:
    """Follow the folders that exist already, in any case, as far as they go."""
    found: list[str] = []
    here = root
    for part in parts:
        try:
            names = [
                entry.name for entry in os.scandir(here) if entry.is_dir(follow_symlinks=False)
            ]
        except OSError:
            break
        same = [name for name in names if name.casefold() == part.casefold()]
        if not same:
            break
        name = part if part in same else same[0]
        found.append(name)
        here = os.path.join(here, name)
    return found


def _read_text(txn: Transaction, path: str) -> tuple[str, Fingerprint]:
    try:
        raw, seen = txn.read(path)
    except FileNotFoundError:
        raise EntryNotFound(f"no entry at '{path}'") from None
    if b"\0" in raw:
        raise Refused(f"'{path}' is not a text file", hint="nothing was changed")
    # Bytes that are no UTF-8 pass through as surrogates, and come back as they were.
    return raw.decode("utf-8", "surrogateescape"), seen


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _scalar(value: object) -> str:
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= TITLE_LIMIT:
        return text
    # One character more than fits: a word that ends just there is whole.
    cut = text[:TITLE_LIMIT]
    at = cut.rfind(" ")
    return (cut[:at] if at > TITLE_LIMIT // 2 else cut[:-1]).rstrip(" ,;:.-–—(") + "…"  # noqa: RUF001  (a dash that people type)
