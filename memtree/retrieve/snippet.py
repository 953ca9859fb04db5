"""The lines of a passage that answer, and nothing around them.

Hot: string searches only.
"""

from __future__ import annotations

WIDTH = 240  # characters of a snippet
_SPAN = 3  # lines at most
_HEADING = 0.4  # what the words of a heading weigh
_OVER = 0.5  # what those of a fact that no longer holds weigh
OVER_MARK = ", see ^f"
"""Stands in a fact that another one took the place of (templates/entry.md, section 5)."""


def snippet(text: str, first: int, stems: dict[str, float]) -> tuple[str, int, int]:
    """The best few lines of `text`, and their first and last line in the file.

    `first` is the line of the file where `text` begins; `stems` maps what is sought to its weight.
    A stem counts where a word begins with it, which is how stems and words differ.
    """
    lines = text.split("\n")
    if len(lines) == 1:
        return _trim(_plain(lines[0]), stems), first, first
    weights = _weighed(lines, stems)
    best, start, stop = -1.0, 0, 0
    for at, weight in enumerate(weights):
        if weight <= 0.0 and best >= 0.0:
            continue
        total, end, length = weight, at, len(lines[at])
        while end + 1 < len(lines) and end + 1 - at < _SPAN and length < WIDTH:
            if not lines[end + 1].strip() and lines[at][:1] != "#":
                break  # a paragraph ends; below a heading an empty line is no end
            end += 1
            total += 0.6 * weights[end]
            length += len(lines[end])
        # Fewer lines at the same worth read better.
        total -= 0.01 * (end - at)
        if total > best:
            best, start, stop = total, at, end
    while stop > start and not lines[stop].strip():
        stop -= 1
    shown = " ".join([_plain(line) for line in lines[start : stop + 1]])
    return _trim(shown, stems), first + start, first + stop


def _weighed(lines: list[str], stems: dict[str, float]) -> list[float]:
    """What each line holds of what is sought."""
    weights: list[float] = []
    for line in lines:
        folded = " " + line.casefold()
        weight = sum(value for stem, value in stems.items() if stem in folded)
        # A heading says what is meant, the text below says it.
        if line[:1] == "#":
            weight *= _HEADING
        elif OVER_MARK in line:
            weight *= _OVER
        weights.append(weight)
    if any(weights):
        return weights
    # Nothing to look for (a title was asked for by name): the first words that are no heading.
    return [1.0 if line.strip() and line[0] not in "#-=<`" else 0.0 for line in lines]


def unmarked(text: str, start: int, end: int) -> int:
    """Where the words of a fact end that goes on to `end`: before its footnotes and block id.

    Those are addresses and no part of what it says.
    """
    cut = text.rfind(" ^", start, end)
    if cut <= start or not text[cut + 2 : end].replace("-", "").isalnum():
        return end
    end = cut
    while end > start and text[end - 1].isspace():
        end -= 1
    while text[end - 1] == "]":
        at = text.rfind("[^", start, end)
        if at <= start or not text[at + 2 : end - 1].replace("-", "").isalnum():
            break
        end = at
        while end > start and text[end - 1].isspace():
            end -= 1
    return end


def _plain(line: str) -> str:
    """A line without what is for programs."""
    end = unmarked(line, 0, len(line))
    return line if end == len(line) else line[:end].removeprefix("- ")


def _trim(text: str, stems: dict[str, float]) -> str:
    text = " ".join(text.lstrip("# ").split())
    if len(text) <= WIDTH:
        return text
    folded = text.casefold()
    places = [place for place in (folded.find(stem) for stem in stems) if place >= 0]
    at = min(places, default=0)
    if len(folded) != len(text):  # folding changed lengths: places would be off
        at = min(at, len(text) - 1)
    start = max(0, min(at - WIDTH // 4, len(text) - WIDTH))
    if start:
        space = text.find(" ", start, start + 24)
        start = space + 1 if space >= 0 else start
    end = min(len(text), start + WIDTH)
    if end < len(text):
        space = text.rfind(" ", end - 24, end)
        end = space if space > start else end
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")
