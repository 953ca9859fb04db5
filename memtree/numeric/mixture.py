"""Which of a few numbers are high: a mixture of two Gaussians in one dimension, by EM.

Dempster, Laird & Rubin 1977; the updates are Bishop, Pattern Recognition and Machine Learning
(2006), section 9.2.2. Many small samples are fitted at once, one a row, which costs little more
than one. Where two classes can't be told apart, because EM did not settle or one class died, the
result says so instead of naming a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memtree.numerics import load_numpy

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

TOLERANCE = 1e-3
"""Change of the mean log-likelihood at which EM has settled; so does scikit-learn's."""
ROUNDS = 100
SPREAD = 1e-6
"""Added to each variance, so that a class of equal numbers keeps one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixtures:
    """Two classes for each row, the lower first: shapes (rows, 2), and (rows, samples) for `high`.

    `high[i, j]` says whether sample j of row i is of the higher class: if one is, all greater ones
    are. `settled[i]` is False where EM did not converge within its rounds, or where one class is
    left: then `high[i]` is all False.
    """

    means: Floats
    variances: Floats
    weights: Floats
    settled: Flags
    high: Flags
    rounds: int


def two_gaussians(
    samples: npt.ArrayLike, *, seed: int = 0, rounds: int = ROUNDS, tolerance: float = TOLERANCE
) -> Mixtures:
    """A mixture of two Gaussians for each row of `samples`, shape (rows, samples) or (samples,).

    Starts are two samples of each row, the second drawn by its squared distance from the first
    (k-means++, Arthur & Vassilvitskii 2007), by `seed`, alike in all rows. Raises ValueError for
    fewer than two samples and for what is no finite number.
    """
    np = load_numpy()
    x = np.atleast_2d(np.asarray(samples, np.float64))
    if x.ndim != 2 or x.shape[1] < 2:
        raise ValueError("two classes need two samples")
    if not bool(np.all(np.isfinite(x))):
        raise ValueError("a sample is no finite number")
    # In units of the row's own spread: similarities lie close together, and EM has no scale.
    centre, scale = x.mean(axis=1), x.std(axis=1)
    flat = scale < 1e-9
    scale[flat] = 1.0
    z = (x - centre[:, None]) / scale[:, None]
    share = _nearer(z, _starts(z, seed))
    shape = (len(x), 2)
    means, variances, weights = np.zeros(shape), np.ones(shape), np.full(shape, 0.5)
    likely, settled = np.full(len(x), -np.inf), np.zeros(len(x), bool)
    waiting, done = np.flatnonzero(~flat), 0
    while len(waiting) and done < rounds:
        done += 1
        fitted = _fitted(z[waiting], share[waiting])
        means[waiting], variances[waiting], weights[waiting] = fitted
        share[waiting], now = _shares(z[waiting], *fitted)
        settled[waiting] = np.abs(now - likely[waiting]) < tolerance
        likely[waiting] = now
        waiting = waiting[~settled[waiting]]
    settled &= weights.min(axis=1) * x.shape[1] >= 0.5  # half a sample is no class
    order = np.argsort(means, axis=1)
    means, variances, weights = (
        np.take_along_axis(part, order, axis=1) for part in (means, variances, weights)
    )
    upper = np.take_along_axis(share, order[:, None, 1:], axis=2)[:, :, 0]
    # The wider of two bells holds both ends. What lies above the higher mean is high all the same,
    # and what lies below the lower one is not: between them the share only grows.
    high = ((upper > 0.5) | (z >= means[:, 1:])) & (z > means[:, :1]) & settled[:, None]
    return Mixtures(
        means=means * scale[:, None] + centre[:, None], variances=variances * scale[:, None] ** 2,
        weights=weights, settled=settled, high=high, rounds=done,
    )  # fmt: skip


def _fitted(z: Floats, share: Floats) -> tuple[Floats, Floats, Floats]:
    """The M step: means, variances and weights of the classes, (rows, 2) each."""
    size = share.sum(axis=1) + 1e-12
    means = (share * z[:, :, None]).sum(axis=1) / size
    variances = (share * (z[:, :, None] - means[:, None]) ** 2).sum(axis=1) / size + SPREAD
    return means, variances, size / z.shape[1]


def _shares(z: Floats, means: Floats, variances: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The E step: shares (rows, samples, 2), and the mean log-likelihood of each row."""
    np = load_numpy()
    away = (z[:, :, None] - means[:, None]) ** 2 / variances[:, None]
    each = np.log(weights)[:, None] - 0.5 * (np.log(2 * np.pi * variances)[:, None] + away)
    peak = each.max(axis=2, keepdims=True)
    total = peak[:, :, 0] + np.log(np.exp(each - peak).sum(axis=2))
    return np.exp(each - total[:, :, None]), total.mean(axis=1)


def _starts(x: Floats, seed: int) -> Floats:
    """Two different samples of each row, where there are two."""
    np = load_numpy()
    chance = np.random.default_rng(seed)
    rows = np.arange(len(x))
    # The same draw for every row: what is fitted to one does not hang on its company.
    first = x[:, chance.integers(0, x.shape[1])]
    far = (x - first[:, None]) ** 2
    reach = np.cumsum(far, axis=1)
    point = chance.random() * reach[:, -1]
    second = x[rows, np.minimum((reach <= point[:, None]).sum(axis=1), x.shape[1] - 1)]
    starts: Floats = np.stack([first, second], axis=1)
    return starts


def _nearer(z: Floats, means: Floats) -> Floats:
    """Shares of 1 and 0 by the nearer of two means; equal ones share."""
    np = load_numpy()
    left, right = np.abs(z - means[:, :1]), np.abs(z - means[:, 1:])
    first = np.where(left < right, 1.0, np.where(left > right, 0.0, 0.5))
    shares: Floats = np.stack([first, 1 - first], axis=2)
    return shares
