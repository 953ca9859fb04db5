"""Findings about the knowledge: what a careful reader would want to know is wrong with a tree.

`check` reads and reports; `repair` mends what can be mended without judgement, in
one transaction that `undo` takes back. Each finding has a stable code to filter by:

broken-link, duplicate-id, duplicate-title, duplicate-body, case-collision, missing-type,
bad-stamp, stale, expired, drifted-source, gone-source, outside-source, unchecked-source,
unreadable, secret, injection, hidden-text; and those of the reader: bad-front-matter,
duplicate-key, unclosed-front-matter, invalid-utf8, binary, oversize.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from memtree.errors import Refused
from memtree.knowledge.path import new_id
from memtree.knowledge.problem import Problem
from memtree.tree.anchors import states
from memtree.tree.format import edit_front_matter, find_front
from memtree.tree.links import LinkIndex, is_external, markdown_path, resolve
from memtree.tree.listing import RESERVED, Item, has_listing, listing_of, splice
from memtree.tree.markdown import MAX_BYTES, Parsed, parse_for_index
from memtree.tree.place import Places, fold
from memtree.tree.receipt import fingerprint
from memtree.tree.suspects import suspects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from memtree.tree.receipt import Receipt

FIXABLE = frozenset({"duplicate-id", "missing-type", "stale-listing", "broken-link"})
"""Codes that `repair` may mend; a broken link only when one entry alone has that file name."""
_DEFAULT_TYPE = "note"


class Checked:
    """What a check read: the parsed entries, the digests of their bytes, and where names lead."""

    __slots__ = ("digests", "index", "parsed", "problems", "root")

    def __init__(self, root: str, index: LinkIndex) -> None:
        self.root = root
        self.index = index
        self.parsed: dict[str, Parsed] = {}
        self.digests: dict[str, bytes] = {}
        self.problems: list[Problem] = []


def check(
    root: str,
    paths: Iterable[str],
    *,
    index: LinkIndex,
    at: str,
    known: Iterable[Problem] = (),
    fix: bool = False,
    by: str = "human",
    wait_s: float = 10.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Problem]:
    """List the findings about the entries at `paths`, by path and line.

    `index` knows every entry of the tree, `known` are findings of the scan (symbolic links,
    unreadable folders). `at` is the ISO 8601 time to judge staleness by. `fix` repairs what is
    safe first, and leaves that out. Raises as `repair` does.
    """
    checked = read_entries(root, paths, index=index, progress=progress)
    problems = findings(checked, now=at, known=known)
    if not fix:
        # Every `add` makes a listing stale; that is work for `fix`, and no reader's trouble.
        return [problem for problem in problems if problem.code != "stale-listing"]
    if any(problem.code in FIXABLE for problem in problems):
        _, problems = repair(checked, problems, at=at, entropy=os.urandom, by=by, wait_s=wait_s)
    return problems


def read_entries(
    root: str,
    paths: Iterable[str],
    *,
    index: LinkIndex,
    progress: Callable[[str, int, int], None] | None = None,
) -> Checked:
    """Read the entries at `paths`; `progress` gets "check", the number read, and the total."""
    checked = Checked(root, index)
    places = Places(root)
    ordered = sorted(paths)
    for number, path in enumerate(ordered, 1):
        try:
            loaded = places.load(path)
        except (OSError, Refused) as error:
            reason = error.strerror if isinstance(error, OSError) else error.message
            checked.problems.append(_problem(path, 0, "unreadable", str(reason)))
            continue
        if loaded is None:
            continue
        parsed = parse_for_index(path, loaded[0])
        checked.parsed[path] = parsed
        checked.digests[path] = fingerprint(loaded[0])
        checked.problems += parsed.problems
        if len(loaded[0]) <= MAX_BYTES and not any(p.code == "binary" for p in parsed.problems):
            checked.problems += suspects(path, loaded[0])
        if progress is not None and number % 256 == 0:
            progress("check", number, len(ordered))
    return checked


def findings(checked: Checked, *, now: str, known: Iterable[Problem] = ()) -> list[Problem]:
    """List every finding, by path and line. `now` is an ISO 8601 time or date."""
    # A change of permissions is no edit, so the scan may still know as unreadable what was read.
    problems = {p for p in known if p.code != "unreadable" or p.path not in checked.parsed}
    problems.update(checked.problems)
    problems.update(_broken_links(checked))
    problems.update(_duplicates(checked))
    problems.update(_collisions(checked))
    for path, parsed in checked.parsed.items():
        problems.update(_validity(path, parsed.meta, now))
        problems.update(_sources(checked.root, parsed))
        if _is_managed(parsed) and not parsed.type and not _is_reserved(path):
            problems.add(_problem(path, 1, "missing-type", "an entry needs a `type`"))
    problems.update(_listings(checked))
    return sorted(problems, key=lambda p: (p.path, p.line, p.code, p.message))


def repair(
    checked: Checked,
    problems: Sequence[Problem],
    *,
    at: str,
    entropy: Callable[[int], bytes],
    by: str = "human",
    wait_s: float = 10.0,
) -> tuple[Receipt, list[Problem]]:
    """Mend what is safe to mend, in one transaction; return it and the findings that are left.

    A second entry with an id gets a new one (`entropy` gives random bytes), a managed entry
    without a type becomes a note, listings are made anew, and a link whose file moved is rewritten
    when one entry alone has its file name. Raises EntryChanged when a file changed since the check.
    """
    from memtree.tree.transaction import begin

    mended: set[Problem] = set()
    by_path: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.code in FIXABLE:
            by_path.setdefault(problem.path, []).append(problem)
    with begin(checked.root, command="check --fix", at=at, by=by, wait_s=wait_s) as txn:
        for path, found in by_path.items():
            raw, _ = txn.read(path)
            text = raw.decode("utf-8", "surrogateescape")
            for problem in found:
                new = _mended(checked, path, text, problem, entropy)
                if new != text:
                    text = new
                    mended.add(problem)
            txn.write(path, text.encode("utf-8", "surrogateescape"), checked.digests[path])
    return txn.receipt, [problem for problem in problems if problem not in mended]


def _mended(
    checked: Checked, path: str, text: str, problem: Problem, entropy: Callable[[int], bytes]
) -> str:
    if problem.code == "duplicate-id":
        return edit_front_matter(text, {"id": new_id(entropy(8))})
    if problem.code == "missing-type":
        return edit_front_matter(text, {"type": _DEFAULT_TYPE})
    if problem.code == "stale-listing":
        return splice(text, listing_of(path.rpartition("/")[0], _items(checked)))
    return _relinked(checked, path, text, problem.line)


def _relinked(checked: Checked, path: str, text: str, line: int) -> str:
    """Rewrite the broken markdown links on a line whose file is found elsewhere, once."""
    from memtree.tree.link_text import find_links
    from memtree.tree.relink import new_markdown_target

    for span in reversed(find_links(text, find_front(text).body)):
        if span.line != line or span.kind != "markdown" or is_external(span.target):
            continue
        if resolve(span.target, path, checked.index, kind="markdown") is not None:
            continue
        candidates = checked.index.same_name(markdown_path(span.target))
        if len(candidates) == 1:
            new = new_markdown_target(span.target, path, candidates[0])
            text = text[: span.start] + new + text[span.end :]
    return text


def _broken_links(checked: Checked) -> list[Problem]:
    out = []
    for path, parsed in checked.parsed.items():
        for target, kind, line, _ in parsed.links:
            if is_external(target, "markdown" if kind == "markdown" else "wiki"):
                continue
            if resolve(target, path, checked.index, kind=kind) is None and not _asset_exists(
                checked.root, path, target, kind
            ):
                out.append(_problem(path, line, "broken-link", f"nothing is at '{target}'"))
    return out


def _asset_exists(root: str, source: str, target: str, kind: str) -> bool:
    """Whether a link leads to a file or folder that is no entry: an image, a script, a PDF."""
    name = markdown_path(target)
    if kind != "markdown":
        name = (
            target.removeprefix("[[").partition("|")[0].partition("#")[0].strip().strip("[]")
            or name
        )
    if not name or "\0" in name:
        return False
    folder = source.rpartition("/")[0]
    for place in (name,) if name.startswith("/") else (f"{folder}/{name}", name):
        whole = os.path.normpath(place.lstrip("/"))
        if not whole.startswith("..") and os.path.exists(os.path.join(root, whole)):
            return True
    # Obsidian finds an attachment by its name alone; without an index of those, a name with a
    # suffix that is no entry's gets the benefit of the doubt.
    return kind != "markdown" and "." in name and "/" not in name and _looks_like_asset(name)


def _looks_like_asset(name: str) -> bool:
    suffix = name.rpartition(".")[2].lower()
    return suffix in {
        "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "bmp", "pdf", "mp3", "wav", "m4a",
        "ogg", "flac", "mp4", "webm", "mov", "mkv", "canvas", "base", "csv", "json", "excalidraw",
    }  # fmt: skip


def _duplicates(checked: Checked) -> list[Problem]:
    out = []
    ids: dict[str, str] = {}
    for path in sorted(checked.index.paths):
        identity = checked.index.paths[path][0].casefold()
        if identity:
            ids.setdefault(identity, path)
    titles: dict[str, str] = {}
    bodies: dict[bytes, str] = {}
    for path, parsed in checked.parsed.items():
        if parsed.id:
            first = ids.setdefault(parsed.id.casefold(), path)
            if first != path:
                line = _line_of(parsed, "id")
                out.append(_problem(path, line, "duplicate-id", f"'{first}' has the id too"))
        text = "\n".join(passage[1] for passage in parsed.passages)
        words = " ".join(text.split())
        if len(words) >= 40:  # two short notes may well say the same
            first = bodies.setdefault(fingerprint(words.encode("utf-8", "replace")), path)
            if first != path:
                out.append(_problem(path, 0, "duplicate-body", f"'{first}' says the same"))
        given = parsed.meta.get("title")
        if isinstance(given, str) and given.strip() and not _is_reserved(path):
            first = titles.setdefault(" ".join(given.casefold().split()), path)
            if first != path:
                line = _line_of(parsed, "title")
                out.append(_problem(path, line, "duplicate-title", f"'{first}' has the title too"))
    return out


def _line_of(parsed: Parsed, key: str) -> int:
    # Keys stand in order, one a line at least: right for all but lists above the key.
    return 2 + list(parsed.meta).index(key) if key in parsed.meta else 1


def _collisions(checked: Checked) -> list[Problem]:
    first: dict[str, str] = {}
    out = []
    for path in sorted({*checked.index.paths, *checked.parsed}):
        other = first.setdefault(fold(path), path)
        if other != path and path in checked.parsed:
            message = (
                f"'{other}' differs in case or form only; on other systems one of them is lost"
            )
            out.append(_problem(path, 0, "case-collision", message))
    return out


def _validity(path: str, meta: Mapping[str, object], now: str) -> list[Problem]:
    out = []
    for key, code, message in (
        ("stale_after", "stale", "was to be checked again by {}"),
        ("valid_to", "expired", "was valid until {}"),
    ):
        value = meta.get(key)
        if value is None:
            continue
        stamp = _stamp(str(value))
        if stamp is None:
            out.append(_problem(path, 1, "bad-stamp", f"`{key}` is no ISO date: {value!s:.60}"))
        elif stamp < (_stamp(now) or stamp):
            if code == "expired" and _is_replaced(meta):
                continue  # it says so itself
            if code == "stale" and _last_verified(meta) >= stamp:
                continue  # it was checked since
            out.append(_problem(path, 1, code, message.format(value)))
    return out


def _is_replaced(meta: Mapping[str, object]) -> bool:
    return bool(meta.get("superseded_by")) or meta.get("status") in ("deprecated", "archived")


def _last_verified(meta: Mapping[str, object]) -> float:
    """When somebody last confirmed the entry, as a time stamp; 0 when nobody did."""
    verified = meta.get("verified")
    named = verified if isinstance(verified, list) else [verified]
    times = [_stamp(str(each.get("at"))) or 0.0 for each in named if isinstance(each, dict)]
    return max(times, default=0.0)


def _sources(root: str, parsed: Parsed) -> list[Problem]:
    """What the entry rests on and is no longer so; one that was replaced rests on nothing."""
    if "sources" not in parsed.meta or _is_replaced(parsed.meta):
        return []
    line = _line_of(parsed, "sources")
    found = [each for each in states(root, parsed.meta) if each.code]
    return [_problem(parsed.path, line, each.code, each.trouble()) for each in found]


def _stamp(text: str) -> float | None:
    from datetime import UTC, datetime, timedelta

    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if len(text.strip()) == 10:  # a date lasts until its end
        moment += timedelta(days=1)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


def _listings(checked: Checked) -> list[Problem]:
    out = []
    for path in checked.parsed:
        if path.rpartition("/")[2].lower() != "index.md":
            continue
        try:
            loaded = Places(checked.root).load(path)
        except (OSError, Refused):
            continue  # it was readable a moment ago; the next check says so
        if loaded is None or len(loaded[0]) > MAX_BYTES:
            continue
        text = loaded[0].decode("utf-8", "surrogateescape")
        if (
            has_listing(text)
            and splice(text, listing_of(path.rpartition("/")[0], _items(checked))) != text
        ):
            out.append(_problem(path, 0, "stale-listing", "the listing is not up to date"))
    return out


def _items(checked: Checked) -> list[Item]:
    return [Item(path, p.title, p.description) for path, p in checked.parsed.items()]


def _is_managed(parsed: Parsed) -> bool:
    """Whether memtree wrote this file: a person's own notes need no `type`."""
    return bool(parsed.id) and ("generated" in parsed.meta or "maturity" in parsed.meta)


def _is_reserved(path: str) -> bool:
    return path.rpartition("/")[2].lower() in RESERVED


def _problem(path: str, line: int, code: str, message: str) -> Problem:
    return Problem(path=path, line=line, code=code, message=message)
