"""What stands inside the lines: links, relations and tags, as Obsidian and CommonMark write them.

Code spans and HTML comments hide what they hold. Targets are kept as written (percent signs,
anchors, aliases); what they mean is `memtree.tree.links`'s business.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Link = tuple[str, str, int, str]
"""Target as it stands in the link, kind (wiki, markdown, embed, related), line, relation or ""."""
_TICKS = re.compile(r"`+")
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]+)\]\]")
_MARKDOWN = re.compile(
    r"[ \t]*(<[^<>\n]*>|(?:[^\s()\\<]|\\.|\([^\s()]*\))(?:[^\s()\\]|\\.|\([^\s()]*\))*)"
)
_BRACKET = re.compile(r"[\[\]]")
_DEFINITION = re.compile(r" {0,3}\[(?!\^)[^\]]+\]:[ \t]+(<[^<>]*>|\S+)")
_EXTERNAL = re.compile(r"<?(?:[A-Za-z][A-Za-z0-9+.\-]*:|//|#)")
_WEB = ("http://", "https://")
_RELATION = re.compile(r"[ \t]*(?:[-*+][ \t]+)?(?:\*\*)?([^\W\d][\w\-]*)(?:\*\*)?(?:::)?[ \t]+$")
_TAG = re.compile(
    r"(?:^|(?<=[\s(]))(?<!\]\()#([^\s#()\[\]{},.;:!?'\"`<>|\\^*=+&@$%~"
    r"，。、；：！？「」『』（）【】《》…“”‘’]+)"  # noqa: RUF001  (marks that end a tag in other scripts)
)


def body_links(linked: list[tuple[int, str]], links: list[Link]) -> None:
    """Add the links of the lines given; those that leave the tree are left out."""
    for number, line in linked:
        seen = _shown(line) if "`" in line or "<!--" in line else line
        if "[[" in seen:
            for match in _WIKI.finditer(seen):
                kind = "embed" if match[1] else "wiki"
                links.append((match[2], kind, number, _relation(seen, match.start())))
        at = seen.find("](")
        images = _images(seen) if at >= 0 and "![" in seen else ()
        while at >= 0:
            at += 2
            if not seen.startswith(_WEB, at):
                found = _MARKDOWN.match(seen, at)
                if found and not _EXTERNAL.match(seen, at):
                    kind = "embed" if at - 2 in images else "markdown"
                    links.append((found[1], kind, number, ""))
            at = seen.find("](", at)
        if "]: " in seen:
            found = _DEFINITION.match(seen)
            if found and not _EXTERNAL.match(found[1]):
                links.append((found[1], "markdown", number, ""))


def _relation(line: str, end: int) -> str:
    """Return the relation in front of a link: `- uses [[X]]` or `uses:: [[X]]`, or ""."""
    if not end:
        return ""
    before = _RELATION.match(line, 0, end)
    if before is None or before.end() != end:
        return ""
    if "::" in before[0] or line.lstrip(" \t")[:2] in ("- ", "* ", "+ "):
        return before[1]
    return ""


def _images(line: str) -> set[int]:
    """Return where the `]` stand that end the text of an image, in one pass over the brackets."""
    found = set()
    opened: list[int] = []
    for match in _BRACKET.finditer(line):
        at = match.start()
        if line[at] == "[":
            opened.append(at)
        elif opened:
            start = opened.pop()
            if start and line[start - 1] == "!":
                found.add(at)
    return found


def body_tags(tagged: list[tuple[int, str]], tags: list[str]) -> None:
    """Add the `#tags` of the lines given, each once whatever its case."""
    known = {tag.casefold() for tag in tags}
    for _, line in tagged:
        if " #" not in line and line[0] != "#" and "(#" not in line and "\t#" not in line:
            continue
        for tag in _TAG.findall(_shown(line)):
            name = tag.rstrip("/-")
            key = name.casefold()
            if key not in known and name.strip("0123456789/-_"):
                known.add(key)
                tags.append(name)


def _shown(line: str) -> str:
    """Return the line without its code spans and comments."""
    if "``" in line:
        line = _without_code(line)
    elif "`" in line:
        parts = line.split("`")
        # An even number of parts: the last backtick opens nothing.
        line = " ".join(parts[::2]) + (parts[-1] if len(parts) & 1 == 0 else "")
    if "<!--" in line:
        line = _without_comments(line)
    return line


def _without_code(line: str) -> str:
    """Return a line without spans between equal runs of backticks, in one pass over the runs."""
    runs = [match.span() for match in _TICKS.finditer(line)]
    same: dict[int, list[int]] = {}
    for number in range(len(runs) - 1, -1, -1):
        start, end = runs[number]
        same.setdefault(end - start, []).append(number)
    kept = []
    at = number = 0
    while number < len(runs):
        start, end = runs[number]
        closers = same[end - start]
        while closers and closers[-1] <= number:
            closers.pop()
        if closers:
            kept.append(line[at:start])
            number = closers.pop()
            at = runs[number][1]
        number += 1
    return " ".join([*kept, line[at:]])


def _without_comments(line: str) -> str:
    """Return a line without its complete comments, in one pass."""
    kept = []
    at = 0
    start = line.find("<!--")
    while start >= 0:
        end = line.find("-->", start + 4)
        if end < 0:
            break
        kept.append(line[at:start])
        at = end + 3
        start = line.find("<!--", at)
    return " ".join([*kept, line[at:]])


def meta_links(meta: Mapping[str, object], lines: list[str]) -> Iterator[Link]:
    """Relations in the front matter: `related` and validity keys, and any value with `[[`."""
    for key, value in meta.items():
        known = key in ("related", "supersedes", "superseded_by")
        number = 0
        for target, relation in _targets(value, "" if key == "related" else key):
            if known or "[[" in target:
                number = number or _key_line(key, lines)
                yield target, "related", number, relation


def _key_line(key: str, lines: list[str]) -> int:
    """Return the line, from 1, on which a key of the front matter stands."""
    for number, line in enumerate(lines, 1):
        if line.lstrip("\"'").startswith(key):
            return number
    return 1


def _targets(value: object, relation: str) -> Iterator[tuple[str, str]]:  # noqa: C901  (one branch per kind of value)
    """Return the link targets in a value; `[[Page]]` without quotes is a list in a list to YAML."""
    if isinstance(value, str):
        if "[[" in value:
            for match in _WIKI.finditer(value):
                yield f"[[{match[2]}]]", relation
        elif value.strip():
            yield value.strip(), relation
    elif isinstance(value, list):
        if len(value) == 1 and isinstance(value[0], list) and len(value[0]) == 1:
            inner = value[0][0]
            if isinstance(inner, str):
                yield f"[[{inner}]]", relation
                return
        for item in value:
            yield from _targets(item, relation)
    elif isinstance(value, dict):
        target = value.get("to")
        if isinstance(target, str):
            yield target, one_line(value.get("rel")) or relation


def one_line(value: object) -> str:
    """Return a front matter value as one line of text; lists, mappings and null are none."""
    if isinstance(value, str):
        return " ".join(value.split()) if "\n" in value else value.strip()
    if value is None or isinstance(value, (list, dict)):
        return ""
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def texts(value: object) -> list[str]:
    """Return a front matter value as a list of texts: one value is a list of one."""
    values = value if isinstance(value, list) else [value]
    return [text for text in map(one_line, values) if text]
