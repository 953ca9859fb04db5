"""What every embedder has to hold: a suite that a test class inherits, ours and a plugin's alike.

    class TestMine(EmbedderContract):
        def opened(self) -> Embedder:
            return Mine(...)

        def opened_after_a_change(self) -> Embedder:
            return Mine(... another model, prefix or file ...)

Any runner that collects `test_` methods will do; nothing here imports one.
"""

# ruff: noqa: D102  (a test's name is its sentence)

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memtree.embed.protocol import Embedder

SENTENCES = (
    "The kettle boils at ninety-six degrees on the third floor.",
    "Water boils at a lower temperature up in the mountains.",
    "def boil(kettle: Kettle) -> None: ...",
    "木造の家は静かだ。",
    "Ночью все кошки серы.",
    "a",
)
ODD = (
    "",
    " \t\r\n",
    "nul\x00in the middle",
    "half of a pair \ud83d alone",
    "\udcff\udc80",
    "\u200b\ufeff\u00ad",
    "e\u0301" * 50,
    "\U0001f44d\U0001f3fd " * 10,
    "!?" * 200,
    "q" * 5000,
)
CLOSE = 1e-4


class EmbedderContract:
    """Inherit, and say how to open one. Texts and tolerances may be replaced in a subclass."""

    sentences: tuple[str, ...] = SENTENCES
    odd: tuple[str, ...] = ODD
    huge: str = "A long story about a kettle, told slowly. " * 25_000

    def opened(self) -> Embedder:
        """A new embedder over the same model each time."""
        raise NotImplementedError

    def opened_after_a_change(self) -> Embedder:
        """One over another model: its vectors may not be compared with those of `opened`."""
        raise NotImplementedError

    def test_a_passage_is_a_row_of_unit_length(self) -> None:
        embedder = self.opened()
        rows = embedder.passages(self.sentences)
        _hold(str(rows.dtype) == "float32", f"float32, not {rows.dtype}")
        _hold(
            rows.shape == (len(self.sentences), embedder.identity.dimension),
            f"a row of the identity's dimension for each text, not {rows.shape}",
        )
        for row in rows.tolist():
            _hold(_is_unit_or_zero(row), f"unit length, not {_length(row)}")
        _hold(_length(rows[0].tolist()) > 0, "an English sentence has a vector")
        embedder.close()

    def test_a_question_has_the_dimension_of_a_passage_and_unit_length(self) -> None:
        embedder = self.opened()
        for text in (*self.sentences, *self.odd):
            vector = embedder.question(text)
            _hold(len(vector) == embedder.identity.dimension, f"dimension {len(vector)}: {text!r}")
            _hold(all(isinstance(value, float) for value in vector), "floats, of Python's own")
            _hold(_is_unit_or_zero(vector), f"unit length, not {_length(vector)}: {text!r}")
        embedder.close()

    def test_the_same_text_has_the_same_vector_each_time(self) -> None:
        embedder, other = self.opened(), self.opened()
        first = embedder.passages(self.sentences).tolist()
        for again in (embedder.passages(self.sentences), other.passages(self.sentences)):
            _hold(_difference(first, again.tolist()) < CLOSE, "passages change")
        question = embedder.question(self.sentences[0])
        _hold(_difference([question], [other.question(self.sentences[0])]) < CLOSE, "questions")
        embedder.close()
        other.close()

    def test_a_vector_does_not_depend_on_the_other_texts_and_keeps_its_place(self) -> None:
        embedder = self.opened()
        texts = (*self.sentences, *self.odd)
        together = embedder.passages(texts).tolist()
        backwards = embedder.passages(texts[::-1]).tolist()[::-1]
        _hold(_difference(together, backwards) < CLOSE, "the order changes vectors")
        for text, row in zip(texts, together, strict=True):
            alone = embedder.passages([text]).tolist()
            _hold(_difference(alone, [row]) < CLOSE, f"alone it is another vector: {text!r}")
        embedder.close()

    def test_different_texts_have_different_vectors(self) -> None:
        embedder = self.opened()
        one, other = embedder.passages(self.sentences[:2]).tolist()
        _hold(_difference([one], [other]) > CLOSE, "two sentences, one vector")
        embedder.close()

    def test_no_texts_are_no_rows(self) -> None:
        embedder = self.opened()
        rows = embedder.passages([])
        _hold(rows.shape == (0, embedder.identity.dimension), f"not {rows.shape}")
        embedder.close()

    def test_odd_texts_are_texts(self) -> None:
        embedder = self.opened()
        rows = embedder.passages(self.odd).tolist()
        _hold(len(rows) == len(self.odd), "a row each")
        for text, row in zip(self.odd, rows, strict=True):
            _hold(_is_unit_or_zero(row), f"unit length, not {_length(row)}: {text!r}")
        embedder.close()

    def test_a_huge_text_is_embedded(self) -> None:
        embedder = self.opened()
        (row,) = embedder.passages([self.huge]).tolist()
        _hold(_length(row) > 0, "a huge text has a vector")
        _hold(_is_unit_or_zero(embedder.question(self.huge)), "as a question too")
        embedder.close()

    def test_the_identity_is_the_same_in_every_instance_and_another_after_a_change(self) -> None:
        embedder, other, changed = self.opened(), self.opened(), self.opened_after_a_change()
        _hold(embedder.identity == other.identity, "the same model, two identities")
        _hold(embedder.identity.text() == other.identity.text(), "the same model, two texts")
        _hold(len({embedder.identity, other.identity, changed.identity}) == 2, "change unseen")
        _hold(len(embedder.identity.text().split()) == 5, "five words")
        _hold(len(embedder.identity.text().splitlines()) == 1, "one line")
        for one in (embedder, other, changed):
            one.close()

    def test_closing_twice_is_closing(self) -> None:
        embedder = self.opened()
        _hold(isinstance(embedder.foreground, bool), "foreground is True or False")
        embedder.question("a")
        embedder.close()
        embedder.close()


def _hold(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _length(vector: Sequence[float]) -> float:
    return math.sqrt(sum(value * value for value in vector))


def _is_unit_or_zero(vector: Sequence[float]) -> bool:
    length = _length(vector)
    return length == 0 or abs(length - 1) < CLOSE


def _difference(some: Iterable[Sequence[float]], others: Iterable[Sequence[float]]) -> float:
    """The greatest difference of two numbers in the same place."""
    return max(
        abs(one - other)
        for row, like in zip(some, others, strict=True)
        for one, other in zip(row, like, strict=True)
    )
