"""A linear-feedback shift register that yields 16 fresh bits a draw.

The recurrence is s[n+31] = s[n+13] ^ s[n], from the primitive trinomial x**31 + x**13 + 1 (Zierler
and Brillhart 1968), so its period is 2**31 - 1. Both taps lie more than 16 bits behind the newest
bit, so 16 steps at once are 16 two-input XORs: the same in one line of Python and in 16 LUTs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .linear import applied, power

__all__ = ["LFSR", "leap"]


class LFSR:
    """Draws of 16 bits.

    Parameters
    ----------
    seed : int
        Initial state, 1 to 2**31 - 1 (zero is the one state it never leaves).
    """

    WIDTH = 31
    TAP = 13
    DRAW = 16

    def __init__(self, seed: int = 1) -> None:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"seed must be an int, not {seed!r}")
        if not 0 < seed < 1 << self.WIDTH:
            raise ValueError(f"seed must be 1 to 2**{self.WIDTH} - 1, not {seed}")
        self.state = seed

    @classmethod
    def apart(cls, seed: int) -> int:
        """Another seed, for a second sequence next to that of ``seed``."""
        return cls(seed).state ^ 0x55555555 or 1

    def draw(self) -> int:
        """The next 16 bits, oldest lowest."""
        (fresh,) = self.draws(1)
        return fresh

    def draws(self, count: int) -> list[int]:
        """So many draws, one after the other."""
        tap, bits, rest = self.TAP, self.DRAW, self.WIDTH - self.DRAW
        state, mask, found = self.state, (1 << self.DRAW) - 1, []
        for _ in range(count):
            fresh = (state ^ (state >> tap)) & mask
            state = (state >> bits) | (fresh << rest)
            found.append(fresh)
        self.state = state
        return found

    def skip(self, draws: int) -> None:
        """Go on as if so many draws had been made, at once."""
        self.state = applied(_draws(draws), self.state)


@lru_cache(maxsize=64)
def leap(draws: int) -> np.ndarray:
    """What takes a state to that after ``draws`` draws, a byte at a time.

    Returns
    -------
    ndarray of int64, shape (4, 256)
        The new state is the XOR of row k at the k-th byte of the old one.
    """
    columns = (*_draws(draws), 0)
    rows = [
        [applied(columns[8 * k : 8 * k + 8], byte) for byte in range(256)]
        for k in range(len(columns) // 8)
    ]
    return np.array(rows, dtype=np.int64)


@lru_cache(maxsize=64)
def _draws(count: int) -> tuple[int, ...]:
    """The map of so many draws."""
    one = []
    for bit in range(LFSR.WIDTH):
        lfsr = LFSR(1 << bit)
        lfsr.draw()
        one.append(lfsr.state)
    return power(one, count)
