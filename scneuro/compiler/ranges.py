"""Interval analysis: which values every state can reach, and every sum built from them.

The intervals grow from the initial values by applying ``update``; after a few turns, what still
grows is taken to grow to its limit, so they come to rest on intervals that ``update`` does not
leave. Applying it a few more times tightens them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import count
from typing import TypeAlias

import numpy as np

from ..words import Q8_8, fitting
from .canonical import (
    And,
    Compare,
    Condition,
    Factor,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Terms,
    Variable,
    proportion,
)
from .factor import arranged
from .graph import Graph

__all__ = ["Interval", "Ranges"]

Interval: TypeAlias = tuple[float, float]
_GROW, _SHRINK = 3, 4


def _times(a: Interval, b: Interval) -> Interval:
    ends = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(ends), max(ends)


def _power(a: Interval, n: int) -> Interval:
    ends = sorted((a[0] ** n, a[1] ** n))
    return (0.0 if n % 2 == 0 and a[0] < 0 < a[1] else ends[0], ends[1])


class Ranges:
    """The intervals of variables, and of sums under what a branch's condition tells.

    Parameters
    ----------
    variables : mapping of str to (float, float)
    """

    def __init__(self, variables: Mapping[str, Interval]) -> None:
        self.variables = dict(variables)
        self._known: list[Sum] = []  # >= 0 in the branch that is being looked at

    def reach(
        self,
        initial: Mapping[str, float],
        limits: Mapping[str, Interval],
        updates: Mapping[str, Sum],
    ) -> None:
        """Set the states' intervals to what they can reach from ``initial``."""

        def image(name: str) -> Interval:
            low, high = self.of(updates[name])
            least, most = limits[name]
            return min(max(low, least), most), max(min(high, most), least)

        now: dict[str, Interval] = {name: (value, value) for name, value in initial.items()}
        for turn in count():
            self.variables.update(now)
            grown = {}
            for name, (low, high) in now.items():
                below, above = image(name)
                if turn >= _GROW:  # what still grows is taken to grow as far as it can
                    below = limits[name][0] if below < low else below
                    above = limits[name][1] if above > high else above
                grown[name] = (min(low, below), max(high, above))
            if grown == now:
                break
            now = grown
        for _ in range(_SHRINK):
            images = {name: image(name) for name in now}
            for name, (low, high) in images.items():
                self.variables[name] = (min(low, initial[name]), max(high, initial[name]))

    def of(self, value: Sum) -> Interval:
        """The interval of a sum: expanded and factored forms each give one, and both hold."""
        forms = [value.terms, arranged(value.terms)]
        ends = [self._total(value.constant, terms) for terms in dict.fromkeys(forms)]
        return max(low for low, _ in ends), min(high for _, high in ends)

    def _total(self, constant: float, terms: Terms) -> Interval:
        low = high = constant
        for atom, coefficient in terms:
            a, b = _times((coefficient, coefficient), self._atom(atom))
            low, high = low + a, high + b
        return low, high

    def _atom(self, atom: Factor) -> Interval:
        match atom:
            case Variable(name):
                return self.variables[name]
            case Sum():
                return self.of(atom)
            case Product(factors):
                result = (1.0, 1.0)
                for factor, n in factors:
                    result = _times(result, _power(self._atom(factor), n))
                return result
            case Select(condition, yes, no):
                sides = [self._under(condition, True, yes), self._under(condition, False, no)]
                sides = [side for side in sides if side[0] <= side[1]]
                if not sides:
                    return math.inf, -math.inf
                return min(s[0] for s in sides), max(s[1] for s in sides)
        return self._lookup(atom)

    def _lookup(self, lookup: Lookup) -> Interval:
        if isinstance(lookup.of, Variable):
            name = lookup.of.name
            low, high = self.variables[name]
            fraction = (fitting(low, high) or Q8_8).fraction  # as the table's address has it
            words = np.arange(math.floor(low * 2**fraction), math.ceil(high * 2**fraction) + 1)
            points = np.ldexp(words, -fraction)
        else:
            name, (low, high) = "x", self.of(lookup.of)
            if not (math.isfinite(low) and math.isfinite(high)):
                return -math.inf, math.inf
            points = np.linspace(low, high, 2**16)
        (values,) = Graph.evaluate((lookup.expr,), {name: points})
        values = np.asarray(values)
        if np.any(np.isnan(values)):
            return -math.inf, math.inf  # undefined somewhere: the table will say where
        return float(np.min(values)), float(np.max(values))

    def _under(self, condition: Condition, holds: bool, value: Sum) -> Interval:
        """The interval of ``value`` where ``condition`` holds (or does not); empty if never."""
        facts = list(_facts(condition, holds))
        if any(_contradicts(fact, other) for fact in facts for other in self._known):
            return math.inf, -math.inf
        saved, known = dict(self.variables), len(self._known)
        self._known += facts
        try:
            for fact in facts:
                if len(fact.terms) == 1 and isinstance(fact.terms[0][0], Variable):
                    ((atom, coefficient),) = fact.terms
                    low, high = self.variables[atom.key]
                    bound = -fact.constant / coefficient
                    self.variables[atom.key] = (
                        (max(low, bound), high) if coefficient > 0 else (low, min(high, bound))
                    )
                    if self.variables[atom.key][0] > self.variables[atom.key][1]:
                        return math.inf, -math.inf
            low, high = self.of(value)
            for fact in self._known:
                ratio = proportion(value.terms, fact.terms)
                if ratio is not None:  # value = ratio * fact + rest, and fact >= 0
                    rest = value.constant - ratio * fact.constant
                    low, high = (max(low, rest), high) if ratio > 0 else (low, min(high, rest))
        finally:
            self.variables = saved
            del self._known[known:]
        return low, high


def _contradicts(a: Sum, b: Sum) -> bool:
    """Whether a >= 0 and b >= 0 cannot both be, being multiples of one sum."""
    ratio = proportion(a.terms, b.terms)
    return ratio is not None and ratio < 0 and a.constant - ratio * b.constant < 0


def _facts(condition: Condition, holds: bool) -> list[Sum]:
    """Sums that are >= 0 where ``condition`` is ``holds``."""
    match condition:
        case Compare(value):
            if holds:
                return [value]
            return [Sum(tuple((a, -c) for a, c in value.terms), -value.constant)]
        case Not(of):
            return _facts(of, not holds)
        case And(a, b):
            return _facts(a, True) + _facts(b, True) if holds else []
        case Or(a, b):
            return [] if holds else _facts(a, False) + _facts(b, False)
