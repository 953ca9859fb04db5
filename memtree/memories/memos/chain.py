"""The version chain: what an entry said before, kept in `history/<id>.jsonl` for audits.

One record a version, the oldest first:

    {"version": 2, "at": "...", "update_type": "edit", "path": "a/b.md", "digest": "...",
     "archived": "", "memos": {...}, "text": "..."}

`update_type` is one of `TYPES`: those of MemOS (duplicate, conflict, extract, feedback, unrelated),
and what else can happen to a file. `archived` is where the original lies that a merge or the
archive put away (MemOS's archived_memory_id). An entry gets a chain when it has the key `memos` or
is changed for the first time (unless hundreds are changed at once); what stood there before comes
from memtree's own history where that still has it. Text of a chain is data: it is shown, never
followed.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.memories.memos.cube import KEY, MERGED_TO, read_cube, said
from memtree.memories.memos.looking import governs
from memtree.plugins import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memtree.plugins import ChangeSet, Context, EntryRef
    from memtree.plugins.context import EntryView

    Record = dict[str, object]

FOLDER = "history"
TYPES = ("generated", "edit", "duplicate", "conflict", "extract", "unrelated", "feedback",
         "state", "archive", "restore", "move", "removed")  # fmt: skip
MOST = 200
"""Records of one chain; of longer ones the first and the last are kept."""
LOOKED_UP = 20
"""Entries of one change whose past is looked up: that reads transactions, and a flood has many."""
FLOOD = 500
"""A change of more entries is some tool's work: then only cubes and those with a chain follow."""
LETTERS = 100_000
"""Characters of one version's text."""


def file_of(identity: str) -> str:
    """The sidecar's file of an entry's id."""
    return records.file_of(FOLDER, identity)


def digest_of(text: str) -> str:
    """What tells one wording from another: 16 hexadecimal digits of SHA-256."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def chain_of(ctx: Context, identity: str) -> list[Record]:
    """The records of an entry, the oldest first."""
    return ctx.sidecar.read(file_of(identity))


def follow(changes: ChangeSet, ctx: Context) -> set[str]:
    """Bring the chains up to the tree. Following the same changes twice changes nothing.

    Gives the paths of what changed and governs anything, or can't be read and may.
    """
    governing: set[str] = set()
    known = set(ctx.sidecar.names(FOLDER))
    new = {ref.path for ref in changes.added} if not changes.full else set()
    refs = (*changes.added, *changes.changed)
    left = LOOKED_UP
    for number, ref in enumerate(refs):
        if number % 500 == 499:
            ctx.progress("following versions", number + 1, len(refs))
        view = ctx.tree.get(ref.path)
        if view is None or governs(view):
            governing.add(ref.path)
        if view is None:
            continue
        has = file_of(view.id) in known
        fresh = changes.full or ref.path in new
        if not has and (fresh or len(refs) > FLOOD) and KEY not in view.meta:
            continue  # an entry that nothing of its own ever happened to needs no chain
        past = not has and not fresh and left > 0 and not read_cube(view.meta).stub
        left -= past
        _extend(ctx, view, first=not has, fresh=fresh, past=past)
    there = {ref.id for ref in refs}
    for ref in changes.removed:
        if ref.id not in there and file_of(ref.id) in known:
            _end(ctx, ref)
    return governing


def extended(chain: Sequence[Record], view: EntryView, *, at: str, kind: str = "") -> list[Record]:
    """A chain with what an entry is now; the same chain when it says so already."""
    last = chain[-1] if chain else None
    digest, mine = digest_of(view.body), said(view.meta)
    same = last is not None and last.get("digest") == digest
    if last is not None and same and last.get("memos", {}) == mine and (
        last.get("path") == view.path and last.get("update_type") != "removed"
    ):  # fmt: skip
        return list(chain)
    cube = read_cube(view.meta)
    archived = str(view.meta.get("archived") or "") if cube.stub else ""
    number = version_of(chain)
    if not same and not archived:
        number = max(number + 1, cube.version)
    made = kind or _kind(last, view, same=same, archived=archived)
    record: Record = {
        "version": max(1, number), "at": at, "update_type": made, "path": view.path,
        "digest": digest, "archived": archived, "memos": mine,
    }  # fmt: skip
    if not same and not archived:
        record["text"] = view.body[:LETTERS]
    return _bounded([*chain, record])


def version_of(chain: Sequence[Record]) -> int:
    """The number of the newest version; 0 for an empty chain."""
    numbers = [each.get("version") for each in chain]
    return max((n for n in numbers if isinstance(n, int) and not isinstance(n, bool)), default=0)


def _kind(last: Record | None, view: EntryView, *, same: bool, archived: str) -> str:
    mine = said(view.meta)
    made = str(mine.get("update", ""))
    if last is None:
        return made if made in TYPES else "generated"
    if archived:
        return made if MERGED_TO in mine and made in TYPES else "archive"
    if last.get("archived"):
        return "restore"
    if last.get("path") != view.path and same:
        return "move"
    return "state" if same else "edit"


def _extend(ctx: Context, view: EntryView, *, first: bool, fresh: bool, past: bool) -> None:
    chain = [] if first else chain_of(ctx, view.id)
    if not chain and not fresh:
        chain = _before(ctx, view, look=past)
    longer = extended(chain, view, at=ctx.now)
    if longer != chain or first:
        ctx.sidecar.write(file_of(view.id), longer)


def _before(ctx: Context, view: EntryView, *, look: bool) -> list[Record]:
    """What an entry said before its first change that we saw, if memtree's history has it."""
    for version in ctx.tree.history(view.path) if look else ():
        if version.text is not None:
            body = _body(version.text)
            return [{
                "version": 1, "at": version.at, "update_type": "generated", "path": view.path,
                "digest": digest_of(body), "archived": "", "memos": {}, "text": body[:LETTERS],
            }]  # fmt: skip
    return [{
        "version": 1, "at": "", "update_type": "generated", "path": view.path, "digest": "",
        "archived": "", "memos": {},
    }]  # fmt: skip


def _body(text: str) -> str:
    """A file's text without its front matter."""
    lines = text.split("\n")
    if lines[0].rstrip("\r") != "---":
        return text
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip("\r") == "---":
            return "\n".join(lines[number + 1 :])
    return text


def _end(ctx: Context, ref: EntryRef) -> None:
    chain = chain_of(ctx, ref.id)
    if not chain or chain[-1].get("update_type") == "removed":
        return
    last = chain[-1]
    ended: Record = {
        "version": version_of(chain), "at": ctx.now, "update_type": "removed", "path": ref.path,
        "digest": last.get("digest", ""), "archived": "", "memos": last.get("memos", {}),
    }  # fmt: skip
    ctx.sidecar.write(file_of(ref.id), _bounded([*chain, ended]))


def _bounded(chain: list[Record]) -> list[Record]:
    return chain if len(chain) <= MOST else [chain[0], *chain[-(MOST - 1) :]]
