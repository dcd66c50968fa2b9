"""Words: 16-bit numbers with a binary point, and how a real number becomes one.

``Q8.8`` means 8 integer bits (the sign among them) and 8 fraction bits: the value of the integer
n is n/256, from -128 to 127.99609375. Rounding is *nearest, half up*: add half an LSB and take
the floor, which is what an adder and a shift do. (Python's ``round`` is half-even and ``int``
truncates towards zero: neither is what hardware does.)
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Q8_8", "WORD_BITS", "Word", "fitting", "nearest", "quantize", "rounded"]

WORD_BITS = 16
_AT_ONCE = 2**14  # values that stay in the processor's cache


@dataclass(frozen=True)
class Word:
    """A signed 16-bit word with ``fraction`` bits behind the binary point."""

    fraction: int

    @classmethod
    def parse(cls, text: str) -> Word:
        """The word named ``Qm.n``; m counts the sign, and m + n is 16."""
        match = re.fullmatch(r"Q(\d+)\.(\d+)", text)
        if not match or int(match[1]) + int(match[2]) != WORD_BITS or int(match[1]) < 1:
            raise ValueError(f"word must be 'Qm.n' with m >= 1 and m + n = 16, not {text!r}")
        return cls(int(match[2]))

    def __str__(self) -> str:
        return f"Q{WORD_BITS - self.fraction}.{self.fraction}"

    @property
    def lsb(self) -> float:
        return 2.0**-self.fraction

    @property
    def least(self) -> float:
        return -(2.0 ** (WORD_BITS - 1)) * self.lsb

    @property
    def greatest(self) -> float:
        return (2.0 ** (WORD_BITS - 1) - 1) * self.lsb


Q8_8 = Word(8)


def nearest(value: float, fraction: int) -> int:
    """The integer n for which n * 2**-fraction is nearest to ``value``; a tie goes up."""
    scaled = math.ldexp(value, fraction)
    below = math.floor(scaled)
    return below + (scaled - below >= 0.5)


def fitting(low: float, high: float, least: int = 0) -> Word | None:
    """The 16-bit word with the most fraction bits that holds [low, high].

    None if one of ``least`` fraction bits does not; below 0, a word counts in 2, 4, ...
    """
    for fraction in range(WORD_BITS + 8, least - 1, -1):
        word = Word(fraction)
        if word.least <= low and nearest(high, fraction) * word.lsb <= word.greatest:
            return word
    return None


def rounded(values: np.ndarray, fraction: int) -> np.ndarray:
    """As :func:`nearest`, for arrays; still float, for what is out of any integer's range."""
    with np.errstate(invalid="ignore", over="ignore"):  # infinity is its own nearest
        scaled = np.multiply(values, 2.0**fraction)
        below = np.floor(scaled)
        result: np.ndarray = below + (scaled - below >= 0.5)
    return result


def quantize(
    values: Any, what: str, word: Word = Q8_8, unit: str = "", dtype: Any = np.int64
) -> np.ndarray:
    """The nearest words to ``values``, as int64 or another ``dtype``.

    Raises
    ------
    ValueError
        If any value lies outside the word's range: nothing wraps and nothing is clipped.
    """
    array = np.asarray(values, dtype=np.float64)
    flat = array.reshape(-1)
    result: np.ndarray = np.empty(len(flat), dtype=dtype)
    for begin in range(0, len(flat), _AT_ONCE):
        part = flat[begin : begin + _AT_ONCE]
        ends = rounded(np.array([part.min(), part.max()]), word.fraction)
        if not (ends[0] >= -(2 ** (WORD_BITS - 1)) and ends[1] < 2 ** (WORD_BITS - 1)):
            integers = rounded(part, word.fraction)
            bad = ~((integers >= -(2 ** (WORD_BITS - 1))) & (integers < 2 ** (WORD_BITS - 1)))
            raise ValueError(
                f"{what} = {part[bad][0]:g}{' ' + unit if unit else ''} does not fit {word}, "
                f"which holds {word.least:g} to {word.greatest:g}"
            )
        integers = ends[0] if ends[0] == ends[1] else rounded(part, word.fraction)
        result[begin : begin + _AT_ONCE] = integers
    return result.reshape(array.shape)
