"""New words for old links: when entries move, every link to them is written anew, in its own style.

A link whose words still lead to the right entry is left alone, so `[[note]]` survives most moves.
Else the smallest change that leads there: a relative path stays relative, a bundle-absolute one
absolute, angle brackets and percent-encoding stay, anchors and aliases stay. A link to another
entry that a move would quietly redirect (its name becomes ambiguous) is made precise.

Pure functions over text: `store` reads and writes the files.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from memtree.knowledge.problem import Problem
from memtree.tree.link_text import LinkSpan, find_links
from memtree.tree.links import (
    LinkIndex,
    is_external,
    markdown_path,
    resolve,
    resolve_strictly,
    wiki_name,
    without_suffix,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# What a wikilink's name can't hold: it would end the name.
_WIKI_ENDS = frozenset("[]|#^")


class Moves:
    """Entries on the move: the index before and after, and old path to new path.

    `assets` maps the old path of each other file that moves along to its new one; `is_file` tells
    whether something that is no entry stood at a path before the move.
    """

    __slots__ = ("after", "assets", "before", "is_file", "moved")

    def __init__(
        self,
        moved: Mapping[str, str],
        *,
        before: LinkIndex,
        after: LinkIndex,
        assets: Mapping[str, str] | None = None,
        is_file: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self.moved = moved
        self.before = before
        self.after = after
        self.assets = assets or {}
        self.is_file = is_file


def relink(text: str, body_start: int, path: str, moves: Moves) -> tuple[str, list[Problem]]:
    """Return the text of the entry that stood at `path`, each link leading where it led before.

    The problems name links that can't be said any more (`unlinkable`), which are left as they are.
    """
    pieces: list[str] = []
    problems = []
    done = 0
    for span in find_links(text, body_start):
        wanted = _target_after(span, path, moves)
        if wanted is None:
            continue
        new = _rewritten(span, text, path, wanted, moves)
        if new is None:
            message = f"'{span.target}' can't name '{wanted}' in a wikilink; left as it is"
            problems.append(Problem(path=path, line=span.line, code="unlinkable", message=message))
            continue
        pieces += [text[done : span.start], new]
        done = span.end
    if not pieces:
        return text, problems
    pieces.append(text[done:])
    return "".join(pieces), problems


def names_touched(moved: Mapping[str, str]) -> set[str]:
    """List the names, folded, by which links may mean the moved entries, before or after.

    These are last parts of targets without suffix, as the index keeps them (`link.stem`): a file
    with a link to none of them keeps all its links.
    """
    from memtree.tree.links import fold

    names = set()
    for path in (*moved, *moved.values()):
        folder, _, name = path.rpartition("/")
        names.add(fold(without_suffix(name)))
        if fold(without_suffix(name)) in {"index", "readme"}:
            names.add(fold(folder.rpartition("/")[2]))
    return names


def new_markdown_target(target: str, source: str, wanted: str) -> str:
    """Write a markdown link's target anew, so that from `source` it leads to the entry `wanted`.

    Angle brackets, anchor and title-less style of the old target stay.
    """
    index = LinkIndex(())
    relative = Moves({}, before=index, after=index, is_file=lambda _: True)
    return _new_markdown(target, source, source, wanted, relative)


def _target_after(span: LinkSpan, path: str, moves: Moves) -> str | None:
    """Find where a link must lead after the move; None when its words may stay as they are."""
    if span.kind == "markdown" and is_external(span.target):
        return None
    here = moves.moved.get(path, path)
    kind = span.kind
    target = resolve(span.target, path, moves.before, kind=kind)
    if target is None:
        return _asset_after(span, path, moves) if kind == "markdown" else None
    wanted = moves.moved.get(target, target)
    # A relative link has to stay one that every reader of markdown understands.
    if kind == "markdown" and resolve_strictly(span.target, path, moves.before) == target:
        found = resolve_strictly(span.target, here, moves.after)
    else:
        found = resolve(span.target, here, moves.after, kind=kind)
    return None if found == wanted else wanted


def _asset_after(span: LinkSpan, path: str, moves: Moves) -> str | None:
    old = markdown_path(span.target)
    if not old or old.startswith("/"):
        return None
    stood = _normal(os.path.join(os.path.dirname(path), old))
    if stood is None or not (stood in moves.assets or moves.is_file(stood)):
        return None
    wanted = moves.assets.get(stood, stood)
    here = os.path.dirname(moves.moved.get(path, path))
    return None if _normal(os.path.join(here, old)) == wanted else wanted


def _rewritten(span: LinkSpan, text: str, path: str, wanted: str, moves: Moves) -> str | None:
    here = moves.moved.get(path, path)
    kind = span.kind
    if kind == "markdown":
        return _new_markdown(span.target, path, here, wanted, moves)
    if kind == "related":
        return _new_related(span, text[span.start - 1 : span.start], path, wanted, moves)
    return _new_wiki(span.target, path, wanted, moves)


def _new_wiki(target: str, path: str, wanted: str, moves: Moves) -> str | None:
    here = moves.moved.get(path, path)
    first, bar, second = target.partition("|")
    # Dendron's order, when it is the second half that led somewhere.
    swapped = bool(bar) and resolve(first, path, moves.before, kind="wiki") is None
    half = second if swapped else first
    name = wiki_name(half)
    at = half.partition("#")[0].rfind(name)
    lead, rest = half[:at], half[at + len(name) :]
    suffix = wanted[len(without_suffix(wanted)) :] if name != without_suffix(name) else ""
    for candidate in _wiki_names(name, wanted):
        if not _WIKI_ENDS.isdisjoint(candidate):
            continue
        if resolve(candidate + suffix, here, moves.after, kind="wiki") == wanted:
            new = lead + candidate + suffix + rest
            return f"{first}|{new}" if swapped else new + bar + second
    return None


def _wiki_names(old: str, wanted: str) -> list[str]:
    path = without_suffix(wanted)
    parts = path.split("/")
    shortest_first = ["/".join(parts[-n:]) for n in range(1, len(parts) + 1)]
    if old.startswith("/"):
        return ["/" + path]
    # Who wrote a path keeps a path; who wrote a name keeps a name as long as it is unique.
    names = [path, *shortest_first] if "/" in old else [*shortest_first]
    return [*names, "/" + path]


def _new_markdown(target: str, path: str, here: str, wanted: str, moves: Moves) -> str:
    old = markdown_path(target)
    angle = target.startswith("<")
    raw = target[1:].partition(">")[0] if angle else target
    tail = raw[len(_before_anchor(raw)) :]
    new = wanted
    if old != without_suffix(old) or not _is_entry(wanted):
        pass
    elif old.endswith("/") and without_suffix(wanted).rpartition("/")[2].lower() == "index":
        new = wanted.rpartition("/")[0] + "/"
    else:
        new = without_suffix(wanted)
    # The style of the old target first; where it can't lead there any more, the plain way. Of an
    # attachment no index knows anything: the style it had is right.
    for written in (
        _in_style(old, path, here, new, moves),
        _relative(here, new),
        _relative(here, wanted),
    ):
        link = _encoded(written, raw=raw, angle=angle) + tail
        link = f"<{link}>" if angle else link
        if (
            wanted not in moves.after.paths
            or resolve(link, here, moves.after, kind="markdown") == wanted
        ):
            return link
    return link


def _encoded(path: str, *, raw: str, angle: bool) -> str:
    """Escape what a destination can't hold, and more only when the old one did."""
    unsafe = "%#?<>\\" if angle else "%#?<>\\ ()\t"
    if angle and "%20" in raw:
        unsafe += " "
    fully = any(raw[i + 1 : i + 2] in set("89ABCDEFabcdef") for i, c in enumerate(raw) if c == "%")
    return "".join(
        quote(c, safe="") if c in unsafe or (fully and not c.isascii()) else c for c in path
    )


def _in_style(old: str, path: str, here: str, new: str, moves: Moves) -> str:
    if old.startswith("/"):
        return "/" + new
    folder = os.path.dirname(path)
    relative = _relative(here, new)
    stood = _normal(os.path.join(folder, old))
    if folder and (stood is None or (moves.before.at(stood) is None and not moves.is_file(stood))):
        # It was no relative path: Obsidian's path from the root, or a bare name.
        if "/" in old or without_suffix(old) != without_suffix(new.rpartition("/")[2]):
            return new
        return new.rpartition("/")[2]
    if old.startswith("./") and not relative.startswith("../"):
        return "./" + relative
    return relative


def _relative(here: str, new: str) -> str:
    relative = os.path.relpath(new, os.path.dirname(here) or ".").replace(os.sep, "/")
    return relative + "/" if new.endswith("/") else relative


def _new_related(span: LinkSpan, before: str, path: str, wanted: str, moves: Moves) -> str:
    """Write a path of the front matter anew; `before` is the character left of it."""
    old = span.target
    here = moves.moved.get(path, path)
    bare = old.partition("#")[0]
    named = wanted if bare != without_suffix(bare) else without_suffix(wanted)
    new = "/" + wanted
    relative = _relative(here, named)
    if not relative.startswith("../"):
        relative = "./" + relative
    first = relative if old.startswith(("./", "../")) else "/" + named if old[0] == "/" else named
    for candidate in (first, relative, new):
        if resolve(candidate, here, moves.after, kind="related") == wanted:
            new = candidate
            break
    new += old[len(_before_anchor(old)) :]
    if before == '"':
        return new.replace("\\", "\\\\").replace('"', '\\"')
    if before == "'":
        return new.replace("'", "''")
    needs_quotes = new[0] in "-?:,[]{}#&*!|>%@`\"' " or ": " in new or " #" in new or "," in new
    return '"' + new.replace('"', '\\"') + '"' if needs_quotes else new


def _before_anchor(target: str) -> str:
    return target.partition("#")[0].partition("?")[0]


def _is_entry(path: str) -> bool:
    return without_suffix(path) != path


def _normal(path: str) -> str | None:
    path = os.path.normpath(path).replace(os.sep, "/")
    return None if path.startswith("../") or path in {"..", "."} else path
