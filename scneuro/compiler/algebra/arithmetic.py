"""Arithmetic: sums of canonical terms added, scaled, multiplied and raised to powers.

Like terms collect. A product is the sum of the products of its terms where that is no more; else
each factor stays one :class:`~.terms.Value`. Tables of one value that are multiplied are one table.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..graph import Expr, Graph
from .terms import Atom, Factor, Lookup, Product, Select, Sum, Terms, Value, Variable

__all__ = ["Arithmetic"]

_MOST_TERMS = 24  # a longer sum is cut in two
_EXPANDED = 6  # terms of a sum that a product is taken into
_DEGREE = 3  # of polynomials that are expanded


class Arithmetic:
    """What can be done with sums.

    Attributes
    ----------
    graph : Graph
        Of the functions that are made on the way.
    """

    def __init__(self) -> None:
        self.graph = Graph()
        self._scaled: dict[tuple[Sum, float, float], Sum] = {}

    def add(self, a: Sum, b: Sum, sign: float = 1.0) -> Sum:
        while True:
            result = _sum(
                [*a.terms, *((x, sign * c) for x, c in b.terms)], a.constant + sign * b.constant
            )
            if len(result.terms) <= _MOST_TERMS:
                return result
            if len(a.terms) >= len(b.terms):
                a = _whole(a)
            else:
                b = _whole(b)

    def scale(self, a: Sum, factor: float, over: float = 1.0) -> Sum:
        """``a`` times factor / over, so that x / x is exactly 1.

        A choice of constants takes the factor inside.
        """
        if factor == over:
            return a
        if factor == 0:
            return Sum()
        key = a, factor, over
        if key not in self._scaled:
            terms: list[tuple[Atom, float]] = []
            for atom, coefficient in a.terms:
                if isinstance(atom, Select) and not (atom.yes.terms or atom.no.terms):
                    inner = coefficient * factor
                    sides = [self.scale(side, inner, over) for side in (atom.yes, atom.no)]
                    terms.append((Select(atom.condition, *sides), 1.0))
                else:
                    terms.append((atom, coefficient * factor / over))
            self._scaled[key] = _sum(terms, a.constant * factor / over)
        return self._scaled[key]

    def power(self, base: Sum, exponent: int) -> Sum:
        if _size(base) > 1 and (_base(base) is None or exponent * base.degree > _DEGREE):
            base = _whole(base)
        if _size(base) == 1 and base.terms and not isinstance(base.terms[0][0], Select):
            ((atom, coefficient),) = base.terms
            powered = self._times((atom, exponent))
            return self.scale(powered, coefficient**exponent)
        result = base
        for _ in range(exponent - 1):
            result = self.multiply(result, base)
        return result

    def multiply(self, a: Sum, b: Sum) -> Sum:
        if not a.terms or not b.terms:
            return self.scale(b, a.constant) if not a.terms else self.scale(a, b.constant)
        if not _expands(a, b):
            a, b = _whole(a), _whole(b)
        terms: list[tuple[Atom, float]] = []
        constant = a.constant * b.constant
        for x, c in (*a.terms, (None, a.constant)):
            for y, d in (*b.terms, (None, b.constant)):
                if (x is None and y is None) or c * d == 0:
                    continue
                if x is None or y is None:
                    product = self.scale(Sum((((x or y), 1.0),)), c * d)  # type: ignore[arg-type]
                else:
                    product = self.scale(self._times((x, 1), (y, 1)), c * d)
                terms.extend(product.terms)
                constant += product.constant
        return _sum(terms, constant)

    def _times(self, *powers_: tuple[Atom, int]) -> Sum:
        """The product of atoms with exponents."""
        for k, (choice, n) in enumerate(powers_):
            if isinstance(choice, Select) and _gates(choice):
                rest = powers_[:k] + powers_[k + 1 :]
                other = self._times(*rest) if rest else Sum((), 1.0)
                sides = []
                for side in (choice.yes, choice.no):
                    raised = self.power(side, n) if side.terms else Sum((), side.constant**n)
                    sides.append(self.multiply(raised, other))
                return Sum(((Select(choice.condition, *sides), 1.0),))
        powers: dict[Factor, int] = {}
        for atom, n in powers_:
            for factor, k in atom.factors if isinstance(atom, Product) else ((atom, 1),):
                powers[factor] = powers.get(factor, 0) + n * k
        for lookup in [a for a in powers if isinstance(a, Lookup)]:
            if lookup in powers:
                powers = self._absorbed(lookup, powers)
        factors = tuple(sorted(powers.items(), key=lambda item: item[0].key))
        (first, power), *more = factors
        if not more and power == 1 and not isinstance(first, Sum):
            return Sum(((first, 1.0),))
        return Sum(((Product(factors), 1.0),))

    def _absorbed(self, lookup: Lookup, powers: dict[Factor, int]) -> dict[Factor, int]:
        """One table of a table and everything else that depends on its variable alone."""
        merged: Expr | None = None
        left: dict[Factor, int] = {}
        for atom, n in sorted(powers.items(), key=lambda item: item[0].key):
            if isinstance(atom, Lookup) and atom.of is lookup.of:
                expr = atom.expr
            elif atom is lookup.of and isinstance(atom, Variable):
                expr = self.graph.node("var", value=atom.name)
            else:
                left[atom] = n
                continue
            for _ in range(n):
                merged = self.graph.node("mul", merged, expr) if merged is not None else expr
        assert merged is not None
        return {**left, Lookup(merged, lookup.of): 1}


def _sum(terms: Iterable[tuple[Atom, float]], constant: float) -> Sum:
    """Like terms together; what cancels to rounding noise is gone."""
    total: dict[Atom, float] = {}
    size: dict[Atom, float] = {}
    for atom, coefficient in terms:
        total[atom] = total.get(atom, 0.0) + coefficient
        size[atom] = size.get(atom, 0.0) + abs(coefficient)
    kept = [(a, c) for a, c in total.items() if abs(c) > 1e-12 * size[a]]
    result: Sum = Sum(tuple(sorted(kept, key=lambda term: term[0].key)), constant)
    return result


def _expands(a: Sum, b: Sum) -> bool:
    """Whether a product of two sums is worth the sum of the products.

    It is for a single factor, and for small polynomials of one value each.
    """
    if _size(a) == 1 or _size(b) == 1:
        return max(_size(a), _size(b)) <= _EXPANDED
    return None not in (_base(a), _base(b)) and a.degree + b.degree <= _DEGREE


def _whole(value: Sum) -> Sum:
    """The sum as one value, and its constant; a single term stays what it is."""
    if len(value.terms) <= 1:
        return value
    unit = abs(value.terms[0][1])
    terms: Terms = tuple((atom, c / unit) for atom, c in value.terms)
    return Sum(((Value(Sum(terms)), unit),), value.constant)


def _size(value: Sum) -> int:
    return len(value.terms) + (value.constant != 0)


def _base(value: Sum) -> Atom | None:
    """The one atom that ``value`` is a polynomial of."""
    bases: set[Factor] = set()
    for atom, _ in value.terms:
        bases |= {f for f, _ in atom.factors} if isinstance(atom, Product) else {atom}
    if len(bases) != 1:
        return None
    (base,) = bases
    return base if isinstance(base, Variable | Value) else None


def _gates(choice: Select) -> bool:
    """Whether a product goes into the branches: of constants, or of something and nothing.

    A value that is limited stays one: its square in a branch would know nothing of the limit.
    """
    sides = choice.yes, choice.no
    return not any(side.terms for side in sides) or Sum() in sides
