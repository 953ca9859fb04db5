"""A file of the tree, read and written without losing a byte of it.

`read_document` never raises: what is wrong with a file becomes findings. A front matter block
opens with `---` on the first line (after a byte order mark), closes with `---` or `...`, and holds
a YAML mapping; anything else at the top, like a horizontal rule over prose, is body. The text
keeps its line ends, so writing `document.text` back gives the same file.
"""

from __future__ import annotations

from memtree.tree.front_matter import (
    MAX_BLOCK,
    BadBlock,
    read_block,
    read_simple,
    salvage,
    top_key,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from memtree.knowledge.problem import Problem

BOM = "\ufeff"
Finding = tuple[int, str, str]
"""Line (from 1, 0 for the whole file), code, message: a `Problem` before it knows its path."""


class Front:
    """Where the front matter of a text lies, and what it says.

    `start` and `end` are the character offsets of the block between its `---` lines, both 0 when
    there is none; `body` is the offset of the body's first character. `bad` tells a block that is
    no YAML, of which `meta` holds what could be salvaged.
    """

    __slots__ = ("bad", "body", "end", "findings", "meta", "start")

    def __init__(self, start: int, end: int, body: int, meta: dict[str, object]) -> None:
        self.start = start
        self.end = end
        self.body = body
        self.meta = meta
        self.findings: list[Finding] = []
        self.bad = False


class Document:
    r"""A file as it was read.

    `text` is the whole file decoded, byte order mark and line ends included (invalid UTF-8 is
    replaced, with a finding); `newline` is the line end it uses first, `\\n` when it has none.
    `front_start` and `front_end` bound the block between the `---` lines (both 0: no front
    matter); `body_start` is a character offset, `body_line` counts from 1.
    """

    __slots__ = (
        "body_line",
        "body_start",
        "bom",
        "front_end",
        "front_start",
        "meta",
        "newline",
        "path",
        "problems",
        "raw",
        "text",
    )

    def __init__(self, path: str, raw: bytes, text: str, front: Front) -> None:
        self.path = path
        self.raw = raw
        self.text = text
        self.bom = text[:1] == BOM
        self.newline = newline_of(text)
        self.meta = front.meta
        self.front_start = front.start
        self.front_end = front.end
        self.body_start = front.body
        self.body_line = count_lines_before(text, front.body)
        self.problems: tuple[Problem, ...] = ()

    @property
    def body(self) -> str:
        """Everything after the front matter, line ends as they are."""
        return self.text[self.body_start :]


def read_document(raw: bytes, path: str) -> Document:
    """Read the bytes of the file at `path`. Never raises; findings are in `problems`."""
    text, findings = decode(raw)
    front = find_front(text)
    document = Document(path, raw, text, front)
    document.problems = problems_of(path, findings + front.findings)
    return document


def decode(raw: bytes) -> tuple[str, list[Finding]]:
    """Return the text of a file, and what is wrong with its bytes."""
    if b"\0" in raw:
        wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        message = "the file is UTF-16; save it as UTF-8" if wide else "the file is binary"
        return raw.decode("utf-8", "replace"), [(0, "binary", message)]
    try:
        return raw.decode(), []
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte {raw[error.start]:#04x} is not UTF-8"
        return raw.decode("utf-8", "replace"), [(line, "invalid-utf8", message)]


def problems_of(path: str, findings: list[Finding]) -> tuple[Problem, ...]:
    """Return the findings as problems; only a file that has some pays for the import."""
    if not findings:
        return ()
    from memtree.knowledge.problem import Problem

    return tuple(
        Problem(path=path, line=line, code=code, message=message)
        for line, code, message in findings
    )


def newline_of(text: str) -> str:
    r"""Return the first line end in the text: `\r\n` or `\n`."""
    end = text.find("\n")
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


def count_lines_before(text: str, offset: int) -> int:
    """Return the number, from 1, of the line on which the character at `offset` stands."""
    lines = text.count("\n", 0, offset) + 1
    if "\r" in text:
        lines += text.count("\r", 0, offset) - text.count("\r\n", 0, offset)
    return lines


def find_front(text: str) -> Front:
    """Return the front matter of a whole text. Never raises."""
    top = 1 if text[:1] == BOM else 0
    if not text.startswith("---", top):
        return Front(0, 0, top, {})
    first_end = text.find("\n", top)
    if first_end < 0 or text[top + 3 : first_end].strip(" \t\r"):
        return Front(0, 0, top, {})
    start = first_end + 1
    end, body = _closing(text, start)
    if end < 0:
        front = Front(0, 0, top, {})
        if top_key(text[start : start + 300].split("\n", 1)[0]):
            what = f"within {MAX_BLOCK} characters" if len(text) > MAX_BLOCK else "at all"
            front.findings = [(1, "unclosed-front-matter", f"no closing --- line {what}")]
        return front
    return _read_front(text, start, end, body) or Front(0, 0, top, {})


def _closing(text: str, start: int) -> tuple[int, int]:
    """Offsets of the closing line and of the line after it, or (-1, -1)."""
    at = start
    limit = start + MAX_BLOCK
    while 0 <= at <= limit:
        if text.startswith(("---", "..."), at):
            line_end = text.find("\n", at)
            if line_end < 0:
                line_end = len(text)
            if not text[at + 3 : line_end].strip(" \t\r"):
                return at, min(line_end + 1, len(text))
        dashes = text.find("\n---", at, limit + 4)
        dots = text.find("\n...", at, dashes if dashes >= 0 else limit + 4)
        at = (dots if dots >= 0 else dashes) + 1 or -1
    return -1, -1


def _read_front(text: str, start: int, end: int, body: int) -> Front | None:
    """Return the block between the two offsets, or None when it is prose between two rules."""
    block = text[start:end]
    if "\r" in block:
        block = block.replace("\r\n", "\n")
    meta = read_simple(block)
    if meta is not None:
        # A heading between two rules looks like a comment: only keys make it front matter.
        return Front(start, end, body, meta) if meta or not block.strip() else None
    try:
        read = read_block(block)
    except BadBlock as bad:
        meta = salvage(block)
        # A rule is followed by an empty line; nobody leaves one above their first key.
        if not meta or not block.split("\n", 1)[0].strip():
            return None
        front = Front(start, end, body, meta)
        front.bad = True
        front.findings = [(bad.line + 2, "bad-front-matter", bad.message)]
        return front
    if read is None or (not read.meta and block.strip() not in ("", "{}")):
        return None
    front = Front(start, end, body, read.meta)
    front.findings = [
        (line + 2, "duplicate-key", f"the key {key!r} stands here again; the last one counts")
        for line, key in read.duplicates
    ]
    return front


def replace_body(text: str, body: str) -> str:
    """Return the text with another body and the same front matter, in the file's own line ends."""
    front = find_front(text)
    if newline_of(text) == "\r\n":
        body = body.replace("\r\n", "\n").replace("\n", "\r\n")
    head = text[: front.body]
    if front.end and not head.endswith("\n"):
        head += newline_of(text)
    return head + body


def new_document(meta: Mapping[str, object], body: str) -> str:
    """Return the text of a new file: the keys in their order (None is left out), then the body."""
    from memtree.tree.surgery import block_lines

    block = "".join(block_lines(key, value) for key, value in meta.items() if value is not None)
    text = body if not body or body.endswith("\n") else body + "\n"
    return f"---\n{block}---\n{text}"


def edit_front_matter(text: str, changes: Mapping[str, object | None]) -> str:
    """Return the text with these front matter keys set (None deletes), every other byte as it was.

    A key whose value does not change is not touched; a list keeps the bytes of the items that
    stay; a single-line value keeps its quotes and the comment behind it. Raises `Refused` when the
    block is so unusual that the change could not be made without touching something else.
    """
    from memtree.tree.surgery import edit

    return edit(text, changes)
