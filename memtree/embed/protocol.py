"""What every embedder is: text in, unit vectors out, and a name that says which vectors these are.

Vectors of two models, or of one model with two prefixes, must never be compared. So an embedder
carries an `Identity`; its `text()` is stored with the vectors, and what was stored under another
one is rebuilt and never searched.

Hot: plain classes, no imports.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    """Shape (texts, dimension): a unit row per text, or zeros where nothing in it is known."""

    class Embedder(Protocol):
        """One way of embedding. Not safe for several threads at once unless it says so."""

        @property
        def identity(self) -> Identity:
            """Which vectors these are. Raises ModelUnavailable if that can't be found out."""
            ...

        @property
        def foreground(self) -> bool:
            """Whether ten thousand passages take seconds, so that a person can wait for them.

            False means minutes to hours: to be done in the background, in pieces, resumably.
            """
            ...

        def passages(self, texts: Sequence[str]) -> Vectors:
            """Vectors of passages, in their order; a text's vector never depends on the others.

            float32, shape (len(texts), identity.dimension). Any text is allowed: empty, huge (its
            beginning counts), with NUL or lone surrogates. Raises ModelUnavailable.
            """
            ...

        def question(self, text: str) -> Sequence[float]:
            """The vector of a question: `identity.dimension` floats, unit length or all zero."""
            ...

        def close(self) -> None:
            """Let go of files and processes; may be called twice."""
            ...


class Identity:
    """Which vectors these are: equal when, and only when, vectors may be compared.

    `name` is for people; `dimension` the length of a vector; `digest` of the model's content ("" if
    it can't be known, as with an endpoint); `pooling` how a text becomes one vector; `prefix` what
    is put before each text. Immutable by convention, hashable.
    """

    __slots__ = ("digest", "dimension", "name", "pooling", "prefix")

    def __init__(
        self,
        name: str,
        dimension: int,
        *,
        digest: str = "",
        pooling: str = "mean",
        prefix: str = "",
    ) -> None:
        self.name = name
        self.dimension = dimension
        self.digest = digest
        self.pooling = pooling
        self.prefix = prefix

    def text(self) -> str:
        """Five words on one line, the same in every version: what is stored with the vectors."""
        return " ".join(
            _word(part)
            for part in (self.name, str(self.dimension), self.digest, self.pooling, self.prefix)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.text() == other.text()

    def __hash__(self) -> int:
        return hash(self.text())

    def __repr__(self) -> str:
        return f"Identity({self.text()})"


class Prefixes:
    """What a model wants to read before a text: its card says so, if it wants anything.

    As a setting: `passage: |question: ` for two different ones, with a bar between them; without a
    bar the same stands before both.
    """

    __slots__ = ("passage", "question", "text")

    def __init__(self, text: str = "") -> None:
        before, bar, after = text.partition("|")
        self.text = text
        self.passage = before
        self.question = after if bar else before


def _word(text: str) -> str:
    """Text as one word without spaces: everything that could break a line is percent-encoded."""
    if not text:
        return "-"
    if text == "-":
        return "%2D"
    return "".join(
        letter
        if letter.isprintable() and letter not in " %"
        else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))
        for letter in text
    )
