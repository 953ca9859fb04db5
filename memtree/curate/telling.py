"""What a curation did, as values: each operation with its outcome, counted by kind and by code.

Also operations as plain JSON objects and back: the review queue and `--json` speak them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from memtree.knowledge.plan import (
    Add,
    Annotate,
    Archive,
    Claim,
    Cost,
    Drop,
    Evidence,
    Link,
    Merge,
    Move,
    Refusal,
    Replace,
    Supersede,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.curate.apply import TextChange
    from memtree.knowledge.plan import Operation
    from memtree.knowledge.problem import Problem

APPLIED, HELD, REFUSED, NOTHING = "applied", "held", "refused", "nothing"
KINDS: dict[str, type[Operation]] = {
    "add": Add,
    "update": Update,
    "supersede": Supersede,
    "merge": Merge,
    "move": Move,
    "archive": Archive,
    "link": Link,
    "annotate": Annotate,
}
"""Name -> type of every operation, in the order of telling."""
DONE_WORDS = {
    "add": "added",
    "update": "updated",
    "supersede": "superseded",
    "merge": "merged",
    "move": "moved",
    "archive": "archived",
    "link": "linked",
    "annotate": "annotated",
}
_INNER: dict[str, type] = {
    "claim": Claim, "claims": Claim, "evidence": Evidence, "replaces": Replace, "drops": Drop,
}  # fmt: skip
NO_COST = Cost()
MAX_TOLD = 2_000
"""Operations that a report keeps; all of them are counted."""


def kind_of(operation: Operation) -> str:
    """How an operation is called: `add`, `update`, ..."""
    return type(operation).__name__.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One operation and what became of it.

    `path` is where its entry stands; `review` the id under which it waits; `risks` are codes;
    `refusals` say what was taken out of it, or why all of it was refused; `old` has the block id
    and the words of each fact that it speaks of.
    """

    operation: Operation
    outcome: str
    path: str = ""
    review: str = ""
    risks: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    old: tuple[tuple[str, str], ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The contract of `--json`."""
        return {
            **as_dict(self.operation),
            "outcome": self.outcome,
            "at": self.path,
            "old": dict(self.old),
            "review": self.review or None,
            "risks": list(self.risks),
            "refusals": [plain(refusal) for refusal in self.refusals],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTold:
    """One part of a source: its operations, what was refused before there were any, and the files.

    `transaction` is its id, "" when nothing was changed. `remarks` are for people.
    """

    source: str
    number: int
    operations: tuple[Told, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    changes: tuple[TextChange, ...] = ()
    transaction: str = ""
    remarks: tuple[str, ...] = ()
    cost: Cost = NO_COST
    skipped: bool = False


@dataclass(slots=True, kw_only=True)
class CurateReport:
    """What one curation did. `curator` is who ran (`rules`, `llama`, `openai`, `host`).

    `degraded` says why it is not who the settings name, "" if it is. `failed` says what ended it
    early. `tally` counts outcomes of operations (`add`, `update`, ..., `held`, `refused`,
    `nothing`), `codes` every refusal by its code. `parts` keeps at most `MAX_TOLD` operations;
    `left_out` counts those that are not in it.
    """

    curator: str
    actor: str
    dry_run: bool = False
    degraded: str = ""
    failed: str = ""
    interrupted: bool = False
    done: int = 0
    skipped: int = 0
    letters: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    parts: list[PartTold] = field(default_factory=list)
    left_out: int = 0
    problems: list[Problem] = field(default_factory=list)
    cost: Cost = NO_COST
    transactions: list[str] = field(default_factory=list)
    exit_code: int = 0
    hint: str = ""

    def take(self, part: PartTold) -> None:
        """Count a part in, and keep it while there is room."""
        self.done += 1
        self.skipped += part.skipped
        for told in part.operations:
            self.tally[kind_of(told.operation) if told.outcome == APPLIED else told.outcome] += 1
            self.codes.update(refusal.code for refusal in told.refusals)
        self.codes.update(refusal.code for refusal in part.refusals)
        self.tally[REFUSED] += len(part.refusals)
        self.cost = Cost(
            calls=self.cost.calls + part.cost.calls,
            tokens_in=self.cost.tokens_in + part.cost.tokens_in,
            tokens_out=self.cost.tokens_out + part.cost.tokens_out,
            ms=self.cost.ms + part.cost.ms,
        )
        if part.transaction:
            self.transactions.append(part.transaction)
        count = len(part.operations) + len(part.refusals)
        if sum(len(kept.operations) + len(kept.refusals) for kept in self.parts) + count > MAX_TOLD:
            self.left_out += count
        elif count or part.remarks:
            self.parts.append(replace(part, changes=()))  # whole files: the history has them

    def changed(self) -> int:
        """How many operations changed the tree (or would have)."""
        return sum(self.tally[kind] for kind in KINDS)

    def as_dict(self) -> dict[str, object]:
        """The contract of `--json`."""
        return {
            "curator": self.curator,
            "actor": self.actor,
            "degraded": self.degraded or None,
            "dry_run": self.dry_run,
            "failed": self.failed or None,
            "interrupted": self.interrupted,
            "parts": self.done,
            "skipped": self.skipped,
            "characters": self.letters,
            "tally": {DONE_WORDS.get(name, name): self.tally[name] for name in sorted(self.tally)},
            "codes": dict(sorted(self.codes.items())),
            "operations": [
                {"source": part.source, "part": part.number, **told.as_dict()}
                for part in self.parts
                for told in part.operations
            ],
            "refusals": [
                {"source": part.source, "part": part.number, **plain(refusal)}
                for part in self.parts
                for refusal in part.refusals
            ],
            "remarks": [remark for part in self.parts for remark in part.remarks],
            "left_out": self.left_out,
            "problems": [plain(problem) for problem in self.problems],
            "cost": plain(self.cost),
            "transactions": self.transactions,
        }


def facts_named(operation: Operation) -> tuple[str, ...]:
    """The block ids that an operation speaks of."""
    if isinstance(operation, Update):
        named = [each.fact for each in operation.replaces]
        named += [each.fact for each in operation.drops]
        return tuple(name.removeprefix("^") for name in named)
    if isinstance(operation, Supersede) and operation.fact:
        return (operation.fact.removeprefix("^"),)
    return ()


def paths_named(operation: Operation) -> tuple[str, ...]:
    """The entries that an operation speaks of, the one that it is about first."""
    if isinstance(operation, Merge):
        return (operation.into, *operation.paths)
    named = [operation.path, getattr(operation, "to", ""), getattr(operation, "by", "")]
    return tuple(path for path in named if path)


def claims_of(operation: Operation) -> tuple[Claim, ...]:
    """Everything that an operation would have the tree say."""
    if isinstance(operation, Add):
        return operation.claims
    if isinstance(operation, Update):
        return (*operation.claims, *(replace.claim for replace in operation.replaces))
    if isinstance(operation, Supersede) and operation.claim is not None:
        return (operation.claim,)
    return ()


# -- operations as JSON -----------------------------------------------------------------------


def plain(value: object) -> dict[str, object]:
    """A frozen value as a mapping of its fields, tuples as lists."""
    return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}  # type: ignore[arg-type]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return plain(value) if hasattr(value, "__dataclass_fields__") else value


def as_dict(operation: Operation) -> dict[str, object]:
    """An operation as a JSON object: its kind under `op`, and its fields."""
    return {"op": kind_of(operation), **plain(operation)}


def from_dict(value: object) -> Operation:
    """Read what `as_dict` wrote. Raises ValueError for anything else, whatever it is."""
    if not isinstance(value, dict):
        raise ValueError("an operation is an object")  # noqa: TRY004  (whatever is wrong is one)
    kind = KINDS.get(str(value.get("op")))
    if kind is None:
        raise ValueError("there is no such operation")
    made = _made(kind, {key: each for key, each in value.items() if key != "op"})
    if not isinstance(made, kind):
        raise TypeError
    return made


def _made(kind: type, value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError(f"a {kind.__name__} is an object")  # noqa: TRY004  (as above)
    known = {each.name: each for each in fields(kind)}
    if unknown := value.keys() - known.keys():
        raise ValueError(f"a {kind.__name__} has no {min(unknown, key=str)!r:.40}")
    read = {name: _read(name, str(known[name].type), each) for name, each in value.items()}
    try:
        return kind(**read)
    except TypeError:
        raise ValueError(f"a {kind.__name__} lacks something") from None


def _read(  # noqa: C901, PLR0911  (a type has a line)
    name: str, wanted: str, value: object
) -> object:
    """One field: its type stands in the annotation, as text."""
    if name in _INNER:
        inner = _INNER[name]
        if wanted.startswith("tuple"):
            if not isinstance(value, list):
                raise ValueError(f"{name} is a list")
            return tuple(_made(inner, each) for each in value)
        return None if value is None else _made(inner, value)
    if wanted == "tuple[int, int]":
        if not (isinstance(value, list) and len(value) == 2 and all(map(_is_line, value))):
            raise ValueError(f"{name} are two lines")
        return tuple(value)
    if wanted.startswith("tuple"):
        if not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
            raise ValueError(f"{name} is a list of text")
        return tuple(value)
    if wanted.startswith("Mapping"):
        if not (isinstance(value, dict) and all(isinstance(key, str) for key in value)):
            raise ValueError(f"{name} is an object")
        return value
    if wanted == "float":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"{name} is a number from 0 to 1")
        return float(value)
    if not isinstance(value, str):
        raise ValueError(f"{name} is text")  # noqa: TRY004  (as above)
    return value


def _is_line(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def tally_of(report: CurateReport) -> Mapping[str, int]:
    """How often each thing happened, in the order of telling, those that did not left out."""
    order = (*KINDS, HELD, REFUSED, NOTHING)
    return {name: report.tally[name] for name in order if report.tally[name]}
