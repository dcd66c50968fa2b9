"""Precision from a budget: how far off every value may be, so that no state exceeds its own.

A state's budget is what one step may add to its error. A value passes its budget on to what it is
made of, divided by what each is multiplied with. A bit more of a coefficient or of an operand is
cheap, and a table that is twice as exact is half as long again: so tables get most, what is only
rounded gets little. Where several users ask, the one that asks for most decides. The widths follow:
of significands, operands and table addresses, and the rows of tables.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..algebra.factor import arranged
from ..algebra.terms import (
    Compare,
    Condition,
    Factor,
    Lookup,
    Product,
    Select,
    Sum,
    Term,
    Value,
    Variable,
)
from ..algebra.terms import behind as _behind
from ..table import Function
from .ranges import Interval, Ranges

__all__ = [
    "ADDRESS",
    "ARGUMENT",
    "COEFFICIENTS",
    "FLAT",
    "OPERANDS",
    "Working",
    "active",
    "allot",
    "continuity",
]

COEFFICIENTS = 1 / 16  # of a sum's budget
OPERANDS = 1 / 8  # of a product's
ADDRESS = 1 / 4  # of a table's
ARGUMENT = 0.4  # of that of a table over a sum: what the sum may be off by
FLAT = 1 / 16  # of a table's: what it may change beyond the ends of its address
_LEAST = 1 / 64  # of what the largest term of a sum gets
_KEPT = 1e-9  # of a state: losing less in a step is losing nothing
_PACE = 2.0**-10  # what a pace may be off by
_TABLE = 16.0  # a value that needs tables gets so many times what another does

_FINEST = 40  # halvings of a table's domain
_LOOKED_AT = 4096


@dataclass(frozen=True)
class Working:
    """What was measured of the float model.

    Attributes
    ----------
    ranges : dict of str to (float, float)
        Where every state and input works that has no range of its own.
    slopes : dict of str to dict of str to float
        How a change of a state changes the next value of each state, typically.
    pace : dict of str to float
        By how much each state changes in a step, typically, where it changes least.
    """

    ranges: dict[str, Interval] = field(default_factory=dict)
    slopes: dict[str, dict[str, float]] = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)

    def asked(self, state: str, targets: Mapping[str, float]) -> float:
        """What a step of a state may be off by, for what adds up of it to be no matter.

        A state that loses a part of itself is off by its error over that part in the end, which
        must change no other state by more than its own target; one that loses nothing goes on at
        its pace, which must stay what it is.
        """
        slopes = self.slopes.get(state, {})
        lost = 1 - slopes.get(state, 1.0)
        if abs(lost) < _KEPT:
            return self.pace.get(state, math.inf) * _PACE
        if lost < 0:
            return math.inf
        moved = [targets[n] / slope for n, slope in slopes.items() if n != state and slope > 0]
        return min(moved, default=math.inf) * lost


def allot(
    updates: Mapping[str, Sum],
    spike: Condition | bool,
    ranges: Ranges,
    budgets: Mapping[str, float],
    lsb: Mapping[str, float],
    function: Callable[[Lookup], Function],
) -> dict[Term, float]:
    """The error that every term may have.

    Parameters
    ----------
    updates, spike
        The canonical form.
    ranges : Ranges
    budgets : mapping of str to float
        What one step of a state may be off by, in its unit.
    lsb : mapping of str to float
        Of the states' words; comparisons are decided to within half of it.
    function : callable
        From a table to the function it stands for.
    """
    allowed: dict[Term, float] = {}
    heap: list[tuple[int, int, Term]] = []
    waiting: set[Term] = set()
    order: dict[Term, int] = {}  # also keeps the terms that are made on the way

    def ask(term: Factor, error: float) -> None:
        if isinstance(term, Variable) or not error < math.inf:
            return
        if error < allowed.get(term, math.inf):
            allowed[term] = error
            if term not in waiting:
                # what is arranged may be as high as what it is part of, and asked for again
                waiting.add(term)
                heapq.heappush(heap, (-term.height, order.setdefault(term, len(order)), term))

    weights: dict[Term, float] = {}

    def weight(term: Factor) -> float:
        """How dear it is to make a value more exact: a variable is exact, a table is not."""
        if term not in weights:
            if isinstance(term, Variable):
                weights[term] = 0.0
            else:
                tables = any(isinstance(part, Lookup) for part in _behind([term]))
                weights[term] = _TABLE if tables else 1.0
        return weights[term]

    conditions = [spike] if not isinstance(spike, bool) else []
    for term in _behind([*updates.values(), *conditions]):
        if isinstance(term, Compare):
            ask(term.value.core, _tie(term.value, lsb))
    for name, update in updates.items():
        ask(update, budgets[name])
    while heap:
        _, _, term = heapq.heappop(heap)
        waiting.discard(term)
        error = allowed[term]
        match term:
            case Sum():
                terms = arranged(term.terms)
                core = term.core
                allowed[core] = min(allowed.get(core, math.inf), error)
                dear = [(atom, c) for atom, c in terms if weight(atom)]
                sizes = [abs(c) * _size(ranges, atom) for atom, c in dear]
                most = max(sizes, default=0.0)
                # what is a small part of the sum anyway is exact enough with a small share
                parts = [max(_LEAST, size / most) if most else 1.0 for size in sizes]
                weighed = [weight(a) * part for (a, _), part in zip(dear, parts, strict=True)]
                for (atom, coefficient), weighs in zip(dear, weighed, strict=True):
                    share = (1 - COEFFICIENTS) * weighs / sum(weighed)
                    ask(atom, error * share / abs(coefficient))
            case Product(factors):
                sizes = [_size(ranges, f) for f, _ in factors]
                powers = list(zip(sizes, factors, strict=True))
                whole = sum(weight(f) for f, _ in factors)
                for k, (factor, n) in enumerate(factors):
                    others = (s**m for j, (s, (_, m)) in enumerate(powers) if j != k)
                    here = n * sizes[k] ** (n - 1) * math.prod(others)
                    if here and weight(factor):
                        share = (1 - OPERANDS) * weight(factor) / whole
                        ask(factor, error * share / here)
            case Value(inner):
                ask(inner, error)
            case Select(_, yes, no):
                ask(yes, error)
                ask(no, error)
            case Lookup(_, of) if isinstance(of, Sum):
                domain = active(function(term), ranges.argument(term), FLAT * error)
                ask(of, continuity(function(term), domain, ARGUMENT * error))
    return allowed


def _tie(value: Sum, lsb: Mapping[str, float]) -> float:
    """How exactly a comparison must be decided: to half an LSB of a state in it."""
    own = [abs(c) * lsb[a.name] for a, c in value.terms if isinstance(a, Variable) if a.name in lsb]
    return min(own, default=min(lsb.values(), default=2.0**-8)) / 2


def _size(ranges: Ranges, factor: Factor) -> float:
    low, high = ranges.of(factor)
    return max(abs(low), abs(high))


def continuity(function: Function, domain: Interval, error: float) -> float:
    """The largest power of two by which an argument may be off for a value off by ``error``.

    By the values of the function at arguments that far apart: spread evenly, and ever closer
    towards both ends and towards where it changes most.
    """
    low, high = domain
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or error == math.inf:
        return math.inf
    points = _spots(function, low, high)
    start = math.floor(math.log2(high - low))
    with np.errstate(all="ignore"):
        here = np.asarray(function(points), dtype=float)
        for k in range(_FINEST):
            step = math.ldexp(1.0, start - k)
            moved = np.asarray(function(np.minimum(points + step, high)), dtype=float)
            change = np.abs(moved - here)
            if np.max(change[np.isfinite(change)], initial=0.0) <= error:
                return step
    return math.ldexp(1.0, start - _FINEST)


def _spots(function: Function, low: float, high: float) -> np.ndarray:
    """Arguments to look at: many, and most of them where the function is steep."""
    near = (high - low) * 2.0 ** -np.linspace(0, _FINEST, 4 * _FINEST)
    found = [low + near, high - near]
    if low < 0 < high:
        found += [np.minimum(near, high), np.maximum(-near, low)]
    begin, end = low, high
    for _ in range(8):  # closer and closer to where it is steepest
        even = np.linspace(begin, end, _LOOKED_AT)
        found.append(even)
        with np.errstate(all="ignore"):
            change = np.abs(np.diff(np.asarray(function(even), dtype=float)))
        change = np.where(np.isfinite(change), change, 0.0)
        k = int(np.argmax(change))
        if change[k] == 0 or even[k + 1] <= even[k]:
            break
        width = even[1] - even[0]
        begin, end = max(low, even[k] - 16 * width), min(high, even[k + 1] + 16 * width)
    return np.unique(np.concatenate(found))


def active(function: Function, domain: Interval, error: float) -> Interval:
    """The arguments outside which the function stays within ``error`` of its value at their ends.

    A hyperbolic tangent of an argument up to 10,000 is flat beyond 10: its address need not count
    that far, and can be so much finer.
    """
    low, high = domain
    if not (math.isfinite(low) and math.isfinite(high)) or error == math.inf:
        return domain
    below = above = np.empty(0)  # the extremes of what was left out below, and above
    for _ in range(12):
        points = np.linspace(low, high, _LOOKED_AT)
        with np.errstate(all="ignore"):
            values = np.asarray(function(points), dtype=float)
        if not np.all(np.isfinite(values)):
            break
        first = int(np.searchsorted(_spans(values, below), error / 2, side="right")) - 2
        last = len(values) + 1
        last -= int(np.searchsorted(_spans(values[::-1], above), error / 2, side="right"))
        first, last = max(first, 0), min(last, len(values) - 1)
        if first >= last or (last - first) > 0.8 * len(values):
            break
        low, high = float(points[first]), float(points[last])
        below = _extremes(np.append(below, values[: first + 1]))
        above = _extremes(np.append(above, values[last:]))
    return low, high


def _extremes(values: np.ndarray) -> np.ndarray:
    return np.array([values.min(), values.max()])


def _spans(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """How far the values up to each lie apart, those that came before among them."""
    values = np.append(before, values)
    spans: np.ndarray = np.maximum.accumulate(values) - np.minimum.accumulate(values)
    return spans[len(before) :]
