"""Interval analysis: which values every state can reach, and every term made of them.

The intervals grow from the initial values by applying ``update``; after a few turns, what still
grows is taken to grow to its limit, so they come to rest on intervals that ``update`` does not
leave. Applying it a few more times tightens them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import count
from typing import TypeAlias

import numpy as np

from ...words import Q8_8, fitting
from ..algebra.factor import arranged
from ..algebra.terms import (
    And,
    Compare,
    Condition,
    Lookup,
    Not,
    Or,
    Product,
    Select,
    Sum,
    Term,
    Terms,
    Value,
    Variable,
    behind,
    proportion,
)
from ..graph import Expr, values_of

__all__ = ["Interval", "Ranges", "facts", "reach"]

Interval: TypeAlias = tuple[float, float]
_EVERYTHING = (-math.inf, math.inf)
_NOTHING = (math.inf, -math.inf)
_GROW, _SHRINK = 3, 4
_DEPTH = 4  # choices within choices whose conditions are taken together


def _times(a: Interval, b: Interval) -> Interval:
    ends = [0.0 if 0.0 in (x, y) else x * y for x in a for y in b]
    return min(ends), max(ends)


def _power(a: Interval, n: int) -> Interval:
    try:
        ends = sorted((a[0] ** n, a[1] ** n))
    except OverflowError:
        return _EVERYTHING
    return (0.0 if n % 2 == 0 and a[0] < 0 < a[1] else ends[0], ends[1])


def reach(
    initial: Mapping[str, Interval],
    limits: Mapping[str, Interval],
    inputs: Mapping[str, Interval],
    updates: Mapping[str, Sum],
) -> dict[str, Interval]:
    """The intervals that states starting from ``initial`` can reach, within ``limits``."""
    now: dict[str, Interval] = dict(initial)

    def images() -> dict[str, Interval]:
        ranges = Ranges({**inputs, **now}, updates.values())
        found = {}
        for name, update in updates.items():
            (low, high), (least, most) = ranges.of(update), limits[name]
            found[name] = min(max(low, least), most), max(min(high, most), least)
        return found

    for turn in count():
        grown = {}
        for name, (below, above) in images().items():
            low, high = now[name]
            if turn >= _GROW:  # what still grows is taken to grow as far as it can
                below = limits[name][0] if below < low else below
                above = limits[name][1] if above > high else above
            grown[name] = min(low, below), max(high, above)
        if grown == now:
            break
        now = grown
    for _ in range(_SHRINK):
        now = {
            name: (min(low, initial[name][0]), max(high, initial[name][1]))
            for name, (low, high) in images().items()
        }
    return now


class Ranges:
    """The intervals of terms, given those of variables.

    Parameters
    ----------
    variables : mapping of str to (float, float)
    terms : iterable of Term
        What will be asked for; the intervals of all that they are made of are found at once.
    limits : mapping of Term to (float, float), optional
        Beyond which the values of atoms do not matter.
    domains : mapping of Lookup to (float, float), optional
        Beyond which the arguments of a table do not matter.
    """

    def __init__(
        self,
        variables: Mapping[str, Interval],
        terms: Iterable[Term] = (),
        limits: Mapping[Term, Interval] | None = None,
        domains: Mapping[Lookup, Interval] | None = None,
    ) -> None:
        self._limits, self._domains = dict(limits or {}), dict(domains or {})
        self.variables = self._all = dict(variables)
        self._found: dict[Term, Interval] = {}
        self._known: list[Sum] = []  # >= 0 in the branch that is being looked at
        for term in behind(list(terms)):
            if not isinstance(term, Compare | Not | And | Or):
                self.of(term)

    def of(self, term: Term) -> Interval:
        """The interval of an atom or a sum."""
        if self._known:
            return self._here(term)
        if term not in self._found:
            self._found[term] = self._here(term)
        return self._found[term]

    def _here(self, term: Term) -> Interval:
        match term:
            case Variable(name):
                return self.variables[name]
            case Sum():
                # expanded and factored forms each give an interval, and both hold
                forms = dict.fromkeys([term.terms, arranged(term.terms)])
                ends = [self._total(term.constant, terms) for terms in forms]
                return max(low for low, _ in ends), min(high for _, high in ends)
            case Value(inner):
                return self._limited(term, self._before(inner))
            case Product(factors):
                result = (1.0, 1.0)
                for factor, n in factors:
                    result = _times(result, _power(self.of(factor), n))
                return self._limited(term, result)
            case Select(condition, yes, no):
                sides = [self._under(condition, True, yes), self._under(condition, False, no)]
                sides = [side for side in sides if side[0] <= side[1]]
                if not sides:
                    return _NOTHING
                return min(s[0] for s in sides), max(s[1] for s in sides)
            case Lookup():
                return self._limited(term, self._lookup(term))
        raise TypeError(term)

    def _limited(self, term: Term, interval: Interval) -> Interval:
        """What of an interval matters."""
        least, most = self._limits.get(term, _EVERYTHING)
        return min(max(interval[0], least), most), max(min(interval[1], most), least)

    def _before(self, term: Term) -> Interval:
        """The interval of a term whatever branch it is used in."""
        if term not in self._found:
            known, variables = self._known, self.variables
            self._known, self.variables = [], self._all
            self._found[term] = self._here(term)
            self._known, self.variables = known, variables
        return self._found[term]

    def _total(self, constant: float, terms: Terms) -> Interval:
        low = high = constant
        for atom, coefficient in terms:
            a, b = _times((coefficient, coefficient), self.of(atom))
            low, high = low + a, high + b
        return (
            -math.inf if math.isnan(low) else low,
            math.inf if math.isnan(high) else high,
        )

    def _lookup(self, lookup: Lookup) -> Interval:
        if isinstance(lookup.of, Variable):
            low, high = self._within(lookup, self.variables[lookup.of.name])
            fraction = (fitting(low, high) or Q8_8).fraction  # as the table's address has it
            return _image_of_words(lookup.expr, lookup.of.name, fraction, low, high)
        low, high = self.argument(lookup)
        if not (math.isfinite(low) and math.isfinite(high)):
            return _EVERYTHING
        return _image(lookup.expr, low, high)

    def argument(self, lookup: Lookup) -> Interval:
        """The arguments of a table that can occur and matter."""
        return self._within(lookup, self._before(lookup.of))

    def _within(self, lookup: Lookup, interval: Interval) -> Interval:
        least, most = self._domains.get(lookup, _EVERYTHING)
        low, high = max(interval[0], least), min(interval[1], most)
        return (low, high) if low <= high else interval

    def _under(self, condition: Condition, holds: bool, value: Sum) -> Interval:
        """The interval of ``value`` where ``condition`` holds (or does not); empty if never."""
        new = facts(condition, holds)
        deep = len(self._known) + len(new) > _DEPTH
        if any(_contradicts(fact, other) for fact in new for other in self._known):
            return _NOTHING
        variables, known = self.variables, self._known
        self.variables, self._known = dict(variables), [] if deep else known + new
        try:
            for fact in new:
                atom, coefficient = fact.terms[0]
                if len(fact.terms) == 1 and isinstance(atom, Variable):
                    low, high = self.variables[atom.name]
                    bound = -fact.constant / coefficient
                    self.variables[atom.name] = (
                        (max(low, bound), high) if coefficient > 0 else (low, min(high, bound))
                    )
                    if self.variables[atom.name][0] > self.variables[atom.name][1]:
                        return _NOTHING
            low, high = self._before(value) if deep else self.of(value)
            for fact in known + new:
                ratio = proportion(value.terms, fact.terms)
                if ratio is not None:  # value = ratio * fact + rest, and fact >= 0
                    rest = value.constant - ratio * fact.constant
                    low, high = (max(low, rest), high) if ratio > 0 else (low, min(high, rest))
        finally:
            self.variables, self._known = variables, known
        return low, high


@lru_cache(maxsize=4096)
def _image_of_words(expr: Expr, name: str, fraction: int, low: float, high: float) -> Interval:
    words = np.arange(math.floor(low * 2**fraction), math.ceil(high * 2**fraction) + 1)
    # the table may be addressed by more than the word: what it does between, no period hides
    between = words + _beside(len(words))
    between = np.clip(np.ldexp(between.ravel(), -fraction), low, high)
    return _ends(expr, name, np.concatenate([np.ldexp(words, -fraction), between]))


@lru_cache(maxsize=8)
def _beside(count: int) -> np.ndarray:
    """Two random places within each of so many words."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, (2, count))


@lru_cache(maxsize=4096)
def _image(expr: Expr, low: float, high: float) -> Interval:
    return _ends(expr, "x", np.linspace(low, high, 2**16))


def _ends(expr: Expr, name: str, points: np.ndarray) -> Interval:
    values = values_of(expr, name, points)
    isolated = np.isnan(values)
    if np.count_nonzero(isolated) > max(2, points.size // 1000):
        return _EVERYTHING  # undefined where it matters: the table will say where
    values = values[~isolated]
    return float(np.min(values)), float(np.max(values))


def _contradicts(a: Sum, b: Sum) -> bool:
    """Whether a >= 0 and b >= 0 cannot both be, being multiples of one sum."""
    ratio = proportion(a.terms, b.terms)
    return ratio is not None and ratio < 0 and a.constant - ratio * b.constant < 0


def facts(condition: Condition, holds: bool) -> list[Sum]:
    """Sums that are >= 0 where ``condition`` is ``holds``."""
    match condition:
        case Compare(value):
            if holds:
                return [value]
            return [Sum(tuple((a, -c) for a, c in value.terms), -value.constant)]
        case Not(of):
            return facts(of, not holds)
        case And(a, b):
            return facts(a, True) + facts(b, True) if holds else []
        case Or(a, b):
            return [] if holds else facts(a, False) + facts(b, False)
