"""Segments: straight pieces, each a start and a slope, that meet a budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .samples import COARSE, Samples, offsets_in
from .table import Region

__all__ = ["Aim", "Lines", "Segments", "in_one_memory", "lines", "output_fraction", "uniform"]

_WIDEST_ROW = 60
_EXTRA = 2  # fraction bits of the output below the word that would hold it


@dataclass(frozen=True)
class Aim:
    """What a table is to be: the function, the largest error, and the most rows."""

    samples: Samples
    budget: float
    most: int

    @cached_property
    def fraction(self) -> int:
        """Fraction bits of the output.

        Somewhat more than the 16-bit word has that holds the values, or than the budget asks for.
        """
        held = output_fraction(self.samples.values)
        return max(held, math.ceil(-math.log2(self.budget))) + _EXTRA

    def row_fraction(self, shift: int) -> int:
        """Fraction bits of rows, where the widest segments are 2**shift wide."""
        return self.fraction + max(0, shift + 1 - _EXTRA)

    @cached_property
    def domain(self) -> tuple[int, int]:
        """The addresses outside which the function is flat within a quarter of the budget."""
        values, addresses, flat = self.samples.values, self.samples.addresses, self.budget / 4
        up = np.maximum.accumulate(values) - np.minimum.accumulate(values)
        down = (np.maximum.accumulate(values[::-1]) - np.minimum.accumulate(values[::-1]))[::-1]
        first = int(np.searchsorted(up, flat, side="right")) - 1
        last = len(values) - int(np.searchsorted(down[::-1], flat, side="right"))
        first, last = max(0, first), max(first, last, 0)
        return int(addresses[first]), int(addresses[min(last, len(values) - 1)])


@dataclass(frozen=True)
class Lines:
    """Start and slope of neighbouring segments."""

    starts: np.ndarray
    slopes: np.ndarray


@dataclass(frozen=True)
class Segments:
    """Segments that meet a budget: the table but for what is measured of it.

    Attributes
    ----------
    last : int
        The last address; the first is that of the first region.
    """

    last: int
    fraction: int
    regions: tuple[Region, ...]
    starts: tuple[int, ...]
    slopes: tuple[int, ...]
    row_fraction: int
    slope_bits: int

    @property
    def first(self) -> int:
        return self.regions[0].first

    @property
    def rows(self) -> tuple[int, ...]:
        """The memory's contents."""
        count = 1 << max(1, (len(self.starts) - 1).bit_length())
        rows = [0] * count
        single = len(self.regions) == 1
        base = self.first >> self.regions[0].shift if single else 0
        for number, (begin, slope) in enumerate(zip(self.starts, self.slopes, strict=True)):
            # the index is the segment's number modulo the memory's depth, which saves a subtraction
            at = (number + base) % count
            rows[at] = (begin << self.slope_bits) | (slope & ((1 << self.slope_bits) - 1))
        return tuple(rows)


def output_fraction(values: np.ndarray) -> int:
    """The most fraction bits with which the values fit 16 bits, unsigned if none is negative."""
    size = max(float(np.max(np.abs(values))), 2.0**-16)
    bits = 15 if np.min(values) < 0 else 16
    return int(bits - np.ceil(np.log2(size * (1 + 2.0**-bits))))


# -- equal segments ------------------------------------------------------------------------------
def uniform(aim: Aim) -> Segments | None:
    """The fewest equal segments that meet the budget; None if they are too many."""
    low, high = aim.samples.low, aim.samples.high
    widest = max(12, (high - low).bit_length() - 1)
    for shift in range(min(widest, 22), -1, -1):
        first, last = _aligned(*aim.domain, low, high, shift)
        if (last >> shift) - (first >> shift) + 1 > aim.most:
            return None
        made = lines(aim, first, last, shift, shift)
        if made is not None:
            found = in_one_memory(aim, [Region(first, shift, first >> shift)], [made], last)
            if found is not None and _is_flat_beyond(aim, found):
                return found
    return None


def _aligned(first: int, last: int, low: int, high: int, shift: int) -> tuple[int, int]:
    """The limits moved outwards to round numbers, as far as the memory's depth has room anyway.

    A limit with many trailing zeros is one that few bits decide.
    """
    first, last = max(first >> shift << shift, low), min(last | ((1 << shift) - 1), high)
    depth = 1 << ((last >> shift) - (first >> shift)).bit_length()
    for zeros in range(shift + 1, 24):
        down, up = max(first >> zeros << zeros, low), min(last | ((1 << zeros) - 1), high)
        if (last >> shift) - (down >> shift) < depth:
            first = down
        if (up >> shift) - (first >> shift) < depth:
            last = up
    return first, last


def _is_flat_beyond(aim: Aim, found: Segments) -> bool:
    """Whether what lies beyond the limits is within the budget of what it is limited to."""
    addresses, values = aim.samples.addresses, aim.samples.values
    for k, limit, beyond in (
        (0, found.first, values[addresses < found.first]),
        (-1, found.last, values[addresses > found.last]),
    ):
        offset = limit & ((1 << found.regions[0].shift) - 1)
        drop = found.row_fraction - found.fraction
        output = math.ldexp((found.starts[k] + found.slopes[k] * offset) >> drop, -found.fraction)
        if np.max(np.abs(beyond - output), initial=0.0) > aim.budget:
            return False
    return True


# -- lines ---------------------------------------------------------------------------------------
def lines(aim: Aim, first: int, last: int, shift: int, widest: int) -> Lines | None:
    """The segments from ``first`` to ``last``, each 2**shift wide; None beyond the budget.

    They share a memory with segments of up to 2**widest addresses.
    """
    samples = aim.samples
    fraction = aim.row_fraction(widest)
    begins = np.arange(first >> shift, (last >> shift) + 1) << shift
    if samples.stride == 1 and len(begins) << shift <= 1 << (COARSE + 2):
        offsets = np.arange(1 << shift)
    else:
        offsets = offsets_in(shift)
    addresses = begins[:, None] + offsets
    valid = (addresses >= first) & (addresses <= last)
    inside = np.clip(addresses, first, last)
    if samples.stride == 1:
        exact = samples.values[inside - samples.low]
    else:
        exact = samples.at(inside.ravel()).reshape(inside.shape)
    line = np.arange(len(begins))
    left = np.argmax(valid, axis=1)
    right = valid.shape[1] - 1 - np.argmax(valid[:, ::-1], axis=1)
    run = np.maximum(inside[line, right] - inside[line, left], 1)
    up = widest - shift  # offsets are counted in the widest segments' fractions
    rise = (exact[line, right] - exact[line, left]) / run
    slope = np.floor(np.ldexp(rise, fraction - up) + 0.5)
    scaled = (inside - begins[:, None]) << up
    residual = np.ldexp(exact, fraction) - slope[:, None] * scaled
    middle = (
        np.max(np.where(valid, residual, -np.inf), axis=1)
        + np.min(np.where(valid, residual, np.inf), axis=1)
    ) / 2
    if np.max(np.abs(middle)) >= 2.0**_WIDEST_ROW or np.max(np.abs(slope)) >= 2.0**_WIDEST_ROW:
        return None
    # the output drops the lowest bits by a floor; half of what is dropped is added in advance
    drop = fraction - aim.fraction
    half = (1 << drop) >> 1
    starts, slopes = np.floor(middle + 0.5).astype(np.int64) + half, slope.astype(np.int64)

    def error(starts: np.ndarray, here: Any) -> float:
        output = (starts[:, None] + slopes[here, None] * scaled[here]) >> drop
        return float(np.max(np.abs(np.ldexp(output.astype(float), -aim.fraction) - exact[here])))

    # where the function is 0 at 0, so is the table, if the budget allows it: a neuron that rests
    # at 0 stays there, even where that is no stable rest
    zero = np.flatnonzero((begins == 0) & (begins >= first))
    if len(zero) and exact[zero[0], 0] == 0 and error(np.array([half]), zero) <= aim.budget:
        starts[zero] = half
    return Lines(starts, slopes) if error(starts, slice(None)) <= aim.budget else None


def in_one_memory(
    aim: Aim, regions: Sequence[Region], made: Sequence[Lines], last: int
) -> Segments | None:
    """The segments of all regions; None if the rows would be too wide."""
    starts = np.concatenate([one.starts for one in made])
    slopes = np.concatenate([one.slopes for one in made])
    widest = max(region.shift for region in regions)
    slope_bits = int(max(slopes.max(), ~slopes.min(), 0)).bit_length() + 1 if widest else 0
    if slope_bits + int(np.max(np.abs(starts))).bit_length() + 1 > _WIDEST_ROW:
        return None
    return Segments(
        last,
        aim.fraction,
        tuple(regions),
        tuple(starts.tolist()),
        tuple(slopes.tolist()),
        aim.row_fraction(widest),
        slope_bits,
    )
