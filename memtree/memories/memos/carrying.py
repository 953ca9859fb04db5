r"""A cube in one file: JSON lines with payload and metadata, out of a tree and back into one.

The first line says what the file is; every other one is a file of the tree:

    {"memtree_cube": 1, "scope": "", "at": "...", "files": 12, "tree": "sha256 of all files"}
    {"kind": "memory", "path": "a/b.md", "sha256": "...", "text": "---\n...",
     "meta": {"id": ..., "state": ..., "ttl": ..., ...}, "history": [...]}
    {"kind": "original", "path": "_archive/a/c.md", "sha256": "...", "text": "..."}

`text` is the file, byte for byte; bytes that are no UTF-8 stand as `base64` instead. What a file
says of itself is checked before anything is put back: a line whose digest does not fit stops all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.errors import EntryNotFound, MemtreeError, Refused, UsageError
from memtree.memories.memos.chain import chain_of
from memtree.memories.memos.cube import read_cube
from memtree.memories.memos.looking import day_of, views

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from memtree.plugins import Desk
    from memtree.plugins.context import EntryView

FORMAT = "memtree_cube"
ARCHIVE = "_archive/"
MARK = f"{ARCHIVE}.memtreeignore"
MOST = 256 * 1024 * 1024
"""Bytes of a cube file that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What a cube file holds: files by path, and the version chains by entry id."""

    scope: str = ""
    tree: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    chains: Mapping[str, list[dict[str, object]]] = field(default_factory=dict)


def tree_hash(files: Mapping[str, bytes]) -> str:
    """One digest of many files: SHA-256 over their paths and digests, by path."""
    known = sha256()
    for path in sorted(files):
        known.update(f"{path}\0{sha256(files[path]).hexdigest()}\n".encode())
    return known.hexdigest()


def files_of(desk: Desk, scope: str = "", visibility: str = "") -> tuple[dict[str, bytes], int]:
    """The files of a cube: its entries, the originals of stubs; and how many were left out.

    With the visibility `public` what is private or of a session stays, with its original.
    """
    ctx = desk.context
    day = day_of(ctx)
    found: dict[str, bytes] = {}
    left = 0
    for ref, view in views(ctx, scope):
        cube = read_cube(view.meta)
        if visibility and cube.shown(day, visibility):
            left += 1
            continue
        found[ref.path] = desk.raw(ref.path)
        place = _original(view)
        if place:
            try:
                found[place] = desk.raw(place)
                found[MARK] = desk.raw(MARK)
            except EntryNotFound:
                continue  # a person emptied the archive: the stub is all there is
    return found, left


def exported(desk: Desk, scope: str = "", visibility: str = "") -> tuple[list[str], int]:
    """The lines of a cube file, and how many entries were left out.

    The same tree gives the same lines, but for the time in the first. With a `visibility` version
    chains are left out: what may be seen now may once have been private.
    """
    ctx = desk.context
    files, left = files_of(desk, scope, visibility)
    head = {FORMAT: 1, "scope": scope, "at": ctx.now, "files": len(files),
            "tree": tree_hash(files)}  # fmt: skip
    lines = [json.dumps(head, ensure_ascii=False)]
    for path in sorted(files):
        record: dict[str, object] = {
            "kind": "original" if path.startswith(ARCHIVE) else "memory", "path": path,
            "sha256": sha256(files[path]).hexdigest(), **_payload(files[path]),
        }  # fmt: skip
        view = None if path.startswith(ARCHIVE) else ctx.tree.get(path)
        if view is not None:
            record["meta"] = _described(view)
            # What is public now may have been private: then its past stays here.
            record["history"] = [] if visibility else chain_of(ctx, view.id)
        lines.append(json.dumps(record, ensure_ascii=False))
    return lines, left


def read_lines(lines: Iterable[str]) -> Carried:
    """What a cube file says. Raises UsageError for none, Refused for a damaged one."""
    records = list(_records(lines))
    head = records[0] if records else {}
    if head.get(FORMAT) != 1:
        raise UsageError("this is no cube file", hint="memtree cube export FILE writes one")
    files: dict[str, bytes] = {}
    chains: dict[str, list[dict[str, object]]] = {}
    for number, record in enumerate(records[1:], 2):
        path = _checked(record.get("path"), number)
        data = _bytes(record, number)
        if sha256(data).hexdigest() != record.get("sha256"):
            raise Refused(f"line {number} of the cube is damaged: '{path}' is not as it was")
        files[path] = data
        meta, history = record.get("meta"), record.get("history")
        if isinstance(meta, dict) and isinstance(history, list) and history:
            chains[str(meta.get("id") or "")] = [each for each in history if isinstance(each, dict)]
    tree = str(head.get("tree") or "")
    if tree != tree_hash(files):
        raise Refused("the cube is damaged: lines are missing or were changed")
    return Carried(scope=str(head.get("scope") or ""), tree=tree, files=files, chains=chains)


def training_pairs(desk: Desk, scope: str = "") -> list[str]:
    """What is stable and may be seen, as question and answer: JSON lines to train a model with.

    Stable is what is frozen, or has become validated or core. Training is another program's work.
    """
    ctx = desk.context
    day = day_of(ctx)
    lines = []
    for ref, view in views(ctx, scope):
        cube = read_cube(view.meta)
        stable = cube.frozen or ref.maturity in ("validated", "core")
        if cube.stub or not stable or cube.shown(day, "public") or not view.body.strip():
            continue
        for question, answer in _asked(view, desk):
            pair = {"prompt": question, "completion": answer, "source": view.path,
                    "version": cube.version}  # fmt: skip
            lines.append(json.dumps(pair, ensure_ascii=False))
    return lines


def _asked(view: EntryView, desk: Desk) -> Iterator[tuple[str, str]]:
    """Questions that an entry answers, with the answer: its facts, else its whole text."""
    from memtree.memories.memos.fusing import text_of

    facts = [words for _, words, stands in desk.context.tree.facts(view.path) if stands]
    answer = "\n".join(facts) if facts else text_of(view)
    if answer:
        yield f"What is known about {view.title}?", answer


def _described(view: EntryView) -> dict[str, object]:
    """The metadata of a cube: descriptive, governing, behavioural (MemOS)."""
    cube = read_cube(view.meta)
    return {
        "id": view.id, "title": view.title, "type": view.type, "tags": list(view.tags),
        "created": str(view.meta.get("created") or ""), "state": cube.state, "ttl": cube.ttl,
        "frozen": cube.frozen, "visibility": cube.visibility, "version": cube.version,
        "importance": view.meta.get("importance"), "maturity": view.meta.get("maturity"),
        "used": str(view.meta.get("used") or ""),
    }  # fmt: skip


def _original(view: EntryView) -> str:
    place = str(view.meta.get("archived") or "") if read_cube(view.meta).stub else ""
    return place if place.startswith(ARCHIVE) and ".." not in place.split("/") else ""


def _payload(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"base64": b64encode(data).decode("ascii")}


def _bytes(record: Mapping[str, object], number: int) -> bytes:
    text, coded = record.get("text"), record.get("base64")
    try:
        if isinstance(text, str):
            return text.encode("utf-8")
        if isinstance(coded, str):
            from base64 import b64decode

            return b64decode(coded, validate=True)
    except ValueError:
        pass
    raise Refused(f"line {number} of the cube holds no text that can be read")


def _checked(path: object, number: int) -> str:
    from memtree.knowledge.path import parse_path

    name = str(path or "")
    if name == MARK:
        return name
    try:
        safe = parse_path(name)
    except MemtreeError as error:
        raise Refused(f"line {number} of the cube: {error.message}") from None
    if safe != name:
        raise Refused(f"line {number} of the cube names '{name[:80]}', which is no entry's path")
    return name


def _records(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise UsageError(f"line {number} is no JSON object", hint="this is no cube file")
        yield record
