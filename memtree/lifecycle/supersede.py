"""Saying that one entry takes the place of another: both files at once, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memtree.errors import EntryNotFound, Refused, UsageError
from memtree.knowledge.lifecycle import day_number
from memtree.tree.format import edit_front_matter, find_front
from memtree.tree.transaction import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from memtree.tree.receipt import Receipt
    from memtree.tree.transaction import Transaction

_LONGEST = 1000  # entries in a row that supersede each other


class Superseded(NamedTuple):
    """The entry that was replaced, the one that took its place, since when, and the receipt."""

    old: str
    new: str
    since: str
    receipt: Receipt


def supersede(
    root: str, old: str, new: str, *, at: str, since: str = "",
    resolve: Callable[[str], str | None], by: str = "human", wait_s: float = 10.0,
) -> Superseded:  # fmt: skip
    """Put the entry at path `new` in the place of the one at `old`, from the date `since`.

    The old one gets `superseded_by`, `status: deprecated` and `valid_to`, and is a draft from now
    on; the new one `supersedes` and `valid_from`. Dates that stand there stay, unless `since` is
    given. `resolve` gives the path that a name or id leads to. Raises UsageError for a date that is
    none, Refused when an entry would replace itself or its own successor, or has one already.
    """
    with begin(root, command="supersede", at=at, by=by, wait_s=wait_s) as txn:
        stage(txn, old, new, at=at, since=since, resolve=resolve)
    return Superseded(old, new, since or at[:10], txn.receipt)


def stage(
    txn: Transaction, old: str, new: str, *, at: str, since: str = "",
    resolve: Callable[[str], str | None],
) -> None:  # fmt: skip
    """Stage in a transaction what `supersede` does; raises as it does."""
    if since and day_number(since) is None:
        raise UsageError(f"'{since}' is no date", hint="write it like 2026-11-22")
    if old == new:
        raise Refused(f"'{old}' can't supersede itself", hint="name two entries")
    before, after = _meta(txn, old), _meta(txn, new)
    _refuse_cycle(txn, old, new, resolve)
    name = _name(after, new)
    known = _texts(before.get("superseded_by"))
    others = [each for each in known if each != name and resolve(each) != new]
    if others:
        raise Refused(
            f"'{old}' is superseded by '{others[0]}' already",
            hint=f"supersede that one instead, or take the key out of '{old}'",
        )
    changes: dict[str, object] = {"status": "deprecated"}
    if not known:
        changes["superseded_by"] = name
    if since or not before.get("valid_to"):
        changes["valid_to"] = since or at[:10]
    if str(before.get("maturity") or "draft") != "draft":
        changes["maturity"] = "draft"
    _edit(txn, old, changes)
    gained: dict[str, object] = {}
    replaced = _texts(after.get("supersedes"))
    if not any(each == _name(before, old) or resolve(each) == old for each in replaced):
        own = _name(before, old)
        gained["supersedes"] = [*replaced, own] if replaced else own
    if since or not after.get("valid_from"):
        gained["valid_from"] = since or at[:10]
    _edit(txn, new, gained)


def _refuse_cycle(
    txn: Transaction, old: str, new: str, resolve: Callable[[str], str | None]
) -> None:
    """Follow what superseded `new`, and so on: `old` must not be among it."""
    waiting, seen = [new], {new}
    while waiting and len(seen) < _LONGEST:
        path = waiting.pop()
        try:
            names = _texts(_meta(txn, path).get("superseded_by"))
        except EntryNotFound:
            continue
        for name in names:
            target = resolve(name)
            if target == old:
                raise Refused(
                    f"'{new}' was superseded by '{old}' itself",
                    hint="nothing was changed; take `superseded_by` out of it first",
                )
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append(target)


def _meta(txn: Transaction, path: str) -> dict[str, object]:
    try:
        raw, _ = txn.read(path)
    except FileNotFoundError:
        raise EntryNotFound(f"no entry at '{path}'") from None
    return find_front(raw.decode("utf-8", "surrogateescape")).meta


def _edit(txn: Transaction, path: str, changes: dict[str, object]) -> None:
    raw, seen = txn.read(path)
    if b"\0" in raw:
        raise Refused(f"'{path}' is not a text file", hint="nothing was changed")
    text = edit_front_matter(raw.decode("utf-8", "surrogateescape"), changes)
    txn.write(path, text.encode("utf-8", "surrogateescape"), seen)


def _name(meta: dict[str, object], path: str) -> str:
    """How the other side is called: by its id, which survives moves, else by its path."""
    identity = meta.get("id")
    return str(identity) if isinstance(identity, (str, int)) and str(identity) else path


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value if each]
    return [str(value)] if value else []
