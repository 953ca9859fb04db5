"""Where the links of a text stand, to the character: what `mv` needs to change nothing else.

`find_links` gives the span of each target inside its brackets. Code (fenced, indented, inline) and
HTML comments are passed over. The work is linear in the text, whatever is in it.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class LinkSpan(NamedTuple):
    """One link: `text[start:end]` is its whole target (`note#h|alias`, `<a b.md#h>`, `x.md`).

    `kind` is `wiki`, `embed` (`![[x]]`), `markdown` (links, images, definitions) or `related`;
    `line` counts from 1.
    """

    start: int
    end: int
    target: str
    kind: str
    line: int


# A destination: in angle brackets, or without spaces and with balanced parentheses (one level).
_DESTINATION = r"(<[^<>\n]*>|(?:[^\s()<>\\\0]|\\[^\n\0]|\((?:[^\s()\\\0]|\\[^\n\0])*\))+)"
_TITLE = r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?"
_WIKI = re.compile(r"(!?)\[\[([^\[\]\n]+)\]\]")
_INLINE = re.compile(r"\]\([ \t]*" + _DESTINATION + _TITLE + r"[ \t]*\)")
_DEFINITION = re.compile(
    r"^[ \t>]{0,12}\[(?!\^)[^\[\]\n\0]+\]:[ \t]*(<[^<>\n]*>|[^\s\0]+)" + _TITLE + r"[ \t]*\r?$",
    re.MULTILINE,
)
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
_LIST_ITEM = re.compile(r"[ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]")
_RELATED_KEY = re.compile(r"^(?:related|supersedes|superseded_by)[ \t]*:", re.MULTILINE)
# What stands under those keys: a key of a mapping, a scalar in quotes, or a plain one.
_SCALAR = re.compile(
    r"([\w-]+)[ \t]*:(?=[ \t]|$)|\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\n]|'')*)'"
    r"|([^\s,\[\]{}\"'#&*!|>%@`-][^,\[\]{}\n#]*)"
)


def find_links(text: str, body_start: int = 0) -> list[LinkSpan]:
    """List the links of a file in order; `text[:body_start]` is its front matter."""
    found = _front_matter(text, body_start) if body_start else []
    masked = mask_code(text, body_start)
    taken: list[tuple[int, int]] = []
    for match in _INLINE.finditer(masked, body_start):
        if not _is_opened(masked, match.start(), body_start):
            continue
        start, end = match.span(1)
        taken.append((match.start(), match.end()))
        found.append(LinkSpan(start, end, text[start:end], "markdown", 0))
    for match in _DEFINITION.finditer(masked, body_start):
        start, end = match.span(1)
        found.append(LinkSpan(start, end, text[start:end], "markdown", 0))
    inline_starts = {start for start, _ in taken}
    for match in _WIKI.finditer(masked, body_start):
        # `[[1]](https://x)` is a markdown link whose text is `[1]`.
        if match.end() - 1 in inline_starts or _is_escaped(masked, match.start()):
            continue
        start, end = match.span(2)
        if masked[start] == masked[end - 1] == "\0" and not masked[start:end].strip("\0"):
            continue
        found.append(LinkSpan(start, end, text[start:end], "embed" if match[1] else "wiki", 0))
    found.sort()
    return _with_lines(text, found)


def mask_code(text: str, start: int = 0) -> str:
    """Return the text with every character of code and comments from `start` on as NUL.

    Lengths and line breaks stay, so that offsets hold.
    """
    pieces = [text[:start]]
    paragraph: list[str] = []
    lines = text[start:].splitlines(keepends=True)
    for line, is_code in zip(lines, _code_lines(lines), strict=True):
        if not is_code and not line.isspace():
            paragraph.append(line)
            continue
        # Inline code may span the lines of a paragraph, and no more.
        pieces.append(_mask_inline("".join(paragraph)))
        paragraph.clear()
        pieces.append(_blank(line) if is_code else line)
    pieces.append(_mask_inline("".join(paragraph)))
    return _mask_comments("".join(pieces), start)


def _code_lines(lines: list[str]) -> list[bool]:
    """Tell for each line whether it belongs to a code block, or a comment of several lines."""
    out = []
    fence = ""
    in_list = False
    may_indent = True  # indented code can't interrupt a paragraph
    for line in lines:
        if fence == "-->":
            fence = "" if fence in line else fence
            out.append(True)
            continue
        if fence:
            closer = line.strip().lstrip("> \t")
            if closer.startswith(fence) and not closer.strip(fence[0]):
                fence = ""
            out.append(True)
            continue
        fence = _opening_fence(line)
        if fence:
            out.append(True)
        elif line.isspace():
            out.append(False)
            may_indent = True
        elif may_indent and not in_list and line.startswith(("    ", "\t")):
            out.append(True)
        else:
            in_list = bool(_LIST_ITEM.match(line)) or (
                in_list and (not may_indent or line[0].isspace())
            )
            out.append(False)
            may_indent = False
    return out


def _opening_fence(line: str) -> str:
    """Return what closes the block that this line opens, "" when it opens none."""
    if "<!--" in line and line.lstrip(" ").startswith("<!--"):
        return "" if "-->" in line else "-->"
    if "```" not in line and "~~~" not in line:
        return ""
    found = _FENCE.match(line)
    # A backtick after the fence makes it inline code: ```x```.
    return "" if found is None or (found[1][0] == "`" and "`" in found[2]) else found[1]


def _mask_inline(text: str) -> str:
    if "`" not in text:
        return text
    runs = [(m.start(), m.end()) for m in re.finditer(r"`+", text)]
    later: dict[int, list[int]] = {}
    for number, (begin, end) in enumerate(runs):
        later.setdefault(end - begin, []).append(number)
    cursors = dict.fromkeys(later, 0)
    pieces: list[str] = []
    done = number = 0
    while number < len(runs):
        begin, end = runs[number]
        length = end - begin
        if _is_escaped(text, begin):
            number += 1
            continue
        same = later[length]
        cursor = cursors[length]
        while cursor < len(same) and same[cursor] <= number:
            cursor += 1
        cursors[length] = cursor
        if cursor == len(same):
            number += 1
            continue
        close = same[cursor]
        pieces += [text[done:end], _blank(text[end : runs[close][0]])]
        done = runs[close][0]
        number = close + 1
    pieces.append(text[done:])
    return "".join(pieces)


def _mask_comments(text: str, start: int) -> str:
    begin = text.find("<!--", start)
    if begin < 0:
        return text
    pieces = [text[:begin]]
    while begin >= 0:
        end = text.find("-->", begin + 4)
        if end < 0:
            break  # never closed: not a comment for our purpose, so that no link is overlooked
        pieces.append(_blank(text[begin : end + 3]))
        following = text.find("<!--", end + 3)
        pieces.append(text[end + 3 : following if following >= 0 else len(text)])
        begin = following
    else:
        return "".join(pieces)
    pieces.append(text[begin:])
    return "".join(pieces)


def _blank(text: str) -> str:
    if "\n" not in text and "\r" not in text:
        return "\0" * len(text)
    return "".join(c if c in "\r\n" else "\0" for c in text)


def _is_opened(text: str, close: int, start: int) -> bool:
    """Look back for the `[` of this `]`."""
    depth = 0
    at = close
    # Link texts are short; a bound keeps a file of nothing but `](x)` linear.
    floor = max(start, close - 2000)
    while at > floor:
        at -= 1
        c = text[at]
        if c == "]" and not _is_escaped(text, at):
            depth += 1
        elif c == "[" and not _is_escaped(text, at):
            if depth == 0:
                return True
            depth -= 1
        elif c == "\n" and text[at - 1 : at] == "\n":
            return False
    return False


def _is_escaped(text: str, at: int) -> bool:
    count = 0
    while at > count and text[at - 1 - count] == "\\":
        count += 1
    return count % 2 == 1


def _front_matter(text: str, end: int) -> list[LinkSpan]:
    """Find wikilinks anywhere in the front matter, and every scalar under `related`."""
    found = []
    wiki: list[tuple[int, int]] = []
    for match in _WIKI.finditer(text, 0, end):
        wiki.append(match.span())
        start, stop = match.span(2)
        found.append(LinkSpan(start, stop, text[start:stop], "wiki", 0))
    for key in _RELATED_KEY.finditer(text, 0, end):
        at = key.end()
        # The value goes on while lines are indented, or start a list item.
        while at < end:
            stop = text.find("\n", at, end)
            stop = end if stop < 0 else stop
            _related_line(text, at, stop, wiki, found)
            at = stop + 1
            if text[at : at + 1] not in {" ", "\t", "-", "]"} or text.startswith("---", at):
                break
    return found


def _related_line(
    text: str, start: int, stop: int, wiki: list[tuple[int, int]], found: list[LinkSpan]
) -> None:
    comment = re.compile(r"(?:^|[ \t])#").search(text, start, stop)
    if comment and not any(begin <= comment.start() < end for begin, end in wiki):
        stop = comment.start()
    key = ""
    for match in _SCALAR.finditer(text, start, stop):
        if match[1] is not None:
            key = match[1]
            continue
        is_relation, key = key == "rel", ""
        if is_relation or any(begin < match.end() and match.start() < end for begin, end in wiki):
            continue
        begin, end = match.span(next(group for group in (2, 3, 4) if match[group] is not None))
        end = begin + len(text[begin:end].rstrip())
        if begin < end:
            found.append(LinkSpan(begin, end, text[begin:end], "related", 0))


def _with_lines(text: str, found: list[LinkSpan]) -> list[LinkSpan]:
    line, at = 1, 0
    out = []
    for span in found:
        line += text.count("\n", at, span.start)
        at = span.start
        out.append(span._replace(line=line))
    return out
