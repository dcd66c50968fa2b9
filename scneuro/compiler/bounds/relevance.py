"""What no longer matters: values so large that whatever they are, the same is written.

A state saturates at its limits, and behind a threshold whose branch resets it, it is replaced. So a
term that alone carries the sum past that point may stop there: the exponential of an AdEx at
V = 20 mV is 10^15, and any value beyond the threshold does as well. And where a branch is taken
only for some arguments, a table that is used in it alone needs no others. What is found here limits
tables, which costs nothing, and products that would be too wide: they end where it no longer
matters.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..algebra.canonical import Canonical
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
    Value,
    Variable,
    behind,
    proportion,
)
from .ranges import Interval, Ranges, facts

__all__ = ["Relevant", "relevant"]

_MARGIN = 16  # LSB of the word beyond a limit or a threshold that are still told apart
_EVERYTHING = (-math.inf, math.inf)


@dataclass(frozen=True)
class Relevant:
    """What matters.

    Attributes
    ----------
    values : dict of Term to (float, float)
        The values of atoms beyond which it does not matter what they are.
    domains : dict of Lookup to (float, float)
        The arguments of tables beyond which they are not used.
    """

    values: dict[Term, Interval] = field(default_factory=dict)
    domains: dict[Lookup, Interval] = field(default_factory=dict)


def relevant(
    canonical: Canonical,
    updates: Mapping[str, Sum],
    spike: Condition | bool,
    ranges: Ranges,
    limits: Mapping[str, Interval],
    lsb: Mapping[str, float],
) -> Relevant:
    """What matters of every atom of which not all does.

    Parameters
    ----------
    canonical, updates, spike
        The canonical form.
    ranges : Ranges
    limits : mapping of str to (float, float)
        At which the states saturate.
    lsb : mapping of str to float
        Of the states' words.
    """
    return _Relevance(canonical, updates, spike, ranges, limits, lsb).run()


class _Relevance:
    def __init__(
        self,
        canonical: Canonical,
        updates: Mapping[str, Sum],
        spike: Condition | bool,
        ranges: Ranges,
        limits: Mapping[str, Interval],
        lsb: Mapping[str, float],
    ) -> None:
        self.canonical, self.updates, self.spike, self.ranges = canonical, updates, spike, ranges
        self.limits, self.lsb = limits, lsb
        self.written = {
            leaf: name for name, update in updates.items() for leaf in update.leaves if leaf.terms
        }
        self.found: dict[Term, Interval] = {}
        self.where: dict[Term, dict[Sum, Interval]] = {}  # what holds wherever a term is used
        self.compared: set[Compare] = set()
        self.heap: list[tuple[int, int, Term]] = []

    def run(self) -> Relevant:
        conditions = [self.spike] if not isinstance(self.spike, bool) else []
        for term in behind([*self.updates.values(), *conditions]):
            if isinstance(term, Compare) and term not in self.compared:
                self._decided(self._root(term), {})
        for name, update in self.updates.items():
            least, most = self.limits[name]
            margin = _MARGIN * self.lsb[name]
            self._push(update, (least - margin, most + margin), {})
        done: set[Term] = set()
        while self.heap:
            _, _, term = heapq.heappop(self.heap)
            if term not in done:
                done.add(term)
                self._spread(term, self.found[term], self.where[term])
        result = Relevant()
        for term, limit in self.found.items():
            atom = isinstance(term, Lookup | Product | Value)
            if atom and self._narrower(limit, self.ranges.of(term)):
                result.values[term] = limit
            if isinstance(term, Lookup):
                domain = self._domain(term)
                if domain is not None and self._narrower(domain, self.ranges.of(term.of)):
                    result.domains[term] = domain
        return result

    def _root(self, compare: Compare) -> Condition:
        """All that became of the comparison it comes from: each outcome of that is checked."""
        whole = self.canonical.condition(compare.expr)
        if isinstance(whole, bool) or compare not in behind([whole]):
            return compare
        return whole

    def _decided(self, condition: Condition, where: dict[Sum, Interval]) -> None:
        """What a condition compares, where its outcome matters.

        That of ``a & b`` is settled where a does not hold, whatever b is; so b matters only where
        what of a needs no table holds, and the other way round.
        """
        match condition:
            case Compare(value):
                self.compared.add(condition)
                self._push(value, self._near(condition), where)
            case Not(of):
                self._decided(of, where)
            case And(a, b) | Or(a, b):
                holds = isinstance(condition, And)
                self._decided(a, _narrowed(where, b, holds, exact=True))
                self._decided(b, _narrowed(where, a, holds, exact=True))

    def _domain(self, lookup: Lookup) -> Interval | None:
        """The arguments a table is used for, by the branches that use it."""
        of = lookup.of
        if isinstance(of, Variable):
            return self.where[lookup].get(Sum(((of, 1.0),)))
        found = self.where[lookup].get(of.core)
        return None if found is None else (found[0] + of.constant, found[1] + of.constant)

    @staticmethod
    def _narrower(limit: Interval, reached: Interval) -> bool:
        return limit[0] <= limit[1] and (limit[0] > reached[0] or limit[1] < reached[1])

    def _push(self, term: Term, interval: Interval, where: dict[Sum, Interval]) -> None:
        if term not in self.found:
            heapq.heappush(self.heap, (-term.height, id(term), term))
            self.found[term], self.where[term] = interval, where
        (low, high), known = self.found[term], self.where[term]
        self.found[term] = min(low, interval[0]), max(high, interval[1])
        self.where[term] = {
            core: (min(known[core][0], end[0]), max(known[core][1], end[1]))
            for core, end in where.items()
            if core in known
        }

    def _near(self, compare: Compare) -> Interval:
        """How far from a tie a comparison still tells values apart."""
        for leaf, name in self.written.items():
            ratio = proportion(compare.value.terms, leaf.terms)
            if ratio is not None:
                margin = _MARGIN * self.lsb[name] * abs(ratio)
                return -margin, margin
        return _EVERYTHING

    def _spread(self, term: Term, interval: Interval, where: dict[Sum, Interval]) -> None:
        match term:
            case Sum():
                self._terms(term, interval, where)
            case Value(inner):
                self._push(inner, interval, where)
            case Select(condition, yes, no):
                for holds, side in ((True, yes), (False, no)):
                    narrowed = self._under(condition, holds, side, interval)
                    self._push(side, narrowed, _narrowed(where, condition, holds))
            case Product(factors):
                for factor, _ in factors:
                    self._push(factor, _EVERYTHING, where)
            case Lookup(_, of):
                self._push(of, _EVERYTHING, {})

    def _terms(self, total: Sum, interval: Interval, where: dict[Sum, Interval]) -> None:
        """Each term matters where the others can bring the sum into the interval.

        All are limited at once, so none may be limited to what it never reaches: the others count
        on that.
        """
        spans = []
        for atom, coefficient in total.terms:
            low, high = self.ranges.of(atom)
            ends = sorted((coefficient * low, coefficient * high))
            spans.append((ends[0], ends[1]))
        for k, (atom, coefficient) in enumerate(total.terms):
            others = [span for j, span in enumerate(spans) if j != k]
            low = interval[0] - total.constant - sum(high for _, high in others)
            high = interval[1] - total.constant - sum(low for low, _ in others)
            low, high = min(low, spans[k][1]), max(high, spans[k][0])
            ends = sorted((low / coefficient, high / coefficient))
            if math.isnan(ends[0]) or math.isnan(ends[1]):
                self._push(atom, _EVERYTHING, where)
            else:
                self._push(atom, (ends[0], ends[1]), where)

    def _under(self, condition: Condition, holds: bool, value: Sum, interval: Interval) -> Interval:
        """``interval``, where the branch implies that ``value`` ends earlier."""
        name = self.written.get(value)
        if name is None:
            return interval
        low, high = interval
        margin = _MARGIN * self.lsb[name]
        for fact in facts(condition, holds):
            ratio = proportion(value.terms, fact.terms)
            if ratio is not None:  # value = ratio * fact + rest, and fact >= 0
                rest = value.constant - ratio * fact.constant
                if ratio > 0:
                    low = max(low, rest - margin)
                else:
                    high = min(high, rest + margin)
        return (low, high) if low <= high else interval


def _narrowed(
    where: dict[Sum, Interval], condition: Condition, holds: bool, *, exact: bool = False
) -> dict[Sum, Interval]:
    """``where``, and what the outcome of a condition tells of sums, by their first term's unit.

    With ``exact``, only of sums without tables.
    """
    result = dict(where)
    for fact in facts(condition, holds):
        if exact and any(isinstance(part, Lookup) for part in behind([fact])):
            continue
        unit = fact.terms[0][1]
        core: Sum = Sum(tuple((atom, c / unit) for atom, c in fact.terms))
        low, high = result.get(core, _EVERYTHING)
        bound = -fact.constant / unit
        low, high = (max(low, bound), high) if unit > 0 else (low, min(high, bound))
        if low <= high:
            result[core] = (low, high)
    return result
