"""The outline of a body in one pass over its lines: headings, code blocks, lines to look at.

This is a line scanner and not a parser: it has to read 10,000 files in the time that others need
to start. It agrees with CommonMark on headings and code blocks (markdown-it is the oracle in the
tests); lists and quotes are followed as far as these two need it.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.tree.passages import Heading, Span

_SPECIAL = frozenset("#`~<=- \t>*+0123456789")
"""What a line begins with that is more than text: only these lines are looked at closely."""
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_NESTED_FENCE = re.compile(
    r"(?:[ \t]*(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])))+[ \t]*((`{3,})[^`]*$|(~{3,}))"
)
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_NOT_A_PARAGRAPH = re.compile(
    r"(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])(?:[ \t]|$))| {0,3}(?:>|#{1,6}(?:[ \t]|$)|```|~~~)| {4}|\t"
)
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_LONGEST_HEADING = 500
"""Characters; a longer one is a paragraph by mistake, and is repeated in every heading path."""
_LOOK_BACK = 50
"""Lines above an indented one that may tell whether it is code."""
_INLINE = re.compile(r"!?\[\[(?:[^\]|]*\|)?([^\]|]*)\]\]|!?\[([^\]]*)\]\([^)]*\)|(\*\*|__|`+)")
_BLOCK_ID = re.compile(r"[ \t]\^[A-Za-z0-9\-]+$")


class Outline:
    """What the pass over the lines found: `solid` line ranges stay together in a passage.

    `underline` is the index of the last line that underlined a heading, `code` that of the last
    one known to be indented code; both are -1 before there is one.
    """

    __slots__ = ("code", "headings", "linked", "solid", "tagged", "underline")

    def __init__(self) -> None:
        self.headings: list[Heading] = []
        self.solid: list[Span] = []
        self.linked: list[tuple[int, str]] = []
        self.tagged: list[tuple[int, str]] = []
        self.underline = -1
        self.code = -1


def scan(lines: list[str], first_line: int) -> Outline:  # noqa: C901, PLR0912  (one loop, run for every line of every file: calls would double its time)
    """One pass: headings, code blocks, and the lines worth a closer look for links and tags.

    Looking for one character in a line is far cheaper than for two in the whole body, so the
    tests here go from single characters to longer marks.
    """
    outline = Outline()
    quoted = ""  # the marker of a code block inside a quote: it ends with the quote
    numbered = enumerate(lines, first_line)
    for number, line in numbered:
        if not line:
            continue
        first = line[0]
        if first in _SPECIAL:
            if first == "#":
                if _heading(line, number, outline):
                    if "]" in line:
                        outline.linked.append((number, line))
                    if " #" in line:
                        outline.tagged.append((number, line.lstrip("#")))
                    continue
            elif quoted:
                if first == ">":
                    if quoted in line and not line.strip("> \t" + quoted[0]):
                        quoted = ""
                    continue
                quoted = ""
            if "```" in line or "~~~" in line:
                fence, in_quote = _fence(line)
                if in_quote:
                    quoted = fence
                    continue
                if fence:
                    start = number
                    for number, line in numbered:  # noqa: B007, PLW2901  (the rest of the block, from the same iterator)
                        if fence in line and not line.strip(fence[0] + " \t"):
                            break
                    outline.solid.append((start, number))
                    continue
            if first in "=-":
                if not line.rstrip(" \t").strip(first):
                    _setext(lines, number - first_line, first_line, outline)
                    continue
            elif first in " <":
                if "<!--" in line and line.lstrip(" ").startswith("<!--"):
                    if "-->" not in line:
                        for number, line in numbered:  # noqa: B007, PLW2901  (as above)
                            if "-->" in line:
                                break
                        continue
                elif first == " " and _indented(lines, number, first_line, outline):
                    continue
        elif quoted:
            quoted = ""
        if (
            "]" in line
            and ("](" in line or "]]" in line or "]: " in line)
            and (first not in " \t" or not _indented_code(lines, number - first_line, outline))
        ):
            outline.linked.append((number, line))
        if "#" in line and (
            first not in " \t" or not _indented_code(lines, number - first_line, outline)
        ):
            outline.tagged.append((number, line))
    return outline


def _heading(line: str, number: int, outline: Outline) -> bool:
    """Note the heading that a line beginning with `#` is; False when it is none."""
    rest = line.lstrip("#")
    level = len(line) - len(rest)
    if level > 6 or (rest and rest[0] not in " \t"):
        return False
    outline.headings.append((number, level, _heading_text(rest)))
    return True


def _indented(lines: list[str], number: int, first_line: int, outline: Outline) -> bool:
    """Whether a line that begins with a space is a heading or an underline; it is noted then."""
    line = lines[number - first_line]
    bare = line.lstrip(" ")
    if len(line) - len(bare) > 3 or not bare:
        return False
    if bare[0] == "#":
        return _heading(bare, number, outline)
    if bare[0] in "=-" and not bare.rstrip(" \t").strip(bare[0]):
        _setext(lines, number - first_line, first_line, outline)
        return True
    return False


def _heading_text(rest: str) -> str:
    """Return the words of a heading: no closing `#`s, block id, emphasis marks or link targets."""
    text = rest[:_LONGEST_HEADING].strip(" \t")
    if text[-1:] == "#":
        bare = text.rstrip("#")
        if not bare or bare[-1] in " \t":
            text = bare.rstrip(" \t")
    if "[" in text or "*" in text or "`" in text or "__" in text:
        text = _INLINE.sub(lambda match: match[1] or match[2] or "", text)
    if "^" in text:
        text = _BLOCK_ID.sub("", text)
    return text


def _fence(line: str) -> tuple[str, bool]:
    """Return the marker of the code block that `line` opens, or "", and whether in a quote."""
    if line[:3] == "```" and line.count("`") == 3:
        return "```", False
    found = _FENCE.match(line.lstrip(" \t"))
    if found:
        return found[1] or found[2], False
    found = _NESTED_FENCE.match(line)
    if found:
        return found[2] or found[3], line.lstrip(" ")[0] == ">"
    return "", False


def _setext(lines: list[str], at: int, first_line: int, outline: Outline) -> None:
    """Note the heading that the underline at index `at` makes of the paragraph above it."""
    level = 1 if "=" in lines[at] else 2
    start = at
    taken = outline.headings[-1][0] - first_line if outline.headings else -1
    solid = outline.solid[-1][1] - first_line if outline.solid else -1
    while start > 0 and at - start < 32:
        above = lines[start - 1]
        if not above.strip() or start - 1 <= max(taken, solid, outline.underline):
            break
        if _RULE.match(above):
            break
        if _NOT_A_PARAGRAPH.match(above) or above.lstrip(" ")[:4] == "<!--":
            if _LIST_ITEM.match(above) or above.lstrip(" ")[:1] == ">":
                return  # a lazy line of the list or quote above: the underline is a rule
            if above[0] not in " \t" or start == at:
                break
        start -= 1
    if start == at or (start > 0 and lines[start - 1].strip() and lines[start][0] in " \t"):
        return
    outline.underline = at
    text = " ".join([line[:_LONGEST_HEADING].strip() for line in lines[start:at]])
    outline.headings.append((first_line + start, level, _heading_text(text)))


def _indented_code(lines: list[str], at: int, outline: Outline) -> bool:
    """Tell whether an indented line is code: four columns in, after a gap, outside a list."""
    if not lines[at].startswith(("    ", "\t")):
        return False
    gap = False
    for above in range(at - 1, max(-1, at - _LOOK_BACK), -1):
        if above == outline.code:
            break
        other = lines[above]
        if not other.strip():
            gap = True
        elif _LIST_ITEM.match(other):
            return False
        elif other[0] not in " \t":
            # Text inside a list item may be indented less; only the left edge ends a list.
            if not gap:
                return False
            break
    outline.code = at
    return True
