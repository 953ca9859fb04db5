"""What is to become of every entry of a tree: decided from its catalog row and its uses.

Nothing is written here; only the files that would change are read.

Left alone are entries that nobody ever scored or used, files that memtree did not make (without
`id` and `type`) unless somebody gave them scores, and `index.md` and `log.md`. Archived are drafts
below the bound that were drafts before, and settled before: core and validated knowledge is demoted
first, and leaves at a later consolidation at the earliest. And these stay, with the reason in the
report: what was used within `rest_days`, verified within a year, rests on evidence that is
still as it was, or is linked from a core entry.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memtree.errors import MemtreeError, Refused
from memtree.knowledge.lifecycle import (
    REAL,
    START,
    adjusted,
    day_number,
    day_text,
    last_day,
    settle,
)  # fmt: skip
from memtree.knowledge.standing import Standing, replaced_because
from memtree.lifecycle.archive import stub_of
from memtree.tree.format import find_front
from memtree.tree.ignore import ARCHIVE, has_archive
from memtree.tree.listing import RESERVED
from memtree.tree.place import Places
from memtree.tree.receipt import fingerprint
from memtree.tree.use_log import key_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.index.row import Row
    from memtree.knowledge.lifecycle import Policy, Settled, Use
    from memtree.plugins.api import Delta

VERIFIED_DAYS = 365.0  # what a person confirmed within a year is not archived
CHANGED = "it changed meanwhile"
_ORDER = ("draft", "validated", "core")


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What becomes of one entry.

    `kind` is `settle`, `promote`, `demote` or `archive`. `importance` (0 to 100) and `maturity` are
    before and after, `uses` counts the events that are folded in, `reasons` are phrases. `place` is
    where the original goes that is archived, once that is known.
    """

    kind: str
    path: str
    title: str
    importance: tuple[float, float]
    maturity: tuple[str, str]
    uses: int
    reasons: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A draft that faded, and why it is not archived all the same."""

    path: str
    importance: float
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One planned change: the action, its front matter keys, and the bytes it was decided upon."""

    key: str
    action: Action
    raw: bytes
    changes: Mapping[str, object]
    mode: int


class Plan:
    """What is to be done: the steps, and what is reported besides.

    `left` are (path, reason) of files that can't be changed. `settled` maps the key of an entry to
    the day until which its uses are in its file.
    """

    __slots__ = ("entries", "kept", "left", "settled", "steps")

    def __init__(self) -> None:
        self.entries = 0
        self.steps: list[Step] = []
        self.kept: list[Kept] = []
        self.left: list[tuple[str, str]] = []
        self.settled: dict[str, float] = {}


class Judges:
    """What the rooms next door know, each a function of a path.

    `freshness` gives `fresh`, `drifted`, `gone` or "" of the evidence; `is_held` whether a core
    entry links there. `opinion` is what plugins want of a row with its uses, of a day: a
    `memtree.plugins.api.Delta`, or None.
    """

    __slots__ = ("freshness", "is_held", "opinion")

    def __init__(
        self, freshness: Callable[[str], str] | None = None,
        is_held: Callable[[str], bool] | None = None,
        opinion: Callable[[Row, Sequence[Use], float], Delta | None] | None = None,
    ) -> None:  # fmt: skip
        self.opinion = opinion
        self.freshness = freshness or (lambda _: "")
        self.is_held = is_held or (lambda _: False)


class Decider:
    """Decides about the entries of one tree at one moment (`now`, ISO 8601 in UTC)."""

    def __init__(self, root: str, *, policy: Policy, now: str, judges: Judges) -> None:
        today = day_number(now)
        if today is None:
            raise ValueError(now)
        self.now = now
        self.today = today
        self.policy = policy
        self.judges = judges
        self.places = Places(root)
        self.may_archive = has_archive(root) or not _is_in_use(root)

    def plan(self, rows: Iterable[Row], uses: Mapping[str, Sequence[Use]]) -> Plan:
        """Decide about every row; `uses` maps ids, and paths of entries without one, to events."""
        made = Plan()
        for row in rows:
            made.entries += 1
            standing = Standing(row.standing)
            if standing.status == "archived" or row.path.rpartition("/")[2].lower() in RESERVED:
                continue
            key = key_for(row.id, row.path)
            since = day_number(standing.settled)
            if since is not None:
                made.settled[key] = since
            done = uses.get(key, ())
            settled = self._settled(row, standing, since, done)
            if self.judges.opinion is not None:
                settled = self._advised(row, settled, done)
            if settled is not None:
                self._add(made, row, standing, settled, [u for u in done if self._counts(u, since)])
        return made

    def _advised(self, row: Row, settled: Settled | None, uses: Sequence[Use]) -> Settled | None:
        """What is left of a decision when plugins had their say; None when nothing is to be done.

        What is frozen is left as it is. Importance that others add is added once at a settling.
        """
        delta = self.judges.opinion(row, uses, self.today) if self.judges.opinion else None
        if delta is None:
            return settled
        if delta.state == "frozen":
            return None
        points = delta.importance
        if settled is None and Standing(row.standing).settled[:10] == self.now[:10]:
            points = 0.0  # settled today already: another run adds nothing
        made = adjusted(
            settled, row.importance, row.maturity, points=points, bound=delta.maturity,
            archive=delta.state == "archived", why=delta.why,
        )  # fmt: skip
        return made if made.material or made.archive else None

    def _counts(self, use: Use, since: float | None) -> bool:
        return use[1] in REAL and use[0] <= self.today and (since is None or use[0] > since)

    def _settled(
        self, row: Row, standing: Standing, since: float | None, uses: Sequence[Use]
    ) -> Settled | None:
        """What settling makes of a row; None when there is nothing to write."""
        replaced = replaced_because(standing, self.today)
        if since is not None and since >= self.today:
            # Settled at this moment already, or later: only what was replaced since is demoted.
            if not replaced or row.maturity == "draft":
                return None
            uses, since = (), None
        scored = since is not None or row.importance != START or row.maturity != "draft"
        if not scored and not any(self._counts(use, None) for use in uses):
            return None
        made = settle(
            row.importance, row.maturity, since, uses, self.today, policy=self.policy,
            replaced=replaced,
        )  # fmt: skip
        if made.archive and (row.maturity != "draft" or since is None):
            _keep(made)
        return made if made.material or made.archive else None

    def _add(
        self, made: Plan, row: Row, standing: Standing, settled: Settled, uses: Sequence[Use]
    ) -> None:
        """Add the step for one row, or the reason why there is none."""
        try:
            loaded = self.places.load(row.path)
        except MemtreeError as error:
            made.left.append((row.path, error.message))
            return
        if loaded is None or fingerprint(loaded[0]) != row.digest:
            made.left.append((row.path, CHANGED))
            return
        raw, info = loaded
        meta = find_front(raw.decode("utf-8", "surrogateescape")).meta
        is_ours = bool(row.id) and "type" in meta
        if not is_ours and not any(key in meta for key in ("importance", "maturity", "settled")):
            return  # a person's own file: its uses count in the ranking, and stay in the log
        changes = self._changes(row, settled)
        if settled.archive:
            reason = f"`{ARCHIVE}/` holds files that memtree did not put there"
            if self.may_archive:
                reason = self._why_kept(row, standing, raw, meta, changes) if is_ours else "foreign"
                if settled.due and is_ours:
                    reason = _why_no_stub(row.path, raw, changes)
            if reason:
                _keep(settled)
                if is_ours:
                    kept = Kept(path=row.path, importance=settled.importance, reason=reason)
                    made.kept.append(kept)
                if not settled.material:
                    return
        action = Action(
            kind=_kind(row.maturity, settled), path=row.path, title=row.title,
            importance=(row.importance, settled.importance),
            maturity=(row.maturity, settled.maturity), uses=len(uses), reasons=settled.reasons,
        )  # fmt: skip
        key = key_for(row.id, row.path)
        mode = info.st_mode & 0o7777
        made.steps.append(Step(key=key, action=action, raw=raw, changes=changes, mode=mode))

    def _changes(self, row: Row, settled: Settled) -> dict[str, object]:
        value = settled.importance
        changes: dict[str, object] = {"importance": int(value) if value == int(value) else value}
        if settled.maturity != row.maturity:
            changes["maturity"] = settled.maturity
        before = Standing(row.standing).settled
        is_later = (day_number(before) or self.today) > self.today
        changes["settled"] = before if is_later else self.now
        if settled.used is not None:
            changes["used"] = _stamp(settled.used)
        return changes

    def _why_kept(
        self, row: Row, standing: Standing, raw: bytes, meta: Mapping[str, object],
        changes: Mapping[str, object],
    ) -> str:  # fmt: skip
        """Why a draft that faded is not archived all the same; "" when nothing speaks for it."""
        used = last_day("", str(changes.get("used") or standing.used), (), self.today)
        if used is not None and self.today - used < self.policy.rest_days:
            return f"used on {day_text(used)}"
        verified = _last_verified(meta)
        if verified is not None and self.today - verified < VERIFIED_DAYS:
            return f"verified on {day_text(verified)}"
        if standing.anchors and self.judges.freshness(row.path) == "fresh":
            return "its evidence is as it was"
        if self.judges.is_held(row.path):
            return "a core entry links to it"
        return _why_no_stub(row.path, raw, changes)


def archived(action: Action, place: str) -> Action:
    """The same action with the place that the original went to."""
    return replace(action, place=place)


def _why_no_stub(path: str, raw: bytes, changes: Mapping[str, object]) -> str:
    try:
        stub_of(path, raw, f"{ARCHIVE}/{path}", changes)
    except Refused as error:
        return error.message
    return ""


def _keep(settled: Settled) -> None:
    """Take back the decision to archive."""
    settled.archive = False
    settled.reasons = settled.reasons[:-1]


def _kind(before: str, settled: Settled) -> str:
    if settled.archive:
        return "archive"
    old, new = _ORDER.index(before), _ORDER.index(settled.maturity)
    return "promote" if new > old else "demote" if new < old else "settle"


def _last_verified(meta: Mapping[str, object]) -> float | None:
    verified = meta.get("verified")
    named = verified if isinstance(verified, list) else [verified]
    days = [day_number(str(each.get("at"))) for each in named if isinstance(each, dict)]
    return max((day for day in days if day is not None), default=None)


def _stamp(day: float) -> str:
    """A day as an ISO 8601 time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(day * 86_400 + 0.0005)))


def _is_in_use(root: str) -> bool:
    try:
        return bool(os.listdir(os.path.join(root, ARCHIVE)))
    except OSError:
        return False
