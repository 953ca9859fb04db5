"""Vectors as small numbers: product quantisation, and one codebook with online reset.

    quantiser = train_product(vectors, parts=32, bits=8)
    codes = quantiser.encode(vectors)                  # uint8, packed, shape (n, bytes)
    scores = quantiser.scores(question, codes)         # inner products, question uncompressed

Product quantisation cuts a vector into parts and names the nearest of a few centroids for each
(Jégou, Douze & Schmid, Product Quantization for Nearest Neighbor Search, PAMI 2011, section 3; the
asymmetric distance is section 3.2). Before the cut a vector is turned, so that each part holds as
much of what distinguishes vectors: random signs and a Hadamard matrix (Ailon & Chazelle, 2009),
which need no bytes but a seed.

A single codebook (van den Oord et al., arXiv 1711.00937) names one code for a whole vector. Its
online reset is of MBC (arXiv 2601.00756): a code that is hardly used is overwritten by a vector of
the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors = npt.NDArray[np.float32]
    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]

ROUNDS = 20
TRAIN_ON = 20_000
"""Vectors that centroids are learnt from at most, drawn evenly."""
DECAY, DEAD = 0.99, 1e-4
"""MBC's: what a code keeps of its usage at a batch, and below what it is overwritten."""
_BLOCK = 4096


def nearest(vectors: Vectors, codes: Vectors) -> Ints:
    """The row of `codes` nearest to each of `vectors`, int64, shape (n,); the first of equals."""
    np = load_numpy()
    half = 0.5 * (codes * codes).sum(axis=1)
    found: Ints = np.empty(len(vectors), np.int64)
    for start in range(0, len(vectors), _BLOCK):
        part = vectors[start : start + _BLOCK]
        found[start : start + len(part)] = np.argmax(part @ codes.T - half, axis=1)
    return found


def centroids(vectors: Vectors, count: int, *, seed: int = 0, rounds: int = ROUNDS) -> Vectors:
    """`count` centroids by Lloyd's algorithm, float32; with fewer vectors some are alike.

    One that loses all its vectors takes the place of the vector that lies worst. Raises ValueError
    where there is no vector.
    """
    np = load_numpy()
    if not len(vectors) or count < 1:
        raise ValueError("centroids need a vector")
    chance = np.random.default_rng(seed)
    data = _drawn(np.asarray(vectors, np.float32), TRAIN_ON)
    order = chance.permutation(len(data))
    codes: Vectors = data[np.resize(order, count)].copy()
    before = np.full(len(data), -1)
    for _ in range(rounds):
        places = nearest(data, codes)
        if bool(np.array_equal(places, before)):
            break
        before = places
        size = np.bincount(places, minlength=count)
        total = np.zeros_like(codes)
        by_code = np.argsort(places, kind="stable")
        used = np.flatnonzero(size)
        begins = np.cumsum(size)[used] - size[used]
        total[used] = np.add.reduceat(data[by_code], begins, axis=0)
        codes[used] = total[used] / size[used, None]
        empty = np.flatnonzero(size == 0)
        if len(empty):
            away = ((data - codes[places]) ** 2).sum(axis=1)
            worst = np.argsort(-away, kind="stable")[: len(empty)]
            codes[empty[: len(worst)]] = data[worst]
    return codes


def turned(vectors: Vectors, *, seed: int = 0) -> Vectors:
    """Vectors under an orthogonal turn that needs no bytes: signs, then a Hadamard matrix.

    Float32, shape (n, d). A dimension that is no power of two is turned in its largest parts that
    are; inner products stay.
    """
    np = load_numpy()
    made: Vectors = np.array(vectors, np.float32, ndmin=2)
    wide = made.shape[1]
    made *= np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), wide)
    start = 0
    while start < wide:
        size = 1 << ((wide - start).bit_length() - 1)
        made[:, start : start + size] = _hadamard(made[:, start : start + size])
        start += size
    return made


def _hadamard(part: Vectors) -> Vectors:
    """The normalised Walsh-Hadamard transform of each row, whose length is a power of two."""
    np = load_numpy()
    rows, size = part.shape
    made = part
    step = 1
    while step < size:
        pairs = made.reshape(rows, -1, 2, step)
        made = np.stack([pairs[:, :, 0] + pairs[:, :, 1], pairs[:, :, 0] - pairs[:, :, 1]], axis=2)
        step *= 2
    flat: Vectors = (made.reshape(rows, size) / np.sqrt(np.float32(size))).astype(np.float32)
    return flat


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductQuantiser:
    """A trained product quantiser: `books` float16, shape (parts, 2 ** bits, wide).

    `dimension` is that of the vectors; parts that are one number shorter are padded with a zero.
    `bits` are 4 or 8 a part; with 4, two parts share a byte.
    """

    books: npt.NDArray[np.float16]
    dimension: int
    bits: int
    seed: int

    @property
    def parts(self) -> int:
        """Into how many parts a vector is cut."""
        return int(self.books.shape[0])

    @property
    def bytes_each(self) -> int:
        """Bytes of an encoded vector."""
        return (self.parts * self.bits + 7) // 8

    @property
    def size(self) -> int:
        """Bytes of the codebooks."""
        return int(self.books.nbytes)

    def encode(self, vectors: Vectors) -> Bytes:
        """uint8, shape (n, bytes_each): for each part the nearest centroid. Row by row the same."""
        np = load_numpy()
        cut = _parts(vectors, self.parts, self.seed)
        found: Bytes = np.empty((cut.shape[0], self.parts), np.uint8)
        books = self.books.astype(np.float32)
        for part in range(self.parts):
            found[:, part] = nearest(np.ascontiguousarray(cut[:, part]), books[part])
        if self.bits == 8:
            return found
        even = found if self.parts % 2 == 0 else np.pad(found, ((0, 0), (0, 1)))
        packed: Bytes = (even[:, ::2] | (even[:, 1::2] << 4)).astype(np.uint8)
        return packed

    def lengths(self, codes: Bytes) -> Vectors:
        """The length of what each code stands for, float32, shape (n,): shorter than it was."""
        np = load_numpy()
        squares = (self.books.astype(np.float32) ** 2).sum(axis=2)
        found: Vectors = np.sqrt(self._summed(squares, codes))
        return found

    def scores(self, question: Vectors, codes: Bytes) -> Vectors:
        """Inner products of an uncompressed vector (d,) with encoded ones: float32, shape (n,)."""
        np = load_numpy()
        cut = _parts(question.reshape(1, -1), self.parts, self.seed)[0]
        return self._summed(np.einsum("pkw,pw->pk", self.books.astype(np.float32), cut), codes)

    def _summed(self, table: Vectors, codes: Bytes) -> Vectors:
        """The sum over the parts of what `table` (parts, 2 ** bits) says of their centroids."""
        np = load_numpy()
        total: Vectors = np.zeros(len(codes), np.float32)
        if self.bits == 4:
            # One look-up for the two parts of a byte: the sums of all pairs are few.
            if self.parts % 2:
                table = np.pad(table, ((0, 1), (0, 0)))
            table = (table[1::2, :, None] + table[::2, None, :]).reshape(len(table) // 2, 256)
        part: Vectors = np.empty(len(codes), np.float32)
        for place, row in enumerate(table):
            # No code is out of bounds; "clip" spares looking for that.
            total += np.take(row, codes[:, place], out=part, mode="clip")
        return total


def train_product(
    vectors: Vectors, *, parts: int, bits: int = 8, seed: int = 0, rounds: int = ROUNDS
) -> ProductQuantiser:
    """A quantiser learnt from vectors of shape (n, d).

    Raises ValueError where there is no vector, for bits other than 4 and 8, and for more parts than
    numbers.
    """
    np = load_numpy()
    data = _drawn(np.asarray(vectors, np.float32), TRAIN_ON)
    if data.ndim != 2 or not len(data):
        raise ValueError("a quantiser learns from at least one vector")
    dimension = int(data.shape[1])
    if bits not in (4, 8):
        raise ValueError("a part has 4 or 8 bits")
    if not 1 <= parts <= dimension:
        raise ValueError(f"{dimension} numbers can't be cut into {parts} parts")
    cut = _parts(data, parts, seed)
    books = np.stack([
        centroids(np.ascontiguousarray(cut[:, part]), 2**bits, seed=seed + part, rounds=rounds)
        for part in range(parts)
    ])  # fmt: skip
    return ProductQuantiser(
        books=books.astype(np.float16), dimension=dimension, bits=bits, seed=seed
    )


def _parts(vectors: Vectors, parts: int, seed: int) -> Vectors:
    """Vectors turned and cut: shape (n, parts, wide), zeros behind parts that are shorter."""
    np = load_numpy()
    made = turned(vectors, seed=seed)
    wide = -(-made.shape[1] // parts)
    longer = made.shape[1] - parts * (wide - 1)
    if longer == parts:
        return np.reshape(made, (len(made), parts, wide))  # type: ignore[no-any-return]
    found: Vectors = np.zeros((len(made), parts, wide), np.float32)
    edge = longer * wide
    found[:, :longer] = made[:, :edge].reshape(len(made), longer, wide)
    found[:, longer:, : wide - 1] = made[:, edge:].reshape(len(made), parts - longer, wide - 1)
    return found


@dataclass(slots=True, kw_only=True)
class Codebook:
    """One codebook: `codes` float32 (count, d), `usage` float64 (count,), changed by `learn`."""

    codes: Vectors
    usage: npt.NDArray[np.float64]

    def encode(self, vectors: Vectors) -> Ints:
        """The nearest code of each vector, int64, shape (n,)."""
        return nearest(vectors, self.codes)

    def scores(self, question: Vectors, codes: Ints) -> Vectors:
        """Inner products of an uncompressed vector (d,) with encoded ones: float32, shape (n,)."""
        found: Vectors = (self.codes @ question)[codes]
        return found

    def learn(self, batch: Vectors, *, seed: int, reset: bool = True, rate: float = 0.5) -> Ints:
        """One batch: codes move towards their vectors, unused ones are overwritten.

        The step is that of mse(q, sg(x)) + 0.25 mse(sg(q), x), whose second part moves the encoder,
        which is fixed here: each used code goes `rate` of the way to the mean of its vectors. Then
        u <- 0.99 u + 0.01 n, and where u < 1e-4 a vector of the batch takes the code's place, with
        the mean usage. Gives the codes of the batch as they were before.
        """
        np = load_numpy()
        places = self.encode(batch)
        size = np.bincount(places, minlength=len(self.codes))
        used = np.flatnonzero(size)
        by_code = np.argsort(places, kind="stable")
        begins = np.cumsum(size)[used] - size[used]
        mean = np.add.reduceat(batch[by_code], begins, axis=0) / size[used, None]
        self.codes[used] += np.float32(rate) * (mean - self.codes[used])
        self.usage = DECAY * self.usage + (1 - DECAY) * size
        if reset:
            self.overwrite(np.flatnonzero(self.usage < DEAD), batch, seed=seed)
        return places

    def overwrite(self, dead: Ints, batch: Vectors, *, seed: int) -> int:
        """Put random vectors of a batch in the place of codes; gives how many."""
        np = load_numpy()
        if not len(dead) or not len(batch):
            return 0
        chance = np.random.default_rng(seed)
        drawn = chance.permutation(len(batch))[: len(dead)]
        dead = chance.permutation(dead)[: len(drawn)]
        self.codes[dead] = batch[drawn]
        self.usage[dead] = max(float(self.usage.mean()), DEAD)
        return len(dead)


def train_codebook(
    vectors: Vectors, *, count: int = 512, seed: int = 0, batch: int = 256, epochs: int = 30,
    reset: bool = True, start: Vectors | None = None,
) -> Codebook:  # fmt: skip
    """A codebook learnt batch by batch, from `start` (count, d) or from random vectors.

    Raises ValueError where there is no vector.
    """
    np = load_numpy()
    data = _drawn(np.asarray(vectors, np.float32), TRAIN_ON)
    if data.ndim != 2 or not len(data) or count < 1:
        raise ValueError("a codebook learns from at least one vector")
    chance = np.random.default_rng(seed)
    codes = data[chance.integers(0, len(data), count)] if start is None else start
    made = Codebook(codes=np.array(codes, np.float32), usage=np.zeros(count))
    for epoch in range(epochs):
        order = chance.permutation(len(data))
        for begin in range(0, len(data), batch):
            part = data[order[begin : begin + batch]]
            made.learn(part, seed=seed + epoch * len(data) + begin, reset=reset)
    return made


def perplexity(codes: Ints, count: int) -> float:
    """The exponential of the entropy of code use: 1 for one alone, `count` for all alike."""
    np = load_numpy()
    share = np.bincount(codes, minlength=count) / max(1, len(codes))
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else 0.0


def _drawn(vectors: Vectors, most: int) -> Vectors:
    """At most so many of the vectors, drawn evenly."""
    np = load_numpy()
    if len(vectors) <= most:
        return vectors
    chosen: Vectors = vectors[np.linspace(0, len(vectors) - 1, most).astype(np.int64)]
    return chosen
