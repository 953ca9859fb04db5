"""One entry as the catalog knows it. Hot: imports nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = (
    "number, path, id, title, type, description, tags, importance, maturity, created, used, "
    "speaker, time, session, turn, lines, size, digest, fts, titled, standing, generation"
)


class Row:
    """One entry as the catalog knows it: what ranking and lists need without opening the file.

    `standing` is `memtree.knowledge.standing` packed, `generation` the refresh that last read it.
    """

    __slots__ = (
        "created",
        "description",
        "digest",
        "fts",
        "generation",
        "id",
        "importance",
        "lines",
        "maturity",
        "number",
        "path",
        "session",
        "size",
        "speaker",
        "standing",
        "tags",
        "time",
        "title",
        "titled",
        "turn",
        "type",
        "used",
    )

    number: int
    path: str
    id: str
    title: str
    type: str
    description: str
    tags: tuple[str, ...]
    importance: float
    maturity: str
    created: str
    used: str
    speaker: str
    time: str
    session: str
    turn: int
    lines: int
    size: int
    digest: bytes
    fts: int
    titled: int
    standing: str
    generation: int

    def __init__(self, values: Sequence[object]) -> None:
        (
            self.number,
            self.path,
            self.id,
            self.title,
            self.type,
            self.description,
            tags,
            self.importance,
            self.maturity,
            self.created,
            self.used,
            self.speaker,
            self.time,
            self.session,
            self.turn,
            self.lines,
            self.size,
            self.digest,
            self.fts,
            self.titled,
            self.standing,
            self.generation,
        ) = values  # type: ignore[assignment]
        self.tags = tuple(str(tags).split("\n")) if tags else ()

    def values(self) -> tuple[object, ...]:
        """The row as the table holds it, in the order of COLUMNS."""
        return (
            self.number, self.path, self.id, self.title, self.type, self.description,
            "\n".join(self.tags), self.importance, self.maturity, self.created, self.used,
            self.speaker, self.time, self.session, self.turn, self.lines, self.size, self.digest,
            self.fts, self.titled, self.standing, self.generation,
        )  # fmt: skip
