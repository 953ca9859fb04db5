"""Operations on their way into a transaction: each staged, or refused and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from memtree.curate.compose import added, annotated, linked, superseded, updated
from memtree.curate.merge import joined
from memtree.errors import (
    EntryChanged,
    EntryNotFound,
    Locked,
    MemtreeError,
    Refused,
    StorageFailed,
)
from memtree.knowledge.path import MARKDOWN_SUFFIXES, new_id, parse_path
from memtree.knowledge.plan import (
    Add,
    Annotate,
    Archive,
    Link,
    Merge,
    Move,
    Refusal,
    Supersede,
    Update,
)
from memtree.tree.format import find_front
from memtree.tree.ignore import ARCHIVE
from memtree.tree.link_text import find_links
from memtree.tree.links import fold, resolve
from memtree.tree.relink import Moves, names_touched, relink
from memtree.tree.store import free_path, place
from memtree.tree.transaction import ANY, fingerprint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memtree.curate.compose import Cite
    from memtree.knowledge.plan import Operation
    from memtree.tree.links import LinkIndex
    from memtree.tree.receipt import Fingerprint
    from memtree.tree.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """What other rooms know, passed in: links, what rests on what, archiving, superseding.

    `archive(txn, path, raw)` stages the archiving of an entry and says where its original goes;
    `supersede(txn, old, new, since)` stages that one entry replaces another. `random` gives at
    least seven random bytes for an id.
    """

    cite: Cite
    links: Callable[[], LinkIndex]
    linking: Callable[[set[str]], Iterable[str]]
    archive: Callable[[Transaction, str, bytes], str]
    supersede: Callable[[Transaction, str, str, str], None]
    random: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChange:
    """One file before and after; None for one that is not there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one operation: `applied`, `nothing` (all was there) or `refused`, and why.

    `path` is where its entry really stands: a new one may have got another name.
    """

    operation: Operation
    outcome: str
    path: str = ""
    refusal: Refusal | None = None


class Staging:
    """Operations on their way into a transaction."""

    def __init__(
        self, root: str, txn: Transaction, *, ways: Ways, at: str, by: str,
        seen: Mapping[str, Fingerprint],
    ) -> None:  # fmt: skip
        self._root = root
        self._txn = txn
        self._ways = ways
        self._at = at
        self._by = by
        self._seen = seen
        self._before: dict[str, bytes | None] = {}
        self._undo: dict[str, bytes | None] = {}
        self._moved: dict[str, str] = {}
        self._index: LinkIndex | None = None

    def all(self, operations: Iterable[Operation]) -> tuple[Outcome, ...]:
        """Stage every operation that can be; the others are refused, and leave nothing staged."""
        return tuple(self._one(operation) for operation in operations)

    def changes(self) -> tuple[TextChange, ...]:
        """What is different now from how it was, by path."""
        found = []
        for path, before in sorted(self._before.items()):
            after = self._content(path)
            if after != before:
                found.append(TextChange(path=path, before=before, after=after))
        return tuple(found)

    def _one(self, operation: Operation) -> Outcome:
        self._undo = {}
        try:
            path, changed = self._staged(operation)
        except (EntryChanged, StorageFailed, Locked):
            raise
        except MemtreeError as error:
            self._take_back()
            refusal = Refusal(code="cannot-apply", message=error.message, said=error.hint)
            return Outcome(operation=operation, outcome="refused", refusal=refusal)
        return Outcome(operation=operation, outcome="applied" if changed else "nothing", path=path)

    def _staged(self, op: Operation) -> tuple[str, bool]:  # noqa: PLR0911  (one for each kind)
        match op:
            case Add():
                return self._add(op)
            case Update():
                return self._update(op)
            case Supersede():
                return self._supersede(op)
            case Merge():
                return self._merge(op)
            case Move():
                return self._move(op)
            case Archive():
                return self._archive(op)
            case Link():
                return self._link(op)
            case Annotate():
                return self._annotate(op)
            case _:
                assert_never(op)

    # -- one operation ----------------------------------------------------------------------

    def _add(self, op: Add) -> tuple[str, bool]:
        if not op.claims and not op.prose.strip():
            raise Refused("a new entry without a claim says nothing")
        there = self._there(op.path)
        if there is not None:
            return self._update(
                Update(reason=op.reason, confidence=op.confidence, path=there, claims=op.claims)
            )
        named = op.path if op.path.lower().endswith(MARKDOWN_SUFFIXES) else op.path + ".md"
        folder, stem = place(self._root, _outside_archive(named), op.title)
        path = free_path(self._root, folder, stem, self._txn)
        text = added(
            op, at=self._at, by=self._by, identity=new_id(self._ways.random()), cite=self._ways.cite
        )
        self._write(path, _bytes(text))
        return path, True

    def _update(self, op: Update) -> tuple[str, bool]:
        path, text = self._living(op.path)
        if not (op.claims or op.replaces or op.drops):
            return path, False
        new = updated(text, op, at=self._at, by=self._by, cite=self._ways.cite)
        self._write(path, _bytes(new))
        return path, new != text

    def _supersede(self, op: Supersede) -> tuple[str, bool]:
        path, text = self._living(op.path)
        if op.fact:
            new = superseded(text, op, at=self._at, by=self._by, cite=self._ways.cite)
            self._write(path, _bytes(new))
            return path, True
        if not op.by:
            raise Refused(f"nothing is named that takes the place of '{path}'")
        by, other = self._living(op.by)
        before = text, other
        self._note(path)
        self._note(by)
        self._ways.supersede(self._txn, path, by, op.since)
        return path, (self._text(path), self._text(by)) != before

    def _merge(self, op: Merge) -> tuple[str, bool]:
        into, text = self._living(op.into)
        others = [self._living(path) for path in dict.fromkeys(op.paths)]
        others = [(path, other) for path, other in others if path != into]
        if not others:
            return into, False
        renamed: dict[str, dict[str, str]] = {}
        for path, other in others:
            text, renamed[path] = joined(text, path, other, at=self._at, by=self._by)
        self._write(into, _bytes(text))
        self._relink({path: into for path, _ in others}, renamed)
        for path, _ in others:
            self._remove(path)
        return into, True

    def _move(self, op: Move) -> tuple[str, bool]:
        path, _ = self._existing(op.path)
        named = op.to if op.to.lower().endswith(MARKDOWN_SUFFIXES) else op.to + ".md"
        folder, stem = place(self._root, _outside_archive(named), "")
        target = parse_path(f"{folder}/{stem}.md")
        if target == path:
            return path, False
        if free_path(self._root, folder, stem, self._txn) != target:
            raise Refused(f"something is at '{target}' already", hint="choose another name")
        self._relink({path: target}, {})
        self._note(path)
        self._note(target)
        self._txn.move(path, target, ANY)
        return target, True

    def _archive(self, op: Archive) -> tuple[str, bool]:
        path, _ = self._living(op.path)
        raw, _ = self._txn.read(path)
        self._note(path)
        where = self._ways.archive(self._txn, path, raw)
        self._before.setdefault(where, None)
        self._undo.setdefault(where, None)
        return path, True

    def _link(self, op: Link) -> tuple[str, bool]:
        path, text = self._living(op.path)
        to, other = self._existing(op.to)
        if path == to:
            raise Refused(f"'{path}' can't be related to itself")
        identity = find_front(other).meta.get("id")
        names = [to.rpartition(".")[0], *([str(identity)] if identity else [])]
        new = linked(text, to, op.rel, names, at=self._at, by=self._by)
        self._write(path, _bytes(new))
        return path, new != text

    def _annotate(self, op: Annotate) -> tuple[str, bool]:
        path, text = self._existing(op.path)
        new = annotated(text, op, at=self._at, by=self._by)
        self._write(path, _bytes(new))
        return path, new != text

    # -- links ------------------------------------------------------------------------------

    def _relink(self, moved: Mapping[str, str], renamed: Mapping[str, Mapping[str, str]]) -> None:
        """Rewrite every link to what moves, and links to its blocks that have new names."""
        index = self._ways.links() if self._index is None else self._index
        after = index.after(moved)
        moves = Moves(moved, before=index, after=after)
        names = names_touched(dict(moved))
        for path in moved:  # links may call them by id, title or alias too
            identity, title, aliases = index.paths.get(path, ("", "", ()))
            names |= {fold(name) for name in (identity, title, *aliases) if name}
        paths = [self._moved.get(path, path) for path in self._ways.linking(names)]
        for path in dict.fromkeys((*moved, *moved.values(), *paths)):
            if not self._txn.exists(path):
                continue
            text = self._text(path)
            new = _blocks_renamed(text, path, index, renamed)
            new, _ = relink(new, find_front(new).body, path, moves)
            if new != text:
                self._write(path, _bytes(new))
        self._index = after
        self._moved = {old: moved.get(new, new) for old, new in self._moved.items()} | dict(moved)

    # -- files ------------------------------------------------------------------------------

    def _there(self, path: str) -> str | None:
        path = parse_path(path)
        path = self._moved.get(path, path)
        return path if self._txn.exists(path) else None

    def _existing(self, path: str) -> tuple[str, str]:
        there = self._there(path)
        if there is None:
            raise EntryNotFound(f"no entry at '{path}'")
        return there, self._text(there)

    def _living(self, path: str) -> tuple[str, str]:
        """An entry that may be changed: a stub only stands for what is in the archive."""
        there, text = self._existing(path)
        if str(find_front(text).meta.get("status", "")).casefold() == "archived":
            raise Refused(f"'{there}' is archived", hint=f"memtree restore {there}")
        return there, text

    def _text(self, path: str) -> str:
        raw, now = self._txn.read(path)
        if path not in self._before and self._seen.get(path, now) != now:
            raise EntryChanged(
                f"'{path}' changed while it was curated", hint="nothing was changed; run it again"
            )
        if b"\0" in raw:
            raise Refused(f"'{path}' is not a text file", hint="nothing was changed")
        # Bytes that are no UTF-8 pass through as surrogates, and come back as they were.
        return raw.decode("utf-8", "surrogateescape")

    def _content(self, path: str) -> bytes | None:
        return self._txn.read(path)[0] if self._txn.exists(path) else None

    def _note(self, path: str) -> None:
        """Remember how a file was before the plan, and before this operation."""
        content = self._content(path)
        self._before.setdefault(path, content)
        self._undo.setdefault(path, content)

    def _write(self, path: str, data: bytes) -> None:
        self._note(path)
        there = self._content(path)
        self._txn.write(path, data, b"" if there is None else fingerprint(there))

    def _remove(self, path: str) -> None:
        self._note(path)
        self._txn.remove(path, ANY)

    def _take_back(self) -> None:
        for path, content in self._undo.items():
            if content is not None:
                self._txn.write(path, content, ANY)
            elif self._txn.exists(path):
                self._txn.remove(path, ANY)
        self._undo = {}


def _outside_archive(path: str) -> str:
    if path.partition("/")[0].casefold() == ARCHIVE:
        raise Refused(f"'{path}' is where archived entries go", hint="choose another folder")
    return path


def _blocks_renamed(
    text: str, path: str, index: LinkIndex, renamed: Mapping[str, Mapping[str, str]]
) -> str:
    """The text whose links to blocks that got other names say these."""
    if not any(renamed.values()):
        return text
    out = []
    done = 0
    for span in find_links(text, find_front(text).body):
        head, mark, block = span.target.partition("#^")
        block, bar, shown = block.partition("|")
        names = renamed.get(resolve(span.target, path, index, kind=span.kind) or "", {})
        if mark and block in names:
            out += [text[done : span.start], f"{head}#^{names[block]}{bar}{shown}"]
            done = span.end
    return "".join([*out, text[done:]])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
