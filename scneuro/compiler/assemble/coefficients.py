"""Coefficients: a significand with a binary point of its own, and one multiplier for several."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...words import nearest
from ..algebra.terms import Atom
from ..datapath import WIDEST, Datapath, Node
from ..lowered import Coefficient, Cost
from .bits import fraction_for, narrowed
from .signs import added_up, negated, signed

__all__ = ["Ratio", "Scaled", "Shared", "multiplied", "simple_ratio"]

SIGNIFICAND_BITS = 16
_FINEST = 46  # no sum has more fraction bits, unless its share of the budget asks for it
_SIMPLE = (1, 3, 5, 7, 9, 15, 17, 31, 33)  # what one adder can multiply by


@dataclass(frozen=True)
class Scaled:
    """A term of a sum: what is multiplied, the atom that it is of, and by what."""

    node: Node
    atom: Atom
    coefficient: float


@dataclass(frozen=True)
class Ratio:
    """sign * odd * 2**shift, where ``odd`` costs at most one adder."""

    odd: int
    shift: int
    sign: float


@dataclass(frozen=True)
class Shared:
    """What one multiplier makes.

    Attributes
    ----------
    node : Node
        The sum of its terms.
    coefficients : tuple of Coefficient
        Those that are so used.
    costs : tuple of Cost
        What that these are not exact costs.
    notes : tuple of str
    """

    node: Node
    coefficients: tuple[Coefficient, ...]
    costs: tuple[Cost, ...]
    notes: tuple[str, ...] = ()


def simple_ratio(value: float, base: float = 1.0) -> Ratio | None:
    """value / base, if that is simple."""
    mantissa, exponent = math.frexp(abs(value / base))
    for odd in _SIMPLE:
        if math.isclose(mantissa, math.ldexp(odd, -odd.bit_length()), rel_tol=1e-12):
            return Ratio(odd, exponent - odd.bit_length(), math.copysign(1.0, value / base))
    return None


def multiplied(path: Datapath, terms: Sequence[Scaled], share: float, room: int) -> list[Shared]:
    """coefficient x node for every term; those in simple ratios share a multiplier.

    ``share`` is the error that each may have, and ``room`` the fraction bits of a product.
    """
    results, left = [], list(terms)
    while left:
        ratios = [[simple_ratio(t.coefficient, base.coefficient) for t in left] for base in left]
        best = max(range(len(left)), key=lambda i: (len(left) - ratios[i].count(None), -i))
        base = left[best].coefficient
        group = [(t, r) for t, r in zip(left, ratios[best], strict=True) if r is not None]
        left = [t for t, r in zip(left, ratios[best], strict=True) if r is None]
        results.append(_shared(path, base, group, share, room))
    return results


def _shared(
    path: Datapath, base: float, group: list[tuple[Scaled, Ratio]], share: float, room: int
) -> Shared:
    """base x (the sum of ratio x node): one multiplier for all of the group."""
    finest = max(term.node.fraction - ratio.shift for term, ratio in group)
    flip = math.copysign(1.0, base)  # the product is positive: to subtract it costs more
    size = max(math.ldexp(r.odd * term.node.magnitude, r.shift) for term, r in group)
    allowed = share / size if size else math.inf
    significand, places = _significand(abs(base), finest, allowed, room)
    members: list[Node] = []
    coefficients: list[Coefficient] = []
    costs: list[Cost] = []
    error = 0.0
    for term, ratio in group:
        node, key, exact, sign = term.node, term.atom.key, term.coefficient, ratio.sign * flip
        used = math.ldexp(significand * ratio.odd * sign, ratio.shift - places)
        missed = abs(exact - used) * node.magnitude
        coefficients.append(Coefficient(key, exact, used))
        costs.append(Cost(f"the coefficient {exact:.6g} of {key}", missed))
        error += missed
        members.append(signed(path, path.scale(node, ratio.odd, -ratio.shift), sign))
    if significand == 0:
        notes = tuple(
            f"{c.exact:.3g} of {c.of} is too little for any state to notice, and is lost"
            for c in coefficients
        )
        return Shared(path.const(0, 0, error), tuple(coefficients), tuple(costs), notes)
    total = added_up(path, sorted(members, key=lambda n: -n.fraction))
    total = narrowed(path, total, WIDEST - 1 - significand.bit_length())
    inner = negated(total)
    product = path.scale(inner or total, significand, places, "product")
    product = path.annotate(product, product.low, product.high, product.error + error, product.name)
    product = product if inner is None else signed(path, product, -1.0)
    return Shared(product, tuple(coefficients), tuple(costs))


def _significand(value: float, finest: int, allowed: float, room: int) -> tuple[int, int]:
    """(significand, fraction bits): the nearest significand, made odd, off by ``allowed`` at most.

    It has 16 bits, or more where that asks for it, as far as there is ``room`` for the fraction
    bits of a product; 0 if the sum has no room for any.
    """
    places, most = SIGNIFICAND_BITS - math.frexp(value)[1], _FINEST
    if allowed < math.inf and (wanted := fraction_for(2 * allowed)) > places:
        places, most = wanted, room
    places = min(places, most - finest)
    significand = nearest(value, places)
    while significand and significand % 2 == 0:
        significand, places = significand // 2, places - 1
    return significand, places
