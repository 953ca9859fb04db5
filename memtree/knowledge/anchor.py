"""Evidence anchors as values: the file, lines and digest that a claim rests on, and their state.

A source in front matter that has a `digest` is an anchor: whoever wrote the claim had these lines
before them. `memtree.tree.anchors` looks whether they are still there; here stands what it finds,
and how that is said. Hot: imports nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Lines = tuple[int, int]

FRESH = "fresh"
"""The lines still have that digest."""
MOVED = "moved"
"""The same text stands at other lines of the same file; counts as fresh."""
DRIFTED = "drifted"
"""The file is there, the text is not."""
GONE = "gone"
"""There is no such file."""
OUTSIDE = "outside"
"""The path leads where no anchor may lead: it is not looked at."""
UNCHECKED = "unchecked"
"""Nothing to check (a URL, no digest), or it can't be checked, and `why` says why."""
_HEX = frozenset("0123456789abcdef")
_DIGEST_LENGTH = 64  # SHA-256 in hexadecimal
_MAX_DIGITS = 9


class Anchor:
    """One source of an entry, as its front matter says.

    `lines` are the first and the last line, from 1, or None for the whole file. `digest` is in
    lower case, "" when there is none. `bad` says in words what about it can't be understood.
    """

    __slots__ = ("bad", "digest", "id", "lines", "resource")

    def __init__(
        self,
        resource: str,
        *,
        lines: Lines | None = None,
        digest: str = "",
        id: str = "",  # noqa: A002  (the format's word)
        bad: str = "",
    ) -> None:
        self.resource = resource
        self.lines = lines
        self.digest = digest
        self.id = id
        self.bad = bad

    @property
    def place(self) -> str:
        """Where it points, as people write it: `src/http.py:10-24`."""
        return self.resource + (f":{span(self.lines)}" if self.lines else "")


class SourceState:
    """An anchor and how it stands: `now` are the lines of a text that moved, `why` a reason."""

    __slots__ = ("anchor", "now", "state", "why")

    def __init__(
        self, anchor: Anchor, state: str, *, now: Lines | None = None, why: str = ""
    ) -> None:
        self.anchor = anchor
        self.state = state
        self.now = now
        self.why = why

    @property
    def code(self) -> str:
        """The code of the finding that this is, "" when nothing is wrong."""
        wrong = self.state in (DRIFTED, GONE, OUTSIDE) or (self.state == UNCHECKED and self.why)
        return f"{self.state}-source" if wrong else ""

    def said(self) -> str:
        """The place and its state in words: `src/http.py:10-24 moved to 12-26`."""
        more = f" to {span(self.now)}" if self.now else f" ({self.why})" if self.why else ""
        return f"{self.anchor.place} {self.state}{more}"

    def trouble(self) -> str:
        """One sentence about a source that has a `code`."""
        if self.state == DRIFTED:
            return f"{self.anchor.place} no longer reads as it did when it was cited"
        if self.state == GONE:
            return f"{self.anchor.resource} is cited, and gone"
        return f"the source {self.anchor.place!r} is not looked at: {self.why}"

    def as_dict(self) -> dict[str, object]:
        """The JSON object: `now` only for a text that moved, `why` only where there is one."""
        lines = self.anchor.lines
        out: dict[str, object] = {
            "id": self.anchor.id,
            "resource": self.anchor.resource,
            "lines": list(lines) if lines else None,
            "state": self.state,
        }
        if self.now:
            out["now"] = list(self.now)
        if self.why:
            out["why"] = self.why
        return out


class Evidence:
    """How the anchors of one entry stand together.

    `state` is that of the worst: `gone`, `drifted`, `fresh`, or "" when none could be checked.
    """

    __slots__ = ("sources", "state")

    def __init__(self, sources: Sequence[SourceState]) -> None:
        self.sources = sources
        states = {FRESH if each.state == MOVED else each.state for each in sources}
        self.state = next((state for state in (GONE, DRIFTED, FRESH) if state in states), "")

    def said(self) -> list[str]:
        """A line for each source that no longer holds: `source drifted: src/http.py:10-24`."""
        return [
            f"source {each.state}: {each.anchor.place}"
            for each in self.sources
            if each.state in (DRIFTED, GONE)
        ]

    def as_dict(self) -> dict[str, object]:
        """The JSON object of `Hit.evidence`."""
        return {"state": self.state, "sources": [each.as_dict() for each in self.sources]}


def anchors_of(meta: Mapping[str, object]) -> list[Anchor]:
    """The sources of a front matter that name a resource; what has another shape is no source."""
    sources = meta.get("sources")
    if not isinstance(sources, list):
        return []
    return [anchor_of(source) for source in sources if is_source(source)]


def is_source(value: object) -> bool:
    """Whether an item of `sources` is a mapping that names a resource."""
    resource = value.get("resource") if isinstance(value, dict) else None
    return isinstance(resource, str) and bool(resource.strip())


def anchor_of(source: Mapping[str, object]) -> Anchor:
    """Read one source; what can't be understood is said in `bad`."""
    digest = source.get("digest")
    text = "" if digest is None else str(digest).strip().lower()
    bad = ""
    if text and (len(text) != _DIGEST_LENGTH or not _HEX.issuperset(text)):
        bad = "its `digest` is no SHA-256"
    given = source.get("lines")
    lines = None if given in (None, "") else lines_of(given)
    if given not in (None, "") and lines is None:
        bad = "its `lines` can't be understood"
    identity = source.get("id")
    return Anchor(
        str(source["resource"]).strip(),
        lines=lines,
        digest=text,
        id="" if identity is None else str(identity),
        bad=bad if text else "",
    )


def lines_of(value: object) -> Lines | None:
    """Read `10-24`, `10`, or a list of two numbers; None for anything else, and for no lines."""
    if isinstance(value, list):
        parts = [str(part) for part in value]
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        parts = str(value).strip().split("-", 1)
    else:
        return None
    numbers = [
        int(part)
        for part in map(str.strip, parts)
        if part.isascii() and part.isdigit() and len(part) <= _MAX_DIGITS
    ]
    if not 1 <= len(parts) <= 2 or len(numbers) != len(parts) or not 1 <= numbers[0] <= numbers[-1]:
        return None
    return numbers[0], numbers[-1]


def span(lines: Lines | None) -> str:
    """Write lines as `lines_of` reads them: `10-24`, or `10` for one line."""
    if lines is None:
        return ""
    first, last = lines
    return f"{first}-{last}" if last > first else str(first)


def has_scheme(resource: str) -> bool:
    """Whether a resource is a URL (or a URN): letters, digits, `+.-`, then a colon.

    One letter before a colon is a drive of Windows and no scheme.
    """
    scheme, colon, _ = resource.partition(":")
    plain = scheme.replace("+", "").replace("-", "").replace(".", "")
    named = len(scheme) > 1 and scheme.isascii() and scheme[0].isalpha() and plain.isalnum()
    return bool(colon) and named
