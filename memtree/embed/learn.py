"""A table of token vectors, learned so that sums of its rows come near a sentence model's vectors.

A text is the bag of its tokens: `x` counts them, `x T` is the sum of their rows, and its direction
is to be that of the model's vector `f` of the same text. Two steps, each useful alone:

1. `ridge`: with column weights `w` (how rare a token is) and rows brought to unit length by
   `s = 1 / |x * w|`, minimise over D

       sum over texts |s (x * w) D + s x T0 - f|^2 + penalty |D|^2,   T = T0 + w D

   by conjugate gradients on the normal equations (Hestenes and Stiefel 1952), all dimensions side
   by side. T0 is what is known before: vectors of the single tokens, or a table learned on other
   text. A token that no text has keeps its T0.
2. `refine`: what ranks texts is their likeness to each other. So the table's softmax over the
   likenesses within a batch is drawn towards the model's own (Hinton et al. 2015 on distillation;
   over pairwise likenesses: Passalis and Tefas 2018, probabilistic knowledge transfer), with Adam
   (Kingma and Ba 2015) on the rows that the batch touches. Most batches are of texts that the
   model finds alike, where telling apart is hard.

numpy alone; products go block by block, in a few dozen MB whatever the number of texts. Figures
of both steps: `benchmarks/embedding_quality.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Self

    import numpy.typing as npt

    Matrix = npt.NDArray[np.float32]

_BLOCK = 24  # texts of one dense piece of a product
_TINY = np.float32(1e-9)


class Bags:
    """Token counts of texts as a sparse matrix, shape (texts, tokens), compressed by rows."""

    __slots__ = ("columns", "ends", "values", "width")

    def __init__(
        self,
        ends: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int32],
        values: Matrix,
        width: int,
    ) -> None:
        self.ends = ends
        self.columns = columns
        self.values = values
        self.width = width

    @classmethod
    def of(cls, texts: Iterable[Sequence[int] | npt.NDArray[np.int32]], width: int) -> Self:
        """Bags of texts given as token numbers from 0 to `width` - 1, in any order.

        Raises ValueError for a number outside.
        """
        lists = [np.asarray(text, dtype=np.int64) for text in texts]
        lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
        flat = np.concatenate([np.zeros(0, dtype=np.int64), *lists])
        if flat.size and not 0 <= flat.min() <= flat.max() < width:
            raise ValueError(f"token numbers go from 0 to {width - 1}")
        owner = np.repeat(np.arange(len(lists)), lengths)
        keys, counts = np.unique(owner * width + flat, return_counts=True)
        ends = np.searchsorted(keys, np.arange(len(lists) + 1) * width)
        return cls(ends, (keys % width).astype(np.int32), counts.astype(np.float32), width)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def owners(self) -> npt.NDArray[np.int64]:
        """For each count the number of its text, shape (counts,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.ends))

    def some(self, texts: npt.NDArray[np.int64]) -> Bags:
        """The bags of these texts, in this order."""
        lengths = self.ends[texts + 1] - self.ends[texts]
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
        at = np.arange(ends[-1]) + np.repeat(self.ends[texts] - ends[:-1], lengths)
        return Bags(ends, self.columns[at], self.values[at], self.width)

    def scaled(self, *, texts: Matrix | None = None, tokens: Matrix | None = None) -> Bags:
        """The same with each text's and each token's counts multiplied."""
        values = self.values
        if tokens is not None:
            values = values * tokens[self.columns]
        if texts is not None:
            values = values * np.repeat(texts, np.diff(self.ends))
        return Bags(self.ends, self.columns, values, self.width)

    def lengths(self) -> Matrix:
        """The Euclidean length of each text's counts, shape (texts,)."""
        squares = np.bincount(self.owners(), weights=self.values**2, minlength=len(self))
        return np.sqrt(squares).astype(np.float32)

    def times(self, rows: Matrix) -> Matrix:
        """The product with a table of shape (tokens, dimension): (texts, dimension)."""
        out = np.zeros((len(self), rows.shape[1]), dtype=np.float32)
        for first, last, counts, met in self._blocks():
            out[first:last] = counts @ rows[met]
        return out

    def back(self, vectors: Matrix) -> Matrix:
        """The transpose's product with a matrix (texts, dimension): (tokens, dimension)."""
        out = np.zeros((self.width, vectors.shape[1]), dtype=np.float32)
        for first, last, counts, met in self._blocks():
            out[met] += counts.T @ vectors[first:last]
        return out

    def _blocks(self) -> Iterator[tuple[int, int, Matrix, npt.NDArray[np.int64]]]:
        """A few texts at a time as a dense matrix of counts, with the tokens that they have.

        Texts that stand together share most of their tokens, so that the small dense product is
        twice as fast as adding rows, and never large.
        """
        place = np.zeros(self.width, dtype=np.int64)
        owners = self.owners()
        for first in range(0, len(self), _BLOCK):
            last = min(first + _BLOCK, len(self))
            here = slice(self.ends[first], self.ends[last])
            met = np.unique(self.columns[here]).astype(np.int64)
            place[met] = np.arange(len(met))
            counts = np.zeros((last - first, len(met)), dtype=np.float32)
            counts[owners[here] - first, place[self.columns[here]]] = self.values[here]
            yield first, last, counts, met


def rarity(bags: Bags) -> Matrix:
    """How much each token tells, shape (tokens,): log((texts + 1) / (texts with it + 1)).

    The smoothed inverse document frequency; a token that every text has gets nearly nothing.
    """
    having = np.bincount(bags.columns, minlength=bags.width)
    weights = np.log((len(bags) + 1) / (having + 1)).astype(np.float32)
    return np.maximum(weights, np.float32(0.01))


def unit(vectors: Matrix) -> Matrix:
    """The rows at unit length; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _TINY), dtype=np.float32)


def ridge(
    bags: Bags,
    targets: Matrix,
    start: Matrix,
    *,
    weights: Matrix | None = None,
    penalty: float = 1.0,
    rounds: int = 30,
) -> Matrix:
    """The table T of step 1 in the module's words, float32, shape (tokens, dimension).

    `targets`: (texts, dimension), centred by the caller if they should be. `start`: T0, (tokens,
    dimension), at any common scale (the best one is found first) but with a rare token's row as
    long as it should count: vectors of single tokens come times their `weights`. `weights`:
    (tokens,), `rarity` of the bags when not given. `penalty` > 0: the smaller, the closer to these
    texts; 0.3 to 3 differ little. `rounds` of conjugate gradients; each costs two products.
    """
    weights = rarity(bags) if weights is None else weights
    weighted = bags.scaled(tokens=weights)
    shrink = (1 / np.maximum(weighted.lengths(), _TINY)).astype(np.float32)
    weighted = weighted.scaled(texts=shrink)
    first = bags.scaled(texts=shrink).times(start)
    energy = float(np.vdot(first, first))
    scale = np.float32(np.vdot(first, targets) / energy) if energy > 0 else np.float32(1)
    found = _conjugate_gradients(weighted, targets - scale * first, penalty, rounds)
    return np.asarray(scale * start + weights[:, None] * found, dtype=np.float32)


def relearn(
    bags: Bags, targets: Matrix, table: Matrix, *, penalty: float = 1.0, rounds: int = 20
) -> Matrix:
    """A table for a tree, from one that is there and the model's vectors of the tree's passages.

    `bags` and `targets`, (texts, the model's dimension): the passages. `table`: (tokens, any
    dimension). The result, (tokens, the model's dimension), stands in the model's own directions,
    less the mean of `targets`: a question by it may be asked of passages by the model, since the
    mean moves all passages' products with one question alike. From some hundred passages on; the
    table is first turned into the model's directions by least squares over them.
    """
    centred = targets - targets.mean(axis=0)
    vectors = unit(bags.times(table))
    moments = vectors.T @ vectors + np.eye(vectors.shape[1], dtype=np.float32)
    turn = np.linalg.solve(moments, vectors.T @ centred)
    start = np.asarray(table @ turn, dtype=np.float32)
    return ridge(bags, centred, start, penalty=penalty, rounds=rounds)


def _conjugate_gradients(bags: Bags, targets: Matrix, penalty: float, rounds: int) -> Matrix:
    """The least squares solution D of bags D = targets with penalty |D|^2, from zero."""
    residual = bags.back(targets)
    found = np.zeros_like(residual)
    step = residual.copy()
    energy = (residual**2).sum(axis=0)
    enough = 1e-8 * energy
    for _ in range(rounds):
        if bool((energy <= enough).all()):
            break
        image = bags.back(bags.times(step)) + np.float32(penalty) * step
        length = energy / np.maximum((step * image).sum(axis=0), np.float32(1e-30))
        found += length * step
        residual -= length * image
        left = (residual**2).sum(axis=0)
        step = residual + (left / np.maximum(energy, np.float32(1e-30))) * step
        energy = left
    return found


def refine(
    bags: Bags,
    targets: Matrix,
    start: Matrix,
    *,
    steps: int,
    seed: int = 1,
    batch: int = 1024,
    rate: float = 0.05,
    temperature: float = 0.1,
    alike: float = 0.7,
) -> Matrix:
    """The table of step 2 in the module's words, from the table `start`, shape (tokens, dimension).

    `targets`: (texts, any dimension), unit rows: only their dot products matter. `rate` is in
    units of the table's mean absolute entry and falls to 0 over the `steps`. `alike`: the share of
    batches made of texts that the model finds alike. Repeats exactly for the same seed and numpy.
    """
    generator = np.random.default_rng(seed)
    table = start.copy()
    momentum = np.zeros_like(table)
    spread = np.zeros((len(table), 1), dtype=np.float32)
    seen = np.zeros((len(table), 1), dtype=np.float32)
    size = rate * float(np.abs(table[bags.columns[:100_000]]).mean())
    queue: list[npt.NDArray[np.int64]] = []
    for step in range(steps):
        queue = queue or topical(targets, batch, generator)
        chosen = queue.pop()
        if generator.random() > alike:
            chosen = generator.integers(0, len(bags), len(chosen))
        part = bags.some(chosen)
        rows, gradient = _pull(part, targets[chosen], table, temperature)
        seen[rows] += 1
        momentum[rows] = 0.9 * momentum[rows] + 0.1 * gradient
        square = (gradient**2).mean(axis=1, keepdims=True)
        spread[rows] = 0.99 * spread[rows] + 0.01 * square
        pace = np.sqrt(spread[rows] / (1 - 0.99 ** seen[rows])) + _TINY
        falling = np.float32(size * (1 - step / steps))
        table[rows] -= falling * momentum[rows] / (1 - 0.9 ** seen[rows]) / pace
    return table


def _pull(
    bags: Bags, targets: Matrix, table: Matrix, temperature: float
) -> tuple[npt.NDArray[np.int64], Matrix]:
    """The tokens of a batch, and the gradient of the batch's divergence at their rows."""
    sums = bags.times(table)
    lengths = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), _TINY)
    vectors = sums / lengths
    away = _shares(vectors, temperature) - _shares(targets, temperature)
    slope = (away + away.T) @ vectors / 2
    slope = (slope - vectors * (vectors * slope).sum(axis=1, keepdims=True)) / lengths
    rows, columns = np.unique(bags.columns, return_inverse=True)
    narrow = Bags(bags.ends, columns.astype(np.int32), bags.values, len(rows))
    return rows.astype(np.int64), narrow.back(np.asarray(slope, dtype=np.float32))


def _shares(vectors: Matrix, temperature: float) -> Matrix:
    """Each row's softmax over its likeness to the other rows; itself left out."""
    likeness = vectors @ vectors.T / np.float32(temperature)
    np.fill_diagonal(likeness, -np.inf)
    likeness -= likeness.max(axis=1, keepdims=True)
    np.exp(likeness, out=likeness)
    return np.asarray(likeness / likeness.sum(axis=1, keepdims=True), dtype=np.float32)


def topical(
    targets: Matrix, batch: int, generator: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """All texts in groups of at most `batch` and at least half of it, alike ones together.

    Halves of halves along the line between two texts drawn at random, the groups in random order.
    The draws don't depend on the targets, so that rounding moves no more than a text at a border.
    """
    groups: list[npt.NDArray[np.int64]] = []
    waiting = [np.arange(len(targets))]
    while waiting:
        group = waiting.pop()
        if len(group) <= batch:
            groups.append(group)
            continue
        one, other = generator.choice(len(targets), 2, replace=False)
        order = np.argsort(targets[group] @ (targets[one] - targets[other]), kind="stable")
        half = len(group) // 2
        waiting += [np.sort(group[order[:half]]), np.sort(group[order[half:]])]
    return [groups[number] for number in generator.permutation(len(groups))]


def principal(vectors: Matrix, dimension: int) -> Matrix:
    """The directions in which vectors vary most, as columns, shape (any, dimension), unit length.

    Of the second moments about zero; each direction's largest entry is positive.
    """
    moments = vectors.T.astype(np.float64) @ vectors.astype(np.float64)
    columns = np.linalg.eigh(moments)[1][:, ::-1][:, :dimension]
    largest = np.abs(columns).argmax(axis=0)
    signs = np.sign(columns[largest, np.arange(columns.shape[1])])
    return np.asarray(columns * signs, dtype=np.float32)
