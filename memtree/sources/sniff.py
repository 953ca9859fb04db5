"""What a source is, told from its name and its first bytes. Nothing is read twice for it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from memtree.sources.reading import BOM
from memtree.sources.transcript import form_of

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("auto", "text", "markdown", "transcript", "log", "jsonl", "chatgpt", "claude")
"""What a person may say that a source is."""
REMARKS = frozenset({"left-out", "bad-utf8", "nul"})
"""Codes of problems that are only worth knowing: what else was in the source came through."""

TEXT, MARKDOWN, TRANSCRIPT, SUBTITLES = "text", "markdown", "transcript", "subtitles"
LOG, JSONL, JSON, ZIP = "log", "jsonl", "json", "zip"
BINARY, UTF16 = "binary", "utf-16"
"""Ways to read a source, and two that are none."""

SUFFIXES: Mapping[str, str] = {
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".mdx": MARKDOWN,
    ".txt": TEXT,
    ".text": TEXT,
    ".rst": TEXT,
    ".org": TEXT,
    ".adoc": TEXT,
    ".asciidoc": TEXT,
    ".tex": TEXT,
    ".log": TEXT,
    ".vtt": SUBTITLES,
    ".srt": SUBTITLES,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".jsonlines": JSONL,
    ".json": JSON,
    ".zip": ZIP,
}
"""What files of a folder are read, and what they may be; what they are, their content tells."""

_COMMIT = re.compile(r"(?:[*|\\/ ]*)commit [0-9a-f]{7,64}\b")
_ONELINE = re.compile(r"(?:[*|\\/ ]*)[0-9a-f]{7,40} (?:\([^)]*\) )?\S")
_BLOCKS = re.compile(r" {0,3}(?:#{1,6}[ \t]+\S|(?:[-*+]|\d{1,3}[.)])[ \t]+\S|```|~~~|>[ \t])")
_LINKED = re.compile(r"\]\(|\[\[|\*\*\S|`[^`]+`")


def recognise(name: str, head: bytes) -> str:
    """Return how a source with this name and beginning is read: a constant of this module.

    Conversations are known by their content alone. For the rest the name decides, and without one
    that says anything, the look of the text.
    """
    head = head.removeprefix(BOM)
    named = SUFFIXES.get(_suffix(name), "")
    return _machine_made(head, named) or _written(head, named)


def _machine_made(head: bytes, named: str) -> str:
    """Return what bytes are that no person typed, "" for text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return UTF16
    if head.startswith(b"PK\x03\x04"):
        return ZIP
    if b"\0" in head[:8192]:
        return UTF16 if _looks_wide(head) else BINARY
    if head.lstrip()[:1] in (b"{", b"[") and named in ("", JSON, JSONL, TEXT):
        return _json_kind(head, named)
    return ""


def _written(head: bytes, named: str) -> str:
    lines = head.decode("utf-8", "replace").splitlines()
    if len(head) >= 1 << 12 and len(lines) > 1:
        lines.pop()  # the head ends somewhere in it
    if lines[:1] == ["WEBVTT"] or named == SUBTITLES:
        return SUBTITLES
    if named != MARKDOWN and is_log(lines):
        return LOG
    if form_of(lines, strict=named == MARKDOWN):
        return TRANSCRIPT
    if named in (TEXT, MARKDOWN):
        return named
    return MARKDOWN if _is_markdown(lines) else TEXT


def is_log(lines: list[str]) -> bool:
    """Whether this is what `git log` prints."""
    said = [line for line in lines[:200] if line.strip()]
    if not said:
        return False
    if _COMMIT.match(said[0]):
        return any(re.match(r"[*|\\/ ]*Author: ", line) for line in said[1:6])
    one = sum(bool(_ONELINE.match(line)) for line in said)
    digits = sum(any(c.isdigit() for c in line[:12]) for line in said)
    return len(said) >= 2 and one >= 0.9 * len(said) and digits >= 0.5 * len(said)


def _suffix(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2].lower()
    _, dot, suffix = base.rpartition(".")
    return dot + suffix


def _looks_wide(head: bytes) -> bool:
    odd, even = head[1:2000:2].count(0), head[0:2000:2].count(0)
    return len(head) >= 4 and not min(odd, even) and max(odd, even) > len(head[:2000]) * 0.3


def _json_kind(head: bytes, named: str) -> str:
    """Return `JSONL` or `JSON` for what begins as either, "" for what is neither."""
    line = head.lstrip().split(b"\n", 1)[0].strip()
    if line[:1] == b"{":
        try:
            if isinstance(json.loads(line), dict):
                whole = len(head.strip().split(b"\n")) == 1
                return JSON if named == JSON and whole else JSONL
        except (ValueError, RecursionError):
            pass
        if named == JSONL or (named != JSON and b"\n" not in head.strip()):
            return JSONL  # a first line that is longer than what was looked at
    inside = re.match(rb"\s*(?:\[\s*(?:\{|\])|\{\s*\")", head)
    return (named or JSON) if named in ("", JSON, JSONL) and inside else ""


def _is_markdown(lines: list[str]) -> bool:
    if lines and lines[0].rstrip() == "---" and "---" in [line.rstrip() for line in lines[1:200]]:
        return True
    blocks = sum(bool(_BLOCKS.match(line)) for line in lines[:400])
    linked = sum(bool(_LINKED.search(line)) for line in lines[:400])
    said = sum(bool(line.strip()) for line in lines[:400])
    return blocks + linked > max(0, 0.1 * said)
