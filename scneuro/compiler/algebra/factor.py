"""Common factors: a sum of products arranged so that it takes fewer multipliers.

The canonical form is expanded, so that it is the same however an update was written. Here the
factors that products share come out again: ``m^3 h V - 50 m^3 h`` becomes ``m^3 h (V - 50)``.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

from .terms import Atom, Factor, Lookup, Product, Sum, Terms

__all__ = ["arranged"]

Monomial: TypeAlias = dict[Factor, int]


@lru_cache(maxsize=4096)
def arranged(terms: Terms) -> Terms:
    """The same sum, with products of common factors and a :class:`~.canonical.Sum` of the rest.

    Only products and tables are factored: what is linear in a state keeps the state's guard bits,
    which the 16-bit operand of a product has not.
    """
    kept = [(a, c) for a, c in terms if not isinstance(a, Product | Lookup)]
    products = [(_monomial(a), c) for a, c in terms if isinstance(a, Product | Lookup)]
    while True:
        shared = [_common(a, b) for (a, _), (b, _) in combinations(products, 2)]
        best = max(
            (m for m in shared if m), key=lambda m: (_saved(m, products), -len(m)), default={}
        )
        if not best or _saved(best, products) <= 0:
            return (*kept, *((_atom(m), c) for m, c in products))
        members = [(m, c) for m, c in products if _common(m, best) == best]
        products = [(m, c) for m, c in products if _common(m, best) != best]
        unit, rest = _group([(_without(m, best), c) for m, c in members])
        products.append(({**best, rest: 1}, unit))


def _group(members: list[tuple[Monomial, float]]) -> tuple[float, Sum]:
    """A coefficient that is common to most members, and the sum of the rest of each."""
    sizes = Counter(abs(c) for m, c in members if m)
    unit = sizes.most_common(1)[0][0]
    inner = tuple((_atom(m), c / unit) for m, c in members if m)
    constant = sum(c / unit for m, c in members if not m)
    return unit, Sum(tuple(sorted(inner, key=lambda term: term[0].key)), constant)


def _monomial(atom: Atom) -> Monomial:
    return dict(atom.factors) if isinstance(atom, Product) else {atom: 1}


def _atom(monomial: Monomial) -> Atom:
    factors = sorted(monomial.items(), key=lambda item: item[0].key)
    if len(factors) == 1 and factors[0][1] == 1:
        (atom, _), *_ = factors
        assert not isinstance(atom, Sum)
        return atom
    return Product(tuple(factors))


def _common(a: Monomial, b: Monomial) -> Monomial:
    return {f: min(n, b[f]) for f, n in a.items() if f in b}


def _without(a: Monomial, b: Monomial) -> Monomial:
    return {f: n - b.get(f, 0) for f, n in a.items() if n > b.get(f, 0)}


def _cost(monomial: Monomial) -> int:
    """Multiplications that a product takes: powers by squaring, then the bases together."""
    powers = sum(n.bit_length() - 1 + n.bit_count() - 1 for n in monomial.values())
    return powers + max(0, len(monomial) - 1)


def _saved(common: Monomial, products: list[tuple[Monomial, float]]) -> int:
    """Multiplications saved by taking ``common`` out of all products that contain it."""
    members = [m for m, _ in products if _common(m, common) == common]
    rest = sum(_cost(_without(m, common)) for m in members)
    return sum(map(_cost, members)) - (_cost(common) + 1 + rest)
