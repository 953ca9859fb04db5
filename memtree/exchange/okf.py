"""Open Knowledge Format v0.2: a tree as a bundle that other tools read.

Entries keep their bytes but for two things: a missing `type` is added, and wikilinks that lead to
an entry become bundle-relative markdown links, which is what the format knows. Every folder has an
`index.md` (the human text of an existing one stays), the root's declares the version. Front matter
that is no YAML is set aside in the body, fenced, because a conformant file must parse.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from memtree.tree.format import edit_front_matter, find_front
from memtree.tree.link_text import find_links
from memtree.tree.links import LinkIndex, resolve
from memtree.tree.listing import BEGIN, END, Item, has_listing, listing_of, splice
from memtree.tree.markdown import parse_for_index

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = "0.2"
DEFAULT_TYPE = "note"


def bundle(entries: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a bundle for entries given as (path, bytes): path and bytes each."""
    parsed = {path: parse_for_index(path, raw) for path, raw in entries}
    index = LinkIndex((path, item.id, item.title, item.aliases) for path, item in parsed.items())
    items = [Item(_suffix(path), item.title, item.description) for path, item in parsed.items()]
    own: dict[str, str] = {}
    for path, raw in entries:
        text = raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "\ufffd")
        text = _linked(text, path, index)
        name = path.rpartition("/")[2].lower()
        if name == "index.md":
            own[path.rpartition("/")[0]] = text[find_front(text).body :]
        elif name == "log.md":
            yield path, text[find_front(text).body :].encode()
        else:
            yield _suffix(path), _typed(text).encode()
    for folder in sorted(_folders(path for path, _ in entries)):
        text = _index(own.get(folder), listing_of(folder, items), folder)
        if not folder:
            text = f'---\nokf_version: "{VERSION}"\n---\n{text}'
        yield f"{folder}/index.md" if folder else "index.md", text.encode()


def _index(human: str | None, listing: str, folder: str) -> str:
    if human is None:
        return f"# Entries\n\n{listing}\n"
    if not has_listing(human):
        listing = _unsaid(listing, human, folder)
        if not listing:
            return human
        human = f"{human.rstrip()}\n\n# Entries\n\n{BEGIN}\n{END}\n"
    return splice(human, listing).replace(BEGIN + "\n", "").replace(END + "\n", "")


def _unsaid(listing: str, human: str, folder: str) -> str:
    """The lines of a listing whose target the human text of the folder does not link to yet."""
    said = {_led_to(span.target, folder) for span in find_links(human)}
    return "\n".join(
        line
        for line in listing.splitlines()
        if _led_to(find_links(line)[0].target, folder) not in said
    )


def _led_to(target: str, folder: str) -> str:
    """Where in the bundle a link in the index of `folder` leads: for an index, to its folder."""
    path = unquote(target.partition("#")[0])
    path = posixpath.normpath(path if path.startswith("/") else f"/{folder}/{path}")
    return posixpath.dirname(path) if posixpath.basename(path) == "index.md" else path


def _typed(text: str) -> str:
    front = find_front(text)
    if front.bad:
        text = f"```yaml\n{text[front.start : front.end].rstrip()}\n```\n\n{text[front.body :]}"
        front = find_front(text)
    kind = front.meta.get("type")
    if isinstance(kind, str) and kind.strip():
        return text
    return edit_front_matter(text, {"type": DEFAULT_TYPE})


def _linked(text: str, path: str, index: LinkIndex) -> str:
    """Write wikilinks as markdown links; those that lead nowhere stay, as the format allows."""
    pieces: list[str] = []
    done = 0
    body = find_front(text).body
    for span in find_links(text, body):
        if span.kind not in {"wiki", "embed"} or span.start < body:
            continue
        target = resolve(span.target, path, index, kind="wiki")
        if target is None:
            continue
        first, bar, second = span.target.partition("|")
        swapped = bar and resolve(first, path, index, kind="wiki") is None
        name, label = (second, first) if swapped else (first, second or first)
        _, hash_, heading = name.partition("#")
        anchor = "#" + quote(heading.strip().lower().replace(" ", "-")) if hash_ else ""
        link = f"[{label.strip()}](/{quote(_suffix(target), safe='/!$&+,;=@-._~')}{anchor})"
        start = span.start - (3 if span.kind == "embed" else 2)
        pieces += [text[done:start], link]
        done = span.end + 2
    return "".join([*pieces, text[done:]])


def _suffix(path: str) -> str:
    # The format knows `.md` only.
    return path[: -len(".markdown")] + ".md" if path.lower().endswith(".markdown") else path


def _folders(paths: Iterator[str]) -> set[str]:
    found = {""}
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found
