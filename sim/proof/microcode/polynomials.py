"""Polynomials over integers, in symbols that are numbered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ....compiler.microcode.digits import DIGIT

__all__ = ["Polynomial", "added", "constant", "joined", "multiplied", "odd", "where"]

Polynomial = dict[tuple[int, ...], int]
"""By the symbols that are multiplied, in order, the factor."""


def constant(value: int) -> Polynomial:
    return {(): value} if value else {}


def added(parts: Iterable[tuple[Any, int]]) -> Polynomial:
    """Polynomials, each times an integer, added up."""
    found: Polynomial = {}
    for part, factor in parts:
        for factors, k in part.items():
            found[factors] = found.get(factors, 0) + k * factor
    return {factors: k for factors, k in found.items() if k}


def odd(total: Polynomial) -> Polynomial:
    """A polynomial without the power of 2 that divides it, which has its sign."""
    every = math.gcd(*total.values())
    return {factors: k // (every & -every) for factors, k in total.items()}


def joined(words: Iterable[Polynomial]) -> Polynomial:
    """The integer whose digits words are."""
    return added((word, 1 << DIGIT * k) for k, word in enumerate(words))


def multiplied(a: Any, b: Any) -> Polynomial:
    found: Polynomial = {}
    for x, i in a.items():
        for y, j in b.items():
            key = tuple(sorted((*x, *y)))
            found[key] = found.get(key, 0) + i * j
    return {factors: k for factors, k in found.items() if k}


def where(total: Polynomial, values: Mapping[int, int]) -> Polynomial:
    """A polynomial where some symbols have a value."""
    found: Polynomial = {}
    for factors, k in total.items():
        for symbol in factors:
            k *= values.get(symbol, 1)
        rest = tuple(symbol for symbol in factors if symbol not in values)
        found[rest] = found.get(rest, 0) + k
    return {factors: k for factors, k in found.items() if k}
