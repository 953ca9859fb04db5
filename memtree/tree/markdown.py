"""What the index wants to know of a markdown file; whatever the file is, nothing here raises."""

from __future__ import annotations

from memtree.tree.format import BOM, Finding, decode, find_front, problems_of
from memtree.tree.inline import Link, body_links, body_tags, meta_links, one_line, texts
from memtree.tree.outline import scan
from memtree.tree.passages import Heading, Passage, cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtree.knowledge.problem import Problem

MAX_BYTES = 8 * 1024 * 1024
"""Only this much of a file is parsed: a note is never longer, a log that got lost may be."""


class Parsed:
    """A file as the index sees it.

    `title` is the front matter's, else the first heading of level 1, else the file name in words.
    `passages` are (heading path "A > B", text, first line, last line), lines from 1 in the file.
    `links` are (target as written, kind, line, relation); links that leave the tree are left out.
    `headings` are (line, level, text). `n_lines` counts the lines of the whole file.
    """

    __slots__ = (
        "aliases",
        "description",
        "headings",
        "id",
        "links",
        "meta",
        "n_lines",
        "passages",
        "path",
        "problems",
        "questions",
        "tags",
        "title",
        "type",
    )

    def __init__(self, path: str, meta: dict[str, object]) -> None:
        self.path = path
        self.meta = meta
        self.id = ""
        self.type = ""
        self.title = ""
        self.description = ""
        self.aliases: list[str] = []
        self.tags: list[str] = []
        self.questions: list[str] = []
        self.headings: list[Heading] = []
        self.passages: list[Passage] = []
        self.links: list[Link] = []
        self.n_lines = 0
        self.problems: tuple[Problem, ...] = ()


def parse_for_index(path: str, raw: bytes) -> Parsed:  # noqa: C901  (run for every file: plain ifs)
    """Return everything that the index stores about the file at `path`. Never raises."""
    findings: list[Finding] = []
    head = raw if len(raw) <= MAX_BYTES else _first_part(raw, findings)
    if b"\0" in head:
        return _binary(path, raw, findings)
    try:
        text = head.decode()
    except UnicodeDecodeError:
        text, wrong = decode(head)
        findings += wrong
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    start = 0
    first_line = 1
    meta: dict[str, object] = {}
    if text[:3] == "---" or text[:1] == BOM:
        front = find_front(text)
        findings += front.findings
        meta = front.meta
        start = front.body
        first_line = text.count("\n", 0, start) + 1
    parsed = Parsed(path, meta)
    body = text[start:] if start else text
    lines = body.split("\n")
    parsed.n_lines = first_line - 1 + len(lines) - (not lines[-1])
    if head is not raw:
        parsed.n_lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    outline = scan(lines, first_line)
    parsed.headings = outline.headings
    parsed.passages = cut(body, lines, first_line, outline.headings, outline.solid)
    if meta:
        _understand(parsed)
        block = text[:start]
        if "[[" in block or "related" in block or "supersede" in block:
            parsed.links = list(meta_links(meta, block.split("\n")))
    if outline.linked:
        body_links(outline.linked, parsed.links)
    if outline.tagged:
        body_tags(outline.tagged, parsed.tags)
    if not parsed.title:
        parsed.title = _first_heading(outline.headings) or name_in_words(path)
    if findings:
        parsed.problems = problems_of(path, findings)
    return parsed


def _first_part(raw: bytes, findings: list[Finding]) -> bytes:
    """Return as much of a huge file as is parsed, not ending inside a character."""
    end = MAX_BYTES
    while end > MAX_BYTES - 4 and raw[end] & 0xC0 == 0x80:
        end -= 1
    findings.append((0, "oversize", f"{len(raw)} bytes: only the first {MAX_BYTES} are indexed"))
    return raw[:end]


def _first_heading(headings: list[Heading]) -> str:
    """Return the first heading of level 1 that says something, or ""."""
    for _, level, text in headings:
        if level == 1 and text:
            return text
    return ""


def _binary(path: str, raw: bytes, findings: list[Finding]) -> Parsed:
    """Return a file that is no text: known by its name alone."""
    parsed = Parsed(path, {})
    parsed.title = name_in_words(path)
    parsed.n_lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    parsed.problems = problems_of(path, findings + decode(raw[:MAX_BYTES])[1])
    return parsed


def name_in_words(path: str) -> str:
    """Return the file name as a title: `retries/http-client.md` is "http client"."""
    name = path.rpartition("/")[2]
    stem = name.rpartition(".")[0] or name
    if stem.casefold() in ("index", "readme") and "/" in path:
        stem = path.split("/")[-2]
    return " ".join(stem.replace("-", " ").replace("_", " ").split()) or name


def _understand(parsed: Parsed) -> None:
    """Fill the named fields from the front matter."""
    meta = parsed.meta
    parsed.id = one_line(meta.get("id"))
    parsed.type = one_line(meta.get("type"))
    parsed.title = one_line(meta.get("title"))
    for key in ("description", "summary", "desc"):
        if key in meta:
            parsed.description = one_line(meta[key])
            break
    for key in ("aliases", "alias"):
        if key in meta:
            parsed.aliases += texts(meta[key])
    if "questions" in meta:
        parsed.questions = texts(meta["questions"])
    for key in ("tags", "tag", "keywords"):
        if key in meta:
            value = meta[key]
            words = value.replace(",", " ").split() if isinstance(value, str) else texts(value)
            for word in words:
                name = word.lstrip("#").strip()
                if name and name not in parsed.tags:
                    parsed.tags.append(name)
