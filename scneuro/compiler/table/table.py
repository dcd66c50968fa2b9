"""A table: its rows and how they are read, over integers and as nodes of a datapath."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..datapath import Datapath, Node

__all__ = ["Region", "Table"]


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
    def stretches(self) -> list[tuple[Region, int]]:
        """The regions, each with its last address."""
        lasts = [*(region.first - 1 for region in self.regions[1:]), self.last]
        return list(zip(self.regions, lasts, strict=True))

    @property
    def segments(self) -> int:
        return sum((last >> r.shift) - (r.first >> r.shift) + 1 for r, last in self.stretches)

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
        starts = [row >> self.slope_bits for row in self.rows]
        start = path.annotate(start, min(starts), max(starts), 0.0, "")
        if self.slope_bits:
            slope = path.low(row, self.slope_bits, signed=True)
            start = path.add(start, path.mul(slope, offset))
        result = path.shr(start, drop, 0.0)
        moved = path.scale(result, 1, self.fraction - result.fraction)
        return path.annotate(moved, self.low, self.high, error, name)
