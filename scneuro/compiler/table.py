"""Piecewise-linear tables of a function of one value, with their error measured, not estimated.

A table is addressed by a word, or by as much of a register as its share of the budget asks for. Its
segments are equally wide, a power of two of addresses: the widest, and so the fewest, that meet the
budget. Where a function is steep in one place and flat in the next, the domain is split in regions
with segments of their own; one memory and one multiplication serve them all. One row of the memory
holds a segment's start and its slope.

The error is measured where it arises: at every address, or, where there are too many, at 65 in each
segment and all around where the function bends most; what it may do between these is added. What is
looked at is scattered, so that no period can hide from it. Where an address stands for a whole
interval of arguments, it is looked at in several places.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from ..errors import LoweringError
from .datapath import Datapath, Node

__all__ = ["MOST_ROWS", "Function", "Region", "Table", "Unfit"]

MOST_ROWS = 1024
_WIDEST_ROW = 60
_LARGEST = 2.0**40
_COARSE = 17  # log2 of how many addresses are all looked at
_SAMPLES = 65  # of a segment that has more addresses
_BENDS = 64  # places where the function bends most, around which every address is looked at
_AT_ONCE = 1 << 13  # addresses looked at together: what a cache holds, with all that is made of it
_BETWEEN = 8  # arguments looked at for every address that stands for an interval
_EXTRA = 2  # fraction bits of the output below the word that would hold it
_REGIONS = 24
_IN_BLOCK = 5  # log2 of the segments tried in a block before it is split

Function = Callable[[np.ndarray], np.ndarray]
"""From real arguments to real values."""


class Unfit(LoweringError):
    """No table of as many rows as there may be has an error within the budget."""


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


@dataclass(frozen=True)
class Region:
    """Equal segments, each 2**shift wide, from the address ``first`` and from row ``row`` on."""

    first: int
    shift: int
    row: int


@dataclass(frozen=True)
class Table:
    """A fitted table.

    Attributes
    ----------
    text : str
        The function, as text.
    first, last : int
        The addresses it is defined on; others are limited to these.
    regions : tuple of Region
        In the order of their addresses.
    rows : tuple of int
        The memory's contents: the start, then ``slope_bits`` bits of slope.
    slope_bits, row_fraction, fraction : int
        Bits of the slope field, fraction bits of start and slope, fraction bits of the output.
    low, high : int
        The least and the greatest output.
    budget, error : float
        The largest error that was allowed, and the largest measured at any address.
    error_between : float
        The largest error for any real argument that rounds to one of the addresses.
    steepest : float
        The largest change of the function from one address to the next.
    words : int
        How many addresses can occur.
    address_fraction : int
        Fraction bits of an address.
    limits : tuple of float
        Arguments at which the function is undefined and its limit was taken.
    """

    text: str
    first: int
    last: int
    regions: tuple[Region, ...]
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
    address_fraction: int
    limits: tuple[float, ...] = ()

    @property
    def shift(self) -> int:
        """log2 of the width of the widest segments."""
        return max(region.shift for region in self.regions)

    @property
    def segments(self) -> int:
        firsts = [*(r.first for r in self.regions[1:]), self.last + 1]
        return sum(
            ((end - 1) >> r.shift) - (r.first >> r.shift) + 1
            for r, end in zip(self.regions, firsts, strict=True)
        )

    @classmethod
    def fit(
        cls,
        function: Function,
        *,
        low: int,
        high: int,
        fraction: int,
        text: str,
        budget: float | None = None,
        tolerance: float = math.inf,
        between: bool = True,
        most_rows: int = MOST_ROWS,
    ) -> Table:
        """The smallest table of ``function`` on the addresses ``low`` to ``high``.

        Parameters
        ----------
        function
            From real arguments (an array) to real values.
        low, high : int
            The addresses that can occur.
        fraction : int
            Fraction bits of the addresses.
        text : str
            What to call it.
        budget : float, optional
            The largest error allowed, whatever it costs. Without one: one LSB of the 16-bit word
            that holds the values, or ``tolerance``, whichever is less; if that takes more than
            ``most_rows``, ``tolerance``.
        tolerance : float
            The largest error that its user can bear.
        most_rows : int
            Rows the memory may have.
        between : bool
            Whether an address stands for the arguments around it too.

        Raises
        ------
        Undefined
            If the function is undefined at an address that can occur.
        Unfit
            If no table is within the budget.
        """
        samples = _Samples(function, low, high, fraction, text)
        word = 2.0 ** -_output_fraction(samples.values)
        if budget is not None:
            budgets = [budget]
        elif tolerance == math.inf:
            budgets = [word * 2**k for k in range(40)]
        else:
            budgets = [min(word, tolerance), tolerance]
        for allowed in dict.fromkeys(budgets):
            most = most_rows if budget is None else 1 << 16
            fitted = _uniform(samples, allowed, most)
            if fitted is None and allowed == budgets[-1]:
                fitted = _in_regions(samples, allowed, most)
            if fitted is not None:
                return _measured(samples, fitted, allowed, between)
        raise Unfit(
            f"no table of {text} on {high - low + 1} words has an error within {budgets[-1]:g} "
            f"in {most_rows} rows",
            "allow a larger table_error" if budget is not None else "",
        )

    def outputs(self, addresses: np.ndarray) -> np.ndarray:
        """What the hardware makes of addresses: integers of ``fraction`` fraction bits."""
        drop = self.row_fraction - self.fraction
        result: np.ndarray = (self.lines(addresses) + ((1 << drop) >> 1)) >> drop
        return result

    def lines(self, addresses: np.ndarray) -> np.ndarray:
        """The same before bits are dropped: integers of ``row_fraction`` fraction bits."""
        a = np.clip(addresses, self.first, self.last)
        index, offset = np.zeros_like(a), np.zeros_like(a)
        for r in self.regions:
            here = a >= r.first
            index = np.where(here, r.row + (a >> r.shift) - (r.first >> r.shift), index)
            low = (a & ((1 << r.shift) - 1)) << (self.shift - r.shift)
            offset = np.where(here, low, offset)
        rows = np.asarray(self.rows, dtype=np.int64)[index % len(self.rows)]
        slope = rows & ((1 << self.slope_bits) - 1)
        if self.slope_bits:
            slope -= (slope >> (self.slope_bits - 1)) << self.slope_bits
        # a row's start has half of what is dropped added in advance
        half = (1 << (self.row_fraction - self.fraction)) >> 1
        result: np.ndarray = (rows >> self.slope_bits) + slope * offset - half
        return result

    def build(self, path: Datapath, word: Node, error: float, name: str) -> Node:
        """The nodes that look ``word`` up: limit, split, read the row, interpolate."""
        word = path.clamp(word, self.first, self.last)
        bits = max(1, (len(self.rows) - 1).bit_length())
        index = offset = None
        for region in self.regions:
            here = path.shr(word, region.shift, 0.0)
            if len(self.regions) > 1:
                here = path.plain(here)
                by = region.row - (region.first >> region.shift)
                here = path.add(here, path.const(by, 0)) if by else here
            here = path.low(here, bits)
            low = path.low(word, region.shift) if region.shift else path.const(0, 0)
            low = path.plain(path.shl(low, self.shift - region.shift))
            if index is None or offset is None:
                index, offset = here, low
            else:
                inside = path.ge(word, region.first)
                index, offset = path.mux(inside, here, index), path.mux(inside, low, offset)
        assert index is not None
        assert offset is not None
        row = path.rom(index, self.rows, 0)
        drop = self.row_fraction - self.fraction
        start = path.plain(path.shr(row, self.slope_bits, 0.0))
        start = path.annotate(start, *_field(self.rows, self.slope_bits), 0.0, "")
        if self.slope_bits:
            slope = path.low(row, self.slope_bits, signed=True)
            start = path.add(start, path.mul(slope, offset))
        result = path.shr(start, drop, 0.0)
        moved = path.scale(result, 1, self.fraction - result.fraction)
        return path.annotate(moved, self.low, self.high, error, name)


class _Samples:
    """A function at the addresses that can occur, or at a regular choice of them."""

    def __init__(self, function: Function, low: int, high: int, fraction: int, text: str) -> None:
        self.function, self.low, self.high = function, low, high
        self.fraction, self.text = fraction, text
        count = high - low + 1
        self.stride = 1 << max(0, (count - 1).bit_length() - _COARSE)
        self.addresses = low + _scattered(count, self.stride)
        self.limits: list[float] = []
        self.values = self.at(self.addresses)

    def at(self, addresses: np.ndarray) -> np.ndarray:
        """The function's values there; where it is 0/0 and has a limit, that."""
        points = np.ldexp(addresses.astype(float), -self.fraction)
        values = self._of(points)
        bad = ~np.isfinite(values)
        if np.any(np.isnan(values)) and np.count_nonzero(bad) <= 4:
            step = math.ldexp(2.0**-8, -self.fraction)
            sides = [self._of(points[bad] + d * step) for d in (-1, 1, -0.5, 0.5)]
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

    def _of(self, points: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            values = np.asarray(self.function(points), dtype=float)
        return np.broadcast_to(values, points.shape)


@lru_cache(256)
def _scattered(count: int, stride: int) -> np.ndarray:
    """One of every ``stride`` numbers below ``count``, at random, the first and the last."""
    numbers = np.arange(0, count, stride)
    if stride > 1:
        numbers = numbers + np.random.default_rng(0).integers(0, stride, len(numbers))
        numbers = _distinct(np.concatenate([[0], numbers[numbers < count], [count - 1]]))
    numbers.setflags(write=False)
    return numbers


def _distinct(values: np.ndarray) -> np.ndarray:
    """Each value once, in order; NumPy hashes them, which takes longer than to sort.

    They come in a few ordered runs, which a stable sort merges.
    """
    values = np.sort(values, kind="stable")
    return values[np.concatenate([[True], values[1:] != values[:-1]])]


@dataclass(frozen=True)
class _Fit:
    """Segments that meet a budget: the table but for what is measured of it."""

    first: int
    last: int
    bits: int
    regions: tuple[Region, ...]
    starts: tuple[int, ...]
    slopes: tuple[int, ...]
    row_fraction: int
    slope_bits: int


def _measured(samples: _Samples, fit: _Fit, budget: float, between: bool) -> Table:
    rows = _rows(fit)
    table = Table(
        text=samples.text,
        first=fit.first,
        last=fit.last,
        regions=fit.regions,
        rows=rows,
        slope_bits=fit.slope_bits,
        row_fraction=fit.row_fraction,
        fraction=fit.bits + _EXTRA,
        low=0,
        high=0,
        budget=budget,
        error=0.0,
        error_between=0.0,
        steepest=0.0,
        words=samples.high - samples.low + 1,
        address_fraction=samples.fraction,
    )
    addresses = _looked_at(samples, table)
    exact = samples.at(addresses)
    output = table.outputs(addresses)
    real = np.ldexp(output.astype(float), -table.fraction)
    steepest = np.max(np.abs(np.diff(exact)) / np.diff(addresses), initial=0.0)
    error = float(np.max(np.abs(real - exact)))
    if samples.stride > 1:
        # between addresses that were looked at, a smooth function strays by its curvature at most,
        # and what the output drops may be half its LSB
        line = np.ldexp(table.lines(addresses), -table.row_fraction)
        lost = math.ldexp(0.5, -table.fraction)
        error = max(error, float(np.max(np.abs(line - exact))) + lost)
        error += float(np.max(_bends(addresses, exact), initial=0.0))
    strayed = error
    if between:
        apart, bent = _between(samples, addresses, exact, real)
        strayed = max(error, apart) + bent  # and as far as it bends within one address
    first, last = _extremes(table)
    return Table(
        **{
            **vars(table),
            "low": min(first, int(output.min())),
            "high": max(last, int(output.max())),
            "error": error,
            "error_between": strayed,
            "steepest": float(steepest),
            "limits": tuple(samples.limits),
        }
    )


def _looked_at(samples: _Samples, table: Table) -> np.ndarray:
    """Every address, or enough of them in each segment, and all where the function bends most."""
    if samples.stride == 1:
        return samples.addresses
    found = [samples.addresses]
    ends = [*(r.first for r in table.regions[1:]), table.last + 1]
    for region, end in zip(table.regions, ends, strict=True):
        begins = np.arange(region.first >> region.shift, ((end - 1) >> region.shift) + 1)
        found.append(((begins << region.shift)[:, None] + _offsets(region.shift)).ravel())
    flat = _distinct(np.concatenate(found))
    flat = flat[(flat >= samples.low) & (flat <= samples.high)]
    worst = np.argsort(_bends(flat, samples.at(flat)))[-_BENDS:]
    around = [np.arange(flat[k], flat[k + 2] + 1) for k in worst]
    return _distinct(np.concatenate([flat, *(a[:: 1 + (len(a) >> 12)] for a in around)]))


def _offsets(shift: int) -> np.ndarray:
    """Where a segment of 2**shift addresses is looked at, both its ends among them."""
    size = 1 << shift
    return _scattered(size, max(1, size // _SAMPLES))


def _bends(addresses: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How far the function strays between each three addresses, by its curvature there."""
    gaps = np.diff(addresses)
    slopes = np.diff(values) / gaps
    curvature = 2 * np.abs(np.diff(slopes)) / (gaps[1:] + gaps[:-1])
    widest = np.maximum(gaps[1:], gaps[:-1])
    result: np.ndarray = np.where(widest > 1, curvature * widest**2 / 8, 0.0)
    return result


def _between(
    samples: _Samples, addresses: np.ndarray, exact: np.ndarray, real: np.ndarray
) -> tuple[float, float]:
    """The largest error at arguments that round to these addresses, and how far these bend."""
    ends = np.array([[-0.5], [0.5]]) + np.zeros(len(addresses))
    some = np.random.default_rng(0).uniform(-0.5, 0.5, (_BETWEEN - 2, len(addresses)))
    moves, strayed, bent = np.concatenate([ends, some]), 0.0, 0.0
    for begin in range(0, len(addresses), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        here, output = exact[part], real[part]
        found = []
        for move in moves[:, part]:
            values = samples._of(np.ldexp(addresses[part] + move, -samples.fraction))
            values = np.where(np.isfinite(values), values, here)
            strayed = max(strayed, float(np.max(np.abs(output - values))))
            found.append(values)
        bent = max(bent, float(np.max(np.abs(found[0] - 2 * here + found[1]))))
    return strayed, bent / 4


def _extremes(table: Table) -> tuple[int, int]:
    """The least and the greatest output: a segment is straight, so they are at ends of segments."""
    low, high = [], []
    ends = [*(r.first for r in table.regions[1:]), table.last + 1]
    for region, end in zip(table.regions, ends, strict=True):
        begins = np.arange(region.first >> region.shift, ((end - 1) >> region.shift) + 1)
        edges = np.concatenate(
            [begins << region.shift, ((begins + 1) << region.shift) - 1, [region.first, end - 1]]
        )
        output = table.outputs(np.clip(edges, region.first, end - 1))
        low.append(int(output.min()))
        high.append(int(output.max()))
    return min(low), max(high)


def _rows(fit: _Fit) -> tuple[int, ...]:
    count = 1 << max(1, (len(fit.starts) - 1).bit_length())
    rows = [0] * count
    single = len(fit.regions) == 1
    base = fit.regions[0].first >> fit.regions[0].shift if single else 0
    for number, (begin, slope) in enumerate(zip(fit.starts, fit.slopes, strict=True)):
        # the index is the segment's number modulo the memory's depth, which saves a subtraction
        at = (number + base) % count
        rows[at] = (begin << fit.slope_bits) | (slope & ((1 << fit.slope_bits) - 1))
    return tuple(rows)


def _field(rows: tuple[int, ...], slope_bits: int) -> tuple[int, int]:
    starts = [row >> slope_bits for row in rows]
    return min(starts), max(starts)


def _output_fraction(values: np.ndarray) -> int:
    """The most fraction bits with which the values fit 16 bits, unsigned if none is negative."""
    size = max(float(np.max(np.abs(values))), 2.0**-16)
    bits = 15 if np.min(values) < 0 else 16
    return int(bits - np.ceil(np.log2(size * (1 + 2.0**-bits))))


def _bits_for(samples: _Samples, budget: float) -> int:
    """Fraction bits of the 16-bit word that holds the values, or more where the budget asks."""
    return max(_output_fraction(samples.values), math.ceil(-math.log2(budget)))


def _trim(samples: _Samples, budget: float) -> tuple[int, int]:
    """The addresses outside which the function is flat within a quarter of the budget."""
    values, flat = samples.values, budget / 4
    up = np.maximum.accumulate(values) - np.minimum.accumulate(values)
    down = (np.maximum.accumulate(values[::-1]) - np.minimum.accumulate(values[::-1]))[::-1]
    first = int(np.searchsorted(up, flat, side="right")) - 1
    last = len(values) - int(np.searchsorted(down[::-1], flat, side="right"))
    first, last = max(0, first), max(first, last, 0)
    return int(samples.addresses[first]), int(samples.addresses[min(last, len(values) - 1)])


def _align(first: int, last: int, low: int, high: int, shift: int) -> tuple[int, int]:
    """Move the limits outwards to round numbers, as far as the memory's depth has room anyway.

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


def _uniform(samples: _Samples, budget: float, most: int) -> _Fit | None:
    """The fewest equal segments that meet the budget."""
    bits = _bits_for(samples, budget)
    flat = _trim(samples, budget)
    widest = max(12, (samples.high - samples.low).bit_length() - 1)
    for shift in range(min(widest, 22), -1, -1):
        first, last = _align(*flat, samples.low, samples.high, shift)
        if (last >> shift) - (first >> shift) + 1 > most:
            return None
        row_fraction = bits + max(_EXTRA, shift + 1)
        lines = _lines(samples, first, last, shift, bits, row_fraction, shift, budget)
        if lines is not None:
            region = Region(first, shift, first >> shift)
            fit = _fitted(first, last, bits, (region,), *lines, row_fraction)
            if fit is not None and _flat_beyond(samples, fit, budget):
                return fit
    return None


def _flat_beyond(samples: _Samples, fit: _Fit, budget: float) -> bool:
    """Whether what lies beyond the limits is within the budget of what it is limited to."""
    addresses, values = samples.addresses, samples.values
    for k, limit, beyond in (
        (0, fit.first, values[addresses < fit.first]),
        (-1, fit.last, values[addresses > fit.last]),
    ):
        offset = limit & ((1 << fit.regions[0].shift) - 1)
        drop = fit.row_fraction - (fit.bits + _EXTRA)
        output = math.ldexp((fit.starts[k] + fit.slopes[k] * offset) >> drop, -(fit.bits + _EXTRA))
        if np.max(np.abs(beyond - output), initial=0.0) > budget:
            return False
    return True


def _fitted(
    first: int,
    last: int,
    bits: int,
    regions: tuple[Region, ...],
    starts: np.ndarray,
    slopes: np.ndarray,
    row_fraction: int,
) -> _Fit | None:
    slope_bits = 0
    if any(region.shift for region in regions):
        slope_bits = int(max(slopes.max(), ~slopes.min(), 0)).bit_length() + 1
    if slope_bits + int(np.max(np.abs(starts))).bit_length() + 1 > _WIDEST_ROW:
        return None
    return _Fit(
        first,
        last,
        bits,
        regions,
        tuple(starts.tolist()),
        tuple(slopes.tolist()),
        row_fraction,
        slope_bits,
    )


def _in_regions(samples: _Samples, budget: float, most: int) -> _Fit | None:
    """Segments as wide as each part of the domain allows.

    A row counts in the fractions of the widest segments; if it gets too wide, these are narrowed.
    """
    bits = _bits_for(samples, budget)
    first, last = _trim(samples, budget)
    for widest in range((last - first).bit_length(), 0, -2):
        pieces = _pieces(samples, first, last, bits, budget, most, widest)
        if pieces is None:
            return None
        fit = _joined(samples, pieces, last, bits, budget)
        if fit is not None:
            return fit
    return None


def _pieces(
    samples: _Samples, first: int, last: int, bits: int, budget: float, most: int, widest: int
) -> list[tuple[int, int]] | None:
    """(first address, shift) of equal segments, block by block; None if they are too many.

    Every block that some equal segments do not fit is halved, so that segments get narrower
    towards where the function bends.
    """
    size = (last - first).bit_length()
    stack = [(block, size) for block in range(last >> size, (first >> size) - 1, -1)]
    pieces: list[tuple[int, int]] = []  # (first address, shift)
    rows = 0
    while stack:
        block, size = stack.pop()
        begin, end = max(block << size, first), min(((block + 1) << size) - 1, last)
        if begin > end:
            continue
        for shift in range(min(size, widest), max(size - _IN_BLOCK, 0) - 1, -1):
            fraction = bits + max(_EXTRA, shift + 1)
            if _lines(samples, begin, end, shift, bits, fraction, shift, budget) is not None:
                rows += (end >> shift) - (begin >> shift) + 1
                pieces.append((begin, shift))
                break
        else:
            if size == 0:
                return None
            stack += [(2 * block + 1, size - 1), (2 * block, size - 1)]
        if rows + len(stack) > most:
            return None
    merged = [pieces[0]]
    for begin, shift in pieces[1:]:
        if shift != merged[-1][1]:
            merged.append((begin, shift))
    merged = _fewer(merged, last)
    return None if sum(_rows_of(merged, last)) > most else merged


def _joined(
    samples: _Samples, pieces: list[tuple[int, int]], last: int, bits: int, budget: float
) -> _Fit | None:
    """The segments of all pieces in one memory; None if its rows would be too wide."""
    widest = max(shift for _, shift in pieces)
    fraction = bits + max(_EXTRA, widest + 1)
    regions, starts, slopes, row = [], [], [], 0
    ends = [*(begin - 1 for begin, _ in pieces[1:]), last]
    for (begin, shift), end in zip(pieces, ends, strict=True):
        lines = _lines(samples, begin, end, shift, bits, fraction, widest, budget)
        if lines is None:
            return None
        regions.append(Region(begin, shift, row))
        starts.append(lines[0])
        slopes.append(lines[1])
        row += len(lines[0])
    return _fitted(
        pieces[0][0],
        last,
        bits,
        tuple(regions),
        np.concatenate(starts),
        np.concatenate(slopes),
        fraction,
    )


def _pin_zero(
    starts: np.ndarray,
    slopes: np.ndarray,
    exact: np.ndarray,
    begins: np.ndarray,
    first: int,
    drop: int,
    budget: float,
    bits: int,
    scaled: np.ndarray,
) -> None:
    """Where the function is 0 at 0, so is the table, if the budget allows it.

    A neuron that rests at 0 stays there, even where that is no stable rest.
    """
    k = np.flatnonzero((begins == 0) & (begins >= first))
    if not len(k) or exact[k[0], 0] != 0:
        return
    start = (1 << drop) >> 1
    output = (start + slopes[k[0]] * scaled[k[0]]) >> drop
    error = np.abs(np.ldexp(output.astype(float), -(bits + _EXTRA)) - exact[k[0]])
    if np.max(error) <= budget:
        starts[k[0]] = start


def _rows_of(pieces: list[tuple[int, int]], last: int) -> list[int]:
    """The segments of each piece."""
    ends = [*(begin - 1 for begin, _ in pieces[1:]), last]
    return [
        (end >> shift) - (begin >> shift) + 1
        for (begin, shift), end in zip(pieces, ends, strict=True)
    ]


def _fewer(pieces: list[tuple[int, int]], last: int) -> list[tuple[int, int]]:
    """No more pieces than regions: the neighbours that cost the fewest rows become one."""
    pieces = list(pieces)
    while len(pieces) > _REGIONS:
        rows = _rows_of(pieces, last)
        costs = []
        for k, ((_, one), (_, other)) in enumerate(pairwise(pieces)):
            finest = min(one, other)
            merged = (rows[k] << (one - finest)) + (rows[k + 1] << (other - finest))
            costs.append((merged - rows[k] - rows[k + 1], k, finest))
        _, k, finest = min(costs)
        pieces[k : k + 2] = [(pieces[k][0], finest)]
    return pieces


def _lines(
    samples: _Samples,
    first: int,
    last: int,
    shift: int,
    bits: int,
    fraction: int,
    widest: int,
    budget: float,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Start and slope of every segment from ``first`` to ``last``; None beyond the budget."""
    begins = np.arange(first >> shift, (last >> shift) + 1) << shift
    if samples.stride == 1 and len(begins) << shift <= 1 << (_COARSE + 2):
        offsets = np.arange(1 << shift)
    else:
        offsets = _offsets(shift)
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
    drop = fraction - (bits + _EXTRA)
    start = np.floor(middle + 0.5).astype(np.int64) + ((1 << drop) >> 1)
    slopes = slope.astype(np.int64)
    _pin_zero(start, slopes, exact, begins, first, drop, budget, bits, scaled)
    output = (start[:, None] + slopes[:, None] * scaled) >> drop
    error = np.abs(np.ldexp(output.astype(float), -(bits + _EXTRA)) - exact)
    if np.max(error) > budget:
        return None
    return start, slopes
