"""A large model with cheap questions: passages by the model, questions by a table that learned it.

The table (`memtree.embed.learn.relearn`) is made from a tree's own passages and the vectors that
the model gave them, so it knows the tree's words; it stands in the model's own space, and its
vectors are compared with the model's. A question then costs 0.3 ms and loads nothing, where the
model takes 15 ms and a quarter of a second of loading. No question is used to learn from.

What is asked is as short as a sentence, so some sentences of the passages are learned as well; the
model embeds them for this alone. Figures: `benchmarks/README.md`.

Until the tree has passages enough, and in a tree that is smaller, the model reads questions too.
"""

from __future__ import annotations

import os
from math import sqrt

from memtree.embed.table import MAGIC, Table
from memtree.errors import MemtreeError, ModelUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Thread
    from typing import Protocol

    from memtree.embed.protocol import Embedder, Identity, Vectors

    Progress = Callable[[str, int, int], None]

    class Teacher(Embedder, Protocol):
        """A model that can be had once more, for another thread."""

        def another(self) -> Teacher:
            """The same model, sharing nothing."""


LEAST = 200  # passages to learn from; with fewer the table knows too few of the questions' words
GROWN = 1.25  # learned again when there are so many times as many
SENTENCES = 3000  # at most, and at most two for a passage: half a minute
LEAST_LETTERS = 20  # of a sentence that says something
_LOT = 64
KNOWN = 0.5  # of a question: of one that it knows less the table has a vector by accident
# What the table knows is how a text differs from the others, so its vectors are less alike than the
# model's. With half of the mean added back their cosines with passages are as high as the model's:
# best of all on three sets 0.61, 0.56, 0.59 (the model: 0.53, 0.56, 0.58; without: 0.48, 0.56,
# 0.49), and so is what is derived from them: NEAR, and how sure an answer is.
CENTRE = 0.5
MOST = 20_000  # passages that are learned from: half a minute and some 100 MB


class Student:
    """`model`, with its questions by the table at `path` once that was learned."""

    foreground = False

    def __init__(self, model: Teacher, path: str) -> None:
        self.model = model
        self.path = path
        self._table: Table | None = None
        self._centre: list[float] = []
        self._seen: tuple[int, int] = (-1, -1)

    @property
    def identity(self) -> Identity:
        """The model's: what is stored are its vectors."""
        return self.model.identity

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors by the model. Raises ModelUnavailable."""
        return self.model.passages(texts)

    def question(self, text: str) -> Sequence[float]:
        """The vector of a question: by the table where it knows the words, else by the model."""
        table = self._learned()
        if table is not None:
            vector = table.question(text)
            if any(vector) and table.known_share(text) >= KNOWN:
                return _unit([a + b for a, b in zip(vector, self._centre, strict=True)])
        return self.model.question(text)

    def close(self) -> None:
        """Let go of both."""
        self.model.close()
        if self._table is not None:
            self._table.close()
            self._table = None
        self._seen = (-1, -1)

    # -- learning ---------------------------------------------------------------------------

    def lesson(self) -> int:
        """How many passages there were when the table in use was learned; 0 when none is in use."""
        learned = self._learned() is not None
        return int(self._header().get("passages", "0")) if learned else 0

    def is_due(self, passages: int) -> bool:
        """Whether a tree of so many passages is worth learning from, now."""
        if passages < LEAST:
            return False
        known = self._header()
        before = known.get("passages", "")
        return (
            known.get("teacher") != self.identity.digest
            or not _read_centre(known)
            or not before.isdecimal()
            or passages > GROWN * int(before)
        )

    def learn(
        self, texts: Sequence[str], vectors: Vectors, *, passages: int,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        """Learn the table from passages and their vectors, (texts, dimension), and write it.

        `passages` is how many the tree has, of which these may be a part. `progress` is told the
        stage, how much of it is done, and of how much. Raises ModelUnavailable and OSError.
        """
        from memtree.numerics import load_numpy

        load_numpy()
        import numpy as np

        from memtree.embed.learn import Bags, relearn
        from memtree.embed.table_file import quantise, write_table
        from memtree.embed.wordpiece import WordPiece, longest_in, words

        said, by_model = self._sentences(texts, progress)
        targets = np.asarray(vectors, np.float32)
        centre = CENTRE * targets.mean(axis=0)
        if said:
            targets = np.concatenate([targets, by_model])
        if progress is not None:
            progress("learning the tree's words", 0, 0)
        base = Table()
        try:
            vocabulary = base.vocabulary()
            pieces = WordPiece(longest_in(vocabulary)).cut
            cut = [
                [piece for word in words(text) for piece in pieces(word)]
                for text in [*texts, *said]
            ]
            scales, rows = (np.array(part) for part in base.arrays())
            dense = rows.reshape(base.tokens, -1).astype(np.float32) * scales[:, None]
        finally:
            base.close()
        learned = relearn(Bags.of(cut, len(vocabulary)), targets, dense)
        header = {
            "name": f"questions for {self.identity.name}",
            "tf": "linear",
            "teacher": self.identity.digest,
            "license": "of the tree it was learned from",
            "passages": str(passages),
            "centre": _written_centre(centre.tolist()),
        }
        tokens = sorted(vocabulary, key=vocabulary.__getitem__)
        write_table(self.path, tokens, *quantise(learned), header)

    def learn_aside(self, texts: Sequence[str], vectors: Vectors, *, passages: int) -> Thread:
        """The same in a thread, with a model of its own; what goes wrong leaves all as it was."""
        from contextlib import suppress
        from threading import Thread

        def work() -> None:
            other = Student(self.model.another(), self.path)
            with suppress(OSError, MemtreeError):
                other.learn(texts, vectors, passages=passages)
            other.close()

        thread = Thread(target=work, name="memtree-learning", daemon=True)
        thread.start()
        return thread

    def _sentences(
        self, texts: Sequence[str], progress: Progress | None
    ) -> tuple[list[str], Vectors]:
        """Some sentences of the texts, evenly over them, and their vectors by the model."""
        found = dict.fromkeys(
            sentence
            for text in texts
            for sentence in _between(text)
            if LEAST_LETTERS < len(sentence) < len(text)
        )
        wanted = min(SENTENCES, 2 * len(texts))
        said = list(found)[:: max(1, -(-len(found) // wanted))]
        made: list[Vectors] = []
        for at in range(0, len(said), _LOT):
            if progress is not None:
                progress("learning from sentences", at, len(said))
            made.append(self.model.passages(said[at : at + _LOT]))
        import numpy as np

        return said, np.concatenate(made) if made else np.zeros((0, 0), np.float32)

    def _learned(self) -> Table | None:
        """The table, opened again when it was learned anew; None when this model has none."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        seen = status.st_mtime_ns, status.st_ino
        if seen != self._seen:
            self._seen = seen
            self._table = None
            header, dimension = self._header(), self.identity.dimension
            self._centre = _read_centre(header)
            if header.get("teacher") == self.identity.digest and len(self._centre) == dimension:
                try:
                    self._table = Table(self.path)
                except ModelUnavailable:
                    self._table = None
            if self._table is not None and self._table.dimension != dimension:
                self._table = None
        return self._table

    def _header(self) -> dict[str, str]:
        try:
            with open(self.path, "rb") as file:
                lines = file.read(4096).rstrip(b"\0").decode("utf-8", "replace").splitlines()
        except OSError:
            return {}
        if not lines or lines[0] != MAGIC:
            return {}
        return dict(line.partition(" ")[::2] for line in lines[1:])


def _between(text: str) -> Iterator[str]:
    """A text between the ends of its lines and sentences."""
    for line in text.splitlines():
        begin = 0
        for at, letter in enumerate(line):
            if letter in ".!?" and line[at + 1 : at + 2].isspace():
                yield line[begin : at + 1].strip()
                begin = at + 1
        yield line[begin:].strip()


def _written_centre(centre: Sequence[float]) -> str:
    """A vector as a line of the header: what its bytes are multiplied with, and they."""
    scale = max(map(abs, centre)) / 127 or 1.0
    return f"{scale!r} {bytes(round(value / scale) & 255 for value in centre).hex()}"


def _read_centre(header: dict[str, str]) -> list[float]:
    """The vector that a header holds; empty when it holds none."""
    scale, _, raw = header.get("centre", "").partition(" ")
    try:
        return [float(scale) * value for value in memoryview(bytes.fromhex(raw)).cast("b")]
    except ValueError:
        return []


def _unit(vector: list[float]) -> list[float]:
    length = sqrt(sum([value * value for value in vector]))
    return [value / length for value in vector] if length else vector
