"""What waits for a person: operations that were held back, one JSON file each.

They lie in `.memtree/state/review/` under an id made from what they say, so that the same proposal
waits once. Beside the operation stand its source, its risks, the items of `sources` that its claims
will cite, and the fingerprints of the entries as they were. Anybody may have put a file there: what
is not exactly such an object is named as a problem and left alone, and whatever is accepted goes
through the same checks and the same staging as everything else.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from memtree.curate.telling import as_dict, claims_of, from_dict, paths_named
from memtree.errors import EntryNotFound, StorageFailed, UsageError
from memtree.knowledge.problem import Problem
from memtree.person import write_whole
from memtree.tree.lock import state_path
from memtree.tree.receipt import ABSENT, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memtree.curate.apply import TextChange
    from memtree.curate.compose import Cite
    from memtree.knowledge.plan import Claim, Evidence, Operation

FOLDER, REJECTED = "review", "rejected.txt"
MAX_BYTES = 1 << 20
"""Of one file; an operation has some kilobytes."""
MAX_WAITING = 10_000
"""Files that are looked at."""
MAX_REJECTED = 50_000
"""Digests that are remembered, the last ones."""
_NAME = re.compile(r"[0-9a-f]{10}\.json")
_KEYS = {"resource", "lines", "digest", "at", "title", "speaker", "time", "session", "turn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One operation that waits, as it was proposed.

    `base` are the fingerprints (hex, "" for absent) of the entries it speaks of, by path; `cites`
    the items of `sources` for each piece of evidence, in the order of the claims.
    """

    id: str
    operation: Operation
    source: str = ""
    curator: str = ""
    actor: str = ""
    at: str = ""
    risks: tuple[str, ...] = ()
    base: tuple[tuple[str, str], ...] = ()
    cites: tuple[dict[str, object], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """As it is stored, and told with `--json`."""
        return {
            "id": self.id,
            "operation": as_dict(self.operation),
            "source": self.source,
            "curator": self.curator,
            "actor": self.actor,
            "at": self.at,
            "risks": list(self.risks),
            "base": dict(self.base),
            "cites": list(self.cites),
        }

    def cite(self, evidence: Evidence, claim: Claim) -> Mapping[str, object]:  # noqa: ARG002  (as `compose.Cite` is called)
        """Find what was noted for this evidence when it was held back."""
        for known, item in zip(evidences(self.operation), self.cites, strict=False):
            if known == evidence:
                return item
        return {"resource": os.path.basename(evidence.source) or "text"}


def evidences(operation: Operation) -> list[Evidence]:
    """All evidence of an operation, in the order of its claims."""
    return [each for claim in claims_of(operation) for each in claim.evidence]


def digest_of(operation: Operation) -> str:
    """What an operation does, as SHA-256 (hex): the same for whatever reason it is proposed."""
    said = {key: each for key, each in as_dict(operation).items() if key not in _OPINIONS}
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


_OPINIONS = frozenset({"reason", "confidence"})


class Queue:
    """The operations that wait for a person in the tree at `root`."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = state_path(root, FOLDER)
        # What waits, as `follow` read it once: reading it again for each part adds up.
        self._read_before: dict[str, Waiting] | None = None

    def hold(
        self, operation: Operation, *, source: str, curator: str, actor: str, at: str,
        risks: Sequence[str], base: Mapping[str, bytes], cite: Cite,
    ) -> str:  # fmt: skip
        """Let an operation wait; returns its id, "" when a person rejected the same before.

        Raises StorageFailed.
        """
        digest = digest_of(operation)
        if digest in self.rejected():
            return ""
        name = digest[:10]
        if os.path.exists(os.path.join(self._folder, f"{name}.json")):
            return name
        cites = tuple(
            dict(cite(evidence, claim))
            for claim in claims_of(operation)
            for evidence in claim.evidence
        )
        paths = paths_named(operation)
        waiting = Waiting(
            id=name,
            operation=operation,
            source=source,
            curator=curator,
            actor=actor,
            at=at,
            risks=tuple(risks),
            base=tuple((path, base[path].hex()) for path in paths if path in base),
            cites=cites,
        )
        self._write(waiting)
        if self._read_before is not None:
            self._read_before[name] = waiting
        return name

    def all(self) -> tuple[list[Waiting], list[Problem]]:
        """Everything that waits, the oldest first, and the files that are none of ours."""
        found, problems = [], []
        for name in self._names():
            try:
                found.append(self._read(name))
            except (ValueError, OSError, RecursionError) as error:
                shown = f".memtree/state/{FOLDER}/{name}"
                message = f"this is no operation that waits: {error}"
                problems.append(Problem(path=shown, line=0, code="bad-review", message=message))
        return sorted(found, key=lambda each: (each.at, each.id)), problems

    def count(self) -> int:
        """How many wait: a look at the names alone."""
        return len(self._names())

    def get(self, ids: Iterable[str]) -> list[Waiting]:
        """Those with these ids, or beginnings of ids. Raises EntryNotFound, UsageError."""
        waiting, _ = self.all()
        found: dict[str, Waiting] = {}
        for wanted in ids:
            same = [each for each in waiting if wanted and each.id.startswith(wanted.lower())]
            if not same:
                raise EntryNotFound(
                    f"nothing with the id '{wanted}' is waiting", hint="memtree review lists it"
                )
            if len(same) > 1:
                raise UsageError(f"several ids begin with '{wanted}'", hint="give the whole id")
            found[same[0].id] = same[0]
        return list(found.values())

    def drop(self, ids: Iterable[str]) -> None:
        """Take operations out of the queue."""
        for name in ids:
            try:
                os.remove(os.path.join(self._folder, f"{name}.json"))
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _refused(error) from error

    def reject(self, waiting: Sequence[Waiting]) -> None:
        """Take operations out, and remember not to let the same wait again."""
        known = list(self.rejected())
        new = [digest_of(each.operation) for each in waiting]
        lines = [*known, *(digest for digest in new if digest not in known)][-MAX_REJECTED:]
        self._replace(REJECTED, "".join(f"{line}\n" for line in lines))
        self.drop(each.id for each in waiting)

    def rejected(self) -> dict[str, None]:
        """The digests of what a person rejected, in their order."""
        file = os.path.join(self._folder, REJECTED)
        try:
            if os.path.islink(file) or os.path.islink(self._folder):
                return {}
            with open(file, encoding="ascii", errors="replace") as lines:
                found = [line.strip() for line in lines.readlines(66 * MAX_REJECTED)]
        except OSError:
            return {}
        return dict.fromkeys(line for line in found if len(line) == 64)

    def follow(self, changes: Iterable[TextChange]) -> None:
        """Let what waits know what memtree itself changed, so that only others count as changes."""
        moved = {each.path: (_hex(each.before), _hex(each.after)) for each in changes}
        if not moved or not self._names():
            return
        if self._read_before is None:
            self._read_before = {waiting.id: waiting for waiting in self.all()[0]}
        for waiting in list(self._read_before.values()):
            base = tuple(
                (path, moved[path][1] if path in moved and moved[path][0] == seen else seen)
                for path, seen in waiting.base
            )
            if base == waiting.base:
                continue
            self._read_before[waiting.id] = replace(waiting, base=base)
            # Somebody may have decided on it meanwhile: that stands.
            if os.path.exists(os.path.join(self._folder, f"{waiting.id}.json")):
                self._write(self._read_before[waiting.id])

    # -- files ------------------------------------------------------------------------------

    def _names(self) -> list[str]:
        if os.path.islink(self._folder):
            return []
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(".json"))
        except OSError:
            return []
        return names[:MAX_WAITING]

    def _read(self, name: str) -> Waiting:
        file = os.path.join(self._folder, name)
        if not _NAME.fullmatch(name):
            raise ValueError("its name is no id")
        info = os.lstat(file)
        if not os.path.isfile(file) or os.path.islink(file) or info.st_size > MAX_BYTES:
            raise ValueError("it is a link, too large, or no file")
        with open(file, encoding="utf-8") as text:
            value = json.load(text)
        if not isinstance(value, dict):
            raise ValueError("it holds no object")  # noqa: TRY004  (whatever is wrong is one)
        operation = from_dict(value.get("operation"))
        if digest_of(operation)[:10] != name[:10]:
            raise ValueError("it does not hold what its name says")
        return Waiting(
            id=name[:10],
            operation=operation,
            source=_text(value.get("source")),
            curator=_text(value.get("curator")),
            actor=_text(value.get("actor")),
            at=_text(value.get("at")),
            risks=tuple(_text(risk) for risk in _list(value.get("risks"))),
            base=_base(value.get("base")),
            cites=tuple(_item(item) for item in _list(value.get("cites"))),
        )

    def _write(self, waiting: Waiting) -> None:
        self._replace(f"{waiting.id}.json", json.dumps(waiting.as_dict(), indent=1) + "\n")

    def _replace(self, name: str, text: str) -> None:
        """Write a file whole or not at all. Raises StorageFailed."""
        file = os.path.join(self._folder, name)
        try:
            os.makedirs(self._folder, exist_ok=True)
            _refuse_link(self._folder)
            write_whole(file, text)
        except OSError as error:
            raise _refused(error) from error


def _refuse_link(folder: str) -> None:
    if os.path.islink(folder):
        raise OSError("it is a link")


def _refused(error: OSError) -> StorageFailed:
    return StorageFailed(f"the review queue can't be written: {error.strerror or error}")


def _hex(data: bytes | None) -> str:
    return (ABSENT if data is None else fingerprint(data)).hex()


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("something in it should be text")  # noqa: TRY004  (whatever is wrong is one)
    return value


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("something in it should be a list")  # noqa: TRY004  (as above)
    return value


def _base(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError("it names no fingerprints")  # noqa: TRY004  (as above)
    return tuple((str(path), _text(seen)) for path, seen in value.items())


def _item(value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not isinstance(value.get("resource"), str):
        raise ValueError("something that it cites is no source")  # noqa: TRY004  (as above)
    if set(value) - _KEYS or not all(isinstance(each, (str, int)) for each in value.values()):
        raise ValueError("something that it cites has other keys than a source")
    return dict(value)
