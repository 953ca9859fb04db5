"""Vectors without a model: latent semantic analysis of the texts at hand.

    space = fit(texts)
    vectors = space.embed(texts)

tf-idf rows, projected on their leading right singular vectors (Deerwester et al., Indexing by
Latent Semantic Analysis, 1990). Words that occur together come near each other, and that is all
that it knows: it reads no sentences, and is to be named `lexical` wherever its vectors are used.
The singular vectors are found by random projection with power iterations (Halko, Martinsson &
Tropp, arXiv 0909.4061, algorithms 4.4 and 5.1), so the same seed gives the same vectors.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Arrays = Mapping[str, npt.NDArray[np.generic]]

DIMENSION = 256
FIT_ON = 10_000
"""Texts that the singular vectors are computed from, drawn evenly; more only cost time."""
OVERSAMPLED = 10
POWERS = 2
"""Extra directions and power iterations of the random projection (Halko et al., section 1.3)."""
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of a text, case folded."""
    return _WORD.findall(text.casefold())


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexical:
    """A fitted space: what each known word weighs and where it points.

    `idf` has the shape (words,), `directions` (words, dimension): where the texts have less rank
    than that, the last columns are zero.
    """

    vocabulary: Mapping[str, int]
    idf: Vectors
    directions: Vectors
    words: Callable[[str], Sequence[str]] = words_of

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""
        return int(self.directions.shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """float32, shape (len(texts), dimension), unit rows; zeros where no word is known."""
        np = load_numpy()
        made: Vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            known, weights = self._weighed(text)
            if known:
                vector = np.asarray(weights, np.float32) @ self.directions[known]
                length = float(np.sqrt(vector @ vector))
                if length > 1e-12:
                    made[row] = vector / length
        return made

    def _weighed(self, text: str) -> tuple[list[int], list[float]]:
        """The known words of a text, and their weights as a unit row."""
        counts = Counter(
            place for word in self.words(text) if (place := self.vocabulary.get(word)) is not None
        )
        places = sorted(counts)
        weights = [(1 + log(counts[place])) * float(self.idf[place]) for place in places]
        length = sum(weight * weight for weight in weights) ** 0.5
        return places, [weight / length for weight in weights]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """What can be stored, for `stored`; directions in half precision."""
        np = load_numpy()
        ordered = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
        text = "\n".join(ordered).encode("utf-8", "replace")
        return {
            "words": np.frombuffer(text, np.uint8),
            "idf": self.idf,
            "directions": self.directions.astype(np.float16),
        }


def stored(arrays: Arrays, *, words: Callable[[str], Sequence[str]] = words_of) -> Lexical:
    """A space from what `Lexical.arrays` gave. Raises ValueError where parts do not fit."""
    np = load_numpy()
    text = np.asarray(arrays["words"], np.uint8).tobytes().decode("utf-8")
    known = text.split("\n") if text else []
    idf = np.asarray(arrays["idf"], np.float32)
    directions = np.asarray(arrays["directions"], np.float32)
    if idf.shape != (len(known),) or directions.shape[:1] != idf.shape or directions.ndim != 2:
        raise ValueError("the parts of a lexical space differ in length")
    vocabulary = {word: place for place, word in enumerate(known)}
    return Lexical(vocabulary=vocabulary, idf=idf, directions=directions, words=words)


def kept(arrays: Arrays | None) -> Lexical | None:
    """A space from what a cache has; None where that is nothing, or damaged."""
    try:
        return stored(arrays) if arrays is not None else None
    except (KeyError, ValueError):
        return None


def fit(
    texts: Sequence[str], *, dimension: int = DIMENSION, seed: int = 0,
    words: Callable[[str], Sequence[str]] = words_of,
) -> Lexical:  # fmt: skip
    """The space of these texts; `words` takes a text apart.

    tf is 1 + ln n, idf ln((1 + texts) / (1 + texts with the word)) + 1, rows of unit length before
    the projection. Raises ValueError for a dimension below 1.
    """
    if dimension < 1:
        raise ValueError("a vector has at least one number")
    np = load_numpy()
    chosen = texts
    if len(texts) > FIT_ON:
        step = len(texts) / FIT_ON
        chosen = [texts[int(number * step)] for number in range(FIT_ON)]
    counts = [Counter(words(text)) for text in chosen]
    found = Counter(word for each in counts for word in each)
    # What stands in one text only joins nothing; with few texts it is nearly all there is.
    least = 2 if len(chosen) >= 1000 else 1
    ordered = sorted(word for word, held in found.items() if held >= least)
    vocabulary = {word: place for place, word in enumerate(ordered)}
    idf = np.array([log((1 + len(chosen)) / (1 + found[word])) + 1 for word in ordered], np.float32)
    directions = np.zeros((len(ordered), dimension), np.float32)
    if ordered:
        leading = _leading(counts, vocabulary, idf, dimension, seed)
        directions[:, : leading.shape[1]] = leading
    return Lexical(vocabulary=vocabulary, idf=idf, directions=directions, words=words)


def lexical_vectors(texts: Sequence[str], dimension: int = DIMENSION, seed: int = 0) -> Vectors:
    """Vectors of texts in their own space: float32, shape (len(texts), dimension), unit rows.

    A row is zero where a text has no word. Raises ValueError for a dimension below 1.
    """
    return fit(texts, dimension=dimension, seed=seed).embed(texts)


def _leading(
    counts: Sequence[Mapping[str, int]], vocabulary: Mapping[str, int], idf: Vectors,
    dimension: int, seed: int,
) -> Vectors:  # fmt: skip
    """The leading right singular vectors of the tf-idf matrix as columns, (words, at most dim.)."""
    np = load_numpy()
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

    starts, places, weights = [0], [], []
    for each in counts:
        row = [(place, (1 + log(times)) * float(idf[place])) for word, times in each.items()
               if (place := vocabulary.get(word)) is not None]  # fmt: skip
        length = sum(weight * weight for _, weight in row) ** 0.5 or 1.0
        places += [place for place, _ in row]
        weights += [weight / length for _, weight in row]
        starts.append(len(places))
    shape = (len(counts), len(vocabulary))
    matrix = csr_matrix((np.array(weights, np.float32), places, starts), shape=shape)
    wide = min(dimension + OVERSAMPLED, *shape)
    chance = np.random.default_rng(seed)
    basis = matrix @ chance.standard_normal((shape[1], wide)).astype(np.float32)
    for _ in range(POWERS):
        basis, _ = np.linalg.qr(basis)
        basis = matrix @ (matrix.T @ basis)
    basis, _ = np.linalg.qr(basis)
    # The small factor: its right singular vectors are those of the matrix, its left ones unused.
    small = (matrix.T @ basis).T
    values, left = np.linalg.eigh((small @ small.T).astype(np.float64))
    order = np.argsort(values)[::-1][:dimension]
    kept = order[values[order] > 1e-9 * max(float(values.max()), 1e-12)]
    rows = small.T @ (left[:, kept] / np.sqrt(values[kept])).astype(np.float32)
    leading: Vectors = np.ascontiguousarray(rows, np.float32)
    return leading
