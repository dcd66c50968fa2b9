"""Linear maps of bits: what a shift register does in a clock, and in any number of clocks at once.

A map is given by what it makes of each bit, lowest first. It adds by XOR, so that maps multiply,
and a power of one takes as many products as its exponent has bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["applied", "mapped", "orbit", "power"]


def applied(columns: Sequence[int], state: int) -> int:
    """What a map makes of a state."""
    result = 0
    for bit, column in enumerate(columns):
        if state >> bit & 1:
            result ^= column
    return result


def mapped(columns: Sequence[int], states: np.ndarray) -> np.ndarray:
    """The same of many states, int64."""
    result = np.zeros_like(states)
    for bit, column in enumerate(columns):
        result ^= (states >> bit & 1) * column
    return result


def power(columns: Sequence[int], exponent: int) -> tuple[int, ...]:
    """A map, ``exponent`` times one after the other."""
    result = tuple(1 << bit for bit in range(len(columns)))
    square = tuple(columns)
    while exponent:
        if exponent & 1:
            result = tuple(applied(square, column) for column in result)
        square = tuple(applied(square, column) for column in square)
        exponent >>= 1
    return result


def orbit(columns: Sequence[int], start: int, count: int) -> np.ndarray:
    """``start`` and what a map makes of it again and again, int64 of shape (count,)."""
    states, leap = np.array([start], dtype=np.int64), tuple(columns)
    while len(states) < count:  # twice as many, from as far on
        states = np.concatenate([states, mapped(leap, states)])
        leap = tuple(applied(leap, column) for column in leap)
    return states[:count]
