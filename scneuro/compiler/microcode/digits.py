"""Integers as digits of 15 bits, of which the last is signed and has 16.

So every digit is a signed word of 16 bits, and a product of two is one of a signed multiplier.
"""

from __future__ import annotations

from ...words import WORD_BITS

__all__ = ["DIGIT", "coefficient", "count", "digits"]

#: Bits of every digit but the last.
DIGIT = WORD_BITS - 1

_HALF = 1 << (DIGIT - 1)


def count(low: int, high: int) -> int:
    """How many digits hold every integer in [low, high]."""
    bits = max((~low if low < 0 else low).bit_length(), (~high if high < 0 else high).bit_length())
    return 1 + -(-max(0, bits - DIGIT) // DIGIT)


def digits(value: int, number: int) -> tuple[int, ...]:
    """The digits of an integer that has at most so many, the lowest first."""
    low = [(value >> DIGIT * k) & ((1 << DIGIT) - 1) for k in range(number - 1)]
    return (*low, value >> DIGIT * (number - 1))


def coefficient(value: int) -> tuple[int, ...]:
    """An integer as a sum of signed words, each 2**15 times the one before: few and small ones."""
    found = []
    while not -_HALF * 2 <= value < _HALF * 2:
        digit = ((value + _HALF) & ((1 << DIGIT) - 1)) - _HALF
        found.append(digit)
        value = (value - digit) >> DIGIT
    return (*found, value)
