"""A linear-feedback shift register that yields 16 fresh bits a draw.

The recurrence is s[n+31] = s[n+13] ^ s[n], from the primitive trinomial x**31 + x**13 + 1 (Zierler
and Brillhart 1968), so its period is 2**31 - 1. Both taps lie more than 16 bits behind the newest
bit, so 16 steps at once are 16 two-input XORs: the same in one line of Python and in 16 LUTs.
"""

from __future__ import annotations

__all__ = ["LFSR"]


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
        fresh = (self.state ^ (self.state >> self.TAP)) & ((1 << self.DRAW) - 1)
        self.state = (self.state >> self.DRAW) | (fresh << (self.WIDTH - self.DRAW))
        return fresh
