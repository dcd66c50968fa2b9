"""A function at the addresses that can occur, or at enough of them, scattered."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from ...errors import LoweringError

__all__ = ["COARSE", "Function", "Samples", "Undefined", "distinct", "offsets_in"]

COARSE = 17  # log2 of how many addresses are all looked at
_SAMPLES = 65  # of a segment that has more addresses
_LARGEST = 2.0**40

Function = Callable[[np.ndarray], np.ndarray]
"""From real arguments to real values."""


class Undefined(LoweringError):
    """The function has no value that a table could hold, where it can be asked for.

    Attributes
    ----------
    point, value : float
        Where, and what it is there.
    """

    def __init__(self, text: str, point: float, value: float) -> None:
        verb = "reaches" if math.isfinite(value) else "is"
        super().__init__(f"{text} {verb} {value:g} at {point:g}, which can occur")
        self.point, self.value = point, value


class Samples:
    """A function at the addresses that can occur, or at a scattered choice of them.

    Attributes
    ----------
    stride : int
        One of so many addresses is looked at; 1 if all are.
    addresses, values : ndarray
        Those, and the function's values there.
    limits : list of float
        Arguments at which the function was undefined, and its limit was taken.
    """

    def __init__(self, function: Function, low: int, high: int, fraction: int, text: str) -> None:
        self.function, self.low, self.high = function, low, high
        self.fraction, self.text = fraction, text
        count = high - low + 1
        self.stride = 1 << max(0, (count - 1).bit_length() - COARSE)
        self.addresses = low + _scattered(count, self.stride)
        self.limits: list[float] = []
        self.values = self.at(self.addresses)

    def at(self, addresses: np.ndarray) -> np.ndarray:
        """The function's values there; where it is 0/0 and has a limit, that."""
        points = np.ldexp(addresses.astype(float), -self.fraction)
        values = self.of(points)
        bad = ~np.isfinite(values)
        if np.any(np.isnan(values)) and np.count_nonzero(bad) <= 4:
            step = math.ldexp(2.0**-8, -self.fraction)
            sides = [self.of(points[bad] + d * step) for d in (-1, 1, -0.5, 0.5)]
            near = np.mean(sides, axis=0)
            # the same from both sides, and the closer the nearer: a removable singularity
            spread = np.abs(sides[0] - sides[1]), np.abs(sides[2] - sides[3])
            good = np.isfinite(near) & (spread[1] <= 0.6 * spread[0] + 1e-6 * np.abs(near))
            if np.all(good):
                values = values.copy()
                values[bad] = near
                self.limits += [float(p) for p in points[bad] if float(p) not in self.limits]
                bad = ~np.isfinite(values)
        large = np.abs(values) >= _LARGEST
        if np.any(bad | large):
            k = int(np.argmax(bad if np.any(bad) else np.abs(values)))
            raise Undefined(self.text, float(points[k]), float(values[k]))
        return values

    def of(self, points: np.ndarray) -> np.ndarray:
        """The function's values at real arguments, whatever they are."""
        with np.errstate(all="ignore"):
            values = np.asarray(self.function(points), dtype=float)
        return np.broadcast_to(values, points.shape)


def offsets_in(shift: int) -> np.ndarray:
    """Where a segment of 2**shift addresses is looked at, both its ends among them."""
    size = 1 << shift
    return _scattered(size, max(1, size // _SAMPLES))


def distinct(values: np.ndarray) -> np.ndarray:
    """Each value once, in order; NumPy hashes them, which takes longer than to sort.

    They come in a few ordered runs, which a stable sort merges.
    """
    values = np.sort(values, kind="stable")
    return values[np.concatenate([[True], values[1:] != values[:-1]])]


@lru_cache(256)
def _scattered(count: int, stride: int) -> np.ndarray:
    """One of every ``stride`` numbers below ``count``, at random, the first and the last."""
    numbers = np.arange(0, count, stride)
    if stride > 1:
        numbers = numbers + np.random.default_rng(0).integers(0, stride, len(numbers))
        numbers = distinct(np.concatenate([[0], numbers[numbers < count], [count - 1]]))
    numbers.setflags(write=False)
    return numbers
