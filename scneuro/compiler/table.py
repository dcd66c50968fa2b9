"""Piecewise-linear tables of a function of one word, with their error measured, not estimated.

A word has at most 65,536 values, so a table is compared with its function at every one that can
occur, and for arguments with guard bits at eight points between (where the function must be
smooth). Segments are equally wide, a power of two of words; the widest, and so the fewest, that
meet the error budget are taken. One row of the ROM holds a segment's start and its slope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import LoweringError
from .datapath import Datapath, Node

__all__ = ["Table"]

_MOST_ROWS = 1024
_WIDEST_ROW = 60
_LARGEST = 2.0**24
_BETWEEN = (-0.5, -0.375, -0.25, -0.125, 0.125, 0.25, 0.375, 0.5)
_EXTRA = 2  # fraction bits of the output below the 16-bit word that would hold it


@dataclass(frozen=True)
class Table:
    """A fitted table.

    Attributes
    ----------
    text : str
        The function, as text.
    first, last : int
        The words it is defined on; words beyond are limited to these.
    shift : int
        A segment is 2**shift words wide.
    rows : tuple of int
        ROM contents: the start, then ``slope_bits`` bits of slope.
    slope_bits, row_fraction, fraction : int
        Bits of the slope field, fraction bits of start and slope, fraction bits of the output.
    low, high : int
        The least and the greatest output.
    budget, error : float
        The largest error allowed, and the largest measured over all ``words``.
    error_between : float
        The largest error for any real argument that rounds to one of the words.
    steepest : float
        The largest change of the function from one word to the next.
    words : int
        How many words can occur.
    """

    text: str
    first: int
    last: int
    shift: int
    rows: tuple[int, ...]
    slope_bits: int
    row_fraction: int
    fraction: int
    low: int
    high: int
    budget: float
    error: float
    error_between: float
    steepest: float
    words: int

    @property
    def segments(self) -> int:
        return (self.last >> self.shift) - (self.first >> self.shift) + 1

    @classmethod
    def fit(
        cls,
        function: Callable[[np.ndarray], np.ndarray],
        *,
        low: int,
        high: int,
        fraction: int,
        text: str,
        budget: float | None = None,
    ) -> Table:
        """The smallest table of ``function`` on the words ``low`` to ``high``.

        Parameters
        ----------
        function
            From real arguments (an array) to real values.
        low, high : int
            The words that can occur.
        fraction : int
            Fraction bits of the words.
        text : str
            What to call it.
        budget : float, optional
            The largest error allowed. Without one: one LSB of the 16-bit word that holds the
            values, doubled until 1024 rows are enough.

        Raises
        ------
        LoweringError
            If the function is undefined at a word that can occur, or no table meets ``budget``.
        """
        words = np.arange(low, high + 1)
        with np.errstate(all="ignore"):
            exact = np.broadcast_to(function(np.ldexp(words, -fraction)), words.shape)
        if not np.all(np.isfinite(exact)):
            where = float(words[~np.isfinite(exact)][0]) * 2.0**-fraction
            raise LoweringError(
                f"{text} is {exact[~np.isfinite(exact)][0]} at {where:g}, which can occur",
                "bound its argument with np.clip, np.minimum or np.maximum",
            )
        if np.max(np.abs(exact)) >= _LARGEST:
            where = float(words[np.argmax(np.abs(exact))]) * 2.0**-fraction
            raise LoweringError(
                f"{text} reaches {exact[np.argmax(np.abs(exact))]:g} at {where:g}, which can occur",
                "bound its argument with np.clip, np.minimum or np.maximum",
            )
        bits = _output_fraction(exact)
        lsb = budget if budget is not None else 2.0**-bits
        while True:
            for shift in range(12, -1, -1):
                table = _attempt(exact, low, bits, shift, lsb)
                if table is not None and (len(table[2]) <= _MOST_ROWS or budget is not None):
                    return cls._measured(
                        function, exact, low, fraction, text, bits, shift, lsb, table
                    )
                if table is not None:
                    break
            if budget is not None:
                raise LoweringError(
                    f"no table of {text} on {len(words)} words has an error within {budget:g}",
                    "allow a larger table_error",
                )
            lsb *= 2

    @classmethod
    def _measured(
        cls,
        function: Callable[[np.ndarray], np.ndarray],
        exact: np.ndarray,
        low: int,
        fraction: int,
        text: str,
        bits: int,
        shift: int,
        budget: float,
        fitted: tuple[int, int, tuple[int, ...], int, np.ndarray],
    ) -> Table:
        first, last, rows, slope_bits, output = fitted
        words = np.arange(low, low + len(exact))
        real = np.ldexp(output.astype(float), -(bits + _EXTRA))
        with np.errstate(all="ignore"):
            between = [
                np.broadcast_to(function(np.ldexp(words + d, -fraction)), words.shape)
                for d in _BETWEEN
            ]
        between = [np.where(np.isfinite(b), b, exact) for b in between]
        # between the points sampled, a smooth function strays by its curvature at most
        bend = np.abs(between[0] - 2 * exact + between[-1])
        stray = [np.abs(real - point) for point in (*between, exact)]
        return cls(
            text=text,
            first=first,
            last=last,
            shift=shift,
            rows=rows,
            slope_bits=slope_bits,
            row_fraction=_row_fraction(bits, shift),
            fraction=bits + _EXTRA,
            low=int(output.min()),
            high=int(output.max()),
            budget=budget,
            error=float(np.max(np.abs(real - exact))),
            error_between=float(np.max(np.max(stray, axis=0) + bend)),
            steepest=float(np.max(np.abs(np.diff(exact)), initial=0.0)),
            words=len(words),
        )

    def build(self, path: Datapath, word: Node, error: float, name: str) -> Node:
        """The nodes that look ``word`` up: limit, split, read the row, interpolate."""
        word = path.clamp(word, self.first, self.last)
        index = path.low(path.shr(word, self.shift, 0.0), max(1, (len(self.rows) - 1).bit_length()))
        row = path.rom(index, self.rows, 0)
        drop = self.row_fraction - self.fraction
        start = path.scale(path.shr(row, self.slope_bits, 0.0), 1, self.slope_bits)
        start = path.annotate(start, *_field(self.rows, self.slope_bits), 0.0, "")
        if self.slope_bits:
            slope = path.low(row, self.slope_bits, signed=True)
            start = path.add(start, path.mul(slope, path.low(word, self.shift)))
        result = path.shr(start, drop, 0.0)
        moved = path.scale(result, 1, self.fraction - result.fraction)
        return path.annotate(moved, self.low, self.high, error, name)


def _field(rows: tuple[int, ...], slope_bits: int) -> tuple[int, int]:
    starts = [row >> slope_bits for row in rows]
    return min(starts), max(starts)


def _output_fraction(values: np.ndarray) -> int:
    """The most fraction bits with which the values fit 16 bits, unsigned if none is negative."""
    size = max(float(np.max(np.abs(values))), 2.0**-16)
    bits = 15 if np.min(values) < 0 else 16
    return int(bits - np.ceil(np.log2(size * (1 + 2.0**-bits))))


def _row_fraction(bits: int, shift: int) -> int:
    """A slope is multiplied by up to 2**shift, so it needs that many more bits."""
    return bits + max(_EXTRA, shift + 1)


def _trim(values: np.ndarray, low: int, budget: float) -> tuple[int, int]:
    """The words outside which the function is flat within a quarter of the budget."""
    flat = budget / 4
    up = np.maximum.accumulate(values) - np.minimum.accumulate(values)
    down = (np.maximum.accumulate(values[::-1]) - np.minimum.accumulate(values[::-1]))[::-1]
    first = int(np.searchsorted(up, flat, side="right")) - 1
    last = len(values) - int(np.searchsorted(down[::-1], flat, side="right"))
    return low + max(0, first), low + max(first, last, 0)


def _align(first: int, last: int, low: int, high: int, shift: int) -> tuple[int, int]:
    """Move the limits outwards to round numbers, as far as the ROM's depth has room anyway.

    A limit with many trailing zeros is one that few bits decide.
    """
    first, last = max(first >> shift << shift, low), min(last | ((1 << shift) - 1), high)
    depth = 1 << ((last >> shift) - (first >> shift)).bit_length()
    for zeros in range(shift + 1, 16):
        down, up = max(first >> zeros << zeros, low), min(last | ((1 << zeros) - 1), high)
        if (last >> shift) - (down >> shift) < depth:
            first = down
        if (up >> shift) - (first >> shift) < depth:
            last = up
    return first, last


def _attempt(
    exact: np.ndarray, low: int, bits: int, shift: int, budget: float
) -> tuple[int, int, tuple[int, ...], int, np.ndarray] | None:
    """Fit with segments of 2**shift words; None if the measured error exceeds the budget."""
    first, last = _trim(exact, low, budget)
    first, last = _align(first, last, low, low + len(exact) - 1, shift)
    size = 1 << shift
    fraction = _row_fraction(bits, shift)
    values = exact[first - low : last - low + 1]
    before, after = first & (size - 1), size - 1 - (last & (size - 1))
    valid = np.pad(np.ones(len(values), dtype=bool), (before, after)).reshape(-1, size)
    padded = np.pad(values, (before, after), mode="edge").reshape(-1, size)
    offsets = np.arange(size)
    starts_at = np.argmax(valid, axis=1)
    ends_at = size - 1 - np.argmax(valid[:, ::-1], axis=1)
    line = np.arange(len(padded))
    rise = padded[line, ends_at] - padded[line, starts_at]
    slope = np.floor(np.ldexp(rise / np.maximum(ends_at - starts_at, 1), fraction) + 0.5)
    residual = np.ldexp(padded, fraction) - slope[:, None] * offsets
    middle = (
        np.max(np.where(valid, residual, -np.inf), axis=1)
        + np.min(np.where(valid, residual, np.inf), axis=1)
    ) / 2
    # the output drops the lowest bits by a floor; half of what is dropped is added in advance
    drop = fraction - (bits + _EXTRA)
    half = (1 << drop) >> 1
    start = np.floor(middle + 0.5).astype(np.int64) + half
    slopes = slope.astype(np.int64)
    output = (start[:, None] + slopes[:, None] * offsets) >> drop
    words = np.clip(np.arange(low, low + len(exact)), first, last)
    result = output[(words >> shift) - (first >> shift), words & (size - 1)]
    if np.max(np.abs(np.ldexp(result.astype(float), -(bits + _EXTRA)) - exact)) > budget:
        return None
    slope_bits = 0
    if shift:
        most = int(max(slopes.max(), ~slopes.min(), 0))
        slope_bits = most.bit_length() + 1
    if slope_bits + int(np.max(np.abs(start))).bit_length() + 1 > _WIDEST_ROW:
        return None
    count = 1 << max(1, (len(start) - 1).bit_length())
    rows = [0] * count
    for number, (begin, s) in enumerate(zip(start.tolist(), slopes.tolist(), strict=True)):
        # the index is the segment's number modulo the ROM's depth, which saves a subtraction
        at = (number + (first >> shift)) % count
        rows[at] = (begin << slope_bits) | (s & ((1 << slope_bits) - 1))
    return first, last, tuple(rows), slope_bits, result
