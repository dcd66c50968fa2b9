"""Streams of bits: what they stand for, what gates make of them, and how alike two of them are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runner import numbers

__all__ = [
    "bits_of",
    "correlation",
    "meant",
    "multiplexed",
    "overlap",
    "popcounts",
    "product",
    "words_of",
]

_AT_ONCE = 1 << 22  # products


def words_of(values: Any, levels: int, what: str, *, bipolar: bool = False) -> np.ndarray:
    """The words of values in [0, 1], or in [-1, 1] if ``bipolar``: the nearest, int64.

    A word w of ``levels`` stands for the probability w / levels of a 1; bipolar, for twice that
    less 1.

    Raises
    ------
    TypeError, ValueError
        Values that are no numbers, not finite, or beyond the ends.
    """
    array = numbers(values, what)
    low = -1 if bipolar else 0
    outside = (array < low) | (array > 1)
    if outside.any():
        raise ValueError(f"{what} must be {low} to 1, not {array[outside].flat[0]:g}")
    share = (array + 1) / 2 if bipolar else array
    return np.floor(share * levels + 0.5).astype(np.int64)


def meant(words: np.ndarray, levels: int, *, bipolar: bool = False) -> np.ndarray:
    """The values that words, or counts of ones in ``levels`` bits, stand for."""
    share: np.ndarray = np.asarray(words) / levels
    return 2 * share - 1 if bipolar else share


def bits_of(words: Any, draws: np.ndarray) -> np.ndarray:
    """The streams of words: 1 where the draw is less, bool; shapes broadcast."""
    bits: np.ndarray = draws < np.asarray(words)
    return bits


def product(a: np.ndarray, b: np.ndarray, *, bipolar: bool = False) -> np.ndarray:
    """The stream of the product of two independent streams: AND, or XNOR if they are bipolar."""
    found: np.ndarray = ~(a ^ b) if bipolar else a & b
    return found


def multiplexed(a: np.ndarray, b: np.ndarray, select: np.ndarray) -> np.ndarray:
    """The stream of a scaled sum: ``b`` where ``select`` is 1, else ``a``.

    With a select stream of one half that is independent of both, half of the sum.
    """
    return np.where(select, b, a)


def popcounts(
    bits: np.ndarray, words: np.ndarray, draws: np.ndarray, *, bipolar: bool = False
) -> np.ndarray:
    """How many products are 1, by step and neuron.

    Parameters
    ----------
    bits : ndarray of bool, shape (T, B, inputs)
        The inputs' streams, ``B`` bits a step.
    words : ndarray of int, shape (neurons, inputs)
        Of the weights.
    draws : ndarray of int, shape (T, B, inputs)
        That make the weights' streams.

    Returns
    -------
    ndarray of int64, shape (T, neurons)
        0 to B * inputs.
    """
    steps, together, _ = draws.shape
    counts = np.zeros((steps, len(words)), dtype=np.int64)
    stretch = max(1, _AT_ONCE // max(1, words.size))
    for begin in range(0, steps, stretch):
        part = slice(begin, begin + stretch)
        for b in range(together):
            weights = bits_of(words, draws[part, b, None])
            ones = product(bits[part, b, None], weights, bipolar=bipolar)
            counts[part] += np.count_nonzero(ones, axis=2)
    return counts


def correlation(a: Any, b: Any) -> float:
    """Pearson's correlation of two streams; 0 where one is constant."""
    x, y = _both(a, b)
    spread = x.std() * y.std()
    return float(((x * y).mean() - x.mean() * y.mean()) / spread) if spread else 0.0


def overlap(a: Any, b: Any) -> float:
    """The stochastic correlation of two streams (Alaghi and Hayes 2013).

    Their covariance as a share of the greatest that streams of these values can have: 1 if the ones
    of one are among those of the other, -1 if they meet as little as they can. It is 0 if one is
    constant.
    """
    x, y = _both(a, b)
    p, q = x.mean(), y.mean()
    away = (x * y).mean() - p * q
    most = min(p, q) - p * q if away > 0 else p * q - max(p + q - 1, 0)
    return float(away / most) if most > 0 else 0.0


def _both(a: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    x, y = ones_of(a, "a stream").astype(float), ones_of(b, "a stream").astype(float)
    if x.shape != y.shape or x.ndim != 1 or not len(x):
        raise ValueError(f"two streams of one length are compared, not of {x.shape} and {y.shape}")
    return x, y


def ones_of(bits: Any, what: str) -> np.ndarray:
    """Bits as bool.

    Raises
    ------
    TypeError, ValueError
        What is neither 0 nor 1.
    """
    array = numbers(bits, what)
    if not np.all((array == 0) | (array == 1)):
        raise ValueError(f"{what} must be of zeros and ones")
    ones: np.ndarray = array == 1
    return ones
